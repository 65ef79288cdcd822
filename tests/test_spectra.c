/* Spectra of Hessians and covariances on tiny problems against dense ones, and the exponents of
 * planted and measured decays. */
#include "metrics.h"
#include "observing.h"

#include "bench/spectra/powerlaw.h"

#include <math.h>

static void set_metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    (void)grad;
    for (int64_t i = 0; i < o->size; i++)
        m->values[i] = 0.1 + 0.03 * (double)i;
}

static void hessian_spectrum_ignores_the_metric(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    const struct ub_optimizer_kind *gd = f.optimizer->kind;
    const struct ub_optimizer_kind kind = kind_with_metric(gd, set_metric);
    f.optimizer->kind = &kind;
    TRAIN(&f, 5, "hessian-spectrum:top=12,tolerance=1e-7");
    double *expected = dense_spectrum(&f, NULL);
    assert_spectrum(f.recorded, 5, "hessian-spectrum", expected, 12, 1e-7 * expected[0]);
    assert_int_equal(count_rows(f.recorded, "hessian-spectrum"), 24);
    assert_near(fact(f.recorded, "measurements.hessian-spectrum"), 2, 0);
    assert_near(fact(f.recorded, "unconverged.hessian-spectrum"), 0, 0);
    assert_near(fact(f.recorded, "hvps.hessian-spectrum"),
                (double)(ub_problem_hvps(f.problem) - f.size), 0);
    ub_free(expected);
    f.optimizer->kind = gd;
    fixture_free(&f);
}

static void assert_fit(const struct recorded *r, int64_t step, const char *name,
                       const struct ub_powerlaw *fit, double tolerance)
{
    const double expected[] = {
        [UB_EXPONENT] = fit->exponent,
        [UB_EXPONENT_LOW] = fit->low,
        [UB_EXPONENT_HIGH] = fit->high,
        [UB_EXPONENT_PREFACTOR] = fit->prefactor,
        [UB_EXPONENT_FIRST] = (double)fit->first,
        [UB_EXPONENT_LAST] = (double)fit->last,
        [UB_EXPONENT_R_SQUARED] = fit->r_squared,
    };
    for (int64_t i = 0; i < UB_EXPONENT_BEST; i++)
        assert_near(value_of(r, step, name, i), expected[i], tolerance);
    assert_near(find_row(r, step, name, UB_EXPONENT)->error, (fit->high - fit->low) / 2, tolerance);
    assert_true(isnan(find_row(r, step, name, UB_EXPONENT_LOW)->error));
}

static void hessian_exponent_is_the_fit_of_the_dense_spectrum(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    TRAIN(&f, 5, "hessian-spectrum:at=end,top=12,tolerance=1e-7,first=2,last=9");
    double *expected = dense_spectrum(&f, NULL);
    assert_true(expected[8] > 1e-6 * expected[0]);
    const struct ub_powerlaw fit = ub_powerlaw_fit(expected, 12, 2, 9, 0);
    assert_true(fit.valid && fit.first == 2 && fit.last == 9);
    assert_fit(f.recorded, 5, "hessian-exponent", &fit, 1e-3);
    assert_oracle("law spectral-decay-hessian, observable hessian-spectrum",
                  "the exponent of the dense spectrum",
                  value_of(f.recorded, 5, "hessian-exponent", UB_EXPONENT) - fit.exponent, 1e-3);
    ub_free(expected);
    fixture_free(&f);
}

/* Descending eigenvalues of the covariance, directly: always d x d, always by QR. */
static double *dense_covariance(int64_t count, int64_t width, const double *x)
{
    double *c = ub_calloc((size_t)width, (size_t)width * sizeof *c);
    double *mean = ub_calloc((size_t)width, sizeof *mean);
    double *ascending = ub_calloc((size_t)width, sizeof *ascending);
    double *values = ub_calloc((size_t)width, sizeof *values);
    for (int64_t i = 0; i < count * width; i++)
        mean[i % width] += x[i] / (double)count;
    for (int64_t n = 0; n < count; n++)
        for (int64_t i = 0; i < width; i++)
            for (int64_t j = 0; j < width; j++)
                c[i * width + j] += (x[n * width + i] - mean[i]) * (x[n * width + j] - mean[j]) /
                                    (double)(count - 1);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)width, c,
                                   (lapack_int)width, ascending),
                     0);
    for (int64_t i = 0; i < width; i++)
        values[i] = ascending[width - 1 - i];
    ub_free(c);
    ub_free(mean);
    ub_free(ascending);
    return values;
}

