/* A product of matrices, W_L ... W_1 x: linear in x, with the non-convex loss and learning
 * dynamics of a deep network (Saxe et al. 2013, arXiv:1312.6120). */
#include "systems/models/chain.h"
#include "systems/parametrization.h"

static const struct ub_option options[] = {
    {"widths", UB_OPTION_SIZES, "64x64", 1, UB_WIDTH_LIMIT, NULL,
     "units of each hidden layer: one matrix more than these"},
    {"bias", UB_OPTION_FLAG, "false", 0, 0, NULL, "add a bias vector to each layer"},
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static struct ub_chain chain_of(const struct ub_call *call)
{
    struct ub_chain chain = {.bias = ub_call_flag(call, "bias")};
    chain.hidden = ub_call_sizes(call, "widths", chain.widths, UB_CHAIN_LIMIT);
    return chain;
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

static void wide(const struct ub_wide_source *source, struct ub_wide *out)
{
    const struct ub_chain chain = chain_of(source->call);
    ub_chain_wide(&chain, source, out);
}

const struct ub_model ub_model_deep_linear = {
    .name = "deep-linear",
    .title = "deep linear net",
    .summary = "product of matrices, no nonlinearity",
    .citation = "Saxe, McClelland and Ganguli 2013, arXiv:1312.6120",
    .options = options,
    .fits = fits,
    .build = build,
    .wide = wide,
};
