/* choose.c - by whom a product is multiplied: ourselves, oneDNN or OpenBLAS. The rule is fixed, so
 * that equal programs give equal bits wherever the same instruction sets are. Measured on Xeons
 * with AVX-512 (ci/peers times the shapes that matter beside both libraries each time):
 *
 *   C = A B, sizes (m, n, k)    OpenBLAS 0.3.21   oneDNN 2.6   ours      GFLOP/s of one thread
 *   (225, 10, 64)                  68                72          91
 *   (16, 32, 128)                 112               115         162
 *   (512, 32, 128)                104               161         165
 *   (225, 64, 64)                 166               145         159
 *   A'B (32, 128, 512)            101               165         163
 *   A'B (10, 64, 225)             135               107         163
 *   A B' (16, 16, 8)               22                 9          35
 *   A B' (128, 128, 32)            98               133         128
 *   (128, 128, 512)               121               167         159
 *   (1024, 512, 128)               93               120          95
 *   (256, 1, 32)                   29                19           8
 *   A'B (32, 4, 512)              117                28          34
 *
 * and on a Zen 3, with AVX2 alone:
 *
 *   (125, 1, 100)                   6                24           4
 *   (1, 2048, 10)                   5                22           8
 *   (2, 10, 2048)                   7                18          25
 *   A'B (32, 4, 128)               13                14          24
 *   (225, 10, 64)                  27                34          37
 *   (16, 32, 128)                  39                50          69
 *   (64, 512, 128)                 71                62          81
 *   (256, 128, 32)                 46                68          62
 *   (1008, 64, 32)                 45                76          68
 *   (2048, 128, 128)               72                89          80
 *   (313, 200, 3072)               54                65          40
 *   A B' (250, 200, 3072)          42                58          56
 *   A'B (128, 128, 128)            75                81          84
 *   A'B (200, 200, 313)            71                70          61
 *   A'B (512, 128, 256)            79                61          70
 *   A'B (512, 128, 1024)           66                41          36
 *   A'B (200, 3072, 313)           50                26          30 */
#include "systems/graph/program.h"
#include "systems/graph/unseen.h"

#include <dnnl.h>
#include <omp.h>
#include <string.h>

/* Multiplications from which on packing both sides pays (OpenBLAS does from a million); columns and
 * rows below which most of a tile would be empty, or a transposed B turned for too little. */
static const int64_t most = (int64_t)1 << 22;
enum { LEAST_COLUMNS = 8, LEAST_ROWS = 4, LEAST_ROWS_OF_TURNED = 8 };

/* In float, by oneDNN on this thread alone: chunks are ours to share. */
static void multiply_dnnl(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *a,
                          int64_t lda, const void *b, int64_t ldb, bool accumulate, void *c,
                          int64_t ldc)
{
    for (int64_t i = 0; i < m; i++)
        ub_unseen_write((float *)c + i * ldc, (size_t)n * sizeof(float));
    ub_unseen_read(a, (size_t)(((ta ? k : m) - 1) * lda + (ta ? m : k)) * sizeof(float));
    ub_unseen_read(b, (size_t)(((tb ? n : k) - 1) * ldb + (tb ? k : n)) * sizeof(float));
    const int threads = omp_get_max_threads();
    if (threads > 1)
        omp_set_num_threads(1);
    const dnnl_status_t status = dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, a, lda, b,
                                            ldb, accumulate ? 1 : 0, c, ldc);
    if (threads > 1)
        omp_set_num_threads(threads);
    if (status != dnnl_success)
        UB_ABORT("oneDNN's product of (%lld, %lld, %lld) failed with status %d", (long long)m,
                 (long long)n, (long long)k, (int)status);
}

static ub_multiply_kernel *choose(const struct ub_kernels *k, const struct ub_gemm *g)
{
    const bool single = k->real == sizeof(float);
    if (g->m * g->n * g->k > most)
        return single ? multiply_dnnl : k->gemm;
    const bool full = g->n >= LEAST_COLUMNS && g->m >= (g->tb ? LEAST_ROWS_OF_TURNED : LEAST_ROWS);
    return full ? k->multiply : k->gemm;
}

/* In float with AVX2 alone. oneDNN is slow at a transposed left side there; below `most` it packs
 * long products of many rows a little faster than ours does without, but vit, which is made of
 * them, ran slower by it. */
static ub_multiply_kernel *choose_avx2(const struct ub_kernels *k, const struct ub_gemm *g)
{
    if (g->m == 1 || g->n == 1)
        return multiply_dnnl;
    if (g->m * g->n * g->k > most)
        return g->ta ? k->gemm : multiply_dnnl;
    return g->tb && g->m < LEAST_ROWS_OF_TURNED ? k->gemm : k->multiply;
}

static bool is_avx2(const struct ub_kernels *k)
{
    return strcmp(k->isa, "v3") == 0;
}

