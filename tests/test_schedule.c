/* Schedules against explicit lists of steps; calls of observables against their texts. */
#include "support.h"

#include "bench/observables/observables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- due steps ---- */

/* The schedule of "loss:ARGUMENTS". */
static struct ub_schedule schedule_of(const char *arguments)
{
    struct ub_error err = {0};
    struct ub_schedule schedule;
    struct ub_text text = {0};
    ub_text_add(&text, "loss:%s", arguments);
    struct ub_call *call = ub_call_parse(text.data, "here", &err);
    assert_non_null(call);
    assert_true(ub_call_check(call, ub_schedule_options, "here", &err));
    assert_true(ub_schedule_read(&schedule, call, "here", &err));
    ub_call_free(call);
    ub_text_free(&text);
    return schedule;
}

static void assert_steps(const char *arguments, int64_t steps, const int64_t *expected, size_t n)
{
    struct ub_schedule s = schedule_of(arguments);
    size_t found = 0;
    for (int64_t step = -3; step <= steps + 3; step++) {
        if (!ub_schedule_due(&s, step, steps))
            continue;
        assert_true(found < n);
        assert_int_equal(step, expected[found]);
        found++;
    }
    assert_int_equal(found, n);
    ub_schedule_clear(&s);
}
#define ASSERT_STEPS(arguments, steps, ...)                                                        \
    assert_steps(arguments, steps, (const int64_t[]){__VA_ARGS__},                                 \
                 sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t))

static void steps_are_the_listed_ones(void **state)
{
    (void)state;
    ASSERT_STEPS("every=10", 35, 0, 10, 20, 30);
    ASSERT_STEPS("every=10", 30, 0, 10, 20, 30);
    ASSERT_STEPS("every=50", 30, 0);
    ASSERT_STEPS("at=end", 30, 30);
    ASSERT_STEPS("at=end", 0, 0);
    ASSERT_STEPS("at=7+3+end+7+100", 30, 3, 7, 30);
    ASSERT_STEPS("at=0+end", 30, 0, 30);
    ASSERT_STEPS("every=20,at=5+end", 45, 0, 5, 20, 40, 45);
    ASSERT_STEPS("log-spaced=5,at=4+end,every=1000", 9999, 0, 4, 9, 99, 999, 1000, 2000, 3000, 4000,
                 5000, 6000, 7000, 8000, 9000, 9999);
}

/* (steps + 1)^(i/(n-1)) - 1 in round numbers, by hand. */
static void log_spaced_steps_are_even_in_the_logarithm(void **state)
{
    (void)state;
    ASSERT_STEPS("log-spaced=5", 9999, 0, 9, 99, 999, 9999);
    ASSERT_STEPS("log-spaced=2", 1000, 0, 1000);
    ASSERT_STEPS("log-spaced=4", 7, 0, 1, 3, 7);
    ASSERT_STEPS("log-spaced=100", 3, 0, 1, 2, 3);
    ASSERT_STEPS("log-spaced=30", 0, 0);
    ASSERT_STEPS("log-spaced=21", 1048575, 0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095,
                 8191, 16383, 32767, 65535, 131071, 262143, 524287, 1048575);
}

/* Every step that the formula names is due, and no other, for many sizes. */
static void log_spaced_steps_are_the_formulas(void **state)
{
    (void)state;
    for (int64_t n = 2; n < 60; n += 3)
        for (int64_t steps = 1; steps < 3000; steps = steps * 3 + 1) {
            bool *expected = ub_calloc((size_t)steps + 1, sizeof *expected);
            for (int64_t i = 0; i < n; i++)
                expected[lround(pow((double)steps + 1, (double)i / (double)(n - 1)) - 1)] = true;
            const struct ub_schedule s = {.log_spaced = n};
            for (int64_t step = 0; step <= steps; step++)
                assert_int_equal(ub_schedule_due(&s, step, steps), expected[step]);
            ub_free(expected);
        }
}

/* ---- canonical texts ---- */

static void assert_canonical(const char *text, const char *expected, const char *expected_label)
{
    struct ub_error err = {0};
    char *label = NULL, *again_label = NULL;
    char *canonical = ub_observable_canonical(text, "here", &label, &err);
    if (!canonical)
        fprintf(stderr, "%s\n", err.text);
    assert_non_null(canonical);
    assert_string_equal(canonical, expected);
    assert_string_equal(label, expected_label);
    char *again = ub_observable_canonical(label, "here", &again_label, &err);
    assert_string_equal(again, canonical); /* a label is read as what it stands for */
    assert_string_equal(again_label, label);
    ub_free(canonical);
    ub_free(again);
    ub_free(label);
    ub_free(again_label);
}

