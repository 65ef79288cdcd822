/* latex.h - text and tables for papers, as pdflatex reads them.
 *
 *     latex_add(&out, "lr=0.1, 50% ± 2");       // lr=\allowbreak{}0.1, 50\% $\pm$ 2
 *     table_latex(t, &(struct latex_table){.label = "laws", .caption = "All laws."}, &out);
 *
 * What they need of a document: \usepackage[T1]{fontenc}, \usepackage[utf8]{inputenc}, and the
 * packages array, booktabs, longtable, siunitx and textcomp. */
#ifndef UB_REPORT_LATEX_H
#define UB_REPORT_LATEX_H

#include "report/tables/table.h"

/* Text as text: what LaTeX reads as commands is escaped, letters and signs beyond ASCII that its
 * fonts lack are written as they are in mathematics, and where they are not there either, as
 * "U+4E2D". Lines may break behind the marks within the names of systems. */
void latex_add(struct ub_text *out, const char *text);
void latex_add_unbroken(struct ub_text *out, const char *text); /* for BibTeX */
/* Whether a line may break behind a letter, so many after the last place where it could. */
bool latex_breaks(char c, char next, size_t letters);
/* A paragraph in Markdown: its code, strong words and the texts of its links. */
void latex_add_markdown(struct ub_text *out, const char *text);

struct latex_table {
    const char *label;   /* \ref{tab:LABEL} */
    const char *caption; /* text, or NULL */
    const char *note;    /* beneath it: text, or NULL */
    double width;        /* that it may have, in points; 0: LATEX_WIDTH */
};
enum { LATEX_WIDTH = 486 }; /* two columns of a paper: 6.75 in */
/* A longtable with booktabs rules: columns of numbers are siunitx' S, of text paragraphs as wide as
 * they need to be and may be. Columns that do not fit beside each other go to further tables, whose
 * first column is the first one's again. */
void table_latex(const struct table *table, const struct latex_table *what, struct ub_text *out);

#endif
