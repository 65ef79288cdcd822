/* Thick-restart block Lanczos against LAPACK on explicit matrices, and its number of products
 * against the unrestarted block Krylov space that no solver of its block size can beat. */
#include "tests/spectra_support.h"

#include "bench/spectra/eigen_space.h"
#include "bench/spectra/lanczos.h"

#include <cblas.h>

static const enum ub_which all_ends[] = {UB_LARGEST, UB_SMALLEST, UB_BOTH_ENDS,
                                         UB_LARGEST_MAGNITUDE};

static int by_size(const void *a, const void *b)
{
    const double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x < y) - (x > y);
}

/* The i-th value wanted, from all n in ascending order. */
static void expected_values(enum ub_which which, int64_t n, const double *ascending, int64_t count,
                            double *out)
{
    double *sorted = ub_calloc((size_t)n, sizeof *sorted);
    memcpy(sorted, ascending, (size_t)n * sizeof *sorted);
    if (which == UB_LARGEST_MAGNITUDE)
        qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    const int64_t upper = (count + 1) / 2;
    for (int64_t i = 0; i < count; i++) {
        if (which == UB_LARGEST)
            out[i] = sorted[n - 1 - i];
        else if (which == UB_BOTH_ENDS)
            out[i] = i < upper ? sorted[n - 1 - i] : sorted[count - 1 - i];
        else
            out[i] = sorted[i];
    }
    ub_free(sorted);
}

/* Everything a result claims, against the matrix: values, order, residuals, orthonormality. */
static void check(int64_t n, const double *a, const struct ub_lanczos_options *o,
                  const struct ub_eigenpairs *p)
{
    double *truth = dense_values(n, a, NULL), *expected = ub_calloc((size_t)n, sizeof(double));
    const double norm = fmax(fabs(truth[0]), fabs(truth[n - 1])) + 1e-300;
    assert_int_equal(p->count, o->count < n ? o->count : n);
    assert_int_equal(p->converged, p->count);
    expected_values(o->which, n, truth, p->count, expected);
    for (int64_t i = 0; i < p->count; i++) {
        const double *u = p->vectors + i * n;
        const bool magnitude = o->which == UB_LARGEST_MAGNITUDE;
        assert_near(magnitude ? fabs(p->value[i]) : p->value[i],
                    magnitude ? fabs(expected[i]) : expected[i], 1e-9 * norm);
        double squares = 0;
        for (int64_t k = 0; k < n; k++)
            squares += pow(dot(n, a + k * n, u) - p->value[i] * u[k], 2);
        assert_near(sqrt(squares), p->residual[i], 1e-12 * norm);
        assert_true(p->residual[i] <= fmax(o->tolerance, 1e-13) * norm);
        for (int64_t j = 0; j <= i; j++)
            assert_near(dot(n, u, p->vectors + j * n), i == j ? 1 : 0, 1e-12);
    }
    ub_free(truth);
    ub_free(expected);
}

/* All ends, through the iteration and through LAPACK. */
static void check_all(int64_t n, const double *a, struct ub_lanczos_options o)
{
    struct ub_error err = {0};
    struct ub_operator dense = ub_operator_dense(n, a);
    for (size_t w = 0; w < 4; w++)
        for (int way = 0; way < 2; way++) {
            struct ub_eigenpairs p;
            int64_t products = 0;
            struct ub_operator counted = ub_operator_counted(&dense, &products);
            o.which = all_ends[w];
            o.iterate = way == 0;
            if (!ub_lanczos(&counted, &o, &p, &err))
                fail_msg("%s", err.text);
            check(n, a, &o, &p);
            assert_int_equal(products, p.products);
            ub_eigenpairs_free(&p);
            ub_operator_free(&counted);
        }
    ub_operator_free(&dense);
}

static void check_values(int64_t n, const double *values, struct ub_lanczos_options o)
{
    struct ub_random random = ub_random_stream(7, "lanczos test");
    double *a = matrix_with_values(n, values, &random);
    check_all(n, a, o);
    ub_free(a);
}

