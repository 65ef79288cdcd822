/* Observables on tiny problems against dense Hessians, dense covariances and sums by hand. */
#include "support.h"
#include "tiny.h"

#include "bench/observables/observables.h"
#include "bench/observables/powerlaw.h"

#include <lapacke.h>
#include <string.h>

/* ---- what was recorded ---- */

struct recorded {
    size_t n_rows, n_facts;
    struct ub_row rows[4096];
    char names[4096][64];
    char fact_names[16][64];
    double facts[16];
};

static bool is_row(const struct recorded *r, size_t i, const struct ub_row *row)
{
    return r->rows[i].step == row->step && r->rows[i].index == row->index &&
           strcmp(r->names[i], row->observable) == 0;
}

static void add_row(void *context, const struct ub_row *row)
{
    struct recorded *r = context;
    assert_true(r->n_rows < 4096);
    for (size_t i = 0; i < r->n_rows; i++)
        assert_false(is_row(r, i, row)); /* no row twice */
    snprintf(r->names[r->n_rows], sizeof *r->names, "%s", row->observable);
    r->rows[r->n_rows++] = *row;
}

static void add_fact(void *context, const char *name, double value)
{
    struct recorded *r = context;
    size_t i = 0;
    while (i < r->n_facts && strcmp(r->fact_names[i], name) != 0)
        i++;
    if (i == r->n_facts)
        snprintf(r->fact_names[r->n_facts++], sizeof *r->fact_names, "%s", name);
    r->facts[i] = value;
}

static double fact(const struct recorded *r, const char *name)
{
    for (size_t i = 0; i < r->n_facts; i++)
        if (strcmp(r->fact_names[i], name) == 0)
            return r->facts[i];
    return NAN;
}

static const struct ub_row *find_row(const struct recorded *r, int64_t step, const char *name,
                                     int64_t index)
{
    const struct ub_row wanted = {.step = step, .observable = name, .index = index};
    for (size_t i = 0; i < r->n_rows; i++)
        if (is_row(r, i, &wanted))
            return &r->rows[i];
    return NULL;
}

static double value_of(const struct recorded *r, int64_t step, const char *name, int64_t index)
{
    const struct ub_row *row = find_row(r, step, name, index);
    if (!row)
        fprintf(stderr, "no row %s %lld at step %lld\n", name, (long long)index, (long long)step);
    assert_non_null(row);
    return row->value;
}

static size_t count_rows(const struct recorded *r, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        n += strcmp(r->names[i], name) == 0;
    return n;
}

/* ---- a run ---- */

struct fixture {
    struct ub_dataset *data;
    struct ub_problem *problem;
    struct ub_optimizer *optimizer;
    int64_t size;
    double *theta, *theta0, *grad;
    struct recorded *recorded;
};

static struct fixture fixture_of(struct ub_dataset *data, const char *model, const char *loss,
                                 const char *optimizer)
{
    struct ub_error err = {0};
    struct fixture f = {.data = data, .problem = tiny_problem(data, model, loss)};
    assert_non_null(f.problem);
    f.size = ub_problem_size(f.problem);
    f.optimizer = ub_optimizer_new(optimizer, f.size, &err);
    assert_non_null(f.optimizer);
    f.theta = ub_calloc((size_t)f.size, sizeof *f.theta);
    f.theta0 = ub_calloc((size_t)f.size, sizeof *f.theta0);
    f.grad = ub_calloc((size_t)f.size, sizeof *f.grad);
    f.recorded = ub_calloc(1, sizeof *f.recorded);
    ub_problem_init(f.problem, 3, f.theta);
    memcpy(f.theta0, f.theta, (size_t)f.size * sizeof *f.theta);
    return f;
}

static const char mlp[] = "mlp:widths=5x4,activation=tanh";

static struct fixture fixture_new(const char *optimizer)
{
    return fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3), mlp, "mse", optimizer);
}

static void fixture_free(struct fixture *f)
{
    ub_free(f->theta);
    ub_free(f->theta0);
    ub_free(f->grad);
    ub_free(f->recorded);
    ub_optimizer_free(f->optimizer);
    ub_problem_free(f->problem);
    tiny_free(f->data);
}

