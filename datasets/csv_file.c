/* Any CSV file with a header: one column is the label or target, the others are inputs. */
#include "datasets/csv_file.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t largest_table = (uint64_t)4 << 30;

static const char *const tasks[] = {"classification", "regression", NULL};
static const char *const delimiters[] = {"auto", "comma", "semicolon", "tab", "pipe", NULL};
static const char *const decimals[] = {"point", "comma", NULL};
static const char *const thousands[] = {"none", "comma", "point", "space", "apostrophe", NULL};
static const char *const missings[] = {"error", "drop", "mean", NULL};

static const struct ub_option options[] = {
    {.key = "file",
     .kind = UB_OPTION_TEXT,
     .help = "CSV with a header, UTF-8, gzipped or not: a path, or one within the data folder"},
    {.key = "label",
     .kind = UB_OPTION_TEXT,
     .help = "column of the label or target: its name, or #3 for the third"},
    {.key = "task",
     .kind = UB_OPTION_NAME,
     .fallback = "classification",
     .choices = tasks,
     .help =
         "classification: labels are classes, numbered in order, numbers by their values (0 and "
         "0.0 are one) before texts; regression: a target"},
    {.key = "delimiter",
     .kind = UB_OPTION_NAME,
     .fallback = "auto",
     .choices = delimiters,
     .help = "between fields; auto: the one of the four that is in all of the first 100 records "
             "equally often, or most often in the header; refused when two are as likely"},
    {.key = "decimal",
     .kind = UB_OPTION_NAME,
     .fallback = "point",
     .choices = decimals,
     .help = "mark before the decimals of numbers"},
    {.key = "thousands",
     .kind = UB_OPTION_NAME,
     .fallback = "none",
     .choices = thousands,
     .help = "mark between groups of three digits"},
    {.key = "missing",
     .kind = UB_OPTION_NAME,
     .fallback = "error",
     .choices = missings,
     .help =
         "cells that are empty, NA, N/A, NaN, null or ?: error refuses the file; drop leaves "
         "their rows out; mean takes the column's mean over the training samples (inputs only)"},
    {.key = NULL},
};