/* ---- spectra ---- */

enum { MOST = 300 };
static const struct ub_lanczos_options tight = {
    .count = 7, .tolerance = 1e-10, .max_products = 9000};

static void test_indefinite(void **state)
{
    (void)state;
    struct ub_random random = ub_random_stream(0, "lanczos test");
    double *a = symmetric_matrix(250, &random);
    check_all(250, a, tight);
    struct ub_lanczos_options o = tight; /* so tight a basis that it must restart */
    o.room = o.count + 2;
    o.block = 1;
    check_all(250, a, o);
    ub_free(a);
}

static void test_clustered(void **state)
{
    (void)state;
    double values[MOST];
    for (int64_t i = 0; i < MOST; i++)
        values[i] = i < 12   ? 1 + 1e-6 * (double)i
                    : i < 24 ? -1 - 1e-6 * (double)i
                             : 0.5 * cos((double)i);
    check_values(MOST, values, tight);
}

/* As many copies as a block has vectors. */
static void test_repeated(void **state)
{
    (void)state;
    double values[MOST];
    for (int64_t i = 0; i < MOST; i++)
        values[i] = i < 4 ? 3 : i < 8 ? -3.5 : i < 11 ? 2 : sin((double)i);
    check_values(MOST, values, tight);
}

static void test_low_rank(void **state)
{
    (void)state;
    double values[MOST] = {5, 5, 5, 5, 5, 5, 5, 5, 5, -2, -2, -2, 1};
    struct ub_lanczos_options o = tight;
    o.count = 20;
    check_values(MOST, values, o);
}

static void test_zero_and_identity(void **state)
{
    (void)state;
    double values[50] = {0};
    check_values(50, values, tight);
    for (int64_t i = 0; i < 50; i++)
        values[i] = -2;
    check_values(50, values, tight);
}

static void test_smallest_sizes(void **state)
{
    (void)state;
    const double one[] = {-3}, two[] = {1, -4};
    check_values(1, one, tight);
    check_values(2, two, tight);
    double values[40];
    for (int64_t i = 0; i < 40; i++)
        values[i] = (double)(i * i) - 300;
    struct ub_lanczos_options o = tight;
    for (o.count = 39; o.count <= 41; o.count++) /* k = n, and more than there are */
        check_values(40, values, o);
}

/* ---- starts, budget, noise, errors ---- */

static double *decaying(int64_t n, double exponent, struct ub_random *random)
{
    double *values = ub_calloc((size_t)n, sizeof *values);
    for (int64_t i = 0; i < n; i++)
        values[i] = pow((double)(i + 1), -exponent) * (i % 5 == 4 ? -1 : 1);
    double *a = matrix_with_values(n, values, random);
    ub_free(values);
    return a;
}

static void test_warm_start(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_random random = ub_random_stream(2, "lanczos test");
    enum { SIZE = 400 };
    double *a = decaying(SIZE, 1, &random);
    struct ub_operator A = ub_operator_dense(SIZE, a);
    struct ub_lanczos_options o = {.count = 20, .tolerance = 1e-4};
    struct ub_eigenpairs cold, warm;
    assert_true(ub_lanczos(&A, &o, &cold, &err));
    for (int64_t i = 0; i < SIZE; i++)
        a[i * SIZE + i] += 1e-6 * ub_random_normal(&random);
    o.starts = cold.count;
    o.start = cold.vectors;
    assert_true(ub_lanczos(&A, &o, &warm, &err));
    assert_int_equal(warm.converged, 20);
    print_message("20 pairs: %lld products cold, %lld warm\n", (long long)cold.products,
                  (long long)warm.products);
    assert_true(2 * warm.products < cold.products);
    ub_eigenpairs_free(&cold);
    ub_eigenpairs_free(&warm);
    ub_operator_free(&A);
    ub_free(a);
}

