/* Distances from gradient flow and its modified flow: closed forms on a quadratic, and the laws. */
#include "law_suite.h"
#include "observing.h"

extern const struct ub_law ub_law_gradient_flow, ub_law_modified_flow;

/* Mean square loss of a linear model is a quadratic: with H = sum l_i u_i u_i' the displacement
 * theta(t) - theta_0 is -sum_i u_i (u_i . g_0) (1 - e^(-m t))/l_i, m = l_i for the flow and
 * l_i + (eta/2) l_i^2 for the modified one, and for descent (1 - eta l_i)^steps in place of the
 * exponential. LAPACK's eigenvectors. */
static void on_a_quadratic_flows_are_exponentials(void **state)
{
    enum { STEPS = 12 };
    const double eta = 0.3, time = eta * STEPS;
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 9, 0, 3, 2), "linear", "mse", "gd:lr=0.3");
    const int64_t n = f.size;
    double *h = dense_hessian(&f), *l = ub_calloc((size_t)n, sizeof *l);
    double *g = ub_calloc((size_t)n, sizeof *g);
    ub_problem_gradient(f.problem, f.theta0, g);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, h, (lapack_int)n, l),
                     0);
    double way = 0, off[2] = {0};
    for (int64_t i = 0; i < n; i++) {
        double dot = 0;
        for (int64_t k = 0; k < n; k++)
            dot += h[k * n + i] * g[k];
        const double descent = (1 - pow(1 - eta * l[i], STEPS)) / l[i];
        const double flow = (1 - exp(-l[i] * time)) / l[i];
        const double modified = (1 - exp(-(l[i] + eta / 2 * l[i] * l[i]) * time)) / l[i];
        way += pow(dot * descent, 2);
        off[0] += pow(dot * (descent - flow), 2);
        off[1] += pow(dot * (descent - modified), 2);
    }
    TRAIN(&f, STEPS, "flow-distance:substeps=8,at=5+end");
    const double plain = value_of(f.recorded, STEPS, "flow-distance", 0);
    const double nearer = value_of(f.recorded, STEPS, "modified-flow-distance", 0);
    assert_oracle("law gradient-flow, observable flow-distance",
                  "exponentials in the dense eigenbasis of a quadratic", plain - sqrt(off[0] / way),
                  1e-5);
    assert_oracle("law modified-flow, observable flow-distance",
                  "exponentials of the modified quadratic in the dense eigenbasis",
                  nearer - sqrt(off[1] / way), 1e-5);
    assert_true(nearer < plain / 3);
    ub_free(h);
    ub_free(l);
    ub_free(g);
    fixture_free(&f);
}

/* Rates a tenth of the edge and below, one time; heavy ball at the same rates. */
static void orders_are_one_and_two(void **state)
{
    static const char suite[] =
        "name: flows\n"
        "defaults: {seed: 0, loss: mse, precision: f64, "
        "dataset: {digits: {size: 30, scale: center}}, measure: {flow-distance: {at: [end]}}}\n"
        "runs:\n"
        "  - {steps: 20, model: {mlp: {widths: 16, activation: tanh}}, "
        "optimizer: [{gd: {lr: 0.08}}, {heavy-ball: {lr: 0.08}}]}\n"
        "  - {steps: 40, model: {mlp: {widths: 16, activation: tanh}}, "
        "optimizer: [{gd: {lr: 0.04}}, {heavy-ball: {lr: 0.04}}]}\n"
        "  - {steps: 80, model: {mlp: {widths: 16, activation: tanh}}, "
        "optimizer: [{gd: {lr: 0.02}}, {heavy-ball: {lr: 0.02}}]}\n"
        "  - {steps: 160, model: {mlp: {widths: 16, activation: tanh}}, "
        "optimizer: [{gd: {lr: 0.01}}, {heavy-ball: {lr: 0.01}}]}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *laws[] = {&ub_law_gradient_flow, &ub_law_modified_flow};
    for (int i = 0; i < 2; i++) {
        struct ub_datum d = law_suite_datum(&s, laws[i], "optimizer", "gd");
        assert_true(ub_datum_meets(&laws[i]->is, &d));
        d = law_suite_datum(&s, laws[i], "optimizer", "heavy-ball");
        assert_null(d.why);
        assert_false(ub_datum_meets(&laws[i]->is, &d));
        assert_int_equal(law_suite_applies(&s, laws[i]), 4);
    }
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_quadratic_flows_are_exponentials),
        cmocka_unit_test(orders_are_one_and_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
