/* Scaled and centered outputs against outputs of the plain model, derivatives against differences,
 * problems over inputs of one's own; lazy training by scale as a law. */
#include "law_suite.h"
#include "observing.h"

extern const struct ub_law ub_law_lazy_scale;

static const char plain[] = "mlp:widths=5x4,activation=tanh";
static const char scaled[] = "mlp:widths=5x4,activation=tanh,output-scale=3,centered=true";

static double *moved_from(const double *theta, int64_t n, double by)
{
    double *x = tiny_normals(n, "moved");
    for (int64_t i = 0; i < n; i++)
        x[i] = theta[i] + by * x[i];
    return x;
}

/* alpha (f(theta) - f(theta_0)) from two evaluations of the plain model. */
static void outputs_are_scaled_and_centered(void **state)
{
    enum { N = 8, OUTPUTS = 3, ALL = N * OUTPUTS };
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, N, 5, 4, OUTPUTS);
    struct ub_problem *p = tiny_problem(d, plain, "mse"), *q = tiny_problem(d, scaled, "mse");
    const int64_t n = ub_problem_size(p);
    assert_int_equal(ub_problem_size(q), n);
    double *start = ub_calloc((size_t)n, sizeof *start), f0[ALL], f[ALL], out[ALL], loss = 0;
    ub_problem_init(p, 4, start);
    ub_problem_init(q, 4, start);
    double *theta = moved_from(start, n, 0.3);
    ub_problem_outputs(p, start, f0);
    ub_problem_outputs(p, theta, f);
    ub_problem_outputs(q, theta, out);
    for (int i = 0; i < ALL; i++) {
        assert_near(out[i], 3 * (f[i] - f0[i]), 1e-14);
        loss += pow(3 * (f[i] - f0[i]) - d->train.targets[i], 2) / (2 * N);
    }
    assert_near(ub_problem_loss(q, theta), loss, 1e-13);
    ub_problem_outputs(q, start, out);
    assert_near(tiny_norm(ALL, out), 0, 0);
    struct ub_error err = {0};
    struct ub_problem *batch = ub_problem_batch_new(q, 3, &err);
    assert_non_null(batch);
    ub_problem_outputs(q, theta, f);
    ub_problem_outputs(batch, theta, out);
    assert_near(tiny_error(3 * OUTPUTS, out, f), 0, 1e-14); /* batches share the start */
    ub_problem_free(batch);
    ub_free(start);
    ub_free(theta);
    ub_problem_free(p);
    ub_problem_free(q);
    tiny_free(d);
}

/* Central differences of the loss, and of the gradient, along one direction. */
static void derivatives_are_of_the_trained_part(void **state)
{
    static const char *const models[] = {
        "mlp:widths=5x4,activation=tanh,output-scale=3,centered=true",
        "random-features:width=9,output-scale=0.5,centered=true", /* with frozen parameters */
        "two-layer:width=6,activation=tanh,output-scale=2"};
    (void)state;
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, 8, 0, 4, 3);
        struct ub_problem *p = tiny_problem(d, models[k], "ce");
        assert_non_null(p);
        const int64_t n = ub_problem_size(p);
        double *start = ub_calloc((size_t)n, sizeof *start), *v = tiny_normals(n, "direction");
        ub_problem_init(p, 4, start);
        double *theta = moved_from(start, n, 0.3), *grad = ub_calloc((size_t)n, sizeof *grad);
        double *up = ub_calloc((size_t)n, sizeof *up), *down = ub_calloc((size_t)n, sizeof *down);
        double *hv = ub_calloc((size_t)n, sizeof *hv);
        const double h = 1e-5;
        ub_problem_gradient(p, theta, grad);
        ub_problem_linearize(p, theta);
        ub_problem_hvp(p, 1, v, hv);
        for (int64_t i = 0; i < n; i++)
            theta[i] += h * v[i];
        const double above = ub_problem_gradient(p, theta, up);
        for (int64_t i = 0; i < n; i++)
            theta[i] -= 2 * h * v[i];
        const double below = ub_problem_gradient(p, theta, down);
        for (int64_t i = 0; i < n; i++)
            up[i] = (up[i] - down[i]) / (2 * h);
        assert_near((above - below) / (2 * h), tiny_dot(n, grad, v), 1e-8);
        assert_near(tiny_error(n, hv, up), 0, 1e-7);
        double *all[] = {start, v, theta, grad, up, down, hv};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            ub_free(all[i]);
        ub_problem_free(p);
        tiny_free(d);
    }
}

