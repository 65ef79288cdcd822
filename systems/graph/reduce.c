/* reduce.c - sums and maxima, compiled as kernels.c is: for each real type and instruction set. The
 * order in which a sum is taken is a matter of its shape alone. */
#include "systems/graph/built.h"
#include "systems/graph/vectors.h"

#include <string.h>

typedef UB_REAL real;

enum { WIDE = 64, FEW = 8 }; /* elements added at once; rows too few for that */

/* Rows of b elements, b a divisor of WIDE, added to o: many rows at once. Returns the rows done. */
static int64_t add_narrow_rows(int64_t rows, int64_t b, real *o, const real *x)
{
    real wide[WIDE] = {0};
    const int64_t steps = rows * b / WIDE;
    for (int64_t s = 0; s < steps; s++, x += WIDE)
#pragma omp simd
        for (int l = 0; l < WIDE; l++)
            wide[l] += x[l];
    for (int64_t l = 0; steps && l < WIDE; l += b)
        for (int64_t k = 0; k < b; k++)
            o[k] += wide[l + k];
    return steps * (WIDE / b);
}

static void add_rows(int64_t rows, int64_t b, real *o, const real *x)
{
    const int64_t done = WIDE % b == 0 ? add_narrow_rows(rows, b, o, x) : 0;
    for (int64_t j = done; j < rows; j++) {
        const real *row = x + j * b;
#pragma omp simd
        for (int64_t l = 0; l < b; l++)
            o[l] += row[l];
    }
}

static real row_sum(int64_t n, const real *x)
{
    real s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t j = 0; j < n; j++)
        s += x[j];
    return s;
}

/* Rows of a known short length: many at once. */
#define SHORT_ROWS(R)                                                                              \
    case R:                                                                                        \
        _Pragma("omp simd") for (int64_t i = 0; i < rows; i++)                                     \
        {                                                                                          \
            real s = x[i * (R)];                                                                   \
            for (int j = 1; j < (R); j++)                                                          \
                s += x[i * (R) + j];                                                               \
            out[i] = s;                                                                            \
        }                                                                                          \
        return;

/* Rows at once, one a lane, for rows shorter than a vector: their elements are added one after the
 * other. */
enum { ABREAST = 16 };

/* Of where `rows` of them are done ABREAST at a time from, the last block reaching back: -1, none.
 */
static int64_t next_block(int64_t from, int64_t rows)
{
    if (from >= rows || rows < ABREAST)
        return -1;
    return from + ABREAST <= rows ? from : rows - ABREAST;
}

static void sum_abreast(int64_t r, real *out, const real *x)
{
    real s[ABREAST];
#pragma omp simd
    for (int64_t l = 0; l < ABREAST; l++)
        s[l] = x[l * r];
    for (int64_t j = 1; j < r; j++)
#pragma omp simd
        for (int64_t l = 0; l < ABREAST; l++)
            s[l] += x[l * r + j];
    memcpy(out, s, sizeof s);
}

static void short_row_sums(int64_t rows, int64_t r, real *out, const real *x)
{
    for (int64_t i = next_block(0, rows); i >= 0; i = next_block(i + ABREAST, rows))
        sum_abreast(r, out + i, x + i * r);
    for (int64_t i = 0; rows < ABREAST && i < rows; i++) {
        real s = x[i * r];
        for (int64_t j = 1; j < r; j++)
            s += x[i * r + j];
        out[i] = s;
    }
}

#if defined __AVX2__ && !defined __AVX512F__ && defined UB_REAL_IS_float
#define EIGHT_FLOATS
#endif

