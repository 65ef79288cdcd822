/* How often the intervals of power-law exponents hold a planted one: the coverage table. */
#include "observing.h"

#include "bench/spectra/powerlaw.h"
#include "bench/spectra/powerlaw_covariance.h"

#include <cblas.h>
#include <math.h>

enum { MOST = 400 };

static const double exponents[] = {0.7, 1, 1.5, 2};
enum { EXPONENTS = sizeof exponents / sizeof *exponents };

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Three and a third binomial deviations: a table of 20 cells strays farther in 2% of all seeds. */
static double slack(double level, int trials)
{
    return 3.3 * sqrt(level * (1 - level) / trials);
}

static bool holds(const struct ub_powerlaw *fit, double exponent)
{
    return fit->valid && fit->low <= exponent && exponent <= fit->high;
}

/* ---- what makes a spectrum ---- */

/* k^-exponent, each with independent log-normal noise, sorted; above a floor. */
static void noisy(struct ub_random *random, int64_t n, double exponent, double noise, double floor,
                  double *v)
{
    for (int64_t k = 1; k <= n; k++)
        v[k - 1] = pow((double)k, -exponent) * exp(noise * ub_random_normal(random)) + floor;
    qsort(v, (size_t)n, sizeof *v, descending);
}

/* count x features, row-major: independent normals with variances k^-exponent. */
static double *samples_of(struct ub_random *random, int64_t count, int64_t features,
                          double exponent)
{
    double *x = ub_calloc((size_t)count, (size_t)features * sizeof *x);
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < features; k++)
            x[i * features + k] = pow((double)(k + 1), -exponent / 2) * ub_random_normal(random);
    return x;
}

/* Descending eigenvalues of X'X/count, the min(count, features) that need not vanish. */
static int64_t covariance(struct ub_random *random, int64_t count, int64_t features,
                          double exponent, double *v)
{
    const int64_t m = count < features ? count : features;
    double *x = samples_of(random, count, features, exponent);
    double *a = ub_calloc((size_t)m, (size_t)m * sizeof *a);
    cblas_dsyrk(CblasRowMajor, CblasUpper, m == features ? CblasTrans : CblasNoTrans, (int)m,
                (int)(m == features ? count : features), 1 / (double)count, x, (int)features, 0, a,
                (int)m);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)m, a, (lapack_int)m, v),
                     0);
    qsort(v, (size_t)m, sizeof *v, descending);
    ub_free(x);
    ub_free(a);
    return m;
}

/* ---- the line's interval, range by the rule: at least 95% where its header says so ---- */

struct row {
    double covered, bare, exponent, half, last;
};

static void count_trial(struct row *row, const double *v, int64_t n, double exponent, int trial,
                        int trials)
{
    const struct ub_powerlaw fit = ub_powerlaw_fit(v, n, 0, 0, (uint64_t)trial);
    row->covered += (double)holds(&fit, exponent) / trials;
    row->bare += (double)(fabs(fit.exponent - exponent) <= fit.noise) / trials;
    row->exponent += fit.exponent / trials;
    row->half += (fit.high - fit.low) / 2 / trials;
    row->last += (double)fit.last / trials;
}

static void print_row(const char *what, double exponent, double size, const struct row *row)
{
    print_message("| %-22s | %.1f | %7.4g | %5.1f%% | %5.1f%% | %.3f | %.3f | %3.0f |\n", what,
                  exponent, size, 100 * row->covered, 100 * row->bare, row->exponent, row->half,
                  row->last);
}

static void print_head(void)
{
    print_message("| spectrum | planted | size | interval covers | noise alone | mean exponent | "
                  "half-width | last rank |\n|---|---|---|---|---|---|---|---|\n");
}

