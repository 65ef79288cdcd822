/* direct_weight.c - gradients of a convolution's weights: sums over pixels, held in registers for
 * as many numbers under the window as there are, a block of the cotangent's channels (one vector or
 * two) each. Images are taken a few at a time where they are small, and a few rows at a time where
 * they are large: sums are read and written once for many pixels, which stay in the first cache.
 * See direct.c. */
#include "systems/graph/turn.h"
#include "systems/graph/units.h"

/* Numbers under the window that a tile has sums for, in all; or in each of 3 rows of the window. */
#if defined __AVX512F__
enum { ROWS = 24, LINED = 9 };
#else
enum { ROWS = 12, LINED = 4 };
#endif
enum { LINES = 3 };

/* Pixels from which on sums are worth what it takes to read and write them; numbers of an image and
 * a cotangent's block that stay in the first cache. */
#if defined __AVX512F__
enum { PIXELS = 1, NEAR = 1 << 30 };
#else
enum { PIXELS = 128, NEAR = 1 << 12 };
#endif

/* sum (lines, rows, vectors) += x' ct over units' pixels: `rows` numbers of x in each of the lines
 * under a window, all lanes of ct. */
struct gather {
    int64_t units, height, width;
    int64_t step, line, in_line, unit; /* of x */
    int64_t ct_step, ct_line, ct_unit;
    int64_t sum_line, vectors;
};

static inline FOLDED void gather_tile(const struct gather *g, const int lines, const int rows,
                                      const int share, const int vectors, real *sums, const real *x,
                                      const real *ct)
{
    vector sum[ROWS + LINES];
    UNROLLED for (int l = 0; l < lines; l++) UNROLLED for (int r = 0; r < rows * vectors; r++)
        sum[l * rows * vectors + r] = load(sums + l * g->sum_line + (int64_t)r * LANES);
    for (int64_t u = 0; u < g->units; u++)
        for (int64_t i = 0; i < g->height; i++) {
            const real *in = x + u * g->unit + i * g->line;
            const real *by = ct + u * g->ct_unit + i * g->ct_line;
            for (int64_t j = 0; j < g->width; j++, in += g->step, by += g->ct_step) {
                vector row[MOST_VECTORS];
                UNROLLED for (int v = 0; v < vectors; v++) row[v] = load(by + (int64_t)v * LANES);
                UNROLLED for (int l = 0; l < lines; l++) UNROLLED for (int r = 0; r < rows; r++)
                {
                    const vector one = spread(in + l * g->in_line + (int64_t)r * share, share);
                    UNROLLED for (int v = 0; v < vectors; v++) sum[(l * rows + r) * vectors + v] +=
                        one * row[v];
                }
            }
        }
    UNROLLED for (int l = 0; l < lines; l++) UNROLLED for (int r = 0; r < rows * vectors; r++)
        store(sums + l * g->sum_line + (int64_t)r * LANES, sum[l * rows * vectors + r]);
}

#define GATHER(VECTORS, L, R)                                                                      \
    case (VECTORS) * (ROWS + 1) + (R):                                                             \
        if (share == 1)                                                                            \
            gather_tile(g, L, R, 1, VECTORS, sums, x, ct);                                         \
        else                                                                                       \
            gather_tile(g, L, R, MOST_SHARE, VECTORS, sums, x, ct);                                \
        return;
#define OF_4(V, L)  GATHER(V, L, 1) GATHER(V, L, 2) GATHER(V, L, 3) GATHER(V, L, 4)
#define TO_6(V, L)  GATHER(V, L, 5) GATHER(V, L, 6)
#define TO_9(V, L)  GATHER(V, L, 7) GATHER(V, L, 8) GATHER(V, L, 9)
#define TO_12(V, L) GATHER(V, L, 10) GATHER(V, L, 11) GATHER(V, L, 12)
#define TO_18(V, L)                                                                                \
    GATHER(V, L, 13)                                                                               \
    GATHER(V, L, 14) GATHER(V, L, 15) GATHER(V, L, 16) GATHER(V, L, 17) GATHER(V, L, 18)
#define TO_24(V, L)                                                                                \
    GATHER(V, L, 19)                                                                               \
    GATHER(V, L, 20) GATHER(V, L, 21) GATHER(V, L, 22) GATHER(V, L, 23) GATHER(V, L, 24)

static void gather_line(const struct gather *g, int64_t rows, int64_t share, real *sums,
                        const real *x, const real *ct)
{
    switch (g->vectors * (ROWS + 1) + rows) {
        OF_4(1, 1)
        TO_6(1, 1)
        TO_9(1, 1)
        TO_12(1, 1)
#if defined __AVX512F__
        TO_18(1, 1) TO_24(1, 1)
#elif defined __AVX2__
        OF_4(2, 1) TO_6(2, 1)
#endif
    }
}

static void gather_lines(const struct gather *g, int64_t rows, int64_t share, real *sums,
                         const real *x, const real *ct)
{
    switch (ROWS + 1 + rows) {
        OF_4(1, LINES)
#if defined __AVX512F__
        TO_6(1, LINES)
        TO_9(1, LINES)
#endif
    }
}

/* Whether a tile has all lines under the window at once. */
static bool is_lined(const struct ub_images *s)
{
    return s->kh == LINES && s->kw * s->c <= LINED;
}

/* Rows of the cotangent of which a row of the window lies inside of the image: first..last. */
static void rows_inside(const struct ub_images *s, int64_t tap, int64_t *first, int64_t *last)
{
    *first = tap < s->pad ? above(s->pad - tap, s->stride) : 0;
    *last = s->h + s->pad > tap ? above(s->h + s->pad - tap, s->stride) : 0;
    if (*last > s->out_h)
        *last = s->out_h;
    if (*last < *first)
        *last = *first;
}