#if !defined EIGHT_FLOATS
/* Sums of neighbors in a, then of those in b. */
static inline void fold(vector *out, const vector *a, const vector *b)
{
#if defined __AVX512F__ && defined UB_REAL_IS_float
    *out =
        __builtin_shufflevector(*a, *b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
        __builtin_shufflevector(*a, *b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif defined __AVX512F__
    *out = __builtin_shufflevector(*a, *b, 0, 2, 4, 6, 8, 10, 12, 14) +
           __builtin_shufflevector(*a, *b, 1, 3, 5, 7, 9, 11, 13, 15);
#elif defined __AVX2__ || defined UB_REAL_IS_float
    *out =
        __builtin_shufflevector(*a, *b, 0, 2, 4, 6) + __builtin_shufflevector(*a, *b, 1, 3, 5, 7);
#else
    *out = __builtin_shufflevector(*a, *b, 0, 2) + __builtin_shufflevector(*a, *b, 1, 3);
#endif
}
#endif

enum { LONGEST_ABREAST = 512 };

/* Numbers of each of LANES vectors in pairs, pairs of pairs and so on: all sums in the first. */
#if defined EIGHT_FLOATS
static inline vector sum_of(vector a, vector b)
{
    return a + b;
}

static inline vector larger_of(vector a, vector b)
{
    return (vector)_mm256_max_ps((__m256)a, (__m256)b);
}

/* Pairs of halves of vectors first: what crosses them takes three cycles. */
#define FOLDS(NAME, OF)                                                                            \
    static inline vector NAME##_pairs(vector a, vector b)                                          \
    {                                                                                              \
        return OF(__builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14),                        \
                  __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15));                       \
    }                                                                                              \
    static inline void NAME##_all(vector *s)                                                       \
    {                                                                                              \
        const vector a = NAME##_pairs(NAME##_pairs(s[0], s[1]), NAME##_pairs(s[2], s[3]));         \
        const vector b = NAME##_pairs(NAME##_pairs(s[4], s[5]), NAME##_pairs(s[6], s[7]));         \
        s[0] = OF(__builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11),                         \
                  __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15));                      \
    }
FOLDS(fold, sum_of)
FOLDS(maxima, larger_of)
#else
static inline void fold_all(vector *s)
{
    for (int64_t half = LANES / 2; half > 0; half /= 2)
        for (int64_t i = 0; i < half; i++)
            fold(&s[i], &s[2 * i], &s[2 * i + 1]);
}
#endif

/* Of LANES rows or fewer: vectors of each are added up, then the numbers of each sum in pairs,
 * pairs of pairs and so on, those of all rows at once. */
static inline FOLDED void sum_vectors(int64_t rows, int64_t r, real *out, const real *x)
{
    vector s[LANES] = {0};
    const int64_t whole = r - r % LANES;
    for (int64_t i = 0; i < rows; i++) {
        vector v = load(x + i * r);
        for (int64_t j = LANES; j < whole; j += LANES) {
            v += load(x + i * r + j);
        }
        s[i] = v;
    }
    fold_all(s);
    for (int64_t j = whole; j < r; j++)
        for (int64_t i = 0; i < rows; i++)
            s[0][i] += x[i * r + j];
    memcpy(out, s, (size_t)rows * sizeof *out);
}

/* LANES rows of a known length: in registers. */
#define WHOLE_ROWS(R)                                                                              \
    case R:                                                                                        \
        for (; (R) >= LANES && i + LANES <= rows; i += LANES)                                      \
            sum_vectors(LANES, R, out + i, x + i * (R));                                           \
        break;

static void sum_rows_in_vectors(int64_t rows, int64_t r, real *out, const real *x)
{
    int64_t i = 0;
    switch (r) {
        WHOLE_ROWS(8)
        WHOLE_ROWS(16)
        WHOLE_ROWS(32)
        WHOLE_ROWS(48)
        WHOLE_ROWS(64)
        WHOLE_ROWS(128)
    default:
        for (; i + LANES <= rows; i += LANES)
            sum_vectors(LANES, r, out + i, x + i * r);
    }
    if (i < rows)
        sum_vectors(rows - i, r, out + i, x + i * r);
}

static void row_sums(int64_t rows, int64_t r, real *out, const real *x)
{
    switch (r < LANES ? r : 0) {
        SHORT_ROWS(2)
        SHORT_ROWS(4)
        SHORT_ROWS(8)
    default:
        if (r >= LANES && r <= LONGEST_ABREAST) {
            sum_rows_in_vectors(rows, r, out, x);
            return;
        }
        if (r < LANES) {
            short_row_sums(rows, r, out, x);
            return;
        }
        for (int64_t i = 0; i < rows; i++)
            out[i] = row_sum(r, x + i * r);
    }
}

