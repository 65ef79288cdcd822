/* Which runs of two stores are compared: groups of a frame of both, held against the canonical
 * texts of their specs without what does not make a system, on all published results. */
#include "published.h"
#include "report/compare/compare.h"
#include "support.h"

static char *text_of(const struct ub_run *run)
{
    struct ub_run_spec spec = run->spec;
    spec.seed = spec.data_seed = 0;
    spec.n_measures = 0;
    spec.save_weights = false;
    return ub_run_spec_text(&spec);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t count_texts(const struct digest *d)
{
    char **text = ub_calloc(d->count + 1, sizeof *text);
    size_t distinct = 0;
    for (size_t i = 0; i < d->count; i++)
        text[i] = text_of(&d->runs[i]);
    qsort(text, d->count, sizeof *text, by_text);
    for (size_t i = 0; i < d->count; i++)
        distinct += i == 0 || strcmp(text[i], text[i - 1]) != 0;
    for (size_t i = 0; i < d->count; i++)
        ub_free(text[i]);
    ub_free(text);
    return distinct;
}

/* All runs of a system have one text, and there are as many systems as texts. */
static size_t check_results(const char *path)
{
    struct ub_error err = {0};
    struct digest *d = digest_open(path, &err);
    struct systems systems;
    if (!d || !systems_of(d, d, &systems, &err))
        fail_msg("%s", err.text);
    size_t runs = 0;
    for (size_t s = 0; s < systems.count; s++) {
        const struct system *of = &systems.system[s];
        char *first = text_of(of->run[0][0]);
        assert_int_equal(of->n[0], of->n[1]);
        assert_int_equal(of->n[0], of->n_pairs); /* the same runs on both sides */
        for (size_t i = 0; i < of->n[0]; i++, runs++) {
            char *text = text_of(of->run[0][i]);
            assert_string_equal(text, first);
            assert_ptr_equal(of->run[0][i], of->run[1][i]);
            ub_free(text);
        }
        ub_free(first);
    }
    assert_int_equal(runs, d->count);
    assert_int_equal(systems.count, count_texts(d));
    print_message("%s: %zu runs, %zu systems\n", path + strlen(UNIBENCH_SOURCE), runs,
                  systems.count);
    systems_clear(&systems);
    digest_free(d);
    return runs;
}

static void systems_are_those_of_canonical_texts(void **state)
{
    (void)state;
    assert_true(published_each(check_results) > 1000);
}

/* Seeds, measurements and kept weights make no other system; all else does. */
static void what_makes_a_system(void **state)
{
    (void)state;
    struct ub_run_spec base = {.dataset = (char *)"digits:size=100",
                               .model = (char *)"mlp:widths=8x8",
                               .loss = (char *)"mse",
                               .init = (char *)"pytorch",
                               .optimizer = (char *)"gd:lr=0.1",
                               .steps = 10},
                       spec[] = {base, base, base, base, base, base};
    char *measures[] = {(char *)"loss"};
    spec[1].seed = spec[1].data_seed = 3;
    spec[2].n_measures = 1;
    spec[2].measures = measures;
    spec[2].save_weights = true;
    spec[3].optimizer = (char *)"gd:lr=edge(20)";
    spec[4].model = (char *)"mlp:widths=8x8x8";
    spec[5].precision = UB_F64;
    struct ub_run run[6] = {0};
    for (size_t i = 0; i < 6; i++) {
        run[i].spec = spec[i];
        run[i].id[0] = (char)('a' + (int)i);
    }
    struct digest one = {.path = (char *)"one", .count = 3, .runs = run};
    struct digest two = {.path = (char *)"two", .count = 5, .runs = run + 1};
    struct systems systems;
    struct ub_error err = {0};
    assert_true(systems_of(&one, &two, &systems, &err));
    assert_int_equal(systems.count, 4);
    assert_int_equal(systems.system[0].n[0], 3);
    assert_int_equal(systems.system[0].n[1], 2);
    assert_int_equal(systems.system[0].n_pairs, 2);
    assert_true(systems.system[0].rate_is_fixed);
    assert_false(systems.system[1].rate_is_fixed);
    systems_clear(&systems);
    run[2].spec.optimizer = (char *)"gd:lr";
    assert_false(systems_of(&one, &two, &systems, &err));
    assert_int_equal(err.code, UB_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(systems_are_those_of_canonical_texts),
        cmocka_unit_test(what_makes_a_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
