/* Suites: what they expand to, and what is said of wrong ones. */
#include "bench/suite/suite.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK                                                                                      \
    "  - dataset: digits\n    model: linear\n    loss: mse\n    optimizer: gd:lr=0.1\n"            \
    "    steps: 10\n"

static struct ub_suite *parse(const char *text)
{
    struct ub_error err = {0};
    struct ub_suite *suite = ub_suite_parse(text, "s.yaml", &err);
    if (!suite)
        fail_msg("%s", err.text);
    return suite;
}

static void expect_error(const char *text, const char *part)
{
    struct ub_error err = {0};
    struct ub_suite *suite = ub_suite_parse(text, "s.yaml", &err);
    if (suite)
        fail_msg("no error; expected '%s' of:\n%s", part, text);
    assert_input_error(&err, part);
}

static void test_fallbacks(void **state)
{
    (void)state;
    struct ub_suite *s = parse("name: a\nruns:\n" BLOCK);
    assert_int_equal(s->count, 1);
    const struct ub_run_spec *spec = &s->cells[0].spec;
    assert_string_equal(s->name, "a");
    assert_string_equal(s->description, "");
    assert_string_equal(spec->init, "pytorch:gain=1");
    assert_string_equal(spec->optimizer, "gd:drop-every=1000,drop-factor=0.1,l2=0,lr=0.1,"
                                         "schedule=constant,warmup=0");
    assert_string_equal(spec->optimizer_label, "gd:lr=0.1");
    assert_string_equal(spec->dataset_label, "digits");
    assert_int_equal(spec->steps, 10);
    assert_int_equal(spec->seed, 0);
    assert_int_equal(spec->data_seed, 0);
    assert_int_equal(spec->precision, UB_F32);
    assert_false(spec->save_weights);
    assert_int_equal(spec->n_measures, 1);
    assert_memory_equal(spec->measures[0], "loss:", 5);
    assert_true(s->cells[0].timeout == 0);
    assert_int_equal(s->cells[0].line, 3);
    ub_suite_free(s);
}

/* 2 models of 2 activations and 1 = 5; x 2 losses x 3 optimizers x 4 seeds x 2 precisions. */
static void test_product(void **state)
{
    (void)state;
    struct ub_suite *s =
        parse("name: a\n"
              "runs:\n"
              "  dataset: digits\n"
              "  model: [linear, {mlp: {widths: [8, 4x4], activation: [tanh, relu]}}]\n"
              "  loss: [mse, ce]\n"
              "  optimizer:\n"
              "    - {gd: {lr: [0.1, {edge: 20}]}}\n"
              "    - heavy-ball:lr=relative(0.5)\n"
              "  steps: 10\n"
              "  seed: [0..2, 7]\n"
              "  precision: [f32, f64]\n");
    assert_int_equal(s->count, 5 * 2 * 3 * 4 * 2);
    assert_int_equal(s->duplicates, 0);
    /* seeds fastest, datasets slowest */
    assert_int_equal(s->cells[2].spec.seed, 2);
    assert_int_equal(s->cells[3].spec.seed, 7);
    assert_int_equal(s->cells[4].spec.seed, 0);
    assert_string_equal(s->cells[0].spec.model, s->cells[23].spec.model);
    size_t edges = 0, relative = 0, relu = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct ub_run_spec *spec = &s->cells[i].spec;
        edges += strcmp(spec->optimizer_label, "gd:lr=edge(20)") == 0;
        relative += strstr(spec->optimizer, "relative(0.5)") != NULL;
        relu += strstr(spec->model, "relu") != NULL;
        for (size_t j = 0; j < i; j++) {
            char a[17], b[17];
            ub_run_spec_id(spec, a);
            ub_run_spec_id(&s->cells[j].spec, b);
            assert_string_not_equal(a, b);
        }
    }
    assert_int_equal(edges, s->count / 3);
    assert_int_equal(relative, s->count / 3);
    assert_int_equal(relu, s->count * 2 / 5);
    ub_suite_free(s);
}

