/* One run, written to a temporary folder and renamed whole. */
#define _GNU_SOURCE /* renameat2 */
#include "bench/store/private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct row {
    int64_t step, index;
    size_t name;
    double value, error;
};

struct ub_run_writer {
    char *store, *folder; /* runs/.tmp-ID-PID */
    struct ub_run_spec spec;
    char id[17];
    size_t n_rows, room;
    struct row *rows;
    size_t n_names, n_facts;
    char **names;
    struct ub_fact *facts;
};

struct ub_run_writer *ub_run_writer_new(const char *store, const struct ub_run_spec *spec,
                                        struct ub_error *err)
{
    struct ub_run_writer *w = ub_calloc(1, sizeof *w);
    w->store = ub_strdup(store);
    w->spec = ub_run_spec_copy(spec);
    ub_run_spec_id(spec, w->id);
    char name[64];
    snprintf(name, sizeof name, ".tmp-%s-%" PRId64, w->id, (int64_t)getpid());
    w->folder = ub_store_run_folder(store, name);
    char *runs = ub_path(store, "runs");
    bool good = ub_make_folders(runs, err) && ub_remove_tree(w->folder, err) &&
                ub_make_folders(w->folder, err);
    ub_free(runs);
    if (good)
        return w;
    ub_run_writer_abandon(w);
    return NULL;
}

static void free_writer(struct ub_run_writer *w)
{
    ub_run_spec_clear(&w->spec);
    for (size_t i = 0; i < w->n_names; i++)
        ub_free(w->names[i]);
    for (size_t i = 0; i < w->n_facts; i++)
        ub_free(w->facts[i].name);
    ub_free(w->names);
    ub_free(w->facts);
    ub_free(w->rows);
    ub_free(w->store);
    ub_free(w->folder);
    ub_free(w);
}

void ub_run_writer_abandon(struct ub_run_writer *w)
{
    struct ub_error ignored = {0}; /* what is left has a temporary name: no reader sees it */
    ub_remove_tree(w->folder, &ignored);
    free_writer(w);
}

static size_t name_index(struct ub_run_writer *w, const char *name)
{
    for (size_t i = 0; i < w->n_names; i++)
        if (strcmp(w->names[i], name) == 0)
            return i;
    w->names = ub_realloc(w->names, (w->n_names + 1) * sizeof *w->names);
    w->names[w->n_names] = ub_strdup(name);
    return w->n_names++;
}

void ub_run_writer_add(struct ub_run_writer *w, int64_t step, const char *observable, int64_t index,
                       double value, double error)
{
    if (w->n_rows == w->room) {
        w->room = w->room ? 2 * w->room : 1024;
        w->rows = ub_realloc(w->rows, w->room * sizeof *w->rows);
    }
    w->rows[w->n_rows++] = (struct row){.step = step,
                                        .index = index,
                                        .name = name_index(w, observable),
                                        .value = value,
                                        .error = error};
}

void ub_run_writer_fact(struct ub_run_writer *w, const char *name, double value)
{
    for (size_t i = 0; i < w->n_facts; i++)
        if (strcmp(w->facts[i].name, name) == 0) {
            w->facts[i].value = value;
            return;
        }
    w->facts = ub_realloc(w->facts, (w->n_facts + 1) * sizeof *w->facts);
    w->facts[w->n_facts++] = (struct ub_fact){.name = ub_strdup(name), .value = value};
}

char *ub_run_writer_folder(struct ub_run_writer *w)
{
    return w->folder;
}

/* ---- run.yaml --------------------------------------------------------------------------- */

static void add_entry(struct ub_text *text, const char *indent, const char *key, const char *value)
{
    ub_text_add(text, "%s%s: ", indent, key);
    ub_yaml_add_scalar(text, value);
    ub_text_add(text, "\n");
}

static void add_number(struct ub_text *text, const char *key, double value)
{
    ub_text_add(text, "  %s: ", key);
    if (isnan(value)) {
        ub_text_add(text, ".nan\n");
        return;
    }
    if (isinf(value)) {
        ub_text_add(text, "%s\n", value > 0 ? ".inf" : "-.inf");
        return;
    }
    struct ub_text number = {0};
    ub_csv_add_real(&number, value);
    ub_text_add(text, "%s\n", number.data);
    ub_text_free(&number);
}

static void add_spec(struct ub_text *text, const struct ub_run_spec *spec)
{
    char *lines = ub_run_spec_text(spec);
    ub_text_add(text, "spec:\n");
    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"))
        ub_text_add(text, "  %s\n", line);
    ub_free(lines);
}

