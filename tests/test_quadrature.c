/* Stochastic Lanczos quadrature against closed forms, dense spectra, exact traces and the laws of
 * Marchenko-Pastur and of spiked covariances. */
#include "tests/spectra_support.h"

#include "bench/spectra/lanczos.h"
#include "bench/spectra/quadrature.h"

#include <cblas.h>

static struct ub_quadrature rules(const struct ub_operator *a, struct ub_quadrature_options o)
{
    struct ub_error err = {0};
    struct ub_quadrature q;
    if (!ub_quadrature_new(a, &o, &q, &err))
        fail_msg("%s", err.text);
    return q;
}

/* For a diagonal matrix and n steps, the nodes are the entries and the weights the squares of the
 * probe's components: the first components of the tridiagonal's eigenvectors, squared (PyHessian
 * once took them unsquared). */
static void test_weights_are_squared_components(void **state)
{
    (void)state;
    enum { N = 12, PROBES = 5 };
    double values[N], v[N];
    for (int i = 0; i < N; i++)
        values[i] = -2 + i * i / 10.0;
    struct ub_operator a = ub_operator_diagonal(N, values);
    for (int64_t together = 0; together <= 3; together++) {
        struct ub_quadrature q = rules(
            &a, (struct ub_quadrature_options){.probes = PROBES, .together = together, .seed = 3});
        struct ub_random random = ub_random_stream(3, "quadrature");
        for (int64_t p = 0; p < PROBES; p++) {
            assert_int_equal(q.count[p], N);
            for (int i = 0; i < N; i++)
                v[i] = ub_random_normal(&random);
            for (int i = 0; i < N; i++) {
                assert_near(q.node[p * q.steps + i], values[i], 1e-12);
                assert_near(q.weight[p * q.steps + i], v[i] * v[i] / dot(N, v, v), 1e-11);
            }
        }
        assert_int_equal(q.products, N * PROBES);
        assert_near(q.low, values[0], 1e-12);
        assert_near(q.above, values[N - 1], 1e-12);
        ub_quadrature_free(&q);
    }
    ub_operator_free(&a);
}

/* v' A^k v comes out exactly for k <= 2 steps - 1, and not for k = 2 steps. */
static void test_gauss_degree(void **state)
{
    (void)state;
    enum { N = 60, STEPS = 4 };
    struct ub_random random = ub_random_stream(0, "quadrature test");
    double *a = symmetric_matrix(N, &random), v[N], w[N], next[N];
    for (int i = 0; i < N * N; i++)
        a[i] /= 16;
    struct ub_operator A = ub_operator_dense(N, a);
    struct ub_quadrature q =
        rules(&A, (struct ub_quadrature_options){.steps = STEPS, .probes = 1, .seed = 8});
    struct ub_random probe = ub_random_stream(8, "quadrature");
    for (int i = 0; i < N; i++)
        w[i] = v[i] = ub_random_normal(&probe);
    for (int k = 0; k <= 2 * STEPS; k++) {
        const double exact = N * dot(N, v, w) / dot(N, v, v);
        const struct ub_estimate e = ub_quadrature_moment(&q, k);
        assert_true(e.error >= 0); /* of one probe, too */
        if (k < 2 * STEPS)
            assert_near(e.value, exact, 1e-10);
        else
            assert_true(fabs(e.value - exact) > 1e-4);
        ub_operator_apply(&A, 1, w, next);
        memcpy(w, next, sizeof w);
    }
    ub_quadrature_free(&q);
    ub_operator_free(&A);
    ub_free(a);
}

static void near_truth(struct ub_estimate e, double truth, const char *what)
{
    print_message("%-10s %12.6g +- %-10.3g truth %12.6g\n", what, e.value, e.error, truth);
    assert_true(e.error >= 0);
    assert_near(e.value, truth, ub_estimate_margin(e, 0.999) + 1e-9 * fabs(truth));
}

