/* Hessians of problems against closed forms: of linear models, and of two-layer linear networks. */
#include "layouts.h"

#include <string.h>

/* ---- dense Hessians ---- */

static double *dense_hessian(struct ub_problem *p, const double *theta)
{
    const int64_t n = ub_problem_size(p);
    double *unit = ub_calloc((size_t)n, (size_t)n * sizeof *unit);
    double *hessian = ub_calloc((size_t)n, (size_t)n * sizeof *hessian);
    for (int64_t i = 0; i < n; i++)
        unit[i * n + i] = 1;
    ub_problem_linearize(p, theta);
    ub_problem_hvp(p, n, unit, hessian);
    assert_int_equal(ub_problem_hvps(p), n);
    ub_free(unit);
    return hessian;
}

/* Where the linear model keeps the weight of output o on input j; j = features is the bias. */
static int64_t place(const struct ub_dataset *d, int64_t o, int64_t j)
{
    return j < d->features ? o * d->features + j : d->outputs * d->features + o;
}

static double input(const struct ub_dataset *d, int64_t n, int64_t j)
{
    return j < d->features ? d->train.inputs[n * d->features + j] : 1;
}

/* Adds x x' of sample n, times `curvature` (outputs x outputs), to the Hessian. */
static void add_sample(const struct ub_dataset *d, int64_t n, const double *curvature,
                       double *hessian)
{
    const int64_t size = d->outputs * (d->features + 1), inputs = d->features + 1;
    for (int64_t k = 0; k < size * size; k++) {
        const int64_t o = k / size / inputs, i = k / size % inputs, q = k % size / inputs,
                      j = k % size % inputs;
        hessian[place(d, o, i) * size + place(d, q, j)] += curvature[o * d->outputs + q] *
                                                           input(d, n, i) * input(d, n, j) /
                                                           (double)d->train.count;
    }
}

static void linear_outputs(const struct ub_dataset *d, const double *theta, int64_t n, double *out)
{
    for (int64_t o = 0; o < d->outputs; o++) {
        out[o] = 0;
        for (int64_t j = 0; j <= d->features; j++)
            out[o] += theta[place(d, o, j)] * input(d, n, j);
    }
}

static void softmax(int64_t n, double *z)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++)
        sum += z[k] = exp(z[k]);
    for (int64_t k = 0; k < n; k++)
        z[k] /= sum;
}

enum { OUTPUTS = 3 };

/* Curvature of the per-sample loss in the outputs: identity, or diag(p) - p p'. */
static void output_curvature(bool entropy, const double *p, double *curvature)
{
    for (int o = 0; o < OUTPUTS; o++)
        for (int q = 0; q < OUTPUTS; q++)
            curvature[o * OUTPUTS + q] =
                entropy ? (o == q ? p[o] : 0) - p[o] * p[q] : (o == q ? 1 : 0);
}

/* The linear model's loss, gradient and Hessian in closed form: with residual r (z - t, or
 * softmax(z) - t), the gradient is mean r x' and the Hessian mean C (x) x x'. */
static void linear_model_is_closed_form(void **state)
{
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, 17, 0, 4, OUTPUTS);
    const size_t size = OUTPUTS * 5;
    for (int entropy = 0; entropy < 2; entropy++) {
        struct ub_problem *p = tiny_problem(d, "linear", entropy ? "ce" : "mse");
        double *theta = tiny_normals((int64_t)size, "theta");
        double *expected = ub_calloc(size, size * sizeof *expected);
        double *slope = ub_calloc(size, sizeof *slope), *grad = ub_calloc(size, sizeof *grad);
        double mean = 0;
        for (int64_t n = 0; n < d->train.count; n++) {
            double z[OUTPUTS], curvature[OUTPUTS * OUTPUTS], loss = 0;
            linear_outputs(d, theta, n, z);
            if (entropy)
                softmax(OUTPUTS, z);
            output_curvature(entropy, z, curvature);
            add_sample(d, n, curvature, expected);
            for (int64_t o = 0; o < OUTPUTS; o++) {
                const double r = z[o] - d->train.targets[n * OUTPUTS + o];
                loss += entropy ? -d->train.targets[n * OUTPUTS + o] * log(z[o]) : r * r / 2;
                for (int64_t j = 0; j <= d->features; j++)
                    slope[place(d, o, j)] += r * input(d, n, j) / (double)d->train.count;
            }
            mean += loss / (double)d->train.count;
        }
        assert_near(ub_problem_gradient(p, theta, grad), mean, 1e-14 * fmax(1, mean));
        assert_true(tiny_error((int64_t)size, grad, slope) < 1e-13);
        double *hessian = dense_hessian(p, theta);
        assert_true(tiny_error((int64_t)(size * size), hessian, expected) < 1e-13);
        ub_free(hessian);
        ub_free(expected);
        ub_free(slope);
        ub_free(grad);
        ub_free(theta);
        ub_problem_free(p);
    }
    tiny_free(d);
}

/* ---- two-layer linear networks ---- */

enum { IN = 4, MIDDLE = 3, OUT = 2, W2 = MIDDLE * IN, DEEP = MIDDLE * IN + OUT * MIDDLE };

