/* modes.h - second moments of a dataset's training samples and what is made of them: whitened
 * inputs, and the singular modes of the covariance of inputs and targets.
 *
 *     struct ub_modes m;
 *     if (!ub_modes_of(dataset, &m, &err)) ...
 *     printf("the strongest of %lld has %g\n", (long long)m.count, m.strength[0]);
 *     ub_modes_clear(&m);
 */
#ifndef UB_DATASETS_MODES_H
#define UB_DATASETS_MODES_H

#include "datasets/datasets.h"

/* Y'X/n = sum_k strength_k left_k right_k' of the n training samples, X and Y their inputs and
 * targets by rows, neither centered here: what a linear network learns, mode by mode (Saxe,
 * McClelland and Ganguli 2013, arXiv:1312.6120). Strengths descend; modes below 1e-6 of the first
 * are left out, as one of one-hot targets is where inputs are centered. */
struct ub_modes {
    int64_t count, outputs, features;
    double *strength; /* count */
    double *left;     /* count x outputs, orthonormal rows */
    double *right;    /* count x features, orthonormal rows */
};
/* Of data with targets at one position, else UB_INPUT. Clear in any case. */
bool ub_modes_of(const struct ub_dataset *d, struct ub_modes *out, struct ub_error *err);
void ub_modes_clear(struct ub_modes *m);

/* Of centered inputs: x -> C^-1/2 x, C = X'X/n of the training samples, so that theirs becomes I.
 * Of all whitenings this one moves inputs least (Kessy, Lewin and Strimmer 2018, arXiv:1512.00809:
 * ZCA). Directions without variance (below 1e-12 of the largest) become 0, and C of the whitened
 * inputs is the projection on the others. The test split is transformed alike. Takes O(features^2)
 * memory and O(features^3) operations: fails for more than UB_WHITEN_LIMIT features. */
enum { UB_WHITEN_LIMIT = 4096 };
bool ub_whiten(struct ub_dataset *d, const char *where, struct ub_error *err);

#endif
