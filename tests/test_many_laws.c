/* Verdicts of many laws in one report: p values that agree with verdicts, and how many verdicts are
 * wrong of those that stand over all laws, by simulation. */
#include "support.h"

#include "report/laws/judge.h"
#include "report/sections/board.h"
#include "report/statistics/share.h"

enum { LAWS = 20, SYSTEMS = 12, CLUSTERS = 4 };
static const double level = 0.05;

/* ---- p values -------------------------------------------------------------------------------- */

static double binomial(size_t k, size_t n, double share)
{
    return exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) +
               (double)k * log(share) + (double)(n - k) * log1p(-share));
}

/* The oracle is the sum over outcomes. */
static void shares_have_exact_p(void **state)
{
    (void)state;
    double worst = 0;
    for (size_t n = 1; n <= 60; n += 7)
        for (size_t k = 0; k <= n; k++) {
            double more = 0, fewer = 0;
            for (size_t i = 0; i <= n; i++) {
                more += i >= k ? binomial(i, n, 0.3) : 0;
                fewer += i <= k ? binomial(i, n, 0.3) : 0;
            }
            worst = fmax(worst, fabs(ub_share_more_p(k, n, 0.3) - more));
            worst = fmax(worst, fabs(ub_share_fewer_p(k, n, 0.3) - fewer));
        }
    print_message("  largest error of p by counting: %.1e\n", worst);
    assert_true(worst < 1e-12);
}

/* Population of one law: `spoke` systems with a value and `silent` without. */
static void draw(struct ub_random *r, double mean, double tau, size_t spoke, size_t silent,
                 struct ub_datum *data)
{
    for (size_t i = 0; i < spoke + silent; i++) {
        data[i] = (struct ub_datum){.se = 0.02, .cluster = (int)(i % CLUSTERS)};
        data[i].value = mean + tau * ub_random_normal(r) + data[i].se * ub_random_normal(r);
        data[i].why = i < spoke ? NULL : "not reached";
    }
}

static enum ub_verdict_kind verdict_by_p(const double *p)
{
    return p[UB_LAW_VIOLATED] < level     ? UB_LAW_VIOLATED
           : p[UB_LAW_HOLDS] < level      ? UB_LAW_HOLDS
           : p[UB_LAW_EXCEPTIONS] < level ? UB_LAW_EXCEPTIONS
                                          : UB_LAW_UNDECIDED;
}

static void p_values_agree_with_verdicts(void **state)
{
    (void)state;
    const struct ub_claim claims[] = {{UB_EQUAL, 1, 0.1}, {UB_AT_MOST, 1.05, 0}};
    struct ub_random r = ub_random_stream(1, "agree");
    struct ub_datum data[80];
    size_t seen[UB_LAW_VERDICTS] = {0};
    for (int i = 0; i < 400; i++) {
        const size_t spoke = 2 + (size_t)(ub_random_uniform(&r) * 40);
        draw(&r, 1 + 0.15 * ub_random_uniform(&r), 0.08 * ub_random_uniform(&r), spoke,
             i % 3 ? 0 : spoke / 2, data);
        if (i % 5 == 0)
            data[0].value += 0.6;
        struct ub_judgment j = ub_judge(&claims[i % 2], data, spoke + (i % 3 ? 0 : spoke / 2));
        seen[j.verdict]++;
        assert_int_equal(j.verdict, verdict_by_p(j.p));
        ub_judgment_clear(&j);
    }
    for (int v = 0; v < UB_LAW_VERDICTS; v++) {
        print_message("  %s: %zu\n", ub_verdict_word((enum ub_verdict_kind)v), seen[v]);
        assert_true(seen[v] >= 10);
    }
    struct ub_judgment exact = ub_judge(&(struct ub_claim){UB_EXACT, 1, 1e-6}, data, 5);
    for (int v = 0; v < UB_LAW_VERDICTS; v++)
        assert_true(isnan(exact.p[v]));
    ub_judgment_clear(&exact);
}

/* ---- many laws ------------------------------------------------------------------------------- */

/* What became of stores of LAWS laws each. A law whose truth is at the margin is true as far as
 * `violated` goes, and false as far as `holds` does: the worst case of either. */
struct counted {
    double any, any_standing;     /* stores with a wrong verdict, and with one that stands */
    double wrong_share;           /* mean over stores of wrong ones among verdicts that stand */
    double found, found_standing; /* of the laws for which the verdict is right */
};

/* Verdicts of one kind; of the first `right` laws they are right. */
static struct counted count(struct ub_judgment *const *j, const double *q, size_t right,
                            enum ub_verdict_kind kind)
{
    struct counted c = {0};
    double wrong = 0, standing = 0;
    for (size_t i = 0; i < LAWS; i++) {
        const bool drawn = j[i]->verdict == kind, stands = drawn && q[i] < level;
        if (i < right) {
            c.found += drawn / (double)right;
            c.found_standing += stands / (double)right;
        } else {
            c.any = drawn ? 1 : c.any;
            wrong += stands;
        }
        standing += stands;
    }
    c.any_standing = wrong > 0;
    c.wrong_share = standing > 0 ? wrong / standing : 0;
    return c;
}

struct scene {
    const char *what;
    struct ub_claim claim;
    enum ub_verdict_kind kind;
    size_t right;
    double mean[2], tau[2]; /* of laws for which the verdict is right, and of those at the margin */
};

