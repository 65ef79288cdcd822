/* Residuals along the kernel's modes: rates against the inputs' own covariance, residuals and loss
 * against gradient descent on linear models, from either side; the asymptote of the sum against the
 * sum; and the laws on small runs. */
#include "law_suite.h"
#include "observing.h"

#include <lapacke.h>

/* ---- against linear regression ---- */

static struct fixture linear(int64_t samples, int64_t features, int64_t outputs, const char *rate)
{
    char optimizer[48];
    snprintf(optimizer, sizeof optimizer, "gd:lr=%s", rate);
    return fixture_of(tiny_dataset(UB_REGRESSION, samples, 7, features, outputs), "linear", "mse",
                      optimizer);
}

/* Eigenvalues of (X 1)'(X 1)/n, descending. */
static double *covariance_spectrum(const struct ub_dataset *d)
{
    const int64_t n = d->features + 1, count = d->train.count;
    double *c = ub_calloc((size_t)(n * n), sizeof *c), *value = ub_calloc((size_t)n, sizeof *value);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t s = 0; s < count; s++) {
                const double *x = d->train.inputs + s * d->features;
                c[i * n + j] +=
                    (i < d->features ? x[i] : 1) * (j < d->features ? x[j] : 1) / (double)count;
            }
    assert_int_equal(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)n, c, (lapack_int)n, value), 0);
    for (int64_t i = 0; i < n / 2; i++) {
        const double swap = value[i];
        value[i] = value[n - 1 - i];
        value[n - 1 - i] = swap;
    }
    ub_free(c);
    return value;
}

/* Each of the covariance's eigenvalues once an output: over parameters (15 < 60 outputs in all) and
 * over outputs (3 < 7). */
static void rates_are_the_covariance(void **state)
{
    (void)state;
    struct fixture f = linear(20, 4, 3, "0.1");
    double *value = covariance_spectrum(f.data), worst = 0;
    TRAIN(&f, 1, "kernel-modes:every=1");
    for (int64_t k = 0; k < 15; k++)
        worst = fmax(worst, fabs(value_of(f.recorded, 0, "kernel-mode-rate", k) - value[k / 3]));
    assert_null(find_row(f.recorded, 0, "kernel-mode-rate", 15));
    ub_free(value);
    fixture_free(&f);
    f = linear(3, 6, 1, "0.1");
    value = covariance_spectrum(f.data);
    TRAIN(&f, 1, "kernel-modes:every=1");
    for (int64_t k = 0; k < 3; k++)
        worst = fmax(worst, fabs(value_of(f.recorded, 0, "kernel-mode-rate", k) - value[k]));
    assert_oracle("observable kernel-modes", "the dense eigenvalues of the inputs' covariance",
                  worst, 1e-12);
    ub_free(value);
    fixture_free(&f);
}

/* Training itself is the oracle: the loss of 200 steps, whether or not the samples can be fitted.
 */
static void predicted_loss_is_the_loss(void **state)
{
    (void)state;
    static const int64_t shapes[][3] = {{20, 4, 3}, {3, 6, 1}, {12, 11, 1}, {5, 5, 2}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct fixture f = linear(shapes[i][0], shapes[i][1], shapes[i][2], "0.2");
        double worst = 0;
        TRAIN(&f, 200, "kernel-modes:every=10", "loss:every=10");
        for (int64_t step = 0; step <= 200; step += 10) {
            const double loss = value_of(f.recorded, step, "loss", 0);
            const double predicted = value_of(f.recorded, step, "kernel-loss-prediction", 0);
            if (!find_row(f.recorded, step, "kernel-loss-error", 0)) {
                assert_true(predicted < 2e-12 * value_of(f.recorded, 0, "loss", 0));
                continue;
            }
            worst = fmax(worst, fabs(loss / predicted - 1));
            assert_near(value_of(f.recorded, step, "kernel-loss-error", 0),
                        fabs(loss / predicted - 1), 1e-12);
        }
        assert_oracle("law time-scaling", "200 steps of training linear models, relative", worst,
                      1e-8);
        fixture_free(&f);
    }
}

/* |v'r| falls by 1 - eta mu a step: half-lives are eta ln 2/-ln(1 - eta mu), exactly between steps.
 */
