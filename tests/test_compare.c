/* Drift between stores whose truth is known, in both directions; and the report's files. */
#include "made_store.h"
#include "report/report.h"

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

struct outcome {
    int code;
    char *page;
    struct ub_error err;
};

static struct outcome compare(const char *base, const char *new_store)
{
    struct outcome o = {0};
    size_t length;
    FILE *out = open_memstream(&o.page, &length);
    o.code = ub_report_compare(base, new_store, out, NULL, &o.err);
    fclose(out);
    return o;
}

/* Makes both stores, compares them, and removes them. */
static struct outcome compare_made(struct made base, struct made changed)
{
    char *a = support_folder(), *b = support_folder();
    base.folder = a;
    changed.folder = b;
    made_store(&base);
    made_store(&changed);
    struct outcome o = compare(a, b);
    support_remove(a);
    support_remove(b);
    return o;
}

static void expect(struct outcome o, int code, const char *part, const char *absent)
{
    if (o.code != code || (part && !strstr(o.page, part)) || (absent && strstr(o.page, absent)))
        fail_msg("exit %d (%s), expected %d with '%s' and without '%s' in:\n%s", o.code, o.err.text,
                 code, part ? part : "", absent ? absent : "", o.page);
    free(o.page);
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

static void missing_runs_are_not_a_pass(void **state)
{
    (void)state;
    struct made fewer = base_of(NULL), other = base_of(NULL);
    fewer.seeds = 2;
    struct outcome o = compare_made(base_of(NULL), fewer);
    assert_non_null(strstr(o.err.text, "9 of the base's 27 runs are missing"));
    expect(o, UB_INCOMPARABLE, NULL, NULL);
    other.first_seed = 50;
    o = compare_made(base_of(NULL), other);
    assert_non_null(strstr(o.err.text, "nothing compared"));
    expect(o, UB_INCOMPARABLE, NULL, NULL);
    expect(compare_made(fewer, base_of(NULL)), UB_OK, "9 runs are new", NULL);
    expect(compare("absent", "absent"), UB_INCOMPARABLE, NULL, NULL);
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
    expect(compare(file, folder), UB_OK, "no drift", NULL);
    ub_store_free(store);
    ub_free(file);
    support_remove(folder);
}

/* ---- the report ---- */

static char *read_text(const char *folder, const char *name)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, name);
    char *text = (char *)ub_read_file(path, 1 << 26, NULL, &err);
    if (!text)
        fail_msg("%s", err.text);
    ub_free(path);
    return text;
}

/* Every (FILE) that the page links to is there. */
static void check_links(const char *folder, const char *page)
{
    int links = 0;
    for (const char *at = strstr(page, "]("); at; at = strstr(at + 1, "](")) {
        char name[256];
        assert_int_equal(sscanf(at, "](%255[^)])", name), 1);
        char *path = ub_path(folder, name);
        if (!ub_exists(path))
            fail_msg("report.md links to %s, which is not there", name);
        ub_free(path);
        links++;
    }
    assert_true(links >= 8);
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
    char *page = read_text(out, "report.md"), *laws = read_text(out, "laws.csv");
    check_links(out, page);
    assert_non_null(strstr(page, "**edge-of-stability: undecided**"));
    assert_non_null(
        strstr(page, "Of 27 runs and 9 systems that it is about, 18 and 6 came to a level"));
    assert_non_null(strstr(page, "| diverged | 9 |"));
    assert_non_null(strstr(page, "unibench train --dataset digits --model mlp:widths=8"));
    int lines = 0;
    for (const char *c = laws; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 1 + MADE_MODELS * MADE_OPTIMIZERS);
    char *summary = ub_report_summary(store, &err);
    for (const char *line = summary; *line; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 0, 100);
    ub_free(summary);
    ub_free(page);
    ub_free(laws);
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
        cmocka_unit_test(missing_runs_are_not_a_pass),
        cmocka_unit_test(runs_csv_is_a_baseline),
        cmocka_unit_test(the_report_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
