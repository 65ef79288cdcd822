/* Laws of solvable settings on small suites, one where each must hold and one where it must fail.
 */
#include "law_suite.h"

#include "bench/spectra/eigenlearning.h"

#include <math.h>

extern const struct ub_law ub_law_data_scaling, ub_law_eigenlearning, ub_law_double_descent,
    ub_law_learnability_sum;

static const char defaults[] = "name: s\n"
                               "defaults: {loss: mse, precision: f64, steps: 1, optimizer: ridge, "
                               "model: 'linear:bias=false', init: 'lecun:gain=0'}\n"
                               "runs:\n";

static struct law_suite run(const char *blocks)
{
    struct ub_text text = {0};
    ub_text_add(&text, "%s%s", defaults, blocks);
    struct law_suite s = law_suite_run(text.data);
    ub_text_free(&text);
    return s;
}

static void check(const struct law_suite *s, const struct ub_law *law, const char *axis,
                  const char *word, bool meets)
{
    const struct ub_datum d = law_suite_datum(s, law, axis, word);
    assert_true(!d.why || d.against);
    assert_int_equal(ub_datum_meets(&law->is, &d), meets);
}

/* Eight draws of sixteen targets: an error of 1% to 2%. Coefficients at other eigenvalues fail. */
static void eigenlearning_needs_the_right_order(void **state)
{
    (void)state;
    struct law_suite s =
        run("  - dataset: {gaussian: {features: 200, outputs: 16, samples: 60, noise: 0.5, "
            "test-samples: 500}}\n"
            "    optimizer: 'ridge:ridge=1'\n"
            "    data-seed: 0..7\n"
            "    measure: {loss: {at: end}, predicted-risk: {at: end}}\n"
            "  - dataset: {gaussian: {features: 200, outputs: 16, samples: 60, noise: 0.25, "
            "test-samples: 500}}\n"
            "    optimizer: 'ridge:ridge=1'\n"
            "    data-seed: 0..7\n"
            "    measure: {loss: {at: end}, predicted-risk: {at: end, order: shuffled}}\n");
    check(&s, &ub_law_eigenlearning, "dataset.noise", "0.5", true);
    check(&s, &ub_law_eigenlearning, "dataset.noise", "0.25", false);
    assert_int_equal(law_suite_applies(&s, &ub_law_eigenlearning), 16);
    law_suite_free(&s);
}

/* Least squares peaks where features equal samples; the best ridge, noise^2 p, does not. */
static void double_descent_needs_least_squares(void **state)
{
    static const int features[] = {8, 16, 24, 32, 40, 48, 64, 128};
    struct ub_text blocks = {0};
    (void)state;
    for (int k = 0; k < 8; k++)
        for (int best = 0; best < 2; best++)
            ub_text_add(&blocks,
                        "  - {dataset: {gaussian: {features: %d, outputs: 16, samples: 32, alpha: "
                        "0, beta: 0, noise: %s, test-samples: 300}}, optimizer: 'ridge:ridge=%d', "
                        "data-seed: 0..7, measure: {excess-risk: {at: end}}}\n",
                        features[k], best ? "1" : "0.5", best ? features[k] : 0);
    struct law_suite s = run(blocks.data);
    check(&s, &ub_law_double_descent, "dataset.noise", "0.5", true);
    check(&s, &ub_law_double_descent, "dataset.noise", "1", false);
    assert_int_equal(law_suite_applies(&s, &ub_law_double_descent), 64);
    law_suite_free(&s);
    ub_text_free(&blocks);
}

/* Risks as predicted wherever they are compared, and no peak: a ridge within a quarter of p = n
 * only. It is the test for the peak that finds it out. */
static void double_descent_needs_a_peak(void **state)
{
    static const int features[] = {8, 12, 16, 20, 24, 26, 28, 32, 36, 38, 40, 48, 64, 128};
    struct ub_text blocks = {0};
    (void)state;
    for (int k = 0; k < 14; k++)
        ub_text_add(&blocks,
                    "  - {dataset: {gaussian: {features: %d, outputs: 16, samples: 32, alpha: 0, "
                    "beta: 0, noise: 1, test-samples: 300}}, optimizer: 'ridge:ridge=%d', "
                    "data-seed: 0..7, measure: {excess-risk: {at: end}}}\n",
                    features[k], abs(features[k] - 32) < 8 ? features[k] : 0);
    struct law_suite s = run(blocks.data);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_double_descent, "dataset.noise", "1");
    assert_true(d.against);
    assert_string_equal(d.why, "no peak where features equal samples");
    law_suite_free(&s);
    ub_text_free(&blocks);
}

