/* Twins and the barriers between them and their run. Oracles: wells whose barrier is known by hand,
 * a permuted network evaluated in plain C, convex losses, and twins trained by hand. */
#include "observing.h"

#include "bench/observables/line.h"

#include <math.h>

enum { POINTS = 21 };

/* ---- lines ---- */

/* L = (w1 w2 - 1)^2/2 has wells at (1, 1) and (-1, -1); half way lies (0, 0), L = 1/2, and at t
 * w1 w2 = (1 - 2t)^2. The model's parameters are deviations from its start, 0.5. */
static void two_wells_have_the_barrier_of_the_hill_between(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 1, 0, 1, 1);
    data->train.inputs[0] = data->train.targets[0] = 1;
    struct ub_problem *p = tiny_problem(data, "scalar-chain:depth=2", "mse");
    assert_non_null(p);
    const double a[] = {0.5, 0.5}, b[] = {-1.5, -1.5};
    double room[2], loss[POINTS], error[POINTS], worst = 0;
    ub_line_walk(p, false, a, b, POINTS, room, loss, error);
    for (int i = 0; i < POINTS; i++) {
        const double t = i / (POINTS - 1.0), product = (1 - 2 * t) * (1 - 2 * t);
        worst = fmax(worst, fabs(loss[i] - (product - 1) * (product - 1) / 2));
        assert_true(isnan(error[i])); /* of a regression */
    }
    assert_oracle("observable fork-barrier", "the hill between two wells, by hand", worst, 1e-15);
    assert_near(ub_line_loss_barrier(POINTS, loss), 0.5, 1e-15);
    ub_problem_free(p);
    tiny_free(data);
}

/* f(x) = sum_j v_j tanh(u_j . x + c_j) + d, parameters in the layout's order. */
static double two_units(const double *theta, const double *x, int features)
{
    double out = theta[2 * features + 4];
    for (int j = 0; j < 2; j++) {
        double sum = theta[2 * features + j];
        for (int k = 0; k < features; k++)
            sum += theta[j * features + k] * x[k];
        out += theta[2 * features + 2 + j] * tanh(sum);
    }
    return out;
}

/* Units exchanged: the same function at both ends, and another between, where units are mixed. */
static void a_permuted_network_has_the_barrier_of_mixed_units(void **state)
{
    (void)state;
    enum { FEATURES = 3, SIZE = 2 * FEATURES + 5 };
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 9, 0, FEATURES, 1);
    struct ub_problem *p = tiny_problem(data, "mlp:widths=2,activation=tanh", "mse");
    assert_int_equal(ub_problem_size(p), SIZE);
    double a[SIZE], b[SIZE], room[SIZE], loss[POINTS], error[POINTS], most = 0, worst = 0;
    for (int i = 0; i < SIZE; i++)
        b[i] = a[i] = sin(3.0 * i + 1);
    for (int k = 0; k < FEATURES; k++) {
        b[k] = a[FEATURES + k];
        b[FEATURES + k] = a[k];
    }
    for (int j = 0; j < 2; j++) {
        b[2 * FEATURES + j] = a[2 * FEATURES + 1 - j];
        b[2 * FEATURES + 2 + j] = a[2 * FEATURES + 3 - j];
    }
    for (int64_t i = 0; i < 9; i++) /* what the ends compute is learned: they are wells */
        data->train.targets[i] = two_units(a, data->train.inputs + i * FEATURES, FEATURES);
    ub_line_walk(p, false, a, b, POINTS, room, loss, error);
    for (int i = 0; i < POINTS; i++) {
        const double t = i / (POINTS - 1.0);
        double sum = 0, theta[SIZE];
        for (int k = 0; k < SIZE; k++)
            theta[k] = a[k] + t * (b[k] - a[k]);
        for (int64_t s = 0; s < 9; s++)
            sum += pow(two_units(theta, data->train.inputs + s * FEATURES, FEATURES) -
                           data->train.targets[s],
                       2);
        worst = fmax(worst, fabs(loss[i] - sum / 18));
        most = fmax(most, sum / 18);
    }
    assert_oracle("observable fork-barrier", "a network of mixed units in plain C", worst, 1e-14);
    assert_true(most > 0.01);
    assert_near(ub_line_loss_barrier(POINTS, loss), most, 1e-14);
    ub_problem_free(p);
    tiny_free(data);
}

