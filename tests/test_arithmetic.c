/* Arithmetic on arrays, on every instruction set that this CPU has: sums of rows, repeated values,
 * two operators in one pass, blocks that read a broadcast array more than once, and their order. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "systems/graph/program.h"

static double at(const struct ub_kernels *kernels, const void *x, int64_t i)
{
    return kernels->real == sizeof(float) ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

/* Every level, in f64 and f32. */
static void on_all(void (*check)(const struct ub_kernels *kernels))
{
    static const char *const levels[] = {"v2", "v3", "v4"};
    for (int i = 0; i < 3; i++) {
        setenv("UNIBENCH_KERNELS", levels[i], 1);
        check(ub_kernels_pick(false));
        check(ub_kernels_pick(true));
    }
    unsetenv("UNIBENCH_KERNELS");
}

/* ---- sums of rows ---- */

enum { MOST_ROWS = 40, LONGEST = 600, EDGE = 8 };

/* Numbers whose sums round, so that orders of adding differ in last bits. */
static void *thirds(const struct ub_kernels *kernels, int64_t count)
{
    double *x = ub_alloc((size_t)count * sizeof *x);
    void *out = ub_alloc((size_t)count * kernels->real);
    for (int64_t i = 0; i < count; i++)
        x[i] = (double)(i * 37 % 101 - 50) / 3;
    kernels->from_double(count, out, x);
    ub_free(x);
    return out;
}

/* A sum of r numbers below 17 in any order: r roundings of at most 17 r half an ulp. */
static double bound(const struct ub_kernels *kernels, int64_t r)
{
    return (double)(r * r) * 17 * (kernels->real == sizeof(float) ? 6e-8 : 1.2e-16);
}

static void check_row_sums(const struct ub_kernels *kernels, int64_t rows, int64_t r)
{
    const size_t real = kernels->real;
    char *x = thirds(kernels, rows * r), *out = thirds(kernels, rows + EDGE);
    char *before = thirds(kernels, rows + EDGE), *alone = ub_alloc(real);
    kernels->sum(rows, r, 1, out, x);
    for (int64_t i = 0; i < rows; i++) {
        double sum = 0;
        for (int64_t j = 0; j < r; j++)
            sum += at(kernels, x, i * r + j);
        if (fabs(at(kernels, out, i) - sum) > bound(kernels, r))
            fail_msg("%s, %d bytes: sum %d of %d rows of %d is %.17g, not %.17g", kernels->isa,
                     (int)real, (int)i, (int)rows, (int)r, at(kernels, out, i), sum);
        kernels->sum_part(0, r, r, 1, alone, x + (size_t)(i * r) * real);
        if (memcmp(alone, out + (size_t)i * real, real) != 0) /* whatever rows are beside it */
            fail_msg("%s, %d bytes: a row of %d alone, and beside %d others", kernels->isa,
                     (int)real, (int)r, (int)rows - 1);
    }
    assert_memory_equal(out + (size_t)rows * real, before + (size_t)rows * real, EDGE * real);
    ub_free(x);
    ub_free(out);
    ub_free(before);
    ub_free(alone);
}

static void check_all_row_sums(const struct ub_kernels *kernels)
{
    static const int64_t lengths[] = {100, 127, 128, 257, 511, 512, 513, LONGEST};
    for (int64_t r = 2; r <= 70; r++)
        for (int64_t rows = 1; rows <= MOST_ROWS; rows += r % 16 == 0 ? 1 : 13)
            check_row_sums(kernels, rows, r);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        check_row_sums(kernels, 1 + (int64_t)k * 5, lengths[k]);
}

static void rows_are_summed_alike(void **state)
{
    (void)state;
    on_all(check_all_row_sums);
}

/* ---- maxima of rows ---- */

