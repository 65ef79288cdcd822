/* Verdicts on planted stores: what each kind reads, how often what is true is said to be false, and
 * how wrong a prediction is found out. What they stand on: test_levels.c. */
#include "planted_store.h"

#include "report/sections/sections.h"
#include "report/statistics/statistics.h"

/* ---- planted stores ---- */

/* Each world's verdicts over 20 stores; the ones it may have, and how often the first at least. */
static void planted_stores_read_as_they_are(void **state)
{
    (void)state;
    enum { STORES = 20 };
    static const struct {
        const char *what;
        struct world world;
        enum ub_verdict_kind verdict, or_else;
        int least;
    } cases[] = {
        {"holds", {PLANTED_EDGE, 40, 2, 0, 1, 0.02, 1}, UB_LAW_HOLDS, UB_LAW_HOLDS, 20},
        {"holds, overshoots",
         {PLANTED_OVERSHOOT, 40, 2, 0, 1, 0.02, 1},
         UB_LAW_HOLDS,
         UB_LAW_HOLDS,
         18},
        {"10% exceptions",
         {PLANTED_EDGE, 40, 2, 4, 1, 0.02, 0.7},
         UB_LAW_EXCEPTIONS,
         UB_LAW_EXCEPTIONS,
         20},
        {"fails in the mean",
         {PLANTED_EDGE, 40, 2, 0, 1.25, 0.05, 1},
         UB_LAW_VIOLATED,
         UB_LAW_VIOLATED,
         20},
        {"fails in the spread",
         {PLANTED_EDGE, 60, 2, 0, 1, 0.3, 1},
         UB_LAW_VIOLATED,
         UB_LAW_UNDECIDED,
         15},
        {"levels below", {PLANTED_BELOW, 40, 2, 0, 1, 0, 1}, UB_LAW_VIOLATED, UB_LAW_VIOLATED, 20},
        {"levels above", {PLANTED_ABOVE, 40, 2, 0, 1, 0, 1}, UB_LAW_VIOLATED, UB_LAW_VIOLATED, 20},
        {"rises and falls back",
         {PLANTED_BACK, 40, 2, 0, 1, 0, 1},
         UB_LAW_VIOLATED,
         UB_LAW_UNDECIDED,
         15},
        {"rise through the edge",
         {PLANTED_STEEP, 40, 2, 0, 1, 0, 1},
         UB_LAW_VIOLATED,
         UB_LAW_VIOLATED,
         20},
        {"ramps to the edge",
         {PLANTED_RAMP, 40, 2, 0, 1, 0, 1},
         UB_LAW_UNDECIDED,
         UB_LAW_VIOLATED,
         0},
        {"slow ramps", {PLANTED_SLOW, 40, 2, 0, 1, 0, 1}, UB_LAW_UNDECIDED, UB_LAW_UNDECIDED, 20},
        {"slow waves", {PLANTED_WAVES, 40, 2, 0, 1, 0, 1}, UB_LAW_UNDECIDED, UB_LAW_UNDECIDED, 18},
        {"lazy", {PLANTED_LAZY, 40, 2, 0, 1, 0, 1}, UB_LAW_UNDECIDED, UB_LAW_UNDECIDED, 20},
        {"half at half the edge",
         {PLANTED_EDGE, 40, 2, 20, 1, 0.02, 0.5},
         UB_LAW_VIOLATED,
         UB_LAW_UNDECIDED,
         0},
        {"too few", {PLANTED_EDGE, 1, 2, 0, 1, 0.02, 1}, UB_LAW_UNDECIDED, UB_LAW_UNDECIDED, 20},
    };
    print_message("verdicts on %d planted stores of each kind:\n%-24s%7s%12s%10s%11s\n", STORES, "",
                  "holds", "exceptions", "violated", "undecided");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int count[UB_LAW_VERDICTS] = {0};
        for (uint64_t seed = 0; seed < STORES; seed++) {
            struct ub_law_verdict *v = verdict_on(&cases[c].world, seed, 1);
            count[v->judgment.verdict]++;
            ub_law_verdict_free(v);
        }
        print_message("%-24s%7d%12d%10d%11d\n", cases[c].what, count[0], count[1], count[2],
                      count[3]);
        assert_true(count[cases[c].verdict] >= cases[c].least);
        assert_int_equal(count[cases[c].verdict] + (cases[c].or_else == cases[c].verdict
                                                        ? STORES - count[cases[c].verdict]
                                                        : count[cases[c].or_else]),
                         STORES);
        if (cases[c].verdict >= UB_LAW_VIOLATED) /* none of the false may pass */
            assert_int_equal(count[UB_LAW_HOLDS] + count[UB_LAW_EXCEPTIONS], 0);
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
        int count[UB_LAW_VERDICTS] = {0};
        size_t against = 0, accused = 0, stores = 0;
        for (uint64_t seed = 0; seed < STORES; seed++) {
            struct ub_law_verdict *v =
                judge_and_uproot(plant_noisy(&cases[c].world, &cases[c].noise, seed, 1));
            count[v->judgment.verdict]++;
            accused += v->judgment.exceptions;
            stores += v->judgment.exceptions > 0;
            for (size_t i = 0; i < SYSTEMS * cases[c].world.seeds; i++)
                against += v->level[i].against;
            ub_law_verdict_free(v);
        }
        print_message("%-24s%7.1f%9.1f%8.1f%7d%12d%10d%11d\n", cases[c].what,
                      100.0 * (double)against / (double)(STORES * SYSTEMS * cases[c].world.seeds),
                      100.0 * (double)accused / (STORES * SYSTEMS), 100.0 * (double)stores / STORES,
                      count[0], count[1], count[2], count[3]);
        assert_true((double)accused <= 0.05 * STORES * SYSTEMS);
        assert_true((double)stores <= 0.1 * STORES);
        assert_int_equal(count[UB_LAW_VIOLATED], 0);
    }
}

