/* Width scaling as a law: power laws through noisy means, the limit's loss against kernel descent
 * step by step and a direct solution, and networks that come to it. */
#include "law_suite.h"

#include "bench/curvature/infinite_width.h"
#include "datasets/datasets.h"
#include "report/statistics/axis.h"
#include "systems/systems.h"

#include <lapacke.h>
#include <math.h>

extern const struct ub_law ub_law_width_scaling;

/* ---- power laws through means ---- */

enum { WIDTHS = 5, DRAWS = 20, POINTS = WIDTHS * DRAWS };

/* c x^s and noise that falls as x^-1/2, as single losses have it. */
static void plant(struct ub_random *r, double s, double noise, struct ub_axis_point *p)
{
    for (int w = 0, n = 0; w < WIDTHS; w++)
        for (int k = 0; k < DRAWS; k++, n++) {
            const double x = 16 << w;
            p[n] = (struct ub_axis_point){
                x, 3 * pow(x, s) + noise * pow(x, -0.5) * ub_random_normal(r), k};
        }
}

/* Noise that cancels in each mean leaves the power itself; then noise of which single values are
 * below 0 as often as not: unbiased to a tenth of its errors, and these cover. */
static void powers_are_found_through_noise(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(1, "power");
    struct ub_axis_point p[POINTS];
    const double exponents[] = {-1, -0.5, 0.4};
    double worst = 0;
    for (int e = 0; e < 3; e++) {
        plant(&r, exponents[e], 0, p);
        for (int n = 0; n < POINTS; n++)
            p[n].y *= n % 2 ? 1.3 : 0.7;
        worst = fmax(worst, fabs(ub_axis_power(p, POINTS).estimate - exponents[e]));
    }
    assert_oracle("law width-scaling", "planted powers", worst, 1e-6);
    enum { TIMES = 400 };
    double sum = 0, squares = 0;
    int covered = 0;
    for (int i = 0; i < TIMES; i++) {
        plant(&r, -1, 0.3, p);
        const struct ub_interval s = ub_axis_power(p, POINTS);
        sum += s.estimate / TIMES;
        squares += pow((s.estimate + 1) / s.se, 2) / TIMES;
        covered += s.low <= -1 && -1 <= s.high;
    }
    print_message("mean %.4f, errors over stated ones %.2f, coverage %.3f\n", sum, sqrt(squares),
                  (double)covered / TIMES);
    assert_near(sum, -1, 0.03);
    assert_true(covered >= 0.92 * TIMES);
    plant(&r, -1, 0, p); /* no scatter: no errors to weigh by */
    assert_true(isnan(ub_axis_power(p, POINTS).estimate));
    assert_true(isnan(ub_axis_power(p, 2 * DRAWS).estimate));
}

/* ---- the limit's loss ---- */

#define DATA "gaussian:features=6,outputs=2,samples=12,alpha=0.5,test-samples=30"

static double *kernel_of(const struct ub_dataset *d, const char *model, const char *init)
{
    struct ub_error err = {0};
    struct ub_wide wide;
    const int64_t n = d->train.count, all = n + d->test.count, f = d->features;
    struct ub_problem *p = ub_problem_new(
        &(struct ub_problem_spec){
            .model = model, .loss = "mse", .init = init, .data = d, .precision = UB_F64},
        &err);
    if (!p)
        fail_msg("%s", err.text);
    assert_true(ub_problem_wide(p, &wide));
    double *x = ub_calloc((size_t)(all * f), sizeof *x);
    double *k = ub_calloc((size_t)(all * all), sizeof *k);
    for (int64_t i = 0; i < all * f; i++)
        x[i] = i < n * f ? d->train.inputs[i] : d->test.inputs[i - n * f];
    ub_wide_kernels(&wide, all, f, x, NULL, k);
    ub_wide_clear(&wide);
    ub_problem_free(p);
    ub_free(x);
    return k;
}

static double test_loss(const struct ub_dataset *d, const double *f)
{
    double sum = 0;
    for (int64_t i = 0; i < d->test.count * d->outputs; i++)
        sum += pow(f[d->train.count * d->outputs + i] - d->test.targets[i], 2);
    return sum / (2 * (double)d->test.count);
}

/* Functions on all samples move by -eta/n K (f - y) a step. */
static double descended(const struct ub_dataset *d, const double *k, double rate, int64_t steps)
{
    const int64_t n = d->train.count, all = n + d->test.count, m = d->outputs;
    double *f = ub_calloc((size_t)(all * m), sizeof *f);
    double *off = ub_calloc((size_t)(n * m), sizeof *off);
    for (int64_t t = 0; t < steps; t++) {
        for (int64_t i = 0; i < n * m; i++)
            off[i] = f[i] - d->train.targets[i];
        for (int64_t i = 0; i < all; i++)
            for (int64_t j = 0; j < n; j++)
                for (int64_t o = 0; o < m; o++)
                    f[i * m + o] -= rate / (double)n * k[i * all + j] * off[j * m + o];
    }
    const double loss = test_loss(d, f);
    ub_free(off);
    ub_free(f);
    return loss;
}

