/* rules_window.c - builders and rules of windows and of the convolution triple.
 *
 * conv(x, w), conv_input(ct, w) and conv_weight(x, ct) are the three faces of one trilinear form
 * <ct, conv(x, w)>: each is linear in both its inputs, and its derivatives are the other two. */
#include "systems/graph/internal.h"

#include <string.h>

int64_t ub_window_steps(struct ub_patch w, int64_t size, bool vertical)
{
    int64_t over = size + 2 * w.pad - (vertical ? w.height : w.width);
    return over < 0 ? 0 : over / w.stride + 1;
}

static void check_window(struct ub_patch w, int64_t height, int64_t width)
{
    if (w.height < 1 || w.width < 1 || w.stride < 1 || w.pad < 0 || w.groups < 0)
        UB_ABORT("a window of %lld x %lld, stride %lld, padding %lld", (long long)w.height,
                 (long long)w.width, (long long)w.stride, (long long)w.pad);
    if (ub_window_steps(w, height, true) < 1 || ub_window_steps(w, width, false) < 1)
        UB_ABORT("the window is larger than the image of %lld x %lld", (long long)height,
                 (long long)width);
}

static struct ub_attributes attributes_of(struct ub_patch w, int64_t height, int64_t width)
{
    struct ub_attributes a = {.before = height, .after = width};
    memset(&a.window, 0, sizeof a.window);
    a.window.height = w.height;
    a.window.width = w.width;
    a.window.stride = w.stride;
    a.window.pad = w.pad;
    a.window.groups = w.groups > 0 ? w.groups : 1;
    return a;
}

/* ---- windows ---- */

ub_node ub_windows(struct ub_graph *g, ub_node x, struct ub_patch w)
{
    struct ub_shape s = ub_shape_of(g, x), out = s;
    if (s.rank < 3 || s.rank + 2 > UB_RANK)
        UB_ABORT("an image of rank %d", s.rank);
    int64_t height = s.dim[s.rank - 3], width = s.dim[s.rank - 2];
    check_window(w, height, width);
    out.dim[s.rank - 3] = ub_window_steps(w, height, true);
    out.dim[s.rank - 2] = ub_window_steps(w, width, false);
    out.dim[s.rank - 1] = w.height;
    out.dim[s.rank] = w.width;
    out.dim[s.rank + 1] = s.dim[s.rank - 1];
    out.rank += 2;
    struct ub_attributes a = attributes_of(w, height, width);
    return ub_emit(g, UB_OP_WINDOWS, &x, 1, out, &a);
}

ub_node ub_windows_add(struct ub_graph *g, ub_node x, struct ub_patch w, int64_t height,
                       int64_t width)
{
    struct ub_shape s = ub_shape_of(g, x), out = s;
    out.rank -= 2;
    out.dim[out.rank - 3] = height;
    out.dim[out.rank - 2] = width;
    out.dim[out.rank - 1] = s.dim[s.rank - 1];
    struct ub_attributes a = attributes_of(w, height, width);
    return ub_emit(g, UB_OP_WINDOWS_ADD, &x, 1, out, &a);
}

static ub_node windows_like(struct ub_graph *g, ub_node node, ub_node x)
{
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    return ub_windows(g, x, a.window);
}

static ub_node windows_add_like(struct ub_graph *g, ub_node node, ub_node x)
{
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    return ub_windows_add(g, x, a.window, a.before, a.after);
}

static void vjp_windows(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    out[0] = windows_add_like(g, node, ct);
}

static ub_node jvp_windows(struct ub_graph *g, ub_node node, const ub_node *t)
{
    return windows_like(g, node, t[0]);
}

static ub_node vmap_windows(struct ub_graph *g, ub_node node, const ub_node *in,
                            const bool *batched, int64_t b)
{
    (void)batched, (void)b;
    return windows_like(g, node, in[0]);
}

static void vjp_windows_add(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    out[0] = windows_like(g, node, ct);
}

static ub_node jvp_windows_add(struct ub_graph *g, ub_node node, const ub_node *t)
{
    return windows_add_like(g, node, t[0]);
}

static ub_node vmap_windows_add(struct ub_graph *g, ub_node node, const ub_node *in,
                                const bool *batched, int64_t b)
{
    (void)batched, (void)b;
    return windows_add_like(g, node, in[0]);
}

const struct ub_operator_row ub_row_windows = {
    .name = "windows", .vjp = vjp_windows, .jvp = jvp_windows, .vmap = vmap_windows};
