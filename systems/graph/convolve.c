/* convolve.c - convolutions as products of patches: images are taken a few at a time, so that
 * their patches (rows of window height x window width x channels) stay in cache between being
 * written and being multiplied. */
#include "systems/graph/program.h"

enum { PATCH_ELEMENTS = 1 << 16 };

static int64_t patch_size(const struct ub_images *s)
{
    return s->kh * s->kw * (s->c / s->groups);
}

/* Images whose patches are made at once. */
static int64_t images_at_once(const struct ub_images *s)
{
    int64_t image = s->out_h * s->out_w * patch_size(s);
    int64_t fit = PATCH_ELEMENTS / image;
    return fit < 1 ? 1 : fit < s->n ? fit : s->n;
}

int64_t ub_convolve_scratch(const struct ub_kernels *k, const struct ub_convolution *conv)
{
    const struct ub_images *s = &conv->images;
    if (conv->direct)
        return k->convolve_scratch(conv->op, s);
    if (conv->dnnl)
        return ub_dnnl_conv_scratch(conv->dnnl);
    return images_at_once(s) * s->out_h * s->out_w * patch_size(s);
}

struct operands {
    const struct ub_kernels *k;
    struct ub_images s; /* n: images at once */
    void *scratch;
};

static const char *image_at(const struct operands *o, const void *images, int64_t i)
{
    return (const char *)images + (size_t)(i * o->s.h * o->s.w * o->s.c) * o->k->real;
}

static const char *out_at(const struct operands *o, const void *out, int64_t i, int64_t group)
{
    int64_t at = i * o->s.out_h * o->s.out_w * o->s.o + group * (o->s.o / o->s.groups);
    return (const char *)out + (size_t)at * o->k->real;
}

static const char *weight_at(const struct operands *o, const void *weight, int64_t group)
{
    int64_t at = group * (o->s.o / o->s.groups) * patch_size(&o->s);
    return (const char *)weight + (size_t)at * o->k->real;
}

/* out (pixels, o) = patches (pixels, size) weight' (size, o) */
static void forward(const struct operands *o, int64_t i, int64_t group, char *out, const char *x,
                    const char *weight)
{
    int64_t rows = o->s.n * o->s.out_h * o->s.out_w, size = patch_size(&o->s);
    int64_t c = o->s.c / o->s.groups;
    o->k->windows(&o->s, group * c, c, o->scratch, image_at(o, x, i));
    o->k->gemm(false, true, rows, o->s.o / o->s.groups, size, o->scratch, size,
               weight_at(o, weight, group), size, false, (char *)out_at(o, out, i, group), o->s.o);
}

/* patches (pixels, size) = cotangent (pixels, o) weight (o, size), added up in the images */
static void to_input(const struct operands *o, int64_t i, int64_t group, char *out, const char *ct,
                     const char *weight)
{
    int64_t rows = o->s.n * o->s.out_h * o->s.out_w, size = patch_size(&o->s);
    int64_t c = o->s.c / o->s.groups;
    char *image = (char *)image_at(o, out, i);
    if (group == 0)
        o->k->fill(o->s.n * o->s.h * o->s.w * o->s.c, image, 0);
    o->k->gemm(false, false, rows, size, o->s.o / o->s.groups, out_at(o, ct, i, group), o->s.o,
               weight_at(o, weight, group), size, false, o->scratch, size);
    o->k->windows_add(&o->s, group * c, c, image, o->scratch);
}

/* weight (o, size) += cotangent' (o, pixels) patches (pixels, size) */
static void to_weight(const struct operands *o, int64_t i, int64_t group, char *out, const char *x,
                      const char *ct)
{
    int64_t rows = o->s.n * o->s.out_h * o->s.out_w, size = patch_size(&o->s);
    int64_t c = o->s.c / o->s.groups;
    o->k->windows(&o->s, group * c, c, o->scratch, image_at(o, x, i));
    o->k->gemm(true, false, o->s.o / o->s.groups, size, rows, out_at(o, ct, i, group), o->s.o,
               o->scratch, size, i > 0, (char *)weight_at(o, out, group), size);
}

static void convolve_member(struct operands *o, enum ub_op op, int64_t images, char *out,
                            const char *a, const char *b)
{
    const int64_t at_once = o->s.n;
    for (int64_t i = 0; i < images; i += at_once) {
        o->s.n = images - i < at_once ? images - i : at_once;
        for (int64_t group = 0; group < o->s.groups; group++) {
            if (op == UB_OP_CONV)
                forward(o, i, group, out, a, b);
            else if (op == UB_OP_CONV_INPUT)
                to_input(o, i, group, out, a, b);
            else
                to_weight(o, i, group, out, a, b);
        }
    }
}

void ub_convolve(const struct ub_kernels *k, const struct ub_convolution *conv, int member,
                 void *out, const void *a, const void *b, void *scratch)
{
    for (int64_t m = 0; m < conv->batch; m++) {
        const char *ma = (const char *)a + (size_t)(m * conv->stride_a) * k->real;
        const char *mb = (const char *)b + (size_t)(m * conv->stride_b) * k->real;
        char *mc = (char *)out + (size_t)(m * conv->stride_c) * k->real;
        struct operands o = {.k = k, .s = conv->images, .scratch = scratch};
        if (conv->direct) {
            k->convolve(conv->op, &conv->images, mc, ma, mb, scratch);
            continue;
        }
        if (conv->dnnl) {
            ub_dnnl_conv_run(conv->dnnl, member, mc, ma, mb, scratch);
            continue;
        }
        o.s.n = images_at_once(&conv->images);
        convolve_member(&o, conv->op, conv->images.n, mc, ma, mb);
    }
}
