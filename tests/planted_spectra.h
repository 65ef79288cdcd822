/* planted_spectra.h - a store written by hand whose runs have spectra of known values. */
#ifndef UB_TEST_PLANTED_SPECTRA_H
#define UB_TEST_PLANTED_SPECTRA_H

#include "bench/store/store.h"
#include "report/laws/study.h"
#include "support.h"

struct planted {
    const char *model, *optimizer, *dataset;
    uint64_t seed;
    enum ub_run_status status;
    void (*rows)(struct ub_run_writer *w, const struct planted *p);
    double scale; /* of eigenvalues */
};

static inline void plant(const char *folder, const struct planted *p)
{
    struct ub_error err = {0};
    char *measures[] = {(char *)"loss"};
    const struct ub_run_spec spec = {.dataset = (char *)p->dataset,
                                     .model = (char *)p->model,
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)p->optimizer,
                                     .steps = 100,
                                     .seed = p->seed,
                                     .n_measures = 1,
                                     .measures = measures};
    assert_true(ub_store_lock(folder, false, &err));
    struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
    assert_non_null(w);
    p->rows(w, p);
    if (!ub_run_writer_commit(w, p->status, "", NULL, 0, &err))
        fail_msg("%s", err.text);
}

static inline void add(struct ub_run_writer *w, int64_t step, const char *name,
                       const double *values, size_t n, double error)
{
    for (size_t i = 0; i < n; i++)
        ub_run_writer_add(w, step, name, (int64_t)i, values[i], error);
}

static inline void add_fit(struct ub_run_writer *w, int64_t step, const char *name, double exponent,
                           double prefactor)
{
    add(w, step, name,
        (double[]){exponent, exponent - 0.1, exponent + 0.2, prefactor, 3, 12, 0.99, 0}, 8,
        (double)NAN);
}

enum { RANKS = 20, STEPS = 3, CLASSES = 3, POINTS = 11 };
static const int64_t at_steps[STEPS] = {0, 9, 99};

/* scale (step + 1) k^-1.5, of which the last two are below their errors. */
static inline double eigenvalue(const struct planted *p, int64_t step, int k)
{
    return p->scale * (double)(step + 1) * pow(k, -1.5);
}

static inline void add_spectrum(struct ub_run_writer *w, const struct planted *p, int64_t step)
{
    for (int k = 1; k <= RANKS; k++) {
        const double value = eigenvalue(p, step, k);
        ub_run_writer_add(w, step, "spectrum.hessian", k - 1, value,
                          k > RANKS - 2 ? 2 * value : 1e-9 * value);
    }
    add(w, step, "outliers.hessian", (double[]){2, 5}, 2, (double)NAN);
    add_fit(w, step, "exponent.hessian", 1.5, p->scale * (double)(step + 1));
    for (int k = 1; k <= RANKS; k++) /* a block with as many, other, eigenvalues */
        ub_run_writer_add(w, step, "spectrum.hessian.fc1", k - 1, 1.0 / k, 0);
}

static inline void add_classes(struct ub_run_writer *w)
{
    add(w, 99, "class-structure.gauss-newton", (double[]){8, 4, 2, 1}, 4, 1e-6);
    add(w, 99, "class-structure.class", (double[]){7, 3, 1}, CLASSES, (double)NAN);
    add(w, 99, "class-structure.cross-class", (double[]){3, 2, 1, 0.5, 0.25, 0}, 6, (double)NAN);
    add(w, 99, "class-structure.same-mean", (double[]){0.3, 0.2, 0.1}, CLASSES, (double)NAN);
    add(w, 99, "class-share.class", (double[]){0.7, 0.6, 0.1, 0.1}, 4, (double)NAN);
    add(w, 99, "class-share.cross-class", (double[]){0.1, 0.2, 0.8, 0.3}, 4, (double)NAN);
    add(w, 99, "class-share.within-class", (double[]){0.1, 0.1, 0.05, 0.4}, 4, (double)NAN);
    add(w, 99, "class-share.same-class", (double[]){0.1, 0.1, 0.05, 0.2}, 4, (double)NAN);
}

/* On a grid from -1 to 4 the density 4 + x of step 0, and twice that later. */
static inline double density(int64_t step, double x)
{
    return (step ? 2 : 1) * (4 + x);
}

static inline void add_density(struct ub_run_writer *w, int64_t step)
{
    for (int i = 0; i < POINTS; i++) {
        const double x = -1 + 0.5 * i;
        ub_run_writer_add(w, step, "density-grid.hessian", i, x, (double)NAN);
        ub_run_writer_add(w, step, "density.hessian", i, density(step, x), i == 5 ? 100 : 0.5);
    }
    add(w, step, "density-outlier.hessian", (double[]){30, 20}, 2, (double)NAN);
    ub_run_writer_add(w, step, "negative-fraction.hessian", 0, 0.25, 0.05);
}