static void test_defaults_are_replaced(void **state)
{
    (void)state;
    struct ub_suite *s = parse("name: a\n"
                               "description: two\n"
                               "defaults: {dataset: digits, loss: mse, optimizer: 'gd:lr=0.1', "
                               "steps: 10, seed: 0..3, timeout: 9}\n"
                               "runs:\n"
                               "  - model: linear\n"
                               "  - {model: mlp, seed: 5, timeout: 2.5, init: he}\n");
    assert_int_equal(s->count, 5);
    assert_true(s->cells[0].timeout == 9);
    assert_true(s->cells[4].timeout == 2.5);
    assert_int_equal(s->cells[4].spec.seed, 5);
    assert_memory_equal(s->cells[4].spec.init, "he:", 3);
    ub_suite_free(s);
}

static void test_measures(void **state)
{
    (void)state;
    struct ub_suite *s = parse("name: a\nruns:\n" BLOCK "    measure:\n"
                               "      sharpness: {every: 10, top: 2}\n"
                               "      accuracy:\n"
                               "      hessian-spectrum: {at: [0, 100, end]}\n");
    const struct ub_run_spec *spec = &s->cells[0].spec;
    assert_int_equal(spec->n_measures, 3);
    assert_memory_equal(spec->measures[0], "accuracy:", 9);
    assert_non_null(strstr(spec->measures[1], "at=0+100+end"));
    assert_non_null(strstr(spec->measures[2], "top=2"));
    struct ub_suite *t =
        parse("name: a\nruns:\n" BLOCK "    measure: ['hessian-spectrum:at=0+100+end', accuracy, "
              "'sharpness:top=2,every=10']\n");
    char a[17], b[17];
    ub_run_spec_id(spec, a);
    ub_run_spec_id(&t->cells[0].spec, b);
    assert_string_equal(a, b); /* the order of measures does not matter */
    ub_suite_free(s);
    ub_suite_free(t);
}

static void test_exclude(void **state)
{
    (void)state;
    struct ub_suite *s = parse("name: a\n"
                               "runs:\n"
                               "  dataset: digits\n"
                               "  model: [linear, deep-linear, mlp]\n"
                               "  loss: [mse, ce]\n"
                               "  optimizer: ['gd:lr=0.1', 'heavy-ball:lr=0.1']\n"
                               "  steps: 10\n"
                               "  seed: 0..1\n"
                               "  exclude:\n"
                               "    - {model: [linear, deep-linear], loss: ce}\n"
                               "    - {model: 'mlp*', optimizer: heavy-ball, seed: 1}\n");
    /* 24 cells, less 2 models x 2 optimizers x 2 seeds, less 2 losses */
    assert_int_equal(s->count, 24 - 8 - 2);
    assert_int_equal(s->excluded, 10);
    ub_suite_free(s);
}

/* What is optional goes where its files are not there; the rest stays, and so does a file that is
 * there, whatever is in it. */
static void test_optional(void **state)
{
    (void)state;
    static const char text[] =
        "name: a\n"
        "defaults: {model: linear, loss: mse, optimizer: gd:lr=1, steps: 1}\n"
        "runs:\n"
        "  - {dataset: [digits, mnist, cifar10, text], seed: 0..1, "
        "optional: true}\n"
        "  - {dataset: \"csv:file=none.csv,label=y\"}\n";
    char *folder = support_folder(), *names;
    struct ub_suite *s = parse(text);
    assert_int_equal(s->count, 9);
    assert_true(s->cells[0].optional && !s->cells[8].optional);
    assert_int_equal(ub_suite_drop_absent(s, folder, &names), 6);
    assert_string_equal(names, "mnist, cifar10, text");
    assert_int_equal(s->count, 3);
    assert_memory_equal(s->cells[1].spec.dataset, "digits", 6);
    assert_memory_equal(s->cells[2].spec.dataset, "csv", 3);
    ub_free(names);
    ub_suite_free(s);

    support_write(folder, "tinyshakespeare.txt", "?", 1);
    s = parse(text);
    assert_int_equal(ub_suite_drop_absent(s, folder, &names), 4);
    assert_string_equal(names, "mnist, cifar10");
    ub_free(names);
    ub_suite_free(s);
    support_remove(folder);
    expect_error("name: a\nruns:\n" BLOCK "    optional: maybe\n", "s.yaml:8: optional is 'maybe'");
}

