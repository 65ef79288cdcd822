/* y = W x + b. Its loss is a quadratic under mse and convex under ce, with Hessians in closed
 * form: the system on which everything else is checked. */
#include "systems/models/chain.h"

static const struct ub_option options[] = {
    {"bias", UB_OPTION_FLAG, "true", 0, 0, NULL, "add a bias vector"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static struct ub_chain chain_of(const struct ub_call *call)
{
    return (struct ub_chain){.bias = ub_call_flag(call, "bias")};
}

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const struct ub_chain chain = chain_of(call);
    return ub_chain_fits(&chain, data, err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const struct ub_chain chain = chain_of(call);
    return ub_chain_build(b, &chain, input);
}

const struct ub_model ub_model_linear = {
    .name = "linear",
    .summary = "one linear layer: linear or softmax regression",
    .citation = "Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning",
    .options = options,
    .fits = fits,
    .build = build,
};
