/* convolve_dnnl.c - convolutions in float through oneDNN, on images with channels last. Weights
 * are laid out by us as (o, window height, window width, channels / groups) and reordered into
 * whatever the primitive prefers at each run: they are small.
 *
 * A primitive is shared by all threads, so it must own no memory that it writes: by default oneDNN
 * gives it a scratchpad that concurrent runs overwrite for each other. Scratchpads, and the
 * reordered weights, are the caller's (one a thread), which oneDNN calls scratchpad mode user. Its
 * handles of memory and its stream are made once for each thread: that took as long as a small
 * convolution. */
#include "systems/graph/program.h"
#include "systems/graph/unseen.h"

#include <dnnl.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* What one thread runs a primitive with; NULL where there is nothing of the kind. */
struct run {
    dnnl_memory_t memory[4]; /* arguments, and the scratchpad */
    int names[4], count;
};

struct ub_dnnl_conv {
    enum ub_op op;
    dnnl_engine_t engine;
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive, to_theirs, to_ours; /* reorders of weights: NULL where not needed */
    dnnl_memory_desc_t image, weight, out, their_weight;
    dnnl_memory_desc_t work, reorder_work; /* scratchpads, of size 0 where none is needed */
    size_t weight_bytes, scratch_bytes;    /* their weights; those and the larger scratchpad */
    int threads;
    struct hand {
        dnnl_stream_t stream;
        struct run convolution, reorder;
    } * hands; /* one a thread */
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

/* oneDNN 2.6 puts its batch-reduced GEMMs first. They are the faster ones where a row of the output
 * gives them long products, by 10% at 16 channels x 32 pixels and at 64 x 8; at 16 x 4, 8 x 8 or
 * 1 x 8 its direct kernels are faster by 1.5 to 3.6 (Xeon with AVX-512, one thread). */
static bool wants_direct(const struct ub_images *s)
{
    enum { CHANNELS = 16, ROW = 512 };
    return s->c < CHANNELS || s->c * s->out_w < ROW;
}

static bool is_named(const_dnnl_primitive_desc_t d, const char *prefix)
{
    const char *name = NULL;
    return dnnl_primitive_desc_query(d, dnnl_query_impl_info_str, 0, &name) == dnnl_success &&
           strncmp(name, prefix, strlen(prefix)) == 0;
}

/* The first that oneDNN offers, or its first direct kernel. */
static dnnl_status_t choose(dnnl_primitive_desc_t *chosen, const struct ub_dnnl_conv *c,
                            const struct ub_images *s, const dnnl_convolution_desc_t *d,
                            dnnl_primitive_attr_t own)
{
    dnnl_primitive_desc_iterator_t all;
    dnnl_status_t status = dnnl_primitive_desc_iterator_create(&all, d, own, c->engine, NULL);
    if (status != dnnl_success)
        return status;
    dnnl_primitive_desc_t first = dnnl_primitive_desc_iterator_fetch(all), next = first;
    if (is_named(first, "brg") && wants_direct(s))
        while (!is_named(next, "jit:")) {
            if (next != first)
                dnnl_primitive_desc_destroy(next);
            next = first;
            if (dnnl_primitive_desc_iterator_next(all) != dnnl_success)
                break;
            next = dnnl_primitive_desc_iterator_fetch(all);
        }
    if (next != first)
        dnnl_primitive_desc_destroy(first);
    *chosen = next;
    return dnnl_primitive_desc_iterator_destroy(all);
}

static bool describe(struct ub_dnnl_conv *c, const struct ub_images *s, dnnl_primitive_attr_t own)
{
    const dnnl_dims_t stride = {s->stride, s->stride}, pad = {s->pad, s->pad};
    const dnnl_memory_desc_t any = weights(s, false);
    dnnl_convolution_desc_t d, hint;
    dnnl_primitive_desc_t forward = NULL;
    if (dnnl_convolution_forward_desc_init(&hint, dnnl_forward_training, dnnl_convolution_direct,
                                           &c->image, &any, NULL, &c->out, stride, pad,
                                           pad) != dnnl_success ||
        choose(&forward, c, s, &hint, own) != dnnl_success)
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
        status = dnnl_primitive_desc_create(&c->descriptor, &d, own, c->engine, forward);
    dnnl_primitive_desc_destroy(forward);
    return status == dnnl_success;
}

static dnnl_memory_desc_t scratchpad_of(const_dnnl_primitive_desc_t descriptor)
{
    return *dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
}

static bool make_reorder(struct ub_dnnl_conv *c, dnnl_primitive_attr_t own)
{
    const bool gradient = c->op == UB_OP_CONV_WEIGHT;
    const dnnl_memory_desc_t *from = gradient ? &c->their_weight : &c->weight;
    const dnnl_memory_desc_t *to = gradient ? &c->weight : &c->their_weight;
    dnnl_primitive_desc_t descriptor;
    if (dnnl_reorder_primitive_desc_create(&descriptor, from, c->engine, to, c->engine, own) !=
        dnnl_success)
        return false;
    c->reorder_work = scratchpad_of(descriptor);
    dnnl_status_t status =
        dnnl_primitive_create(gradient ? &c->to_ours : &c->to_theirs, descriptor);
    dnnl_primitive_desc_destroy(descriptor);
    return status == dnnl_success;
}

static size_t whole_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static bool make(struct ub_dnnl_conv *c, const struct ub_images *s, dnnl_primitive_attr_t own)
{
    c->image = images_last(s->n, s->c, s->h, s->w);
    c->out = images_last(s->n, s->o, s->out_h, s->out_w);
    c->weight = weights(s, true);
    if (dnnl_engine_create(&c->engine, dnnl_cpu, 0) != dnnl_success || !describe(c, s, own))
        return false;
    const bool gradient = c->op == UB_OP_CONV_WEIGHT;
    c->their_weight = *dnnl_primitive_desc_query_md(
        c->descriptor, gradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    c->work = scratchpad_of(c->descriptor);
    if (!dnnl_memory_desc_equal(&c->weight, &c->their_weight)) {
        c->weight_bytes = whole_lines(dnnl_memory_desc_get_size(&c->their_weight));
        if (!make_reorder(c, own))
            return false;
    }
    const size_t work = dnnl_memory_desc_get_size(&c->work);
    const size_t reorder = dnnl_memory_desc_get_size(&c->reorder_work);
    c->scratch_bytes = c->weight_bytes + whole_lines(work > reorder ? work : reorder);
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

static void name_arguments(enum ub_op op, int names[3])
{
    const int conv[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    const int input[] = {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC};
    const int weight[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS};
    const int *from = op == UB_OP_CONV ? conv : op == UB_OP_CONV_INPUT ? input : weight;
    for (int i = 0; i < 3; i++)
        names[i] = from[i];
}

/* What our operands a, b and out are to us. */
static void describe_operands(const struct ub_dnnl_conv *c, const dnnl_memory_desc_t *d[3])
{
    d[0] = c->op == UB_OP_CONV_INPUT ? &c->out : &c->image;
    d[1] = c->op == UB_OP_CONV_WEIGHT ? &c->out : &c->weight;
    d[2] = c->op == UB_OP_CONV ? &c->out : c->op == UB_OP_CONV_INPUT ? &c->image : &c->weight;
}

static bool add_argument(const struct ub_dnnl_conv *c, struct run *r, int name,
                         const dnnl_memory_desc_t *d)
{
    if (dnnl_memory_desc_get_size(d) == 0)
        return true;
    r->names[r->count] = name;
    return dnnl_memory_create(&r->memory[r->count++], d, c->engine, DNNL_MEMORY_NONE) ==
           dnnl_success;
}

static bool make_hand(const struct ub_dnnl_conv *c, struct hand *h)
{
    const dnnl_memory_desc_t *d[3];
    const int weight = c->op == UB_OP_CONV_WEIGHT ? 2 : 1;
    int names[3];
    name_arguments(c->op, names);
    describe_operands(c, d);
    d[weight] = &c->their_weight;
    bool made =
        dnnl_stream_create(&h->stream, c->engine, dnnl_stream_default_flags) == dnnl_success;
    for (int i = 0; i < 3; i++)
        made = made && add_argument(c, &h->convolution, names[i], d[i]);
    made = made && add_argument(c, &h->convolution, DNNL_ARG_SCRATCHPAD, &c->work);
    if (!c->to_theirs && !c->to_ours)
        return made;
    const bool gradient = c->to_ours != NULL;
    return made &&
           add_argument(c, &h->reorder, DNNL_ARG_FROM, gradient ? &c->their_weight : &c->weight) &&
           add_argument(c, &h->reorder, DNNL_ARG_TO, gradient ? &c->weight : &c->their_weight) &&
           add_argument(c, &h->reorder, DNNL_ARG_SCRATCHPAD, &c->reorder_work);
}

static bool make_hands(struct ub_dnnl_conv *c, int threads)
{
    c->threads = threads;
    c->hands = ub_calloc((size_t)threads, sizeof *c->hands);
    for (int i = 0; i < threads; i++)
        if (!make_hand(c, &c->hands[i]))
            return false;
    return true;
}

struct ub_dnnl_conv *ub_dnnl_conv_new(enum ub_op op, const struct ub_images *s, int count)
{
    struct ub_dnnl_conv *c = ub_calloc(1, sizeof *c);
    c->op = op;
    const int threads = be_alone();
    dnnl_primitive_attr_t own = NULL;
    const bool made =
        dnnl_primitive_attr_create(&own) == dnnl_success &&
        dnnl_primitive_attr_set_scratchpad_mode(own, dnnl_scratchpad_mode_user) == dnnl_success &&
        make(c, s, own) && make_hands(c, count);
    if (own)
        dnnl_primitive_attr_destroy(own);
    omp_set_num_threads(threads);
    if (made)
        return c;
    ub_dnnl_conv_free(c);
    return NULL;
}

static void free_run(struct run *r)
{
    for (int i = 0; i < r->count; i++)
        if (r->memory[i])
            dnnl_memory_destroy(r->memory[i]);
}

void ub_dnnl_conv_free(struct ub_dnnl_conv *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->threads; i++) {
        free_run(&c->hands[i].convolution);
        free_run(&c->hands[i].reorder);
        if (c->hands[i].stream)
            dnnl_stream_destroy(c->hands[i].stream);
    }
    ub_free(c->hands);
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

int64_t ub_dnnl_conv_scratch(const struct ub_dnnl_conv *c)
{
    return (int64_t)(c->scratch_bytes / sizeof(float));
}

static void must(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "unibench: internal error: oneDNN's %s failed with status %d\n", what,
            (int)status);
    abort();
}

/* `values` in the order of the run's arguments, the scratchpad last. */
static void execute(dnnl_primitive_t primitive, const struct hand *h, const struct run *r,
                    const void *const *values, const char *what)
{
    dnnl_exec_arg_t arguments[4];
    for (int i = 0; i < r->count; i++) {
        must(dnnl_memory_set_data_handle(r->memory[i], (void *)values[i]), "memory");
        arguments[i] = (dnnl_exec_arg_t){r->names[i], r->memory[i]};
    }
    must(dnnl_primitive_execute(primitive, h->stream, r->count, arguments), what);
    must(dnnl_stream_wait(h->stream), "wait");
}

/* ThreadSanitizer sees nothing of what the library does. */
static void tell(const struct ub_dnnl_conv *c, const void *const *values, void *scratch)
{
    const dnnl_memory_desc_t *d[3];
    describe_operands(c, d);
    ub_unseen_read(values[0], dnnl_memory_desc_get_size(d[0]));
    ub_unseen_read(values[1], dnnl_memory_desc_get_size(d[1]));
    ub_unseen_write((void *)values[2], dnnl_memory_desc_get_size(d[2]));
    ub_unseen_write(scratch, c->scratch_bytes);
}

void ub_dnnl_conv_run(const struct ub_dnnl_conv *c, int member, void *out, const void *a,
                      const void *b, void *scratch)
{
    const struct hand *h = &c->hands[member];
    void *theirs = scratch, *pad = (char *)scratch + c->weight_bytes;
    const void *values[] = {a, b, out, pad};
    const int threads = be_alone();
    tell(c, values, scratch);
    if (c->to_theirs) {
        execute(c->to_theirs, h, &h->reorder, (const void *[]){b, theirs, pad}, "reorder");
        values[1] = theirs;
    }
    if (c->to_ours)
        values[2] = theirs;
    execute(c->primitive, h, &h->convolution, values, "convolution");
    if (c->to_ours)
        execute(c->to_ours, h, &h->reorder, (const void *[]){theirs, out, pad}, "reorder");
    omp_set_num_threads(threads);
}
