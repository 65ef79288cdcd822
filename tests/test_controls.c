/* Controls from suite to verdict: marks in a store's manifest, what reports say of them, and what
 * the program says of wrong ones. */
#include "cli_support.h"

#include "bench/suite/suite.h"
#include "report/laws/law.h"
#include "report/report.h"

enum { WIDTHS = 5, SYSTEMS = 12, MOST = (SYSTEMS + 2) * WIDTHS };

static const struct ub_law *coordinate_check(void)
{
    const struct ub_law *law = ub_law_find("coordinate-check");
    assert_non_null(law);
    return law;
}

struct planted {
    char *folder;
    struct ub_expected run[MOST];
    size_t count;
};

/* One system at all widths, whose one layer moves by width^slope; NAN: it is still to be run. */
static void plant(struct planted *p, const char *parametrization, double rate, double slope,
                  const char *control)
{
    char *measures[] = {(char *)"coordinates"};
    for (int w = 0; w < WIDTHS; w++) {
        struct ub_error err = {0};
        struct ub_text model = {0}, optimizer = {0};
        ub_text_add(&model, "mlp:parametrization=%s,widths=%d", parametrization, 32 << w);
        ub_text_add(&optimizer, "gd:lr=%g", rate);
        const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                         .model = model.data,
                                         .loss = (char *)"mse",
                                         .init = (char *)"pytorch",
                                         .optimizer = optimizer.data,
                                         .steps = 10,
                                         .n_measures = 1,
                                         .measures = measures};
        struct ub_run_writer *writer =
            isnan(slope) ? NULL : ub_run_writer_new(p->folder, &spec, &err);
        assert_true(writer || isnan(slope));
        if (writer)
            ub_run_writer_add(writer, 10, "activation-update.1", 0, pow(32 << w, slope),
                              (double)NAN);
        assert_true(!writer || ub_run_writer_commit(writer, UB_RUN_OK, "", NULL, 0, &err));
        p->run[p->count++] =
            (struct ub_expected){ub_run_spec_copy(&spec), control ? ub_strdup(control) : NULL};
        ub_text_free(&model);
        ub_text_free(&optimizer);
    }
}

static void uproot(struct planted *p)
{
    for (size_t i = 0; i < p->count; i++) {
        ub_run_spec_clear(&p->run[i].spec);
        ub_free(p->run[i].control);
    }
    support_remove(p->folder);
}

/* The law holds on all systems but its controls; `holds` and `fails` are these controls' slopes. */
static void expect(double holds, double fails, size_t right, const char *word, const char *said)
{
    struct ub_error err = {0};
    struct planted p = {.folder = support_folder()};
    for (int i = 0; i < SYSTEMS; i++)
        plant(&p, "mup", 0.01 * (i + 1), i % 2 ? 0.01 : -0.01, NULL);
    plant(&p, "mup", 1, holds, "central-flow=fails;coordinate-check=holds");
    plant(&p, "sp", 1, fails, "coordinate-check=fails");
    assert_true(ub_store_lock(p.folder, true, &err));
    assert_true(ub_manifest_write(p.folder, p.run, p.count, &err));
    struct ub_store *store = ub_store_open(p.folder, &err);
    assert_non_null(store);
    struct ub_frame *frame = ub_frame_new(store, &err);
    struct ub_law_verdict *v = ub_law_verdict_new(coordinate_check(), frame);
    assert_int_equal(v->groups.count, SYSTEMS); /* controls never enter the verdict */
    assert_int_equal(v->judgment.within, SYSTEMS);
    assert_int_equal(v->judgment.verdict, UB_LAW_EXCEPTIONS);
    assert_int_equal(v->controls.count, 2);
    assert_int_equal(v->n_right, right);
    const double slope[] = {holds, fails};
    for (int c = 0; c < 2; c++)
        if (isnan(slope[c]))
            assert_true(v->control_silent[c]);
        else
            assert_near(v->control_data[c].value, slope[c], 1e-9);
    assert_string_equal(ub_law_word(v), word);
    ub_law_verdict_free(v);
    ub_frame_free(frame);
    char *summary = ub_report_summary(store, &err), *start = strstr(summary, "coordinate-check:");
    for (char *c = summary; *c; c++)
        if (*c == '\n')
            *c = ' '; /* lines are broken anywhere */
    if (!start || !strstr(start, said))
        fail_msg("'%s' not in %s", said, summary);
    ub_free(summary);
    ub_store_free(store);
    uproot(&p);
}

static void controls_speak_of_the_instrument(void **state)
{
    (void)state;
    expect(0, 0.5, 2, "holds, few systems", "coordinate-check: holds, few systems (");
    expect(0.5, 0.5, 1, "instrument at fault",
           "1 of 2 controls came out as they must (not so: 0.5 where it must hold).");
    expect(0, 0.01, 1, "instrument at fault",
           "1 of 2 controls came out as they must (not so: 0.01 where it must fail).");
    expect(-1, 0, 0, "instrument at fault",
           "0 of 2 controls came out as they must (not so: -1 where it must hold, 0 where it must "
           "fail).");
}

