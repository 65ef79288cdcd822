/* Moderated variances, tests beyond a margin and tests of shares, against planted truth. */
#include "report/statistics/moderated.h"
#include "report/statistics/statistics.h"
#include "support.h"

#include <math.h>

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.12g; expected %.12g", value, expected);
}

/* chi^2(df)/df for whole df, as a mean of squares. */
static double mean_square(struct ub_random *r, int df)
{
    double total = 0;
    for (int i = 0; i < df; i++)
        total += pow(ub_random_normal(r), 2);
    return total / df;
}

/* ---- the prior ---- */

static struct ub_variance_prior fit_planted(int d0, double s0_squared, int d, size_t n)
{
    struct ub_random r = ub_random_stream((uint64_t)d0, "variances");
    double *variance = ub_calloc(2 * n, sizeof *variance), *df = variance + n;
    for (size_t i = 0; i < n; i++) {
        const double true_variance = d0 ? s0_squared / mean_square(&r, d0) : s0_squared;
        variance[i] = true_variance * mean_square(&r, d);
        df[i] = d;
    }
    const struct ub_variance_prior prior = ub_variance_prior_fit(variance, df, n);
    ub_free(variance);
    return prior;
}

static void the_prior_is_found(void **state)
{
    (void)state;
    static const int planted[] = {1, 2, 4, 10};
    for (size_t i = 0; i < 4; i++)
        for (int d = 1; d <= 4; d *= 2) {
            const struct ub_variance_prior p = fit_planted(planted[i], 0.01, d, 20000);
            printf("d0 = %d from df = %d: %.2f, s0^2 = 0.01: %.4f\n", planted[i], d, p.df,
                   p.variance);
            /* A lower bound, which 20000 systems bring near; far from it where chance alone has
             * trigamma(1/2) = 4.9 and the prior 0.2. */
            assert_in_range((int)(100 * p.df / planted[i]), planted[i] > 9 && d == 1 ? 40 : 75,
                            115);
            assert_true(fabs(p.variance / 0.01 - 1) < 0.15);
        }
    const struct ub_variance_prior same = fit_planted(0, 0.01, 2, 20000);
    assert_true(same.df > 20); /* a lower bound on infinity */
    assert_true(fabs(same.variance / 0.01 - 1) < 0.05);
}

static void what_says_nothing_is_left_out(void **state)
{
    (void)state;
    const double variance[] = {0, NAN, 0.5, 1, 3}, df[] = {2, 2, 0, 2, 4};
    const struct ub_variance_prior p = ub_variance_prior_fit(variance, df, 5);
    assert_int_equal(p.n, 2);
    near(p.pooled_df, 6, 0);
    const struct ub_variance_prior one = ub_variance_prior_fit(variance, df, 4);
    near(one.df, 0, 0);
    const struct ub_variance own = ub_variance_moderated(&one, 0.7, 3);
    near(own.value, 0.7, 0);
    near(own.df, 3, 0);
    const struct ub_variance none = ub_variance_moderated(&one, NAN, 0);
    assert_true(isnan(none.value));
    near(none.df, 0, 0);
}

/* Smyth (2004), equation 7, with numbers worked by hand. */
static void variances_are_shrunk(void **state)
{
    (void)state;
    const struct ub_variance_prior p = {.df = 4, .variance = 0.5, .pooled_df = 100, .n = 50};
    const struct ub_variance v = ub_variance_moderated(&p, 2, 2);
    near(v.value, 1, 1e-15); /* (4 * 0.5 + 2 * 2) / 6 */
    near(v.df, 6, 0);
    const struct ub_variance prior_only = ub_variance_moderated(&p, NAN, 0);
    near(prior_only.value, 0.5, 0);
    near(prior_only.df, 4, 0);
    const struct ub_variance_prior few = {.df = 40, .variance = 0.5, .pooled_df = 10, .n = 5};
    near(ub_variance_moderated(&few, 2, 2).df, 10, 0);
}

enum { STORES = 2000, IN_STORE = 40 };

/* 40 systems of 3 against 3 that do not differ: in how many of 2000 stores is one of them below
 * 0.05/40? `pooled`: with one variance for all. */
static int alarms_of(double (*sigma)(struct ub_random *r), bool pooled)
{
    struct ub_random r = ub_random_stream(3, "null");
    int alarms = 0;
    for (int k = 0; k < STORES; k++) {
        double variance[IN_STORE], df[IN_STORE], difference[IN_STORE], mean = 0, least = 1;
        for (int i = 0; i < IN_STORE; i++) {
            const double own = sigma(&r);
            difference[i] = own * sqrt(2.0 / 3) * ub_random_normal(&r);
            variance[i] = own * own * mean_square(&r, 4);
            df[i] = 4;
            mean += variance[i] / IN_STORE;
        }
        const struct ub_variance_prior p = ub_variance_prior_fit(variance, df, IN_STORE);
        for (int i = 0; i < IN_STORE; i++) {
            const struct ub_variance v = pooled ? (struct ub_variance){mean, 4 * IN_STORE}
                                                : ub_variance_moderated(&p, variance[i], df[i]);
            least = fmin(least, ub_beyond_p(difference[i], sqrt(v.value * 2 / 3), v.df, 0));
        }
        alarms += least < 0.05 / IN_STORE;
    }
    return alarms;
}

static double as_the_prior_says(struct ub_random *r)
{
    return 0.1 / sqrt(mean_square(r, 2));
}

static double log_uniform(struct ub_random *r)
{
    return pow(10, -2 + 2 * ub_random_uniform(r));
}

