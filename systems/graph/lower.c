/* lower.c - last pass: steps with addresses, group by group in order of execution. */
#include "systems/graph/program.h"

static struct ub_step *add_step(struct ub_steps *steps, enum ub_step_kind kind)
{
    if (steps->count == steps->capacity) {
        steps->capacity = steps->capacity ? 2 * steps->capacity : 16;
        steps->step = ub_realloc(steps->step, (size_t)steps->capacity * sizeof *steps->step);
    }
    struct ub_step *s = &steps->step[steps->count++];
    *s = (struct ub_step){.kind = kind};
    return s;
}

void ub_shape_strides(struct ub_shape shape, int64_t *stride)
{
    int64_t s = 1;
    for (int i = shape.rank - 1; i >= 0; i--) {
        stride[i] = s;
        s *= shape.dim[i];
    }
}

void ub_broadcast_strides(struct ub_shape shape, struct ub_shape from, int64_t *stride)
{
    int64_t own[UB_RANK];
    ub_shape_strides(from, own);
    for (int i = 0; i < shape.rank; i++) {
        int j = i - (shape.rank - from.rank);
        stride[i] = j < 0 || (from.dim[j] == 1 && shape.dim[i] != 1) ? 0 : own[j];
    }
}

void ub_move_merge(struct ub_move *m)
{
    int rank = 0;
    for (int i = 0; i < m->rank; i++) {
        if (m->dim[i] == 1)
            continue;
        int last = rank - 1;
        if (rank && m->out_stride[last] == m->dim[i] * m->out_stride[i] &&
            m->in_stride[last] == m->dim[i] * m->in_stride[i]) {
            m->dim[last] *= m->dim[i];
            m->out_stride[last] = m->out_stride[i];
            m->in_stride[last] = m->in_stride[i];
            continue;
        }
        m->dim[rank] = m->dim[i];
        m->out_stride[rank] = m->out_stride[i];
        m->in_stride[rank] = m->in_stride[i];
        rank++;
    }
    m->rank = rank;
}

static struct ub_ref ref_of(const struct ub_compiler *c, const struct ub_view *l)
{
    struct ub_ref ref = c->ref[l->source];
    ref.offset += l->offset;
    return ref;
}

/* How x is read, and where it is written: the passes saw to it that there is an answer. */
static struct ub_view view_at(const struct ub_compiler *c, ub_node x)
{
    struct ub_view l;
    if (!ub_view_of(c, x, &l))
        UB_ABORT("node %d cannot be read in place", x);
    return l;
}

static struct ub_view place_of(const struct ub_compiler *c, ub_node x)
{
    struct ub_view l;
    if (!ub_place_of(c, x, &l))
        UB_ABORT("node %d cannot be written in place", x);
    return l;
}

/* A copy over `dims`. */
static void add_move(struct ub_steps *steps, struct ub_shape dims, struct ub_ref out,
                     const int64_t *out_stride, struct ub_ref in, const int64_t *in_stride)
{
    struct ub_step *s = add_step(steps, UB_STEP_MOVE);
    s->out = out;
    s->in[0] = in;
    s->move.rank = dims.rank;
    for (int i = 0; i < dims.rank; i++) {
        s->move.dim[i] = dims.dim[i];
        s->move.out_stride[i] = out_stride[i];
        s->move.in_stride[i] = in_stride[i];
    }
    ub_move_merge(&s->move);
}

/* Has the i-th input been written where this copy would put it? */
static bool is_in_place(const struct ub_compiler *c, ub_node x, int i)
{
    return c->into[c->base[ub_vertex(c->g, x)->in[i]]] == x;
}

static void lower_move(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    if (is_in_place(c, x, 0))
        return;
    const struct ub_view from = view_at(c, v->in[0]), place = place_of(c, x);
    struct ub_shape dims = v->shape;
    int64_t in[UB_RANK];
    struct ub_ref to = ref_of(c, &place), at = ref_of(c, &from);
    for (int i = 0; i < from.shape.rank; i++)
        in[i] = from.stride[i];
    if (v->op == UB_OP_TRANSPOSE) {
        for (int i = 0; i < from.shape.rank; i++)
            in[i] = from.stride[v->attributes->order[i]];
    } else if (v->op == UB_OP_BROADCAST) {
        ub_broadcast_strides(v->shape, from.shape, in);
    } else if (v->op == UB_OP_SLICE) {
        at.offset += v->attributes->before * from.stride[v->attributes->axis];
    } else { /* PAD */
        struct ub_step *zero = add_step(steps, UB_STEP_FILL);
        zero->out = to;
        zero->n = ub_count(v->shape);
        to.offset += v->attributes->before * place.stride[v->attributes->axis];
        dims = from.shape;
    }
    add_move(steps, dims, to, place.stride, at, in);
}