/* A kernel of full rank; the same with a ridge; and one of rank 5 with 10 samples, of which the law
 * says nothing. */
static void learnabilities_need_an_interpolating_kernel(void **state)
{
    (void)state;
    struct law_suite s = run(
        "  - dataset: {gaussian: {features: 40, samples: 10, test-samples: 15, target: basis}}\n"
        "    data-seed: 0..2\n"
        "    measure: {learnability: {at: end}}\n"
        "  - dataset: {gaussian: {features: 41, samples: 10, test-samples: 15, target: basis}}\n"
        "    optimizer: 'ridge:ridge=0.01'\n"
        "    measure: {learnability: {at: end}}\n"
        "  - dataset: {gaussian: {features: 5, samples: 10, test-samples: 15, target: basis}}\n"
        "    measure: {learnability: {at: end}}\n");
    check(&s, &ub_law_learnability_sum, "dataset.features", "40", true);
    check(&s, &ub_law_learnability_sum, "dataset.features", "41", false);
    const struct ub_datum d =
        law_suite_datum(&s, &ub_law_learnability_sum, "dataset.features", "5");
    assert_non_null(d.why);
    assert_false(d.against);
    assert_int_equal(law_suite_applies(&s, &ub_law_learnability_sum), 4);
    law_suite_free(&s);
}

/* Of 200,000 eigenvalues k^-alpha, 200 to 800 samples: far from both ends of the sum, whose slope
 * then is the asymptote's but for terms of 1/n. */
static double slope_of_theory(double alpha, double beta)
{
    enum { D = 200000 };
    double *l = ub_calloc(D, sizeof *l), *v = ub_calloc(D, sizeof *v), risk[2];
    for (int k = 0; k < D; k++) {
        l[k] = pow(k + 1, -alpha);
        v[k] = pow(k + 1, -alpha - 2 * beta);
    }
    for (int i = 0; i < 2; i++)
        risk[i] = ub_eigenlearning(l, v, D, i ? 800 : 200, 0, 0).test;
    ub_free(l);
    ub_free(v);
    return log(risk[1] / risk[0]) / log(4);
}

static void asymptotes_are_those_of_the_sum(void **state)
{
    static const double exponents[][2] = {{1.5, 0.25}, {2, 0.5}, {2, 0.25}, {1.5, 2.5}, {2, 4}};
    double worst = 0;
    (void)state;
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
        const double alpha = exponents[i][0], beta = exponents[i][1];
        const double b = fmin(alpha + 2 * beta - 1, 2 * alpha);
        print_message("alpha %g, beta %g: slope %.4f, asymptote %.4f\n", alpha, beta,
                      slope_of_theory(alpha, beta), -b);
        worst = fmax(worst, fabs(slope_of_theory(alpha, beta) / -b - 1));
    }
    assert_oracle("law data-scaling", "the exact sum over 200,000 modes, relative", worst, 0.03);
}

/* The exponent of kernel theory; targets in random order leave nothing that falls. */
static void data_scaling_needs_targets_of_the_inputs(void **state)
{
    (void)state;
    struct law_suite s =
        run("  - dataset: {gaussian: {features: 200, outputs: 16, samples: [10, 20, 40, 80], "
            "target: [labels, shuffled], test-samples: 200}}\n"
            "    data-seed: 0..5\n"
            "    measure: {excess-risk: {at: end}, predicted-risk: {at: end}}\n");
    check(&s, &ub_law_data_scaling, "dataset.target", "labels", true);
    check(&s, &ub_law_data_scaling, "dataset.target", "shuffled", false);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenlearning_needs_the_right_order),
        cmocka_unit_test(double_descent_needs_least_squares),
        cmocka_unit_test(double_descent_needs_a_peak),
        cmocka_unit_test(asymptotes_are_those_of_the_sum),
        cmocka_unit_test(data_scaling_needs_targets_of_the_inputs),
        cmocka_unit_test(learnabilities_need_an_interpolating_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
