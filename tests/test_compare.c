/* Drift between stores whose truth is known, in both directions; and the report's files. */
#include "made_store.h"
#include "read_back.h"
#include "report/report.h"
#include "runs_table.h"

#include <unistd.h>

static struct made base_of(const char *folder)
{
    return (struct made){.folder = folder,
                         .seeds = 3,
                         .rho = {1.02, 1.02, 1.02},
                         .spread = 0.01,
                         .noise = 1,
                         .diverged_optimizer = -1};
}

/* Makes both stores, compares them, and removes them. */
static struct outcome compare_made(struct made base, struct made changed)
{
    char *a = support_folder(), *b = support_folder();
    base.folder = a;
    changed.folder = b;
    made_store(&base);
    made_store(&changed);
    struct outcome o = compare_paths(a, b);
    support_remove(a);
    support_remove(b);
    return o;
}

static void a_store_does_not_drift_from_itself(void **state)
{
    (void)state;
    expect(compare_made(base_of(NULL), base_of(NULL)), UB_OK, "no drift in", "**drift**");
}

/* Other noise, same truth: 20 pairs at a false-discovery rate of 5% give about one alarm; three or
 * more have probability below 0.08. */
static void noise_is_not_drift(void **state)
{
    (void)state;
    int alarms = 0;
    for (uint64_t k = 0; k < 20; k++) {
        struct made base = base_of(NULL), changed = base_of(NULL);
        base.noise = 200 + k;
        changed.noise = 100 + k;
        struct outcome o = compare_made(base, changed);
        alarms += o.code == UB_DRIFT;
        free(o.page);
    }
    assert_in_range(alarms, 0, 2);
}

static void a_planted_threshold_is_named(void **state)
{
    (void)state;
    struct made changed = base_of(NULL);
    changed.threshold[1] = 24;
    expect(compare_made(base_of(NULL), changed), UB_DRIFT, "- heavy-ball:", "- nesterov:");
    expect(compare_made(changed, base_of(NULL)), UB_DRIFT, "- heavy-ball:", "- gd:");
}

static void a_moved_plateau_is_named(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct made changed = base_of(NULL);
        changed.noise = 7;
        changed.rho[2] += 0.06 * sign + (sign < 0 ? 0.06 : 0); /* up; or where it was */
        struct outcome o = compare_made(base_of(NULL), changed);
        if (sign > 0)
            expect(o, UB_DRIFT, "- nesterov:", "- heavy-ball:");
        else
            expect(o, UB_OK, "no drift", NULL);
    }
}

static void another_ending_is_drift(void **state)
{
    (void)state;
    struct made changed = base_of(NULL);
    changed.diverged_optimizer = 0;
    expect(compare_made(base_of(NULL), changed), UB_DRIFT, "| status | ok | diverged |", NULL);
}

static void missing_runs_are_drift(void **state)
{
    (void)state;
    struct made fewer = base_of(NULL);
    fewer.seeds = 2;
    expect(compare_made(base_of(NULL), fewer), UB_DRIFT, "18 of 27 runs found", "nothing compared");
    expect(compare_made(fewer, base_of(NULL)), UB_OK, "9 runs are new", NULL);
    expect(compare_paths("absent", "absent"), UB_INCOMPARABLE, NULL, NULL);
}

/* Where seeds differ, systems are compared; where systems do, too, nothing is. */
static void other_seeds_are_compared_by_system(void **state)
{
    (void)state;
    struct made other = base_of(NULL), drifted = base_of(NULL), alone = base_of(NULL);
    other.first_seed = drifted.first_seed = 50;
    other.noise = drifted.noise = 4;
    drifted.rho[2] = 1.3;
    expect(compare_made(base_of(NULL), other), UB_OK, "9 of 9 systems have no seed in common",
           "**drift**");
    expect(compare_made(base_of(NULL), drifted), UB_DRIFT, "- nesterov:", "- gd:");
    alone.seeds = 1;
    other.seeds = 1;
    struct outcome o = compare_made(alone, other);
    assert_null(strstr(o.page, "no drift in"));
    assert_non_null(strstr(o.page, "one run against one of another seed"));
    expect_error(o, UB_INCOMPARABLE, "nothing compared");
}

/* ---- values of every kind ---- */

enum { N = 6 }; /* systems of three seeds */

/* Metrics "final-loss", "final-sharpness", "lr" and two of a law, of six systems of three seeds
 * that spread by 1%. `seed` names the noise. */
