/* kernels.c - compiled with UB_REAL = float or double for each of several instruction sets
 * (CMakeLists.txt); only the table at the end is visible outside, under a name of its own.
 * Loops are plain C that the compiler vectorizes; log, sin and cos, and exp, tanh and the like in
 * double (in float: functions.c), come from libm's vector forms (libmvec: 4 ulp) where the compiler
 * knows them. */
#include "systems/graph/built.h"
#include "systems/graph/turn.h"
#include "systems/graph/unseen.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

typedef UB_REAL real;

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define VECTOR_FORM __attribute__((simd("notinbranch")))
#else
#define VECTOR_FORM
#endif

#ifdef UB_REAL_IS_float
#define M(name) name##f
VECTOR_FORM float logf(float);
VECTOR_FORM float sinf(float);
VECTOR_FORM float cosf(float);
#else
#define M(name) name
VECTOR_FORM double exp(double);
VECTOR_FORM double log(double);
VECTOR_FORM double log1p(double);
VECTOR_FORM double tanh(double);
VECTOR_FORM double sin(double);
VECTOR_FORM double cos(double);
VECTOR_FORM double erf(double);
#endif

/* `#pragma omp simd`: the compiler may assume that out and in either coincide or do not overlap. */
#define UNARY(NAME, EXPRESSION)                                                                    \
    static void NAME(int64_t n, void *out, const void *const *in)                                  \
    {                                                                                              \
        real *o = out;                                                                             \
        const real *a = in[0];                                                                     \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                        \
        {                                                                                          \
            real x = a[i];                                                                         \
            o[i] = (EXPRESSION);                                                                   \
        }                                                                                          \
    }
/* By the library's vector form, a rest in a vector of its own: its scalar form and its narrower
 * ones round otherwise, and a number's value would hang on where in its array it stands. One copy
 * of the loop, or the compiler takes that for the rest apart again. */
enum { WIDE = 16 };
#if defined(__GNUC__) && !defined(__clang__)
#define ONE_COPY __attribute__((noinline, noclone))
#else
#define ONE_COPY __attribute__((noinline))
#endif
#define UNARY_OF_LIBRARY(NAME, EXPRESSION)                                                         \
    ONE_COPY static void NAME##_whole(int64_t n, real *o, const real *a)                           \
    {                                                                                              \
        for (; n > 0; n -= WIDE, o += WIDE, a += WIDE)                                             \
            _Pragma("omp simd") for (int i = 0; i < WIDE; i++)                                     \
            {                                                                                      \
                real x = a[i];                                                                     \
                o[i] = (EXPRESSION);                                                               \
            }                                                                                      \
    }                                                                                              \
    static void NAME(int64_t n, void *out, const void *const *in)                                  \
    {                                                                                              \
        real *o = out, some[WIDE];                                                                 \
        const real *a = in[0];                                                                     \
        const int64_t whole = n - n % WIDE;                                                        \
        NAME##_whole(whole, o, a);                                                                 \
        if (whole == n)                                                                            \
            return;                                                                                \
        for (int i = 0; i < WIDE; i++) /* a log of 0 would be slow */                              \
            some[i] = 1;                                                                           \
        memcpy(some, a + whole, (size_t)(n - whole) * sizeof *some);                               \
        NAME##_whole(WIDE, some, some);                                                            \
        memcpy(o + whole, some, (size_t)(n - whole) * sizeof *some);                               \
    }
#define BINARY(NAME, EXPRESSION)                                                                   \
    static void NAME(int64_t n, void *out, const void *const *in)                                  \
    {                                                                                              \
        real *o = out;                                                                             \
        const real *a = in[0], *b = in[1];                                                         \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                        \
        {                                                                                          \
            real x = a[i], y = b[i];                                                               \
            o[i] = (EXPRESSION);                                                                   \
        }                                                                                          \
    }

