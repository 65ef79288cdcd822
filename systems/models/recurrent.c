#include "systems/models/recurrent.h"

bool ub_recurrent_fits(const struct ub_call *call, const struct ub_dataset *data, int64_t gates,
                       struct ub_error *err)
{
    const double width = (double)ub_call_int(call, "width");
    int64_t each;
    if (!ub_expect_sequence(data, true, err))
        return false;
    const int64_t steps = ub_sequence_steps(data, true, &each);
    if (steps > UB_STEP_LIMIT)
        return ub_fail(err, UB_INPUT, "%lld steps; expected at most %d", (long long)steps,
                       UB_STEP_LIMIT);
    const double inputs = data->tokens > 0 ? width : (double)each;
    const double layers = (double)ub_call_int(call, "depth");
    return ub_expect_parameters((double)gates * width * (inputs + (2 * layers - 1) * width), err);
}

ub_node ub_gate(struct ub_graph *g, ub_node gates, int64_t k, int64_t width)
{
    return ub_slice(g, gates, 1, k * width, width);
}

/* PyTorch draws all of a recurrent layer's parameters from U(-1/sqrt(width), 1/sqrt(width)): their
 * fan_in is the width, whatever they multiply. */
static ub_node param(struct ub_builder *b, const struct ub_cell *cell, const char *part,
                     int64_t layer, int64_t in, int64_t width, enum ub_role role)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s_l%d", cell->name, part, (int)layer);
    const bool bias = role == UB_ROLE_VECTOR;
    return ub_builder_param(
        b, &(struct ub_param_spec){.name = name,
                                   .rank = bias ? 1 : 2,
                                   .shape = {cell->gates * width, in},
                                   .fan_in = width,
                                   .fan_out = cell->gates * width,
                                   .role = role,
                                   .start = bias ? UB_START_BIAS : UB_START_WEIGHT});
}

/* x is (steps, chunk, in); returns (steps, chunk, width). */
static ub_node run_layer(struct ub_builder *b, const struct ub_cell *cell, ub_node x, int64_t layer,
                         int64_t width, enum ub_role role)
{
    struct ub_graph *g = b->graph;
    const struct ub_shape s = ub_shape_of(g, x);
    const int64_t steps = s.dim[0], n = s.dim[1], in = s.dim[2], all = cell->gates * width;
    const int swap[] = {1, 0};
    const ub_node w_in = param(b, cell, "weight_ih", layer, in, width, role);
    const ub_node w = param(b, cell, "weight_hh", layer, width, width, UB_ROLE_HIDDEN);
    const ub_node b_in = param(b, cell, "bias_ih", layer, 1, width, UB_ROLE_VECTOR);
    const ub_node bias = param(b, cell, "bias_hh", layer, 1, width, UB_ROLE_VECTOR);
    /* The inputs' share of all steps is one product. */
    const ub_node inputs = ub_add(g, ub_matmul(g, x, ub_transpose(g, w_in, swap)), b_in);
    const ub_node zero = ub_fill(g, 0, 2, (int64_t[]){n, width});
    const ub_node turned = ub_transpose(g, w, swap);
    ub_node state[2] = {zero, zero};
    ub_node *out = ub_calloc((size_t)steps, sizeof *out);
    for (int64_t t = 0; t < steps; t++) {
        const ub_node input = ub_reshape(g, ub_slice(g, inputs, 0, t, 1), 2, (int64_t[]){n, all});
        const ub_node hidden = ub_add(g, ub_matmul(g, state[0], turned),
                                      ub_broadcast(g, bias, 2, (int64_t[]){n, all}));
        cell->step(g, input, hidden, width, state);
        out[t] = ub_reshape(g, state[0], 3, (int64_t[]){1, n, width});
    }
    const ub_node joined = ub_concat(g, out, (int)steps, 0);
    ub_free(out);
    return joined;
}

ub_node ub_recurrent_build(struct ub_builder *b, const struct ub_call *call, ub_node input,
                           const struct ub_cell *cell)
{
    const struct ub_dataset *d = b->data;
    const int64_t width = ub_call_int(call, "width");
    const int swap[] = {1, 0, 2};
    struct ub_graph *g = b->graph;
    char name[64];
    ub_builder_width(b, width);
    ub_node x = d->tokens > 0 ? ub_sequence_input(b, input, width, 1) : ub_step_input(b, input);
    x = ub_transpose(g, x, swap); /* steps first: a step is one stretch of memory */
    for (int64_t i = 0; i < ub_call_int(call, "depth"); i++) {
        const bool first = i == 0 && d->tokens == 0;
        x = run_layer(b, cell, x, i, width, first ? UB_ROLE_INPUT : UB_ROLE_HIDDEN);
        snprintf(name, sizeof name, "layer%d", (int)i + 1);
        ub_builder_hidden(b, name, ub_transpose(g, x, swap));
    }
    x = ub_sequence_output(b, ub_transpose(g, x, swap));
    return ub_builder_linear(b, "head", x, d->outputs, UB_ROLE_OUTPUT, true);
}
