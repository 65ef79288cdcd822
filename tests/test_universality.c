/* Answers to the questions about spectra, from planted exponents and outliers: spreads and tests
 * against closed forms, slopes against what was planted, and by coverage in simulation. */
#include "planted_spectra.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "report/sections/exponents.h"

/* ---- a store of planted exponents ----------------------------------------------------------- */

struct cell {
    const char *dataset, *model;
    double data, exponent; /* NAN: a spectrum without a fit */
    double best;           /* form of the latter */
};

/* At the last step, each with standard error 0.1. */
static void add_exponent(struct ub_run_writer *w, const char *values, const char *fit,
                         double exponent, double best)
{
    const double half = 1.959963984540054 * 0.1;
    add(w, 99, values, (double[]){8, 4, 2, 1}, 4, 1e-6);
    if (isfinite(exponent))
        add(w, 99, fit, (double[]){exponent, exponent - half, exponent + half, 1, 1, 9, 1, best}, 8,
            (double)NAN);
}

static void write_cell(const char *folder, const struct cell *c, uint64_t seed, uint64_t data_seed)
{
    struct ub_error err = {0};
    char *measures[] = {(char *)"covariance-spectrum", (char *)"spectrum:operator=hessian"};
    const struct ub_run_spec spec = {.dataset = (char *)c->dataset,
                                     .model = (char *)c->model,
                                     .loss = (char *)"ce",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)"gd:lr=0.1",
                                     .steps = 99,
                                     .seed = seed,
                                     .data_seed = data_seed,
                                     .n_measures = 2,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
    assert_non_null(w);
    add_exponent(w, "covariance-spectrum.inputs", "exponent.inputs", c->data, 0);
    add_exponent(w, "covariance-spectrum.hidden1", "exponent.hidden1", 1.5, 0);
    add_exponent(w, "spectrum.hessian", "exponent.hessian", c->exponent, c->best);
    add(w, 99, "outliers.hessian", (double[]){2, 5}, 2, (double)NAN);
    add_classes(w);
    ub_run_writer_fact(w, "classes", 3);
    if (!ub_run_writer_commit(w, UB_RUN_OK, "", NULL, 0, &err))
        fail_msg("%s", err.text);
}

struct planted_study {
    char *folder;
    struct ub_store *store;
    struct study *study;
    struct exponents *e;
};

/* data_seeds: NULL for one of all. */
static struct planted_study open_draws(const struct cell *cells, const uint64_t *data_seeds,
                                       size_t n)
{
    struct ub_error err = {0};
    struct planted_study p = {.folder = support_folder()};
    assert_true(ub_store_lock(p.folder, false, &err));
    for (size_t i = 0; i < n; i++)
        write_cell(p.folder, &cells[i], i, data_seeds ? data_seeds[i] : 0);
    p.store = ub_store_open(p.folder, &err);
    assert_non_null(p.store);
    p.study = study_new(p.store, &err);
    assert_non_null(p.study);
    p.e = exponents_of(p.study);
    return p;
}

static struct planted_study open_cells(const struct cell *cells, size_t n)
{
    return open_draws(cells, NULL, n);
}

static void close_cells(struct planted_study *p)
{
    exponents_free(p->e);
    study_free(p->study);
    ub_store_free(p->store);
    support_remove(p->folder);
}

static const struct universal *group_of(const struct universals *u, enum matrix_of m)
{
    for (size_t i = 0; i < u->count; i++)
        if (u->group[i].matrix == m)
            return &u->group[i];
    fail_msg("no group");
    return NULL;
}

/* ---- across models -------------------------------------------------------------------------- */

/* 1, 1.3 and 1.6, errors 0.1: Q = 2 (0.3/0.1)^2 = 18, its p exp(-9), I2 = 16/18; Q(tau^2) =
 * 0.18/(0.01 + tau^2), whose two degrees of freedom have quantiles -2 log(1 - p). */
