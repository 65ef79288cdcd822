/* Residual networks against their formula, and transfer of the learning rate over depth as a law
 * with its control. */
#include "planted_sweep.h"
#include "tiny.h"

#include <math.h>

extern const struct ub_law ub_law_depth_transfer;

enum { SAMPLES = 3, INPUTS = 4, WIDTH = 5, DEPTH = 3, OUTPUTS = 2 };

/* y += scale W x */
static void add_product(int out, int in, const double *W, const double *x, double scale, double *y)
{
    for (int i = 0; i < out; i++)
        y[i] += scale * tiny_dot(in, W + i * in, x);
}

/* The formula, layer by layer, on parameters in order. */
static void by_hand(const double *theta, const double *x, double scale, double y[OUTPUTS])
{
    double h[WIDTH] = {0}, phi[WIDTH];
    add_product(WIDTH, INPUTS, theta, x, 1, h);
    theta += WIDTH * INPUTS;
    for (int l = 0; l <= DEPTH; l++) {
        for (int i = 0; i < WIDTH; i++)
            phi[i] = tanh(h[i]);
        if (l == DEPTH)
            break;
        add_product(WIDTH, WIDTH, theta, phi, scale, h);
        theta += WIDTH * WIDTH;
    }
    for (int i = 0; i < OUTPUTS; i++)
        y[i] = theta[OUTPUTS * WIDTH + i];
    add_product(OUTPUTS, WIDTH, theta, phi, 1, y);
}

static void outputs_are_the_formulas(void **state)
{
    (void)state;
    static const char *const branches[] = {"sqrt", "one"};
    for (int k = 0; k < 2; k++) {
        char model[64];
        snprintf(model, sizeof model, "residual-mlp:width=5,depth=3,branch=%s", branches[k]);
        struct ub_dataset *d = tiny_dataset(UB_REGRESSION, SAMPLES, 0, INPUTS, OUTPUTS);
        struct ub_problem *p = tiny_problem(d, model, "mse");
        double *theta = tiny_normals(ub_problem_size(p), "theta"), y[OUTPUTS];
        double z[SAMPLES * OUTPUTS];
        assert_int_equal(ub_problem_size(p),
                         WIDTH * INPUTS + DEPTH * WIDTH * WIDTH + OUTPUTS * WIDTH + OUTPUTS);
        ub_problem_outputs(p, theta, z);
        for (int i = 0; i < SAMPLES; i++) {
            by_hand(theta, d->train.inputs + i * INPUTS, k == 0 ? 1 / sqrt(DEPTH) : 1, y);
            for (int o = 0; o < OUTPUTS; o++)
                assert_near(z[i * OUTPUTS + o], y[o], 1e-12);
        }
        ub_free(theta);
        ub_problem_free(p);
        tiny_free(d);
    }
}

static void planted_slopes_are_found(void **state)
{
    (void)state;
    assert_oracle(
        "law depth-transfer", "exponents planted in the best rates of parabolas",
        planted_sweep_error(&ub_law_depth_transfer, "residual-mlp:branch=sqrt,depth=", "gd", 2),
        1e-9);
}

/* Small: 32 units and depths to 16. Rates over eight octaves, so that the control's optimum, which
 * falls with depth, stays inside. */
static void scaled_branches_transfer_and_others_do_not(void **state)
{
    static const char suite[] =
        "name: depth\n"
        "defaults: {seed: 0..2, steps: 20, precision: f32, loss: mse, "
        "dataset: {digits: {size: 60, scale: center}}, measure: {loss: {at: [end]}}}\n"
        "runs:\n"
        "  - model: {residual-mlp: {width: 32, depth: [2, 4, 8, 16], branch: [sqrt, one]}}\n"
        "    optimizer: {gd: {lr: [0.0156, 0.03125, 0.0625, 0.125, 0.25, 0.5, 1, 2, 4]}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_depth_transfer;
    const struct ub_datum scaled = law_suite_datum(&s, law, "model.branch", "sqrt"),
                          plain = law_suite_datum(&s, law, "model.branch", "one");
    assert_null(scaled.why);
    assert_near(scaled.value, 0, 0.25);
    assert_false(ub_datum_meets(&law->is, &plain));
    assert_true(plain.why || scaled.value - plain.value > 0.4);
    assert_int_equal(law_suite_applies(&s, law), 108);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_the_formulas),
        cmocka_unit_test(planted_slopes_are_found),
        cmocka_unit_test(scaled_branches_transfer_and_others_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
