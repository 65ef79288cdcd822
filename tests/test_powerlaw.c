/* Power-law fits against closed forms, and their intervals against simulation. */
#include "tests/support.h"

#include "bench/spectra/powerlaw.h"

static void fill(double *v, int64_t n, double scale, double exponent)
{
    for (int64_t k = 1; k <= n; k++)
        v[k - 1] = scale * pow((double)k, -exponent);
}

static void test_pure_power_laws_are_exact(void **state)
{
    (void)state;
    static const double exponents[] = {0.3, 1, 1.5, 3};
    double v[100];
    for (int i = 0; i < 4; i++) {
        fill(v, 100, 7, exponents[i]);
        const struct ub_powerlaw fit = ub_powerlaw_fit(v, 100, 0, 0, 1);
        assert_true(fit.valid);
        assert_int_equal(fit.first, 1);
        assert_int_equal(fit.last, 100);
        assert_near(fit.exponent, exponents[i], 1e-12);
        assert_near(fit.prefactor, 7, 1e-10);
        assert_near(fit.low, exponents[i], 1e-12);
        assert_near(fit.high, exponents[i], 1e-12);
        assert_near(fit.r_squared, 1, 1e-12);
        assert_string_equal(fit.best, "power");
    }
}

static void test_given_ranges_are_kept(void **state)
{
    (void)state;
    double v[60];
    fill(v, 60, 2, 1.2);
    for (int k = 0; k < 4; k++)
        v[k] = 50; /* outside the range */
    struct ub_powerlaw fit = ub_powerlaw_fit(v, 60, 5, 40, 0);
    assert_int_equal(fit.first, 5);
    assert_int_equal(fit.last, 40);
    assert_near(fit.exponent, 1.2, 1e-12);
    fit = ub_powerlaw_fit(v, 60, 5, 0, 0);
    assert_int_equal(fit.first, 5);
    assert_int_equal(fit.last, 60);
    fit = ub_powerlaw_fit(v, 60, 30, 999, 0);
    assert_true(fit.valid);
    assert_int_equal(fit.last, 60);
}

static void test_rule_leaves_out_outliers_and_the_drop_at_the_tail(void **state)
{
    (void)state;
    double v[300];
    fill(v, 300, 1, 1);
    for (int k = 0; k < 3; k++)
        v[k] = 200 - 10 * k;
    for (int k = 250; k < 300; k++) /* a steep edge down to 1e-5 of the law */
        v[k] *= exp(-0.23 * (k - 249));
    const struct ub_powerlaw fit = ub_powerlaw_fit(v, 300, 0, 0, 0);
    assert_true(fit.valid);
    assert_in_range(fit.first, 2, 12);
    assert_in_range(fit.last, 200, 275);
    assert_near(fit.exponent, 1, 0.1);
}

static void test_noise_floor_and_zeros_end_the_range(void **state)
{
    (void)state;
    double v[200];
    fill(v, 200, 1, 2);
    for (int k = 80; k < 200; k++)
        v[k] = k < 120 ? 1e-9 : k < 150 ? 0 : -1e-9;
    struct ub_powerlaw fit = ub_powerlaw_fit(v, 200, 0, 0, 0);
    assert_int_equal(fit.last, 80);
    assert_near(fit.exponent, 2, 1e-12);
    fit = ub_powerlaw_fit(v, 200, 1, 200, 0); /* asked for: only positivity counts */
    assert_int_equal(fit.last, 120);
    v[10] = (double)NAN;
    fit = ub_powerlaw_fit(v, 200, 0, 0, 0);
    assert_int_equal(fit.last, 10);
    fill(v, 200, 3, 6); /* straight all the way, but 15^-6 < 2^-23 < 14^-6 */
    fit = ub_powerlaw_fit(v, 200, 0, 0, 0);
    assert_int_equal(fit.last, 14);
}

/* Fills r with AR(1) noise of unit stationary deviation. */
static void autoregression(struct ub_random *random, double rho, double *r, int64_t n)
{
    double u = ub_random_normal(random);
    for (int64_t i = 0; i < n; i++) {
        r[i] = u;
        u = rho * u + sqrt(1 - rho * rho) * ub_random_normal(random);
    }
}

