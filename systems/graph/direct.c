/* direct.c - convolutions without patches or a library, compiled as multiply.c is: for each real
 * type and instruction set. A tile of output pixels, of each a block of channels (one vector or
 * two), is held in registers; for each number under the window a row of weights is multiplied by
 * that number of every pixel. Gradients of images are convolutions of the cotangent by the weights
 * turned around, one for each remainder of a pixel's place by the stride.
 *
 * Every number that comes out is one sum, in one order, whatever images it is computed beside. */
#include "systems/graph/turn.h"
#include "systems/graph/units.h"

/* Pixels come in groups of neighbors, for which one address does; groups of a tile: as many as
 * there are registers for. */
#if defined __AVX512F__
enum { GROUPS = 6, TALL = 24, LEAST_ACROSS = 12 };
#else
enum { GROUPS = 3, TALL = 12, LEAST_ACROSS = 6 };
#endif
enum { MOST_STRIDE = 2, MOST_BLOCKS = 16 };

/* Numbers of images side by side: more fall out of the caches between a pixel and the next. */
#if defined __AVX512F__
enum { MOST_ACROSS = 1 << 30 };
#else
enum { MOST_ACROSS = 1 << 15 };
#endif

/* A correlation of images (h, w, c), outside of which are zeros: a block of channels of pixels
 * (height, width) comes out, the window (taps, columns) of the first at row `top` and column
 * `left`, that of the next `stride` further. Pixels lie out_step numbers apart, their rows
 * out_line, images out_image. */
struct scan {
    int64_t height, width, taps, columns, stride, top, left;
    int64_t out_first, out_step, out_line, out_image;
    int64_t vectors;
    const real *weight; /* (taps, columns, c, vectors of LANES) */
};

/* ---- pixels side by side, of images with margins ---- */

struct group {
    const char *in;
    real *out;
    int64_t pixels;
};

static inline FOLDED void leave_pixel(const vector *sum, const int share, const int vectors,
                                      real *out, int64_t out_image, bool second)
{
    if (share == 1) {
        UNROLLED for (int v = 0; v < vectors; v++) store(out + (int64_t)v * LANES, sum[v]);
        return;
    }
    const vector v = parted(sum[0]);
    store_half(out, v, false);
    if (second)
        store_half(out + out_image, v, true);
}

static inline FOLDED void scan_tile(const struct scan *s, const struct margins *m,
                                    const struct group *g, const int groups, const int share,
                                    const int vectors, bool second)
{
    const int64_t step = s->stride * m->c * share * (int64_t)sizeof(real);
    const int64_t line = beside(m) * share * (int64_t)sizeof(real), run = s->columns * m->c;
    const int span = GROUP / vectors;
    vector sum[GROUPS * GROUP];
    const real *weight = s->weight;
    UNROLLED for (int i = 0; i < groups * GROUP; i++) sum[i] = (vector){0};
    for (int64_t tap = 0; tap < s->taps; tap++) {
        const char *in[GROUPS];
        UNROLLED for (int i = 0; i < groups; i++) in[i] = g[i].in + tap * line;
        for (int64_t k = 0; k < run; k++, weight += (int64_t)vectors * LANES) {
            vector row[MOST_VECTORS];
            UNROLLED for (int v = 0; v < vectors; v++) row[v] = load(weight + (int64_t)v * LANES);
            UNROLLED for (int i = 0; i < groups; i++)
            {
                UNROLLED for (int j = 0; j < span; j++)
                {
                    const vector x = spread(in[i] + j * step, share);
                    UNROLLED for (int v = 0; v < vectors; v++) sum[i * GROUP + j * vectors + v] +=
                        x * row[v];
                }
                in[i] += (int64_t)share * (int64_t)sizeof(real);
                __asm__("" : "+r"(in[i]));
            }
        }
    }
    UNROLLED for (int i = 0; i < groups; i++) UNROLLED for (int j = 0; j < span; j++)
    {
        if (j < g[i].pixels)
            leave_pixel(&sum[(int64_t)i * GROUP + (int64_t)j * vectors], share, vectors,
                        g[i].out + j * s->out_step, s->out_image, second);
    }
}

#define SCAN(VECTORS, G)                                                                           \
    case (VECTORS) * (GROUPS + 1) + (G):                                                           \
        if (share == 1)                                                                            \
            scan_tile(s, m, g, G, 1, VECTORS, false);                                              \
        else                                                                                       \
            scan_tile(s, m, g, G, MOST_SHARE, VECTORS, second);                                    \
        return;

static void scan_groups(const struct scan *s, const struct margins *m, const struct group *g,
                        int64_t groups, int64_t share, bool second)
{
    switch (s->vectors * (GROUPS + 1) + groups) {
        SCAN(1, 1)
        SCAN(1, 2)
        SCAN(1, 3)
#if defined __AVX512F__
        SCAN(1, 4)
        SCAN(1, 5)
        SCAN(1, 6)
#elif defined __AVX2__
        SCAN(2, 1)
        SCAN(2, 2)
        SCAN(2, 3)
#endif
    }
}

