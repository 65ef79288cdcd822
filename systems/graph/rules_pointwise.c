/* rules_pointwise.c - derivative and batching rules of pointwise operators. */
#include "systems/graph/internal.h"

#include <math.h>

static ub_node one_minus(struct ub_graph *g, ub_node x)
{
    return ub_sub(g, ub_like(g, 1, x), x);
}

ub_node ub_partial_pointwise(struct ub_graph *g, ub_node node, int i)
{
    enum ub_op op = ub_vertex(g, node)->op;
    int n_in = ub_vertex(g, node)->n_in;
    ub_node x = ub_vertex(g, node)->in[0], y = n_in > 1 ? ub_vertex(g, node)->in[1] : UB_NONE;
    switch (op) {
    case UB_OP_NEG:
        return ub_like(g, -1, x);
    case UB_OP_EXP:
        return node;
    case UB_OP_LOG:
        return ub_recip(g, x);
    case UB_OP_SQRT:
        return ub_scale(g, ub_recip(g, node), 0.5);
    case UB_OP_RECIP:
        return ub_neg(g, ub_mul(g, node, node));
    case UB_OP_TANH:
        return one_minus(g, ub_mul(g, node, node));
    case UB_OP_SIGMOID:
        return ub_mul(g, node, one_minus(g, node));
    case UB_OP_SOFTPLUS:
        return ub_sigmoid(g, x);
    case UB_OP_SIN:
        return ub_cos(g, x);
    case UB_OP_COS:
        return ub_neg(g, ub_sin(g, x));
    case UB_OP_ERF:
        return ub_scale(g, ub_exp(g, ub_neg(g, ub_mul(g, x, x))), M_2_SQRTPI);
    case UB_OP_ABS:
        return ub_sign(g, x);
    case UB_OP_ADD:
        return ub_like(g, 1, x);
    case UB_OP_SUB:
        return ub_like(g, i == 0 ? 1 : -1, x);
    case UB_OP_MUL:
        return i == 0 ? y : x;
    case UB_OP_DIV:
        return i == 0 ? ub_recip(g, y) : ub_neg(g, ub_div(g, node, y));
    case UB_OP_MAX: {
        ub_node first = ub_greater(g, node, y); /* of the maximum, which is in memory more often */
        return i == 0 ? first : one_minus(g, first);
    }
    default:
        return UB_NONE; /* SIGN, GREATER, EQUAL */
    }
}

void ub_vjp_select(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    ub_node c = ub_vertex(g, node)->in[0], zero = ub_like(g, 0, node);
    out[0] = UB_NONE;
    out[1] = ub_select(g, c, ct, zero);
    out[2] = ub_select(g, c, zero, ct);
}

ub_node ub_jvp_select(struct ub_graph *g, ub_node node, const ub_node *t)
{
    if (t[1] == UB_NONE && t[2] == UB_NONE)
        return UB_NONE;
    ub_node c = ub_vertex(g, node)->in[0], zero = ub_like(g, 0, node);
    return ub_select(g, c, t[1] == UB_NONE ? zero : t[1], t[2] == UB_NONE ? zero : t[2]);
}

ub_node ub_vmap_pointwise(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                          int64_t b)
{
    enum ub_op op = ub_vertex(g, node)->op;
    int n_in = ub_vertex(g, node)->n_in;
    ub_node with[3] = {0};
    for (int i = 0; i < n_in; i++)
        with[i] = ub_with_batch(g, in[i], batched[i], b);
    return ub_emit(g, op, with, n_in, ub_shape_of(g, with[0]), NULL);
}
