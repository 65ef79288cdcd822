/* Tables as CSV, Markdown and plain text; latex.c has the fourth notation. */
#include "report/tables/table.h"

#include <math.h>
#include <string.h>

struct table *table_new(const char *const *header, const char *align)
{
    struct table *t = ub_calloc(1, sizeof *t);
    t->columns = strlen(align);
    t->align = ub_strdup(align);
    t->header = ub_calloc(t->columns + 1, sizeof *t->header);
    for (size_t c = 0; c < t->columns; c++)
        t->header[c] = ub_strdup(header[c]);
    return t;
}

const char *column_type_name(enum column_type type)
{
    static const char *const names[] = {"text", "true or false", "whole number", "number"};
    return names[type];
}

struct table *table_of_columns(const struct column *columns)
{
    size_t n = 0;
    while (columns[n].name)
        n++;
    const char **header = ub_calloc(n + 1, sizeof *header);
    char *align = ub_calloc(n + 1, 1);
    for (size_t i = 0; i < n; i++) {
        header[i] = columns[i].name;
        align[i] = columns[i].type >= COLUMN_WHOLE ? 'r' : 'l';
    }
    struct table *t = table_new(header, align);
    ub_free(header);
    ub_free(align);
    return t;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    for (size_t c = 0; c < t->columns; c++)
        ub_free(t->header[c]);
    for (size_t i = 0; i < t->cells; i++)
        ub_free(t->cell[i]);
    ub_free(t->header);
    ub_free(t->align);
    ub_free(t->cell);
    ub_free(t);
}

size_t table_rows(const struct table *t)
{
    return t->columns ? t->cells / t->columns : 0;
}

void table_cell(struct table *t, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    t->cell = ub_realloc(t->cell, (t->cells + 1) * sizeof *t->cell);
    t->cell[t->cells++] = ub_strdup(text);
}

void table_real(struct table *t, double value, int digits)
{
    if (isfinite(value))
        table_cell(t, "%.*g", digits, value);
    else
        table_cell(t, "-");
}

void table_fixed(struct table *t, double value, int decimals)
{
    if (isfinite(value))
        table_cell(t, "%.*f", decimals, value);
    else
        table_cell(t, "-");
}

static const char *cell_at(const struct table *t, size_t row, size_t column)
{
    return t->cell[row * t->columns + column];
}

/* ---- CSV ------------------------------------------------------------------------------------ */

void table_csv(const struct table *t, struct ub_text *out)
{
    for (size_t c = 0; c < t->columns; c++)
        ub_csv_add(out, t->header[c]);
    ub_csv_end_row(out);
    for (size_t r = 0; r < table_rows(t); r++) {
        for (size_t c = 0; c < t->columns; c++) {
            const char *cell = cell_at(t, r, c);
            ub_csv_add(out, strcmp(cell, "-") == 0 ? "" : cell);
        }
        ub_csv_end_row(out);
    }
}

/* ---- Markdown ------------------------------------------------------------------------------- */

static void add_escaped(struct ub_text *out, const char *text, const char *special)
{
    for (; *text; text++) {
        if (strchr(special, *text))
            ub_text_add(out, "\\");
        ub_text_add(out, "%c", *text == '\n' ? ' ' : *text);
    }
}

/* Characters, not bytes: UTF-8 continuation bytes do not count. */
static size_t length_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0u) != 0x80u;
    return n;
}

static const char special[] = "|*_<", special_aligned[] = "|*<";

static void add_markdown_cell(struct ub_text *out, const char *text, bool right, size_t width)
{
    struct ub_text cell = {0};
    add_escaped(&cell, text, width ? special_aligned : special);
    const size_t length = cell.data ? length_of(cell.data) : 0;
    const int blanks = length < width ? (int)(width - length) : 0;
    ub_text_add(out, " %*s%s%*s |", right ? blanks : 0, "", cell.data ? cell.data : "",
                right ? 0 : blanks, "");
    ub_text_free(&cell);
}

