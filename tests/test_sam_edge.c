/* SAM's edge: where its iteration on a quadratic ends, by hand, and the law on runs of one and on
 * planted levels. */
#include "planted_suite.h"

#include <math.h>

extern const struct ub_law ub_law_sam_edge;

/* ---- where the iteration ends --------------------------------------------------------------- */

enum { DIRECTIONS = 4 };

/* theta <- theta - eta g(theta + rho g/|g|) on sum of s_i x_i^2/2. */
static void ascend_and_descend(double *x, const double *s, double eta, double rho)
{
    double square = 0;
    for (int i = 0; i < DIRECTIONS; i++)
        square += s[i] * x[i] * s[i] * x[i];
    const double r = rho / sqrt(square);
    for (int i = 0; i < DIRECTIONS; i++)
        x[i] -= eta * s[i] * (x[i] + r * s[i] * x[i]);
}

/* The amplitude and the marginal curvature of the controls' theorem. */
static void quadratics_end_at_the_edge(void **state)
{
    (void)state;
    const double s[DIRECTIONS] = {1.5, 0.7, 0.3, 0.1};
    const double rates[] = {0.2, 0.6, 1.2}, radii[] = {0.05, 0.5};
    double worst = 0;
    for (size_t e = 0; e < sizeof rates / sizeof *rates; e++)
        for (size_t k = 0; k < sizeof radii / sizeof *radii; k++) {
            const double eta = rates[e], rho = radii[k];
            double x[DIRECTIONS] = {1, -1, 1, 1};
            for (int t = 0; t < 20000; t++)
                ascend_and_descend(x, s, eta, rho);
            const double amplitude = eta * rho * s[0] / (2 - eta * s[0]);
            const double r = rho / (s[0] * fabs(x[0]));
            worst = fmax(worst, fabs(fabs(x[0]) / amplitude - 1));
            worst = fmax(worst, fabs(eta * (s[0] + r * s[0] * s[0]) / 2 - 1));
        }
    assert_oracle("law sam-edge", "SAM on quadratics by hand: amplitude and marginal curvature",
                  worst, 1e-12);
}

/* ---- the law -------------------------------------------------------------------------------- */

static double only_level(const struct law_suite *s, const char **why)
{
    struct ub_law_verdict *v = ub_law_verdict_new(&ub_law_sam_edge, s->frame);
    assert_non_null(v);
    assert_int_equal(v->groups.count, 1);
    const double value = v->data[0].why ? (double)NAN : v->data[0].value;
    *why = v->data[0].why;
    ub_law_verdict_free(v);
    return value;
}

/* The program's own runs: linear regression is a quadratic. Nothing else comes to 1 so closely. */
static void runs_on_quadratics_are_at_one(void **state)
{
    (void)state;
    const char *why;
    struct law_suite s =
        law_suite_run("name: x\n"
                      "defaults:\n"
                      "  dataset: {gaussian: {samples: 60, features: 20, alpha: 1}}\n"
                      "  model: {linear: {bias: false}}\n"
                      "  loss: mse\n"
                      "  steps: 600\n"
                      "  measure: {loss: {every: 15}, edge-ratio: {every: 15}}\n"
                      "runs:\n"
                      "  - optimizer: {sam: {lr: {relative: 0.5}, rho: 0.5}}\n"
                      "  - optimizer: {sam: {lr: {relative: 0.5}, rho: 0.5, normalized: false}}\n"
                      "  - optimizer: {gd: {lr: {relative: 0.5}}}\n");
    assert_int_equal(law_suite_applies(&s, &ub_law_sam_edge), 1);
    const double level = only_level(&s, &why);
    if (why)
        fail_msg("%s", why);
    /* f32 parameters, and the tolerance of a thousandth to which sharpness is found */
    assert_oracle("law sam-edge", "runs on a quadratic, whose level is 1 by theorem",
                  fabs(level - 1), 0.002);
    law_suite_free(&s);
}

/* Rises to `level` in 20 measurements of 100 and stays. */
static double planted(double level, double threshold, double lr, const char **why)
{
    char *path;
    struct law_suite s = planted_suite_new(&path);
    for (uint64_t seed = 0; seed < 2; seed++) {
        struct ub_run_writer *w =
            planted_run(path, "digits", "sam:lr=0.1,rho=0.5", "edge-ratio", 1000, seed);
        for (int64_t k = 0; k <= 100; k++) {
            const double rise = k < 20 ? 0.4 + 0.03 * (double)k : 1;
            ub_run_writer_add(w, 10 * k, "edge-ratio", 0, level * rise, (double)NAN);
            ub_run_writer_add(w, 10 * k, "loss", 0, 1, (double)NAN);
        }
        ub_run_writer_fact(w, "threshold", threshold);
        ub_run_writer_fact(w, "lr", lr);
        planted_run_end(w);
    }
    planted_suite_read(&s, path);
    const double value = only_level(&s, why);
    law_suite_free(&s);
    return value;
}

/* Whatever it is, and though the loss rests; thresholds of 14 and less are told from 2/0.1 = 20. */
static void planted_levels_are_read(void **state)
{
    (void)state;
    const char *why;
    double worst = 0;
    const double levels[] = {1, 0.8, 1.3};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        const double value = planted(levels[i], 10, 0.1, &why);
        assert_null(why);
        worst = fmax(worst, fabs(value / levels[i] - 1));
        const struct ub_datum d = {.value = value};
        assert_int_equal(ub_datum_meets(&ub_law_sam_edge.is, &d), levels[i] == 1);
    }
    assert_oracle("law sam-edge", "planted levels", worst, 1e-12);
    assert_true(isnan(planted(1, 15, 0.1, &why)));
    assert_string_equal(why, "SAM's threshold is near gradient descent's");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quadratics_end_at_the_edge),
        cmocka_unit_test(runs_on_quadratics_are_at_one),
        cmocka_unit_test(planted_levels_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
