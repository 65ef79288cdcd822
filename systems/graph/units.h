/* units.h - images as direct.c and direct_weight.c read them, for the sources that are compiled
 * once for each real type and instruction set. Channels that fill half a vector share it with those
 * of the next image: a unit is two images, one number beside the other, and two neighbors are
 * loaded as one into all lanes. Libraries leave that half empty. */
#ifndef UB_UNITS_H
#define UB_UNITS_H

#include "systems/graph/built.h"
#include "systems/graph/vectors.h"

#include <string.h>

typedef UB_REAL real;

/* Sums of pixels that one address does for, the last beyond a row if need be: of as many pixels
 * where channels are one vector, of half as many where they are taken two vectors at a time. */
enum { GROUP = 4 };

#if defined __AVX512F__ && defined UB_REAL_IS_float
enum { MOST_SHARE = 2 };
#else
enum { MOST_SHARE = 1 };
#endif

/* Vectors of channels that are taken at once. Without instructions that spread an operand, what is
 * spread costs as much as what it is multiplied by: two vectors share it. */
#if defined __AVX2__ && !defined __AVX512F__
enum { MOST_VECTORS = 2 };
#else
enum { MOST_VECTORS = 1 };
#endif

/* The number of each of `share` images in the lanes that are theirs. */
static inline FOLDED vector spread(const void *x, const int share)
{
#if defined __AVX512F__ && defined UB_REAL_IS_float
    if (share == 2) {
        double both;
        memcpy(&both, x, sizeof both);
        return (vector)_mm512_castpd_ps(_mm512_set1_pd(both));
    }
#endif
    (void)share;
    real one;
    memcpy(&one, x, sizeof one);
    return one - (vector){0};
}

/* From channels to lanes and back: (a, b, ...) to (a, a, b, b, ...); and of (a, A, b, B, ...) all
 * of the one image, all of the other, or their sums. */
#if defined __AVX512F__ && defined UB_REAL_IS_float
static inline vector doubled(vector v)
{
    const __m512i lanes = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return (vector)_mm512_permutexvar_ps(lanes, (__m512)v);
}

static inline vector parted(vector v)
{
    const __m512i lanes = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
    return (vector)_mm512_permutexvar_ps(lanes, (__m512)v);
}

static inline void store_half(real *x, vector v, bool second)
{
    const __m512d both = _mm512_castps_pd((__m512)v);
    const __m256d half = second ? _mm512_extractf64x4_pd(both, 1) : _mm512_castpd512_pd256(both);
    _mm256_storeu_ps(x, _mm256_castpd_ps(half));
}
#else
static inline vector doubled(vector v)
{
    return v;
}

static inline vector parted(vector v)
{
    return v;
}

static inline void store_half(real *x, vector v, bool second)
{
    (void)second;
    store(x, v);
}
#endif

/* Images (h, w, c) at `top`, `left` of zeros (rows, columns, c, share). */
struct margins {
    int64_t h, w, c, top, left, rows, columns;
};

static inline int64_t beside(const struct margins *m)
{
    return m->columns * m->c;
}

/* Elements of a unit; groups may reach beyond its last pixel. */
static inline int64_t unit_size(const struct margins *m, int64_t share, int64_t step)
{
    const int64_t size = (m->rows * m->columns + GROUP * step) * m->c * share;
    return (size + LANES - 1) / LANES * LANES;
}

static inline void interleave(int64_t n, real *restrict out, const real *restrict a,
                              const real *restrict b)
{
    for (int64_t i = 0; i < n; i++) {
        out[2 * i] = a[i];
        out[2 * i + 1] = b ? b[i] : 0;
    }
}

/* A unit's images from `in` on, `there` of `share`; margins are zeros already. */
static inline void enter(const struct margins *m, int64_t share, int64_t there, real *unit,
                         const real *in)
{
    const int64_t rows = m->h < m->rows - m->top ? m->h : m->rows - m->top;
    const int64_t columns = m->w < m->columns - m->left ? m->w : m->columns - m->left;
    for (int64_t y = 0; y < rows; y++) {
        const real *from = in + y * m->w * m->c;
        real *to = unit + ((m->top + y) * beside(m) + m->left * m->c) * share;
        if (share == 1)
            memcpy(to, from, (size_t)(columns * m->c) * sizeof *to);
        else
            interleave(columns * m->c, to, from, there > 1 ? from + m->h * m->w * m->c : NULL);
    }
}

static inline int64_t share_of(int64_t channels)
{
    return channels < LANES ? LANES / channels : 1;
}

static inline int64_t vectors_of(int64_t channels)
{
    return channels % ((int64_t)MOST_VECTORS * LANES) == 0 ? MOST_VECTORS : 1;
}

static inline int64_t above(int64_t x, int64_t by)
{
    return (x + by - 1) / by;
}

/* Where windows lie: the images that they are over, with what margins. */
static inline struct margins of_windows(const struct ub_images *s)
{
    const int64_t rows = (s->out_h - 1) * s->stride + s->kh;
    const int64_t columns = (s->out_w - 1) * s->stride + s->kw;
    return (struct margins){.h = s->h,
                            .w = s->w,
                            .c = s->c,
                            .top = s->pad,
                            .left = s->pad,
                            .rows = s->pad ? rows : s->h,
                            .columns = s->pad ? columns : s->w};
}

/* Gradients of weights: direct_weight.c. */
void UB_BUILT(convolve_weight)(const struct ub_images *s, real *out, const real *x, const real *ct,
                               real *scratch);
int64_t UB_BUILT(convolve_weight_scratch)(const struct ub_images *s);

#endif
