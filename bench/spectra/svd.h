/* svd.h - the largest singular values of a rectangular operator, by random sampling of its range
 * with power iterations (Halko, Martinsson and Tropp 2011, arXiv:0909.4061, algorithms 4.4, 5.1).
 *
 *     const struct ub_svd_options options = {.count = 20};
 *     struct ub_svd svd;
 *     if (!ub_svd_new(&jacobian, &options, &svd, &err))
 *         return false;
 *     printf("%g, at most %g\n", svd.value[0], svd.value[0] + svd.error[0]);
 *     ub_svd_free(&svd); */
#ifndef UB_SVD_H
#define UB_SVD_H

#include "bench/spectra/operator.h"

/* Zero means the default; -1 asks for none where none is possible. */
struct ub_svd_options {
    int64_t count;      /* triplets wanted, >= 1; at most min(rows, columns) are there */
    int64_t oversample; /* 10: further vectors in the sample; -1: none */
    int64_t powers;     /* 2: times A'A is applied to sharpen the sample; -1: none */
    int64_t checks;     /* 6: vectors of the error bound, which fails with probability 10^-checks */
    uint64_t seed;
};

struct ub_svd {
    int64_t rows, columns, count;
    double *value; /* count, descending: never above the true value but for rounding */
    double *error; /* count: true value i is at most value + error, while the bound holds */
    double *left;  /* count x rows, orthonormal */
    double *right; /* count x columns, orthonormal */
    double range;  /* bound on |A - Q'Q A|, Q the sample: 10 sqrt(2 / pi) times the longest of
                      `checks` vectors (A - Q'Q A) w, w normal (their lemma 4.1); 0: all of A is
                      in the sample */
    int64_t products, transposed; /* with A, with A' */
};

/* False: options out of range, a product not finite. With s = count + oversample: products
 * s (powers + 1) + checks, transposed s (powers + 1). Memory: s (2 rows + 3 columns) doubles and
 * count (rows + columns). */
bool ub_svd_new(const struct ub_map *a, const struct ub_svd_options *options, struct ub_svd *out,
                struct ub_error *err);
void ub_svd_free(struct ub_svd *svd);

#endif
