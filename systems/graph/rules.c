/* rules.c - derivative and batching rules of stop, moves, reductions and products, and the operator
 * table at the end. */
#include "systems/graph/internal.h"

ub_node ub_accumulate(struct ub_graph *g, ub_node a, ub_node b)
{
    if (a == UB_NONE)
        return b;
    return b == UB_NONE ? a : ub_add(g, a, b);
}

ub_node ub_with_batch(struct ub_graph *g, ub_node x, bool batched, int64_t b)
{
    if (batched)
        return x;
    struct ub_shape s = ub_shape_batched(ub_shape_of(g, x), b);
    return ub_broadcast(g, x, s.rank, s.dim);
}

static ub_node input(const struct ub_graph *g, ub_node node, int i)
{
    return ub_vertex(g, node)->in[i];
}

static ub_node vmap_stop(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                         int64_t b)
{
    (void)node, (void)batched, (void)b;
    return ub_stop(g, in[0]);
}

/* ---- reshape, transpose, broadcast ---- */

static void vjp_reshape(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    struct ub_shape s = ub_shape_of(g, input(g, node, 0));
    out[0] = ub_reshape(g, ct, s.rank, s.dim);
}

static ub_node jvp_reshape(struct ub_graph *g, ub_node node, const ub_node *t)
{
    struct ub_shape s = ub_shape_of(g, node);
    return ub_reshape(g, t[0], s.rank, s.dim);
}

static ub_node vmap_reshape(struct ub_graph *g, ub_node node, const ub_node *in,
                            const bool *batched, int64_t b)
{
    (void)batched;
    struct ub_shape s = ub_shape_batched(ub_shape_of(g, node), b);
    return ub_reshape(g, in[0], s.rank, s.dim);
}

static void vjp_transpose(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    int inverse[UB_RANK] = {0};
    for (int i = 0; i < ub_shape_of(g, node).rank; i++)
        inverse[a.order[i]] = i;
    out[0] = ub_transpose(g, ct, inverse);
}

static ub_node jvp_transpose(struct ub_graph *g, ub_node node, const ub_node *t)
{
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    return ub_transpose(g, t[0], a.order);
}

static ub_node vmap_transpose(struct ub_graph *g, ub_node node, const ub_node *in,
                              const bool *batched, int64_t b)
{
    (void)batched, (void)b;
    int order[UB_RANK + 1] = {0};
    for (int i = 0; i < ub_shape_of(g, node).rank; i++)
        order[i + 1] = ub_vertex(g, node)->attributes->order[i] + 1;
    return ub_transpose(g, in[0], order);
}

/* Adds what was stretched: the transpose of broadcasting `from` to ct's shape. */
static ub_node unbroadcast(struct ub_graph *g, ub_node ct, struct ub_shape from)
{
    struct ub_shape s = ub_shape_of(g, ct);
    unsigned axes = 0;
    for (int i = 0; i < s.rank; i++) {
        int j = i - (s.rank - from.rank);
        if (j < 0 || (from.dim[j] == 1 && s.dim[i] != 1))
            axes |= UB_AXIS(i);
    }
    return ub_reshape(g, ub_sum(g, ct, axes), from.rank, from.dim);
}

static void vjp_broadcast(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    out[0] = unbroadcast(g, ct, ub_shape_of(g, input(g, node, 0)));
}

static ub_node jvp_broadcast(struct ub_graph *g, ub_node node, const ub_node *t)
{
    struct ub_shape s = ub_shape_of(g, node);
    return ub_broadcast(g, t[0], s.rank, s.dim);
}

static ub_node vmap_broadcast(struct ub_graph *g, ub_node node, const ub_node *in,
                              const bool *batched, int64_t b)
{
    (void)batched;
    struct ub_shape s = ub_shape_of(g, node), from = ub_shape_of(g, input(g, node, 0));
    int64_t dim[UB_RANK + 1] = {b};
    for (int i = 0; i < s.rank; i++) {
        int j = i - (s.rank - from.rank);
        dim[i + 1] = j < 0 ? 1 : from.dim[j];
    }
    ub_node aligned = ub_reshape(g, in[0], s.rank + 1, dim);
    struct ub_shape out = ub_shape_batched(s, b);
    return ub_broadcast(g, aligned, out.rank, out.dim);
}

/* ---- slice, pad, concat ---- */

static void vjp_slice(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    int64_t whole = ub_shape_of(g, input(g, node, 0)).dim[a.axis];
    int64_t length = ub_shape_of(g, node).dim[a.axis];
    out[0] = ub_pad(g, ct, a.axis, a.before, whole - a.before - length);
}

