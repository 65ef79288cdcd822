/* Traces against exact ones, on spectra of known kinds; and how often the intervals cover them. */
#include "tests/spectra_support.h"

#include "bench/spectra/quadrature.h"
#include "bench/spectra/trace.h"

enum { N = 240 };

/* Which spectrum: a flat one with signs, a power law, outliers above a bulk. */
enum kind { FLAT, POWER, OUTLIERS, KINDS };
static const char *const kind_names[] = {"flat", "power law", "outliers"};

static void fill(enum kind kind, double *values)
{
    for (int i = 0; i < N; i++) {
        const double rank = i + 1;
        values[i] = kind == FLAT    ? 1 + 0.5 * cos(rank)
                    : kind == POWER ? 1 / rank
                    : i < 10        ? 10 / rank
                                    : 0.05 * (1 + sin(rank));
    }
}

/* ---- the estimators in a row ---- */

struct guess {
    struct ub_estimate estimate;
    double truth;
};

typedef struct guess estimator(const struct ub_operator *a, const double *values, uint64_t seed,
                               int64_t products);

static double sum_of(const double *values, int power)
{
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += pow(values[i], power);
    return sum;
}

static void passed(bool fine, const struct ub_error *err)
{
    if (!fine)
        fail_msg("%s", err->text);
}

static struct guess hutchinson(const struct ub_operator *a, const double *values, uint64_t seed,
                               int64_t products)
{
    struct ub_error err = {0};
    struct guess g = {.truth = sum_of(values, 1)};
    passed(ub_trace_hutchinson(a, products, seed, &g.estimate, NULL, &err), &err);
    return g;
}

static struct guess frobenius(const struct ub_operator *a, const double *values, uint64_t seed,
                              int64_t products)
{
    struct ub_error err = {0};
    struct guess g = {.truth = sum_of(values, 2)};
    passed(ub_trace_hutchinson(a, products, seed, NULL, &g.estimate, &err), &err);
    return g;
}

static struct guess hutchpp(const struct ub_operator *a, const double *values, uint64_t seed,
                            int64_t products)
{
    struct ub_error err = {0};
    struct guess g = {.truth = sum_of(values, 1)};
    passed(ub_trace_hutchpp(a, products, seed, &g.estimate, &err), &err);
    return g;
}

static struct guess xtrace(const struct ub_operator *a, const double *values, uint64_t seed,
                           int64_t products)
{
    struct ub_error err = {0};
    struct guess g = {.truth = sum_of(values, 1)};
    passed(ub_trace_xtrace(a, products, seed, &g.estimate, &err), &err);
    return g;
}

enum { STEPS = 12 }; /* enough for these condition numbers: the quadrature's error is far below */
static struct guess log_det(const struct ub_operator *a, const double *values, uint64_t seed,
                            int64_t products)
{
    struct ub_error err = {0};
    struct ub_quadrature q;
    const struct ub_quadrature_options o = {
        .steps = STEPS, .probes = products / STEPS, .seed = seed};
    struct guess g = {0};
    for (int i = 0; i < N; i++)
        g.truth += log(values[i] + 1);
    passed(ub_quadrature_new(a, &o, &q, &err), &err);
    g.estimate = ub_quadrature_log_det(&q, 1);
    ub_quadrature_free(&q);
    return g;
}

static const struct {
    const char *name;
    estimator *run;
    int64_t products[2];
    double skew[2]; /* what coverage may lose with spectra whose samples are skewed */
    bool safe;      /* covers the nominal rate or more, on any spectrum */
} estimators[] = {
    {"Hutchinson", hutchinson, {8, 60}, {0.06, 0.015}, false},
    {"Frobenius^2", frobenius, {8, 60}, {0.10, 0.02}, false},
    {"Hutch++", hutchpp, {24, 60}, {0.045, 0.015}, false},
    {"log det (SLQ)", log_det, {96, 240}, {0.03, 0.02}, false},
    {"XTrace", xtrace, {24, 60}, {0, 0}, true},
};
enum { ESTIMATORS = sizeof estimators / sizeof *estimators, XTRACE = 4 };

/* ---- coverage ---- */

static const double levels[] = {0.68, 0.95};

struct coverage {
    double measured[2]; /* share of trials whose interval of each level holds the truth */
    double error;       /* root mean square */
};

static struct coverage measure(size_t which, enum kind kind, int64_t products, int64_t trials)
{
    double values[N];
    struct coverage c = {0};
    fill(kind, values);
    struct ub_operator a = ub_operator_diagonal(N, values); /* probes know no direction */
    for (int64_t t = 0; t < trials; t++) {
        const struct guess g = estimators[which].run(&a, values, (uint64_t)t, products);
        const double off = g.estimate.value - g.truth;
        for (int l = 0; l < 2; l++)
            c.measured[l] +=
                fabs(off) <= ub_estimate_margin(g.estimate, levels[l]) ? 1 / (double)trials : 0;
        c.error += off * off / (double)trials;
    }
    ub_operator_free(&a);
    c.error = sqrt(c.error);
    return c;
}

