/* Multilayer perceptron: linear layers with a nonlinearity between them. */
#include "systems/models/chain.h"
#include "systems/parametrization.h"

static const char *const norms[] = {"none", "batch", "layer", "rms", NULL};
static const struct ub_option options[] = {
    {"widths", UB_OPTION_SIZES, "64x64", 1, UB_WIDTH_LIMIT, NULL, "units of each hidden layer"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "tanh", 0, 0, ub_activation_names,
     "nonlinearity"},
    {"bias", UB_OPTION_FLAG, "true", 0, 0, NULL, "add a bias vector to each layer"},
    {"norm", UB_OPTION_NAME | UB_OPTION_LATER, "none", 0, 0, norms,
     "norm before each nonlinearity"},
    UB_NORM_OPTIONS,
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static struct ub_chain chain_of(const struct ub_call *call)
{
    struct ub_chain chain = {.bias = ub_call_flag(call, "bias"),
                             .norm = ub_norm_find(ub_call_get(call, "norm")),
                             .activation = ub_activation_find(ub_call_get(call, "activation"))};
    chain.hidden = ub_call_sizes(call, "widths", chain.widths, UB_CHAIN_LIMIT);
    return chain;
}

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const struct ub_chain chain = chain_of(call);
    return ub_norm_details_fit(call, err) && ub_chain_fits(&chain, data, err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const struct ub_chain chain = chain_of(call);
    return ub_chain_build(b, &chain, input);
}

static int64_t coupled(const struct ub_call *call)
{
    return ub_norm_find(ub_call_get(call, "norm")) == UB_NORM_BATCH ? UB_WHOLE_SET : 0;
}

static void wide(const struct ub_wide_source *source, struct ub_wide *out)
{
    const struct ub_chain chain = chain_of(source->call);
    ub_chain_wide(&chain, source, out);
}

const struct ub_model ub_model_mlp = {
    .name = "mlp",
    .title = "MLP",
    .summary = "fully connected network of any widths",
    .citation = "Rumelhart, Hinton and Williams 1986, Nature 323",
    .options = options,
    .fits = fits,
    .build = build,
    .coupled = coupled,
    .wide = wide,
};
