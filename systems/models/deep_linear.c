/* A product of matrices, W_L ... W_1 x: linear in x, with the non-convex loss and learning
 * dynamics of a deep network (Saxe et al. 2013, arXiv:1312.6120). */
#include "systems/models/chain.h"
#include "systems/parametrization.h"

#include <string.h>

#define DEFAULT_DEPTH "3"
#define DEFAULT_WIDTH "64"

static const struct ub_option options[] = {
    {"depth", UB_OPTION_INT, DEFAULT_DEPTH, 1, UB_CHAIN_LIMIT + 1, NULL, "weight matrices"},
    {"width", UB_OPTION_INT, DEFAULT_WIDTH, 1, UB_WIDTH_LIMIT, NULL, "units of each hidden layer"},
    {"widths", UB_OPTION_SIZES, "none", 1, UB_WIDTH_LIMIT, NULL,
     "units of each hidden layer in turn, instead of depth and width"},
    {"bias", UB_OPTION_FLAG, "false", 0, 0, NULL, "add a bias vector to each layer"},
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static struct ub_chain chain_of(const struct ub_call *call)
{
    struct ub_chain chain = {.bias = ub_call_flag(call, "bias")};
    chain.hidden = ub_call_sizes(call, "widths", chain.widths, UB_CHAIN_LIMIT);
    if (chain.hidden > 0)
        return chain;
    chain.hidden = (size_t)ub_call_int(call, "depth") - 1;
    for (size_t i = 0; i < chain.hidden; i++)
        chain.widths[i] = ub_call_int(call, "width");
    return chain;
}

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const struct ub_chain chain = chain_of(call);
    if (strcmp(ub_call_get(call, "widths"), "none") != 0 &&
        (strcmp(ub_call_get(call, "depth"), DEFAULT_DEPTH) != 0 ||
         strcmp(ub_call_get(call, "width"), DEFAULT_WIDTH) != 0))
        return ub_fail(err, UB_INPUT, "both widths and depth or width are given; expected one");
    return ub_chain_fits(&chain, data, err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const struct ub_chain chain = chain_of(call);
    return ub_chain_build(b, &chain, input);
}

const struct ub_model ub_model_deep_linear = {
    .name = "deep-linear",
    .summary = "product of matrices, no nonlinearity",
    .citation = "Saxe, McClelland and Ganguli 2013, arXiv:1312.6120",
    .options = options,
    .fits = fits,
    .build = build,
};
