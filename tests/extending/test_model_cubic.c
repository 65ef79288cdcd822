/* The model cubic: what it computes, and its gradient against central differences. */
#include "tests/support.h"
#include "tests/tiny.h"

/* Error of differences with h = 1e-5: truncation and rounding near 1e-10, relative to the slope. */
static void its_gradient_is_that_of_differences(void **state)
{
    const double h = 1e-5;
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 10, 0, 3, 2);
    struct ub_problem *p = tiny_problem(data, "cubic", "mse");
    assert_non_null(p);
    const int64_t n = ub_problem_size(p);
    double *theta = ub_calloc((size_t)n, sizeof *theta), *grad = ub_calloc((size_t)n, sizeof *grad);
    double *v = tiny_normals(n, "direction"), loss[2], slope = 0;
    ub_problem_init(p, 3, theta);
    ub_problem_gradient(p, theta, grad);
    for (int64_t i = 0; i < n; i++) {
        slope += grad[i] * v[i];
        theta[i] -= h * v[i];
    }
    loss[0] = ub_problem_loss(p, theta);
    for (int64_t i = 0; i < n; i++)
        theta[i] += 2 * h * v[i];
    loss[1] = ub_problem_loss(p, theta);
    assert_near(slope, (loss[1] - loss[0]) / (2 * h), 1e-7 * fmax(1, fabs(slope)));
    ub_free(theta);
    ub_free(grad);
    ub_free(v);
    ub_problem_free(p);
    tiny_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(its_gradient_is_that_of_differences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
