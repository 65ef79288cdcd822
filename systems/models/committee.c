/* A soft committee machine: hidden units whose sum is the output, with nothing to train above them,
 *
 *     y = sum_k act(J_k . x / sqrt(2)),   J_k = w_k / sqrt(d),
 *
 * so that a step of length lr on w is one of lr/d on J: the scaling in which gradient descent on
 * single samples has a limit of many inputs, at the same lr (Saad and Solla 1995,
 * doi:10.1103/PhysRevE.52.4225, whose g(u) is erf(u/sqrt(2))).
 *
 * w_k starts N(0, gain^2 s_k), s_k = 2k/(K + 1) if `graded`, of mean 1, so that units differ at any
 * d; else 1. */
#include "systems/layers.h"

#include <math.h>

static const struct ub_option options[] = {
    {"units", UB_OPTION_INT, "2", 1, 64, NULL, "hidden units K"},
    {"activation", UB_OPTION_NAME | UB_OPTION_PLAIN, "erf", 0, 0, ub_activation_names,
     "nonlinearity"},
    {"gain", UB_OPTION_REAL, "1", 0, 1000, NULL, "start: root mean square of a unit's norm"},
    {"graded", UB_OPTION_FLAG, "true", 0, 0, NULL,
     "squared norms of units start at gain^2 2k/(units + 1), k = 1..units; else all at gain^2"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    if (data->outputs != 1)
        return ub_fail(err, UB_INPUT, "%lld outputs; expected 1, the sum of all units",
                       (long long)data->outputs);
    return ub_expect_vectors(data, err) &&
           ub_expect_parameters((double)(data->features * ub_call_int(call, "units")), err);
}

static ub_node unit(struct ub_builder *b, int64_t k, double deviation, ub_node input)
{
    struct ub_graph *g = b->graph;
    const int64_t d = b->data->features;
    char name[32];
    snprintf(name, sizeof name, "unit%d.weight", (int)k);
    const ub_node w = ub_builder_param(b, &(struct ub_param_spec){.name = name,
                                                                  .rank = 2,
                                                                  .shape = {1, d},
                                                                  .fan_in = d,
                                                                  .fan_out = 1,
                                                                  .role = UB_ROLE_FIXED,
                                                                  .start = UB_START_NORMAL,
                                                                  .value = deviation});
    return ub_scale(g, ub_matmul(g, input, ub_transpose(g, w, (int[]){1, 0})),
                    1 / sqrt(2 * (double)d));
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    struct ub_graph *g = b->graph;
    const int64_t units = ub_call_int(call, "units");
    const struct ub_activation *activation = ub_activation_find(ub_call_get(call, "activation"));
    const double gain = ub_call_real(call, "gain");
    ub_node sum = 0;
    ub_builder_width(b, units);
    for (int64_t k = 1; k <= units; k++) {
        const double square =
            ub_call_flag(call, "graded") ? 2 * (double)k / ((double)units + 1) : 1;
        const ub_node h = activation->build(g, unit(b, k, gain * sqrt(square), input));
        sum = k == 1 ? h : ub_add(g, sum, h);
    }
    ub_builder_hidden(b, "sum", sum);
    return sum;
}

const struct ub_model ub_model_committee = {
    .name = "committee",
    .title = "committee machine",
    .summary = "soft committee machine: the sum of a few hidden units",
    .citation = "Saad and Solla 1995, doi:10.1103/PhysRevE.52.4225",
    .options = options,
    .fits = fits,
    .build = build,
};
