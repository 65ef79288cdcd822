/* csv.c - tables of text: libcsv splits fields, we hold every row to the first one's width. */
#include "base/base.h"

#include <csv.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char separators[] = ",;\t|"; /* that ub_csv_sniff tells apart */
static const uint64_t largest_csv = (uint64_t)4 << 30;

struct reader {
    struct ub_csv *csv;
    char *next;                     /* where the next field's text goes */
    size_t in_row, room, line_room; /* fields of the row so far; allocated cells and lines */
    int line;                       /* of the row being read */
    bool open;                      /* a row has begun */
    struct ub_error *err;
};

/* csv->texts holds a file's fields whole: each is followed there by a separator or the end. */
static void take_field(void *text, size_t n, void *context)
{
    struct reader *r = context;
    struct ub_csv *csv = r->csv;
    const size_t used = csv->rows * csv->columns + r->in_row++;
    if (csv->rows > 0 && r->in_row > csv->columns)
        return; /* reported at the end of the row */
    if (used == r->room) {
        r->room = 2 * r->room + 64;
        csv->cells = ub_realloc(csv->cells, r->room * sizeof *csv->cells);
    }
    if (n > 0)
        memcpy(r->next, text, n);
    r->next[n] = '\0';
    csv->cells[used] = r->next;
    r->next += n + 1;
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
    csv->rows += r->err->code == UB_OK;
    r->in_row = 0;
    r->open = false;
}

/* Bytes up to the end of the line: LF, CR LF, or CR alone, as old spreadsheets write it. */
static size_t line_length(const char *at, const char *end)
{
    size_t n = 0;
    const size_t left = (size_t)(end - at);
    while (n < left && at[n] != '\n' && at[n] != '\r')
        n++;
    if (n < left && at[n] == '\r' && n + 1 < left && at[n + 1] == '\n')
        n++;
    return n < left ? n + 1 : n;
}

static bool is_blank(const char *at, size_t n)
{
    while (n > 0 && strchr(" \t\r\n", at[n - 1]))
        n--;
    return n == 0;
}

/* Feeds line after line, so that rows know their lines. */
static bool split(struct reader *r, struct csv_parser *parser, const char *at, const char *end,
                  int line)
{
    for (; at < end && r->err->code == UB_OK; line++) {
        const size_t n = line_length(at, end);
        if (memchr(at, '\0', n))
            return ub_fail(r->err, UB_INPUT, "%s:%d: a NUL byte; expected text", r->csv->path,
                           line);
        if (!r->open) {
            r->line = line;
            r->open = !is_blank(at, n);
        }
        if (csv_parse(parser, at, n, take_field, take_row, r) != n)
            return ub_fail(r->err, UB_INPUT,
                           "%s:%d: %s; expected quotes around a whole field, "
                           "doubled within",
                           r->csv->path, line, csv_strerror(csv_error(parser)));
        at += n;
    }
    if (r->err->code == UB_OK && csv_fini(parser, take_field, take_row, r) != 0)
        return ub_fail(r->err, UB_INPUT, "%s:%d: a quoted field does not end", r->csv->path,
                       r->line);
    return r->err->code == UB_OK;
}

/* ---- header ---- */

static int by_name(const void *a, const void *b)
{
    char *const *x = *(char *const *const *)a, *const *y = *(char *const *const *)b;
    const int order = strcmp(*x, *y);
    return order ? order : (x > y) - (x < y);
}

static bool check_header(const struct ub_csv *csv, int line, struct ub_error *err)
{
    for (size_t c = 0; c < csv->columns; c++)
        if (is_blank(csv->header[c], strlen(csv->header[c])))
            return ub_fail(err, UB_INPUT,
                           "%s:%d: column %zu has no name; expected a name for each (an index "
                           "without one? delete it)",
                           csv->path, line, c + 1);
    char ***order = ub_calloc(csv->columns + 1, sizeof *order);
    for (size_t c = 0; c < csv->columns; c++)
        order[c] = &csv->header[c];
    qsort(order, csv->columns, sizeof *order, by_name);
    bool good = true;
    for (size_t i = 1; i < csv->columns && good; i++)
        if (strcmp(*order[i - 1], *order[i]) == 0)
            good = ub_fail(err, UB_INPUT,
                           "%s:%d: columns %zu and %zu are both '%s'; expected each name once",
                           csv->path, line, (size_t)(order[i - 1] - csv->header) + 1,
                           (size_t)(order[i] - csv->header) + 1, *order[i]);
    ub_free(order);
    return good;
}

