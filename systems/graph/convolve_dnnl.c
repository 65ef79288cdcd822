/* convolve_dnnl.c - convolutions in float through oneDNN, on images with channels last. Weights
 * are laid out by us as (o, window height, window width, channels / groups) and reordered into
 * whatever the primitive prefers at each run: they are small. */
#include "systems/graph/program.h"

#include <dnnl.h>
#include <omp.h>
#include <stdlib.h>

struct ub_dnnl_conv {
    enum ub_op op;
    dnnl_engine_t engine;
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive, to_theirs, to_ours; /* reorders of weights: NULL where not needed */
    dnnl_memory_desc_t image, weight, out, their_weight;
    size_t weight_bytes;
};

static dnnl_memory_desc_t images_last(int64_t n, int64_t c, int64_t h, int64_t w)
{
    dnnl_memory_desc_t d;
    dnnl_memory_desc_init_by_tag(&d, 4, (dnnl_dims_t){n, c, h, w}, dnnl_f32, dnnl_nhwc);
    return d;
}

/* Our weights as oneDNN names their axes: ([g,] o, i, h, w). */
static dnnl_memory_desc_t weights(const struct ub_images *s, bool ours)
{
    dnnl_memory_desc_t d;
    const int64_t g = s->groups, o = s->o / g, i = s->c / g, row = s->kw * i;
    if (g == 1 && ours)
        dnnl_memory_desc_init_by_strides(&d, 4, (dnnl_dims_t){o, i, s->kh, s->kw}, dnnl_f32,
                                         (dnnl_dims_t){s->kh * row, 1, row, i});
    else if (g == 1)
        dnnl_memory_desc_init_by_tag(&d, 4, (dnnl_dims_t){o, i, s->kh, s->kw}, dnnl_f32,
                                     dnnl_format_tag_any);
    else if (ours)
        dnnl_memory_desc_init_by_strides(&d, 5, (dnnl_dims_t){g, o, i, s->kh, s->kw}, dnnl_f32,
                                         (dnnl_dims_t){o * s->kh * row, s->kh * row, 1, row, i});
    else
        dnnl_memory_desc_init_by_tag(&d, 5, (dnnl_dims_t){g, o, i, s->kh, s->kw}, dnnl_f32,
                                     dnnl_format_tag_any);
    return d;
}

static bool describe(struct ub_dnnl_conv *c, const struct ub_images *s)
{
    const dnnl_dims_t stride = {s->stride, s->stride}, pad = {s->pad, s->pad};
    const dnnl_memory_desc_t any = weights(s, false);
    dnnl_convolution_desc_t d, hint;
    dnnl_primitive_desc_t forward = NULL;
    if (dnnl_convolution_forward_desc_init(&hint, dnnl_forward_training, dnnl_convolution_direct,
                                           &c->image, &any, NULL, &c->out, stride, pad,
                                           pad) != dnnl_success ||
        dnnl_primitive_desc_create(&forward, &hint, NULL, c->engine, NULL) != dnnl_success)
        return false;
    if (c->op == UB_OP_CONV) {
        c->descriptor = forward;
        return true;
    }
    dnnl_status_t status =
        c->op == UB_OP_CONV_INPUT
            ? dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_direct, &c->image, &any,
                                                       &c->out, stride, pad, pad)
            : dnnl_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, &c->image,
                                                          &any, NULL, &c->out, stride, pad, pad);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(&c->descriptor, &d, NULL, c->engine, forward);
    dnnl_primitive_desc_destroy(forward);
    return status == dnnl_success;
}

static bool make_reorder(dnnl_engine_t engine, const dnnl_memory_desc_t *from,
                         const dnnl_memory_desc_t *to, dnnl_primitive_t *reorder)
{
    dnnl_primitive_desc_t descriptor;
    if (dnnl_reorder_primitive_desc_create(&descriptor, from, engine, to, engine, NULL) !=
        dnnl_success)
        return false;
    dnnl_status_t status = dnnl_primitive_create(reorder, descriptor);
    dnnl_primitive_desc_destroy(descriptor);
    return status == dnnl_success;
}

