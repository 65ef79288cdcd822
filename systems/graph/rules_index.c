/* rules_index.c - builders and rules of cumulative sums, gather and scatter-add. */
#include "systems/graph/internal.h"

/* ---- cumulative sums: their own transpose, run backwards ---- */

ub_node ub_cumsum(struct ub_graph *g, ub_node x, int axis, bool reverse)
{
    struct ub_shape s = ub_shape_of(g, x);
    if (axis < 0 || axis >= s.rank)
        UB_ABORT("no axis %d of a rank-%d tensor", axis, s.rank);
    struct ub_attributes a = {.axis = axis, .reverse = reverse};
    return ub_emit(g, UB_OP_CUMSUM, &x, 1, s, &a);
}

static void vjp_cumsum(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    out[0] = ub_cumsum(g, ct, a.axis, !a.reverse);
}

static ub_node jvp_cumsum(struct ub_graph *g, ub_node node, const ub_node *t)
{
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    return ub_cumsum(g, t[0], a.axis, a.reverse);
}

static ub_node vmap_cumsum(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                           int64_t b)
{
    (void)batched, (void)b;
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    return ub_cumsum(g, in[0], a.axis + 1, a.reverse);
}

const struct ub_operator_row ub_row_cumsum = {
    .name = "cumsum", .vjp = vjp_cumsum, .jvp = jvp_cumsum, .vmap = vmap_cumsum};

/* ---- gather and scatter-add: each other's transpose ---- */

ub_node ub_gather(struct ub_graph *g, ub_node table, ub_node index)
{
    struct ub_shape t = ub_shape_of(g, table), s = ub_shape_of(g, index);
    if (t.rank != 2)
        UB_ABORT("a table of rank %d; expected 2", t.rank);
    if (s.rank == UB_RANK)
        UB_ABORT("indices of rank %d", s.rank);
    s.dim[s.rank++] = t.dim[1];
    ub_node in[2] = {table, index};
    return ub_emit(g, UB_OP_GATHER, in, 2, s, NULL);
}

ub_node ub_scatter_add(struct ub_graph *g, ub_node x, ub_node index, int64_t rows)
{
    struct ub_shape s = ub_shape_of(g, x), i = ub_shape_of(g, index);
    i.dim[i.rank++] = s.dim[s.rank - 1];
    if (!ub_same_shape(s, i))
        UB_ABORT("values of rank %d and indices of rank %d do not go together", s.rank, i.rank - 1);
    struct ub_shape out = ub_shape_make(2, (int64_t[]){rows, s.dim[s.rank - 1]});
    ub_node in[2] = {x, index};
    return ub_emit(g, UB_OP_SCATTER, in, 2, out, NULL);
}

static void vjp_gather(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    const struct ub_vertex *v = ub_vertex(g, node);
    int64_t rows = ub_shape_of(g, v->in[0]).dim[0];
    out[0] = ub_scatter_add(g, ct, v->in[1], rows);
}

static ub_node jvp_gather(struct ub_graph *g, ub_node node, const ub_node *t)
{
    return t[0] == UB_NONE ? UB_NONE : ub_gather(g, t[0], ub_vertex(g, node)->in[1]);
}

static void vjp_scatter(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    out[0] = ub_gather(g, ct, ub_vertex(g, node)->in[1]);
}

static ub_node jvp_scatter(struct ub_graph *g, ub_node node, const ub_node *t)
{
    const struct ub_vertex *v = ub_vertex(g, node);
    int64_t rows = v->shape.dim[0];
    return t[0] == UB_NONE ? UB_NONE : ub_scatter_add(g, t[0], v->in[1], rows);
}

/* Indices of `b` members into their own stretches of `rows` rows of one long table. What is out of
 * range must not reach into a neighbor's stretch. */
static ub_node member_index(struct ub_graph *g, ub_node index, bool batched, int64_t b,
                            int64_t rows)
{
    ub_node low = ub_max(g, index, ub_like(g, 0, index));
    ub_node with = ub_neg(g, ub_max(g, ub_neg(g, low), ub_like(g, 1 - (double)rows, index)));
    with = ub_with_batch(g, with, batched, b);
    struct ub_shape s = {.rank = ub_shape_of(g, with).rank, .dim = {b}};
    for (int i = 1; i < s.rank; i++)
        s.dim[i] = 1;
    ub_node start = ub_scale(g, ub_iota(g, b), (double)rows);
    return ub_add(g, with, ub_reshape(g, start, s.rank, s.dim));
}

static ub_node vmap_gather(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                           int64_t b)
{
    struct ub_shape t = ub_shape_of(g, ub_vertex(g, node)->in[0]);
    if (!batched[0])
        return ub_gather(g, in[0], in[1]);
    ub_node table = ub_reshape(g, in[0], 2, (int64_t[]){b * t.dim[0], t.dim[1]});
    return ub_gather(g, table, member_index(g, in[1], batched[1], b, t.dim[0]));
}

static ub_node vmap_scatter(struct ub_graph *g, ub_node node, const ub_node *in,
                            const bool *batched, int64_t b)
{
    struct ub_shape s = ub_shape_of(g, node);
    ub_node x = ub_with_batch(g, in[0], batched[0], b);
    ub_node index = member_index(g, in[1], batched[1], b, s.dim[0]);
    ub_node flat = ub_scatter_add(g, x, index, b * s.dim[0]);
    return ub_reshape(g, flat, 3, (int64_t[]){b, s.dim[0], s.dim[1]});
}

const struct ub_operator_row ub_row_gather = {
    .name = "gather", .vjp = vjp_gather, .jvp = jvp_gather, .vmap = vmap_gather};
const struct ub_operator_row ub_row_scatter = {
    .name = "scatter_add", .vjp = vjp_scatter, .jvp = jvp_scatter, .vmap = vmap_scatter};
