/* Optimizers that evaluate more than the gradient they are given: mini-batches, sam, gauss-newton,
 * lbfgs, gradient flow. */
#include "quadratics.h"

#include <lapacke.h>

/* ---- batches ---- */

/* Batches of 5 of 12 samples: every epoch of the stream holds each sample once. */
static void epochs_hold_every_sample_once(void **state)
{
    (void)state;
    enum { TOTAL = 12, BATCH = 5, DRAWS = 24 };
    int64_t samples[DRAWS * BATCH], again[BATCH];
    struct ub_batches *b = ub_batches_new(TOTAL, BATCH, false, ub_random_stream(9, "batches"));
    struct ub_batches *c = ub_batches_new(TOTAL, BATCH, false, ub_random_stream(9, "batches"));
    for (int k = 0; k < DRAWS; k++) {
        ub_batches_next(b, samples + k * BATCH);
        ub_batches_next(c, again);
        assert_memory_equal(samples + k * BATCH, again, sizeof again);
    }
    bool same = true;
    for (int epoch = 0; epoch < DRAWS * BATCH / TOTAL; epoch++) {
        int seen[TOTAL] = {0};
        for (int i = 0; i < TOTAL; i++)
            seen[samples[epoch * TOTAL + i]]++;
        for (int i = 0; i < TOTAL; i++)
            assert_int_equal(seen[i], 1);
        same = same && memcmp(samples, samples + epoch * TOTAL, TOTAL * sizeof *samples) == 0;
    }
    assert_false(same);
    ub_batches_free(b);
    ub_batches_free(c);
}

/* With replacement each place is uniform: counts within 5 standard deviations. */
static void draws_with_replacement_are_uniform(void **state)
{
    (void)state;
    enum { TOTAL = 10, BATCH = 4, DRAWS = 5000 };
    int64_t samples[BATCH], count[TOTAL] = {0}, repeats = 0;
    struct ub_batches *b = ub_batches_new(TOTAL, BATCH, true, ub_random_stream(9, "batches"));
    for (int k = 0; k < DRAWS; k++) {
        ub_batches_next(b, samples);
        for (int i = 0; i < BATCH; i++)
            count[samples[i]]++;
        repeats += samples[0] == samples[1];
    }
    for (int i = 0; i < TOTAL; i++)
        assert_near((double)count[i], 2000, 5 * sqrt(2000 * 0.9));
    assert_near((double)repeats, 500, 5 * sqrt(500 * 0.9));
    ub_batches_free(b);
}

static void check_same(const struct quadratic *q, const char *sgd, const char *name,
                       const char *options)
{
    struct ub_optimizer *o[2] = {optimizer_on(q, "sgd", sgd), optimizer_on(q, name, options)};
    double theta[2][FEATURES] = {{1, -1, 2, 0.5}, {1, -1, 2, 0.5}}, grad[FEATURES];
    for (int t = 0; t < 20; t++) {
        double loss[2];
        for (int k = 0; k < 2; k++) {
            assert_int_equal(ub_optimizer_batch(o[k]), 0);
            loss[k] = ub_optimizer_gradient(o[k], theta[k], grad);
            ub_optimizer_step(o[k], theta[k], grad);
        }
        assert_true(loss[0] == loss[1]);
        assert_memory_equal(theta[0], theta[1], sizeof theta[0]);
        assert_true(ub_optimizer_threshold(o[0]) == ub_optimizer_threshold(o[1]));
    }
    ub_optimizer_free(o[0]);
    ub_optimizer_free(o[1]);
}

static void sgd_of_the_whole_set_is_gradient_descent(void **state)
{
    (void)state;
    struct quadratic q = quadratic_new();
    check_same(&q, "lr=0.1", "gd", "lr=0.1");
    check_same(&q, "lr=0.1,batch=12", "gd", "lr=0.1");
    check_same(&q, "lr=0.1,batch=12,beta=0.9", "heavy-ball", "lr=0.1,beta=0.9");
    check_same(&q, "lr=0.1,batch=12,beta=0.5,nesterov=true", "nesterov", "lr=0.1,beta=0.5");
    quadratic_free(&q);
}

