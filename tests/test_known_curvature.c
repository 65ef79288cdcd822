/* Matrices whose entries are known in closed form or in the mean: logistic regression, kernels of
 * wide networks, Fisher information by sampling, covariance of mini-batches. */
#include "dense.h"

/* ---- logistic regression: H = mean (diag p - pp') (x) xx', x with a 1 for the bias ---- */

/* Place of weight (class, feature) in the parameters; feature = features is the bias. */
static int64_t place(const struct dense *d, int64_t class, int64_t feature)
{
    const int64_t m = d->data->features;
    return feature < m ? class * m + feature : d->k * m + class;
}

static double entry(const struct dense *d, int64_t sample, int64_t feature)
{
    const int64_t m = d->data->features;
    return feature < m ? d->data->train.inputs[sample * m + feature] : 1;
}

static void add_logistic(const struct dense *d, int64_t i, const double *p, double *H)
{
    const int64_t m = d->data->features + 1, n = d->data->train.count;
    for (int64_t a = 0; a < d->k * m; a++)
        for (int64_t b = 0; b < d->k * m; b++) {
            const int64_t ca = a / m, cb = b / m;
            const double s = (ca == cb ? p[ca] : 0) - p[ca] * p[cb];
            H[place(d, ca, a % m) * d->n + place(d, cb, b % m)] +=
                s * entry(d, i, a % m) * entry(d, i, b % m) / (double)n;
        }
}

static void logistic_regression_is_exact(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 23, 0, 5, 4);
    struct dense d = dense_new(data, "linear", "ce");
    double *H = dense_zeros(d.n, d.n), *p = dense_zeros(1, d.k);
    for (int64_t i = 0; i < d.items; i++) {
        dense_weights(&d, i, p);
        add_logistic(&d, i, p, H);
    }
    dense_check(&d, "hessian", H, d.n, 1e-12);
    dense_check(&d, "gauss-newton", H, d.n, 1e-12);
    ub_free(H);
    ub_free(p);
    dense_free(&d);
    tiny_free(data);
}

/* Two classes are one logit, the difference of the two outputs: along w_1 = -w_0 = v/2 the Hessian
 * is that of logistic regression, X' diag(q(1 - q)) X/N, as |z_1 - z_0| moves by x'v. */
static void two_classes_are_binary_logistic(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 17, 0, 3, 2);
    struct dense d = dense_new(data, "linear:bias=false", "ce");
    const struct ub_matrix_point at = dense_point(&d);
    int64_t n;
    double *H = dense_product(&d, (struct ub_matrix_choice){.kind = "hessian"}, &at, &n);
    assert_int_equal(n, 6);
    for (int64_t a = 0; a < 3; a++)
        for (int64_t b = 0; b < 3; b++) {
            double expected = 0;
            for (int64_t i = 0; i < 17; i++) {
                const double q = 1 / (1 + exp(d.outputs[2 * i] - d.outputs[2 * i + 1]));
                expected += q * (1 - q) * entry(&d, i, a) * entry(&d, i, b) / 17;
            }
            const double got =
                (H[a * 6 + b] - H[a * 6 + 3 + b] - H[(3 + a) * 6 + b] + H[(3 + a) * 6 + 3 + b]) / 4;
            assert_near(got, expected, 1e-14);
        }
    ub_free(H);
    dense_free(&d);
    tiny_free(data);
}

/* ---- Fisher information ---- */

/* E over targets of the empirical Fisher, by giving each sample every label in turn. */
static void fisher_is_the_mean_over_labels(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 8, 0, 4, 3);
    struct dense d = dense_new(data, "mlp:widths=5x4,activation=tanh", "ce");
    struct ub_error err = {0};
    struct ub_problem *one = ub_problem_batch_new(d.problem, 1, &err);
    double *F = dense_zeros(d.n, d.n), *g = dense_zeros(1, d.n), *p = dense_zeros(1, d.k);
    for (int64_t i = 0; i < d.items; i++) {
        double *target = data->train.targets + i * d.k;
        dense_weights(&d, i, p);
        for (int64_t c = 0; c < d.k; c++) {
            memset(target, 0, (size_t)d.k * sizeof *target);
            target[c] = 1;
            ub_problem_take(one, &i);
            ub_problem_gradient(one, d.theta, g);
            dense_add_square(d.n, p[c] / (double)d.items, g, F);
        }
    }
    dense_check(&d, "fisher", F, d.n, 1e-11);
    ub_problem_free(one);
    ub_free(F);
    ub_free(g);
    ub_free(p);
    dense_free(&d);
    tiny_free(data);
}