static void measure(struct fixture *f, struct ub_observers *o, int64_t step, int64_t steps)
{
    struct ub_error err = {0};
    struct ub_record record = {.context = f->recorded, .add = add_row, .fact = add_fact};
    const struct ub_moment moment = {
        .step = step,
        .theta = f->theta,
        .grad = f->grad,
        .loss = ub_problem_gradient(f->problem, f->theta, f->grad),
        .problem = f->problem,
        .optimizer = f->optimizer,
        .theta0 = f->theta0,
    };
    const bool good = ub_observers_measure(o, &moment, steps, &record, &err);
    if (!good)
        fprintf(stderr, "%s\n", err.text);
    assert_true(good);
}

/* Trains for `steps` steps from the initial parameters, with a new record. */
static void train(struct fixture *f, const char *const *texts, size_t n, int64_t steps)
{
    struct ub_error err = {0};
    struct ub_observers *o = ub_observers_new(texts, n, "test", &err);
    if (!o)
        fprintf(stderr, "%s\n", err.text);
    assert_non_null(o);
    memset(f->recorded, 0, sizeof *f->recorded);
    memcpy(f->theta, f->theta0, (size_t)f->size * sizeof *f->theta);
    for (int64_t step = 0;; step++) {
        measure(f, o, step, steps);
        if (step == steps)
            break;
        ub_optimizer_step(f->optimizer, f->theta, f->grad);
    }
    ub_observers_free(o);
}
#define TRAIN(f, steps, ...)                                                                       \
    train(f, (const char *const[]){__VA_ARGS__},                                                   \
          sizeof(const char *[]){__VA_ARGS__} / sizeof(char *), steps)

/* ---- dense curvature ---- */

static double *dense_hessian(const struct fixture *f)
{
    const int64_t n = f->size;
    double *unit = ub_calloc((size_t)n, (size_t)n * sizeof *unit);
    double *hessian = ub_calloc((size_t)n, (size_t)n * sizeof *hessian);
    for (int64_t i = 0; i < n; i++)
        unit[i * n + i] = 1;
    ub_problem_linearize(f->problem, f->theta);
    ub_problem_hvp(f->problem, n, unit, hessian);
    ub_free(unit);
    return hessian;
}

/* Descending eigenvalues of H u = lambda P u; P = I when NULL. LAPACK's QR and Cholesky. */
static double *dense_spectrum(const struct fixture *f, const double *diagonal)
{
    const int64_t n = f->size;
    double *h = dense_hessian(f), *p = ub_calloc((size_t)n, (size_t)n * sizeof *p);
    double *ascending = ub_calloc((size_t)n, sizeof *ascending);
    double *values = ub_calloc((size_t)n, sizeof *values);
    for (int64_t i = 0; i < n; i++)
        p[i * n + i] = diagonal ? diagonal[i] : 1;
    assert_int_equal(LAPACKE_dsygv(LAPACK_ROW_MAJOR, 1, 'N', 'U', (lapack_int)n, h, (lapack_int)n,
                                   p, (lapack_int)n, ascending),
                     0);
    for (int64_t i = 0; i < n; i++)
        values[i] = ascending[n - 1 - i];
    ub_free(h);
    ub_free(p);
    ub_free(ascending);
    return values;
}

/* Rows 0..n-1 of `name` at `step` are `expected`, within their own error and below `tolerance`. */
static void assert_spectrum(const struct recorded *r, int64_t step, const char *name,
                            const double *expected, int64_t n, double tolerance)
{
    assert_null(find_row(r, step, name, n));
    for (int64_t i = 0; i < n; i++) {
        const struct ub_row *row = find_row(r, step, name, i);
        assert_non_null(row);
        assert_true(row->error >= 0 && row->error <= tolerance);
        assert_near(row->value, expected[i], row->error + 1e-12);
    }
}

