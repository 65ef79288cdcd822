/* The nightly's words: planted drifts are named by law, observable or speed, by who has them and by
 * how much, and since when; an unchanged tree is quiet. Planted in copies of the published quick
 * suite, and end to end: a program with nesterov's threshold misstated by 5% (tests/nightly). */
#include "cli_support.h"
#include "report/history/history.h"
#include "runs_table.h"

#include <math.h>

static const char published[] = UNIBENCH_SOURCE "/results/quick/runs.csv";

/* ---- edited copies -------------------------------------------------------------------------- */

/* Of the rows whose `where` begins with `is` (NULL: all), `column` times `factor`, or `text`. */
struct edit {
    const char *column, *where, *is;
    double factor;
    const char *text;
};
enum { EDITS = 8 };

struct copy {
    struct edit edit[EDITS]; /* ends with a NULL column */
    double times, night;     /* lognormal noise on seconds: of each run, and of all alike */
    size_t alone;            /* > 0: one seed of each system, or (2) its others, as seeds + 100 */
    size_t leave_out;        /* every so manieth row; 0: none */
    struct ub_random random;
};

static const char *at(const struct ub_csv *csv, size_t row, const char *column)
{
    const int c = ub_csv_column(csv, column);
    if (c < 0)
        fail_msg("%s: no column %s", csv->path, column);
    return ub_csv_cell(csv, row, (size_t)c);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Whether the cell was written. */
static bool add_edited(struct ub_text *text, const struct copy *copy, const struct ub_csv *csv,
                       size_t row, size_t c)
{
    for (const struct edit *e = copy->edit; e->column; e++) {
        double x;
        if (strcmp(csv->header[c], e->column) != 0 ||
            (e->where && !begins(at(csv, row, e->where), e->is)))
            continue;
        if (e->text)
            ub_csv_add(text, e->text);
        else if (ub_read_real(ub_csv_cell(csv, row, c), &x))
            ub_csv_add_real(text, x * e->factor);
        else
            continue;
        return true;
    }
    return false;
}

static void add_cell(struct ub_text *text, struct copy *copy, const struct ub_csv *csv, size_t row,
                     size_t c, double night)
{
    struct ub_text edited = {0};
    double x;
    if (add_edited(text, copy, csv, row, c))
        return;
    if (strcmp(csv->header[c], "command") == 0) { /* long, and read by nobody */
        ub_csv_add(text, "");
        return;
    }
    if (begins(csv->header[c], "seconds") && ub_read_real(ub_csv_cell(csv, row, c), &x))
        ub_csv_add_real(text, x * exp(night + copy->times * ub_random_normal(&copy->random)));
    else if (copy->alone == 2 && strcmp(csv->header[c], "seed") == 0) {
        ub_text_add(&edited, "1%s", ub_csv_cell(csv, row, c)); /* another name */
        ub_csv_add(text, edited.data);
    } else {
        ub_csv_add(text, ub_csv_cell(csv, row, c));
    }
    ub_text_free(&edited);
}

/* Which rows a copy has: which seed is alone is drawn for each system that has several. */
static bool *kept_rows(struct copy *copy, const struct ub_csv *csv)
{
    bool *kept = ub_calloc(csv->rows + 1, sizeof *kept);
    int64_t alone = 0, seeds = 1;
    for (size_t row = 0; row < csv->rows; row++) {
        const int64_t seed = seed_of(csv, row);
        if (seed == 0) {
            seeds = seeds_from(csv, row);
            alone = ub_random_below(&copy->random, seeds);
        }
        kept[row] = copy->alone == 0   ? copy->leave_out == 0 || row % copy->leave_out != 0
                    : copy->alone == 1 ? seeds > 1 && seed == alone
                                       : seeds > 1 && seed != alone;
    }
    return kept;
}

static void write_copy(struct copy *copy, const struct ub_csv *csv, const char *path)
{
    struct ub_text text = {0};
    struct ub_error err = {0};
    bool *kept = kept_rows(copy, csv);
    const double night = copy->night * ub_random_normal(&copy->random);
    for (size_t c = 0; c < csv->columns; c++)
        ub_csv_add(&text, csv->header[c]);
    ub_csv_end_row(&text);
    for (size_t row = 0; row < csv->rows; row++) {
        for (size_t c = 0; c < csv->columns && kept[row]; c++)
            add_cell(&text, copy, csv, row, c, night);
        if (kept[row])
            ub_csv_end_row(&text);
    }
    if (!ub_write_file(path, text.data, text.length, &err))
        fail_msg("%s", err.text);
    ub_text_free(&text);
    ub_free(kept);
}

/* ---- comparing ------------------------------------------------------------------------------ */

struct page {
    int code;
    char *text;
};

static struct page compare(const char *base, const char *other, const char *history)
{
    struct ub_error err = {0};
    struct page p = {0};
    size_t length;
    FILE *out = open_memstream(&p.text, &length);
    p.code = ub_report_compare(base, other,
                               &(struct ub_comparing){.out = out, .history_path = history}, &err);
    fclose(out);
    if (p.code != UB_OK && p.code != UB_DRIFT)
        fail_msg("exit %d: %s", p.code, err.text);
    return p;
}

static struct page compare_copy(struct copy *copy)
{
    char *folder = support_folder(), *path = ub_path(folder, "new.csv");
    struct ub_csv *csv = open_csv(published);
    write_copy(copy, csv, path);
    const struct page p = compare(published, path, NULL);
    ub_csv_free(csv);
    ub_free(path);
    support_remove(folder);
    return p;
}

/* The first line of a page that begins with `head`; NULL when there is none. Caller frees. */
static char *line_of(const char *page, const char *head)
{
    for (const char *line = page; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (begins(line, head))
            return strndup(line, strcspn(line, "\n"));
    return NULL;
}

static void expect_line(const struct page *p, const char *head, const char *const *parts)
{
    char *line = line_of(p->text, head);
    if (!line)
        fail_msg("no line '%s' in:\n%s", head, p->text);
    for (; *parts; parts++)
        if (!strstr(line, *parts))
            fail_msg("no '%s' in: %s", *parts, line);
    printf("    %s\n", line);
    free(line);
}

/* Lines that name something: "- `x`", "- law `x`", "- speed `x`". */
static size_t count_named(const char *page)
{
    size_t n = 0;
    for (const char *line = page; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        n += begins(line, "- `") || begins(line, "- law `") || begins(line, "- speed `") ||
             begins(line, "- observable `");
    return n;
}

/* ---- planted -------------------------------------------------------------------------------- */

/* A threshold 5% too high: every plateau of its optimizer comes out 1/1.05 of what it was. */
static void a_law_is_named(void **state)
{
    (void)state;
    struct copy copy = {
        .edit = {{"edge-of-stability.plateau", "optimizer", "nesterov:", 1 / 1.05, NULL}}};
    const struct page p = compare_copy(&copy);
    assert_int_equal(p.code, UB_DRIFT);
    expect_line(&p, "- law `edge-of-stability`", (const char *const[]){NULL});
    expect_line(&p, "  - `edge-of-stability.plateau`: -0.04",
                (const char *const[]){"systems with optimizer nesterov, and no other of", NULL});
    assert_int_equal(count_named(p.text), 1);
    free(p.text);
}

static void an_observable_is_named(void **state)
{
    (void)state;
    struct copy copy = {.edit = {{"final-sharpness", NULL, NULL, 1.02, NULL}}};
    const struct page p = compare_copy(&copy);
    assert_int_equal(p.code, UB_DRIFT);
    expect_line(&p, "- `final-sharpness`: +2%", (const char *const[]){"in all ", "systems", NULL});
    assert_int_equal(count_named(p.text), 1);
    free(p.text);
}

/* In noise of 10% from run to run, on a machine that is slower or faster by about 10% as a whole.
 */
static void a_speed_is_named(void **state)
{
    (void)state;
    struct copy copy = {.edit = {{"seconds.training", "model", "cnn:", 1.3, NULL}}, .times = 0.1};
    copy.night = 0.1;
    copy.random = ub_random_stream(1, "planted speed");
    struct ub_csv *csv = open_csv(published);
    char *folder = support_folder(), *clean = ub_path(folder, "a.csv");
    char *slow = ub_path(folder, "b.csv");
    struct copy noisy = copy;
    noisy.edit[0].column = NULL;
    write_copy(&noisy, csv, clean);
    for (int faster = 0; faster < 2; faster++) {
        struct ub_csv *other = open_csv(clean);
        copy.edit[0].factor = faster ? 1 / 1.3 : 1.3;
        copy.times = copy.night = 0;
        write_copy(&copy, other, slow);
        const struct page p = compare(published, slow, NULL);
        assert_int_equal(p.code, UB_OK); /* times are advice */
        expect_line(&p, faster ? "- `training cnn`: -" : "- `training cnn`: +",
                    (const char *const[]){"20 runs, against all others", NULL});
        assert_int_equal(count_named(p.text), 1);
        free(p.text);
        ub_csv_free(other);
    }
    ub_csv_free(csv);
    ub_free(clean);
    ub_free(slow);
    support_remove(folder);
}

/* On another CPU model nothing is said of times. */
static void other_machines_are_not_timed(void **state)
{
    (void)state;
    struct copy copy = {.edit = {{"seconds.training", "model", "cnn:", 1.3, NULL},
                                 {"provenance.cpu", NULL, NULL, 1, "another"}}};
    const struct page p = compare_copy(&copy);
    assert_int_equal(p.code, UB_OK);
    expect_line(&p,
                "Times were not compared: no two runs of equal seeds were made on one CPU model",
                (const char *const[]){NULL});
    assert_int_equal(count_named(p.text), 0);
    free(p.text);
}

/* The base is another machine's: times are held against a night on a machine of this kind. */
static void times_have_a_reference_of_their_own(void **state)
{
    (void)state;
    struct copy base = {.edit = {{"provenance.cpu", NULL, NULL, 1, "another"}}};
    struct copy slow = {.edit = {{"seconds.training", "model", "cnn:", 1.3, NULL}}};
    char *folder = support_folder(), *a = ub_path(folder, "a.csv"), *b = ub_path(folder, "b.csv");
    struct ub_csv *csv = open_csv(published);
    write_copy(&base, csv, a);
    write_copy(&slow, csv, b);
    struct ub_text line = {0};
    ub_text_add(&line, "compare a.csv b.csv --times %s", published);
    const struct page p = {.text = cli_expect(folder, line.data, 0, "- `training cnn`: +30%")};
    assert_int_equal(count_named(p.text), 1);
    cli_run(folder, "compare a.csv b.csv --times none.csv", 2, "none.csv");
    ub_text_free(&line);
    ub_free(p.text);
    ub_csv_free(csv);
    ub_free(a);
    ub_free(b);
    support_remove(folder);
}

/* Comparisons are of runs that both have; what is missing is named. */
static void missing_runs_are_named(void **state)
{
    (void)state;
    char found[64], missing[64];
    struct ub_csv *csv = open_csv(published);
    struct copy copy = {.leave_out = 5};
    const size_t left_out = (csv->rows + copy.leave_out - 1) / copy.leave_out;
    const struct page p = compare_copy(&copy);
    assert_int_equal(p.code, UB_DRIFT);
    snprintf(found, sizeof found, "%zu of %zu runs found", csv->rows - left_out, csv->rows);
    snprintf(missing, sizeof missing, "%zu of the base's %zu runs", left_out, csv->rows);
    expect_line(&p, "`", (const char *const[]){"no drift in", found, NULL});
    expect_line(&p, "**Missing** in", (const char *const[]){missing, "systems", NULL});
    ub_csv_free(csv);
    free(p.text);
}

/* ---- nothing planted ------------------------------------------------------------------------ */

/* One seed of each published system against its others, with noise on times. */
static void an_unchanged_tree_is_quiet(void **state)
{
    (void)state;
    enum { PAIRS = 20, TIMED = 10 };
    struct ub_csv *csv = open_csv(published);
    char *folder = support_folder(), *a = ub_path(folder, "a.csv"), *b = ub_path(folder, "b.csv");
    struct ub_random r = ub_random_stream(3, "unchanged");
    int alarms = 0, named = 0, timed = 0;
    for (int i = 0; i < PAIRS; i++) {
        const uint64_t draw = ub_random_bits(&r); /* the same systems' seeds alone in both */
        struct copy one = {.alone = 1, .random = ub_random_stream(draw, "seeds")};
        struct copy others = {.alone = 2, .random = ub_random_stream(draw, "seeds")};
        write_copy(&one, csv, a);
        write_copy(&others, csv, b);
        const struct page p = compare(a, b, NULL);
        alarms += p.code == UB_DRIFT;
        named += count_named(p.text) > 0;
        free(p.text);
        if (i >= TIMED)
            continue;
        struct copy later = {.times = 0.2, .night = 0.2, .random = ub_random_stream(draw, "times")};
        write_copy(&later, csv, a);
        const struct page again = compare(published, a, NULL);
        assert_int_equal(again.code, UB_OK);
        timed += count_named(again.text) > 0;
        free(again.text);
    }
    printf("unchanged, other seeds: %d of %d comparisons show drift, %d name something\n", alarms,
           PAIRS, named);
    printf("unchanged, times within 20%%: %d of %d comparisons name something\n", timed, TIMED);
    assert_int_equal(alarms + named + timed, 0);
    ub_csv_free(csv);
    ub_free(a);
    ub_free(b);
    support_remove(folder);
}

/* ---- nights --------------------------------------------------------------------------------- */

/* Night `k` of commit ck; from the third on, sharpness is off by 2%. */
static struct page night(const char *folder, const struct ub_csv *csv, int k)
{
    char date[32], commit[16], *path = ub_path(folder, "night.csv");
    char *history = ub_path(folder, "nightlies.csv");
    snprintf(date, sizeof date, "2026-12-%02dT02:17:00Z", k);
    snprintf(commit, sizeof commit, "c%d", k);
    struct copy copy = {.edit = {{"provenance.date", NULL, NULL, 1, date},
                                 {"provenance.commit", NULL, NULL, 1, commit},
                                 {"final-sharpness", NULL, NULL, k < 3 ? 1 : 1.02, NULL}}};
    write_copy(&copy, csv, path);
    const struct page p = compare(published, path, history);
    ub_free(path);
    ub_free(history);
    return p;
}

static void since_when_is_told(void **state)
{
    (void)state;
    char *folder = support_folder(), *history = ub_path(folder, "nightlies.csv");
    struct ub_csv *csv = open_csv(published);
    struct ub_error err = {0};
    struct ub_history h;
    for (int k = 1; k <= 4; k++) {
        const struct page p = night(folder, csv, k);
        assert_int_equal(p.code, k < 3 ? UB_OK : UB_DRIFT);
        if (k == 3)
            expect_line(&p, "- `final-sharpness`: +2%",
                        (const char *const[]){"; first seen tonight, quiet on 2026-12-02: "
                                              "`git log c2..c3`",
                                              NULL});
        if (k == 4)
            expect_line(&p, "- `final-sharpness`: +2%",
                        (const char *const[]){"; since 2026-12-03, 2 nights in a row, quiet on "
                                              "2026-12-02: `git log c2..c3`",
                                              NULL});
        assert_int_equal(count_named(p.text), k < 3 ? 0 : 1);
        free(p.text);
    }
    const struct page again = night(folder, csv, 4); /* the same night twice is one */
    free(again.text);
    assert_true(ub_history_read(history, &h, &err));
    size_t nights = 0;
    for (size_t i = 0; i < h.count; i++)
        nights += strcmp(h.night[i].name, "final-sharpness") == 0;
    assert_int_equal(nights, 4);
    ub_history_clear(&h);
    ub_csv_free(csv);
    ub_free(history);
    support_remove(folder);
}

/* ---- end to end ----------------------------------------------------------------------------- */

static int nightly(const char *folder, const char *program)
{
    struct ub_text command = {0};
    ub_text_add(&command,
                "cd %s && UNIBENCH=%s BASE=%s/base %s/ci/nightly %s/tests/nightly/nightly.yaml "
                "%s/store %s/nightlies.csv >out.txt 2>&1",
                folder, program, folder, UNIBENCH_SOURCE, UNIBENCH_SOURCE, folder, folder);
    const int status = system(command.data); /* NOLINT(cert-env33-c) */
    ub_text_free(&command);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_misstated_threshold_is_named(void **state)
{
    (void)state;
    char *folder = support_folder();
    cli_run(folder, "run " UNIBENCH_SOURCE "/tests/nightly/nightly.yaml --out base --jobs 2", 0,
            "");
    assert_int_equal(nightly(folder, UNIBENCH_PROGRAM), 0);
    char *quiet = cli_read(folder, "store/comparison.md");
    assert_non_null(strstr(quiet, "no drift in"));
    ub_free(quiet);
    if (nightly(folder, UNIBENCH_DRIFTED_PROGRAM) != UB_DRIFT)
        fail_msg("%s", cli_read(folder, "out.txt"));
    const struct page p = {.text = cli_read(folder, "store/comparison.md")};
    expect_line(
        &p, "- `lr`: +5%",
        (const char *const[]){"with optimizer nesterov, and no other", "at the same commit", NULL});
    /* The optimizer, or the one of its two systems that has a level past doubt (which do hangs on
     * last bits); never a system of another optimizer. */
    expect_line(&p, "- law `edge-of-stability`",
                (const char *const[]){"; was *", "esterov", ", and no other of ", NULL});
    assert_true(cli_exists(folder, "store/charts/history.md"));
    assert_true(cli_exists(folder, "times")); /* of the first night here */
    assert_true(cli_exists(folder, "store/charts/history-law-1.png"));
    ub_free(p.text);
    support_remove(folder);
}

/* Two programs on one machine, in turns. */
static void pairs_are_compared_in_turns(void **state)
{
    static const char suite[] =
        "name: turns\n"
        "defaults: {dataset: {digits: {size: 50}}, loss: mse, steps: 50, seed: 0..1}\n"
        "runs:\n"
        "  - model: {mlp: {widths: 8}}\n"
        "    optimizer: [{gd: {lr: {relative: 0.5}}}, {gd: {lr: {relative: 0.2}}},\n"
        "                {nesterov: {lr: {relative: 0.2}}}]\n";
    (void)state;
    char *folder = cli_folder_with("turns.yaml", suite);
    struct ub_text command = {0};
    ub_text_add(&command,
                "cd %s && UNIBENCH=%s BASE_UNIBENCH=%s %s/ci/pair none %s/turns.yaml %s/pair "
                ">out.txt 2>&1",
                folder, UNIBENCH_DRIFTED_PROGRAM, UNIBENCH_PROGRAM, UNIBENCH_SOURCE, folder,
                folder);
    const int status = system(command.data); /* NOLINT(cert-env33-c) */
    if (!WIFEXITED(status) || WEXITSTATUS(status) != UB_DRIFT)
        fail_msg("%s", cli_read(folder, "out.txt"));
    const struct page p = {.text = cli_read(folder, "pair/comparison.md")};
    expect_line(&p, "- `lr`: +5%", (const char *const[]){"Nesterov", NULL});
    expect_line(&p, "Times named in both orders", (const char *const[]){NULL});
    ub_text_free(&command);
    ub_free(p.text);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_law_is_named),
        cmocka_unit_test(an_observable_is_named),
        cmocka_unit_test(a_speed_is_named),
        cmocka_unit_test(other_machines_are_not_timed),
        cmocka_unit_test(times_have_a_reference_of_their_own),
        cmocka_unit_test(missing_runs_are_named),
        cmocka_unit_test(an_unchanged_tree_is_quiet),
        cmocka_unit_test(since_when_is_told),
        cmocka_unit_test(a_misstated_threshold_is_named),
        cmocka_unit_test(pairs_are_compared_in_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
