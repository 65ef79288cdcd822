/* What the judge's verdicts rest on: bounds of shares, degrees of freedom, factors that data would
 * tell, odd values; and what its sentences say. Populations are test_judge.c's. */
#include "support.h"

#include "report/laws/judge.h"
#include "report/statistics/share.h"

#include <stdio.h>

enum { REPEATS = 200, MOST = 80 };
enum { HOLDS = 1, EXCEPTIONS = 2, VIOLATED = 4 };

/* ---- bounds of shares ------------------------------------------------------------------------ */

/* Clopper-Pearson by its definition: the share at which so many successes or more have 1 -
 * confidence. */
static double tail(double share, size_t successes, size_t n)
{
    double sum = 0;
    for (size_t k = successes; k <= n; k++)
        sum += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) +
                   (double)k * log(share) + (double)(n - k) * log1p(-share));
    return sum;
}

static void bounds_by_counting_are_exact(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 40; n += 13)
        for (size_t k = 1; k < n; k++) {
            assert_near(tail(ub_share_low(k, n, 0.95), k, n), 0.05, 1e-9);
            assert_near(1 - tail(ub_share_high(k, n, 0.95), k + 1, n), 0.05, 1e-9);
        }
    assert_near(ub_share_low(0, 7, 0.95), 0, 0);
    assert_near(ub_share_high(7, 7, 0.95), 1, 0);
    assert_near(ub_share_low(29, 29, 0.95), pow(0.05, 1.0 / 29), 1e-12);
    const size_t draws = ub_share_draws(1, 0.9, 0.95);
    assert_int_equal(draws, 29);
    assert_int_equal(ub_share_draws(0.7, 0.75, 0.95), 0);
}

static double normal_share(double mu, double tau, double low, double high)
{
    return 0.5 * (erf((high - mu) / (tau * sqrt(2))) - erf((low - mu) / (tau * sqrt(2))));
}

static void bounds_of_normal_shares_cover(void **state)
{
    (void)state;
    const struct {
        size_t n;
        double mu, tau, se;
    } cases[] = {{4, 0, 0.5, 0.01}, {8, 0.3, 0.4, 0.2}, {20, 0, 0.6, 0.1}, {50, 0.5, 0.3, 0.3}};
    print_message("  share of N(mu, tau^2) in [-1, 1]: lower bound at 95%%\n");
    print_message("  %4s %5s %5s %5s %7s %7s %9s\n", "n", "mu", "tau", "se", "share", "covers",
                  "mean bound");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct ub_random r = ub_random_stream(c, "share");
        const double truth = normal_share(cases[c].mu, cases[c].tau, -1, 1);
        double x[MOST], se[MOST], mean = 0;
        int covers = 0;
        for (int k = 0; k < REPEATS; k++) {
            for (size_t i = 0; i < cases[c].n; i++) {
                se[i] = cases[c].se;
                x[i] = cases[c].mu + cases[c].tau * ub_random_normal(&r) +
                       se[i] * ub_random_normal(&r);
            }
            struct ub_shares shares = ub_shares_normal(x, se, cases[c].n, -1, 1);
            const double low = ub_shares_low(&shares, 0.95);
            ub_shares_clear(&shares);
            covers += low <= truth;
            mean += low / REPEATS;
        }
        print_message("  %4zu %5.2f %5.2f %5.2f %7.3f %6.1f%% %9.3f\n", cases[c].n, cases[c].mu,
                      cases[c].tau, cases[c].se, truth, 100.0 * covers / REPEATS, mean);
        assert_true(covers >= 0.9 * REPEATS);
    }
}

/* ---- rules ------------------------------------------------------------------------------------
 */

/* One system's mean is as well known as the system: Student's interval of its own error. */
static void one_system_alone_keeps_its_degrees_of_freedom(void **state)
{
    (void)state;
    const struct ub_claim claim = {UB_EQUAL, 1, 0.1};
    const struct ub_datum datum = {.value = 1, .se = 0.03, .df = 1};
    const struct ub_interval own = ub_datum_interval(&datum);
    struct ub_judgment j = ub_judge(&claim, &datum, 1);
    assert_near(j.meta.mean.low, own.low, 1e-12);
    assert_near(j.meta.mean.high, own.high, 1e-12);
    assert_near(j.mean_p, 0.09277, 1e-4); /* atan's tail of 0.1/0.03 with one degree of freedom */
    assert_non_null(strstr(j.decide, "of one alone no scatter is known"));
    ub_judgment_clear(&j);
}

/* Clusters whose spread is not known are no evidence of sameness. */
static void ignorance_is_not_sameness(void **state)
{
    (void)state;
    const struct ub_claim claim = {UB_SAME, 0, 0.15};
    const struct ub_datum data[] = {{.value = 3, .se = 2, .cluster = 0},
                                    {.value = 7, .se = 2, .cluster = 0},
                                    {.value = 1, .se = 0.01, .cluster = 1},
                                    {.value = 1.02, .se = 0.01, .cluster = 1},
                                    {.value = 1.01, .se = 0.01, .cluster = 1}};
    struct ub_judgment j = ub_judge(&claim, data, 5);
    assert_int_equal(j.systems, 2);
    assert_int_equal(j.spoke, 1);
    assert_int_equal(j.within, 1);
    assert_true(!j.meets[0] && j.meets[2]);
    ub_judgment_clear(&j);
}