static void sharpness_is_the_top_of_the_hessian(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    TRAIN(&f, 8, "sharpness:at=8,top=3,tolerance=1e-8");
    double *expected = dense_spectrum(&f, NULL);
    assert_spectrum(f.recorded, 8, "sharpness", expected, 3, 1e-8 * expected[0]);
    assert_int_equal(count_rows(f.recorded, "sharpness"), 3);
    assert_near(value_of(f.recorded, 8, "edge-ratio", 0), expected[0] * 0.5 / 2, 1e-8);
    assert_near(find_row(f.recorded, 8, "edge-ratio", 0)->error,
                find_row(f.recorded, 8, "sharpness", 0)->error * 0.5 / 2, 1e-18);
    assert_near(fact(f.recorded, "measurements.sharpness"), 1, 0);
    assert_near(fact(f.recorded, "unconverged.sharpness"), 0, 0);
    ub_free(expected);
    fixture_free(&f);
}

static void more_eigenvalues_than_parameters_are_all(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 9, 0, 2, 1), "linear", "mse", "gd:lr=0.1");
    assert_int_equal(f.size, 3);
    TRAIN(&f, 0, "sharpness:at=0,top=10,tolerance=1e-8", "hessian-spectrum:tolerance=1e-8");
    double *expected = dense_spectrum(&f, NULL);
    assert_spectrum(f.recorded, 0, "sharpness", expected, 3, 1e-6);
    assert_spectrum(f.recorded, 0, "hessian-spectrum", expected, 3, 1e-6);
    assert_int_equal(count_rows(f.recorded, "hessian-exponent"), 0); /* too few to fit */
    ub_free(expected);
    fixture_free(&f);
}

/* 2/lr, 2(1 + beta)/lr, (2 + 2 beta)/(lr(1 + 2 beta)) */
static void edge_ratio_is_relative_to_each_optimizers_threshold(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"gd:lr=0.1", "heavy-ball:lr=0.1,beta=0.5",
                                             "nesterov:lr=0.1,beta=0.5"};
    const double thresholds[] = {20, 30, 15};
    for (int i = 0; i < 3; i++) {
        struct fixture f = fixture_new(optimizers[i]);
        TRAIN(&f, 0, "edge-ratio:at=0,tolerance=1e-9");
        double *expected = dense_spectrum(&f, NULL);
        const struct ub_row *row = find_row(f.recorded, 0, "edge-ratio", 0);
        assert_non_null(row);
        assert_near(row->value, expected[0] / thresholds[i], 1e-9);
        assert_true(row->error > 0 && row->error <= 1e-9 * expected[0] / thresholds[i]);
        assert_int_equal(f.recorded->n_rows, 1);
        ub_free(expected);
        fixture_free(&f);
    }
}

static void set_preconditioner(const struct ub_optimizer *o, double *diagonal)
{
    for (int64_t i = 0; i < o->size; i++)
        diagonal[i] = (o->lr > 100 ? -1.0 : 0.1) + 0.03 * (double)i;
}

/* An optimizer with a preconditioner and no known edge: P^-1 H, and no edge ratio. */
static void preconditioned_sharpness_is_the_generalized_problems(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.1");
    struct ub_optimizer_kind kind = *f.optimizer->kind;
    const struct ub_optimizer_kind *gd = f.optimizer->kind;
    kind.preconditioner = set_preconditioner;
    kind.threshold = NULL;
    f.optimizer->kind = &kind;
    double *diagonal = ub_calloc((size_t)f.size, sizeof *diagonal);
    set_preconditioner(f.optimizer, diagonal);
    TRAIN(&f, 4, "sharpness:every=4,top=3,tolerance=1e-8", "edge-ratio:every=1");
    double *expected = dense_spectrum(&f, diagonal);
    assert_spectrum(f.recorded, 4, "sharpness", expected, 3, 1e-8 * expected[0]);
    assert_int_equal(count_rows(f.recorded, "edge-ratio"), 0);
    assert_near(fact(f.recorded, "measurements.sharpness"), 2, 0);

    kind.threshold = gd->threshold; /* 2/lr = 20 */
    TRAIN(&f, 0, "sharpness:every=4,tolerance=1e-8");
    assert_near(value_of(f.recorded, 0, "edge-ratio", 0),
                value_of(f.recorded, 0, "sharpness", 0) / 20, 1e-15);

    struct ub_error err = {0};
    const char *const texts[] = {"sharpness"};
    struct ub_observers *o = ub_observers_new(texts, 1, "test", &err);
    struct ub_record record = {.context = f.recorded, .add = add_row, .fact = add_fact};
    const struct ub_moment moment = {
        .theta = f.theta, .problem = f.problem, .optimizer = f.optimizer};
    f.optimizer->lr = 1000; /* makes set_preconditioner's first entry negative */
    assert_false(ub_observers_measure(o, &moment, 0, &record, &err));
    assert_non_null(strstr(err.text, "entry 0 of its preconditioner is -1"));
    ub_observers_free(o);
    f.optimizer->kind = gd;
    ub_free(diagonal);
    ub_free(expected);
    fixture_free(&f);
}