static struct runs_table table_of(uint64_t seed)
{
    struct ub_random r = ub_random_stream(seed, "table");
    struct runs_table t = {.metrics = {"final-loss", "final-sharpness", "lr",
                                       "edge-of-stability.plateau", "edge-of-stability.reached"},
                           .count = 3 * N,
                           .run = ub_calloc(3 * N, sizeof *t.run)};
    for (size_t i = 0; i < t.count; i++)
        t.run[i] = (struct table_run){.system = (int)(i / 3),
                                      .seed = (int64_t)(i % 3),
                                      .value = {0.1 * exp(0.01 * ub_random_normal(&r)),
                                                20 * exp(0.01 * ub_random_normal(&r)), 0.1,
                                                1 + 0.01 * ub_random_normal(&r), 1}};
    return t;
}

/* The same runs with `metric` of the first system's three set to `value`. */
static struct runs_table with(const struct runs_table *t, int metric, double value)
{
    struct runs_table changed = *t;
    changed.run = ub_alloc(t->count * sizeof *t->run);
    memcpy(changed.run, t->run, t->count * sizeof *t->run);
    for (int i = 0; i < 3; i++)
        changed.run[i].value[metric] = value;
    return changed;
}

static void check_changed(int metric, double before, double after, int code, const char *part)
{
    const struct runs_table t = table_of(1), a = with(&t, metric, before),
                            b = with(&t, metric, after);
    struct runs_table other_machine = b;
    expect(compare_tables(&a, &b), code, part, NULL);
    for (size_t i = 0; i < b.count; i++) /* rounding that is not ours excuses no such thing */
        b.run[i].core = "B";
    expect(compare_tables(&a, &other_machine), code, "Other openblas-core: `B`, was `A`", NULL);
    ub_free(t.run);
    ub_free(a.run);
    ub_free(b.run);
}

static void zeros_and_gone_values_are_compared(void **state)
{
    (void)state;
    enum { LOSS, SHARPNESS };
    const double gone = (double)NAN;
    check_changed(LOSS, 0, 0, UB_OK, "no drift in");
    check_changed(LOSS, 0.1, 0, UB_DRIFT, "| final-loss | 0.1 | 0 |");
    check_changed(LOSS, 0, 0.1, UB_DRIFT, "| final-loss | 0 | 0.1 |");
    check_changed(LOSS, 0, 1e-15, UB_OK, "no drift in"); /* zero to rounding */
    check_changed(SHARPNESS, -3, 3, UB_DRIFT, "| final-sharpness | -3 | 3 |");
    check_changed(SHARPNESS, -3, -3.3, UB_DRIFT, "| final-sharpness | -3 | -3.3 |");
    check_changed(LOSS, 0.1, 0.11, UB_DRIFT, "| final-loss | 0.1 | 0.11 |");
    check_changed(LOSS, gone, gone, UB_OK, "no drift in");
    check_changed(LOSS, gone, 0.1, UB_OK, "1 (only the new store has it)");
}

static void vanished_values_are_drift(void **state)
{
    (void)state;
    const struct runs_table t = table_of(1);
    struct runs_table gone = with(&t, 0, (double)NAN), infinite = with(&t, 0, HUGE_VAL);
    expect(compare_tables(&t, &gone), UB_DRIFT, "| final-loss | 3 values | 0 values |", NULL);
    expect(compare_tables(&t, &infinite), UB_DRIFT, "| final-loss | 3 values | 0 values |", NULL);
    expect(compare_tables(&infinite, &infinite), UB_OK, "no drift in", NULL);
    /* By a whole store, whatever the seeds and machines: its column is gone. */
    struct runs_table without = table_of(2);
    for (size_t i = 0; i < without.count; i++) {
        without.run[i].value[0] = (double)NAN;
        without.run[i].seed += 10;
        without.run[i].core = "B";
    }
    expect(compare_tables(&t, &without), UB_DRIFT, "| final-loss | 3 values | 0 values |", NULL);
    ub_free(t.run);
    ub_free(gone.run);
    ub_free(infinite.run);
    ub_free(without.run);
}

/* A plateau needs a regime that was reached: without it there is a reason, and `reached` is tested.
 */
static void a_regime_that_was_not_reached_is_a_reason(void **state)
{
    (void)state;
    const struct runs_table t = table_of(1);
    struct runs_table few = table_of(1), none = table_of(1);
    few.run[0].value[3] = (double)NAN;
    few.run[0].value[4] = 0;
    expect(compare_tables(&t, &few), UB_DRIFT, "- gd: 1 drifted (edge-of-stability.reached)",
           "| presence"); /* all else repeats bit by bit */
    for (size_t i = 0; i < few.count; i++)
        few.run[i].core = "B";
    expect(compare_tables(&t, &few), UB_OK, "1 (regime not reached on one side)", "| presence");
    for (size_t i = 0; i < none.count; i++) {
        none.run[i].value[3] = (double)NAN;
        none.run[i].value[4] = 0;
    }
    expect(compare_tables(&t, &none), UB_DRIFT, "| edge-of-stability.reached | 1 | 0 |", NULL);
    ub_free(t.run);
    ub_free(few.run);
    ub_free(none.run);
}