/* The same inputs in another order give the same outputs in that order; other draws there leave the
 * first problem's start alone. */
static void problems_take_inputs_of_ones_own(void **state)
{
    enum { N = 5, FEATURES = 4, OUTPUTS = 3 };
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, N, 0, FEATURES, OUTPUTS);
    struct ub_problem *p = tiny_problem(d, scaled, "mse");
    const int64_t n = ub_problem_size(p);
    double *start = ub_calloc((size_t)n, sizeof *start), inputs[2 * FEATURES];
    double before[N * OUTPUTS], after[N * OUTPUTS], other[2 * OUTPUTS];
    ub_problem_init(p, 4, start);
    double *theta = moved_from(start, n, 0.3);
    ub_problem_outputs(p, theta, before);
    memcpy(inputs, d->train.inputs + 3 * FEATURES, FEATURES * sizeof *inputs);
    memcpy(inputs + FEATURES, d->train.inputs, FEATURES * sizeof *inputs);
    struct ub_problem *q = ub_problem_on_inputs(p, 2, inputs, &err);
    assert_non_null(q);
    ub_problem_outputs(q, theta, other);
    assert_near(tiny_error(OUTPUTS, other, before + 3 * OUTPUTS), 0, 1e-14);
    assert_near(tiny_error(OUTPUTS, other + OUTPUTS, before), 0, 1e-14);
    ub_problem_init(q, 9, start);
    ub_problem_outputs(p, theta, after);
    assert_memory_equal(before, after, sizeof before);
    ub_problem_outputs(q, start, other);
    assert_near(tiny_norm(2 * OUTPUTS, other), 0, 0);
    ub_problem_free(q);
    ub_problem_free(p);
    ub_free(start);
    ub_free(theta);
    tiny_free(d);
}

/* A linear model moves by (1 - (1 - eta alpha^2 H)^t) X^+ y/alpha, at eta alpha^2 fixed exactly
 * 1/alpha, and its start stays what it is. */
static void of_linear_models_the_law_is_exact(void **state)
{
    static const char suite[] =
        "name: exact\n"
        "defaults: {steps: 30, loss: mse, precision: f64, "
        "dataset: {digits: {size: 20, scale: center}}, measure: {distance: {at: [end]}}}\n"
        "runs:\n"
        "  - model: {linear: {centered: true, output-scale: [4, 8, 16, 32, 64]}}\n"
        "    optimizer: {gd: {lr: {relative: 0.2}}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_lazy_scale, "model", "linear");
    assert_null(d.why);
    assert_oracle("law lazy-scale", "the closed form of linear models", d.value + 1, 1e-3);
    law_suite_free(&s);
}

static void the_law_tells_lazy_from_rich(void **state)
{
    static const char suite[] =
        "name: scale\n"
        "defaults: {seed: 0..2, loss: mse, precision: f64, "
        "dataset: {digits: {size: 20, scale: center}}, measure: {distance: {at: [end]}}}\n"
        "runs:\n"
        "  - model: {two-layer: {width: 32, activation: tanh, centered: true, "
        "output-scale: [4, 8, 16, 32, 64]}}\n"
        "    steps: 100\n"
        "    optimizer: {gd: {lr: {relative: 0.2}}}\n"
        "  - model: {two-layer: {width: 32, activation: relu, centered: true, "
        "output-scale: [0.008, 0.004, 0.002, 0.001]}}\n"
        "    steps: 400\n"
        "    optimizer: {gd: {lr: {relative: 0.005}}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_lazy_scale;
    struct ub_datum d = law_suite_datum(&s, law, "model.activation", "tanh");
    assert_true(ub_datum_meets(&law->is, &d));
    d = law_suite_datum(&s, law, "model.activation", "relu");
    assert_null(d.why);
    assert_false(ub_datum_meets(&law->is, &d));
    assert_int_equal(law_suite_applies(&s, law), 15); /* not the small scales */
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_scaled_and_centered),
        cmocka_unit_test(derivatives_are_of_the_trained_part),
        cmocka_unit_test(problems_take_inputs_of_ones_own),
        cmocka_unit_test(of_linear_models_the_law_is_exact),
        cmocka_unit_test(the_law_tells_lazy_from_rich),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