/* A table on its way to being a dataset. */
struct table {
    const struct ub_csv *csv;
    const struct ub_call *call;
    size_t label; /* its column */
    struct ub_number_style style;
    size_t *row; /* those kept */
    size_t rows;
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

static bool option_is(const struct table *t, const char *key, const char *value)
{
    return strcmp(ub_call_get(t->call, key), value) == 0;
}

/* ---- missing cells ---- */

static bool lacks(const struct table *t, size_t row, size_t column)
{
    return ub_is_missing(ub_csv_cell(t->csv, row, column));
}

static bool refuse_missing(const struct table *t, size_t row, size_t column, struct ub_error *err)
{
    const bool label = column == t->label;
    const char *cell = ub_csv_cell(t->csv, row, column);
    return ub_fail(err, UB_INPUT, "%s:%d: no %s in row %zu, column '%s'%s%s%s; expected one%s",
                   t->csv->path, t->csv->lines[row], label ? "label" : "value", row + 1,
                   t->csv->header[column], *cell ? " ('" : "", cell, *cell ? "')" : "",
                   label ? " (missing=drop leaves such rows out)"
                         : " (missing=drop leaves such rows out, missing=mean takes the mean)");
}

/* Chooses the rows; fails at the first missing cell that must not be. */
static bool choose_rows(struct table *t, struct ub_error *err)
{
    const bool drop = option_is(t, "missing", "drop"), mean = option_is(t, "missing", "mean");
    t->row = ub_calloc(t->csv->rows + 1, sizeof *t->row);
    for (size_t row = 0; row < t->csv->rows; row++) {
        bool whole = true;
        for (size_t c = 0; c < t->csv->columns && whole; c++) {
            if (!lacks(t, row, c) || (mean && c != t->label))
                continue;
            if (!drop)
                return refuse_missing(t, row, c, err);
            whole = false;
        }
        if (whole)
            t->row[t->rows++] = row;
    }
    return t->rows > 0 || ub_fail(err, UB_INPUT,
                                  "%s: each of %zu rows lacks a value; expected one row without a "
                                  "missing cell",
                                  t->csv->path, t->csv->rows);
}

/* ---- labels ---- */

static int by_label(const void *a, const void *b)
{
    const struct ub_label *x = a, *y = b;
    const int order = ub_compare_labels(x, y);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* 01 beside 1: codes of two things, or one thing written in two ways? */
static bool has_leading_zero(const struct ub_label *l)
{
    const size_t sign = *l->text == '-' || *l->text == '+';
    return l->number && l->length > sign + 1 && l->text[sign] == '0' &&
           strchr("0123456789", l->text[sign + 1]);
}

static bool check_spelling(const struct table *t, const struct ub_label *first,
                           const struct ub_label *other, struct ub_error *err)
{
    if (has_leading_zero(first) == has_leading_zero(other))
        return true;
    return ub_fail(err, UB_INPUT,
                   "%s:%d: label '%.*s' in column '%s' beside '%.*s' of line %d; "
                   "expected one way to write a class",
                   t->csv->path, t->csv->lines[other->row], (int)other->length, other->text,
                   t->csv->header[t->label], (int)first->length, first->text,
                   t->csv->lines[first->row]);
}

static char *label_name(const struct ub_label *l)
{
    char *name = ub_calloc(l->length + 1, 1);
    memcpy(name, l->text, l->length);
    return name;
}

/* Sorts, then numbers each label by its class; false: too many classes, or one written in ways that
 * may be two. *classes: the first of each. */
static bool number_labels(const struct table *t, struct ub_label *label, int32_t *of_row,
                          size_t *classes, struct ub_error *err)
{
    size_t count = 0;
    qsort(label, t->rows, sizeof *label, by_label);
    for (size_t i = 0; i < t->rows; i++) {
        if (i == 0 || ub_compare_labels(&label[i - 1], &label[i]) != 0) {
            if (count == UB_DATA_CLASSES)
                return ub_fail(err, UB_INPUT,
                               "%s: more than %d different labels in '%s'; expected at most as "
                               "many (task=regression takes numbers as targets)",
                               t->csv->path, UB_DATA_CLASSES, t->csv->header[t->label]);
            classes[count++] = i;
        }
        if (!check_spelling(t, &label[classes[count - 1]], &label[i], err))
            return false;
        of_row[label[i].row] = (int32_t)count - 1;
    }
    classes[count] = t->rows;
    return true;
}

static void fill_labels(struct ub_dataset *d, const struct table *t, const struct ub_label *label,
                        const int32_t *of_row, const size_t *classes)
{
    d->class_names = ub_calloc((size_t)d->outputs + 1, sizeof *d->class_names);
    for (int64_t k = 0; k < d->outputs; k++)
        d->class_names[k] = label_name(&label[classes[k]]);
    for (size_t i = 0; i < t->rows; i++)
        ub_split_label(d, &d->train, (int64_t)i, of_row[t->row[i]]);
}

static bool read_labels(struct ub_dataset *d, const struct table *t, struct ub_error *err)
{
    struct ub_label *label = ub_calloc(t->rows + 1, sizeof *label);
    int32_t *of_row = ub_calloc(t->csv->rows + 1, sizeof *of_row);
    size_t *classes = ub_calloc(UB_DATA_CLASSES + 1, sizeof *classes);
    for (size_t i = 0; i < t->rows; i++) {
        label[i] = ub_read_label(ub_csv_cell(t->csv, t->row[i], t->label), t->style);
        label[i].row = t->row[i];
    }
    bool good = number_labels(t, label, of_row, classes, err);
    for (d->outputs = 0; good && classes[d->outputs] < t->rows; d->outputs++)
        ;
    good = good && ub_split_new(d, (int64_t)t->rows, t->csv->path, &d->train, err);
    if (good)
        fill_labels(d, t, label, of_row, classes);
    ub_free(label);
    ub_free(of_row);
    ub_free(classes);
    return good;
}

/* ---- numbers ---- */

static bool read_cell(const struct table *t, size_t row, size_t column, double *out,
                      struct ub_error *err)
{
    const char *text = ub_csv_cell(t->csv, row, column);
    if (ub_read_styled(text, t->style, out))
        return true;
    struct ub_text others = {0};
    char least[UB_REAL_TEXT], most[UB_REAL_TEXT];
    ub_real_text(DBL_TRUE_MIN, least);
    ub_real_text(DBL_MAX, most);
    if (ub_styled_beyond(text, t->style))
        ub_text_add(&others, " that a double holds: 0, or of magnitude %s to %s", least, most);
    else
        ub_suggest_styles(text, &others);
    ub_fail(err, UB_INPUT, "%s:%d: '%.100s' in row %zu, column '%s'; expected a finite number%s",
            t->csv->path, t->csv->lines[row], text, row + 1, t->csv->header[column],
            others.length ? others.data : "");
    ub_text_free(&others);
    return false;
}

/* A missing input is NAN until the training samples are known; see prepare.c. */
static bool read_inputs(struct ub_dataset *d, const struct table *t, struct ub_error *err)
{
    double *x = d->train.inputs;
    for (size_t i = 0; i < t->rows; i++)
        for (size_t c = 0; c < t->csv->columns; c++) {
            if (c == t->label)
                continue;
            if (lacks(t, t->row[i], c)) {
                d->missing = true;
                *x = (double)NAN;
            } else if (!read_cell(t, t->row[i], c, x, err)) {
                return false;
            }
            x++;
        }
    return true;
}

static bool read_targets(struct ub_dataset *d, const struct table *t, struct ub_error *err)
{
    d->outputs = 1;
    if (!ub_split_new(d, (int64_t)t->rows, t->csv->path, &d->train, err))
        return false;
    for (size_t i = 0; i < t->rows; i++)
        if (!read_cell(t, t->row[i], t->label, d->train.targets + i, err))
            return false;
    return true;
}

static bool find_label(struct table *t, struct ub_error *err)
{
    const char *label = ub_call_get(t->call, "label");
    const struct ub_csv *csv = t->csv;
    int column = ub_csv_column(csv, label);
    int64_t number;
    if (column < 0 && *label == '#' && ub_read_int(label + 1, &number) && number >= 1 &&
        number <= (int64_t)csv->columns)
        column = (int)number - 1;
    if (column < 0) {
        const char *near = ub_suggest(label, (const char *const *)csv->header, csv->columns);
        return ub_fail(err, UB_INPUT, "%s:1: no column '%s'; expected it in the header%s%s",
                       csv->path, label, near ? ", did you mean " : "", near ? near : "");
    }
    t->label = (size_t)column;
    return (csv->columns >= 2 && csv->rows > 0) ||
           ub_fail(err, UB_INPUT,
                   "%s: %zu columns and %zu rows; expected an input column and a row at least",
                   csv->path, csv->columns, csv->rows);
}

static bool find_style(struct table *t, struct ub_error *err)
{
    static const char marks[] = {'\0', ',', '.', ' ', '\''};
    const char *wanted = ub_call_get(t->call, "thousands");
    size_t k = 0;
    while (strcmp(thousands[k], wanted) != 0)
        k++;
    t->style.thousands = marks[k];
    t->style.decimal = option_is(t, "decimal", "comma") ? ',' : '.';
    return t->style.thousands != t->style.decimal ||
           ub_fail(err, UB_INPUT, "csv: decimal=%s,thousands=%s; expected two different marks",
                   ub_call_get(t->call, "decimal"), wanted);
}

static bool fill(struct ub_dataset *d, struct table *t, struct ub_error *err)
{
    if (!find_style(t, err) || !find_label(t, err) || !choose_rows(t, err))
        return false;
    d->shape[0] = d->features = (int64_t)t->csv->columns - 1;
    return (d->task == UB_CLASSIFICATION ? read_labels(d, t, err) : read_targets(d, t, err)) &&
           read_inputs(d, t, err);
}

static struct ub_csv *read_table(const char *path, const struct ub_call *call, struct ub_error *err)
{
    static const char marks[] = {'\0', ',', ';', '\t', '|'};
    struct ub_csv_format format = {.header = true};
    size_t length, k = 0;
    while (strcmp(delimiters[k], ub_call_get(call, "delimiter")) != 0)
        k++;
    format.delimiter = marks[k];
    char *text = ub_data_text(path, largest_table, &length, err);
    struct ub_csv *csv = text ? ub_csv_parse(text, length, path, &format, err) : NULL;
    ub_free(text);
    return csv;
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
    struct ub_csv *csv = path ? read_table(path, call, err) : NULL;
    ub_free(path);
    struct table t = {.csv = csv, .call = call};
    const bool good = csv && fill(d, &t, err);
    ub_free(t.row);
    ub_csv_free(csv);
    return good;
}

const struct ub_dataset_source ub_dataset_csv = {
    .name = "csv",
    .title = "CSV",
    .summary = "any CSV file: a column of labels or targets, the others inputs",
    .citation = "-",
    .options = options,
    .needs_files = true,
    .present = present,
    .files = files,
    .load = load,
};
