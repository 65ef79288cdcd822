/* multiply.c - products whose right side stays in cache, compiled as kernels.c is: for each real
 * type and instruction set. A tile of C is held in registers while a row of B at a time is
 * multiplied by a column of A: no operand is packed but a transposed B, whose panels are turned.
 * Libraries pack both sides, or do so from a million multiplications on, and serve a transposed B
 * and few columns badly (bench/perf/roofline.h times them beside this). */
#include "systems/graph/built.h"
#include "systems/graph/turn.h"
#include "systems/graph/vectors.h"

#include <string.h>

typedef UB_REAL real;

/* A tile is ROWS x two vectors, or TALL x one: as many as there are registers for. */
#if defined __AVX512F__
enum { ROWS = 14, TALL = 24 };
#else
enum { ROWS = 6, TALL = 12 };
#endif
enum { VECTORS = 2, WIDTH = VECTORS * LANES, DEPTH = 256 };

/* The first n numbers, 0 < n <= LANES; nothing beyond them is touched. */
#if defined __AVX512F__ && defined UB_REAL_IS_float
static inline vector load_part(const real *x, int64_t n)
{
    return (vector)_mm512_maskz_loadu_ps((__mmask16)(0xffffU >> (LANES - n)), x);
}

static inline void store_part(real *x, vector v, int64_t n)
{
    _mm512_mask_storeu_ps(x, (__mmask16)(0xffffU >> (LANES - n)), (__m512)v);
}
#elif defined __AVX512F__
static inline vector load_part(const real *x, int64_t n)
{
    return (vector)_mm512_maskz_loadu_pd((__mmask8)(0xffU >> (LANES - n)), x);
}

static inline void store_part(real *x, vector v, int64_t n)
{
    _mm512_mask_storeu_pd(x, (__mmask8)(0xffU >> (LANES - n)), (__m512d)v);
}
#elif defined __AVX2__ && defined UB_REAL_IS_float
static inline vector load_part(const real *x, int64_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (vector)_mm256_maskload_ps(x, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane));
}

/* By halves: a masked store takes as long as a dozen. */
static inline void store_part(real *x, vector v, int64_t n)
{
    __m128 part = _mm256_castps256_ps128((__m256)v);
    if (n == LANES) {
        store(x, v);
        return;
    }
    if (n & 4) {
        _mm_storeu_ps(x, part);
        part = _mm256_extractf128_ps((__m256)v, 1);
        x += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)x, part);
        part = _mm_movehl_ps(part, part);
        x += 2;
    }
    if (n & 1)
        _mm_store_ss(x, part);
}
#else
static inline vector load_part(const real *x, int64_t n)
{
    vector v = {0};
    for (int64_t l = 0; l < n; l++)
        v[l] = x[l];
    return v;
}

static inline void store_part(real *x, vector v, int64_t n)
{
    for (int64_t l = 0; l < n; l++)
        x[l] = v[l];
}
#endif

struct sides {
    int64_t k;
    const real *a, *b;
    int64_t a_row, a_column, b_row; /* strides */
    real *c;
    int64_t c_row;
    bool accumulate;
};

/* rows x (vectors LANES) of C, of the last vector `last` columns; rows, vectors and whole are
 * constants where this is inlined. Rows of A are found from every third, or there would be more
 * addresses than registers: compilers are kept from knowing better. */
