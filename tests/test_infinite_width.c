/* Kernels of infinite width: Gaussian expectations against sums on a fine grid, the variances that
 * inits state against draws, recursions against closed forms and against means over finite
 * networks; scatter and limit of the kernel at the start as laws. */
#include "law_suite.h"
#include "observing.h"

#include "bench/curvature/infinite_width.h"
#include "bench/observables/probe_kernel.h"

extern const struct ub_law ub_law_kernel_concentration, ub_law_kernel_limit;

/* ---- expectations ---- */

static double tanh_slope(double x)
{
    return 1 - tanh(x) * tanh(x);
}
static double gelu(double x)
{
    return x * 0.5 * erfc(-x / sqrt(2));
}
static double gelu_slope(double x)
{
    return 0.5 * erfc(-x / sqrt(2)) + x * exp(-x * x / 2) / sqrt(2 * acos(-1));
}
static double erf_slope(double x)
{
    return 2 / sqrt(acos(-1)) * exp(-x * x);
}
static double relu(double x)
{
    return fmax(x, 0);
}

/* E f(u) f(v): the trapezoid rule over 10 deviations either way, exact to rounding for what is
 * smooth, and to the square of its step for what has a kink. */
static double on_a_grid(double (*f)(double), double uu, double uv, double vv)
{
    enum { HALF = 500 };
    const double h = 10.0 / HALF, along = uv / uu, across = sqrt(vv - uv * along);
    double sum = 0;
    for (int i = -HALF; i <= HALF; i++) {
        const double z = h * i, u = sqrt(uu) * z, fu = f(u) * exp(-z * z / 2);
        for (int j = -HALF; fu != 0 && j <= HALF; j++) {
            const double w = h * j;
            sum += fu * f(along * u + across * w) * exp(-w * w / 2);
        }
    }
    return sum * h * h / (2 * acos(-1));
}

static const double pairs[][3] = {{1, 0.3, 1}, {0.5, -0.4, 2}, {0.7, 0.69, 0.7}, {2, 0, 0.3}};
enum { PAIRS = sizeof pairs / sizeof *pairs };

static void expectations_are_sums_on_a_grid(void **state)
{
    const struct {
        const char *name;
        double (*value)(double), (*slope)(double);
        double tolerance;
    } cases[] = {{"tanh", tanh, tanh_slope, 2e-6}, /* its poles are near: infinite_width.h */
                 {"gelu", gelu, gelu_slope, 1e-9},
                 {"erf", erf, erf_slope, 1e-12},
                 {"relu", relu, NULL, 2e-4}}; /* h^2 = 4e-4, over a quarter of the plane */
    double most = 0;
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct ub_expectation *e = ub_expectation_new(ub_activation_find(cases[c].name));
        double worst = 0;
        for (int k = 0; k < PAIRS; k++) {
            const double *p = pairs[k];
            double value, slope;
            ub_expectation_pair(e, p[0], p[1], p[2], &value, &slope);
            worst = fmax(worst, fabs(value - on_a_grid(cases[c].value, p[0], p[1], p[2])));
            /* relu: P(u > 0 and v > 0), Sheppard 1899 */
            const double expected = cases[c].slope
                                        ? on_a_grid(cases[c].slope, p[0], p[1], p[2])
                                        : 0.25 + asin(p[1] / sqrt(p[0] * p[2])) / (2 * acos(-1));
            worst = fmax(worst, fabs(slope - expected));
        }
        print_message("%s: within %.1e of the grid\n", cases[c].name, worst);
        most = fmax(most, worst / cases[c].tolerance);
        ub_expectation_free(e);
    }
    assert_oracle("law kernel-limit", "Gaussian expectations by sums on a grid, in its errors",
                  most, 1);
}

