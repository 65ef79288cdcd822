/* outputs.h - the items that the loss is a mean over, and a model's outputs at a point as
 * distributions of the targets, with sums over them by class. Private to this folder.
 *
 * An item is a position of a training sample that has a target. Vectors over outputs are all
 * positions of all samples x width, items or not: `place` says which are. */
#ifndef UB_CURVATURE_OUTPUTS_H
#define UB_CURVATURE_OUTPUTS_H

#include "bench/curvature/curvature.h"

struct ub_items {
    int64_t positions, count; /* of all samples; those of them that are items */
    double *share;            /* positions: weight in the mean loss, 0 where no item; sum is 1 */
    int64_t *place;           /* count: their positions, ascending */
};
struct ub_items *ub_items_new(const struct ub_dataset *data);
void ub_items_free(struct ub_items *items);
int64_t ub_items_count(const struct ub_dataset *data);

struct ub_outputs {
    int64_t positions, width;
    double *share;   /* positions: as above */
    double *softmax; /* positions x width: probabilities; NULL where targets are outputs + noise */
    int32_t *label;  /* positions: class, -1 = none; NULL without classes */
    double *weight;  /* width x width: W_{c,c'}; NULL without classes */
};

/* Runs the model at the point. */
struct ub_outputs *ub_outputs_new(const struct ub_matrix_point *at);
void ub_outputs_free(struct ub_outputs *o);

/* w_{i,c'} */
double ub_outputs_weight(const struct ub_outputs *o, int64_t item, int64_t output);

/* In place, for a vector t over outputs: t_{i,c'} becomes d_{i,c'}'v where t = Jv. */
void ub_outputs_along(const struct ub_outputs *o, double *t);
/* In place: b becomes the u with J'u = sum b_{i,c'} d_{i,c'}; the transpose of the above. */
void ub_outputs_back(const struct ub_outputs *o, double *b);

/* pair[c width + c'] = m_{c,c'}'v and class[c] = m_c'v, from a_{i,c'} = d_{i,c'}'v. Means of
 * nothing are 0. */
void ub_outputs_means(const struct ub_outputs *o, const double *a, double *pair, double *class);
/* W_c */
double ub_outputs_class_weight(const struct ub_outputs *o, int64_t c);

#endif
