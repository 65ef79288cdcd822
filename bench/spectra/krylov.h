/* krylov.h - the vectors of a Lanczos recurrence, kept so that new ones stay orthogonal to them.
 *
 *     struct ub_krylov k = ub_krylov_new(n, steps);
 *     ub_krylov_add(&k, q);                       // a unit vector: the first, and each new one
 *     ... w = A q - alpha q - beta before ...
 *     if (ub_krylov_lost(&k, alpha, beta, length, norm))
 *         ub_krylov_purge(&k, q, w);              // of what w and q have along the vectors kept
 *     ub_krylov_free(&k);
 *
 * Up to 2^20 numbers are kept in double precision, and each w is purged. More are kept in single
 * precision, for partial reorthogonalization (Simon 1984, Math. Comp. 42(165), 115): what a
 * recurrence has lost of orthogonality follows a recurrence, too, and only when that says more than
 * 1e-5 the last two vectors are made orthogonal to all before them, for which the vectors are read
 * once for both. As inner products stay small, the tridiagonal is that of orthogonal vectors but
 * for their squares; and as the recurrence itself has its two vectors in double precision, it never
 * sees the rounding of those kept. Nodes of quadrature.h are then within 1e-6 of the norm of those
 * of double precision (tests/test_krylov.c), as they are with products in single precision anyway;
 * moments are to rounding. */
#ifndef UB_KRYLOV_H
#define UB_KRYLOV_H

#include "base/base.h"

struct ub_krylov {
    int64_t n, room, size; /* size: vectors kept, the last is q */
    double *exact;         /* room x n, or NULL: */
    float *vectors;        /* room x n, or NULL */
    double *now, *before;  /* room: estimated inner products of the last two with those before */
    double *along;         /* 2 room: inner products found */
    double noise;          /* what a step or a purge adds to those, learned from what purges find */
    bool clean;            /* q was purged when it was made */
    int64_t purges;
};

/* Memory: room n numbers of the precision kept, and 4 room doubles. */
struct ub_krylov ub_krylov_new(int64_t n, int64_t room);
void ub_krylov_free(struct ub_krylov *k);
size_t ub_krylov_bytes(int64_t n, int64_t room); /* of the vectors */
void ub_krylov_add(struct ub_krylov *k, const double *q);

/* After step number size - 1: tells whether w, of that length, and q are to be purged. `norm`: the
 * longest product so far. */
bool ub_krylov_lost(struct ub_krylov *k, const double *alpha, const double *beta, double length,
                    double norm);
/* Takes out of w its components along all vectors kept, out of q (NULL: only w) those along all but
 * itself, once. */
void ub_krylov_purge(struct ub_krylov *k, double *q, double *w);

#endif