static void test_noisy_ranks(void **state)
{
    (void)state;
    enum { TRIALS = 100 };
    static const double noises[] = {0.05, 0.15};
    double v[MOST];
    struct ub_random random = ub_random_stream(1, "noisy ranks");
    print_head();
    for (int e = 0; e < EXPONENTS; e++)
        for (int i = 0; i < 2; i++)
            for (int64_t n = 100; n <= MOST; n *= 4) {
                struct row row = {0};
                for (int t = 0; t < TRIALS; t++) {
                    noisy(&random, n, exponents[e], noises[i], 0, v);
                    count_trial(&row, v, n, exponents[e], t, TRIALS);
                }
                print_row(n == 100 ? "100 sorted, noise of" : "400 sorted, noise of", exponents[e],
                          noises[i], &row);
                assert_true(row.covered >= 0.95 - slack(0.95, TRIALS));
            }
}

/* A floor at 1/1000 of the first value. The range must end before the floor has taken over. */
static void test_floors(void **state)
{
    (void)state;
    enum { TRIALS = 150, N = 200 };
    double v[MOST];
    struct ub_random random = ub_random_stream(2, "floors");
    print_head();
    for (int e = 0; e < EXPONENTS; e++) {
        const double floor = 1e-3, meet = pow(floor, -1 / exponents[e]);
        struct row row = {0};
        for (int t = 0; t < TRIALS; t++) {
            noisy(&random, N, exponents[e], 0.1, floor, v);
            count_trial(&row, v, N, exponents[e], t, TRIALS);
        }
        print_row("200 above a floor of", exponents[e], floor, &row);
        assert_true(row.covered >= 0.9 - slack(0.9, TRIALS));
        assert_true(row.last < 1.2 * meet);
    }
}

static void test_lines_through_sample_covariances(void **state)
{
    (void)state;
    enum { TRIALS = 60, FEATURES = 100 };
    static const int64_t counts[] = {50, 100, 200, 1000};
    double v[MOST];
    struct ub_random random = ub_random_stream(3, "covariances");
    print_head();
    for (int e = 0; e < EXPONENTS; e++)
        for (int c = 0; c < 4; c++) {
            struct row row = {0};
            for (int t = 0; t < TRIALS; t++) {
                const int64_t n = covariance(&random, counts[c], FEATURES, exponents[e], v);
                count_trial(&row, v, n, exponents[e], t, TRIALS);
            }
            print_row("100 features, samples", exponents[e], (double)counts[c], &row);
            const bool hard = exponents[e] < 1 && counts[c] <= FEATURES; /* see the header */
            const double level = hard ? 0.75 : counts[c] <= FEATURES ? 0.9 : 0.95;
            assert_true(row.covered >= level - slack(level, TRIALS));
        }
}

/* ---- the population's interval: 95%, no less and no more ---- */

static void test_populations(void **state)
{
    (void)state;
    enum { TRIALS = 30 };
    static const int64_t counts[] = {50, 100, 200, 1000};
    double v[MOST], covered = 0;
    int cells = 0;
    struct ub_random random = ub_random_stream(4, "populations");
    print_message("| planted | samples of 100 features | covers | mean estimate | half-width |\n"
                  "|---|---|---|---|---|\n");
    for (int e = 0; e < EXPONENTS; e++)
        for (int c = 0; c < 4; c++, cells++) {
            const struct ub_sampling sampling = {.features = 100, .freedom = counts[c]};
            double inside = 0, mean = 0, half = 0;
            for (int t = 0; t < TRIALS; t++) {
                const int64_t n = covariance(&random, counts[c], 100, exponents[e], v);
                const struct ub_population p = ub_powerlaw_population(v, n, &sampling, (uint64_t)t);
                assert_true(p.valid && p.low <= p.exponent && p.exponent <= p.high);
                inside += p.low <= exponents[e] && exponents[e] <= p.high;
                mean += p.exponent / TRIALS;
                half += (p.high - p.low) / 2 / TRIALS;
            }
            covered += inside;
            print_message("| %.1f | %4lld | %5.1f%% | %.3f | %.3f |\n", exponents[e],
                          (long long)counts[c], 100 * inside / TRIALS, mean, half);
            assert_true(inside / TRIALS >= 0.95 - slack(0.95, TRIALS));
            assert_near(mean, exponents[e], 3.3 * half / 1.96 / sqrt(TRIALS));
        }
    print_message("all: %.1f%%\n", 100 * covered / (cells * TRIALS));
    assert_near(covered / (cells * TRIALS), 0.95, slack(0.95, cells * TRIALS));
}