/* The mean of residual times input over the samples that the stream names, in the scale that the
 * whole set's gradient has. */
static void sgd_steps_along_the_gradient_of_its_batch(void **state)
{
    (void)state;
    struct quadratic q = quadratic_new();
    struct ub_optimizer *o = optimizer_on(&q, "sgd", "lr=0.1,batch=5,beta=0.5");
    struct ub_batches *b =
        ub_batches_new(SAMPLES, 5, false, ub_random_stream(o->training.seed, "batches"));
    double theta[FEATURES] = {1, -1, 2, 0.5}, expected[FEATURES] = {1, -1, 2, 0.5};
    double v[FEATURES] = {0}, grad[FEATURES], whole[FEATURES];
    assert_int_equal(ub_optimizer_batch(o), 5);
    assert_true(isnan(ub_optimizer_threshold(o)));
    for (int t = 0; t < 9; t++) {
        int64_t samples[5];
        double mean[FEATURES] = {0}, all[FEATURES] = {0};
        ub_batches_next(b, samples);
        for (int i = 0; i < SAMPLES + 5; i++) {
            const int64_t k = i < SAMPLES ? i : samples[i - SAMPLES];
            const double *x = q.data->train.inputs + k * FEATURES;
            double residual = -q.data->train.targets[k];
            for (int j = 0; j < FEATURES; j++)
                residual += x[j] * theta[j];
            for (int j = 0; j < FEATURES; j++)
                *(i < SAMPLES ? &all[j] : &mean[j]) += residual * x[j];
        }
        ub_problem_gradient(q.problem, theta, whole);
        ub_optimizer_gradient(o, theta, grad);
        for (int j = 0; j < FEATURES; j++) {
            const double scale = whole[0] / (all[0] / SAMPLES);
            assert_near(grad[j], scale * mean[j] / 5, 1e-12);
            v[j] = 0.5 * v[j] + grad[j];
            expected[j] -= 0.1 * v[j];
        }
        ub_optimizer_step(o, theta, grad);
        for (int j = 0; j < FEATURES; j++)
            assert_near(theta[j], expected[j], 1e-14);
    }
    ub_batches_free(b);
    ub_optimizer_free(o);
    quadratic_free(&q);
}

static void bad_batches_are_refused(void **state)
{
    (void)state;
    struct quadratic q = quadratic_new();
    struct ub_error err = {0};
    struct ub_optimizer *o = ub_optimizer_new("sgd:lr=0.1,batch=13", FEATURES, &err);
    assert_false(ub_optimizer_attach(o, &(struct ub_training){q.problem, 10, 0}, &err));
    assert_input_error(&err, "a batch of 13 samples; expected 1 to 12");
    assert_int_equal(ub_optimizer_bytes("sgd:lr=0.1,batch=13", q.problem, &err), -1);
    assert_input_error(&err, "a batch of 13 samples; expected 1 to 12");
    ub_optimizer_free(o);
    quadratic_free(&q);
}

/* A batch of sequences holds a label a position, not a number a token of the vocabulary. */
static void targets_are_counted_by_their_width(void **state)
{
    (void)state;
    enum { BATCH = 5, VOCABULARY = 40 };
    struct ub_error err = {0};
    struct ub_dataset *data =
        ub_dataset_load("sorting:length=3,samples=20,vocabulary=40", 0, NULL, &err);
    if (!data)
        fail_msg("%s", err.text);
    assert_int_equal(data->outputs, VOCABULARY);
    assert_true(ub_target_width(data) < VOCABULARY);
    struct ub_problem *p = tiny_problem(data, "gpt:width=4,depth=1,heads=1", "ce");
    struct ub_problem *part = ub_problem_batch_new(p, BATCH, &err);
    const int64_t numbers = BATCH * (data->features + ub_target_width(data)) + ub_problem_size(p);
    assert_int_equal(ub_optimizer_bytes("sgd:lr=1,batch=5", p, &err),
                     ub_problem_bytes(part, 0) + numbers * (int64_t)sizeof(double));
    ub_problem_free(part);
    ub_problem_free(p);
    ub_dataset_free(data);
}

