/* Verdicts on planted stores: what each kind reads, how often what is true is said to be false, and
 * how wrong a prediction is found out. */
#include "planted_store.h"

#include "report/sections/sections.h"
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
    struct ub_law_result result;
    struct ub_law_run runs[MOST_RUNS];
    struct ub_law_system systems[MOST_RUNS];
};

/* Systems of three seeds, whose spreads lie between 0.0005 and 0.3; means about `center`. */
static void draw_levels(struct levels *l, size_t systems, double center, double tau, double *mean,
                        double *spread, struct ub_random *r)
{
    *l = (struct levels){.result = {.law = edge(), .n_runs = 3 * systems, .n_systems = systems}};
    l->result.runs = l->runs;
    l->result.systems = l->systems;
    for (size_t s = 0; s < systems; s++) {
        mean[s] = center + tau * ub_random_normal(r);
        spread[s] = exp(planted_between(r, log(0.0005), log(0.3)));
        for (size_t k = 0; k < 3; k++) {
            const double x = mean[s] + spread[s] * ub_random_normal(r);
            l->runs[3 * s + k] = (struct ub_law_run){
                .system = s,
                .predicted = 1,
                .median = x,
                .mean = {x, x, x, 1e-5, 20, 20},
                .window = {.last = 19, .stay = UB_STAY_SETTLED, .reached = true},
            };
        }
    }
}

/* How many are beyond the margin when one variance is pooled over all, as was done before. */
static size_t pooled_violations(const struct levels *l, double margin)
{
    const size_t n = l->result.n_systems;
    double squares = 0, *p = ub_calloc(2 * n, sizeof *p);
    size_t found = 0;
    for (size_t i = 0; i < 3 * n; i++)
        squares += pow(l->runs[i].median - l->systems[l->runs[i].system].plateau.estimate, 2);
    for (size_t s = 0; s < n; s++)
        p[s] = ub_t_upper_p((fabs(l->systems[s].plateau.estimate - 1) - margin) /
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
        law_weigh(&l->result);
        for (size_t s = 0; s < SYSTEMS; s++) {
            const struct ub_interval *i = &l->systems[s].plateau;
            const bool in = i->low <= mean[s] && mean[s] <= i->high;
            covered += in;
            wide += spread[s] > 0.1;
            covered_wide += spread[s] > 0.1 && in;
        }
        false_alarms += l->result.n_violate > 0;
        pooled_alarms += pooled_violations(l, edge()->margin) > 0;
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
    l->result.n_runs = 2 * (size_t)SYSTEMS;
    for (size_t i = 0; i < l->result.n_runs; i++) {
        l->runs[i].system = i / 2;
        l->runs[i].median = (i < 2 ? 1.3 : 1) + (i % 2 ? 0.005 : -0.005);
    }
    law_weigh(&l->result);
    assert_int_equal(l->result.n_violate, 1);
    assert_true(l->systems[0].violates);
    print_message("a system of two seeds 0.2 beyond the margin, they 0.01 apart: q %.1e\n",
                  l->systems[0].violation_q);
    assert_true(l->systems[0].violation_q > 1e-9);
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
        law_weigh(&l->result);
        const struct ub_meta *m = &l->result.meta;
        const double next = 1 + 0.04 * ub_random_normal(&r);
        covered += m->mean.low <= 1 && 1 <= m->mean.high;
        predicted += m->prediction.low <= next && next <= m->prediction.high;
    }
    print_message(
        "95%% interval of the mean over 24 such systems holds it in %.1f%%, that of a new "
        "system's in %.1f%%\n",
        100 * covered / TRIALS, 100 * predicted / TRIALS);
    assert_true(covered >= 0.90 * TRIALS);
    assert_true(predicted >= 0.88 * TRIALS);
    ub_free(l);
}

/* ---- planted stores ---- */