/* ---- shared work ---- */

static void asking_twice_costs_once(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.1");
    static const char sharp[] = "sharpness:every=2,top=2", edge[] = "edge-ratio:every=1";
    TRAIN(&f, 6, sharp);
    const double products = fact(f.recorded, "hvps.sharpness");
    const int64_t before = ub_problem_hvps(f.problem);
    assert_int_equal(count_rows(f.recorded, "edge-ratio"), 4); /* comes with it */
    assert_int_equal(count_rows(f.recorded, "sharpness"), 8);
    assert_near((double)before, products, 0);

    TRAIN(&f, 6, "edge-ratio:every=2", sharp);
    assert_near(fact(f.recorded, "hvps.sharpness"), products, 0);
    assert_int_equal(ub_problem_hvps(f.problem) - before, (int64_t)products);
    assert_int_equal(count_rows(f.recorded, "edge-ratio"), 4);
    assert_int_equal(count_rows(f.recorded, "sharpness"), 8);

    const char *const both[][2] = {{edge, sharp}, {sharp, edge}};
    for (int i = 0; i < 2; i++) { /* in either order */
        TRAIN(&f, 6, both[i][0], both[i][1]);
        assert_int_equal(count_rows(f.recorded, "edge-ratio"), 7);
        assert_int_equal(count_rows(f.recorded, "sharpness"), 8);
        assert_near(fact(f.recorded, "measurements.sharpness"), 7, 0);
        for (int64_t step = 0; step <= 6; step += 2)
            assert_near(value_of(f.recorded, step, "edge-ratio", 0),
                        value_of(f.recorded, step, "sharpness", 0) / 20, 1e-15);
    }
    TRAIN(&f, 6, edge);
    assert_int_equal(f.recorded->n_rows, 7);
    fixture_free(&f);
}

static void the_most_exact_demand_counts(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.1");
    TRAIN(&f, 0, "edge-ratio:at=0,tolerance=1e-9", "sharpness:at=0,top=2,tolerance=0.1");
    double *expected = dense_spectrum(&f, NULL);
    assert_spectrum(f.recorded, 0, "sharpness", expected, 2, 1e-9 * expected[0]);
    ub_free(expected);
    fixture_free(&f);
}

/* ---- spectra ---- */

static void hessian_spectrum_ignores_the_preconditioner(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    struct ub_optimizer_kind kind = *f.optimizer->kind;
    const struct ub_optimizer_kind *gd = f.optimizer->kind;
    kind.preconditioner = set_preconditioner;
    f.optimizer->kind = &kind;
    TRAIN(&f, 5, "hessian-spectrum:top=12,tolerance=1e-7");
    double *expected = dense_spectrum(&f, NULL);
    assert_spectrum(f.recorded, 5, "hessian-spectrum", expected, 12, 1e-7 * expected[0]);
    assert_int_equal(count_rows(f.recorded, "hessian-spectrum"), 24);
    assert_near(fact(f.recorded, "measurements.hessian-spectrum"), 2, 0);
    assert_near(fact(f.recorded, "unconverged.hessian-spectrum"), 0, 0);
    assert_near(fact(f.recorded, "hvps.hessian-spectrum"),
                (double)(ub_problem_hvps(f.problem) - f.size), 0);
    ub_free(expected);
    f.optimizer->kind = gd;
    fixture_free(&f);
}

