/* Solvable models against what is known of them in closed form. */
#include "support.h"
#include "tiny.h"

#include <string.h>

static double *starting_point(struct ub_problem *p)
{
    double *theta = ub_calloc((size_t)ub_problem_size(p), sizeof *theta);
    ub_problem_init(p, 5, theta);
    return theta;
}

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void quadratic_has_its_hessian(void **state)
{
    (void)state;
    enum { K = 6 };
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 300, 0, 3, K);
    struct ub_problem *p = tiny_problem(data, "quadratic:top=4,exponent=1.5", "mse");
    assert_int_equal(ub_problem_size(p), K);
    double *theta = starting_point(p), hv[K];
    ub_problem_linearize(p, theta);
    for (int k = 0; k < K; k++) {
        double v[K] = {0};
        v[k] = 1;
        ub_problem_hvp(p, 1, v, hv);
        for (int i = 0; i < K; i++)
            assert_near(hv[i], i == k ? 4 * pow(k + 1, -1.5) : 0, 1e-13);
    }
    ub_free(theta);
    ub_problem_free(p);
    tiny_free(data);
}

/* y = (u^2 - v^2) x for one feature: H = S [ (3u^2 - v^2) - c, -2uv; -2uv, ... ] by hand. */
static void diagonal_linear_by_hand(void **state)
{
    (void)state;
    enum { N = 7 };
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, N, 0, 1, 1);
    struct ub_problem *p = tiny_problem(data, "diagonal-linear", "mse");
    const double u = 0.8, v = -0.3, theta[] = {u, v};
    const double *x = data->train.inputs, *y = data->train.targets;
    const double s = dot(x, x, N) / N, c = dot(x, y, N) / N, r = s * (u * u - v * v) - c;
    double grad[2], hv[2];
    assert_near(ub_problem_gradient(p, theta, grad),
                0.5 * (s * pow(u * u - v * v, 2) - 2 * c * (u * u - v * v) + dot(y, y, N) / N),
                1e-13);
    assert_near(grad[0], 2 * u * r, 1e-13);
    assert_near(grad[1], -2 * v * r, 1e-13);
    ub_problem_linearize(p, theta);
    ub_problem_hvp(p, 1, (double[]){1, 0}, hv);
    assert_near(hv[0], 2 * r + 4 * u * u * s, 1e-13);
    assert_near(hv[1], -4 * u * v * s, 1e-13);
    ub_problem_hvp(p, 1, (double[]){0, 1}, hv);
    assert_near(hv[1], -2 * r + 4 * v * v * s, 1e-13);
    ub_problem_free(p);
    tiny_free(data);
}

/* Balanced product of L factors w at the minimum w^L = c/s: the only nonzero eigenvalue is
 * L s w^(2L-2) (Saxe et al. 2013). */
static void scalar_chain_at_its_minimum(void **state)
{
    (void)state;
    enum { N = 9, L = 4 };
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, N, 0, 1, 1);
    for (int i = 0; i < N; i++)
        data->train.targets[i] = 0.7 * data->train.inputs[i];
    struct ub_problem *p = tiny_problem(data, "scalar-chain:depth=4,start=0", "mse");
    const double w = pow(0.7, 1.0 / L), s = dot(data->train.inputs, data->train.inputs, N) / N;
    const double theta[L] = {w, w, w, w}, ones[L] = {1, 1, 1, 1}, odd[L] = {1, -1, 2, -2};
    double hv[L];
    assert_near(ub_problem_loss(p, theta), 0, 1e-15);
    ub_problem_linearize(p, theta);
    ub_problem_hvp(p, 1, ones, hv);
    for (int i = 0; i < L; i++)
        assert_near(hv[i], L * s * pow(w, 2 * L - 2), 1e-12);
    ub_problem_hvp(p, 1, odd, hv);
    for (int i = 0; i < L; i++)
        assert_near(hv[i], 0, 1e-12);
    ub_problem_free(p);
    tiny_free(data);
}

/* Only the readout trains, and the Hessian of its rows is Phi'Phi / N. */
static void random_features_train_their_readout(void **state)
{
    (void)state;
    enum { N = 40, D = 3, W = 5, K = 2 };
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, N, 0, D, K);
    struct ub_problem *p = tiny_problem(data, "random-features:width=5,activation=tanh", "mse");
    assert_int_equal(ub_problem_size(p), K * W);
    double *theta = starting_point(p), phi[N * W], hv[K * W], again[N * W];
    ub_problem_hidden(p, 0, theta, phi);
    ub_problem_linearize(p, theta);
    for (int j = 0; j < W; j++) {
        double v[K * W] = {0};
        v[j] = 1;
        ub_problem_hvp(p, 1, v, hv);
        for (int i = 0; i < K * W; i++) {
            double expected = 0;
            for (int n = 0; n < N && i < W; n++)
                expected += phi[n * W + i] * phi[n * W + j] / N;
            assert_near(hv[i], expected, 1e-13);
        }
    }
    double *other = ub_calloc(K * W, sizeof *other);
    ub_problem_init(p, 6, other); /* another seed: other features */
    ub_problem_hidden(p, 0, other, again);
    assert_true(tiny_error(N * W, again, phi) > 0.01);
    ub_free(other);
    ub_free(theta);
    ub_problem_free(p);
    tiny_free(data);
}

