/* observing.h - tiny runs whose measurements are kept, and dense spectra to hold them against. */
#ifndef OBSERVING_H
#define OBSERVING_H

#include "support.h"
#include "tiny.h"

#include "bench/observables/observables.h"

#include <lapacke.h>
#include <string.h>

/* ---- what was recorded ---- */

struct recorded {
    size_t n_rows, n_facts;
    struct ub_row rows[4096];
    char names[4096][64];
    char fact_names[64][64];
    double facts[64];
};

static inline bool is_row(const struct recorded *r, size_t i, const struct ub_row *row)
{
    return r->rows[i].step == row->step && r->rows[i].index == row->index &&
           strcmp(r->names[i], row->observable) == 0;
}

static inline void add_row(void *context, const struct ub_row *row)
{
    struct recorded *r = context;
    assert_true(r->n_rows < 4096);
    for (size_t i = 0; i < r->n_rows; i++)
        assert_false(is_row(r, i, row)); /* no row twice */
    snprintf(r->names[r->n_rows], sizeof *r->names, "%s", row->observable);
    r->rows[r->n_rows++] = *row;
}

static inline void add_fact(void *context, const char *name, double value)
{
    struct recorded *r = context;
    size_t i = 0;
    while (i < r->n_facts && strcmp(r->fact_names[i], name) != 0)
        i++;
    if (i == r->n_facts)
        snprintf(r->fact_names[r->n_facts++], sizeof *r->fact_names, "%s", name);
    r->facts[i] = value;
}

static inline double fact(const struct recorded *r, const char *name)
{
    for (size_t i = 0; i < r->n_facts; i++)
        if (strcmp(r->fact_names[i], name) == 0)
            return r->facts[i];
    return NAN;
}

static inline const struct ub_row *find_row(const struct recorded *r, int64_t step,
                                            const char *name, int64_t index)
{
    const struct ub_row wanted = {.step = step, .observable = name, .index = index};
    for (size_t i = 0; i < r->n_rows; i++)
        if (is_row(r, i, &wanted))
            return &r->rows[i];
    return NULL;
}

static inline double value_of(const struct recorded *r, int64_t step, const char *name,
                              int64_t index)
{
    const struct ub_row *row = find_row(r, step, name, index);
    if (!row)
        fprintf(stderr, "no row %s %lld at step %lld\n", name, (long long)index, (long long)step);
    assert_non_null(row);
    return row->value;
}

static inline size_t count_rows(const struct recorded *r, const char *name)
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

/* Takes over the data and the problem made of them. */
static inline struct fixture fixture_from(struct ub_dataset *data, struct ub_problem *problem,
                                          const char *optimizer)
{
    struct ub_error err = {0};
    struct fixture f = {.data = data, .problem = problem};
    assert_non_null(f.problem);
    f.size = ub_problem_size(f.problem);
    f.optimizer = ub_optimizer_new(optimizer, f.size, &err);
    assert_non_null(f.optimizer);
    const struct ub_training training = {.problem = f.problem, .steps = 100, .seed = 3};
    if (!ub_optimizer_attach(f.optimizer, &training, &err))
        fail_msg("%s", err.text);
    f.theta = ub_calloc((size_t)f.size, sizeof *f.theta);
    f.theta0 = ub_calloc((size_t)f.size, sizeof *f.theta0);
    f.grad = ub_calloc((size_t)f.size, sizeof *f.grad);
    f.recorded = ub_calloc(1, sizeof *f.recorded);
    ub_problem_init(f.problem, 3, f.theta);
    memcpy(f.theta0, f.theta, (size_t)f.size * sizeof *f.theta);
    return f;
}

static inline struct fixture fixture_of(struct ub_dataset *data, const char *model,
                                        const char *loss, const char *optimizer)
{
    return fixture_from(data, tiny_problem(data, model, loss), optimizer);
}

static const char mlp[] = "mlp:widths=5x4,activation=tanh";

static inline struct fixture fixture_new(const char *optimizer)
{
    return fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3), mlp, "mse", optimizer);
}

static inline void fixture_free(struct fixture *f)
{
    ub_free(f->theta);
    ub_free(f->theta0);
    ub_free(f->grad);
    ub_free(f->recorded);
    ub_optimizer_free(f->optimizer);
    ub_problem_free(f->problem);
    tiny_free(f->data);
}

static inline void measure(struct fixture *f, struct ub_observers *o, int64_t step, int64_t steps)
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
static inline void train(struct fixture *f, const char *const *texts, size_t n, int64_t steps)
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

static inline double *dense_hessian(const struct fixture *f)
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
static inline double *dense_spectrum(const struct fixture *f, const double *diagonal)
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
static inline void assert_spectrum(const struct recorded *r, int64_t step, const char *name,
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

#endif
