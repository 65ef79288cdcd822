/* Rest of stochastic gradient descent: the predicted excess loss against second moments propagated
 * over all batches there are, one by one; against the scalar's closed form; and the law's controls.
 */
#include "law_suite.h"
#include "observing.h"

#include <math.h>

extern const struct ub_law ub_law_stationary_noise;

enum { SAMPLES = 5, FEATURES = 2 };

/* The minimum of two weights, by the normal equations; residuals into r. */
static void least_squares(const struct ub_dataset *d, double r[SAMPLES])
{
    double a = 0, b = 0, c = 0, u = 0, v = 0;
    for (int i = 0; i < SAMPLES; i++) {
        const double *x = d->train.inputs + i * FEATURES, y = d->train.targets[i];
        a += x[0] * x[0];
        b += x[0] * x[1];
        c += x[1] * x[1];
        u += x[0] * y;
        v += x[1] * y;
    }
    const double det = a * c - b * b, p = (c * u - b * v) / det, q = (a * v - b * u) / det;
    for (int i = 0; i < SAMPLES; i++) {
        const double *x = d->train.inputs + i * FEATURES;
        r[i] = p * x[0] + q * x[1] - d->train.targets[i];
    }
}

/* S <- (I - lr A) S (I - lr A) + lr^2 c c', of the batch of samples i and j. */
static void add_batch(const struct ub_dataset *d, const double *r, double lr, int i, int j,
                      const double S[4], double out[4])
{
    const double *x = d->train.inputs + i * FEATURES, *y = d->train.inputs + j * FEATURES;
    double M[4], c[2], T[4] = {0};
    for (int k = 0; k < 4; k++)
        M[k] = (k == 0 || k == 3) - lr * (x[k / 2] * x[k % 2] + y[k / 2] * y[k % 2]) / 2;
    for (int k = 0; k < 2; k++)
        c[k] = (x[k] * r[i] + y[k] * r[j]) / 2;
    for (int k = 0; k < 4; k++)
        for (int l = 0; l < 2; l++)
            T[k] += M[k / 2 * 2 + l] * S[l * 2 + k % 2];
    for (int k = 0; k < 4; k++) {
        for (int l = 0; l < 2; l++)
            out[k] += T[k / 2 * 2 + l] * M[k % 2 * 2 + l] / (SAMPLES * SAMPLES);
        out[k] += lr * lr * c[k / 2] * c[k % 2] / (SAMPLES * SAMPLES);
    }
}

static double over_all_batches(const struct ub_dataset *d, double lr)
{
    double r[SAMPLES], S[4] = {0}, excess = 0;
    least_squares(d, r);
    for (int step = 0; step < 5000; step++) {
        double next[4] = {0};
        for (int b = 0; b < SAMPLES * SAMPLES; b++)
            add_batch(d, r, lr, b / SAMPLES, b % SAMPLES, S, next);
        memcpy(S, next, sizeof S);
    }
    for (int i = 0; i < SAMPLES; i++)
        for (int k = 0; k < 4; k++)
            excess += d->train.inputs[i * FEATURES + k / 2] *
                      d->train.inputs[i * FEATURES + k % 2] * S[k] / (2 * SAMPLES);
    return excess;
}

static void the_prediction_is_the_mean_over_batches(void **state)
{
    (void)state;
    static const double rates[] = {0.02, 0.1, 0.3};
    double worst = 0;
    for (int k = 0; k < 3; k++) {
        char optimizer[64];
        snprintf(optimizer, sizeof optimizer, "sgd:lr=%g,batch=2,replacement=true", rates[k]);
        struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, SAMPLES, 0, FEATURES, 1),
                                      "linear:bias=false", "mse", optimizer);
        TRAIN(&f, 0, "stationary-noise:every=1");
        const double expected = over_all_batches(f.data, rates[k]);
        const double got = value_of(f.recorded, 0, "predicted-excess-loss", 0);
        worst = fmax(worst, fabs(got / expected - 1));
        double r[SAMPLES];
        least_squares(f.data, r);
        const double loss = ub_problem_loss(f.problem, f.theta);
        assert_near(value_of(f.recorded, 0, "excess-loss", 0),
                    loss - tiny_dot(SAMPLES, r, r) / (2 * SAMPLES), 1e-12);
        fixture_free(&f);
    }
    assert_oracle("law stationary-noise, observable stationary-noise",
                  "second moments iterated over all batches, relative", worst, 1e-9);
}

