/* What a run is: its canonical text, its id and its label. */
#include "bench/store/private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static char **copy_list(size_t count, char *const *texts)
{
    char **copy = count ? ub_calloc(count, sizeof *copy) : NULL;
    for (size_t i = 0; i < count; i++)
        copy[i] = ub_strdup(texts[i]);
    return copy;
}

static void free_list(size_t count, char **texts)
{
    for (size_t i = 0; i < count; i++)
        ub_free(texts[i]);
    ub_free(texts);
}

static char *copy_text(const char *text)
{
    return text ? ub_strdup(text) : NULL;
}

struct ub_run_spec ub_run_spec_copy(const struct ub_run_spec *spec)
{
    struct ub_run_spec copy = *spec;
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        char **call = ub_run_axis_call(&copy, &ub_run_axes[i]);
        char **label = ub_run_axis_label(&copy, &ub_run_axes[i]);
        if (call)
            *call = copy_text(*call);
        if (label)
            *label = copy_text(*label);
    }
    copy.measures = copy_list(spec->n_measures, spec->measures);
    copy.files = copy_list(spec->n_files, spec->files);
    return copy;
}

void ub_run_spec_clear(struct ub_run_spec *spec)
{
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        char **call = ub_run_axis_call(spec, &ub_run_axes[i]);
        char **label = ub_run_axis_label(spec, &ub_run_axes[i]);
        ub_free(call ? *call : NULL);
        ub_free(label ? *label : NULL);
    }
    free_list(spec->n_measures, spec->measures);
    free_list(spec->n_files, spec->files);
    *spec = (struct ub_run_spec){0};
}

/* ---- fields ----------------------------------------------------------------------------- */

bool ub_run_spec_set(struct ub_run_spec *spec, const char *key, const char *text)
{
    const struct ub_run_axis *axis = ub_run_axis_find(key);
    return axis && ub_run_axis_set(spec, axis, text);
}

static void push(char ***list, size_t *count, const char *text, size_t length)
{
    *list = ub_realloc(*list, (*count + 1) * sizeof **list);
    char *copy = ub_alloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    (*list)[(*count)++] = copy;
}

static void split(char ***list, size_t *count, const char *joined)
{
    while (*joined) {
        const size_t length = strcspn(joined, ";");
        push(list, count, joined, length);
        joined += length + (joined[length] == ';');
    }
}

void ub_spec_split_measures(struct ub_run_spec *spec, const char *joined)
{
    split(&spec->measures, &spec->n_measures, joined);
}

/* ---- data files ------------------------------------------------------------------------- */

bool ub_run_spec_set_files(struct ub_run_spec *spec, const char *joined)
{
    free_list(spec->n_files, spec->files);
    spec->files = NULL;
    spec->n_files = 0;
    split(&spec->files, &spec->n_files, joined);
    for (size_t i = 0; i < spec->n_files; i++)
        if (!ub_is_sha256(spec->files[i]))
            return false;
    return true;
}

char *ub_run_spec_files(const struct ub_run_spec *spec)
{
    struct ub_text text = {0};
    ub_text_add(&text, "%s", "");
    for (size_t i = 0; i < spec->n_files; i++)
        ub_text_add(&text, "%s%s", i ? ";" : "", spec->files[i]);
    return text.data;
}

bool ub_run_spec_same_files(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    bool same = a->n_files == b->n_files;
    for (size_t i = 0; same && i < a->n_files; i++)
        same = strcmp(a->files[i], b->files[i]) == 0;
    return same;
}

void ub_run_spec_data_mark(const struct ub_run_spec *spec, char mark[UB_DATA_MARK])
{
    *mark = '\0';
    if (spec->n_files == 0)
        return;
    char sum[UB_SHA256_TEXT], *files = ub_run_spec_files(spec);
    ub_sha256(files, strlen(files), sum);
    snprintf(mark, UB_DATA_MARK, "data=%.8s", sum);
    ub_free(files);
}

/* ---- texts ------------------------------------------------------------------------------ */

static void add_list(struct ub_text *text, const char *key, size_t count, char *const *items)
{
    ub_text_add(text, count ? "%s:\n" : "%s: []\n", key);
    for (size_t i = 0; i < count; i++) {
        ub_text_add(text, "  - ");
        ub_yaml_add_scalar(text, items[i]);
        ub_text_add(text, "\n");
    }
}

char *ub_run_spec_text(const struct ub_run_spec *spec)
{
    struct ub_text text = {0};
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        struct ub_text value = {0};
        ub_run_axis_text(spec, &ub_run_axes[i], &value);
        ub_text_add(&text, "%s: ", ub_run_axes[i].name);
        ub_yaml_add_scalar(&text, value.data);
        ub_text_add(&text, "\n");
        ub_text_free(&value);
    }
    add_list(&text, "measure", spec->n_measures, spec->measures);
    if (spec->n_files > 0) /* else the text, and so the id, is what it always was */
        add_list(&text, "files", spec->n_files, spec->files);
    return text.data;
}

static bool read_list(const struct ub_yaml *list, const char *expected, char ***items,
                      size_t *count, struct ub_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct ub_yaml *item = list->items[i];
        if (item->kind != UB_YAML_SCALAR)
            return ub_fail(err, UB_INPUT, "%s:%d: expected %s", item->path, item->line, expected);
        push(items, count, item->text, strlen(item->text));
    }
    return true;
}

