/* orthogonal.h - Haar-random orthonormal matrices; private to this library. */
#ifndef UB_ORTHOGONAL_H
#define UB_ORTHOGONAL_H

#include "base/base.h"

/* `out` is (rows, columns), row-major: orthonormal columns if rows >= columns, else rows. */
void ub_random_orthogonal(struct ub_random *r, int64_t rows, int64_t columns, double *out);

#endif