/* Each world's verdicts over 20 stores; the ones it may have, and how often the first at least. */
static void planted_stores_read_as_they_are(void **state)
{
    (void)state;
    enum { STORES = 20 };
    static const struct {
        const char *what;
        struct world world;
        enum ub_verdict verdict, or_else;
        int least;
    } cases[] = {
        {"holds", {PLANTED_EDGE, 40, 2, 0, 1, 0.02, 1}, UB_HOLDS, UB_HOLDS, 20},
        {"holds, overshoots", {PLANTED_OVERSHOOT, 40, 2, 0, 1, 0.02, 1}, UB_HOLDS, UB_HOLDS, 18},
        {"10% exceptions",
         {PLANTED_EDGE, 40, 2, 4, 1, 0.02, 0.7},
         UB_HOLDS_WITH_EXCEPTIONS,
         UB_HOLDS_WITH_EXCEPTIONS,
         20},
        {"fails in the mean",
         {PLANTED_EDGE, 40, 2, 0, 1.25, 0.05, 1},
         UB_VIOLATED,
         UB_VIOLATED,
         20},
        {"fails in the spread", {PLANTED_EDGE, 60, 2, 0, 1, 0.3, 1}, UB_VIOLATED, UB_UNDECIDED, 15},
        {"levels below", {PLANTED_BELOW, 40, 2, 0, 1, 0, 1}, UB_VIOLATED, UB_VIOLATED, 20},
        {"levels above", {PLANTED_ABOVE, 40, 2, 0, 1, 0, 1}, UB_VIOLATED, UB_VIOLATED, 20},
        {"rises and falls back", {PLANTED_BACK, 40, 2, 0, 1, 0, 1}, UB_VIOLATED, UB_UNDECIDED, 15},
        {"rise through the edge", {PLANTED_STEEP, 40, 2, 0, 1, 0, 1}, UB_VIOLATED, UB_VIOLATED, 20},
        {"ramps to the edge", {PLANTED_RAMP, 40, 2, 0, 1, 0, 1}, UB_UNDECIDED, UB_VIOLATED, 0},
        {"slow ramps", {PLANTED_SLOW, 40, 2, 0, 1, 0, 1}, UB_UNDECIDED, UB_UNDECIDED, 20},
        {"slow waves", {PLANTED_WAVES, 40, 2, 0, 1, 0, 1}, UB_UNDECIDED, UB_UNDECIDED, 18},
        {"lazy", {PLANTED_LAZY, 40, 2, 0, 1, 0, 1}, UB_UNDECIDED, UB_UNDECIDED, 20},
        {"half at half the edge",
         {PLANTED_EDGE, 40, 2, 20, 1, 0.02, 0.5},
         UB_VIOLATED,
         UB_UNDECIDED,
         0},
        {"too few", {PLANTED_EDGE, 4, 2, 0, 1, 0.02, 1}, UB_UNDECIDED, UB_UNDECIDED, 20},
    };
    print_message("verdicts on %d planted stores of each kind:\n%-24s%7s%12s%10s%11s\n", STORES, "",
                  "holds", "exceptions", "violated", "undecided");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int count[UB_VERDICTS] = {0};
        for (uint64_t seed = 0; seed < STORES; seed++) {
            struct ub_law_result *r = verdict_on(&cases[c].world, seed, 1);
            count[r->verdict]++;
            ub_law_result_free(r);
        }
        print_message("%-24s%7d%12d%10d%11d\n", cases[c].what, count[0], count[1], count[2],
                      count[3]);
        assert_true(count[cases[c].verdict] >= cases[c].least);
        assert_int_equal(count[cases[c].verdict] + (cases[c].or_else == cases[c].verdict
                                                        ? STORES - count[cases[c].verdict]
                                                        : count[cases[c].or_else]),
                         STORES);
        if (cases[c].verdict >= UB_VIOLATED) /* none of the false may pass */
            assert_int_equal(count[UB_HOLDS] + count[UB_HOLDS_WITH_EXCEPTIONS], 0);
    }
}

