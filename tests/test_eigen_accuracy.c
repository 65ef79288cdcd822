/* The accuracy that the eigenvalue tracker is asked for, against LAPACK on explicit matrices: its
 * bounds, and what a warm start may miss. */
#include "tests/explicit_operators.h"

/* Bounds with the true largest eigenvalue on the complement, of random symmetric matrices and the
 * Ritz vectors of random subspaces that lie near the leading eigenvectors, against LAPACK. */
static void test_bounds_hold(void **state)
{
    (void)state;
    enum { N = 24, K = 3, TRIALS = 400 };
    struct ub_random random = ub_random_stream(10, "eigen test");
    int open = 0;
    double sharpest = INFINITY;
    for (int trial = 0; trial < TRIALS; trial++) {
        /* In the basis of Ritz vectors and complement: A = [diag(theta), E'; E, C]. */
        struct dense d = new_dense(N), c = new_dense(N - K);
        double theta[K], residual[K] = {0}, bound[K];
        fill_symmetric(&c, &random);
        double *inner = true_values(&c);
        const double next = inner[N - K - 1], size = pow(10, -3 * ub_random_uniform(&random));
        for (int i = K - 1; i >= 0; i--) /* repeated in half of the trials, below next in some */
            theta[i] = next + (trial % 2 ? 2 : 2 + (K - i)) * (ub_random_uniform(&random) - 0.1);
        theta[1] = fmin(theta[0], theta[1]);
        theta[2] = trial % 2 ? theta[1] : fmin(theta[1], theta[2]);
        for (int64_t i = 0; i < N; i++)
            for (int64_t j = 0; j < N; j++) {
                if (i >= K && j >= K)
                    d.a[i * N + j] = c.a[(i - K) * (N - K) + j - K];
                if (i == j && i < K)
                    d.a[i * N + j] = theta[i];
                if (i >= K && j < K)
                    d.a[i * N + j] = d.a[j * N + i] = size * ub_random_normal(&random);
            }
        for (int j = 0; j < K; j++)
            for (int64_t i = K; i < N; i++)
                residual[j] += d.a[i * N + j] * d.a[i * N + j];
        for (int j = 0; j < K; j++)
            residual[j] = sqrt(residual[j]);
        ub_eigen_bounds(K, theta, residual, next, bound);
        double *truth = true_values(&d);
        for (int j = 0; j < K; j++) {
            assert_true(bound[j] <= residual[j]);
            if (theta[K - 1] <= next || bound[j] >= residual[j])
                continue;
            const double above = truth[N - 1 - j] - theta[j];
            assert_true(above >= -1e-12 && above <= bound[j] + 1e-12);
            sharpest = fmin(sharpest, bound[j] / above - 1);
            open++;
        }
        ub_free(truth);
        ub_free(inner);
        ub_free(d.a);
        ub_free(c.a);
    }
    print_message("%d bounds by gaps hold, from %.0f%% above the error on\n", open, 100 * sharpest);
    assert_true(open > TRIALS);
    const double theta = 3, e = 0.5, exact = 2 + sqrt(1 + e * e); /* of [[3, e], [e, 1]] */
    double bound;
    ub_eigen_bounds(1, &theta, &e, 1, &bound);
    assert_near(theta + bound, exact, 1e-14);
    ub_eigen_bounds(1, &theta, &e, 3, &bound); /* no gap: the residual */
    assert_near(bound, e, 0);
}

/* What a warm start may miss, each call against LAPACK: the top jumps to another direction, which
 * the old vectors do not see; repeated tops; all negative; nothing at all; a large negative end. */
static void plant(int call, int64_t n, double *value)
{
    for (int64_t i = 0; i < n; i++)
        value[i] = 4.0 / (double)(i + 1);
    switch (call / 4) { /* each for four calls */
    case 1:
        value[n - 1] = 6;
        break;
    case 2:
        value[n - 1] = value[n - 2] = value[n / 2] = 7;
        break;
    case 3:
        for (int64_t i = 0; i < n; i++)
            value[i] = -1 - (double)i;
        break;
    case 4:
        memset(value, 0, (size_t)n * sizeof *value);
        break;
    case 5:
        value[3] = -50;
        break;
    default:
        break;
    }
}

static void test_planted_changes_are_found_to_an_accuracy(void **state)
{
    (void)state;
    enum { N = 90, CALLS = 28 };
    struct ub_random random = ub_random_stream(11, "eigen test");
    struct dense d = new_dense(N);
    const struct ub_operator a = operator_of(&d);
    const struct ub_eigen_goal goal = {.accuracy = 1e-3, .products = 500};
    double value[N], worst = 0;
    for (int64_t top = 1; top <= 3; top++) {
        struct ub_eigen_tracker *t = ub_eigen_tracker_new(N, top);
        for (int call = 0; call < CALLS; call++) {
            plant(call, N, value);
            if (call % 4 == 0) /* all vectors anew */
                rotate_spectrum(&d, value, &random);
            const struct ub_eigen_result r = ub_eigen_track_to(t, &a, &goal);
            double *truth = true_values(&d);
            const double size = fmax(fabs(truth[N - 1]), fabs(truth[N - top]));
            assert_true(r.converged);
            check(&d, &r, 2e-3, top); /* residuals within twice the accuracy */
            for (int64_t i = 0; i < top; i++) {
                const double off = fabs(r.value[i] - truth[N - 1 - i]);
                assert_true(off <= 1e-3 * size + 1e-13);
                worst = size > 0 ? fmax(worst, off / size) : worst;
            }
            ub_free(truth);
        }
        ub_eigen_tracker_free(t);
    }
    print_message("planted changes: worst error %.1e of the largest\n", worst);
    ub_free(d.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_hold),
        cmocka_unit_test(test_planted_changes_are_found_to_an_accuracy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
