/* build.c - the public node builders: shape rules, broadcasting, compositions. */
#include "systems/graph/internal.h"

#include <string.h>

/* ---- pointwise ---- */

ub_node ub_unary(struct ub_graph *g, enum ub_op op, ub_node x)
{
    return ub_emit(g, op, &x, 1, ub_shape_of(g, x), NULL);
}

static struct ub_shape joint_shape(struct ub_shape a, struct ub_shape b)
{
    struct ub_shape s = a.rank >= b.rank ? a : b;
    for (int i = 1; i <= s.rank; i++) {
        int64_t da = i <= a.rank ? a.dim[a.rank - i] : 1;
        int64_t db = i <= b.rank ? b.dim[b.rank - i] : 1;
        if (da != db && da != 1 && db != 1)
            UB_ABORT("sizes %lld and %lld do not broadcast", (long long)da, (long long)db);
        s.dim[s.rank - i] = da > db ? da : db;
    }
    return s;
}

static ub_node binary(struct ub_graph *g, enum ub_op op, ub_node x, ub_node y)
{
    struct ub_shape s = joint_shape(ub_shape_of(g, x), ub_shape_of(g, y));
    ub_node in[2] = {ub_broadcast(g, x, s.rank, s.dim), ub_broadcast(g, y, s.rank, s.dim)};
    return ub_emit(g, op, in, 2, s, NULL);
}

ub_node ub_neg(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_NEG, x);
}

ub_node ub_exp(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_EXP, x);
}

ub_node ub_log(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_LOG, x);
}

ub_node ub_sqrt(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_SQRT, x);
}

ub_node ub_recip(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_RECIP, x);
}

ub_node ub_tanh(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_TANH, x);
}

ub_node ub_sigmoid(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_SIGMOID, x);
}

ub_node ub_softplus(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_SOFTPLUS, x);
}

ub_node ub_sin(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_SIN, x);
}

ub_node ub_cos(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_COS, x);
}

ub_node ub_erf(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_ERF, x);
}

ub_node ub_abs(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_ABS, x);
}

ub_node ub_sign(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_SIGN, x);
}

ub_node ub_stop(struct ub_graph *g, ub_node x)
{
    return ub_unary(g, UB_OP_STOP, x);
}

ub_node ub_add(struct ub_graph *g, ub_node x, ub_node y)
{
    return binary(g, UB_OP_ADD, x, y);
}

ub_node ub_sub(struct ub_graph *g, ub_node x, ub_node y)
{
    return binary(g, UB_OP_SUB, x, y);
}

ub_node ub_mul(struct ub_graph *g, ub_node x, ub_node y)
{
    return binary(g, UB_OP_MUL, x, y);
}

ub_node ub_div(struct ub_graph *g, ub_node x, ub_node y)
{
    return binary(g, UB_OP_DIV, x, y);
}

ub_node ub_max(struct ub_graph *g, ub_node x, ub_node y)
{
    return binary(g, UB_OP_MAX, x, y);
}

ub_node ub_greater(struct ub_graph *g, ub_node x, ub_node y)
{
    return binary(g, UB_OP_GREATER, x, y);
}

ub_node ub_equal(struct ub_graph *g, ub_node x, ub_node y)
{
    return binary(g, UB_OP_EQUAL, x, y);
}

ub_node ub_select(struct ub_graph *g, ub_node c, ub_node x, ub_node y)
{
    struct ub_shape s = joint_shape(ub_shape_of(g, x), ub_shape_of(g, y));
    s = joint_shape(s, ub_shape_of(g, c));
    ub_node in[3] = {ub_broadcast(g, c, s.rank, s.dim), ub_broadcast(g, x, s.rank, s.dim),
                     ub_broadcast(g, y, s.rank, s.dim)};
    return ub_emit(g, UB_OP_SELECT, in, 3, s, NULL);
}

ub_node ub_scale(struct ub_graph *g, ub_node x, double factor)
{
    return ub_mul(g, x, ub_like(g, factor, x));
}

ub_node ub_relu(struct ub_graph *g, ub_node x)
{
    return ub_max(g, x, ub_like(g, 0, x));
}

/* ---- shape ---- */

ub_node ub_reshape(struct ub_graph *g, ub_node x, int rank, const int64_t *dim)
{
    struct ub_shape s = ub_shape_make(rank, dim);
    if (ub_count(s) != ub_count(ub_shape_of(g, x)))
        UB_ABORT("%lld elements cannot become %lld", (long long)ub_count(ub_shape_of(g, x)),
                 (long long)ub_count(s));
    return ub_emit(g, UB_OP_RESHAPE, &x, 1, s, NULL);
}

ub_node ub_transpose(struct ub_graph *g, ub_node x, const int *order)
{
    struct ub_shape in = ub_shape_of(g, x), s = in;
    struct ub_attributes a = {0};
    unsigned seen = 0;
    for (int i = 0; i < in.rank; i++) {
        if (order[i] < 0 || order[i] >= in.rank || (seen & UB_AXIS(order[i])))
            UB_ABORT("the order is not a permutation of %d axes", in.rank);
        seen |= UB_AXIS(order[i]);
        s.dim[i] = in.dim[order[i]];
        a.order[i] = order[i];
    }
    return ub_emit(g, UB_OP_TRANSPOSE, &x, 1, s, &a);
}