static void test_budget(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_random random = ub_random_stream(3, "lanczos test");
    double *a = symmetric_matrix(300, &random), *truth = dense_values(300, a, NULL);
    struct ub_operator A = ub_operator_dense(300, a);
    for (int64_t budget = 1; budget < 60; budget += 7) {
        struct ub_eigenpairs p;
        const struct ub_lanczos_options o = {
            .count = 10, .tolerance = 1e-12, .max_products = budget};
        assert_true(ub_lanczos(&A, &o, &p, &err));
        assert_true(p.products <= budget && p.converged < 10);
        assert_int_equal(p.count, p.products < 10 ? p.products : 10);
        for (int64_t i = 0; i < p.count; i++) { /* the residual is a bound all the same */
            double nearest = INFINITY;
            for (int64_t k = 0; k < 300; k++)
                nearest = fmin(nearest, fabs(truth[k] - p.value[i]));
            assert_true(nearest <= p.residual[i]);
        }
        ub_eigenpairs_free(&p);
    }
    ub_operator_free(&A);
    ub_free(truth);
    ub_free(a);
}

struct rounded {
    int64_t n;
    struct ub_operator exact;
};

static void apply_rounded(void *context, int64_t count, const double *V, double *AV)
{
    const struct rounded *r = context;
    ub_operator_apply(&r->exact, count, V, AV);
    for (int64_t i = 0; i < count * r->n; i++)
        AV[i] = (double)(float)AV[i];
}

/* Products in single precision: values are right to that rounding, residuals do not claim more. */
static void test_single_precision(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_random random = ub_random_stream(4, "lanczos test");
    double *a = decaying(300, 1, &random), *truth = dense_values(300, a, NULL), au[300];
    struct rounded r = {300, ub_operator_dense(300, a)};
    const struct ub_operator A = {.n = 300, .context = &r, .apply = apply_rounded};
    const struct ub_lanczos_options o = {.count = 10, .tolerance = 1e-12};
    struct ub_eigenpairs p;
    assert_true(ub_lanczos(&A, &o, &p, &err));
    for (int64_t i = 0; i < 10; i++) {
        double nearest = INFINITY, squares = 0;
        for (int64_t k = 0; k < 300; k++)
            nearest = fmin(nearest, fabs(truth[k] - p.value[i]));
        assert_true(nearest <= 2e-7);
        cblas_dgemv(CblasRowMajor, CblasNoTrans, 300, 300, 1, a, 300, p.vectors + i * 300, 1, 0, au,
                    1);
        for (int64_t k = 0; k < 300; k++)
            squares += pow(au[k] - p.value[i] * p.vectors[i * 300 + k], 2);
        assert_true(sqrt(squares) <= p.residual[i] + 2e-7); /* rounding of the product itself */
    }
    ub_eigenpairs_free(&p);
    ub_operator_free(&r.exact);
    ub_free(truth);
    ub_free(a);
}

static void test_errors(void **state)
{
    (void)state;
    struct ub_error err = {0};
    double values[300] = {1, 2, 3};
    struct ub_operator A = ub_operator_diagonal(300, values);
    struct ub_lanczos_options o = {.count = 3};
    struct ub_eigenpairs p;
    for (o.iterate = false;; o.iterate = true) {
        values[250] = NAN;
        assert_false(ub_lanczos(&A, &o, &p, &err));
        assert_input_error(&err, "not finite");
        assert_true(p.count == 0 && !p.value);
        values[250] = INFINITY;
        assert_false(ub_lanczos(&A, &o, &p, &err));
        assert_input_error(&err, "not finite");
        if (o.iterate)
            break;
    }
    o.count = 0;
    assert_false(ub_lanczos(&A, &o, &p, &err));
    assert_input_error(&err, "count >= 1");
    o = (struct ub_lanczos_options){.count = 3, .tolerance = -1};
    assert_false(ub_lanczos(&A, &o, &p, &err));
    assert_input_error(&err, "no negative option");
    ub_operator_free(&A);
}

