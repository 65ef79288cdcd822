/* direct.c - convolutions without patches or a library, compiled as multiply.c is: for each real
 * type and instruction set. A tile of output pixels, all channels of each in a vector, is held in
 * registers; for each number under the window a row of weights is multiplied by that number of
 * every pixel. Gradients of images are convolutions of the cotangent by the weights turned around,
 * one for each remainder of a pixel's place by the stride.
 *
 * Every number that comes out is one sum, in one order, whatever images it is computed beside. */
#include "systems/graph/turn.h"
#include "systems/graph/units.h"

/* Pixels come in groups of 4 neighbors, for which one address does; groups of a tile: as many as
 * there are registers for. */
#if defined __AVX512F__
enum { GROUPS = 6, TALL = 24, LEAST_ACROSS = 12 };
#else
enum { GROUPS = 3, TALL = 12, LEAST_ACROSS = 6 };
#endif

/* A correlation of images (h, w, c), outside of which are zeros: pixels (height, width) come out,
 * the window (taps, columns) of the first at row `top` and column `left`, that of the next `stride`
 * further. Pixels lie out_step numbers apart, their rows out_line, images out_image. */
struct scan {
    int64_t height, width, taps, columns, stride, top, left;
    int64_t out_first, out_step, out_line, out_image;
    const real *weight; /* (taps, columns, c, LANES) */
};

/* ---- pixels side by side, of images with margins ---- */

struct group {
    const char *in;
    real *out;
    int64_t pixels;
};

static inline FOLDED void scan_tile(const struct scan *s, const struct margins *m,
                                    const struct group *g, const int groups, const int share,
                                    bool second)
{
    const int64_t step = s->stride * m->c * share * (int64_t)sizeof(real);
    const int64_t line = beside(m) * share * (int64_t)sizeof(real), run = s->columns * m->c;
    vector sum[GROUPS * GROUP];
    const real *weight = s->weight;
    UNROLLED for (int i = 0; i < groups * GROUP; i++) sum[i] = (vector){0};
    for (int64_t tap = 0; tap < s->taps; tap++) {
        const char *in[GROUPS];
        UNROLLED for (int i = 0; i < groups; i++) in[i] = g[i].in + tap * line;
        for (int64_t k = 0; k < run; k++, weight += LANES) {
            const vector row = load(weight);
            UNROLLED for (int i = 0; i < groups; i++)
            {
                UNROLLED for (int j = 0; j < GROUP; j++) sum[i * GROUP + j] +=
                    spread(in[i] + j * step, share) * row;
                in[i] += (int64_t)share * (int64_t)sizeof(real);
                __asm__("" : "+r"(in[i]));
            }
        }
    }
    UNROLLED for (int i = 0; i < groups; i++) UNROLLED for (int j = 0; j < GROUP; j++)
    {
        if (j >= g[i].pixels)
            continue;
        real *out = g[i].out + j * s->out_step;
        if (share == 1) {
            store(out, sum[i * GROUP + j]);
            continue;
        }
        const vector v = parted(sum[i * GROUP + j]);
        store_half(out, v, false);
        if (second)
            store_half(out + s->out_image, v, true);
    }
}

#define SCAN(G)                                                                                    \
    case G:                                                                                        \
        if (share == 1)                                                                            \
            scan_tile(s, m, g, G, 1, false);                                                       \
        else                                                                                       \
            scan_tile(s, m, g, G, MOST_SHARE, second);                                             \
        return;

static void scan_groups(const struct scan *s, const struct margins *m, const struct group *g,
                        int64_t groups, int64_t share, bool second)
{
    switch (groups) {
        SCAN(1)
        SCAN(2)
        SCAN(3)
#if defined __AVX512F__
        SCAN(4)
        SCAN(5)
        SCAN(6)
#endif
    }
}

/* A unit's pixels; groups are dealt evenly to tiles. */
static void scan_unit(const struct scan *s, const struct margins *m, int64_t share, int64_t there,
                      const real *unit, real *out)
{
    const int64_t across = (s->width + GROUP - 1) / GROUP, all = s->height * across;
    const int64_t tiles = (all + GROUPS - 1) / GROUPS;
    if (tiles == 0) /* no pixel has this remainder */
        return;
    const int64_t least = all / tiles, more = all % tiles;
    const int64_t pixel = m->c * share;
    const real *line = unit + ((s->top + m->top) * m->columns + s->left + m->left) * pixel;
    real *out_line = out + s->out_first;
    for (int64_t t = 0, x = 0; t < tiles; t++) {
        const int64_t count = least + (t < more);
        struct group g[GROUPS];
        for (int64_t i = 0; i < count; i++) {
            g[i].in = (const char *)(line + x * s->stride * pixel);
            g[i].out = out_line + x * s->out_step;
            g[i].pixels = s->width - x < GROUP ? s->width - x : GROUP;
            x += GROUP;
            if (x < s->width)
                continue;
            x = 0;
            line += s->stride * m->columns * pixel;
            out_line += s->out_line;
        }
        scan_groups(s, m, g, count, share, there > 1);
    }
}

