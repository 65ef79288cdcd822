/* operator.h - linear operators known only through their products, and operators made of others.
 *
 *     struct ub_operator residual = ub_operator_sum(1, &hessian, -1, &gauss_newton); // H - G
 *     struct ub_operator layer = ub_operator_block(&residual, first, count);         // its block
 *     ub_operator_apply(&layer, 4, V, AV);
 *     ub_operator_free(&layer);
 *     ub_operator_free(&residual);
 *
 * A made operator keeps a copy of the `struct ub_operator` of its parts, and pointers to arrays:
 * what those point to must outlive it. It owns its scratch, which grows to what its widest block of
 * vectors needs, and is not safe to apply from two threads at once. Sizes that do not agree are a
 * mistake in the program and end it. */
#ifndef UB_OPERATOR_H
#define UB_OPERATOR_H

#include "base/base.h"

/* A symmetric n x n operator; V and AV are count x n, row-major, and do not overlap. A product that
 * cannot be computed is filled with NaN: every solver stops on it with an error or a flag. */
struct ub_operator {
    int64_t n;
    void *context;
    void (*apply)(void *context, int64_t count, const double *V, double *AV);
    void (*release)(void *context); /* NULL: the context is somebody else's */
};

void ub_operator_apply(const struct ub_operator *a, int64_t count, const double *V, double *AV);
void ub_operator_free(struct ub_operator *a); /* what a function below has made; NULL is fine */

/* The matrix itself (n x n), by products with the identity; n products. Its two triangles differ by
 * the operator's own asymmetry. False if an entry is not finite. */
bool ub_operator_matrix(const struct ub_operator *a, double *matrix);

/* ---- leaves ---- */

struct ub_operator ub_operator_dense(int64_t n, const double *matrix); /* n x n, symmetric */
struct ub_operator ub_operator_diagonal(int64_t n, const double *diagonal);

/* ---- compositions: scratch in vectors of length n for each vector of a block ---- */

/* alpha A + beta B: a difference with beta = -1. Scratch 1. */
struct ub_operator ub_operator_sum(double alpha, const struct ub_operator *a, double beta,
                                   const struct ub_operator *b);
/* alpha A + shift I: negated with alpha = -1, damped with shift > 0. Scratch 0. */
struct ub_operator ub_operator_shifted(double alpha, const struct ub_operator *a, double shift);
/* Rows and columns first, ..., first + count - 1 of A: one layer's block. Scratch 2. */
struct ub_operator ub_operator_block(const struct ub_operator *a, int64_t first, int64_t count);
/* D A D for a diagonal D (n numbers): preconditioned with D = P^-1/2. Scratch 1. */
struct ub_operator ub_operator_scaled(const struct ub_operator *a, const double *diagonal);
/* (I - U'U) A (I - U'U) for `rank` orthonormal rows U (rank x n): A without the eigenpairs U, whose
 * eigenvalues become 0. Scratch 1, and 4 rank n operations a product. */
struct ub_operator ub_operator_deflated(const struct ub_operator *a, int64_t rank, const double *U);
/* A itself; adds to *products the number of vectors it is applied to. */
struct ub_operator ub_operator_counted(const struct ub_operator *a, int64_t *products);

/* ---- rectangular ---- */

/* A rows x columns operator: V is count x columns and AV count x rows; U is count x rows and AtU
 * count x columns. Both products are needed. */
struct ub_map {
    int64_t rows, columns;
    void *context;
    void (*apply)(void *context, int64_t count, const double *V, double *AV);
    void (*apply_transpose)(void *context, int64_t count, const double *U, double *AtU);
};

/* A A' (rows x rows) or A'A (columns x columns), one product of each kind. Scratch: one vector of
 * the other length. */
struct ub_operator ub_operator_outer(const struct ub_map *a);
struct ub_operator ub_operator_inner(const struct ub_map *a);

/* Takes from each of the `count` rows of V its components along the orthonormal rows of U
 * (rank x n), once. `work`: count x rank. Twice is orthogonal to rounding. */
void ub_project_out(int64_t n, int64_t rank, const double *U, int64_t count, double *V,
                    double *work);

#endif