/* ---- products against the optimum ---- */

/* Products that an unrestarted block Krylov space needs until its `count` most wanted Ritz pairs
 * have residuals <= tolerance * norm: no method with products in blocks of this size does
 * better from this start (the solver's), for its iterates lie in this space. Written without the
 * solver's parts: the space by Gram-Schmidt done twice, the Ritz pairs and residuals from the
 * matrix. */
static int64_t krylov_products(int64_t n, const double *a, const struct ub_lanczos_options *o,
                               double norm)
{
    const int64_t b = o->block, most = n - n % b;
    double *v = ub_calloc((size_t)(n * n), sizeof *v), *av = ub_calloc((size_t)(n * n), sizeof *av);
    struct ub_random random = ub_random_stream(0, "eigenvalues");
    int64_t m = 0, found = 0;
    while (found < o->count && m < most) {
        for (int64_t i = 0; i < b; i++) {
            double *q = v + (m + i) * n;
            for (int64_t k = 0; k < n; k++)
                q[k] = m == 0 ? ub_random_normal(&random) : av[(m - b + i) * n + k];
            for (int pass = 0; pass < 2; pass++)
                for (int64_t j = 0; j < m + i; j++)
                    cblas_daxpy((int)n, -dot(n, q, v + j * n), v + j * n, 1, q, 1);
            cblas_dscal((int)n, 1 / cblas_dnrm2((int)n, q, 1), q, 1);
            cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)n, (int)n, 1, a, (int)n, q, 1, 0,
                        av + (m + i) * n, 1);
        }
        m += b;
        if (m < o->count)
            continue;
        double *t = ub_calloc((size_t)(m * m), sizeof *t),
               *s = ub_calloc((size_t)(m * m), sizeof *s);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)m, (int)n, 1, v, (int)n,
                    av, (int)n, 0, t, (int)m);
        double *theta = dense_values(m, t, s), r[2048];
        for (found = 0; found < o->count; found++) { /* UB_LARGEST */
            const double *row = s + (m - 1 - found) * m;
            cblas_dgemv(CblasRowMajor, CblasTrans, (int)m, (int)n, 1, av, (int)n, row, 1, 0, r, 1);
            cblas_dgemv(CblasRowMajor, CblasTrans, (int)m, (int)n, -theta[m - 1 - found], v, (int)n,
                        row, 1, 1, r, 1);
            if (cblas_dnrm2((int)n, r, 1) > o->tolerance * norm)
                break;
        }
        ub_free(t);
        ub_free(s);
        ub_free(theta);
    }
    ub_free(v);
    ub_free(av);
    return m;
}

static void compare(const char *name, int64_t n, const double *a, struct ub_lanczos_options o)
{
    struct ub_error err = {0};
    struct ub_operator A = ub_operator_dense(n, a);
    struct ub_eigenpairs p;
    double *truth = dense_values(n, a, NULL);
    assert_true(ub_lanczos(&A, &o, &p, &err));
    assert_int_equal(p.converged, o.count);
    const int64_t best = krylov_products(n, a, &o, fmax(fabs(truth[0]), fabs(truth[n - 1])));
    print_message("%-24s block %lld: %4lld products, %lld restarts; Krylov optimum %4lld: ratio "
                  "%.3f\n",
                  name, (long long)o.block, (long long)p.products, (long long)p.restarts,
                  (long long)best, (double)p.products / (double)best);
    assert_true((double)p.products <= 1.1 * (double)best);
    ub_eigenpairs_free(&p);
    ub_operator_free(&A);
    ub_free(truth);
}

