/* weight_chain.h - layouts whose matrices follow one another, from a model's inputs to its outputs:
 * what theories of deep linear networks and of balance between layers speak of.
 *
 *     struct ub_weight_chain chain;
 *     if (ub_weight_chain_find(ub_problem_layout(p), ub_problem_data(p), &chain))
 *         for (int64_t l = 0; l < chain.count; l++)
 *             ... theta + chain.weight[l]->offset ...
 *
 * Only shapes are looked at: whatever stands between the matrices (activations), the chain does not
 * say. */
#ifndef UB_WEIGHT_CHAIN_H
#define UB_WEIGHT_CHAIN_H

#include "systems/systems.h"

enum { UB_WEIGHT_CHAIN_LIMIT = 257 }; /* matrices */

struct ub_weight_chain {
    int64_t count;
    const struct ub_param *weight[UB_WEIGHT_CHAIN_LIMIT]; /* (units, units of the one before) */
    const struct ub_param *bias[UB_WEIGHT_CHAIN_LIMIT];   /* (units), NULL where there is none */
};
/* False unless the layout is matrices W_1 (h_1, features), W_2 (h_2, h_1), ..., W_L (outputs,
 * h_{L-1}) in this order, drawn by the init, each with at most one vector (h_l) behind it, and
 * nothing else. */
bool ub_weight_chain_find(const struct ub_layout *layout, const struct ub_dataset *data,
                          struct ub_weight_chain *chain);
/* Units of the narrowest place: inputs, hidden layers, outputs. */
int64_t ub_weight_chain_narrowest(const struct ub_weight_chain *chain);
/* W_L ... W_1 as the model reads them (multipliers applied), outputs x features. */
void ub_weight_chain_product(const struct ub_weight_chain *chain, const double *theta, double *out);

#endif