static void test_populations_that_cannot_be_fitted(void **state)
{
    (void)state;
    double v[20];
    for (int k = 0; k < 20; k++)
        v[k] = 1 / (k + 1.0);
    assert_false(ub_powerlaw_population(v, 20, &(struct ub_sampling){20, 8, 0, 0, 0}, 0).valid);
    assert_false(ub_powerlaw_population(v, 20, &(struct ub_sampling){0, 40, 0, 0, 0}, 0).valid);
    assert_false(ub_powerlaw_population(v, 3, &(struct ub_sampling){20, 40, 0, 0, 0}, 0).valid);
    const struct ub_population p =
        ub_powerlaw_population(v, 20, &(struct ub_sampling){20, 100000, 2, 15, 0}, 0);
    assert_true(p.valid && p.first == 2 && p.last == 15);
    assert_near(p.exponent, 1, 0.01); /* so many samples have the population's spectrum */
    v[12] = (double)NAN;
    assert_int_equal(ub_powerlaw_population(v, 20, &(struct ub_sampling){20, 99, 2, 15, 0}, 0).last,
                     12);
    for (int k = 0; k < 20; k++)
        v[k] = exp(-3 * k);
    assert_false(ub_powerlaw_population(v, 20, &(struct ub_sampling){20, 99, 0, 0, 0}, 0).valid);
}

/* ---- through the observable ---- */

/* Normal inputs of planted covariance, measured by covariance-spectrum in a run: its exponent's
 * interval holds the planted one, and so does the population's from its eigenvalues. */
static void test_measured_covariances(void **state)
{
    (void)state;
    enum { TRIALS = 40, COUNT = 200, FEATURES = 60 };
    const double planted = 1.2;
    const struct ub_sampling sampling = {.features = FEATURES, .freedom = COUNT - 1};
    struct ub_random random = ub_random_stream(5, "measured");
    int line = 0, population = 0;
    for (int t = 0; t < TRIALS; t++) {
        struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, COUNT, 0, FEATURES, 1), "linear",
                                      "mse", "gd:lr=0.1");
        double *x = samples_of(&random, COUNT, FEATURES, planted), v[FEATURES];
        memcpy(f.data->train.inputs, x, COUNT * FEATURES * sizeof *x);
        TRAIN(&f, 0, "covariance-spectrum:at=0");
        for (int k = 0; k < FEATURES; k++)
            v[k] = value_of(f.recorded, 0, "covariance-spectrum.inputs", k);
        const struct ub_population p = ub_powerlaw_population(v, FEATURES, &sampling, (uint64_t)t);
        population += p.low <= planted && planted <= p.high;
        line += value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_LOW) <= planted &&
                planted <= value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_HIGH);
        ub_free(x);
        fixture_free(&f);
    }
    print_message("measured covariances: line %d, population %d of %d\n", line, population, TRIALS);
    assert_true(line >= TRIALS * (0.95 - slack(0.95, TRIALS)));
    assert_true(population >= TRIALS * (0.95 - slack(0.95, TRIALS)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noisy_ranks),
        cmocka_unit_test(test_floors),
        cmocka_unit_test(test_lines_through_sample_covariances),
        cmocka_unit_test(test_populations),
        cmocka_unit_test(test_populations_that_cannot_be_fitted),
        cmocka_unit_test(test_measured_covariances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
