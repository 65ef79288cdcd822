/* Trainings that part, and the law about them. Oracles: barriers that were planted in a store, and
 * controls: models of convex loss, which never part, and networks at large rates, which do. */
#include "law_suite.h"

extern const struct ub_law ub_law_mode_connectivity;
static const struct ub_law *const law = &ub_law_mode_connectivity;

/* ---- trained ---- */

static const char suite[] =
    "name: x\n"
    "defaults:\n"
    "  dataset: {digits: {size: 500, scale: center, test: 0.2}}\n"
    "  loss: ce\n"
    "  steps: 500\n"
    "runs:\n"
    "  - model: linear\n"
    "    optimizer: {sgd: {lr: {relative: 0.5}, batch: 50, schedule: cosine}}\n"
    "    measure: {fork-barrier: {forks: 0, points: 11}}\n"
    "    control: {mode-connectivity: holds}\n"
    "  - model: {mlp: {widths: 64x64}}\n"
    "    optimizer: {sgd: {lr: {relative: 0.5}, batch: 50, schedule: cosine}}\n"
    "    measure: {fork-barrier: {forks: 0, points: 11}}\n"
    "    control: {mode-connectivity: fails}\n"
    "  - model: {mlp: {widths: 64x64}}\n"
    "    optimizer: {sgd: {lr: {relative: [0.5, 0.01]}, batch: 50, schedule: cosine}}\n"
    "    measure: {fork-barrier: {forks: 0+100, points: 11}}\n"
    "  - model: {mlp: {widths: 64x64}}\n"
    "    optimizer: {sgd: {lr: {relative: 0.5}, batch: 0}}\n"
    "    measure: {fork-barrier: {forks: 0+100, points: 11}}\n";

static void controls_come_out_as_they_must(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(suite);
    struct ub_law_verdict *v = ub_law_verdict_new(law, s.frame);
    assert_non_null(v);
    for (size_t g = 0; g < v->controls.count; g++)
        print_message("control: barrier %.4f\n", v->control_data[g].value);
    assert_int_equal(v->controls.count, 2);
    assert_int_equal(v->n_right, 2);
    assert_int_equal(v->groups.count, 2); /* without batches there is nothing to part by */
    for (size_t g = 0; g < v->groups.count; g++)
        print_message("%s: barrier %.4f %s\n", v->names[g], v->data[g].value,
                      v->data[g].why ? v->data[g].why : "");
    const size_t slow = v->data[0].why ? 0 : 1;
    assert_true(v->data[1 - slow].value >= 0 && !v->data[1 - slow].why);
    assert_non_null(v->data[slow].why);
    ub_law_verdict_free(v);
    law_suite_free(&s);
}

/* ---- planted ---- */

struct plot {
    int64_t steps;
    const char *forks;
    double start, late, test_late, error; /* barriers at 0 and at 40; own error; NAN: no row */
};

static void plant(const char *folder, const struct plot *p, struct ub_expected *run, uint64_t seed)
{
    struct ub_error err = {0};
    char measure[64];
    snprintf(measure, sizeof measure, "fork-barrier:at=end,forks=%s", p->forks);
    char *measures[] = {measure};
    const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                     .model = (char *)"mlp",
                                     .loss = (char *)"ce",
                                     .init = (char *)"pytorch",
                                     .optimizer = (char *)"sgd:batch=50,lr=0.1",
                                     .steps = p->steps,
                                     .seed = seed,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
    assert_non_null(w);
    ub_run_writer_add(w, p->steps, "error-barrier", 0, p->start, NAN);
    ub_run_writer_add(w, p->steps, "error-barrier", 40, p->late, NAN);
    ub_run_writer_add(w, p->steps, "error-barrier", 100, 0, NAN);
    ub_run_writer_add(w, p->steps, "test-error-barrier", 40, p->test_late, NAN);
    ub_run_writer_add(w, p->steps, "line-error.40", 0, p->error, NAN);
    ub_run_writer_add(w, p->steps, "line-error.0", 0, p->error, NAN);
    assert_true(ub_run_writer_commit(w, UB_RUN_OK, "", NULL, 0, &err));
    *run = (struct ub_expected){.spec = ub_run_spec_copy(&spec)};
}

/* What the law says of two seeds with these barriers. */
static struct ub_datum datum_of(const struct plot *first, const struct plot *second, size_t applies)
{
    struct ub_error err = {0};
    char *folder = support_folder();
    struct ub_expected runs[2];
    plant(folder, first, &runs[0], 0);
    plant(folder, second, &runs[1], 1);
    assert_true(ub_store_lock(folder, true, &err) && ub_manifest_write(folder, runs, 2, &err));
    struct law_suite s = {.folder = folder, .store = ub_store_open(folder, &err)};
    s.frame = s.store ? ub_frame_new(s.store, &err) : NULL;
    if (!s.frame)
        fail_msg("%s", err.text);
    assert_int_equal(law_suite_applies(&s, law), applies);
    const struct ub_datum d = law_suite_datum(&s, law, "model", "mlp");
    ub_run_spec_clear(&runs[0].spec);
    ub_run_spec_clear(&runs[1].spec);
    law_suite_free(&s);
    return d;
}

static void data_are_what_was_planted(void **state)
{
    (void)state;
    const struct plot a = {200, "0+40+100", 0.3, 0.5, 0.01, 0},
                      b = {200, "0+40+100", 0.1, 0.5, 0.02, 0.1};
    struct ub_datum d = datum_of(&a, &b, 2);
    assert_oracle("law mode-connectivity", "planted barriers at a fifth of the steps, test split",
                  d.value - 0.015, 1e-15);
    assert_near(d.se, 0.005, 1e-15);
    const struct plot untested = {200, "0+40+100", 0.3, 0.04, NAN, 0};
    assert_near(datum_of(&untested, &untested, 2).value, 0.04, 1e-15);
    const struct plot flat = {200, "0+40+100", 0.02, 0.01, 0.01, 0};
    assert_non_null(strstr(datum_of(&flat, &flat, 2).why, "none to fall"));
    const struct plot unfit = {200, "0+40+100", 0.3, 0.01, 0.01, 0.11};
    d = datum_of(&unfit, &a, 2);
    assert_near(d.value, 0.01, 1e-15); /* the other's alone */
    assert_non_null(strstr(datum_of(&unfit, &unfit, 2).why, "a tenth"));
    const struct plot elsewhere = {400, "0+40+100", 0.3, 0.03, 0.03, 0};
    assert_near(datum_of(&elsewhere, &elsewhere, 0).value, 0.03, 1e-15); /* the latest there is */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_are_what_was_planted),
        cmocka_unit_test(controls_come_out_as_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
