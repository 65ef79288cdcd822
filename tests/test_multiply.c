/* Products without a library, on every instruction set that this CPU has, against sums in double;
 * what lies beside C must stay as it was, and by whom a product is multiplied hangs on its sizes
 * alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "systems/graph/program.h"

enum { LONGEST = 300, WIDEST = 70, EDGE = 3 };

struct sizes {
    bool ta, tb;
    int64_t m, n, k;
    bool accumulate;
};

static double at(const struct ub_kernels *kernels, const void *x, int64_t i)
{
    return kernels->real == sizeof(float) ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static void put(const struct ub_kernels *kernels, void *x, int64_t i, double value)
{
    kernels->from_double(1, (char *)x + (size_t)i * kernels->real, &value);
}

/* Memory whose end is the end of what may be touched: a page that may not is behind it. */
struct guarded {
    char *pages;
    size_t size;
    void *data;
};

static struct guarded guarded(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct guarded g = {.size = (bytes + page - 1) / page * page};
    g.pages = mmap(NULL, g.size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.pages != MAP_FAILED);
    assert_int_equal(mprotect(g.pages + g.size, page, PROT_NONE), 0);
    g.data = g.pages + g.size - bytes;
    return g;
}

static void release(struct guarded *g)
{
    assert_int_equal(munmap(g->pages, g->size + (size_t)sysconf(_SC_PAGESIZE)), 0);
}

static void *numbers(const struct ub_kernels *kernels, int64_t count, int64_t seed)
{
    double *x = ub_alloc((size_t)count * sizeof *x);
    void *out = ub_alloc((size_t)count * kernels->real);
    for (int64_t i = 0; i < count; i++)
        x[i] = (double)((i * 7 + seed) % 23 - 11) / 16; /* exact in float, as are its sums */
    kernels->from_double(count, out, x);
    ub_free(x);
    return out;
}

/* Numbers are multiples of 1/16 below 1: sums of up to 300 products are exact in float, so that
 * every order of adding gives the same and errors are 0 or wrong. */
static void check(const struct ub_kernels *kernels, ub_multiply_kernel *multiply,
                  const struct sizes *s)
{
    const int64_t lda = (s->ta ? s->m : s->k) + EDGE, ldb = (s->tb ? s->k : s->n) + EDGE;
    const int64_t ldc = s->n + EDGE;
    void *a = numbers(kernels, lda * (s->ta ? s->k : s->m), 1);
    void *b = numbers(kernels, ldb * (s->tb ? s->n : s->k), 2);
    void *c = numbers(kernels, ldc * s->m, 3), *before = numbers(kernels, ldc * s->m, 3);
    multiply(s->ta, s->tb, s->m, s->n, s->k, a, lda, b, ldb, s->accumulate, c, ldc);
    for (int64_t i = 0; i < s->m; i++)
        for (int64_t j = 0; j < ldc; j++) {
            double sum = j >= s->n || s->accumulate ? at(kernels, before, i * ldc + j) : 0;
            for (int64_t p = 0; p < s->k && j < s->n; p++)
                sum += at(kernels, a, s->ta ? p * lda + i : i * lda + p) *
                       at(kernels, b, s->tb ? j * ldb + p : p * ldb + j);
            if (at(kernels, c, i * ldc + j) != sum)
                fail_msg("%s, %d bytes, %c%c (%d, %d, %d)%s: C(%d, %d) is %g, expected %g",
                         kernels->isa, (int)kernels->real, s->ta ? 't' : 'n', s->tb ? 't' : 'n',
                         (int)s->m, (int)s->n, (int)s->k, s->accumulate ? " added" : "", (int)i,
                         (int)j, at(kernels, c, i * ldc + j), sum);
        }
    ub_free(a);
    ub_free(b);
    ub_free(c);
    ub_free(before);
}

/* Every width up to more than two tiles of the widest vectors; rows of every tile, and of several;
 * a depth beyond that of a turned panel. */
static void on(const struct ub_kernels *kernels)
{
    static const int64_t depths[] = {1, 2, 9, LONGEST};
    for (int64_t n = 1; n <= WIDEST; n++)
        for (int kind = 0; kind < 8; kind++) {
            const struct sizes s = {kind & 1, kind & 2, 1 + n * 5 % 53, n, depths[(n + kind) % 4],
                                    kind & 4};
            check(kernels, kernels->multiply, &s);
        }
    for (int64_t m = 1; m <= 50; m++)
        for (int64_t n = 15; n < 50; n += 17)
            check(kernels, kernels->multiply, &(struct sizes){m & 1, m & 2, m, n, 5, m & 4});
}

