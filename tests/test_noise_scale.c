/* Gradient noise scales: against the dense covariance of the gradients of data sets of one sample,
 * against all batches of two, and the intervals of a part of the samples. */
#include "observing.h"

enum { SAMPLES = 6, MANY = 400 };

static struct fixture six(const char *optimizer, const char *loss)
{
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, SAMPLES, 0, 4, 3), mlp, loss, optimizer);
    double *away = tiny_normals(f.size, "away");
    for (int64_t i = 0; i < f.size; i++)
        f.theta[i] += 0.3 * away[i];
    memcpy(f.theta0, f.theta, (size_t)f.size * sizeof *f.theta);
    ub_free(away);
    return f;
}

/* The gradient on a training set that is sample i alone. */
static void gradient_of(const struct fixture *f, const char *loss, int64_t i, double *grad)
{
    struct ub_dataset one = *f->data;
    one.train.count = 1;
    one.train.inputs += i * one.features;
    one.train.targets += i * one.outputs;
    one.train.labels += i;
    struct ub_problem *p = tiny_problem(&one, mlp, loss);
    assert_non_null(p);
    ub_problem_gradient(p, f->theta, grad);
    ub_problem_free(p);
}

struct dense {
    double trace, scale, hessian;
};

/* Through Sigma itself, and H + l2 I. */
static struct dense brute_force(const struct fixture *f, const char *loss, double l2)
{
    const int64_t n = f->size;
    double *sigma = ub_calloc((size_t)(n * n), sizeof *sigma), *h = dense_hessian(f);
    double *g = ub_calloc((size_t)(SAMPLES * n), sizeof *g), *mean = ub_calloc((size_t)n, 8);
    for (int64_t i = 0; i < SAMPLES; i++) {
        gradient_of(f, loss, i, g + i * n);
        for (int64_t a = 0; a < n; a++)
            mean[a] += g[i * n + a] / SAMPLES;
    }
    struct dense d = {0};
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b < n; b++) {
            for (int64_t i = 0; i < SAMPLES; i++)
                sigma[a * n + b] += (g[i * n + a] - mean[a]) * (g[i * n + b] - mean[b]) / SAMPLES;
            h[a * n + b] += a == b ? l2 : 0;
        }
    double length = 0, curved = 0;
    for (int64_t a = 0; a < n; a++)
        mean[a] += l2 * f->theta[a];
    for (int64_t a = 0; a < n; a++) {
        d.trace += sigma[a * n + a];
        length += mean[a] * mean[a];
        for (int64_t b = 0; b < n; b++) {
            d.hessian += h[a * n + b] * sigma[a * n + b];
            curved += mean[a] * h[a * n + b] * mean[b];
        }
    }
    d.scale = d.trace / length;
    d.hessian /= curved;
    ub_free(sigma);
    ub_free(h);
    ub_free(g);
    ub_free(mean);
    return d;
}

static void scales_are_the_dense_ones(void **state)
{
    (void)state;
    static const char *const losses[] = {"mse", "ce"};
    static const char *const optimizers[] = {"gd:lr=0.1", "adam:lr=0.1,l2=0.3,batch=2"};
    for (int k = 0; k < 4; k++) {
        struct fixture f = six(optimizers[k % 2], losses[k / 2]);
        const struct dense d = brute_force(&f, losses[k / 2], k % 2 ? 0.3 : 0);
        TRAIN(&f, 0, "noise-scale:every=1");
        assert_near(value_of(f.recorded, 0, "noise-trace", 0), d.trace, 1e-11 * d.trace);
        assert_near(value_of(f.recorded, 0, "noise-scale", 0), d.scale, 1e-11 * d.scale);
        assert_oracle("observable noise-scale", "dense covariances and Hessians, relative",
                      value_of(f.recorded, 0, "noise-scale-hessian", 0) / d.hessian - 1, 1e-9);
        assert_true(isnan(find_row(f.recorded, 0, "noise-scale", 0)->error));
        fixture_free(&f);
    }
}

/* E|g_B - G|^2 over all ordered pairs is tr(Sigma)/2. */
static void batches_have_its_covariance(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct fixture f = six("gd:lr=0.1", "mse");
    struct ub_problem *batch = ub_problem_batch_new(f.problem, 2, &err);
    double *g = ub_calloc((size_t)f.size, sizeof *g), sum = 0;
    ub_problem_gradient(f.problem, f.theta, f.grad);
    for (int64_t i = 0; i < SAMPLES; i++)
        for (int64_t j = 0; j < SAMPLES; j++) {
            ub_problem_take(batch, (int64_t[]){i, j});
            ub_problem_gradient(batch, f.theta, g);
            for (int64_t a = 0; a < f.size; a++)
                sum += pow(g[a] - f.grad[a], 2) / (SAMPLES * SAMPLES);
        }
    TRAIN(&f, 0, "noise-scale:every=1");
    assert_near(sum, value_of(f.recorded, 0, "noise-trace", 0) / 2, 1e-12);
    ub_free(g);
    ub_problem_free(batch);
    fixture_free(&f);
}

/* Of 30 of 60 samples: near 95% of intervals hold what all samples give. */
static void intervals_of_a_part_hold_the_whole(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, 60, 0, 4, 3), mlp, "mse", "gd:lr=0.1");
    struct ub_error err = {0};
    TRAIN(&f, 0, "noise-scale:every=1");
    const double whole = value_of(f.recorded, 0, "noise-scale", 0);
    memset(f.recorded, 0, sizeof *f.recorded);
    const char *text = "noise-scale:every=1,samples=30";
    struct ub_observers *o = ub_observers_new(&text, 1, "test", &err);
    for (int64_t step = 0; step < MANY; step++)
        measure(&f, o, step, MANY);
    ub_observers_free(o);
    int held = 0;
    for (int64_t step = 0; step < MANY; step++) {
        const struct ub_row *row = find_row(f.recorded, step, "noise-scale", 0);
        held += fabs(row->value - whole) <= row->error;
    }
    print_message("%d of %d intervals hold it\n", held, MANY);
    assert_true(held >= 0.9 * MANY && held <= 0.99 * MANY);
    fixture_free(&f);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"noise-scale:samples=1", "noise-scale:samples=7"};
    for (int k = 0; k < 2; k++) {
        struct fixture f = six("gd:lr=0.1", "mse");
        struct ub_error err = {0};
        struct ub_observers *o = ub_observers_new(&texts[k], 1, "test", &err);
        struct ub_record record = {.context = f.recorded, .add = add_row, .fact = add_fact};
        const struct ub_moment moment = {.theta = f.theta,
                                         .theta0 = f.theta0,
                                         .grad = f.grad,
                                         .problem = f.problem,
                                         .optimizer = f.optimizer};
        assert_non_null(o);
        assert_false(ub_observers_measure(o, &moment, 100, &record, &err));
        assert_input_error(&err, "expected 0 or 2 to 6");
        ub_observers_free(o);
        fixture_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scales_are_the_dense_ones),
        cmocka_unit_test(batches_have_its_covariance),
        cmocka_unit_test(intervals_of_a_part_hold_the_whole),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
