/* Whitened inputs, singular modes of data, aligned starts, and the course of a deep linear
 * network's modes: against dense products, quadrature of the time to a strength, and training in
 * ever shorter steps. */
#include "law_suite.h"
#include "loaded.h"
#include "observing.h"

#include "datasets/modes.h"
#include "systems/weight_chain.h"

#include <cblas.h>

/* ---- whitening ---- */

/* A'B/n of two splits' inputs, features x features. */
static double *moment_of_inputs(const struct ub_dataset *a, const struct ub_dataset *b)
{
    const int n = (int)a->features;
    double *c = ub_calloc((size_t)(n * n), sizeof *c);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, (int)a->train.count,
                1 / (double)a->train.count, a->train.inputs, n, b->train.inputs, n, 0, c, n);
    return c;
}

/* Xw = Xc T with T symmetric means that R = Xc'Xw/n = C T = C^1/2: symmetric, and R R = C. */
static void whitened_inputs_have_covariance_1_and_moved_least(void **state)
{
    (void)state;
    enum { D = 6 };
    struct ub_dataset *plain =
        load("gaussian:samples=200,features=6,alpha=2,scale=center,test=0.2", 0);
    struct ub_dataset *white =
        load("gaussian:samples=200,features=6,alpha=2,scale=whiten,test=0.2", 0);
    double *c = moment_of_inputs(white, white), *r = moment_of_inputs(plain, white);
    double *plain_c = moment_of_inputs(plain, plain);
    for (int i = 0; i < D; i++) {
        double mean = 0;
        for (int64_t k = 0; k < white->train.count; k++)
            mean += white->train.inputs[k * D + i] / (double)white->train.count;
        assert_near(mean, 0, 1e-13);
        for (int j = 0; j < D; j++) {
            double square = 0;
            for (int k = 0; k < D; k++)
                square += r[i * D + k] * r[k * D + j];
            assert_near(c[i * D + j], i == j, 1e-12);
            assert_near(r[i * D + j], r[j * D + i], 1e-12);
            assert_near(square, plain_c[i * D + j], 1e-12);
        }
    }
    for (int i = 0; i < D; i++) { /* of the test split: R Xw = Xc as for training samples */
        double back = 0;
        for (int k = 0; k < D; k++)
            back += r[i * D + k] * white->test.inputs[k];
        assert_near(back, plain->test.inputs[i], 1e-12);
    }
    ub_free(c);
    ub_free(r);
    ub_free(plain_c);
    ub_dataset_free(plain);
    ub_dataset_free(white);
}

/* Digits have pixels that never vary: the covariance becomes a projection, C C = C, of rank tr C.
 */
static void directions_without_variance_become_zero(void **state)
{
    (void)state;
    struct ub_dataset *d = load("digits:size=300,scale=whiten", 0);
    const int n = (int)d->features;
    double *c = moment_of_inputs(d, d), *square = ub_calloc((size_t)(n * n), sizeof *square);
    double trace = 0;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, c, n, c, n, 0, square, n);
    for (int i = 0; i < n; i++)
        trace += c[i * n + i];
    assert_true(tiny_error(n * n, square, c) < 1e-9);
    assert_near(trace, round(trace), 1e-8);
    assert_in_range((int)round(trace), 40, n - 1);
    ub_free(c);
    ub_free(square);
    ub_dataset_free(d);
}

static void whitening_refuses_what_it_cannot_do(void **state)
{
    (void)state;
    struct ub_error err = {0};
    assert_null(ub_dataset_load("gaussian:samples=2,features=5000,scale=whiten", 0, NULL, &err));
    assert_input_error(&err, "scale=whiten of 5000 features; expected at most 4096");
    assert_null(ub_dataset_load("sorting:scale=whiten", 0, NULL, &err));
    assert_input_error(&err, "token indices");
}

/* ---- modes ---- */

