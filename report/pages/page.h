/* page.h - the report's pages. report.md is for reading: all laws beside each other, of each its
 * verdict and one figure, what did not run. What is behind it has pages of its own: one a law, one
 * of topics (figures and tables that are no law's), one of the runs (how they ended, how to repeat
 * them, where they were made). */
#ifndef UB_REPORT_PAGE_H
#define UB_REPORT_PAGE_H

#include "report/sections/sections.h"

void page_report(struct ub_text *out, const struct study *study, const struct plates *plates);
void page_law(struct ub_text *out, const struct study *study, const struct plates *plates,
              const struct ub_law_verdict *verdict);
char *page_law_name(const struct ub_law_verdict *verdict); /* "law-NAME.md"; caller frees */
/* Empty where there are no topics. */
void page_topics(struct ub_text *out, const struct study *study, const struct plates *plates);
void page_runs(struct ub_text *out, const struct study *study);

/* Figures of one section (NULL: of none) under headings of this depth ("##"): folds are closed when
 * there is much in all of them. */
void page_figures(struct ub_text *out, const struct plates *plates, const char *section,
                  const char *depth);
/* The first of them that is not folded away, without heading and caption; nothing where there is
 * none. */
void page_first_figure(struct ub_text *out, const struct plates *plates, const char *section);
/* Of a law about levels of runs: systems of one optimizer, dataset and loss a row; else nothing. */
struct table *summary_table(const struct study *study, const struct ub_law_verdict *v);
void page_summary(struct ub_text *out, const struct study *study, const struct ub_law_verdict *v);
void page_commands(struct ub_text *out, const struct study *study);
void page_provenance(struct ub_text *out, const struct ub_store *store);

/* draw.c: the figures of all sections, of laws beside each other and of each. */
bool page_draw(const struct study *study, struct plates *plates, struct ub_error *err);
/* The section of figures about all laws. */
extern const char page_board[];

#endif
