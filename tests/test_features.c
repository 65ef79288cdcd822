/* Features of the last layer and of weights: neural collapse against definitions written out, the
 * feature equation against sums over samples, free features against their closed form. */
#include "law_suite.h"
#include "observing.h"

#include <math.h>

extern const struct ub_law ub_law_feature_ansatz;

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
    double readout[CLASSES][WIDTH];
    memcpy(readout, f->theta + w->offset, sizeof readout);
    for (int k = 0; k < WIDTH; k++) {
        const double center = (readout[0][k] + readout[1][k] + readout[2][k]) / CLASSES;
        for (int c = 0; c < CLASSES; c++)
            readout[c][k] -= center;
    }
    const double a = tiny_norm(w->size, &readout[0][0]);
    const double b = tiny_norm(CLASSES * WIDTH, &mean[0][0]);
    for (int k = 0; k < CLASSES * WIDTH; k++)
        out.duality += pow((&readout[0][0])[k] / a - (&mean[0][0])[k] / b, 2);
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
    assert_oracle("law neural-collapse, observable neural-collapse",
                  "within-class scatter by its definition, relative",
                  value_of(f.recorded, 30, "collapse-within", 0) / c.within - 1, 1e-9);
    const double others[] = {value_of(f.recorded, 30, "collapse-norms", 0) - c.norms,
                             value_of(f.recorded, 30, "collapse-angles", 0) - c.angles,
                             value_of(f.recorded, 30, "collapse-self-duality", 0) - c.duality};
    assert_oracle("law neural-collapse, observable neural-collapse",
                  "norms, angles and self-duality by their definitions", tiny_norm(3, others),
                  1e-12);
    assert_true(c.within > 0.01 && c.norms > 0.01 && c.angles > 0.01); /* nothing is trivial */
    fixture_free(&f);
}

/* Features that are their classes' unit vectors, a readout that is those, a mean common to all rows
 * or not: all five measures are 0. A readout of other signs is as far as can be, and every sample
 * misread. */
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
                f.theta0[27 + c * 3 + k] = sign * ((c == k) - 0.1 * k);
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
    assert_oracle("law features-at-convergence, observable feature-equation",
                  "both sides as sums over samples, relative",
                  value_of(f.recorded, 5, "feature-equation.fc2.weight", 0) / expected - 1, 1e-12);
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
    assert_oracle("law features-at-convergence", "none at the ridge solution, by Cholesky",
                  value_of(f.recorded, 0, "feature-equation.fc1.weight", 0), 1e-13);
    f.theta0[5] *= 1.01;
    TRAIN(&f, 0, "feature-equation:at=0");
    assert_true(value_of(f.recorded, 0, "feature-equation.fc1.weight", 0) > 1e-4);
    fixture_free(&f);
}

/* ---- the feature ansatz ---------------------------------------------------------------------- */

enum { INPUTS = 4, FIRST = 5 }; /* of the tiny network: 4 features, widths 5 and 4, 3 classes */

/* Outputs of the tiny network from the inputs of its layer 0 or 1, written out. */
static void forward_from(const struct fixture *f, int layer, const double *h, double *out)
{
    const struct ub_param *p = ub_problem_layout(f->problem)->params; /* weight, bias, ... */
    double now[16], next[16];
    int n = layer == 0 ? INPUTS : FIRST;
    memcpy(now, h, (size_t)n * sizeof *now);
    for (int l = layer; l < 3; l++) {
        const double *w = f->theta + p[2 * l].offset, *b = f->theta + p[2 * l + 1].offset;
        const int rows = (int)p[2 * l].shape[0];
        for (int r = 0; r < rows; r++) {
            next[r] = b[r] + tiny_dot(n, w + r * n, now);
            next[r] = l < 2 ? tanh(next[r]) : next[r];
        }
        n = rows;
        memcpy(now, next, sizeof now);
    }
    memcpy(out, now, CLASSES * sizeof *out);
}

/* AGOP of a layer's inputs by central differences. */
static void agop_of(const struct fixture *f, int layer, int in, double *A)
{
    const int64_t n = f->data->train.count;
    const double step = 1e-5;
    double *h = ub_calloc((size_t)(n * in), sizeof *h), at[16], up[CLASSES], down[CLASSES];
    double J[CLASSES][16];
    if (layer > 0)
        ub_problem_hidden(f->problem, layer - 1, f->theta, h);
    else
        memcpy(h, f->data->train.inputs, (size_t)(n * in) * sizeof *h);
    memset(A, 0, (size_t)(in * in) * sizeof *A);
    for (int64_t i = 0; i < n; i++) {
        for (int k = 0; k < in; k++) {
            memcpy(at, h + i * in, (size_t)in * sizeof *at);
            at[k] += step;
            forward_from(f, layer, at, up);
            at[k] -= 2 * step;
            forward_from(f, layer, at, down);
            for (int c = 0; c < CLASSES; c++)
                J[c][k] = (up[c] - down[c]) / (2 * step);
        }
        for (int a = 0; a < in; a++)
            for (int b = 0; b < in; b++)
                for (int c = 0; c < CLASSES; c++)
                    A[a * in + b] += J[c][a] * J[c][b] / (double)n;
    }
    ub_free(h);
}

