/* Power-law tails against closed forms, quadrature and planted samples. */
#include "tests/support.h"

#include "bench/spectra/powerlaw.h"
#include "bench/spectra/tail.h"

enum { MOST = 4000 };

static double draw_pareto(struct ub_random *r, double xmin, double alpha)
{
    return xmin * pow(1 - ub_random_uniform(r), -1 / (alpha - 1));
}

static const struct ub_tail_options bare = {.replicates = -1};

static void test_exponent_is_the_closed_form(void **state)
{
    (void)state;
    const double x[] = {3, 4, 2, 9, 5, 1, 0, -4};
    const struct ub_tail_options options = {.xmin = 2, .least = 3, .replicates = -1};
    const struct ub_tail t = ub_tail_fit(x, 8, options, 0);
    const double rate = 5 / (log(1.5) + log(2) + log(4.5) + log(2.5));
    assert_true(t.valid);
    assert_int_equal(t.count, 5);
    assert_int_equal(t.total, 6);
    assert_oracle("law weight-tails", "the likelihood's exponent in closed form",
                  t.alpha - 1 - rate, 1e-13);
    assert_near(t.error, rate / sqrt(5), 1e-13);
    double distance = 0;
    const double sorted[] = {2, 3, 4, 5, 9};
    for (int i = 0; i < 5; i++) {
        const double law = 1 - pow(sorted[i] / 2, -rate);
        distance = fmax(distance, fmax(fabs(law - i / 5.0), fabs(law - (i + 1) / 5.0)));
    }
    assert_near(t.distance, distance, 1e-13);
    assert_true(isnan(t.p) && isnan(t.low));
    assert_near(t.rival[UB_TAIL_POWER].log_likelihood, 5 * log(rate / 2) - (1 + rate) * 5 / rate,
                1e-12);
}

/* By a scan written as the paper states it: every value in turn, distances from scratch. */
static void test_cut_off_is_the_least_distance(void **state)
{
    (void)state;
    enum { N = 150 };
    double x[N];
    struct ub_random r = ub_random_stream(1, "scan");
    for (int i = 0; i < N; i++)
        x[i] = i < 60 ? ub_random_uniform(&r) : draw_pareto(&r, 1, 2.5);
    const struct ub_tail t = ub_tail_fit(x, N, bare, 0);
    double least = INFINITY, xmin = 0;
    for (int c = 0; c < N; c++) {
        int m = 0;
        double sum = 0, distance = 0;
        for (int i = 0; i < N; i++)
            if (x[i] >= x[c]) {
                m++;
                sum += log(x[i] / x[c]);
            }
        for (int i = 0; i < N && m >= 10; i++) {
            int below = 0;
            for (int j = 0; j < N; j++)
                below += x[j] >= x[c] && x[j] < x[i];
            const double law = 1 - pow(x[i] / x[c], -m / sum);
            if (x[i] >= x[c])
                distance = fmax(distance,
                                fmax(fabs(law - (double)below / m), fabs(law - (below + 1.0) / m)));
        }
        if (m >= 10 && distance < least) {
            least = distance;
            xmin = x[c];
        }
    }
    assert_near(t.xmin, xmin, 1e-12 * xmin);
    assert_near(t.distance, least, 1e-12);
}

/* Each form's density integrates to 1, and its likelihood falls on all sides of the fit: checked
 * through the survival functions, whose slope is the density. */
static void test_likelihoods_and_survivals_agree(void **state)
{
    (void)state;
    double x[300];
    struct ub_random r = ub_random_stream(2, "survival");
    for (int i = 0; i < 300; i++) /* bent, so that no form is at its limit */
        x[i] = 1.5 * exp(pow(-log(1 - ub_random_uniform(&r)), 0.7));
    struct ub_tail_options options = bare;
    options.xmin = 1.5;
    const struct ub_tail t = ub_tail_fit(x, 300, options, 0);
    assert_int_equal(t.count, 300);
    for (int form = 0; form < UB_TAIL_FORMS; form++) {
        double sum = 0;
        assert_near(ub_tail_survival(&t, (enum ub_tail_form)form, 1.5), 1, 1e-9);
        for (int i = 0; i < 300; i++) {
            const double h = 1e-5 * x[i], low = fmax(x[i] - h, 1.5);
            sum += log((ub_tail_survival(&t, (enum ub_tail_form)form, low) -
                        ub_tail_survival(&t, (enum ub_tail_form)form, x[i] + h)) /
                       (x[i] + h - low));
        }
        assert_near(t.rival[form].log_likelihood, sum, 0.02);
    }
    assert_true(t.rival[UB_TAIL_TRUNCATED].parameter[1] > 0);
    assert_true(t.rival[UB_TAIL_TRUNCATED].ratio < 0);
}

