/* The closed-form solver against normal equations, kernel regression and long gradient descent,
 * each solved here by other means: Cholesky of X X' or X'X, and steps. */
#include "support.h"
#include "tiny.h"

#include <lapacke.h>
#include <string.h>

enum { SEED = 5 };

struct fitted {
    struct ub_dataset *data;
    struct ub_problem *problem;
    int64_t size;
    double *start, *theta;
};

static struct fitted fit(struct ub_dataset *data, const char *model, const char *optimizer,
                         double scale)
{
    struct ub_error err = {0};
    struct fitted f = {.data = data, .problem = tiny_problem(data, model, "mse")};
    f.size = ub_problem_size(f.problem);
    f.start = ub_calloc((size_t)f.size, sizeof *f.start);
    f.theta = ub_calloc((size_t)f.size, sizeof *f.theta);
    double *grad = ub_calloc((size_t)f.size, sizeof *grad);
    ub_problem_init(f.problem, SEED, f.start);
    for (int64_t i = 0; i < f.size; i++)
        f.theta[i] = f.start[i] *= scale;
    struct ub_optimizer *o = ub_optimizer_new(optimizer, f.size, &err);
    if (!o || !ub_optimizer_attach(o, &(struct ub_training){f.problem, 1, SEED}, &err))
        fail_msg("%s", err.text);
    ub_problem_gradient(f.problem, f.theta, grad);
    ub_optimizer_step(o, f.theta, grad);
    ub_optimizer_free(o);
    ub_free(grad);
    return f;
}

static void fitted_free(struct fitted *f)
{
    ub_free(f->start);
    ub_free(f->theta);
    ub_problem_free(f->problem);
    tiny_free(f->data);
}

/* (G + delta I)^-1 B by Cholesky, G n x n from rows a (n x k): G = a a'. B: n x columns, row-major,
 * is replaced. */
static void solve_gram(int64_t n, int64_t k, const double *a, double delta, int64_t columns,
                       double *B)
{
    double *G = ub_calloc((size_t)(n * n), sizeof *G);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            G[i * n + j] = tiny_dot(k, a + i * k, a + j * k) + (i == j ? delta : 0);
    assert_int_equal(LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', (lapack_int)n, (lapack_int)columns, G,
                                   (lapack_int)n, B, (lapack_int)columns),
                     0);
    ub_free(G);
}

/* W (outputs x features) = Y' (X X' + delta I)^-1 X: the dual form. */
static double *dual_solution(const struct ub_dataset *d, double delta)
{
    const int64_t n = d->train.count, K = d->outputs, D = d->features;
    double *alpha = ub_calloc((size_t)(n * K), sizeof *alpha);
    double *W = ub_calloc((size_t)(K * D), sizeof *W);
    memcpy(alpha, d->train.targets, (size_t)(n * K) * sizeof *alpha);
    solve_gram(n, D, d->train.inputs, delta, K, alpha);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < K; k++)
            for (int64_t j = 0; j < D; j++)
                W[k * D + j] += alpha[i * K + k] * d->train.inputs[i * D + j];
    ub_free(alpha);
    return W;
}

/* From zero: of fewer samples than features, and of more (the dual form needs a ridge then), the
 * solutions of the dual normal equations. */
static void from_zero_it_is_kernel_regression(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        const char *optimizer;
        double delta;
    } cases[] = {{12, "ridge", 0},
                 {12, "ridge:ridge=0.7", 0.7},
                 {12, "ridge:l2=0.25", 12 * 0.25}, /* n l2 */
                 {12, "ridge:l2=0.25,ridge=2", 12 * 0.25 + 2},
                 {50, "ridge:ridge=0.7", 0.7},
                 {30, "ridge:ridge=3", 3}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct fitted f = fit(tiny_dataset(UB_REGRESSION, cases[c].n, 0, 30, 3),
                              "linear:bias=false", cases[c].optimizer, 0);
        double *W = dual_solution(f.data, cases[c].delta);
        const double error = tiny_error(f.size, f.theta, W);
        print_message("%s, n = %lld: %.1e from the dual normal equations\n", cases[c].optimizer,
                      (long long)cases[c].n, error);
        assert_true(error < 1e-11); /* condition numbers are below 1e3 */
        ub_free(W);
        fitted_free(&f);
    }
}

