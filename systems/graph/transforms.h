/* transforms.h - what the sweeps of grad, jvp and vmap have in common. */
#ifndef UB_TRANSFORMS_H
#define UB_TRANSFORMS_H

#include "systems/graph/internal.h"

/* Of a value with a given slope: whose derivative, in what mode, or both. */
enum ub_follow { UB_FOLLOW_ALL, UB_FOLLOW_FORWARD, UB_FOLLOW_REVERSE };

/* Marks nodes up to `last` that depend on any of the n xs. Caller frees. */
bool *ub_depends_on(const struct ub_graph *g, ub_node last, const ub_node *xs, int n);
/* Marks nodes that any of the n ys needs, or of which their derivatives need the derivatives; *last
 * is the greatest of them. Caller frees. */
bool *ub_needed_by(const struct ub_graph *g, const ub_node *ys, int n, enum ub_follow follow,
                   ub_node *last);
/* As ub_jvp, taken another way: factors of a tangent that are known without it are multiplied with
 * each other first, and what is known of one tangent is added up. */
void ub_jvp_gathered(struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *xs,
                     const ub_node *tangents, int n_xs, ub_node *out);
/* About how many numbers a program of outputs ys keeps for later calls when the tangents are late:
 * those of values without them that are read by values with them. */
int64_t ub_kept_for(const struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *tangents,
                    int n_tangents);
/* n times UB_NONE. Caller frees. */
ub_node *ub_filled_with_none(size_t n);

#endif
