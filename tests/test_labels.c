/* Different runs have different labels, whatever option tells them apart. */
#include "datasets/datasets.h"
#include "report/laws/study.h"
#include "systems/systems.h"
#include "tests/cli_support.h"
#include "tests/same_system.h"
#include "tests/sample_store.h"

/* No two of these specs share a label; none that differ in more than seed, measurements or kept
 * weights share that of a system. */
static void different_specs_have_different_labels(void **state)
{
    (void)state;
    static char *other_measures[] = {(char *)"loss:every=2", (char *)"sharpness:every=10,top=2"};
    static char *contents[] = {
        (char *)"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        (char *)"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"};
    enum { SPECS = 15, SYSTEMS = 10 };
    struct ub_run_spec spec[SPECS];
    for (int i = 0; i < SPECS; i++)
        spec[i] = sample_spec(0);
    spec[1].steps = 11;
    spec[2].dataset = (char *)"digits:size=101";
    spec[3].model = spec[3].model_label = (char *)"mlp:bias=false,widths=8x8";
    spec[4].loss = (char *)"ce";
    spec[5].init = spec[5].init_label = (char *)"he:gain=1";
    spec[6].optimizer = (char *)"gd:lr=0.06";
    spec[7].precision = UB_F64;
    spec[8].n_files = 1;
    spec[8].files = contents;
    spec[9].n_files = 1;
    spec[9].files = contents + 1;
    spec[10].seed = 1; /* one system from here */
    spec[11].data_seed = 1;
    spec[12].save_weights = true;
    spec[13].n_measures = 1;
    spec[14].measures = other_measures;
    for (int i = 0; i < SPECS; i++)
        for (int k = 0; k < i; k++) {
            char *a = ub_run_spec_label(&spec[i]), *b = ub_run_spec_label(&spec[k]);
            char *x = system_label(&spec[i]), *y = system_label(&spec[k]);
            assert_string_not_equal(a, b);
            assert_true((strcmp(x, y) == 0) == same_system(&spec[i], &spec[k]));
            assert_true(same_system(&spec[i], &spec[k]) ==
                        (i >= SYSTEMS && (k == 0 || k >= SYSTEMS)));
            ub_free(a);
            ub_free(b);
            ub_free(x);
            ub_free(y);
        }
}

/* Another value of the option than its default, as text; NULL when there is none to try. */
static const char *other_value(const struct ub_option *o)
{
    static char text[64];
    double value;
    switch (ub_option_kind(o)) {
    case UB_OPTION_NAME:
        return o->fallback && strcmp(o->choices[0], o->fallback) == 0 ? o->choices[1]
                                                                      : o->choices[0];
    case UB_OPTION_FLAG:
        return o->fallback && strcmp(o->fallback, "true") == 0 ? "false" : "true";
    case UB_OPTION_INT:
    case UB_OPTION_REAL:
        if (!o->fallback || !ub_read_real(o->fallback, &value))
            return NULL;
        snprintf(text, sizeof text, "%g",
                 value == o->max  ? o->min
                 : o->max > value ? o->max
                                  : value + 1);
        return text;
    case UB_OPTION_SIZES:
        return o->fallback && strcmp(o->fallback, "3x5") == 0 ? "5x3" : "3x5";
    default:
        return NULL;
    }
}

/* Call text NAME:needed options, and `key=value`. */
static char *call_with(const char *name, const struct ub_option *options, const char *key,
                       const char *value)
{
    struct ub_text text = {0};
    char before = ':';
    ub_text_add(&text, "%s", name);
    for (const struct ub_option *o = options; o->key; o++) {
        const bool chosen = key && strcmp(o->key, key) == 0;
        if (o->fallback && !chosen)
            continue;
        const char *needed = ub_option_kind(o) == UB_OPTION_RATE   ? "0.1"
                             : ub_option_kind(o) == UB_OPTION_TEXT ? "t"
                                                                   : other_value(o);
        if (!chosen && !needed)
            needed = "1";
        ub_text_add(&text, "%c%s=%s", before, o->key, chosen ? value : needed);
        before = ',';
    }
    return text.data;
}

static int labels_differ(const struct ub_registry *registry)
{
    int compared = 0;
    for (size_t i = 0; registry->entry(i); i++) {
        const void *entry = registry->entry(i);
        struct ub_option *options = ub_registry_options(registry, entry);
        const char *name = ub_registry_name(entry);
        for (const struct ub_option *o = options; o->key; o++) {
            struct ub_error err = {0};
            const char *value = other_value(o);
            char *label = NULL, *changed_label = NULL;
            char *plain_call = call_with(name, options, NULL, NULL);
            char *changed_call = value ? call_with(name, options, o->key, value) : NULL;
            char *plain = ub_registry_canonical(registry, plain_call, "test", &label, &err);
            char *changed = changed_call ? ub_registry_canonical(registry, changed_call, "test",
                                                                 &changed_label, &err)
                                         : NULL;
            if (plain && changed && strcmp(plain, changed) != 0) {
                assert_string_not_equal(label, changed_label);
                compared++;
            }
            ub_free(label);
            ub_free(changed_label);
            ub_free(plain_call);
            ub_free(changed_call);
            ub_free(plain);
            ub_free(changed);
        }
        ub_free(options);
    }
    return compared;
}

/* Every option of every model, init and optimizer shows in the label when it is not the default. */
static void no_option_is_lost_in_a_label(void **state)
{
    (void)state;
    assert_true(labels_differ(&ub_model_registry) > 60);
    assert_true(labels_differ(&ub_init_registry) > 3);
    assert_true(labels_differ(&ub_optimizer_registry) > 100);
}

static void no_dataset_option_is_lost_in_a_label(void **state)
{
    (void)state;
    int compared = 0;
    for (size_t i = 0; ub_dataset_sources[i]; i++) {
        const struct ub_option none = {.key = NULL};
        const struct ub_option *own = ub_dataset_sources[i]->options;
        const struct ub_option *tables[] = {own ? own : &none, ub_dataset_common_options};
        for (int t = 0; t < 2; t++)
            for (const struct ub_option *o = tables[t]; o->key; o++) {
                struct ub_error err = {0};
                const char *name = ub_dataset_sources[i]->name, *value = other_value(o);
                char *label = NULL, *changed_label = NULL;
                char *plain_call = call_with(name, tables[0], NULL, NULL);
                struct ub_text changed_call = {0};
                ub_text_add(&changed_call, "%s%c%s=%s", plain_call,
                            strchr(plain_call, ':') ? ',' : ':', o->key, value ? value : "");
                char *plain = ub_dataset_canonical(plain_call, "test", &label, &err);
                char *changed =
                    value ? ub_dataset_canonical(changed_call.data, "test", &changed_label, &err)
                          : NULL;
                if (plain && changed && strcmp(plain, changed) != 0) {
                    assert_string_not_equal(label, changed_label);
                    compared++;
                }
                ub_free(label);
                ub_free(changed_label);
                ub_free(plain);
                ub_free(changed);
                ub_free(plain_call);
                ub_text_free(&changed_call);
            }
    }
    assert_true(compared > 80);
}

/* Short forms leave out defaults, and defaults change from version to version: where two runs of a
 * store would look the same, their whole texts stand instead. */
static void runs_of_one_store_are_told_apart(void **state)
{
    (void)state;
    char *store = support_folder();
    struct ub_run_spec a = sample_spec(0), b = sample_spec(0), c = sample_spec(1);
    b.model = (char *)"mlp:activation=relu,bias=true,widths=8x8"; /* by another default */
    write_run(store, &a, UB_RUN_OK, "", 1);
    write_run(store, &b, UB_RUN_OK, "", 1);
    write_run(store, &c, UB_RUN_OK, "", 1);
    struct ub_store *s = open_good(store);
    size_t short_forms = 0;
    for (size_t i = 0; i < 3; i++) {
        short_forms += s->runs[i].spec.model_label != NULL;
        for (size_t k = 0; k < i; k++) {
            char *x = system_label(&s->runs[i].spec), *y = system_label(&s->runs[k].spec);
            assert_string_not_equal(s->runs[i].label, s->runs[k].label);
            if (!same_system(&s->runs[i].spec, &s->runs[k].spec))
                assert_string_not_equal(x, y);
            ub_free(x);
            ub_free(y);
        }
    }
    assert_true(short_forms <= 1);
    ub_store_free(s);
    support_remove(store);
}

/* The page says by which options the runs of a system are told apart. */
static void the_page_names_the_seeds_that_vary(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed, data_seed;
        const char *expected;
    } cases[] = {{1, 0, "other seeds differ in `--seed` ("},
                 {0, 1, "other seeds differ in `--data-seed` ("},
                 {1, 1, "other seeds differ in `--seed` and `--data-seed` ("}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *folder = support_folder(), *store = ub_path(folder, "s");
        for (uint64_t k = 0; k < 2; k++) {
            struct ub_run_spec spec = sample_spec(k * cases[i].seed);
            spec.data_seed = k * cases[i].data_seed;
            write_run(store, &spec, UB_RUN_OK, "", 1);
        }
        cli_run(folder, "report s", 0, "2 runs: 2 ok");
        char *page = cli_read(store, "report/runs.md");
        if (!strstr(page, cases[i].expected))
            fail_msg("no '%s' in the page", cases[i].expected);
        ub_free(page);
        ub_free(store);
        support_remove(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(different_specs_have_different_labels),
        cmocka_unit_test(no_option_is_lost_in_a_label),
        cmocka_unit_test(no_dataset_option_is_lost_in_a_label),
        cmocka_unit_test(runs_of_one_store_are_told_apart),
        cmocka_unit_test(the_page_names_the_seeds_that_vary),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
