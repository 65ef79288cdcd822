/* direct_weight.c - gradients of a convolution's weights: sums over pixels, held in registers for
 * as many numbers under the window as there are, all channels of the cotangent that fill a vector
 * each. See direct.c. */
#include "systems/graph/turn.h"
#include "systems/graph/units.h"

/* Numbers under the window that a tile has sums for, in all; or in each of 3 rows of the window. */
#if defined __AVX512F__
enum { ROWS = 24, LINED = 9 };
#else
enum { ROWS = 12, LINED = 4 };
#endif
enum { LINES = 3 };

/* sum (lines, rows, LANES) += x' ct over a unit's pixels: `rows` numbers of x in each of the lines
 * under a window, all lanes of ct (pixels, LANES). */
struct gather {
    int64_t width, step, line, in_line, sum_line;
};

static inline FOLDED void gather_tile(const struct gather *g, const int lines, const int rows,
                                      const int share, int64_t height, real *sums, const real *x,
                                      const real *ct)
{
    vector sum[ROWS + LINES];
    UNROLLED for (int l = 0; l < lines; l++) UNROLLED for (int r = 0; r < rows; r++)
        sum[l * rows + r] = load(sums + l * g->sum_line + (int64_t)r * LANES);
    for (int64_t i = 0; i < height; i++) {
        const real *in = x + i * g->line;
        for (int64_t j = 0; j < g->width; j++, in += g->step, ct += LANES) {
            const vector v = load(ct);
            UNROLLED for (int l = 0; l < lines; l++) UNROLLED for (int r = 0; r < rows; r++)
                sum[l * rows + r] += spread(in + l * g->in_line + (int64_t)r * share, share) * v;
        }
    }
    UNROLLED for (int l = 0; l < lines; l++) UNROLLED for (int r = 0; r < rows; r++)
        store(sums + l * g->sum_line + (int64_t)r * LANES, sum[l * rows + r]);
}

#define GATHER(LINES, R)                                                                           \
    case R:                                                                                        \
        if (share == 1)                                                                            \
            gather_tile(g, LINES, R, 1, height, sums, x, ct);                                      \
        else                                                                                       \
            gather_tile(g, LINES, R, MOST_SHARE, height, sums, x, ct);                             \
        return;
#define OF_4(L)  GATHER(L, 1) GATHER(L, 2) GATHER(L, 3) GATHER(L, 4)
#define TO_9(L)  GATHER(L, 5) GATHER(L, 6) GATHER(L, 7) GATHER(L, 8) GATHER(L, 9)
#define TO_12(L) GATHER(L, 10) GATHER(L, 11) GATHER(L, 12)
#define TO_18(L) GATHER(L, 13) GATHER(L, 14) GATHER(L, 15) GATHER(L, 16) GATHER(L, 17) GATHER(L, 18)
#define TO_24(L) GATHER(L, 19) GATHER(L, 20) GATHER(L, 21) GATHER(L, 22) GATHER(L, 23) GATHER(L, 24)

static void gather_line(const struct gather *g, int64_t rows, int64_t share, int64_t height,
                        real *sums, const real *x, const real *ct)
{
    switch (rows) {
        OF_4(1)
        TO_9(1)
        TO_12(1)
#if defined __AVX512F__
        TO_18(1) TO_24(1)
#endif
    }
}

static void gather_lines(const struct gather *g, int64_t rows, int64_t share, int64_t height,
                         real *sums, const real *x, const real *ct)
{
    switch (rows) {
        OF_4(LINES)
#if defined __AVX512F__
        TO_9(LINES)
#endif
    }
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

/* sums (kh, run, LANES) */
static void gather_unit(const struct gather *g, const struct ub_images *s, int64_t share,
                        real *sums, const real *x, const real *ct)
{
    const int64_t run = s->kw * s->c, tiles = above(run, ROWS);
    if (s->kh == LINES && run <= LINED) {
        gather_lines(g, run, share, s->out_h, sums, x, ct);
        return;
    }
    for (int64_t tap = 0; tap < s->kh; tap++) {
        int64_t first, last;
        rows_inside(s, tap, &first, &last);
        for (int64_t t = 0, done = 0; t < tiles; t++) {
            const int64_t rows = run / tiles + (t < run % tiles);
            gather_line(g, rows, share, last - first, sums + tap * g->sum_line + done * LANES,
                        x + tap * g->in_line + first * g->line + done * share,
                        ct + first * g->width * LANES);
            done += rows;
        }
    }
}

/* sums (size, LANES) to weights (o, size). */
static void leave(int64_t size, int64_t share, real *out, real *sums)
{
    for (int64_t i = 0; i < size && share > 1; i++) {
        real *row = sums + i * LANES, half[LANES];
        store(half, parted(load(row)));
        for (int64_t j = 0; j < LANES / 2; j++)
            row[j] = half[j] + half[j + LANES / 2];
    }
    turn(size, LANES / share, out, size, sums, LANES);
}

void UB_BUILT(convolve_weight)(const struct ub_images *s, real *out, const real *x, const real *ct,
                               real *scratch)
{
    const int64_t share = share_of(s->o), run = s->kw * s->c, size = s->kh * run;
    const int64_t pixels = s->out_h * s->out_w * s->o;
    const struct margins m = of_windows(s);
    const struct margins c = {
        .h = s->out_h, .w = s->out_w, .c = s->o, .rows = s->out_h, .columns = s->out_w};
    const struct gather g = {.width = s->out_w,
                             .step = s->stride * s->c * share,
                             .line = s->stride * beside(&m) * share,
                             .in_line = beside(&m) * share,
                             .sum_line = run * LANES};
    real *sums = scratch, *unit = sums + size * LANES;
    real *both = unit + unit_size(&m, share, s->stride); /* cotangents of a unit */
    memset(scratch, 0, (size_t)(both - scratch) * sizeof *scratch);
    for (int64_t i = 0; i < s->n; i += share) {
        const int64_t there = s->n - i < share ? s->n - i : share;
        enter(&m, share, there, unit, x + i * s->h * s->w * s->c);
        if (share > 1)
            enter(&c, share, there, both, ct + i * pixels);
        gather_unit(&g, s, share, sums, unit, share > 1 ? both : ct + i * pixels);
    }
    leave(size, share, out, sums);
}
