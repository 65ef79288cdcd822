/* Attention-only transformer: a residual stream to which attention layers add, without norms and
 * perceptrons; small enough to be taken apart by hand. */
#include "systems/layers.h"

static const struct ub_option options[] = {
    {"width", UB_OPTION_INT, "64", 1, 65536, NULL, "numbers a token"},
    {"depth", UB_OPTION_INT, "2", 1, UB_DEPTH_LIMIT, NULL, "attention layers"},
    {"heads", UB_OPTION_INT, "4", 1, 1024, NULL, "attention heads"},
    UB_PARAMETRIZATION_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const int64_t width = ub_call_int(call, "width");
    return ub_expect_sequence(data, false, err) &&
           ub_expect_heads(width, ub_call_int(call, "heads"), err) &&
           ub_expect_parameters(4.0 * (double)(width * width) * (double)ub_call_int(call, "depth"),
                                err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const struct ub_attention attention = {.heads = ub_call_int(call, "heads"), .causal = true};
    const int64_t width = ub_call_int(call, "width");
    char name[64];
    ub_builder_width(b, width);
    ub_node x = ub_add_positions(b, ub_sequence_input(b, input, width, 1));
    for (int64_t i = 1; i <= ub_call_int(call, "depth"); i++) {
        snprintf(name, sizeof name, "block%d.", (int)i);
        x = ub_add(b->graph, x, ub_attention_layer(b, name, x, &attention));
        snprintf(name, sizeof name, "block%d", (int)i);
        ub_builder_hidden(b, name, x);
    }
    x = ub_sequence_output(b, x);
    return ub_builder_linear(b, "head", x, b->data->outputs, UB_ROLE_OUTPUT, false);
}

const struct ub_model ub_model_attention_only = {
    .name = "attention-only",
    .summary = "causal attention layers on a residual stream, nothing else",
    .citation = "Elhage et al. 2021, A Mathematical Framework for Transformer Circuits",
    .options = options,
    .fits = fits,
    .build = build,
};