/* ---- one pixel of many images: of its window what lies inside alone ---- */

/* What lies inside of a window at a pixel, in the first of the units that are side by side; the
 * first `pairs` have two images. */
struct column {
    const char *in;
    int64_t unit, line; /* bytes, from one to the next */
    int64_t taps, run, weight_line;
    const real *weight;
    real *out;
    int64_t out_unit, out_image, pairs;
};

static inline FOLDED void across_tile(const struct column *c, const int rows, const int share)
{
    enum { THIRDS = (TALL + 2) / 3 };
    const int thirds = (rows + 2) / 3;
    vector sum[TALL];
    UNROLLED for (int r = 0; r < rows; r++) sum[r] = (vector){0};
    for (int64_t tap = 0; tap < c->taps; tap++) {
        const real *weight = c->weight + tap * c->weight_line;
        const char *in[THIRDS];
        UNROLLED for (int i = 0; i < thirds; i++) in[i] = c->in + tap * c->line + c->unit * 3 * i;
        for (int64_t k = 0; k < c->run; k++, weight += LANES) {
            const vector row = load(weight);
            UNROLLED for (int r = 0; r < rows; r++) sum[r] +=
                spread(in[r / 3] + r % 3 * c->unit, share) * row;
            UNROLLED for (int i = 0; i < thirds; i++)
            {
                in[i] += (int64_t)share * (int64_t)sizeof(real);
                __asm__("" : "+r"(in[i]));
            }
        }
    }
    UNROLLED for (int r = 0; r < rows; r++)
    {
        real *out = c->out + r * c->out_unit;
        if (share == 1) {
            store(out, sum[r]);
            continue;
        }
        const vector v = parted(sum[r]);
        store_half(out, v, false);
        if (r < c->pairs)
            store_half(out + c->out_image, v, true);
    }
}

#define ACROSS(R)                                                                                  \
    case R:                                                                                        \
        if (share == 1)                                                                            \
            across_tile(c, R, 1);                                                                  \
        else                                                                                       \
            across_tile(c, R, MOST_SHARE);                                                         \
        return;

#define TO_12 ACROSS(6) ACROSS(7) ACROSS(8) ACROSS(9) ACROSS(10) ACROSS(11) ACROSS(12)
#define TO_18 ACROSS(13) ACROSS(14) ACROSS(15) ACROSS(16) ACROSS(17) ACROSS(18)
#define TO_24 ACROSS(19) ACROSS(20) ACROSS(21) ACROSS(22) ACROSS(23) ACROSS(24)

static void across_rows(const struct column *c, int64_t rows, int64_t share)
{
    switch (rows) {
        TO_12
#if defined __AVX512F__
        TO_18 TO_24
#endif
    }
}

/* The part of a window of `taps` from `at` on that lies in 0..size: first..last. */
static void inside(int64_t at, int64_t taps, int64_t size, int64_t *first, int64_t *last)
{
    *first = at < 0 ? -at : 0;
    *last = at + taps > size ? size - at : taps;
    if (*last < *first)
        *last = *first;
}

/* `rows` units, `unit` numbers apart, all pixels. */
static void scan_across(const struct scan *s, const struct margins *m, int64_t share, int64_t rows,
                        int64_t pairs, const real *units, int64_t unit, real *out)
{
    const int64_t pixel = m->c * share;
    struct column c = {.unit = unit * (int64_t)sizeof(real),
                       .line = m->w * pixel * (int64_t)sizeof(real),
                       .weight_line = s->columns * m->c * LANES,
                       .out_unit = s->out_image * share,
                       .out_image = s->out_image,
                       .pairs = pairs};
    for (int64_t i = 0; i < s->height; i++)
        for (int64_t j = 0; j < s->width; j++) {
            const int64_t y = s->top + i * s->stride, x = s->left + j * s->stride;
            int64_t top, bottom, left, right;
            inside(y, s->taps, m->h, &top, &bottom);
            inside(x, s->columns, m->w, &left, &right);
            c.in = (const char *)(units + ((y + top) * m->w + x + left) * pixel);
            c.weight = s->weight + (top * s->columns + left) * m->c * LANES;
            c.taps = bottom - top;
            c.run = (right - left) * m->c;
            c.out = out + s->out_first + i * s->out_line + j * s->out_step;
            across_rows(&c, rows, share);
        }
}