static void null_p_values_are_uniform(void **state)
{
    (void)state;
    const int moderated = alarms_of(as_the_prior_says, false),
              pooled = alarms_of(as_the_prior_says, true);
    const int wrong_prior = alarms_of(log_uniform, false);
    printf("of %d stores %.1f%% have a p below 0.05/%d, %.1f%% with one variance for all; %.1f%% "
           "where "
           "variances are log-uniform over four decades\n",
           STORES, 100.0 * moderated / STORES, IN_STORE, 100.0 * pooled / STORES,
           100.0 * wrong_prior / STORES);
    assert_in_range(moderated, STORES / 100, STORES * 65 / 1000); /* 3 standard deviations */
    assert_true(wrong_prior < STORES * 8 / 100);
    assert_true(pooled > STORES / 4);
}

/* ---- beyond a margin ---- */

static void a_margin_is_allowed_for(void **state)
{
    (void)state;
    const double t = 2.5;
    near(ub_beyond_p(t, 1, 4, 0), 2 * ub_t_upper_p(t, 4), 1e-12);
    near(ub_beyond_p(-t, 1, 4, 0), 2 * ub_t_upper_p(t, 4), 1e-12);
    near(ub_beyond_p(3, 0.1, 4, 3), 0.5, 1e-6); /* at the margin */
    assert_true(ub_beyond_p(2.9, 0.1, 4, 3) > 0.5);
    assert_true(ub_beyond_p(3.9, 0.1, 4, 3) < 0.01);
    near(ub_beyond_p(1, 0, 4, 0.5), 0, 0);
    near(ub_beyond_p(0.5, 0, 4, 0.5), 1, 0);
    assert_true(isnan(ub_beyond_p(1, 1, 0, 0)) && isnan(ub_beyond_p(NAN, 1, 3, 0)));
    near(ub_beyond_p(1.9599639845, 1, HUGE_VAL, 0), 0.05, 1e-9);
}

/* What is said to be detectable is found about four times in five: the standard error that a test
 * sees is itself uncertain. */
static void detectable_is_detected(void **state)
{
    (void)state;
    enum { TRIES = 20000, DF = 4 };
    struct ub_random r = ub_random_stream(5, "power");
    for (double margin = 0; margin < 3; margin += 2) {
        const double least = ub_beyond_detectable(1, DF, margin, 0.01);
        int found = 0;
        for (int k = 0; k < TRIES; k++) {
            const double se = sqrt(mean_square(&r, DF));
            found += ub_beyond_p(least + ub_random_normal(&r), se, DF, margin) < 0.01;
        }
        printf("margin %g: %.3f is found in %.1f%%\n", margin, least, 100.0 * found / TRIES);
        assert_in_range(found, TRIES * 70 / 100, TRIES * 90 / 100);
    }
    /* Long tails, below one degree of freedom: the quantile is the inverse of the tail. */
    const double far = ub_beyond_detectable(1, 0.3, 0, 1e-4) - ub_beyond_detectable(1, 0.3, 0, 0.4);
    assert_true(far > 1e10 && isfinite(far));
}

/* ---- shares ---- */

static void splits_are_bounded(void **state)
{
    (void)state;
    near(ub_split_p(3, 3, 0, 3, 0.01), 0.01 / 16, 1e-9); /* worked out in the header */
    near(ub_split_p(0, 1, 1, 1, 0.01), 0.01, 1e-9);
    near(ub_split_p(2, 2, 0, 2, 0.01), 0.01 / 4, 1e-9);
    near(ub_split_p(2, 3, 2, 3, 0.01), 1, 0);
    assert_true(isnan(ub_split_p(0, 0, 1, 1, 0.01)));
}

/* Shares from Beta(a, b) with ever more weight at 0 and 1: the bound holds for each. */
static void the_bound_holds(void **state)
{
    (void)state;
    enum { TRIES = 200000 };
    struct ub_random r = ub_random_stream(9, "shares");
    static const double undecided[] = {0.02, 0.1, 0.5, 1}; /* systems whose share is uniform */
    for (size_t u = 0; u < 4; u++) {
        double differ = 0;
        int whole = 0, part = 0;
        for (int k = 0; k < TRIES; k++) {
            const double share = ub_random_uniform(&r) < undecided[u] ? ub_random_uniform(&r) : 0;
            int seen[2] = {0, 0};
            for (int i = 0; i < 6; i++)
                seen[i / 3] += ub_random_uniform(&r) < share;
            differ += 2 * share * (1 - share) / TRIES;
            whole += abs(seen[0] - seen[1]) == 3;
            part += abs(seen[0] - seen[1]) >= 2;
        }
        const double p3 = ub_split_p(3, 3, 0, 3, differ), p2 = ub_split_p(2, 3, 0, 3, differ);
        printf("disagreement %.3f: 3 to 0 in %.5f (bound %.5f), 2 apart in %.5f (bound %.5f)\n",
               differ, (double)whole / TRIES, p3, (double)part / TRIES, p2);
        assert_true((double)whole / TRIES < p3 * 1.1 && p3 < 5.0 * whole / TRIES);
        assert_true((double)part / TRIES < p2 * 1.1 && p2 < 5.0 * part / TRIES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_prior_is_found),      cmocka_unit_test(what_says_nothing_is_left_out),
        cmocka_unit_test(variances_are_shrunk),    cmocka_unit_test(null_p_values_are_uniform),
        cmocka_unit_test(a_margin_is_allowed_for), cmocka_unit_test(detectable_is_detected),
        cmocka_unit_test(splits_are_bounded),      cmocka_unit_test(the_bound_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
