/* The judge's own test bench: for each kind of claim, populations where it holds, fails in the
 * mean, fails in the spread, has exceptions, has too few systems, or sits at the margin. How often
 * each verdict comes out is printed. */
#include "support.h"

#include "report/laws/judge.h"

#include <stdio.h>

enum { REPEATS = 200, MOST = 80 };

/* ---- populations ------------------------------------------------------------------------------
 */

struct plan {
    const char *what;
    struct ub_claim claim;
    size_t n;
    double mu, tau, se; /* of the systems' values */
    size_t exceptions;  /* so many of them 4 margins off */
    size_t silent, against;
    int clusters; /* UB_SAME */
    /* The verdicts that must come out at least so often, and those that may at most. */
    unsigned wanted, never;
    double least;
};
enum { HOLDS = 1, EXCEPTIONS = 2, VIOLATED = 4, UNDECIDED = 8 };

static size_t draw(const struct plan *p, struct ub_random *r, struct ub_datum *data)
{
    for (size_t i = 0; i < p->n; i++) {
        const double off = i < p->exceptions ? 4 * p->claim.margin : 0;
        data[i] = (struct ub_datum){.se = p->se, .cluster = p->clusters ? (int)i % p->clusters : 0};
        data[i].value = p->mu + off + p->tau * ub_random_normal(r) + p->se * ub_random_normal(r);
        if (i >= p->n - p->silent)
            data[i].why = "not reached";
        else if (i >= p->n - p->silent - p->against) {
            data[i].why = "did not settle";
            data[i].against = true;
        }
    }
    return p->n;
}