/* Groups of r rows of b, added up: few rows, as of pooling windows, without a call each. */
#define SHORT_GROUPS(B)                                                                            \
    case B:                                                                                        \
        for (int64_t i = 0; i < groups; i++, out += (B), x += r * (B)) {                           \
            real s[B];                                                                             \
            memcpy(s, x, sizeof s);                                                                \
            for (int64_t j = 1; j < r; j++)                                                        \
                _Pragma("omp simd") for (int l = 0; l < (B); l++) s[l] += x[j * (B) + l];          \
            memcpy(out, s, sizeof s);                                                              \
        }                                                                                          \
        return;

static void group_sums(int64_t groups, int64_t r, int64_t b, real *out, const real *x)
{
    switch (r < FEW ? b : 0) {
        SHORT_GROUPS(4)
        SHORT_GROUPS(8)
        SHORT_GROUPS(16)
        SHORT_GROUPS(32)
    default:
        for (int64_t i = 0; i < groups; i++, out += b, x += r * b) {
            memcpy(out, x, (size_t)b * sizeof *out);
            add_rows(r - 1, b, out, x + b);
        }
    }
}

static void sum_row_parts(int64_t start, int64_t n, int64_t r, real *out, const real *x)
{
    const int64_t from = start % r, head = from == 0 ? 0 : r - from < n ? r - from : n;
    out += start / r;
    if (head > 0) {
        *out += row_sum(head, x);
        out++;
    }
    const int64_t rows = (n - head) / r, tail = n - head - rows * r;
    row_sums(rows, r, out, x + head);
    if (tail > 0)
        out[rows] = row_sum(tail, x + n - tail);
}

void UB_BUILT(sum_part)(int64_t start, int64_t n, int64_t r, int64_t b, void *out, const void *in)
{
    const real *x = in;
    if (b == 1) {
        sum_row_parts(start, n, r, out, x);
        return;
    }
    while (n > 0) {
        const int64_t row = start / b, l = start % b, j = row % r;
        real *o = (real *)out + row / r * b;
        const int64_t whole = n / b, rows = r - j < whole ? r - j : whole;
        const int64_t groups = l == 0 && j == 0 ? whole / r : 0;
        int64_t run = b - l < n ? b - l : n;
        if (groups > 0) {
            group_sums(groups, r, b, o, x);
            run = groups * r * b;
            start += run, x += run, n -= run;
            continue;
        }
        if (j == 0)
            memset(o + l, 0, (size_t)(rows > 0 && l == 0 ? b : run) * sizeof *o);
        if (l == 0 && rows > 0) {
            add_rows(rows, b, o, x);
            run = rows * b;
        } else {
#pragma omp simd
            for (int64_t k = 0; k < run; k++)
                o[l + k] += x[k];
        }
        start += run, x += run, n -= run;
    }
}

void UB_BUILT(sum)(int64_t a, int64_t r, int64_t b, void *out, const void *in)
{
    if (b == 1) {
        row_sums(a, r, out, in);
        return;
    }
    group_sums(a, r, b, out, in);
}

/* NaN stays NaN: a diverged run must show. */
static real row_maximum(int64_t n, const real *x)
{
    real top = x[0], sum = 0; /* the sum is NaN where any element is, or infinities cancel */
#pragma omp simd reduction(max : top) reduction(+ : sum)
    for (int64_t j = 0; j < n; j++) {
        top = x[j] > top ? x[j] : top;
        sum += x[j];
    }
    if (sum == sum)
        return top;
    for (int64_t j = 0; j < n; j++)
        if (x[j] != x[j])
            return x[j];
    return top;
}

/* False where one of the rows has a NaN, or infinities that cancel: nothing is written then. */
static bool maxima_abreast(int64_t r, real *out, const real *x)
{
    real top[ABREAST], sum[ABREAST];
    int odd = 0;
#pragma omp simd
    for (int64_t l = 0; l < ABREAST; l++)
        top[l] = sum[l] = x[l * r];
    for (int64_t j = 1; j < r; j++)
#pragma omp simd
        for (int64_t l = 0; l < ABREAST; l++) {
            const real v = x[l * r + j];
            top[l] = v > top[l] ? v : top[l];
            sum[l] += v;
        }
#pragma omp simd reduction(| : odd)
    for (int64_t l = 0; l < ABREAST; l++)
        odd |= sum[l] != sum[l];
    if (!odd)
        memcpy(out, top, sizeof top);
    return !odd;
}

