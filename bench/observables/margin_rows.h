/* margin_rows.h - the margins of a classifier whose outputs are linear in its parameters theta, as
 * linear functions of them: of training sample i between its class y and another k, c_ik . theta,
 * c_ik the difference of the outputs' gradients. Private to this folder. */
#ifndef UB_OBSERVABLES_MARGIN_ROWS_H
#define UB_OBSERVABLES_MARGIN_ROWS_H

#include "bench/observables/observables.h"

struct ub_margin_rows {
    int64_t count, size; /* samples x (classes - 1), parameters */
    double *c;           /* count x size; NULL: not such a classifier, or more than 1000 rows */
};
struct ub_margin_rows ub_margin_rows_of(const struct ub_moment *moment);
void ub_margin_rows_clear(struct ub_margin_rows *rows);

/* min_ik c_ik . theta. */
double ub_margin_rows_least(const struct ub_margin_rows *rows, const double *theta);
/* Of building them; 0 where there are none. Their number in `count`. */
int64_t ub_margin_rows_bytes(const struct ub_problem *problem, int64_t *count);

#endif