static ub_node jvp_slice(struct ub_graph *g, ub_node node, const ub_node *t)
{
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    return ub_slice(g, t[0], a.axis, a.before, ub_shape_of(g, node).dim[a.axis]);
}

static ub_node vmap_slice(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                          int64_t b)
{
    (void)batched, (void)b;
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    return ub_slice(g, in[0], a.axis + 1, a.before, ub_shape_of(g, node).dim[a.axis]);
}

static void vjp_pad(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    out[0] = ub_slice(g, ct, a.axis, a.before, ub_shape_of(g, input(g, node, 0)).dim[a.axis]);
}

static ub_node jvp_pad(struct ub_graph *g, ub_node node, const ub_node *t)
{
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    return ub_pad(g, t[0], a.axis, a.before, a.after);
}

static ub_node vmap_pad(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                        int64_t b)
{
    (void)batched, (void)b;
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    return ub_pad(g, in[0], a.axis + 1, a.before, a.after);
}

static void vjp_concat(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    int axis = ub_vertex(g, node)->attributes->axis, n = ub_vertex(g, node)->n_in;
    int64_t start = 0;
    for (int i = 0; i < n; i++) {
        int64_t length = ub_shape_of(g, input(g, node, i)).dim[axis];
        out[i] = ub_slice(g, ct, axis, start, length);
        start += length;
    }
}

static ub_node jvp_concat(struct ub_graph *g, ub_node node, const ub_node *t)
{
    int axis = ub_vertex(g, node)->attributes->axis, n = ub_vertex(g, node)->n_in;
    ub_node *parts = ub_calloc((size_t)n, sizeof *parts);
    for (int i = 0; i < n; i++)
        parts[i] = t[i] == UB_NONE ? ub_like(g, 0, input(g, node, i)) : t[i];
    ub_node out = ub_concat(g, parts, n, axis);
    ub_free(parts);
    return out;
}

static ub_node vmap_concat(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                           int64_t b)
{
    int axis = ub_vertex(g, node)->attributes->axis, n = ub_vertex(g, node)->n_in;
    ub_node *parts = ub_calloc((size_t)n, sizeof *parts);
    for (int i = 0; i < n; i++)
        parts[i] = ub_with_batch(g, in[i], batched[i], b);
    ub_node out = ub_concat(g, parts, n, axis + 1);
    ub_free(parts);
    return out;
}

/* ---- reductions ---- */

/* A reduced tensor stretched back over the axes that were reduced. */
static ub_node restretch(struct ub_graph *g, ub_node reduced, ub_node node)
{
    unsigned axes = ub_vertex(g, node)->attributes->axes;
    struct ub_shape s = ub_shape_of(g, input(g, node, 0)), column = s;
    for (int i = 0; i < s.rank; i++)
        if (axes & UB_AXIS(i))
            column.dim[i] = 1;
    return ub_broadcast(g, ub_reshape(g, reduced, column.rank, column.dim), s.rank, s.dim);
}

static void vjp_sum(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    out[0] = restretch(g, ct, node);
}

static ub_node jvp_sum(struct ub_graph *g, ub_node node, const ub_node *t)
{
    return ub_sum(g, t[0], ub_vertex(g, node)->attributes->axes);
}

static ub_node vmap_sum(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                        int64_t b)
{
    (void)batched, (void)b;
    return ub_sum(g, in[0], ub_vertex(g, node)->attributes->axes << 1);
}

/* ---- totals over all chunks. A loss is the sum of its chunks' parts, and so is a cotangent: that
 * of a total is known when all parts are added, and is then the same for all that were added. (The
 * sum over devices of data-parallel training, which is its own transpose, too.) ---- */

static void vjp_total(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    (void)node;
    out[0] = ub_total(g, ct);
}

static ub_node jvp_total(struct ub_graph *g, ub_node node, const ub_node *t)
{
    (void)node;
    return ub_total(g, t[0]);
}

static ub_node vmap_total(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                          int64_t b)
{
    (void)node, (void)batched, (void)b;
    return ub_total(g, in[0]);
}

/* 1 at each element that reaches the maximum, and 1/ties, which is what each takes of it. */
static ub_node max_hit(struct ub_graph *g, ub_node node, ub_node *share)
{
    const unsigned axes = ub_vertex(g, node)->attributes->axes;
    const ub_node hit = ub_equal(g, input(g, node, 0), restretch(g, node, node));
    *share = ub_recip(g, ub_sum(g, hit, axes));
    return hit;
}

/* The share is taken of the short cotangent rather than given to the long hits. */
static void vjp_reduce_max(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    ub_node share;
    const ub_node hit = max_hit(g, node, &share);
    out[0] = ub_mul(g, hit, restretch(g, ub_mul(g, share, ct), node));
}