static void test_duplicates(void **state)
{
    (void)state;
    struct ub_suite *s =
        parse("name: a\nruns:\n" BLOCK BLOCK "  - {dataset: digits, model: linear, loss: mse, "
              "optimizer: {gd: {lr: [0.10, 0.1, 0.2]}}, steps: 10}\n");
    assert_int_equal(s->count, 2);
    assert_int_equal(s->duplicates, 3);
    assert_int_equal(s->cells[0].line, 3);
    ub_suite_free(s);
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "s.yaml"},
        {"[", "s.yaml:"},
        {"- a\n", "s.yaml:1: expected a map"},
        {"name: a\n", "s.yaml:1: no 'runs'"},
        {"name: a\nruns: []\n", "s.yaml:2: no 'runs'"},
        {"runs:\n" BLOCK, "no 'name'"},
        {"name: a/b\nruns:\n" BLOCK, "s.yaml:1: name 'a/b'"},
        {"name: a\nrun:\n" BLOCK, "s.yaml:3: unknown key 'run'; did you mean 'runs'?"},
        {"name: a\nruns:\n" BLOCK "    modle: mlp\n",
         "s.yaml:8: unknown key 'modle'; did you mean 'model'?"},
        {"name: a\nruns:\n" BLOCK "    steps: 20\n", "s.yaml:8: key 'steps' again"},
        {"name: a\ndefaults: {lr: 1}\nruns:\n" BLOCK, "s.yaml:2: unknown key 'lr'"},
        {"name: a\ndefaults: 3\nruns:\n" BLOCK, "s.yaml:2: 'defaults' is no map"},
        {"name: a\nruns:\n  - model: linear\n", "s.yaml:3: this block has no 'dataset'"},
        {"name: a\nruns:\n" BLOCK "    seed: 1.5\n", "s.yaml:8: seed is '1.5'; expected a whole"},
        {"name: a\nruns:\n" BLOCK "    seed: -1\n", "s.yaml:8: seed is '-1'"},
        {"name: a\nruns:\n" BLOCK "    seed: 3..1\n", "s.yaml:8: 'seed: 3..1' runs backwards"},
        {"name: a\nruns:\n" BLOCK "    seed: 0..999999999\n", "s.yaml:8: more than 100000 values"},
        {"name: a\nruns:\n" BLOCK "    seed: 0..999\n    data-seed: 0..999\n",
         "s.yaml:3: more than 100000 runs"},
        {"name: a\nruns:\n" BLOCK "    precision: f16\n",
         "s.yaml:8: precision is 'f16'; expected f32"},
        {"name: a\nruns:\n" BLOCK "    save-weights: maybe\n", "s.yaml:8: save-weights is 'maybe'"},
        {"name: a\nruns:\n" BLOCK "    timeout: 0\n", "s.yaml:8: timeout is '0'"},
        {"name: a\nruns:\n" BLOCK "    timeout: [1, 2]\n", "s.yaml:8: timeout is 'a list'"},
        {"name: a\nruns:\n" BLOCK "    init: xaver-normal\n",
         "s.yaml:8: unknown init 'xaver-normal'; did you mean 'xavier-normal'?"},
        {"name: a\nruns:\n" BLOCK "    init: []\n", "s.yaml:8: 'init' is empty"},
        {"name: a\nruns:\n" BLOCK "    init: {he: {gain: 1}, lecun: {gain: 1}}\n",
         "s.yaml:8: a map of 2 names for 'init'"},
        {"name: a\nruns:\n" BLOCK "    init: {he: {gian: 1}}\n", "s.yaml:8: "},
        {"name: a\nruns:\n" BLOCK "    init: {he: {gain: []}}\n",
         "s.yaml:8: 'gain' is an empty list"},
        {"name: a\nruns:\n" BLOCK "    init: {he: 3}\n", "s.yaml:8: expected the options of 'he'"},
        {"name: a\nruns:\n" BLOCK "    measure:\n", "s.yaml:8: 'measure' is empty"},
        {"name: a\nruns:\n" BLOCK "    measure:\n      los: {every: 1}\n",
         "s.yaml:9: unknown observable 'los'; did you mean 'loss'?"},
        {"name: a\nruns:\n" BLOCK "    measure:\n      loss: {evry: 1}\n", "s.yaml:9: "},
        {"name: a\nruns:\n" BLOCK "    measure: [loss, 'loss:every=3']\n",
         "s.yaml:8: 'loss' is measured twice"},
        {"name: a\nruns:\n" BLOCK "    exclude: {model: linear}\n",
         "s.yaml:8: 'exclude' is no list"},
        {"name: a\nruns:\n" BLOCK "    exclude:\n      - {modl: linear}\n",
         "s.yaml:9: unknown axis 'modl'; did you mean 'model'?"},
        {"name: a\nruns:\n" BLOCK "    exclude:\n      - {model: mlp}\n",
         "s.yaml:9: this excludes nothing"},
        {"name: a\nruns:\n" BLOCK "    exclude:\n      - {model: linear}\n",
         "everything is excluded"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_error(cases[i].text, cases[i].part);
    expect_error("name: a\nruns:\n  - dataset: digits\n    model:\n      - linear\n      - mpl\n"
                 "    loss: mse\n    optimizer: gd:lr=0.1\n    steps: 10\n",
                 "s.yaml:6: unknown model 'mpl'; did you mean 'mlp'?");
    expect_error("name: a\nruns:\n  - dataset: digits\n    model:\n      mlp:\n        widths:\n"
                 "          - 8\n          - -8\n    loss: mse\n    optimizer: gd:lr=0.1\n"
                 "    steps: 10\n",
                 "widths=-8");
}

