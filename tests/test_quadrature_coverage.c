/* Do the 95% intervals of stochastic Lanczos quadrature cover? Trials over seeds on matrices of
 * known eigenvalues (diagonal ones: directions are uniform, so that a basis changes nothing), for
 * densities point by point, traces of powers, masses and counts. */
#include "tests/spectra_support.h"

#include "bench/spectra/quadrature.h"

enum { N = 300, TRIALS = 200, POINTS = 60 };

/* Spectra: a Hessian's, of outliers, a bulk that decays to zero, a third at zero, negatives that
 * crowd below it; an even one; isolated eigenvalues far apart on a lump. */
enum spectrum { HESSIAN, EVEN, ISOLATED, SPECTRA };
static const char *const names[] = {"hessian", "even", "isolated"};

static double *eigenvalues(enum spectrum kind)
{
    double *x = ub_calloc(N, sizeof *x);
    for (int i = 0; i < N; i++) {
        const double u = (i + 0.5) / N;
        if (kind == HESSIAN)
            x[i] = i < 8     ? 3 + 2 * i
                   : i < 100 ? 2 * pow(u, 3)
                   : i < 200 ? 0
                             : -0.5 * pow(u - 0.66, 2);
        if (kind == EVEN)
            x[i] = 3 * u - 1;
        if (kind == ISOLATED)
            x[i] = i < 6 ? 1.5 * (i - 1) - 0.2 : 0.02 * sin(40 * u);
    }
    return x;
}

static struct ub_quadrature rules(const double *values, int64_t steps, int64_t probes, int trial)
{
    struct ub_error err = {0};
    struct ub_quadrature q;
    struct ub_operator a = ub_operator_diagonal(N, values);
    const struct ub_quadrature_options o = {
        .steps = steps, .probes = probes, .seed = (uint64_t)trial};
    if (!ub_quadrature_new(&a, &o, &q, &err))
        fail_msg("%s", err.text);
    ub_operator_free(&a);
    return q;
}

/* ---- densities ---- */

static double smoothed(const double *values, double width, double x)
{
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += exp(-pow((x - values[i]) / width, 2) / 2) / (width * sqrt(2 * M_PI));
    return sum / N;
}

/* Shares of trials that cover, of the worst point and of all whose density is at least a thousandth
 * of the greatest. */
static void cover_density(const double *values, int64_t steps, int64_t probes, double *worst,
                          double *all)
{
    double low = INFINITY, high = -INFINITY, grid[POINTS], truth[POINTS], most = 0;
    double density[POINTS], margin[POINTS];
    int hits[POINTS] = {0}, counted = 0;
    for (int i = 0; i < N; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    const double width = (high - low) / (double)steps;
    for (int i = 0; i < POINTS; i++) {
        grid[i] = low - 2 * width + (high - low + 4 * width) * i / (POINTS - 1);
        truth[i] = smoothed(values, width, grid[i]);
        most = fmax(most, truth[i]);
    }
    for (int t = 0; t < TRIALS; t++) {
        struct ub_quadrature q = rules(values, steps, probes, t);
        ub_quadrature_density(&q, width, true, POINTS, grid, 0.95, density, margin);
        for (int i = 0; i < POINTS; i++)
            hits[i] += fabs(density[i] - truth[i]) <= margin[i];
        ub_quadrature_free(&q);
    }
    *worst = 1;
    *all = 0;
    for (int i = 0; i < POINTS; i++)
        if (truth[i] >= 1e-3 * most) {
            *worst = fmin(*worst, (double)hits[i] / TRIALS);
            *all += (double)hits[i] / TRIALS;
            counted++;
        }
    *all /= counted;
}

/* With Student's intervals over the probes: 89% of all points, 55% at the worst. */
static void densities_are_covered(void **state)
{
    (void)state;
    const struct {
        int64_t steps, probes;
    } cases[] = {{30, 3}, {30, 5}, {60, 5}};
    double worst, all;
    for (int kind = 0; kind < SPECTRA; kind++) {
        double *values = eigenvalues((enum spectrum)kind);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            cover_density(values, cases[i].steps, cases[i].probes, &worst, &all);
            print_message("density of %-9s %3d steps %2d probes: %.3f of points, worst %.3f\n",
                          names[kind], (int)cases[i].steps, (int)cases[i].probes, all, worst);
            assert_true(all >= 0.93 && worst >= 0.90);
        }
        ub_free(values);
    }
}

/* ---- sums ---- */

