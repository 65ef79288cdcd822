/* Plans: which runs of a suite a store still lacks. */
#include "bench/suite/plan.h"
#include "tests/sample_store.h"

static struct ub_plan *plan_of(struct ub_suite_cell *cells, const char *store,
                               struct ub_plan_wish w)
{
    struct ub_error err = {0};
    struct ub_plan *plan = ub_plan_new(cells, 5, store, &w, &err);
    if (!plan)
        fail_msg("%s", err.text);
    return plan;
}

static size_t pending(struct ub_suite_cell *cells, const char *store, struct ub_plan_wish w)
{
    struct ub_plan *plan = plan_of(cells, store, w);
    size_t n = plan->n_pending;
    ub_plan_free(plan);
    return n;
}

static void write_timeout(const char *store, const struct ub_run_spec *spec, double seconds)
{
    struct ub_error err = {0};
    struct ub_run_writer *w = ub_run_writer_new(store, spec, &err);
    ub_run_writer_fact(w, "timeout", seconds);
    assert_true(ub_run_writer_commit(w, UB_RUN_TIMEOUT, "", NULL, 0, &err));
}

/* Stored: ok, diverged, failed, timeout after 60 s; the fifth is absent. */
static void test_resume(void **state)
{
    (void)state;
    char *store = support_folder();
    struct ub_suite_cell cells[5];
    for (uint64_t i = 0; i < 5; i++)
        cells[i] = (struct ub_suite_cell){.spec = sample_spec(i), .timeout = 60};
    assert_int_equal(pending(cells, store, (struct ub_plan_wish){0}), 5);
    write_run(store, &cells[0].spec, UB_RUN_OK, "", 1);
    write_run(store, &cells[1].spec, UB_RUN_DIVERGED, "", 1);
    write_run(store, &cells[2].spec, UB_RUN_FAILED, "killed", 1);
    write_timeout(store, &cells[3].spec, 60);
    struct ub_plan *plan = plan_of(cells, store, (struct ub_plan_wish){0});
    const bool expected[] = {false, false, true, false, true};
    for (int i = 0; i < 5; i++)
        assert_int_equal(plan->entries[i].pending, expected[i]);
    assert_int_equal(plan->n_pending, 2);
    assert_ptr_equal(plan->pending_cells[1], &cells[4]);
    assert_int_equal(plan->entries[3].status, UB_RUN_TIMEOUT);
    ub_plan_free(plan);

    struct ub_plan_wish more = {.has_timeout = true, .timeout = 61};
    assert_int_equal(pending(cells, store, more), 3);
    more.timeout = 59;
    assert_int_equal(pending(cells, store, more), 2);
    more.timeout = 0; /* none */
    assert_int_equal(pending(cells, store, more), 3);
    assert_true(cells[0].timeout == 0);
    assert_int_equal(pending(cells, store, (struct ub_plan_wish){.again = true}), 5);
    assert_int_equal(pending(cells, store, (struct ub_plan_wish){.filter = "*seed=[24]"}), 2);
    assert_int_equal(pending(cells, store, (struct ub_plan_wish){.filter = "*seed=0"}), 0);
    struct ub_error err = {0};
    assert_null(ub_plan_new(cells, 5, store, &(struct ub_plan_wish){.filter = "nothing"}, &err));
    assert_input_error(&err, "selects none of the 5 runs");
    support_remove(store);
}

/* A filtered sweep expects what it selects, and what was expected before. */
static void test_filtered_manifest(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    support_write(store, "a.yaml", "name: a\n", 8);
    char *suite = ub_path(store, "a.yaml"), *copy = ub_path(store, "suite.yaml");
    struct ub_suite_cell cells[5];
    for (uint64_t i = 0; i < 5; i++)
        cells[i] = (struct ub_suite_cell){.spec = sample_spec(i)};
    static const char *const filters[] = {"*seed=3", "*seed=1", NULL};
    const size_t counts[] = {1, 2, 5};
    for (int i = 0; i < 3; i++) {
        struct ub_plan *plan = plan_of(cells, store, (struct ub_plan_wish){.filter = filters[i]});
        assert_true(ub_plan_write(plan, store, suite, &err));
        ub_plan_free(plan);
        struct ub_store *s = open_good(store);
        assert_int_equal(s->count, counts[i]);
        assert_int_equal(s->runs[0].spec.seed, i == 0 ? 3 : i == 1 ? 1 : 0);
        ub_store_free(s);
    }
    assert_true(ub_exists(copy));
    ub_free(suite);
    ub_free(copy);
    support_remove(store);
}

/* Other marks ask for the same runs: nothing is made, the manifest has the new ones. */
static void test_new_marks(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    support_write(store, "a.yaml", "name: a\n", 8);
    char *suite = ub_path(store, "a.yaml");
    struct ub_suite_cell cells[5];
    static const char *const marks[][2] = {
        {NULL, NULL}, {"a=holds", NULL}, {"a=fails", "b=holds"}, {NULL, "b=holds"}};
    for (uint64_t i = 0; i < 5; i++) {
        cells[i] = (struct ub_suite_cell){.spec = sample_spec(i)};
        write_run(store, &cells[i].spec, UB_RUN_OK, "", 1);
    }
    for (size_t m = 0; m < sizeof marks / sizeof *marks; m++) {
        cells[1].control = (char *)marks[m][0];
        cells[4].control = (char *)marks[m][1];
        struct ub_plan *plan = plan_of(cells, store, (struct ub_plan_wish){0});
        assert_int_equal(plan->n_pending, 0);
        assert_true(ub_plan_write(plan, store, suite, &err));
        ub_plan_free(plan);
        struct ub_store *s = open_good(store);
        for (size_t i = 0; i < 5; i++) {
            const char *expected = i == 1 ? marks[m][0] : i == 4 ? marks[m][1] : NULL;
            if (expected)
                assert_string_equal(s->runs[i].control, expected);
            else
                assert_null(s->runs[i].control);
        }
        ub_store_free(s);
    }
    ub_free(suite);
    support_remove(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_filtered_manifest),
        cmocka_unit_test(test_new_marks),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