static double along(const double *A, const double *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += v[i] * tiny_dot(n, A + i * n, v);
    return sum;
}

enum { DRAWS = 400, FORMS = 12 };

/* Means over draws of v'Fv agree with the Fisher's within their standard errors, which are small;
 * their squares over the errors' have the mean that they should. sum, squares: over draws. */
static void check_forms(const char *what, const double *F, const double *V, int64_t n,
                        const double sum[FORMS], const double squares[FORMS])
{
    double z2 = 0;
    for (int f = 0; f < FORMS; f++) {
        const double mean = sum[f] / DRAWS, variance = squares[f] / DRAWS - mean * mean;
        const double error = sqrt(variance / DRAWS), truth = along(F, V + f * n, n);
        const double score = (mean - truth) / error;
        if (!(error < 0.1 * truth && fabs(score) < 4))
            fail_msg("%s: form %d is %g +- %g in the mean; expected %g", what, f, mean, error,
                     truth);
        z2 += score * score / FORMS;
    }
    assert_true(z2 > 0.2 && z2 < 2.5);
}

static void check_sampled(const struct ub_dataset *data, const char *model, const char *loss)
{
    struct dense d = dense_new(data, model, loss);
    const struct ub_matrix_point at = dense_point(&d);
    int64_t n;
    double *F = dense_product(&d, (struct ub_matrix_choice){.kind = "fisher"}, &at, &n);
    double *V = tiny_normals(FORMS * n, "forms"), sum[FORMS] = {0}, squares[FORMS] = {0};
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        double *S = dense_product(
            &d, (struct ub_matrix_choice){.kind = "fisher-sampled", .seed = seed}, &at, &n);
        if (seed == 0)
            dense_check_shape(model, "fisher-sampled", n, S);
        for (int f = 0; f < FORMS; f++) {
            const double x = along(S, V + f * n, n);
            sum[f] += x;
            squares[f] += x * x;
        }
        ub_free(S);
    }
    check_forms(model, F, V, n, sum, squares);
    ub_free(F);
    ub_free(V);
    dense_free(&d);
}

/* Gives every item a target drawn from the model. */
static void draw_targets(struct ub_dataset *data, const struct dense *d, struct ub_random *r)
{
    double *p = dense_zeros(1, d->k);
    for (int64_t i = 0; i < d->items; i++) {
        double left = ub_random_uniform(r);
        int32_t label = 0;
        dense_weights(d, i, p);
        for (int64_t j = 0; !d->softmax && j < d->k; j++)
            data->train.targets[i * d->k + j] = d->outputs[i * d->k + j] + ub_random_normal(r);
        if (!d->softmax || !kinds_asked(data, i))
            continue;
        while (label < d->k - 1 && left >= p[label])
            left -= p[label++];
        data->train.labels[i] = label;
        for (int64_t j = 0; ub_positions(data) == 1 && j < d->k; j++)
            data->train.targets[i * d->k + j] = j == label;
        if (ub_positions(data) > 1)
            data->train.targets[i] = label;
    }
    ub_free(p);
}