static double coverage(double rho, int64_t n, double *bare)
{
    enum { TRIALS = 200 };
    struct ub_random random = ub_random_stream(11, "power law test");
    double *v = ub_calloc((size_t)n, sizeof *v), *noise = ub_calloc((size_t)n, sizeof *noise);
    int covered = 0, covered_bare = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        fill(v, n, 1, 1.3);
        autoregression(&random, rho, noise, n);
        double xx = 0, x = 0;
        for (int64_t i = 0; i < n; i++) {
            v[i] *= exp(0.1 * noise[i]);
            x += log((double)(i + 1));
            xx += log((double)(i + 1)) * log((double)(i + 1));
        }
        const struct ub_powerlaw fit = ub_powerlaw_fit(v, n, 1, n, (uint64_t)trial);
        covered += fabs(fit.exponent - 1.3) <= fit.noise;
        /* what the textbook error, deviation / sqrt(Sxx), would cover */
        covered_bare += fabs(fit.exponent - 1.3) <= 1.96 * 0.1 / sqrt(xx - x * x / (double)n);
    }
    ub_free(noise);
    ub_free(v);
    *bare = (double)covered_bare / TRIALS;
    return (double)covered / TRIALS;
}

static void test_intervals_cover_under_autocorrelation(void **state)
{
    (void)state;
    static const double rho[] = {0, 0.5, 0.8, 0.9};
    for (int i = 0; i < 4; i++)
        for (int64_t n = 50; n <= 200; n *= 4) {
            double bare;
            const double share = coverage(rho[i], n, &bare);
            print_message("rho %.1f, n %lld: %.1f%% (bare least squares %.1f%%)\n", rho[i],
                          (long long)n, 100 * share, 100 * bare);
            /* 3.3 binomial deviations of 200 trials; with few ranks and long correlation, three
             * points below the nominal rate */
            const double level = rho[i] > 0.8 && n == 50 ? 0.92 : 0.95;
            assert_true(share >= level - 3.3 * sqrt(level * (1 - level) / 200) && share < 1);
            if (rho[i] >= 0.8)
                assert_true(bare < 0.7);
        }
}

/* log v = -(k/t)^b - c log^2 k with a little noise, to see that the form is told apart. */
static struct ub_powerlaw noisy(double t, double b, double e, double c, double noise)
{
    enum { N = 120 };
    double v[N];
    struct ub_random random = ub_random_stream(5, "forms");
    for (int k = 1; k <= N; k++) {
        const double x = log((double)k), decay = t > 0 ? pow(k / t, b) : 0;
        v[k - 1] = exp(-decay - e * x - c * x * x + noise * ub_random_normal(&random));
    }
    return ub_powerlaw_fit(v, N, 1, N, 0);
}

static void test_each_form_is_recognized(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const double noise = i == 0 ? 0 : 0.03;
        assert_string_equal(noisy(0, 0, 1.4, 0, noise).best, "power");
        assert_string_equal(noisy(12, 1, 0, 0, noise).best, "exponential");
        assert_string_equal(noisy(2, 0.43, 0, 0, noise).best, "stretched");
        assert_string_equal(noisy(0, 0, 0.5, 0.3, noise).best, "log-normal");
    }
    /* chosen range on an exponential: none is straight, so all of it */
    double v[100];
    for (int k = 0; k < 100; k++)
        v[k] = exp(-0.1 * k);
    const struct ub_powerlaw fit = ub_powerlaw_fit(v, 100, 0, 0, 0);
    assert_int_equal(fit.last - fit.first + 1, 100);
    assert_string_equal(fit.best, "exponential");
}

/* Power against exponential: same coefficients, so the BICs differ by m log of the ratio of the
 * sums of squares, here from the normal equations; independent noise has m near n. */