static void test_spread(void **state)
{
    (void)state;
    static const struct cell cells[] = {{"digits", "mlp", 2, 1, 0},
                                        {"digits", "cnn", 2, 1.3, 0},
                                        {"digits", "vit", 2, 1.6, 0},
                                        {"digits", "gru", 2, 5, 2},  /* a rival fits better */
                                        {"digits", "gru", 2, 5, 1}}; /* also */
    struct planted_study p = open_cells(cells, 5);
    struct universals u = universals_of(p.study);
    assert_int_equal(u.count, 3);
    const struct universal *g = group_of(&u, OF_HESSIAN);
    assert_int_equal(g->n, 3);
    assert_int_equal(g->all, 4);
    const struct ub_meta *b = &g->between;
    assert_near(b->mean.estimate, 1.3, 1e-9);
    assert_near(b->q, 18, 1e-8);
    assert_near(b->q_p, exp(-9), 1e-12);
    assert_near(b->i_squared, 16.0 / 18, 1e-9);
    assert_near(b->tau, sqrt(0.09 - 0.01), 1e-8);
    assert_near(b->tau_low, sqrt(0.18 / (-2 * log(0.025)) - 0.01), 1e-8);
    assert_near(b->tau_high, sqrt(0.18 / (-2 * log(0.975)) - 0.01), 1e-8);
    assert_false(g->meets); /* tau is 0.28 */
    /* Q at the margin, 0.18/(0.01 + 0.15^2): p exp(-Q/2). */
    assert_true((exp(-0.5 * 0.18 / (0.01 + 0.0225)) < 0.05) == g->exception);
    /* The layers' are all 1.5; one hidden layer is the first, not the last. */
    g = group_of(&u, OF_FIRST_LAYER);
    assert_int_equal(g->n, 4);
    assert_near(g->between.tau_high, 0, 0);
    assert_true(g->meets && !g->exception);
    assert_int_equal(group_of(&u, OF_LAST_LAYER)->n, 0);
    universals_clear(&u);
    struct pieces pieces = {0};
    struct ub_text page = {0};
    add_universality(&pieces, p.e);
    pieces_markdown(&pieces, &page);
    pieces_free(&pieces);
    assert_non_null(strstr(page.data, "mlp 1.00, vit 1.60"));
    ub_text_free(&page);
    close_cells(&p);
}

/* ---- outliers ------------------------------------------------------------------------------- */

static void test_outliers(void **state)
{
    (void)state;
    static const struct cell cells[] = {{"digits", "mlp", 2, 1, 0}, {"digits", "mlp", 2, 1, 0}};
    struct planted_study p = open_cells(cells, 2);
    struct outliers *o;
    assert_int_equal(outliers_of(p.study, &o), 1); /* two seeds of one system */
    assert_int_equal(o->n_runs, 2);
    assert_near(o->classes, 3, 0);
    assert_near(o->hessian.estimate, 2, 0);
    assert_true(isnan(o->gauss_newton.estimate));
    assert_near(o->gap, 5, 1e-12);
    assert_near(o->gap_at_classes, 2, 1e-12);     /* of 8, 4, 2, 1: 2/1 */
    assert_near(o->made_of_means.estimate, 2, 0); /* shares 0.7, 0.6, 0.1, 0.1 */
    assert_near(o->means, 8.2 / 14, 1e-12);       /* (5.6 + 2.4 + 0.2) / (8 + 4 + 2) */
    assert_near(o->cross, (0.8 + 0.8 + 1.6) / 14, 1e-12);
    ub_free(o);
    struct pieces pieces = {0};
    struct ub_text page = {0};
    add_outliers(&pieces, p.study);
    pieces_markdown(&pieces, &page);
    pieces_free(&pieces);
    assert_non_null(strstr(page.data, "the Hessian has 0.67"));
    assert_non_null(strstr(page.data, "C - 1 or C in 1 systems"));
    ub_text_free(&page);
    close_cells(&p);
}

static bool data_of(const struct planted_study *p, const char *dataset, enum fit_choice choice,
                    struct ub_interval *out)
{
    for (size_t k = 0; k < p->e->datasets.groups.count; k++)
        if (strcmp(p->e->datasets.name[k], dataset) == 0)
            return exponent_of_data(p->e, k, choice, out);
    fail_msg("no dataset %s", dataset);
    return false;
}

/* ---- from the data -------------------------------------------------------------------------- */

/* Exponents 0.3 + 0.5 x of one architecture and 2 + 0.5 x of another, that was only seen where x
 * is small: over all points there is no such slope. Errors of 0.1 in x, 1 to 4 for each. */