/* Every functional within its 99.9% margin, outliers known or not; deflation narrows the margin. */
static void test_functionals(void **state)
{
    (void)state;
    enum { N = 200, OUTLIERS = 5 };
    double values[N], truth[5] = {0}, vectors[N * N], wide = 0;
    for (int i = 0; i < N; i++)
        values[i] = i < OUTLIERS ? 20.0 + 3 * i : 0.2 + 2.0 * i / N;
    struct ub_random random = ub_random_stream(1, "quadrature test");
    double *a = matrix_with_values(N, values, &random), *sorted = dense_values(N, a, vectors);
    for (int i = 0; i < N; i++) {
        truth[0] += values[i];
        truth[1] += values[i] * values[i];
        truth[2] += pow(values[i], 3);
        truth[3] += log(values[i] + 0.1);
        truth[4] += values[i] < 1;
    }
    struct ub_operator A = ub_operator_dense(N, a);
    for (int64_t known = 0; known <= OUTLIERS; known += OUTLIERS) {
        struct ub_quadrature q =
            rules(&A, (struct ub_quadrature_options){.steps = 60,
                                                     .probes = 20,
                                                     .outliers = known,
                                                     .value = sorted + N - OUTLIERS,
                                                     .vectors = vectors + (N - OUTLIERS) * N});
        near_truth(ub_quadrature_moment(&q, 1), truth[0], "trace");
        near_truth(ub_quadrature_moment(&q, 2), truth[1], "squares");
        near_truth(ub_quadrature_moment(&q, 3), truth[2], "cubes");
        near_truth(ub_quadrature_log_det(&q, 0.1), truth[3], "log det");
        const struct ub_range below = ub_quadrature_below(&q, 1, 0.999);
        assert_true(below.low <= truth[4] && truth[4] <= below.high);
        assert_true(isnan(ub_quadrature_log_det(&q, -1).value));
        assert_near(ub_quadrature_moment(&q, 0).value, N, 1e-9);
        assert_true(q.high <= 32 + 1e-9 && q.above >= 32 - 1e-9);
        assert_true(q.low >= sorted[0] - 1e-9 && q.below <= sorted[0] + 1e-9);
        const double error = ub_quadrature_moment(&q, 2).error;
        assert_true(known == 0 || 10 * error < wide);
        wide = error;
        ub_quadrature_free(&q);
    }
    ub_operator_free(&A);
    ub_free(sorted);
    ub_free(a);
}

/* ---- densities ---- */

static double smoothed(int64_t n, const double *values, double width, double x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += exp(-pow((x - values[i]) / width, 2) / 2) / (width * sqrt(2 * M_PI));
    return sum / (double)n;
}

/* Points where the density is off by more than its 99% margin, of `points`. */
static int64_t misses(const struct ub_quadrature *q, double width, int64_t points,
                      const double *grid, const double *truth)
{
    double *density = ub_calloc((size_t)points, sizeof *density), previous = 0, integral = 0;
    double *margin = ub_calloc((size_t)points, sizeof *margin);
    ub_quadrature_density(q, width, true, points, grid, 0.99, density, margin);
    int64_t missed = 0;
    for (int64_t i = 0; i < points; i++) {
        missed += fabs(density[i] - truth[i]) > margin[i] + 1e-6;
        if (i > 0)
            integral += (density[i] + previous) / 2 * (grid[i] - grid[i - 1]);
        previous = density[i];
    }
    assert_near(integral, 1, 1e-3);
    ub_free(density);
    ub_free(margin);
    return missed;
}

