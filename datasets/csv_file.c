/* Any CSV file with a header: one column is the label or target, the others are inputs. */
#include "datasets/source.h"

#include <stdlib.h>
#include <string.h>

static const char *const tasks[] = {"classification", "regression", NULL};

static const struct ub_option options[] = {
    {.key = "file",
     .kind = UB_OPTION_TEXT,
     .help = "CSV with a header, gzipped or not: a path, or one within the data folder"},
    {.key = "label", .kind = UB_OPTION_TEXT, .help = "column of the label or target"},
    {.key = "task",
     .kind = UB_OPTION_NAME,
     .fallback = "classification",
     .choices = tasks,
     .help = "classification: labels are classes, numbered in order; regression: a target"},
    {.key = NULL},
};

/* Within the data folder, else as given. */
static char *path_of(const char *file, const char *folder, struct ub_error *err)
{
    char *inside = folder && *file != '/' ? ub_path(folder, file) : NULL;
    if (inside && ub_exists(inside))
        return inside;
    ub_free(inside);
    if (ub_exists(file))
        return ub_strdup(file);
    ub_fail(err, UB_INPUT,
            "csv: no file '%s'%s%s; expected a path, or one within the data folder "
            "(--data or UNIBENCH_DATA)",
            file, folder ? ", nor in " : "", folder ? folder : "");
    return NULL;
}

/* ---- labels ---- */

/* Whole numbers by value, before all other texts, which go by their bytes. */
static int compare_labels(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    int64_t i, j;
    const bool whole_x = ub_read_int(x, &i), whole_y = ub_read_int(y, &j);
    if (whole_x && whole_y && i != j)
        return i < j ? -1 : 1;
    if (whole_x != whole_y)
        return whole_x ? -1 : 1;
    return strcmp(x, y);
}

/* The distinct labels, sorted: pointers into the table. Caller frees the list. */
static const char **distinct_labels(const struct ub_csv *csv, size_t column, int64_t *count)
{
    const char **label = ub_calloc(csv->rows + 1, sizeof *label);
    for (size_t row = 0; row < csv->rows; row++)
        label[row] = ub_csv_cell(csv, row, column);
    qsort(label, csv->rows, sizeof *label, compare_labels);
    size_t n = 0;
    for (size_t i = 0; i < csv->rows; i++)
        if (n == 0 || strcmp(label[n - 1], label[i]) != 0)
            label[n++] = label[i];
    *count = (int64_t)n;
    return label;
}

static bool fill_labels(struct ub_dataset *d, const struct ub_csv *csv, size_t column,
                        struct ub_error *err)
{
    int64_t count;
    const char **label = distinct_labels(csv, column, &count);
    bool good = true;
    if (count > UB_DATA_CLASSES)
        good = ub_fail(err, UB_INPUT, "%s: %lld different labels in '%s'; expected at most %d",
                       csv->path, (long long)count, csv->header[column], UB_DATA_CLASSES);
    d->outputs = count;
    good = good && ub_split_new(d, (int64_t)csv->rows, csv->path, &d->train, err);
    for (size_t row = 0; good && row < csv->rows; row++) {
        const char *key = ub_csv_cell(csv, row, column);
        const char **found = bsearch(&key, label, (size_t)count, sizeof *label, compare_labels);
        if (!*key)
            good = ub_fail(err, UB_INPUT, "%s:%d: no label in '%s'; expected one", csv->path,
                           csv->lines[row], csv->header[column]);
        else
            ub_split_label(d, &d->train, (int64_t)row, (int32_t)(found - label));
    }
    ub_free(label);
    return good;
}

/* ---- numbers ---- */

static bool read_cell(const struct ub_csv *csv, size_t row, size_t column, double *out,
                      struct ub_error *err)
{
    const char *text = ub_csv_cell(csv, row, column);
    if (ub_read_real(text, out))
        return true;
    return ub_fail(err, UB_INPUT, "%s:%d: '%s' in column '%s'; expected a finite number", csv->path,
                   csv->lines[row], text, csv->header[column]);
}

static bool fill(struct ub_dataset *d, const struct ub_csv *csv, const char *label,
                 struct ub_error *err)
{
    const int column = ub_csv_column(csv, label);
    if (column < 0) {
        const char *near = ub_suggest(label, (const char *const *)csv->header, csv->columns);
        return ub_fail(err, UB_INPUT, "%s:1: no column '%s'; expected it in the header%s%s",
                       csv->path, label, near ? ", did you mean " : "", near ? near : "");
    }
    for (size_t c = (size_t)column + 1; c < csv->columns; c++)
        if (strcmp(csv->header[c], label) == 0) /* else the label would be an input, too */
            return ub_fail(err, UB_INPUT, "%s:1: column '%s' twice; expected it once", csv->path,
                           label);
    if (csv->columns < 2 || csv->rows == 0)
        return ub_fail(err, UB_INPUT,
                       "%s: %zu columns and %zu rows; expected an input column and a "
                       "row at least",
                       csv->path, csv->columns, csv->rows);
    d->shape[0] = d->features = (int64_t)csv->columns - 1;
    d->outputs = 1;
    const bool classes = d->task == UB_CLASSIFICATION;
    if (classes ? !fill_labels(d, csv, (size_t)column, err)
                : !ub_split_new(d, (int64_t)csv->rows, csv->path, &d->train, err))
        return false;
    for (size_t row = 0; row < csv->rows; row++) {
        double *x = d->train.inputs + (int64_t)row * d->features;
        for (size_t c = 0; c < csv->columns; c++) {
            const bool is_label = c == (size_t)column;
            if (is_label && classes)
                continue;
            if (!read_cell(csv, row, c, is_label ? d->train.targets + row : x++, err))
                return false;
        }
    }
    return true;
}

static bool present(const struct ub_call *call, const char *folder)
{
    struct ub_error ignored = {0};
    char *path = path_of(ub_call_get(call, "file"), folder, &ignored);
    const bool there = path != NULL && ub_exists(path);
    ub_free(path);
    return there;
}

static bool files(const struct ub_call *call, const char *folder, struct ub_paths *out,
                  struct ub_error *err)
{
    ub_paths_add(out, path_of(ub_call_get(call, "file"), folder, err));
    return out->count > 0;
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)seed;
    d->task = strcmp(ub_call_get(call, "task"), tasks[0]) == 0 ? UB_CLASSIFICATION : UB_REGRESSION;
    d->rank = 1;
    char *path = path_of(ub_call_get(call, "file"), folder, err);
    struct ub_csv *csv = path ? ub_csv_read(path, true, err) : NULL;
    ub_free(path);
    const bool good = csv && fill(d, csv, ub_call_get(call, "label"), err);
    ub_csv_free(csv);
    return good;
}

const struct ub_dataset_source ub_dataset_csv = {
    .name = "csv",
    .summary = "any CSV file: a column of labels or targets, the others inputs",
    .citation = "-",
    .options = options,
    .needs_files = true,
    .present = present,
    .files = files,
    .load = load,
};
