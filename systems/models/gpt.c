/* Decoder-only transformer: pre-norm blocks with causal attention, learned or rotary positions.
 * With a window of w tokens (Beltagy et al. 2020, arXiv:2004.05150) a stack of d blocks sees the
 * last 1 + d (w - 1) of them. */
#include "base/option_units.h"
#include "systems/layers.h"

#include <string.h>

static const char *const positions[] = {"learned", "rotary", NULL};
static const struct ub_option options[] = {
    {"width", UB_OPTION_INT, "64", 1, 65536, NULL, "numbers a token"},
    {"depth", UB_OPTION_INT, "2", 1, UB_DEPTH_LIMIT, NULL, "blocks"},
    {"heads", UB_OPTION_INT, "4", 1, 1024, NULL, "attention heads"},
    {"positions", UB_OPTION_NAME, "learned", 0, 0, positions, "how a token knows its place"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "gelu", 0, 0, ub_activation_names,
     "nonlinearity"},
    UB_PARAMETRIZATION_OPTIONS,
    {"window", UB_OPTION_INT | UB_OPTION_LATER | UB_OPTION_OF_TOKENS, "0", 0, 1e6, NULL,
     "last tokens, the present one among them, that a token attends to; 0 = all"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool is_rotary(const struct ub_call *call)
{
    return strcmp(ub_call_get(call, "positions"), "rotary") == 0;
}

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const int64_t width = ub_call_int(call, "width"), heads = ub_call_int(call, "heads");
    if (!ub_expect_sequence(data, false, err) || !ub_expect_heads(width, heads, err))
        return false;
    if (is_rotary(call) && width / heads % 2 != 0)
        return ub_fail(err, UB_INPUT, "heads of %lld numbers; expected an even number for rotary",
                       (long long)(width / heads));
    return ub_expect_parameters(12.0 * (double)(width * width) * (double)ub_call_int(call, "depth"),
                                err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const struct ub_attention attention = {.heads = ub_call_int(call, "heads"),
                                           .causal = true,
                                           .rotary = is_rotary(call),
                                           .window = ub_call_int(call, "window")};
    const struct ub_activation *activation = ub_activation_find(ub_call_get(call, "activation"));
    const int64_t width = ub_call_int(call, "width");
    char name[64];
    ub_builder_width(b, width);
    ub_node x = ub_sequence_input(b, input, width, 0.02);
    if (!attention.rotary)
        x = ub_add_positions(b, x);
    for (int64_t i = 1; i <= ub_call_int(call, "depth"); i++) {
        snprintf(name, sizeof name, "block%d.", (int)i);
        x = ub_transformer_block(b, name, x, &attention, activation);
        snprintf(name, sizeof name, "block%d", (int)i);
        ub_builder_hidden(b, name, x);
    }
    x = ub_norm_last(b, "norm", x, UB_NORM_LAYER);
    x = ub_sequence_output(b, x);
    return ub_builder_linear(b, "head", x, b->data->outputs, UB_ROLE_OUTPUT, false);
}

const struct ub_model ub_model_gpt = {
    .name = "gpt",
    .title = "GPT",
    .summary = "decoder-only transformer, pre-norm, causal",
    .citation = "Radford et al. 2019, Language Models are Unsupervised Multitask Learners",
    .options = options,
    .fits = fits,
    .build = build,
};