static void quadrature_agrees_with_closed_forms(void **state)
{
    (void)state;
    struct ub_expectation *e = ub_expectation_new(ub_activation_find("erf"));
    for (int k = 0; k < PAIRS; k++) {
        const double *p = pairs[k];
        double value, slope, closed, closed_slope;
        ub_expectation_by_quadrature(e, p[0], p[1], p[2], &value, &slope);
        ub_expectation_pair(e, p[0], p[1], p[2], &closed, &closed_slope);
        assert_near(value, closed, 1e-8);
        assert_near(slope, closed_slope, 1e-8);
    }
    ub_expectation_free(e);
}

/* ---- variances of inits ---- */

static void inits_draw_with_the_variance_that_they_state(void **state)
{
    enum { ROWS = 60, COLUMNS = 80, SIZE = ROWS * COLUMNS, DRAWS = 50 };
    (void)state;
    for (size_t i = 0; ub_inits[i]; i++) {
        const struct ub_init *init = ub_inits[i];
        struct ub_error err = {0};
        struct ub_param param = {
            .rank = 2, .shape = {ROWS, COLUMNS}, .size = SIZE, .fan_in = COLUMNS, .fan_out = ROWS};
        if (!init->variance)
            continue;
        char text[64];
        snprintf(text, sizeof text, "%s:gain=1.5", init->name);
        struct ub_call *call = ub_registry_call(&ub_init_registry, text, "test", NULL, &err);
        assert_non_null(call);
        struct ub_random r = ub_random_stream(3, "variances");
        double *x = ub_calloc(SIZE, sizeof *x), sum = 0;
        for (int draw = 0; draw < DRAWS; draw++) {
            init->fill(call, &param, &r, x);
            sum += tiny_dot(SIZE, x, x) / (SIZE * DRAWS);
        }
        /* 240,000 entries: their mean square is known to 0.3%; five of these */
        assert_near(sum / init->variance(call, &param), 1, 0.015);
        param.start = UB_START_BIAS;
        init->fill(call, &param, &r, x);
        if (init->variance(call, &param) == 0)
            assert_near(tiny_norm(SIZE, x), 0, 0);
        else
            assert_near(tiny_dot(SIZE, x, x) / SIZE / init->variance(call, &param), 1, 0.1);
        ub_free(x);
        ub_call_free(call);
    }
}

/* ---- kernels ---- */

enum { SAMPLES = 3, FEATURES = 4 };

static struct ub_problem *problem_of(const struct ub_dataset *data, const char *model,
                                     const char *init)
{
    struct ub_error err = {0};
    struct ub_problem *p = ub_problem_new(
        &(struct ub_problem_spec){
            .model = model, .loss = "mse", .init = init, .data = data, .precision = UB_F64},
        &err);
    if (!p)
        fail_msg("%s", err.text);
    return p;
}

static void limit_of(const struct ub_problem *p, double *covariance, double *ntk)
{
    struct ub_wide wide;
    assert_true(ub_problem_wide(p, &wide));
    ub_wide_kernels(&wide, SAMPLES, FEATURES, ub_problem_data(p)->train.inputs, covariance, ntk);
    ub_wide_clear(&wide);
}

/* Linear layers without biases, lecun: S = x.x'/d at every layer, K = (layers) x.x'/d; with biases
 * that start at 0 the l-th of L layers adds as many ones as there are biases. */
static void linear_chains_have_their_closed_form(void **state)
{
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_REGRESSION, SAMPLES, 0, FEATURES, 1);
    double worst = 0;
    for (int bias = 0; bias < 2; bias++) {
        char model[96];
        snprintf(model, sizeof model, "deep-linear:widths=8x8x8,parametrization=ntk,bias=%s",
                 bias ? "true" : "false");
        struct ub_problem *p = problem_of(d, model, "lecun");
        double s[4 * SAMPLES * SAMPLES], k[SAMPLES * SAMPLES];
        limit_of(p, s, k);
        for (int i = 0; i < SAMPLES; i++)
            for (int j = 0; j < SAMPLES; j++) {
                const double dot = tiny_dot(FEATURES, d->train.inputs + i * FEATURES,
                                            d->train.inputs + j * FEATURES) /
                                   FEATURES;
                assert_near(s[3 * SAMPLES * SAMPLES + i * SAMPLES + j], dot, 1e-14);
                worst = fmax(worst, fabs(k[i * SAMPLES + j] - 4 * dot - 4 * bias));
            }
        ub_problem_free(p);
    }
    tiny_free(d);
    assert_oracle("law kernel-limit", "the closed form of linear chains", worst, 1e-13);
}