/* A NaN of A is one in its row and one of B in its column, zeros beside it or not, and nowhere
 * else; what C held before is no operand. */
static void check_nan(const struct ub_kernels *kernels, ub_multiply_kernel *multiply,
                      const struct sizes *s)
{
    const int64_t lda = s->ta ? s->m : s->k, ldb = s->tb ? s->k : s->n;
    const int64_t row = s->m / 2, column = s->n - 1, p = s->k / 2;
    void *a = numbers(kernels, s->m * s->k, 1), *b = numbers(kernels, s->k * s->n, 2);
    void *c = numbers(kernels, s->m * s->n, 3);
    for (int64_t i = 0; i < s->m * s->n; i++)
        put(kernels, c, i, (double)NAN);
    put(kernels, a, s->ta ? p * lda + row : row * lda + p, (double)NAN);
    put(kernels, b, s->tb ? column * ldb + p : p * ldb + column, (double)NAN);
    multiply(s->ta, s->tb, s->m, s->n, s->k, a, lda, b, ldb, false, c, s->n);
    for (int64_t i = 0; i < s->m; i++)
        for (int64_t j = 0; j < s->n; j++)
            if (isnan(at(kernels, c, i * s->n + j)) != (i == row || j == column))
                fail_msg("%s, %d bytes, %c%c (%d, %d, %d): C(%d, %d) is %g", kernels->isa,
                         (int)kernels->real, s->ta ? 't' : 'n', s->tb ? 't' : 'n', (int)s->m,
                         (int)s->n, (int)s->k, (int)i, (int)j, at(kernels, c, i * s->n + j));
    ub_free(a);
    ub_free(b);
    ub_free(c);
}

static void every_instruction_set(void **state)
{
    static const char *const levels[] = {"v2", "v3", "v4"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        setenv("UNIBENCH_KERNELS", levels[i], 1);
        for (int single = 0; single < 2; single++) {
            const struct ub_kernels *kernels = ub_kernels_pick(single != 0);
            print_message("%s: %s, %d bytes\n", levels[i], kernels->isa, (int)kernels->real);
            on(kernels);
            for (int kind = 0; kind < 4; kind++)
                check_nan(kernels, kernels->multiply,
                          &(struct sizes){kind & 1, kind & 2, 31, 41, LONGEST, false});
        }
    }
    unsetenv("UNIBENCH_KERNELS");
}

/* Transposed copies of every size up to more than two tiles, with edges that must stay. */
static void turned(void **state)
{
    (void)state;
    for (int single = 0; single < 2; single++) {
        const struct ub_kernels *kernels = ub_kernels_pick(single != 0);
        for (int64_t rows = 1; rows < 40; rows++) {
            const int64_t columns = 1 + rows * 7 % 37, wide = columns + EDGE, high = rows + EDGE;
            void *in = numbers(kernels, rows * wide, 4), *out = numbers(kernels, columns * high, 5);
            void *before = numbers(kernels, columns * high, 5);
            kernels->move(2, (int64_t[]){columns, rows}, out, (int64_t[]){high, 1}, in,
                          (int64_t[]){1, wide});
            for (int64_t j = 0; j < columns; j++)
                for (int64_t i = 0; i < high; i++)
                    assert_true(at(kernels, out, j * high + i) ==
                                (i < rows ? at(kernels, in, i * wide + j)
                                          : at(kernels, before, j * high + i)));
            ub_free(in);
            ub_free(out);
            ub_free(before);
        }
    }
}

/* Operands that end where memory does: their last rows have no edge. */
static void check_ends(const struct ub_kernels *kernels, const struct sizes *s)
{
    const int64_t lda = (s->ta ? s->m : s->k) + EDGE, ldb = (s->tb ? s->k : s->n) + EDGE;
    const int64_t ldc = s->n + EDGE;
    const int64_t counts[] = {lda * (s->ta ? s->k : s->m) - EDGE,
                              ldb * (s->tb ? s->n : s->k) - EDGE, ldc * s->m - EDGE};
    struct guarded end[3];
    void *inside[3];
    for (int i = 0; i < 3; i++) {
        const size_t bytes = (size_t)counts[i] * kernels->real;
        inside[i] = numbers(kernels, counts[i], i);
        end[i] = guarded(bytes);
        memcpy(end[i].data, inside[i], bytes);
    }
    kernels->multiply(s->ta, s->tb, s->m, s->n, s->k, inside[0], lda, inside[1], ldb, s->accumulate,
                      inside[2], ldc);
    kernels->multiply(s->ta, s->tb, s->m, s->n, s->k, end[0].data, lda, end[1].data, ldb,
                      s->accumulate, end[2].data, ldc);
    assert_memory_equal(inside[2], end[2].data, (size_t)counts[2] * kernels->real);
    for (int i = 0; i < 3; i++) {
        ub_free(inside[i]);
        release(&end[i]);
    }
}

