/* kernels.h - the arithmetic that programs are made of. kernels.c, functions.c, multiply.c,
 * reduce.c, direct.c and direct_weight.c are compiled once for each real type and instruction set;
 * ub_kernels_pick chooses what this CPU runs best. */
#ifndef UB_KERNELS_H
#define UB_KERNELS_H

#include "systems/graph/internal.h"

/* out[i] = op(in[0][i], in[1][i], in[2][i]) for i < n. out may equal an input. */
typedef void ub_pointwise_kernel(int64_t n, void *out, const void *const *in);

/* Row-major C (m, n) = A B, or += when accumulate. A is (m, k), or (k, m) read transposed; B
 * likewise. */
typedef void ub_multiply_kernel(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *a,
                                int64_t lda, const void *b, int64_t ldb, bool accumulate, void *c,
                                int64_t ldc);

/* in (a, r, b) -> out (a, b): over r. */
typedef void ub_reduce_kernel(int64_t a, int64_t r, int64_t b, void *out, const void *in);

/* What elements start..start+n of an input (a, r, b), of which x is the first, add to its sums in
 * out; called for a whole input in order. */
typedef void ub_sum_part_kernel(int64_t start, int64_t n, int64_t r, int64_t b, void *out,
                                const void *x);

/* out[i] = sum of lanes[l * stride + i], in order of l, in double. */
typedef void ub_sum_lanes_kernel(int64_t n, double *out, const void *lanes, int64_t count,
                                 int64_t stride);

/* Of two operators in one pass, the first (add, sub, mul) and the second, which has the first's
 * result before or after its other operand. Both round, as when each is run alone. */
enum { UB_PAIR_FIRST = 3, UB_PAIR_SECOND = 4 };

/* A convolution of one group, or one of its two gradients: out, a and b in the order of the
 * operator. Works in as many elements as the other says, which is -1 for sizes that it does not
 * take. */
struct ub_images;
typedef void ub_convolve_kernel(enum ub_op op, const struct ub_images *s, void *out, const void *a,
                                const void *b, void *scratch);
typedef int64_t ub_convolve_scratch_kernel(enum ub_op op, const struct ub_images *s);

struct ub_kernels {
    const char *isa; /* "x86-64-v4" */
    size_t real;     /* bytes of a number */
    ub_pointwise_kernel *pointwise[UB_OPS];
    /* out = (in[0] first in[1]) second in[2]; the last of the seconds is in[2] - (...). */
    ub_pointwise_kernel *pair[UB_PAIR_FIRST][UB_PAIR_SECOND];
    void (*fill)(int64_t n, void *out, double value);
    ub_reduce_kernel *sum, *max; /* reduce.c */
    ub_sum_part_kernel *sum_part;
    void (*add_to)(int64_t n, void *out, const void *in); /* out += in */
    /* Strided copy of a block of the given rank (innermost last); strides in elements. */
    void (*move)(int rank, const int64_t *dim, void *out, const int64_t *out_stride, const void *in,
                 const int64_t *in_stride);
    void (*from_double)(int64_t n, void *out, const double *in);
    void (*to_double)(int64_t n, double *out, const void *in);
    ub_sum_lanes_kernel *sum_lanes;
    /* 0, 1, ..., n - 1 */
    void (*iota)(int64_t n, void *out);
    /* (a, r, b): running sums over r. */
    void (*cumsum)(int64_t a, int64_t r, int64_t b, bool reverse, void *out, const void *in);
    /* out[i] = table[index[i]], rows of d; and out[index[i]] += in[i] over `rows` zeroed rows. */
    void (*gather)(int64_t n, int64_t d, int64_t rows, void *out, const void *table,
                   const void *index);
    void (*scatter)(int64_t n, int64_t d, int64_t rows, void *out, const void *in,
                    const void *index);
    /* Patches of the channels from..from+c of images (n, h, w, s->c), to and from rows of
     * (kh, kw, c); the second adds and expects zeros to add to. */
    void (*windows)(const struct ub_images *s, int64_t from, int64_t c, void *out, const void *in);
    void (*windows_add)(const struct ub_images *s, int64_t from, int64_t c, void *out,
                        const void *in);
    /* Float alone: the bfloat16 nearest to each x (ties to even), and to what is left of it
     * (split.c); false when one is inf, NaN or rounds to inf. */
    bool (*split)(int64_t n, const float *x, uint16_t *high, uint16_t *low);
    ub_convolve_kernel *convolve; /* by ourselves: direct.c */
    ub_convolve_scratch_kernel *convolve_scratch;
    ub_multiply_kernel *gemm;     /* by OpenBLAS */
    ub_multiply_kernel *multiply; /* by ourselves: multiply.c */
};

/* One convolution, or one windowing, of n images. */
struct ub_images {
    int64_t n, h, w, c;      /* images */
    int64_t out_h, out_w, o; /* what comes out; o: channels, convolutions only */
    int64_t kh, kw, stride, pad, groups;
};

const struct ub_kernels *ub_kernels_pick(bool single);

/* The kernel of two operators in one pass, the first's result being the second's operand `at`; NULL
 * where there is none. */
ub_pointwise_kernel *ub_pair_kernel(const struct ub_kernels *k, enum ub_op first, enum ub_op second,
                                    int at);

/* The instruction set level in use: for provenance. */
const char *ub_kernel_isa(void);

#endif