static void test_products_near_optimum(void **state)
{
    (void)state;
    struct ub_random random = ub_random_stream(5, "lanczos test");
    enum { SIZE = 700 };
    double *power = decaying(SIZE, 1, &random), *noise = symmetric_matrix(SIZE, &random);
    double values[SIZE];
    for (int64_t i = 0; i < SIZE; i++) /* ten outliers above a bulk, as of a Hessian */
        values[i] = i < 10 ? 1.0 / (double)(i + 1) : 0.02 * ub_random_uniform(&random);
    double *outliers = matrix_with_values(SIZE, values, &random);
    for (int64_t block = 1; block <= 8; block *= 2) {
        const struct ub_lanczos_options o = {.count = 30, .tolerance = 1e-4, .block = block};
        compare("power law", SIZE, power, o);
        compare("outliers and bulk", SIZE, outliers, o);
        compare("semicircle", SIZE, noise, o);
    }
    ub_free(power);
    ub_free(noise);
    ub_free(outliers);
}

/* In panels and whole, against sums written out. */
static void test_inner_products(void **state)
{
    (void)state;
    static const int64_t shapes[][3] = {{1, 1, 5}, {3, 5, 2500}, {4, 200, 1300}, {70, 70, 300}};
    struct ub_random random = ub_random_stream(1, "inner products");
    for (int i = 0; i < 4; i++) {
        const int64_t rows = shapes[i][0], columns = shapes[i][1], n = shapes[i][2];
        double *a = normal_numbers(rows * n, &random), *b = normal_numbers(columns * n, &random);
        double *c = normal_numbers(rows * columns, &random);
        ub_inner_products(rows, columns, n, a, b, c);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t k = 0; k < columns; k++)
                assert_near(c[r * columns + k], dot(n, a + r * n, b + k * n), 1e-10);
        ub_free(a);
        ub_free(b);
        ub_free(c);
    }
}

/* With the inner products given: the same rows, with one of no length and one already there. */
static void test_known_inner_products(void **state)
{
    (void)state;
    enum { LONG = 300, OLD = 6, NEW = 4 };
    struct ub_random random = ub_random_stream(2, "known products");
    struct ub_space plain, known;
    double *old = normal_numbers(OLD * LONG, &random), *rows = normal_numbers(NEW * LONG, &random);
    double along[NEW * OLD];
    memset(rows + LONG, 0, LONG * sizeof *rows);
    memcpy(rows + 2 * LONG, old, LONG * sizeof *rows);
    ub_space_init(&plain, LONG, OLD + NEW, false);
    ub_space_init(&known, LONG, OLD + NEW, false);
    memcpy(plain.basis, old, OLD * LONG * sizeof *old);
    assert_int_equal(ub_space_orthonormalize(&plain, OLD, 1e-10, false), OLD);
    memcpy(known.basis, plain.basis, OLD * LONG * sizeof *old);
    plain.size = known.size = OLD;
    memcpy(plain.basis + OLD * LONG, rows, NEW * LONG * sizeof *rows);
    memcpy(known.basis + OLD * LONG, rows, NEW * LONG * sizeof *rows);
    ub_inner_products(NEW, OLD, LONG, rows, known.basis, along);
    assert_int_equal(ub_space_orthonormalize(&plain, NEW, 1e-10, false), 2);
    assert_int_equal(ub_space_orthonormalize_along(&known, NEW, along, 1e-10, false), 2);
    for (int i = 0; i < (OLD + 2) * LONG; i++)
        assert_near(known.basis[i], plain.basis[i], 1e-14);
    for (int i = 0; i < OLD + 2; i++)
        for (int j = 0; j <= i; j++)
            assert_near(dot(LONG, known.basis + i * LONG, known.basis + j * LONG), i == j, 1e-14);
    ub_space_free(&plain);
    ub_space_free(&known);
    ub_free(old);
    ub_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_indefinite),
        cmocka_unit_test(test_clustered),
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_low_rank),
        cmocka_unit_test(test_zero_and_identity),
        cmocka_unit_test(test_smallest_sizes),
        cmocka_unit_test(test_warm_start),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_single_precision),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_products_near_optimum),
        cmocka_unit_test(test_inner_products),
        cmocka_unit_test(test_known_inner_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