/* More samples than features, and fewer. */
static void covariance_spectra_are_the_dense_ones(void **state)
{
    (void)state;
    double worst[3] = {0};
    for (int64_t count = 6; count <= 40; count += 34) {
        struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, count, 0, 9, 3),
                                      "mlp:widths=12x7,activation=tanh", "mse", "gd:lr=0.5");
        for (int64_t i = 0; i < count * 9; i++)
            f.data->train.inputs[i] = 5 + 0.1 * (double)(i % 9) * f.data->train.inputs[i];
        TRAIN(&f, 3, "covariance-spectrum");
        const int64_t widths[] = {9, 12, 7}, steps[] = {0, 3, 3};
        static const char *const names[] = {"covariance-spectrum.inputs",
                                            "covariance-spectrum.hidden1",
                                            "covariance-spectrum.hidden2"};
        for (int layer = 0; layer < 3; layer++) {
            const int64_t width = widths[layer];
            double *x = ub_calloc((size_t)(count * width), sizeof *x);
            if (layer == 0)
                memcpy(x, f.data->train.inputs, (size_t)(count * width) * sizeof *x);
            else
                ub_problem_hidden(f.problem, layer - 1, f.theta, x);
            double *expected = dense_covariance(count, width, x);
            const int64_t n = width < count - 1 ? width : count - 1;
            for (int64_t i = 0; i < n; i++)
                worst[layer] =
                    fmax(worst[layer],
                         fabs(value_of(f.recorded, steps[layer], names[layer], i) - expected[i]) /
                             expected[0]);
            assert_int_equal(count_rows(f.recorded, names[layer]), layer == 0 ? n : 2 * n);
            ub_free(x);
            ub_free(expected);
        }
        fixture_free(&f);
    }
    assert_oracle("observable covariance-spectrum", "dense eigenvalues of the inputs' covariance",
                  worst[0], 1e-13);
    assert_oracle("law spectral-decay-first-layer, observable covariance-spectrum",
                  "dense eigenvalues of the first layer's covariance", worst[1], 1e-13);
    assert_oracle("law spectral-decay-last-layer, observable covariance-spectrum",
                  "dense eigenvalues of the last layer's covariance", worst[2], 1e-13);
}

/* Columns k^(-alpha/2) cos(2 pi k n / N), k < N/2, are centered and orthogonal: covariance
 * eigenvalues are N/(2(N - 1)) k^-alpha. */
static void a_planted_exponent_is_found(void **state)
{
    (void)state;
    enum { COUNT = 64, WIDTH = 24 };
    const double alpha = 1.3, prefactor = COUNT / (2.0 * (COUNT - 1));
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, COUNT, 0, WIDTH, 1), "linear", "mse", "gd:lr=0.1");
    for (int n = 0; n < COUNT; n++)
        for (int k = 1; k <= WIDTH; k++)
            f.data->train.inputs[n * WIDTH + k - 1] =
                7 + pow(k, -alpha / 2) * cos(2 * M_PI * k * n / COUNT);
    TRAIN(&f, 0, "covariance-spectrum:at=0,first=1,last=24");
    for (int k = 1; k <= WIDTH; k++)
        assert_near(value_of(f.recorded, 0, "covariance-spectrum.inputs", k - 1),
                    prefactor * pow(k, -alpha), 1e-13);
    assert_oracle("law spectral-decay-first-layer, law spectral-decay-last-layer, law "
                  "spectral-decay-kernel, law spectral-decay-gauss-newton, law "
                  "spectral-decay-hessian",
                  "a planted exponent",
                  value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT) - alpha, 1e-9);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_PREFACTOR), prefactor, 1e-9);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_FIRST), 1, 0);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_LAST), WIDTH, 0);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_R_SQUARED), 1, 1e-9);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_BEST), 0, 0);
    fixture_free(&f);
}

/* Inputs of rank 3: the noise below is not taken for a decay. */
static void noise_is_not_fitted(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 30, 0, 12, 1), "linear", "mse", "gd:lr=0.1");
    for (int n = 0; n < 30; n++)
        for (int j = 3; j < 12; j++)
            f.data->train.inputs[n * 12 + j] = f.data->train.inputs[n * 12 + j % 3];
    TRAIN(&f, 0, "covariance-spectrum:at=0");
    assert_int_equal(count_rows(f.recorded, "covariance-spectrum.inputs"), 12);
    for (int i = 3; i < 12; i++)
        assert_in_range(
            (uintmax_t)(value_of(f.recorded, 0, "covariance-spectrum.inputs", i) * 1e12), 0, 1);
    assert_int_equal(count_rows(f.recorded, "exponent.inputs"), 0);
    fixture_free(&f);
}

static void what_does_not_vary_has_no_spectrum(void **state)
{
    (void)state;
    struct fixture one = fixture_of(tiny_dataset(UB_REGRESSION, 1, 0, 3, 1), mlp, "mse", "gd:lr=1");
    TRAIN(&one, 0, "covariance-spectrum");
    assert_int_equal(one.recorded->n_rows, 0);
    fixture_free(&one);

    struct fixture f = fixture_new("gd:lr=1"); /* an overflow is no spectrum, and no error */
    f.theta0[0] = INFINITY;
    TRAIN(&f, 0, "covariance-spectrum:at=0");
    assert_int_equal(count_rows(f.recorded, "covariance-spectrum.inputs"), 4);
    assert_int_equal(count_rows(f.recorded, "covariance-spectrum.hidden1") % 5, 0);
    fixture_free(&f);
}

/* Indices of a vocabulary are names: what they covary is no number. */
static void tokens_have_no_covariance(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 20, 0, 3, 2);
    data->tokens = 4;
    for (int i = 0; i < 20 * 3; i++)
        data->train.inputs[i] = i * i % 7 % 4;
    struct fixture f = fixture_of(data, "lstm:width=3", "mse", "gd:lr=0.1");
    TRAIN(&f, 0, "covariance-spectrum:at=0");
    assert_int_equal(count_rows(f.recorded, "covariance-spectrum.inputs"), 0);
    assert_true(f.recorded->n_rows > 0); /* the layer's */
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hessian_spectrum_ignores_the_metric),
        cmocka_unit_test(hessian_exponent_is_the_fit_of_the_dense_spectrum),
        cmocka_unit_test(covariance_spectra_are_the_dense_ones),
        cmocka_unit_test(a_planted_exponent_is_found),
        cmocka_unit_test(noise_is_not_fitted),
        cmocka_unit_test(what_does_not_vary_has_no_spectrum),
        cmocka_unit_test(tokens_have_no_covariance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
