/* Signals through depth: the observable against sums by hand, wide networks against the maps, fixed
 * points of relu; the laws on their controls. */
#include "law_suite.h"
#include "observing.h"

#include "bench/curvature/infinite_width.h"

extern const struct ub_law ub_law_signal_propagation, ub_law_perturbation_growth;

static struct fixture drawn(const char *model, const char *init)
{
    struct ub_error err = {0};
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 6, 0, 8, 2), model, "mse", "gd:lr=0.01");
    ub_problem_free(f.problem);
    f.problem = ub_problem_new(
        &(struct ub_problem_spec){
            .model = model, .loss = "mse", .init = init, .data = f.data, .precision = UB_F64},
        &err);
    if (!f.problem)
        fail_msg("%s", err.text);
    f.optimizer->training.problem = f.problem;
    ub_problem_init(f.problem, 3, f.theta0);
    return f;
}

/* Of relu under He every variance is that of the layer below, chi is 1, and correlations follow the
 * arc-cosine map c -> (sin t + (pi - t) cos t)/pi, t = acos c, in closed form (Cho and Saul 2009).
 */
static void relu_under_he_is_critical(void **state)
{
    (void)state;
    struct fixture f = drawn("mlp:widths=512x512x512,activation=relu", "he");
    TRAIN(&f, 1, "signal:samples=2");
    const double *x = f.data->train.inputs, pi = acos(-1);
    const double aa = tiny_dot(8, x, x), bb = tiny_dot(8, x + 8, x + 8);
    double c = tiny_dot(8, x, x + 8) / sqrt(aa * bb), worst = 0, off = 0;
    for (int l = 1; l <= 3; l++) {
        const double t = acos(c);
        c = (sin(t) + (pi - t) * c) / pi;
        worst = fmax(worst, fabs(value_of(f.recorded, 0, "signal-correlation-map", l) - c));
        /* lecun's readout would halve it; he's keeps 2 (aa + bb)/(2 d) */
        worst = fmax(worst, fabs(value_of(f.recorded, 0, "signal-length-map", l) - (aa + bb) / 8));
        /* five standard deviations, 1/sqrt(512) each at most, growing with depth */
        off =
            fmax(off, fabs(value_of(f.recorded, 0, "signal-correlation", l) - c) / sqrt(l / 512.0));
    }
    assert_oracle("law signal-propagation", "relu's arc-cosine map in closed form", worst, 1e-12);
    assert_oracle("law signal-propagation", "a network of width 512, in standard deviations", off,
                  5);
    assert_near(value_of(f.recorded, 0, "perturbation-growth-map", 0), 0, 1e-12);
    assert_near(value_of(f.recorded, 0, "perturbation-growth", 0), 0, 0.2);
    fixture_free(&f);
}

/* Against activations read from the problem itself. */
static void rows_are_sums_over_units(void **state)
{
    enum { W = 7 };
    (void)state;
    struct fixture f = drawn("mlp:widths=7x7,activation=tanh", "lecun:gain=1.5");
    TRAIN(&f, 1, "signal:samples=2");
    double h[6 * W];
    ub_problem_hidden(f.problem, 1, f.theta0, h);
    const double weight = 1.5 * 1.5 / W;
    const double aa = tiny_dot(W, h, h), bb = tiny_dot(W, h + W, h + W);
    assert_near(value_of(f.recorded, 0, "signal-length", 2), weight * (aa + bb) / 2, 1e-12);
    assert_oracle("observable signal", "sums over the units' activations",
                  value_of(f.recorded, 0, "signal-correlation", 2) -
                      tiny_dot(W, h, h + W) / sqrt(aa * bb),
                  1e-12);
    fixture_free(&f);
}

/* chi of tanh against a sum on a fine line: E phi'(u)^2, u ~ N(0, q). */
static void chi_is_the_mean_squared_slope(void **state)
{
    (void)state;
    struct ub_expectation *e = ub_expectation_new(ub_activation_find("tanh"));
    double worst = 0;
    for (double q = 0.2; q < 2; q += 0.6) {
        double sum = 0;
        const double h = 0.001;
        for (double z = -10; z < 10; z += h) {
            const double t = tanh(sqrt(q) * z), slope = 1 - t * t;
            sum += h * slope * slope * exp(-z * z / 2) / sqrt(2 * acos(-1));
        }
        worst = fmax(worst, fabs(ub_wide_chi(e, 1.7, q) - 1.7 * sum));
    }
    assert_oracle("law perturbation-growth", "the mean squared slope by a sum on a fine line",
                  worst, 2e-5); /* infinite_width.h says why */
    ub_expectation_free(e);
}

static const char suite[] =
    "name: signal\n"
    "defaults: {seed: 0..2, steps: 1, loss: mse, precision: f64, optimizer: {gd: {lr: 0.01}}, "
    "dataset: {digits: {size: 20, scale: center}}, measure: {signal: {samples: 4}}}\n"
    "runs:\n"
    "  - model: {mlp: {widths: 256x256x256x256x256x256, activation: tanh}}\n"
    "    init: [{lecun: {gain: 0.6}}, {lecun: {gain: 1.1}}, {lecun: {gain: 1.6}}, {lecun: {gain: "
    "2.5}}]\n"
    "  - model: {mlp: {widths: 256x256, activation: gelu, parametrization: mup}}\n"
    "    seed: 0\n"
    "    steps: 200\n"
    "    optimizer: {gd: {lr: {relative: 0.8}}}\n"
    "    measure: {signal: {samples: 4, at: [0, end]}}\n";

static void wide_networks_follow_the_maps(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const char *const gains[] = {"0.6", "1.1", "1.6", "2.5"};
    for (int i = 0; i < 4; i++) {
        const struct ub_datum d =
            law_suite_datum(&s, &ub_law_signal_propagation, "init.gain", gains[i]);
        assert_true(ub_datum_meets(&ub_law_signal_propagation.is, &d));
    }
    struct ub_datum d = law_suite_datum(&s, &ub_law_signal_propagation, "model.activation", "gelu");
    assert_null(d.why);
    assert_false(ub_datum_meets(&ub_law_signal_propagation.is, &d)); /* trained */
    d = law_suite_datum(&s, &ub_law_perturbation_growth, "model.activation", "tanh");
    assert_true(ub_datum_meets(&ub_law_perturbation_growth.is, &d));
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relu_under_he_is_critical),
        cmocka_unit_test(rows_are_sums_over_units),
        cmocka_unit_test(chi_is_the_mean_squared_slope),
        cmocka_unit_test(wide_networks_follow_the_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