static inline void add_layers(struct ub_run_writer *w)
{
    static const double first[] = {9, 4, 1}, second[] = {8, 2};
    add(w, 99, "covariance-spectrum.inputs", first, 3, 0);
    add(w, 99, "covariance-spectrum.hidden1", first, 3, 0);
    add(w, 99, "covariance-spectrum.hidden2", second, 2, 0);
    add_fit(w, 99, "exponent.hidden1", 2.0, 9);
    add(w, 99, "weight-spectrum.fc1.weight", (double[]){16, 4, 1, 0.25}, 4, 1e-12);
    add(w, 99, "tail.fc1.weight", (double[]){2, 1.8, 2.4, 1, 3, 0.5, 0}, 7, (double)NAN);
    add(w, 99, "noise-outliers.fc1.weight", (double[]){1, 5}, 2, (double)NAN);
}

static inline void all_rows(struct ub_run_writer *w, const struct planted *p)
{
    for (int i = 0; i < STEPS; i++) {
        add_spectrum(w, p, at_steps[i]);
        add_density(w, at_steps[i]);
    }
    add_classes(w);
    add_layers(w);
}

/* One step, one eigenvalue, one grid point, nothing fitted, and what is not positive. */
static inline void least_rows(struct ub_run_writer *w, const struct planted *p)
{
    (void)p;
    static const double one[] = {1}, none[] = {0, -1};
    add(w, 0, "spectrum.hessian", one, 1, (double)NAN);
    add(w, 0, "spectrum.ntk", none, 2, (double)NAN);
    add(w, 0, "hessian-spectrum", none, 2, (double)NAN);
    add(w, 0, "kernel-spectrum.ntk-mean", none, 1, (double)NAN);
    add(w, 0, "covariance-spectrum.inputs", one, 1, (double)NAN);
    add(w, 0, "covariance-spectrum.hidden1", none, 1, (double)NAN);
    add(w, 0, "weight-spectrum.fc1.weight", none, 2, (double)NAN);
    add(w, 0, "class-structure.class", none, 1, (double)NAN);
    add(w, 0, "density.hessian", one, 1, (double)NAN);
    add(w, 0, "density-grid.hessian", one, 1, (double)NAN);
    add(w, 0, "density.ntk", none, 2, (double)NAN);
    for (int step = 0; step < 4; step++) {
        add(w, step, "spectrum.fisher", none, 2, (double)NAN);
        add(w, step, "density.fisher", none, 2, (double)NAN);
        add(w, step, "density-grid.fisher", (double[]){0, 1}, 2, (double)NAN);
    }
}

static inline void no_rows(struct ub_run_writer *w, const struct planted *p)
{
    (void)w, (void)p;
}

static const struct planted planted[] = {
    {"mlp:widths=8", "gd:lr=0.1", "digits", 3, UB_RUN_DIVERGED, all_rows, 100},
    {"mlp:widths=8", "gd:lr=0.1", "digits", 4, UB_RUN_OK, all_rows, 1},
    {"mlp:widths=8", "gd:lr=0.1", "digits", 5, UB_RUN_OK, all_rows, 50},
    {"cnn", "gd:lr=0.2", "digits", 4, UB_RUN_OK, all_rows, 3},
    {"cnn", "adam:lr=0.2", "digits", 4, UB_RUN_OK, all_rows, 7},
    {"cnn", "lion:lr=0.2", "digits", 4, UB_RUN_OK, all_rows, 7},
    {"cnn", "muon:lr=0.2", "digits", 4, UB_RUN_OK, all_rows, 7},
    {"cnn", "sgd:lr=0.2", "digits", 4, UB_RUN_OK, all_rows, 7},
    {"cnn", "soap:lr=0.2", "digits", 4, UB_RUN_OK, all_rows, 7},
    {"gru", "gd:lr=0.2", "sorting", 4, UB_RUN_OK, least_rows, 1},
    {"lstm", "gd:lr=0.2", "sorting", 4, UB_RUN_OK, no_rows, 1},
};

struct fixture {
    char *folder;
    struct ub_store *store;
    struct study *study;
};

/* Stores keep runs in the order of their ids unless there is a manifest: groups are found by what
 * is in them. */
static inline int set_up(void **state)
{
    struct ub_error err = {0};
    struct fixture *x = ub_calloc(1, sizeof *x);
    x->folder = support_folder();
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++)
        plant(x->folder, &planted[i]);
    x->store = ub_store_open(x->folder, &err);
    x->study = x->store ? study_new(x->store, &err) : NULL;
    *state = x;
    return x->study ? 0 : -1;
}

static inline int tear_down(void **state)
{
    struct fixture *x = *state;
    study_free(x->study);
    ub_store_free(x->store);
    support_remove(x->folder);
    ub_free(x);
    return 0;
}

#endif
