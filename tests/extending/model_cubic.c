/* y = W x + V x^3, entry by entry of x: linear in its parameters. */
#include "systems/layers.h"

static const struct ub_option options[] = {
    {"scale", UB_OPTION_REAL, "1", 1e-6, 1e6, NULL, "factor of the cubes"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    (void)call;
    return ub_expect_one_position(data, err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    struct ub_graph *g = b->graph;
    const ub_node cube = ub_mul(g, input, ub_mul(g, input, input));
    const ub_node scaled = ub_scale(g, cube, ub_call_real(call, "scale"));
    const int64_t outputs = b->data->outputs;
    return ub_add(g, ub_builder_linear(b, "line", input, outputs, UB_ROLE_FIXED, false),
                  ub_builder_linear(b, "cube", scaled, outputs, UB_ROLE_FIXED, false));
}

const struct ub_model ub_model_cubic = {
    .name = "cubic",
    .summary = "a linear map of the inputs and their cubes",
    .citation = "Hastie, Tibshirani and Friedman 2009, chapter 5",
    .options = options,
    .fits = fits,
    .build = build,
};
