/* Forms of falling curves: fits against a search that knows nothing of their algebra, planted
 * curves, and the law on data whose learning curve is known. */
#include "law_suite.h"

#include "report/statistics/curve_forms.h"

#include <math.h>

extern const struct ub_law ub_law_data_scaling_form;

enum { POINTS = 6 };

static double value_of(enum ub_curve_form form, double a, double b, double x, double first)
{
    if (form == UB_FORM_POWER)
        return a - b * log(x);
    if (form == UB_FORM_EXPONENTIAL)
        return a - b * x;
    const double y = 1 - b * log(x / first);
    return y > 0 ? a + log(y) : -INFINITY;
}

static double rss_at(enum ub_curve_form form, double a, double b, const double *x, const double *y)
{
    double sum = 0;
    for (int i = 0; i < POINTS; i++)
        sum += pow(y[i] - value_of(form, a, b, x[i], x[0]), 2);
    return sum;
}

/* A grid over both parameters, made finer about the best. */
static double search(enum ub_curve_form form, const double *x, const double *y)
{
    enum { HALF = 40, ROUNDS = 40 };
    const double scale = form == UB_FORM_EXPONENTIAL ? 0.05 : form == UB_FORM_POWER ? 3 : 1;
    double a = y[0], b = form == UB_FORM_LOGARITHM ? scale : 0, wide = 20, least = INFINITY;
    double high = scale;
    for (int round = 0; round < ROUNDS; round++, wide *= 0.6, high *= 0.6) {
        double best_a = a, best_b = b;
        for (int i = -HALF; i <= HALF; i++)
            for (int k = -HALF; k <= HALF; k++) {
                const double at = a + wide * i / HALF, bt = b + high * k / HALF;
                if (form == UB_FORM_LOGARITHM && bt < 0)
                    continue;
                const double rss = rss_at(form, at, bt, x, y);
                if (rss < least) {
                    least = rss;
                    best_a = at;
                    best_b = bt;
                }
            }
        a = best_a;
        b = best_b;
    }
    return least;
}

static void fits_are_the_least(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(1, "forms");
    double worst = 0;
    for (int t = 0; t < 6; t++) {
        double x[POINTS], y[POINTS], rss[UB_FORMS];
        for (int i = 0; i < POINTS; i++) {
            x[i] = 8 << i;
            y[i] = 1 - (0.2 + 0.1 * t) * log(x[i]) + 0.1 * ub_random_normal(&r);
        }
        ub_curve_forms(x, y, POINTS, rss);
        for (int form = 0; form < UB_FORMS; form++)
            worst = fmax(worst, fabs(rss[form] / search(form, x, y) - 1));
    }
    assert_oracle("law data-scaling-form", "least squares by a search over a grid, relative", worst,
                  1e-5);
}

static void planted_forms_are_found(void **state)
{
    (void)state;
    static const double slope[UB_FORMS] = {0.7, 0.01, 0.18};
    for (int form = 0; form < UB_FORMS; form++) {
        double x[POINTS], y[POINTS], rss[UB_FORMS];
        for (int i = 0; i < POINTS; i++) {
            x[i] = 8 << i;
            y[i] = value_of(form, 0.5, slope[form], x[i], x[0]);
        }
        ub_curve_forms(x, y, POINTS, rss);
        for (int other = 0; other < UB_FORMS; other++)
            assert_true(other == form ? rss[other] < 1e-12 : rss[other] > 1e-3);
    }
    double two[2] = {1, 2}, rss[UB_FORMS];
    ub_curve_forms(two, two, 2, rss);
    assert_true(isnan(rss[UB_FORM_POWER]));
}

/* Data of power-law spectrum have a power law; isotropic ones have 1 - n/p (data_scaling_form.c),
 * whose own preference, worked out from that formula, the law comes to within its error. */
static void the_law_tells_a_power_from_a_line(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(
        "name: forms\n"
        "defaults: {loss: mse, precision: f64, steps: 1, init: {lecun: {gain: 0}}, optimizer: "
        "ridge,\n"
        "  model: {linear: {bias: false}}, data-seed: 0..5, measure: {loss: {at: end}}}\n"
        "runs:\n"
        "  - dataset: {gaussian: {features: 600, outputs: 8, samples: [8, 16, 32, 64, 128], alpha: "
        "1.5, beta: 0.5, test-samples: 200}}\n"
        "  - dataset: {gaussian: {features: 64, outputs: 8, samples: [4, 8, 16, 32, 48, 56], "
        "alpha: "
        "0, beta: 0, test-samples: 200}}\n"
        "  - dataset: {gaussian: {features: 50, outputs: 8, samples: [4, 8, 16, 32], alpha: 1, "
        "test-samples: 200}}\n");
    const struct ub_law *law = &ub_law_data_scaling_form;
    const struct ub_datum power = law_suite_datum(&s, law, "dataset.alpha", "1.5");
    const struct ub_datum line = law_suite_datum(&s, law, "dataset.alpha", "0");
    assert_null(power.why);
    assert_null(line.why);
    assert_true(ub_datum_meets(&law->is, &power));
    assert_false(ub_datum_meets(&law->is, &line));
    double x[POINTS] = {4, 8, 16, 32, 48, 56}, y[POINTS], rss[UB_FORMS];
    for (int i = 0; i < POINTS; i++)
        y[i] = log(1 - x[i] / 64);
    ub_curve_forms(x, y, POINTS, rss);
    const double expected =
        POINTS * log(fmin(rss[UB_FORM_EXPONENTIAL], rss[UB_FORM_LOGARITHM]) / rss[UB_FORM_POWER]);
    assert_oracle("law data-scaling-form",
                  "isotropic data, whose curve is 1 - n/p, in standard errors",
                  (line.value - expected) / line.se, 4);
    const struct law_choice few = {"dataset.alpha", "1"};
    struct ub_rows rows = ub_frame_where(s.frame, NULL, law_suite_chosen, &few);
    assert_int_equal(rows.count, 24);
    assert_false(law->concerns(s.frame, &rows));
    ub_rows_clear(&rows);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_are_the_least),
        cmocka_unit_test(planted_forms_are_found),
        cmocka_unit_test(the_law_tells_a_power_from_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
