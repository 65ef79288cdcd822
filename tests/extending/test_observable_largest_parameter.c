/* The observable largest-parameter: what it records of a small run, against the parameters. */
#include "tests/observing.h"

static void it_is_that_of_the_parameters(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.1");
    TRAIN(&f, 20, "largest-parameter:every=10");
    double expected = 0;
    for (int64_t i = 0; i < f.size; i++)
        expected = fmax(expected, fabs(f.theta[i]));
    assert_int_equal(count_rows(f.recorded, "largest-parameter"), 3); /* steps 0, 10, 20 */
    assert_near(value_of(f.recorded, 20, "largest-parameter", 0), expected, 1e-14);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_that_of_the_parameters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