#if defined EIGHT_FLOATS
/* Of LANES rows of whole vectors; false, and nothing is written, where one has a NaN. */
static inline FOLDED bool maxima_of_vectors(int64_t r, real *out, const real *x)
{
    vector top[LANES];
    __m256 odd = _mm256_setzero_ps();
    UNROLLED
    for (int64_t i = 0; i < LANES; i++) {
        top[i] = load(x + i * r);
        odd = _mm256_or_ps(odd, _mm256_cmp_ps((__m256)top[i], (__m256)top[i], _CMP_UNORD_Q));
        for (int64_t j = LANES; j < r; j += LANES) {
            const vector next = load(x + i * r + j);
            odd = _mm256_or_ps(odd, _mm256_cmp_ps((__m256)next, (__m256)next, _CMP_UNORD_Q));
            top[i] = larger_of(next, top[i]);
        }
    }
    if (_mm256_movemask_ps(odd) != 0)
        return false;
    maxima_all(top);
    memcpy(out, top, sizeof *top);
    return true;
}

#define WHOLE_MAXIMA(R)                                                                            \
    case R:                                                                                        \
        while (i + LANES <= rows && maxima_of_vectors(R, out + i, x + i * (R)))                    \
            i += LANES;                                                                            \
        return i;

/* The rows done, up to the first with a NaN. */
static int64_t maxima_in_vectors(int64_t rows, int64_t r, real *out, const real *x)
{
    int64_t i = 0;
    switch (r) {
        WHOLE_MAXIMA(8)
        WHOLE_MAXIMA(16)
        WHOLE_MAXIMA(32)
        WHOLE_MAXIMA(64)
        WHOLE_MAXIMA(128)
    default:
        return i;
    }
}
#else
static int64_t maxima_in_vectors(int64_t rows, int64_t r, real *out, const real *x)
{
    (void)rows, (void)r, (void)out, (void)x;
    return 0;
}
#endif

static void row_maxima(int64_t rows, int64_t r, real *out, const real *x)
{
    int64_t done = maxima_in_vectors(rows, r, out, x);
    for (int64_t i = r < ABREAST && done == 0 ? next_block(0, rows) : -1; i >= 0;
         i = next_block(i + ABREAST, rows)) {
        if (!maxima_abreast(r, out + i, x + i * r))
            for (int64_t l = i; l < i + ABREAST; l++)
                out[l] = row_maximum(r, x + l * r);
        done = i + ABREAST;
    }
    for (int64_t i = done; i < rows; i++)
        out[i] = row_maximum(r, x + i * r);
}

/* NaN stays NaN here, too. */
static inline void larger_rows(int64_t r, int64_t b, real *o, const real *x)
{
    memcpy(o, x, (size_t)b * sizeof *o);
    for (int64_t j = 1; j < r; j++) {
        const real *row = x + j * b;
#pragma omp simd
        for (int64_t l = 0; l < b; l++)
            o[l] = o[l] > row[l] ? o[l] : (o[l] == o[l] ? row[l] : o[l]);
    }
}

void UB_BUILT(maximum)(int64_t a, int64_t r, int64_t b, void *out, const void *in)
{
    if (b == 1) {
        row_maxima(a, r, out, in);
        return;
    }
    for (int64_t i = 0; i < a; i++) {
        real *o = (real *)out + i * b;
        const real *x = (const real *)in + i * r * b;
        switch (b) { /* the usual sizes as constants: rows are short */
        case 8:
            larger_rows(r, 8, o, x);
            break;
        case 16:
            larger_rows(r, 16, o, x);
            break;
        case 32:
            larger_rows(r, 32, o, x);
            break;
        default:
            larger_rows(r, b, o, x);
        }
    }
}

void UB_BUILT(sum_lanes)(int64_t n, double *out, const void *lanes, int64_t count, int64_t stride)
{
    const real *x = lanes;
    for (int64_t i = 0; i < n; i++)
        out[i] = (double)x[i];
    for (int64_t l = 1; l < count; l++)
        for (int64_t i = 0; i < n; i++)
            out[i] += (double)x[l * stride + i];
}