static bool lift_header(struct ub_csv *csv, struct ub_error *err)
{
    const int line = csv->lines[0];
    csv->header = ub_realloc(NULL, (csv->columns + 1) * sizeof *csv->header);
    memcpy(csv->header, csv->cells, csv->columns * sizeof *csv->cells);
    csv->rows--;
    memmove(csv->cells, csv->cells + csv->columns, csv->rows * csv->columns * sizeof *csv->cells);
    memmove(csv->lines, csv->lines + 1, csv->rows * sizeof *csv->lines);
    return check_header(csv, line, err);
}

/* ---- reading ---- */

/* Bytes of a first line that only names the separator, "sep=;", as Excel writes and obeys it. */
static size_t naming_line(const char *text, const char *end, char *delimiter)
{
    enum { NAMED = 5 };
    const size_t n = line_length(text, end);
    if (n <= NAMED || strncmp(text, "sep=", 4) != 0 || !text[4] || !strchr(separators, text[4]) ||
        !strchr("\r\n", text[NAMED]))
        return 0;
    *delimiter = text[4];
    return n;
}

static bool read_table(struct reader *r, const char *text, size_t length,
                       const struct ub_csv_format *format)
{
    struct csv_parser parser;
    const char *end = text + length;
    char delimiter = '\0';
    const size_t named = naming_line(text, end, &delimiter);
    if (format->delimiter || !delimiter)
        delimiter =
            format->delimiter ? format->delimiter : ub_csv_sniff(text + named, length - named);
    if (!delimiter)
        return ub_fail(r->err, UB_INPUT,
                       "%s: more than one character could separate its columns; expected one to "
                       "be named by delimiter= or a first line such as sep=;",
                       r->csv->path);
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return ub_fail(r->err, UB_INTERNAL, "%s: libcsv does not start", r->csv->path);
    csv_set_delim(&parser, (unsigned char)delimiter);
    const bool good = split(r, &parser, text + named, end, named ? 2 : 1);
    csv_free(&parser);
    if (good && r->csv->rows == 0)
        return ub_fail(r->err, UB_INPUT, "%s: empty; expected CSV%s", r->csv->path,
                       format->header ? " with a header row" : "");
    return good && (!format->header || lift_header(r->csv, r->err));
}

struct ub_csv *ub_csv_parse(const char *text, size_t length, const char *path,
                            const struct ub_csv_format *format, struct ub_error *err)
{
    struct ub_error own = {0};
    struct reader r = {.csv = ub_calloc(1, sizeof *r.csv), .err = &own};
    r.csv->path = ub_strdup(path);
    r.next = r.csv->texts = ub_alloc(length + 2);
    if (read_table(&r, text, length, format))
        return r.csv;
    ub_csv_free(r.csv);
    ub_fail(err, own.code, "%s", own.text);
    return NULL;
}

struct ub_csv *ub_csv_read(const char *path, bool header, struct ub_error *err)
{
    size_t length;
    char *text = ub_read_text(path, largest_csv, &length, err);
    if (!text)
        return NULL;
    const struct ub_csv_format format = {.header = header};
    struct ub_csv *csv = ub_csv_parse(text, length, path, &format, err);
    ub_free(text);
    return csv;
}

void ub_csv_free(struct ub_csv *csv)
{
    if (!csv)
        return;
    ub_free(csv->texts);
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
        ub_text_append(text, ",", 1);
    /* Quoted when empty at a line's start, too: the line would look as if it had no field. */
    bool first = text->length == 0 || text->data[text->length - 1] == '\n';
    size_t n = strlen(field);
    bool spaced = n && (strchr(" \t", field[0]) || strchr(" \t", field[n - 1]));
    /* A file's first bytes could be a mark of encoding, or a line that names the separator. */
    bool marked =
        text->length == 0 && ((unsigned char)*field >= 0x80 || strncmp(field, "sep=", 4) == 0);
    if (!spaced && !marked && !strpbrk(field, separators) && !strpbrk(field, "\"\n\r") &&
        !(first && n == 0)) {
        ub_text_append(text, field, n);
        return;
    }
    ub_text_append(text, "\"", 1);
    for (const char *c = field; *c;) {
        const size_t plain = strcspn(c, "\"");
        ub_text_append(text, c, plain);
        c += plain;
        if (*c) {
            ub_text_append(text, "\"\"", 2);
            c++;
        }
    }
    ub_text_append(text, "\"", 1);
}

void ub_csv_add_real(struct ub_text *text, double value)
{
    char number[UB_REAL_TEXT];
    ub_real_text(value, number);
    ub_csv_add(text, isnan(value) ? "" : number);
}

void ub_csv_end_row(struct ub_text *text)
{
    ub_text_append(text, "\n", 1);
}
