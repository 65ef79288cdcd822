/* Statistics against closed forms, textbook values, enumeration and seeded simulation. */
#include "tests/support.h"

#include "report/statistics/statistics.h"

#include <math.h>
#include <string.h>

static void test_welford_survives_an_offset(void **state)
{
    (void)state;
    const double x[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16}; /* variance 30 */
    assert_near(ub_mean(x, 4), 1e9 + 10, 0);
    assert_near(ub_deviation(x, 4), sqrt(30.0), 1e-12);
    const double cancelling[] = {1e17, 1.0, -1e17, 1.0};
    assert_near(ub_mean(cancelling, 4), 0.5, 0);
}

static void test_too_few_data_give_nan(void **state)
{
    (void)state;
    const double one[] = {3.0};
    assert_true(isnan(ub_mean(one, 0)));
    assert_true(isnan(ub_deviation(one, 1)));
    assert_true(isnan(ub_median(one, 0)));
    assert_true(isnan(ub_series_mean(one, 1).low));
    assert_near(ub_series_mean(one, 1).estimate, 3.0, 0);
    assert_true(isnan(ub_welch_p(one, 1, one, 1)));
    assert_true(isnan(ub_random_effects(one, one, 0).mean.estimate));
    assert_near(ub_random_effects(one, one, 1).mean.estimate, 3.0, 0);
}

static void test_quantiles_of_type_7(void **state)
{
    (void)state;
    const double x[] = {9, 1, 4, 3};
    assert_near(ub_median(x, 4), 3.5, 0);
    assert_near(ub_quantile(x, 4, 0.25), 2.5, 1e-15); /* 1 + 0.75 * (3 - 1) */
    assert_near(ub_quantile(x, 4, 1.0), 9.0, 0);
    assert_near(ub_quantile(x, 4, 0.0), 1.0, 0);
}

/* What lies on top of the autoregression. */
enum added { NOTHING, WHITE_NOISE, PERIOD_TWO };

/* Fills x with an AR(1) series of mean 5 and unit stationary variance, and what is added. */
static void autoregression(struct ub_random *r, double phi, enum added added, double *x, size_t n)
{
    double z = ub_random_normal(r);
    for (size_t i = 0; i < n; i++) {
        x[i] = 5.0 + z;
        z = phi * z + sqrt(1.0 - phi * phi) * ub_random_normal(r);
        if (added == WHITE_NOISE)
            x[i] += ub_random_normal(r);
        if (added == PERIOD_TWO)
            x[i] += i % 2 ? 2.0 : -2.0;
    }
}

/* Share of 95% intervals that have the mean, and their mean half width in units of what it would be
 * were the autocorrelation known. */
static double coverage(double phi, size_t n, enum added added, double *width)
{
    enum { TRIALS = 300 };
    struct ub_random r = ub_random_stream(7, "statistics test");
    double *x = ub_calloc(n, sizeof *x), variance = added == WHITE_NOISE ? 1.0 / (double)n : 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            variance += pow(phi, fabs((double)i - (double)k)) / (double)(n * n);
    int covered = 0;
    *width = 0.0;
    for (int trial = 0; trial < TRIALS; trial++) {
        autoregression(&r, phi, added, x, n);
        const struct ub_interval mean = ub_series_mean(x, n);
        covered += mean.low <= 5.0 && 5.0 <= mean.high;
        *width += (mean.high - mean.low) / 2 / (1.96 * sqrt(variance)) / TRIALS;
    }
    ub_free(x);
    return (double)covered / TRIALS;
}

/* What a series of n can show of: what is forgotten, -1/ln(phi), in no more than n (1.05 n: 10
 * points of phi = 0.9 are asked for), and n/3 where white noise hides it. */
static bool is_promised(double phi, size_t n, enum added added)
{
    const double most = added == WHITE_NOISE ? (double)n / 3 : 1.05 * (double)n;
    return phi <= 0 || -1 / log(phi) <= most;
}

