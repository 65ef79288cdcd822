/* Why RMSProp settles above its edge: what its preconditioner is on average, weighted by the
 * gradients that it divides (systems/optimizers/rmsprop.c). */
#include "metrics.h"
#include "tests/support.h"

#include "systems/systems.h"

#include <math.h>
#include <string.h>

/* A run, and what it gathers over a window of steps. */
struct walk {
    struct ub_problem *problem;
    struct ub_optimizer *optimizer;
    int64_t n;
    double *theta, *grad, *diagonal;   /* P at this step */
    double *mean, *weighted, *squares; /* theta; sum of g^2/P; sum of g^2 */
    double *at_once;                   /* 1/P in the middle of the window */
    double *vector, *root, *product;
};

static double *numbers(const struct walk *w)
{
    return ub_calloc((size_t)w->n, sizeof(double));
}

static struct walk walk_new(struct ub_dataset *data, const char *optimizer)
{
    struct ub_error err = {0};
    struct walk w = {0};
    w.problem = ub_problem_new(
        &(struct ub_problem_spec){
            .model = "mlp:widths=16", .loss = "mse", .init = "pytorch", .data = data, .threads = 1},
        &err);
    if (!w.problem)
        fail_msg("%s", err.text);
    w.n = ub_problem_size(w.problem);
    w.optimizer = ub_optimizer_new(optimizer, w.n, &err);
    assert_true(
        ub_optimizer_attach(w.optimizer, &(struct ub_training){.problem = w.problem}, &err));
    double **all[] = {&w.theta,   &w.grad,    &w.diagonal, &w.mean, &w.weighted,
                      &w.squares, &w.at_once, &w.vector,   &w.root, &w.product};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = numbers(&w);
    ub_problem_init(w.problem, 0, w.theta);
    return w;
}

static void walk_free(struct walk *w)
{
    double *all[] = {w->theta,   w->grad,    w->diagonal, w->mean, w->weighted,
                     w->squares, w->at_once, w->vector,   w->root, w->product};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ub_free(all[i]);
    ub_optimizer_free(w->optimizer);
    ub_problem_free(w->problem);
}

static void one_window(struct walk *w, int64_t steps)
{
    memset(w->mean, 0, (size_t)w->n * sizeof(double));
    memset(w->weighted, 0, (size_t)w->n * sizeof(double));
    memset(w->squares, 0, (size_t)w->n * sizeof(double));
    for (int64_t t = 0; t < steps; t++) {
        ub_problem_gradient(w->problem, w->theta, w->grad);
        metric_diagonal(w->optimizer, w->theta, w->grad, w->diagonal);
        for (int64_t i = 0; i < w->n; i++) {
            w->mean[i] += w->theta[i] / (double)steps;
            w->weighted[i] += w->grad[i] * w->grad[i] / w->diagonal[i];
            w->squares[i] += w->grad[i] * w->grad[i];
            w->at_once[i] = t == steps / 2 ? 1 / w->diagonal[i] : w->at_once[i];
        }
        ub_optimizer_step(w->optimizer, w->theta, w->grad);
    }
}

/* Top eigenvalue of D^1/2 H D^1/2 at the window's mean weights, over 2/lr: powers. */
static double ratio(struct walk *w, const double *diagonal, double lr)
{
    double size = 0;
    for (int64_t i = 0; i < w->n; i++) {
        w->root[i] = sqrt(diagonal[i]);
        w->vector[i] = 1;
    }
    ub_problem_linearize(w->problem, w->mean);
    for (int power = 0; power < 100; power++) {
        for (int64_t i = 0; i < w->n; i++)
            w->vector[i] *= w->root[i] / (size > 0 ? size : 1);
        ub_problem_hvp(w->problem, 1, w->vector, w->product);
        size = 0;
        for (int64_t i = 0; i < w->n; i++) {
            w->vector[i] = w->root[i] * w->product[i];
            size += w->vector[i] * w->vector[i];
        }
        size = sqrt(size);
    }
    return size * lr / 2;
}

/* Means over the windows of the second half. */
static void settle(double beta, int64_t steps, int64_t windows, double *at_once, double *weighted)
{
    const double lr = 0.001;
    struct ub_error err = {0};
    struct ub_dataset *data = ub_dataset_load("digits:scale=center,size=100", 0, NULL, &err);
    char text[64];
    snprintf(text, sizeof text, "rmsprop:lr=%g,beta=%g", lr, beta);
    struct walk w = walk_new(data, text);
    *at_once = *weighted = 0;
    for (int64_t k = 0; k < windows; k++) {
        one_window(&w, steps);
        if (2 * k < windows)
            continue;
        const double share = 1 / (double)(windows - (windows + 1) / 2);
        *at_once += share * ratio(&w, w.at_once, lr);
        for (int64_t i = 0; i < w.n; i++)
            w.weighted[i] = w.squares[i] > 0 ? w.weighted[i] / w.squares[i] : 0;
        *weighted += share * ratio(&w, w.weighted, lr);
    }
    print_message("beta %g: over 2/lr, P of one step %.3f, weighted %.3f\n", beta, *at_once,
                  *weighted);
    walk_free(&w);
    ub_dataset_free(data);
}

/* The P of one step puts sharpness 7% above 2/lr at beta = 0.99 and 28% at 0.9; the weighted mean
 * leaves less than half of it, in fact a fifth. */
static void the_weighted_preconditioner_is_at_the_edge(void **state)
{
    (void)state;
    double fast, fast_weighted, slow, slow_weighted;
    settle(0.9, 100, 12, &fast, &fast_weighted);
    settle(0.99, 200, 8, &slow, &slow_weighted);
    assert_true(fast > 1.15 && slow > 1.03 && fast > slow);
    assert_near(fast_weighted, 1, 0.10);
    assert_near(slow_weighted, 1, 0.03);
    assert_true(fast_weighted - 1 < (fast - 1) / 2 && slow_weighted - 1 < (slow - 1) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_weighted_preconditioner_is_at_the_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