/* Mean kernel over draws, and the standard error of each entry. */
static void mean_kernel(struct ub_problem *p, int draws, double *mean, double *error)
{
    enum { N = SAMPLES * SAMPLES };
    struct ub_error err = {0};
    struct ub_probe probe = {0};
    assert_true(ub_probe_open(&probe, p, 0, &err));
    assert_int_equal(probe.rows, SAMPLES);
    double *theta = ub_calloc((size_t)ub_problem_size(p), sizeof *theta), k[N], squares[N] = {0};
    memset(mean, 0, N * sizeof *mean);
    for (int draw = 0; draw < draws; draw++) {
        ub_problem_init(p, (uint64_t)draw, theta);
        assert_true(ub_probe_kernel(&probe, theta, k));
        for (int i = 0; i < N; i++) {
            mean[i] += k[i] / draws;
            squares[i] += k[i] * k[i] / draws;
        }
    }
    for (int i = 0; i < N; i++)
        error[i] = sqrt(fmax(0, squares[i] - mean[i] * mean[i]) / draws);
    ub_free(theta);
    ub_probe_close(&probe);
}

/* One hidden layer: the mean over draws is the limit at any width, to 4.5 standard errors. Deeper:
 * up to a few 1/width a layer. */
static void means_over_networks_tend_to_the_recursion(void **state)
{
    static const struct {
        const char *model, *init;
        int draws;
        double beyond; /* relative, allowed over the standard error */
    } cases[] = {
        {"two-layer:width=32,activation=relu", "lecun", 2000, 0},
        {"two-layer:width=32,activation=erf,bias=true", "lecun", 2000, 0},
        {"two-layer:width=32,activation=tanh,scaling=mean-field", "lecun", 2000, 0},
        {"mlp:widths=32,activation=relu,parametrization=ntk", "he", 2000, 0},
        {"mlp:widths=32,activation=gelu", "lecun:gain=1.3", 2000, 0}, /* sp, by its own fan-in */
        {"mlp:widths=256x256x256,activation=tanh,parametrization=ntk", "lecun:gain=1.2", 60, 0.02},
        {"mlp:widths=256x256,activation=relu,parametrization=mup", "he", 60, 0.02},
    };
    (void)state;
    double most = 0;
    struct ub_dataset *d = tiny_dataset(UB_REGRESSION, SAMPLES, 0, FEATURES, 1);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double k[SAMPLES * SAMPLES], mean[SAMPLES * SAMPLES], error[SAMPLES * SAMPLES];
        struct ub_problem *p = problem_of(d, cases[c].model, cases[c].init);
        double worst = 0;
        limit_of(p, NULL, k);
        mean_kernel(p, cases[c].draws, mean, error);
        for (int i = 0; i < SAMPLES * SAMPLES; i++) {
            const double allowed = cases[c].beyond * sqrt(k[i / SAMPLES * (SAMPLES + 1)] *
                                                          k[i % SAMPLES * (SAMPLES + 1)]);
            worst = fmax(worst, fmax(0, fabs(mean[i] - k[i]) - allowed) / error[i]);
        }
        print_message("%s: mean kernel %.2f standard errors from the limit\n", cases[c].model,
                      worst);
        most = fmax(most, worst);
        ub_problem_free(p);
    }
    tiny_free(d);
    assert_oracle("law kernel-limit", "mean kernels over draws of networks, in standard errors",
                  most, 4.5);
}

