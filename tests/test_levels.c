/* What verdicts stand on: shares of systems, and levels judged over systems whose seeds spread by
 * any amount. Rates are printed. */
#include "planted_store.h"

#include "report/laws/moderate.h"
#include "report/statistics/share.h"
#include "report/statistics/statistics.h"

enum { MOST_RUNS = 300 };

/* ---- shares ---- */

/* P(k or more of n) at a share. */
static double upper_tail(size_t k, size_t n, double share)
{
    double total = 0;
    for (size_t i = k; i <= n; i++)
        total += exp(lgamma((double)n + 1) - lgamma((double)i + 1) - lgamma((double)(n - i) + 1)) *
                 pow(share, (double)i) * pow(1 - share, (double)(n - i));
    return total;
}

static void shares_are_bounded_by_the_binomial(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 40; n += 13)
        for (size_t k = 1; k < n; k += 3) {
            assert_near(upper_tail(k, n, ub_share_low(k, n, 0.95)), 0.05, 1e-8);
            assert_near(1 - upper_tail(k + 1, n, ub_share_high(k, n, 0.95)), 0.05, 1e-8);
        }
    for (size_t n = 1; n <= 300; n++) /* for any counts */
        for (size_t k = 0; k <= n; k++)
            assert_true(ub_share_low(k, n, 0.95) <= (double)k / (double)n &&
                        (double)k / (double)n <= ub_share_high(k, n, 0.95));
    assert_near(ub_share_low(12, 12, 0.95), pow(0.05, 1.0 / 12), 1e-10);
    assert_near(ub_share_high(0, 6, 0.95), 1 - pow(0.05, 1.0 / 6), 1e-10);
    assert_near(ub_share_low(0, 6, 0.95), 0, 0);
    assert_near(ub_share_high(6, 6, 0.95), 1, 0);
    assert_near(ub_share_high(0, 0, 0.95), 1, 0);
}

/* ---- levels without series ---- */

struct levels {
    size_t systems, seeds;
    struct ub_level level[MOST_RUNS];
    struct ub_datum data[MOST_RUNS];
};

static struct ub_level level_at(double x)
{
    return (struct ub_level){
        .median = x,
        .mean = {x, x, x, 1e-5, 20, 20},
        .window = {.last = 19, .stay = UB_STAY_SETTLED, .reached = true},
        .against_p = 1,
    };
}

/* Systems of three seeds, whose spreads lie between 0.0005 and 0.3; means about `center`. */
static void draw_levels(struct levels *l, size_t systems, double center, double tau, double *mean,
                        double *spread, struct ub_random *r)
{
    *l = (struct levels){.systems = systems, .seeds = 3};
    for (size_t s = 0; s < systems; s++) {
        mean[s] = center + tau * ub_random_normal(r);
        spread[s] = exp(planted_between(r, log(0.0005), log(0.3)));
        for (size_t k = 0; k < 3; k++)
            l->level[3 * s + k] = level_at(mean[s] + spread[s] * ub_random_normal(r));
    }
}

/* As the law does it. */
static struct ub_judgment judge_levels(struct levels *l)
{
    for (size_t s = 0; s < l->systems; s++) {
        size_t row[3];
        for (size_t k = 0; k < l->seeds; k++)
            row[k] = s * l->seeds + k;
        l->data[s] = ub_level_datum(l->level, &(struct ub_rows){l->seeds, row});
    }
    ub_data_moderate(l->data, l->systems);
    return ub_judge(&edge()->is, l->data, l->systems);
}

/* How many are beyond the margin when one variance is pooled over all, as was done before. */
static size_t pooled_violations(const struct levels *l, double margin)
{
    const size_t n = l->systems;
    double squares = 0, *p = ub_calloc(2 * n, sizeof *p);
    size_t found = 0;
    for (size_t i = 0; i < 3 * n; i++)
        squares += pow(l->level[i].median - l->data[i / 3].value, 2);
    for (size_t s = 0; s < n; s++)
        p[s] = ub_t_upper_p((fabs(l->data[s].value - 1) - margin) /
                                sqrt(squares / (2 * (double)n) / 3),
                            2 * (double)n);
    ub_benjamini_hochberg(p, n, p + n);
    for (size_t s = 0; s < n; s++)
        found += p[n + s] < 0.05;
    ub_free(p);
    return found;
}