/* widths: characters, one a column; 0: cells take what they need. */
static void add_markdown(const struct table *t, const size_t *widths, struct ub_text *out)
{
    ub_text_add(out, "|");
    for (size_t c = 0; c < t->columns; c++)
        add_markdown_cell(out, t->header[c], t->align[c] == 'r', widths[c]);
    ub_text_add(out, "\n|");
    for (size_t c = 0; c < t->columns; c++) {
        const bool right = t->align[c] == 'r';
        for (size_t i = right ? 2 : 1; i < widths[c]; i++)
            ub_text_add(out, "-");
        ub_text_add(out, right ? "---:|" : "---|");
    }
    ub_text_add(out, "\n");
    for (size_t r = 0; r < table_rows(t); r++) {
        ub_text_add(out, "|");
        for (size_t c = 0; c < t->columns; c++)
            add_markdown_cell(out, cell_at(t, r, c), t->align[c] == 'r', widths[c]);
        ub_text_add(out, "\n");
    }
}

void table_markdown(const struct table *t, struct ub_text *out)
{
    size_t *widths = ub_calloc(t->columns + 1, sizeof *widths);
    add_markdown(t, widths, out);
    ub_free(widths);
}

void table_markdown_aligned(const struct table *t, struct ub_text *out)
{
    size_t *widths = ub_calloc(t->columns + 1, sizeof *widths);
    for (size_t i = 0; i < t->columns + t->cells; i++) {
        struct ub_text cell = {0};
        add_escaped(&cell, i < t->columns ? t->header[i] : t->cell[i - t->columns],
                    special_aligned);
        const size_t length = cell.data ? length_of(cell.data) : 0, c = i % t->columns;
        widths[c] = length > widths[c] ? length : widths[c];
        ub_text_free(&cell);
    }
    add_markdown(t, widths, out);
    ub_free(widths);
}

/* ---- plain text ----------------------------------------------------------------------------- */

enum { GAP = 2, LEAST_WIDTH = 6 };

static size_t total_width(const size_t *widths, size_t n)
{
    size_t total = 0;
    for (size_t c = 0; c < n; c++)
        total += widths[c] + (c ? GAP : 0);
    return total;
}

/* The widest column of text gives way, one character at a time. */
static void fit(const struct table *t, size_t *widths, size_t width)
{
    while (total_width(widths, t->columns) > width) {
        size_t widest = t->columns;
        for (size_t c = 0; c < t->columns; c++)
            if (t->align[c] == 'l' && widths[c] > LEAST_WIDTH &&
                (widest == t->columns || widths[c] > widths[widest]))
                widest = c;
        if (widest == t->columns)
            return;
        widths[widest]--;
    }
}

/* Too long: the middle is left out, for names differ at both ends. */
static void add_shortened(struct ub_text *out, const char *text, size_t length, size_t width)
{
    const size_t tail = (width - 2) / 2, head = width - 2 - tail;
    size_t n = 0;
    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0u) != 0x80u;
        if (n <= head || n > length - tail)
            ub_text_add(out, "%c", *text);
        else if (n == head + 1 && ((unsigned char)*text & 0xc0u) != 0x80u)
            ub_text_add(out, "..");
    }
}

static void add_plain_row(const struct table *t, char *const *cells, const size_t *widths,
                          struct ub_text *out)
{
    for (size_t c = 0; c < t->columns; c++) {
        const size_t length = length_of(cells[c]);
        const size_t blanks = length < widths[c] ? widths[c] - length : 0;
        const bool right = t->align[c] == 'r', last = c + 1 == t->columns;
        ub_text_add(out, "%*s", (int)((c ? GAP : 0) + (right ? blanks : 0)), "");
        if (length > widths[c])
            add_shortened(out, cells[c], length, widths[c]);
        else
            ub_text_add(out, "%s", cells[c]);
        if (!right && !last)
            ub_text_add(out, "%*s", (int)blanks, "");
    }
    ub_text_add(out, "\n");
}

void table_plain(const struct table *t, size_t width, struct ub_text *out)
{
    size_t *widths = ub_calloc(t->columns + 1, sizeof *widths);
    for (size_t c = 0; c < t->columns; c++)
        widths[c] = length_of(t->header[c]);
    for (size_t i = 0; i < t->cells; i++) {
        const size_t length = length_of(t->cell[i]);
        if (length > widths[i % t->columns])
            widths[i % t->columns] = length;
    }
    fit(t, widths, width);
    add_plain_row(t, t->header, widths, out);
    for (size_t c = 0; c < t->columns; c++) {
        ub_text_add(out, "%*s", c ? GAP : 0, "");
        for (size_t i = 0; i < widths[c]; i++)
            ub_text_add(out, "-");
    }
    ub_text_add(out, "\n");
    for (size_t r = 0; r < table_rows(t); r++)
        add_plain_row(t, t->cell + r * t->columns, widths, out);
    ub_free(widths);
}
