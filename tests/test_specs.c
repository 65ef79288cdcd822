/* Specs of runs: their ids, texts and labels. */
#include "tests/sample_store.h"

/* The hash of ub_run_spec_text, computed from the text below by a few lines of Python (FNV-1a, 64
 * bits): a change here means that no store is found again. */
static void test_id_is_stable(void **state)
{
    (void)state;
    struct ub_run_spec spec = sample_spec(3);
    char *text = ub_run_spec_text(&spec), id[17];
    assert_string_equal(text, "dataset: \"digits:size=100\"\n"
                              "data-seed: 0\n"
                              "model: \"mlp:activation=tanh,bias=true,widths=8x8\"\n"
                              "loss: mse\n"
                              "init: \"pytorch:gain=1\"\n"
                              "optimizer: \"gd:lr=0.05\"\n"
                              "steps: 10\n"
                              "seed: 3\n"
                              "precision: f32\n"
                              "save-weights: false\n"
                              "measure:\n"
                              "  - \"loss:every=1\"\n"
                              "  - \"sharpness:every=10,top=2\"\n");
    ub_run_spec_id(&spec, id);
    assert_string_equal(id, "3ee7e509e05450bb");
    ub_free(text);
}

static void test_id_depends_on_all_but_labels(void **state)
{
    (void)state;
    struct ub_run_spec base = sample_spec(0);
    struct ub_run_spec changed[12];
    for (int i = 0; i < 12; i++)
        changed[i] = base;
    changed[0].dataset = "digits:size=101";
    changed[1].model = "linear";
    changed[2].loss = "ce";
    changed[3].init = "he:gain=1";
    changed[4].optimizer = "gd:lr=0.06";
    changed[5].steps = 11;
    changed[6].seed = 1;
    changed[7].data_seed = 1;
    changed[8].precision = UB_F64;
    changed[9].save_weights = true;
    changed[10].n_measures = 1;
    changed[11].model_label = "other label";
    char id[17], other[17];
    ub_run_spec_id(&base, id);
    for (int i = 0; i < 12; i++) {
        ub_run_spec_id(&changed[i], other);
        if (i < 11)
            assert_string_not_equal(id, other);
        else
            assert_string_equal(id, other);
    }
}

static void test_spec_survives_yaml(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_run_spec spec = sample_spec(UINT64_C(1) << 62), back;
    spec.precision = UB_F64;
    spec.save_weights = true;
    char *text = ub_run_spec_text(&spec);
    struct ub_yaml *map = ub_yaml_parse(text, "spec", &err);
    assert_true(ub_run_spec_from_yaml(map, &back, &err));
    char *again = ub_run_spec_text(&back);
    assert_string_equal(text, again);
    ub_yaml_free(map);
    ub_free(text);
    ub_free(again);
    ub_run_spec_clear(&back);
    /* whatever the order of the keys */
    map = ub_yaml_parse("{seed: 1, measure: [b], steps: 2, save-weights: false, precision: f64,"
                        " optimizer: o, init: i, loss: l, model: m, dataset: d, data-seed: 4}",
                        "spec", &err);
    assert_true(ub_run_spec_from_yaml(map, &back, &err));
    assert_int_equal(back.data_seed, 4);
    assert_string_equal(back.measures[0], "b");
    ub_yaml_free(map);
    ub_run_spec_clear(&back);
    map = ub_yaml_parse("dataset: d\nmodel: m\nsteps: -1\ndata-seed: 0\n", "spec", &err);
    assert_false(ub_run_spec_from_yaml(map, &back, &err));
    assert_input_error(&err, "spec:1: 'loss' is missing");
    ub_yaml_free(map);
}

/* The mark of measurements: SHA-256 of their list in run.yaml, by Python's hashlib. */
static void test_label(void **state)
{
    (void)state;
    struct ub_run_spec spec = sample_spec(3);
    char *label = ub_run_spec_label(&spec);
    assert_string_equal(label, "digits:size=100 mlp:widths=8x8 mse gd:lr=0.05 steps=10 "
                               "measure=e30a9cd5 seed=3");
    ub_free(label);
    spec.init = "he:gain=1";
    spec.init_label = "he";
    spec.precision = UB_F64;
    spec.data_seed = 2;
    label = ub_run_spec_label(&spec);
    assert_string_equal(
        label, "digits:size=100 mlp:widths=8x8 mse gd:lr=0.05 he f64 steps=10 measure=e30a9cd5 "
               "data-seed=2 seed=3");
    ub_free(label);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_id_is_stable),
        cmocka_unit_test(test_id_depends_on_all_but_labels),
        cmocka_unit_test(test_spec_survives_yaml),
        cmocka_unit_test(test_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