static void assert_fit(const struct recorded *r, int64_t step, const char *name,
                       const struct ub_powerlaw *fit, double tolerance)
{
    const double expected[] = {
        [UB_EXPONENT] = fit->exponent,
        [UB_EXPONENT_LOW] = fit->low,
        [UB_EXPONENT_HIGH] = fit->high,
        [UB_EXPONENT_PREFACTOR] = fit->prefactor,
        [UB_EXPONENT_FIRST] = (double)fit->first,
        [UB_EXPONENT_LAST] = (double)fit->last,
        [UB_EXPONENT_R_SQUARED] = fit->r_squared,
    };
    for (int64_t i = 0; i < UB_EXPONENT_BEST; i++)
        assert_near(value_of(r, step, name, i), expected[i], tolerance);
    assert_near(find_row(r, step, name, UB_EXPONENT)->error, (fit->high - fit->low) / 2, tolerance);
    assert_true(isnan(find_row(r, step, name, UB_EXPONENT_LOW)->error));
}

static void hessian_exponent_is_the_fit_of_the_dense_spectrum(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    TRAIN(&f, 5, "hessian-spectrum:at=end,top=12,tolerance=1e-7,first=2,last=9");
    double *expected = dense_spectrum(&f, NULL);
    assert_true(expected[8] > 1e-6 * expected[0]);
    const struct ub_powerlaw fit = ub_powerlaw_fit(expected, 12, 2, 9, 0);
    assert_true(fit.valid && fit.first == 2 && fit.last == 9);
    assert_fit(f.recorded, 5, "hessian-exponent", &fit, 1e-3);
    ub_free(expected);
    fixture_free(&f);
}

/* Descending eigenvalues of the covariance, directly: always d x d, always by QR. */
static double *dense_covariance(int64_t count, int64_t width, const double *x)
{
    double *c = ub_calloc((size_t)width, (size_t)width * sizeof *c);
    double *mean = ub_calloc((size_t)width, sizeof *mean);
    double *ascending = ub_calloc((size_t)width, sizeof *ascending);
    double *values = ub_calloc((size_t)width, sizeof *values);
    for (int64_t i = 0; i < count * width; i++)
        mean[i % width] += x[i] / (double)count;
    for (int64_t n = 0; n < count; n++)
        for (int64_t i = 0; i < width; i++)
            for (int64_t j = 0; j < width; j++)
                c[i * width + j] += (x[n * width + i] - mean[i]) * (x[n * width + j] - mean[j]) /
                                    (double)(count - 1);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)width, c,
                                   (lapack_int)width, ascending),
                     0);
    for (int64_t i = 0; i < width; i++)
        values[i] = ascending[width - 1 - i];
    ub_free(c);
    ub_free(mean);
    ub_free(ascending);
    return values;
}

/* More samples than features, and fewer. */
static void covariance_spectra_are_the_dense_ones(void **state)
{
    (void)state;
    for (int64_t count = 6; count <= 40; count += 34) {
        struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, count, 0, 9, 3),
                                      "mlp:widths=12x7,activation=tanh", "mse", "gd:lr=0.5");
        for (int64_t i = 0; i < count * 9; i++)
            f.data->train.inputs[i] = 5 + 0.1 * (double)(i % 9) * f.data->train.inputs[i];
        TRAIN(&f, 3, "covariance-spectrum");
        const int64_t widths[] = {9, 12, 7}, steps[] = {0, 3, 3};
        static const char *const names[] = {"covariance-spectrum.inputs",
                                            "covariance-spectrum.hidden1",
                                            "covariance-spectrum.hidden2"};
        for (int layer = 0; layer < 3; layer++) {
            const int64_t width = widths[layer];
            double *x = ub_calloc((size_t)(count * width), sizeof *x);
            if (layer == 0)
                memcpy(x, f.data->train.inputs, (size_t)(count * width) * sizeof *x);
            else
                ub_problem_hidden(f.problem, layer - 1, f.theta, x);
            double *expected = dense_covariance(count, width, x);
            const int64_t n = width < count - 1 ? width : count - 1;
            assert_spectrum(f.recorded, steps[layer], names[layer], expected, n,
                            1e-13 * expected[0]);
            assert_int_equal(count_rows(f.recorded, names[layer]), layer == 0 ? n : 2 * n);
            ub_free(x);
            ub_free(expected);
        }
        fixture_free(&f);
    }
}

