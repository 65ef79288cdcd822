/* Random features: y = A act(W x + b) of which only the readout A trains; W and b stay as drawn.
 * Linear in its parameters: under mse the Hessian is the features' second moment. */
#include "systems/layers.h"
#include "systems/wide.h"

static const struct ub_option options[] = {
    {"width", UB_OPTION_INT, "256", 1, UB_WIDTH_LIMIT, NULL, "features"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "relu", 0, 0, ub_activation_names,
     "nonlinearity"},
    {"zero-readout", UB_OPTION_FLAG, "false", 0, 0, NULL, "the readout starts at zero"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const double numbers = (double)data->features + (double)data->outputs;
    return ub_expect_vectors(data, err) &&
           ub_expect_parameters(numbers * (double)ub_call_int(call, "width"), err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    struct ub_graph *g = b->graph;
    const int64_t n = ub_call_int(call, "width"), d = b->data->features;
    b->zero_readout = ub_call_flag(call, "zero-readout");
    ub_builder_width(b, n);
    const ub_node w = ub_builder_param(b, &(struct ub_param_spec){.name = "fc1.weight",
                                                                  .rank = 2,
                                                                  .shape = {n, d},
                                                                  .fan_in = d,
                                                                  .fan_out = n,
                                                                  .role = UB_ROLE_INPUT,
                                                                  .frozen = true});
    const ub_node bias = ub_builder_param(b, &(struct ub_param_spec){.name = "fc1.bias",
                                                                     .rank = 1,
                                                                     .shape = {n},
                                                                     .fan_in = d,
                                                                     .fan_out = n,
                                                                     .role = UB_ROLE_VECTOR,
                                                                     .start = UB_START_BIAS,
                                                                     .frozen = true});
    const ub_node z = ub_add(g, ub_matmul(g, input, ub_transpose(g, w, (int[]){1, 0})), bias);
    const ub_node h = ub_activation_find(ub_call_get(call, "activation"))->build(g, z);
    ub_builder_hidden(b, "features", h);
    return ub_builder_linear(b, "fc2", h, b->data->outputs, UB_ROLE_OUTPUT, false);
}

/* The first layer is drawn, but does not move. */
static void wide(const struct ub_wide_source *source, struct ub_wide *out)
{
    const struct ub_param *drawn = source->frozen->params;
    ub_wide_start(out, ub_activation_find(ub_call_get(source->call, "activation")), 1);
    out->layer[0] = ub_wide_layer_of(source, &drawn[0], &drawn[1]);
    out->layer[0].weight_rate = out->layer[0].bias_rate = 0;
    out->layer[1] = ub_wide_layer_of(source, &source->layout->params[0], NULL);
}

const struct ub_model ub_model_random_features = {
    .name = "random-features",
    .title = "random features",
    .summary = "one hidden layer that stays as drawn; only the readout trains",
    .citation = "Rahimi and Recht 2007, NIPS 20",
    .options = options,
    .fits = fits,
    .build = build,
    .wide = wide,
};