static void test_density_against_dense_spectrum(void **state)
{
    (void)state;
    enum { N = 250, POINTS = 300 };
    double grid[POINTS], truth[POINTS], values[N], vectors[N * N];
    struct ub_random random = ub_random_stream(2, "quadrature test");
    for (int i = 0; i < N; i++) /* negative outliers, a lump at zero, a bulk, outliers */
        values[i] = i < 2     ? -1.5
                    : i < 100 ? 0.001 * i
                    : i < 246 ? ub_random_normal(&random) / 3
                              : 2;
    double *a = matrix_with_values(N, values, &random), *sorted = dense_values(N, a, vectors);
    for (int i = 0; i < POINTS; i++) {
        grid[i] = -2.5 + 6.0 * i / POINTS;
        truth[i] = smoothed(N, sorted, 0.05, grid[i]);
    }
    struct ub_operator A = ub_operator_dense(N, a);
    struct ub_quadrature q = rules(&A, (struct ub_quadrature_options){.probes = 12});
    assert_true(misses(&q, 0.05, POINTS, grid, truth) <= POINTS / 20);
    ub_quadrature_free(&q);
    q = rules(&A, (struct ub_quadrature_options){.probes = 12,
                                                 .outliers = 4,
                                                 .value = sorted + N - 4,
                                                 .vectors = vectors + (N - 4) * N});
    assert_true(misses(&q, 0.05, POINTS, grid, truth) <= POINTS / 20);
    double with, without, at = 2; /* the four atoms, and nothing else near 2 */
    ub_quadrature_density(&q, 0.05, true, 1, &at, 0.95, &with, NULL);
    ub_quadrature_density(&q, 0.05, false, 1, &at, 0.95, &without, NULL);
    assert_near(with - without, 4.0 / N / (0.05 * sqrt(2 * M_PI)), 1e-9);
    ub_quadrature_free(&q);
    ub_operator_free(&A);
    ub_free(sorted);
    ub_free(a);
}

/* X'X / rows with X rows x n; the last coordinate's variance is `spike`, the others' 1. */
static double *wishart(int64_t rows, int64_t n, double spike, struct ub_random *random)
{
    double *x = normal_numbers(rows * n, random), *a = ub_calloc((size_t)(n * n), sizeof *a);
    for (int64_t i = 0; i < rows; i++)
        x[i * n + n - 1] *= sqrt(spike);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n, (int)n, (int)rows,
                1 / (double)rows, x, (int)n, x, (int)n, 0, a, (int)n);
    ub_free(x);
    return a;
}

/* Marchenko and Pastur 1967: sqrt((b - x)(x - a)) / (2 pi gamma x) on [a, b], gamma = n / rows < 1,
 * a, b = (1 -+ sqrt gamma)^2; smoothed, by the substitution that makes the edges smooth. */
static double marchenko_pastur(double gamma, double width, double x)
{
    const double center = 1 + gamma, radius = 2 * sqrt(gamma);
    enum { PARTS = 4000 };
    double sum = 0;
    for (int i = 0; i < PARTS; i++) {
        const double t = M_PI * (i + 0.5) / PARTS, y = center - radius * cos(t);
        const double bell = exp(-pow((x - y) / width, 2) / 2) / (width * sqrt(2 * M_PI));
        sum += bell * pow(radius * sin(t), 2) / (2 * M_PI * gamma * y) * M_PI / PARTS;
    }
    return sum;
}

static void test_marchenko_pastur(void **state)
{
    (void)state;
    enum { N = 400, ROWS = 800, POINTS = 200 };
    const double gamma = (double)N / ROWS, low = pow(1 - sqrt(gamma), 2),
                 high = pow(1 + sqrt(gamma), 2);
    double grid[POINTS], truth[POINTS];
    for (int i = 0; i < POINTS; i++) {
        grid[i] = -0.5 + 4.5 * i / POINTS;
        truth[i] = marchenko_pastur(gamma, 0.08, grid[i]);
    }
    struct ub_random random = ub_random_stream(4, "quadrature test");
    double *a = wishart(ROWS, N, 1, &random);
    struct ub_operator A = ub_operator_dense(N, a);
    struct ub_quadrature q = rules(&A, (struct ub_quadrature_options){.steps = 80, .probes = 10});
    assert_true(misses(&q, 0.08, POINTS, grid, truth) <= POINTS / 20);
    /* Edges fluctuate by n^-2/3 (Tracy and Widom); 4 units of that. */
    const double unit =
        pow(1 + sqrt(gamma), 4.0 / 3) / sqrt(gamma) * pow(gamma, 1.0 / 3) * pow(N, -2.0 / 3);
    assert_near(q.high, high, 4 * unit);
    assert_near(q.low, low, 4 * unit);
    /* Moments 1, 1 + gamma, 1 + 3 gamma + gamma^2, up to the matrix's own fluctuation, O(1/n). */
    const double moment[] = {1, 1 + gamma, 1 + 3 * gamma + gamma * gamma};
    for (int k = 1; k <= 3; k++) {
        const struct ub_estimate e = ub_quadrature_moment(&q, k);
        assert_near(e.value / N, moment[k - 1], ub_estimate_margin(e, 0.999) / N + 10.0 * k / N);
    }
    ub_quadrature_free(&q);
    ub_operator_free(&A);
    ub_free(a);
}

