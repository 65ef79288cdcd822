/* Operators made of others against their matrices, written down entry by entry. */
#include "tests/spectra_support.h"

enum { N = 23 };

static double *new_matrix(uint64_t seed)
{
    struct ub_random random = ub_random_stream(seed, "operator test");
    return symmetric_matrix(N, &random);
}

/* The operator's matrix is `expected`, by single vectors and by blocks alike. */
static void check(const struct ub_operator *a, int64_t n, const double *expected)
{
    assert_int_equal(a->n, n);
    double *matrix = ub_calloc((size_t)(n * n), sizeof *matrix);
    assert_true(ub_operator_matrix(a, matrix));
    for (int64_t i = 0; i < n * n; i++)
        assert_near(matrix[i], expected[i], 1e-12);
    struct ub_random random = ub_random_stream(1, "operator test vectors");
    for (int64_t count = 1; count <= 3; count++) {
        double *v = normal_numbers(count * n, &random);
        double *out = ub_calloc((size_t)(count * n), sizeof *out);
        ub_operator_apply(a, count, v, out);
        for (int64_t k = 0; k < count; k++)
            for (int64_t i = 0; i < n; i++)
                assert_near(out[k * n + i], dot(n, expected + i * n, v + k * n), 1e-11);
        ub_free(v);
        ub_free(out);
    }
    ub_free(matrix);
}

static void test_leaves(void **state)
{
    (void)state;
    double *a = new_matrix(0), diagonal[N], expected[N * N] = {0};
    struct ub_operator dense = ub_operator_dense(N, a);
    check(&dense, N, a);
    for (int64_t i = 0; i < N; i++)
        expected[i * N + i] = diagonal[i] = (double)i - 3;
    struct ub_operator diag = ub_operator_diagonal(N, diagonal);
    check(&diag, N, expected);
    ub_operator_free(&dense);
    ub_operator_free(&diag);
    ub_operator_free(&diag); /* once freed, harmless */
    ub_operator_free(NULL);
    ub_free(a);
}

static void test_sum_and_shift(void **state)
{
    (void)state;
    double *a = new_matrix(0), *b = new_matrix(1), expected[N * N];
    struct ub_operator A = ub_operator_dense(N, a), B = ub_operator_dense(N, b);
    struct ub_operator sum = ub_operator_sum(2, &A, -1, &B);
    for (int64_t i = 0; i < N * N; i++)
        expected[i] = 2 * a[i] - b[i];
    check(&sum, N, expected);
    struct ub_operator shifted = ub_operator_shifted(-1, &sum, 0.5);
    for (int64_t i = 0; i < N * N; i++)
        expected[i] = -expected[i] + (i % (N + 1) == 0 ? 0.5 : 0);
    check(&shifted, N, expected);
    ub_operator_free(&shifted);
    ub_operator_free(&sum);
    ub_operator_free(&A);
    ub_operator_free(&B);
    ub_free(a);
    ub_free(b);
}

static void test_block_and_scale(void **state)
{
    (void)state;
    enum { FIRST = 5, COUNT = 7 };
    double *a = new_matrix(2), block[COUNT * COUNT], d[N], scaled[N * N];
    struct ub_operator A = ub_operator_dense(N, a);
    struct ub_operator inner = ub_operator_block(&A, FIRST, COUNT);
    for (int64_t i = 0; i < COUNT; i++)
        for (int64_t j = 0; j < COUNT; j++)
            block[i * COUNT + j] = a[(FIRST + i) * N + FIRST + j];
    check(&inner, COUNT, block);
    for (int64_t i = 0; i < N; i++)
        d[i] = 1 / (1.0 + (double)i);
    for (int64_t i = 0; i < N * N; i++)
        scaled[i] = d[i / N] * a[i] * d[i % N];
    struct ub_operator outer = ub_operator_scaled(&A, d);
    check(&outer, N, scaled);
    ub_operator_free(&inner);
    ub_operator_free(&outer);
    ub_operator_free(&A);
    ub_free(a);
}