/* With the autocorrelation time estimated instead, phi = 0.9 is covered in 58% with 10 points. */
static void test_series_interval_covers_the_mean(void **state)
{
    (void)state;
    const double phi[] = {-0.8, 0.0, 0.5, 0.8, 0.9, 0.95, 0.98};
    const size_t n[] = {10, 20, 40, 100, 250};
    const char *names[] = {"alone", "with white noise", "with period two"};
    double width;
    print_message(
        "n: share covered (width beside that of known autocorrelation; * not promised)\n");
    for (int added = 0; added < 3; added++)
        for (int k = 0; k < 7; k++) {
            print_message("AR(1) %5.2f %-16s", phi[k], names[added]);
            for (int i = 0; i < (added == NOTHING ? 5 : 3); i++) {
                const double share = coverage(phi[k], n[i], (enum added)added, &width);
                const bool promised = is_promised(phi[k], n[i], (enum added)added);
                print_message("  %3zu: %5.3f (%4.1f)%s", n[i], share, width, promised ? " " : "*");
                assert_true(!promised || share >= 0.90);
            }
            print_message("\n");
        }
}

/* Where the series is long the price is small: 1 would be to know the autocorrelation. */
static void test_series_interval_is_not_needlessly_wide(void **state)
{
    (void)state;
    double width;
    coverage(0.0, 250, NOTHING, &width);
    assert_true(width < 1.8);
    coverage(0.5, 250, NOTHING, &width);
    assert_true(width < 1.8);
    coverage(0.0, 40, NOTHING, &width);
    assert_true(width < 2.7);
}

/* Oracle: the incomplete beta function (GSL), on its accurate side; Cauchy's and two degrees of
 * freedom in closed form. */
static void test_t_of_whole_degrees(void **state)
{
    (void)state;
    double worst = 0;
    for (size_t df = 1; df <= 60; df++)
        for (double t = -40; t <= 40; t += 0.37) {
            const double upper = ub_t_upper_p(fabs(t), (double)df);
            const double lower = t < 0 ? upper : 1 - upper;
            worst = fmax(worst, fabs(ub_t_lower_p(t, df) - lower));
        }
    print_message("Student's t of whole degrees of freedom: within %.2g of GSL's\n", worst);
    assert_true(worst < 1e-14);
    assert_near(ub_t_lower_p(1, 1), 0.75, 1e-15);
    assert_near(ub_t_lower_p(1, 2), 0.5 + 0.5 / sqrt(3), 1e-15);
    assert_true(ub_t_lower_p(INFINITY, 3) == 1 && ub_t_lower_p(-INFINITY, 4) == 0);
    assert_true(ub_t_lower_p(1e200, 5) == 1 && ub_t_lower_p(-1e200, 5) == 0);
}

/* Units and a shift change nothing. */
static void test_series_interval_scales(void **state)
{
    (void)state;
    const double x[] = {1, 4, 2, 8, 5, 7, 9, 3};
    double far[8];
    for (int i = 0; i < 8; i++)
        far[i] = 1e200 * x[i];
    const struct ub_interval a = ub_series_mean(x, 8), b = ub_series_mean(far, 8);
    assert_near(b.high / 1e200, a.high, 1e-5);
    assert_near(b.low / 1e200, a.low, 1e-5);
    assert_near(a.high - a.estimate, ub_t_quantile(0.975, a.n_effective - 1) * a.se, 1e-12);
}

static void test_series_of_constants(void **state)
{
    (void)state;
    const double x[] = {2.5, 2.5, 2.5};
    const struct ub_interval r = ub_series_mean(x, 3);
    assert_near(r.low, 2.5, 0);
    assert_near(r.high, 2.5, 0);
}

static void test_student_interval(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4, 5}; /* t(0.975, 4) = 2.776445105 */
    const struct ub_interval r = ub_sample_mean(x, 5);
    assert_near(r.se, sqrt(0.5), 1e-15);
    assert_near(r.high, 3.0 + 2.776445105197793 * sqrt(0.5), 1e-9);
}

