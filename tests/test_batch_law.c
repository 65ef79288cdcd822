/* The law of batch sharpness: which runs it speaks of, and where in them. */
#include "support.h"

#include "bench/laws/laws.h"

enum { N = 40 };

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mini_batches_without_momentum_only),
        cmocka_unit_test(the_window_begins_where_a_median_crosses),
        cmocka_unit_test(runs_outside_the_regime_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
