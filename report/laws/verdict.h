/* verdict.h - the parts of a verdict; private to verdict*.c. */
#ifndef UB_REPORT_VERDICT_H
#define UB_REPORT_VERDICT_H

#include "report/laws/study.h"

enum { LAW_LEVEL_PERCENT = 5 };
/* sqrt(pi/2): the error of a median over that of a mean, for normal data. */
extern const double law_median_factor;

/* From the runs' levels to systems, mean, shares and verdict: all but texts. */
void law_weigh(struct ub_law_result *result);
/* Sets wrong_below and wrong_above. */
void law_find_out(struct ub_law_result *result);
void law_share_variance(struct ub_law_result *result);
/* Sets why. */
void law_word(struct ub_law_result *result);

#endif
