/* Fully connected residual network,
 *
 *     h_0 = W_0 x,   h_l = h_{l-1} + s W_l act(h_{l-1}) for l = 1..depth,   y = W act(h_depth) + b
 *
 * with s = 1/sqrt(depth) (sqrt: h and its change by training have a limit of many layers; Bordelon
 * et al. 2023, arXiv:2309.16620; Yang et al. 2023, arXiv:2310.02244) or s = 1 (one). */
#include "systems/layers.h"

#include <math.h>
#include <string.h>

static const char *const branches[] = {"sqrt", "one", NULL};
static const struct ub_option options[] = {
    {"width", UB_OPTION_INT, "64", 1, UB_WIDTH_LIMIT, NULL, "units of each layer"},
    {"depth", UB_OPTION_INT, "4", 1, UB_DEPTH_LIMIT, NULL, "residual branches"},
    {"branch", UB_OPTION_NAME, "sqrt", 0, 0, branches,
     "multiplier of branches: 1/sqrt(depth), or one"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "tanh", 0, 0, ub_activation_names,
     "nonlinearity"},
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const double width = (double)ub_call_int(call, "width");
    const double numbers =
        (double)ub_call_int(call, "depth") * width + (double)data->features + (double)data->outputs;
    return ub_expect_vectors(data, err) && ub_expect_parameters(numbers * width, err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    struct ub_graph *g = b->graph;
    const struct ub_activation *activation = ub_activation_find(ub_call_get(call, "activation"));
    const int64_t width = ub_call_int(call, "width"), depth = ub_call_int(call, "depth");
    const bool scaled = strcmp(ub_call_get(call, "branch"), "sqrt") == 0;
    char name[32];
    ub_builder_width(b, width);
    ub_node h = ub_builder_linear(b, "fc1", input, width, UB_ROLE_INPUT, false);
    for (int64_t l = 1; l <= depth; l++) {
        snprintf(name, sizeof name, "fc%d", (int)l + 1);
        const ub_node branch =
            ub_builder_linear(b, name, activation->build(g, h), width, UB_ROLE_HIDDEN, false);
        h = ub_add(g, h, ub_scale(g, branch, scaled ? 1 / sqrt((double)depth) : 1));
        snprintf(name, sizeof name, "hidden%d", (int)l);
        ub_builder_hidden(b, name, h);
    }
    snprintf(name, sizeof name, "fc%d", (int)depth + 2);
    return ub_builder_linear(b, name, activation->build(g, h), b->data->outputs, UB_ROLE_OUTPUT,
                             true);
}

const struct ub_model ub_model_residual_mlp = {
    .name = "residual-mlp",
    .title = "residual MLP",
    .summary = "fully connected residual network, its branches scaled with depth or not",
    .citation = "Bordelon et al. 2023, arXiv:2309.16620; Yang et al. 2023, arXiv:2310.02244",
    .options = options,
    .fits = fits,
    .build = build,
};
