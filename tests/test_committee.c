/* Soft committee machines that learn online: the closed means of the theory against quadrature and
 * sampling, its equations against the average step of training itself, the data they speak of, and
 * the law with its controls. */
#include "law_suite.h"
#include "loaded.h"
#include "observing.h"

#include "bench/observables/committee_theory.h"

#include <math.h>

extern const struct ub_law ub_law_online_teacher_student;

/* ---- means ---- */

enum { FIELDS = 4 };

static double g(double u)
{
    return erf(u / sqrt(2));
}

static double slope(double u)
{
    return sqrt(2 / M_PI) * exp(-u * u / 2);
}

/* z = A normal, C = A A'. */
static void covariance_of(const double A[FIELDS * FIELDS], double C[FIELDS * FIELDS])
{
    for (int a = 0; a < FIELDS; a++)
        for (int b = 0; b < FIELDS; b++) {
            C[a * FIELDS + b] = 0;
            for (int k = 0; k < FIELDS; k++)
                C[a * FIELDS + b] += A[a * FIELDS + k] * A[b * FIELDS + k];
        }
}

enum { MEANS = 6 };

static void terms(const double z[FIELDS], double out[MEANS])
{
    out[0] = slope(z[0]) * slope(z[1]);
    out[1] = g(z[0]) * g(z[1]);
    out[2] = slope(z[0]) * z[1] * g(z[2]);
    out[3] = slope(z[0]) * slope(z[1]) * g(z[2]) * g(z[3]);
    out[4] = slope(z[0]) * z[0] * g(z[0]); /* places that meet */
    out[5] = slope(z[0]) * slope(z[0]) * g(z[1]) * g(z[0]);
}

static void closed(const double *C, double out[MEANS])
{
    out[0] = ub_committee_slopes(C, FIELDS, 0, 1);
    out[1] = ub_committee_two(C, FIELDS, 0, 1);
    out[2] = ub_committee_three(C, FIELDS, 0, 1, 2);
    out[3] = ub_committee_four(C, FIELDS, 0, 1, 2, 3);
    out[4] = ub_committee_three(C, FIELDS, 0, 0, 0);
    out[5] = ub_committee_four(C, FIELDS, 0, 0, 1, 0);
}

/* 800,000 draws in 20 batches, whose scatter is the error: five of it is nothing that happens
 * by chance in 30 comparisons; and it is small beside the means, so that a wrong term is found. */
static void means_are_those_of_samples(void **state)
{
    enum { COVARIANCES = 5, BATCHES = 20, DRAWS = 40000 };
    (void)state;
    double worst = 0;
    struct ub_random r = ub_random_stream(1, "test.committee");
    for (int c = 0; c < COVARIANCES; c++) {
        double A[FIELDS * FIELDS], C[FIELDS * FIELDS], expected[MEANS];
        double sum[MEANS] = {0}, squares[MEANS] = {0};
        for (int i = 0; i < FIELDS * FIELDS; i++)
            A[i] = 0.7 * ub_random_normal(&r);
        covariance_of(A, C);
        closed(C, expected);
        for (int b = 0; b < BATCHES; b++) {
            double mean[MEANS] = {0};
            for (int i = 0; i < DRAWS; i++) {
                double u[FIELDS], z[FIELDS] = {0}, t[MEANS];
                for (int k = 0; k < FIELDS; k++)
                    u[k] = ub_random_normal(&r);
                for (int k = 0; k < FIELDS * FIELDS; k++)
                    z[k / FIELDS] += A[k] * u[k % FIELDS];
                terms(z, t);
                for (int m = 0; m < MEANS; m++)
                    mean[m] += t[m] / DRAWS;
            }
            for (int m = 0; m < MEANS; m++) {
                sum[m] += mean[m] / BATCHES;
                squares[m] += mean[m] * mean[m] / BATCHES;
            }
        }
        for (int m = 0; m < MEANS; m++) {
            const double error = sqrt((squares[m] - sum[m] * sum[m]) / (BATCHES - 1));
            print_message("mean %d: closed %.6f, sampled %.6f +- %.6f\n", m, expected[m], sum[m],
                          error);
            worst = fmax(worst, fabs(sum[m] - expected[m]) / error);
            assert_true(error < 0.003);
        }
    }
    assert_oracle("law online-teacher-student",
                  "Gaussian means of the theory by sampling, in standard errors", worst, 5);
}

