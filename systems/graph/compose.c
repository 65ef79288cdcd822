/* compose.c - what is built from primitives: its derivatives follow. */
#include "systems/graph/internal.h"

#include <math.h>

/* The shift by the maximum cancels exactly, so it is stopped: derivatives see softmax alone. */
ub_node ub_log_sum_exp(struct ub_graph *g, ub_node x)
{
    struct ub_shape s = ub_shape_of(g, x);
    unsigned last = UB_AXIS(s.rank - 1);
    ub_node top = ub_stop(g, ub_reduce_max(g, x, last));
    struct ub_shape column = s;
    column.dim[s.rank - 1] = 1;
    ub_node shifted = ub_sub(g, x, ub_reshape(g, top, column.rank, column.dim));
    return ub_add(g, ub_log(g, ub_sum(g, ub_exp(g, shifted), last)), top);
}

ub_node ub_gelu(struct ub_graph *g, ub_node x)
{
    ub_node half = ub_scale(g, x, 0.5);
    ub_node e = ub_erf(g, ub_scale(g, x, sqrt(0.5)));
    return ub_mul(g, half, ub_add(g, ub_like(g, 1, x), e));
}

ub_node ub_softmax(struct ub_graph *g, ub_node x)
{
    return ub_masked_softmax(g, x, UB_NONE);
}

/* What is masked is kept out of exp, too: it never sees the large negative numbers that cost its
 * slow path. */
ub_node ub_masked_softmax(struct ub_graph *g, ub_node x, ub_node mask)
{
    struct ub_shape s = ub_shape_of(g, x), column = s;
    unsigned last = UB_AXIS(s.rank - 1);
    column.dim[s.rank - 1] = 1;
    ub_node seen = mask == UB_NONE ? x : ub_select(g, mask, x, ub_like(g, -1e30, x));
    ub_node top = ub_stop(g, ub_reduce_max(g, ub_stop(g, seen), last));
    ub_node shifted = ub_sub(g, x, ub_reshape(g, top, column.rank, column.dim));
    ub_node zero = ub_like(g, 0, x), e;
    if (mask == UB_NONE)
        e = ub_exp(g, shifted);
    else
        e = ub_select(g, mask, ub_exp(g, ub_select(g, mask, shifted, zero)), zero);
    ub_node scale = ub_recip(g, ub_sum(g, e, last));
    return ub_mul(g, e, ub_reshape(g, scale, column.rank, column.dim));
}

ub_node ub_causal_mask(struct ub_graph *g, int64_t rows, int64_t columns)
{
    ub_node row = ub_reshape(g, ub_iota(g, rows), 2, (int64_t[]){rows, 1});
    ub_node column = ub_reshape(g, ub_iota(g, columns), 2, (int64_t[]){1, columns});
    ub_node later = ub_greater(g, column, row);
    return ub_sub(g, ub_like(g, 1, later), later);
}

ub_node ub_one_hot(struct ub_graph *g, ub_node x, int64_t n)
{
    struct ub_shape s = ub_shape_of(g, x);
    s.dim[s.rank++] = 1;
    return ub_equal(g, ub_reshape(g, x, s.rank, s.dim), ub_iota(g, n));
}

/* ---- pooling ---- */

/* (n, h, w, c) cut to whole windows, as (n, h / size, size, w / size, size, c). */
static ub_node tiles(struct ub_graph *g, ub_node x, int64_t size)
{
    struct ub_shape s = ub_shape_of(g, x);
    int64_t h = s.dim[1] / size, w = s.dim[2] / size;
    x = ub_slice(g, ub_slice(g, x, 1, 0, h * size), 2, 0, w * size);
    return ub_reshape(g, x, 6, (int64_t[]){s.dim[0], h, size, w, size, s.dim[3]});
}

ub_node ub_mean_pool(struct ub_graph *g, ub_node x, int64_t size, int64_t stride, int64_t pad)
{
    double share = 1 / (double)(size * size);
    if (stride == size && pad == 0)
        return ub_scale(g, ub_sum(g, tiles(g, x, size), UB_AXIS(2) | UB_AXIS(4)), share);
    struct ub_patch w = {.height = size, .width = size, .stride = stride, .pad = pad};
    return ub_scale(g, ub_sum(g, ub_windows(g, x, w), UB_AXIS(3) | UB_AXIS(4)), share);
}

ub_node ub_max_pool(struct ub_graph *g, ub_node x, int64_t size, int64_t stride)
{
    if (stride == size)
        return ub_reduce_max(g, tiles(g, x, size), UB_AXIS(2) | UB_AXIS(4));
    struct ub_patch w = {.height = size, .width = size, .stride = stride};
    return ub_reduce_max(g, ub_windows(g, x, w), UB_AXIS(3) | UB_AXIS(4));
}