/* Log risk ratios of the 13 BCG vaccine trials (Colditz et al. 1994) and their variances, to four
 * digits. Expected values: DerSimonian and Kacker's Newton iteration and a Student quantile by
 * Simpson's rule, in a script of its own. */
static void test_random_effects_on_bcg_trials(void **state)
{
    (void)state;
    const double y[] = {-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209,
                        0.0120,  -0.4694, -1.3713, -0.3394, 0.4459,  -0.0173};
    const double v[] = {0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230,
                        0.0040, 0.0564, 0.0730, 0.0124, 0.5325, 0.0714};
    double se[13];
    for (int i = 0; i < 13; i++)
        se[i] = sqrt(v[i]);
    const struct ub_meta m = ub_random_effects(y, se, 13);
    assert_near(m.tau, 0.5639879784845118, 1e-10);
    assert_near(m.mean.estimate, -0.7149703054401031, 1e-10);
    assert_near(m.mean.se, 0.18089453337148503, 1e-10);
    assert_near(m.mean.low, -1.1091056355665678, 1e-8);
    assert_near(m.mean.high, -0.3208349753136383, 1e-8);
    assert_near(m.i_squared, 0.9209563850498803, 1e-10);
    assert_near(m.q, 152.2330, 0.5); /* and Viechtbauer's metafor 4 for the interval of tau^2 */
    assert_true(m.q_p < 1e-25);
    assert_near(m.tau_low * m.tau_low, 0.1197, 1e-3);
    assert_near(m.tau_high * m.tau_high, 1.1115, 5e-3);
    assert_near(m.prediction.low, -2.0185877702238573, 1e-8);
    assert_near(m.prediction.high, 0.5886471593436509, 1e-8);
    assert_int_equal(m.mean.n, 13);
}

static void test_random_effects_of_exact_estimates(void **state)
{
    (void)state;
    /* Without errors of their own, the systems are a plain sample. */
    const double y[] = {1.0, 1.2, 0.7, 1.5}, none[] = {0, 0, 0, 0};
    struct ub_meta m = ub_random_effects(y, none, 4);
    assert_near(m.mean.estimate, 1.1, 1e-9);
    assert_near(m.tau, ub_deviation(y, 4), 1e-9);
    assert_near(m.mean.se, ub_deviation(y, 4) / 2.0, 1e-9);
    const double equal[] = {1.3, 1.3, 1.3};
    m = ub_random_effects(equal, none, 3);
    assert_near(m.mean.estimate, 1.3, 0);
    assert_near(m.tau, 0.0, 0);
    /* Equal errors that explain all the scatter: no spread, and the interval is not narrower than
     * the errors allow. */
    const double wide[] = {1, 1, 1, 1};
    m = ub_random_effects(y, wide, 4);
    assert_near(m.tau, 0.0, 0);
    assert_near(m.mean.se, 0.5, 1e-12);
}

static void test_random_effects_cover(void **state)
{
    (void)state;
    enum { TRIALS = 1000, SYSTEMS = 8 };
    struct ub_random r = ub_random_stream(11, "statistics test");
    int mean = 0, prediction = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double y[SYSTEMS], se[SYSTEMS];
        for (int i = 0; i < SYSTEMS; i++) {
            se[i] = 0.02 + 0.1 * ub_random_uniform(&r);
            y[i] = 1.0 + 0.1 * ub_random_normal(&r) + se[i] * ub_random_normal(&r);
        }
        const struct ub_meta m = ub_random_effects(y, se, SYSTEMS);
        const double next = 1.0 + 0.1 * ub_random_normal(&r);
        mean += m.mean.low <= 1.0 && 1.0 <= m.mean.high;
        prediction += m.prediction.low <= next && next <= m.prediction.high;
    }
    assert_true(mean > 930 && mean < 985);
    /* With few systems the spread is itself uncertain: a little short of 95% (Partlett and Riley
     * 2017, doi:10.1002/sim.7140). */
    assert_true(prediction > 880 && prediction < 985);
}