/* X'X w = X'y. */
static void more_samples_than_parameters_is_least_squares(void **state)
{
    (void)state;
    enum { N = 40, D = 7 };
    struct fitted f = fit(tiny_dataset(UB_REGRESSION, N, 0, D, 1), "linear:bias=false", "ridge", 1);
    double columns[D * N], w[D] = {0};
    for (int j = 0; j < D; j++)
        for (int i = 0; i < N; i++) {
            columns[j * N + i] = f.data->train.inputs[i * D + j];
            w[j] += columns[j * N + i] * f.data->train.targets[i];
        }
    solve_gram(D, N, columns, 0, 1, w);
    assert_true(tiny_error(D, f.theta, w) < 1e-11);
    fitted_free(&f);
}

/* From elsewhere: the gradient of the objective in the head of ridge.c is 0 at the solution, which
 * its strict convexity makes the only such point. */
static void the_objective_is_stationary(void **state)
{
    (void)state;
    static const char *const models[] = {"linear", "random-features:width=40,activation=tanh"};
    static const double l2[] = {0, 0.3, 0.3}, ridge[] = {1.5, 0, 1.5};
    for (size_t m = 0; m < 2; m++)
        for (size_t c = 0; c < 3; c++) {
            char text[64];
            snprintf(text, sizeof text, "ridge:l2=%g,ridge=%g", l2[c], ridge[c]);
            struct fitted f = fit(tiny_dataset(UB_REGRESSION, 15, 0, 6, 2), models[m], text, 1);
            double *grad = ub_calloc((size_t)f.size, sizeof *grad), size = 0;
            ub_problem_gradient(f.problem, f.theta, grad);
            for (int64_t i = 0; i < f.size; i++) {
                size = fmax(size, fabs(grad[i]));
                grad[i] += l2[c] * f.theta[i] + ridge[c] / 15 * (f.theta[i] - f.start[i]);
            }
            assert_true(size > 1e-3); /* the loss alone is not */
            assert_true(tiny_norm(f.size, grad) < 1e-12);
            ub_free(grad);
            fitted_free(&f);
        }
}

/* Without ridge: all targets met, and no part of the way was along a direction that changes no
 * output: projected on the rows of J, here those of the inputs with a 1 for the bias, all of it
 * stays. */
static void the_way_from_the_start_is_shortest(void **state)
{
    (void)state;
    enum { N = 8, D = 20, W = D + 1 };
    struct fitted f = fit(tiny_dataset(UB_REGRESSION, N, 0, D, 1), "linear", "ridge", 1);
    double rows[N * W], part[N], way[W], along[W] = {0};
    for (int i = 0; i < N; i++) {
        memcpy(rows + i * W, f.data->train.inputs + i * D, D * sizeof *rows);
        rows[i * W + D] = 1;
    }
    for (int j = 0; j < W; j++)
        way[j] = f.theta[j] - f.start[j];
    for (int i = 0; i < N; i++)
        part[i] = tiny_dot(W, rows + i * W, way);
    solve_gram(N, W, rows, 0, 1, part);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < W; j++)
            along[j] += part[i] * rows[i * W + j];
    assert_true(tiny_norm(W, f.start) > 0.1);
    assert_true(tiny_error(W, along, way) < 1e-11);
    assert_true(ub_problem_loss(f.problem, f.theta) < 1e-24);
    fitted_free(&f);
}

/* 30000 steps of gradient descent at 1/sharpness from the same start: slow modes of curvature s
 * keep (1 - s/top)^steps of their error, below 1e-10 for s > top/1000. */
static void gradient_descent_tends_to_it(void **state)
{
    (void)state;
    enum { STEPS = 30000 };
    struct fitted f = fit(tiny_dataset(UB_REGRESSION, 6, 0, 10, 1),
                          "random-features:width=30,activation=tanh", "ridge", 1);
    double *theta = ub_calloc((size_t)f.size, sizeof *theta);
    double *grad = ub_calloc((size_t)f.size, sizeof *grad), top = 0;
    memcpy(theta, f.start, (size_t)f.size * sizeof *theta);
    double *v = tiny_normals(f.size, "power");
    ub_problem_linearize(f.problem, theta);
    for (int k = 0; k < 200; k++) { /* power iteration, 1% above for what it lacks */
        ub_problem_hvp(f.problem, 1, v, grad);
        top = 1.01 * tiny_norm(f.size, grad) / tiny_norm(f.size, v);
        for (int64_t i = 0; i < f.size; i++)
            v[i] = grad[i] / tiny_norm(f.size, grad);
    }
    for (int t = 0; t < STEPS; t++) {
        ub_problem_gradient(f.problem, theta, grad);
        for (int64_t i = 0; i < f.size; i++)
            theta[i] -= grad[i] / top;
    }
    const double error = tiny_error(f.size, theta, f.theta);
    print_message("gradient descent ends %.1e from the solution\n", error);
    assert_true(error < 1e-6);
    ub_free(v);
    ub_free(grad);
    ub_free(theta);
    fitted_free(&f);
}

