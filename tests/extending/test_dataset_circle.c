/* The dataset circle: what it promises of its points, and that it is the same each time. */
#include "tests/support.h"

#include "datasets/datasets.h"

#include <math.h>
#include <string.h>

static struct ub_dataset *load(const char *text)
{
    struct ub_error err = {0};
    struct ub_dataset *d = ub_dataset_load(text, 0, NULL, &err);
    if (!d)
        fail_msg("%s", err.text);
    return d;
}

static void its_points_are_as_promised(void **state)
{
    (void)state;
    struct ub_dataset *d = load("circle:points=12");
    assert_int_equal(d->train.count, 12);
    for (int64_t i = 0; i < d->train.count; i++) {
        const double *x = d->train.inputs + i * d->features;
        assert_near(hypot(x[0], x[1]), 1, 1e-12);
        assert_near(d->train.targets[i], x[1], 1e-12); /* the sine, at frequency 1 */
    }
    ub_dataset_free(d);
}

static void it_is_the_same_each_time(void **state)
{
    (void)state;
    struct ub_dataset *a = load("circle"), *b = load("circle");
    const size_t inputs = (size_t)(a->train.count * a->features);
    assert_int_equal(a->train.count, b->train.count);
    assert_memory_equal(a->train.inputs, b->train.inputs, inputs * sizeof *a->train.inputs);
    ub_dataset_free(a);
    ub_dataset_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_points_are_as_promised),
        cmocka_unit_test(it_is_the_same_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