static void lower_concat(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    const struct ub_view place = place_of(c, x);
    struct ub_ref to = ref_of(c, &place);
    for (int i = 0; i < v->n_in; i++) {
        const struct ub_view part = view_at(c, v->in[i]);
        if (!is_in_place(c, x, i))
            add_move(steps, part.shape, to, place.stride, ref_of(c, &part), part.stride);
        to.offset += part.shape.dim[v->attributes->axis] * place.stride[v->attributes->axis];
    }
}

struct ub_reduce ub_reduction_of(const struct ub_compiler *c, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    struct ub_shape from = ub_shape_of(c->g, v->in[0]);
    struct ub_reduce reduce = {1, 1, 1};
    bool passed = false;
    for (int i = 0; i < from.rank; i++) {
        bool reduced = v->attributes->axes & UB_AXIS(i);
        passed = passed || reduced;
        if (reduced)
            reduce.r *= from.dim[i];
        else if (passed)
            reduce.b *= from.dim[i];
        else
            reduce.a *= from.dim[i];
    }
    return reduce;
}

static void lower_reduce(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    struct ub_step *s = add_step(steps, v->op == UB_OP_SUM ? UB_STEP_SUM : UB_STEP_MAX);
    s->out = c->ref[x];
    s->in[0] = c->ref[c->base[v->in[0]]];
    s->reduce = ub_reduction_of(c, x);
}

/* One factor, or the product, of a GEMM: a matrix for each member of the batch. */
static struct ub_matrix matrix_of(const struct ub_view *l)
{
    struct ub_matrix matrix;
    if (!ub_matrix_of(l, &matrix))
        UB_ABORT("node %d is no matrix as it lies", l->source);
    return matrix;
}

/* Axes of the batch, merged where all three operands go on evenly. One with a shared right side is
 * one tall product, where its rows do. */
static void set_batch(struct ub_gemm *g, const struct ub_view *a, const struct ub_view *b,
                      const struct ub_view *c)
{
    const int rank = c->shape.rank - 2;
    g->batch = 1;
    for (int i = 0; i < rank; i++) {
        const int64_t dim = c->shape.dim[i];
        const int64_t sa = a->shape.rank == 2 ? 0 : a->stride[i];
        const int64_t sb = b->shape.rank == 2 ? 0 : b->stride[i], sc = c->stride[i];
        if (dim == 1)
            continue;
        const int last = g->rank - 1;
        const bool merges = g->rank > 0 && g->stride_a[last] == dim * sa &&
                            g->stride_b[last] == dim * sb && g->stride_c[last] == dim * sc;
        const int at = merges ? last : g->rank++;
        g->dim[at] = merges ? g->dim[at] * dim : dim;
        g->stride_a[at] = sa;
        g->stride_b[at] = sb;
        g->stride_c[at] = sc;
        g->batch *= dim;
    }
    const int last = g->rank - 1;
    if (g->m == 1 && !g->ta && g->rank > 0 && g->stride_a[last] >= g->k &&
        g->stride_c[last] >= g->n) {
        g->lda = g->stride_a[last];
        g->ldc = g->stride_c[last];
    }
    if (b->shape.rank == 2 && !g->ta && g->rank == 1 && g->stride_a[last] == g->m * g->lda &&
        g->stride_c[last] == g->m * g->ldc) {
        g->m *= g->batch;
        g->batch = 1;
        g->rank = 0;
    }
}

static void lower_matmul(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_view place = place_of(c, x);
    struct ub_view a, b;
    if (!ub_factor_of(c, x, 0, &a) || !ub_factor_of(c, x, 1, &b))
        UB_ABORT("factors of product %d cannot be read in place", x);
    const struct ub_matrix left = matrix_of(&a), right = matrix_of(&b), out = matrix_of(&place);
    struct ub_step *s = add_step(steps, UB_STEP_GEMM);
    s->out = ref_of(c, &place);
    s->to_lane = s->out.space == UB_SPACE_LANE;
    s->in[0] = ref_of(c, &a);
    s->in[1] = ref_of(c, &b);
    s->gemm = (struct ub_gemm){.ta = left.transposed,
                               .tb = right.transposed,
                               .m = a.shape.dim[a.shape.rank - 2],
                               .n = b.shape.dim[b.shape.rank - 1],
                               .k = a.shape.dim[a.shape.rank - 1],
                               .lda = left.ld,
                               .ldb = right.ld,
                               .ldc = out.ld};
    set_batch(&s->gemm, &a, &b, &place);
    s->gemm.multiply = ub_choose_multiply(c->p->kernels, &s->gemm);
    if (c->spec->split)
        s->gemm.split = ub_split_product_new(&s->gemm, c->spec->dry ? 0 : c->p->threads);
    if (s->gemm.split && ub_split_product_scratch(s->gemm.split) > c->p->scratch)
        c->p->scratch = ub_split_product_scratch(s->gemm.split);
    c->p->facts.matmuls++;
}

