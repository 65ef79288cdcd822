/* Heavy ball against gradient descent of the same lr/(1 - beta): the law on small runs, far below
 * the edge, where it holds, and near it, where it must not. */
#include "law_suite.h"

extern const struct ub_law ub_law_momentum;

/* relative(R) puts 2(1 + beta)/lr at sharpness/R: of the same lr/(1 - beta) are R (1 - beta)/(1 +
 * beta), a third at beta = 1/2. */
static const char suite[] =
    "name: momentum\n"
    "defaults:\n"
    "  seed: 0..1\n"
    "  precision: f64\n"
    "  loss: mse\n"
    "  steps: 600\n"
    "  dataset: {teacher-student: {samples: 40, features: 6}}\n"
    "  measure: {loss: {every: 1}}\n"
    "runs:\n"
    "  - model: [linear, {mlp: {widths: 16}}]\n"
    "    optimizer: [{heavy-ball: {beta: 0, lr: [{relative: 0.0012}, {relative: 0.0024}, "
    "{relative: 0.0048}]}},\n"
    "                {heavy-ball: {beta: 0.5, lr: [{relative: 0.0004}, {relative: 0.0008}, "
    "{relative: 0.0016}]}}]\n"
    "  - model: {two-layer: {width: 16}}\n"
    "    optimizer: [{heavy-ball: {beta: 0, lr: [{relative: 0.24}, {relative: 0.48}, "
    "{relative: 0.96}]}},\n"
    "                {heavy-ball: {beta: 0.5, lr: [{relative: 0.08}, {relative: 0.16}, "
    "{relative: 0.32}]}}]\n";

static void law_holds_far_below_the_edge_alone(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(suite);
    static const char *const models[] = {"linear", "mlp", "two-layer"};
    for (int i = 0; i < 3; i++) {
        const struct ub_datum d = law_suite_datum(&s, &ub_law_momentum, "model", models[i]);
        assert_null(d.why);
        assert_int_equal(ub_datum_meets(&ub_law_momentum.is, &d), i < 2);
    }
    assert_int_equal(law_suite_applies(&s, &ub_law_momentum), 36);
    law_suite_free(&s);
}

/* Losses of e <- e - lr v, v <- beta v + e, of the first. */
static void heavy_ball_by_hand(double lr, double beta, int steps, double *loss)
{
    double e = 1, v = 0;
    for (int t = 0; t <= steps; t++) {
        loss[t] = e * e;
        v = beta * v + e;
        e -= lr * v;
    }
}

enum { STEPS = 400, RATES = 3 };

/* The largest distance of curves of one lr/(1 - beta) over the time that the smallest rate's steps
 * take. */
static double distance_by_hand(double rate, double time)
{
    double plain[STEPS + 1], ball[STEPS + 1], most = 0;
    heavy_ball_by_hand(rate, 0, STEPS, plain);
    heavy_ball_by_hand(rate / 2, 0.5, STEPS, ball);
    for (int t = 0; t <= STEPS && t * rate <= time * (1 + 1e-9); t++)
        most = fmax(most, fabs(ball[t] - plain[t]));
    return most;
}

/* One weight of curvature 1 whose best loss is 0 (T_4 is 1 at -1, 0 and 1). */
static void a_quadratic_has_the_slope_of_its_recursion(void **state)
{
    static const char one_weight[] =
        "name: one\n"
        "defaults: {loss: mse, precision: f64, model: quadratic, steps: 400, "
        "dataset: {chebyshev: {degree: 4, points: 3}}, measure: {loss: {every: 1}}}\n"
        "runs:\n"
        "  - optimizer: [{heavy-ball: {beta: 0, lr: [0.02, 0.04, 0.08]}}, {heavy-ball: {beta: 0.5, "
        "lr: [0.01, 0.02, 0.04]}}]\n";
    (void)state;
    struct law_suite s = law_suite_run(one_weight);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_momentum, "model", "quadratic");
    const double rates[RATES] = {0.02, 0.04, 0.08}, time = 0.02 * STEPS;
    /* of three points at equal distances a line has the slope of its ends */
    const double slope = log(distance_by_hand(rates[2], time) / distance_by_hand(rates[0], time)) /
                         log(rates[2] / rates[0]);
    assert_null(d.why);
    assert_true(fabs(slope - 1) > 1e-3); /* of the second order, so there is something to see */
    assert_oracle("law momentum", "the recursion of heavy ball, written out", d.value - slope,
                  1e-9);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quadratic_has_the_slope_of_its_recursion),
        cmocka_unit_test(law_holds_far_below_the_edge_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