static void test_equivalence(void **state)
{
    (void)state;
    /* t = (0.1 - 0.03) / 0.02 = 3.5 on 9 degrees of freedom. */
    assert_near(ub_equivalence_p(1.03, 0.02, 9, 1.0, 0.1), 0.003361757881532368, 1e-10);
    assert_near(ub_equivalence_p(0.97, 0.02, 9, 1.0, 0.1), 0.003361757881532368, 1e-10);
    assert_near(ub_equivalence_p(1.1, 0.02, 9, 1.0, 0.1), 0.5, 1e-9);
    assert_true(ub_equivalence_p(1.2, 0.02, 9, 1.0, 0.1) > 0.99);
    assert_near(ub_equivalence_p(1.05, 0.0, 9, 1.0, 0.1), 0.0, 0);
    assert_near(ub_equivalence_p(1.15, 0.0, 9, 1.0, 0.1), 1.0, 0);
    assert_true(isnan(ub_equivalence_p(NAN, 0.1, 9, 1.0, 0.1)));
}

static void test_variance_share(void **state)
{
    (void)state;
    /* Groups {1,2,3}, {5,6,7}: SSB = 24, SSW = 4, MSW = 1, SST = 28; (24 - 1) / 29. */
    const double x[] = {1, 2, 3, 5, 6, 7};
    const int by_level[] = {4, 4, 4, 9, 9, 9}, mixed[] = {0, 1, 0, 1, 0, 1};
    assert_near(ub_variance_share(x, by_level, 6), 23.0 / 29.0, 1e-14);
    assert_near(ub_variance_share(x, mixed, 6), 0.0, 0);
    const int one[] = {1, 1, 1, 1, 1, 1}, all[] = {1, 2, 3, 4, 5, 6};
    assert_near(ub_variance_share(x, one, 6), 0.0, 0);
    assert_true(isnan(ub_variance_share(x, all, 6)));
}

/* The two-sided p by going through every way to choose which values are the first sample. */
static double enumerated_p(const double *values, unsigned n, unsigned na)
{
    double rank[16];
    for (unsigned i = 0; i < n; i++) {
        rank[i] = 0.5;
        for (unsigned j = 0; j < n; j++)
            rank[i] += values[j] < values[i] ? 1.0 : values[j] == values[i] ? 0.5 : 0.0;
    }
    const double centre = (double)na * ((double)n + 1.0) / 2.0;
    double observed = -centre;
    for (unsigned i = 0; i < na; i++)
        observed += rank[i];
    int all = 0, extreme = 0;
    for (unsigned set = 0; set < 1u << n; set++) {
        if ((unsigned)__builtin_popcount(set) != na)
            continue;
        double sum = -centre;
        for (unsigned i = 0; i < n; i++)
            sum += set >> i & 1u ? rank[i] : 0.0;
        all++;
        extreme += fabs(sum) >= fabs(observed) - 1e-12;
    }
    return (double)extreme / all;
}

static void test_rank_sum_by_enumeration(void **state)
{
    (void)state;
    const double apart[] = {1, 2, 3, 10, 11, 12, 13};
    assert_near(ub_rank_sum_p(apart, 3, apart + 3, 4), 2.0 / 35.0, 1e-15);
    const double tied[] = {1, 2, 2, 3, 3, 3, 5, 2, 5, 1, 9};
    for (unsigned na = 1; na < 11; na++)
        assert_near(ub_rank_sum_p(tied, na, tied + na, 11 - na), enumerated_p(tied, 11, na), 1e-14);
    /* Seven a side reach p = 2 / C(14, 7) at best. */
    double x[14];
    for (int i = 0; i < 14; i++)
        x[i] = i;
    assert_near(ub_rank_sum_p(x, 7, x + 7, 7), 2.0 / 3432.0, 1e-15);
    const double same[] = {4, 4, 4, 4};
    assert_near(ub_rank_sum_p(same, 2, same + 2, 2), 1.0, 0);
}

