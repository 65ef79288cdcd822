/* same.h - the judge's part on claims of sameness (judge.h). */
#ifndef UB_LAWS_SAME_H
#define UB_LAWS_SAME_H

#include "report/laws/judge.h"

/* Completes a judgment whose arrays of n are there, all false and NAN. */
void ub_judge_same(struct ub_judgment *judgment, const struct ub_claim *claim,
                   const struct ub_datum *data, size_t n);

#endif