/* ---- sums along an axis, rows by index, windows and convolutions ---- */

static void lower_cumsum(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    struct ub_step *s = add_step(steps, UB_STEP_CUMSUM);
    s->out = c->ref[x];
    s->in[0] = c->ref[c->base[v->in[0]]];
    s->reverse = v->attributes->reverse != 0;
    s->reduce = (struct ub_reduce){1, v->shape.dim[v->attributes->axis], 1};
    for (int i = 0; i < v->shape.rank; i++) {
        if (i < v->attributes->axis)
            s->reduce.a *= v->shape.dim[i];
        else if (i > v->attributes->axis)
            s->reduce.b *= v->shape.dim[i];
    }
}

static void lower_index(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    bool gather = v->op == UB_OP_GATHER;
    struct ub_shape table = gather ? ub_shape_of(c->g, v->in[0]) : v->shape;
    struct ub_step *s = add_step(steps, gather ? UB_STEP_GATHER : UB_STEP_SCATTER);
    s->out = c->ref[x];
    s->in[0] = c->ref[c->base[v->in[0]]];
    s->in[1] = c->ref[c->base[v->in[1]]];
    s->index = (struct ub_index){ub_count(ub_shape_of(c->g, v->in[1])), table.dim[1], table.dim[0]};
}

/* Sizes of images and windows; `image` and `out` end in (height, width, channels). */
static struct ub_images images_of(const struct ub_attributes *a, int64_t c, int64_t o)
{
    const struct ub_patch w = a->window;
    return (struct ub_images){.h = a->before,
                              .w = a->after,
                              .c = c,
                              .out_h = ub_window_steps(w, a->before, true),
                              .out_w = ub_window_steps(w, a->after, false),
                              .o = o,
                              .kh = w.height,
                              .kw = w.width,
                              .stride = w.stride,
                              .pad = w.pad,
                              .groups = w.groups};
}

static void lower_windows(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    bool add = v->op == UB_OP_WINDOWS_ADD;
    struct ub_step *s = add_step(steps, add ? UB_STEP_WINDOWS_ADD : UB_STEP_WINDOWS);
    s->out = c->ref[x];
    s->in[0] = c->ref[c->base[v->in[0]]];
    s->n = ub_count(v->shape);
    s->images = images_of(v->attributes, v->shape.dim[v->shape.rank - 1], 0);
    int64_t image = s->images.h * s->images.w * s->images.c;
    s->images.n = (add ? s->n : ub_count(ub_shape_of(c->g, v->in[0]))) / image;
}

static void lower_conv(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    enum { PLAIN = 4 };
    const struct ub_vertex *v = ub_vertex(c->g, x);
    struct ub_shape a = ub_shape_of(c->g, v->in[0]), b = ub_shape_of(c->g, v->in[1]);
    const int64_t *da = a.dim + a.rank - PLAIN, *db = b.dim + b.rank - PLAIN;
    const int64_t *dc = v->shape.dim + v->shape.rank - PLAIN;
    struct ub_convolution conv = {.op = v->op,
                                  .batch = v->shape.rank > PLAIN ? v->shape.dim[0] : 1};
    const int64_t image_c = v->op == UB_OP_CONV_INPUT ? dc[3] : da[3];
    const int64_t o = v->op == UB_OP_CONV_INPUT ? da[3] : v->op == UB_OP_CONV ? db[0] : db[3];
    conv.images = images_of(v->attributes, image_c, o);
    conv.images.n = da[0];
    conv.stride_a = a.rank > PLAIN ? ub_count(a) / a.dim[0] : 0;
    conv.stride_b = b.rank > PLAIN ? ub_count(b) / b.dim[0] : 0;
    conv.stride_c = ub_count(v->shape) / conv.batch;
    conv.direct = ub_choose_direct(c->p->kernels, v->op, &conv.images);
    if (c->spec->single && !c->spec->dry && !conv.direct)
        conv.dnnl = ub_dnnl_conv_new(v->op, &conv.images, c->p->threads);
    struct ub_step *s = add_step(steps, UB_STEP_CONV);
    s->out = c->ref[x];
    s->in[0] = c->ref[c->base[v->in[0]]];
    s->in[1] = c->ref[c->base[v->in[1]]];
    s->conv = conv;
    if (ub_convolve_scratch(c->p->kernels, &conv) > c->p->scratch)
        c->p->scratch = ub_convolve_scratch(c->p->kernels, &conv);
}