/* ---- scaled data: the word carries something --------------------------------------------------
 */

static void wrong_factors_are_found(void **state)
{
    (void)state;
    enum { N = 50 };
    const struct ub_claim claim = {UB_EQUAL, 1, 0.1};
    struct ub_random r = ub_random_stream(3, "factor");
    struct ub_datum data[N], scaled[N];
    for (size_t i = 0; i < N; i++)
        data[i] = (struct ub_datum){.value = 1 + 0.04 * ub_random_normal(&r), .se = 0.02};
    const struct {
        double factor;
        unsigned verdicts;
    } cases[] = {{0.7, VIOLATED},
                 {0.8, VIOLATED},
                 {1, HOLDS | EXCEPTIONS},
                 {1.25, VIOLATED},
                 {1.4, VIOLATED}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        for (size_t i = 0; i < N; i++) {
            scaled[i] = data[i];
            scaled[i].value *= cases[k].factor;
            scaled[i].se *= cases[k].factor;
        }
        struct ub_judgment j = ub_judge(&claim, scaled, N);
        assert_true(cases[k].verdicts >> j.verdict & 1);
        ub_judgment_clear(&j);
    }
    double below, above;
    ub_judge_resolution(&claim, data, N, &below, &above);
    print_message("  factors told from 1: %.3f and %.3f\n", below, above);
    assert_true(below > 0.8 && below < 0.93);
    assert_true(above > 1.07 && above < 1.25);
}

static void sentences_say_what_was_found(void **state)
{
    (void)state;
    const struct ub_claim claim = {UB_EQUAL, 1, 0.1};
    struct ub_datum data[12];
    for (size_t i = 0; i < 12; i++)
        data[i] = (struct ub_datum){.value = i < 10 ? 1.0 + 0.001 * (double)i : 1.5, .se = 0.01};
    data[11].why = "diverged";
    struct ub_judgment j = ub_judge(&claim, data, 12);
    char *text = ub_judgment_sentence(&claim, &j);
    print_message("  %s: %s\n", ub_verdict_word(j.verdict), text);
    assert_int_equal(j.verdict, UB_LAW_UNDECIDED); /* one of 11: the mean is too uncertain */
    assert_non_null(strstr(text, "10 of 11 systems that speak are within 0.1 of the prediction "
                                 "(1 more do not speak); 1 beyond it past doubt; mean 1.05"));
    assert_true(j.exception[10]);
    assert_true(!j.exception[9] && !j.exception[11]);
    assert_true(isnan(j.q[11]));
    ub_free(text);
    ub_judgment_clear(&j);
    j = ub_judge(&claim, data, 0);
    text = ub_judgment_sentence(&claim, &j);
    assert_non_null(strstr(text, "only controls were run"));
    ub_free(text);
    ub_judgment_clear(&j);
}

/* Values without errors and values that are no numbers. */
static void odd_data_are_judged_by_rule(void **state)
{
    (void)state;
    const struct ub_claim claim = {UB_EQUAL, 1, 0.1};
    struct ub_datum data[40];
    for (size_t i = 0; i < 40; i++)
        data[i] = (struct ub_datum){.value = 1.001, .se = (double)NAN};
    struct ub_judgment j = ub_judge(&claim, data, 40);
    assert_int_equal(j.verdict, UB_LAW_HOLDS);
    ub_judgment_clear(&j);
    data[0].value = 7; /* without an error nobody knows whether past doubt */
    j = ub_judge(&claim, data, 40);
    assert_int_equal(j.exceptions, 0);
    assert_int_equal(j.within, 39);
    ub_judgment_clear(&j);
    for (size_t i = 0; i < 30; i++)
        data[i].value = (double)NAN; /* a value that is none: against */
    j = ub_judge(&claim, data, 40);
    assert_int_equal(j.spoke, 40);
    assert_int_equal(j.within, 10);
    assert_int_equal(j.verdict, UB_LAW_VIOLATED);
    ub_judgment_clear(&j);
    struct ub_datum own[3];
    for (size_t i = 0; i < 3; i++) { /* each its own prediction */
        const double at = 3 + (double)i;
        own[i] = (struct ub_datum){.value = at, .predicts = true, .prediction = at};
    }
    j = ub_judge(&(struct ub_claim){UB_EXACT, 0, 1e-12}, own, 3);
    assert_int_equal(j.verdict, UB_LAW_HOLDS);
    ub_judgment_clear(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_by_counting_are_exact),
        cmocka_unit_test(bounds_of_normal_shares_cover),
        cmocka_unit_test(one_system_alone_keeps_its_degrees_of_freedom),
        cmocka_unit_test(ignorance_is_not_sameness),
        cmocka_unit_test(wrong_factors_are_found),
        cmocka_unit_test(sentences_say_what_was_found),
        cmocka_unit_test(odd_data_are_judged_by_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