const struct ub_operator_row ub_row_windows_add = {.name = "windows_add",
                                                   .vjp = vjp_windows_add,
                                                   .jvp = jvp_windows_add,
                                                   .vmap = vmap_windows_add};

/* ---- convolutions: operands have rank 4, or 5 with a leading batch axis ---- */

enum { PLAIN = 4 };

static struct ub_shape without_batch(struct ub_shape s)
{
    if (s.rank == PLAIN + 1) {
        memmove(s.dim, s.dim + 1, PLAIN * sizeof *s.dim);
        s.rank = PLAIN;
    }
    if (s.rank != PLAIN)
        UB_ABORT("a convolution's operand of rank %d", s.rank);
    return s;
}

static ub_node emit_conv(struct ub_graph *g, enum ub_op op, ub_node x, ub_node y,
                         struct ub_shape out, const struct ub_attributes *a)
{
    struct ub_shape sx = ub_shape_of(g, x), sy = ub_shape_of(g, y);
    int64_t bx = sx.rank > PLAIN ? sx.dim[0] : 0, by = sy.rank > PLAIN ? sy.dim[0] : 0;
    if (bx && by && bx != by)
        UB_ABORT("batches of %lld and %lld", (long long)bx, (long long)by);
    if (bx || by)
        out = ub_shape_batched(out, bx ? bx : by);
    ub_node in[2] = {x, y};
    return ub_emit(g, op, in, 2, out, a);
}

ub_node ub_conv(struct ub_graph *g, ub_node x, ub_node weight, struct ub_patch w)
{
    struct ub_shape sx = without_batch(ub_shape_of(g, x));
    struct ub_shape sw = without_batch(ub_shape_of(g, weight));
    int64_t groups = w.groups > 0 ? w.groups : 1;
    check_window(w, sx.dim[1], sx.dim[2]);
    if (sw.dim[1] != w.height || sw.dim[2] != w.width || sw.dim[3] * groups != sx.dim[3] ||
        sw.dim[0] % groups != 0)
        UB_ABORT("weights (%lld, %lld, %lld, %lld) on %lld channels in %lld groups",
                 (long long)sw.dim[0], (long long)sw.dim[1], (long long)sw.dim[2],
                 (long long)sw.dim[3], (long long)sx.dim[3], (long long)groups);
    struct ub_shape out = sx;
    out.dim[1] = ub_window_steps(w, sx.dim[1], true);
    out.dim[2] = ub_window_steps(w, sx.dim[2], false);
    out.dim[3] = sw.dim[0];
    struct ub_attributes a = attributes_of(w, sx.dim[1], sx.dim[2]);
    return emit_conv(g, UB_OP_CONV, x, weight, out, &a);
}

ub_node ub_conv_input(struct ub_graph *g, ub_node ct, ub_node weight, struct ub_patch w,
                      int64_t height, int64_t width)
{
    struct ub_shape out = without_batch(ub_shape_of(g, ct));
    struct ub_shape sw = without_batch(ub_shape_of(g, weight));
    struct ub_attributes a = attributes_of(w, height, width);
    out.dim[1] = height;
    out.dim[2] = width;
    out.dim[3] = sw.dim[3] * a.window.groups;
    return emit_conv(g, UB_OP_CONV_INPUT, ct, weight, out, &a);
}

ub_node ub_conv_weight(struct ub_graph *g, ub_node x, ub_node ct, struct ub_patch w)
{
    struct ub_shape sx = without_batch(ub_shape_of(g, x));
    struct ub_shape sc = without_batch(ub_shape_of(g, ct));
    struct ub_attributes a = attributes_of(w, sx.dim[1], sx.dim[2]);
    struct ub_shape out = {.rank = PLAIN,
                           .dim = {sc.dim[3], w.height, w.width, sx.dim[3] / a.window.groups}};
    return emit_conv(g, UB_OP_CONV_WEIGHT, x, ct, out, &a);
}

/* The same operator as `node` on other operands. */
static ub_node conv_like(struct ub_graph *g, ub_node node, ub_node x, ub_node y)
{
    enum ub_op op = ub_vertex(g, node)->op;
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    if (op == UB_OP_CONV)
        return ub_conv(g, x, y, a.window);
    if (op == UB_OP_CONV_INPUT)
        return ub_conv_input(g, x, y, a.window, a.before, a.after);
    return ub_conv_weight(g, x, y, a.window);
}