static void modes_make_up_the_covariance(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *d = load("digits:size=200,scale=whiten", 0);
    struct ub_modes m;
    assert_true(ub_modes_of(d, &m, &err));
    assert_int_equal(m.count, d->outputs - 1); /* centered inputs, targets that sum to 1 */
    double worst = 0, scale = 0;
    for (int64_t o = 0; o < d->outputs; o++)
        for (int64_t f = 0; f < d->features; f++) {
            double sum = 0, made = 0;
            for (int64_t i = 0; i < d->train.count; i++)
                sum += d->train.targets[i * d->outputs + o] * d->train.inputs[i * d->features + f];
            for (int64_t k = 0; k < m.count; k++)
                made += m.strength[k] * m.left[k * d->outputs + o] * m.right[k * d->features + f];
            worst = fmax(worst, fabs(sum / (double)d->train.count - made));
            scale = fmax(scale, fabs(made));
        }
    assert_true(worst < 1e-12 * scale + 1e-13);
    for (int64_t k = 1; k < m.count; k++)
        assert_true(m.strength[k] <= m.strength[k - 1]);
    ub_modes_clear(&m);
    ub_dataset_free(d);
}

/* ---- aligned starts ---- */

static struct ub_problem *problem_of(const struct ub_dataset *d, const char *model,
                                     const char *init, struct ub_error *err)
{
    return ub_problem_new(&(struct ub_problem_spec){.model = model,
                                                    .loss = "mse",
                                                    .init = init,
                                                    .data = d,
                                                    .precision = UB_F64,
                                                    .threads = 1},
                          err);
}

/* W_{l+1}'W_{l+1} - W_l W_l' of the weights that the model reads. */
static double imbalance(const struct ub_weight_chain *c, int64_t l, const double *theta)
{
    const struct ub_param *in = c->weight[l], *out = c->weight[l + 1];
    const int units = (int)in->shape[0];
    double *d = ub_calloc((size_t)(units * units), sizeof *d);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, units, units, (int)in->shape[1],
                -in->multiplier * in->multiplier, theta + in->offset, (int)in->shape[1],
                theta + in->offset, (int)in->shape[1], 0, d, units);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, units, units, (int)out->shape[0],
                out->multiplier * out->multiplier, theta + out->offset, units, theta + out->offset,
                units, 1, d, units);
    double worst = 0;
    for (int i = 0; i < units * units; i++)
        worst = fmax(worst, fabs(d[i]));
    ub_free(d);
    return worst;
}

static void aligned_weights_are_balanced_and_make_the_modes(void **state)
{
    (void)state;
    static const char *const models[] = {
        "deep-linear:widths=8", "deep-linear:widths=5x9x7", "deep-linear:widths=2x9",
        "deep-linear:widths=8x16,parametrization=ntk", "mlp:widths=8,bias=false"};
    struct ub_dataset *d = load("gaussian:samples=60,features=7,outputs=3,scale=whiten", 0);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct ub_error err = {0};
        struct ub_problem *p = problem_of(d, models[i], "aligned:strength=0.02", &err);
        struct ub_weight_chain chain;
        struct ub_modes m;
        assert_non_null(p);
        assert_true(ub_weight_chain_find(ub_problem_layout(p), d, &chain));
        assert_true(ub_modes_of(d, &m, &err));
        double *theta = ub_calloc((size_t)ub_problem_size(p), sizeof *theta), product[3 * 7];
        ub_problem_init(p, 5, theta);
        for (int64_t l = 0; l + 1 < chain.count; l++)
            assert_true(imbalance(&chain, l, theta) < 1e-15);
        ub_weight_chain_product(&chain, theta, product);
        const int64_t rank = i == 2 ? 2 : 3; /* two units pass two modes, the strongest */
        for (int64_t o = 0; o < 3; o++)
            for (int64_t f = 0; f < 7; f++) {
                double made = 0;
                for (int64_t k = 0; k < rank; k++)
                    made += 0.02 * m.left[k * 3 + o] * m.right[k * 7 + f];
                assert_near(product[o * 7 + f], made, 1e-15);
            }
        ub_free(theta);
        ub_modes_clear(&m);
        ub_problem_free(p);
    }
    ub_dataset_free(d);
}

