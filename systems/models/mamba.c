/* Selective state space model in the manner of Mamba. A block, added to its input x:
 *
 *   (u, z) = in(norm x)                    two streams of `expand` x width channels
 *   u = silu(causal depthwise convolution of u over 4 steps)
 *   (d, B, C) = select(u),  D = softplus(step(d))          step sizes, and how to write and read
 *   h_t = exp(D_t A) h_{t-1} + D_t u_t B_t,  y_t = C_t . h_t + skip u_t    channel by channel
 *   out(y silu(z))
 *
 * with A = -exp(log A), log A starting at log 1..state (Gu and Dao 2023, arXiv:2312.00752; norm is
 * the root mean square). The recurrence is unrolled over the steps. There is no choice of
 * parametrization: the rules of mup do not hold for selection (Vankadara et al. 2024, NeurIPS). */
#include "systems/models/recurrent.h"

#include <math.h>

enum { TAPS = 4 };

static const struct ub_option options[] = {
    {"width", UB_OPTION_INT, "32", 1, 65536, NULL, "numbers a token"},
    {"depth", UB_OPTION_INT, "2", 1, UB_DEPTH_LIMIT, NULL, "blocks"},
    {"state", UB_OPTION_INT, "8", 1, 256, NULL, "state numbers a channel"},
    {"expand", UB_OPTION_INT, "2", 1, 16, NULL, "channels over width"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool fits(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err)
{
    const double width = (double)ub_call_int(call, "width");
    const double expand = (double)ub_call_int(call, "expand");
    int64_t each;
    if (!ub_expect_sequence(data, false, err))
        return false;
    const int64_t steps = ub_sequence_steps(data, false, &each);
    if (steps > UB_STEP_LIMIT)
        return ub_fail(err, UB_INPUT, "%lld steps; expected at most %d", (long long)steps,
                       UB_STEP_LIMIT);
    return ub_expect_parameters(4 * expand * width * width * (double)ub_call_int(call, "depth"),
                                err);
}

struct block {
    struct ub_builder *b;
    const char *prefix;
    int64_t state, channels;
};

static ub_node param(const struct block *m, const char *name, int64_t columns, enum ub_start start,
                     double value)
{
    char full[64];
    return ub_builder_param(m->b,
                            &(struct ub_param_spec){.name = ub_layer_name(full, m->prefix, name),
                                                    .rank = columns > 0 ? 2 : 1,
                                                    .shape = {m->channels, columns},
                                                    .fan_in = columns > 0 ? columns : 1,
                                                    .fan_out = m->channels,
                                                    .role = UB_ROLE_VECTOR,
                                                    .start = start,
                                                    .value = value});
}

/* Each channel's own filter over its last TAPS steps; the filter's last entry meets the present. */
static ub_node convolve(const struct block *m, ub_node u)
{
    struct ub_graph *g = m->b->graph;
    const int64_t steps = ub_shape_of(g, u).dim[1];
    const ub_node filter = param(m, "conv.weight", TAPS, UB_START_WEIGHT, 0);
    const ub_node padded = ub_pad(g, u, 1, TAPS - 1, 0);
    ub_node sum = param(m, "conv.bias", 0, UB_START_CONSTANT, 0);
    for (int64_t k = 0; k < TAPS; k++) {
        const ub_node tap = ub_reshape(g, ub_slice(g, filter, 1, k, 1), 1, &m->channels);
        sum = ub_add(g, sum, ub_mul(g, ub_slice(g, padded, 1, k, steps), tap));
    }
    return ub_silu(g, sum);
}

/* The step t of x, whose first axis is steps, in shape `dim`. */
static ub_node at_step(struct ub_graph *g, ub_node x, int64_t t, int rank, const int64_t *dim)
{
    return ub_reshape(g, ub_slice(g, x, 0, t, 1), rank, dim);
}

/* h is (state, chunk, channels): what is the same for all state numbers is read as it lies, and
 * sums over them add rows to rows. Steps come first in all that is read step by step: a step is
 * one stretch of memory. */
static ub_node scan(const struct block *m, ub_node u, ub_node size, ub_node write, ub_node read)
{
    struct ub_graph *g = m->b->graph;
    const struct ub_shape s = ub_shape_of(g, u);
    const int64_t n = s.dim[0], steps = s.dim[1], channels = m->channels, state = m->state;
    const int64_t by_channel[] = {n, channels}, by_state[] = {state, n, 1};
    const int swap[] = {1, 0}, rows[] = {1, 0, 2}, columns[] = {1, 2, 0};
    /* log A: an offset from log 1..state, so that any init of the offset starts there. */
    const ub_node start = ub_log(g, ub_add(g, ub_iota(g, state), ub_scalar(g, 1)));
    const ub_node offset = param(m, "log_decay", state, UB_START_CONSTANT, 0);
    const ub_node decay = ub_transpose(g, ub_neg(g, ub_exp(g, ub_add(g, offset, start))), swap);
    const ub_node a = ub_reshape(g, decay, 3, (int64_t[]){state, 1, channels});
    const ub_node input = ub_transpose(g, ub_mul(g, size, u), rows);
    ub_node h = ub_fill(g, 0, 3, (int64_t[]){state, n, channels});
    ub_node *out = ub_calloc((size_t)steps, sizeof *out);
    size = ub_transpose(g, size, rows);
    write = ub_transpose(g, write, columns);
    read = ub_transpose(g, read, columns);
    for (int64_t t = 0; t < steps; t++) {
        const ub_node d = at_step(g, size, t, 2, by_channel);
        const ub_node in = at_step(g, input, t, 2, by_channel);
        const ub_node written = ub_mul(g, in, at_step(g, write, t, 3, by_state));
        h = ub_add(g, ub_mul(g, ub_exp(g, ub_mul(g, d, a)), h), written);
        const ub_node seen = ub_sum(g, ub_mul(g, h, at_step(g, read, t, 3, by_state)), UB_AXIS(0));
        out[t] = ub_reshape(g, seen, 3, (int64_t[]){1, n, channels});
    }
    const ub_node y = ub_transpose(g, ub_concat(g, out, (int)steps, 0), rows);
    ub_free(out);
    return ub_add(g, y, ub_mul(g, u, param(m, "skip", 0, UB_START_CONSTANT, 1)));
}

static ub_node run_block(const struct block *m, ub_node x, int64_t width)
{
    struct ub_builder *b = m->b;
    struct ub_graph *g = b->graph;
    const int64_t rank = (width + 15) / 16, state = m->state, channels = m->channels;
    char name[64];
    ub_node h = ub_norm_last(b, ub_layer_name(name, m->prefix, "norm"), x, UB_NORM_RMS);
    h = ub_builder_linear(b, ub_layer_name(name, m->prefix, "in"), h, 2 * channels, UB_ROLE_HIDDEN,
                          false);
    const ub_node u = convolve(m, ub_slice(g, h, 2, 0, channels));
    const ub_node z = ub_slice(g, h, 2, channels, channels);
    const ub_node selected = ub_builder_linear(b, ub_layer_name(name, m->prefix, "select"), u,
                                               rank + 2 * state, UB_ROLE_HIDDEN, false);
    ub_node size =
        ub_builder_linear(b, ub_layer_name(name, m->prefix, "step"),
                          ub_slice(g, selected, 2, 0, rank), channels, UB_ROLE_HIDDEN, false);
    /* softplus(-4.6) = 0.01, the geometric middle of the paper's range of step sizes. */
    size = ub_add(g, size, param(m, "step.bias", 0, UB_START_CONSTANT, -4.6));
    const ub_node y = scan(m, u, ub_softplus(g, size), ub_slice(g, selected, 2, rank, state),
                           ub_slice(g, selected, 2, rank + state, state));
    return ub_add(g, x,
                  ub_builder_linear(b, ub_layer_name(name, m->prefix, "out"),
                                    ub_mul(g, y, ub_silu(g, z)), width, UB_ROLE_HIDDEN, false));
}

static ub_node build(struct ub_builder *b, const struct ub_call *call, ub_node input)
{
    const int64_t width = ub_call_int(call, "width");
    char name[64];
    ub_builder_width(b, width);
    ub_node x = ub_sequence_input(b, input, width, 1);
    for (int64_t i = 1; i <= ub_call_int(call, "depth"); i++) {
        snprintf(name, sizeof name, "block%d.", (int)i);
        const struct block m = {.b = b,
                                .prefix = name,
                                .state = ub_call_int(call, "state"),
                                .channels = ub_call_int(call, "expand") * width};
        x = run_block(&m, x, width);
        char hidden[64];
        snprintf(hidden, sizeof hidden, "block%d", (int)i);
        ub_builder_hidden(b, hidden, x);
    }
    x = ub_sequence_output(b, ub_norm_last(b, "norm", x, UB_NORM_RMS));
    return ub_builder_linear(b, "head", x, b->data->outputs, UB_ROLE_OUTPUT, false);
}

const struct ub_model ub_model_mamba = {
    .name = "mamba",
    .title = "Mamba",
    .summary = "selective state space model, causal",
    .citation = "Gu and Dao 2023, arXiv:2312.00752",
    .options = options,
    .fits = fits,
    .build = build,
};