/* Nominal against measured. On the flat spectrum samples are nearly normal and coverage is nominal
 * within binomial bounds (3.3 deviations: 60 cells are looked at). One eigenvalue that outweighs
 * the others makes samples as skewed as a square of a normal number, and Student's interval then
 * covers less with few of them (Hall 1992, The Bootstrap and Edgeworth Expansion, 2.6: by a term in
 * skewness^2 / samples): `skew`. XTrace's jackknife may be too wide, never too short. */
static void test_coverage(void **state)
{
    (void)state;
    enum { TRIALS = 1000 };
    print_message("%-14s %-10s %8s %13s %13s %9s\n", "estimator", "spectrum", "products",
                  "covers at 68%", "covers at 95%", "error");
    for (size_t e = 0; e < ESTIMATORS; e++)
        for (int kind = 0; kind < KINDS; kind++)
            for (int many = 0; many < 2; many++) {
                const int64_t products = estimators[e].products[many];
                const struct coverage c = measure(e, (enum kind)kind, products, TRIALS);
                print_message("%-14s %-10s %8lld %12.1f%% %12.1f%% %9.2g\n", estimators[e].name,
                              kind_names[kind], (long long)products, 100 * c.measured[0],
                              100 * c.measured[1], c.error);
                for (int l = 0; l < 2; l++) {
                    const double noise = 3.3 * sqrt(levels[l] * (1 - levels[l]) / TRIALS);
                    const double loss = kind == FLAT ? 0 : estimators[e].skew[many];
                    assert_true(estimators[e].safe || c.measured[l] <= levels[l] + noise);
                    assert_true(c.measured[l] >= levels[l] - noise - loss);
                }
            }
}

/* ---- accuracy ---- */

/* With decaying spectra the sketches beat Hutchinson by far at equal products, and XTrace beats
 * Hutch++ (Epperly, Tropp and Webber, figure 1). */
static void test_sketches_pay(void **state)
{
    (void)state;
    const double plain = measure(0, OUTLIERS, 60, 200).error;
    const double plus = measure(2, OUTLIERS, 60, 200).error;
    const double cross = measure(XTRACE, OUTLIERS, 60, 200).error;
    print_message("errors: Hutchinson %.3g, Hutch++ %.3g, XTrace %.3g\n", plain, plus, cross);
    assert_true(10 * plus < plain);
    assert_true(cross < plus);
}

enum { SIZE = 30, M = 5 };

/* XTrace's estimate from `count` test vectors w and their images y, by its definition: each basis
 * without one vector built anew. */
static double defined(const struct ub_operator *A, int count, double w[][SIZE], double y[][SIZE])
{
    double mean = 0;
    for (int i = 0; i < count; i++) {
        double q[M][SIZE], p[SIZE], ap[SIZE], trace = 0;
        int rank = 0;
        for (int j = 0; j < count; j++) {
            if (j == i)
                continue;
            memcpy(q[rank], y[j], sizeof p);
            for (int pass = 0; pass < 2; pass++)
                for (int k = 0; k < rank; k++) {
                    const double along = dot(SIZE, q[rank], q[k]);
                    for (int c = 0; c < SIZE; c++)
                        q[rank][c] -= along * q[k][c];
                }
            const double length = sqrt(dot(SIZE, q[rank], q[rank]));
            for (int c = 0; c < SIZE; c++)
                q[rank][c] /= length;
            rank++;
        }
        memcpy(p, w[i], sizeof p);
        for (int k = 0; k < rank; k++) {
            ub_operator_apply(A, 1, q[k], ap);
            trace += dot(SIZE, q[k], ap);
            const double along = dot(SIZE, w[i], q[k]);
            for (int c = 0; c < SIZE; c++)
                p[c] -= along * q[k][c];
        }
        ub_operator_apply(A, 1, p, ap);
        mean += (trace + (SIZE - rank) / dot(SIZE, p, p) * dot(SIZE, p, ap)) / count;
    }
    return mean;
}