static bool covers(struct ub_estimate e, double truth)
{
    return fabs(e.value - truth) <= ub_estimate_margin(e, 0.95) + 1e-9 * fabs(truth);
}

static void sums_are_covered(void **state)
{
    (void)state;
    for (int kind = 0; kind < SPECTRA; kind++) {
        double *values = eigenvalues((enum spectrum)kind), truth[5] = {0}, sizes = 0, mass, margin;
        for (int i = 0; i < N; i++) {
            for (int p = 1; p <= 4; p++)
                truth[p] += pow(values[i], p);
            sizes += fabs(values[i]);
        }
        for (int64_t probes = 1; probes <= 5; probes += 2) {
            int hits[6] = {0};
            for (int t = 0; t < TRIALS; t++) {
                struct ub_quadrature q = rules(values, 30, probes, t);
                for (int p = 1; p <= 4; p++)
                    hits[p] += covers(ub_quadrature_moment(&q, p), truth[p]);
                mass = ub_quadrature_negative_mass(&q, 0.95, &margin);
                hits[5] += fabs(mass - (sizes - truth[1]) / 2 / sizes) <= margin;
                ub_quadrature_free(&q);
            }
            print_message("sums of %-9s %d probes: moments", names[kind], (int)probes);
            for (int p = 1; p <= 5; p++) {
                print_message(p < 5 ? " %.3f" : ", negative mass %.3f\n", (double)hits[p] / TRIALS);
                assert_true(hits[p] >= 0.90 * TRIALS);
            }
        }
        ub_free(values);
    }
}

/* ---- counts ---- */

enum { THRESHOLDS = 3 };
/* In the crowd below zero, in gaps, at an end. */
static const double at[THRESHOLDS] = {-1e-3, 0.1, 2.5};

static void cover_counts(enum spectrum kind, int64_t steps)
{
    double *values = eigenvalues(kind), length[THRESHOLDS] = {0};
    int truth[THRESHOLDS] = {0}, hits[THRESHOLDS] = {0};
    for (int j = 0; j < N; j++)
        for (int i = 0; i < THRESHOLDS; i++)
            truth[i] += values[j] < at[i];
    for (int t = 0; t < TRIALS; t++) {
        struct ub_quadrature q = rules(values, steps, 5, t);
        for (int i = 0; i < THRESHOLDS; i++) {
            const struct ub_range r = ub_quadrature_below(&q, at[i], 0.95);
            hits[i] += r.low <= truth[i] && truth[i] <= r.high;
            length[i] += (r.high - r.low) / TRIALS / N;
        }
        ub_quadrature_free(&q);
    }
    for (int i = 0; i < THRESHOLDS; i++) {
        print_message("share of %-9s below %7g, %3d steps: truth %.3f, covered %.3f, length "
                      "%.3f\n",
                      names[kind], at[i], (int)steps, (double)truth[i] / N,
                      (double)hits[i] / TRIALS, length[i]);
        assert_true(hits[i] >= 0.90 * TRIALS);
    }
    ub_free(values);
}

/* The rule's own count, with Student's interval over 5 probes, covered 37% on a network. */
static void counts_are_covered(void **state)
{
    (void)state;
    for (int kind = 0; kind < SPECTRA; kind++)
        for (int64_t steps = 15; steps <= 60; steps *= 4)
            cover_counts((enum spectrum)kind, steps);
}

/* With a step for each distinct eigenvalue only the probes' scatter is left: 95%, not more; and
 * another rule of as many moments that lies at the bound shows that the bounds are sharp. */
static void counts_are_not_needlessly_wide(void **state)
{
    (void)state;
    double values[N];
    int hits = 0;
    for (int i = 0; i < N; i++) /* 8 distinct ones, a quarter below zero */
        values[i] = i % 8 - 2 + 0.5;
    for (int t = 0; t < TRIALS; t++) {
        struct ub_quadrature q = rules(values, 100, 5, t);
        const struct ub_range r = ub_quadrature_below(&q, 0, 0.95);
        hits += r.low <= N / 4 && N / 4 <= r.high;
        assert_true(r.high - r.low < 0.09 * N); /* 3.92 sqrt(2 (1/4) (3/4) / (5 N)) = 0.062 */
        ub_quadrature_free(&q);
    }
    print_message("closed rules cover %.3f\n", (double)hits / TRIALS);
    assert_true(hits >= 0.90 * TRIALS && hits < TRIALS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(densities_are_covered),
        cmocka_unit_test(sums_are_covered),
        cmocka_unit_test(counts_are_covered),
        cmocka_unit_test(counts_are_not_needlessly_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