/* Rows with a number that is none, and with infinities of both signs, among others. */
static void check_maxima(const struct ub_kernels *kernels, int64_t rows, int64_t r)
{
    double *x = ub_alloc((size_t)(rows * r) * sizeof *x);
    char *in = ub_alloc((size_t)(rows * r) * kernels->real), *out = thirds(kernels, rows + EDGE);
    char *before = thirds(kernels, rows + EDGE);
    for (int64_t i = 0; i < rows * r; i++)
        x[i] = (double)(i * 37 % 101 - 90) / 4;
    x[rows / 3 * r + r / 2] = NAN;
    x[rows / 2 * r] = INFINITY;
    x[rows / 2 * r + 1] = -INFINITY;
    kernels->from_double(rows * r, in, x);
    kernels->max(rows, r, 1, out, in);
    for (int64_t i = 0; i < rows; i++) {
        double top = x[i * r];
        for (int64_t j = 1; j < r; j++)
            top = isnan(top) || x[i * r + j] <= top ? top : x[i * r + j];
        const double found = at(kernels, out, i);
        if (isnan(top) ? !isnan(found) : found != top)
            fail_msg("%s, %d bytes: maximum %d of %d rows of %d is %.17g, not %.17g", kernels->isa,
                     (int)kernels->real, (int)i, (int)rows, (int)r, found, top);
    }
    assert_memory_equal(out + (size_t)rows * kernels->real, before + (size_t)rows * kernels->real,
                        EDGE * kernels->real);
    ub_free(x);
    ub_free(in);
    ub_free(out);
    ub_free(before);
}

static void check_all_maxima(const struct ub_kernels *kernels)
{
    for (int64_t r = 2; r <= 130; r += r < 20 ? 1 : r % 16 == 0 ? 15 : 1)
        for (int64_t rows = 1; rows <= MOST_ROWS; rows += r % 8 == 0 ? 1 : 7)
            check_maxima(kernels, rows, r);
}

static void maxima_are_found(void **state)
{
    (void)state;
    on_all(check_all_maxima);
}

/* ---- functions ---- */

/* A function's value hangs on its argument alone, not on how many others there are; and is right to
 * libmvec's 4 ulp, and those of what goes into it, beside libm's. */
static void check_functions(const struct ub_kernels *kernels)
{
    static const enum ub_op ops[] = {UB_OP_EXP,      UB_OP_LOG, UB_OP_TANH, UB_OP_SIGMOID,
                                     UB_OP_SOFTPLUS, UB_OP_SIN, UB_OP_COS,  UB_OP_ERF};
    enum { COUNT = 4096 };
    const size_t real = kernels->real;
    const double ulp = real == sizeof(float) ? 1.2e-7 : 2.3e-16;
    double *x = ub_alloc(COUNT * sizeof *x);
    for (int i = 0; i < COUNT; i++) /* both signs of 2^-20 to 2^6 */
        x[i] = (i & 1 ? -1 : 1) * exp2(-20 + 26.0 * i / COUNT);
    char *in = ub_alloc(COUNT * real), *out = ub_alloc(COUNT * real);
    char *parts = thirds(kernels, COUNT + EDGE), *before = thirds(kernels, COUNT + EDGE);
    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) {
        for (int i = 0; i < COUNT && ops[k] == UB_OP_LOG; i++)
            x[i] = fabs(x[i]);
        kernels->from_double(COUNT, in, x);
        kernels->pointwise[ops[k]](COUNT, out, (const void *[]){in});
        for (int i = 0; i < COUNT; i++) {
            const double expected = ub_op_value(ops[k], (double[]){at(kernels, in, i)});
            if (fabs(at(kernels, out, i) - expected) > 8 * ulp * fabs(expected))
                fail_msg("%s, %d bytes, %s(%.17g) is %.17g, not %.17g", kernels->isa, (int)real,
                         ub_operator_row(ops[k])->name, at(kernels, in, i), at(kernels, out, i),
                         expected);
        }
        for (int n = 1; n < 40; n++) {
            for (int i = 0; i + n <= COUNT; i += n)
                kernels->pointwise[ops[k]](n, parts + (size_t)i * real,
                                           (const void *[]){in + (size_t)i * real});
            for (int i = 0; i < COUNT - COUNT % n; i++)
                if (memcmp(parts + (size_t)i * real, out + (size_t)i * real, real) != 0)
                    fail_msg("%s, %d bytes, %s(%.17g) is %.17g, and %.17g among %d", kernels->isa,
                             (int)real, ub_operator_row(ops[k])->name, at(kernels, in, i),
                             at(kernels, out, i), at(kernels, parts, i), n);
        }
        assert_memory_equal(parts + COUNT * real, before + COUNT * real, EDGE * real);
    }
    ub_free(x);
    ub_free(in);
    ub_free(out);
    ub_free(parts);
    ub_free(before);
}