/* At the edge all of them, whatever noise hides it. */
static void noise_accuses_few(void **state)
{
    (void)state;
    enum { STORES = 24, SYSTEMS = 12 };
    static const struct {
        const char *what;
        struct world world;
        struct noise noise;
    } cases[] = {
        {"5%, phi 0.9", {PLANTED_EDGE, SYSTEMS, 3, 0, 1, 0, 1}, {0.05, 0.9, 91}},
        {"10%, phi 0.9", {PLANTED_EDGE, SYSTEMS, 3, 0, 1, 0, 1}, {0.1, 0.9, 91}},
        {"20%, phi 0.9", {PLANTED_EDGE, SYSTEMS, 3, 0, 1, 0, 1}, {0.2, 0.9, 91}},
        {"10%, phi 0.5", {PLANTED_EDGE, SYSTEMS, 3, 0, 1, 0, 1}, {0.1, 0.5, 91}},
        {"5%, phi 0.95", {PLANTED_EDGE, SYSTEMS, 3, 0, 1, 0, 1}, {0.05, 0.95, 91}},
        {"5%, phi 0.9, one seed", {PLANTED_EDGE, SYSTEMS, 1, 0, 1, 0, 1}, {0.05, 0.9, 91}},
        {"sawtooth", {PLANTED_SAWTOOTH, SYSTEMS, 3, 0, 1, 0, 1}, {0.02, 0.6, 91}},
        {"zigzag", {PLANTED_ZIGZAG, SYSTEMS, 3, 0, 1, 0, 1}, {0.05, 0.9, 91}},
    };
    print_message(
        "%d stores of %d systems at the edge, 91 measurements: percent of runs against, "
        "of systems accused, of stores with one; verdicts\n%-24s%7s%9s%8s%7s%12s%10s%11s\n",
        STORES, SYSTEMS, "", "runs", "systems", "stores", "holds", "exceptions", "violated",
        "undecided");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int count[UB_VERDICTS] = {0};
        size_t against = 0, accused = 0, stores = 0;
        for (uint64_t seed = 0; seed < STORES; seed++) {
            struct ub_law_result *r =
                judge_and_uproot(plant_noisy(&cases[c].world, &cases[c].noise, seed, 1));
            count[r->verdict]++;
            accused += r->n_violate;
            stores += r->n_violate > 0;
            for (size_t s = 0; s < r->n_systems; s++)
                against += r->systems[s].n_against;
            ub_law_result_free(r);
        }
        print_message("%-24s%7.1f%9.1f%8.1f%7d%12d%10d%11d\n", cases[c].what,
                      100.0 * (double)against / (double)(STORES * SYSTEMS * cases[c].world.seeds),
                      100.0 * (double)accused / (STORES * SYSTEMS), 100.0 * (double)stores / STORES,
                      count[0], count[1], count[2], count[3]);
        assert_true((double)accused <= 0.05 * STORES * SYSTEMS);
        assert_true((double)stores <= 0.1 * STORES);
        assert_int_equal(count[UB_VIOLATED], 0);
    }
}

static void noise_lets_nothing_false_pass(void **state)
{
    (void)state;
    enum { STORES = 10 };
    static const enum planted kinds[] = {PLANTED_BACK, PLANTED_RAMP, PLANTED_STEEP, PLANTED_BELOW,
                                         PLANTED_ABOVE};
    for (size_t c = 0; c < sizeof kinds / sizeof *kinds; c++) {
        int count[UB_VERDICTS] = {0};
        const struct world w = {kinds[c], 12, 3, 0, 1, 0, 1};
        for (uint64_t seed = 0; seed < STORES; seed++) {
            struct ub_law_result *r =
                judge_and_uproot(plant_noisy(&w, &(struct noise){0.05, 0.9, 91}, seed, 1));
            count[r->verdict]++;
            ub_law_result_free(r);
        }
        print_message(
            "%-12s 5%%, phi 0.9: %d hold, %d with exceptions, %d violated, %d undecided\n",
            planted_names[kinds[c]], count[0], count[1], count[2], count[3]);
        assert_int_equal(count[UB_HOLDS] + count[UB_HOLDS_WITH_EXCEPTIONS], 0);
    }
}

/* A store whose levels are all wrong by a factor: the same runs and windows, the verdict that the
 * judged copies of the levels foretold. */