static void noise_lets_nothing_false_pass(void **state)
{
    (void)state;
    enum { STORES = 10 };
    static const enum planted kinds[] = {PLANTED_BACK, PLANTED_RAMP, PLANTED_STEEP, PLANTED_BELOW,
                                         PLANTED_ABOVE};
    for (size_t c = 0; c < sizeof kinds / sizeof *kinds; c++) {
        int count[UB_LAW_VERDICTS] = {0};
        const struct world w = {kinds[c], 12, 3, 0, 1, 0, 1};
        for (uint64_t seed = 0; seed < STORES; seed++) {
            struct ub_law_verdict *v =
                judge_and_uproot(plant_noisy(&w, &(struct noise){0.05, 0.9, 91}, seed, 1));
            count[v->judgment.verdict]++;
            ub_law_verdict_free(v);
        }
        print_message(
            "%-12s 5%%, phi 0.9: %d hold, %d with exceptions, %d violated, %d undecided\n",
            planted_names[kinds[c]], count[0], count[1], count[2], count[3]);
        assert_int_equal(count[UB_LAW_HOLDS] + count[UB_LAW_EXCEPTIONS], 0);
    }
}

/* A store whose levels are all wrong by a factor: the same runs and windows, the verdict that the
 * judged copies of the levels foretold. */
static void scaled_stores_are_found_out(void **state)
{
    (void)state;
    const struct world w = {PLANTED_EDGE, 40, 2, 3, 1, 0.02, 0.7};
    struct ub_law_verdict *whole = verdict_on(&w, 7, 1);
    assert_int_equal(whole->judgment.verdict, UB_LAW_EXCEPTIONS);
    assert_true(whole->below > 0.8 && whole->below < 1);
    assert_true(whole->above < 1.25 && whole->above > 1);
    print_message("found out when wrong by %.3f or %.3f\n", whole->below, whole->above);
    const double factors[] = {0.5,
                              0.7,
                              0.8,
                              1.25,
                              1.4,
                              2,
                              whole->below - 0.002,
                              whole->above + 0.002,
                              whole->below + 0.004,
                              whole->above - 0.004};
    for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
        struct ub_law_verdict *v = verdict_on(&w, 7, factors[k]);
        assert_int_equal(v->judgment.spoke, whole->judgment.spoke);
        for (size_t i = 0; i < 80; i++) {
            assert_int_equal(v->level[i].window.first, whole->level[i].window.first);
            assert_int_equal(v->level[i].window.stay, whole->level[i].window.stay);
        }
        assert_near(v->judgment.meta.mean.estimate, factors[k] * whole->judgment.meta.mean.estimate,
                    1e-9);
        assert_true((v->judgment.verdict == UB_LAW_VIOLATED) == (k < 8));
        ub_law_verdict_free(v);
    }
    ub_law_verdict_free(whole);
}

/* ---- denominators and words ---- */

static void says(const struct ub_law_verdict *v, const char *part)
{
    struct ub_text out = {0};
    add_verdict(&out, v, false);
    add_verdict_details(&out, v);
    if (!strstr(out.data, part))
        fail_msg("'%s' does not say '%s'", out.data, part);
    assert_null(strstr(out.data, "nan"));
    ub_text_free(&out);
}

static void words_are_true_as_they_stand(void **state)
{
    (void)state;
    struct ub_law_verdict *v =
        verdict_on(&(struct world){PLANTED_EDGE, 40, 2, 4, 1, 0.02, 0.7}, 1, 1);
    assert_string_equal(ub_law_word(v), "holds with exceptions");
    says(v, "edge-of-stability: holds with exceptions (");
    says(v, "36 of 40 systems that speak are within 0.1 of the prediction; 4 beyond it past doubt");
    says(v, "Beyond it past doubt: width 1 (0.698), width 2 (");
    ub_law_verdict_free(v);
    v = verdict_on(&(struct world){PLANTED_EDGE, 2, 2, 0, 1, 0.02, 1}, 1, 1);
    assert_string_equal(ub_law_word(v), "undecided");
    says(v, "2 of 2 systems that speak are within 0.1");
    says(v, "what would decide: about ");
    ub_law_verdict_free(v);
    v = verdict_on(&(struct world){PLANTED_EDGE, 40, 2, 0, 1.25, 0.02, 1}, 1, 1);
    assert_string_equal(ub_law_word(v), "violated");
    says(v, "0 of 40 systems that speak are within");
    ub_law_verdict_free(v);
    v = verdict_on(&(struct world){PLANTED_BACK, 40, 2, 0, 1, 0, 1}, 1, 1);
    says(v, "no level, falling at its end");
    ub_law_verdict_free(v);
    v = verdict_on(&(struct world){PLANTED_LAZY, 40, 2, 0, 1, 0, 1}, 1, 1);
    says(v, "0 of 0 systems that speak");
    says(v, "what would decide: runs that reach the regime: none of 40 systems did");
    ub_law_verdict_free(v);
}