static void half_lives_are_those_of_the_rates(void **state)
{
    (void)state;
    struct fixture f = linear(20, 4, 1, "0.1");
    TRAIN(&f, 100, "kernel-modes:every=7");
    size_t seen = 0;
    double worst = 0;
    for (int64_t k = 0; k < 5; k++) {
        const double mu = value_of(f.recorded, 0, "kernel-mode-rate", k);
        const double life = -0.1 * log(2) / log(1 - 0.1 * mu);
        for (size_t i = 0; i < f.recorded->n_rows; i++)
            if (f.recorded->rows[i].index == k &&
                strcmp(f.recorded->names[i], "kernel-mode-half-life") == 0) {
                worst = fmax(worst, fabs(f.recorded->rows[i].value - life));
                seen++;
            }
        const double start = value_of(f.recorded, 0, "kernel-mode-residual", k);
        assert_near(value_of(f.recorded, 98, "kernel-mode-residual", k),
                    start * pow(1 - 0.1 * mu, 98), 1e-12);
        assert_near(value_of(f.recorded, 0, "kernel-mode-share", k), start * start, 1e-12);
    }
    assert_int_equal(seen, 5);
    assert_oracle("law spectral-bias", "half-lives in closed form, linear models", worst, 1e-9);
    fixture_free(&f);
}

static void networks_leave_the_prediction(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 15, 7, 4, 2), mlp, "mse", "gd:lr=0.2");
    TRAIN(&f, 100, "kernel-modes:every=50");
    assert_near(value_of(f.recorded, 0, "kernel-loss-error", 0), 0, 1e-12);
    assert_true(value_of(f.recorded, 100, "kernel-loss-error", 0) > 1e-2);
    fixture_free(&f);
}

static void what_it_is_not_about(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, 15, 7, 4, 3), mlp, "ce", "gd:lr=0.2");
    TRAIN(&f, 1, "kernel-modes");
    assert_int_equal(f.recorded->n_rows, 0);
    fixture_free(&f);
    f = linear(20, 4, 3, "0.1");
    struct ub_error err = {0};
    struct ub_observers *o =
        ub_observers_new((const char *const[]){"kernel-modes:dense=10"}, 1, "test", &err);
    struct ub_record record = {.context = f.recorded, .add = add_row, .fact = add_fact};
    const struct ub_moment moment = {.theta = f.theta,
                                     .grad = f.grad,
                                     .problem = f.problem,
                                     .optimizer = f.optimizer,
                                     .theta0 = f.theta0};
    assert_false(ub_observers_measure(o, &moment, 1, &record, &err));
    assert_input_error(&err, "15 parameters and 60 outputs; expected at most dense=10 of one");
    ub_observers_free(o);
    fixture_free(&f);
}

/* ---- the asymptote ---- */

/* Slope of log L over the law's window, L = sum_k^D k^-(alpha + 2 beta) exp(-2 x k^-alpha), x =
 * eta mu_1 t: what an exact measurement of a population of D features would give. */
static double slope_of_sum(double alpha, double beta, int D)
{
    enum { POINTS = 40 };
    const double last = D * pow(0.02, 1 / (alpha + 2 * beta - 1));
    const double u0 = log(pow(3, alpha) / 2), u1 = log(pow(last, alpha) / 2);
    double mean = 0, xy = 0, xx = 0;
    for (int i = 0; i < POINTS; i++) {
        const double u = u0 + (u1 - u0) * i / (POINTS - 1), x = exp(u);
        double sum = 0;
        for (int k = 1; k <= D; k++)
            sum += pow(k, -alpha - 2 * beta) * exp(-2 * x * pow(k, -alpha));
        mean = (u0 + u1) / 2;
        xy += (u - mean) * log(sum);
        xx += (u - mean) * (u - mean);
    }
    return xy / xx;
}

static void windows_see_the_asymptote(void **state)
{
    (void)state;
    static const double exponents[][2] = {{1.5, 0.5}, {1.5, 0.75}, {2, 0.5}, {1.25, 0.75}};
    double worst = 0;
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
        const double alpha = exponents[i][0], beta = exponents[i][1];
        const double asymptote = -(alpha + 2 * beta - 1) / alpha;
        const double slope = slope_of_sum(alpha, beta, 400);
        print_message("alpha %g, beta %g: slope of the sum %.4f, asymptote %.4f\n", alpha, beta,
                      slope, asymptote);
        worst = fmax(worst, fabs(slope - asymptote));
    }
    assert_oracle("law time-scaling-exponent", "the slope of the exact sum over 400 modes", worst,
                  0.025); /* half the law's margin */
}

