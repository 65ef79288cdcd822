/* simplify.c - algebra on single nodes as they are made: constants folded, identities removed,
 * chains of shape operators merged. Together with hash-consing this is the compiler's constant
 * folding and common-subexpression elimination. Products with an exact zero are zero: derivative
 * rules rely on it to drop dead terms. */
#include "systems/graph/internal.h"

#include <math.h>
#include <string.h>

double ub_op_value(enum ub_op op, const double *x)
{
    switch (op) {
    case UB_OP_NEG:
        return -x[0];
    case UB_OP_EXP:
        return exp(x[0]);
    case UB_OP_LOG:
        return log(x[0]);
    case UB_OP_SQRT:
        return sqrt(x[0]);
    case UB_OP_RECIP:
        return 1 / x[0];
    case UB_OP_TANH:
        return tanh(x[0]);
    case UB_OP_SIGMOID:
        return 1 / (1 + exp(-x[0]));
    case UB_OP_SOFTPLUS:
        return fmax(x[0], 0) + log1p(exp(-fabs(x[0])));
    case UB_OP_SIN:
        return sin(x[0]);
    case UB_OP_COS:
        return cos(x[0]);
    case UB_OP_ERF:
        return erf(x[0]);
    case UB_OP_ABS:
        return fabs(x[0]);
    case UB_OP_SIGN:
        return (x[0] > 0) - (x[0] < 0);
    case UB_OP_ADD:
        return x[0] + x[1];
    case UB_OP_SUB:
        return x[0] - x[1];
    case UB_OP_MUL:
        return x[0] * x[1];
    case UB_OP_DIV:
        return x[0] / x[1];
    case UB_OP_MAX:
        return isnan(x[0]) ? x[0] : x[0] > x[1] ? x[0] : x[1];
    case UB_OP_GREATER:
        return x[0] > x[1];
    case UB_OP_EQUAL:
        return x[0] == x[1];
    case UB_OP_SELECT:
        return x[0] != 0 ? x[1] : x[2];
    default:
        UB_ABORT("operator %d is not pointwise", (int)op);
    }
}

static ub_node constant(struct ub_graph *g, double value, struct ub_shape shape)
{
    return ub_fill(g, value, shape.rank, shape.dim);
}

static ub_node simplify_product(struct ub_graph *g, const ub_node *in, struct ub_shape shape)
{
    for (int i = 0; i < 2; i++) {
        ub_node c = in[i], x = in[1 - i];
        if (ub_is_fill(g, c, 0))
            return constant(g, 0, shape);
        if (ub_is_fill(g, c, 1))
            return x;
        if (ub_is_fill(g, c, -1))
            return ub_neg(g, x);
        if (ub_vertex(g, c)->op != UB_OP_FILL)
            continue;
        double factor = ub_vertex(g, c)->attributes->value;
        const struct ub_vertex *v = ub_vertex(g, x);
        if (v->op == UB_OP_NEG)
            return ub_scale(g, v->in[0], -factor);
        if (v->op != UB_OP_MUL)
            continue;
        for (int j = 0; j < 2; j++) {
            ub_node inner = v->in[j], rest = v->in[1 - j];
            if (ub_vertex(g, inner)->op == UB_OP_FILL)
                return ub_scale(g, rest, factor * ub_vertex(g, inner)->attributes->value);
        }
    }
    return UB_NONE;
}

static ub_node simplify_pointwise(struct ub_graph *g, enum ub_op op, const ub_node *in, int n_in,
                                  struct ub_shape shape)
{
    double x[3] = {0};
    int constants = 0;
    for (int i = 0; i < n_in; i++)
        if (ub_vertex(g, in[i])->op == UB_OP_FILL) {
            x[i] = ub_vertex(g, in[i])->attributes->value;
            constants++;
        }
    if (constants == n_in)
        return constant(g, ub_op_value(op, x), shape);
    switch (op) {
    case UB_OP_NEG: {
        const struct ub_vertex *v = ub_vertex(g, in[0]);
        if (v->op == UB_OP_NEG)
            return v->in[0];
        return v->op == UB_OP_SUB ? ub_sub(g, v->in[1], v->in[0]) : UB_NONE;
    }
    case UB_OP_ADD:
        for (int i = 0; i < 2; i++) {
            if (ub_is_fill(g, in[i], 0))
                return in[1 - i];
            if (ub_vertex(g, in[i])->op == UB_OP_NEG)
                return ub_sub(g, in[1 - i], ub_vertex(g, in[i])->in[0]);
        }
        return UB_NONE;
    case UB_OP_SUB:
        if (ub_is_fill(g, in[1], 0))
            return in[0];
        if (ub_vertex(g, in[1])->op == UB_OP_NEG)
            return ub_add(g, in[0], ub_vertex(g, in[1])->in[0]);
        return ub_is_fill(g, in[0], 0) ? ub_neg(g, in[1]) : UB_NONE;
    case UB_OP_MUL:
        return simplify_product(g, in, shape);
    case UB_OP_DIV:
        if (ub_is_fill(g, in[0], 0))
            return constant(g, 0, shape);
        if (ub_is_fill(g, in[0], 1))
            return ub_recip(g, in[1]);
        if (ub_vertex(g, in[1])->op == UB_OP_FILL && x[1] != 0)
            return ub_scale(g, in[0], 1 / x[1]);
        return UB_NONE;
    case UB_OP_SELECT:
        if (ub_vertex(g, in[0])->op == UB_OP_FILL)
            return x[0] != 0 ? in[1] : in[2];
        return in[1] == in[2] ? in[1] : UB_NONE;
    default:
        return UB_NONE;
    }
}

