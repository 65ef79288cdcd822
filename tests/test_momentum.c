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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(law_holds_far_below_the_edge_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