/* E y^2 = E_w act(w . x / sqrt d)^2 = |x|^2 / 2d for relu in ntk scaling (arc-cosine kernel of
 * degree 1 on the diagonal, Cho and Saul 2009), and 1/n of it in mean-field scaling. */
static void two_layer_outputs_have_their_variance(void **state)
{
    (void)state;
    enum { D = 4, WIDTH = 500, DRAWS = 400 };
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 1, 0, D, 1);
    const double expected = dot(data->train.inputs, data->train.inputs, D) / (2 * D);
    const char *const models[] = {"two-layer:width=500", "two-layer:width=500,scaling=mean-field"};
    for (int m = 0; m < 2; m++) {
        struct ub_problem *p = tiny_problem(data, models[m], "mse");
        double *theta = ub_calloc((size_t)ub_problem_size(p), sizeof *theta), square = 0, y;
        for (uint64_t seed = 0; seed < DRAWS; seed++) {
            ub_problem_init(p, seed, theta);
            ub_problem_outputs(p, theta, &y);
            square += y * y / DRAWS;
        }
        /* The mean of 400 squares of a normal number is known to sqrt(2/400) = 7%. */
        assert_near(square * (m ? WIDTH : 1), expected, 0.25 * expected);
        ub_free(theta);
        ub_problem_free(p);
    }
    tiny_free(data);
}

/* Gradient flow on x U V' keeps U'U - V'V (Arora et al. 2018, 1802.06509): steps of gradient
 * descent move it by O(lr^2) each, so the drift over a fixed time halves with the learning rate. */
static double drift_of_balance(struct ub_problem *p, int64_t features, int64_t outputs, double lr)
{
    enum { RANK = 2 };
    const int64_t n = ub_problem_size(p);
    double *theta = starting_point(p), *grad = ub_calloc((size_t)n, sizeof *grad), worst = 0;
    double before[RANK * RANK], after[RANK * RANK];
    for (int time = 0; time < 2; time++) {
        double *balance = time ? after : before;
        for (int step = 0; time && step < (int)(1 / lr); step++) {
            ub_problem_gradient(p, theta, grad);
            for (int64_t i = 0; i < n; i++)
                theta[i] -= lr * grad[i];
        }
        const double *u = theta, *v = theta + features * RANK;
        for (int a = 0; a < RANK; a++)
            for (int b = 0; b < RANK; b++) {
                balance[a * RANK + b] = 0;
                for (int64_t i = 0; i < features; i++)
                    balance[a * RANK + b] += u[i * RANK + a] * u[i * RANK + b];
                for (int64_t i = 0; i < outputs; i++)
                    balance[a * RANK + b] -= v[i * RANK + a] * v[i * RANK + b];
            }
    }
    for (int i = 0; i < RANK * RANK; i++)
        worst = fmax(worst, fabs(after[i] - before[i]));
    ub_free(theta);
    ub_free(grad);
    return worst;
}

static void factorization_stays_balanced(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 30, 0, 4, 3);
    struct ub_problem *p = tiny_problem(data, "matrix-factorization:rank=2", "mse");
    const double coarse = drift_of_balance(p, 4, 3, 0.02), fine = drift_of_balance(p, 4, 3, 0.01);
    assert_true(coarse > 0 && coarse < 0.02);
    assert_near(coarse / fine, 2, 0.2);
    ub_problem_free(p);
    tiny_free(data);
}

static void refuse(const struct ub_dataset *data, const char *model, const char *part)
{
    struct ub_error err = {0};
    assert_null(ub_problem_new(
        &(struct ub_problem_spec){.model = model, .loss = "mse", .data = data}, &err));
    assert_int_equal(err.code, UB_INPUT);
    if (!strstr(err.text, part))
        fail_msg("'%s' does not say '%s'", err.text, part);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 4, 0, 3, 2);
    refuse(data, "matrix-factorization:symmetric=true", "as many of both");
    refuse(data, "scalar-chain", "as many of both");
    refuse(data, "autoencoder", "target=inputs");
    refuse(data, "two-layer:scaling=ntkk", "ntk");
    tiny_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quadratic_has_its_hessian),
        cmocka_unit_test(diagonal_linear_by_hand),
        cmocka_unit_test(scalar_chain_at_its_minimum),
        cmocka_unit_test(random_features_train_their_readout),
        cmocka_unit_test(two_layer_outputs_have_their_variance),
        cmocka_unit_test(factorization_stays_balanced),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
