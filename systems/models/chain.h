/* chain.h - layers one after another: what linear, deep-linear and mlp have in common. */
#ifndef UB_CHAIN_H
#define UB_CHAIN_H

#include "systems/layers.h"
#include "systems/wide.h"

#define UB_CHAIN_LIMIT UB_DEPTH_LIMIT /* hidden layers */

struct ub_chain {
    size_t hidden; /* hidden layers */
    int64_t widths[UB_CHAIN_LIMIT];
    bool bias;
    enum ub_norm norm;                      /* of each hidden layer, before its activation */
    const struct ub_activation *activation; /* after each hidden layer; NULL = identity */
};

/* False with a message when the chain has too many layers or parameters. */
bool ub_chain_fits(const struct ub_chain *chain, const struct ub_dataset *data,
                   struct ub_error *err);

/* Layers "fc1", "fc2", ..., norms "norm1", ...; what follows hidden layer i is observed as
 * "hidden<i>". */
ub_node ub_chain_build(struct ub_builder *b, const struct ub_chain *chain, ub_node input);
void ub_chain_wide(const struct ub_chain *chain, const struct ub_wide_source *source,
                   struct ub_wide *wide);

#endif