static bool read_measures(const struct ub_yaml *map, struct ub_run_spec *spec, struct ub_error *err)
{
    const struct ub_yaml *list = ub_yaml_find(map, "measure");
    if (!list || list->kind != UB_YAML_LIST)
        return ub_fail(err, UB_INPUT, "%s:%d: expected a list 'measure'", map->path, map->line);
    return read_list(list, "an observable, e.g. loss:every=1", &spec->measures, &spec->n_measures,
                     err);
}

static bool read_files(const struct ub_yaml *map, struct ub_run_spec *spec, struct ub_error *err)
{
    const struct ub_yaml *list = ub_yaml_find(map, "files");
    if (!list)
        return true;
    if (list->kind != UB_YAML_LIST || list->count == 0)
        return ub_fail(err, UB_INPUT, "%s:%d: 'files' is bad; expected a list of SHA-256",
                       list->path, list->line);
    if (!read_list(list, "a SHA-256", &spec->files, &spec->n_files, err))
        return false;
    for (size_t i = 0; i < spec->n_files; i++)
        if (!ub_is_sha256(spec->files[i]))
            return ub_fail(err, UB_INPUT, "%s:%d: '%s'; expected a SHA-256", list->path,
                           list->items[i]->line, spec->files[i]);
    return true;
}

bool ub_run_spec_from_yaml(const struct ub_yaml *map, struct ub_run_spec *spec,
                           struct ub_error *err)
{
    *spec = (struct ub_run_spec){0};
    if (map->kind != UB_YAML_MAP)
        return ub_fail(err, UB_INPUT, "%s:%d: expected a map: the spec of a run", map->path,
                       map->line);
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        const struct ub_yaml *node = ub_yaml_find(map, ub_run_axes[i].name);
        if (node && node->kind == UB_YAML_SCALAR &&
            ub_run_axis_set(spec, &ub_run_axes[i], node->text))
            continue;
        ub_fail(err, UB_INPUT, "%s:%d: '%s' is %s; expected what a store writes", map->path,
                node ? node->line : map->line, ub_run_axes[i].name, node ? "bad" : "missing");
        ub_run_spec_clear(spec);
        return false;
    }
    if (read_measures(map, spec, err) && read_files(map, spec, err))
        return true;
    ub_run_spec_clear(spec);
    return false;
}

/* Every field that makes specs differ is in it, whole or as a mark; "seed=" comes last. */
char *ub_run_spec_label(const struct ub_run_spec *spec)
{
    struct ub_text text = {0}, measures = {0};
    char mark[UB_DATA_MARK], sum[UB_SHA256_TEXT];
    ub_text_add(&text, "%s %s %s %s", spec->dataset_label ? spec->dataset_label : spec->dataset,
                spec->model_label ? spec->model_label : spec->model, spec->loss,
                spec->optimizer_label ? spec->optimizer_label : spec->optimizer);
    const char *init = spec->init_label ? spec->init_label : spec->init;
    if (strcmp(init, ub_run_axis_find("init")->fallback) != 0)
        ub_text_add(&text, " %s", init);
    if (spec->precision != UB_F32)
        ub_text_add(&text, " %s", ub_precision_name(spec->precision));
    if (spec->save_weights)
        ub_text_add(&text, " weights");
    ub_text_add(&text, " steps=%" PRId64, spec->steps);
    add_list(&measures, "measure", spec->n_measures, spec->measures);
    ub_sha256(measures.data, measures.length, sum);
    ub_text_add(&text, " measure=%.8s", sum);
    ub_run_spec_data_mark(spec, mark);
    ub_text_add(&text, "%s%s", *mark ? " " : "", mark);
    if (spec->data_seed)
        ub_text_add(&text, " data-seed=%" PRIu64, spec->data_seed);
    ub_text_add(&text, " seed=%" PRIu64, spec->seed);
    ub_text_free(&measures);
    return text.data;
}

/* A call without the path of its file, which its contents stand for. */
static char *placeless(const char *canonical)
{
    struct ub_error ignored = {0};
    struct ub_call *call = canonical ? ub_call_parse(canonical, "call", &ignored) : NULL;
    struct ub_text text = {0};
    if (!call)
        return copy_text(canonical);
    ub_text_add(&text, "%s", call->name);
    for (size_t i = 0, n = 0; i < call->count; i++)
        if (strcmp(call->keys[i], "file") != 0)
            ub_text_add(&text, "%c%s=%s", n++ ? ',' : ':', call->keys[i], call->values[i]);
    ub_call_free(call);
    return text.data;
}

void ub_run_spec_id(const struct ub_run_spec *spec, char id[17])
{
    struct ub_run_spec identity = *spec;
    if (spec->n_files > 0) {
        identity.dataset = placeless(spec->dataset);
        identity.init = placeless(spec->init);
    }
    char *text = ub_run_spec_text(&identity);
    snprintf(id, 17, "%016" PRIx64, ub_hash(text, strlen(text)));
    ub_free(text);
    if (spec->n_files > 0) {
        ub_free(identity.dataset);
        ub_free(identity.init);
    }
}

bool ub_is_run_id(const char *name)
{
    return strlen(name) == 16 && strspn(name, "0123456789abcdef") == 16;
}

/* ---- status ----------------------------------------------------------------------------- */

static const char *const status_names[] = {"ok", "diverged", "timeout", "failed", "missing"};

const char *ub_run_status_name(enum ub_run_status status)
{
    return status_names[status];
}

bool ub_run_status_find(const char *name, enum ub_run_status *status)
{
    for (int i = 0; i <= UB_RUN_MISSING; i++)
        if (strcmp(status_names[i], name) == 0) {
            *status = (enum ub_run_status)i;
            return true;
        }
    return false;
}
