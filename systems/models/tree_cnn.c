/* A convolutional network matched to a tree: windows of `branching` neighbors that do not overlap,
 * layer upon layer until one position is left, then one linear layer,
 *
 *     h_l(i) = act(W_l [h_{l-1}(i b), ..., h_{l-1}(i b + b - 1)] + c_l),   i < b^(depth - l),
 *
 * with the same W_l at all positions, or one of each position's own (locally connected, shared =
 * false): the networks that Cagnetta et al. 2023, arXiv:2307.02129, teach their hierarchies.
 *
 * A sample's numbers are b^depth leaves in their order, as many numbers each: one-hot symbols one
 * after another. Weights of a layer's own positions are (positions, out, in), of fan_in b x width
 * (b x leaf in the first), as if each position were a layer of its own. */
#include "systems/layers.h"

static const struct ub_option options[] = {
    {"branching", UB_OPTION_INT, "2", 2, 16, NULL, "neighbors that a window takes together"},
    {"depth", UB_OPTION_INT, "2", 1, 16, NULL, "layers; branching^depth leaves"},
    {"width", UB_OPTION_INT, "64", 1, 65536, NULL, "channels of each layer"},
    {"shared", UB_OPTION_FLAG, "true", 0, 0, NULL, "the same weights at all positions of a layer"},
    {"activation", UB_OPTION_NAME, "relu", 0, 0, ub_activation_names, "nonlinearity"},
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* branching^depth, at most more than any dataset has numbers. */
static int64_t leaves_of(const struct ub_call *call)
{
    int64_t leaves = 1;
    for (int64_t i = 0; i < ub_call_int(call, "depth") && leaves <= UB_PARAMETER_LIMIT; i++)
        leaves *= ub_call_int(call, "branching");
    return leaves;
}

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const int64_t leaves = leaves_of(call), branching = ub_call_int(call, "branching");
    if (!ub_expect_vectors(data, err))
        return false;
    if (data->features % leaves != 0)
        return ub_fail(err, UB_INPUT,
                       "%lld numbers a sample; expected a multiple of branching^depth, %lld leaves",
                       (long long)data->features, (long long)leaves);
    const bool shared = ub_call_flag(call, "shared");
    const double width = (double)ub_call_int(call, "width");
    double in = (double)(branching * (data->features / leaves)), count = 0;
    for (int64_t left = leaves / branching; left > 0; left /= branching) {
        count += in * width * (shared ? 1 : (double)left);
        in = width * (double)branching;
    }
    return ub_expect_parameters(count + width * (double)data->outputs, err);
}

/* (chunk, positions, in) through a matrix and a bias of each position's own. */
static ub_node own_linear(struct ub_builder *b, const char *name, ub_node x, int64_t out,
                          enum ub_role role)
{
    struct ub_graph *g = b->graph;
    const struct ub_shape s = ub_shape_of(g, x);
    char full[64];
    struct ub_param_spec spec = {.name = ub_layer_name(full, name, ".weight"),
                                 .rank = 3,
                                 .shape = {s.dim[1], out, s.dim[2]},
                                 .fan_in = s.dim[2],
                                 .fan_out = out,
                                 .role = role};
    const ub_node weight = ub_builder_param(b, &spec);
    spec = (struct ub_param_spec){.name = ub_layer_name(full, name, ".bias"),
                                  .rank = 2,
                                  .shape = {s.dim[1], out},
                                  .fan_in = s.dim[2],
                                  .fan_out = out,
                                  .role = UB_ROLE_VECTOR,
                                  .start = UB_START_BIAS};
    const ub_node bias = ub_builder_param(b, &spec);
    const int swap[] = {1, 0, 2};
    const ub_node y =
        ub_matmul(g, ub_transpose(g, x, swap), ub_transpose(g, weight, (int[]){0, 2, 1}));
    return ub_add(g, ub_transpose(g, y, swap), bias);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    struct ub_graph *g = b->graph;
    const struct ub_activation *activation = ub_activation_find(ub_call_get(call, "activation"));
    const int64_t width = ub_call_int(call, "width"), branching = ub_call_int(call, "branching");
    const int64_t samples = ub_shape_of(g, input).dim[0];
    int64_t positions = leaves_of(call), in = b->data->features / positions;
    ub_node x = input;
    char name[32];
    ub_builder_width(b, width);
    for (int i = 1; positions > 1; i++) {
        const enum ub_role role = i > 1 ? UB_ROLE_HIDDEN : UB_ROLE_INPUT;
        positions /= branching;
        x = ub_reshape(g, x, 3, (int64_t[]){samples, positions, branching * in});
        snprintf(name, sizeof name, "conv%d", i);
        x = ub_call_flag(call, "shared") ? ub_builder_linear(b, name, x, width, role, true)
                                         : own_linear(b, name, x, width, role);
        x = activation->build(g, x);
        snprintf(name, sizeof name, "hidden%d", i);
        ub_builder_hidden(b, name, x);
        in = width;
    }
    x = ub_reshape(g, x, 2, (int64_t[]){samples, width});
    return ub_builder_linear(b, "fc", x, b->data->outputs, UB_ROLE_OUTPUT, true);
}

const struct ub_model ub_model_tree_cnn = {
    .name = "tree-cnn",
    .summary = "convolutions without overlap, layer upon layer until one position is left",
    .citation = "Cagnetta et al. 2023, arXiv:2307.02129",
    .options = options,
    .fits = fits,
    .build = build,
};