static void scaled_stores_are_found_out(void **state)
{
    (void)state;
    const struct world w = {PLANTED_EDGE, 40, 2, 3, 1, 0.02, 0.7};
    struct ub_law_result *whole = verdict_on(&w, 7, 1);
    assert_int_equal(whole->verdict, UB_HOLDS_WITH_EXCEPTIONS);
    assert_true(whole->wrong_below > 0.8 && whole->wrong_below < 1);
    assert_true(whole->wrong_above < 1.25 && whole->wrong_above > 1);
    print_message("found out when wrong by %.3f or %.3f\n", whole->wrong_below, whole->wrong_above);
    const double factors[] = {0.5,
                              0.7,
                              0.8,
                              1.25,
                              2,
                              whole->wrong_below - 0.001,
                              whole->wrong_above + 0.001,
                              whole->wrong_below + 0.006,
                              whole->wrong_above - 0.006};
    for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
        struct ub_law_result *r = verdict_on(&w, 7, factors[k]);
        assert_int_equal(r->n_reached, whole->n_reached);
        assert_int_equal(r->n_judged, whole->n_judged);
        for (size_t i = 0; i < whole->n_runs; i++) {
            assert_int_equal(r->runs[i].window.first, whole->runs[i].window.first);
            assert_int_equal(r->runs[i].window.stay, whole->runs[i].window.stay);
        }
        assert_near(r->meta.mean.estimate, factors[k] * whole->meta.mean.estimate, 1e-9);
        assert_true((r->verdict == UB_VIOLATED) == (k < 7));
        ub_law_result_free(r);
    }
    ub_law_result_free(whole);
}

/* ---- denominators and words ---- */

static bool says(const struct ub_law_result *r, const char *part)
{
    if (strstr(r->why, part))
        return true;
    print_error("'%s' does not say '%s'\n", r->why, part);
    return false;
}

static void words_are_true_as_they_stand(void **state)
{
    (void)state;
    struct ub_law_result *r =
        verdict_on(&(struct world){PLANTED_EDGE, 40, 2, 4, 1, 0.02, 0.7}, 1, 1);
    assert_string_equal(ub_verdict_name(r->verdict), "holds with exceptions");
    assert_true(says(r, "within 1 +- 0.1; 36 of 40 systems judged are within it"));
    assert_true(says(r, "beyond it past doubt: digits mlp:widths=1 mse gd:lr=0.1"));
    assert_true(says(r, " (0.698), digits mlp:widths=2"));
    ub_law_result_free(r);
    r = verdict_on(&(struct world){PLANTED_EDGE, 4, 2, 0, 1, 0.02, 1}, 1, 1);
    assert_string_equal(ub_verdict_name(r->verdict), "undecided");
    assert_true(says(r, "It would take 2 more systems that can be judged"));
    ub_law_result_free(r);
    r = verdict_on(&(struct world){PLANTED_EDGE, 9, 2, 0, 1, 0.02, 1}, 1, 1);
    assert_int_equal(r->verdict, UB_UNDECIDED); /* 9 of 9 leave room for 28% */
    assert_true(says(r, "9 of 9 systems judged are within it (at least 72%"));
    assert_true(says(r, "About 11 systems in all like these would decide on the share"));
    ub_law_result_free(r);
    r = verdict_on(&(struct world){PLANTED_EDGE, 12, 2, 0, 1, 0.02, 1}, 1, 1);
    assert_int_equal(r->verdict, UB_HOLDS_WITH_EXCEPTIONS); /* and has none */
    assert_true(
        says(r, "none is beyond it past doubt: without exceptions, but 12 systems are too"));
    ub_law_result_free(r);
    r = verdict_on(&(struct world){PLANTED_EDGE, 40, 2, 0, 1.25, 0.02, 1}, 1, 1);
    assert_string_equal(ub_verdict_name(r->verdict), "violated");
    assert_true(says(r, "outside 1 +- 0.1; 0 of 40 systems judged are within it"));
    ub_law_result_free(r);
    r = verdict_on(&(struct world){PLANTED_BACK, 40, 2, 0, 1, 0, 1}, 1, 1);
    assert_true(says(r, "no level, falling at its end"));
    ub_law_result_free(r);
    r = verdict_on(&(struct world){PLANTED_LAZY, 40, 2, 0, 1, 0, 1}, 1, 1);
    assert_true(says(r, "no system can be judged"));
    ub_law_result_free(r);
}