/* <g'(a) b g(c)> on a grid of the three independent normals beneath, which a midpoint rule on
 * [-8, 8] integrates to better than 1e-10. */
static void a_mean_is_that_of_quadrature(void **state)
{
    enum { POINTS = 96 };
    (void)state;
    static const double A[FIELDS * FIELDS] = {0.9,  0,   0,   0, 0.4, 0.8, 0, 0,
                                              -0.3, 0.5, 1.1, 0, 0,   0,   0, 1};
    double C[FIELDS * FIELDS], sum = 0;
    covariance_of(A, C);
    for (int i = 0; i < POINTS * POINTS * POINTS; i++) {
        const double h = 16.0 / POINTS;
        const double u = -8 + h * (i % POINTS + 0.5), v = -8 + h * (i / POINTS % POINTS + 0.5),
                     w = -8 + h * (i / POINTS / POINTS + 0.5);
        const double weight = h * h * h * exp(-(u * u + v * v + w * w) / 2) / pow(2 * M_PI, 1.5);
        sum +=
            weight * slope(A[0] * u) * (A[4] * u + A[5] * v) * g(A[8] * u + A[9] * v + A[10] * w);
    }
    assert_oracle("law online-teacher-student", "a Gaussian mean of the theory by quadrature",
                  ub_committee_three(C, FIELDS, 0, 1, 2) - sum, 1e-9);
}

/* ---- data ---- */

static void teachers_are_orthogonal_and_graded(void **state)
{
    (void)state;
    struct ub_dataset *d = load("committee:features=30,units=3,samples=50,test-samples=20", 3);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            assert_near(tiny_dot(30, d->committee->weight + a * 30, d->committee->weight + b * 30),
                        a == b ? (a + 1) / 2.0 : 0, 1e-12);
    const struct ub_split *splits[] = {&d->train, &d->test};
    for (int s = 0; s < 2; s++)
        for (int64_t i = 0; i < splits[s]->count; i++) {
            double y = 0;
            for (int n = 0; n < 3; n++)
                y += g(tiny_dot(30, d->committee->weight + n * 30, splits[s]->inputs + i * 30));
            assert_near(splits[s]->targets[i], y, 1e-12);
        }
    assert_null(d->fresh);
    ub_dataset_free(d);
}

/* Fresh samples: by the same law, each new, the same for the same seed, and not the training set's.
 */
static void batches_online_are_fresh(void **state)
{
    enum { STEPS = 2000, D = 10 };
    (void)state;
    struct ub_dataset *d = load("committee:features=10,units=2,samples=4,noise=0.5,online=true", 3);
    struct ub_split s = {.count = STEPS};
    s.inputs = ub_calloc(STEPS * D, sizeof(double));
    s.targets = ub_calloc(STEPS, sizeof(double));
    struct ub_random inputs = ub_random_stream(5, "a"), noise = ub_random_stream(5, "b");
    d->fresh(d, &inputs, &noise, &s);
    double square = 0, off = 0;
    for (int i = 0; i < STEPS; i++) {
        const double r = s.targets[i] - ub_committee_answer(d->committee, s.inputs + i * D);
        off += r * r / STEPS;
        square += tiny_dot(D, s.inputs + i * D, s.inputs + i * D) / (STEPS * D);
        assert_true(i == 0 || s.inputs[i * D] != s.inputs[0]);
    }
    assert_near(off, 0.25, 5 * 0.25 * sqrt(2.0 / STEPS));
    assert_near(square, 1, 5 * sqrt(2.0 / (STEPS * D)));
    ub_free(s.inputs);
    ub_free(s.targets);
    ub_dataset_free(d);
}

static void what_cannot_be_drawn_anew_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"committee:online=true,scale=center",
                                      "committee:online=true,target=shuffled",
                                      "committee:units=8,features=4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ub_error err = {0};
        assert_null(ub_dataset_load(bad[i], 0, NULL, &err));
        assert_non_null(strstr(err.text, "expected"));
    }
    struct ub_error err = {0};
    struct ub_dataset *d = load("committee:features=5,samples=8,online=true", 3);
    struct ub_problem *p = tiny_problem(d, "committee", "mse");
    struct ub_optimizer *o = ub_optimizer_new("gd:lr=0.1", ub_problem_size(p), &err);
    assert_false(ub_optimizer_attach(o, &(struct ub_training){p, 10, 0}, &err));
    assert_non_null(strstr(err.text, "expected mini-batches"));
    ub_optimizer_free(o);
    ub_problem_free(p);
    ub_dataset_free(d);
}