/* A sweep that was stopped: what is still to be run has shown nothing, and accuses nobody. */
static void controls_still_to_be_run_are_no_fault(void **state)
{
    (void)state;
    expect((double)NAN, 0.5, 1, "holds, few systems",
           "1 of 2 controls came out as they must; 1 said nothing: not run.");
    expect((double)NAN, (double)NAN, 0, "holds, few systems",
           "0 of 2 controls came out as they must; 2 said nothing: not run.");
    expect((double)NAN, 0, 0, "instrument at fault",
           "0 of 2 controls came out as they must (not so: 0 where it must fail); 1 said nothing: "
           "not run.");
}

static const char suite[] =
    "name: marked\n"
    "defaults:\n"
    "  dataset: {gaussian: {samples: 8, features: 4}}\n"
    "  loss: mse\n"
    "  optimizer: {gd: {lr: 0.01}}\n"
    "  steps: 2\n"
    "  measure: {coordinates: {at: [0, end]}}\n"
    "runs:\n"
    "  - model: {mlp: {parametrization: mup, widths: [4, 8, 16, 32]}}\n"
    "  - model: {mlp: {parametrization: mup, widths: [4, 8], activation: relu}}\n"
    "    control: {coordinate-check: holds}\n";

static void the_program_checks_and_counts_them(void **state)
{
    (void)state;
    char *folder = cli_folder_with("marked.yaml", suite);
    cli_run(folder, "run marked.yaml --out s --dry-run", 0,
            "coordinate-check: can be decided by these runs; 1 control that must hold, no control "
            "that must fail; a control cannot speak: 2 different model.width in a group, needs 4");
    cli_run(folder, "run marked.yaml --out s --jobs 1", 0, "6 runs: 6 ok");
    char *shown = cli_expect(folder, "run marked.yaml --out s --filter *relu* --dry-run", 0,
                             "coordinate-check: controls only; 1 control");
    char *id = strstr(strstr(shown, "\n") + 1, "\n") + 1; /* below the head and its line */
    id[16] = '\0';
    struct ub_text show = {0};
    ub_text_add(&show, "show s:%s", id);
    cli_run(folder, show.data, 0, "control of: coordinate-check=holds");
    char *csv = cli_read(folder, "s/runs.csv");
    assert_non_null(strstr(csv, ",coordinate-check=holds,"));
    ub_free(csv);
    /* Without the mark: the same runs, and no drift. */
    char *plain = ub_strdup(suite);
    *strstr(plain, "    control:") = '\0';
    support_write(folder, "marked.yaml", plain, strlen(plain));
    cli_run(folder, "run marked.yaml --out t --jobs 1", 0, "6 runs: 6 ok");
    cli_run(folder, "compare s t", 0, "");
    cli_run(folder, "compare s/runs.csv t/runs.csv", 0, "");
    cli_run(folder, "run marked.yaml --out s --jobs 1", 0, "6 runs: 6 ok");
    char *manifest = cli_read(folder, "s/manifest.csv");
    assert_null(strstr(manifest, "coordinate-check"));
    ub_free(manifest);
    ub_free(plain);
    ub_free(shown);
    ub_text_free(&show);
    support_remove(folder);
}

/* A law about a series, of runs that measure only their loss; and runs that no law is about. */
static void lacks_of_series_are_said_before_a_run(void **state)
{
    (void)state;
    static const char plain[] = "name: plain\n"
                                "runs:\n"
                                "  - dataset: {gaussian: {samples: 8, features: 4}}\n"
                                "    model: linear\n"
                                "    loss: mse\n"
                                "    optimizer: {gd: {lr: 0.01}}\n"
                                "    steps: 2\n"
                                "    measure: {loss: {every: 1}}\n";
    struct ub_text marked = {0};
    ub_text_add(&marked, "%s    control: {edge-of-stability: holds}\n", plain);
    char *folder = cli_folder_with("plain.yaml", plain);
    support_write(folder, "marked.yaml", marked.data, marked.length);
    cli_run(folder, "run plain.yaml --out s --dry-run", 0,
            "1 to be made\nno law is about what these runs measure\n");
    cli_run(folder, "run marked.yaml --out s --dry-run", 0,
            "edge-of-stability: controls only; 1 control that must hold, no control that must "
            "fail; a control cannot speak: edge-ratio is not measured\n");
    ub_text_free(&marked);
    support_remove(folder);
}

