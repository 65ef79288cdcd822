/* Long short-term memory, in the form with forget gates that PyTorch computes: gates i, f, g, o. */
#include "systems/models/recurrent.h"

static const struct ub_option options[] = {
    UB_RECURRENT_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* c' = sigmoid(f) c + sigmoid(i) tanh(g); h' = sigmoid(o) tanh(c'). */
static void step(struct ub_graph *g, ub_node input, ub_node hidden, int64_t width, ub_node state[2])
{
    const ub_node gates = ub_add(g, input, hidden);
    const ub_node in = ub_sigmoid(g, ub_gate(g, gates, 0, width));
    const ub_node forget = ub_sigmoid(g, ub_gate(g, gates, 1, width));
    const ub_node candidate = ub_tanh(g, ub_gate(g, gates, 2, width));
    const ub_node out = ub_sigmoid(g, ub_gate(g, gates, 3, width));
    state[1] = ub_add(g, ub_mul(g, forget, state[1]), ub_mul(g, in, candidate));
    state[0] = ub_mul(g, out, ub_tanh(g, state[1]));
}

static const struct ub_cell cell = {.name = "lstm", .gates = 4, .step = step};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    return ub_recurrent_fits(call, data, cell.gates, err);
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    return ub_recurrent_build(b, call, input, &cell);
}

const struct ub_model ub_model_lstm = {
    .name = "lstm",
    .title = "LSTM",
    .summary = "long short-term memory over steps (or rows of images)",
    .citation = "Hochreiter and Schmidhuber 1997, Neural Comput. 9; Gers et al. 2000",
    .options = options,
    .fits = fits,
    .build = build,
};
