/* MLP-Mixer: patches as tokens; each block mixes tokens, then channels, with two-layer perceptrons
 * on normalized inputs, added to what comes in. */
#include "base/option_units.h"
#include "systems/layers.h"

static const struct ub_option options[] = {
    {"patch", UB_OPTION_INT | UB_OPTION_OF_PIXELS, "4", 1, 1024, NULL,
     "side of a patch; divides the image's sides"},
    {"width", UB_OPTION_INT, "64", 1, 65536, NULL, "numbers a token"},
    {"depth", UB_OPTION_INT, "4", 1, UB_DEPTH_LIMIT, NULL, "blocks"},
    {"tokens", UB_OPTION_INT, "32", 1, 65536, NULL, "hidden units that mix tokens"},
    {"channels", UB_OPTION_INT, "0", 0, 65536, NULL, "hidden units that mix channels; 0 = 2 width"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "gelu", 0, 0, ub_activation_names,
     "nonlinearity"},
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* They grow with the width: that is what makes both layers hidden ones under mup. */
static int64_t channels_of(const struct ub_call *call)
{
    const int64_t channels = ub_call_int(call, "channels");
    return channels > 0 ? channels : 2 * ub_call_int(call, "width");
}

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const double width = (double)ub_call_int(call, "width");
    const double hidden = (double)channels_of(call);
    return ub_expect_patches(data, ub_call_int(call, "patch"), err) &&
           ub_expect_parameters(2 * width * hidden * (double)ub_call_int(call, "depth"), err);
}

/* Two layers over the last axis: "<prefix><name>1" and "<prefix><name>2". Mixing tokens, neither
 * side grows with the width. */
static ub_node mix(struct ub_builder *b, const char *prefix, const char *name, ub_node x,
                   int64_t hidden, enum ub_role role, const struct ub_activation *activation)
{
    const struct ub_shape s = ub_shape_of(b->graph, x);
    char full[64];
    snprintf(full, sizeof full, "%s%s1", prefix, name);
    ub_node h = ub_builder_linear(b, full, x, hidden, role, true);
    h = activation->build(b->graph, h);
    snprintf(full, sizeof full, "%s%s2", prefix, name);
    return ub_builder_linear(b, full, h, s.dim[s.rank - 1], role, true);
}

static ub_node block(struct ub_builder *b, const char *prefix, const struct ub_call *call,
                     ub_node x)
{
    const struct ub_activation *activation = ub_activation_find(ub_call_get(call, "activation"));
    struct ub_graph *g = b->graph;
    const int swap[] = {0, 2, 1};
    char name[64];
    ub_node h = ub_norm_last(b, ub_layer_name(name, prefix, "norm1"), x, UB_NORM_LAYER);
    h = mix(b, prefix, "token", ub_transpose(g, h, swap), ub_call_int(call, "tokens"),
            UB_ROLE_FIXED, activation);
    x = ub_add(g, x, ub_transpose(g, h, swap));
    h = ub_norm_last(b, ub_layer_name(name, prefix, "norm2"), x, UB_NORM_LAYER);
    h = mix(b, prefix, "channel", h, channels_of(call), UB_ROLE_HIDDEN, activation);
    return ub_add(g, x, h);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const int64_t width = ub_call_int(call, "width");
    struct ub_graph *g = b->graph;
    char name[64];
    ub_builder_width(b, width);
    ub_node x = ub_patch_input(b, input, ub_call_int(call, "patch"));
    x = ub_builder_linear(b, "embed", x, width, UB_ROLE_INPUT, true);
    for (int64_t i = 1; i <= ub_call_int(call, "depth"); i++) {
        snprintf(name, sizeof name, "block%d.", (int)i);
        x = block(b, name, call, x);
        snprintf(name, sizeof name, "block%d", (int)i);
        ub_builder_hidden(b, name, x);
    }
    x = ub_norm_last(b, "norm", x, UB_NORM_LAYER);
    const double share = 1 / (double)ub_shape_of(g, x).dim[1];
    x = ub_scale(g, ub_sum(g, x, UB_AXIS(1)), share);
    ub_builder_hidden(b, "pooled", x);
    return ub_builder_linear(b, "head", x, b->data->outputs, UB_ROLE_OUTPUT, true);
}

const struct ub_model ub_model_mlp_mixer = {
    .name = "mlp-mixer",
    .title = "MLP-Mixer",
    .summary = "perceptrons that mix patches and channels in turn",
    .citation = "Tolstikhin et al. 2021, arXiv:2105.01601",
    .options = options,
    .fits = fits,
    .build = build,
};