/* Learning rates given as numbers are facts; those resolved by a seed's sharpness have a spread. */
static void resolved_rates_are_measured(void **state)
{
    (void)state;
    struct runs_table a = table_of(1), b = table_of(2);
    for (size_t i = 0; i < b.count; i++)
        b.run[i].seed += 10;
    expect(compare_tables(&a, &b), UB_OK, "no drift in", NULL);
    struct runs_table c = with(&b, 2, 0.102);
    expect(compare_tables(&a, &c), UB_DRIFT, "| lr | 0.1 | 0.102 |", NULL);
    a.rate = c.rate = "relative(0.5)";
    for (size_t i = 0; i < a.count; i++) {
        a.run[i].value[2] = 0.1 * a.run[i].value[3]; /* by 1% from seed to seed */
        c.run[i].value[2] = 0.1 * c.run[i].value[3];
    }
    expect(compare_tables(&a, &c), UB_OK, "no drift in", NULL);
    struct runs_table d = with(&a, 0, 0.1), e = with(&a, 0, 0.1);
    for (int i = 0; i < 3; i++) /* equal seeds: rounding here, 2% more there */
        e.run[i].value[2] *= 1.02 + 1e-7 * i;
    for (size_t i = 3; i < e.count; i++)
        e.run[i].value[2] *= 1 + 1e-7 * (double)i;
    expect(compare_tables(&d, &e), UB_DRIFT, "- gd: 1 drifted (lr)", NULL);
    ub_free(a.run);
    ub_free(b.run);
    ub_free(c.run);
    ub_free(d.run);
    ub_free(e.run);
}

/* Runs that crash are never chance; runs that diverge may be, on another machine. */
static void endings_are_judged_by_kind(void **state)
{
    (void)state;
    const struct runs_table t = table_of(1);
    struct runs_table changed = table_of(1);
    changed.run[0].status = "diverged";
    expect(compare_tables(&t, &changed), UB_DRIFT, "| status | ok | diverged |", NULL);
    for (size_t i = 0; i < changed.count; i++)
        changed.run[i].core = "B";
    expect(compare_tables(&t, &changed), UB_OK, "(ended in two ways)", NULL);
    changed.run[0].status = "failed";
    expect(compare_tables(&t, &changed), UB_DRIFT, "| status | ok | failed |", NULL);
    for (size_t i = 0; i < changed.count; i++)
        changed.run[i].status = "diverged";
    expect(compare_tables(&t, &changed), UB_DRIFT, "| status | ok | diverged |", NULL);
    ub_free(t.run);
    ub_free(changed.run);
}

static void lost_and_repeated_runs_of_the_base_are_counted(void **state)
{
    (void)state;
    const struct runs_table t = table_of(1);
    struct runs_table lost = table_of(1), twice = table_of(1);
    lost.run[4].status = "missing";
    expect(compare_tables(&lost, &t), UB_OK, "17 of 18 runs found (the base itself lacks 1)", NULL);
    expect(compare_tables(&lost, &t), UB_OK, "1 run is new", "1 runs");
    twice.run[1].seed = twice.run[0].seed;
    expect_error(compare_tables(&twice, &t), UB_INPUT, "each system's seeds once");
    ub_free(t.run);
    ub_free(lost.run);
    ub_free(twice.run);
}

/* ---- digests ---- */

/* One run whose only measurement has this value and error: the trace's hash. */
static char *trace_hash(double value, double error)
{
    struct ub_error err = {0};
    char *folder = support_folder(), *path = ub_path(folder, "rows.csv");
    char *measures[] = {(char *)"loss"};
    const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                     .model = (char *)"mlp:widths=8",
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)"gd:lr=0.1",
                                     .steps = 10,
                                     .n_measures = 1,
                                     .measures = measures};
    assert_true(ub_store_lock(folder, false, &err));
    struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
    ub_run_writer_add(w, 0, "loss", 0, value, error);
    assert_true(ub_run_writer_commit(w, UB_RUN_OK, "", NULL, 0, &err));
    struct ub_store *store = ub_store_open(folder, &err);
    assert_true(ub_report_runs_csv(store, path, &err));
    struct ub_csv *csv = ub_csv_read(path, true, &err);
    char *hash = ub_strdup(ub_csv_cell(csv, 0, (size_t)ub_csv_column(csv, "provenance.trace")));
    ub_csv_free(csv);
    ub_store_free(store);
    ub_free(path);
    support_remove(folder);
    return hash;
}