/* Inputs of one size, x^2 = h: (1 - lr h)^2 S + lr^2 h sigma^2 / B, sigma^2 the residuals' mean
 * square: the excess is lr h sigma^2 / (2 B (2 - lr h)), and its limit of small rates
 * lr h sigma^2 / (4 B). */
static void one_weight_has_a_closed_form(void **state)
{
    (void)state;
    static const char *const formulas[] = {"discrete", "continuous"};
    double worst = 0;
    for (int k = 0; k < 2; k++) {
        char text[64];
        struct ub_dataset *d = tiny_dataset(UB_REGRESSION, 4, 0, 1, 1);
        for (int i = 0; i < 4; i++) {
            d->train.inputs[i] = i % 2 ? 1.5 : -1.5;
            d->train.targets[i] = i < 2 ? 1 : -1; /* the best weight is 0 */
        }
        struct fixture f =
            fixture_of(d, "linear:bias=false", "mse", "sgd:lr=0.2,batch=2,replacement=true");
        snprintf(text, sizeof text, "stationary-noise:every=1,formula=%s", formulas[k]);
        TRAIN(&f, 0, text);
        const double h = 2.25, lr = 0.2;
        const double expected = k == 0 ? lr * h / (2 * 2 * (2 - lr * h)) : lr * h / (4 * 2);
        worst = fmax(worst, fabs(value_of(f.recorded, 0, "predicted-excess-loss", 0) - expected));
        fixture_free(&f);
    }
    assert_oracle("law stationary-noise", "one weight in closed form", worst, 1e-14);
}

static void others_have_no_prediction(void **state)
{
    (void)state;
    static const char *const systems[][3] = {
        {"linear", "ce", "sgd:lr=0.1,batch=2,replacement=true"},
        {"mlp:widths=2", "mse", "sgd:lr=0.1,batch=2,replacement=true"},
        {"linear", "mse", "gd:lr=0.1"},
        {"linear", "mse", "sgd:lr=5,batch=2,replacement=true"}}; /* no rest at such a rate */
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        const bool ce = strcmp(systems[i][1], "ce") == 0;
        struct fixture f =
            fixture_of(tiny_dataset(ce ? UB_CLASSIFICATION : UB_REGRESSION, 20, 0, 3, ce ? 2 : 1),
                       systems[i][0], systems[i][1], systems[i][2]);
        TRAIN(&f, 0, "stationary-noise:every=1");
        assert_int_equal(f.recorded->n_rows, 0);
        fixture_free(&f);
    }
}

static const char suite[] =
    "name: noise\n"
    "defaults:\n"
    "  seed: 0..3\n"
    "  loss: mse\n"
    "  precision: f64\n"
    "  steps: 10000\n"
    "  model: {linear: {bias: false}}\n"
    "  dataset: {gaussian: {samples: 60, features: 4, alpha: 0, noise: 1}}\n"
    "runs:\n"
    "  - optimizer: {sgd: {lr: {relative: 0.1}, batch: 8, replacement: true}}\n"
    "    measure: {stationary-noise: {every: 10}}\n"
    "  - optimizer: {sgd: {lr: {relative: 0.4}, batch: 8, replacement: true}}\n"
    "    measure: {stationary-noise: {every: 10, formula: continuous}}\n";

static void the_law_holds_and_its_limit_does_not(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_stationary_noise;
    const struct ub_datum good = law_suite_datum(&s, law, "optimizer.lr", "relative(0.1)");
    const struct ub_datum bad = law_suite_datum(&s, law, "optimizer.lr", "relative(0.4)");
    print_message("ratios: %.3f +- %.3f, of the continuous formula %.3f +- %.3f\n", good.value,
                  good.se, bad.value, bad.se);
    assert_null(good.why);
    assert_near(good.value, 1, 0.1 + 3 * good.se);
    assert_true(bad.value - 4 * bad.se > 1.1);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_prediction_is_the_mean_over_batches),
        cmocka_unit_test(one_weight_has_a_closed_form),
        cmocka_unit_test(others_have_no_prediction),
        cmocka_unit_test(the_law_holds_and_its_limit_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
