/* Traces: step,observable,index,value,error, one row a number. */
#include "bench/store/private.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const columns[] = {"step", "observable", "index", "value", "error"};
enum { STEP, OBSERVABLE, INDEX, VALUE, ERROR, COLUMNS };
static const char head[] = "step,observable,index,value,error\n";
static const uint64_t largest_trace = (uint64_t)4 << 30; /* bytes of text */

/* Few names a trace: a linear search is the fast one. */
static char *intern(struct ub_trace *t, const char *name)
{
    for (size_t i = 0; i < t->n_names; i++)
        if (strcmp(t->names[i], name) == 0)
            return t->names[i];
    t->names = ub_realloc(t->names, (t->n_names + 1) * sizeof *t->names);
    t->names[t->n_names] = ub_strdup(name);
    return t->names[t->n_names++];
}

/* An empty field is NaN; infinities are data, too: a diverging run has them. */
static bool read_value(const char *text, double *out)
{
    if (*text == '\0')
        *out = (double)NAN;
    else if (strcmp(text, "inf") == 0)
        *out = HUGE_VAL;
    else if (strcmp(text, "-inf") == 0)
        *out = -HUGE_VAL;
    else
        return ub_read_real(text, out);
    return true;
}

static bool read_row(struct ub_trace *t, const struct ub_csv *csv, size_t row, struct ub_error *err)
{
    const char *cell[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++)
        cell[i] = ub_csv_cell(csv, row, i);
    bool good[COLUMNS] = {
        [STEP] = ub_read_int(cell[STEP], &t->step[row]) && t->step[row] >= 0,
        [OBSERVABLE] = *cell[OBSERVABLE] != '\0',
        [INDEX] = ub_read_int(cell[INDEX], &t->index[row]),
        [VALUE] = read_value(cell[VALUE], &t->value[row]),
        [ERROR] = read_value(cell[ERROR], &t->error[row]),
    };
    for (size_t i = 0; i < COLUMNS; i++)
        if (!good[i])
            return ub_fail(err, UB_INPUT, "%s:%d: bad %s '%s'", csv->path, csv->lines[row],
                           columns[i], cell[i]);
    t->observable[row] = intern(t, cell[OBSERVABLE]);
    return true;
}

static bool check_header(const struct ub_csv *csv, struct ub_error *err)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (csv->columns != COLUMNS || strcmp(csv->header[i], columns[i]) != 0)
            return ub_fail(err, UB_INPUT,
                           "%s:1: expected the header step,observable,index,value,error",
                           csv->path);
    return true;
}

static struct ub_trace *room_for_rows(size_t count)
{
    struct ub_trace *t = ub_calloc(1, sizeof *t);
    t->step = ub_calloc(count + 1, sizeof *t->step);
    t->observable = ub_calloc(count + 1, sizeof *t->observable);
    t->index = ub_calloc(count + 1, sizeof *t->index);
    t->value = ub_calloc(count + 1, sizeof *t->value);
    t->error = ub_calloc(count + 1, sizeof *t->error);
    return t;
}

static struct ub_trace *from_csv(const struct ub_csv *csv, struct ub_error *err)
{
    if (!check_header(csv, err))
        return NULL;
    struct ub_trace *t = room_for_rows(csv->rows);
    for (size_t row = 0; row < csv->rows; row++)
        if (!read_row(t, csv, row, err)) {
            ub_trace_free(t);
            return NULL;
        }
    t->count = csv->rows;
    return t;
}

void ub_trace_add_value(struct ub_text *out, double value)
{
    if (isinf(value))
        ub_csv_add(out, value > 0 ? "inf" : "-inf");
    else
        ub_csv_add_real(out, value);
}

/* ---- as we write it ---- */

/* The field's end: a comma, or for the last one the end of the line; NULL when that is not what
 * ends it. */