/* A unit's pixels; groups are dealt evenly to tiles. */
static void scan_unit(const struct scan *s, const struct margins *m, int64_t share, int64_t there,
                      const real *unit, real *out)
{
    const int64_t span = GROUP / s->vectors;
    const int64_t across = above(s->width, span), all = s->height * across;
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
            g[i].pixels = s->width - x < span ? s->width - x : span;
            x += span;
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
    int64_t out_unit, out_image, pairs, vectors;
};

static inline FOLDED void across_tile(const struct column *c, const int rows, const int share,
                                      const int vectors)
{
    enum { THIRDS = (TALL + 2) / 3 };
    const int thirds = (rows + 2) / 3;
    vector sum[TALL];
    UNROLLED for (int r = 0; r < rows * vectors; r++) sum[r] = (vector){0};
    for (int64_t tap = 0; tap < c->taps; tap++) {
        const real *weight = c->weight + tap * c->weight_line;
        const char *in[THIRDS];
        UNROLLED for (int i = 0; i < THIRDS; i++) in[i] = c->in + tap * c->line + c->unit * 3 * i;
        for (int64_t k = 0; k < c->run; k++, weight += (int64_t)vectors * LANES) {
            vector row[MOST_VECTORS];
            UNROLLED for (int v = 0; v < vectors; v++) row[v] = load(weight + (int64_t)v * LANES);
            UNROLLED for (int r = 0; r < rows; r++)
            {
                const vector x = spread(in[r / 3] + r % 3 * c->unit, share);
                UNROLLED for (int v = 0; v < vectors; v++) sum[r * vectors + v] += x * row[v];
            }
            UNROLLED for (int i = 0; i < thirds; i++)
            {
                in[i] += (int64_t)share * (int64_t)sizeof(real);
                __asm__("" : "+r"(in[i]));
            }
        }
    }
    UNROLLED for (int r = 0; r < rows; r++)
        leave_pixel(&sum[(int64_t)r * vectors], share, vectors, c->out + r * c->out_unit,
                    c->out_image, r < c->pairs);
}

#define ACROSS(VECTORS, R)                                                                         \
    case (VECTORS) * (TALL + 1) + (R):                                                             \
        if (share == 1)                                                                            \
            across_tile(c, R, 1, VECTORS);                                                         \
        else                                                                                       \
            across_tile(c, R, MOST_SHARE, VECTORS);                                                \
        return;

#define TO_6 ACROSS(2, 3) ACROSS(2, 4) ACROSS(2, 5) ACROSS(2, 6)
#define TO_12                                                                                      \
    ACROSS(1, 6) ACROSS(1, 7) ACROSS(1, 8) ACROSS(1, 9) ACROSS(1, 10) ACROSS(1, 11) ACROSS(1, 12)
#define TO_18 ACROSS(1, 13) ACROSS(1, 14) ACROSS(1, 15) ACROSS(1, 16) ACROSS(1, 17) ACROSS(1, 18)
#define TO_24 ACROSS(1, 19) ACROSS(1, 20) ACROSS(1, 21) ACROSS(1, 22) ACROSS(1, 23) ACROSS(1, 24)

