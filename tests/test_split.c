/* Products split in bfloat16: the parts of a number, the bound of systems/graph/split.c entry by
 * entry on numbers that cancel, vanish or span the range, what comes of inf and NaN; gradients and
 * products with the Hessian beside f64, with the same bits for any number of threads. What needs
 * AVX512-BF16 or AMX is skipped where the CPU has neither. */
#include "support.h"
#include "tiny.h"

#include "systems/graph/program.h"

#include <float.h>

/* ---- parts of a number ---- */

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float from_upper(uint16_t upper)
{
    return float_of((uint32_t)upper << 16);
}

/* The halves of every number that is not too small for its low half to be normal: the nearest, ties
 * to even, and what is left is at most 2^-17 of it. */
static void check_parts(const struct ub_kernels *kernels, float x)
{
    uint16_t high, low;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    assert_true(kernels->split(1, &x, &high, &low));
    const double h = (double)from_upper(high), l = (double)from_upper(low), whole = (double)x;
    const uint32_t tail = bits & 0xffff, up = tail > 0x8000 || (tail == 0x8000 && bits >> 16 & 1);
    if (high != (uint16_t)((bits >> 16) + up))
        fail_msg("%a: its high part is %a", whole, h);
    if (fabs(whole) >= ldexp(1, -110) && !(fabs(whole - h - l) <= ldexp(fabs(whole), -17)))
        fail_msg("%a: its parts are %a and %a", whole, h, l);
    if (!(fabs(l) <= ldexp(fabs(whole), -8)) || !(fabs(whole - h - l) <= fabs(whole)))
        fail_msg("%a: its low part is %a", whole, l);
}

static void parts_of_numbers(void **state)
{
    enum { RANDOM = 1 << 20, TAILS = 1 << 16 };
    const struct ub_kernels *kernels = ub_kernels_pick(true);
    struct ub_random r = ub_random_stream(1, "parts");
    (void)state;
    for (uint32_t tail = 0; tail < TAILS; tail++) { /* every tail, after an odd and an even head */
        check_parts(kernels, float_of(0x3f800000 + tail));
        check_parts(kernels, float_of(0xc0ff0000 + tail));
        check_parts(kernels, float_of(tail));
    }
    for (int i = 0; i < RANDOM; i++) {
        const uint32_t bits = (uint32_t)ub_random_below(&r, (int64_t)1 << 32);
        if ((bits & 0x7fffffff) < 0x7f7f8000)
            check_parts(kernels, float_of(bits));
    }
}

static void numbers_that_have_no_parts(void **state)
{
    enum { N = 37 };
    const float largest = float_of(0x7f7f7fff),
                bad[] = {INFINITY, -INFINITY, NAN, FLT_MAX, float_of(0x7f7f8000)};
    uint16_t high[N], low[N];
    float x[N] = {0};
    (void)state;
    for (size_t level = 0; level < 3; level++) {
        const char levels[][3] = {"v2", "v3", "v4"};
        setenv("UNIBENCH_KERNELS", levels[level], 1);
        const struct ub_kernels *kernels = ub_kernels_pick(true);
        for (int at = 0; at < N; at++) {
            for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                x[at] = bad[i];
                assert_false(kernels->split(N, x, high, low));
            }
            x[at] = -largest;
            assert_true(kernels->split(N, x, high, low));
        }
    }
    unsetenv("UNIBENCH_KERNELS");
}

/* ---- products ---- */

static bool is_missing(void)
{
    struct ub_error err = {0};
    if (ub_split_available(&err))
        return false;
    print_message("%s\n", err.text);
    return true;
}

enum fill { NORMAL, WIDE, CANCELING, SPARSE, TINY, WHOLE, FILLS };
static const char *const fill_names[] = {"normal", "of all sizes", "canceling",
                                         "sparse", "denormal",     "whole"};

/* Number i of a row along which a product adds up. */
static float number(struct ub_random *r, enum fill fill, bool left, int64_t p, float before)
{
    const double x = ub_random_normal(r);
    switch (fill) {
    case WIDE:
        return (float)ldexp(x, (int)ub_random_below(r, 100) - 50);
    case CANCELING: /* pairs: the sum is what rounding leaves */
        return p % 2 == 0 ? (float)x : left ? -before : before;
    case SPARSE:
        return ub_random_below(r, 4) == 0 ? (float)x : 0;
    case TINY:
        return (float)ldexp(x, left ? -130 : 10);
    case WHOLE: /* exact in bfloat16, as their sums are in float */
        return (float)(ub_random_below(r, 255) - 127);
    default:
        return (float)x;
    }
}

struct matrices {
    struct ub_gemm g;
    float *a, *b, *c;
    double largest_a, largest_b;
};

static float *filled(int64_t lines, int64_t k, bool by_lines, enum fill fill, bool left,
                     double *largest)
{
    struct ub_random r = ub_random_stream(7, left ? "left" : "right");
    float *x = ub_calloc((size_t)(lines * k), sizeof *x), before = 0;
    *largest = 0;
    for (int64_t i = 0; i < lines; i++)
        for (int64_t p = 0; p < k; p++) {
            before = number(&r, fill, left, p, before);
            x[by_lines ? i * k + p : p * lines + i] = before;
            *largest = fmax(*largest, fabs((double)before));
        }
    return x;
}

