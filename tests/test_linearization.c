/* Distance from linearized training: against a linear model trained step by step on its own
 * Jacobian, and the law on its controls. */
#include "law_suite.h"
#include "observing.h"

extern const struct ub_law ub_law_linearization;

/* Oracle: the linearized model itself, f_0 + J (x - theta_0), trained by gradient descent on its
 * weights x; J v and J'u from the problem's own products at the start. */
static double by_training(struct fixture *f, double rate, int steps)
{
    const int64_t n = f->size, z = f->data->train.count * f->data->outputs;
    double *x = ub_calloc((size_t)n, sizeof *x), *grad = ub_calloc((size_t)n, sizeof *grad);
    double *start = ub_calloc((size_t)z, sizeof *start), *line = ub_calloc((size_t)z, sizeof *line);
    double *now = ub_calloc((size_t)z, sizeof *now), off = 0, way = 0;
    ub_problem_outputs(f->problem, f->theta, now);
    ub_problem_outputs(f->problem, f->theta0, start);
    ub_problem_linearize(f->problem, f->theta0);
    for (int step = 0;; step++) {
        ub_problem_jvp(f->problem, 1, x, line);
        if (step == steps)
            break;
        for (int64_t i = 0; i < z; i++)
            line[i] =
                (start[i] + line[i] - f->data->train.targets[i]) / (double)f->data->train.count;
        ub_problem_vjp(f->problem, 1, line, grad);
        for (int64_t i = 0; i < n; i++)
            x[i] -= rate * grad[i];
    }
    for (int64_t i = 0; i < z; i++) {
        off += pow(now[i] - start[i] - line[i], 2);
        way += line[i] * line[i];
    }
    double *all[] = {x, grad, start, line, now};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ub_free(all[i]);
    return sqrt(off / way);
}

static void it_is_the_linearized_models_training(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.4");
    TRAIN(&f, 30, "linearization:at=end");
    const double expected = by_training(&f, 0.4, 30);
    assert_true(expected > 0.01);
    assert_oracle("law linearization, observable linearization",
                  "the linearized model itself, trained on its Jacobian",
                  value_of(f.recorded, 30, "linearization-error", 0) - expected, 1e-9);
    fixture_free(&f);
}

static void a_linear_model_is_its_linearization(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, 8, 0, 4, 3), "linear", "mse", "gd:lr=0.1");
    TRAIN(&f, 20, "linearization:at=end");
    assert_near(value_of(f.recorded, 20, "linearization-error", 0), 0, 1e-12);
    fixture_free(&f);
}

static void other_runs_have_no_rows(void **state)
{
    static const char *const others[] = {"gd:lr=0.1,l2=0.1", "heavy-ball:lr=0.1",
                                         "gd:lr=0.1,warmup=3"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct fixture f = fixture_new(others[i]);
        TRAIN(&f, 3, "linearization:at=end");
        assert_int_equal(count_rows(f.recorded, "linearization-error"), 0);
        fixture_free(&f);
    }
}

static void the_law_tells_lazy_from_rich(void **state)
{
    static const char suite[] =
        "name: line\n"
        "defaults: {seed: 0..2, steps: 20, loss: mse, precision: f64, "
        "dataset: {digits: {size: 10, scale: center}}, "
        "optimizer: {gd: {lr: {relative: 0.2}}}, measure: {linearization: {at: [end]}}}\n"
        "runs:\n"
        "  - model: {two-layer: {width: [64, 128, 256, 512], activation: tanh, "
        "scaling: [ntk, mean-field]}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_linearization;
    struct ub_datum d = law_suite_datum(&s, law, "model.scaling", "ntk");
    assert_null(d.why);
    assert_near(d.value, -1, 0.25); /* three seeds; the margin is for the suite's widths */
    d = law_suite_datum(&s, law, "model.scaling", "mean-field");
    assert_null(d.why);
    assert_false(ub_datum_meets(&law->is, &d));
    assert_int_equal(law_suite_applies(&s, law), 12);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_linearized_models_training),
        cmocka_unit_test(a_linear_model_is_its_linearization),
        cmocka_unit_test(other_runs_have_no_rows),
        cmocka_unit_test(the_law_tells_lazy_from_rich),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