static void add_labels(struct ub_text *text, const struct ub_run_spec *spec)
{
    struct ub_run_spec alias = *spec;
    ub_text_add(text, "labels:");
    size_t given = 0;
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        char *const *label = ub_run_axis_label(&alias, &ub_run_axes[i]);
        if (!label || !*label)
            continue;
        ub_text_add(text, given++ ? "" : "\n");
        add_entry(text, "  ", ub_run_axes[i].name, *label);
    }
    ub_text_add(text, given ? "" : " {}\n");
}

static struct ub_text run_yaml(const struct ub_run_writer *w, enum ub_run_status status,
                               const char *message, const struct ub_pair *provenance,
                               size_t n_provenance)
{
    struct ub_text text = {0};
    ub_text_add(&text, "schema: %d\n", UB_STORE_SCHEMA);
    add_entry(&text, "", "id", w->id);
    add_entry(&text, "", "status", ub_run_status_name(status));
    add_entry(&text, "", "message", message ? message : "");
    add_spec(&text, &w->spec);
    add_labels(&text, &w->spec);
    ub_text_add(&text, w->n_facts ? "facts:\n" : "facts: {}\n");
    for (size_t i = 0; i < w->n_facts; i++)
        add_number(&text, w->facts[i].name, w->facts[i].value);
    ub_text_add(&text, n_provenance ? "provenance:\n" : "provenance: {}\n");
    for (size_t i = 0; i < n_provenance; i++)
        add_entry(&text, "  ", provenance[i].name, provenance[i].text);
    return text;
}

/* ---- trace.csv.gz ------------------------------------------------------------------------ */

static struct ub_text trace_csv(const struct ub_run_writer *w)
{
    struct ub_text text = {0};
    ub_text_add(&text, "step,observable,index,value,error\n");
    for (size_t i = 0; i < w->n_rows; i++) {
        const struct row *row = &w->rows[i];
        ub_text_add(&text, "%" PRId64, row->step);
        ub_csv_add(&text, w->names[row->name]);
        ub_text_add(&text, ",%" PRId64, row->index);
        ub_trace_add_value(&text, row->value);
        ub_trace_add_value(&text, row->error);
        ub_csv_end_row(&text);
    }
    return text;
}

/* ---- commit ----------------------------------------------------------------------------- */

static bool write_text(const char *folder, const char *name, struct ub_text *text,
                       struct ub_error *err)
{
    char *path = ub_path(folder, name);
    bool good = ub_write_file(path, text->data, text->length, err);
    ub_free(path);
    ub_text_free(text);
    return good;
}

static void sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd); /* best effort: not every file system syncs folders */
    close(fd);
}

/* Puts `from` at `to` at one stroke; an earlier run there comes out under the temporary name. */
static bool replace_folder(const char *from, const char *to, struct ub_error *err)
{
    if (rename(from, to) == 0)
        return true;
    if (errno == ENOTEMPTY || errno == EEXIST) {
        if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) == 0)
            return ub_remove_tree(from, err);
        /* No exchange on this file system: between these two the run is merely missing. */
        if (ub_remove_tree(to, err) && rename(from, to) == 0)
            return true;
    }
    return ub_fail(err, UB_INPUT, "%s: cannot write: %s", to, strerror(errno));
}

static bool write_checksums(const char *folder, struct ub_error *err)
{
    struct ub_checksums c = {0};
    const bool good =
        ub_checksums_of_folder(folder, &c, err) && ub_checksums_write(folder, &c, err);
    ub_checksums_clear(&c);
    return good;
}

bool ub_run_writer_commit(struct ub_run_writer *w, enum ub_run_status status, const char *message,
                          const struct ub_pair *provenance, size_t n_provenance,
                          struct ub_error *err)
{
    struct ub_text yaml = run_yaml(w, status, message, provenance, n_provenance);
    struct ub_text trace = trace_csv(w);
    char *final = ub_store_run_folder(w->store, w->id), *runs = ub_path(w->store, "runs");
    bool wrote = write_text(w->folder, "run.yaml", &yaml, err);
    wrote = write_text(w->folder, "trace.csv.gz", &trace, err) && wrote;
    wrote = wrote && write_checksums(w->folder, err);
    if (wrote)
        sync_folder(w->folder);
    bool good = wrote && replace_folder(w->folder, final, err);
    if (good)
        sync_folder(runs);
    ub_free(final);
    ub_free(runs);
    if (good)
        free_writer(w);
    else
        ub_run_writer_abandon(w);
    return good;
}