static void nothing_beyond_the_ends(void **state)
{
    static const int64_t rows[] = {1, 2, 5, 7, 20, 60}, depths[] = {1, 3, 8, 130};
    (void)state;
    for (int v = 2; v <= 4; v++) {
        setenv("UNIBENCH_KERNELS", v == 2 ? "v2" : v == 3 ? "v3" : "v4", 1);
        for (int single = 0; single < 2; single++)
            for (int64_t n = 1; n <= WIDEST; n++)
                for (int kind = 0; kind < 8; kind++)
                    check_ends(ub_kernels_pick(single != 0),
                               &(struct sizes){kind & 1, kind & 2, rows[(n + kind) % 6], n,
                                               depths[(n + kind / 2) % 4], kind & 4});
    }
    unsetenv("UNIBENCH_KERNELS");
}

/* By whomever: the same product, exactly. */
static void whoever_is_chosen(void **state)
{
    static const struct sizes all[] = {
        {false, false, 225, 64, 64, false}, {false, false, 256, 1, 32, false},
        {true, false, 256, 1, 32, true},    {false, false, 1, 256, 32, true},
        {false, false, 2, 10, 99, true},    {true, false, 1, 77, 50, false},
        {true, false, 200, 300, 100, true}, {false, true, 200, 300, 100, true},
        {true, false, 32, 4, 250, false},   {false, false, 400, 200, 100, true},
        {false, true, 16, 16, 8, false}};
    (void)state;
    for (int single = 0; single < 2; single++) {
        const struct ub_kernels *kernels = ub_kernels_pick(single != 0);
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            const struct ub_gemm g = {
                .ta = all[i].ta, .tb = all[i].tb, .m = all[i].m, .n = all[i].n, .k = all[i].k};
            ub_multiply_kernel *chosen = ub_choose_multiply(kernels, &g);
            assert_true(chosen == ub_choose_multiply(kernels, &g));
            check(kernels, chosen, &all[i]);
            check_nan(kernels, chosen, &all[i]);
        }
    }
}

/* By sizes and instruction set alone: ours, OpenBLAS or (d) oneDNN. */
static void rule(void **state)
{
    static const struct {
        struct sizes s;
        char avx2, others;
    } all[] = {{{false, false, 225, 64, 64, false}, 'u', 'u'},
               {{true, false, 32, 4, 512, false}, 'u', 'b'},
               {{false, false, 2, 10, 2048, false}, 'u', 'b'},
               {{false, true, 7, 16, 64, false}, 'b', 'b'},
               {{false, true, 8, 16, 64, false}, 'u', 'u'},
               {{false, false, 125, 1, 100, false}, 'd', 'b'},
               {{false, false, 1, 2048, 10, false}, 'd', 'b'},
               {{true, false, 128, 128, 256, false}, 'u', 'u'},
               {{true, false, 128, 129, 256, false}, 'b', 'd'},
               {{false, false, 128, 129, 256, false}, 'd', 'd'},
               {{false, true, 250, 200, 3072, false}, 'd', 'd'}};
    static const char *const levels[] = {"v2", "v3", "v4"};
    (void)state;
    for (int level = 0; level < 3; level++)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            struct ub_kernels kernels = *ub_kernels_pick(true);
            kernels.isa = levels[level];
            const struct sizes *s = &all[i].s;
            const struct ub_gemm g = {.ta = s->ta, .tb = s->tb, .m = s->m, .n = s->n, .k = s->k};
            ub_multiply_kernel *chosen = ub_choose_multiply(&kernels, &g);
            const int by = chosen == kernels.multiply ? 'u' : chosen == kernels.gemm ? 'b' : 'd';
            assert_int_equal(by, level == 1 ? all[i].avx2 : all[i].others);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_set), cmocka_unit_test(nothing_beyond_the_ends),
        cmocka_unit_test(turned), cmocka_unit_test(whoever_is_chosen), cmocka_unit_test(rule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
