/* Parametrizations: the table of multipliers, equality at the base width, effective learning rates
 * against a standard network's gradient, and sizes of changes against width. */
#include "observing.h"

#include "systems/systems.h"

static const struct ub_param *param_of(const struct ub_problem *p, const char *name)
{
    const struct ub_layout *layout = ub_problem_layout(p);
    for (int64_t i = 0; i < layout->count; i++)
        if (strcmp(layout->params[i].name, name) == 0)
            return &layout->params[i];
    fail_msg("no parameter %s", name);
    return NULL;
}

static void assert_scales(const struct ub_problem *p, const char *name, double multiplier,
                          double init, double rate)
{
    const struct ub_param *q = param_of(p, name);
    assert_near(q->multiplier, multiplier, 1e-15 * multiplier);
    assert_near(q->init_scale, init, 1e-15 * init);
    assert_near(q->rate_scale, rate, 1e-15 * rate);
}

static void multipliers_are_the_table(void **state)
{
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, 6, 0, 4, 3);
    struct ub_problem *p =
        tiny_problem(d, "mlp:widths=32x32,parametrization=mup,base-width=8", "mse"); /* r = 4 */
    assert_scales(p, "fc1.weight", 2, 0.5, 0.5);
    assert_scales(p, "fc1.bias", 2, 0.5, 0.5);
    assert_scales(p, "fc2.weight", 1, 1, 0.25);
    assert_scales(p, "fc2.bias", 2, 0.5, 0.5);
    assert_scales(p, "fc3.weight", 0.5, 1, 0.5);
    assert_scales(p, "fc3.bias", 1, 1, 1);
    ub_problem_free(p);
    p = tiny_problem(d, "mlp:widths=16x16,parametrization=ntk", "mse");
    assert_scales(p, "fc1.weight", 0.5, 2, 1);
    assert_scales(p, "fc2.weight", 0.25, 4, 1);
    assert_scales(p, "fc3.weight", 0.25, 4, 1);
    assert_scales(p, "fc2.bias", 1, 1, 1);
    ub_problem_free(p);
    tiny_free(d);
}

static double *initial(struct ub_problem *p)
{
    double *theta = ub_calloc((size_t)ub_problem_size(p), sizeof *theta);
    ub_problem_init(p, 5, theta);
    return theta;
}

/* mup at its base width, and every parametrization at initialization, compute what sp computes. */
static void all_start_as_the_same_function(void **state)
{
    static const char *const same[] = {"mlp:widths=8x8,parametrization=mup,base-width=8",
                                       "mlp:widths=8x8,parametrization=ntk"};
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, 6, 0, 4, 3);
    struct ub_problem *sp = tiny_problem(d, "mlp:widths=8x8", "mse");
    double *theta = initial(sp);
    const double loss = ub_problem_loss(sp, theta);
    for (int k = 0; k < 2; k++) {
        struct ub_problem *p = tiny_problem(d, same[k], "mse");
        double *own = initial(p);
        assert_near(ub_problem_loss(p, own), loss, 1e-14);
        if (k == 0)
            assert_memory_equal(own, theta, (size_t)ub_problem_size(sp) * sizeof *theta);
        ub_free(own);
        ub_problem_free(p);
    }
    ub_free(theta);
    ub_problem_free(sp);
    tiny_free(d);
}

/* A step on w moves the effective weight m w by m^2 times the learning rate along the gradient of a
 * standard network that has the effective weights. */
static void multipliers_are_learning_rates(void **state)
{
    static const char *const models[] = {"mlp:widths=16x16,parametrization=mup,base-width=4",
                                         "mlp:widths=16x16,parametrization=ntk"};
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, 9, 0, 4, 3);
    struct ub_problem *sp = tiny_problem(d, "mlp:widths=16x16", "ce");
    const int64_t n = ub_problem_size(sp);
    for (int k = 0; k < 2; k++) {
        struct ub_problem *p = tiny_problem(d, models[k], "ce");
        double *theta = initial(p), *grad = ub_calloc((size_t)n, sizeof *grad);
        double *effective = ub_calloc((size_t)n, sizeof *grad);
        double *standard = ub_calloc((size_t)n, sizeof *grad);
        const struct ub_layout *layout = ub_problem_layout(p);
        for (int64_t i = 0; i < layout->count; i++)
            for (int64_t j = 0; j < layout->params[i].size; j++) {
                const int64_t at = layout->params[i].offset + j;
                effective[at] = layout->params[i].multiplier * theta[at];
            }
        assert_near(ub_problem_gradient(p, theta, grad),
                    ub_problem_gradient(sp, effective, standard), 1e-14);
        for (int64_t i = 0; i < layout->count; i++)
            for (int64_t j = 0; j < layout->params[i].size; j++) {
                const int64_t at = layout->params[i].offset + j;
                const double m = layout->params[i].multiplier;
                assert_near(m * grad[at], m * m * standard[at], 1e-13);
            }
        ub_free(theta);
        ub_free(grad);
        ub_free(effective);
        ub_free(standard);
        ub_problem_free(p);
    }
    ub_problem_free(sp);
    tiny_free(d);
}

/* Adam's first step moves each weight by its rate whatever the gradient: multiplier x rate_scale of
 * the learning rate in effect, 1 for vectors and 1/r for matrices (Yang et al. 2022, table 3). */