UNARY(k_neg, -x)
UNARY_OF_LIBRARY(k_log, M(log)(x))
#ifdef UB_REAL_IS_float
#define k_exp      UB_BUILT(exp)
#define k_tanh     UB_BUILT(tanh)
#define k_sigmoid  UB_BUILT(sigmoid)
#define k_softplus UB_BUILT(softplus)
#define k_erf      UB_BUILT(erf)
#else
UNARY_OF_LIBRARY(k_exp, exp(x))
UNARY_OF_LIBRARY(k_tanh, tanh(x))
UNARY_OF_LIBRARY(k_sigmoid, 1 / (1 + exp(-x)))
UNARY_OF_LIBRARY(k_softplus, (x > 0 ? x : 0) + log1p(exp(-fabs(x))))
UNARY_OF_LIBRARY(k_erf, erf(x))
#endif
UNARY(k_sqrt, M(sqrt)(x))
UNARY(k_recip, 1 / x)
UNARY_OF_LIBRARY(k_sin, M(sin)(x))
UNARY_OF_LIBRARY(k_cos, M(cos)(x))
UNARY(k_abs, M(fabs)(x))
UNARY(k_sign, (real)(x > 0) - (real)(x < 0))
BINARY(k_add, x + y)
BINARY(k_sub, x - y)
BINARY(k_mul, x *y)
BINARY(k_div, x / y)
BINARY(k_max, x > y ? x : (x == x ? y : x)) /* NaN stays NaN: a diverged run must show */
BINARY(k_greater, x > y ? 1 : 0)
BINARY(k_equal, x == y ? 1 : 0)

static void k_select(int64_t n, void *out, const void *const *in)
{
    real *o = out;
    const real *c = in[0], *a = in[1], *b = in[2];
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        o[i] = c[i] != 0 ? a[i] : b[i];
}

/* No product is contracted into a sum (CMakeLists.txt). */
#define PAIR(NAME, EXPRESSION)                                                                     \
    static void NAME(int64_t n, void *out, const void *const *in)                                  \
    {                                                                                              \
        real *o = out;                                                                             \
        const real *a = in[0], *b = in[1], *c = in[2];                                             \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                        \
        {                                                                                          \
            const real x = a[i], y = b[i], z = c[i];                                               \
            o[i] = (EXPRESSION);                                                                   \
        }                                                                                          \
    }