/* ---- equations ---- */

enum { D = 400, K = 2, M = 2, N = K + M };

static void overlaps(const double *theta, const struct ub_dataset *d, double C[N * N])
{
    double z[N * D];
    for (int i = 0; i < K * D; i++)
        z[i] = theta[i] / sqrt(D);
    memcpy(z + K * D, d->committee->weight, M * D * sizeof *z);
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++)
            C[a * N + b] = tiny_dot(D, z + a * D, z + b * D);
}

/* The mean change of the overlaps over single steps from one point, D times that, is the equations'
 * right side; of Q up to 1/D, for |xi|^2 is D (1 + O(1/D)) given the fields. */
static void equations_are_the_mean_step(const char *optimizer, double batch)
{
    enum { STEPS = 20000 };
    struct ub_error err = {0};
    struct ub_dataset *d =
        load("committee:features=400,units=2,samples=20,noise=0.3,online=true", 3);
    struct ub_problem *p = tiny_problem(d, "committee:units=2", "mse");
    struct ub_optimizer *o = ub_optimizer_new(optimizer, ub_problem_size(p), &err);
    assert_true(ub_optimizer_attach(o, &(struct ub_training){p, STEPS, 1}, &err));
    double *start = ub_calloc(K * D, sizeof *start), *theta = ub_calloc(K * D, sizeof *theta);
    double *grad = ub_calloc(K * D, sizeof *grad);
    double C[N * N], after[N * N], sum[N * N] = {0}, squares[N * N] = {0}, flow[N * N];
    ub_problem_init(p, 2, start);
    overlaps(start, d, C);
    const struct ub_overlaps at = {K, M, C};
    const struct ub_committee_descent descent = {.lr = 0.7, .batch = batch, .noise = 0.3};
    ub_committee_flow(&at, &descent, flow);
    for (int step = 0; step < STEPS; step++) {
        memcpy(theta, start, K * D * sizeof *theta);
        ub_optimizer_gradient(o, theta, grad);
        ub_optimizer_step(o, theta, grad);
        overlaps(theta, d, after);
        for (int i = 0; i < N * N; i++) {
            const double rate = D * (after[i] - C[i]);
            sum[i] += rate / STEPS;
            squares[i] += rate * rate / STEPS;
        }
    }
    double worst = 0;
    for (int i = 0; i < K * N; i++) {
        const double error = sqrt((squares[i] - sum[i] * sum[i]) / STEPS);
        print_message("%s, overlap %d, %d: %.4f, of steps %.4f +- %.4f\n", optimizer, i / N, i % N,
                      flow[i], sum[i], error);
        worst = fmax(worst, fabs(sum[i] - flow[i]) / (error + 0.4 / D));
        assert_true(error < 0.02);
    }
    assert_oracle("law online-teacher-student",
                  "the mean of 20000 steps of training, in standard errors and O(1/D)", worst, 5);
    ub_free(start);
    ub_free(theta);
    ub_free(grad);
    ub_optimizer_free(o);
    ub_problem_free(p);
    ub_dataset_free(d);
}

static void equations_are_the_mean_of_steps(void **state)
{
    (void)state;
    equations_are_the_mean_step("sgd:lr=0.7,batch=1", 1);
    equations_are_the_mean_step("sgd:lr=0.7,batch=2", 2);
}

/* Against ten thousand short steps of Euler's, whose error is of their size. */
static void they_are_followed(void **state)
{
    enum { SHORT = 10000 };
    (void)state;
    static const double start[N * N] = {0.7, 0.1,  0.1,  -0.1, 0.1,  1.3, 0.05, 0.1,
                                        0.1, 0.05, 0.67, 0,    -0.1, 0.1, 0,    1.33};
    const struct ub_committee_descent descent = {.lr = 1, .batch = 1, .noise = 0.2};
    double C[N * N], euler[N * N], flow[N * N];
    memcpy(C, start, sizeof C);
    memcpy(euler, start, sizeof euler);
    struct ub_overlaps o = {K, M, C}, slow = {K, M, euler};
    for (int piece = 0; piece < 5; piece++)
        assert_true(ub_committee_advance(&o, &descent, 1));
    for (int step = 0; step < SHORT; step++) {
        ub_committee_flow(&slow, &descent, flow);
        for (int i = 0; i < N * N; i++)
            euler[i] += 5.0 / SHORT * flow[i];
    }
    double worst = 0;
    for (int i = 0; i < N * N; i++)
        worst = fmax(worst, fabs(C[i] - euler[i]));
    assert_oracle("law online-teacher-student", "the equations in ten thousand steps of Euler's",
                  worst, 1e-3);
    assert_true(fabs(C[0] - start[0]) > 0.1); /* it moved */
}