/* A cotangent summed over the batch when its operand is shared by the members. */
static ub_node shared(struct ub_graph *g, ub_node ct, ub_node operand)
{
    bool extra = ub_shape_of(g, ct).rank > ub_shape_of(g, operand).rank;
    return extra ? ub_sum(g, ct, UB_AXIS(0)) : ct;
}

static void vjp_conv(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out)
{
    enum ub_op op = ub_vertex(g, node)->op;
    struct ub_attributes a = *ub_vertex(g, node)->attributes;
    ub_node x = ub_vertex(g, node)->in[0], y = ub_vertex(g, node)->in[1];
    if (op == UB_OP_CONV) {
        out[0] = ub_conv_input(g, ct, y, a.window, a.before, a.after);
        out[1] = ub_conv_weight(g, x, ct, a.window);
    } else if (op == UB_OP_CONV_INPUT) { /* x: cotangent, y: weights */
        out[0] = ub_conv(g, ct, y, a.window);
        out[1] = ub_conv_weight(g, ct, x, a.window);
    } else { /* x: image, y: cotangent */
        out[0] = ub_conv_input(g, y, ct, a.window, a.before, a.after);
        out[1] = ub_conv(g, x, ct, a.window);
    }
    out[0] = shared(g, out[0], x);
    out[1] = shared(g, out[1], y);
}

static ub_node jvp_conv(struct ub_graph *g, ub_node node, const ub_node *t)
{
    ub_node x = ub_vertex(g, node)->in[0], y = ub_vertex(g, node)->in[1];
    ub_node left = t[0] == UB_NONE ? UB_NONE : conv_like(g, node, t[0], y);
    ub_node right = t[1] == UB_NONE ? UB_NONE : conv_like(g, node, x, t[1]);
    return ub_accumulate(g, left, right);
}

/* An operand with all batch axes of the new node (b, and `old` when the node had one) as one. */
static ub_node merged(struct ub_graph *g, ub_node x, bool batched, int64_t b, int64_t old)
{
    struct ub_shape s = ub_shape_of(g, x);
    struct ub_shape plain = {.rank = PLAIN};
    memcpy(plain.dim, s.dim + s.rank - PLAIN, PLAIN * sizeof *plain.dim);
    bool has_old = s.rank - PLAIN - batched > 0;
    if (!batched && !has_old)
        return x;
    struct ub_shape aligned =
        ub_shape_batched(ub_shape_batched(plain, has_old ? old : 1), batched ? b : 1);
    struct ub_shape full = ub_shape_batched(ub_shape_batched(plain, old), b);
    x = ub_broadcast(g, ub_reshape(g, x, aligned.rank, aligned.dim), full.rank, full.dim);
    struct ub_shape flat = ub_shape_batched(plain, b * old);
    return ub_reshape(g, x, flat.rank, flat.dim);
}

/* Samples of all members as one long run of them. */
static ub_node members_as_samples(struct ub_graph *g, ub_node x)
{
    struct ub_shape s = ub_shape_of(g, x);
    return ub_reshape(g, x, PLAIN, (int64_t[]){s.dim[0] * s.dim[1], s.dim[2], s.dim[3], s.dim[4]});
}

static ub_node vmap_conv(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                         int64_t b)
{
    struct ub_shape s = ub_shape_of(g, node), out = ub_shape_batched(s, b);
    int64_t old = s.rank > PLAIN ? s.dim[0] : 1;
    ub_node x = merged(g, in[0], batched[0], b, old), y = merged(g, in[1], batched[1], b, old);
    bool alone = ub_shape_of(g, y).rank == PLAIN && ub_shape_of(g, x).rank > PLAIN;
    if (alone && ub_vertex(g, node)->op != UB_OP_CONV_WEIGHT)
        x = members_as_samples(g, x);
    ub_node result = conv_like(g, node, x, y);
    return ub_reshape(g, result, out.rank, out.dim);
}

#define CONV_ROW(NAME)                                                                             \
    {                                                                                              \
        .name = NAME, .vjp = vjp_conv, .jvp = jvp_conv, .vmap = vmap_conv                          \
    }
const struct ub_operator_row ub_row_conv = CONV_ROW("conv");
const struct ub_operator_row ub_row_conv_input = CONV_ROW("conv_input");
const struct ub_operator_row ub_row_conv_weight = CONV_ROW("conv_weight");