static inline FOLDED void tile(const struct sides *s, const int rows, const int vectors,
                               const bool whole, int64_t last)
{
    enum { THIRDS = (TALL + 2) / 3 };
    const int64_t stride = s->a_row * (int64_t)sizeof(real);
    const int thirds = (rows + 2) / 3;
    vector sum[TALL][VECTORS];
    const char *a[THIRDS];
    const real *b = s->b;
    UNROLLED for (int r = 0; r < rows; r++) UNROLLED for (int v = 0; v < vectors; v++) sum[r][v] =
        (vector){0};
    UNROLLED for (int i = 0; i < thirds; i++) a[i] = (const char *)s->a + (int64_t)3 * i * stride;
    for (int64_t p = 0; p < s->k; p++, b += s->b_row) {
        vector row[VECTORS];
        UNROLLED for (int v = 0; v < vectors; v++) row[v] =
            v < vectors - 1 || whole ? load(b + (int64_t)v * LANES)
                                     : load_part(b + (int64_t)v * LANES, last);
        UNROLLED for (int r = 0; r < rows; r++)
        {
            const real x = *(const real *)(a[r / 3] + r % 3 * stride);
            UNROLLED for (int v = 0; v < vectors; v++) sum[r][v] += x * row[v];
        }
        UNROLLED for (int i = 0; i < thirds; i++)
        {
            a[i] += s->a_column * (int64_t)sizeof(real);
            __asm__("" : "+r"(a[i]));
        }
    }
    UNROLLED for (int r = 0; r < rows; r++) UNROLLED for (int v = 0; v < vectors; v++)
    {
        real *c = s->c + r * s->c_row + (int64_t)v * LANES;
        if (v < vectors - 1 || whole)
            store(c, s->accumulate ? load(c) + sum[r][v] : sum[r][v]);
        else
            store_part(c, s->accumulate ? load_part(c, last) + sum[r][v] : sum[r][v], last);
    }
}

#define TILE(R)                                                                                    \
    case R:                                                                                        \
        if (last == LANES)                                                                         \
            tile(s, R, vectors, true, LANES);                                                      \
        else                                                                                       \
            tile(s, R, vectors, false, last);                                                      \
        return;
#define TILES_OF_6  TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#define TILES_TO_12 TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
#define TILES_TO_14 TILE(13) TILE(14)
#define TILES_TO_24                                                                                \
    TILE(15) TILE(16) TILE(17) TILE(18) TILE(19) TILE(20) TILE(21) TILE(22) TILE(23) TILE(24)

static void wide(const struct sides *s, int64_t rows, int64_t last)
{
    enum { vectors = VECTORS };
    switch (rows) {
        TILES_OF_6
#if defined __AVX512F__
        TILES_TO_12 TILES_TO_14
#endif
    }
}

static void narrow(const struct sides *s, int64_t rows, int64_t last)
{
    enum { vectors = 1 };
    switch (rows) {
        TILES_OF_6 TILES_TO_12
#if defined __AVX512F__
            TILES_TO_14 TILES_TO_24
#endif
    }
}

/* `columns` <= WIDTH columns of C. Rows are dealt evenly to tiles. */
static void panel(struct sides s, int64_t m, int64_t columns)
{
    const int64_t most = columns > LANES ? ROWS : TALL;
    const int64_t tiles = (m + most - 1) / most, least = m / tiles, more = m % tiles;
    const int64_t last = columns % LANES ? columns % LANES : LANES;
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t rows = least + (t < more);
        if (columns <= LANES)
            narrow(&s, rows, last);
        else
            wide(&s, rows, last);
        s.a += rows * s.a_row;
        s.c += rows * s.c_row;
    }
}

void UB_BUILT(multiply)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *a,
                        int64_t lda, const void *b, int64_t ldb, bool accumulate, void *c,
                        int64_t ldc)
{
    real turned[DEPTH * WIDTH];
    for (int64_t j = 0; j < n; j += WIDTH)
        for (int64_t p = 0; p < k;) {
            const int64_t columns = n - j < WIDTH ? n - j : WIDTH;
            const int64_t depth = tb && k - p > DEPTH ? DEPTH : k - p;
            struct sides s = {.k = depth,
                              .a = (const real *)a + (ta ? p * lda : p),
                              .b = (const real *)b + (tb ? j * ldb + p : p * ldb + j),
                              .a_row = ta ? 1 : lda,
                              .a_column = ta ? lda : 1,
                              .b_row = tb ? WIDTH : ldb,
                              .c = (real *)c + j,
                              .c_row = ldc,
                              .accumulate = accumulate || p > 0};
            if (tb) {
                turn(columns, depth, turned, WIDTH, s.b, ldb); /* (depth, WIDTH) */
                s.b = turned;
            }
            panel(s, m, columns);
            p += depth;
        }
}