/* Log likelihoods written out, in the paper's parameters, at the fit and around it. */
static double by_hand(int form, const double *x, int n, double xmin, const double p[2])
{
    double sum = 0, mass = 0;
    if (form == UB_TAIL_TRUNCATED) /* of x^-a exp(-r x) over [xmin, inf), in log x */
        for (int i = 0; i < 40000; i++) {
            const double s = log(xmin) + (i + 0.5) * 1e-3;
            mass += 1e-3 * exp(s * (1 - p[0]) - p[1] * exp(s));
        }
    for (int i = 0; i < n; i++) {
        const double l = log(x[i]);
        if (form == UB_TAIL_EXPONENTIAL)
            sum += log(p[0]) - p[0] * (x[i] - xmin);
        if (form == UB_TAIL_STRETCHED)
            sum += log(p[0] * p[1] / xmin) + (p[0] - 1) * (l - log(xmin)) -
                   p[1] * (pow(x[i] / xmin, p[0]) - 1);
        if (form == UB_TAIL_LOGNORMAL)
            sum += log(sqrt(2 / M_PI) / p[1] / erfc((log(xmin) - p[0]) / sqrt(2) / p[1])) - l -
                   pow((l - p[0]) / p[1], 2) / 2;
        if (form == UB_TAIL_TRUNCATED)
            sum += -p[0] * l - p[1] * x[i] - log(mass);
    }
    return sum;
}

static void test_likelihoods_are_maximal(void **state)
{
    (void)state;
    double x[200];
    struct ub_random r = ub_random_stream(4, "maximal");
    for (int i = 0; i < 200; i++)
        x[i] = 2 * exp(pow(-log(1 - ub_random_uniform(&r)), 0.7));
    struct ub_tail_options options = bare;
    options.xmin = 2;
    const struct ub_tail t = ub_tail_fit(x, 200, options, 0);
    for (int form = 1; form < UB_TAIL_FORMS; form++) {
        const struct ub_tail_rival *v = &t.rival[form];
        assert_near(by_hand(form, x, 200, 2, v->parameter), v->log_likelihood, 1e-5);
        for (int k = 0; k < 2; k++)
            for (int side = -1; side <= 1; side += 2) {
                double p[2] = {v->parameter[0], v->parameter[1]};
                if (isnan(p[k]))
                    continue;
                p[k] *= 1 + 0.01 * side;
                assert_true(by_hand(form, x, 200, 2, p) < v->log_likelihood);
            }
    }
}

/* Vuong's statistic against the exponential, from its definition. */
static void test_ratio_by_hand(void **state)
{
    (void)state;
    double x[100], d[100], mean = 0, squares = 0;
    struct ub_random r = ub_random_stream(6, "ratio");
    for (int i = 0; i < 100; i++)
        x[i] = draw_pareto(&r, 1, 2.2);
    struct ub_tail_options options = bare;
    options.xmin = 1;
    const struct ub_tail t = ub_tail_fit(x, 100, options, 0);
    const double rate = t.rival[UB_TAIL_EXPONENTIAL].parameter[0];
    for (int i = 0; i < 100; i++) {
        d[i] = log(t.alpha - 1) - t.alpha * log(x[i]) - log(rate) + rate * (x[i] - 1);
        mean += d[i] / 100;
    }
    for (int i = 0; i < 100; i++)
        squares += pow(d[i] - mean, 2) / 100;
    const double z = 100 * mean / sqrt(100 * squares);
    assert_near(t.rival[UB_TAIL_EXPONENTIAL].ratio, 100 * mean, 1e-9);
    assert_near(t.rival[UB_TAIL_EXPONENTIAL].z, z, 1e-9);
    assert_near(t.rival[UB_TAIL_EXPONENTIAL].p, erfc(fabs(z) / sqrt(2)), 1e-12);
    assert_true(t.rival[UB_TAIL_TRUNCATED].ratio <= 1e-9);
}