static void texts_are_canonical(void **state)
{
    (void)state;
    assert_canonical("gradient-norm", "gradient-norm:at=end,every=10,log-spaced=0",
                     "gradient-norm");
    assert_canonical("gradient-norm:every=10", "gradient-norm:at=none,every=10,log-spaced=0",
                     "gradient-norm:every=10");
    assert_canonical("gradient-norm:at=end,every=10", "gradient-norm:at=end,every=10,log-spaced=0",
                     "gradient-norm");
    assert_canonical("distance:at=007+end+3+7", "distance:at=3+7+end,every=0,log-spaced=0",
                     "distance:at=3+7+end");
    assert_canonical("loss:log-spaced=30", "loss:at=none,every=0,log-spaced=30,test=true",
                     "loss:log-spaced=30");
    assert_canonical("loss:test=no", "loss:at=end,every=10,log-spaced=0,test=false",
                     "loss:test=false");
    assert_canonical("sharpness:every=10,top=2",
                     "sharpness:at=none,every=10,log-spaced=0,max-products=1000,tolerance=0.001,"
                     "top=2",
                     "sharpness:every=10,top=2");
    assert_canonical("hessian-spectrum",
                     "hessian-spectrum:at=0+end,every=0,first=0,last=0,log-spaced=0,"
                     "max-products=10000,tolerance=0.0001,top=50",
                     "hessian-spectrum");
}

static void every_observable_is_found_and_has_a_schedule(void **state)
{
    (void)state;
    for (size_t i = 0; ub_observables[i]; i++) {
        const struct ub_observable *o = ub_observables[i];
        struct ub_error err = {0};
        assert_ptr_equal(ub_observable_find(o->name), o);
        assert_true(o->summary && *o->summary && o->units && *o->units && o->citation);
        char *text = ub_observable_canonical(o->name, "here", NULL, &err);
        assert_non_null(text);
        ub_free(text);
    }
    assert_null(ub_observable_find("no-such"));
}

/* ---- what is refused ---- */

static void assert_refused(const char *text, const char *expected)
{
    struct ub_error err = {0};
    char *label = NULL;
    assert_null(ub_observable_canonical(text, "here", &label, &err));
    assert_null(label);
    assert_int_equal(err.code, UB_INPUT);
    if (!strstr(err.text, expected))
        fprintf(stderr, "'%s' lacks '%s'\n", err.text, expected);
    assert_non_null(strstr(err.text, expected));
    assert_int_equal(strncmp(err.text, "here: ", 6), 0);
}

static void bad_calls_say_what_was_expected(void **state)
{
    (void)state;
    static const char expected_at[] = "expected steps joined by '+', as in 0+100+end, or none";
    static const char *const bad_at[] = {"foo",
                                         "0+foo",
                                         "+0",
                                         "0+",
                                         "0++1",
                                         "-1",
                                         "1.5",
                                         "End",
                                         "0+none",
                                         "1e3",
                                         "0 + 1",
                                         "9999999999999999999",
                                         "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof bad_at / sizeof *bad_at; i++) {
        struct ub_text text = {0};
        ub_text_add(&text, "loss:at=%s", bad_at[i]);
        assert_refused(text.data, expected_at);
        ub_text_free(&text);
    }
    assert_refused("loss:at=foo", "loss: at=foo;");
    assert_refused("loss:every=-1", "every=-1; expected an integer from 0 up");
    assert_refused("loss:every=ten", "every=ten; expected an integer");
    assert_refused("loss:log-spaced=1", "log-spaced=1; expected at least 2");
    assert_refused("loss:log-spaced=9999999", "expected an integer from 0 to 1000000");
    assert_refused("loss:every=0", "loss is never measured; expected every, at or log-spaced");
    assert_refused("loss:at=none", "never measured");
    assert_refused("sharpnes", "unknown observable 'sharpnes'; did you mean 'sharpness'?");
    assert_refused("edge_ratio:every=2", "did you mean 'edge-ratio'?");
    assert_refused("xyz", "'unibench list observables' shows them");
    assert_refused("sharpness:tops=2", "did you mean 'top'?");
    assert_refused("sharpness:log_spaced=2", "did you mean 'log-spaced'?");
    assert_refused("sharpness:top=0", "top=0; expected an integer from 1 to");
    assert_refused("sharpness:tolerance=0", "tolerance=0; expected a number from");
    assert_refused("hessian-spectrum:first=4,last=7", "first=4,last=7; expected at least 5 ranks");
    assert_refused("covariance-spectrum:last=4", "first=0,last=4; expected at least 5 ranks");
    assert_refused("loss:every=10,every=5", "expected it once");
}

static void observers_are_each_given_once(void **state)
{
    (void)state;
    struct ub_error err = {0};
    const char *const twice[] = {"loss:every=1", "distance", "loss:every=2"};
    assert_null(ub_observers_new(twice, 3, "here", &err));
    assert_non_null(strstr(err.text, "here: 'loss' is measured twice; expected it once"));
    struct ub_error other = {0};
    const char *const unknown[] = {"loss", "los"};
    assert_null(ub_observers_new(unknown, 2, "here", &other));
    assert_int_equal(other.code, UB_INPUT);
    ub_observers_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_the_listed_ones),
        cmocka_unit_test(log_spaced_steps_are_even_in_the_logarithm),
        cmocka_unit_test(log_spaced_steps_are_the_formulas),
        cmocka_unit_test(texts_are_canonical),
        cmocka_unit_test(every_observable_is_found_and_has_a_schedule),
        cmocka_unit_test(bad_calls_say_what_was_expected),
        cmocka_unit_test(observers_are_each_given_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