/* The first run of each of three seeds rises slowly below the margin, two contradict the law. */
static void the_reason_is_that_of_a_run_against(void **state)
{
    (void)state;
    struct planted_store *p = plant(&(struct world){PLANTED_BACK, 12, 3, 0, 1, 0, 1}, 9, 1);
    for (size_t i = 0; i < 36; i++)
        for (size_t k = 0; k < MEASUREMENTS; k++) {
            const double time = (double)k / MEASUREMENTS;
            p->trace[i]->value[2 * k] = i % 3 ? 1.2 - 0.4 * time : 0.5 + 0.3 * time;
        }
    p->store.runs[3].status = UB_RUN_MISSING;
    p->store.runs[3].damaged = true;
    struct ub_law_verdict *v = judge_and_uproot(p);
    assert_string_equal(v->level[0].window.why, "no level yet, still rising");
    assert_string_equal(v->level[3].window.why, "damaged");
    assert_int_equal(v->judgment.verdict, UB_LAW_VIOLATED);
    assert_int_equal(v->judgment.spoke, 12);
    for (size_t s = 0; s < 12; s++) {
        assert_true(v->judgment.exception[s] && v->data[s].against);
        assert_string_equal(v->data[s].why, "no level, falling at its end");
    }
    says(v, "(no level, falling at its end)");
    says(v, "Of 36 runs 0 came to a level. Runs that have none: 24 no level, falling at its end; "
            "11 no level yet, still rising; 1 damaged.");
    ub_law_verdict_free(v);
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
    struct ub_law_verdict *v = judge_and_uproot(p);
    assert_int_equal(v->judgment.systems, 12);
    assert_int_equal(v->judgment.spoke, 10);
    assert_int_equal(v->groups.group[11].count, 1);
    assert_string_equal(v->data[0].why, "failed");
    assert_string_equal(v->level[1].window.why, "diverged");
    assert_string_equal(v->level[2].window.why, "not run");
    says(v, "10 of 10 systems that speak are within 0.1 of the prediction (2 more do not speak)");
    says(v, "Of 23 runs 19 came to a level. Runs that have none: 2 failed; 1 diverged; 1 not run.");
    ub_law_verdict_free(v);
}

/* The reason of a group without a level is that of most of its runs. */
static void the_reason_is_that_of_most_runs(void **state)
{
    (void)state;
    const struct world w = {PLANTED_EDGE, 12, 3, 0, 1, 0.02, 1};
    struct planted_store *p = plant(&w, 4, 1);
    static const enum ub_run_status lost[] = {UB_RUN_DIVERGED, UB_RUN_TIMEOUT, UB_RUN_TIMEOUT};
    for (size_t i = 0; i < 3; i++) {
        p->store.runs[i].status = lost[i];
        p->store.runs[i].n_facts = 0;
    }
    struct ub_law_verdict *v = judge_and_uproot(p);
    assert_string_equal(v->level[1].window.why, "ran out of time");
    assert_string_equal(v->data[0].why, "ran out of time");
    assert_false(v->data[0].against);
    says(v, "Runs that have none: 2 ran out of time; 1 diverged.");
    ub_law_verdict_free(v);
}

/* Of many runs, by several threads: each as it is by itself. */
static void levels_are_those_of_single_runs(void **state)
{
    (void)state;
    struct planted_store *p = plant(&(struct world){PLANTED_EDGE, 40, 3, 0, 1, 0.05, 1}, 5, 1);
    struct ub_law_verdict *v = ub_law_verdict_new(edge(), p->frame);
    for (size_t i = 0; i < 120; i++) {
        const struct ub_level one =
            ub_level_of(edge()->series, edge()->window, &edge()->is, p->frame, i);
        assert_memory_equal(&v->level[i].median, &one.median, sizeof one.median);
        assert_memory_equal(&v->level[i].mean.se, &one.mean.se, sizeof one.mean.se);
        assert_int_equal(v->level[i].window.first, one.window.first);
    }
    ub_law_verdict_free(v);
    uproot(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_stores_read_as_they_are),
        cmocka_unit_test(noise_accuses_few),
        cmocka_unit_test(noise_lets_nothing_false_pass),
        cmocka_unit_test(scaled_stores_are_found_out),
        cmocka_unit_test(words_are_true_as_they_stand),
        cmocka_unit_test(the_reason_is_that_of_a_run_against),
        cmocka_unit_test(every_run_asked_for_is_counted),
        cmocka_unit_test(the_reason_is_that_of_most_runs),
        cmocka_unit_test(levels_are_those_of_single_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