static bool make(struct ub_dnnl_conv *c, const struct ub_images *s)
{
    c->image = images_last(s->n, s->c, s->h, s->w);
    c->out = images_last(s->n, s->o, s->out_h, s->out_w);
    c->weight = weights(s, true);
    if (dnnl_engine_create(&c->engine, dnnl_cpu, 0) != dnnl_success || !describe(c, s))
        return false;
    const bool gradient = c->op == UB_OP_CONV_WEIGHT;
    c->their_weight = *dnnl_primitive_desc_query_md(
        c->descriptor, gradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    c->weight_bytes = dnnl_memory_desc_get_size(&c->their_weight);
    if (!dnnl_memory_desc_equal(&c->weight, &c->their_weight)) {
        bool made = gradient ? make_reorder(c->engine, &c->their_weight, &c->weight, &c->to_ours)
                             : make_reorder(c->engine, &c->weight, &c->their_weight, &c->to_theirs);
        if (!made)
            return false;
    }
    return dnnl_primitive_create(&c->primitive, c->descriptor) == dnnl_success;
}

/* Primitives plan for the threads there are, and run on as many: chunks are ours to share. Returns
 * what to give back to omp_set_num_threads afterwards. */
static int be_alone(void)
{
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    return threads;
}

struct ub_dnnl_conv *ub_dnnl_conv_new(enum ub_op op, const struct ub_images *s)
{
    struct ub_dnnl_conv *c = ub_calloc(1, sizeof *c);
    c->op = op;
    const int threads = be_alone();
    const bool made = make(c, s);
    omp_set_num_threads(threads);
    if (made)
        return c;
    ub_dnnl_conv_free(c);
    return NULL;
}

void ub_dnnl_conv_free(struct ub_dnnl_conv *c)
{
    if (!c)
        return;
    if (c->primitive)
        dnnl_primitive_destroy(c->primitive);
    if (c->to_theirs)
        dnnl_primitive_destroy(c->to_theirs);
    if (c->to_ours)
        dnnl_primitive_destroy(c->to_ours);
    if (c->descriptor)
        dnnl_primitive_desc_destroy(c->descriptor);
    if (c->engine)
        dnnl_engine_destroy(c->engine);
    ub_free(c);
}

static void must(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "unibench: internal error: oneDNN's %s failed with status %d\n", what,
            (int)status);
    abort();
}

static dnnl_memory_t memory(const struct ub_dnnl_conv *c, const dnnl_memory_desc_t *d,
                            const void *p)
{
    dnnl_memory_t m;
    must(dnnl_memory_create(&m, d, c->engine, (void *)p), "memory");
    return m;
}

static void reorder(dnnl_primitive_t primitive, dnnl_stream_t stream, dnnl_memory_t from,
                    dnnl_memory_t to)
{
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    must(dnnl_primitive_execute(primitive, stream, 2, args), "reorder");
}

/* Which argument of the primitive our operands a, b and out are. */
static void name_arguments(enum ub_op op, int names[3])
{
    const int conv[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    const int input[] = {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC};
    const int weight[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS};
    const int *from = op == UB_OP_CONV ? conv : op == UB_OP_CONV_INPUT ? input : weight;
    for (int i = 0; i < 3; i++)
        names[i] = from[i];
}

void ub_dnnl_conv_run(const struct ub_dnnl_conv *c, void *out, const void *a, const void *b)
{
    const void *values[3] = {a, b, out};
    dnnl_exec_arg_t args[3];
    dnnl_stream_t stream;
    dnnl_memory_t ours = NULL, theirs = NULL;
    int names[3];
    const int threads = be_alone();
    must(dnnl_stream_create(&stream, c->engine, dnnl_stream_default_flags), "stream");
    name_arguments(c->op, names);
    for (int i = 0; i < 3; i++) {
        const bool is_weight = names[i] == DNNL_ARG_WEIGHTS || names[i] == DNNL_ARG_DIFF_WEIGHTS;
        const bool is_image = names[i] == DNNL_ARG_SRC || names[i] == DNNL_ARG_DIFF_SRC;
        if (is_weight && (c->to_theirs || c->to_ours)) {
            ours = memory(c, &c->weight, values[i]);
            theirs = memory(c, &c->their_weight, DNNL_MEMORY_ALLOCATE);
            args[i] = (dnnl_exec_arg_t){names[i], theirs};
            continue;
        }
        const dnnl_memory_desc_t *d = is_weight ? &c->weight : is_image ? &c->image : &c->out;
        args[i] = (dnnl_exec_arg_t){names[i], memory(c, d, values[i])};
    }
    if (c->to_theirs)
        reorder(c->to_theirs, stream, ours, theirs);
    must(dnnl_primitive_execute(c->primitive, stream, 3, args), "convolution");
    if (c->to_ours)
        reorder(c->to_ours, stream, theirs, ours);
    must(dnnl_stream_wait(stream), "wait");
    for (int i = 0; i < 3; i++)
        dnnl_memory_destroy(args[i].memory);
    if (ours)
        dnnl_memory_destroy(ours);
    dnnl_stream_destroy(stream);
    omp_set_num_threads(threads);
}