/* What the formulas below are made of: A = W2'W2, B = W1 S W1', C = W1 S with S = X'X/N, and
 * E = W2 W1 S - Y'X/N. */
struct deep_terms {
    double S[IN * IN], A[MIDDLE * MIDDLE], B[MIDDLE * MIDDLE], C[MIDDLE * IN], E[OUT * IN];
};

static struct deep_terms deep_terms(const struct ub_dataset *d, const double *w1, const double *w2)
{
    struct deep_terms t = {0};
    double yx[OUT * IN] = {0}, w1t[IN * MIDDLE], w2t[MIDDLE * OUT];
    const double N = (double)d->train.count;
    for (int64_t n = 0; n < d->train.count; n++)
        for (int j = 0; j < IN; j++) {
            const double x = d->train.inputs[n * IN + j];
            for (int k = 0; k < IN; k++)
                t.S[j * IN + k] += x * d->train.inputs[n * IN + k] / N;
            for (int o = 0; o < OUT; o++)
                yx[o * IN + j] += x * d->train.targets[n * OUT + o] / N;
        }
    for (int i = 0; i < MIDDLE; i++) {
        for (int j = 0; j < IN; j++)
            w1t[j * MIDDLE + i] = w1[i * IN + j];
        for (int o = 0; o < OUT; o++)
            w2t[i * OUT + o] = w2[o * MIDDLE + i];
    }
    dense_product(MIDDLE, OUT, MIDDLE, w2t, w2, t.A);
    dense_product(MIDDLE, IN, IN, w1, t.S, t.C);
    dense_product(MIDDLE, IN, MIDDLE, t.C, w1t, t.B);
    dense_product(OUT, MIDDLE, IN, w2, t.C, t.E);
    for (int k = 0; k < OUT * IN; k++)
        t.E[k] -= yx[k];
    return t;
}

/* Differentiating the gradients W2'E and E W1' once more:
 *   d2L / dW1(a,j) dW1(b,k) = A(a,b) S(j,k)
 *   d2L / dW2(o,a) dW2(q,b) = [o = q] B(a,b)
 *   d2L / dW1(a,j) dW2(o,b) = [a = b] E(o,j) + W2(o,a) C(b,j) */
static void deep_hessian(const struct deep_terms *t, const double *w2, double *h)
{
    for (int a = 0; a < MIDDLE; a++)
        for (int b = 0; b < MIDDLE; b++) {
            for (int j = 0; j < IN; j++)
                for (int k = 0; k < IN; k++)
                    h[(a * IN + j) * DEEP + b * IN + k] = t->A[a * MIDDLE + b] * t->S[j * IN + k];
            for (int o = 0; o < OUT; o++)
                h[(W2 + o * MIDDLE + a) * DEEP + W2 + o * MIDDLE + b] = t->B[a * MIDDLE + b];
            for (int o = 0; o < OUT; o++)
                for (int j = 0; j < IN; j++) {
                    const int row = a * IN + j, column = W2 + o * MIDDLE + b;
                    h[row * DEEP + column] =
                        (a == b ? t->E[o * IN + j] : 0) + w2[o * MIDDLE + a] * t->C[b * IN + j];
                    h[column * DEEP + row] = h[row * DEEP + column];
                }
        }
}

static void deep_linear_hessian_is_closed_form(void **state)
{
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_REGRESSION, 11, 0, IN, OUT);
    struct ub_problem *p = tiny_problem(d, "deep-linear:widths=3", "mse");
    assert_int_equal(ub_problem_size(p), DEEP);
    double *theta = tiny_normals(DEEP, "theta");
    const struct deep_terms t = deep_terms(d, theta, theta + W2);
    double *expected = ub_calloc(DEEP, DEEP * sizeof *expected);
    deep_hessian(&t, theta + W2, expected);
    double *hessian = dense_hessian(p, theta);
    assert_true(tiny_error(DEEP * DEEP, hessian, expected) < 1e-13);
    ub_free(hessian);
    ub_free(expected);
    ub_free(theta);
    ub_problem_free(p);
    tiny_free(d);
}

/* ---- of no closed form ---- */

static void hessian_is_symmetric(void **state)
{
    (void)state;
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, 19, 0, 4, 3);
    struct ub_problem *p = tiny_problem(d, "mlp:widths=5x4,activation=silu", "ce");
    const int64_t n = ub_problem_size(p);
    double *theta = tiny_normals(n, "theta");
    double *h = dense_hessian(p, theta);
    double asymmetry = 0, largest = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            asymmetry = fmax(asymmetry, fabs(h[i * n + j] - h[j * n + i]));
            largest = fmax(largest, fabs(h[i * n + j]));
        }
    assert_true(largest > 1e-3);
    assert_near(asymmetry / largest, 0, 1e-13);
    ub_free(h);
    ub_free(theta);
    ub_problem_free(p);
    tiny_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_model_is_closed_form),
        cmocka_unit_test(deep_linear_hessian_is_closed_form),
        cmocka_unit_test(hessian_is_symmetric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