static struct ub_steps *steps_of(struct ub_compiler *c, int segment)
{
    return &c->p->segments[segment].steps;
}

/* Every chunk adds its value to the lane's, whoever computed it. */
static void add_total(struct ub_compiler *c, ub_node x, struct ub_ref lane)
{
    struct ub_step *s = add_step(steps_of(c, ub_segment_of_chunks(c, x)), UB_STEP_TOTAL);
    s->out = lane;
    s->in[0] = c->ref[x];
    s->n = ub_count(ub_shape_of(c->g, x));
}

static void lower_totals(struct ub_compiler *c, ub_node x)
{
    for (int i = 0; i < c->n_totals; i++)
        if (c->base[ub_vertex(c->g, c->totals[i])->in[0]] == x)
            add_total(c, x, c->sum[c->totals[i]]);
}

static void lower_join(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    struct ub_step *s = add_step(steps, UB_STEP_JOIN);
    s->out = c->ref[x];
    s->in[0] = c->sum[x];
    s->n = ub_count(ub_shape_of(c->g, x));
}

static void lower_outputs(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    for (int i = 0; i < c->p->n_outputs; i++) {
        struct ub_bound_output *o = &c->p->outputs[i];
        if (c->base[o->spec.node] != x)
            continue;
        if (o->once) {
            o->ref = c->ref[x];
        } else if (o->spec.kind == UB_EACH) {
            struct ub_step *s = add_step(steps, UB_STEP_EACH);
            s->in[0] = c->ref[x];
            s->output = i;
            s->n = o->count / c->p->chunk;
        } else if (c->ref[x].space != UB_SPACE_LANE) {
            add_total(c, x, o->ref);
        }
    }
}

static void lower_block(struct ub_compiler *c, struct ub_steps *steps, ub_node leader)
{
    struct ub_block block = {0};
    ub_lower_block(c, leader, &block);
    add_step(steps, UB_STEP_BLOCK)->block = block;
    c->p->facts.fused_blocks++;
    if (block.n_registers > c->p->registers)
        c->p->registers = block.n_registers;
}

static void lower_constant(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    struct ub_step *s = add_step(steps, v->op == UB_OP_FILL ? UB_STEP_FILL : UB_STEP_IOTA);
    s->out = c->ref[x];
    s->n = ub_count(v->shape);
    s->value = v->attributes->value;
}

static void lower_node(struct ub_compiler *c, struct ub_steps *steps, ub_node x)
{
    switch (ub_vertex(c->g, x)->op) {
    case UB_OP_INPUT:
        break;
    case UB_OP_FILL:
    case UB_OP_IOTA:
        lower_constant(c, steps, x);
        break;
    case UB_OP_MATMUL:
        lower_matmul(c, steps, x);
        break;
    case UB_OP_SUM:
    case UB_OP_REDUCE_MAX:
        lower_reduce(c, steps, x);
        break;
    case UB_OP_TOTAL:
        lower_join(c, steps, x);
        break;
    case UB_OP_CONCAT:
        lower_concat(c, steps, x);
        break;
    case UB_OP_CUMSUM:
        lower_cumsum(c, steps, x);
        break;
    case UB_OP_GATHER:
    case UB_OP_SCATTER:
        lower_index(c, steps, x);
        break;
    case UB_OP_WINDOWS:
    case UB_OP_WINDOWS_ADD:
        lower_windows(c, steps, x);
        break;
    case UB_OP_CONV:
    case UB_OP_CONV_INPUT:
    case UB_OP_CONV_WEIGHT:
        lower_conv(c, steps, x);
        break;
    default:
        lower_move(c, steps, x);
    }
}

static void lower_group(struct ub_compiler *c, ub_node leader)
{
    struct ub_steps *steps = steps_of(c, c->segment[leader]);
    if (ub_operator_row(ub_vertex(c->g, leader)->op)->pointwise)
        lower_block(c, steps, leader);
    else
        lower_node(c, steps, leader);
    for (ub_node x = leader; x != UB_NONE; x = c->next[x]) {
        lower_outputs(c, steps, x);
        lower_totals(c, x);
    }
}

void ub_compile_lower(struct ub_compiler *c)
{
    for (int i = 0; i < c->n_groups; i++)
        lower_group(c, c->order[i]);
    for (int i = 0; i < c->p->n_segments; i++) {
        const struct ub_segment *s = &c->p->segments[i];
        *(s->chunk ? &c->p->facts.steps_chunk : &c->p->facts.steps_once) += s->steps.count;
    }
}
