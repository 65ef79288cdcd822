/* The neural tangent kernel's drift: the observable against kernels from differences of outputs,
 * and the law on its controls. */
#include "law_suite.h"
#include "observing.h"

extern const struct ub_law ub_law_ntk_drift;

/* ---- the observable ---- */

/* Oracle: J by central differences of the outputs on the first samples, K = J J'. */
static double *kernel_by_differences(struct fixture *f, const double *theta, int64_t rows)
{
    const double h = 1e-5;
    const int64_t all = f->data->train.count * f->data->outputs;
    double *x = ub_calloc((size_t)f->size, sizeof *x);
    double *j = ub_calloc((size_t)(f->size * all), sizeof *j);
    double *up = ub_calloc((size_t)all, sizeof *up), *down = ub_calloc((size_t)all, sizeof *up);
    memcpy(x, theta, (size_t)f->size * sizeof *x);
    for (int64_t p = 0; p < f->size; p++) {
        x[p] = theta[p] + h;
        ub_problem_outputs(f->problem, x, up);
        x[p] = theta[p] - h;
        ub_problem_outputs(f->problem, x, down);
        x[p] = theta[p];
        for (int64_t i = 0; i < rows; i++)
            j[p * all + i] = (up[i] - down[i]) / (2 * h);
    }
    double *k = ub_calloc((size_t)(rows * rows), sizeof *k);
    for (int64_t p = 0; p < f->size; p++)
        for (int64_t a = 0; a < rows; a++)
            for (int64_t b = 0; b < rows; b++)
                k[a * rows + b] += j[p * all + a] * j[p * all + b];
    ub_free(x);
    ub_free(j);
    ub_free(up);
    ub_free(down);
    return k;
}

static void drift_is_that_of_kernels_by_differences(void **state)
{
    enum { SAMPLES = 6, OUTPUTS = 3, ROWS = SAMPLES * OUTPUTS };
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    TRAIN(&f, 20, "kernel-drift:samples=6,at=0+end");
    double *before = kernel_by_differences(&f, f.theta0, ROWS);
    double *after = kernel_by_differences(&f, f.theta, ROWS);
    double moved = 0;
    for (int i = 0; i < ROWS * ROWS; i++)
        moved += pow(after[i] - before[i], 2);
    const double size = tiny_norm(ROWS * ROWS, before);
    const double cosine =
        tiny_dot(ROWS * ROWS, before, after) / (size * tiny_norm(ROWS * ROWS, after));
    const double drift = sqrt(moved) / size;
    assert_true(drift > 0.05); /* there is something to measure */
    assert_oracle("observable kernel-drift", "kernels by central differences of the outputs",
                  fmax(fabs(value_of(f.recorded, 20, "kernel-drift", 0) - drift),
                       fabs(value_of(f.recorded, 20, "kernel-drift-cosine", 0) - cosine)),
                  1e-8);
    assert_near(value_of(f.recorded, 0, "kernel-drift", 0), 0, 1e-12);
    assert_near(value_of(f.recorded, 0, "kernel-drift-cosine", 0), 1, 1e-12);
    ub_free(before);
    ub_free(after);
    fixture_free(&f);
}

/* Oracle: of a linear model y = W x the kernel never moves. */
static void a_linear_models_kernel_stays(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, 8, 0, 4, 3), "linear", "mse", "gd:lr=0.1");
    TRAIN(&f, 10, "kernel-drift:samples=0,at=end");
    assert_near(value_of(f.recorded, 10, "kernel-drift", 0), 0, 1e-13);
    fixture_free(&f);
}

/* ---- the law ---- */

/* Theorem on one side, feature learning on the other: -1 in the NTK scaling, flat in the
 * mean-field one (0 within 0.2: the control's own claim). One rule for rates, a fifth of the edge,
 * so that the time eta x step is the same in units of the kernel. */
static void the_law_tells_lazy_from_rich(void **state)
{
    static const char suite[] =
        "name: drift\n"
        "defaults: {seed: 0..2, steps: 20, loss: mse, precision: f64, "
        "dataset: {digits: {size: 20, scale: center}}, "
        "optimizer: {gd: {lr: {relative: 0.2}}}, measure: {kernel-drift: {samples: 6}}}\n"
        "runs:\n"
        "  - model: {two-layer: {width: [32, 64, 128, 256], activation: tanh, "
        "scaling: [ntk, mean-field]}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    struct ub_datum d = law_suite_datum(&s, &ub_law_ntk_drift, "model.scaling", "ntk");
    assert_true(ub_datum_meets(&ub_law_ntk_drift.is, &d));
    assert_oracle("law ntk-drift", "the theorem's exponent, two tanh layers of 32 to 256 units",
                  d.value + 1, 0.15);
    d = law_suite_datum(&s, &ub_law_ntk_drift, "model.scaling", "mean-field");
    assert_null(d.why);
    assert_false(ub_datum_meets(&ub_law_ntk_drift.is, &d));
    assert_near(d.value, 0, 0.2);
    assert_int_equal(law_suite_applies(&s, &ub_law_ntk_drift), 12); /* the former's runs only */
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drift_is_that_of_kernels_by_differences),
        cmocka_unit_test(a_linear_models_kernel_stays),
        cmocka_unit_test(the_law_tells_lazy_from_rich),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
