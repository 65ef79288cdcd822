/* eigen_space.h - a subspace, its image under a symmetric operator, and the Ritz pairs of the two:
 * what the eigenvalue tracker (eigen.c) and Lanczos (lanczos.c) are made of. Private to this
 * folder. */
#ifndef UB_EIGEN_SPACE_H
#define UB_EIGEN_SPACE_H

#include "bench/spectra/eigen.h"

/* All matrices are row-major; a vector is a row. The rows from `size` up to `room` are free:
 * candidates for new directions are written there. */
struct ub_space {
    int64_t n, room, size;
    double *basis;     /* room x n: the first `size` rows are orthonormal */
    double *image;     /* room x n: the operator's products with those rows; NULL if not kept */
    double *projected; /* room x room: basis image', symmetric */
    double *value;     /* room: Ritz values, largest first */
    double *rotation;  /* room x room: row i holds the coefficients of Ritz vector i */
    double *work;      /* scratch: room x (room + panel) */
    double norm;       /* largest |Ritz value| seen: a lower bound on the operator's norm */
    double asymmetry;  /* sum of (u' A v - v' A u)^2 over pairs of directions taken together */
    int64_t pairs;     /* their number */
};

void ub_space_init(struct ub_space *s, int64_t n, int64_t room, bool images);
void ub_space_free(struct ub_space *s);

/* Orthonormalises the `count` candidate rows after `size` against the space and each other, and
 * returns how many are left, moved to the front: those that lose all but `drop` of their length
 * are left out. With `carry`, the same row operations are done on the rows of `image`. */
int64_t ub_space_orthonormalize(struct ub_space *s, int64_t count, double drop, bool carry);
/* The same where the new rows' inner products with those of the space, count x size, are known: the
 * basis is read once where no row shrinks by half. */
int64_t ub_space_orthonormalize_along(struct ub_space *s, int64_t count, const double *along,
                                      double drop, bool carry);
/* c (rows x columns) = a b', both with n columns. */
void ub_inner_products(int64_t rows, int64_t columns, int64_t n, const double *a, const double *b,
                       double *c);

/* c (rows x columns) = alpha a b + beta c with a (rows x inner; lda apart) and b (inner x columns);
 * no inner: nothing. */
void ub_combine(int64_t rows, int64_t columns, int64_t inner, double alpha, const double *a,
                int64_t lda, const double *b, double beta, double *c);

/* Takes `count` orthonormal candidates, whose images are in place, into the space. False if an
 * image is not finite. */
bool ub_space_extend(struct ub_space *s, int64_t count);

/* Length of the error of a product with a unit vector, as the products' asymmetry shows it: were
 * entries of the error independent with variance e^2, u' A v and v' A u would differ by one of
 * variance 2 e^2. Too large by a small factor where errors are not. 0 before two directions were
 * taken together. */
double ub_space_noise(const struct ub_space *s);

/* Rayleigh-Ritz: fills value and rotation. False if LAPACK does not converge. */
bool ub_space_ritz(struct ub_space *s);

/* Ritz vectors `from`, ..., `from + count - 1`, and their residuals A u - value u, from the images
 * in hand; count x n each. */
void ub_space_vectors(const struct ub_space *s, int64_t from, int64_t count, double *vectors);
void ub_space_residuals(const struct ub_space *s, int64_t from, int64_t count, double *residuals);

/* Thick restart: shrinks the space to its first `keep` Ritz vectors, without a product. */
void ub_space_restart(struct ub_space *s, int64_t keep);

#endif
