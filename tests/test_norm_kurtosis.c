/* Scatter of lengths over draws: the observable against moments of chi-squares, and the law. */
#include "law_suite.h"
#include "observing.h"

extern const struct ub_law ub_law_init_kurtosis;

/* Oracle: the product over layers of the ratios of moments, each taken by simulation of the squares
 * of normals themselves, with no network in it. */
static double simulated(int width, bool relu)
{
    enum { DRAWS = 40000 };
    struct ub_random r = ub_random_stream(1, "chi-squares");
    double m2 = 0, m4 = 0;
    for (int d = 0; d < DRAWS; d++) {
        double q = 0;
        for (int i = 0; i < width; i++) {
            const double z = ub_random_normal(&r);
            q += relu && z < 0 ? 0 : z * z;
        }
        m2 += q / DRAWS;
        m4 += q * q / DRAWS;
    }
    return m4 / (m2 * m2);
}

static void constants_are_those_of_squared_normals(void **state)
{
    (void)state;
    /* 40,000 draws: the ratio is known to about 0.3% */
    assert_oracle("law init-kurtosis", "1 + 2/8, by simulated squares of normals",
                  simulated(8, false) - (1 + 2.0 / 8), 0.015);
    assert_oracle("law init-kurtosis", "1 + 5/8, by simulated squares of their positive parts",
                  simulated(8, true) - (1 + 5.0 / 8), 0.03);
}

static struct fixture drawn(const char *model, const char *init)
{
    struct ub_error err = {0};
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 3, 0, 4, 2), model, "mse", "gd:lr=0.01");
    ub_problem_free(f.problem);
    f.problem = ub_problem_new(
        &(struct ub_problem_spec){
            .model = model, .loss = "mse", .init = init, .data = f.data, .precision = UB_F64},
        &err);
    assert_non_null(f.problem);
    f.optimizer->training.problem = f.problem;
    return f;
}

/* Within 4 of its own standard errors of the closed form; twice the claimed error would still be
 * found, for the error itself is small beside the value. */
static void it_is_the_product_over_layers(void **state)
{
    static const struct {
        const char *model, *init;
        double expected;
    } cases[] = {{"deep-linear:widths=32x32x32", "lecun", 3 * 0.0606246},   /* log(1 + 2/32) */
                 {"deep-linear:widths=16x48", "he", 0.1177830 + 0.0408220}, /* 2/16, 2/48 */
                 {"mlp:widths=32x32,activation=relu", "he", 2 * 0.1450258}, /* 5/32 */
                 {"mlp:widths=24,activation=relu,parametrization=ntk", "lecun", 0.1892420}};
    double worst = 0;
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct fixture f = drawn(cases[c].model, cases[c].init);
        TRAIN(&f, 1, "norm-kurtosis:draws=2500");
        const struct ub_row *row = find_row(f.recorded, 0, "norm-kurtosis", 0);
        assert_non_null(row);
        print_message("%s: %.4f +- %.4f, closed form %.4f\n", cases[c].model, row->value,
                      row->error, cases[c].expected);
        worst = fmax(worst, fabs(row->value - cases[c].expected) / row->error);
        assert_true(row->error < 0.2 * cases[c].expected);
        fixture_free(&f);
    }
    assert_oracle("law init-kurtosis, observable norm-kurtosis",
                  "the product over layers, in intervals of draws of networks", worst, 2);
}

/* Square orthogonal layers keep the length: 2/N for the first layer's rows alone would be of a
 * Gaussian; of orthonormal columns |W x| = |x|, and nothing scatters. */
static void orthogonal_layers_do_not_scatter(void **state)
{
    (void)state;
    struct fixture f = drawn("deep-linear:widths=16x16", "orthogonal");
    TRAIN(&f, 1, "norm-kurtosis:draws=50");
    assert_near(value_of(f.recorded, 0, "norm-kurtosis", 0), 0, 1e-12);
    fixture_free(&f);
}

/* The run's own start, frozen parameters included, is not touched. */
static void drawing_leaves_the_run_alone(void **state)
{
    (void)state;
    struct fixture f = drawn("random-features:width=8", "he");
    double *start = ub_calloc((size_t)f.size, sizeof *start);
    ub_problem_init(f.problem, 3, start);
    memcpy(f.theta0, start, (size_t)f.size * sizeof *start);
    const double loss = ub_problem_loss(f.problem, start);
    TRAIN(&f, 1, "norm-kurtosis:draws=20");
    assert_near(ub_problem_loss(f.problem, start), loss, 0);
    ub_free(start);
    fixture_free(&f);
}

static void the_law_tells_normals_from_orthogonal(void **state)
{
    static const char suite[] =
        "name: kurtosis\n"
        "defaults: {seed: 0, steps: 1, loss: mse, optimizer: {gd: {lr: 0.01}}, "
        "dataset: {digits: {size: 4}}, measure: {norm-kurtosis: {draws: 1500}}}\n"
        "runs:\n"
        "  - model: {deep-linear: {widths: [24, 24x24, 24x24x24x24, 48x48, 48x48x48x48]}}\n"
        "    init: [lecun, orthogonal]\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_init_kurtosis;
    struct ub_datum d = law_suite_datum(&s, law, "init", "lecun");
    assert_near(d.value, 1, 4 * d.se); /* few draws: the margin is for the suite's */
    assert_true(d.se < 0.05);
    d = law_suite_datum(&s, law, "init", "orthogonal");
    assert_null(d.why);
    assert_false(ub_datum_meets(&law->is, &d));
    assert_int_equal(law_suite_applies(&s, law), 5);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_those_of_squared_normals),
        cmocka_unit_test(it_is_the_product_over_layers),
        cmocka_unit_test(orthogonal_layers_do_not_scatter),
        cmocka_unit_test(drawing_leaves_the_run_alone),
        cmocka_unit_test(the_law_tells_normals_from_orthogonal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