static bool swaps_last(int rank, const int *order)
{
    for (int i = 0; i < rank - 2; i++)
        if (order[i] != i)
            return false;
    return rank >= 2 && order[rank - 2] == rank - 1;
}

/* (A B)' = B' A': GEMMs read transposed operands, so nothing needs to be moved. */
static ub_node transposed_product(struct ub_graph *g, ub_node product, const int *order)
{
    const ub_node a = ub_vertex(g, product)->in[0], b = ub_vertex(g, product)->in[1];
    const int rank = ub_shape_of(g, product).rank;
    if (ub_shape_of(g, a).rank != rank || ub_shape_of(g, b).rank != rank)
        return UB_NONE;
    return ub_matmul(g, ub_transpose(g, b, order), ub_transpose(g, a, order));
}

static ub_node simplify_transpose(struct ub_graph *g, ub_node x, struct ub_shape shape,
                                  const struct ub_attributes *a)
{
    bool identity = true;
    for (int i = 0; i < shape.rank; i++)
        identity = identity && a->order[i] == i;
    if (identity)
        return x;
    const struct ub_vertex *v = ub_vertex(g, x);
    if (v->op == UB_OP_MATMUL && swaps_last(shape.rank, a->order))
        return transposed_product(g, x, a->order);
    if (v->op != UB_OP_TRANSPOSE)
        return UB_NONE;
    int order[UB_RANK];
    for (int i = 0; i < shape.rank; i++)
        order[i] = v->attributes->order[a->order[i]];
    return ub_transpose(g, v->in[0], order);
}

static ub_node simplify_sum(struct ub_graph *g, enum ub_op op, ub_node x, struct ub_shape shape,
                            const struct ub_attributes *a)
{
    struct ub_shape s = ub_shape_of(g, x);
    int64_t summed = ub_count(s) / ub_count(shape);
    if (a->axes == 0)
        return x;
    if (ub_vertex(g, x)->op == UB_OP_FILL) {
        double value = ub_vertex(g, x)->attributes->value;
        return constant(g, op == UB_OP_SUM ? value * (double)summed : value, shape);
    }
    if (summed == 1)
        return ub_reshape(g, x, shape.rank, shape.dim);
    return op == UB_OP_SUM ? ub_simplify_sum(g, x, a->axes, shape) : UB_NONE;
}

static ub_node simplify_shape(struct ub_graph *g, enum ub_op op, const ub_node *in,
                              struct ub_shape shape, const struct ub_attributes *a)
{
    ub_node x = in[0];
    const struct ub_vertex *v = ub_vertex(g, x);
    if (v->op == UB_OP_FILL && (op != UB_OP_PAD || v->attributes->value == 0))
        return constant(g, v->attributes->value, shape);
    if (op == UB_OP_TRANSPOSE)
        return simplify_transpose(g, x, shape, a);
    if (op != UB_OP_STOP && ub_same_shape(v->shape, shape))
        return x;
    if (op == UB_OP_STOP && v->op == UB_OP_STOP)
        return x;
    if (op == UB_OP_RESHAPE && v->op == UB_OP_RESHAPE)
        return ub_reshape(g, v->in[0], shape.rank, shape.dim);
    if (op == UB_OP_BROADCAST && v->op == UB_OP_BROADCAST)
        return ub_broadcast(g, v->in[0], shape.rank, shape.dim);
    return UB_NONE;
}

ub_node ub_simplify(struct ub_graph *g, enum ub_op op, const ub_node *in, int n_in,
                    struct ub_shape shape, const struct ub_attributes *attributes)
{
    if (ub_operator_row(op)->pointwise)
        return simplify_pointwise(g, op, in, n_in, shape);
    switch (op) {
    case UB_OP_STOP:
    case UB_OP_RESHAPE:
    case UB_OP_TRANSPOSE:
    case UB_OP_BROADCAST:
    case UB_OP_SLICE:
    case UB_OP_PAD:
        return simplify_shape(g, op, in, shape, attributes);
    case UB_OP_CONCAT:
        return n_in == 1 ? in[0] : UB_NONE;
    case UB_OP_SUM:
    case UB_OP_REDUCE_MAX:
        return simplify_sum(g, op, in[0], shape, attributes);
    case UB_OP_MATMUL:
    case UB_OP_CONV:
    case UB_OP_CONV_INPUT:
    case UB_OP_CONV_WEIGHT:
        return ub_is_fill(g, in[0], 0) || ub_is_fill(g, in[1], 0) ? constant(g, 0, shape) : UB_NONE;
    case UB_OP_CUMSUM:
    case UB_OP_SCATTER:
    case UB_OP_WINDOWS:
    case UB_OP_WINDOWS_ADD:
        return ub_is_fill(g, in[0], 0) ? constant(g, 0, shape) : UB_NONE;
    case UB_OP_GATHER:
        return ub_vertex(g, in[0])->op == UB_OP_FILL
                   ? constant(g, ub_vertex(g, in[0])->attributes->value, shape)
                   : UB_NONE;
    default:
        return UB_NONE;
    }
}
