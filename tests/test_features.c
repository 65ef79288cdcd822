/* Features of the last layer and of weights: neural collapse against definitions written out, the
 * feature equation against sums over samples, free features against their closed form. */
#include "observing.h"

#include <math.h>

/* ---- neural collapse ---- */

/* What neural_collapse.c defines, the slow way: S_w and S_b as matrices, S_b^+ by its eigenvectors.
 */
struct collapse {
    double within, norms, angles, duality, nearest;
};

enum { WIDTH = 4, CLASSES = 3 };

static void means_of(const struct fixture *f, const double *h, double mean[CLASSES][WIDTH])
{
    const int64_t n = f->data->train.count;
    double center[WIDTH] = {0}, count[CLASSES] = {0};
    memset(mean, 0, CLASSES * WIDTH * sizeof(double));
    for (int64_t i = 0; i < n; i++)
        count[f->data->train.labels[i]] += 1;
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < WIDTH; k++)
            mean[f->data->train.labels[i]][k] += h[i * WIDTH + k] / count[f->data->train.labels[i]];
    for (int c = 0; c < CLASSES; c++)
        for (int k = 0; k < WIDTH; k++)
            center[k] += mean[c][k] / CLASSES;
    for (int c = 0; c < CLASSES; c++)
        for (int k = 0; k < WIDTH; k++)
            mean[c][k] -= center[k];
}

/* tr(S_w S_b^+) / C. The center of the class means is that of the features less their means, so the
 * features' deviations from their class means are found anew here. */
static double within_of(const struct fixture *f, const double *h, double mean[CLASSES][WIDTH])
{
    const int64_t n = f->data->train.count;
    double sw[WIDTH][WIDTH] = {{0}}, sb[WIDTH * WIDTH] = {0}, values[WIDTH], sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const int32_t c = f->data->train.labels[i];
        double own[WIDTH] = {0}, members = 0;
        for (int64_t j = 0; j < n; j++)
            members += f->data->train.labels[j] == c;
        for (int64_t j = 0; j < n; j++)
            for (int k = 0; f->data->train.labels[j] == c && k < WIDTH; k++)
                own[k] += h[j * WIDTH + k] / members;
        for (int a = 0; a < WIDTH; a++)
            for (int b = 0; b < WIDTH; b++)
                sw[a][b] += (h[i * WIDTH + a] - own[a]) * (h[i * WIDTH + b] - own[b]) / (double)n;
    }
    for (int c = 0; c < CLASSES; c++)
        for (int a = 0; a < WIDTH; a++)
            for (int b = 0; b < WIDTH; b++)
                sb[a * WIDTH + b] += mean[c][a] * mean[c][b] / CLASSES;
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', WIDTH, sb, WIDTH, values), 0);
    for (int e = WIDTH - CLASSES + 1; e < WIDTH; e++) /* rank C - 1 */
        for (int a = 0; a < WIDTH; a++)
            for (int b = 0; b < WIDTH; b++)
                sum += sw[a][b] * sb[a * WIDTH + e] * sb[b * WIDTH + e] / values[e];
    return sum / CLASSES;
}

static struct collapse brute_force(const struct fixture *f)
{
    const int64_t n = f->data->train.count;
    const int last = ub_problem_hidden_count(f->problem) - 1;
    assert_int_equal(ub_problem_hidden_width(f->problem, last), WIDTH);
    double *h = ub_calloc((size_t)(n * WIDTH), sizeof *h), mean[CLASSES][WIDTH];
    ub_problem_hidden(f->problem, last, f->theta, h);
    means_of(f, h, mean);
    struct collapse out = {.within = within_of(f, h, mean)};
    double norm[CLASSES], average = 0, square = 0;
    for (int c = 0; c < CLASSES; c++) {
        norm[c] = tiny_norm(WIDTH, mean[c]);
        average += norm[c] / CLASSES;
    }
    for (int c = 0; c < CLASSES; c++) {
        square += pow(norm[c] - average, 2) / CLASSES;
        for (int d = 0; d < CLASSES; d++)
            if (c != d)
                out.angles += fabs(tiny_dot(WIDTH, mean[c], mean[d]) / (norm[c] * norm[d]) +
                                   1.0 / (CLASSES - 1)) /
                              (CLASSES * (CLASSES - 1));
    }
    out.norms = sqrt(square) / average;
    const struct ub_layout *layout = ub_problem_layout(f->problem);
    const struct ub_param *w = &layout->params[layout->count - 2]; /* before the bias */
    assert_int_equal(w->size, CLASSES * WIDTH);
    const double a = tiny_norm(w->size, f->theta + w->offset);
    const double b = tiny_norm(CLASSES * WIDTH, &mean[0][0]);
    for (int k = 0; k < CLASSES * WIDTH; k++)
        out.duality += pow(f->theta[w->offset + k] / a - (&mean[0][0])[k] / b, 2);
    out.duality = sqrt(out.duality);
    ub_free(h);
    return out;
}

