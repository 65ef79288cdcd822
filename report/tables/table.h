/* table.h - a small table of texts, written as CSV, Markdown, LaTeX or aligned plain text.
 *
 *     struct table *t = table_new((const char *const[]){"model", "rho", NULL}, "lr");
 *     table_cell(t, "%s", "mlp");
 *     table_cell(t, "%.3f", 1.01);
 *     table_markdown(t, &out);
 *     table_free(t);
 */
#ifndef UB_REPORT_TABLE_H
#define UB_REPORT_TABLE_H

#include "base/base.h"

struct table {
    size_t columns, cells; /* rows are full when cells is a multiple of columns */
    char **header;
    char *align; /* 'l' or 'r', one a column */
    char **cell;
};

enum column_type { COLUMN_TEXT, COLUMN_FLAG, COLUMN_WHOLE, COLUMN_NUMBER };
const char *column_type_name(enum column_type type);
/* A column of a file that other programs read: its head and what the data dictionary says of it. In
 * a name, a word in capitals stands for what differs. */
struct column {
    const char *name; /* NULL ends a list */
    enum column_type type;
    const char *units; /* "": none */
    const char *meaning;
};
/* Numbers to the right. */
struct table *table_of_columns(const struct column *columns);

/* `header` ends with NULL; `align` has one letter a column. */
struct table *table_new(const char *const *header, const char *align);
void table_free(struct table *table);
size_t table_rows(const struct table *table);

void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "%.*g" with `digits`, "-" for what is not finite. */
void table_real(struct table *table, double value, int digits);
/* Fixed decimals, "-" for what is not finite. */
void table_fixed(struct table *table, double value, int decimals);

void table_csv(const struct table *table, struct ub_text *out);
void table_markdown(const struct table *table, struct ub_text *out);
/* The same with columns of even width, which a terminal shows well, too; underscores stay as they
 * are, for within names they mean nothing in Markdown. */
void table_markdown_aligned(const struct table *table, struct ub_text *out);
/* Aligned columns, two blanks apart; columns of text give way where a row is wider than `width`. */
void table_plain(const struct table *table, size_t width, struct ub_text *out);

#endif