static void across_rows(const struct column *c, int64_t rows, int64_t share)
{
    switch (c->vectors * (TALL + 1) + rows) {
        TO_12
#if defined __AVX512F__
        TO_18 TO_24
#elif defined __AVX2__
        TO_6
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
                       .weight_line = s->columns * m->c * s->vectors * LANES,
                       .out_unit = s->out_image * share,
                       .out_image = s->out_image,
                       .pairs = pairs,
                       .vectors = s->vectors};
    for (int64_t i = 0; i < s->height; i++)
        for (int64_t j = 0; j < s->width; j++) {
            const int64_t y = s->top + i * s->stride, x = s->left + j * s->stride;
            int64_t top, bottom, left, right;
            inside(y, s->taps, m->h, &top, &bottom);
            inside(x, s->columns, m->w, &left, &right);
            c.in = (const char *)(units + ((y + top) * m->w + x + left) * pixel);
            c.weight = s->weight + (top * s->columns + left) * m->c * s->vectors * LANES;
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

/* Whether there are units enough side by side for a tile, and not too large; a window of one pixel
 * has no zeros. */
static bool is_across(const struct ub_images *s, const struct margins *m, int64_t share,
                      int64_t vectors)
{
    const int64_t units = above(s->n, share), tall = TALL / vectors;
    return units * vectors >= LEAST_ACROSS && s->kh * s->kw > 1 &&
           (units < tall ? units : tall) * across_step(m, share) <= MOST_ACROSS;
}

static void across_all(const struct ub_images *s, const struct scan *scans, int64_t count,
                       const struct margins *m, int64_t share, real *out, const real *in,
                       real *units)
{
    const int64_t image = m->h * m->w * m->c, unit = across_step(m, share);
    const int64_t all = above(s->n, share), tiles = above(all, TALL / scans[0].vectors);
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

/* Weights of a block of channels out of (o, taps, c) as (taps, c, vectors). Returns what follows
 * them. */
static real *weights_forward(const struct ub_images *s, int64_t share, int64_t vectors,
                             int64_t block, real *out, const real *weight)
{
    const int64_t size = s->kh * s->kw * s->c, wide = vectors * LANES, o = wide / share;
    turn(o, size, out, wide, weight + block * o * size, size);
    for (int64_t i = 0; i < size && share > 1; i++)
        store(out + i * LANES, doubled(load(out + i * LANES)));
    return out + size * wide;
}

/* Weights of a phase and a block of channels out of (o, taps, c) as (taps, o, vectors), taps the
 * other way around. Returns what follows them. */
static real *weights_back(const struct ub_images *s, const struct phase *v, const struct phase *h,
                          int64_t share, int64_t vectors, int64_t block, real *out,
                          const real *weight)
{
    const int64_t wide = vectors * LANES, c = wide / share;
    for (int64_t y = v->taps - 1; y >= 0; y--)
        for (int64_t x = h->taps - 1; x >= 0; x--)
            for (int64_t o = 0; o < s->o; o++, out += wide) {
                const int64_t tap = (v->from + y * s->stride) * s->kw + h->from + x * s->stride;
                memcpy(out, weight + (o * s->kh * s->kw + tap) * s->c + block * c,
                       (size_t)c * sizeof *out);
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

/* Runs the scans on all images; `in` is read as it is where it has no margins: their blocks have
 * the same pixels. */
static void scan_all(const struct ub_images *s, const struct scan *scans, int64_t count,
                     const struct margins *m, int64_t share, real *out, int64_t out_image,
                     const real *in, real *unit, int64_t size)
{
    const int64_t in_image = m->h * m->w * m->c;
    if (is_across(s, m, share, scans[0].vectors)) {
        across_all(s, scans, count, m, share, out, in, unit);
        return;
    }
    const bool bare = share == 1 && m->h == m->rows && m->w == m->columns && !m->top && !m->left &&
                      scans[0].width % GROUP == 0 && s->stride == scans[0].stride;
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

static void forward(const struct ub_images *s, real *out, const real *x, const real *weight,
                    real *scratch)
{
    const int64_t share = share_of(s->o), vectors = vectors_of(s->o);
    const int64_t wide = vectors * LANES / share, blocks = s->o / wide;
    const struct margins m = of_windows(s);
    struct scan scans[MOST_BLOCKS];
    for (int64_t i = 0; i < blocks; i++) {
        scans[i] = scan_forward(s);
        scans[i].vectors = vectors;
        scans[i].out_first = i * wide;
        scans[i].weight = scratch;
        scratch = weights_forward(s, share, vectors, i, scratch, weight);
    }
    scan_all(s, scans, blocks, &m, share, out, s->out_h * s->out_w * s->o, x, scratch,
             unit_size(&m, share, s->stride));
}

static void to_input(const struct ub_images *s, real *out, const real *ct, const real *weight,
                     real *scratch)
{
    const int64_t share = share_of(s->c), vectors = vectors_of(s->c);
    const int64_t wide = vectors * LANES / share, blocks = s->c / wide;
    const struct margins m = of_cotangent(s);
    struct scan scans[MOST_STRIDE * MOST_STRIDE * MOST_BLOCKS];
    int64_t count = 0;
    for (int64_t i = 0; i < s->stride * s->stride * blocks; i++) {
        const int64_t block = i % blocks, y = i / blocks / s->stride, x = i / blocks % s->stride;
        const struct phase v = phase_of(y, s->stride, s->pad, s->h, s->kh);
        const struct phase h = phase_of(x, s->stride, s->pad, s->w, s->kw);
        struct scan *scan = &scans[count++];
        *scan = scan_back(s, &v, &h);
        scan->vectors = vectors;
        scan->out_first = (y * s->w + x) * s->c + block * wide;
        scan->weight = scratch;
        scratch = weights_back(s, &v, &h, share, vectors, block, scratch, weight);
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
    const int64_t taps = s->kh * s->kw * (back ? s->o : s->c);
    if (s->groups != 1 || share > MOST_SHARE || channels * share % LANES != 0 ||
        channels > (int64_t)MOST_BLOCKS * LANES || s->stride > MOST_STRIDE)
        return -1;
    if (op == UB_OP_CONV_WEIGHT)
        return UB_BUILT(convolve_weight_scratch)(s);
    const struct margins m = back ? of_cotangent(s) : of_windows(s);
    const int64_t units = is_across(s, &m, share, vectors_of(channels))
                              ? TALL * across_step(&m, share)
                              : unit_size(&m, share, back ? 1 : s->stride);
    return taps * channels * share + units;
}
