/* Generated data against closed forms: Chebyshev polynomials, Gaussians of planted covariance, and
 * what teachers say. */
#include "loaded.h"

#include <lapacke.h>

/* T_n(x) = cos(n acos x), where the generator uses the three-term recurrence. */
static void chebyshev_is_cosine_of_multiple_angle(void **state)
{
    (void)state;
    struct ub_dataset *d = load("chebyshev", 0);
    assert_int_equal(d->train.count, 20);
    assert_int_equal(d->task, UB_REGRESSION);
    assert_null(d->train.labels);
    assert_near(d->train.inputs[1] - d->train.inputs[0], 2.0 / 19, 1e-15);
    ub_dataset_free(d);
    for (int degree = 1; degree <= 20; degree++) {
        char text[64];
        snprintf(text, sizeof text, "chebyshev:degree=%d,points=33", degree);
        d = load(text, 0);
        assert_int_equal(d->features * d->outputs, 1);
        assert_true(d->train.inputs[0] == -1 && d->train.inputs[32] == 1);
        for (int i = 0; i < 33; i++) {
            assert_near(d->train.inputs[i], -1 + i / 16.0, 1e-15);
            assert_near(d->train.targets[i], cos(degree * acos(d->train.inputs[i])), 1e-12);
        }
        ub_dataset_free(d);
    }
}

/* Mean of x x' over the training inputs (which have mean 0), eigenvalues in falling order. */
static void covariance_eigenvalues(const struct ub_dataset *d, double *eigenvalues)
{
    const int64_t n = d->features;
    double *c = ub_calloc((size_t)(n * n), sizeof *c), rising[64];
    assert_true(n <= 64);
    for (int64_t i = 0; i < d->train.count; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t k = 0; k < n; k++)
                c[j * n + k] += d->train.inputs[i * n + j] * d->train.inputs[i * n + k] /
                                (double)d->train.count;
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (int)n, c, (int)n, rising), 0);
    for (int64_t k = 0; k < n; k++)
        eigenvalues[k] = rising[n - 1 - k];
    ub_free(c);
}

/* A sample eigenvalue's relative standard error is sqrt(2/N) = 1% here; 5% leaves room for the
 * repulsion of neighbours. */
static void gaussian_covariance_falls_as_planted(void **state)
{
    static const double alphas[] = {0.8, 1.5, 2.5};
    (void)state;
    for (int a = 0; a < 3; a++) {
        char text[96];
        snprintf(text, sizeof text, "gaussian:features=20,samples=20000,alpha=%g", alphas[a]);
        struct ub_dataset *d = load(text, 3);
        double eigenvalue[64], sx = 0, sy = 0, sxx = 0, sxy = 0;
        assert_near(d->theory_exponent, alphas[a], 0);
        covariance_eigenvalues(d, eigenvalue);
        for (int k = 0; k < 20; k++) {
            assert_near(eigenvalue[k] * pow(k + 1, alphas[a]), 1, 0.05);
            const double x = log(k + 1), y = log(eigenvalue[k]);
            sx += x, sy += y, sxx += x * x, sxy += x * y;
        }
        assert_near((20 * sxy - sx * sy) / (20 * sxx - sx * sx), -alphas[a], 0.02);
        ub_dataset_free(d);
    }
}

/* Least squares of the targets on the inputs; returns the residual's mean square. */
static double solve(const struct ub_dataset *d, double *coefficient)
{
    const int64_t n = d->train.count, p = d->features;
    double *x = ub_calloc((size_t)(n * p), sizeof *x), *y = ub_calloc((size_t)n, sizeof *y);
    double residual = 0;
    memcpy(x, d->train.inputs, (size_t)(n * p) * sizeof *x);
    memcpy(y, d->train.targets, (size_t)n * sizeof *y);
    assert_int_equal(LAPACKE_dgels(LAPACK_ROW_MAJOR, 'N', (int)n, (int)p, 1, x, (int)p, y, 1), 0);
    memcpy(coefficient, y, (size_t)p * sizeof *y);
    for (int64_t i = 0; i < n; i++) {
        double r = d->train.targets[i];
        for (int64_t k = 0; k < p; k++)
            r -= d->train.inputs[i * p + k] * coefficient[k];
        residual += r * r / (double)n;
    }
    ub_free(x);
    ub_free(y);
    return residual;
}

static void gaussian_teacher_is_the_planted_one(void **state)
{
    (void)state;
    struct ub_dataset *d = load("gaussian:features=12,samples=20000,alpha=1.2,beta=0.7", 5);
    double coefficient[12], variance = 0, square = 0;
    bool positive = false, negative = false;
    assert_near(solve(d, coefficient), 0, 1e-24);
    for (int k = 0; k < 12; k++)
        variance += pow(k + 1, -2 * 0.7 - 1.2);
    for (int k = 0; k < 12; k++) {
        assert_near(fabs(coefficient[k]) * sqrt(variance) * pow(k + 1, 0.7), 1, 1e-10);
        positive = positive || coefficient[k] > 0;
        negative = negative || coefficient[k] < 0;
    }
    assert_true(positive && negative);
    for (int64_t i = 0; i < d->train.count; i++)
        square += d->train.targets[i] * d->train.targets[i] / (double)d->train.count;
    assert_near(square, 1, 0.04); /* 4 standard errors, sqrt(2/N) each */
    ub_dataset_free(d);
}

