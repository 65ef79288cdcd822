/* gradient_along.h - the objective's full-batch gradient among the Hessian's top eigenvectors, in
 * the coordinates in which the optimizer descends plainly: what gradient_alignment.c and
 * gradient_subspace.c have in common. */
#ifndef UB_OBSERVABLES_GRADIENT_ALONG_H
#define UB_OBSERVABLES_GRADIENT_ALONG_H

#include "bench/observables/shared.h"

struct ub_gradient_along {        /* the observables' state */
    double *grad, *product;       /* g, and H g */
    double square;                /* |g|^2 */
    struct ub_eigen_result found; /* of the call's top, those that were found */
};

/* Of calls with the options top, tolerance and max-products. */
void ub_gradient_along_join(const struct ub_call *call, struct ub_shared *shared);
/* False: an error. *any is false where there is nothing to record: of an optimizer over a ball, or
 * at a gradient that is 0 or not finite. */
bool ub_gradient_along_find(struct ub_gradient_along *s, const struct ub_moment *moment,
                            struct ub_record *record, bool *any, struct ub_error *err);
/* <g, u_i> of the i-th eigenvector found. */
double ub_gradient_along_part(const struct ub_gradient_along *s, const struct ub_moment *moment,
                              int64_t i);
void ub_gradient_along_close(void *state);

#endif
