/* Autoencoder: a perceptron whose output is its input again, through a narrow layer. Its data are
 * made so by the dataset option target=inputs. */
#include "systems/models/chain.h"

static const struct ub_option options[] = {
    {"widths", UB_OPTION_SIZES, "64x16x64", 1, UB_WIDTH_LIMIT, NULL, "units of each hidden layer"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "tanh", 0, 0, ub_activation_names,
     "nonlinearity"},
    {"bias", UB_OPTION_FLAG, "true", 0, 0, NULL, "add a bias vector to each layer"},
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static struct ub_chain chain_of(const struct ub_call *call)
{
    struct ub_chain chain = {.bias = ub_call_flag(call, "bias"),
                             .activation = ub_activation_find(ub_call_get(call, "activation"))};
    chain.hidden = ub_call_sizes(call, "widths", chain.widths, UB_CHAIN_LIMIT);
    return chain;
}

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const struct ub_chain chain = chain_of(call);
    if (data->task != UB_REGRESSION || data->outputs != data->features)
        return ub_fail(err, UB_INPUT,
                       "%lld features and %lld outputs; expected the inputs as targets (dataset "
                       "option target=inputs)",
                       (long long)data->features, (long long)data->outputs);
    return ub_chain_fits(&chain, data, err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const struct ub_chain chain = chain_of(call);
    return ub_chain_build(b, &chain, input);
}

const struct ub_model ub_model_autoencoder = {
    .name = "autoencoder",
    .summary = "perceptron that reproduces its input through a narrow layer",
    .citation = "Hinton and Salakhutdinov 2006, Science 313",
    .options = options,
    .fits = fits,
    .build = build,
};
