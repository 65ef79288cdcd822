/* page.h - report.md: its parts, in files of their own, and all of them in order (page.c). */
#ifndef UB_REPORT_PAGE_H
#define UB_REPORT_PAGE_H

#include "report/sections/sections.h"

void page_add(struct ub_text *out, const struct study *study, const struct plates *plates);

/* Figures of one section (NULL: of none): folds are closed when there is much in all of them. */
void page_figures(struct ub_text *out, const struct plates *plates, const char *section);
/* Of laws about levels of runs: systems of one optimizer, dataset and loss a row; and how many runs
 * ended how. */
void page_summary(struct ub_text *out, const struct study *study);
void page_commands(struct ub_text *out, const struct study *study);
void page_provenance(struct ub_text *out, const struct ub_store *store);

/* The section of figures about all laws. */
extern const char page_board[];

#endif
