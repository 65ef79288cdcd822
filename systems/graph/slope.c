/* slope.c - values whose derivative is given to reverse mode: where terms of it are known to
 * cancel, they need not be computed. */
#include "systems/graph/internal.h"

ub_node ub_with_slope(struct ub_graph *g, ub_node y, ub_node x, ub_node slope)
{
    const struct ub_shape s = ub_shape_of(g, y);
    if (!ub_same_shape(s, ub_shape_of(g, x)) || !ub_same_shape(s, ub_shape_of(g, slope)))
        UB_ABORT("a value, its variable and its slope differ in shape");
    const ub_node in[3] = {y, x, slope};
    return ub_emit(g, UB_OP_WITH_SLOPE, in, 3, s, NULL);
}

static void vjp_with_slope(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    out[1] = ub_mul(g, ct, ub_vertex(g, node)->in[2]);
}

static ub_node jvp_with_slope(struct ub_graph *g, ub_node node, const ub_node *t)
{
    (void)g, (void)node;
    return t[0];
}

static ub_node vmap_with_slope(struct ub_graph *g, ub_node node, const ub_node *in,
                               const bool *batched, int64_t b)
{
    ub_node with[3];
    (void)node;
    for (int i = 0; i < 3; i++)
        with[i] = ub_with_batch(g, in[i], batched[i], b);
    return ub_with_slope(g, with[0], with[1], with[2]);
}

const struct ub_operator_row ub_row_with_slope = {
    .name = "with_slope", .vjp = vjp_with_slope, .jvp = jvp_with_slope, .vmap = vmap_with_slope};
