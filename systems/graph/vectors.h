/* vectors.h - vectors of the widest instructions there are, for the sources that are compiled once
 * for each real type and instruction set, and loops over tiles of them. */
#ifndef UB_VECTORS_H
#define UB_VECTORS_H

#include <stdint.h>

#if defined __AVX__
#include <immintrin.h>
#endif

#if defined __AVX512F__
enum { BYTES = 64 };
#elif defined __AVX__
enum { BYTES = 32 };
#else
enum { BYTES = 16 };
#endif
enum { LANES = BYTES / (int)sizeof(UB_REAL) };

/* Loops over a tile: its sums must be registers. Not so where sanitizers check each access: a
 * compiler then takes minutes for a file of them. */
#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined SANITIZED || defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define UNROLLED
#define FOLDED
#elif defined __clang__
#define UNROLLED _Pragma("unroll")
#define FOLDED   __attribute__((always_inline))
#else
#define UNROLLED _Pragma("GCC unroll 32")
#define FOLDED   __attribute__((always_inline))
#endif

typedef UB_REAL vector __attribute__((vector_size(BYTES)));
typedef UB_REAL loose __attribute__((vector_size(BYTES), aligned(sizeof(UB_REAL)), may_alias));

static inline vector load(const UB_REAL *x)
{
    return *(const loose *)x;
}

static inline void store(UB_REAL *x, vector v)
{
    *(loose *)x = v;
}

#endif