static const struct plan plans[] = {
    {"equal: holds", {UB_EQUAL, 1, 0.1}, 30, 1, 0.03, 0.02, 0, 0, 0, 0, HOLDS, VIOLATED, 0.9},
    {"equal: holds, few systems",
     {UB_EQUAL, 1, 0.1},
     6,
     1,
     0.01,
     0.01,
     0,
     0,
     0,
     0,
     EXCEPTIONS, /* called "holds, few systems" */
     VIOLATED,
     0.9},
    {"equal: mean off by 2 margins",
     {UB_EQUAL, 1, 0.1},
     30,
     1.2,
     0.03,
     0.02,
     0,
     0,
     0,
     0,
     VIOLATED,
     HOLDS | EXCEPTIONS,
     0.95},
    {"equal: mean at the margin",
     {UB_EQUAL, 1, 0.1},
     30,
     1.1,
     0.03,
     0.02,
     0,
     0,
     0,
     0,
     UNDECIDED | VIOLATED,
     HOLDS | EXCEPTIONS,
     0.95},
    {"equal: half of systems outside",
     {UB_EQUAL, 1, 0.1},
     30,
     1,
     0.15,
     0.02,
     0,
     0,
     0,
     0,
     UNDECIDED | VIOLATED,
     HOLDS | EXCEPTIONS,
     0.95},
    {"equal: three quarters within",
     {UB_EQUAL, 1, 0.1},
     40,
     1,
     0.0869,
     0.001,
     0,
     0,
     0,
     0,
     UNDECIDED | VIOLATED,
     HOLDS | EXCEPTIONS,
     0.95},
    {"equal: nine tenths within",
     {UB_EQUAL, 1, 0.1},
     40,
     1,
     0.0608,
     0.001,
     0,
     0,
     0,
     0,
     UNDECIDED | EXCEPTIONS,
     HOLDS,
     0.95},
    {"equal: 10% exceptions",
     {UB_EQUAL, 1, 0.1},
     60,
     1,
     0.03,
     0.02,
     6,
     0,
     0,
     0,
     EXCEPTIONS,
     HOLDS,
     0.9},
    {"equal: two systems",
     {UB_EQUAL, 1, 0.1},
     2,
     1,
     0.03,
     0.02,
     0,
     0,
     0,
     0,
     UNDECIDED,
     HOLDS | EXCEPTIONS,
     0.95},
    {"equal: none reached",
     {UB_EQUAL, 1, 0.1},
     20,
     1,
     0.03,
     0.02,
     0,
     20,
     0,
     0,
     UNDECIDED,
     HOLDS | EXCEPTIONS | VIOLATED,
     1},
    {"equal: a third did not settle",
     {UB_EQUAL, 1, 0.1},
     30,
     1,
     0.03,
     0.02,
     0,
     0,
     10,
     0,
     UNDECIDED,
     HOLDS | EXCEPTIONS,
     0.95},
    {"equal: most did not settle",
     {UB_EQUAL, 1, 0.1},
     30,
     1,
     0.03,
     0.02,
     0,
     0,
     22,
     0,
     VIOLATED,
     HOLDS | EXCEPTIONS,
     0.95},
    {"equal: few speak",
     {UB_EQUAL, 1, 0.1},
     14,
     1,
     0.03,
     0.02,
     0,
     8,
     0,
     0,
     UNDECIDED,
     HOLDS | EXCEPTIONS,
     1},
    {"at most: holds",
     {UB_AT_MOST, 0.05, 0},
     30,
     0.02,
     0.01,
     0.005,
     0,
     0,
     0,
     0,
     HOLDS,
     VIOLATED,
     0.9},
    {"at most: fails",
     {UB_AT_MOST, 0.05, 0},
     30,
     0.08,
     0.01,
     0.005,
     0,
     0,
     0,
     0,
     VIOLATED,
     HOLDS | EXCEPTIONS,
     0.95},
    {"at most: mean at the bound",
     {UB_AT_MOST, 0.05, 0},
     30,
     0.05,
     0.01,
     0.005,
     0,
     0,
     0,
     0,
     UNDECIDED | VIOLATED,
     HOLDS | EXCEPTIONS,
     0.95},
    {"at least: holds",
     {UB_AT_LEAST, 0.8, 0},
     30,
     0.95,
     0.03,
     0.02,
     0,
     0,
     0,
     0,
     HOLDS,
     VIOLATED,
     0.9},
    {"at least: fails",
     {UB_AT_LEAST, 0.8, 0},
     30,
     0.6,
     0.05,
     0.02,
     0,
     0,
     0,
     0,
     VIOLATED,
     HOLDS | EXCEPTIONS,
     0.95},
    {"exact: holds", {UB_EXACT, 2, 1e-6}, 10, 2, 1e-9, 0, 0, 0, 0, 0, HOLDS, VIOLATED, 1},
    {"exact: fails",
     {UB_EXACT, 2, 1e-6},
     10,
     2.001,
     1e-9,
     0,
     0,
     0,
     0,
     0,
     VIOLATED,
     HOLDS | EXCEPTIONS,
     1},
    {"same: holds", {UB_SAME, 0, 0.2}, 60, 1.5, 0.05, 0.05, 0, 0, 0, 12, HOLDS, VIOLATED, 0.9},
    {"same: holds, few",
     {UB_SAME, 0, 0.2},
     40,
     1.5,
     0.05,
     0.05,
     0,
     0,
     0,
     5,
     EXCEPTIONS,
     HOLDS,
     0.9},
    {"same: spread of twice the margin",
     {UB_SAME, 0, 0.2},
     40,
     1.5,
     0.4,
     0.05,
     0,
     0,
     0,
     5,
     VIOLATED,
     HOLDS | EXCEPTIONS,
     0.9},
    {"same: spread at the margin",
     {UB_SAME, 0, 0.2},
     40,
     1.5,
     0.2,
     0.05,
     0,
     0,
     0,
     5,
     UNDECIDED | VIOLATED,
     HOLDS | EXCEPTIONS,
     0.93},
    {"same: one system a cluster",
     {UB_SAME, 0, 0.2},
     5,
     1.5,
     0.4,
     0.05,
     0,
     0,
     0,
     5,
     UNDECIDED,
     HOLDS | EXCEPTIONS | VIOLATED,
     1},
};

static void populations_are_told_apart(void **state)
{
    (void)state;
    print_message("  %-36s %6s %6s %6s %6s\n", "population", "holds", "exc.", "viol.", "undec.");
    for (size_t k = 0; k < sizeof plans / sizeof *plans; k++) {
        const struct plan *p = &plans[k];
        struct ub_random r = ub_random_stream(k, "judge");
        struct ub_datum data[MOST];
        double rate[4] = {0}, wanted = 0, never = 0;
        for (int i = 0; i < REPEATS; i++) {
            const size_t n = draw(p, &r, data);
            struct ub_judgment j = ub_judge(&p->claim, data, n);
            rate[j.verdict] += 1.0 / REPEATS;
            wanted += (p->wanted >> j.verdict & 1) / (double)REPEATS;
            never += (p->never >> j.verdict & 1) / (double)REPEATS;
            assert_true((j.verdict == UB_LAW_UNDECIDED) == (j.decide != NULL));
            ub_judgment_clear(&j);
        }
        print_message("  %-36s %5.1f%% %5.1f%% %5.1f%% %5.1f%%\n", p->what, 100 * rate[0],
                      100 * rate[1], 100 * rate[2], 100 * rate[3]);
        assert_true(wanted >= p->least - 1e-9);
        assert_true(never <= 0.07);
    }
}

