/* unibench new: where it writes, what it says, and what it refuses. That what it writes compiles
 * and passes its tests is built and run by tests/skeletons. */
#include "cli_support.h"

static const char *const kinds[][3] = {
    /* kind, folder, what is registered */
    {"law", "report/laws", "extern const struct ub_law ub_law_my_own;"},
    {"observable", "bench/observables", "extern const struct ub_observable ub_observable_my_own;"},
    {"optimizer", "systems/optimizers",
     "extern const struct ub_optimizer_kind ub_optimizer_my_own;"},
    {"model", "systems/models", "extern const struct ub_model ub_model_my_own;"},
    {"dataset", "datasets", "extern const struct ub_dataset_source ub_dataset_my_own;"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* The folders of a source tree with a registry each, and no more. Caller removes it. */
static char *tree(void)
{
    struct ub_error err = {0};
    char *folder = support_folder(), *tests = ub_path(folder, "tests");
    assert_true(ub_make_folders(tests, &err));
    for (size_t i = 0; i < KINDS; i++) {
        char *path = ub_path(folder, kinds[i][1]), *registry = ub_path(path, "registry.c");
        assert_true(ub_make_folders(path, &err) && ub_write_file(registry, "", 0, &err));
        ub_free(path);
        ub_free(registry);
    }
    ub_free(tests);
    return folder;
}

static void places_and_registries(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        char *folder = tree(), command[64], file[64];
        snprintf(command, sizeof command, "new %s my-own", kinds[i][0]);
        char *out = cli_expect(folder, command, 0, kinds[i][2]);
        snprintf(file, sizeof file, "%s/my_own.c", kinds[i][1]);
        assert_non_null(strstr(out, file));
        char *source = cli_read(folder, file), *test = cli_read(folder, "tests/test_my_own.c");
        assert_non_null(strstr(source, ".name = \"my-own\""));
        assert_non_null(strstr(test, "my-own"));
        assert_null(strstr(source, "largest-parameter")); /* nothing of the example's */
        ub_free(out);
        ub_free(source);
        ub_free(test);
        /* And not twice. */
        cli_run(folder, command, 2, "my_own.c is there already; expected a new name");
        support_remove(folder);
    }
}

/* The test's place is taken: nothing is written at all. */
static void both_files_or_none(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = tree(), *test = ub_path(folder, "tests/test_my_own.c");
    assert_true(ub_write_file(test, "mine", 4, &err));
    cli_run(folder, "new law my-own", 2, "tests/test_my_own.c is there already");
    assert_false(cli_exists(folder, "report/laws/my_own.c"));
    char *kept = cli_read(folder, "tests/test_my_own.c");
    assert_string_equal(kept, "mine");
    ub_free(kept);
    ub_free(test);
    support_remove(folder);
}

static void bad_names_are_refused(void **state)
{
    static const char *const bad[][2] = {
        {"new law", "expected what and its name: unibench new KIND NAME"},
        {"new lawe x", "there is no kind 'lawe'; did you mean 'law'?"},
        {"new section x", "expected one of law, observable, optimizer, model, dataset"},
        {"new law edge-of-stability", "law 'edge-of-stability' is there already"},
        {"new optimizer adam", "optimizer 'adam' is there already"},
        {"new model mlp", "model 'mlp' is there already"},
        {"new dataset digits", "dataset 'digits' is there already"},
        {"new observable sharpness", "observable 'sharpness' is there already"},
        {"new model My", "the name 'My' is none; expected at most 40 lower-case letters"},
        {"new model 2nd", "the name '2nd' is none"},
        {"new model a--b", "the name 'a--b' is none"},
        {"new model a-", "the name 'a-' is none"},
        {"new model ../x", "the name '../x' is none"},
        {"new model a_b", "the name 'a_b' is none"},
        {"new model x y", "'y' is one argument too many"},
        {"new model aaaaaaaaaabbbbbbbbbbccccccccccddddddddddx", "is none"},
    };
    (void)state;
    char *folder = tree();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cli_run(folder, bad[i][0], 2, bad[i][1]);
    char *empty = support_folder();
    cli_run(empty, "new law my-own", 2,
            "there is no report/laws/registry.c; expected one, or --to");
    assert_false(cli_exists(folder, "systems/models/x.c"));
    support_remove(empty);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_and_registries),
        cmocka_unit_test(both_files_or_none),
        cmocka_unit_test(bad_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