static void test_deflation(void **state)
{
    (void)state;
    enum { RANK = 4 };
    double *a = new_matrix(3), vectors[N * N], expected[N * N];
    double *values = dense_values(N, a, vectors);
    const double *top = vectors + (N - RANK) * N;
    struct ub_operator A = ub_operator_dense(N, a);
    struct ub_operator rest = ub_operator_deflated(&A, RANK, top);
    for (int64_t i = 0; i < N; i++)
        for (int64_t j = 0; j < N; j++) {
            expected[i * N + j] = a[i * N + j];
            for (int64_t k = 0; k < RANK; k++)
                expected[i * N + j] -= values[N - RANK + k] * top[k * N + i] * top[k * N + j];
        }
    check(&rest, N, expected);
    ub_operator_free(&rest);
    ub_operator_free(&A);
    ub_free(values);
    ub_free(a);
}

static void test_counter_and_non_finite(void **state)
{
    (void)state;
    double *a = new_matrix(4), v[3 * N] = {0}, out[3 * N], matrix[N * N];
    int64_t products = 10;
    struct ub_operator A = ub_operator_dense(N, a);
    struct ub_operator counted = ub_operator_counted(&A, &products);
    ub_operator_apply(&counted, 3, v, out);
    ub_operator_apply(&counted, 0, v, out);
    assert_int_equal(products, 13);
    assert_true(ub_operator_matrix(&counted, matrix));
    assert_int_equal(products, 13 + N);
    a[N + 2] = NAN;
    assert_false(ub_operator_matrix(&counted, matrix));
    ub_operator_free(&counted);
    ub_operator_free(&A);
    ub_free(a);
}

/* ---- rectangular ---- */

enum { ROWS = 6, COLUMNS = 9 };

static void apply_map(void *context, int64_t count, const double *V, double *AV)
{
    const double *a = context;
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < ROWS; i++)
            AV[k * ROWS + i] = dot(COLUMNS, a + i * COLUMNS, V + k * COLUMNS);
}

static void apply_transpose(void *context, int64_t count, const double *U, double *AtU)
{
    const double *a = context;
    for (int64_t k = 0; k < count; k++)
        for (int64_t j = 0; j < COLUMNS; j++) {
            AtU[k * COLUMNS + j] = 0;
            for (int64_t i = 0; i < ROWS; i++)
                AtU[k * COLUMNS + j] += a[i * COLUMNS + j] * U[k * ROWS + i];
        }
}

static void test_gram(void **state)
{
    (void)state;
    struct ub_random random = ub_random_stream(5, "operator test");
    double *a = normal_numbers(ROWS * COLUMNS, &random);
    double outer[ROWS * ROWS], inner[COLUMNS * COLUMNS] = {0};
    const struct ub_map map = {ROWS, COLUMNS, a, apply_map, apply_transpose};
    for (int64_t i = 0; i < ROWS; i++)
        for (int64_t j = 0; j < ROWS; j++)
            outer[i * ROWS + j] = dot(COLUMNS, a + i * COLUMNS, a + j * COLUMNS);
    for (int64_t k = 0; k < ROWS; k++)
        for (int64_t i = 0; i < COLUMNS * COLUMNS; i++)
            inner[i] += a[k * COLUMNS + i / COLUMNS] * a[k * COLUMNS + i % COLUMNS];
    struct ub_operator left = ub_operator_outer(&map), right = ub_operator_inner(&map);
    check(&left, ROWS, outer);
    check(&right, COLUMNS, inner);
    ub_operator_free(&left);
    ub_operator_free(&right);
    ub_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_sum_and_shift),
        cmocka_unit_test(test_block_and_scale),
        cmocka_unit_test(test_deflation),
        cmocka_unit_test(test_gram),
        cmocka_unit_test(test_counter_and_non_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
