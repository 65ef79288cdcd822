/* Manifests: which runs a store is to have, in which order, and as controls of what. */
#include "tests/sample_store.h"

static char *replaced(const char *text, const char *old, const char *by)
{
    const char *at = strstr(text, old);
    assert_non_null(at);
    struct ub_text out = {0};
    ub_text_add(&out, "%.*s%s%s", (int)(at - text), text, by, at + strlen(old));
    return out.data;
}

static bool reads(const char *store, const char *manifest, struct ub_error *err)
{
    struct ub_expected *runs;
    size_t count;
    *err = (struct ub_error){0};
    support_write(store, "manifest.csv", manifest, strlen(manifest));
    const bool good = ub_manifest_read(store, &runs, &count, err);
    ub_expected_free(runs, count);
    return good;
}

/* Manifests of earlier versions have no such column. */
static void test_manifest_marks(void **state)
{
    (void)state;
    static const char head[] = "dataset,data-seed,model,loss,init,optimizer,steps,seed,precision,"
                               "save-weights,measure";
    static const char row[] = "digits,0,linear,mse,he,gd:lr=1,1,0,f32,false,loss";
    static const char *const wrong[] = {"a",        "a=hold",           "a=holdsx", "=holds",
                                        "a=holds;", "a=holds;;b=fails", ";a=holds", "a =holds",
                                        "A=holds",  "a=holds b=fails"};
    struct ub_error err;
    char *store = support_folder();
    struct ub_text text = {0};
    ub_text_add(&text, "%s\n%s\n", head, row);
    assert_true(reads(store, text.data, &err));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        text.length = 0;
        ub_text_add(&text, "%s,control\n%s,%s\n", head, row, wrong[i]);
        assert_false(reads(store, text.data, &err));
        assert_input_error(&err, "manifest.csv:2: bad control");
    }
    text.length = 0;
    ub_text_add(&text, "%s,control\n%s,a=holds;b-2=fails\n", head, row);
    assert_true(reads(store, text.data, &err));
    ub_text_free(&text);
    support_remove(store);
}

static void test_manifest(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    struct ub_run_spec specs[4];
    for (uint64_t i = 0; i < 4; i++)
        specs[i] = sample_spec(i);
    const struct ub_expected expected[] = {
        {specs[2], NULL}, {specs[0], (char *)"a-law=holds;b=fails"}, {specs[1], (char *)"b=holds"}};
    assert_true(ub_manifest_write(store, expected, 3, &err));
    write_run(store, &specs[0], UB_RUN_OK, "", 1);
    write_run(store, &specs[3], UB_RUN_OK, "", 1);
    struct ub_store *s = open_good(store);
    assert_true(s->has_manifest);
    assert_int_equal(s->count, 4);
    const uint64_t seeds[] = {2, 0, 1, 3};
    for (int i = 0; i < 4; i++)
        assert_int_equal(s->runs[i].spec.seed, seeds[i]);
    assert_int_equal(s->runs[0].status, UB_RUN_MISSING);
    assert_int_equal(s->runs[1].status, UB_RUN_OK);
    assert_string_equal(s->runs[0].spec.model_label, "mlp:widths=8x8");
    assert_int_equal(s->runs[0].spec.n_measures, 2);
    assert_null(s->runs[0].control);
    assert_string_equal(s->runs[1].control, "a-law=holds;b=fails"); /* no part of its id */
    assert_string_equal(s->runs[2].control, "b=holds");             /* missing */
    assert_null(s->runs[3].control);                                /* none of the manifest's */
    assert_ptr_equal(ub_store_find(s, s->runs[3].id, &err), &s->runs[3]);
    assert_null(ub_store_find(s, "", &err));
    assert_input_error(&err, "starts the ids of 4 runs");
    assert_null(ub_store_find(s, "xyz", &err));
    assert_input_error(&err, "no run 'xyz'");
    ub_store_free(s);
    support_remove(store);
}

/* A label that is not given stands as "" in the manifest, and may in a run.yaml: it is none, and a
 * run is called by its canonical texts; never by nothing. */
static void test_empty_labels_are_none(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    struct ub_run_spec specs[2] = {sample_spec(0), sample_spec(1)};
    const struct ub_expected expected[] = {{specs[0], NULL}, {specs[1], NULL}};
    assert_true(ub_manifest_write(store, expected, 2, &err));
    write_run(store, &specs[1], UB_RUN_OK, "", 1);
    struct ub_store *s = open_good(store);
    char *folder = ub_store_run_folder(store, s->runs[1].id);
    ub_store_free(s);
    char *path = ub_path(folder, "run.yaml");
    char *written = (char *)ub_read_file(path, 1 << 20, NULL, &err);
    char *edited = replaced(written, "model: \"mlp:widths=8x8\"", "model: \"\"");
    assert_string_not_equal(written, edited);
    support_write(folder, "run.yaml", edited, strlen(edited));
    struct ub_sealing sealing = {0};
    assert_true(ub_store_seal(store, &sealing, &err));
    s = open_good(store);
    assert_int_equal(s->runs[0].status, UB_RUN_MISSING);
    assert_int_equal(s->runs[1].status, UB_RUN_OK);
    for (int i = 0; i < 2; i++) {
        const struct ub_run *run = &s->runs[i];
        assert_null(run->spec.dataset_label);
        assert_null(run->spec.optimizer_label);
        assert_true(strncmp(run->label, "digits:size=100 mlp:", 20) == 0);
        assert_non_null(strstr(run->label, " gd:lr=0.05 "));
    }
    assert_null(s->runs[1].spec.model_label);
    assert_non_null(strstr(s->runs[1].label, " mlp:activation=tanh,bias=true,widths=8x8 "));
    ub_store_free(s);
    for (size_t i = 0; i < sealing.n_edited; i++)
        ub_free(sealing.edited[i]);
    ub_free(sealing.edited);
    ub_free(written);
    ub_free(edited);
    ub_free(path);
    ub_free(folder);
    support_remove(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_manifest_marks),
        cmocka_unit_test(test_empty_labels_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