static const char *control_of(const struct ub_suite *s, size_t cell)
{
    return s->cells[cell].control ? s->cells[cell].control : "";
}

/* A block's marks replace those of defaults; a run of two blocks has the marks of both. */
static void test_controls(void **state)
{
    (void)state;
    struct ub_suite *s = parse("name: a\n"
                               "defaults: {dataset: digits, loss: mse, optimizer: 'gd:lr=0.1',\n"
                               "  steps: 10, control: {zeta: holds, alpha-2: fails}}\n"
                               "runs:\n"
                               "  - model: linear\n"
                               "    seed: 0..2\n"
                               "  - {model: linear, seed: 2..3, control: {mid: fails}}\n"
                               "  - {model: linear, seed: 3..4, control: {}}\n"
                               "  - {model: linear, seed: 0, control: {zeta: holds, al: holds}}\n");
    assert_int_equal(s->count, 5);
    assert_int_equal(s->duplicates, 3);
    assert_string_equal(control_of(s, 0), "al=holds;alpha-2=fails;zeta=holds");
    assert_string_equal(control_of(s, 1), "alpha-2=fails;zeta=holds");
    assert_string_equal(control_of(s, 2), "alpha-2=fails;mid=fails;zeta=holds");
    assert_string_equal(control_of(s, 3), "mid=fails");
    assert_null(s->cells[4].control);
    static const struct ub_control_law laws[] = {{.name = (char *)"zeta", .line = 3},
                                                 {.name = (char *)"alpha-2", .line = 3},
                                                 {.name = (char *)"mid", .line = 7},
                                                 {.name = (char *)"zeta", .line = 9},
                                                 {.name = (char *)"al", .line = 9}};
    assert_int_equal(s->controls.count, 5); /* once a line, however many blocks inherit it */
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(s->controls.law[i].name, laws[i].name);
        assert_int_equal(s->controls.law[i].line, laws[i].line);
        assert_string_equal(s->controls.law[i].path, "s.yaml");
    }
    struct ub_suite *plain = parse("name: a\nruns:\n" BLOCK);
    struct ub_suite *marked = parse("name: a\nruns:\n" BLOCK "    control: {x: holds}\n");
    char a[17], b[17];
    ub_run_spec_id(&plain->cells[0].spec, a);
    ub_run_spec_id(&marked->cells[0].spec, b);
    assert_string_equal(a, b);
    ub_suite_free(plain);
    ub_suite_free(marked);
    ub_suite_free(s);
}

