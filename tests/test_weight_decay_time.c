/* The time of weight decay: the law on planted sweeps whose best decay is known, and the theorem
 * behind its control: the best ridge of isotropic data, by brute force. */
#include "planted_suite.h"
#include "tiny.h"

#include <math.h>

extern const struct ub_law ub_law_weight_decay_time;

/* ---- planted sweeps ------------------------------------------------------------------------- */

enum { DECAYS = 9, SEEDS = 3, BATCH = 16, EPOCHS = 20 };
static const int64_t sizes[] = {128, 256, 512};
static const double rate = 0.01;

struct plant {
    const char *optimizer; /* with %g for its decay */
    double power;          /* best decay ~ samples^power */
    int64_t more_steps;    /* of the largest size */
};

/* A parabola in log2 of the decay, on no grid point. */
static double loss_at(const struct plant *plant, double decay, double samples, uint64_t seed)
{
    const double best = 0.55 * (1 + 0.1 * (double)seed) * pow(samples / 256, plant->power);
    return exp(0.05 * pow(log2(decay / best), 2));
}

static void write_planted(const char *folder, const struct plant *plant, int64_t samples,
                          double decay, uint64_t seed)
{
    char text[96], dataset[48];
    snprintf(text, sizeof text, plant->optimizer, decay);
    snprintf(dataset, sizeof dataset, "gaussian:samples=%lld", (long long)samples);
    const int64_t steps = samples * EPOCHS / BATCH + (samples == sizes[2] ? plant->more_steps : 0);
    struct ub_run_writer *w = planted_run(folder, dataset, text, "loss", steps, seed);
    ub_run_writer_add(w, steps, "test-loss", 0, loss_at(plant, decay, (double)samples, seed),
                      (double)NAN);
    ub_run_writer_fact(w, "samples", (double)samples);
    ub_run_writer_fact(w, "lr", rate);
    planted_run_end(w);
}

static struct ub_datum planted(struct plant plant)
{
    char *path;
    struct law_suite s = planted_suite_new(&path);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int i = 0; i < DECAYS; i++)
            for (uint64_t seed = 0; seed < SEEDS; seed++)
                write_planted(path, &plant, sizes[k], 0.05 * exp2(i), seed);
    planted_suite_read(&s, path);
    const bool adamw = strncmp(plant.optimizer, "adamw", 5) == 0;
    assert_int_equal(law_suite_applies(&s, &ub_law_weight_decay_time),
                     adamw ? 3 * DECAYS * SEEDS : 0);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_weight_decay_time, "dataset", "gaussian");
    if (!d.why && plant.power == -1)
        law_suite_draws(&s, "decay-time.png");
    law_suite_free(&s);
    return d;
}

static void planted_sweeps_are_read(void **state)
{
    (void)state;
    const struct ub_claim *is = &ub_law_weight_decay_time.is;
    const char *adamw = "adamw:lr=0.01,batch=16,decay=%g", *adam = "adam:lr=0.01,batch=16,l2=%g";
    struct ub_datum d = planted((struct plant){adamw, -1, 0});
    assert_null(d.why);
    double worst = fabs(d.value);
    assert_near(d.se, 0, 1e-9);
    assert_true(ub_datum_meets(is, &d));
    d = planted((struct plant){adamw, -0.5, 0});
    worst = fmax(worst, fabs(d.value + 0.5));
    assert_false(ub_datum_meets(is, &d));
    d = planted((struct plant){adam, 0, 0}); /* one decay for all sizes */
    worst = fmax(worst, fabs(d.value + 1));
    assert_false(ub_datum_meets(is, &d));
    assert_oracle("law weight-decay-time",
                  "planted sweeps whose best decay goes as n^-1, n^-1/2 and n^0", worst, 1e-9);
    d = planted((struct plant){adamw, -6, 0});
    assert_string_equal(d.why, "the best decay is the least or the largest at some size");
    d = planted((struct plant){adamw, -1, 5});
    assert_string_equal(d.why, "not as many passes at all sizes");
}

/* ---- ridge regression ----------------------------------------------------------------------- */

enum { FEATURES = 4, DRAWS = 4000, GRID = 41 };

/* (X'X/n + l) w = X'y/n by Gaussian elimination; the excess risk |w - w_0|^2 for isotropic inputs.
 */
static double excess_of(int n, const double *x, const double *y, const double *w0, double l)
{
    double a[FEATURES][FEATURES + 1] = {{0}};
    for (int i = 0; i < n; i++)
        for (int j = 0; j < FEATURES; j++) {
            for (int k = 0; k < FEATURES; k++)
                a[j][k] += x[i * FEATURES + j] * x[i * FEATURES + k] / n;
            a[j][FEATURES] += x[i * FEATURES + j] * y[i] / n;
        }
    for (int j = 0; j < FEATURES; j++)
        a[j][j] += l;
    for (int j = 0; j < FEATURES; j++) /* positive definite: no pivots are looked for */
        for (int i = 0; i < FEATURES; i++) {
            if (i == j)
                continue;
            const double factor = a[i][j] / a[j][j];
            for (int k = 0; k <= FEATURES; k++)
                a[i][k] -= factor * a[j][k];
        }
    double sum = 0;
    for (int j = 0; j < FEATURES; j++)
        sum += pow(a[j][FEATURES] / a[j][j] - w0[j], 2);
    return sum;
}

/* Mean excess over draws of data and coefficients, on a grid of l about sigma^2/(n w^2): where it
 * is least, over that. */
static double best_ridge(int n, double sigma, double w)
{
    struct ub_random r = ub_random_stream((uint64_t)n, "ridge");
    double excess[GRID] = {0};
    for (int draw = 0; draw < DRAWS; draw++) {
        double x[64 * FEATURES], y[64], w0[FEATURES];
        for (int j = 0; j < FEATURES; j++)
            w0[j] = w * ub_random_normal(&r);
        for (int i = 0; i < n; i++) {
            y[i] = sigma * ub_random_normal(&r);
            for (int j = 0; j < FEATURES; j++) {
                x[i * FEATURES + j] = ub_random_normal(&r);
                y[i] += w0[j] * x[i * FEATURES + j];
            }
        }
        for (int k = 0; k < GRID; k++)
            excess[k] += excess_of(n, x, y, w0, sigma * sigma / (n * w * w) * exp2((k - 20) / 8.0));
    }
    int best = 0;
    for (int k = 1; k < GRID; k++)
        best = excess[k] < excess[best] ? k : best;
    return exp2((best - 20) / 8.0);
}

static void best_ridge_goes_as_one_over_n(void **state)
{
    (void)state;
    double worst = 0;
    for (int n = 8; n <= 64; n *= 2)
        worst = fmax(worst, fabs(log2(best_ridge(n, 1.5, 0.7))));
    /* Two steps of the grid: the minimum is flat. */
    assert_oracle("law weight-decay-time",
                  "ridge regression: least mean excess over 4000 draws at sigma^2/(n w^2), octaves",
                  worst, 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_sweeps_are_read),
        cmocka_unit_test(best_ridge_goes_as_one_over_n),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