/* By their definitions, of numbers one can add up. */
static void barriers_are_as_defined(void **state)
{
    (void)state;
    const double hill[] = {0.1, 0.5, 0.3}, slope[] = {0.1, 0.2, 0.3}, gone[] = {0, NAN, 0};
    assert_near(ub_line_loss_barrier(3, hill), 0.5 - 0.2, 1e-16);
    assert_near(ub_line_error_barrier(3, hill), 0.5 - 0.2, 1e-16);
    assert_near(ub_line_loss_barrier(3, slope), 0, 1e-16);
    assert_near(ub_line_error_barrier(3, slope), 0.1, 1e-16); /* half of what the ends differ by */
    assert_true(isnan(ub_line_loss_barrier(3, gone)) && isnan(ub_line_error_barrier(3, gone)));
}

/* ---- twins ---- */

/* As a run goes: observed, then a step on a mini-batch. */
static void run(struct fixture *f, const char *text, int64_t steps)
{
    struct ub_error err = {0};
    struct ub_observers *o = ub_observers_new(&text, 1, "test", &err);
    if (!o)
        fail_msg("%s", err.text);
    memset(f->recorded, 0, sizeof *f->recorded);
    for (int64_t step = 0;; step++) {
        measure(f, o, step, steps);
        if (step == steps)
            break;
        ub_optimizer_gradient(f->optimizer, f->theta, f->grad);
        ub_optimizer_step(f->optimizer, f->theta, f->grad);
    }
    ub_observers_free(o);
}

/* Up to its fork a twin is the run, bit by bit, whatever the optimizer keeps; then it is not. */
static void twins_are_the_run_up_to_the_fork(void **state)
{
    (void)state;
    size_t kinds = 0;
    for (size_t i = 0; ub_optimizers[i]; i++) {
        struct ub_error ignored = {0};
        char text[64];
        snprintf(text, sizeof text, "%s:lr=0.01,batch=5", ub_optimizers[i]->name);
        struct ub_optimizer *o = ub_optimizer_new(text, 3, &ignored);
        ub_optimizer_free(o);
        if (!o || strcmp(ub_optimizers[i]->name, "ridge") == 0) /* solves for the whole set */
            continue;
        struct fixture f = fixture_new(text);
        run(&f, "fork-barrier:forks=0+3,points=3,every=3,test=false", 6);
        kinds++;
        assert_near(value_of(f.recorded, 0, "fork-distance", 0), 0, 0);
        assert_near(value_of(f.recorded, 3, "fork-distance", 3), 0, 0);
        assert_near(value_of(f.recorded, 3, "loss-barrier", 3), 0, 0);
        assert_null(find_row(f.recorded, 0, "fork-distance", 3));
        const double early = value_of(f.recorded, 6, "fork-distance", 0);
        const double late = value_of(f.recorded, 6, "fork-distance", 3);
        if (!(early > 0 && late > 0))
            fail_msg("%s: twins %g and %g away", text, early, late);
        fixture_free(&f);
    }
    print_message("%zu optimizers\n", kinds);
    assert_true(kinds > 20);
}

