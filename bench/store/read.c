/* run.yaml, read back. What is not as the store writes it is an error with file
 * and line: a store may have been edited or cut short by copying. Who opens a store goes on
 * without it. */
#include "bench/store/private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ub_run_clear(struct ub_run *run)
{
    ub_run_spec_clear(&run->spec);
    ub_free(run->label);
    ub_free(run->message);
    ub_free(run->control);
    for (size_t i = 0; i < run->n_facts; i++)
        ub_free(run->facts[i].name);
    ub_free(run->facts);
    for (size_t i = 0; i < run->n_provenance; i++) {
        ub_free(run->provenance[i].name);
        ub_free(run->provenance[i].text);
    }
    ub_free(run->provenance);
    *run = (struct ub_run){0};
}

/* ---- run.yaml --------------------------------------------------------------------------- */

static const struct ub_yaml *need(const struct ub_yaml *map, const char *key,
                                  enum ub_yaml_kind kind, struct ub_error *err)
{
    const struct ub_yaml *node = map->kind == UB_YAML_MAP ? ub_yaml_find(map, key) : NULL;
    if (node && node->kind == kind)
        return node;
    ub_fail(err, UB_INPUT, "%s:%d: '%s' is %s; expected what a store writes", map->path,
            node ? node->line : map->line, key, node ? "bad" : "missing");
    return NULL;
}

static bool read_fact(const char *text, double *value)
{
    if (ub_read_real(text, value))
        return true;
    static const struct {
        const char *text;
        double value;
    } special[] = {{".nan", (double)NAN}, {".inf", HUGE_VAL}, {"-.inf", -HUGE_VAL}};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (strcmp(special[i].text, text) == 0) {
            *value = special[i].value;
            return true;
        }
    return false;
}

static bool read_facts(const struct ub_yaml *map, struct ub_run *run, struct ub_error *err)
{
    run->facts = ub_calloc(map->count + 1, sizeof *run->facts);
    for (size_t i = 0; i < map->count; i++) {
        const struct ub_yaml *item = map->items[i];
        struct ub_fact *fact = &run->facts[run->n_facts];
        if (item->kind != UB_YAML_SCALAR || !read_fact(item->text, &fact->value))
            return ub_fail(err, UB_INPUT, "%s:%d: fact '%s' is not a number", item->path,
                           item->line, map->keys[i]);
        fact->name = ub_strdup(map->keys[i]);
        run->n_facts++;
    }
    return true;
}

static bool read_provenance(const struct ub_yaml *map, struct ub_run *run, struct ub_error *err)
{
    run->provenance = ub_calloc(map->count + 1, sizeof *run->provenance);
    for (size_t i = 0; i < map->count; i++) {
        const struct ub_yaml *item = map->items[i];
        if (item->kind != UB_YAML_SCALAR)
            return ub_fail(err, UB_INPUT, "%s:%d: provenance '%s' is not a text", item->path,
                           item->line, map->keys[i]);
        run->provenance[run->n_provenance++] = (struct ub_pair){
            .name = ub_strdup(map->keys[i]),
            .text = ub_strdup(item->text),
        };
    }
    return true;
}

/* An empty label is none: the canonical text stands in for it. */
static char *label_of(const char *text)
{
    return *text ? ub_strdup(text) : NULL;
}

static void set_label(const struct ub_yaml *labels, const char *key, char **label)
{
    const struct ub_yaml *node = ub_yaml_find(labels, key);
    if (node && node->kind == UB_YAML_SCALAR)
        *label = label_of(node->text);
}

static bool read_schema(const struct ub_yaml *root, int64_t *version, struct ub_error *err)
{
    const struct ub_yaml *schema = need(root, "schema", UB_YAML_SCALAR, err);
    if (!schema)
        return false;
    if (ub_read_int(schema->text, version) &&
        (*version == UB_STORE_SCHEMA || *version == UB_STORE_UNCHECKED))
        return true;
    return ub_fail(err, UB_INPUT, "%s:%d: store schema '%s'; expected %d or %d", schema->path,
                   schema->line, schema->text, UB_STORE_UNCHECKED, UB_STORE_SCHEMA);
}

static bool read_root(const struct ub_yaml *root, struct ub_run *run, int64_t *version,
                      struct ub_error *err)
{
    if (!read_schema(root, version, err))
        return false;
    const struct ub_yaml *status = need(root, "status", UB_YAML_SCALAR, err);
    const struct ub_yaml *message = need(root, "message", UB_YAML_SCALAR, err);
    const struct ub_yaml *spec = need(root, "spec", UB_YAML_MAP, err);
    const struct ub_yaml *labels = need(root, "labels", UB_YAML_MAP, err);
    const struct ub_yaml *facts = need(root, "facts", UB_YAML_MAP, err);
    const struct ub_yaml *provenance = need(root, "provenance", UB_YAML_MAP, err);
    if (!status || !message || !spec || !labels || !facts || !provenance)
        return false;
    if (!ub_run_status_find(status->text, &run->status) || run->status == UB_RUN_MISSING)
        return ub_fail(err, UB_INPUT,
                       "%s:%d: status '%s'; expected ok, diverged, timeout or failed", status->path,
                       status->line, status->text);
    run->message = ub_strdup(message->text);
    if (!ub_run_spec_from_yaml(spec, &run->spec, err))
        return false;
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        char **label = ub_run_axis_label(&run->spec, &ub_run_axes[i]);
        if (label)
            set_label(labels, ub_run_axes[i].name, label);
    }
    return read_facts(facts, run, err) && read_provenance(provenance, run, err);
}