/* All systems lie at the margin: whichever is said to be beyond it is not. */
static void few_are_beyond_the_margin_that_are_not(void **state)
{
    (void)state;
    enum { SYSTEMS = 40, TRIALS = 300 };
    struct ub_random r = ub_random_stream(2, "verdicts");
    struct levels *l = ub_calloc(1, sizeof *l);
    double mean[SYSTEMS], spread[SYSTEMS];
    double covered = 0, wide = 0, covered_wide = 0, false_alarms = 0, pooled_alarms = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        draw_levels(l, SYSTEMS, 1.1, 0, mean, spread, &r);
        struct ub_judgment j = judge_levels(l);
        for (size_t s = 0; s < SYSTEMS; s++) {
            const struct ub_interval i = ub_datum_interval(&l->data[s]);
            const bool in = i.low <= mean[s] && mean[s] <= i.high;
            covered += in;
            wide += spread[s] > 0.1;
            covered_wide += spread[s] > 0.1 && in;
        }
        false_alarms += j.exceptions > 0;
        pooled_alarms += pooled_violations(l, edge()->is.margin) > 0;
        ub_judgment_clear(&j);
    }
    print_message(
        "of 40 systems of 3 seeds with spreads from 0.0005 to 0.3: intervals of 95%% hold "
        "%.1f%%, of spreads above 0.1 %.1f%%; any is said to be beyond the margin and is "
        "not in %.1f%% of stores (with one pooled variance: %.1f%%)\n",
        100 * covered / (SYSTEMS * TRIALS), 100 * covered_wide / wide, 100 * false_alarms / TRIALS,
        100 * pooled_alarms / TRIALS);
    assert_true(covered >= 0.93 * SYSTEMS * TRIALS);
    assert_true(covered_wide >= 0.90 * wide);
    assert_true(false_alarms <= 0.05 * TRIALS);
    assert_true(pooled_alarms > 0.2 * TRIALS); /* the test can tell */
    ub_free(l);
}

/* Twelve pairs of seeds that differ by the same: by chance, for all that they tell. */
static void two_seeds_claim_no_more_than_they_know(void **state)
{
    (void)state;
    enum { SYSTEMS = 12 };
    struct ub_random r = ub_random_stream(4, "verdicts");
    struct levels *l = ub_calloc(1, sizeof *l);
    double mean[SYSTEMS], spread[SYSTEMS];
    draw_levels(l, SYSTEMS, 1, 0, mean, spread, &r);
    l->seeds = 2;
    for (size_t i = 0; i < 2 * (size_t)SYSTEMS; i++)
        l->level[i] = level_at((i < 2 ? 1.3 : 1) + (i % 2 ? 0.005 : -0.005));
    struct ub_judgment j = judge_levels(l);
    assert_int_equal(j.exceptions, 1);
    assert_true(j.exception[0]);
    print_message("a system of two seeds 0.2 beyond the margin, they 0.01 apart: q %.1e\n", j.q[0]);
    assert_true(j.q[0] > 1e-9);
    ub_judgment_clear(&j);
    ub_free(l);
}

static void the_mean_over_systems_is_covered(void **state)
{
    (void)state;
    enum { SYSTEMS = 24, TRIALS = 400 };
    struct ub_random r = ub_random_stream(3, "verdicts");
    struct levels *l = ub_calloc(1, sizeof *l);
    double mean[SYSTEMS], spread[SYSTEMS], covered = 0, predicted = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        draw_levels(l, SYSTEMS, 1, 0.04, mean, spread, &r);
        struct ub_judgment j = judge_levels(l);
        const struct ub_meta *m = &j.meta;
        const double next = 1 + 0.04 * ub_random_normal(&r);
        covered += m->mean.low <= 1 && 1 <= m->mean.high;
        predicted += m->prediction.low <= next && next <= m->prediction.high;
        ub_judgment_clear(&j);
    }
    print_message(
        "95%% interval of the mean over 24 such systems holds it in %.1f%%, that of a new "
        "system's in %.1f%%\n",
        100 * covered / TRIALS, 100 * predicted / TRIALS);
    assert_true(covered >= 0.90 * TRIALS);
    assert_true(predicted >= 0.88 * TRIALS);
    ub_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_bounded_by_the_binomial),
        cmocka_unit_test(few_are_beyond_the_margin_that_are_not),
        cmocka_unit_test(two_seeds_claim_no_more_than_they_know),
        cmocka_unit_test(the_mean_over_systems_is_covered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