static void what_they_hold_is_counted(void **state)
{
    (void)state;
    struct quadratic q = quadratic_new();
    struct ub_error err = {0};
    const int64_t vector = FEATURES * (int64_t)sizeof(double);
    assert_int_equal(ub_optimizer_bytes("gd:lr=1", q.problem, &err), 0);
    assert_int_equal(ub_optimizer_bytes("gd:lr=1,l2=1", q.problem, &err), vector);
    assert_int_equal(ub_optimizer_bytes("adam:lr=1", q.problem, &err), 2 * vector);
    assert_int_equal(ub_optimizer_bytes("lbfgs:lr=1,history=50", q.problem, &err), 104 * vector);
    assert_true(ub_optimizer_bytes("sgd:lr=1,batch=6", q.problem, &err) >
                vector + 6 * (FEATURES + 1) * (int64_t)sizeof(double));
    /* One matrix of 1 x FEATURES: moments and bases of both axes, and eigenvalues, held twice;
     * shampoo's metric */
    const int64_t axes = 2 * (FEATURES * FEATURES + 1) + FEATURES + 1, room = FEATURES;
    const int64_t number = sizeof(double);
    assert_int_equal(ub_optimizer_bytes("shampoo:lr=1", q.problem, &err),
                     (2 * (axes + room) + 3 * FEATURES) * number);
    assert_int_equal(ub_optimizer_bytes("shampoo:lr=1,largest=1", q.problem, &err),
                     (2 * (3 + 2 * FEATURES + room) + 3 * FEATURES) * number);
    assert_int_equal(ub_optimizer_bytes("soap:lr=1", q.problem, &err),
                     (axes + room + 4 * FEATURES) * number);
    quadratic_free(&q);
}

/* ---- sam ---- */

static void sam_is_its_formula(void **state)
{
    (void)state;
    struct quadratic q = quadratic_new();
    for (int normalized = 0; normalized < 2; normalized++) {
        char options[96];
        snprintf(options, sizeof options, "lr=0.1,rho=0.3,l2=0.2,normalized=%s",
                 normalized ? "true" : "false");
        struct ub_optimizer *o = optimizer_on(&q, "sam", options);
        double theta[FEATURES] = {1, -1, 2, 0.5};
        for (int t = 0; t < 4; t++) {
            double loss[FEATURES], grad[FEATURES], top[FEATURES], there[FEATURES], at[FEATURES];
            ub_problem_gradient(q.problem, theta, loss);
            for (int i = 0; i < FEATURES; i++)
                grad[i] = loss[i] + 0.2 * theta[i];
            const double r = normalized ? 0.3 / tiny_norm(FEATURES, grad) : 0.3;
            for (int i = 0; i < FEATURES; i++)
                top[i] = theta[i] + r * grad[i];
            ub_problem_gradient(q.problem, top, there);
            for (int i = 0; i < FEATURES; i++)
                at[i] = theta[i] - 0.1 * (there[i] + 0.2 * top[i]);
            ub_optimizer_see(o, theta, loss);
            assert_near(ub_optimizer_threshold(o), (sqrt(1 + 8 * r / 0.1) - 1) / (2 * r), 1e-10);
            ub_optimizer_step(o, theta, loss);
            for (int i = 0; i < FEATURES; i++)
                assert_near(theta[i], at[i], 1e-14);
        }
        assert_int_equal(o->gradients, 4);
        ub_optimizer_free(o);
    }
    quadratic_free(&q);
}

/* ---- gauss-newton ---- */

static double gradient_norm(const struct quadratic *q, const double *theta)
{
    double grad[FEATURES];
    ub_problem_gradient(q->problem, theta, grad);
    return tiny_norm(FEATURES, grad);
}