static double cosine_with_power(int n, const double *w, int rows, double *A, double power)
{
    double values[16], both = 0, squares[2] = {0};
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', n, A, n, values), 0);
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++) {
            double m = 0, x = 0;
            for (int r = 0; r < rows; r++)
                m += w[r * n + a] * w[r * n + b];
            for (int k = 0; k < n; k++)
                x += pow(fmax(values[k], 0), power) * A[a * n + k] * A[b * n + k];
            both += m * x;
            squares[0] += m * m;
            squares[1] += x * x;
        }
    return both / sqrt(squares[0] * squares[1]);
}

static void agop_is_that_of_differences(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    TRAIN(&f, 10, "feature-ansatz:at=10");
    const struct ub_param *p = ub_problem_layout(f.problem)->params;
    double worst = 0;
    for (int layer = 0; layer < 2; layer++) {
        const int in = layer == 0 ? INPUTS : FIRST;
        const double power[] = {1.0 / (3 - layer), 1, 0.5};
        char name[96];
        snprintf(name, sizeof name, "feature-ansatz.%s", p[2 * layer].name);
        for (int k = 0; k < 3; k++) {
            double A[16 * 16];
            agop_of(&f, layer, in, A);
            const double expected = cosine_with_power(in, f.theta + p[2 * layer].offset,
                                                      (int)p[2 * layer].shape[0], A, power[k]);
            const double value = value_of(f.recorded, 10, name, k);
            /* A third power's root turns an error of 1e-10 of a zero eigenvalue into 1e-3. */
            worst = fmax(worst, fabs(value - expected) / (k == 1 ? 1e-8 : 2e-3));
            assert_true(value < 0.999);
        }
    }
    assert_oracle("law feature-ansatz, observable feature-ansatz",
                  "outer products of gradients by differences, in their errors", worst, 1);
    assert_int_equal(count_rows(f.recorded, "feature-ansatz.fc3.weight"), 0);
    fixture_free(&f);
}

/* W_1 = S, W_2 = Q S with Q a rotation: W_2'W_2 = S^2 = W_1 W_1', and AGOP = S^4. */
static void balanced_layers_have_the_root(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, 9, 0, 2, 2), "deep-linear:widths=2",
                                  "mse", "gd:lr=0.1");
    const double s[2] = {3, 1}, c = cos(0.3), d = sin(0.3);
    const double start[8] = {s[0], 0, 0, s[1], c * s[0], -d * s[1], d * s[0], c * s[1]};
    memcpy(f.theta0, start, sizeof start);
    TRAIN(&f, 0, "feature-ansatz:at=0");
    assert_near(value_of(f.recorded, 0, "feature-ansatz.fc1.weight", 0), 1, 1e-14);
    assert_near(value_of(f.recorded, 0, "feature-ansatz.fc1.weight", 2), 1, 1e-14);
    assert_oracle("law feature-ansatz", "balanced linear layers in closed form",
                  value_of(f.recorded, 0, "feature-ansatz.fc1.weight", 1) -
                      (9 * 81 + 1) / sqrt((81 + 1) * (81.0 * 81 + 1)),
                  1e-14);
    fixture_free(&f);
}

static void no_chain_no_ansatz(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 9, 0, 3, 2), "linear", "mse", "gd:lr=0.1");
    TRAIN(&f, 0, "feature-ansatz:at=0"); /* a readout alone */
    assert_int_equal(f.recorded->n_rows, 0);
    fixture_free(&f);
}

static const char ansatz[] =
    "name: x\n"
    "defaults: {loss: mse, dataset: {digits: {size: 60, scale: center}}, seed: 0..1,\n"
    "  measure: {feature-ansatz: {at: [0, end], samples: 20}}}\n"
    "runs:\n"
    "  - {model: {deep-linear: {widths: [12, 12x12]}}, precision: f64, steps: 200, optimizer: "
    "{lbfgs: {lr: 1, l2: 0.02}}, control: {feature-ansatz: holds}}\n"
    "  - {model: {mlp: {widths: 32x32, activation: [tanh, relu]}}, steps: 1, optimizer: {gd: {lr: "
    "{relative: 0.000001}}}, control: {feature-ansatz: fails}}\n";

static void ansatz_controls_come_out_as_they_must(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(ansatz);
    struct ub_law_verdict *v = ub_law_verdict_new(&ub_law_feature_ansatz, s.frame);
    assert_non_null(v);
    assert_int_equal(v->controls.count, 4);
    for (size_t g = 0; g < 4; g++)
        print_message("feature-ansatz: %g %s\n", v->control_data[g].value,
                      v->control_data[g].why ? v->control_data[g].why : "");
    assert_int_equal(v->n_right, 4);
    ub_law_verdict_free(v);
    law_suite_free(&s);
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
    assert_oracle("law neural-collapse", "free features: the loss that they end at, closed form",
                  ub_problem_loss(p, theta) - 3 * n * l2 * l2 / 2, 1e-9);
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
        cmocka_unit_test(agop_is_that_of_differences),
        cmocka_unit_test(balanced_layers_have_the_root),
        cmocka_unit_test(no_chain_no_ansatz),
        cmocka_unit_test(ansatz_controls_come_out_as_they_must),
        cmocka_unit_test(free_features_shrink_as_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
