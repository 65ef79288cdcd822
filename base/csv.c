/* csv.c - tables of text: libcsv splits fields, we hold every row to the first one's width. */
#include "base/base.h"

#include <csv.h>
#include <errno.h>
#include <math.h>
#include <string.h>

static const uint64_t largest_csv = (uint64_t)4 << 30;

struct reader {
    struct ub_csv *csv;
    size_t in_row, room, line_room; /* fields of the row so far; allocated cells and lines */
    int line;                       /* of the row being read */
    struct ub_error *err;
};

static void take_field(void *text, size_t n, void *context)
{
    struct reader *r = context;
    struct ub_csv *csv = r->csv;
    size_t used = csv->rows * csv->columns + r->in_row++;
    if (csv->rows > 0 && r->in_row > csv->columns)
        return; /* reported at the end of the row */
    if (used == r->room) {
        r->room = 2 * r->room + 64;
        csv->cells = ub_realloc(csv->cells, r->room * sizeof *csv->cells);
    }
    char *copy = ub_realloc(NULL, n + 1);
    memcpy(copy, text, n);
    copy[n] = '\0';
    csv->cells[used] = copy;
}

static void take_row(int ending, void *context)
{
    struct reader *r = context;
    struct ub_csv *csv = r->csv;
    (void)ending;
    if (csv->rows == 0)
        csv->columns = r->in_row;
    else if (r->in_row != csv->columns)
        ub_fail(r->err, UB_INPUT, "%s:%d: %zu fields; expected %zu as in the first row", csv->path,
                r->line, r->in_row, csv->columns);
    if (csv->rows == r->line_room) {
        r->line_room = 2 * r->line_room + 64;
        csv->lines = ub_realloc(csv->lines, r->line_room * sizeof *csv->lines);
    }
    csv->lines[csv->rows] = r->line;
    if (r->err->code == UB_OK) {
        csv->rows++;
    } else {
        size_t kept = r->in_row < csv->columns ? r->in_row : csv->columns;
        for (size_t i = 0; i < kept; i++)
            ub_free(csv->cells[csv->rows * csv->columns + i]);
    }
    r->in_row = 0;
}

/* Feeds line after line, so that rows know their lines. */
static bool split(struct reader *r, struct csv_parser *parser, const char *data, size_t length)
{
    const char *at = data, *end = data + length;
    r->line = 1;
    for (int line = 1; at < end && r->err->code == UB_OK; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t n = newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);
        if (r->in_row == 0)
            r->line = line;
        if (memchr(at, '\0', n))
            return ub_fail(r->err, UB_INPUT, "%s:%d: a NUL byte; expected text", r->csv->path,
                           line);
        if (csv_parse(parser, at, n, take_field, take_row, r) != n)
            return ub_fail(r->err, UB_INPUT, "%s:%d: %s", r->csv->path, line,
                           csv_strerror(csv_error(parser)));
        at += n;
    }
    if (r->err->code == UB_OK && csv_fini(parser, take_field, take_row, r) != 0)
        return ub_fail(r->err, UB_INPUT, "%s:%d: a quoted field does not end", r->csv->path,
                       r->line);
    return r->err->code == UB_OK;
}

static void lift_header(struct ub_csv *csv)
{
    csv->header = ub_realloc(NULL, (csv->columns + 1) * sizeof *csv->header);
    memcpy(csv->header, csv->cells, csv->columns * sizeof *csv->cells);
    csv->rows--;
    memmove(csv->cells, csv->cells + csv->columns, csv->rows * csv->columns * sizeof *csv->cells);
    memmove(csv->lines, csv->lines + 1, csv->rows * sizeof *csv->lines);
}

struct ub_csv *ub_csv_read(const char *path, bool header, struct ub_error *err)
{
    struct csv_parser parser;
    size_t length;
    char *data = (char *)ub_read_file(path, largest_csv, &length, err);
    if (!data)
        return NULL;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        ub_free(data);
        ub_fail(err, UB_INTERNAL, "%s: libcsv does not start", path);
        return NULL;
    }
    struct ub_error own = {0};
    struct reader r = {.csv = ub_calloc(1, sizeof *r.csv), .err = &own};
    r.csv->path = ub_strdup(path);
    bool good = split(&r, &parser, data, length);
    csv_free(&parser);
    ub_free(data);
    if (good && r.csv->rows == 0)
        good = ub_fail(&own, UB_INPUT, "%s: empty; expected CSV%s", path,
                       header ? " with a header row" : "");
    if (good && header)
        lift_header(r.csv);
    if (good)
        return r.csv;
    for (size_t i = 0; i < r.in_row && i < r.csv->columns; i++) /* of an unfinished row */
        ub_free(r.csv->cells[r.csv->rows * r.csv->columns + i]);
    if (r.csv->rows == 0 && r.csv->columns == 0)
        for (size_t i = 0; i < r.in_row; i++)
            ub_free(r.csv->cells[i]);
    ub_csv_free(r.csv);
    ub_fail(err, own.code, "%s", own.text);
    return NULL;
}

void ub_csv_free(struct ub_csv *csv)
{
    if (!csv)
        return;
    for (size_t i = 0; i < csv->rows * csv->columns; i++)
        ub_free(csv->cells[i]);
    for (size_t i = 0; csv->header && i < csv->columns; i++)
        ub_free(csv->header[i]);
    ub_free(csv->header);
    ub_free(csv->cells);
    ub_free(csv->lines);
    ub_free(csv->path);
    ub_free(csv);
}

int ub_csv_column(const struct ub_csv *csv, const char *name)
{
    for (size_t i = 0; csv->header && i < csv->columns; i++)
        if (strcmp(csv->header[i], name) == 0)
            return (int)i;
    return -1;
}

const char *ub_csv_cell(const struct ub_csv *csv, size_t row, size_t column)
{
    return csv->cells[row * csv->columns + column];
}

void ub_csv_add(struct ub_text *text, const char *field)
{
    if (text->length > 0 && text->data[text->length - 1] != '\n')
        ub_text_add(text, ",");
    /* Quoted when empty at a line's start, too: the line would look as if it had no field. */
    bool first = text->length == 0 || text->data[text->length - 1] == '\n';
    size_t n = strlen(field);
    bool spaced = n && (strchr(" \t", field[0]) || strchr(" \t", field[n - 1]));
    if (!spaced && !strpbrk(field, ",\"\n\r") && !(first && n == 0)) {
        ub_text_add(text, "%s", field);
        return;
    }
    ub_text_add(text, "\"");
    for (const char *c = field; *c; c++)
        ub_text_add(text, "%s%c", *c == '"' ? "\"" : "", *c);
    ub_text_add(text, "\"");
}

void ub_csv_add_real(struct ub_text *text, double value)
{
    char number[UB_REAL_TEXT];
    ub_real_text(value, number);
    ub_csv_add(text, isnan(value) ? "" : number);
}

void ub_csv_end_row(struct ub_text *text)
{
    ub_text_add(text, "\n");
}