/* K alpha = y, f = K alpha. */
static double solved(const struct ub_dataset *d, const double *k, double ridge)
{
    const int64_t n = d->train.count, all = n + d->test.count, m = d->outputs;
    double *a = ub_calloc((size_t)(n * n), sizeof *a);
    double *dual = ub_calloc((size_t)(n * m), sizeof *dual);
    double *f = ub_calloc((size_t)(all * m), sizeof *f);
    for (int64_t i = 0; i < n * n; i++)
        a[i] = k[i / n * all + i % n] + (i / n == i % n ? ridge : 0);
    for (int64_t i = 0; i < n * m; i++)
        dual[i] = d->train.targets[i];
    assert_int_equal(LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', (lapack_int)n, (lapack_int)m, a,
                                   (lapack_int)n, dual, (lapack_int)m),
                     0);
    for (int64_t i = 0; i < all * m; i++)
        for (int64_t j = 0; j < n; j++)
            f[i] += k[i / m * all + j] * dual[j * m + i % m];
    const double loss = test_loss(d, f);
    ub_free(f);
    ub_free(dual);
    ub_free(a);
    return loss;
}

static void limits_are_those_of_the_kernel(void **state)
{
    static const char suite[] =
        "name: limit\n"
        "defaults: {loss: mse, precision: f64, init: lecun, dataset: {gaussian: {features: 6, "
        "outputs: 2, samples: 12, alpha: 0.5, test-samples: 30}}, measure: {loss: {at: [end]}, "
        "width-limit: {at: [end]}}}\n"
        "runs:\n"
        "  - {steps: 40, model: {two-layer: {width: 4096, activation: erf, scaling: ntk, centered: "
        "true}}, optimizer: {gd: {lr: {relative: 0.3}}}}\n"
        "  - {steps: 1, model: {random-features: {width: 4096, zero-readout: true}}, optimizer: "
        "{ridge: {ridge: 100}}}\n"
        "  - {steps: 40, model: {two-layer: {width: 8, activation: erf, scaling: ntk}}, optimizer: "
        "{gd: {lr: {relative: 0.3}}}}\n";
    (void)state;
    struct ub_error err = {0};
    struct law_suite s = law_suite_run(suite);
    struct ub_dataset *d = ub_dataset_load(DATA, 0, NULL, &err);
    if (!d)
        fail_msg("%s", err.text);
    int with = 0;
    double worst = 0;
    for (size_t row = 0; row < s.frame->rows; row++) {
        const struct ub_run *run = &s.store->runs[row];
        const double limit = ub_frame_last(s.frame, row, "width-limit", 0);
        const double own = ub_frame_last(s.frame, row, "test-loss", 0);
        if (!isfinite(limit)) /* of the last: outputs are not 0 at the start */
            continue;
        const bool ridge = strcmp(ub_frame_word(s.frame, row, "optimizer"), "ridge") == 0;
        double *k = kernel_of(d, run->spec.model, "lecun");
        const double oracle =
            ridge ? solved(d, k, 100) : descended(d, k, ub_run_fact(run, "lr"), 40);
        print_message("limit %.8f (oracle %.8f), at width 4096 %.8f\n", limit, oracle, own);
        worst = fmax(worst, fabs(limit / oracle - 1));
        /* The kernel is that of the limit to 1/sqrt(4096), 1.6%; losses this small feel it more. */
        assert_near(own, limit, 0.15 * limit);
        ub_free(k);
        with++;
    }
    assert_int_equal(with, 2);
    assert_oracle("law width-scaling, observable width-limit",
                  "descent and ridge regression with the limit's kernel, relative", worst, 1e-9);
    ub_dataset_free(d);
    law_suite_free(&s);
}

/* ---- networks ---- */

static void random_features_come_to_their_limit_as_one_over_width(void **state)
{
    static const char suite[] =
        "name: widths\n"
        "defaults: {seed: 0..15, loss: mse, precision: f64, init: lecun, dataset: {gaussian: "
        "{features: 6, outputs: 16, samples: 12, alpha: 0.5, test-samples: 100}}, measure: {loss: "
        "{at: [end]}, width-limit: {at: [end]}}}\n"
        "runs:\n"
        "  - {steps: 40, model: {random-features: {width: [64, 128, 256, 512], zero-readout: "
        "true}}, "
        "optimizer: {gd: {lr: {relative: 0.3}}}}\n"
        "  - {steps: 40, model: {two-layer: {width: [32, 64, 128, 256], activation: erf, scaling: "
        "mean-field, centered: true}}, optimizer: {gd: {lr: {relative: 0.3}}}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_width_scaling;
    struct ub_datum d = law_suite_datum(&s, law, "model", "random-features");
    assert_null(d.why);
    assert_near(d.value, -1, 3 * d.se);
    assert_true(d.se < 0.25);
    d = law_suite_datum(&s, law, "model", "two-layer"); /* another limit, where features move */
    assert_true(d.value > -0.5);
    assert_int_equal(law_suite_applies(&s, law), 128);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers_are_found_through_noise),
        cmocka_unit_test(limits_are_those_of_the_kernel),
        cmocka_unit_test(random_features_come_to_their_limit_as_one_over_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
