/* One entry of each kind from outside of the tree (tests/extending, built into a program of its own
 * by ci/cmake/UnibenchExtensions.cmake) shows up wherever its kind does: lists, suites, columns,
 * report, verdict, comparison. */
#undef UNIBENCH_PROGRAM
#define UNIBENCH_PROGRAM UNIBENCH_EXTENDED_PROGRAM
#include "tests/cli_support.h"

#include "bench/store/store.h"

static const char samples[] = UNIBENCH_SOURCE "/tests/extending";
static const char suite[] = UNIBENCH_SOURCE "/tests/extending/extending.yaml";
enum { SAMPLES = 8, LEAST_LINES = 40, RUNS = 12 };
static const double drift = 1.05;

/* ---- the files ---- */

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; (text = strchr(text, '\n')); text++)
        lines++;
    return lines;
}

static void samples_are_short_and_the_readme_shows_them(void **state)
{
    (void)state;
    size_t found = 0;
    char *readme = cli_read(UNIBENCH_SOURCE, "README.md");
    DIR *folder = opendir(samples);
    assert_non_null(folder);
    for (const struct dirent *e; (e = readdir(folder));) {
        const size_t length = strlen(e->d_name);
        if (length < 2 || strcmp(e->d_name + length - 2, ".c") != 0 ||
            strncmp(e->d_name, "test_", 5) == 0) /* tests of skeletons: `unibench new` */
            continue;
        struct ub_text link = {0};
        char *text = cli_read(samples, e->d_name);
        const size_t lines = lines_of(text);
        if (lines == 0 || lines >= LEAST_LINES)
            fail_msg("%s: %zu lines; expected fewer than %d", e->d_name, lines, LEAST_LINES);
        ub_text_add(&link, "(tests/extending/%s)", e->d_name);
        if (!strstr(readme, link.data))
            fail_msg("README.md has no link %s", link.data);
        ub_text_free(&link);
        ub_free(text);
        found++;
    }
    closedir(folder);
    ub_free(readme);
    assert_int_equal(found, SAMPLES);
}

/* ---- lists ---- */

static void every_entry_is_listed(void **state)
{
    static const char *const lists[][3] = {
        {"list models", "cubic", "a linear map of the inputs and their cubes"},
        {"list models cubic", "scale", "factor of the cubes"},
        {"list losses", "pseudo-huber", "sum of sqrt"},
        {"list inits constant", "value", "of every parameter"},
        {"list optimizers half-step", "lr", "4/lr"},
        {"list datasets circle", "points", "at equal angles"},
        {"list observables", "largest-parameter", "the largest size of any parameter"},
        {"list largest-parameter", "every", "units of parameter"},
        {"list laws bounded-parameters", "bounded-parameters", "parameters stay of order one"},
    };
    (void)state;
    char *folder = support_folder();
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char *out = cli_expect(folder, lists[i][0], 0, lists[i][1]);
        if (!strstr(out, lists[i][2]))
            fail_msg("unibench %s: no '%s' in\n%s", lists[i][0], lists[i][2], out);
        ub_free(out);
    }
    cli_run(folder, "train --optimizer half-stp:lr=0.1", 2, "did you mean 'half-step'?");
    cli_run(folder, "train --model cubik", 2, "did you mean 'cubic'?");
    support_remove(folder);
}

/* ---- a suite of them ---- */

static char *folder_with_a_run_suite(void)
{
    struct ub_text command = {0};
    char *folder = support_folder();
    ub_text_add(&command, "run %s --out base --jobs 2", suite);
    cli_run(folder, command.data, 0, "");
    assert_int_equal(cli_count_runs(folder, "base", false), RUNS);
    ub_text_free(&command);
    return folder;
}

static void expect_in(const char *folder, const char *file, const char *part)
{
    char *text = cli_read(folder, file);
    if (!strstr(text, part))
        fail_msg("%s: no '%s' in\n%s", file, part, text);
    ub_free(text);
}