static void models_that_are_no_chain_are_refused(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *d = load("gaussian:samples=20,features=4,outputs=4,scale=whiten", 0);
    assert_null(problem_of(d, "deep-linear:widths=4,bias=true", "aligned", &err));
    assert_input_error(&err,
                       "init 'aligned': the model has biases (fc1.bias); expected bias=false");
    assert_null(problem_of(d, "diagonal-linear", "aligned", &err));
    assert_input_error(&err, "no chain of matrices");
    assert_null(problem_of(d, "random-features", "aligned", &err));
    assert_input_error(&err, "init 'aligned'");
    ub_dataset_free(d);
}

/* ---- the course of modes ---- */

static struct fixture modes_fixture(const char *model, double rate)
{
    struct ub_error err = {0};
    struct ub_dataset *d = load("gaussian:samples=80,features=6,outputs=3,scale=whiten", 0);
    char optimizer[64];
    snprintf(optimizer, sizeof optimizer, "gd:lr=%.17g", rate);
    return fixture_from(d, problem_of(d, model, "aligned:strength=0.01", &err), optimizer);
}

/* t = int da/(L a^(2 - 2/L) (s - a)), in ln a by Simpson's rule. */
static double time_to(double a0, double a, double s, double depth)
{
    enum { N = 20000 };
    const double x0 = log(a0), h = (log(a) - x0) / N;
    double sum = 0;
    for (int i = 0; i <= N; i++) {
        const double x = exp(x0 + h * i);
        const double f = x / (depth * pow(x, 2 - 2 / depth) * (s - x));
        sum += f * (i == 0 || i == N ? 1 : i % 2 ? 4 : 2);
    }
    return sum * h / 3;
}

/* Until a mode is within 1% of its end, where the time is hard to tell from the strength. */
static void predictions_take_the_time_of_the_integral(void **state)
{
    (void)state;
    static const char *const models[] = {"deep-linear:widths=4", "deep-linear:widths=5x4",
                                         "deep-linear:widths=5x4x6"};
    for (int depth = 2; depth <= 4; depth++) {
        struct fixture f = modes_fixture(models[depth - 2], 0.02);
        double worst = 0;
        int checked = 0;
        TRAIN(&f, 400, "linear-modes:every=40");
        for (int64_t step = 40; step <= 400; step += 40)
            for (int64_t k = 0; k < 3; k++) {
                const double s = value_of(f.recorded, 0, "mode-target", k);
                const double a0 = value_of(f.recorded, 0, "mode-strength", k);
                const double a = value_of(f.recorded, step, "mode-prediction", k);
                if (a > 0.99 * s)
                    continue;
                assert_near(a0, 0.01, 1e-12);
                worst = fmax(worst, fabs(time_to(a0, a, s, depth) / (0.02 * (double)step) - 1));
                checked++;
            }
        assert_true(checked >= 10);
        assert_oracle("law linear-modes, observable linear-modes",
                      "the integral of the time to a strength, by Simpson's rule, depths 2 to 4",
                      worst, 1e-7);
        fixture_free(&f);
    }
}

/* Largest mode-error of training for the time 10 in steps of `rate`. */
static double error_at(const char *model, double rate)
{
    struct fixture f = modes_fixture(model, rate);
    const int64_t steps = (int64_t)llround(10 / rate);
    char text[64];
    snprintf(text, sizeof text, "linear-modes:every=%lld", (long long)(steps / 100));
    train(&f, (const char *const[]){text}, 1, steps);
    double worst = 0;
    for (size_t i = 0; i < f.recorded->n_rows; i++)
        if (strcmp(f.recorded->names[i], "mode-error") == 0)
            worst = fmax(worst, f.recorded->rows[i].value);
        else if (strcmp(f.recorded->names[i], "mode-mixing") == 0)
            assert_true(f.recorded->rows[i].value < 1e-9);
    print_message("%s, rate %g: error %.2e, lag %.2e\n", model, rate, worst,
                  fact(f.recorded, "linear-modes.lag"));
    assert_near(worst / fact(f.recorded, "linear-modes.lag"), 1, 0.1); /* of first order */
    fixture_free(&f);
    return worst;
}

