/* Laws of noise against closed forms, published numbers and simulated matrices; scalars of spectra
 * by hand. */
#include "tests/support.h"

#include "bench/spectra/random_matrix.h"
#include "bench/spectra/scalars.h"

#include <lapacke.h>

/* ---- Marchenko-Pastur ---- */

/* The density over [lower, x] by the midpoint rule, in the angle that makes its edges smooth. */
static double integrate(double to, double aspect, double variance, int power)
{
    const double low = ub_mp_lower(aspect, variance), high = ub_mp_upper(aspect, variance);
    enum { STEPS = 20000 };
    const double end = acos(fmin(fmax(1 - 2 * (to - low) / (high - low), -1), 1));
    double sum = 0;
    for (int i = 0; i < STEPS; i++) {
        const double t = end * (i + 0.5) / STEPS, x = low + (high - low) * (1 - cos(t)) / 2;
        sum += pow(x, power) * ub_mp_density(x, aspect, variance) * sin(t);
    }
    return sum * end / STEPS * (high - low) / 2;
}

static void test_marchenko_pastur_integrates(void **state)
{
    (void)state;
    static const double aspects[] = {0.05, 0.5, 1, 2, 7};
    for (int i = 0; i < 5; i++) {
        const double q = aspects[i], v = 1.7, high = ub_mp_upper(q, v), low = ub_mp_lower(q, v);
        const double zero = q > 1 ? 1 - 1 / q : 0;
        assert_near(integrate(high, q, v, 0), fmin(1, 1 / q), 1e-6);
        assert_near(integrate(high, q, v, 1), v, 1e-6);
        assert_near(integrate(high, q, v, 2), v * v * (1 + q), 1e-6);
        for (int k = 1; k < 10; k++) {
            const double x = low + (high - low) * k / 10;
            assert_near(ub_mp_cdf(x, q, v), zero + integrate(x, q, v, 0), 1e-6);
            assert_near(ub_mp_quantile(ub_mp_cdf(x, q, v), q, v), x, 1e-9);
        }
        assert_near(ub_mp_cdf(high, q, v), 1, 1e-12);
        assert_near(ub_mp_cdf(0.999 * low, q, v), zero, 1e-12);
        assert_near(ub_mp_cdf(-1, q, v), 0, 0);
    }
    /* Gavish and Donoho 2014: the optimal threshold over the median's root, 4/sqrt 3 over
     * sqrt(median) at q = 1, is 2.858 */
    assert_near(4 / sqrt(3) / sqrt(ub_mp_quantile(0.5, 1, 1)), 2.858, 5e-4);
}

/* Eigenvalues of W'W/n, descending; spikes are population eigenvalues of the leading columns. */
static void wishart(struct ub_random *random, int n, int p, double variance, const double *spikes,
                    int n_spikes, double *values)
{
    double *w = ub_calloc((size_t)n * (size_t)p, sizeof *w), *unused = ub_calloc((size_t)n, 8);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < p; j++)
            w[i * p + j] =
                ub_random_normal(random) * sqrt(variance * (j < n_spikes ? spikes[j] : 1));
    const int m = n < p ? n : p;
    assert_int_equal(
        LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'N', n, p, w, p, values, unused, n, unused, p), 0);
    for (int i = 0; i < p; i++)
        values[i] = i < m ? values[i] * values[i] / n : 0;
    ub_free(unused);
    ub_free(w);
}

static void test_marchenko_pastur_fits_a_wishart(void **state)
{
    (void)state;
    static const int shapes[2][2] = {{600, 200}, {200, 600}};
    double values[600];
    struct ub_random random = ub_random_stream(3, "wishart");
    for (int i = 0; i < 2; i++) {
        const int n = shapes[i][0], p = shapes[i][1];
        const double q = (double)p / n;
        wishart(&random, n, p, 2.5, NULL, 0, values);
        double distance = 0; /* eigenvalues are rigid: order log p / p, not 1/sqrt p */
        for (int k = 0; k < 200; k++)
            distance = fmax(distance, fabs(1 - (k + 0.5) / p - ub_mp_cdf(values[k], q, 2.5)));
        assert_true(distance < 0.02);
        assert_near(values[0], ub_mp_upper(q, 2.5), 0.04 * values[0]);
        assert_near(values[199], ub_mp_lower(q, 2.5), 0.04 * values[0]);
        assert_near(ub_mp_variance(values, p, q), 2.5, 0.05);
        for (int k = 0; k < 5; k++)
            values[k] = 1e6;
        assert_near(ub_mp_variance(values, p, q), 2.5, 0.15);
    }
    for (int k = 0; k < 201; k++) /* the law itself: its median is the middle one's */
        values[k] = ub_mp_quantile((k + 0.5) / 201, 0.3, 1.9);
    assert_near(ub_mp_variance(values, 201, 0.3), 1.9, 1e-9);
    assert_true(isnan(ub_mp_variance(NULL, 0, 0.5)));
    assert_true(isnan(ub_mp_variance((double[]){0, 0, 0}, 3, 0.5)));
}

