/* csv_file.h - cells of tables that others wrote: numbers, labels, nothing; private to this
 * library.
 */
#ifndef UB_DATASETS_CSV_FILE_H
#define UB_DATASETS_CSV_FILE_H

#include "datasets/source.h"

/* How a table writes numbers. */
struct ub_number_style {
    char decimal;   /* '.' or ',' */
    char thousands; /* '\0' none; ',', '.', ' ' (no-break and thin spaces, too), '\'' */
};

/* A finite number, the whole of the cell but for spaces around. Thousands are separated between
 * every three digits before the decimal mark or nowhere. */
bool ub_read_styled(const char *text, struct ub_number_style style, double *out);
/* Whether it is a number, but one too large or too small for a double: it is refused, as the next
 * double, infinity or 0, is another number. */
bool ub_styled_beyond(const char *text, struct ub_number_style style);
/* Adds to a message how other styles would read what this one does not; nothing when none does. */
void ub_suggest_styles(const char *text, struct ub_text *out);
/* Nothing, or one of NA, N/A, #N/A, <NA>, NaN, null, ? in any case, spaces around or not. */
bool ub_is_missing(const char *text);

/* ---- labels ---- */

/* What makes labels one class: numbers are their values (0, 0.0 and -0 are one), all else its text
 * without spaces around. Whole numbers are exact; those beyond 64 bits are texts, and so are
 * numbers that no double holds (1e400, 1e-400). */
struct ub_label {
    const char *text; /* where it begins */
    size_t length;
    bool number;
    long double value; /* holds every 64-bit integer and every double */
    size_t row;
};
struct ub_label ub_read_label(const char *text, struct ub_number_style style);
/* Numbers by value, before texts by their bytes. */
int ub_compare_labels(const struct ub_label *a, const struct ub_label *b);

#endif