/* A spike l above 1 + sqrt(gamma) leaves the bulk (Baik, Ben Arous and Peche 2005): the largest
 * eigenvalue is at l (1 + gamma / (l - 1)), its vector's squared overlap with the spike
 * (1 - gamma / (l - 1)^2) / (1 + gamma / (l - 1)) (Paul 2007). Below, it stays at the edge. */
static void test_spiked_wishart(void **state)
{
    (void)state;
    enum { N = 400, ROWS = 800 };
    const double gamma = (double)N / ROWS, edge = pow(1 + sqrt(gamma), 2);
    const double spikes[] = {1.3, 3, 6};
    struct ub_random random = ub_random_stream(5, "quadrature test");
    struct ub_error err = {0};
    for (int k = 0; k < 3; k++) {
        const double l = spikes[k], excess = gamma / (l - 1);
        double *a = wishart(ROWS, N, l, &random);
        struct ub_operator A = ub_operator_dense(N, a);
        struct ub_eigenpairs top;
        const struct ub_lanczos_options o = {.count = 2, .tolerance = 1e-8};
        assert_true(ub_lanczos(&A, &o, &top, &err));
        const double overlap = pow(top.vectors[N - 1], 2);
        const bool outside = l > 1 + sqrt(gamma);
        print_message("spike %g: top %.4f, overlap %.4f\n", l, top.value[0], overlap);
        if (outside) { /* fluctuates as l sqrt(2 (1 - gamma / (l - 1)^2) / rows); 4 of these */
            const double deviation = l * sqrt(2 * (1 - excess * excess / gamma) / ROWS);
            assert_near(top.value[0], l * (1 + excess), 4 * deviation);
            assert_near(overlap, (1 - excess * excess / gamma) / (1 + excess), 0.06);
        } else {
            assert_near(top.value[0], edge, 0.1);
            assert_true(overlap < 0.1);
        }
        assert_near(top.value[outside], edge, 0.1); /* the bulk's own edge */
        ub_eigenpairs_free(&top);
        ub_operator_free(&A);
        ub_free(a);
    }
}

/* ---- limits ---- */

static void test_limits(void **state)
{
    (void)state;
    struct ub_error err = {0};
    double values[300] = {0}, density;
    struct ub_operator one = ub_operator_diagonal(1, values),
                       zero = ub_operator_diagonal(300, values);
    struct ub_quadrature q = rules(&one, (struct ub_quadrature_options){.probes = 2});
    assert_near(ub_quadrature_moment(&q, 1).value, 0, 0);
    ub_quadrature_free(&q);
    q = rules(&zero, (struct ub_quadrature_options){.probes = 3}); /* closes at once */
    assert_int_equal(q.products, 3);
    assert_int_equal(q.count[2], 1);
    ub_quadrature_density(&q, 1, true, 1, values, 0.95, &density, NULL);
    assert_near(density, 1 / sqrt(2 * M_PI), 1e-12);
    ub_quadrature_free(&q);
    values[7] = 3; /* rank one: two distinct eigenvalues, two steps */
    q = rules(&zero, (struct ub_quadrature_options){.probes = 3});
    assert_int_equal(q.products, 6);
    assert_near(q.high, 3, 1e-12);
    ub_quadrature_free(&q);
    values[9] = NAN;
    struct ub_quadrature_options o = {.outliers = 300};
    assert_false(ub_quadrature_new(&zero, &(struct ub_quadrature_options){0}, &q, &err));
    assert_input_error(&err, "not finite");
    assert_null(q.node);
    assert_false(ub_quadrature_new(&zero, &o, &q, &err));
    assert_input_error(&err, "fewer outliers");
    ub_operator_free(&one);
    ub_operator_free(&zero);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_are_squared_components),
        cmocka_unit_test(test_gauss_degree),
        cmocka_unit_test(test_functionals),
        cmocka_unit_test(test_density_against_dense_spectrum),
        cmocka_unit_test(test_marchenko_pastur),
        cmocka_unit_test(test_spiked_wishart),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