static void test_wrong_controls(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"control: catapult", "s.yaml:8: 'control' is no map"},
        {"control: [{catapult: fails}]", "s.yaml:8: 'control' is no map"},
        {"control: {catapult: fail}", "s.yaml:8: control 'catapult' is 'fail'; expected"},
        {"control: {catapult: [holds]}", "s.yaml:8: control 'catapult' is 'no text'; expected"},
        {"control: {'a=holds;b': fails}", "s.yaml:8: control 'a=holds;b' is 'fails'; expected"},
        {"control: {'': fails}", "s.yaml:8: control '' is 'fails'; expected"},
        {"control: {a: 'holds;b=fails'}", "s.yaml:8: control 'a' is 'holds;b=fails'; expected"},
        {"control: {a: holds}\n    control: {b: holds}", "control"},
        {"control: {a: holds, a: fails}", "a"},
        {"contrl: {a: holds}", "did you mean 'control'?"},
        {"control: {b: holds, a: fails}\n" BLOCK "    control: {b: fails}",
         "s.yaml:9: control 'b' of this block contradicts that of line 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text text = {0};
        ub_text_add(&text, "name: a\nruns:\n" BLOCK "    %s\n", cases[i].text);
        expect_error(text.data, cases[i].part);
        ub_text_free(&text);
    }
}

static void test_bundled(void **state)
{
    (void)state;
    struct ub_error err = {0};
    size_t n;
    char **names = ub_suite_names(&n);
    bool smoke = false;
    for (size_t i = 0; i < n; i++) {
        char *path = ub_suite_find(names[i], &err);
        assert_non_null(path);
        struct ub_suite *suite = ub_suite_read(path, &err);
        if (!suite)
            fail_msg("%s", err.text);
        assert_string_equal(suite->name, names[i]);
        smoke = smoke || (strcmp(names[i], "smoke") == 0 && suite->count == 8);
        ub_suite_free(suite);
        ub_free(path);
        ub_free(names[i]);
    }
    ub_free(names);
    assert_true(smoke);
    assert_null(ub_suite_find("smoek", &err));
    assert_input_error(&err, "did you mean 'smoke'?");
    assert_null(ub_suite_read("/nonexistent.yaml", &err));
    assert_input_error(&err, "/nonexistent.yaml");
}

/* What is followed of the weights' curvature is measured at odd intervals: an even one sees only
 * one side of an oscillation of period two. */
static bool follows_curvature(const char *measure)
{
    static const char *const names[] = {"sharpness:", "edge-ratio:", "generalized-sharpness:",
                                        "batch-sharpness:", "batch-top-eigenvalue:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(measure, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void test_suites_see_both_sides_of_the_valley(void **state)
{
    (void)state;
    size_t n, followed = 0;
    char **names = ub_suite_names(&n);
    for (size_t i = 0; i < n; i++) {
        struct ub_error err = {0};
        char *path = ub_suite_find(names[i], &err);
        struct ub_suite *suite = ub_suite_read(path, &err);
        if (!suite)
            fail_msg("%s", err.text);
        for (size_t c = 0; c < suite->count; c++)
            for (size_t k = 0; k < suite->cells[c].spec.n_measures; k++) {
                const char *measure = suite->cells[c].spec.measures[k];
                const char *every = strstr(measure, "every=");
                const long steps = every ? strtol(every + strlen("every="), NULL, 10) : 0;
                if (!follows_curvature(measure) || steps == 0)
                    continue;
                followed++;
                if (steps % 2 == 0)
                    fail_msg("suite %s: %s; expected an odd number", names[i], measure);
            }
        ub_suite_free(suite);
        ub_free(path);
        ub_free(names[i]);
    }
    ub_free(names);
    assert_true(followed > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fallbacks),
        cmocka_unit_test(test_product),
        cmocka_unit_test(test_measures),
        cmocka_unit_test(test_defaults_are_replaced),
        cmocka_unit_test(test_exclude),
        cmocka_unit_test(test_optional),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_controls),
        cmocka_unit_test(test_wrong_controls),
        cmocka_unit_test(test_bundled),
        cmocka_unit_test(test_suites_see_both_sides_of_the_valley),
    };
    return cmocka_run_group_tests_name("suite", tests, NULL, NULL);
}