/* The empirical Fisher of drawn targets has the Fisher as its mean. */
static void check_drawn(int kind, const char *model, const char *loss)
{
    struct ub_dataset *data = kinds_dataset(kind);
    struct dense d = dense_new(data, model, loss);
    struct ub_error err = {0};
    struct ub_random r = ub_random_stream(4, "targets");
    const struct ub_matrix_point at = dense_point(&d);
    int64_t n, order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    double *F = dense_product(&d, (struct ub_matrix_choice){.kind = "fisher"}, &at, &n);
    double *V = tiny_normals(FORMS * n, "forms"), *CV = dense_zeros(FORMS, n);
    double sum[FORMS] = {0}, squares[FORMS] = {0};
    assert_true(data->train.count <= 8);
    struct ub_problem *drawn = ub_problem_batch_new(d.problem, data->train.count, &err);
    for (int draw = 0; draw < DRAWS; draw++) {
        draw_targets(data, &d, &r);
        ub_problem_take(drawn, order);
        ub_problem_linearize(drawn, d.theta);
        ub_problem_product(drawn, UB_GRADIENT_MOMENT, FORMS, V, CV);
        for (int f = 0; f < FORMS; f++) {
            const double x = tiny_dot(n, V + f * n, CV + f * n);
            sum[f] += x;
            squares[f] += x * x;
        }
    }
    check_forms(model, F, V, n, sum, squares);
    ub_problem_free(drawn);
    ub_free(F);
    ub_free(V);
    ub_free(CV);
    dense_free(&d);
    tiny_free(data);
}

static void empirical_fisher_of_drawn_targets_is_the_fisher(void **state)
{
    (void)state;
    check_drawn(VECTORS, "mlp:widths=3,activation=tanh", "ce");
    check_drawn(STEPS, "gru:width=2,depth=1", "mse");
    check_drawn(SERIES, "gru:width=2,depth=1", "mse");
    check_drawn(LAST_TOKEN, "gru:width=2,depth=1", "ce");
    check_drawn(TOKENS, "gru:width=2,depth=1", "ce");
    check_drawn(RAGGED, "gru:width=2,depth=1", "ce");
}

static void sampled_targets_give_the_fisher_in_the_mean(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 8, 0, 4, 3);
    check_sampled(data, "mlp:widths=3,activation=tanh", "ce");
    check_sampled(data, "mlp:widths=3,activation=tanh", "mse");
    tiny_free(data);
    data = kinds_dataset(TOKENS); /* some positions are not asked for */
    check_sampled(data, "gru:width=2,depth=1", "ce");
    tiny_free(data);
}

/* ---- mini-batches ---- */

/* Covariance of the mean gradient over all pairs of samples, the two orders and, with replacement,
 * repeats: that of one sample's gradient over 2, and times (N - 2)/(N - 1) without. */
static void mini_batches_have_the_covariance_that_is_stated(void **state)
{
    (void)state;
    enum { N = 6 };
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, N, 0, 3, 2);
    struct dense d = dense_new(data, "mlp:widths=3,activation=tanh", "mse");
    struct ub_error err = {0};
    const struct ub_matrix_point at = dense_point(&d);
    struct ub_problem *pair = ub_problem_batch_new(d.problem, 2, &err);
    int64_t n;
    double *C =
        dense_product(&d, (struct ub_matrix_choice){.kind = "gradient-covariance"}, &at, &n);
    for (int with = 0; with < 2; with++) {
        double *S = dense_zeros(n, n), *g = dense_zeros(1, n);
        const double count = with ? N * N : N * (N - 1);
        for (int64_t s = 0; s < N * N; s++) {
            const int64_t samples[] = {s / N, s % N};
            if (!with && samples[0] == samples[1])
                continue;
            ub_problem_take(pair, samples);
            ub_problem_gradient(pair, d.theta, g);
            for (int64_t i = 0; i < n; i++)
                g[i] -= d.grad[i];
            dense_add_square(n, 1 / count, g, S);
        }
        for (int64_t i = 0; i < n * n; i++)
            C[i] *= with ? (N - 1.0) / (N - 2.0) : (N - 2.0) / (N - 1.0) / 2;
        assert_true(tiny_error(n * n, C, S) < 1e-10);
        ub_free(S);
        ub_free(g);
    }
    ub_free(C);
    ub_problem_free(pair);
    dense_free(&d);
    tiny_free(data);
}