#define PAIRS(FIRST, EXPRESSION)                                                                   \
    PAIR(k_##FIRST##_add, (EXPRESSION) + z)                                                        \
    PAIR(k_##FIRST##_sub, (EXPRESSION)-z)                                                          \
    PAIR(k_##FIRST##_mul, (EXPRESSION)*z)                                                          \
    PAIR(k_##FIRST##_from, z - (EXPRESSION))
PAIRS(add, x + y)
PAIRS(sub, x - y)
PAIRS(mul, x *y)

static void fill(int64_t n, void *out, double value)
{
    real *o = out, v = (real)value;
    for (int64_t i = 0; i < n; i++)
        o[i] = v;
}

static void add_to(int64_t n, void *out, const void *in)
{
    real *o = out;
    const real *x = in;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        o[i] += x[i];
}

/* Planes of r copies of a row, one row of b after the other; r = 1 copies rows. Usual sizes are
 * constants, so that a row is a few moves: a call would cost more. */
#define REPEATED_ROWS(B)                                                                           \
    case B:                                                                                        \
        for (int64_t i = 0; i < planes; i++, x += xp, o += op)                                     \
            for (int64_t j = 0; j < r; j++)                                                        \
                memcpy(o + j * orow, x, (B) * sizeof *o);                                          \
        return true;

static bool repeat_rows(int64_t planes, int64_t r, int64_t b, real *o, int64_t op, int64_t orow,
                        const real *x, int64_t xp)
{
    switch (b) {
        REPEATED_ROWS(4)
        REPEATED_ROWS(8)
        REPEATED_ROWS(16)
        REPEATED_ROWS(32)
        REPEATED_ROWS(64)
    default:
        return false;
    }
}

/* Rows of b, each one number over and over. */
#define FILLED_ROWS(B)                                                                             \
    case B:                                                                                        \
        for (int64_t i = 0; i < rows; i++, o += orow, x += xr) {                                   \
            const real v = *x;                                                                     \
            _Pragma("omp simd") for (int j = 0; j < (B); j++) o[j] = v;                            \
        }                                                                                          \
        return;

static void fill_rows(int64_t rows, int64_t b, real *o, int64_t orow, const real *x, int64_t xr)
{
    switch (b) {
        FILLED_ROWS(4)
        FILLED_ROWS(8)
        FILLED_ROWS(16)
        FILLED_ROWS(32)
    default:
        for (int64_t i = 0; i < rows; i++, o += orow, x += xr) {
            const real v = *x;
#pragma omp simd
            for (int64_t j = 0; j < b; j++)
                o[j] = v;
        }
    }
}

/* The two innermost axes; square tiles keep both sides of a transposition in cache. */
static void move_plane(int64_t rows, int64_t columns, real *o, int64_t orow, int64_t oc,
                       const real *x, int64_t xr, int64_t xc)
{
    enum { TILE = 16, SHORT = 64 };
    if (oc == 1 && xc == 1 && columns > SHORT) {
        for (int64_t i = 0; i < rows; i++)
            memcpy(o + i * orow, x + i * xr, (size_t)columns * sizeof *o);
        return;
    }
    if (oc == 1 && xc == 1 && repeat_rows(rows, 1, columns, o, orow, 0, x, xr))
        return;
    if (oc == 1 && xc == 1) { /* short runs: a call would cost more than the copy */
        for (int64_t i = 0; i < rows; i++, o += orow, x += xr)
#pragma omp simd
            for (int64_t j = 0; j < columns; j++)
                o[j] = x[j];
        return;
    }
    if (oc == 1 && xc == 0) {
        fill_rows(rows, columns, o, orow, x, xr);
        return;
    }
    if (oc == 1 && xr == 1) {
        turn(columns, rows, o, orow, x, xc);
        return;
    }
    for (int64_t i0 = 0; i0 < rows; i0 += TILE)
        for (int64_t j0 = 0; j0 < columns; j0 += TILE) {
            int64_t i1 = i0 + TILE < rows ? i0 + TILE : rows;
            int64_t j1 = j0 + TILE < columns ? j0 + TILE : columns;
            for (int64_t i = i0; i < i1; i++)
                for (int64_t j = j0; j < j1; j++)
                    o[i * orow + j * oc] = x[i * xr + j * xc];
        }
}

static void move(int rank, const int64_t *dim, void *out, const int64_t *out_stride, const void *in,
                 const int64_t *in_stride)
{
    real *o = out;
    const real *x = in;
    if (rank == 0) {
        *o = *x;
    } else if (rank == 1) {
        move_plane(1, dim[0], o, 0, out_stride[0], x, 0, in_stride[0]);
    } else if (rank == 2) {
        move_plane(dim[0], dim[1], o, out_stride[0], out_stride[1], x, in_stride[0], in_stride[1]);
    } else {
        const bool repeats =
            rank == 3 && in_stride[1] == 0 && in_stride[2] == 1 && out_stride[2] == 1;
        if (repeats &&
            repeat_rows(dim[0], dim[1], dim[2], o, out_stride[0], out_stride[1], x, in_stride[0]))
            return;
        for (int64_t i = 0; i < dim[0]; i++)
            move(rank - 1, dim + 1, o + i * out_stride[0], out_stride + 1, x + i * in_stride[0],
                 in_stride + 1);
    }
}

static void from_double(int64_t n, void *out, const double *in)
{
    real *o = out;
    for (int64_t i = 0; i < n; i++)
        o[i] = (real)in[i];
}

static void to_double(int64_t n, double *out, const void *in)
{
    const real *x = in;
    for (int64_t i = 0; i < n; i++)
        out[i] = (double)x[i];
}

static void iota(int64_t n, void *out)
{
    real *o = out;
    for (int64_t i = 0; i < n; i++)
        o[i] = (real)i;
}

static void cumsum(int64_t a, int64_t r, int64_t b, bool reverse, void *out, const void *in)
{
    for (int64_t i = 0; i < a; i++) {
        const int64_t start = i * r * b + (reverse ? (r - 1) * b : 0), step = reverse ? -b : b;
        real *o = (real *)out + start;
        const real *x = (const real *)in + start;
        memcpy(o, x, (size_t)b * sizeof *o);
        for (int64_t j = 1; j < r; j++, o += step) {
            x += step;
#pragma omp simd
            for (int64_t k = 0; k < b; k++)
                o[step + k] = o[k] + x[k];
        }
    }
}

/* Not a number and what is out of range become the nearest row there is. */
static int64_t row_of(real index, int64_t rows)
{
    if (!(index > 0))
        return 0;
    return index < (real)rows ? (int64_t)index : rows - 1;
}

static void gather(int64_t n, int64_t d, int64_t rows, void *out, const void *table,
                   const void *index)
{
    const real *at = index, *t = table;
    for (int64_t i = 0; i < n; i++)
        memcpy((real *)out + i * d, t + row_of(at[i], rows) * d, (size_t)d * sizeof *t);
}

static void scatter(int64_t n, int64_t d, int64_t rows, void *out, const void *in,
                    const void *index)
{
    const real *at = index;
    memset(out, 0, (size_t)(rows * d) * sizeof(real));
    for (int64_t i = 0; i < n; i++) {
        real *o = (real *)out + row_of(at[i], rows) * d;
        const real *x = (const real *)in + i * d;
#pragma omp simd
        for (int64_t k = 0; k < d; k++)
            o[k] += x[k];
    }
}

/* The columns x of the window's row that lie inside an image of width w: first..last. */
static inline void inside(int64_t start, int64_t kw, int64_t w, int64_t *first, int64_t *last)
{
    *first = start < 0 ? -start : 0;
    *last = start + kw > w ? w - start : kw;
}

static void windows(const struct ub_images *s, int64_t from, int64_t c, void *out, const void *in)
{
    real *o = out;
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t oy = 0; oy < s->out_h; oy++)
            for (int64_t ox = 0; ox < s->out_w; ox++)
                for (int64_t ky = 0; ky < s->kh; ky++, o += s->kw * c) {
                    const int64_t y = oy * s->stride + ky - s->pad, x = ox * s->stride - s->pad;
                    int64_t first, last;
                    inside(x, s->kw, s->w, &first, &last);
                    if (y < 0 || y >= s->h || first >= last) {
                        memset(o, 0, (size_t)(s->kw * c) * sizeof *o);
                        continue;
                    }
                    const real *row = (const real *)in + ((i * s->h + y) * s->w + x) * s->c + from;
                    memset(o, 0, (size_t)(first * c) * sizeof *o);
                    memset(o + last * c, 0, (size_t)((s->kw - last) * c) * sizeof *o);
                    if (c == s->c)
                        memcpy(o + first * c, row + first * c,
                               (size_t)((last - first) * c) * sizeof *o);
                    else
                        for (int64_t kx = first; kx < last; kx++)
                            memcpy(o + kx * c, row + kx * s->c, (size_t)c * sizeof *o);
                }
}

static void windows_add(const struct ub_images *s, int64_t from, int64_t c, void *out,
                        const void *in)
{
    const real *p = in;
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t oy = 0; oy < s->out_h; oy++)
            for (int64_t ox = 0; ox < s->out_w; ox++)
                for (int64_t ky = 0; ky < s->kh; ky++, p += s->kw * c) {
                    const int64_t y = oy * s->stride + ky - s->pad, x = ox * s->stride - s->pad;
                    int64_t first, last;
                    inside(x, s->kw, s->w, &first, &last);
                    if (y < 0 || y >= s->h)
                        continue;
                    for (int64_t kx = first; kx < last; kx++) {
                        real *o = (real *)out + ((i * s->h + y) * s->w + x + kx) * s->c + from;
#pragma omp simd
                        for (int64_t k = 0; k < c; k++)
                            o[k] += p[kx * c + k];
                    }
                }
}

static void gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda,
                 const void *b, int64_t ldb, bool accumulate, void *c, int64_t ldc)
{
    enum CBLAS_TRANSPOSE left = ta ? CblasTrans : CblasNoTrans;
    enum CBLAS_TRANSPOSE right = tb ? CblasTrans : CblasNoTrans;
    real beta = accumulate ? 1 : 0;
    for (int64_t i = 0; i < m; i++)
        ub_unseen_write((real *)c + i * ldc, (size_t)n * sizeof(real));
    ub_unseen_read(a, (size_t)(((ta ? k : m) - 1) * lda + (ta ? m : k)) * sizeof(real));
    ub_unseen_read(b, (size_t)(((tb ? n : k) - 1) * ldb + (tb ? k : n)) * sizeof(real));
#ifdef UB_REAL_IS_float
    cblas_sgemm(CblasRowMajor, left, right, (int)m, (int)n, (int)k, 1, a, (int)lda, b, (int)ldb,
                beta, c, (int)ldc);
#else
    cblas_dgemm(CblasRowMajor, left, right, (int)m, (int)n, (int)k, 1, a, (int)lda, b, (int)ldb,
                beta, c, (int)ldc);
#endif
}

#ifdef UB_REAL_IS_float
static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* A bfloat16 is the upper half of a float. */
static uint32_t to_upper(uint32_t bits)
{
    return (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
}

static bool split(int64_t n, const float *x, uint16_t *high, uint16_t *low)
{
    const uint32_t magnitude = 0x7fffffff, rounds_to_inf = 0x7f7f8000;
    uint32_t beyond = 0;
#pragma omp simd reduction(| : beyond)
    for (int64_t i = 0; i < n; i++) {
        const uint32_t bits = bits_of(x[i]), upper = to_upper(bits);
        float nearest;
        memcpy(&nearest, &upper, sizeof nearest);
        high[i] = (uint16_t)(upper >> 16);
        low[i] = (uint16_t)(to_upper(bits_of(x[i] - nearest)) >> 16);
        beyond |= (bits & magnitude) >= rounds_to_inf;
    }
    return !beyond;
}
#endif

const struct ub_kernels UB_BUILT(kernels) = {
    .isa = TEXT(UB_ISA),
    .real = sizeof(real),
    .pointwise =
        {[UB_OP_NEG] = k_neg,         [UB_OP_EXP] = k_exp,           [UB_OP_LOG] = k_log,
         [UB_OP_SQRT] = k_sqrt,       [UB_OP_RECIP] = k_recip,       [UB_OP_TANH] = k_tanh,
         [UB_OP_SIGMOID] = k_sigmoid, [UB_OP_SOFTPLUS] = k_softplus, [UB_OP_SIN] = k_sin,
         [UB_OP_COS] = k_cos,         [UB_OP_ERF] = k_erf,           [UB_OP_ABS] = k_abs,
         [UB_OP_SIGN] = k_sign,       [UB_OP_ADD] = k_add,           [UB_OP_SUB] = k_sub,
         [UB_OP_MUL] = k_mul,         [UB_OP_DIV] = k_div,           [UB_OP_MAX] = k_max,
         [UB_OP_GREATER] = k_greater, [UB_OP_EQUAL] = k_equal,       [UB_OP_SELECT] = k_select},
    .pair = {{k_add_add, k_add_sub, k_add_mul, k_add_from},
             {k_sub_add, k_sub_sub, k_sub_mul, k_sub_from},
             {k_mul_add, k_mul_sub, k_mul_mul, k_mul_from}},
    .fill = fill,
    .sum = UB_BUILT(sum),
    .sum_part = UB_BUILT(sum_part),
    .max = UB_BUILT(maximum),
    .add_to = add_to,
    .move = move,
    .from_double = from_double,
    .to_double = to_double,
    .sum_lanes = UB_BUILT(sum_lanes),
    .iota = iota,
    .cumsum = cumsum,
    .gather = gather,
    .scatter = scatter,
    .windows = windows,
    .windows_add = windows_add,
#ifdef UB_REAL_IS_float
    .split = split,
#endif
    .gemm = gemm,
    .convolve = UB_BUILT(convolve),
    .convolve_scratch = UB_BUILT(convolve_scratch),
    .multiply = UB_BUILT(multiply),
};
