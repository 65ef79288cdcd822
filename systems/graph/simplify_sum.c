/* simplify_sum.c - algebra on sums: signs and factors that are the same for all summands come out
 * of them. Norms sum the same products under different factors: what is left of those sums is then
 * one node, and short. */
#include "systems/graph/internal.h"

/* A sum as (a, r, b) -> (a, b), whatever axes these are made of. */
struct sum {
    int64_t a, r, b;
    struct ub_shape shape; /* of the result */
};

static struct sum sum_of(struct ub_shape from, unsigned axes, struct ub_shape shape)
{
    struct sum s = {1, 1, 1, shape};
    bool passed = false;
    for (int i = 0; i < from.rank; i++) {
        const bool summed = axes & UB_AXIS(i);
        passed = passed || summed;
        *(summed ? &s.r : passed ? &s.b : &s.a) *= from.dim[i];
    }
    return s;
}

/* The axes of `from` that make up r; 0 where there are none. */
static unsigned axes_of(const struct sum *s, struct ub_shape from)
{
    int64_t before = 1, summed = 1;
    unsigned axes = 0;
    int i = 0;
    for (; i < from.rank && before < s->a; i++)
        before *= from.dim[i];
    for (; i < from.rank && summed < s->r; i++) {
        summed *= from.dim[i];
        axes |= UB_AXIS(i);
    }
    return before == s->a && summed == s->r ? axes : 0;
}

/* A broadcast that is constant over the axes summed, in the shape of the result; or UB_NONE. */
static ub_node constant_over(struct ub_graph *g, const struct sum *s, ub_node x)
{
    if (ub_vertex(g, x)->op != UB_OP_BROADCAST)
        return UB_NONE;
    const ub_node source = ub_vertex(g, x)->in[0];
    const struct ub_shape full = ub_shape_of(g, x), from = ub_shape_of(g, source);
    const unsigned axes = axes_of(s, full);
    struct ub_shape left = {0}, wide = {0};
    for (int i = 0; i < full.rank; i++) {
        const int j = i - (full.rank - from.rank);
        const int64_t dim = j < 0 ? 1 : from.dim[j];
        if ((axes & UB_AXIS(i)) && dim != 1)
            return UB_NONE;
        if (axes & UB_AXIS(i))
            continue;
        left.dim[left.rank++] = dim;
        wide.dim[wide.rank++] = full.dim[i];
    }
    if (!axes)
        return UB_NONE;
    const ub_node value =
        ub_broadcast(g, ub_reshape(g, source, left.rank, left.dim), wide.rank, wide.dim);
    return ub_reshape(g, value, s->shape.rank, s->shape.dim);
}

/* x = rest * factor, the factor being the same for all summands. */
static bool take_factor(struct ub_graph *g, const struct sum *s, ub_node x, ub_node *rest,
                        ub_node *factor)
{
    const struct ub_shape shape = ub_shape_of(g, x);
    const ub_node y = ub_vertex(g, x)->op == UB_OP_RESHAPE ? ub_vertex(g, x)->in[0] : x;
    if (ub_vertex(g, y)->op != UB_OP_MUL)
        return false;
    for (int i = 0; i < 2; i++) {
        *rest = ub_vertex(g, y)->in[1 - i];
        *factor = constant_over(g, s, ub_vertex(g, y)->in[i]);
        if (*factor == UB_NONE)
            continue;
        *rest = ub_reshape(g, *rest, shape.rank, shape.dim);
        return true;
    }
    return false;
}

/* In one shape, whatever shape the product was taken in: equal sums are then one node. */
static ub_node as_rows(struct ub_graph *g, const struct sum *s, ub_node x)
{
    return ub_reshape(g, x, 3, (int64_t[]){s->a, s->r, s->b});
}

/* Factors of factors come out of sums over leading axes only. Of rows, both the product and what it
 * was made of would have to be kept for it. */
static bool take_inner_factor(struct ub_graph *g, const struct sum *s, ub_node x, ub_node *rest,
                              ub_node *factor)
{
    if (ub_vertex(g, x)->op != UB_OP_MUL || s->b == 1)
        return false;
    for (int i = 0; i < 2; i++) {
        const ub_node other = ub_vertex(g, x)->in[1 - i];
        if (!take_factor(g, s, ub_vertex(g, x)->in[i], rest, factor))
            continue;
        *rest = ub_mul(g, as_rows(g, s, *rest), as_rows(g, s, other));
        return true;
    }
    return false;
}

static bool is_scaled(const struct ub_graph *g, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(g, x);
    return v->op == UB_OP_MUL &&
           (ub_vertex(g, v->in[0])->op == UB_OP_FILL || ub_vertex(g, v->in[1])->op == UB_OP_FILL);
}

static ub_node scaled_sum(struct ub_graph *g, ub_node x, unsigned axes)
{
    const ub_node a = ub_vertex(g, x)->in[0], b = ub_vertex(g, x)->in[1];
    const bool first = ub_vertex(g, a)->op == UB_OP_FILL;
    const double factor = ub_vertex(g, first ? a : b)->attributes->value;
    return ub_scale(g, ub_sum(g, first ? b : a, axes), factor);
}

/* Do the factors of all terms come out? */
static bool comes_out(struct ub_graph *g, const struct sum *s, ub_node x)
{
    ub_node rest, factor;
    const enum ub_op op = ub_vertex(g, x)->op;
    if (op == UB_OP_ADD || op == UB_OP_SUB) {
        const ub_node second = ub_vertex(g, x)->in[1];
        return comes_out(g, s, ub_vertex(g, x)->in[0]) && comes_out(g, s, second);
    }
    return take_factor(g, s, x, &rest, &factor) || take_inner_factor(g, s, x, &rest, &factor);
}

ub_node ub_simplify_sum(struct ub_graph *g, ub_node x, unsigned axes, struct ub_shape shape)
{
    const struct sum s = sum_of(ub_shape_of(g, x), axes, shape);
    const enum ub_op op = ub_vertex(g, x)->op;
    const ub_node first = ub_vertex(g, x)->n_in ? ub_vertex(g, x)->in[0] : UB_NONE;
    const ub_node second = ub_vertex(g, x)->n_in > 1 ? ub_vertex(g, x)->in[1] : UB_NONE;
    ub_node rest, factor;
    if (op == UB_OP_NEG)
        return ub_neg(g, ub_sum(g, first, axes));
    if (op == UB_OP_RESHAPE && axes_of(&s, ub_shape_of(g, first)))
        return ub_reshape(g, ub_sum(g, first, axes_of(&s, ub_shape_of(g, first))), shape.rank,
                          shape.dim);
    if (is_scaled(g, x))
        return scaled_sum(g, x, axes);
    if (take_factor(g, &s, x, &rest, &factor) || take_inner_factor(g, &s, x, &rest, &factor)) {
        const ub_node sum = ub_sum(g, rest, axes_of(&s, ub_shape_of(g, rest)));
        return ub_mul(g, ub_reshape(g, sum, shape.rank, shape.dim), factor);
    }
    if ((op == UB_OP_ADD || op == UB_OP_SUB) && comes_out(g, &s, x)) {
        const ub_node a = ub_sum(g, first, axes), b = ub_sum(g, second, axes);
        return op == UB_OP_ADD ? ub_add(g, a, b) : ub_sub(g, a, b);
    }
    return UB_NONE;
}