/* Of few systems, none of them off by chance, nothing tells that others are: "holds" is not said.
 */
static void few_systems_do_not_rule_out_exceptions(void **state)
{
    (void)state;
    static const double shares[] = {0.8, 0.7, 0.6};
    static const size_t sizes[] = {2, 3, 4, 6, 10, 16, 30};
    const struct ub_claim claim = {UB_EQUAL, 1, 0.1};
    print_message("  share that meets the claim, systems: holds, few systems, with exceptions\n");
    for (size_t k = 0; k < 3; k++)
        for (size_t m = 0; m < sizeof sizes / sizeof *sizes; m++) {
            struct ub_random r = ub_random_stream(10 * k + m, "off");
            double holds = 0, few = 0, others = 0;
            for (int i = 0; i < REPEATS; i++) {
                struct ub_datum data[MOST];
                for (size_t d = 0; d < sizes[m]; d++)
                    data[d] =
                        (struct ub_datum){.value = (ub_random_uniform(&r) < shares[k] ? 1 : 1.5) +
                                                   0.01 * ub_random_normal(&r),
                                          .se = 0.01};
                struct ub_judgment j = ub_judge(&claim, data, sizes[m]);
                holds += (j.verdict == UB_LAW_HOLDS) / (double)REPEATS;
                few += (j.verdict == UB_LAW_EXCEPTIONS && j.within == j.spoke) / (double)REPEATS;
                others += (j.verdict == UB_LAW_EXCEPTIONS && j.within < j.spoke) / (double)REPEATS;
                ub_judgment_clear(&j);
            }
            print_message("  %.1f %3zu: %5.1f%% %5.1f%% %5.1f%%\n", shares[k], sizes[m],
                          100 * holds, 100 * few, 100 * others);
            assert_true(holds <= 0.07);
            assert_true(others <= 0.07);
        }
}

/* Ten clusters of five with a spread of a quarter of the margin, but for the first `unlike`, which
 * spread over 15 margins each: one of these alone takes the pooled spread beyond the margin. */
static struct ub_judgment of_unlike_clusters(size_t unlike, struct ub_random *r)
{
    enum { CLUSTERS = 10, EACH = 5 };
    const struct ub_claim claim = {UB_SAME, 0, 0.2};
    struct ub_datum data[CLUSTERS * EACH];
    for (size_t i = 0; i < CLUSTERS * EACH; i++) {
        const size_t cluster = i / EACH;
        const double place = (double)(i % EACH) - 2; /* -2 .. 2 */
        data[i] = (struct ub_datum){.se = 0.02, .cluster = (int)cluster};
        data[i].value = 1.5 + (cluster < unlike ? 1.5 * place : 0.05 * ub_random_normal(r)) +
                        0.02 * ub_random_normal(r);
    }
    return ub_judge(&claim, data, CLUSTERS * EACH);
}

/* Sameness is violated where clusters are unlike, and not where one of many is: it is named. */
static void few_unlike_clusters_violate_no_sameness(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(1, "unlike");
    for (size_t unlike = 0; unlike <= 10; unlike++) {
        size_t violated = 0, held = 0, named = 0;
        for (int i = 0; i < REPEATS; i++) {
            struct ub_judgment j = of_unlike_clusters(unlike, &r);
            violated += j.verdict == UB_LAW_VIOLATED;
            held += j.verdict == UB_LAW_HOLDS || j.verdict == UB_LAW_EXCEPTIONS;
            named += j.exceptions == unlike;
            if (unlike > 0) {
                assert_true(j.meta.tau_low > 0.2);
                assert_true(j.within <= 10 - unlike);
            }
            ub_judgment_clear(&j);
        }
        print_message(
            "  %2zu of 10 clusters unlike: violated %3.0f%%, holds %3.0f%%, named %3.0f%%\n",
            unlike, 100.0 * (double)violated / REPEATS, 100.0 * (double)held / REPEATS,
            100.0 * (double)named / REPEATS);
        assert_int_equal(named, REPEATS);
        assert_int_equal(violated, unlike < 5 ? 0 : REPEATS);
        assert_int_equal(held, unlike == 0 ? REPEATS : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(populations_are_told_apart),
        cmocka_unit_test(few_systems_do_not_rule_out_exceptions),
        cmocka_unit_test(few_unlike_clusters_violate_no_sameness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
