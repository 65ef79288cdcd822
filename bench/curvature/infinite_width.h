/* infinite_width.h - kernels of networks of infinite width at their start, in closed form or by
 * Gauss-Hermite quadrature.
 *
 *     struct ub_wide wide;
 *     if (!ub_problem_wide(problem, &wide)) return ...;
 *     double *ntk = ub_calloc(n * n, sizeof *ntk);
 *     ub_wide_kernels(&wide, n, features, inputs, NULL, ntk);
 *     ub_wide_clear(&wide);
 *
 * As widths go to infinity one after the other, pre-activations are a Gaussian process over inputs
 * (Neal 1996; Lee et al. 2018, arXiv:1711.00165), and the neural tangent kernel, K = J J' of one
 * output, is deterministic (Jacot et al. 2018, arXiv:1806.07572). With (u, v) ~ N(0, S_l(x, x')),
 * d the features and layers as in systems/wide.h:
 *
 *     S_1 = weight_1 x.x'/d + bias_1,        S_{l+1} = weight_{l+1} E phi(u) phi(v) + bias_{l+1}
 *     K_1 = weight_rate_1 x.x'/d + bias_rate_1
 *     K_{l+1} = weight_rate_{l+1} E phi(u) phi(v) + bias_rate_{l+1}
 *               + weight_{l+1} E phi'(u) phi'(v) K_l
 *
 * S of finitely wide networks is that of the mean over draws up to 1/width a layer, exactly for one
 * hidden layer; where layers depend on the width (sp, mup) so does the prediction. */
#ifndef UB_INFINITE_WIDTH_H
#define UB_INFINITE_WIDTH_H

#include "systems/wide.h"

/* ---- Gaussian expectations of an activation ---- */

/* E phi(u) phi(v) and E phi'(u) phi'(v), u and v normal with variances `uu`, `vv` and covariance
 * `uv`: the activation's own closed form (relu: Cho and Saul 2009; erf: Williams 1997), else
 * quadrature with 64 x 64 nodes: for variances up to 2 good to 1e-9 where the activation is entire
 * (gelu), to 1e-5 where it has poles near the real line (tanh), to 1e-3 where its second derivative
 * jumps (elu). */
struct ub_expectation;
struct ub_expectation *ub_expectation_new(const struct ub_activation *activation); /* NULL: x */
void ub_expectation_free(struct ub_expectation *e);
void ub_expectation_pair(struct ub_expectation *e, double uu, double uv, double vv, double *value,
                         double *slope);
/* By quadrature whatever the activation: what the closed forms are tested against. */
void ub_expectation_by_quadrature(struct ub_expectation *e, double uu, double uv, double vv,
                                  double *value, double *slope);

/* ---- kernels ---- */

/* Of `count` inputs (count x features): `covariance`, of the pre-activations of every layer,
 * (hidden + 1) x count x count, and `ntk`, count x count. Either may be NULL. */
void ub_wide_kernels(const struct ub_wide *wide, int64_t count, int64_t features,
                     const double *inputs, double *covariance, double *ntk);
/* By how much a layer stretches the square of a small difference of its inputs where all have
 * pre-activations of variance q: chi = weight E phi'(u)^2, u ~ N(0, q) (Schoenholz et al. 2017,
 * arXiv:1611.01232). */
double ub_wide_chi(struct ub_expectation *e, double weight, double q);

#endif
