/* functions.c - exp in single precision and what is made of it, compiled as kernels.c is. Rational
 * and polynomial approximations are minimax ones; errors in units of the last place, found by a
 * sweep: exp 1.1, tanh 2.3, erf 3.7, sigmoid 2.7 and softplus 3.7. All take any number: there are
 * no slow paths. In double precision libmvec does it (kernels.c). */
#include "systems/graph/built.h"
#include "systems/graph/vectors.h"

#include <string.h>

#ifdef UB_REAL_IS_float

typedef int32_t integers __attribute__((vector_size(BYTES)));

static inline vector all(float x)
{
    return x - (vector){0};
}

/* The least and greatest of two numbers, y where one of them is not a number; a x + b, rounded once
 * where there is an instruction for it; whether a number's size is beyond a limit, or it is none.
 */
#if defined __AVX512F__
static inline vector least(vector x, vector y)
{
    return (vector)_mm512_min_ps((__m512)x, (__m512)y);
}

static inline vector greatest(vector x, vector y)
{
    return (vector)_mm512_max_ps((__m512)x, (__m512)y);
}

static inline vector fused(vector a, vector x, vector b)
{
    return (vector)_mm512_fmadd_ps((__m512)a, (__m512)x, (__m512)b);
}

static inline bool any_beyond(vector x, float limit)
{
    return _mm512_cmp_ps_mask(_mm512_abs_ps((__m512)x), _mm512_set1_ps(limit), _CMP_NLE_UQ) != 0;
}
#elif defined __AVX2__ && defined __FMA__
static inline vector least(vector x, vector y)
{
    return (vector)_mm256_min_ps((__m256)x, (__m256)y);
}

static inline vector greatest(vector x, vector y)
{
    return (vector)_mm256_max_ps((__m256)x, (__m256)y);
}

static inline vector fused(vector a, vector x, vector b)
{
    return (vector)_mm256_fmadd_ps((__m256)a, (__m256)x, (__m256)b);
}

static inline bool any_beyond(vector x, float limit)
{
    const __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), (__m256)x);
    return _mm256_movemask_ps(_mm256_cmp_ps(size, _mm256_set1_ps(limit), _CMP_NLE_UQ)) != 0;
}
#else
static inline vector choose(integers first, vector x, vector y)
{
    return (vector)((first & (integers)x) | (~first & (integers)y));
}

static inline vector least(vector x, vector y)
{
    return choose((integers)(x < y), x, y);
}

static inline vector greatest(vector x, vector y)
{
    return choose((integers)(x > y), x, y);
}

static inline vector fused(vector a, vector x, vector b)
{
    return a * x + b;
}

static inline bool any_beyond(vector x, float limit)
{
    const integers within = (integers)(x <= all(limit)) & (integers)(x >= all(-limit));
    int32_t every = -1;
    for (int l = 0; l < LANES; l++)
        every &= within[l];
    return !every;
}
#endif

static inline vector size_of(vector x)
{
    return (vector)((integers)x & INT32_MAX);
}

static inline vector with_sign(vector size, vector x)
{
    return (vector)((integers)size | ((integers)x & INT32_MIN));
}

/* Adding it leaves a number's nearest integer in the last bits. */
#define ROUNDING   12582912.0F
#define PER_DOUBLE 1.44269504F /* 1 / log 2 */
enum { MANTISSA = 23, ONE = 0x3f800000, ROUNDING_BITS = 0x4b400000, BIAS = 127 };

/* e^r - 1 for r in -0.35..0.35. */
static inline vector rise(vector r)
{
    const vector r2 = r * r;
    const vector low = fused(all(0.166665487F), r, all(0.5F));
    vector high = fused(all(0.00836604007F), r, all(0.0416668561F));
    high = fused(all(0.00138980686F), r2, high);
    return fused(fused(high, r2, low), r2, r);
}

static inline vector exponential(vector x)
{
    const float plain = 87; /* neither the result nor a factor of it is below or above all normal
                               numbers */
    const bool odd = any_beyond(x, plain);
    if (odd)
        x = least(all(89), greatest(all(-104), x));
    const vector z = fused(x, all(PER_DOUBLE), all(ROUNDING)), n = z - ROUNDING;
    const vector r = fused(n, all(2.12194440e-4F), fused(n, all(-0.693359375F), x));
    const vector y = rise(r) + 1;
    if (!odd)
        return (vector)((integers)y + ((integers)z << MANTISSA));
    const integers i = (integers)z - ROUNDING_BITS, half = i >> 1;
    return y * (vector)((half + BIAS) << MANTISSA) * (vector)((i - half + BIAS) << MANTISSA);
}

/* e^x - 1 for x in -20..20, for what hangs on it by less than its size where that is large: log 2
 * is rounded. */
static inline vector excess(vector x)
{
    const vector z = fused(x, all(PER_DOUBLE), all(ROUNDING)), n = z - ROUNDING;
    const vector r = fused(n, all(-0.693147181F), x);
    const vector power = (vector)(((integers)z << MANTISSA) + ONE);
    return fused(power, rise(r), power - 1);
}

static inline vector tangent(vector x)
{
    const vector size = least(all(9.02F), size_of(x)), e = excess(size + size);
    return with_sign(e / (e + 2), x);
}

/* erf x = 1 - e^(-x s(x)) for x > 0. */
static inline vector error_function(vector x)
{
    const vector a = least(all(3.95F), size_of(x)), a2 = a * a, a4 = a2 * a2;
    const vector c0 = fused(all(0.636619395F), a, all(1.12837917F));
    const vector c2 = fused(all(-0.0191527237F), a, all(0.102777728F));
    const vector c4 = fused(all(0.00166756963F), a, all(-0.000160974906F));
    const vector c6 = fused(all(0.00011771649F), a, all(-0.000633117906F));
    const vector high = fused(all(-9.26434024e-06F), a4, fused(c6, a2, c4));
    const vector s = fused(high, a4, fused(c2, a2, c0));
    return with_sign(size_of(excess(-(a * s))), x);
}

static inline vector logistic(vector x)
{
    return 1 / (1 + exponential(-x));
}

/* log(1 + u) for u in 0..1. */
static inline vector log_above(vector u)
{
    vector p = fused(all(0.0034172871F), u, all(0.238157696F));
    p = fused(fused(p, u, all(1.06621876F)), u, all(1));
    vector q = fused(all(0.0752873508F), u, all(0.687936604F));
    q = fused(fused(q, u, all(1.56621863F)), u, all(1));
    return u * p / q;
}

static inline vector soft_plus(vector x)
{
    const vector below = (vector)((integers)x | INT32_MIN);
    return greatest((vector){0}, x) + log_above(exponential(below));
}

/* A rest in a vector of its own: as the others are. */
#define FUNCTION(NAME, OF)                                                                         \
    void UB_BUILT(NAME)(int64_t n, void *out, const void *const *in)                               \
    {                                                                                              \
        float *o = out, some[LANES] = {0};                                                         \
        const float *a = in[0];                                                                    \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= n; i += LANES)                                                         \
            store(o + i, OF(load(a + i)));                                                         \
        if (i == n)                                                                                \
            return;                                                                                \
        memcpy(some, a + i, (size_t)(n - i) * sizeof *some);                                       \
        store(some, OF(load(some)));                                                               \
        memcpy(o + i, some, (size_t)(n - i) * sizeof *some);                                       \
    }
FUNCTION(exp, exponential)
FUNCTION(tanh, tangent)
FUNCTION(erf, error_function)
FUNCTION(sigmoid, logistic)
FUNCTION(softplus, soft_plus)

#endif