/* sums (kh, run, vectors), over rows from..to of the cotangent. */
static void gather_rows(struct gather *g, const struct ub_images *s, int64_t share, int64_t from,
                        int64_t to, real *sums, const real *x, const real *ct)
{
    const int64_t run = s->kw * s->c, tiles = above(run * g->vectors, ROWS);
    if (is_lined(s)) {
        g->height = to - from;
        gather_lines(g, run, share, sums, x + from * g->line, ct + from * g->ct_line);
        return;
    }
    for (int64_t tap = 0; tap < s->kh; tap++) {
        int64_t first, last;
        rows_inside(s, tap, &first, &last);
        first = first < from ? from : first;
        last = last > to ? to : last;
        g->height = last > first ? last - first : 0;
        for (int64_t t = 0, done = 0; t < tiles && g->height > 0; t++) {
            const int64_t rows = run / tiles + (t < run % tiles);
            gather_line(g, rows, share, sums + tap * g->sum_line + done * g->vectors * LANES,
                        x + tap * g->in_line + first * g->line + done * share,
                        ct + first * g->ct_line);
            done += rows;
        }
    }
}

/* sums (size, wide) of a block to its weights (channels, size). */
static void leave(int64_t size, int64_t share, int64_t wide, real *out, real *sums)
{
    for (int64_t i = 0; i < size && share > 1; i++) {
        real *row = sums + i * LANES, half[LANES];
        store(half, parted(load(row)));
        for (int64_t j = 0; j < LANES / 2; j++)
            row[j] = half[j] + half[j + LANES / 2];
    }
    turn(size, wide / share, out, size, sums, wide);
}

static int64_t weight_vectors(const struct ub_images *s)
{
    return is_lined(s) ? 1 : vectors_of(s->o);
}

/* Images whose pixels are taken in one go; two that share vectors are one. */
static int64_t units_at_once(const struct ub_images *s, int64_t share)
{
    return share > 1 ? 1 : above(PIXELS, s->out_h * s->out_w);
}

static int64_t rows_at_once(const struct gather *g, const struct ub_images *s)
{
    const int64_t line = g->line + s->out_w * g->vectors * LANES;
    return line < NEAR ? NEAR / line : 1;
}

/* All blocks' sums of some units. */
static void gather_units(struct gather *g, const struct ub_images *s, int64_t share, real *sums,
                         const real *x, const real *ct)
{
    const int64_t wide = g->vectors * LANES, size = s->kh * s->kw * s->c;
    const int64_t strip = rows_at_once(g, s);
    for (int64_t from = 0; from < s->out_h; from += strip) {
        const int64_t to = s->out_h - from < strip ? s->out_h : from + strip;
        for (int64_t o = 0; o < s->o * share; o += wide)
            gather_rows(g, s, share, from, to, sums + o * size, x, ct + o);
    }
}

static struct gather gather_of(const struct ub_images *s, int64_t share, const struct margins *m)
{
    const int64_t vectors = weight_vectors(s), o = s->o * share;
    return (struct gather){.width = s->out_w,
                           .step = s->stride * s->c * share,
                           .line = s->stride * beside(m) * share,
                           .in_line = beside(m) * share,
                           .unit = unit_size(m, share, s->stride),
                           .ct_step = o,
                           .ct_line = s->out_w * o,
                           .ct_unit = s->out_h * s->out_w * o,
                           .sum_line = s->kw * s->c * vectors * LANES,
                           .vectors = vectors};
}

void UB_BUILT(convolve_weight)(const struct ub_images *s, real *out, const real *x, const real *ct,
                               real *scratch)
{
    const int64_t share = share_of(s->o), size = s->kh * s->kw * s->c;
    const int64_t image = s->h * s->w * s->c, pixels = s->out_h * s->out_w * s->o;
    const struct margins m = of_windows(s);
    const struct margins c = {
        .h = s->out_h, .w = s->out_w, .c = s->o, .rows = s->out_h, .columns = s->out_w};
    struct gather g = gather_of(s, share, &m);
    const int64_t at_once = share * units_at_once(s, share);
    real *sums = scratch, *units = sums + size * s->o * share;
    real *both = units + at_once / share * g.unit; /* cotangents of a unit */
    memset(scratch, 0, (size_t)(both - scratch) * sizeof *scratch);
    for (int64_t i = 0; i < s->n; i += at_once) {
        const int64_t there = s->n - i < at_once ? s->n - i : at_once;
        g.units = above(there, share);
        for (int64_t u = 0; u < g.units; u++)
            enter(&m, share, there, units + u * g.unit, x + (i + u) * image);
        if (share > 1)
            enter(&c, share, there, both, ct + i * pixels);
        gather_units(&g, s, share, sums, units, share > 1 ? both : ct + i * pixels);
    }
    const int64_t wide = g.vectors * LANES;
    for (int64_t o = 0; o < s->o * share; o += wide)
        leave(size, share, wide, out + o / share * size, sums + o * size);
}

int64_t UB_BUILT(convolve_weight_scratch)(const struct ub_images *s)
{
    const int64_t share = share_of(s->o);
    const struct margins m = of_windows(s);
    const int64_t units = units_at_once(s, share) * unit_size(&m, share, s->stride);
    return s->kh * s->kw * s->c * s->o * share + units + s->out_h * s->out_w * LANES;
}