/* A series that comes with another observable is measured: edge-ratio with sharpness. */
static void rows_of_other_observables_are_measured(void **state)
{
    (void)state;
    static const struct {
        const char *optimizer, *measure, *law;
    } cases[] = {
        {"gd: {lr: 0.01}", "sharpness", "edge-of-stability"},
        {"gd: {lr: 0.01}", "edge-ratio", "edge-of-stability"},
        {"sgd: {lr: 0.01, batch: 4}", "batch-sharpness", "batch-sharpness"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct ub_text text = {0}, expected = {0};
        ub_text_add(&text,
                    "name: plain\n"
                    "runs:\n"
                    "  - dataset: {gaussian: {samples: 8, features: 4}}\n"
                    "    model: linear\n"
                    "    loss: mse\n"
                    "    optimizer: {%s}\n"
                    "    steps: 2\n"
                    "    measure: {%s: {every: 1}}\n",
                    cases[k].optimizer, cases[k].measure);
        ub_text_add(&expected, "%s: can be decided by these runs; no control", cases[k].law);
        char *folder = cli_folder_with("plain.yaml", text.data);
        cli_run(folder, "run plain.yaml --out s --dry-run", 0, expected.data);
        ub_text_free(&expected);
        ub_text_free(&text);
        support_remove(folder);
    }
}

static void unknown_laws_are_refused(void **state)
{
    (void)state;
    struct ub_text text = {0};
    ub_text_add(&text, "%s      , coordinate-chek: fails}\n", suite);
    char *brace = strstr(text.data, "holds}");
    brace[5] = ' ';
    char *folder = cli_folder_with("marked.yaml", text.data);
    cli_run(folder, "run marked.yaml --out s", 2,
            "marked.yaml:12: control: unknown law 'coordinate-chek'; did you mean "
            "'coordinate-check'?");
    cli_run(folder, "run marked.yaml --out s --dry-run", 2, "marked.yaml:12: control: unknown");
    assert_false(cli_exists(folder, "s"));
    ub_text_free(&text);
    support_remove(folder);
}

/* The laws that the bundled suites name, too. */
static void bundled_suites_name_laws(void **state)
{
    (void)state;
    size_t n;
    char *folder = support_folder(), **names = ub_suite_names(&n);
    for (size_t i = 0; i < n; i++) {
        struct ub_text arguments = {0};
        ub_text_add(&arguments, "list suites %s", names[i]);
        cli_run(folder, arguments.data, 0, "runs: ");
        ub_text_free(&arguments);
        ub_free(names[i]);
    }
    ub_free(names);
    support_remove(folder);
}

/* The bundled suites' own controls, by theorem and by falsehood: run, and judged. */
static void bundled_controls_come_out(void **state)
{
    (void)state;
    static const struct {
        const char *suite, *filter, *said;
    } cases[] = {
        {"catapult", "*linear*relative(?.?5)*", "2 of 2 controls came out as they must."},
        {"central-flow", "*linear*", "2 of 2 controls came out as they must."},
        {"coordinate-check", "*deep-linear*gd:*seed=0", "3 of 3 controls came out as they must."},
        {"universal", "*classes=0x*1e-06*seed=0",
         "2 of 2 controls came out as they must; none had to hold."},
        {"universal", "*linear:*1e-06*", "4 of 4 controls came out as they must."},
        {"hyperparameters", "*linear:bias=false*sam:*seed=[01]",
         "4 of 4 controls came out as they must."},
        {"universal", "*deep-linear:widths=1?mse*seed=0",
         "1 of 1 controls came out as they must; none had to fail."},
        {"grokking", "*p=11*l2=0.00[124],*seed=0",
         "1 of 1 controls came out as they must; none had to fail."},
        {"edge", "*gaussian*", "4 of 4 controls came out as they must."},
        {"sgd", "*gaussian*", "2 of 2 controls came out as they must."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text arguments = {0};
        char *folder = support_folder();
        ub_text_add(&arguments, "run %s --out s --jobs 1 --filter %s --summary", cases[i].suite,
                    cases[i].filter);
        char *out = cli_expect(folder, arguments.data, 0, cases[i].suite);
        for (char *c = out; *c; c++)
            if (*c == '\n')
                *c = ' ';
        if (!strstr(out, cases[i].said))
            fail_msg("'%s' not in %s", cases[i].said, out);
        if (strstr(out, "of 0 systems did") || strstr(out, "Of 0 runs"))
            fail_msg("of none nothing is said: %s", out);
        if (strstr(out, "instrument at fault"))
            fail_msg("a control of %s came out wrong: %s", cases[i].suite, out);
        ub_free(out);
        ub_text_free(&arguments);
        support_remove(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_speak_of_the_instrument),
        cmocka_unit_test(controls_still_to_be_run_are_no_fault),
        cmocka_unit_test(lacks_of_series_are_said_before_a_run),
        cmocka_unit_test(rows_of_other_observables_are_measured),
        cmocka_unit_test(the_program_checks_and_counts_them),
        cmocka_unit_test(unknown_laws_are_refused),
        cmocka_unit_test(bundled_suites_name_laws),
        cmocka_unit_test(bundled_controls_come_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