static void test_slope_of_planted_exponents(void **state)
{
    (void)state;
    static const struct cell cells[] = {
        {"a", "mlp", 1, 0.8, 0},        {"b", "mlp", 2, 1.3, 0}, {"c", "mlp", 3, 1.8, 0},
        {"d", "mlp", 4, 2.3, 0},        {"a", "cnn", 1, 2.5, 0}, {"b", "cnn", 2, 3, 0},
        {"e", "mlp", (double)NAN, 7, 0}}; /* no exponent of the data */
    struct planted_study p = open_cells(cells, 7);
    size_t n;
    const struct ub_slope s = exponent_slope(p.e, OF_HESSIAN, POWER_LAWS, &n);
    assert_int_equal(n, 6);
    assert_int_equal(s.n_clusters, 4);
    /* Sums of squares 5 + 0.5; errors (4 * 3/4 + 2 * 1/2) 0.01. */
    assert_near(s.reliability, 1 - 0.04 / 5.5, 1e-9);
    assert_near(s.slope.estimate, 0.5 / s.reliability, 1e-9);
    assert_true(s.spearman.estimate < 0.5); /* ranks of y: 1 2 3 4 against 5 6 at the low end */
    struct ub_interval data;
    assert_true(data_of(&p, "c", ANY_FITS, &data));
    assert_near(data.estimate, 3, 0);
    assert_false(data_of(&p, "e", ANY_FITS, &data));
    struct pieces pieces = {0};
    struct ub_text page = {0};
    add_universality(&pieces, p.e);
    pieces_markdown(&pieces, &page);
    pieces_free(&pieces);
    assert_non_null(strstr(page.data, "d 4.00 [3.80, 4.20]"));
    assert_non_null(strstr(page.data, "e none"));
    ub_text_free(&page);
    close_cells(&p);
}

/* Another data seed is another draw of the data, with an exponent of its own; runs of one data seed
 * are no more than one. */
static void test_data_seeds_have_exponents_of_their_own(void **state)
{
    (void)state;
    static const struct cell cells[] = {
        {"a", "mlp", 3, 1, 0}, {"a", "cnn", 3, 1, 0}, {"a", "mlp", 4, 1, 0}, {"b", "mlp", 9, 1, 0}};
    static const uint64_t data_seeds[] = {0, 0, 1, 0};
    struct planted_study p = open_draws(cells, data_seeds, 4);
    struct ub_interval data;
    assert_true(data_of(&p, "a", ANY_FITS, &data));
    assert_near(data.estimate, 3.5, 1e-9);
    assert_near(data.se, 0.5, 1e-9); /* the two are far apart for their errors of 0.1 */
    assert_int_equal(data.n, 2);
    assert_true(data_of(&p, "b", ANY_FITS, &data));
    assert_near(data.estimate, 9, 0);
    close_cells(&p);
}

/* Two kinds of systems on six datasets: y = level + 0.7 x + what each dataset adds; x is known with
 * error 0.2. A bare slope would be 8% too small. */
static void test_slope_covers(void **state)
{
    (void)state;
    enum { TRIALS = 1000, DATASETS = 6, EACH = 4 };
    struct ub_random r = ub_random_stream(3, "universality test");
    int covered = 0;
    double mean = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        struct ub_point points[DATASETS * EACH];
        for (int d = 0; d < DATASETS; d++) {
            const double x = 1 + 0.4 * d, seen = x + 0.2 * ub_random_normal(&r);
            const double own = 0.1 * ub_random_normal(&r);
            for (int k = 0; k < EACH; k++)
                points[d * EACH + k] =
                    (struct ub_point){.x = seen,
                                      .x_se = 0.2,
                                      .y = 0.7 * x + own + (k % 2) + 0.05 * ub_random_normal(&r),
                                      .group = k % 2,
                                      .cluster = d};
        }
        const struct ub_slope s = ub_slope_within(points, DATASETS * EACH);
        mean += s.slope.estimate / TRIALS;
        covered += s.slope.low <= 0.7 && 0.7 <= s.slope.high;
    }
    assert_near(mean, 0.7, 0.02);
    assert_true(covered > 920 && covered < 995);
}

/* A cluster whose x is hardly known neither bends the slope nor takes it away. */
static void test_slope_with_one_poor_cluster(void **state)
{
    (void)state;
    struct ub_point points[6] = {{6, 3, 0, 0, 5}};
    for (int i = 1; i < 6; i++)
        points[i] = (struct ub_point){i, 0.1, 2.0 * i, 0, i - 1};
    const struct ub_slope s = ub_slope_within(points, 6);
    assert_near(s.slope.estimate, 2, 0.4); /* it would be 0.3 were all weighed the same */
    assert_true(s.reliability > 0.9);
    assert_true(s.slope.low < 2 && 2 < s.slope.high);
}