static void collapse_is_as_defined(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5"); /* 20 samples, 3 classes, widths 5 and 4 */
    TRAIN(&f, 30, "neural-collapse:at=30");
    const struct collapse c = brute_force(&f);
    assert_near(value_of(f.recorded, 30, "collapse-within", 0), c.within, 1e-9 * c.within);
    assert_near(value_of(f.recorded, 30, "collapse-norms", 0), c.norms, 1e-12);
    assert_near(value_of(f.recorded, 30, "collapse-angles", 0), c.angles, 1e-12);
    assert_near(value_of(f.recorded, 30, "collapse-self-duality", 0), c.duality, 1e-12);
    assert_true(c.within > 0.01 && c.norms > 0.01 && c.angles > 0.01); /* nothing is trivial */
    fixture_free(&f);
}

/* Features that are their classes' unit vectors, a readout that is those less their mean: all five
 * measures are 0. A readout of other signs is as far as can be, and every sample misread. */
static void complete_collapse_is_zero(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 9, 0, 9, 3);
    memset(data->train.inputs, 0, 81 * sizeof *data->train.inputs);
    for (int i = 0; i < 9; i++) {
        data->train.inputs[i * 9 + i] = 1;
        data->train.labels[i] = i % 3;
    }
    struct fixture f = fixture_of(data, "deep-linear:widths=3", "ce", "gd:lr=0.1");
    assert_int_equal(f.size, 3 * 9 + 3 * 3);
    for (int sign = 1; sign >= -1; sign -= 2) {
        for (int k = 0; k < 3; k++) {
            for (int i = 0; i < 9; i++)
                f.theta0[k * 9 + i] = i % 3 == k;
            for (int c = 0; c < 3; c++)
                f.theta0[27 + c * 3 + k] = sign * ((c == k) - 1.0 / 3);
        }
        TRAIN(&f, 0, "neural-collapse:at=0");
        assert_near(value_of(f.recorded, 0, "collapse-within", 0), 0, 1e-14);
        assert_near(value_of(f.recorded, 0, "collapse-norms", 0), 0, 1e-14);
        assert_near(value_of(f.recorded, 0, "collapse-angles", 0), 0, 1e-14);
        assert_near(value_of(f.recorded, 0, "collapse-self-duality", 0), sign > 0 ? 0 : 2, 1e-14);
        assert_near(value_of(f.recorded, 0, "collapse-nearest", 0), sign > 0 ? 0 : 1, 0);
    }
    fixture_free(&f);
}

static void no_classes_no_collapse(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, 9, 0, 3, 2), mlp, "mse", "gd:lr=0.1");
    TRAIN(&f, 0, "neural-collapse:at=0", "feature-equation:at=0"); /* nor an equation without l2 */
    assert_int_equal(f.recorded->n_rows, 0);
    fixture_free(&f);
    f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 9, 0, 3, 2), "linear", "mse", "gd:lr=0.1");
    TRAIN(&f, 0, "neural-collapse:at=0"); /* no hidden layer */
    assert_int_equal(f.recorded->n_rows, 0);
    fixture_free(&f);
}

/* ---- the feature equation ---- */

/* Both sides of W'W = -(1/(n l2)) sum_i (grad_h loss_i) h_i' for the second of two matrices of a
 * linear network under squared loss: h_i = A x_i, grad_h loss_i = B'(B h_i - y_i). */
static double by_samples(const struct fixture *f, const double *A, const double *B, double l2)
{
    enum { IN = 4, HIDDEN = 2, OUT = 3 };
    const int64_t n = f->data->train.count;
    double right[HIDDEN * HIDDEN] = {0}, whole = 0, left = 0;
    for (int64_t i = 0; i < n; i++) {
        double h[HIDDEN] = {0}, rest[OUT], g[HIDDEN] = {0};
        for (int k = 0; k < HIDDEN; k++)
            h[k] = tiny_dot(IN, A + k * IN, f->data->train.inputs + i * IN);
        for (int o = 0; o < OUT; o++)
            rest[o] = tiny_dot(HIDDEN, B + o * HIDDEN, h) - f->data->train.targets[i * OUT + o];
        for (int k = 0; k < HIDDEN; k++)
            for (int o = 0; o < OUT; o++)
                g[k] += B[o * HIDDEN + k] * rest[o];
        for (int a = 0; a < HIDDEN; a++)
            for (int b = 0; b < HIDDEN; b++)
                right[a * HIDDEN + b] -= g[a] * h[b] / ((double)n * l2);
    }
    for (int a = 0; a < HIDDEN; a++)
        for (int b = 0; b < HIDDEN; b++) {
            double w = 0;
            for (int o = 0; o < OUT; o++)
                w += B[o * HIDDEN + a] * B[o * HIDDEN + b];
            whole += w * w;
            left += pow(w - right[a * HIDDEN + b], 2);
        }
    return sqrt(left / whole);
}

