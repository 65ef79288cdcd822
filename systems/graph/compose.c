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

/* y = f(x) with its first three derivatives, each but the last the one before's slope. */
static ub_node with_derivatives(struct ub_graph *g, ub_node y, ub_node x, const ub_node slope[3])
{
    const ub_node second = ub_with_derivative(g, slope[1], x, slope[2]);
    return ub_with_derivative(g, y, x, ub_with_derivative(g, slope[0], x, second));
}

/* Of f = x P, with the normal distribution's P and its density p: f' = P + x p, f'' = p (2 - x^2),
 * f''' = x p (x^2 - 4). */
ub_node ub_gelu(struct ub_graph *g, ub_node x)
{
    const ub_node square = ub_mul(g, x, x);
    const ub_node e = ub_erf(g, ub_scale(g, x, sqrt(0.5)));
    const ub_node below = ub_scale(g, ub_add(g, ub_like(g, 1, x), e), 0.5);
    const ub_node bell = ub_exp(g, ub_scale(g, square, -0.5));
    const ub_node density = ub_scale(g, bell, 1 / sqrt(2 * acos(-1)));
    const ub_node xp = ub_mul(g, x, density);
    const ub_node slope[3] = {ub_add(g, below, xp),
                              ub_mul(g, density, ub_sub(g, ub_like(g, 2, x), square)),
                              ub_mul(g, xp, ub_sub(g, square, ub_like(g, 4, x)))};
    return with_derivatives(g, ub_mul(g, x, below), x, slope);
}

/* Of f = x s, with the logistic s, p = s' = s (1 - s) and q = 1 - 2 s: f' = s + x p,
 * f'' = p (2 + x q), f''' = p (q (3 + x q) - 2 x p). */
ub_node ub_silu(struct ub_graph *g, ub_node x)
{
    const ub_node one = ub_like(g, 1, x), s = ub_sigmoid(g, x);
    const ub_node p = ub_mul(g, s, ub_sub(g, one, s)), q = ub_sub(g, one, ub_scale(g, s, 2));
    const ub_node xp = ub_mul(g, x, p), xq = ub_mul(g, x, q);
    const ub_node inner = ub_mul(g, q, ub_add(g, ub_like(g, 3, x), xq));
    const ub_node slope[3] = {ub_add(g, s, xp), ub_mul(g, p, ub_add(g, ub_like(g, 2, x), xq)),
                              ub_mul(g, p, ub_sub(g, inner, ub_scale(g, xp, 2)))};
    return with_derivatives(g, ub_mul(g, x, s), x, slope);
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
    return ub_as_softmax(g, ub_mul(g, e, ub_reshape(g, scale, column.rank, column.dim)), x);
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