/* And its error against the jackknife's: estimates without one test vector, which are made anew. */
static void test_xtrace_by_definition(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_random random = ub_random_stream(1, "trace test");
    double *a = symmetric_matrix(SIZE, &random), w[M][SIZE], y[M][SIZE], without[M];
    struct ub_operator A = ub_operator_dense(SIZE, a);
    struct ub_random stream = ub_random_stream(17, "xtrace");
    for (int i = 0; i < M * SIZE; i++)
        w[i / SIZE][i % SIZE] = ub_random_normal(&stream);
    ub_operator_apply(&A, M, w[0], y[0]);
    double mean = 0, squares = 0;
    for (int i = 0; i < M; i++) {
        double others[M][SIZE], images[M][SIZE];
        for (int j = 0, at = 0; j < M; j++)
            if (j != i) {
                memcpy(others[at], w[j], sizeof *w);
                memcpy(images[at++], y[j], sizeof *y);
            }
        without[i] = defined(&A, M - 1, others, images);
        mean += without[i] / M;
    }
    for (int i = 0; i < M; i++)
        squares += pow(without[i] - mean, 2);
    struct ub_estimate got;
    assert_true(ub_trace_xtrace(&A, 2 * M, 17, &got, &err));
    assert_near(got.value, defined(&A, M, w, y), 1e-9);
    assert_near(got.error, sqrt(squares * (M - 1) / M), 1e-9);
    assert_int_equal(got.freedom, M - 1);
    ub_operator_free(&A);
    ub_free(a);
}

static void test_exact_cases(void **state)
{
    (void)state;
    struct ub_error err = {0};
    double values[N] = {3, -1, 0.5}; /* rank 3: the sketches hold all of it */
    struct ub_operator a = ub_operator_diagonal(N, values);
    for (int zero = 0; zero < 2; zero++) {
        struct ub_estimate plus, cross, trace, squares;
        assert_true(ub_trace_hutchpp(&a, 30, 0, &plus, &err));
        assert_true(ub_trace_xtrace(&a, 30, 0, &cross, &err));
        assert_true(ub_trace_hutchinson(&a, N, 0, &trace, &squares, &err)); /* n products: exact */
        const struct ub_estimate all[] = {plus, cross, trace};
        for (int i = 0; i < 3; i++) {
            assert_near(all[i].value, zero ? 0 : 2.5, 1e-9);
            assert_near(ub_estimate_margin(all[i], 0.99), 0, 0);
        }
        assert_near(squares.value, zero ? 0 : 10.25, 0);
        memset(values, 0, sizeof values);
    }
    ub_operator_free(&a);
}

static void test_products_and_errors(void **state)
{
    (void)state;
    struct ub_error err = {0};
    double values[N];
    int64_t products = 0;
    fill(POWER, values);
    struct ub_operator a = ub_operator_diagonal(N, values);
    struct ub_operator counted = ub_operator_counted(&a, &products);
    struct ub_estimate e, squares;
    assert_true(ub_trace_hutchinson(&counted, 11, 0, &e, &squares, &err));
    assert_int_equal(products, 11);
    assert_true(ub_trace_hutchpp(&counted, 20, 0, &e, &err));
    assert_int_equal(products, 31);
    assert_true(ub_trace_xtrace(&counted, 20, 0, &e, &err));
    assert_int_equal(products, 51);
    assert_false(ub_trace_hutchinson(&a, 1, 0, &e, NULL, &err));
    assert_input_error(&err, "2 or more");
    assert_false(ub_trace_hutchpp(&a, 5, 0, &e, &err));
    assert_input_error(&err, "6 or more");
    values[0] = INFINITY;
    assert_false(ub_trace_hutchinson(&a, 8, 0, &e, NULL, &err));
    assert_input_error(&err, "not finite");
    assert_false(ub_trace_hutchpp(&a, 12, 0, &e, &err));
    assert_input_error(&err, "not finite");
    assert_false(ub_trace_xtrace(&a, 12, 0, &e, &err));
    assert_input_error(&err, "not finite");
    assert_false(ub_trace_xtrace(&a, N, 0, &e, &err));
    assert_input_error(&err, "not finite");
    ub_operator_free(&counted);
    ub_operator_free(&a);
}

/* Mean, deviation and Student's quantile of a sample worked by hand. */
static void test_estimate(void **state)
{
    (void)state;
    const double samples[] = {1e9 + 1, 1e9 + 2, 1e9 + 6};
    const struct ub_estimate e = ub_estimate_mean(3, samples);
    assert_near(e.value, 1e9 + 3, 1e-6);
    assert_near(e.error, sqrt(7.0 / 3), 1e-7);
    assert_near(ub_estimate_margin(e, 0.95) / e.error, 4.302652729911275, 1e-9); /* t, 2 d.f. */
    assert_true(isnan(ub_estimate_margin(ub_estimate_mean(1, samples), 0.95)));
    assert_true(isnan(ub_estimate_mean(0, samples).value));
    assert_near(ub_estimate_margin(ub_estimate_exact(3), 0.95), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_estimate),     cmocka_unit_test(test_xtrace_by_definition),
        cmocka_unit_test(test_exact_cases),  cmocka_unit_test(test_products_and_errors),
        cmocka_unit_test(test_sketches_pay), cmocka_unit_test(test_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