static void functions_hang_on_their_argument_alone(void **state)
{
    (void)state;
    on_all(check_functions);
}

/* Floats all over their range, in units of the last place beside libm's value in double. */
struct bounds {
    enum ub_op op;
    double ulps, least; /* results below that are right to it */
    bool odd;           /* an odd function, up to 1 */
};

static void check_float(const struct ub_kernels *kernels, const struct bounds *b, float x, float y)
{
    int exponent;
    const double expected = ub_op_value(b->op, (double[]){(double)x});
    frexp(expected, &exponent);
    const double unit = fmax(ldexp(1, exponent - FLT_MANT_DIG), FLT_TRUE_MIN);
    const double error = fabs((double)y - expected);
    bool good = error <= b->ulps * unit || (fabs(expected) < b->least && error <= b->least);
    if (fabs(expected) > (double)FLT_MAX || isnan(expected))
        good = isnan(expected) ? isnan(y) : isinf(y) && y > 0;
    if (!good || (b->odd && fabsf(y) > 1))
        fail_msg("%s, %s(%.9g) is %.9g, not %.17g: %.3g units of the last place", kernels->isa,
                 ub_operator_row(b->op)->name, (double)x, (double)y, expected, error / unit);
}

static void sweep(const struct ub_kernels *kernels, const struct bounds *b)
{
    enum { COUNT = 1001 };
    const uint32_t step = 19997, inf = 0x7f800000, sign = 0x80000000;
    float x[COUNT], minus[COUNT], y[COUNT], z[COUNT];
    for (uint32_t bits = 0; bits <= inf;) {
        for (int i = 0; i < COUNT;
             i++, bits = bits < inf && bits + step > inf ? inf : bits + step) {
            const uint32_t both[2] = {bits, bits | sign}; /* above inf: not a number */
            memcpy(&x[i], &both[0], sizeof x[i]);
            memcpy(&minus[i], &both[1], sizeof minus[i]);
        }
        kernels->pointwise[b->op](COUNT, y, (const void *[]){x});
        memcpy(z, minus, sizeof z);
        kernels->pointwise[b->op](COUNT, z, (const void *[]){z}); /* where it lies */
        for (int i = 0; i < COUNT; i++) {
            check_float(kernels, b, x[i], y[i]);
            check_float(kernels, b, minus[i], z[i]);
            if (b->odd && y[i] == y[i])
                assert_true(y[i] == -z[i] && !signbit(y[i]) && signbit(z[i]));
        }
    }
}

static void check_sweeps(const struct ub_kernels *kernels)
{
    static const struct bounds all[] = {{UB_OP_EXP, 1.2, 0, false},
                                        {UB_OP_TANH, 2.5, 0, true},
                                        {UB_OP_ERF, 4, 0, true},
                                        {UB_OP_SIGMOID, 3, FLT_MIN, false},
                                        {UB_OP_SOFTPLUS, 4, 0, false}};
    for (size_t k = 0; k < sizeof all / sizeof *all && kernels->real == sizeof(float); k++)
        sweep(kernels, &all[k]);
}

static void floats_are_right_all_over(void **state)
{
    (void)state;
    on_all(check_sweeps);
}

/* ---- two operators in one pass ---- */

