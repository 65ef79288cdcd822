/* The optimizer half-step: on a quadratic of one parameter it diverges just above its threshold,
 * and not just below. */
#include "tests/support.h"

#include "systems/systems.h"

#include <math.h>

enum { STEPS = 3000 };

/* |theta| after STEPS steps from 1 on curvature `share` of the threshold. */
static double end_at(double share)
{
    struct ub_error err = {0};
    struct ub_optimizer *o = ub_optimizer_new("half-step:lr=0.1", 1, &err);
    if (!o)
        fail_msg("%s", err.text);
    const double curvature = share * ub_optimizer_threshold(o);
    double theta = 1;
    for (int i = 0; i < STEPS; i++) {
        const double grad = curvature * theta;
        ub_optimizer_step(o, &theta, &grad);
    }
    ub_optimizer_free(o);
    return fabs(theta);
}

static void it_diverges_just_above_its_threshold(void **state)
{
    (void)state;
    assert_true(end_at(0.99) < 1e-3);
    assert_true(end_at(1.01) > 1e3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_diverges_just_above_its_threshold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