static ub_node jvp_reduce_max(struct ub_graph *g, ub_node node, const ub_node *t)
{
    const unsigned axes = ub_vertex(g, node)->attributes->axes;
    ub_node share;
    const ub_node hit = max_hit(g, node, &share);
    return ub_mul(g, share, ub_sum(g, ub_mul(g, hit, t[0]), axes));
}

static ub_node vmap_reduce_max(struct ub_graph *g, ub_node node, const ub_node *in,
                               const bool *batched, int64_t b)
{
    (void)batched, (void)b;
    return ub_reduce_max(g, in[0], ub_vertex(g, node)->attributes->axes << 1);
}

/* ---- matmul ---- */

static ub_node swap_last(struct ub_graph *g, ub_node x)
{
    int rank = ub_shape_of(g, x).rank, order[UB_RANK];
    for (int i = 0; i < rank; i++)
        order[i] = i;
    order[rank - 2] = rank - 1;
    order[rank - 1] = rank - 2;
    return ub_transpose(g, x, order);
}

/* (..., m, k) as one matrix (product of the rest, k). */
static ub_node flatten(struct ub_graph *g, ub_node x)
{
    struct ub_shape s = ub_shape_of(g, x);
    int64_t k = s.dim[s.rank - 1];
    return ub_reshape(g, x, 2, (int64_t[]){ub_count(s) / k, k});
}

static void vjp_matmul(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    ub_node x = input(g, node, 0), y = input(g, node, 1);
    struct ub_shape a = ub_shape_of(g, x), b = ub_shape_of(g, y);
    if (a.rank == 2 && b.rank > 2)
        out[0] = unbroadcast(g, ub_matmul(g, ct, swap_last(g, y)), a);
    else
        out[0] = ub_matmul(g, ct, swap_last(g, y));
    if (b.rank == 2 && a.rank > 2)
        out[1] = ub_matmul(g, swap_last(g, flatten(g, x)), flatten(g, ct));
    else
        out[1] = ub_matmul(g, swap_last(g, x), ct);
}

static ub_node jvp_matmul(struct ub_graph *g, ub_node node, const ub_node *t)
{
    ub_node x = input(g, node, 0), y = input(g, node, 1);
    ub_node left = t[0] == UB_NONE ? UB_NONE : ub_matmul(g, t[0], y);
    ub_node right = t[1] == UB_NONE ? UB_NONE : ub_matmul(g, x, t[1]);
    return ub_accumulate(g, left, right);
}

static ub_node vmap_matmul(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                           int64_t b)
{
    struct ub_shape s = ub_shape_batched(ub_shape_of(g, node), b);
    struct ub_shape x = ub_shape_of(g, in[0]), y = ub_shape_of(g, in[1]);
    int x_rank = x.rank - batched[0], y_rank = y.rank - batched[1];
    if (y_rank == 2 && x_rank > 2 && batched[1]) {
        /* A tangent of shared weights: all samples of one batch member make one matrix. */
        int64_t k = x.dim[x.rank - 1], rows = ub_count(x) / k;
        ub_node flat = batched[0] ? ub_reshape(g, in[0], 3, (int64_t[]){b, rows / b, k})
                                  : ub_reshape(g, in[0], 2, (int64_t[]){rows, k});
        ub_node product = ub_matmul(g, flat, in[1]);
        return ub_reshape(g, product, s.rank, s.dim);
    }
    bool both = batched[0] && batched[1];
    if ((x_rank == 2 && y_rank == 2) || (both && x_rank == y_rank) ||
        (!batched[1] && y_rank == 2) || (!batched[0] && x_rank == 2))
        return ub_matmul(g, in[0], in[1]);
    /* Batch axes on one side only: line both up. */
    ub_node sides[2];
    for (int i = 0; i < 2; i++) {
        struct ub_shape side = ub_shape_of(g, in[i]), full = s;
        full.dim[s.rank - 2] = side.dim[side.rank - 2];
        full.dim[s.rank - 1] = side.dim[side.rank - 1];
        struct ub_shape aligned = full;
        int rank = i == 0 ? x_rank : y_rank;
        aligned.dim[0] = batched[i] ? b : 1;
        for (int j = 1; j < s.rank - 2; j++)
            aligned.dim[j] = rank == 2 ? 1 : full.dim[j];
        sides[i] =
            ub_broadcast(g, ub_reshape(g, in[i], aligned.rank, aligned.dim), full.rank, full.dim);
    }
    return ub_matmul(g, sides[0], sides[1]);
}

/* ---- the operator table ---- */