static bool read_yaml(const char *folder, const char *id, struct ub_run *run, int64_t *version,
                      struct ub_error *err)
{
    *run = (struct ub_run){0};
    char *path = ub_path(folder, "run.yaml");
    struct ub_yaml *root = ub_store_regular(path, err) ? ub_yaml_read(path, err) : NULL;
    bool good = root && read_root(root, run, version, err);
    if (good) {
        ub_run_spec_id(&run->spec, run->id);
        if (strcmp(run->id, id) != 0)
            good = ub_fail(err, UB_INPUT, "%s: its spec has id %s; expected its folder's name %s",
                           path, run->id, id);
    }
    if (good)
        run->label = ub_run_spec_label(&run->spec);
    else
        ub_run_clear(run);
    ub_yaml_free(root);
    ub_free(path);
    return good;
}

/* A failed run of an early version may have been cut off before it wrote a trace. */
static bool trace_reads(const char *folder, const struct ub_run *run, struct ub_error *err)
{
    char *path = ub_path(folder, "trace.csv.gz"), *weights = ub_path(folder, "weights.npz");
    struct ub_trace *trace = NULL;
    const bool regular = ub_store_regular(weights, err); /* read only when asked for */
    ub_free(weights);
    const bool none = run->status == UB_RUN_FAILED && !ub_exists(path);
    if (!none && regular)
        trace = ub_trace_read_file(path, err);
    const bool good = regular && (none || trace);
    ub_trace_free(trace);
    ub_free(path);
    return good;
}

bool ub_run_read_unchecked(const char *folder, const char *id, struct ub_run *run,
                           struct ub_error *err)
{
    int64_t version;
    if (!read_yaml(folder, id, run, &version, err))
        return false;
    if (trace_reads(folder, run, err))
        return true;
    ub_run_clear(run);
    return false;
}

bool ub_run_checksums_gone(const char *folder, const char *id)
{
    struct ub_run run;
    struct ub_error ignored = {0};
    int64_t version = UB_STORE_UNCHECKED;
    if (ub_checksums_present(folder) || !read_yaml(folder, id, &run, &version, &ignored))
        return false;
    ub_run_clear(&run);
    return version != UB_STORE_UNCHECKED;
}

static void add_edits(struct ub_run *run, const struct ub_checksums *c)
{
    struct ub_text text = {0};
    if (c->n_edits == 0)
        return;
    for (size_t i = 0; i < c->n_edits; i++)
        ub_text_add(&text, "%s%s", i ? "; " : "", c->edit[i]);
    const size_t n = run->n_provenance + 1;
    run->provenance = ub_realloc(run->provenance, n * sizeof *run->provenance);
    run->provenance[run->n_provenance++] =
        (struct ub_pair){.name = ub_strdup("edited"), .text = text.data};
}

static bool read_checked(const char *folder, const char *id, struct ub_run *run,
                         struct ub_error *err)
{
    struct ub_checksums c;
    int64_t version;
    *run = (struct ub_run){0};
    if (!ub_checksums_read(folder, &c, err))
        return false;
    bool good = ub_checksums_hold_all(&c, folder, err);
    if (good && (!ub_checksums_find(&c, "run.yaml") || !ub_checksums_find(&c, "trace.csv.gz")))
        good = ub_fail(err, UB_INPUT, "%s/checksums: no run.yaml and trace.csv.gz", folder);
    good = good && read_yaml(folder, id, run, &version, err);
    if (good) {
        run->checked = true;
        add_edits(run, &c);
    }
    ub_checksums_clear(&c);
    return good;
}

static bool read_old(const char *folder, const char *id, struct ub_run *run, struct ub_error *err)
{
    int64_t version;
    if (!read_yaml(folder, id, run, &version, err))
        return false;
    if (version != UB_STORE_UNCHECKED)
        ub_fail(err, UB_INPUT, "%s: its checksums are gone", folder);
    else if (trace_reads(folder, run, err))
        return true;
    ub_run_clear(run);
    return false;
}

/* A second look, since the folder may have been replaced between two of its files. */
bool ub_run_read(const char *folder, const char *id, struct ub_run *run, struct ub_error *err)
{
    struct ub_error first = {0};
    if (ub_checksums_present(folder))
        return read_checked(folder, id, run, &first) || read_checked(folder, id, run, err);
    return read_old(folder, id, run, &first) || read_old(folder, id, run, err);
}
