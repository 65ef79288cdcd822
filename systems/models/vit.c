/* Vision transformer: patches as tokens, learned positions, pre-norm blocks; the mean of all tokens
 * is read out (Beyer et al. 2022, arXiv:2205.01580). */
#include "base/option_units.h"
#include "systems/layers.h"

static const struct ub_option options[] = {
    {"patch", UB_OPTION_INT | UB_OPTION_OF_PIXELS, "4", 1, 1024, NULL,
     "side of a patch; divides the image's sides"},
    {"width", UB_OPTION_INT, "64", 1, 65536, NULL, "numbers a token"},
    {"depth", UB_OPTION_INT, "4", 1, UB_DEPTH_LIMIT, NULL, "blocks"},
    {"heads", UB_OPTION_INT, "4", 1, 1024, NULL, "attention heads"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "gelu", 0, 0, ub_activation_names,
     "nonlinearity"},
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const double width = (double)ub_call_int(call, "width");
    return ub_expect_patches(data, ub_call_int(call, "patch"), err) &&
           ub_expect_heads(ub_call_int(call, "width"), ub_call_int(call, "heads"), err) &&
           ub_expect_parameters(12 * width * width * (double)ub_call_int(call, "depth"), err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const struct ub_attention attention = {.heads = ub_call_int(call, "heads")};
    const struct ub_activation *activation = ub_activation_find(ub_call_get(call, "activation"));
    const int64_t width = ub_call_int(call, "width");
    struct ub_graph *g = b->graph;
    char name[64];
    ub_builder_width(b, width);
    ub_node x = ub_patch_input(b, input, ub_call_int(call, "patch"));
    x = ub_add_positions(b, ub_builder_linear(b, "embed", x, width, UB_ROLE_INPUT, true));
    for (int64_t i = 1; i <= ub_call_int(call, "depth"); i++) {
        snprintf(name, sizeof name, "block%d.", (int)i);
        x = ub_transformer_block(b, name, x, &attention, activation);
        snprintf(name, sizeof name, "block%d", (int)i);
        ub_builder_hidden(b, name, x);
    }
    x = ub_norm_last(b, "norm", x, UB_NORM_LAYER);
    const double share = 1 / (double)ub_shape_of(g, x).dim[1];
    x = ub_scale(g, ub_sum(g, x, UB_AXIS(1)), share);
    ub_builder_hidden(b, "pooled", x);
    return ub_builder_linear(b, "head", x, b->data->outputs, UB_ROLE_OUTPUT, true);
}

const struct ub_model ub_model_vit = {
    .name = "vit",
    .title = "ViT",
    .summary = "vision transformer on patches, mean-pooled",
    .citation = "Dosovitskiy et al. 2020, arXiv:2010.11929",
    .options = options,
    .fits = fits,
    .build = build,
};