/* ---- wide networks ---- */

/* Infinite width, y = n^-1/2 sum_j a_j relu(w_j.x d^-1/2) with all weights N(0, 1), both layers
 * trained: K = kappa_1 + (x.x'/d) kappa_0, with phi the angle between x and x',
 *
 *     kappa_1 = |x||x'|/d (sin phi + (pi - phi) cos phi)/(2 pi),  kappa_0 = (pi - phi)/(2 pi)
 *
 * the arc-cosine kernels of orders 1 and 0 over 2 (Cho and Saul 2009, NIPS; Jacot et al. 2018). */
static double arc_cosine(int64_t d, const double *x, const double *y)
{
    const double size = tiny_norm(d, x) * tiny_norm(d, y), dot = tiny_dot(d, x, y);
    const double phi = acos(fmin(1, fmax(-1, dot / size)));
    return (size * (sin(phi) + (M_PI - phi) * cos(phi)) + dot * (M_PI - phi)) /
           (2 * M_PI * (double)d);
}

/* Root mean square over entries and seeds of the kernel's error, and the mean's: relative. */
static void kernel_errors(const struct ub_dataset *data, int width, double *each, double *mean)
{
    enum { SEEDS = 16 };
    char model[64];
    snprintf(model, sizeof model, "two-layer:width=%d,activation=relu", width);
    struct ub_problem *p = tiny_problem(data, model, "mse");
    const int64_t n = data->train.count, features = data->features;
    double *theta = dense_zeros(1, ub_problem_size(p)), *K = dense_zeros(n, n);
    double *sum = dense_zeros(n, n), squares = 0, scale = 0, off = 0;
    struct ub_error err = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ub_problem_init(p, seed, theta);
        const struct ub_matrix_point at = {.problem = p, .theta = theta};
        struct ub_matrix *m = ub_matrix_new(&(struct ub_matrix_choice){.kind = "ntk"}, &at, &err);
        assert_true(m && ub_operator_matrix(&m->operator, K));
        ub_matrix_free(m);
        for (int64_t i = 0; i < n * n; i++) {
            const double *x = data->train.inputs;
            const double truth =
                arc_cosine(features, x + i / n * features, x + i % n * features) / (double)n;
            squares += pow(K[i] - truth, 2) / SEEDS;
            sum[i] += (K[i] - truth) / SEEDS;
            scale += truth * truth / SEEDS;
        }
    }
    for (int64_t i = 0; i < n * n; i++)
        off += sum[i] * sum[i];
    *each = sqrt(squares / scale);
    *mean = sqrt(off / scale);
    ub_free(theta);
    ub_free(K);
    ub_free(sum);
    ub_problem_free(p);
}

/* Errors fall as width^-1/2, and are no bias: the mean over 16 seeds is nearer by a factor 4. */
static void wide_relu_networks_have_the_arc_cosine_kernel(void **state)
{
    (void)state;
    const int widths[] = {64, 256, 1024, 4096};
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 9, 0, 5, 1);
    double each[4], mean[4], slope = 0;
    for (int w = 0; w < 4; w++) {
        kernel_errors(data, widths[w], &each[w], &mean[w]);
        assert_true(mean[w] < 0.5 * each[w]);
        slope += (w - 1.5) * log(each[w]) / (5 * log(4)); /* least squares on log width */
    }
    assert_true(each[3] < 0.05);
    assert_near(slope, -0.5, 0.08);
    tiny_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logistic_regression_is_exact),
        cmocka_unit_test(two_classes_are_binary_logistic),
        cmocka_unit_test(fisher_is_the_mean_over_labels),
        cmocka_unit_test(sampled_targets_give_the_fisher_in_the_mean),
        cmocka_unit_test(empirical_fisher_of_drawn_targets_is_the_fisher),
        cmocka_unit_test(mini_batches_have_the_covariance_that_is_stated),
        cmocka_unit_test(wide_relu_networks_have_the_arc_cosine_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