static void test_bic_by_hand(void **state)
{
    (void)state;
    enum { N = 400 };
    double v[N], squares[2];
    struct ub_random random = ub_random_stream(3, "bic");
    for (int k = 1; k <= N; k++)
        v[k - 1] = pow(k, -1.5) * exp(0.2 * ub_random_normal(&random));
    for (int form = 0; form < 2; form++) {
        double x = 0, y = 0, xx = 0, xy = 0, yy = 0;
        for (int k = 1; k <= N; k++) {
            const double a = form ? k : log((double)k), b = log(v[k - 1]);
            x += a, y += b, xx += a * a, xy += a * b, yy += b * b;
        }
        const double sxy = xy - x * y / N, sxx = xx - x * x / N;
        squares[form] = yy - y * y / N - sxy * sxy / sxx;
    }
    const struct ub_powerlaw fit = ub_powerlaw_fit(v, N, 1, N, 0);
    const double m = (fit.bic_exponential - fit.bic_power) / log(squares[1] / squares[0]);
    assert_true(m > 0.75 * N && m <= N * (1 + 1e-9));
    assert_near(fit.bic_power, m * log(squares[0] / N) + 2 * log(m), 1e-6 * N);
    assert_near(fit.bic_lognormal, fit.bic_power, 2 * log(N) + 10);
}

static void test_seed_decides_the_interval(void **state)
{
    (void)state;
    double v[50], noise[50];
    struct ub_random random = ub_random_stream(1, "seed");
    fill(v, 50, 1, 1);
    autoregression(&random, 0.5, noise, 50);
    for (int i = 0; i < 50; i++)
        v[i] *= exp(0.05 * noise[i]);
    const struct ub_powerlaw a = ub_powerlaw_fit(v, 50, 1, 50, 4),
                             b = ub_powerlaw_fit(v, 50, 1, 50, 4),
                             c = ub_powerlaw_fit(v, 50, 1, 50, 5);
    assert_true(a.low == b.low && a.high == b.high);
    assert_true(a.exponent == c.exponent && a.low != c.low);
    assert_near(a.high - a.low, c.high - c.low, 0.2 * (a.high - a.low));
}

static void test_bad_spectra_are_not_fitted(void **state)
{
    (void)state;
    double v[20] = {0};
    assert_false(ub_powerlaw_fit(v, 20, 0, 0, 0).valid);
    assert_false(ub_powerlaw_fit(v, 20, 1, 20, 0).valid);
    assert_false(ub_powerlaw_fit(NULL, 0, 0, 0, 0).valid);
    fill(v, 20, 1, 1);
    assert_false(ub_powerlaw_fit(v, 4, 0, 0, 0).valid);
    assert_true(ub_powerlaw_fit(v, 5, 0, 0, 0).valid);
    assert_false(ub_powerlaw_fit(v, 20, 17, 0, 0).valid);
    assert_false(ub_powerlaw_fit(v, 20, 25, 30, 0).valid);
    assert_false(ub_powerlaw_fit(v, 20, 9, 3, 0).valid);
    assert_false(ub_powerlaw_fit(v, 20, -3, 12, 0).valid);
    v[0] = (double)INFINITY;
    assert_false(ub_powerlaw_fit(v, 20, 0, 0, 0).valid);
    v[0] = (double)NAN;
    const struct ub_powerlaw fit = ub_powerlaw_fit(v, 20, 0, 0, 0);
    assert_false(fit.valid);
    assert_true(isnan(fit.exponent));
    assert_string_equal(fit.best, "none");
    for (int i = 0; i < 20; i++)
        v[i] = 3;
    assert_near(ub_powerlaw_fit(v, 20, 0, 0, 0).exponent, 0, 1e-12); /* flat, but a spectrum */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pure_power_laws_are_exact),
        cmocka_unit_test(test_given_ranges_are_kept),
        cmocka_unit_test(test_rule_leaves_out_outliers_and_the_drop_at_the_tail),
        cmocka_unit_test(test_noise_floor_and_zeros_end_the_range),
        cmocka_unit_test(test_intervals_cover_under_autocorrelation),
        cmocka_unit_test(test_each_form_is_recognized),
        cmocka_unit_test(test_bic_by_hand),
        cmocka_unit_test(test_seed_decides_the_interval),
        cmocka_unit_test(test_bad_spectra_are_not_fitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