static void check_pairs(const struct ub_kernels *kernels)
{
    static const enum ub_op firsts[] = {UB_OP_ADD, UB_OP_SUB, UB_OP_MUL};
    static const enum ub_op seconds[] = {UB_OP_ADD, UB_OP_SUB, UB_OP_MUL};
    enum { COUNT = 101 };
    char *x = thirds(kernels, COUNT + 2 * EDGE), *between = thirds(kernels, COUNT);
    char *out = thirds(kernels, COUNT), *expected = thirds(kernels, COUNT);
    const char *y = x + EDGE * kernels->real, *z = y + EDGE * kernels->real;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 6; j++) {
            const int place = j % 2;
            const enum ub_op second = seconds[j / 2];
            kernels->pointwise[firsts[i]](COUNT, between, (const void *[]){x, y});
            const void *in[2] = {between, between};
            in[1 - place] = z;
            kernels->pointwise[second](COUNT, expected, in);
            ub_pair_kernel(kernels, firsts[i], second, place)(COUNT, out,
                                                              (const void *[]){x, y, z});
            if (memcmp(out, expected, COUNT * kernels->real) != 0)
                fail_msg("%s, %d bytes: %s and then %s (%d) round otherwise than each alone",
                         kernels->isa, (int)kernels->real, ub_operator_row(firsts[i])->name,
                         ub_operator_row(second)->name, place);
        }
    assert_null(ub_pair_kernel(kernels, UB_OP_DIV, UB_OP_ADD, 0));
    assert_null(ub_pair_kernel(kernels, UB_OP_MUL, UB_OP_DIV, 0));
    ub_free(x);
    ub_free(between);
    ub_free(out);
    ub_free(expected);
}

static void pairs_round_as_each_alone(void **state)
{
    (void)state;
    on_all(check_pairs);
}

/* ---- one number over and over ---- */

static void check_filled_rows(const struct ub_kernels *kernels)
{
    enum { ROWS = 9 };
    for (int64_t b = 1; b <= 40; b++) {
        const int64_t apart = b + 3;
        char *x = thirds(kernels, 2 * ROWS), *out = thirds(kernels, ROWS * apart);
        char *before = thirds(kernels, ROWS * apart);
        kernels->move(2, (int64_t[]){ROWS, b}, out, (int64_t[]){apart, 1}, x, (int64_t[]){2, 0});
        for (int64_t i = 0; i < ROWS; i++)
            for (int64_t j = 0; j < apart; j++)
                assert_true(at(kernels, out, i * apart + j) ==
                            (j < b ? at(kernels, x, 2 * i) : at(kernels, before, i * apart + j)));
        ub_free(x);
        ub_free(out);
        ub_free(before);
    }
}

static void rows_are_filled(void **state)
{
    (void)state;
    on_all(check_filled_rows);
}

/* ---- views ---- */

/* Rows and columns of a table, each added to it twice: blocks where runs fit a block and where not,
 * of less than one block, and of runs longer than one. */
static void check_views(int64_t rows, int64_t columns)
{
    struct ub_graph *g = ub_graph_new();
    const int64_t n = rows * columns;
    const ub_node x = ub_input(g, 2, (int64_t[]){rows, columns});
    const ub_node a = ub_input(g, 2, (int64_t[]){rows, 1}), b = ub_input(g, 1, &columns);
    const ub_node wide_a = ub_broadcast(g, a, 2, (int64_t[]){rows, columns});
    const ub_node wide_b = ub_broadcast(g, b, 2, (int64_t[]){rows, columns});
    ub_node y = ub_mul(g, ub_add(g, x, wide_a), wide_b);
    y = ub_sub(g, ub_mul(g, y, wide_a), ub_mul(g, ub_exp(g, ub_sub(g, wide_b, x)), wide_a));
    struct ub_program_input inputs[] = {
        {.node = x}, {.node = a, .slot = 1}, {.node = b, .slot = 2}};
    struct ub_program_output output = {.node = y};
    struct ub_program *p = ub_program_compile(g, &(struct ub_program_spec){.inputs = inputs,
                                                                           .n_inputs = 3,
                                                                           .outputs = &output,
                                                                           .n_outputs = 1,
                                                                           .samples = 1,
                                                                           .chunk = 1});
    double *in[3], *out = ub_alloc((size_t)n * sizeof *out);
    const int64_t counts[] = {n, rows, columns};
    for (int k = 0; k < 3; k++) {
        in[k] = ub_alloc((size_t)counts[k] * sizeof **in);
        for (int64_t i = 0; i < counts[k]; i++)
            in[k][i] = (double)((i * 13 + k) % 17 - 8) / 8;
    }
    ub_program_run(p, (const double *const *)in, &out, true);
    for (int64_t i = 0; i < n; i++) {
        const double u = in[0][i], v = in[1][i / columns], w = in[2][i % columns];
        const double expected = (u + v) * w * v - exp(w - u) * v;
        if (fabs(out[i] - expected) > 1e-13)
            fail_msg("(%d, %d): element %d is %.17g, not %.17g", (int)rows, (int)columns, (int)i,
                     out[i], expected);
    }
    ub_program_free(p);
    ub_graph_free(g);
    for (int k = 0; k < 3; k++)
        ub_free(in[k]);
    ub_free(out);
}