static struct counted simulate(const struct scene *s, size_t stores)
{
    struct ub_random r = ub_random_stream(stores, s->what);
    struct counted sum = {0};
    for (size_t k = 0; k < stores; k++) {
        struct ub_judgment judgment[LAWS], *j[LAWS];
        double q[LAWS];
        for (size_t i = 0; i < LAWS; i++) {
            /* Most are silent: counting alone bounds shares, which takes a thousandth of the time
             * and is no part of `violated` nor of sameness. */
            struct ub_datum data[2 * SYSTEMS + 1];
            const int at = i >= s->right;
            draw(&r, s->mean[at], s->tau[at], SYSTEMS, SYSTEMS + 1, data);
            judgment[i] = ub_judge(&s->claim, data, 2 * SYSTEMS + 1);
            j[i] = &judgment[i];
        }
        ub_judgments_adjust((const struct ub_judgment *const *)j, LAWS, q);
        const struct counted c = count(j, q, s->right, s->kind);
        sum.any += c.any / (double)stores;
        sum.any_standing += c.any_standing / (double)stores;
        sum.wrong_share += c.wrong_share / (double)stores;
        sum.found += c.found / (double)stores;
        sum.found_standing += c.found_standing / (double)stores;
        for (size_t i = 0; i < LAWS; i++)
            ub_judgment_clear(&judgment[i]);
    }
    return sum;
}

/* Of `stores` draws at a rate of 5% three standard errors more are no surprise. */
static void few_standing_verdicts_are_wrong(void **state)
{
    (void)state;
    enum { STORES = 300 };
    const struct scene scenes[] = {
        {"violated: all laws true", {UB_EQUAL, 1, 0.1}, UB_LAW_VIOLATED, 0, {0, 1.1}, {0, 0.03}},
        {"violated: 6 of 20 false",
         {UB_EQUAL, 1, 0.1},
         UB_LAW_VIOLATED,
         6,
         {1.16, 1.1},
         {0.03, 0.03}},
        {"holds, few: all laws false", {UB_SAME, 0, 0.1}, UB_LAW_EXCEPTIONS, 0, {0, 1}, {0, 0.1}},
        {"holds, few: 6 of 20 true", {UB_SAME, 0, 0.1}, UB_LAW_EXCEPTIONS, 6, {1, 1}, {0.02, 0.1}},
    };
    const double most = level + 3 * sqrt(level * (1 - level) / STORES);
    print_message("  %-26s %28s %16s %14s\n", "of 20 laws a store", "stores with a wrong verdict",
                  "wrong of standing", "right ones found");
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        const struct counted c = simulate(&scenes[i], STORES);
        print_message("  %-26s %10.1f%%, standing %4.1f%% %15.1f%% %6.1f%%, standing %.1f%%\n",
                      scenes[i].what, 100 * c.any, 100 * c.any_standing, 100 * c.wrong_share,
                      100 * c.found, 100 * c.found_standing);
        assert_true(c.wrong_share <= most);
        if (scenes[i].right == 0)
            assert_true(c.any_standing <= most && c.any > most);
        else
            assert_true(c.found_standing > 0.5);
    }
}

/* ---- words ------------------------------------------------------------------------------------
 */

/* One law whose mean is off by little more than chance, alone and among nineteen that hold. */
static void a_verdict_says_where_it_does_not_stand(void **state)
{
    (void)state;
    enum { VALUES = 12 };
    const struct ub_claim claim = {UB_EQUAL, 1, 0.1};
    const struct ub_law law = {.name = "planted", .claim = "planted", .is = {UB_EQUAL, 1, 0.1}};
    struct ub_law_verdict v[LAWS], *all[LAWS];
    for (size_t i = 0; i < LAWS; i++) {
        struct ub_datum data[VALUES];
        for (size_t k = 0; k < VALUES; k++)
            data[k] =
                (struct ub_datum){.value = (i ? 1 : 1.125) + (k % 2 ? 0.035 : -0.035), .se = 0.001};
        v[i] = (struct ub_law_verdict){.law = &law, .judgment = ub_judge(&claim, data, VALUES)};
        all[i] = &v[i];
    }
    assert_int_equal(v[0].judgment.verdict, UB_LAW_VIOLATED);
    const struct board alone = {NULL, 1, all}, together = {NULL, LAWS, all};
    ub_laws_adjust(all, 1);
    assert_near(v[0].q, v[0].judgment.p[UB_LAW_VIOLATED], 1e-15);
    assert_true(ub_law_stands(&v[0]) && !scoreboard_has_q(&alone));
    ub_laws_adjust(all, LAWS);
    assert_near(v[0].q, fmin(1, LAWS * v[0].judgment.p[UB_LAW_VIOLATED]), 1e-15);
    assert_true(!ub_law_stands(&v[0]) && ub_law_stands(&v[1]) && scoreboard_has_q(&together));
    struct table *t = scoreboard_table(&together, true);
    struct ub_text text = {0}, word = {0};
    ub_text_add(&word, "violated (q %.2g)", v[0].q);
    assert_string_equal(t->cell[6], word.data);
    assert_string_equal(t->cell[6 + t->columns], "holds, few systems");
    add_verdict(&text, &v[0], false);
    assert_non_null(strstr(text.data, "does not stand over all laws of the report"));
    v[0].at_fault = true; /* neither judged nor counted */
    ub_laws_adjust(all, LAWS);
    assert_true(isnan(v[0].q) && ub_law_stands(&v[0]));
    ub_text_free(&text);
    ub_text_free(&word);
    table_free(t);
    for (size_t i = 0; i < LAWS; i++)
        ub_judgment_clear(&v[i].judgment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_have_exact_p),
        cmocka_unit_test(p_values_agree_with_verdicts),
        cmocka_unit_test(few_standing_verdicts_are_wrong),
        cmocka_unit_test(a_verdict_says_where_it_does_not_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