static void every_value_has_its_own_hash(void **state)
{
    (void)state;
    const double values[] = {0, -0.0, (double)NAN, HUGE_VAL, -HUGE_VAL, 1, -1};
    enum { VALUES = sizeof values / sizeof *values };
    char *hash[2 * VALUES];
    for (int i = 0; i < VALUES; i++) {
        hash[i] = trace_hash(values[i], 0.5);
        hash[VALUES + i] = trace_hash(0.25, values[i]);
    }
    for (int i = 0; i < 2 * VALUES; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(hash[i], hash[k]) == 0)
                fail_msg("%g and %g have one hash, %s", values[i % VALUES], values[k % VALUES],
                         hash[i]);
    for (int i = 0; i < 2 * VALUES; i++)
        ub_free(hash[i]);
}

/* A published runs.csv stands for the store it was made from. */
static void runs_csv_is_a_baseline(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *file = ub_path(folder, "base.csv");
    struct made base = base_of(folder);
    made_store(&base);
    struct ub_store *store = ub_store_open(folder, &err);
    assert_non_null(store);
    assert_true(ub_report_runs_csv(store, file, &err));
    expect(compare_paths(file, folder), UB_OK, "no drift", NULL);
    ub_store_free(store);
    ub_free(file);
    support_remove(folder);
}

/* ---- the report ---- */

/* Every (FILE) that the page links to is there; how many there are, less those elsewhere (sources).
 */
static int check_links(const char *folder, const char *page)
{
    int links = 0;
    for (const char *at = strstr(page, "]("); at; at = strstr(at + 1, "](")) {
        char name[256];
        assert_int_equal(sscanf(at, "](%255[^)])", name), 1);
        if (!strncmp(name, "https://", 8))
            continue;
        char *path = ub_path(folder, name);
        if (!ub_exists(path))
            fail_msg("a page links to %s, which is not there", name);
        ub_free(path);
        links++;
    }
    return links;
}

static void the_report_is_whole(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *out = ub_path(folder, "report");
    struct made base = base_of(folder);
    base.diverged_optimizer = 2;
    made_store(&base);
    struct ub_store *store = ub_store_open(folder, &err);
    if (!ub_report_write(store, out, &err))
        fail_msg("%s", err.text);
    char *page = read_text(out, "report.md"), *data = read_text(out, "data.csv");
    char *law = read_text(out, "law-edge-of-stability.md"), *runs = read_text(out, "runs.md");
    char *topics = read_text(out, "topics.md");
    assert_true(check_links(out, page) >= 8);
    assert_true(check_links(out, law) >= 3);
    assert_true(check_links(out, runs) >= 3);
    assert_true(check_links(out, topics) >= 2);
    assert_non_null(strstr(page, "**edge-of-stability: holds"));
    assert_non_null(strstr(page, "6 of 6 systems that speak are within 0.1 of the prediction "
                                 "(3 more do not speak)"));
    assert_non_null(strstr(law, "Of 27 runs 18 came to a level. Runs that have none: 9 diverged"));
    assert_non_null(strstr(page, "| diverged | 9 |"));
    assert_non_null(strstr(runs, "unibench train --dataset digits --model mlp:widths=8"));
    int lines = 0;
    for (const char *c = data; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 1 + MADE_MODELS * MADE_OPTIMIZERS);
    char *summary = ub_report_summary(store, &err);
    for (const char *line = summary; *line; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 0, 100);
    ub_free(summary);
    ub_free(page);
    ub_free(law);
    ub_free(runs);
    ub_free(topics);
    ub_free(data);
    ub_free(out);
    ub_store_free(store);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_does_not_drift_from_itself),
        cmocka_unit_test(noise_is_not_drift),
        cmocka_unit_test(a_planted_threshold_is_named),
        cmocka_unit_test(a_moved_plateau_is_named),
        cmocka_unit_test(another_ending_is_drift),
        cmocka_unit_test(missing_runs_are_drift),
        cmocka_unit_test(other_seeds_are_compared_by_system),
        cmocka_unit_test(zeros_and_gone_values_are_compared),
        cmocka_unit_test(vanished_values_are_drift),
        cmocka_unit_test(a_regime_that_was_not_reached_is_a_reason),
        cmocka_unit_test(resolved_rates_are_measured),
        cmocka_unit_test(endings_are_judged_by_kind),
        cmocka_unit_test(lost_and_repeated_runs_of_the_base_are_counted),
        cmocka_unit_test(every_value_has_its_own_hash),
        cmocka_unit_test(runs_csv_is_a_baseline),
        cmocka_unit_test(the_report_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
