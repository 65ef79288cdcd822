/* Gated recurrent unit, in the form that PyTorch computes: gates r, z, n. */
#include "systems/models/recurrent.h"

static const struct ub_option options[] = {
    UB_RECURRENT_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* n = tanh(n_x + sigmoid(r) n_h); h' = n + sigmoid(z) (h - n). */
static void step(struct ub_graph *g, ub_node input, ub_node hidden, int64_t width, ub_node state[2])
{
    const ub_node reset =
        ub_sigmoid(g, ub_add(g, ub_gate(g, input, 0, width), ub_gate(g, hidden, 0, width)));
    const ub_node keep =
        ub_sigmoid(g, ub_add(g, ub_gate(g, input, 1, width), ub_gate(g, hidden, 1, width)));
    const ub_node fresh = ub_tanh(
        g, ub_add(g, ub_gate(g, input, 2, width), ub_mul(g, reset, ub_gate(g, hidden, 2, width))));
    state[0] = ub_add(g, fresh, ub_mul(g, keep, ub_sub(g, state[0], fresh)));
}

static const struct ub_cell cell = {.name = "gru", .gates = 3, .step = step};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    return ub_recurrent_fits(call, data, cell.gates, err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    return ub_recurrent_build(b, call, input, &cell);
}

const struct ub_model ub_model_gru = {
    .name = "gru",
    .title = "GRU",
    .summary = "gated recurrent units over steps (or rows of images)",
    .citation = "Cho et al. 2014, arXiv:1406.1078",
    .options = options,
    .fits = fits,
    .build = build,
};