/* From one unit to the next where many are side by side: each in other sets of the cache. */
static int64_t across_step(const struct margins *m, int64_t share)
{
    return (m->h * m->w * m->c * share + (int64_t)2 * LANES - 1) / LANES * LANES;
}

/* Whether there are units enough side by side for a tile; a window of one pixel has no zeros. */
static bool is_across(const struct ub_images *s, int64_t share)
{
    return above(s->n, share) >= LEAST_ACROSS && s->kh * s->kw > 1;
}

static void across_all(const struct ub_images *s, const struct scan *scans, int64_t count,
                       const struct margins *m, int64_t share, real *out, const real *in,
                       real *units)
{
    const int64_t image = m->h * m->w * m->c, unit = across_step(m, share);
    const int64_t all = above(s->n, share), tiles = above(all, TALL);
    for (int64_t t = 0, done = 0; t < tiles; t++) {
        const int64_t rows = all / tiles + (t < all % tiles), images = s->n - done * share;
        for (int64_t i = 0; i < rows; i++) {
            const real *from = in + (done + i) * share * image;
            if (share == 1)
                memcpy(units + i * unit, from, (size_t)image * sizeof *units);
            else
                interleave(image, units + i * unit, from,
                           i * share + 1 < images ? from + image : NULL);
        }
        for (int64_t j = 0; j < count; j++)
            scan_across(&scans[j], m, share, rows, images / share, units, unit,
                        out + done * share * scans[j].out_image);
        done += rows;
    }
}

/* ---- what they are made of ---- */

/* An axis of an image's gradient: pixels `phase`, phase + stride, ... of `size` are sums over the
 * taps from + stride t of the cotangent at i + shift - t. */
struct phase {
    int64_t pixels, from, taps, shift;
};

static struct phase phase_of(int64_t phase, int64_t stride, int64_t pad, int64_t size, int64_t taps)
{
    const int64_t from = (phase + pad) % stride;
    return (struct phase){.pixels = phase < size ? above(size - phase, stride) : 0,
                          .from = from,
                          .taps = from < taps ? above(taps - from, stride) : 0,
                          .shift = (phase + pad - from) / stride};
}

/* Zeros before a cotangent's first row (or column), and rows in all: what all phases reach. */
static void reach(int64_t stride, int64_t pad, int64_t size, int64_t taps, int64_t *before,
                  int64_t *all)
{
    int64_t last = 0;
    *before = 0;
    for (int64_t p = 0; p < stride; p++) {
        const struct phase f = phase_of(p, stride, pad, size, taps);
        if (f.taps - 1 - f.shift > *before)
            *before = f.taps - 1 - f.shift;
        if (f.pixels - 1 + f.shift > last)
            last = f.pixels - 1 + f.shift;
    }
    *all = *before + last + 1;
}

static struct margins of_cotangent(const struct ub_images *s)
{
    struct margins m = {.h = s->out_h, .w = s->out_w, .c = s->o};
    reach(s->stride, s->pad, s->h, s->kh, &m.top, &m.rows);
    reach(s->stride, s->pad, s->w, s->kw, &m.left, &m.columns);
    return m;
}

/* Weights (o, taps, c) as (taps, c, LANES). */
static void weights_forward(const struct ub_images *s, int64_t share, real *out, const real *weight)
{
    const int64_t size = s->kh * s->kw * s->c;
    turn(s->o, size, out, LANES, weight, size);
    for (int64_t i = 0; i < size && share > 1; i++)
        store(out + i * LANES, doubled(load(out + i * LANES)));
}

/* Weights (o, taps, c) of a phase as (taps, o, LANES), taps the other way around. Returns what
 * follows them. */
static real *weights_back(const struct ub_images *s, const struct phase *v, const struct phase *h,
                          int64_t share, real *out, const real *weight)
{
    for (int64_t y = v->taps - 1; y >= 0; y--)
        for (int64_t x = h->taps - 1; x >= 0; x--)
            for (int64_t o = 0; o < s->o; o++, out += LANES) {
                const int64_t tap = (v->from + y * s->stride) * s->kw + h->from + x * s->stride;
                memcpy(out, weight + (o * s->kh * s->kw + tap) * s->c, (size_t)s->c * sizeof *out);
                if (share > 1)
                    store(out, doubled(load(out)));
            }
    return out;
}

static struct scan scan_forward(const struct ub_images *s)
{
    return (struct scan){.height = s->out_h,
                         .width = s->out_w,
                         .taps = s->kh,
                         .columns = s->kw,
                         .stride = s->stride,
                         .top = -s->pad,
                         .left = -s->pad,
                         .out_step = s->o,
                         .out_line = s->out_w * s->o,
                         .out_image = s->out_h * s->out_w * s->o};
}