/* A twin by hand: the run's batches up to the fork, then those of (seed, "batches.twin2"). */
static void twin_takes_the_batches_of_its_own_stream(void **state)
{
    (void)state;
    enum { FORK = 4, END = 11, BATCH = 5 };
    struct fixture f = fixture_new("sgd:lr=relative(0.5),batch=5,beta=0.9,replacement=true");
    struct ub_error err = {0};
    assert_true(ub_optimizer_resolve(f.optimizer, 3.0, &err));
    const double lr = f.optimizer->lr;
    run(&f, "fork-barrier:forks=4,points=3,twin=2", END);
    double *theta = ub_calloc((size_t)f.size, sizeof *theta), *grad = ub_calloc((size_t)f.size, 8);
    double *v = ub_calloc((size_t)f.size, sizeof *v), apart = 0, loss = 0, error = 0;
    memcpy(theta, f.theta0, (size_t)f.size * sizeof *theta);
    struct ub_problem *part = ub_problem_batch_new(f.problem, BATCH, &err);
    struct ub_random own = ub_random_stream(3, "batches"), other;
    other = ub_random_stream(3, "batches.twin2");
    for (int step = 0; step < END; step++) {
        int64_t samples[BATCH];
        for (int i = 0; i < BATCH; i++)
            samples[i] = ub_random_below(step < FORK ? &own : &other, f.data->train.count);
        ub_problem_take(part, samples);
        ub_problem_gradient(part, theta, grad);
        for (int64_t i = 0; i < f.size; i++) {
            v[i] = 0.9 * v[i] + grad[i];
            theta[i] -= lr * v[i];
        }
    }
    for (int64_t i = 0; i < f.size; i++)
        apart += (theta[i] - f.theta[i]) * (theta[i] - f.theta[i]);
    assert_near(value_of(f.recorded, END, "fork-distance", FORK), sqrt(apart), 1e-14);
    ub_problem_evaluate(f.problem, true, theta, &loss, &error);
    assert_near(value_of(f.recorded, END, "twin-test-loss", FORK), loss, 1e-14);
    assert_near(value_of(f.recorded, END, "twin-test-error", FORK), 1 - error, 1e-14);
    for (int64_t i = 0; i < f.size; i++)
        theta[i] = (theta[i] + f.theta[i]) / 2;
    ub_problem_evaluate(f.problem, false, theta, &loss, &error);
    assert_near(value_of(f.recorded, END, "line-loss.4", 1), loss, 1e-14);
    assert_near(value_of(f.recorded, END, "line-error.4", 1), 1 - error, 1e-14);
    ub_problem_free(part);
    ub_free(theta);
    ub_free(grad);
    ub_free(v);
    fixture_free(&f);
}

/* The loss of a linear model is convex: no point of a line is above its chord. */
static void convex_losses_have_no_barrier(void **state)
{
    (void)state;
    static const char *const losses[] = {"mse", "ce"};
    for (int l = 0; l < 2; l++) {
        struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3), "linear",
                                      losses[l], "sgd:lr=0.3,batch=2");
        run(&f, "fork-barrier:forks=0+5+40,points=101", 60);
        for (int64_t fork = 0; fork <= 40; fork += fork ? 35 : 5) {
            const double barrier = value_of(f.recorded, 60, "loss-barrier", fork);
            const double of_test = value_of(f.recorded, 60, "test-loss-barrier", fork);
            assert_true(value_of(f.recorded, 60, "fork-distance", fork) > 0.01);
            print_message("%s, fork %d: barriers %.2g, %.2g\n", losses[l], (int)fork, barrier,
                          of_test);
            assert_true(barrier <= 1e-15 && of_test <= 1e-15);
        }
        fixture_free(&f);
    }
}

/* Without noise there is nothing that twins could differ in. */
static void full_batches_have_no_twins(void **state)
{
    (void)state;
    static const char *const texts[] = {"gd:lr=0.1", "sgd:lr=0.1,batch=20"};
    for (int i = 0; i < 2; i++) {
        struct fixture f = fixture_new(texts[i]);
        run(&f, "fork-barrier", 3);
        assert_int_equal(f.recorded->n_rows, 0);
        fixture_free(&f);
    }
}

static void bad_forks_are_refused(void **state)
{
    (void)state;
    static const char *const forks[] = {"end", "3+3", "5+2", "-1", "1+", "0++1", "1.5"};
    for (size_t i = 0; i < sizeof forks / sizeof *forks; i++) {
        struct ub_error err = {0};
        char text[64];
        snprintf(text, sizeof text, "fork-barrier:forks=%s", forks[i]);
        assert_null(ub_observable_canonical(text, "s.yaml:3", NULL, &err));
        assert_input_error(&err, "s.yaml:3: fork-barrier: forks=");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_wells_have_the_barrier_of_the_hill_between),
        cmocka_unit_test(a_permuted_network_has_the_barrier_of_mixed_units),
        cmocka_unit_test(barriers_are_as_defined),
        cmocka_unit_test(twins_are_the_run_up_to_the_fork),
        cmocka_unit_test(twin_takes_the_batches_of_its_own_stream),
        cmocka_unit_test(convex_losses_have_no_barrier),
        cmocka_unit_test(full_batches_have_no_twins),
        cmocka_unit_test(bad_forks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
