/* weight_axes.h - arrays as matrices: which axes of a kernel are rows and columns.
 *
 *     const struct ub_axes axes = ub_axes_of(&array, rules, n_rules);
 *     if (ub_axes_weight(&array, &axes, true, &weight, &own, &err)) ...
 *     ub_free(own);
 *
 * A file does not say in which order its kernels' axes are, and the order changes the matrix:
 *
 *     OIHW   out x in x positions: PyTorch; the first two axes are the matrix
 *     HWIO   positions x in x out: Keras, JAX; and stacks of matrices, such as a layer's experts;
 * the last two axes are the matrix
 *
 * Without a rule the shape decides, or nothing does: axes of positions are short, at most 16 (3 to
 * 11 in kernels, 14 and 16 in patches of images), and of one length or, in 1xN kernels, one of
 * them 1. The order whose positions are so is taken; of two, the one with equal lengths, then the
 * one with a matrix of more than one row and column, then OIHW; of none, the one with fewer
 * positions. */
#ifndef UB_WEIGHT_AXES_H
#define UB_WEIGHT_AXES_H

#include "bench/arrays/arrays.h"
#include "bench/spectra/weights.h"

enum ub_axis_order { UB_ORDER_SHAPE, UB_ORDER_OIHW, UB_ORDER_HWIO };

struct ub_axes_rule {
    char *pattern; /* of names, as a shell's */
    enum ub_axis_order order;
    int64_t groups; /* >= 1: convolutions in so many groups of output channels */
};
/* [PATTERN=]oihw, hwio or auto, then /GROUPS or not; without PATTERN, of all names. */
bool ub_axes_rule_parse(const char *text, struct ub_axes_rule *out, struct ub_error *err);
void ub_axes_rule_free(struct ub_axes_rule *rule);
/* Whether the rule is about the array: of more than two axes, by a name that the pattern fits. */
bool ub_axes_rule_fits(const struct ub_axes_rule *rule, const struct ub_array *a);

enum ub_axes_by { UB_AXES_PLAIN, UB_AXES_BY_SHAPE, UB_AXES_EITHER, UB_AXES_GIVEN };
struct ub_axes {
    enum ub_axis_order order; /* UB_ORDER_SHAPE of arrays of two axes, which need none */
    int64_t groups;
    enum ub_axes_by by; /* how sure: PLAIN two axes, EITHER the shape allows both */
};
/* Of the last rule whose pattern fits the array's name. Arrays have two axes or more. */
struct ub_axes ub_axes_of(const struct ub_array *a, const struct ub_axes_rule *rules, size_t n);
/* "OIHW", "HWIO/4, given", "OIHW, either"; "-" of two axes. Caller frees. */
char *ub_axes_text(const struct ub_axes *axes);

/* Whether the matrices have more than one row and column, read pooled or not (see below): the
 * groups divide the output channels. */
bool ub_axes_two_sided(const struct ub_array *a, const struct ub_axes *axes, bool pooled);
/* pooled: one out x in matrix a position and group; else one a group, positions along the inputs.
 * *own, which the caller frees, holds the entries when they had to be reordered, else NULL. False:
 * the groups do not divide the output channels. */
bool ub_axes_weight(const struct ub_array *a, const struct ub_axes *axes, bool pooled,
                    struct ub_weight *out, double **own, struct ub_error *err);

#endif