static struct scan scan_back(const struct ub_images *s, const struct phase *v,
                             const struct phase *h)
{
    return (struct scan){.height = v->pixels,
                         .width = h->pixels,
                         .taps = v->taps,
                         .columns = h->taps,
                         .stride = 1,
                         .top = v->shift - (v->taps - 1),
                         .left = h->shift - (h->taps - 1),
                         .out_step = s->stride * s->c,
                         .out_line = s->stride * s->w * s->c,
                         .out_image = s->h * s->w * s->c};
}

/* Runs the scans on all images; `in` is read as it is where it has no margins. */
static void scan_all(const struct ub_images *s, const struct scan *scans, int64_t count,
                     const struct margins *m, int64_t share, real *out, int64_t out_image,
                     const real *in, real *unit, int64_t size)
{
    const int64_t in_image = m->h * m->w * m->c;
    if (is_across(s, share)) {
        across_all(s, scans, count, m, share, out, in, unit);
        return;
    }
    const bool bare = share == 1 && m->h == m->rows && m->w == m->columns && !m->top && !m->left &&
                      scans[0].width % GROUP == 0 && count == 1;
    if (!bare)
        memset(unit, 0, (size_t)size * sizeof *unit);
    for (int64_t i = 0; i < s->n; i += share) {
        const int64_t there = s->n - i < share ? s->n - i : share;
        if (!bare)
            enter(m, share, there, unit, in + i * in_image);
        for (int64_t j = 0; j < count; j++)
            scan_unit(&scans[j], m, share, there, bare ? in + i * in_image : unit,
                      out + i * out_image);
    }
}

enum { MOST_STRIDE = 2 };

static void forward(const struct ub_images *s, real *out, const real *x, const real *weight,
                    real *scratch)
{
    const int64_t share = share_of(s->o);
    const struct margins m = of_windows(s);
    struct scan scan = scan_forward(s);
    scan.weight = scratch;
    weights_forward(s, share, scratch, weight);
    scan_all(s, &scan, 1, &m, share, out, s->out_h * s->out_w * s->o, x,
             scratch + s->kh * s->kw * s->c * LANES, unit_size(&m, share, s->stride));
}

static void to_input(const struct ub_images *s, real *out, const real *ct, const real *weight,
                     real *scratch)
{
    const int64_t share = share_of(s->c);
    const struct margins m = of_cotangent(s);
    struct scan scans[MOST_STRIDE * MOST_STRIDE];
    int64_t count = 0;
    for (int64_t y = 0; y < s->stride; y++)
        for (int64_t x = 0; x < s->stride; x++) {
            const struct phase v = phase_of(y, s->stride, s->pad, s->h, s->kh);
            const struct phase h = phase_of(x, s->stride, s->pad, s->w, s->kw);
            struct scan *scan = &scans[count++];
            *scan = scan_back(s, &v, &h);
            scan->out_first = (y * s->w + x) * s->c;
            scan->weight = scratch;
            scratch = weights_back(s, &v, &h, share, scratch, weight);
        }
    scan_all(s, scans, count, &m, share, out, s->h * s->w * s->c, ct, scratch,
             unit_size(&m, share, 1));
}

void UB_BUILT(convolve)(enum ub_op op, const struct ub_images *s, void *out, const void *a,
                        const void *b, void *scratch)
{
    if (op == UB_OP_CONV)
        forward(s, out, a, b, scratch);
    else if (op == UB_OP_CONV_INPUT)
        to_input(s, out, a, b, scratch);
    else
        UB_BUILT(convolve_weight)(s, out, a, b, scratch);
}

int64_t UB_BUILT(convolve_scratch)(enum ub_op op, const struct ub_images *s)
{
    const bool back = op == UB_OP_CONV_INPUT;
    const int64_t channels = back ? s->c : s->o, share = share_of(channels);
    if (s->groups != 1 || share > MOST_SHARE || channels * share != LANES ||
        s->stride > MOST_STRIDE)
        return -1;
    const struct margins m = back ? of_cotangent(s) : of_windows(s);
    const int64_t both = op == UB_OP_CONV_WEIGHT ? s->out_h * s->out_w * LANES : 0;
    int64_t units = unit_size(&m, share, back ? 1 : s->stride);
    if (op != UB_OP_CONV_WEIGHT && is_across(s, share))
        units = TALL * across_step(&m, share);
    return s->kh * s->kw * (back ? s->o : s->c) * LANES + units + both;
}