/* Clean and noisy data of one seed differ by noise of the stated deviation only. */
static void check_noise(const char *clean_text, const char *noisy_text, double noise)
{
    struct ub_dataset *clean = load(clean_text, 9), *noisy = load(noisy_text, 9);
    const int64_t n = clean->train.count * clean->outputs;
    double mean = 0, square = 0;
    assert_same_numbers(clean->train.inputs, noisy->train.inputs,
                        clean->train.count * clean->features);
    for (int64_t i = 0; i < n; i++) {
        const double e = noisy->train.targets[i] - clean->train.targets[i];
        mean += e / (double)n;
        square += e * e / (double)n;
    }
    const double tolerance = 4 / sqrt((double)n);
    assert_near(mean / noise, 0, tolerance);
    assert_near(square / (noise * noise), 1, tolerance * sqrt(2));
    ub_dataset_free(clean);
    ub_dataset_free(noisy);
}

static void noise_is_as_stated(void **state)
{
    (void)state;
    check_noise("gaussian:outputs=2,features=5,samples=5000",
                "gaussian:outputs=2,features=5,samples=5000,noise=0.3", 0.3);
    check_noise("teacher-student:outputs=2,features=5,samples=5000",
                "teacher-student:outputs=2,features=5,samples=5000,noise=0.2", 0.2);
}

/* More samples of a seed begin with the same ones. */
static void gaussian_samples_are_a_prefix(void **state)
{
    (void)state;
    struct ub_dataset *few = load("gaussian:samples=50,noise=1", 2);
    struct ub_dataset *many = load("gaussian:samples=200,noise=1", 2);
    assert_same_numbers(few->train.inputs, many->train.inputs, 50 * few->features);
    assert_same_numbers(few->train.targets, many->train.targets, 50);
    ub_dataset_free(few);
    ub_dataset_free(many);
}

/* y = V tanh(W x) with W, V drawn here from the teacher's stream in turn, row by row. */
static void teacher_is_a_tanh_network(void **state)
{
    enum { F = 3, H = 4, N = 40 };
    (void)state;
    struct ub_dataset *d = load("teacher-student:features=3,teacher=4,samples=40,gain=1.5", 6);
    struct ub_random r = ub_random_stream(6, "data.teacher");
    double w[H][F], v[H], y[N], square = 0;
    for (int j = 0; j < H; j++)
        for (int k = 0; k < F; k++)
            w[j][k] = 1.5 * ub_random_normal(&r) / sqrt(F);
    for (int j = 0; j < H; j++)
        v[j] = 1.5 * ub_random_normal(&r) / sqrt(H);
    for (int i = 0; i < N; i++) {
        const double *x = d->train.inputs + i * F;
        y[i] = 0;
        for (int j = 0; j < H; j++)
            y[i] += v[j] * tanh(w[j][0] * x[0] + w[j][1] * x[1] + w[j][2] * x[2]);
        square += y[i] * y[i] / N;
    }
    for (int i = 0; i < N; i++)
        assert_near(d->train.targets[i], y[i] / sqrt(square), 1e-12);
    ub_dataset_free(d);
}

static void teacher_inputs_are_normal_and_depth_matters(void **state)
{
    (void)state;
    struct ub_dataset *d = load("teacher-student:features=6,samples=20000,teacher=8x8,gain=3", 1);
    double c[6], square = 0, eigenvalue[64];
    covariance_eigenvalues(d, eigenvalue);
    assert_near(eigenvalue[0], 1, 0.05);
    assert_near(eigenvalue[5], 1, 0.05);
    for (int64_t i = 0; i < d->train.count; i++)
        square += d->train.targets[i] * d->train.targets[i] / (double)d->train.count;
    assert_near(square, 1, 1e-12);
    assert_true(solve(d, c) > 0.05); /* far from linear */
    assert_true(isnan(d->theory_exponent));
    ub_dataset_free(d);
    d = load("teacher-student:features=6,samples=300,teacher=none", 1);
    assert_near(solve(d, c), 0, 1e-24);
    ub_dataset_free(d);
}

static void seeds_decide_generated_data(void **state)
{
    static const char *const texts[] = {"gaussian:samples=30", "teacher-student:samples=30",
                                        "digits:size=30,test=0.3", "chebyshev:size=10"};
    (void)state;
    for (int t = 0; t < 4; t++) {
        struct ub_dataset *a = load(texts[t], 11), *b = load(texts[t], 11), *c = load(texts[t], 12);
        const size_t bytes = (size_t)(a->train.count * a->features) * sizeof(double);
        const size_t targets = (size_t)(a->train.count * a->outputs) * sizeof(double);
        assert_memory_equal(a->train.inputs, b->train.inputs, bytes);
        assert_memory_equal(a->train.targets, b->train.targets, targets);
        assert_memory_not_equal(a->train.inputs, c->train.inputs, bytes);
        assert_memory_not_equal(a->train.targets, c->train.targets, targets);
        ub_dataset_free(a);
        ub_dataset_free(b);
        ub_dataset_free(c);
    }
    struct ub_dataset *a = load("digits", 11), *b = load("digits", 12);
    assert_same_numbers(a->train.inputs, b->train.inputs, 1797 * 64);
    ub_dataset_free(a);
    ub_dataset_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chebyshev_is_cosine_of_multiple_angle),
        cmocka_unit_test(gaussian_covariance_falls_as_planted),
        cmocka_unit_test(gaussian_teacher_is_the_planted_one),
        cmocka_unit_test(noise_is_as_stated),
        cmocka_unit_test(gaussian_samples_are_a_prefix),
        cmocka_unit_test(teacher_is_a_tanh_network),
        cmocka_unit_test(teacher_inputs_are_normal_and_depth_matters),
        cmocka_unit_test(seeds_decide_generated_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
