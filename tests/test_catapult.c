/* The border of divergence. Oracle: two linear layers on one sample, whose descent is a recursion
 * of two numbers (Lewkowycz et al. 2020, arXiv:2003.02218, equations 3 and 4), derived here anew.
 */
#include "law_suite.h"

#include <math.h>

extern const struct ub_law ub_law_catapult;

/* f = u.v/sqrt(n), loss f^2/2, lambda = (|u|^2 + |v|^2)/n, so that H's largest eigenvalue is lambda
 * where f is small. With u <- u - eta f v/sqrt(n), and v likewise,
 *
 *     f <- f (1 - eta lambda + eta^2 f^2/n),    lambda <- lambda + eta f^2/n (eta lambda - 4). */
static bool diverges(double n, double eta_lambda)
{
    double f = 1, lambda = 1;
    for (int t = 0; t < 10000; t++) {
        const double next = f * (1 - eta_lambda * lambda + eta_lambda * eta_lambda * f * f / n);
        lambda += eta_lambda * f * f / n * (eta_lambda * lambda - 4);
        f = next;
        if (!(f * f < 1e6 * n))
            return true;
        if (f * f < 1e-12)
            return false;
    }
    return true;
}

static double border(double n)
{
    double low = 1, high = 8;
    while (high - low > 1e-6) {
        const double middle = (low + high) / 2;
        *(diverges(n, middle) ? &high : &low) = middle;
    }
    return low;
}

/* Two layers by themselves, step by step, are the recursion. */
static void the_recursion_is_that_of_two_layers(void **state)
{
    enum { N = 50 };
    const double eta = 1.3; /* eta lambda is 2.6 at the start */
    struct ub_random r = ub_random_stream(1, "two layers");
    double u[N], v[N], f = 0, lambda = 0, worst = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        u[i] = ub_random_normal(&r);
        v[i] = ub_random_normal(&r);
    }
    for (int t = 0; t < 30; t++) {
        double output = 0, square = 0;
        for (int i = 0; i < N; i++) {
            output += u[i] * v[i] / sqrt(N);
            square += (u[i] * u[i] + v[i] * v[i]) / N;
        }
        worst = t ? fmax(worst, fmax(fabs(output - f), fabs(square - lambda))) : 0;
        f = output * (1 - eta * square + eta * eta * output * output / N);
        lambda = square + eta * output * output / N * (eta * square - 4);
        for (int i = 0; i < N; i++) {
            const double by_v = u[i] - eta * output * v[i] / sqrt(N);
            v[i] -= eta * output * u[i] / sqrt(N);
            u[i] = by_v;
        }
    }
    assert_oracle("law catapult", "two layers step by step: their recursion of two numbers", worst,
                  1e-12);
    assert_oracle("law catapult", "the border of the recursion, widths of 1e2 and 1e6: 4",
                  fmax(fabs(border(1e2) - 4), fabs(border(1e6) - 4)), 0.01);
}

/* A grid of steps of 0.1 in eta lambda_0: its middle is off by half of one at most, the recursion's
 * border at that width by its own distance from 4. */
static void the_law_finds_the_border(void **state)
{
    static const char suite[] =
        "name: border\n"
        "defaults: {seed: 0..2, steps: 300, loss: mse, dataset: {gaussian: {samples: 1, features: "
        "10}}, measure: {loss: {every: 1}, catapult: {every: 15}}}\n"
        "runs:\n"
        "  - model: {deep-linear: {widths: 2048, parametrization: ntk}}\n"
        "    optimizer: {gd: {lr: [{relative: 1.875}, {relative: 1.925}, {relative: 1.975}, "
        "{relative: 2.025}, {relative: 2.075}]}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_catapult, "model", "deep-linear");
    assert_null(d.why);
    assert_oracle("law catapult", "the recursion's border, to a grid's half step and 1/sqrt(width)",
                  d.value - border(2048), 0.05 + 2 / sqrt(2048));
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recursion_is_that_of_two_layers),
        cmocka_unit_test(the_law_finds_the_border),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