/* ---- planted samples ---- */

struct outcome {
    double covered, rejected, alpha; /* shares; mean */
};

/* kind 0: Pareto; 1: Pareto above 1 with a flat body below. */
static struct outcome simulate(int kind, int n, double alpha, int trials)
{
    struct outcome o = {0};
    struct ub_random r = ub_random_stream((uint64_t)(100 * kind + n), "planted");
    double x[MOST];
    for (int trial = 0; trial < trials; trial++) {
        for (int i = 0; i < n; i++)
            x[i] = kind == 1 && i % 3 == 0 ? ub_random_uniform(&r) : draw_pareto(&r, 1, alpha);
        const struct ub_tail t =
            ub_tail_fit(x, n, (struct ub_tail_options){.replicates = 99}, (uint64_t)trial);
        o.covered += (t.low <= alpha && alpha <= t.high) / (double)trials;
        o.rejected += (t.p < 0.1) / (double)trials;
        o.alpha += t.alpha / trials;
    }
    print_message("| %-18s | %3d | %.1f | %.1f%% | %.1f%% | %.3f |\n",
                  kind ? "above a flat body" : "Pareto", n, alpha, 100 * o.covered,
                  100 * o.rejected, o.alpha);
    return o;
}

/* 95% intervals within 3.3 binomial deviations on both sides; 10% rejections on the side that would
 * be a false claim. */
static void test_planted_power_laws_are_recovered(void **state)
{
    (void)state;
    enum { TRIALS = 400 };
    print_message("| sample | size | planted | interval covers | p < 0.1 in | mean |\n"
                  "|---|---|---|---|---|---|\n");
    double worst = 0;
    for (int kind = 0; kind < 2; kind++)
        for (int n = 100; n <= 300; n += 200) {
            const double alpha = kind ? 3.5 : 2; /* of which (alpha* - 1)/(alpha - 1) is free */
            const struct outcome o = simulate(kind, n, alpha, TRIALS);
            assert_near(o.covered, 0.95, 3.3 * sqrt(0.95 * 0.05 / TRIALS));
            assert_true(o.rejected < 0.1 + 3.3 * sqrt(0.1 * 0.9 / TRIALS));
            worst = fmax(worst, fabs(o.alpha / alpha - 1));
        }
    assert_oracle("law weight-tails", "planted tails of 100 and 300 values, relative", worst, 0.15);
}

/* The whole of a log-normal or stretched exponential: the law is rejected when it must hold above a
 * given xmin, and the right form is named. */
static void test_other_tails_are_told_apart(void **state)
{
    (void)state;
    static const enum ub_tail_form forms[] = {UB_TAIL_LOGNORMAL, UB_TAIL_STRETCHED};
    double x[800];
    for (int k = 0; k < 2; k++) {
        struct ub_random r = ub_random_stream((uint64_t)k, "forms");
        int named = 0;
        for (int trial = 0; trial < 10; trial++) {
            for (int i = 0; i < 800; i++)
                x[i] =
                    k == 0 ? exp(ub_random_normal(&r)) : pow(-log(1 - ub_random_uniform(&r)), 1.7);
            const struct ub_tail t =
                ub_tail_fit(x, 800, (struct ub_tail_options){.xmin = 0.3, .replicates = 99}, 1);
            assert_true(t.p < 0.05);
            assert_true(t.rival[forms[k]].ratio < 0 && t.rival[forms[k]].p < 0.01);
            assert_true(t.best != UB_TAIL_POWER);
            named += t.best == forms[k];
        }
        print_message("%s named in %d of 10\n", ub_tail_names[forms[k]], named);
        assert_true(named >= 7);
    }
}