static void test_slopes_that_are_not_there(void **state)
{
    (void)state;
    struct ub_point points[] = {{1, 0, 2, 0, 0}, {2, 0, 4, 0, 1}, {3, 0, 6, 0, 2}, {9, 0, 1, 1, 3}};
    struct ub_slope s = ub_slope_within(points, 4);
    assert_int_equal(s.n_clusters, 3); /* a system in one cluster says nothing */
    assert_int_equal(s.slope.n, 3);
    assert_int_equal(s.spearman.n, 3);
    assert_near(s.slope.estimate, 2, 1e-15);
    assert_near(s.reliability, 1, 0);
    assert_near(s.spearman.estimate, 1, 1e-15);
    assert_true(isnan(s.slope.low)); /* three clusters */
    assert_true(isnan(ub_slope_within(points, 1).slope.estimate));
    assert_true(isnan(ub_slope_within(points, 0).slope.estimate));
    for (int i = 0; i < 3; i++)
        points[i].x_se = 0.9; /* 0.81 of a variance of 1 */
    s = ub_slope_within(points, 3);
    assert_near(s.reliability, 0.19, 1e-12);
    assert_true(isnan(s.slope.estimate));
}

/* ---- tables and figure ---------------------------------------------------------------------- */

static void test_tables(void **state)
{
    (void)state;
    static const struct cell cells[] = {{"digits", "mlp", 2, 1, 0},
                                        {"digits", "mlp", 2, 1.2, 0},
                                        {"digits", "cnn", 2, 1.2, 3},
                                        {"digits", "gru", 2, (double)NAN, 0}};
    struct planted_study p = open_cells(cells, 4);
    struct table *t = exponents_table(p.e);
    assert_int_equal(table_rows(t), 3);
    struct ub_text out = {0};
    table_markdown(t, &out);
    table_free(t);
    assert_non_null(strstr(out.data, "inputs | first layer | Hessian |"));
    assert_non_null(strstr(out.data, "| system (all: ")); /* what all have is said once */
    assert_non_null(strstr(out.data, ", digits) |"));
    assert_null(strstr(out.data, "digits |"));
    assert_non_null(strstr(out.data, "| CNN |"));
    assert_non_null(strstr(out.data, "| 1.10 [0.80, 1.40] |")); /* the ends of both intervals */
    assert_non_null(strstr(out.data, "| log-normal |"));
    assert_non_null(strstr(out.data, "| no fit |"));
    ub_text_free(&out);
    t = spectra_table(p.study);
    assert_int_equal(table_rows(t), 4 * 3); /* runs and matrices, of one step */
    table_free(t);
    struct ub_error err = {0};
    struct plates plates = {.folder = p.folder};
    assert_true(plot_exponents(p.e, &plates, &err));
    assert_int_equal(plates.count, 1);
    plates_free(&plates);
    close_cells(&p);
}

/* Told apart by name and activation, not by size. */
static void test_architectures(void **state)
{
    (void)state;
    static const struct cell cells[] = {{"digits", "mlp:activation=tanh,widths=8", 2, 1, 0},
                                        {"digits", "mlp:activation=relu,widths=8", 2, 1, 0},
                                        {"digits", "mlp:activation=relu,widths=8x8", 2, 1, 0},
                                        {"digits", "cnn:channels=8x8", 2, 1, 0}};
    struct planted_study p = open_cells(cells, 4);
    assert_int_equal(p.e->architectures.groups.count, 3);
    for (size_t i = 0; i < p.e->count; i++) {
        const char *model = p.store->runs[p.e->runs[i].run].spec.model;
        const char *name = p.e->architectures.name[p.e->architectures.of[p.e->runs[i].run]];
        assert_true((strstr(model, "relu") != NULL) == (strstr(name, "relu") != NULL));
        assert_true(strncasecmp(model, name, 3) == 0);
    }
    close_cells(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_outliers),
        cmocka_unit_test(test_slope_of_planted_exponents),
        cmocka_unit_test(test_data_seeds_have_exponents_of_their_own),
        cmocka_unit_test(test_slope_covers),
        cmocka_unit_test(test_slope_with_one_poor_cluster),
        cmocka_unit_test(test_slopes_that_are_not_there),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_architectures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