static struct matrices matrices_new(bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                                    enum fill fill)
{
    struct matrices t = {.g = {.ta = ta, .tb = tb, .m = m, .n = n, .k = k, .batch = 1}};
    t.g.multiply = ub_choose_multiply(ub_kernels_pick(true), &t.g);
    t.a = filled(m, k, !ta, fill, true, &t.largest_a);
    t.b = filled(n, k, tb, fill, false, &t.largest_b);
    t.c = ub_calloc((size_t)(m * n), sizeof *t.c);
    for (int64_t i = 0; i < m * n; i++)
        t.c[i] = (float)(i % 5);
    return t;
}

static void matrices_free(struct matrices *t)
{
    ub_free(t->a);
    ub_free(t->b);
    ub_free(t->c);
}

static void run(struct matrices *t, bool accumulate)
{
    struct ub_split_product *s = ub_split_product_new(&t->g, 1);
    assert_non_null(s);
    float *scratch = ub_calloc((size_t)ub_split_product_scratch(s), sizeof *scratch);
    ub_split_product_run(s, ub_kernels_pick(true), 0, accumulate, t->a, t->b, t->c, scratch);
    ub_free(scratch);
    ub_split_product_free(s);
}

/* The largest error as a share of |A| |B|. */
static double check(struct matrices *t, enum fill fill, bool accumulate)
{
    const struct ub_gemm *g = &t->g;
    const double share = ldexp(1, -15) + 3.1 * (double)g->k * ldexp(1, -24);
    const double lost = 3 * (double)g->k * ldexp(1 + t->largest_a + t->largest_b, -126);
    double worst = 0;
    run(t, accumulate);
    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->n; j++) {
            double sum = 0, size = 0;
            const double before = accumulate ? (double)((i * g->n + j) % 5) : 0;
            for (int64_t p = 0; p < g->k; p++) {
                const double x = (double)t->a[g->ta ? p * g->m + i : i * g->k + p];
                const double y = (double)t->b[g->tb ? j * g->k + p : p * g->n + j];
                sum += x * y;
                size += fabs(x * y);
            }
            const double off = fabs((double)t->c[i * g->n + j] - before - sum);
            const double rounding = accumulate ? ldexp(before + fabs(sum), -23) : 0;
            const double bound = fill == WHOLE ? 0 : share * size + lost + rounding;
            if (!(off <= bound))
                fail_msg("%s %c%c (%d, %d, %d)%s: C(%d, %d) is %g, off by %g, bound %g",
                         fill_names[fill], g->ta ? 't' : 'n', g->tb ? 't' : 'n', (int)g->m,
                         (int)g->n, (int)g->k, accumulate ? " added" : "", (int)i, (int)j,
                         (double)t->c[i * g->n + j], off, bound);
            worst = size > 0 ? fmax(worst, off / size) : worst;
        }
    return worst;
}

/* Transposed or not, added up or not; sizes that no tile divides. */
static void products_are_within_their_bound(void **state)
{
    static const int64_t sizes[][3] = {
        {129, 131, 257}, {203, 101, 211}, {130, 130, 1031}, {1024, 70, 70}};
    (void)state;
    if (is_missing())
        skip();
    for (int fill = 0; fill < FILLS; fill++) {
        double worst = 0;
        for (int kind = 0; kind < 16; kind++) {
            const int64_t *s = sizes[kind % 4];
            struct matrices t = matrices_new(kind & 4, kind & 8, s[0], s[1], s[2], (enum fill)fill);
            worst = fmax(worst, check(&t, (enum fill)fill, kind / 4 % 2 == kind % 2));
            matrices_free(&t);
        }
        print_message("%s: off by at most %.2g of |A| |B|\n", fill_names[fill], worst);
    }
}

/* inf, NaN and what is as large as them come out as they do in float: in their rows and columns,
 * and nowhere else. */
static void what_has_no_parts_is_multiplied_in_float(void **state)
{
    enum { M = 384, N = 131, K = 300, ROW = 200, COLUMN = 7 };
    static const float bad[] = {INFINITY, NAN, FLT_MAX};
    (void)state;
    if (is_missing())
        skip();
    for (int kind = 0; kind < 12; kind++) {
        const bool left = kind & 1, accumulate = kind & 2;
        struct matrices t = matrices_new(kind & 4, kind & 8, M, N, K, NORMAL);
        const int64_t p = kind % 3 == 0 ? 0 : K - 1;
        float *expected = ub_calloc((size_t)M * N, sizeof *expected);
        memcpy(expected, t.c, (size_t)M * N * sizeof *expected);
        if (left)
            t.a[t.g.ta ? p * M + ROW : ROW * K + p] = bad[kind % 3];
        else
            t.b[t.g.tb ? COLUMN * K + p : p * N + COLUMN] = bad[kind % 3];
        t.g.multiply(t.g.ta, t.g.tb, M, N, K, t.a, t.g.ta ? M : K, t.b, t.g.tb ? K : N, accumulate,
                     expected, N);
        run(&t, accumulate);
        for (int64_t i = 0; i < (int64_t)M * N; i++) {
            const double x = (double)t.c[i], y = (double)expected[i];
            const bool same = isfinite(y) ? fabs(x - y) <= 1e-3 + 1e-6 * fabs(y)
                              : isnan(y)  ? isnan(x)
                                          : x == y;
            if (!same)
                fail_msg("kind %d: C(%d, %d) is %g, expected %g", kind, (int)(i / N), (int)(i % N),
                         x, y);
        }
        ub_free(expected);
        matrices_free(&t);
    }
}