/* The first run of each of three seeds rises slowly below the margin, two contradict the law. */
static void the_reason_is_that_of_a_run_against(void **state)
{
    (void)state;
    struct planted_store *p = plant(&(struct world){PLANTED_BACK, 12, 3, 0, 1, 0, 1}, 9, 1);
    for (size_t i = 0; i < 36; i++)
        for (size_t k = 0; k < MEASUREMENTS; k++) {
            const double time = (double)k / MEASUREMENTS;
            p->study.traces[i]->value[2 * k] = i % 3 ? 1.2 - 0.4 * time : 0.5 + 0.3 * time;
        }
    p->store.runs[3].status = UB_RUN_MISSING;
    p->store.runs[3].damaged = true;
    struct ub_law_result *r = judge(edge(), &p->study);
    assert_string_equal(r->runs[0].window.why, "no level yet, still rising");
    assert_string_equal(r->runs[3].window.why, "damaged");
    assert_int_equal(r->verdict, UB_VIOLATED);
    for (size_t s = 0; s < 12; s++) {
        assert_true(r->systems[s].violates && r->systems[s].levelless);
        assert_string_equal(r->systems[s].why, "no level, falling at its end");
    }
    assert_true(says(r, "(no level, falling at its end)"));
    assert_null(strstr(r->why, "rising"));
    struct ub_text out = {0};
    add_verdict(&out, r, false);
    assert_non_null(strstr(out.data, "11 no level yet, still rising; 1 damaged."));
    ub_text_free(&out);
    ub_law_result_free(r);
    r = judge(edge(),
              &(struct study){.store = &(struct ub_store){.count = 1, .runs = p->store.runs},
                              .traces = p->study.traces,
                              .n_systems = 1,
                              .system_of = p->study.system_of});
    add_verdict(&out, r, false);
    assert_non_null(strstr(out.data, "Of 1 run and 1 system that it is about"));
    assert_null(strstr(out.data, "nan"));
    ub_text_free(&out);
    ub_law_result_free(r);
    uproot(p);
}

/* Failed, diverged and missing runs recorded no facts, and count. */
static void every_run_asked_for_is_counted(void **state)
{
    (void)state;
    const struct world w = {PLANTED_EDGE, 12, 2, 0, 1, 0.02, 1};
    struct planted_store *p = plant(&w, 4, 1);
    static const enum ub_run_status lost[] = {UB_RUN_FAILED, UB_RUN_DIVERGED, UB_RUN_MISSING,
                                              UB_RUN_FAILED};
    for (size_t i = 0; i < 4; i++) { /* both runs of two systems */
        p->store.runs[i].status = lost[i];
        p->store.runs[i].n_facts = 0;
    }
    p->store.runs[23].spec.n_measures = 0; /* asked for nothing that the law is about */
    struct ub_law_result *r = judge(edge(), &p->study);
    assert_int_equal(r->n_runs, 23);
    assert_int_equal(r->n_systems, 12);
    assert_int_equal(r->n_reached, 19);
    assert_int_equal(r->n_systems_reached, 10);
    assert_string_equal(r->runs[0].window.why, "failed");
    assert_string_equal(r->runs[1].window.why, "diverged");
    assert_string_equal(r->runs[2].window.why, "not run");
    struct ub_text out = {0};
    add_verdict(&out, r, false);
    assert_non_null(strstr(out.data, "Of 23 runs and 12 systems that it is about, 19 and 10 came"));
    assert_non_null(strstr(out.data, "Runs that have none: 2 failed; 1 diverged; 1 not run."));
    ub_text_free(&out);
    ub_law_result_free(r);
    uproot(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_bounded_by_the_binomial),
        cmocka_unit_test(few_are_beyond_the_margin_that_are_not),
        cmocka_unit_test(two_seeds_claim_no_more_than_they_know),
        cmocka_unit_test(the_mean_over_systems_is_covered),
        cmocka_unit_test(planted_stores_read_as_they_are),
        cmocka_unit_test(noise_accuses_few),
        cmocka_unit_test(noise_lets_nothing_false_pass),
        cmocka_unit_test(scaled_stores_are_found_out),
        cmocka_unit_test(words_are_true_as_they_stand),
        cmocka_unit_test(the_reason_is_that_of_a_run_against),
        cmocka_unit_test(every_run_asked_for_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