static void models_without_a_limit_say_so(void **state)
{
    (void)state;
    struct ub_wide wide;
    struct ub_dataset *d = tiny_dataset(UB_REGRESSION, SAMPLES, 0, FEATURES, 1);
    static const char *const models[] = {"quadratic", "mlp:widths=8,norm=layer",
                                         "mlp:widths=8,norm=rms,affine=false",
                                         "mlp:widths=8,fixed-readout=true"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct ub_problem *p = problem_of(d, models[i], "lecun");
        assert_false(ub_problem_wide(p, &wide));
        ub_problem_free(p);
    }
    tiny_free(d);
}

/* The observable's rows: the mean over outputs of the dense kernel, and the limit. */
static void entries_are_the_kernels(void **state)
{
    enum { OUTPUTS = 2, ROWS = SAMPLES * OUTPUTS };
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 5, 0, FEATURES, OUTPUTS),
                   "mlp:widths=6,activation=erf,parametrization=ntk", "mse", "gd:lr=0.1");
    TRAIN(&f, 2, "kernel-entries:samples=3");
    struct ub_error err = {0};
    struct ub_probe probe = {0};
    double whole[ROWS * ROWS], limit[SAMPLES * SAMPLES];
    assert_true(ub_probe_open(&probe, f.problem, SAMPLES, &err));
    assert_true(ub_probe_kernel(&probe, f.theta0, whole));
    limit_of(f.problem, NULL, limit);
    int64_t place = 0;
    double worst = 0;
    for (int i = 0; i < SAMPLES; i++)
        for (int j = i; j < SAMPLES; j++, place++) {
            const double *at = &whole[i * OUTPUTS * ROWS + j * OUTPUTS];
            worst = fmax(worst, fabs(value_of(f.recorded, 0, "kernel-entry", place) -
                                     (at[0] + at[ROWS + 1]) / 2));
            assert_near(value_of(f.recorded, 0, "kernel-limit-entry", place),
                        limit[i * SAMPLES + j], 1e-12);
        }
    assert_oracle("observable kernel-entries", "the dense kernel", worst, 1e-12);
    assert_int_equal(count_rows(f.recorded, "kernel-entry"), place);
    ub_probe_close(&probe);
    fixture_free(&f);
}

/* ---- laws ---- */

/* Sixteen seeds at five widths: -1/2 in the NTK parametrization by the law of large numbers; in the
 * standard one +1/2 once N is well above the 64 inputs, whose layer's part does not grow. */
static void scatter_falls_with_width(void **state)
{
    static const char suite[] =
        "name: scatter\n"
        "defaults: {seed: 0..15, steps: 1, loss: mse, init: he, optimizer: {gd: {lr: 0.01}}, "
        "dataset: {digits: {size: 8, scale: center}}, measure: {kernel-entries: {samples: 4}}}\n"
        "runs:\n"
        "  - model: {mlp: {widths: [32, 64, 128, 256, 512], activation: relu, bias: false, "
        "parametrization: [ntk, sp]}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_kernel_concentration;
    struct ub_datum d = law_suite_datum(&s, law, "model.parametrization", "ntk");
    assert_true(ub_datum_meets(&law->is, &d));
    assert_oracle("law kernel-concentration",
                  "-1/2 of means over units, one hidden relu layer, in standard errors",
                  (d.value + 0.5) / d.se, 4);
    d = law_suite_datum(&s, law, "model.parametrization", "sp");
    assert_null(d.why);
    assert_false(ub_datum_meets(&law->is, &d));
    assert_true(d.value > 0.2);
    assert_int_equal(law_suite_applies(&s, law), 80);
    d = law_suite_datum(&s, &ub_law_kernel_limit, "model.parametrization", "ntk");
    assert_true(ub_datum_meets(&ub_law_kernel_limit.is, &d));
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expectations_are_sums_on_a_grid),
        cmocka_unit_test(quadrature_agrees_with_closed_forms),
        cmocka_unit_test(inits_draw_with_the_variance_that_they_state),
        cmocka_unit_test(linear_chains_have_their_closed_form),
        cmocka_unit_test(means_over_networks_tend_to_the_recursion),
        cmocka_unit_test(models_without_a_limit_say_so),
        cmocka_unit_test(entries_are_the_kernels),
        cmocka_unit_test(scatter_falls_with_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