static void least_squares_take_one_gauss_newton_step(void **state)
{
    (void)state;
    struct quadratic q = quadratic_scaled(2, 0.3);
    struct ub_optimizer *o = optimizer_on(&q, "gauss-newton", "lr=1,damping=0,tolerance=1e-13");
    double theta[FEATURES] = {1, -1, 2, 0.5}, grad[FEATURES];
    ub_problem_gradient(q.problem, theta, grad);
    ub_optimizer_step(o, theta, grad);
    assert_near(gradient_norm(&q, theta), 0, 1e-11);
    ub_optimizer_free(o);
    quadratic_free(&q);
}

/* On a network, where G is not H: against LAPACK's solution of (G + (damping + l2) I) d = g. */
static void gauss_newton_steps_solve_their_system(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 15, 0, 4, 3);
    struct ub_problem *p = tiny_problem(data, "mlp:widths=5,activation=tanh", "ce");
    const int64_t n = ub_problem_size(p);
    struct ub_optimizer *o =
        ub_optimizer_new("gauss-newton:lr=0.5,damping=0.02,l2=0.01,tolerance=1e-12", n, &err);
    assert_true(ub_optimizer_attach(o, &(struct ub_training){p, 10, 0}, &err));
    double *theta = tiny_normals(n, "theta"), *before = ub_calloc((size_t)n, sizeof *before);
    double *grad = ub_calloc((size_t)n, sizeof *grad), *d = ub_calloc((size_t)n, sizeof *d);
    double *unit = ub_calloc((size_t)(n * n), sizeof *unit);
    double *G = ub_calloc((size_t)(n * n), sizeof *G);
    memcpy(before, theta, (size_t)n * sizeof *theta);
    ub_problem_gradient(p, theta, grad);
    for (int64_t i = 0; i < n; i++)
        unit[i * n + i] = 1;
    ub_problem_linearize(p, theta);
    ub_problem_product(p, UB_GAUSS_NEWTON, n, unit, G);
    for (int64_t i = 0; i < n; i++) {
        G[i * n + i] += 0.03;
        d[i] = grad[i] + 0.01 * theta[i];
    }
    assert_int_equal(LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', (lapack_int)n, 1, G, (lapack_int)n, d, 1),
                     0);
    ub_optimizer_step(o, theta, grad);
    for (int64_t i = 0; i < n; i++)
        assert_near(theta[i], before[i] - 0.5 * d[i], 1e-9);
    ub_free(theta);
    ub_free(before);
    ub_free(grad);
    ub_free(d);
    ub_free(unit);
    ub_free(G);
    ub_optimizer_free(o);
    ub_problem_free(p);
    tiny_free(data);
}

/* ---- lbfgs ---- */

/* Steps until the gradient's norm is below 1e-8; `most` if it never is. */
static int steps_of_lbfgs(const struct quadratic *q, const char *options, int most)
{
    struct ub_optimizer *o = optimizer_on(q, "lbfgs", options);
    double theta[FEATURES] = {1, -1, 2, 0.5}, grad[FEATURES];
    int t = 0;
    double last = INFINITY;
    for (; t < most && gradient_norm(q, theta) > 1e-8; t++) {
        const double loss = ub_problem_gradient(q->problem, theta, grad);
        if (strstr(options, "none") == NULL)
            assert_true(loss <= last); /* every step of the line search descends */
        last = loss;
        ub_optimizer_step(o, theta, grad);
    }
    ub_optimizer_free(o);
    return t;
}

/* With exact searches and a long history L-BFGS is conjugate gradients: n steps (Nocedal and Wright
 * 2006, theorem 6.4), and a few more for searches that are not quite exact. */
static void lbfgs_solves_quadratics(void **state)
{
    (void)state;
    struct quadratic round = quadratic_new(), flat = quadratic_scaled(3, 0.3);
    assert_true(steps_of_lbfgs(&round, "lr=1,curvature=0.0001", 50) <= FEATURES + 2);
    assert_true(steps_of_lbfgs(&flat, "lr=1,curvature=0.0001", 50) <= FEATURES + 4);
    assert_true(steps_of_lbfgs(&round, "lr=1", 50) < 50);
    assert_true(steps_of_lbfgs(&round, "lr=1,history=1", 200) < 200);
    assert_true(steps_of_lbfgs(&flat, "lr=1,history=2", 200) < 200);
    assert_true(steps_of_lbfgs(&round, "lr=1,line-search=none", 200) < 200);
    quadratic_free(&round);
    quadratic_free(&flat);
}

