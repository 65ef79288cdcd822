/* observables.h - named measurements on a run in progress, each with a schedule and error bars.
 *
 *     const char *texts[] = {"loss:every=1", "sharpness:every=10,top=2"};
 *     struct ub_observers *o = ub_observers_new(texts, 2, "--measure", &err);
 *     for (int64_t step = 0; step <= steps; step++) {
 *         struct ub_moment moment = {.step = step, .theta = theta, ...};
 *         ub_observers_measure(o, &moment, steps, &record, &err);     // only those that are due
 *         ...
 *     }
 *     ub_observers_free(o);
 *
 * What each observable writes to the trace it declares in its table of rows
 * (bench/store/quantity.h); `unibench list NAME` prints it. In the names of rows LAYER stands for
 * "inputs", a hidden layer's name or "output"; WEIGHT for a parameter's name, which has a dot
 * ("fc1.weight"); OPERATOR for OPERATOR[.LAYER][.preconditioned], as in "gauss-newton.fc1".
 *
 * Rows that a system does not have are left out, so that one suite can cross all kinds: test-...
 * without a test split, accuracy and classes of a regression, edge-ratio of an optimizer whose edge
 * is not known.
 *
 * No two observables of one run write the same row, but for edge-ratio, which is one number by one
 * computation and is written once; tests/test_observable_rows.c walks the registry for others.
 *
 * The estimators beneath (bench/spectra/) work on plain operators and arrays, and are tested
 * against dense linear algebra. */
#ifndef UB_OBSERVABLES_H
#define UB_OBSERVABLES_H

#include "base/base.h"
#include "base/registry.h"
#include "bench/store/indices.h"
#include "bench/store/quantity.h"
#include "systems/systems.h"

/* ---- where measurements go -------------------------------------------------------------- */

/* One tidy row of a trace. error, in the value's units: of what is estimated from random draws (of
 * probes, batches, a tail's ranks) half the width of its 95% interval, value +- error; of what is
 * solved for, a bound of what is left (the residual of an eigenvalue). NAN where there is none, or
 * none that covers: each estimator's header says which, and its test prints the coverage. Where an
 * interval is one of bounds (negative-fraction), value is its middle. */
struct ub_row {
    int64_t step;
    const char *observable; /* valid during the call that hands the row over */
    int64_t index;          /* eigenvalue rank from 0, layer, ...; 0 for scalars */
    double value, error;
};
struct ub_moment;
struct ub_record {
    void *context;
    void (*add)(void *context, const struct ub_row *row);
    /* A named fact about the whole run: "hvps.sharpness", ... Given again, it replaces the value.
     */
    void (*fact)(void *context, const char *name, double value);
    /* Keeps the moment's weights with the run, for export and to start from; NULL: they are not. */
    bool (*keep)(void *context, const struct ub_moment *moment, struct ub_error *err);
};

/* What the indices of rows (bench/store/indices.h) stand for, in words. */
extern const char ub_rank_index[], ub_exponent_index[];

/* ---- schedules -------------------------------------------------------------------------- */

/* Every observable takes: every (steps between measurements; 0 = not periodic), at (steps joined as
 * "0+100+end"; "none"), log-spaced (n >= 2: the steps nearest to (steps + 1)^(i/(n-1)) - 1 for
 * i = 0..n-1, which run from 0 to the end and meet where they round to the same step; 0 = none).
 * It is measured at the union of the three. A call that gives none of the three gets the
 * observable's own default schedule; one that gives any has only what it gives. */
struct ub_schedule {
    int64_t every, log_spaced;
    int64_t *at; /* ascending; -1 (last) = end */
    size_t n_at;
};
extern const struct ub_option ub_schedule_options[];
/* Reads the three options of a checked call, and rewrites its `at` in normal form: ascending, each
 * step once. */
bool ub_schedule_read(struct ub_schedule *schedule, struct ub_call *call, const char *where,
                      struct ub_error *err);
void ub_schedule_clear(struct ub_schedule *schedule);
bool ub_schedule_due(const struct ub_schedule *schedule, int64_t step, int64_t steps);

/* ---- observables ------------------------------------------------------------------------ */

struct ub_shared; /* shared.h: what the observables of one run compute once for all of them */

