/* Laws: which runs they speak of, and where in them. */
#include "support.h"

#include "bench/laws/laws.h"

enum { N = 40 };

/* ---- batch sharpness ---- */

static struct ub_run run_of(const char *optimizer, enum ub_run_status status)
{
    static struct ub_fact samples = {.name = (char *)"samples", .value = 500};
    return (struct ub_run){.spec = {.optimizer = (char *)optimizer},
                           .status = status,
                           .n_facts = 1,
                           .facts = &samples};
}

static void mini_batches_without_momentum_only(void **state)
{
    (void)state;
    const struct {
        const char *optimizer;
        bool applies;
    } cases[] = {{"sgd:batch=8,beta=0,lr=0.1,nesterov=false", true},
                 {"sgd:batch=499,beta=0,lr=relative(1.5),nesterov=false", true},
                 {"sgd:batch=8,beta=0.9,lr=0.1,nesterov=false", false},
                 {"sgd:batch=8,beta=0,lr=0.1,nesterov=true", false},
                 {"sgd:batch=0,beta=0,lr=0.1,nesterov=false", false},
                 {"sgd:batch=500,beta=0,lr=0.1,nesterov=false", false},
                 {"gd:lr=0.1", false}};
    const struct ub_law *law = ub_law_find("batch-sharpness");
    assert_non_null(law);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ub_run run = run_of(cases[i].optimizer, UB_RUN_OK);
        assert_true(law->applies(&run) == cases[i].applies);
        assert_near(law->predict(&run), 1, 0);
    }
}

static struct ub_window window_of(double *value, size_t count, enum ub_run_status status)
{
    const struct ub_run run = run_of("sgd:batch=8,beta=0,lr=0.1,nesterov=false", status);
    return ub_law_find("batch-sharpness")
        ->window(&run, &(struct ub_series){.count = count, .value = value});
}

/* `low` up to `from`, 1.05 after. */
static void step_at(double value[N], size_t from, double low)
{
    for (size_t i = 0; i < N; i++)
        value[i] = i < from ? low : 1.05;
}

static void the_window_begins_where_a_median_crosses(void **state)
{
    (void)state;
    double value[N];
    step_at(value, 20, 0.5);
    struct ub_window w = window_of(value, N, UB_RUN_OK);
    assert_true(w.reached);
    assert_int_equal(w.first, 18); /* three of 18..22 are above */
    assert_int_equal(w.last, N - 1);
    value[4] = value[6] = 3; /* scatter: two of five */
    assert_int_equal(window_of(value, N, UB_RUN_OK).first, 18);
    step_at(value, 0, 0);
    assert_string_equal(window_of(value, N, UB_RUN_OK).why,
                        "started above 2/lr, did not come back to it");
    for (size_t i = 8; i < 16; i++)
        value[i] = 0.9;
    w = window_of(value, N, UB_RUN_OK);
    assert_true(w.reached);
    assert_int_equal(w.first, 14);
}

static void runs_outside_the_regime_say_why(void **state)
{
    (void)state;
    double value[N];
    step_at(value, N, 0.99);
    assert_string_equal(window_of(value, N, UB_RUN_OK).why, "never sharpened to 2/lr");
    step_at(value, 33, 0.9); /* from 31 on: nine */
    assert_string_equal(window_of(value, N, UB_RUN_OK).why,
                        "fewer than 10 measurements after reaching 2/lr");
    step_at(value, 20, 0.5);
    assert_string_equal(window_of(value, N, UB_RUN_DIVERGED).why, "diverged");
    assert_string_equal(window_of(value, 0, UB_RUN_OK).why, "batch-edge-ratio was not measured");
    assert_false(window_of(value, 3, UB_RUN_OK).reached);
}

/* ---- edge of stability ---- */

static struct ub_window edge_window(const char *loss, double *value, size_t count,
                                    enum ub_run_status status)
{
    const struct ub_run run = {.spec = {.optimizer = (char *)"gd:lr=1", .loss = (char *)loss},
                               .status = status};
    return ub_law_find("edge-of-stability")
        ->window(&run, &(struct ub_series){.count = count, .value = value});
}

static void is_window(struct ub_window w, size_t first, size_t last)
{
    assert_true(w.reached);
    assert_int_equal(w.first, first);
    assert_int_equal(w.last, last);
}

static void the_edge_is_met_from_below_or_from_above(void **state)
{
    (void)state;
    double value[N];
    step_at(value, 20, 0.5);
    is_window(edge_window("mse", value, N, UB_RUN_OK), 20, N - 1);
    value[0] = value[1] = 3; /* above at first, then below, then across */
    is_window(edge_window("mse", value, N, UB_RUN_OK), 20, N - 1);
    step_at(value, 4, 80); /* never below: the second half, whatever is there */
    is_window(edge_window("mse", value, N, UB_RUN_OK), N / 2, N - 1);
    step_at(value, N, 7);
    is_window(edge_window("ce", value, N, UB_RUN_OK), N / 2, N - 1);
    step_at(value, 20, 0.5);
    for (size_t i = 33; i < N; i++)
        value[i] = 0.2; /* cross-entropy leaves the edge for good, squared loss does not */
    is_window(edge_window("ce", value, N, UB_RUN_OK), 20, 32);
    is_window(edge_window("mse", value, N, UB_RUN_OK), 20, N - 1);
}

static void runs_off_the_edge_say_why(void **state)
{
    (void)state;
    double value[N];
    step_at(value, N, 0.99);
    assert_string_equal(edge_window("mse", value, N, UB_RUN_OK).why,
                        "never sharpened to the threshold");
    value[0] = 2;
    assert_string_equal(edge_window("mse", value, N, UB_RUN_OK).why,
                        "started above the threshold, did not come back to it");
    step_at(value, 31, 0.9);
    assert_string_equal(edge_window("mse", value, N, UB_RUN_OK).why,
                        "fewer than 10 measurements after reaching the threshold");
    step_at(value, 0, 0);
    assert_string_equal(edge_window("mse", value, 18, UB_RUN_OK).why,
                        "fewer than 10 measurements in the second half");
    value[N - 1] = (double)INFINITY;
    assert_false(edge_window("mse", value, N, UB_RUN_OK).reached);
    assert_string_equal(edge_window("mse", value, N, UB_RUN_DIVERGED).why, "diverged");
    assert_string_equal(edge_window("mse", value, 0, UB_RUN_OK).why, "edge-ratio was not measured");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mini_batches_without_momentum_only),
        cmocka_unit_test(the_window_begins_where_a_median_crosses),
        cmocka_unit_test(runs_outside_the_regime_say_why),
        cmocka_unit_test(the_edge_is_met_from_below_or_from_above),
        cmocka_unit_test(runs_off_the_edge_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