/* ---- the laws ---- */

extern const struct ub_law ub_law_time_scaling, ub_law_time_scaling_exponent, ub_law_spectral_bias;

static const char suite[] = "name: modes\n"
                            "defaults:\n"
                            "  seed: 0\n"
                            "  precision: f64\n"
                            "  loss: mse\n"
                            "  init: {pytorch: {gain: 0}}\n"
                            "  steps: 500\n"
                            "  optimizer: {gd: {lr: {relative: 0.1}}}\n"
                            "  measure: {kernel-modes: {log-spaced: 60}, loss: {log-spaced: 60}}\n"
                            "runs:\n"
                            "  - model: {linear: {bias: false}}\n"
                            "    dataset: [{gaussian: {samples: 1000, features: 200, alpha: 1.5}}, "
                            "{gaussian: {samples: 500, features: 200, scale: whiten}}]\n"
                            "  - model: {mlp: {widths: 16}}\n"
                            "    init: pytorch\n"
                            "    dataset: {gaussian: {samples: 40, features: 10}}\n";

static void laws_of_time_hold_where_they_must_and_nowhere_else(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *sum = &ub_law_time_scaling, *power = &ub_law_time_scaling_exponent;
    static const char *const samples[] = {"1000", "500", "40"};
    for (int i = 0; i < 3; i++) {
        const struct ub_datum exact = law_suite_datum(&s, sum, "dataset.size", samples[i]);
        const struct ub_datum slope = law_suite_datum(&s, power, "dataset.size", samples[i]);
        assert_int_equal(ub_datum_meets(&sum->is, &exact), i < 2);
        assert_int_equal(law_suite_takes(&s, sum, "dataset.size", samples[i]), i < 2);
        assert_int_equal(law_suite_takes(&s, power, "dataset.size", samples[i]), i == 0);
        assert_true(i == 2 || ub_datum_meets(&power->is, &slope) == (i == 0));
        assert_true(i != 1 || !slope.why);
    }
    law_suite_free(&s);
}

static const char bias_suite[] = "name: bias\n"
                                 "defaults:\n"
                                 "  seed: 0\n"
                                 "  loss: mse\n"
                                 "  init: lecun\n"
                                 "  steps: 2000\n"
                                 "  optimizer: {gd: {lr: {relative: 0.05}}}\n"
                                 "  measure: {kernel-modes: {top: 40, log-spaced: 80}}\n"
                                 "  dataset: {gaussian: {samples: 60, features: 40, alpha: 1.5}}\n"
                                 "runs:\n"
                                 "  - model: [linear, {random-features: {width: 256}}, {mlp: "
                                 "{widths: 128x128, activation: tanh, "
                                 "parametrization: mup, base-width: 8, zero-readout: true}}]\n";

/* A network that learns features learns its slow modes sooner than the kernel at its start says. */
static void law_of_bias_holds_where_it_must_and_nowhere_else(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(bias_suite);
    const struct ub_law *law = &ub_law_spectral_bias;
    static const char *const models[] = {"linear", "random-features", "mlp"};
    for (int i = 0; i < 3; i++) {
        const struct ub_datum d = law_suite_datum(&s, law, "model", models[i]);
        assert_null(d.why);
        assert_int_equal(ub_datum_meets(&law->is, &d), i < 2);
        assert_true(i < 2 || d.value > -0.8);
    }
    assert_int_equal(law_suite_applies(&s, law), 1); /* of the others it is a theorem */
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_the_covariance),
        cmocka_unit_test(predicted_loss_is_the_loss),
        cmocka_unit_test(half_lives_are_those_of_the_rates),
        cmocka_unit_test(networks_leave_the_prediction),
        cmocka_unit_test(what_it_is_not_about),
        cmocka_unit_test(windows_see_the_asymptote),
        cmocka_unit_test(laws_of_time_hold_where_they_must_and_nowhere_else),
        cmocka_unit_test(law_of_bias_holds_where_it_must_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