struct ub_moment { /* a run at one step */
    int64_t step;
    double *theta;
    const double *grad; /* at theta */
    double loss;
    struct ub_problem *problem;
    const struct ub_optimizer *optimizer;
    const double *theta0;     /* initial parameters */
    struct ub_shared *shared; /* set by ub_observers_measure */
};

enum { UB_TITLE = 128 };

struct ub_observable {
    const char *name, *summary, *units, *citation;
    const struct ub_quantity *rows;      /* all that it writes; one of them is the headline */
    const struct ub_option *options;     /* its own (NULL = none); the schedule's are common */
    const char *every, *at, *log_spaced; /* default schedule; NULL = not that way */
    bool follows_sharpness;              /* a run that measures it records its initial sharpness */
    bool spares_inputs; /* never reads the data set's inputs: ub_problem_take_inputs */
    size_t state_bytes; /* zeroed private state for each observer */
    /* What a table of options cannot say; may be NULL. */
    bool (*check)(const struct ub_call *call, const char *where, struct ub_error *err);
    /* What its rows are named after its own name: it may be measured several times in one run, each
     * time under another title ("hessian", "ntk"). NULL: once. */
    void (*title)(const struct ub_call *call, char out[UB_TITLE]);
    /* Bytes it will hold beside what training and the shared computations do, before any of it is
     * allocated; may be NULL. */
    int64_t (*bytes)(const struct ub_call *call, const struct ub_problem *problem);
    /* Says before the run what it will ask of the shared computations; may be NULL. */
    void (*join)(const struct ub_call *call, struct ub_shared *shared);
    bool (*measure)(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err);
    void (*close)(void *state); /* may be NULL */
};
extern const struct ub_observable *const ub_observables[]; /* NULL-terminated */
extern const struct ub_registry ub_observable_registry;
const struct ub_observable *ub_observable_find(const char *name);
/* The declaration that a row of this name has, and, unless NULL, whose it is: that of the name
 * itself before one whose word stands for something. NULL when no observable declares it. */
const struct ub_quantity *ub_observable_row(const char *row, const struct ub_observable **by);
/* Checks "NAME:key=value,..."; returns the canonical text (caller frees), schedule written out,
 * and the short form when `label` is not NULL. */
char *ub_observable_canonical(const char *text, const char *where, char **label,
                              struct ub_error *err);
/* What sets calls apart that one run may hold: NAME, or NAME.TITLE. Caller frees. */
char *ub_observable_title(const char *text, const char *where, struct ub_error *err);
/* Whether any of these follows the sharpness; canonical texts. */
bool ub_observables_follow_sharpness(const char *const *texts, size_t count);
/* Whether none of these reads the data set's inputs; canonical texts. */
bool ub_observables_spare_inputs(const char *const *texts, size_t count);
/* Bytes that the observables' own measurements hold at once, at most: the sum of theirs, which
 * counts programs that several of them run for each of them. */
bool ub_observables_bytes(const char *const *texts, size_t count, const struct ub_problem *problem,
                          int64_t *bytes, struct ub_error *err);

/* ---- the observers of a run ------------------------------------------------------------- */

/* They are made and measured together because some share work: sharpness and edge-ratio follow
 * one set of eigenvectors (as many and as exact as the most demanding of them asks), loss and
 * accuracy one pass over the test split. What two of them would write at one step, edge-ratio, is
 * written once. */
struct ub_observers;
struct ub_observers *ub_observers_new(const char *const *texts, size_t count, const char *where,
                                      struct ub_error *err);
void ub_observers_free(struct ub_observers *o);
/* Sharpness at one moment on its own: the top eigenvalue of P^-1 H and its residual bound, NAN when
 * none was found within so many products. */
bool ub_top_curvature(const struct ub_moment *moment, double tolerance, int64_t products,
                      double *value, double *residual, struct ub_error *err);
/* Whether any is due, or needs to see this step on the way to its own: only then the moment's
 * gradient is needed, and ub_observers_measure called. */
bool ub_observers_due(const struct ub_observers *o, int64_t step, int64_t steps);
/* Measures what is due at moment->step of a run of `steps` steps. */
bool ub_observers_measure(struct ub_observers *o, const struct ub_moment *moment, int64_t steps,
                          struct ub_record *record, struct ub_error *err);

#endif