ub_node ub_broadcast(struct ub_graph *g, ub_node x, int rank, const int64_t *dim)
{
    struct ub_shape s = ub_shape_make(rank, dim), in = ub_shape_of(g, x);
    bool fits = in.rank <= rank;
    for (int i = 1; fits && i <= in.rank; i++)
        fits = in.dim[in.rank - i] == 1 || in.dim[in.rank - i] == s.dim[rank - i];
    if (!fits)
        UB_ABORT("rank %d does not broadcast to the rank-%d shape asked for", in.rank, rank);
    if (ub_count(s) == ub_count(in))
        return ub_reshape(g, x, rank, dim);
    return ub_emit(g, UB_OP_BROADCAST, &x, 1, s, NULL);
}

ub_node ub_slice(struct ub_graph *g, ub_node x, int axis, int64_t start, int64_t length)
{
    struct ub_shape s = ub_shape_of(g, x);
    if (axis < 0 || axis >= s.rank || start < 0 || length < 1 || start + length > s.dim[axis])
        UB_ABORT("slice %lld+%lld of axis %d is out of range", (long long)start, (long long)length,
                 axis);
    struct ub_attributes a = {.axis = axis, .before = start};
    s.dim[axis] = length;
    return ub_emit(g, UB_OP_SLICE, &x, 1, s, &a);
}

ub_node ub_pad(struct ub_graph *g, ub_node x, int axis, int64_t before, int64_t after)
{
    struct ub_shape s = ub_shape_of(g, x);
    if (axis < 0 || axis >= s.rank || before < 0 || after < 0)
        UB_ABORT("padding %lld, %lld of axis %d is out of range", (long long)before,
                 (long long)after, axis);
    struct ub_attributes a = {.axis = axis, .before = before, .after = after};
    s.dim[axis] += before + after;
    return ub_emit(g, UB_OP_PAD, &x, 1, s, &a);
}

ub_node ub_concat(struct ub_graph *g, const ub_node *xs, int n, int axis)
{
    struct ub_shape s = ub_shape_of(g, xs[0]);
    if (n < 1 || axis < 0 || axis >= s.rank)
        UB_ABORT("nothing to join, or no axis %d", axis);
    for (int i = 1; i < n; i++) {
        struct ub_shape t = ub_shape_of(g, xs[i]);
        int64_t length = t.rank == s.rank ? t.dim[axis] : 0;
        t.dim[axis] = s.dim[axis];
        if (!ub_same_shape(s, t))
            UB_ABORT("part %d has another shape", i);
        s.dim[axis] += length;
    }
    struct ub_attributes a = {.axis = axis};
    return ub_emit(g, UB_OP_CONCAT, xs, n, s, &a);
}

/* ---- reductions: the primitive reduces one contiguous group of axes, the last group first ---- */

static ub_node reduce(struct ub_graph *g, enum ub_op op, ub_node x, unsigned axes)
{
    struct ub_shape s = ub_shape_of(g, x);
    if (axes >> s.rank)
        UB_ABORT("axes %#x of a rank-%d tensor", axes, s.rank);
    while (axes) {
        int last = s.rank - 1;
        while (last > 0 && !(axes & UB_AXIS(last)))
            last--;
        struct ub_attributes a = {0};
        int first = last;
        for (; first >= 0 && (axes & UB_AXIS(first)); first--)
            a.axes |= UB_AXIS(first);
        struct ub_shape out = {.rank = 0};
        for (int i = 0; i < s.rank; i++)
            if (!(a.axes & UB_AXIS(i)))
                out.dim[out.rank++] = s.dim[i];
        x = ub_emit(g, op, &x, 1, out, &a);
        axes &= ~a.axes;
        s = out;
    }
    return x;
}

ub_node ub_sum(struct ub_graph *g, ub_node x, unsigned axes)
{
    return reduce(g, UB_OP_SUM, x, axes);
}

ub_node ub_sum_all(struct ub_graph *g, ub_node x)
{
    return ub_sum(g, x, UB_AXIS(ub_shape_of(g, x).rank) - 1);
}

ub_node ub_total(struct ub_graph *g, ub_node x)
{
    if (ub_is_fill(g, x, 0))
        return x;
    return ub_unary(g, UB_OP_TOTAL, x);
}

ub_node ub_reduce_max(struct ub_graph *g, ub_node x, unsigned axes)
{
    return reduce(g, UB_OP_REDUCE_MAX, x, axes);
}

/* ---- products ---- */

/* Either both sides have the same batch axes or one of them has rank 2. */
ub_node ub_matmul(struct ub_graph *g, ub_node x, ub_node y)
{
    struct ub_shape a = ub_shape_of(g, x), b = ub_shape_of(g, y);
    if (a.rank < 2 || b.rank < 2 || a.dim[a.rank - 1] != b.dim[b.rank - 2])
        UB_ABORT("shapes of ranks %d and %d do not multiply", a.rank, b.rank);
    int64_t m = a.dim[a.rank - 2], k = a.dim[a.rank - 1], n = b.dim[b.rank - 1];
    struct ub_shape ba = a, bb = b;
    ba.rank -= 2;
    bb.rank -= 2;
    struct ub_shape s = joint_shape(ba, bb);
    int rank = s.rank;
    if (ba.rank && bb.rank) {
        s = ub_shape_make(rank, s.dim);
        s.rank = rank + 2;
        s.dim[rank] = m;
        s.dim[rank + 1] = k;
        x = ub_broadcast(g, x, s.rank, s.dim);
        s.dim[rank] = k;
        s.dim[rank + 1] = n;
        y = ub_broadcast(g, y, s.rank, s.dim);
    }
    s.rank = rank + 2;
    s.dim[rank] = m;
    s.dim[rank + 1] = n;
    ub_node in[2] = {x, y};
    return ub_emit(g, UB_OP_MATMUL, in, 2, s, NULL);
}