static void views_are_read_again(void **state)
{
    static const int64_t sizes[][2] = {{5, 8},    {200, 8}, {100, 32}, {77, 13}, {3, 1024},
                                       {3, 1500}, {5, 700}, {1, 3000}, {3000, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_views(sizes[i][0], sizes[i][1]);
}

/* ---- the order of a block ---- */

enum { FACTORS = 17, NUMBERS = 1500 };

static const struct ub_block *longest_block(const struct ub_program *p)
{
    const struct ub_block *found = NULL;
    for (int i = 0; i < p->n_segments; i++)
        for (int k = 0; k < p->segments[i].steps.count; k++) {
            const struct ub_step *s = &p->segments[i].steps.step[k];
            if (s->kind == UB_STEP_BLOCK && (!found || s->block.n_code > found->n_code))
                found = &s->block;
        }
    assert_non_null(found);
    return found;
}

/* All products of neighbors are made before the first is added, as of derivatives: each is added at
 * once, in one instruction with it, and one register is enough. */
static void what_alone_reads_follows_at_once(void **state)
{
    struct ub_graph *g = ub_graph_new();
    struct ub_program_input inputs[FACTORS];
    ub_node product[FACTORS - 1];
    double *in[FACTORS], out[NUMBERS];
    double *results[] = {out};
    (void)state;
    for (int k = 0; k < FACTORS; k++) {
        inputs[k] =
            (struct ub_program_input){.node = ub_input(g, 1, (int64_t[]){NUMBERS}), .slot = k};
        in[k] = ub_alloc(NUMBERS * sizeof **in);
        for (int i = 0; i < NUMBERS; i++)
            in[k][i] = (double)((i * 13 + 7 * k) % 17 - 8) / 8;
    }
    for (int k = 0; k + 1 < FACTORS; k++)
        product[k] = ub_mul(g, inputs[k].node, inputs[k + 1].node);
    ub_node sum = product[0];
    for (int k = 1; k + 1 < FACTORS; k++)
        sum = ub_sub(g, product[k], sum);
    struct ub_program_output output = {.node = sum};
    struct ub_program *p = ub_program_compile(g, &(struct ub_program_spec){.inputs = inputs,
                                                                           .n_inputs = FACTORS,
                                                                           .outputs = &output,
                                                                           .n_outputs = 1,
                                                                           .samples = 1,
                                                                           .chunk = 1});
    assert_int_equal(longest_block(p)->n_code, FACTORS - 1);
    assert_int_equal(longest_block(p)->n_registers, 1);
    ub_program_run(p, (const double *const *)in, results, true);
    for (int i = 0; i < NUMBERS; i++) {
        double expected = in[0][i] * in[1][i];
        for (int k = 1; k + 1 < FACTORS; k++)
            expected = in[k][i] * in[k + 1][i] - expected;
        assert_true(out[i] == expected); /* of few bits: exact */
    }
    ub_program_free(p);
    ub_graph_free(g);
    for (int k = 0; k < FACTORS; k++)
        ub_free(in[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_summed_alike),
                                       cmocka_unit_test(maxima_are_found),
                                       cmocka_unit_test(rows_are_filled),
                                       cmocka_unit_test(functions_hang_on_their_argument_alone),
                                       cmocka_unit_test(floats_are_right_all_over),
                                       cmocka_unit_test(pairs_round_as_each_alone),
                                       cmocka_unit_test(what_alone_reads_follows_at_once),
                                       cmocka_unit_test(views_are_read_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
