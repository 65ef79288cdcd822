/* slope.c - values whose derivative is given: where terms of it are known to cancel, they need not
 * be computed, and where a function's derivative is short, it need not follow from its parts. */
#include "systems/graph/internal.h"

static ub_node with_slope(struct ub_graph *g, const ub_node in[3], bool reverse)
{
    const struct ub_attributes a = {.reverse = reverse};
    const struct ub_shape s = ub_shape_of(g, in[0]);
    if (!ub_same_shape(s, ub_shape_of(g, in[1])) || !ub_same_shape(s, ub_shape_of(g, in[2])))
        UB_ABORT("a value, its variable and its slope differ in shape");
    return ub_emit(g, UB_OP_WITH_SLOPE, in, 3, s, &a);
}

ub_node ub_with_slope(struct ub_graph *g, ub_node y, ub_node x, ub_node slope)
{
    return with_slope(g, (ub_node[]){y, x, slope}, true);
}

ub_node ub_with_derivative(struct ub_graph *g, ub_node y, ub_node x, ub_node slope)
{
    return with_slope(g, (ub_node[]){y, x, slope}, false);
}

static void vjp_with_slope(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    out[1] = ub_mul(g, ct, ub_vertex(g, node)->in[2]);
}

static ub_node jvp_with_slope(struct ub_graph *g, ub_node node, const ub_node *t)
{
    const struct ub_vertex *v = ub_vertex(g, node);
    if (v->attributes->reverse)
        return t[0];
    return t[1] == UB_NONE ? UB_NONE : ub_mul(g, t[1], v->in[2]);
}

static ub_node vmap_with_slope(struct ub_graph *g, ub_node node, const ub_node *in,
                               const bool *batched, int64_t b)
{
    ub_node with[3];
    for (int i = 0; i < 3; i++)
        with[i] = ub_with_batch(g, in[i], batched[i], b);
    return with_slope(g, with, ub_vertex(g, node)->attributes->reverse);
}

const struct ub_operator_row ub_row_with_slope = {
    .name = "with_slope", .vjp = vjp_with_slope, .jvp = jvp_with_slope, .vmap = vmap_with_slope};

/* ---- softmax: dy = y (dx - sum y dx), which is its own transpose. By its quotient's rule the
 * exponentials and the sum of each row would be at hand for derivatives, beside y. ---- */

ub_node ub_as_softmax(struct ub_graph *g, ub_node y, ub_node x)
{
    const ub_node in[2] = {y, x};
    return ub_emit(g, UB_OP_SOFTMAX, in, 2, ub_shape_of(g, y), NULL);
}

static ub_node moved(struct ub_graph *g, ub_node y, ub_node dx)
{
    struct ub_shape column = ub_shape_of(g, y);
    const ub_node mean = ub_sum(g, ub_mul(g, y, dx), UB_AXIS(column.rank - 1));
    column.dim[column.rank - 1] = 1;
    return ub_mul(g, y, ub_sub(g, dx, ub_reshape(g, mean, column.rank, column.dim)));
}

static void vjp_softmax(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    out[1] = moved(g, node, ct);
}

static ub_node jvp_softmax(struct ub_graph *g, ub_node node, const ub_node *t)
{
    return t[1] == UB_NONE ? UB_NONE : moved(g, node, t[1]);
}

static ub_node vmap_softmax(struct ub_graph *g, ub_node node, const ub_node *in,
                            const bool *batched, int64_t b)
{
    (void)node;
    return ub_as_softmax(g, ub_with_batch(g, in[0], batched[0], b),
                         ub_with_batch(g, in[1], batched[1], b));
}

const struct ub_operator_row ub_row_softmax = {
    .name = "softmax", .vjp = vjp_softmax, .jvp = jvp_softmax, .vmap = vmap_softmax};