static char *end_of_field(char *at, size_t column)
{
    while (*at && *at != ',' && *at != '\n' && *at != '\r' && *at != '"')
        at++;
    return *at == (column + 1 < COLUMNS ? ',' : '\n') ? at : NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One line, cut up; NULL unless all of it is as the store writes it. */
static char *read_line(struct ub_trace *t, char *at)
{
    const char *cell[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        char *end = end_of_field(at, i);
        if (!end || is_blank(*at) || (end > at && is_blank(end[-1])))
            return NULL;
        *end = '\0';
        cell[i] = at;
        at = end + 1;
    }
    const size_t row = t->count;
    if (!*cell[OBSERVABLE] || !ub_read_int(cell[STEP], &t->step[row]) || t->step[row] < 0 ||
        !ub_read_int(cell[INDEX], &t->index[row]) || !read_value(cell[VALUE], &t->value[row]) ||
        !read_value(cell[ERROR], &t->error[row]))
        return NULL;
    t->observable[row] = intern(t, cell[OBSERVABLE]);
    t->count++;
    return at;
}

/* The text of a trace, cut up on the way, without the detour by a table of all CSV's cells. NULL
 * when any of it is not as the store writes it: then it is left to the reader of all CSV, and to
 * its messages. */
static struct ub_trace *from_text(char *text, size_t length)
{
    size_t lines = 0;
    if (strlen(text) != length || strncmp(text, head, strlen(head)) != 0)
        return NULL;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    struct ub_trace *t = room_for_rows(lines);
    for (char *at = text + strlen(head); *at;)
        if (!(at = read_line(t, at))) {
            ub_trace_free(t);
            return NULL;
        }
    return t;
}

static struct ub_trace *read_csv(const char *path, const char *text, size_t length,
                                 struct ub_error *err)
{
    const struct ub_csv_format format = {.header = true};
    struct ub_csv *csv = ub_csv_parse(text, length, path, &format, err);
    struct ub_trace *trace = csv ? from_csv(csv, err) : NULL;
    ub_csv_free(csv);
    return trace;
}

struct ub_trace *ub_trace_read_file(const char *path, struct ub_error *err)
{
    size_t length;
    char *text =
        ub_store_regular(path, err) ? ub_read_text(path, largest_trace, &length, err) : NULL;
    if (!text)
        return NULL;
    char *copy = ub_alloc(length + 1);
    memcpy(copy, text, length + 1);
    struct ub_trace *trace = from_text(copy, length);
    if (!trace)
        trace = read_csv(path, text, length, err);
    ub_free(copy);
    ub_free(text);
    return trace;
}

struct ub_trace *ub_trace_read(const struct ub_store *store, const struct ub_run *run,
                               struct ub_error *err)
{
    char *folder = ub_store_run_folder(store->path, run->id);
    char *path = ub_path(folder, "trace.csv.gz");
    struct ub_trace *trace = ub_trace_read_file(path, err);
    ub_free(path);
    ub_free(folder);
    return trace;
}

/* Names in quotes, lines ended otherwise: as the store would have written them. */
static char *rewrite(const struct ub_trace *trace, size_t *length)
{
    struct ub_text out = {0};
    char number[32];
    ub_text_add(&out, "%s", head);
    for (size_t i = 0; i < trace->count; i++) {
        snprintf(number, sizeof number, "%" PRId64, trace->step[i]);
        ub_csv_add(&out, number);
        ub_csv_add(&out, trace->observable[i]);
        snprintf(number, sizeof number, "%" PRId64, trace->index[i]);
        ub_csv_add(&out, number);
        ub_trace_add_value(&out, trace->value[i]);
        ub_trace_add_value(&out, trace->error[i]);
        ub_csv_end_row(&out);
    }
    *length = out.length;
    return out.data;
}

char *ub_trace_text(const struct ub_store *store, const struct ub_run *run, size_t *length,
                    struct ub_error *err)
{
    char *folder = ub_store_run_folder(store->path, run->id);
    char *path = ub_path(folder, "trace.csv.gz");
    char *text =
        ub_store_regular(path, err) ? ub_read_text(path, largest_trace, length, err) : NULL;
    const bool plain = text && strlen(text) == *length && *length >= strlen(head) &&
                       strncmp(text, head, strlen(head)) == 0 && text[*length - 1] == '\n' &&
                       !strpbrk(text, "\"\r");
    struct ub_trace *trace = text && !plain ? ub_trace_read_file(path, err) : NULL;
    if (!plain) {
        ub_free(text);
        text = trace ? rewrite(trace, length) : NULL;
    }
    ub_trace_free(trace);
    ub_free(path);
    ub_free(folder);
    return text;
}

void ub_trace_free(struct ub_trace *trace)
{
    if (!trace)
        return;
    for (size_t i = 0; i < trace->n_names; i++)
        ub_free(trace->names[i]);
    ub_free(trace->names);
    ub_free(trace->step);
    ub_free(trace->observable);
    ub_free(trace->index);
    ub_free(trace->value);
    ub_free(trace->error);
    ub_free(trace);
}

/* ---- series ----------------------------------------------------------------------------- */

static const char *interned(const struct ub_trace *trace, const char *observable)
{
    for (size_t i = 0; i < trace->n_names; i++)
        if (strcmp(trace->names[i], observable) == 0)
            return trace->names[i];
    return NULL;
}

static struct ub_series room_for(size_t count)
{
    return (struct ub_series){
        .step = ub_calloc(count + 1, sizeof(double)),
        .value = ub_calloc(count + 1, sizeof(double)),
        .error = ub_calloc(count + 1, sizeof(double)),
    };
}

static void push(struct ub_series *s, double step, const struct ub_trace *trace, size_t row)
{
    s->step[s->count] = step;
    s->value[s->count] = trace->value[row];
    s->error[s->count++] = trace->error[row];
}

struct ub_series ub_trace_series(const struct ub_trace *trace, const char *observable,
                                 int64_t index)
{
    const char *name = interned(trace, observable);
    size_t rows = 0;
    for (size_t i = 0; i < trace->count; i++)
        rows += trace->observable[i] == name && trace->index[i] == index;
    struct ub_series series = room_for(rows);
    for (size_t i = 0; i < trace->count; i++)
        if (trace->observable[i] == name && trace->index[i] == index)
            push(&series, (double)trace->step[i], trace, i);
    return series;
}

/* -1 when the trace has no such observable. */
static int64_t last_step(const struct ub_trace *trace, const char *name)
{
    int64_t last = -1;
    for (size_t i = 0; i < trace->count; i++)
        if (trace->observable[i] == name && trace->step[i] > last)
            last = trace->step[i];
    return last;
}

struct ub_series ub_trace_spectrum(const struct ub_trace *trace, const char *observable,
                                   int64_t step)
{
    const char *name = interned(trace, observable);
    int64_t at = step < 0 ? last_step(trace, name) : step;
    size_t rows = 0;
    for (size_t i = 0; i < trace->count; i++)
        rows += trace->observable[i] == name && trace->step[i] == at;
    struct ub_series series = room_for(rows);
    for (size_t i = 0; i < trace->count; i++)
        if (trace->observable[i] == name && trace->step[i] == at)
            push(&series, (double)trace->index[i], trace, i);
    return series;
}

void ub_series_clear(struct ub_series *series)
{
    ub_free(series->step);
    ub_free(series->value);
    ub_free(series->error);
    *series = (struct ub_series){0};
}