/* The edge is the optimizer's own: 4/lr at lr = 0.1, 0.2, 0.4. */
static void check_runs(const char *folder)
{
    char *path = ub_path(folder, "base");
    struct ub_error err = {0};
    struct ub_store *store = ub_store_open(path, &err);
    assert_non_null(store);
    assert_int_equal(store->count, RUNS);
    for (size_t i = 0; i < store->count; i++) {
        const struct ub_run *run = &store->runs[i];
        assert_int_equal(run->status, UB_RUN_OK);
        assert_near(ub_run_fact(run, "threshold") * ub_run_fact(run, "lr"), 4, 1e-12);
        struct ub_trace *trace = ub_trace_read(store, run, &err);
        struct ub_series largest = ub_trace_series(trace, "largest-parameter", 0);
        assert_int_equal(largest.count, 5);
        assert_near(largest.value[0], 0.25, 1e-7); /* what the initialization set, in f32 */
        ub_series_clear(&largest);
        ub_trace_free(trace);
    }
    ub_store_free(store);
    ub_free(path);
}

/* The same runs with one observable's rows multiplied. */
static void copy_run(const struct ub_store *store, const struct ub_run *run, const char *to)
{
    struct ub_error err = {0};
    struct ub_trace *t = ub_trace_read(store, run, &err);
    struct ub_run_writer *w = ub_run_writer_new(to, &run->spec, &err);
    assert_true(t && w);
    for (size_t i = 0; i < t->count; i++) {
        const bool drifts = strcmp(t->observable[i], "largest-parameter") == 0;
        ub_run_writer_add(w, t->step[i], t->observable[i], t->index[i],
                          (drifts ? drift : 1) * t->value[i], t->error[i]);
    }
    for (size_t i = 0; i < run->n_facts; i++)
        ub_run_writer_fact(w, run->facts[i].name, run->facts[i].value);
    assert_true(ub_run_writer_commit(w, run->status, "", run->provenance, run->n_provenance, &err));
    ub_trace_free(t);
}

static void plant_drift(const char *folder)
{
    struct ub_error err = {0};
    char *from = ub_path(folder, "base"), *to = ub_path(folder, "drifted");
    struct ub_store *store = ub_store_open(from, &err);
    assert_true(store && ub_store_lock(to, true, &err));
    for (size_t i = 0; i < store->count; i++)
        copy_run(store, &store->runs[i], to);
    ub_store_free(store);
    ub_free(from);
    ub_free(to);
}

static void a_suite_of_them_is_run_reported_judged_and_compared(void **state)
{
    static const char *const in_table[] = {
        "final-largest-parameter", "circle:",   "cubic:scale=0.5", "pseudo-huber",
        "constant:value=0.25",     "half-step:"};
    (void)state;
    char *folder = folder_with_a_run_suite();
    check_runs(folder);
    for (size_t i = 0; i < sizeof in_table / sizeof *in_table; i++)
        expect_in(folder, "base/runs.csv", in_table[i]);
    cli_run(folder, "report base --summary", 0, "bounded-parameters");
    expect_in(folder, "base/report/report.md", "bounded-parameters");
    expect_in(folder, "base/report/law-bounded-parameters.md", "6 of 6");
    expect_in(folder, "base/report/data.csv", "bounded-parameters");
    expect_in(folder, "base/report/topics.md", "### Largest parameter\n\n![Largest parameter](");
    expect_in(folder, "base/report/topics.md", "## Largest parameters\n\nAt the end of each run.");
    assert_true(cli_exists(folder, "base/report/largest-parameter.png"));
    assert_true(cli_exists(folder, "base/report/largest-parameter.svg"));
    assert_false(cli_exists(folder, "base/report/row-largest-parameter.png")); /* drawn by it */
    expect_in(folder, "base/report/runs.csv", "final-largest-parameter");
    expect_in(folder, "base/report/dictionary.csv", "final-largest-parameter");
    expect_in(folder, "base/report/dictionary.csv", "largest size of any parameter");
    cli_run(folder, "compare base base", 0, "| final-largest-parameter |");
    plant_drift(folder);
    char *page = cli_expect(folder, "compare base drifted", 1, "- half-step:");
    assert_non_null(strstr(page, "(final-largest-parameter)"));
    ub_free(page);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_short_and_the_readme_shows_them),
        cmocka_unit_test(every_entry_is_listed),
        cmocka_unit_test(a_suite_of_them_is_run_reported_judged_and_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