static void test_rank_sum_normal_limit_meets_exact(void **state)
{
    (void)state;
    double a[31], b[30];
    struct ub_random r = ub_random_stream(3, "statistics test");
    for (int i = 0; i < 31; i++)
        a[i] = ub_random_normal(&r);
    for (int i = 0; i < 30; i++)
        b[i] = ub_random_normal(&r) + 0.5;
    /* 61 values: normal; drop one: exact. */
    const double normal = ub_rank_sum_p(a, 31, b, 30), exact = ub_rank_sum_p(a, 30, b, 30);
    assert_true(fabs(log(normal / exact)) < 0.5);
    assert_true(normal > 0.0 && normal < 1.0);
}

/* Extra sleep under two drugs (Student 1908): Welch t = 1.8608, df = 17.776, p = 0.07939. */
static void test_welch_on_students_sleep_data(void **state)
{
    (void)state;
    const double a[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    const double b[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    assert_near(ub_welch_p(a, 10, b, 10), 0.07939414018735613, 1e-9);
    const double c[] = {1, 1}, d[] = {2, 2};
    assert_near(ub_welch_p(c, 2, d, 2), 0.0, 0);
    assert_near(ub_welch_p(c, 2, c, 2), 1.0, 0);
}

/* By hand: sorted p 0.01 0.02 0.03 0.04 0.05, times 5/rank = 0.05 for each, but 0.5 stays. */
static void test_benjamini_hochberg(void **state)
{
    (void)state;
    const double p[] = {0.04, 0.01, NAN, 0.03, 0.5, 0.02};
    double q[6];
    ub_benjamini_hochberg(p, 6, q);
    assert_near(q[0], 0.05, 1e-15);
    assert_near(q[1], 0.05, 1e-15);
    assert_true(isnan(q[2]));
    assert_near(q[4], 0.5, 1e-15);
    const double late[] = {0.001, 0.9, 0.8};
    ub_benjamini_hochberg(late, 3, q);
    assert_near(q[0], 0.003, 1e-15);
    assert_near(q[1], 0.9, 1e-15);
    assert_near(q[2], 0.9, 1e-15); /* 0.8 * 3 / 2 > 0.9: the step-up minimum */
}

/* The promise of 80% power, kept in simulation with a known spread. */
static void test_detectable_difference_has_its_power(void **state)
{
    (void)state;
    enum { TRIALS = 2000, N = 5 };
    const double shift = ub_detectable_difference(1.0, 2 * N - 2, N, N);
    struct ub_random r = ub_random_stream(5, "statistics test");
    int found = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double a[N], b[N];
        for (int i = 0; i < N; i++) {
            a[i] = ub_random_normal(&r);
            b[i] = ub_random_normal(&r) + shift;
        }
        found += ub_welch_p(a, N, b, N) < 0.05;
    }
    assert_true(found > 0.74 * TRIALS && found < 0.86 * TRIALS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_welford_survives_an_offset),
        cmocka_unit_test(test_too_few_data_give_nan),
        cmocka_unit_test(test_quantiles_of_type_7),
        cmocka_unit_test(test_series_interval_covers_the_mean),
        cmocka_unit_test(test_series_interval_is_not_needlessly_wide),
        cmocka_unit_test(test_t_of_whole_degrees),
        cmocka_unit_test(test_series_interval_scales),
        cmocka_unit_test(test_series_of_constants),
        cmocka_unit_test(test_student_interval),
        cmocka_unit_test(test_random_effects_on_bcg_trials),
        cmocka_unit_test(test_random_effects_of_exact_estimates),
        cmocka_unit_test(test_random_effects_cover),
        cmocka_unit_test(test_equivalence),
        cmocka_unit_test(test_variance_share),
        cmocka_unit_test(test_rank_sum_by_enumeration),
        cmocka_unit_test(test_rank_sum_normal_limit_meets_exact),
        cmocka_unit_test(test_welch_on_students_sleep_data),
        cmocka_unit_test(test_benjamini_hochberg),
        cmocka_unit_test(test_detectable_difference_has_its_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
