/* A product of scalars, y = (w_1 w_2 ... w_L) x: the smallest deep network. It starts balanced at
 * `start`, or with `spread`, w_l = start + spread times a normal number. */
#include "base/option_units.h"
#include "systems/layers.h"

static const struct ub_option options[] = {
    {"depth", UB_OPTION_INT, "4", 1, 64, NULL, "factors"},
    {"start", UB_OPTION_REAL | UB_OPTION_OF_PARAMETER, "0.5", -1000, 1000, NULL,
     "initial value of each factor"},
    {"spread", UB_OPTION_REAL | UB_OPTION_OF_PARAMETER, "0.1", 0, 1000, NULL,
     "standard deviation about it"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    (void)call;
    if (data->features != data->outputs)
        return ub_fail(err, UB_INPUT, "%lld features and %lld outputs; expected as many of both",
                       (long long)data->features, (long long)data->outputs);
    return ub_expect_vectors(data, err);
}

/* The parameter is the deviation from the start, so that each init has its own random stream. */
static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    struct ub_graph *g = b->graph;
    const ub_node start = ub_scalar(g, ub_call_real(call, "start"));
    ub_node y = input;
    char name[32];
    for (int64_t l = 1; l <= ub_call_int(call, "depth"); l++) {
        snprintf(name, sizeof name, "w%d", (int)l);
        const ub_node w =
            ub_builder_param(b, &(struct ub_param_spec){.name = name,
                                                        .rank = 1,
                                                        .shape = {1},
                                                        .fan_in = 1,
                                                        .fan_out = 1,
                                                        .role = UB_ROLE_FIXED,
                                                        .start = UB_START_NORMAL,
                                                        .value = ub_call_real(call, "spread")});
        y = ub_mul(g, y, ub_add(g, w, start));
    }
    return y;
}

const struct ub_model ub_model_scalar_chain = {
    .name = "scalar-chain",
    .title = "scalar chain",
    .summary = "a product of scalars times x",
    .citation = "Saxe et al. 2013, arXiv:1312.6120; Kreisler et al. 2023, arXiv:2305.13064",
    .options = options,
    .fits = fits,
    .build = build,
};
