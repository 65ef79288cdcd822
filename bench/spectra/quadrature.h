/* quadrature.h - the whole spectrum of a symmetric operator from a few products: stochastic Lanczos
 * quadrature (Ubaru, Chen and Saad 2017, doi:10.1137/16M1104974; for Hessians Ghorbani, Krishnan
 * and Xiao 2019, arXiv:1901.10159).
 *
 *     struct ub_quadrature q;
 *     const struct ub_quadrature_options o = {.steps = 100, .probes = 8};
 *     if (!ub_quadrature_new(&hessian, &o, &q, &err))
 *         return false;
 *     ub_quadrature_density(&q, width, true, points, grid, 0.95, density, margin);
 *     struct ub_estimate trace = ub_quadrature_moment(&q, 1);
 *     printf("%g +- %g (95%%)\n", trace.value, ub_estimate_margin(trace, 0.95));
 *     ub_quadrature_free(&q);
 *
 * From a random unit vector v, m Lanczos steps give nodes x_i and weights w_i with
 *     v' f(A) v = sum_i w_i f(x_i),   exactly for polynomials f of degree <= 2 m - 1,
 * where w_i is the square of the first component of the tridiagonal's i-th unit eigenvector (Golub
 * and Meurant 2010, Matrices, Moments and Quadrature). Over directions v, v' f(A) v has the mean
 * tr f(A) / n. Known eigenpairs (outliers) can be taken out first: probes are drawn orthogonal to
 * them, and each comes back as an atom of weight 1/n. */
#ifndef UB_QUADRATURE_H
#define UB_QUADRATURE_H

#include "bench/spectra/estimate.h"
#include "bench/spectra/operator.h"

/* Zero means the default. */
struct ub_quadrature_options {
    int64_t steps;         /* 100: products a probe; at most n - outliers are made */
    int64_t probes;        /* 8 */
    int64_t together;      /* all: probes side by side, one block of vectors a product */
    uint64_t seed;         /* probe k: the k-th n normals of the stream (seed, "quadrature") */
    int64_t outliers;      /* known eigenpairs, e.g. of lanczos.h */
    const double *value;   /* outliers */
    const double *vectors; /* outliers x n, orthonormal */
};

struct ub_quadrature {
    int64_t n, probes, steps;
    int64_t *count;       /* probes: nodes of each; fewer than steps when its Krylov space closed */
    double *node;         /* probes x steps, ascending */
    double *weight;       /* probes x steps; a row sums to 1 - outliers / n */
    double *alpha, *beta; /* probes x steps: the tridiagonals; the last of beta is 0 if it closed */
    int64_t outliers;
    double *atom;     /* outliers: values of weight 1/n each */
    double low, high; /* extreme Ritz values and atoms: the spectrum reaches at least that far */
    double below,
        above; /* and, but for a probability that falls fast with steps, no farther: Ritz
                  value and last off-diagonal (Zhou and Li 2011, doi:10.1016/j.laa.2010.06.034) */
    int64_t products;
};

/* Each probe has its own Lanczos recurrence, in double precision, whose vectors are kept orthogonal
 * as krylov.h says. False: options out of range, a product not finite. Memory: ub_quadrature_bytes
 * for each of the probes `together`, and 4 probes steps doubles. Cost beyond products, bound by
 * memory: about 100 n bytes a product, and twice the probe's vectors: up to 2^20 numbers for each
 * product, more than that in single precision and for every other product or less often. */
bool ub_quadrature_new(const struct ub_operator *a, const struct ub_quadrature_options *options,
                       struct ub_quadrature *out, struct ub_error *err);
void ub_quadrature_free(struct ub_quadrature *q);
int64_t ub_quadrature_bytes(int64_t n, int64_t steps);

/* ---- what it knows of the spectrum ----
 *
 * Errors come from the law of v'f(A)v over uniform directions v, of which the mean and the variance
 * are traces of f and f^2 and come out of the same rules, not from the scatter of a few probes: the
 * samples are skewed where few eigenvalues matter, and Student's intervals then cover 55 to 90%
 * where 95% is stated. Measured coverage of 95%: tests/test_quadrature_coverage.c prints it, and
 * asks for 90% or more. One probe has an interval, too (a density's covers 89% at some points). */

/* sum_i f(eigenvalue_i) = tr f(A), atoms counted exactly. Unbiased for polynomials of degree up to
 * 2 steps - 1; else the quadrature's own error, which falls geometrically with steps for smooth f,
 * is not in the margin: of functions that jump, ask ub_quadrature_below. */
struct ub_estimate ub_quadrature_sum(const struct ub_quadrature *q,
                                     double (*f)(const void *context, double x),
                                     const void *context);
struct ub_estimate ub_quadrature_moment(const struct ub_quadrature *q, int power); /* tr A^power */
/* log det(A + shift I); NaN if a node is not above -shift. */
struct ub_estimate ub_quadrature_log_det(const struct ub_quadrature *q, double shift);

/* The sum of sizes of negative eigenvalues over that of all; half the width of its interval into
 * `margin`. NaN for a zero matrix. */
double ub_quadrature_negative_mass(const struct ub_quadrature *q, double level, double *margin);

struct ub_range {
    double low, high;
};
/* How many eigenvalues are below t, between two numbers, with probability `level` or more: bounds
 * that hold for all measures of the probes' moments (nothing is assumed between the nodes), and the
 * probes' own scatter. Far apart where many eigenvalues lie nearer to t than the rule resolves:
 * about the span over steps inside it, the span over steps^2 at its ends. */
struct ub_range ub_quadrature_below(const struct ub_quadrature *q, double t, double level);

/* The density of eigenvalues (its integral is 1, atoms included; 1 - outliers / n without atoms),
 * smoothed by a Gaussian of standard deviation `width`, at `points` numbers `grid`; half the widths
 * of its intervals of coverage `level`, point by point, into `margin` unless NULL. They hold for
 * widths of the spectrum's span over steps, or wider: below, nodes show that are no eigenvalues. */
void ub_quadrature_density(const struct ub_quadrature *q, double width, bool atoms, int64_t points,
                           const double *grid, double level, double *density, double *margin);

#endif
