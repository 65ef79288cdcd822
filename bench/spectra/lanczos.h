/* lanczos.h - many eigenpairs of a symmetric operator, from either end of its spectrum or both.
 *
 *     const struct ub_lanczos_options options = {
 *         .count = 100, .which = UB_LARGEST_MAGNITUDE, .tolerance = 1e-4};
 *     struct ub_eigenpairs found;
 *     if (!ub_lanczos(&hessian, &options, &found, &err))
 *         return false;                                   // a product was not finite
 *     for (int64_t i = 0; i < found.count; i++)
 *         printf("%g +- %g\n", found.value[i], found.residual[i]);
 *     ub_eigenpairs_free(&found);
 *
 * Method: block Lanczos (Golub and Underwood 1977, doi:10.1016/B978-0-12-587260-7.50018-2) with
 * full reorthogonalization and thick restarts (Wu and Simon 2000, doi:10.1137/S0895479898334605):
 * when the basis is full it shrinks to the wanted Ritz vectors and their neighbors, converged ones
 * included (soft locking), and goes on from there. For one or a few pairs that are followed from
 * step to step of a run, eigen.h's tracker is the tool. */
#ifndef UB_LANCZOS_H
#define UB_LANCZOS_H

#include "bench/spectra/operator.h"

enum ub_which {
    UB_LARGEST,          /* algebraically, in descending order */
    UB_SMALLEST,         /* algebraically, in ascending order */
    UB_BOTH_ENDS,        /* ceil(count / 2) largest and floor(count / 2) smallest, descending */
    UB_LARGEST_MAGNITUDE /* in descending order of |value| */
};

/* Zero means the default, except for count. */
struct ub_lanczos_options {
    int64_t count; /* pairs wanted, >= 1; all n when more */
    enum ub_which which;
    double tolerance;     /* 1e-6: a pair has converged when its residual is <= tolerance times the
                             largest |Ritz value| seen, a lower bound on the operator's norm */
    int64_t max_products; /* 1000 + 100 count */
    int64_t block;        /* 4: vectors a product; repeated eigenvalues are seen up to this many
                             times (all copies when the Krylov space closes, as for low rank) */
    int64_t room;         /* 2 count + 16 block: vectors in the basis before a restart; at least
                             count + 2 block, and at most n, are used */
    uint64_t seed;        /* of the first block */
    int64_t starts;       /* rows of `start` (starts x n), approximate eigenvectors: the first */
    const double *start;  /* block is then random combinations of them; 0 = all random */
    bool iterate;         /* never through the whole matrix; see ub_lanczos */
};

struct ub_eigenpairs {
    int64_t n, count;  /* count: pairs returned */
    double *value;     /* count, ordered as `which` says */
    double *residual;  /* count: |A u - value u|: an eigenvalue lies within this of value */
    double *vectors;   /* count x n, orthonormal rows */
    int64_t converged; /* pairs whose residual meets the tolerance */
    int64_t products, restarts;
    bool dense; /* from the whole matrix, by LAPACK: exact to rounding */
};

/* The pairs wanted, or the best of max_products (converged < count then). Where n <= 200 or
 * 2 count >= n, the whole matrix is formed with n products and goes to LAPACK, unless `iterate`.
 * Residuals come from the products in hand, at no further product, and hold for operators whose
 * products carry rounding errors (single precision) too: the asymmetry seen counts as residual.
 * False: options out of range, or a product that is not finite; *out is then empty.
 * Memory: (room + 2 block) n + block n + count n doubles, and 6 (room + 2 block)^2; whole matrix:
 * 2 n^2 + count n. Cost beyond products: about 4 room n operations a product, bound by memory.
 */
bool ub_lanczos(const struct ub_operator *a, const struct ub_lanczos_options *options,
                struct ub_eigenpairs *out, struct ub_error *err);
void ub_eigenpairs_free(struct ub_eigenpairs *pairs);

#endif