/* A Pareto sample's truncated and log-normal fits are near their common limit, the power law. */
static void test_power_law_is_preferred_to_none(void **state)
{
    (void)state;
    double x[500];
    int preferred = 0;
    struct ub_random r = ub_random_stream(8, "preferred");
    for (int trial = 0; trial < 40; trial++) {
        for (int i = 0; i < 500; i++)
            x[i] = draw_pareto(&r, 0.01, 2.5);
        struct ub_tail_options options = bare;
        options.xmin = 0.01;
        const struct ub_tail t = ub_tail_fit(x, 500, options, 0);
        preferred += t.best == UB_TAIL_POWER;
        assert_true(t.rival[UB_TAIL_EXPONENTIAL].ratio > 50);
        for (int form = UB_TAIL_STRETCHED; form < UB_TAIL_FORMS; form++)
            assert_true(t.rival[form].ratio < 0.02); /* each holds the power law as a limit */
    }
    assert_true(preferred >= 33);
}

/* The law of both header notes: ranks fall with 1/(alpha - 1). */
static void test_rank_and_density_exponents_agree(void **state)
{
    (void)state;
    enum { N = 1000 };
    double x[N];
    for (int k = 0; k < N; k++)
        x[k] = pow(k + 1, -1.25);
    const struct ub_tail t = ub_tail_fit(x, N, bare, 0);
    const struct ub_powerlaw p = ub_powerlaw_fit(x, N, 0, 0, 0);
    assert_near(p.exponent, 1.25, 1e-9);
    assert_near(t.alpha, 1 + 1 / p.exponent, 0.02);
}

static void test_scale_order_and_seed(void **state)
{
    (void)state;
    double x[120], y[120];
    struct ub_random r = ub_random_stream(3, "scale");
    for (int i = 0; i < 120; i++) {
        x[i] = draw_pareto(&r, 1, 2.5);
        y[119 - i] = 1e-7 * x[i];
    }
    const struct ub_tail a = ub_tail_fit(x, 120, (struct ub_tail_options){0}, 5),
                         b = ub_tail_fit(y, 120, (struct ub_tail_options){0}, 5),
                         c = ub_tail_fit(x, 120, (struct ub_tail_options){0}, 6),
                         d = ub_tail_fit(x, 120, (struct ub_tail_options){0}, 5);
    assert_memory_equal(&a, &d, sizeof a);
    assert_near(a.alpha, b.alpha, 1e-9);
    assert_near(a.xmin * 1e-7, b.xmin, 1e-12 * a.xmin);
    assert_near(a.p, b.p, 0.02);
    assert_near(a.rival[UB_TAIL_LOGNORMAL].z, b.rival[UB_TAIL_LOGNORMAL].z, 1e-4);
    assert_true(a.alpha == c.alpha && a.low != c.low);
    assert_true(a.low < a.alpha && a.alpha < a.high);
}

static void test_bad_samples_are_not_fitted(void **state)
{
    (void)state;
    double x[20] = {0};
    assert_false(ub_tail_fit(x, 20, bare, 0).valid);
    assert_false(ub_tail_fit(NULL, 0, bare, 0).valid);
    for (int i = 0; i < 20; i++)
        x[i] = 4;
    assert_false(ub_tail_fit(x, 20, bare, 0).valid);
    x[3] = (double)INFINITY;
    assert_false(ub_tail_fit(x, 20, bare, 0).valid);
    for (int i = 0; i < 20; i++)
        x[i] = i + 1;
    assert_true(ub_tail_fit(x, 20, bare, 0).valid);
    assert_false(ub_tail_fit(x, 9, bare, 0).valid);
    struct ub_tail_options options = bare;
    options.xmin = 15;
    assert_false(ub_tail_fit(x, 20, options, 0).valid);
    assert_true(isnan(ub_tail_fit(x, 9, bare, 0).alpha));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exponent_is_the_closed_form),
        cmocka_unit_test(test_cut_off_is_the_least_distance),
        cmocka_unit_test(test_likelihoods_and_survivals_agree),
        cmocka_unit_test(test_likelihoods_are_maximal),
        cmocka_unit_test(test_ratio_by_hand),
        cmocka_unit_test(test_planted_power_laws_are_recovered),
        cmocka_unit_test(test_other_tails_are_told_apart),
        cmocka_unit_test(test_power_law_is_preferred_to_none),
        cmocka_unit_test(test_rank_and_density_exponents_agree),
        cmocka_unit_test(test_scale_order_and_seed),
        cmocka_unit_test(test_bad_samples_are_not_fitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