static void small_and_thin_products_stay_in_float(void **state)
{
    static const int64_t sizes[][3] = {{128, 128, 256}, {100000, 60, 1000}, {1, 4096, 4096}};
    (void)state;
    if (is_missing())
        skip();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_null(ub_split_product_new(
            &(struct ub_gemm){.m = sizes[i][0], .n = sizes[i][1], .k = sizes[i][2]}, 1));
}

/* ---- problems ---- */

enum { SAMPLES = 700, FEATURES = 200, BLOCK = 8 };

static struct ub_problem *problem_of(const struct ub_dataset *data, enum ub_precision precision,
                                     int threads)
{
    struct ub_error err = {0};
    struct ub_problem *p = ub_problem_new(&(struct ub_problem_spec){.model = "mlp:widths=256x256",
                                                                    .loss = "mse",
                                                                    .data = data,
                                                                    .precision = precision,
                                                                    .threads = threads},
                                          &err);
    if (!p)
        fail_msg("%s", err.text);
    return p;
}

/* Gradient, a product with the Hessian, a block of them. */
static void everything(struct ub_problem *p, const double *theta, const double *V, double *out)
{
    const int64_t n = ub_problem_size(p);
    ub_problem_gradient(p, theta, out);
    ub_problem_linearize(p, theta);
    ub_problem_hvp(p, 1, V, out + n);
    ub_problem_hvp(p, BLOCK, V, out + 2 * n);
}

static int split_parts(struct ub_problem *p)
{
    const struct ub_program *program = ub_problem_gradient_program(p);
    int count = 0;
    for (int i = 0; i < ub_program_parts(program); i++)
        count += ub_program_part(program, i).split;
    return count;
}

static void derivatives_are_those_of_f64_for_any_threads(void **state)
{
    (void)state;
    if (is_missing())
        skip();
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, SAMPLES, 0, FEATURES, 10);
    struct ub_problem *oracle = problem_of(data, UB_F64, 1);
    const int64_t n = ub_problem_size(oracle), count = n * (2 + BLOCK);
    double *theta = ub_calloc((size_t)n, sizeof *theta), *V = tiny_normals(BLOCK * n, "V");
    double *expected = ub_calloc((size_t)count, sizeof *expected);
    double *one = ub_calloc((size_t)count, sizeof *one),
           *got = ub_calloc((size_t)count, sizeof *got);
    ub_problem_init(oracle, 1, theta);
    everything(oracle, theta, V, expected);
    for (int threads = 1; threads <= 4; threads++) {
        struct ub_problem *p = problem_of(data, UB_BF16X3, threads);
        everything(p, theta, V, threads == 1 ? one : got);
        assert_true(split_parts(p) >= 3);
        if (threads > 1)
            assert_memory_equal(one, got, (size_t)count * sizeof *one);
        ub_problem_free(p);
    }
    for (int64_t i = 0; i < 2 + BLOCK; i++)
        assert_true(tiny_error(n, one + i * n, expected + i * n) < 2e-5);
    double *const all[] = {theta, V, expected, one, got};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ub_free(all[i]);
    ub_problem_free(oracle);
    tiny_free(data);
}

/* Held to older instructions, a CPU has none of these. */
static void without_instructions_there_is_an_error(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 10, 0, 4, 2);
    struct ub_error err = {0};
    setenv("UNIBENCH_KERNELS", "v3", 1);
    assert_null(ub_problem_new(
        &(struct ub_problem_spec){
            .model = "linear", .loss = "mse", .data = data, .precision = UB_BF16X3},
        &err));
    unsetenv("UNIBENCH_KERNELS");
    assert_int_equal(err.code, UB_INPUT);
    assert_non_null(strstr(err.text, "AVX512-BF16"));
    tiny_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_numbers),
        cmocka_unit_test(numbers_that_have_no_parts),
        cmocka_unit_test(products_are_within_their_bound),
        cmocka_unit_test(what_has_no_parts_is_multiplied_in_float),
        cmocka_unit_test(small_and_thin_products_stay_in_float),
        cmocka_unit_test(derivatives_are_those_of_f64_for_any_threads),
        cmocka_unit_test(without_instructions_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
