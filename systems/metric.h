/* metric.h - the metric P that an optimizer's steps are steepest descent in, theta <- theta - lr
 * P^-1 g: one definition for the sharpness, preconditioned matrices, flows and steps.
 *
 *     struct ub_metric p = {0};
 *     if (!ub_optimizer_metric(optimizer, theta, grad, &p, &err)) return false;
 *     ub_metric_apply(&p, UB_INVERSE_ROOT, 4, V, out);       // 4 rows of p.n numbers: P^-1/2 v
 *     ub_metric_clear(&p);
 *
 * P = Q' D Q with D diagonal and Q orthogonal:
 *
 *   identity     D = Q = I                 values NULL
 *   diagonal     Q = I                     bases NULL: Adam, RMSProp, ...
 *   block        Q a basis of each tensor  a tensor of one column, its left axis' basis
 *   Kronecker    Q = Q_L (x) Q_R of each   a tensor of both axes: Shampoo, SOAP
 *   whole        Q any                     one tensor of one column that is the whole vector
 *
 * so that P^p = Q' D^p Q for each power. What P does not move (D_i = 0) is held: it is 0 in every
 * power. Where an entry of D is not finite, so is no product that meets it. */
#ifndef UB_METRIC_H
#define UB_METRIC_H

#include "systems/axes.h"
#include "systems/systems.h"

enum ub_power { UB_INVERSE, UB_INVERSE_ROOT, UB_ROOT }; /* P^-1, P^-1/2, P^1/2 */

struct ub_metric {
    int64_t n;
    double *values;              /* D: n numbers, what kinds of optimizers fill; NULL = I */
    double *scale;               /* D^-1/2, set by ub_metric_ready */
    const struct ub_axes *bases; /* Q, somebody else's; NULL = I */
};

/* P = I on n numbers. */
void ub_metric_identity(struct ub_metric *m, int64_t n);
/* P = diag(values) to be: returns values, n of them, for the caller to fill. */
double *ub_metric_values(struct ub_metric *m, int64_t n);
/* Once values (and bases) are set. False for a negative value; `whose` is named in the error. */
bool ub_metric_ready(struct ub_metric *m, const char *whose, struct ub_error *err);
void ub_metric_clear(struct ub_metric *m);

/* out = P^power V, row by row (count x n, row-major); out may be V. */
void ub_metric_apply(const struct ub_metric *m, enum ub_power power, int64_t count, const double *V,
                     double *out);

/* The metric of the step that `grad`, the loss's gradient at theta, would lead to now; coupled
 * decay is added here. The identity for optimizers without one (enum ub_geometry). Its bases are
 * the optimizer's, good until its next step or metric. False where an entry is negative. */
bool ub_optimizer_metric(const struct ub_optimizer *o, const double *theta, const double *grad,
                         struct ub_metric *m, struct ub_error *err);

#endif