/* Columns k^(-alpha/2) cos(2 pi k n / N), k < N/2, are centered and orthogonal: covariance
 * eigenvalues are N/(2(N - 1)) k^-alpha. */
static void a_planted_exponent_is_found(void **state)
{
    (void)state;
    enum { COUNT = 64, WIDTH = 24 };
    const double alpha = 1.3, prefactor = COUNT / (2.0 * (COUNT - 1));
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, COUNT, 0, WIDTH, 1), "linear", "mse", "gd:lr=0.1");
    for (int n = 0; n < COUNT; n++)
        for (int k = 1; k <= WIDTH; k++)
            f.data->train.inputs[n * WIDTH + k - 1] =
                7 + pow(k, -alpha / 2) * cos(2 * M_PI * k * n / COUNT);
    TRAIN(&f, 0, "covariance-spectrum:at=0,first=1,last=24");
    for (int k = 1; k <= WIDTH; k++)
        assert_near(value_of(f.recorded, 0, "covariance-spectrum.inputs", k - 1),
                    prefactor * pow(k, -alpha), 1e-13);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT), alpha, 1e-9);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_PREFACTOR), prefactor, 1e-9);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_FIRST), 1, 0);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_LAST), WIDTH, 0);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_R_SQUARED), 1, 1e-9);
    assert_near(value_of(f.recorded, 0, "exponent.inputs", UB_EXPONENT_BEST), 0, 0);
    fixture_free(&f);
}

/* Inputs of rank 3: the noise below is not taken for a decay. */
static void noise_is_not_fitted(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 30, 0, 12, 1), "linear", "mse", "gd:lr=0.1");
    for (int n = 0; n < 30; n++)
        for (int j = 3; j < 12; j++)
            f.data->train.inputs[n * 12 + j] = f.data->train.inputs[n * 12 + j % 3];
    TRAIN(&f, 0, "covariance-spectrum:at=0");
    assert_int_equal(count_rows(f.recorded, "covariance-spectrum.inputs"), 12);
    for (int i = 3; i < 12; i++)
        assert_in_range(
            (uintmax_t)(value_of(f.recorded, 0, "covariance-spectrum.inputs", i) * 1e12), 0, 1);
    assert_int_equal(count_rows(f.recorded, "exponent.inputs"), 0);
    fixture_free(&f);
}

static void what_does_not_vary_has_no_spectrum(void **state)
{
    (void)state;
    struct fixture one = fixture_of(tiny_dataset(UB_REGRESSION, 1, 0, 3, 1), mlp, "mse", "gd:lr=1");
    TRAIN(&one, 0, "covariance-spectrum");
    assert_int_equal(one.recorded->n_rows, 0);
    fixture_free(&one);

    struct fixture f = fixture_new("gd:lr=1"); /* an overflow is no spectrum, and no error */
    f.theta0[0] = INFINITY;
    TRAIN(&f, 0, "covariance-spectrum:at=0");
    assert_int_equal(count_rows(f.recorded, "covariance-spectrum.inputs"), 4);
    assert_int_equal(count_rows(f.recorded, "covariance-spectrum.hidden1") % 5, 0);
    fixture_free(&f);
}

/* ---- scalars ---- */