/* Explicit Euler is of first order: error ~ eta. Four rates, each half of the one before. */
static void error_falls_as_the_rate(void **state)
{
    (void)state;
    static const char *const models[] = {"deep-linear:widths=4", "deep-linear:widths=5x4"};
    for (int i = 0; i < 2; i++) {
        double last = 0;
        for (int k = 0; k < 4; k++) {
            const double error = error_at(models[i], 0.02 / (1 << k));
            if (k > 0) {
                print_message("%s: order %.3f at rate %g\n", models[i], log2(last / error),
                              0.02 / (1 << k));
                assert_near(log2(last / error), 1, 0.1);
            }
            last = error;
        }
        assert_true(last < 0.01);
    }
}

static void elsewhere_nothing_is_written(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.1"); /* mse, biases, tanh: the chain's product */
    TRAIN(&f, 2, "linear-modes");
    assert_true(count_rows(f.recorded, "mode-strength") > 0);
    fixture_free(&f);
    f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3), mlp, "ce", "gd:lr=0.1");
    TRAIN(&f, 2, "linear-modes");
    assert_int_equal(f.recorded->n_rows, 0);
    fixture_free(&f);
    f = fixture_of(tiny_dataset(UB_REGRESSION, 20, 7, 4, 4), "diagonal-linear", "mse", "gd:lr=0.1");
    TRAIN(&f, 2, "linear-modes");
    assert_int_equal(f.recorded->n_rows, 0);
    fixture_free(&f);
}

/* ---- the law, on runs of its suite's kind ---- */

extern const struct ub_law ub_law_linear_modes;

static const char suite[] =
    "name: modes\n"
    "defaults:\n"
    "  seed: 0\n"
    "  precision: f64\n"
    "  loss: mse\n"
    "  measure: {linear-modes: {every: 20}}\n"
    "  steps: 2000\n"
    "  dataset: {gaussian: {samples: 100, features: 8, outputs: 4, scale: whiten}}\n"
    "  init: {aligned: {strength: 0.01}}\n"
    "  optimizer: {gd: {lr: 0.0036}}\n"
    "runs:\n"
    "  - model: [{deep-linear: {widths: 8}}, {deep-linear: {widths: 7x7}}]\n"
    "  - model: {deep-linear: {widths: 9}}\n"
    "    dataset: {gaussian: {samples: 100, features: 8, outputs: 4, scale: center}}\n"
    "  - model: {deep-linear: {widths: 10}}\n"
    "    init: pytorch\n"
    "  - model: {deep-linear: {widths: 11}}\n"
    "    optimizer: {gd: {lr: 0.036}}\n";

static void law_holds_where_it_must_and_nowhere_else(void **state)
{
    (void)state;
    struct law_suite r = law_suite_run(suite);
    static const char *const words[] = {"8", "7", "9", "10", "11"};
    for (int i = 0; i < 5; i++) {
        const struct ub_datum d =
            law_suite_datum(&r, &ub_law_linear_modes, "model.width", words[i]);
        assert_int_equal(law_suite_takes(&r, &ub_law_linear_modes, "model.width", words[i]),
                         i != 2 && i != 3);
        assert_int_equal(ub_datum_meets(&ub_law_linear_modes.is, &d), i < 2);
        assert_int_equal(d.why != NULL, i == 4);
        assert_true(i != 2 || d.value > 0.05);
        assert_true(i != 3 || d.value > 0.05);
    }
    law_suite_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whitened_inputs_have_covariance_1_and_moved_least),
        cmocka_unit_test(directions_without_variance_become_zero),
        cmocka_unit_test(whitening_refuses_what_it_cannot_do),
        cmocka_unit_test(modes_make_up_the_covariance),
        cmocka_unit_test(aligned_weights_are_balanced_and_make_the_modes),
        cmocka_unit_test(models_that_are_no_chain_are_refused),
        cmocka_unit_test(predictions_take_the_time_of_the_integral),
        cmocka_unit_test(error_falls_as_the_rate),
        cmocka_unit_test(elsewhere_nothing_is_written),
        cmocka_unit_test(law_holds_where_it_must_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