/* y_k = sqrt(lambda_k) theta_k for every input: theta_k = mean target / sqrt(lambda_k). A start at
 * lr 0.5 goes half of the way. */
static void a_share_of_the_way_by_hand(void **state)
{
    (void)state;
    enum { N = 9, K = 4 };
    for (int half = 0; half < 2; half++) {
        struct fitted f = fit(tiny_dataset(UB_REGRESSION, N, 0, 2, K), "quadratic:top=4,exponent=1",
                              half ? "ridge:lr=0.5" : "ridge", 1);
        for (int k = 0; k < K; k++) {
            double mean = 0;
            for (int i = 0; i < N; i++)
                mean += f.data->train.targets[i * K + k] / N;
            const double there = mean / sqrt(4.0 / (k + 1));
            assert_near(f.theta[k], half ? (there + f.start[k]) / 2 : there, 1e-13);
        }
        fitted_free(&f);
    }
}

/* Frozen parameters are drawn at the start and stay: attaching does not draw them anew. */
static void attaching_leaves_frozen_parameters(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 5, 0, 3, 1);
    struct ub_problem *p = tiny_problem(data, "random-features:width=4,zero-readout=true", "mse");
    double theta[4], before[4], after[4];
    const double *frozen;
    ub_problem_init(p, 1, theta);
    for (int i = 0; i < 4; i++)
        assert_true(theta[i] == 0);
    ub_problem_frozen(p, &frozen);
    memcpy(before, frozen, sizeof before);
    assert_true(before[0] != 0);
    struct ub_optimizer *o = ub_optimizer_new("ridge:ridge=0.5,l2=2", 4, &err);
    assert_true(ub_optimizer_attach(o, &(struct ub_training){p, 1, 2}, &err));
    memcpy(after, frozen, sizeof after);
    assert_memory_equal(before, after, sizeof before);
    assert_near(ub_optimizer_kernel_ridge(o), 0.5 + 5 * 2, 1e-15);
    ub_optimizer_free(o);
    o = ub_optimizer_new("gd:lr=1", 4, &err);
    assert_true(isnan(ub_optimizer_kernel_ridge(o)));
    ub_optimizer_free(o);
    ub_problem_free(p);
    tiny_free(data);
}

static void refuse(enum ub_task task, const char *model, const char *loss, bool f64,
                   const char *says)
{
    struct ub_error err = {0};
    struct ub_dataset *data = tiny_dataset(task, 9, 0, 4, 2);
    struct ub_problem *p =
        ub_problem_new(&(struct ub_problem_spec){.model = model,
                                                 .loss = loss,
                                                 .data = data,
                                                 .precision = f64 ? UB_F64 : UB_F32,
                                                 .threads = 1},
                       &err);
    assert_non_null(p);
    struct ub_optimizer *o = ub_optimizer_new("ridge", ub_problem_size(p), &err);
    assert_false(ub_optimizer_attach(o, &(struct ub_training){p, 1, SEED}, &err));
    assert_int_equal(err.code, UB_INPUT);
    if (!strstr(err.text, says))
        fail_msg("'%s' does not say '%s'", err.text, says);
    ub_optimizer_free(o);
    ub_problem_free(p);
    tiny_free(data);
}

static void what_has_no_closed_form_is_refused(void **state)
{
    (void)state;
    refuse(UB_REGRESSION, "mlp:widths=6", "mse", true, "not linear in its parameters");
    refuse(UB_REGRESSION, "deep-linear:widths=6", "mse", true, "not linear in its parameters");
    refuse(UB_REGRESSION, "diagonal-linear", "mse", true, "not linear in its parameters");
    refuse(UB_CLASSIFICATION, "linear", "ce", true, "squared loss");
    refuse(UB_REGRESSION, "linear", "mse", false, "f64");
    struct ub_error err = {0};
    assert_null(ub_optimizer_new("ridge:lr=edge(2)", 4, &err));
    assert_non_null(strstr(err.text, "no known edge"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_zero_it_is_kernel_regression),
        cmocka_unit_test(more_samples_than_parameters_is_least_squares),
        cmocka_unit_test(the_objective_is_stationary),
        cmocka_unit_test(the_way_from_the_start_is_shortest),
        cmocka_unit_test(gradient_descent_tends_to_it),
        cmocka_unit_test(a_share_of_the_way_by_hand),
        cmocka_unit_test(attaching_leaves_frozen_parameters),
        cmocka_unit_test(what_has_no_closed_form_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