/* One pair kept: B written out as a matrix, (I - s y'/y's) gamma (I - y s'/y's) + s s'/y's. */
static void lbfgs_directions_are_the_matrix_formula(void **state)
{
    (void)state;
    struct quadratic q = quadratic_new();
    struct ub_optimizer *o = optimizer_on(&q, "lbfgs", "lr=0.5,history=1,line-search=none");
    double theta[FEATURES] = {1, -1, 2, 0.5}, before[FEATURES], g0[FEATURES], g1[FEATURES];
    double s[FEATURES], y[FEATURES], u[FEATURES], d[FEATURES], sy = 0, yy = 0, sg = 0, yu = 0;
    memcpy(before, theta, sizeof theta);
    ub_problem_gradient(q.problem, theta, g0);
    ub_optimizer_step(o, theta, g0);
    const double norm = tiny_norm(FEATURES, g0);
    for (int i = 0; i < FEATURES; i++)
        assert_near(theta[i], before[i] - 0.5 * fmin(1, 1 / norm) * g0[i], 1e-14);
    ub_problem_gradient(q.problem, theta, g1);
    for (int i = 0; i < FEATURES; i++) {
        s[i] = theta[i] - before[i];
        y[i] = g1[i] - g0[i];
        sy += s[i] * y[i];
        yy += y[i] * y[i];
        sg += s[i] * g1[i];
    }
    for (int i = 0; i < FEATURES; i++) {
        u[i] = sy / yy * (g1[i] - y[i] * sg / sy);
        yu += y[i] * u[i];
    }
    for (int i = 0; i < FEATURES; i++)
        d[i] = u[i] - s[i] * yu / sy + s[i] * sg / sy;
    memcpy(before, theta, sizeof theta);
    ub_optimizer_step(o, theta, g1);
    for (int i = 0; i < FEATURES; i++)
        assert_near(theta[i], before[i] - 0.5 * d[i], 1e-13);
    ub_optimizer_free(o);
    quadratic_free(&q);
}

/* ---- gradient flow ---- */

/* g(theta(t)) = exp(-t H) g(theta(0)) on a quadratic, by H's eigenvectors. */
static void flow_on_a_quadratic_is_exponential(void **state)
{
    (void)state;
    struct quadratic q = quadratic_new();
    double unit[FEATURES * FEATURES] = {0}, V[FEATURES * FEATURES], values[FEATURES];
    double theta[FEATURES] = {1, -1, 2, 0.5}, start[FEATURES], grad[FEATURES];
    for (int i = 0; i < FEATURES; i++)
        unit[i * (FEATURES + 1)] = 1;
    ub_problem_linearize(q.problem, theta);
    ub_problem_hvp(q.problem, FEATURES, unit, V);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', FEATURES, V, FEATURES, values), 0);
    struct ub_optimizer *o = optimizer_on(&q, "gradient-flow", "lr=0.4,tolerance=1e-10");
    ub_problem_gradient(q.problem, theta, start);
    for (int t = 1; t <= 5; t++) {
        ub_problem_gradient(q.problem, theta, grad);
        ub_optimizer_step(o, theta, grad);
        ub_problem_gradient(q.problem, theta, grad);
        for (int i = 0; i < FEATURES; i++) {
            double exact = 0;
            for (int k = 0; k < FEATURES; k++)
                for (int j = 0; j < FEATURES; j++)
                    exact += V[i * FEATURES + k] * exp(-0.4 * t * values[k]) * V[j * FEATURES + k] *
                             start[j];
            assert_near(grad[i], exact, 1e-8);
        }
    }
    assert_true(isnan(ub_optimizer_threshold(o)));
    ub_optimizer_free(o);
    quadratic_free(&q);
}

