/* Suites that include others: whose runs those are, and what is said of wrong ones. */
#include "bench/suite/suite.h"
#include "tests/support.h"

#include <string.h>

static void write_suite(const char *folder, const char *name, const char *text)
{
    support_write(folder, name, text, strlen(text));
}

static struct ub_suite *read_in(const char *folder, const char *name, struct ub_error *err)
{
    char *path = ub_path(folder, name);
    *err = (struct ub_error){0};
    struct ub_suite *suite = ub_suite_read(path, err);
    ub_free(path);
    return suite;
}

#define RUNS_OF(seeds)                                                                             \
    "runs:\n  - {dataset: digits, model: linear, loss: mse, optimizer: 'gd:lr=0.1', steps: 10, "   \
    "seed: " seeds "}\n"

/* Each file has its own defaults; a run that several ask for is one, a control of all that any
 * says; a file that two include is read once; paths are from the file that has them, names those of
 * bundled suites. */
static void test_include(void **state)
{
    (void)state;
    struct ub_error err;
    char *folder = support_folder();
    char *parts = ub_path(folder, "parts");
    assert_true(ub_make_folders(parts, &err));
    write_suite(parts, "a.yaml",
                "name: a\ndefaults: {steps: 30, control: {x: holds}}\ninclude: common.yaml\n"
                "runs: {dataset: digits, model: linear, loss: mse, optimizer: 'gd:lr=0.1'}\n");
    write_suite(parts, "b.yaml", "name: b\ninclude: [common.yaml, smoke]\n" RUNS_OF("7..8"));
    write_suite(parts, "common.yaml", "name: common\n" RUNS_OF("[1, 2, 7]"));
    write_suite(folder, "all.yaml",
                "name: all\ndescription: both\ninclude: [parts/a.yaml, parts/b.yaml]\n"
                "defaults: {control: {y: fails}}\n" RUNS_OF("2..3"));
    struct ub_suite *s = read_in(folder, "all.yaml", &err);
    if (!s)
        fail_msg("%s", err.text);
    assert_string_equal(s->name, "all");
    assert_string_equal(s->description, "both");
    assert_int_equal(s->n_files, 5);
    assert_int_equal(s->count, 3 + 1 + 8 + 1 + 1); /* common, a, smoke, 8 of b, 3 of all */
    assert_int_equal(s->duplicates, 2);            /* 7 of b, 2 of all */
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(strstr(s->cells[i].path, "/parts/common.yaml"));
        assert_int_equal(s->cells[i].spec.steps, 10);
    }
    assert_int_equal(s->cells[3].spec.steps, 30);
    assert_string_equal(s->cells[3].control, "x=holds");
    assert_string_equal(s->cells[1].control, "y=fails");
    assert_null(s->cells[0].control);
    assert_int_equal(s->cells[s->count - 1].spec.seed, 3);
    assert_non_null(strstr(s->controls.law[0].path, "/parts/a.yaml"));
    assert_int_equal(s->controls.law[0].line, 2);
    ub_suite_free(s);
    ub_free(parts);
    support_remove(folder);
}

static void test_wrong_includes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"include: smoek", "/s.yaml:2: include: no suite 'smoek'; did you mean 'smoke'?"},
        {"include: none.yaml", "/s.yaml:2: include: "},
        {"include: []", "/s.yaml:2: include: an empty list"},
        {"include: {a: b}", "/s.yaml:2: include: expected a suite's name or path, or a list"},
        {"include: [smoke, [smoke]]", "/s.yaml:2: include: expected a suite's name or path"},
        {"include: ./s.yaml", "/s.yaml:2: include './s.yaml' goes round: "},
        {"include: [smoke,\n  round.yaml]", "/round.yaml:3: include 's.yaml' goes round: "},
        {"include: key.yaml", "/key.yaml:2: unknown key 'includ'; did you mean 'include'?"},
        {"include: unnamed.yaml", "/unnamed.yaml:1: no 'name'"},
        {"include: broken.yaml", "/broken.yaml:"},
        {"incldue: smoke", "did you mean 'include'?"},
        {"include: clash.yaml\n" RUNS_OF("1, control: {x: fails}"),
         "/s.yaml:4: control 'x' of this block contradicts that of "},
    };
    char *folder = support_folder();
    write_suite(folder, "round.yaml", "name: round\n\ninclude: s.yaml\n");
    write_suite(folder, "key.yaml", "name: key\ninclud: smoke\n");
    write_suite(folder, "unnamed.yaml", RUNS_OF("1"));
    write_suite(folder, "broken.yaml", "name: [\n");
    write_suite(folder, "clash.yaml", "name: clash\n" RUNS_OF("1, control: {x: holds}"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text text = {0};
        ub_text_add(&text, "name: s\n%s\n", cases[i].text);
        write_suite(folder, "s.yaml", text.data);
        ub_text_free(&text);
        struct ub_error err;
        if (read_in(folder, "s.yaml", &err))
            fail_msg("no error; expected '%s'", cases[i].part);
        assert_input_error(&err, cases[i].part);
    }
    support_remove(folder);
}

/* The night's suite has every strand's, and each run of theirs once. */
static void test_full(void **state)
{
    (void)state;
    static const char *const parts[] = {"solvable",  "limits", "empirical", "hyperparameters",
                                        "universal", "edge",   "spectra"};
    struct ub_error err = {0};
    char *path = ub_suite_find("full", &err);
    struct ub_suite *full = ub_suite_read(path, &err);
    if (!full)
        fail_msg("%s", err.text);
    size_t least = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *part = ub_suite_find(parts[i], &err);
        bool found = false;
        for (size_t k = 0; k < full->n_files; k++)
            found = found || strcmp(full->files[k], part) == 0;
        if (!found)
            fail_msg("full does not include %s", parts[i]);
        struct ub_suite *suite = ub_suite_read(part, &err);
        assert_non_null(suite);
        least += suite->count;
        ub_suite_free(suite);
        ub_free(part);
    }
    assert_true(full->count + full->duplicates > least);
    assert_true(full->duplicates >
                0); /* universal's spectra and those of spectra have controls in common */
    ub_suite_free(full);
    ub_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_include),
        cmocka_unit_test(test_wrong_includes),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