#define POINTWISE(NAME, COMMUTES)                                                                  \
    {                                                                                              \
        .name = NAME, .pointwise = true, .commutes = COMMUTES, .partial = ub_partial_pointwise,    \
        .vmap = ub_vmap_pointwise                                                                  \
    }

static const struct ub_operator_row rows[UB_OPS] = {
    [UB_OP_INPUT] = {.name = "input"},
    [UB_OP_FILL] = {.name = "fill"},
    [UB_OP_IOTA] = {.name = "iota"},
    [UB_OP_NEG] = POINTWISE("neg", false),
    [UB_OP_EXP] = POINTWISE("exp", false),
    [UB_OP_LOG] = POINTWISE("log", false),
    [UB_OP_SQRT] = POINTWISE("sqrt", false),
    [UB_OP_RECIP] = POINTWISE("recip", false),
    [UB_OP_TANH] = POINTWISE("tanh", false),
    [UB_OP_SIGMOID] = POINTWISE("sigmoid", false),
    [UB_OP_SOFTPLUS] = POINTWISE("softplus", false),
    [UB_OP_SIN] = POINTWISE("sin", false),
    [UB_OP_COS] = POINTWISE("cos", false),
    [UB_OP_ERF] = POINTWISE("erf", false),
    [UB_OP_ABS] = POINTWISE("abs", false),
    [UB_OP_SIGN] = POINTWISE("sign", false),
    [UB_OP_ADD] = POINTWISE("add", true),
    [UB_OP_SUB] = POINTWISE("sub", false),
    [UB_OP_MUL] = POINTWISE("mul", true),
    [UB_OP_DIV] = POINTWISE("div", false),
    [UB_OP_MAX] = POINTWISE("max", false),
    [UB_OP_GREATER] = POINTWISE("greater", false),
    [UB_OP_EQUAL] = POINTWISE("equal", true),
    [UB_OP_SELECT] = {.name = "select",
                      .pointwise = true,
                      .vjp = ub_vjp_select,
                      .jvp = ub_jvp_select,
                      .vmap = ub_vmap_pointwise},
    [UB_OP_STOP] = {.name = "stop", .vmap = vmap_stop},
    [UB_OP_RESHAPE] = {.name = "reshape",
                       .vjp = vjp_reshape,
                       .jvp = jvp_reshape,
                       .vmap = vmap_reshape},
    [UB_OP_TRANSPOSE] = {.name = "transpose",
                         .vjp = vjp_transpose,
                         .jvp = jvp_transpose,
                         .vmap = vmap_transpose},
    [UB_OP_BROADCAST] = {.name = "broadcast",
                         .vjp = vjp_broadcast,
                         .jvp = jvp_broadcast,
                         .vmap = vmap_broadcast},
    [UB_OP_SLICE] = {.name = "slice", .vjp = vjp_slice, .jvp = jvp_slice, .vmap = vmap_slice},
    [UB_OP_PAD] = {.name = "pad", .vjp = vjp_pad, .jvp = jvp_pad, .vmap = vmap_pad},
    [UB_OP_CONCAT] = {.name = "concat", .vjp = vjp_concat, .jvp = jvp_concat, .vmap = vmap_concat},
    [UB_OP_SUM] = {.name = "sum", .vjp = vjp_sum, .jvp = jvp_sum, .vmap = vmap_sum},
    [UB_OP_TOTAL] = {.name = "total", .vjp = vjp_total, .jvp = jvp_total, .vmap = vmap_total},
    [UB_OP_REDUCE_MAX] = {.name = "reduce_max",
                          .vjp = vjp_reduce_max,
                          .jvp = jvp_reduce_max,
                          .vmap = vmap_reduce_max},
    [UB_OP_MATMUL] = {.name = "matmul", .vjp = vjp_matmul, .jvp = jvp_matmul, .vmap = vmap_matmul},
};

const struct ub_operator_row *ub_operator_row(enum ub_op op)
{
    switch (op) {
    case UB_OP_SOFTMAX:
        return &ub_row_softmax;
    case UB_OP_WITH_SLOPE:
        return &ub_row_with_slope;
    case UB_OP_CUMSUM:
        return &ub_row_cumsum;
    case UB_OP_GATHER:
        return &ub_row_gather;
    case UB_OP_SCATTER:
        return &ub_row_scatter;
    case UB_OP_WINDOWS:
        return &ub_row_windows;
    case UB_OP_WINDOWS_ADD:
        return &ub_row_windows_add;
    case UB_OP_CONV:
        return &ub_row_conv;
    case UB_OP_CONV_INPUT:
        return &ub_row_conv_input;
    case UB_OP_CONV_WEIGHT:
        return &ub_row_conv_weight;
    default:
        return &rows[op];
    }
}