ub_multiply_kernel *ub_choose_multiply(const struct ub_kernels *k, const struct ub_gemm *g)
{
    return k->real == sizeof(float) && is_avx2(k) ? choose_avx2(k, g) : choose(k, g);
}

/* With AVX-512: ours where oneDNN leaves half of each vector empty, or has little to do for what a
 * call costs; one thread's us at 50 images:
 *
 *   8x8 pixels, 8 to 8 channels      oneDNN 2.6   ours
 *   3x3                                  39         22
 *   its image's gradient                 37         22
 *   its weights' gradient                38         22
 *   8 to 16, step of 2, image's          27         13
 *   4x4 pixels, 16 to 16                 24         15
 *   its weights' gradient                15         22
 *   8x8 pixels, 16 to 16 (20 images)     30         29 */
static bool pays_with_avx512(enum ub_op op, const struct ub_images *s)
{
    enum { HALF = 8, WHOLE = 16, NARROW = 4 };
    const int64_t channels = op == UB_OP_CONV_INPUT ? s->c : s->o;
    return channels == HALF || (channels == WHOLE && op != UB_OP_CONV_WEIGHT && s->out_w <= NARROW);
}

/* With AVX2: ours where channels are one vector or pairs of them, unless windows are large or one
 * pixel, or many channels are made of one. One thread's us on a Zen 3:
 *
 *   window 3x3 where none is named              forward      image's      weights'
 *                                             dnnl   ours  dnnl   ours  dnnl   ours
 *   62 images of 8x8, 1 to 16 channels          50     25                 27     20
 *   62 of 4x4, 16 to 16                         90     36    62     44   100     70
 *   20 of 8x8, 16 to 16                        125     68    67     57    84     61
 *   50 of 8x8, 8 to 16, step of 2               60     25    40     34    33     22
 *   8 of 28x28, 1 to 32                         77    109                 96     69
 *   4 of 32x32, 3 to 16                         54     48                 48     42
 *   4 of 32x32, 16 to 16                       276    215   228    220   279    216
 *   4 of 32x32, 16 to 32, step of 2            117    116   120    111   137    114
 *   4 of 16x16, 32 to 32                       217    198   204    195   265    202
 *   4 of 16x16, 32 to 64, step of 2            126    104   124    108   155    115
 *   4 of 8x8, 64 to 64                         238    198   201    199   288    211
 *   1 of 64x64, 64 to 64                      5717   3556  5262   4708 10607   4767
 *   8 of 4x4, 128 to 128                       710    454   582    546   981    594
 *   4 of 16x16, 32 to 24                       218    252   191    266   254    240
 *   4 of 14x14, 16 to 32, 5x5                  228    318   258    321   324    268
 *   50 of 8x8, 8 to 16, 1x1, step of 2         6.5    4.5   8.2     11    10    5.1
 *   4 of 32x32, 16 to 32, 1x1, step of 2        15     15    17     23    17     20
 *   2 of 28x28, 64 to 64, 1x1                  145    153   143    152   163    178 */
static bool pays_with_avx2(enum ub_op op, const struct ub_images *s)
{
    enum { HALF = 8, WHOLE = 16, MOST = 128, FEW = 128, WINDOW = 9 };
    const int64_t channels = op == UB_OP_CONV_INPUT ? s->c : s->o, window = s->kh * s->kw;
    if (window == 1)
        return op != UB_OP_CONV_INPUT && s->c * s->o <= FEW;
    if (channels == HALF || channels % WHOLE != 0 || channels > MOST)
        return channels == HALF;
    return op == UB_OP_CONV_WEIGHT || (window <= WINDOW && (s->c > 1 || s->o == WHOLE));
}

bool ub_choose_direct(const struct ub_kernels *k, enum ub_op op, const struct ub_images *s)
{
    if (k->real != sizeof(float) || k->convolve_scratch(op, s) < 0)
        return false;
    return (strcmp(k->isa, "v4") == 0 && pays_with_avx512(op, s)) ||
           (is_avx2(k) && pays_with_avx2(op, s));
}

void ub_product_rule(struct ub_text *text)
{
    const dnnl_version_t *v = dnnl_version();
    ub_text_add(text, "oneDNN %d.%d.%d above %lld multiplications in f32", v->major, v->minor,
                v->patch, (long long)most);
    if (is_avx2(ub_kernels_pick(true)))
        ub_text_add(text,
                    " (OpenBLAS if the left side is transposed) and of one row or column, "
                    "else OpenBLAS there and below %d rows of a transposed right side",
                    LEAST_ROWS_OF_TURNED);
    else
        ub_text_add(text, ", else OpenBLAS there and below %d columns or %d rows", LEAST_COLUMNS,
                    LEAST_ROWS);
    ub_text_add(text,
                ", else unibench; convolutions in f32: oneDNN, unibench to 8 channels, 16 of small "
                "images, or with AVX2 alone 16, 32, ... to 128");
}
