/* manifest.csv: the runs that are expected, and of which laws they are controls. */
#include "bench/store/private.h"

#include <string.h>

/* Not in those of earlier versions: */
static const char files_column[] = "files", control_column[] = "control";

void ub_expected_free(struct ub_expected *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ub_run_spec_clear(&runs[i].spec);
        ub_free(runs[i].control);
    }
    ub_free(runs);
}

/* ---- controls --------------------------------------------------------------------------- */

static const char law_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

size_t ub_control_entry(const char *at, size_t *law, bool *holds)
{
    const size_t length = strcspn(at, ";");
    *law = strspn(at, law_letters);
    const char *word = at + *law + 1;
    const size_t letters = length > *law ? length - *law - 1 : 0;
    if (*law == 0 || at[*law] != '=' || letters != 5)
        return 0;
    *holds = strncmp(word, "holds", letters) == 0;
    return *holds || strncmp(word, "fails", letters) == 0 ? length : 0;
}

bool ub_control_reads(const char *text)
{
    bool holds, more = true;
    size_t law;
    while (more) {
        const size_t length = ub_control_entry(text, &law, &holds);
        if (length == 0)
            return false;
        more = text[length] == ';';
        text += length + more;
    }
    return true;
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool manifest_columns(const struct ub_csv *csv, int fields[UB_RUN_AXES], int *measure,
                             struct ub_error *err)
{
    *measure = ub_csv_column(csv, "measure");
    const char *missing = *measure < 0 ? "measure" : NULL;
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        fields[i] = ub_csv_column(csv, ub_run_axes[i].name);
        if (fields[i] < 0)
            missing = ub_run_axes[i].name;
    }
    return !missing || ub_fail(err, UB_INPUT, "%s:1: no column '%s'; expected what a store writes",
                               csv->path, missing);
}

static bool bad_cell(const struct ub_csv *csv, size_t row, const char *name, const char *cell,
                     struct ub_error *err)
{
    return ub_fail(err, UB_INPUT, "%s:%d: bad %s '%s'; expected what a store writes", csv->path,
                   csv->lines[row], name, cell);
}

static const char *cell_of(const struct ub_csv *csv, size_t row, const char *name)
{
    const int column = ub_csv_column(csv, name);
    return column < 0 ? "" : ub_csv_cell(csv, row, (size_t)column);
}

static bool read_row(const struct ub_csv *csv, size_t row, const int fields[UB_RUN_AXES],
                     int measure, struct ub_expected *run, struct ub_error *err)
{
    struct ub_run_spec *spec = &run->spec;
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        const char *cell = ub_csv_cell(csv, row, (size_t)fields[i]);
        if (!ub_run_axis_set(spec, &ub_run_axes[i], cell))
            return bad_cell(csv, row, ub_run_axes[i].name, cell, err);
    }
    ub_spec_split_measures(spec, ub_csv_cell(csv, row, (size_t)measure));
    const char *files = cell_of(csv, row, files_column);
    if (!ub_run_spec_set_files(spec, files))
        return bad_cell(csv, row, files_column, files, err);
    const char *control = cell_of(csv, row, control_column);
    if (*control && !ub_control_reads(control))
        return bad_cell(csv, row, control_column, control, err);
    run->control = *control ? ub_strdup(control) : NULL;
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        char **label = ub_run_axis_label(spec, &ub_run_axes[i]), column[UB_LABEL_COLUMN];
        if (!label)
            continue;
        const char *text = cell_of(csv, row, ub_label_column(&ub_run_axes[i], column));
        *label = *text ? ub_strdup(text) : NULL; /* the canonical text stands in for it */
    }
    return true;
}

bool ub_manifest_is_old(const char *store)
{
    struct ub_error ignored = {0};
    char *path = ub_path(store, "manifest.csv");
    struct ub_csv *csv =
        ub_store_regular(path, &ignored) ? ub_csv_read(path, true, &ignored) : NULL;
    const bool old = csv && ub_csv_column(csv, files_column) < 0;
    ub_csv_free(csv);
    ub_free(path);
    return old;
}

bool ub_manifest_read_unchecked(const char *store, struct ub_expected **runs, size_t *count,
                                struct ub_error *err)
{
    *runs = NULL;
    *count = 0;
    char *path = ub_path(store, "manifest.csv");
    bool present = ub_exists(path);
    const bool readable = present && ub_store_regular(path, err);
    struct ub_csv *csv = readable ? ub_csv_read(path, true, err) : NULL;
    ub_free(path);
    if (!csv)
        return !present;
    int fields[UB_RUN_AXES], measure;
    bool good = manifest_columns(csv, fields, &measure, err);
    *runs = ub_calloc(csv->rows + 1, sizeof **runs);
    for (size_t row = 0; good && row < csv->rows; row++) {
        good = read_row(csv, row, fields, measure, &(*runs)[row], err);
        *count = row + 1;
    }
    ub_csv_free(csv);
    if (good)
        return true;
    ub_expected_free(*runs, *count);
    *runs = NULL;
    *count = 0;
    return false;
}

bool ub_manifest_read(const char *store, struct ub_expected **runs, size_t *count,
                      struct ub_error *err)
{
    *runs = NULL;
    *count = 0;
    return ub_store_file_holds(store, "manifest.csv", err) &&
           ub_manifest_read_unchecked(store, runs, count, err);
}

/* ---- writing ---------------------------------------------------------------------------- */

static void add_labels(struct ub_text *text, const struct ub_run_spec *spec)
{
    struct ub_run_spec alias = *spec;
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        char *const *label = ub_run_axis_label(&alias, &ub_run_axes[i]);
        if (label)
            ub_csv_add(text, *label ? *label : "");
    }
}

static void add_row(struct ub_text *text, const struct ub_expected *run)
{
    const struct ub_run_spec *spec = &run->spec;
    char id[17];
    ub_run_spec_id(spec, id);
    char *label = ub_run_spec_label(spec);
    ub_csv_add(text, id);
    ub_csv_add(text, label);
    ub_free(label);
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        struct ub_text value = {0};
        ub_run_axis_text(spec, &ub_run_axes[i], &value);
        ub_csv_add(text, value.data);
        ub_text_free(&value);
    }
    struct ub_text measures = {0};
    ub_text_add(&measures, "%s", "");
    for (size_t i = 0; i < spec->n_measures; i++)
        ub_text_add(&measures, "%s%s", i ? ";" : "", spec->measures[i]);
    ub_csv_add(text, measures.data);
    ub_text_free(&measures);
    char *files = ub_run_spec_files(spec);
    ub_csv_add(text, files);
    ub_free(files);
    ub_csv_add(text, run->control ? run->control : "");
    add_labels(text, spec);
    ub_csv_end_row(text);
}

bool ub_manifest_write(const char *store, const struct ub_expected *runs, size_t count,
                       struct ub_error *err)
{
    struct ub_text text = {0};
    ub_csv_add(&text, "id");
    ub_csv_add(&text, "label");
    for (size_t i = 0; i < UB_RUN_AXES; i++)
        ub_csv_add(&text, ub_run_axes[i].name);
    ub_csv_add(&text, "measure");
    ub_csv_add(&text, files_column);
    ub_csv_add(&text, control_column);
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        char column[UB_LABEL_COLUMN];
        if (ub_run_axes[i].label)
            ub_csv_add(&text, ub_label_column(&ub_run_axes[i], column));
    }
    ub_csv_end_row(&text);
    for (size_t i = 0; i < count; i++)
        add_row(&text, &runs[i]);
    const bool good = ub_store_write_file(store, "manifest.csv", text.data, text.length, err);
    ub_text_free(&text);
    return good;
}
