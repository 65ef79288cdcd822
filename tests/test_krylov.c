/* Partial reorthogonalization in single precision against full reorthogonalization in double, on
 * spectra as Hessians have them: outliers, a bulk, many values near zero. */
#include "tests/spectra_support.h"

#include "bench/spectra/krylov.h"
#include "bench/spectra/quadrature.h"

#include <cblas.h>
#include <lapacke.h>

enum { N = 20000, STEPS = 100 };

static double *planted(double outlier)
{
    double *values = ub_calloc(N, sizeof *values);
    struct ub_random random = ub_random_stream(5, "krylov test");
    for (int i = 0; i < N; i++) {
        const double z = ub_random_normal(&random);
        values[i] = i < 10 ? outlier / (1 + i * i) : i < N / 2 ? 0.3 * z : 1e-3 * z;
    }
    return values;
}

/* Nodes of the first probe of `seed`, each vector orthogonalized `passes` times against all. */
static void reference(const double *values, uint64_t seed, int passes, double *node)
{
    double *q = ub_calloc(STEPS + 1, N * sizeof *q), *along = ub_calloc(STEPS, sizeof *along);
    double beta[STEPS];
    struct ub_random random = ub_random_stream(seed, "quadrature");
    for (int i = 0; i < N; i++)
        q[i] = ub_random_normal(&random);
    cblas_dscal(N, 1 / cblas_dnrm2(N, q, 1), q, 1);
    for (int j = 0; j < STEPS; j++) {
        double *v = q + (size_t)j * N, *w = v + N;
        for (int i = 0; i < N; i++)
            w[i] = values[i] * v[i];
        node[j] = cblas_ddot(N, v, 1, w, 1);
        cblas_daxpy(N, -node[j], v, 1, w, 1);
        if (j > 0)
            cblas_daxpy(N, -beta[j - 1], v - N, 1, w, 1);
        for (int pass = 0; pass < passes; pass++) {
            cblas_dgemv(CblasRowMajor, CblasNoTrans, j + 1, N, 1, q, N, w, 1, 0, along, 1);
            cblas_dgemv(CblasRowMajor, CblasTrans, j + 1, N, -1, q, N, along, 1, 1, w, 1);
        }
        beta[j] = cblas_dnrm2(N, w, 1);
        cblas_dscal(N, 1 / beta[j], w, 1);
    }
    assert_int_equal(LAPACKE_dsterf(STEPS, node, beta), 0);
    ub_free(q);
    ub_free(along);
}

static double farthest(const double *a, const double *b)
{
    double most = 0;
    for (int i = 0; i < STEPS; i++)
        most = fmax(most, fabs(a[i] - b[i]));
    return most;
}

/* Nodes are those of full reorthogonalization to 1e-6 of the norm, where without any they are far
 * off; v' A^k v is exact. */
static void test_nodes(void **state)
{
    (void)state;
    const double outliers[] = {3, 100};
    assert_true(ub_krylov_bytes(N, STEPS) == (size_t)STEPS * N * sizeof(float));
    for (int k = 0; k < 2; k++) {
        double *values = planted(outliers[k]), full[STEPS], none[STEPS];
        struct ub_operator a = ub_operator_diagonal(N, values);
        struct ub_quadrature q;
        struct ub_error err = {0};
        const struct ub_quadrature_options o = {.steps = STEPS, .probes = 1, .seed = 3};
        assert_true(ub_quadrature_new(&a, &o, &q, &err));
        reference(values, 3, 2, full);
        reference(values, 3, 0, none);
        const double off = farthest(q.node, full) / outliers[k];
        print_message("largest %g: nodes off by %.1e of it; without, by %.1e\n", outliers[k], off,
                      farthest(none, full) / outliers[k]);
        assert_true(off < 1e-6);
        assert_true(farthest(none, full) > 1e-3 * outliers[k]);
        struct ub_random random = ub_random_stream(3, "quadrature");
        double square = 0, moment[6] = {0};
        for (int i = 0; i < N; i++) {
            const double v = ub_random_normal(&random);
            square += v * v;
            for (int power = 1; power < 6; power++)
                moment[power] += v * v * pow(values[i], power);
        }
        for (int power = 1; power < 6; power++)
            assert_near(ub_quadrature_moment(&q, power).value, N * moment[power] / square,
                        1e-9 * fmax(1, fabs(N * moment[power] / square)));
        ub_quadrature_free(&q);
        ub_operator_free(&a);
        ub_free(values);
    }
}

/* A purge leaves of both vectors what single precision does, and the estimate before it is right
 * about how much there was: one planted component of w is found. */
static void test_purge(void **state)
{
    (void)state;
    enum { ROWS = 64 };
    struct ub_krylov k = ub_krylov_new(N, ROWS);
    struct ub_random random = ub_random_stream(1, "krylov test");
    double *v = ub_calloc(ROWS + 1, N * sizeof *v), *w = v + (size_t)ROWS * N;
    assert_null(k.exact);
    for (int j = 0; j <= ROWS; j++) {
        double *row = v + (size_t)j * N;
        for (int i = 0; i < N; i++)
            row[i] = ub_random_normal(&random);
        for (int pass = 0; pass < 2; pass++)
            for (int i = 0; i < j; i++)
                cblas_daxpy(N, -cblas_ddot(N, v + (size_t)i * N, 1, row, 1), v + (size_t)i * N, 1,
                            row, 1);
        cblas_dscal(N, 1 / cblas_dnrm2(N, row, 1), row, 1);
        if (j < ROWS)
            ub_krylov_add(&k, row);
    }
    double *q = v + (size_t)(ROWS - 1) * N;
    cblas_daxpy(N, 1e-5, v, 1, q, 1);
    cblas_daxpy(N, 1e-3, v + N, 1, w, 1);
    cblas_dscal(N, 1e200, w, 1); /* scales do not matter */
    k.clean = false;
    ub_krylov_purge(&k, q, w);
    for (int j = 0; j < ROWS; j++) {
        const double *row = v + (size_t)j * N;
        assert_true(fabs(cblas_ddot(N, row, 1, w, 1)) < 1e-7 * 1e200);
        assert_true(j == ROWS - 1 || fabs(cblas_ddot(N, row, 1, q, 1)) < 1e-7);
    }
    assert_true(k.clean && k.purges == 1);
    ub_krylov_free(&k);
    ub_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_purge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