/* ---- Tracy-Widom ---- */

/* Published: Bornemann 2010 (arXiv:0904.1581), table of moments; Bejan 2005's quantiles. */
static void test_tracy_widom_is_the_published_one(void **state)
{
    (void)state;
    assert_near(ub_tracy_widom_quantile(0.95), 0.9793, 5e-5);
    assert_near(ub_tracy_widom_quantile(0.99), 2.0234, 5e-5);
    assert_near(ub_tracy_widom_quantile(0.90), 0.4501, 5e-5);
    enum { STEPS = 440 }; /* trapezoids are exponentially exact on an analytic bump */
    const double low = -11, width = 22.0 / STEPS;
    double first = 0, second = 0;
    for (int i = 0; i <= STEPS; i++) { /* by parts: E s = high - int F, E s^2 likewise */
        const double s = low + width * i, f = ub_tracy_widom_cdf(s);
        const double share = i == 0 || i == STEPS ? 0.5 : 1;
        first += share * width * f;
        second += share * width * 2 * s * f;
    }
    const double high = -low, mean = high - first;
    /* the end corrections of the trapezoid rule: F' is 0 at both, (2 s F)' = 2 at the upper */
    second -= width * width / 12 * 2;
    assert_near(mean, -1.2065335745820, 1e-10);
    assert_near(high * high - second - mean * mean, 1.607781034581, 1e-9);
    assert_near(ub_tracy_widom_cdf(ub_tracy_widom_quantile(0.3)), 0.3, 1e-11);
    assert_true(ub_tracy_widom_cdf(-20) == 0 && ub_tracy_widom_cdf(20) == 1);
    assert_true(isnan(ub_tracy_widom_quantile(1)) && isnan(ub_tracy_widom_quantile(0)));
    for (double s = -11; s < 8; s += 0.25)
        assert_true(ub_tracy_widom_cdf(s) >= ub_tracy_widom_cdf(s - 0.25) - 1e-14);
}

/* Share of noise matrices whose largest eigenvalue passes the edge: within 4 binomial deviations of
 * the level, plus Johnstone's own error at such sizes, under 0.01. */
static void test_edges_hold_their_level(void **state)
{
    (void)state;
    enum { TRIALS = 400 };
    static const int shapes[3][2] = {{80, 40}, {40, 80}, {60, 10}};
    struct ub_random random = ub_random_stream(5, "edges");
    double values[80];
    for (int i = 0; i < 3; i++) {
        const int n = shapes[i][0], p = shapes[i][1];
        const double edge10 = ub_noise_edge(n, p, 3, 0.10), edge50 = ub_noise_edge(n, p, 3, 0.5);
        int above10 = 0, above50 = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            wishart(&random, n, p, 3, NULL, 0, values);
            above10 += values[0] > edge10;
            above50 += values[0] > edge50;
        }
        print_message("%d x %d: %.3f beyond the 10%% edge, %.3f beyond the 50%% edge\n", n, p,
                      (double)above10 / TRIALS, (double)above50 / TRIALS);
        assert_near((double)above10 / TRIALS, 0.10, 0.07);
        assert_near((double)above50 / TRIALS, 0.50, 0.12);
    }
}

/* The largest eigenvalue of the Gaussian orthogonal ensemble, (l - sqrt(2n)) sqrt2 n^(1/6) for
 * densities exp(-tr A^2/2), has the law in the limit. */
static void test_orthogonal_ensemble_has_the_law(void **state)
{
    (void)state;
    enum { N = 60, TRIALS = 400 };
    struct ub_random random = ub_random_stream(7, "goe");
    double *a = ub_calloc((size_t)N * N, sizeof *a), values[N], mean = 0, squares = 0;
    int below = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j <= i; j++)
                a[i * N + j] = ub_random_normal(&random) * (i == j ? 1 : sqrt(0.5));
        assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', N, a, N, values), 0);
        const double s = (values[N - 1] - sqrt(2.0 * N)) * sqrt(2) * pow(N, 1.0 / 6);
        mean += s / TRIALS;
        squares += s * s / TRIALS;
        below += s < -1.2686; /* median of F1 */
    }
    ub_free(a);
    assert_near(ub_tracy_widom_quantile(0.5), -1.2686, 1e-4);
    assert_near(mean, -1.2065, 4 * sqrt(1.6078 / TRIALS) + 0.05);
    assert_near(squares - mean * mean, 1.6078, 0.5);
    assert_near((double)below / TRIALS, 0.5, 0.1 + 0.03);
}

/* ---- outliers ---- */

