/* ball.h - unit balls of norms on the parameters: what norm-based optimizers step over.
 *
 *     struct ub_ball *ball = ub_ball_new("spectral", layout, size, false);
 *     double dual = ub_ball_oracle(ball, grad, d);      // d maximizes <grad, d> over |d| <= 1
 *     // steepest descent: theta -= lr * dual * d
 *
 * A norm is made of parts, norms of pieces d_b of the vector, each with a radius r_b:
 *
 *     |d| = max_b |d_b| / r_b,   dual |g|_* = sum_b r_b |g_b|_*
 *     |d| = sum_b |d_b| / r_b,   dual |g|_* = max_b r_b |g_b|_*      where `greedy`
 *
 *   max        largest entry; dual: sum of sizes. Steepest descent is sign descent
 *   spectral   largest singular value over all matrices; dual: sum of nuclear norms. A vector is a
 *              matrix of one column, where that is the Euclidean norm; a convolution's weight is
 *              one of output channels x the rest
 *   block      sum over tensors of Euclidean norms; dual: the largest of a tensor. Steepest descent
 *              moves the tensor of largest gradient alone
 *   euclidean  the Euclidean norm of the whole vector */
#ifndef UB_BALL_H
#define UB_BALL_H

#include "systems/systems.h"

enum ub_ball_shape { UB_BALL_MAX, UB_BALL_EUCLIDEAN, UB_BALL_SPECTRAL };
struct ub_ball_part {
    int64_t offset, rows, columns; /* row-major */
    enum ub_ball_shape shape;
    double radius;
};
struct ub_ball {
    bool greedy;
    int64_t size, count;
    struct ub_ball_part *parts;
};

extern const char *const ub_ball_names[]; /* NULL-terminated: choices of an option */

/* layout NULL: one vector. `rates`: radii are the parametrization's factors on learning rates. The
 * name must be one of ub_ball_names. */
struct ub_ball *ub_ball_new(const char *name, const struct ub_layout *layout, int64_t size,
                            bool rates);
void ub_ball_free(struct ub_ball *ball);

/* A tensor as a matrix: first axis x the rest; one column where it is a vector. */
void ub_matrix_shape(const struct ub_param *param, int64_t *rows, int64_t *columns);

double ub_ball_norm(const struct ub_ball *ball, const double *d);
/* The linear minimization oracle, for -g: d maximizes <g, d> over the ball, and is 0 where g is (of
 * several maximizers the one with zeros: sign(0) = 0, U V' of the singular values above rounding).
 * Returns the dual norm <g, d>. NAN where g is not finite. */
double ub_ball_oracle(const struct ub_ball *ball, const double *g, double *d);

#endif