/* Far above any edge of gradient descent: the error control keeps the flow on its way down. */
static void flow_is_stable_at_any_rate(void **state)
{
    (void)state;
    struct quadratic q = quadratic_new();
    struct ub_optimizer *o = optimizer_on(&q, "gradient-flow", "lr=1000,tolerance=1e-8");
    double theta[FEATURES] = {1, -1, 2, 0.5}, grad[FEATURES];
    ub_problem_gradient(q.problem, theta, grad);
    ub_optimizer_step(o, theta, grad);
    assert_near(gradient_norm(&q, theta), 0, 1e-6);
    assert_true(o->gradients > 1000); /* h s < 2.51 took them */
    ub_optimizer_free(o);
    quadratic_free(&q);
}

/* W2'W2 - W1 W1' of a deep linear network is constant along the flow (Saxe et al. 2014,
 * arXiv:1312.6120; Arora et al. 2018, arXiv:1802.06509). */
static double imbalance(const struct ub_problem *p, const double *theta, int64_t i, int64_t j)
{
    const struct ub_layout *layout = ub_problem_layout(p);
    const struct ub_param *first = &layout->params[0], *second = &layout->params[1];
    double sum = 0;
    for (int64_t k = 0; k < second->shape[0]; k++)
        sum += theta[second->offset + k * second->shape[1] + i] *
               theta[second->offset + k * second->shape[1] + j];
    for (int64_t k = 0; k < first->shape[1]; k++)
        sum -= theta[first->offset + i * first->shape[1] + k] *
               theta[first->offset + j * first->shape[1] + k];
    return sum;
}

static void flow_conserves_the_balance_of_layers(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 20, 0, 4, 2);
    struct ub_problem *p = tiny_problem(data, "deep-linear:widths=3", "mse");
    const int64_t n = ub_problem_size(p);
    assert_int_equal(ub_problem_layout(p)->count, 2);
    struct ub_optimizer *o = ub_optimizer_new("gradient-flow:lr=1,tolerance=1e-10", n, &err);
    assert_true(ub_optimizer_attach(o, &(struct ub_training){p, 10, 0}, &err));
    double *theta = tiny_normals(n, "theta"), *start = ub_calloc((size_t)n, sizeof *start);
    double *grad = ub_calloc((size_t)n, sizeof *grad);
    memcpy(start, theta, (size_t)n * sizeof *theta);
    for (int t = 0; t < 5; t++) {
        ub_problem_gradient(p, theta, grad);
        ub_optimizer_step(o, theta, grad);
    }
    assert_true(tiny_error(n, theta, start) > 0.1);
    for (int64_t i = 0; i < 3; i++)
        for (int64_t j = 0; j < 3; j++)
            assert_near(imbalance(p, theta, i, j), imbalance(p, start, i, j), 1e-8);
    ub_free(theta);
    ub_free(start);
    ub_free(grad);
    ub_optimizer_free(o);
    ub_problem_free(p);
    tiny_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_hold_every_sample_once),
        cmocka_unit_test(draws_with_replacement_are_uniform),
        cmocka_unit_test(sgd_of_the_whole_set_is_gradient_descent),
        cmocka_unit_test(sgd_steps_along_the_gradient_of_its_batch),
        cmocka_unit_test(bad_batches_are_refused),
        cmocka_unit_test(targets_are_counted_by_their_width),
        cmocka_unit_test(what_they_hold_is_counted),
        cmocka_unit_test(sam_is_its_formula),
        cmocka_unit_test(least_squares_take_one_gauss_newton_step),
        cmocka_unit_test(gauss_newton_steps_solve_their_system),
        cmocka_unit_test(lbfgs_solves_quadratics),
        cmocka_unit_test(lbfgs_directions_are_the_matrix_formula),
        cmocka_unit_test(flow_on_a_quadratic_is_exponential),
        cmocka_unit_test(flow_is_stable_at_any_rate),
        cmocka_unit_test(flow_conserves_the_balance_of_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