static void feature_equation_is_a_sum_over_samples(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 0, 4, 3),
                                  "deep-linear:widths=2", "mse", "gd:lr=0.1,l2=0.3");
    TRAIN(&f, 5, "feature-equation:at=5");
    const double expected = by_samples(&f, f.theta, f.theta + 8, 0.3);
    assert_true(expected > 0.1);
    assert_near(value_of(f.recorded, 5, "feature-equation.fc2.weight", 0), expected,
                1e-12 * expected);
    assert_int_equal(count_rows(f.recorded, "feature-equation.fc1.weight"), 1);
    fixture_free(&f);
}

/* Ridge regression, A = (Y'X/n)(X'X/n + l2 I)^-1: there, and only there, the distance is 0. */
static void the_equation_holds_at_the_ridge_solution(void **state)
{
    (void)state;
    enum { IN = 4, OUT = 3 };
    const double l2 = 0.2;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 0, IN, OUT),
                                  "linear:bias=false", "mse", "gd:lr=0.1,l2=0.2");
    double S[IN * IN] = {0}, R[OUT * IN] = {0};
    for (int64_t i = 0; i < 20; i++)
        for (int a = 0; a < IN; a++) {
            const double *x = f.data->train.inputs + i * IN;
            for (int b = 0; b < IN; b++)
                S[a * IN + b] += x[a] * x[b] / 20;
            for (int o = 0; o < OUT; o++)
                R[o * IN + a] += f.data->train.targets[i * OUT + o] * x[a] / 20;
        }
    for (int a = 0; a < IN; a++)
        S[a * IN + a] += l2;
    /* Rows of R are right-hand sides as columns of a column-major matrix. */
    assert_int_equal(LAPACKE_dposv(LAPACK_COL_MAJOR, 'U', IN, OUT, S, IN, R, IN), 0);
    memcpy(f.theta0, R, sizeof R);
    TRAIN(&f, 0, "feature-equation:at=0");
    assert_near(value_of(f.recorded, 0, "feature-equation.fc1.weight", 0), 0, 1e-13);
    f.theta0[5] *= 1.01;
    TRAIN(&f, 0, "feature-equation:at=0");
    assert_true(value_of(f.recorded, 0, "feature-equation.fc1.weight", 0) > 1e-4);
    fixture_free(&f);
}

/* ---- free features ---- */

/* Squared loss, no bias: each class is a mode of singular value sqrt(m), m samples a class, of
 * which the product of the two layers keeps sqrt(m) - n l2, n = C m: the loss at the end is C (n
 * l2)^2 / 2n. (Balanced layers a = b: min (ab - sqrt(m))^2 / 2n + l2 (a^2 + b^2) / 2.) */
static void free_features_shrink_as_they_must(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *data = ub_dataset_load("free-features:kinds=3,per-class=5", 0, NULL, &err);
    assert_non_null(data);
    assert_int_equal(data->train.count, 15);
    assert_int_equal(data->outputs, 3);
    struct ub_problem *p = tiny_problem(data, "deep-linear:widths=8", "mse");
    const int64_t size = ub_problem_size(p);
    const double l2 = 0.02, n = 15;
    struct ub_optimizer *o = ub_optimizer_new("lbfgs:lr=1,l2=0.02", size, &err);
    assert_true(
        ub_optimizer_attach(o, &(struct ub_training){.problem = p, .steps = 300, .seed = 0}, &err));
    double *theta = ub_calloc((size_t)size, sizeof *theta), *grad = ub_calloc((size_t)size, 8);
    ub_problem_init(p, 1, theta);
    for (int step = 0; step < 300; step++) {
        ub_problem_gradient(p, theta, grad);
        ub_optimizer_step(o, theta, grad);
    }
    assert_near(ub_problem_loss(p, theta), 3 * n * l2 * l2 / 2, 1e-9);
    ub_free(theta);
    ub_free(grad);
    ub_optimizer_free(o);
    ub_problem_free(p);
    ub_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collapse_is_as_defined),
        cmocka_unit_test(complete_collapse_is_zero),
        cmocka_unit_test(no_classes_no_collapse),
        cmocka_unit_test(feature_equation_is_a_sum_over_samples),
        cmocka_unit_test(the_equation_holds_at_the_ridge_solution),
        cmocka_unit_test(free_features_shrink_as_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