/* The error from overlaps is the mean over samples; of other units it is sampled. */
static void the_error_is_half_the_mean_square(void **state)
{
    (void)state;
    struct ub_dataset *d = load("committee:features=50,units=2,samples=20000", 3);
    struct fixture f =
        fixture_from(d, tiny_problem(d, "committee:units=3", "mse"), "sgd:lr=0.1,batch=1");
    TRAIN(&f, 0, "order-parameters:every=1");
    const double loss = ub_problem_loss(f.problem, f.theta);
    const double error = value_of(f.recorded, 0, "generalization-error", 0);
    assert_oracle("observable order-parameters", "the loss over 20000 samples, relative",
                  loss / error - 1, 5 * sqrt(2.0 / 20000)); /* residuals are nearly normal */
    assert_near(value_of(f.recorded, 0, "predicted-generalization-error", 0), error, 1e-15);
    fixture_free(&f);
}

static void others_have_no_such_rows(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.1");
    TRAIN(&f, 0, "order-parameters:every=1");
    assert_int_equal(f.recorded->n_rows, 0);
    fixture_free(&f);
    struct ub_dataset *d = load("committee:features=5,samples=20,test-samples=400", 3);
    f = fixture_from(d, tiny_problem(d, "committee:activation=relu", "mse"), "sgd:lr=0.1,batch=1");
    TRAIN(&f, 0, "order-parameters:every=1");
    double loss;
    ub_problem_evaluate(f.problem, true, f.theta, &loss, NULL);
    assert_near(value_of(f.recorded, 0, "generalization-error", 0), loss, 1e-12);
    fixture_free(&f);
}

/* ---- the law ---- */

static void add_sweep(struct ub_text *suite, const char *data, const char *model)
{
    static const int inputs[] = {50, 100, 200, 400};
    for (int i = 0; i < 4; i++)
        ub_text_add(suite,
                    "  - {dataset: {committee: {features: %d, samples: %d, units: 1, %s}}, "
                    "model: {committee: {%s}}, steps: %d, "
                    "measure: {order-parameters: {every: %d}}}\n",
                    inputs[i], inputs[i], data, model, 5 * inputs[i], inputs[i] / 5);
}

/* Eight seeds and D over a decade leave an error of the slope of 0.12. */
static void the_law_needs_fresh_samples_and_error_functions(void **state)
{
    (void)state;
    struct ub_text suite = {0};
    ub_text_add(&suite, "name: o\ndefaults: {loss: mse, precision: f64, seed: 0..7, optimizer: "
                        "'sgd:lr=1,batch=1'}\nruns:\n");
    add_sweep(&suite, "online: true, test-samples: 1", "units: 1");
    add_sweep(&suite, "online: false", "units: 1");
    add_sweep(&suite, "online: true, test-samples: 500", "units: 1, activation: relu");
    struct law_suite s = law_suite_run(suite.data);
    static const char *const sweeps[] = {"1", "0", "500"};
    for (int i = 0; i < 3; i++) {
        const struct ub_law *law = &ub_law_online_teacher_student;
        const struct ub_datum d = law_suite_datum(&s, law, "dataset.test-samples", sweeps[i]);
        assert_null(d.why);
        assert_true(i == 0 ? fabs(d.value + 0.5) < 0.15 + 2 * d.se : d.value - 3 * d.se > -0.35);
    }
    assert_int_equal(law_suite_applies(&s, &ub_law_online_teacher_student), 32);
    ub_text_free(&suite);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_are_those_of_samples),
        cmocka_unit_test(a_mean_is_that_of_quadrature),
        cmocka_unit_test(teachers_are_orthogonal_and_graded),
        cmocka_unit_test(batches_online_are_fresh),
        cmocka_unit_test(what_cannot_be_drawn_anew_is_refused),
        cmocka_unit_test(equations_are_the_mean_of_steps),
        cmocka_unit_test(they_are_followed),
        cmocka_unit_test(the_error_is_half_the_mean_square),
        cmocka_unit_test(others_have_no_such_rows),
        cmocka_unit_test(the_law_needs_fresh_samples_and_error_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