static void adam_moves_by_the_rates(void **state)
{
    static const struct {
        const char *name;
        double moves;
    } expected[] = {{"fc1.weight", 1}, {"fc1.bias", 1},      {"fc2.weight", 0.25},
                    {"fc2.bias", 1},   {"fc3.weight", 0.25}, {"fc3.bias", 1}};
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, 9, 0, 4, 3);
    struct fixture f =
        fixture_of(d, "mlp:widths=16x16,parametrization=mup,base-width=4", "mse", "adam:lr=0.001");
    ub_problem_gradient(f.problem, f.theta, f.grad);
    ub_optimizer_step(f.optimizer, f.theta, f.grad);
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        const struct ub_param *q = param_of(f.problem, expected[k].name);
        for (int64_t j = q->offset; j < q->offset + q->size; j++) {
            const double moved = q->multiplier * fabs(f.theta[j] - f.theta0[j]);
            if (fabs(f.grad[j]) > 1e-4) /* epsilon is 1e-8 */
                assert_near(moved, 1e-3 * expected[k].moves, 1e-6);
        }
    }
    fixture_free(&f);
}

static void readout_may_start_at_zero(void **state)
{
    static const char *const models[] = {"mlp:widths=8x8,zero-readout=true",
                                         "mlp:widths=8x8,parametrization=ntk,zero-readout=true"};
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, 6, 0, 4, 3);
    for (int k = 0; k < 2; k++) {
        struct ub_problem *p = tiny_problem(d, models[k], "mse");
        double *theta = initial(p), *out = ub_calloc(18, sizeof *out), size = 0;
        ub_problem_outputs(p, theta, out);
        for (int i = 0; i < 18; i++)
            assert_true(out[i] == 0);
        for (int64_t i = 0; i < param_of(p, "fc2.weight")->size; i++)
            size += fabs(theta[param_of(p, "fc2.weight")->offset + i]);
        assert_true(size > 0);
        ub_free(theta);
        ub_free(out);
        ub_problem_free(p);
    }
    tiny_free(d);
}

/* Root mean squares of hidden activations and of their change, from the problem itself. */
static void coordinates_are_sums_over_units(void **state)
{
    enum { N = 5, WIDTH = 8 };
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, N, 0, 4, 3), "mlp:widths=8x8",
                                  "mse", "gd:lr=0.2");
    double before[N * WIDTH], after[N * WIDTH], moved = 0, size = 0;
    TRAIN(&f, 5, "coordinates:at=end");
    ub_problem_hidden(f.problem, 1, f.theta0, before);
    ub_problem_hidden(f.problem, 1, f.theta, after);
    for (int i = 0; i < N * WIDTH; i++) {
        moved += pow(after[i] - before[i], 2) / (N * WIDTH);
        size += after[i] * after[i] / (N * WIDTH);
    }
    const double off[] = {value_of(f.recorded, 5, "activation-update.hidden2", 0) - sqrt(moved),
                          value_of(f.recorded, 5, "activation-size.hidden2", 0) - sqrt(size)};
    assert_oracle("observable coordinates", "sums over samples and units", tiny_norm(2, off),
                  1e-12);
    fixture_free(&f);
}

/* Change of a layer after five steps at width 512 over that at width 32. */
static double growth(const char *parametrization, const char *layer)
{
    double change[2];
    for (int k = 0; k < 2; k++) {
        char model[128], name[64];
        const int width = k ? 512 : 32;
        snprintf(model, sizeof model,
                 "mlp:widths=%dx%d,base-width=32,parametrization=%s,zero-readout=true", width,
                 width, parametrization);
        snprintf(name, sizeof name, "activation-update.%s", layer);
        struct fixture f =
            fixture_of(tiny_dataset(UB_CLASSIFICATION, 5, 0, 4, 3), model, "mse", "gd:lr=0.2");
        TRAIN(&f, 5, "coordinates:at=end");
        change[k] = value_of(f.recorded, 5, name, 0);
        fixture_free(&f);
    }
    return change[1] / change[0];
}

/* 16 times the width: flat under mup, lazier by 1/width under ntk (with a readout from zero),
 * larger under sp. */
static void changes_go_with_width_as_theory_says(void **state)
{
    (void)state;
    static const char *const layers[] = {"hidden1", "hidden2", "output"};
    double worst = 0;
    for (int l = 0; l < 3; l++)
        worst = fmax(worst, fabs(log(growth("mup", layers[l])) / log(16)));
    assert_oracle("law coordinate-check", "theory's exponent under mup, 0, widths 32 to 512", worst,
                  0.1);
    assert_oracle("law coordinate-check", "theory's exponent of hidden layers under ntk, -1",
                  log(growth("ntk", "hidden2")) / log(16) + 1, 0.2);
    assert_near(growth("ntk", "output"), 1, 0.25);
    assert_true(growth("sp", "output") > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipliers_are_the_table),
        cmocka_unit_test(all_start_as_the_same_function),
        cmocka_unit_test(multipliers_are_learning_rates),
        cmocka_unit_test(adam_moves_by_the_rates),
        cmocka_unit_test(readout_may_start_at_zero),
        cmocka_unit_test(coordinates_are_sums_over_units),
        cmocka_unit_test(changes_go_with_width_as_theory_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
