/* axes.h - bases along the axes of tensors, and the second moments of a gradient that Shampoo and
 * SOAP take them from: of a matrix G (rows x columns) L of GG' and R of G'G, of a vector g (one
 * column) L of gg'. The weight of a convolution is a matrix of output channels x the rest. An axis
 * longer than `largest` keeps the diagonal alone, in the given basis ("diagonal Shampoo", Gupta et
 * al. 2018, section 5). */
#ifndef UB_AXES_H
#define UB_AXES_H

#include "systems/systems.h"

struct ub_axis {
    int64_t n;
    bool diagonal;
    double *moment; /* n x n, symmetric; n if diagonal */
    double *values; /* n: what `ub_axis_decompose` found, descending unless diagonal */
    double *basis;  /* n x n, orthonormal, a vector a row; NULL = the given basis */
};
struct ub_tensor {
    int64_t offset, rows, columns;
    bool vector;
    struct ub_axis left, right; /* n = 0 where there is none */
};
struct ub_axes {
    int64_t count;
    struct ub_tensor *tensors;
    double *room; /* for the largest tensor */
};

/* Vectors have an axis only if `vectors`. */
void ub_axes_open(struct ub_axes *a, const struct ub_layout *layout, int64_t largest, bool vectors);
/* What that takes. */
int64_t ub_axes_bytes(const struct ub_layout *layout, int64_t largest, bool vectors);
void ub_axes_close(struct ub_axes *a);

/* moment <- keep moment + add (GG' or G'G), of both axes. */
void ub_axes_update(struct ub_axes *a, double keep, double add, const double *grad);
void ub_axes_copy_moments(struct ub_axes *to, const struct ub_axes *from);
/* values and basis of all moments, by LAPACK; NAN where a moment is not finite. */
void ub_axes_decompose(struct ub_axes *a);
/* One step of orthogonal iteration: basis <- the Q of moment times basis. */
void ub_axes_iterate(struct ub_axes *a);

/* out = basis_L G basis_R' into the bases, or back, of one tensor; out may be g. */
void ub_tensor_rotate(const struct ub_axes *a, const struct ub_tensor *t, bool back,
                      const double *g, double *out);

#endif
