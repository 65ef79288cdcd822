/* moderate.h - errors of means over few seeds. Two or three seeds hardly tell a spread, and systems
 * differ in theirs by orders of magnitude, so each keeps its own variance between seeds, raised
 * towards the others' as far as they are alike (ub_variance_moderated) and never lowered: spreads
 * that are truly large would be called exceptions too often. It is taken as no less than the runs'
 * own errors say, too. */
#ifndef UB_LAWS_MODERATE_H
#define UB_LAWS_MODERATE_H

#include "report/laws/judge.h"

/* Sets se and df of data that have `runs` (a group of one run: the others' spread stands for its
 * own); leaves all others alone. */
void ub_data_moderate(struct ub_datum *data, size_t n);

#endif