/* Threshold 1 + sqrt q = 1.5: of spikes 12, 8, 5, 3 and 1.2, four separate. */
static void test_spikes_above_the_transition_are_counted(void **state)
{
    (void)state;
    enum { N = 1200, P = 300 };
    static const double spikes[] = {12, 8, 5, 3, 1.2};
    struct ub_random random = ub_random_stream(9, "spikes");
    double values[P];
    for (int trial = 0; trial < 3; trial++) {
        wishart(&random, N, P, 0.5, spikes, 5, values);
        const double v = ub_mp_variance(values, P, (double)P / N);
        assert_int_equal(ub_count_above(values, P, ub_noise_edge(N, P, v, 0.001)), 4);
        for (int k = 0; k < 4; k++)
            assert_near(values[k] / ub_spike_place(spikes[k], 0.25, 0.5), 1, 0.15);
        const struct ub_gap gap = ub_largest_gap(values + 3, P - 3, 20);
        assert_int_equal(gap.count, 1);
        assert_true(gap.ratio > 1.3);
    }
    assert_true(isnan(ub_spike_place(1.2, 0.25, 0.5)));
    assert_near(ub_spike_place(3, 0.25, 0.5), 0.5 * 3 * 1.125, 1e-15);
}

static void test_outliers_in_words_of_classes(void **state)
{
    (void)state;
    assert_string_equal(ub_outliers_in_classes(9, 10), "C - 1");
    assert_string_equal(ub_outliers_in_classes(10, 10), "C");
    assert_string_equal(ub_outliers_in_classes(100, 10), "C^2");
    assert_string_equal(ub_outliers_in_classes(90, 10), "C (C - 1)");
    assert_string_equal(ub_outliers_in_classes(3, 10), "fewer than C - 1");
    assert_string_equal(ub_outliers_in_classes(17, 10), "more than C");
    assert_string_equal(ub_outliers_in_classes(0, 10), "none");
    assert_string_equal(ub_outliers_in_classes(5, 1), "no classes");
    const struct ub_gap gap = ub_largest_gap((double[]){9, 8, 2, 1.5, 0, 0}, 6, 5);
    assert_int_equal(gap.count, 2);
    assert_near(gap.ratio, 4, 1e-15);
    assert_int_equal(ub_largest_gap((double[]){9, 8, 2}, 3, 1).count, 1);
    assert_int_equal(ub_largest_gap((double[]){9, 0}, 2, 5).count, 0);
}

/* ---- scalars ---- */

static void test_scalars_by_hand(void **state)
{
    (void)state;
    const double flat[] = {2, 2, 2, 2}, one[] = {0, 1e-300, 0}, mixed[] = {1, 4, -1e-17, 0, 3};
    struct ub_scalars s = ub_spectrum_scalars(flat, 4);
    assert_near(s.stable_rank, 4, 1e-15);
    assert_near(s.participation_ratio, 4, 1e-15);
    assert_near(s.entropy_rank, 4, 1e-14);
    assert_near(s.trace, 8, 1e-15);
    s = ub_spectrum_scalars(one, 3);
    assert_near(s.stable_rank, 1, 1e-15);
    assert_near(s.participation_ratio, 1, 1e-15);
    assert_near(s.entropy_rank, 1, 1e-15);
    assert_near(s.log_norm, -300, 1e-12);
    s = ub_spectrum_scalars(mixed, 5);
    assert_near(s.largest, 4, 0);
    assert_near(s.stable_rank, 2, 1e-15);
    assert_near(s.participation_ratio, 64.0 / 26, 1e-14);
    assert_near(s.entropy_rank, exp(log(8) - (4 * log(4) + 3 * log(3)) / 8), 1e-14);
    assert_near(s.log_norm, log10(8), 1e-15);
    assert_near(s.log_spectral_norm, log10(4), 1e-15);
    assert_near(ub_effective_dimension(mixed, 5, 2), 1.0 / 3 + 4.0 / 6 + 3.0 / 5, 1e-15);
    assert_near(ub_alpha_hat(mixed, 5, 2.5), 2.5 * log10(4), 1e-15);
    assert_near(ub_log_alpha_norm(mixed, 5, 2.5), log10(1 + 32 + pow(3, 2.5)), 1e-14);
    s = ub_spectrum_scalars((double[]){1, (double)NAN}, 2);
    assert_true(isnan(s.stable_rank) && isnan(s.participation_ratio) && isnan(s.entropy_rank));
    assert_true(isnan(ub_spectrum_scalars(NULL, 0).stable_rank));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marchenko_pastur_integrates),
        cmocka_unit_test(test_marchenko_pastur_fits_a_wishart),
        cmocka_unit_test(test_tracy_widom_is_the_published_one),
        cmocka_unit_test(test_edges_hold_their_level),
        cmocka_unit_test(test_orthogonal_ensemble_has_the_law),
        cmocka_unit_test(test_spikes_above_the_transition_are_counted),
        cmocka_unit_test(test_outliers_in_words_of_classes),
        cmocka_unit_test(test_scalars_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