static void scalars_are_what_their_names_say(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    TRAIN(&f, 4, "loss:every=2", "accuracy:every=4", "gradient-norm:at=4", "distance:at=0+4");
    double loss, accuracy, test_loss, test_accuracy, squares = 0, start = 0, travelled = 0;
    ub_problem_evaluate(f.problem, false, f.theta, &loss, &accuracy);
    ub_problem_evaluate(f.problem, true, f.theta, &test_loss, &test_accuracy);
    for (int64_t i = 0; i < f.size; i++) {
        squares += f.grad[i] * f.grad[i];
        start += f.theta0[i] * f.theta0[i];
        travelled += pow(f.theta[i] - f.theta0[i], 2);
    }
    const struct recorded *r = f.recorded;
    assert_near(value_of(r, 4, "loss", 0), loss, 1e-14);
    assert_near(value_of(r, 4, "test-loss", 0), test_loss, 0);
    assert_near(value_of(r, 4, "accuracy", 0), accuracy, 0);
    assert_near(value_of(r, 4, "test-accuracy", 0), test_accuracy, 0);
    assert_near(value_of(r, 4, "gradient-norm", 0), sqrt(squares), 1e-14);
    assert_near(value_of(r, 4, "distance", 0), sqrt(travelled), 1e-14);
    assert_near(value_of(r, 4, "relative-distance", 0), sqrt(travelled / start), 1e-14);
    assert_near(value_of(r, 0, "distance", 0), 0, 0);
    assert_true(isnan(find_row(r, 4, "loss", 0)->error));
    assert_int_equal(count_rows(r, "loss"), 3);
    assert_int_equal(count_rows(r, "test-loss"), 3);
    assert_int_equal(count_rows(r, "accuracy"), 2);
    assert_int_equal(r->n_rows, 3 + 3 + 2 + 2 + 1 + 2 + 2);
    TRAIN(&f, 0, "loss:test=false", "accuracy:test=false");
    assert_int_equal(f.recorded->n_rows, 2);
    fixture_free(&f);
}

static void norms_do_not_overflow(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, 3, 0, 1, 1), "linear:bias=false",
                                  "mse", "gd:lr=0.1");
    assert_int_equal(f.size, 1);
    struct ub_error err = {0};
    const char *const texts[] = {"distance"};
    struct ub_observers *o = ub_observers_new(texts, 1, "test", &err);
    f.theta[0] = 3e200;
    f.theta0[0] = -1e200;
    measure(&f, o, 0, 0);
    assert_near(value_of(f.recorded, 0, "distance", 0), 4e200, 1e185);
    assert_near(value_of(f.recorded, 0, "relative-distance", 0), 4, 1e-14);
    f.recorded->n_rows = 0;
    f.theta[0] = -2;
    f.theta0[0] = 0; /* relative to nothing: no row */
    measure(&f, o, 0, 0);
    assert_near(value_of(f.recorded, 0, "distance", 0), 2, 0);
    assert_int_equal(f.recorded->n_rows, 1);
    f.recorded->n_rows = 0;
    f.theta[0] = NAN;
    measure(&f, o, 0, 0);
    assert_true(isnan(value_of(f.recorded, 0, "distance", 0)));
    ub_observers_free(o);
    fixture_free(&f);
}

static void rows_that_a_system_does_not_have_are_left_out(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, 9, 4, 4, 2), mlp, "mse", "gd:lr=0.1");
    TRAIN(&f, 2, "accuracy:every=1", "loss:at=0");
    assert_int_equal(f.recorded->n_rows, 2);
    assert_non_null(find_row(f.recorded, 0, "test-loss", 0));
    fixture_free(&f);
    f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 9, 0, 4, 2), mlp, "ce", "gd:lr=0.1");
    TRAIN(&f, 0, "accuracy", "loss");
    assert_int_equal(f.recorded->n_rows, 2);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sharpness_is_the_top_of_the_hessian),
        cmocka_unit_test(more_eigenvalues_than_parameters_are_all),
        cmocka_unit_test(edge_ratio_is_relative_to_each_optimizers_threshold),
        cmocka_unit_test(preconditioned_sharpness_is_the_generalized_problems),
        cmocka_unit_test(asking_twice_costs_once),
        cmocka_unit_test(the_most_exact_demand_counts),
        cmocka_unit_test(hessian_spectrum_ignores_the_preconditioner),
        cmocka_unit_test(hessian_exponent_is_the_fit_of_the_dense_spectrum),
        cmocka_unit_test(covariance_spectra_are_the_dense_ones),
        cmocka_unit_test(a_planted_exponent_is_found),
        cmocka_unit_test(noise_is_not_fitted),
        cmocka_unit_test(what_does_not_vary_has_no_spectrum),
        cmocka_unit_test(scalars_are_what_their_names_say),
        cmocka_unit_test(norms_do_not_overflow),
        cmocka_unit_test(rows_that_a_system_does_not_have_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
