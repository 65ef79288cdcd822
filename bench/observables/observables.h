/* observables.h - named measurements on a run in progress, each with a schedule and error bars.
 *
 *     struct ub_observer *o = ub_observer_new("sharpness:every=10,top=2", &setting, &err);
 *     if (ub_observer_due(o, step, steps))
 *         ub_observer_measure(o, &moment, record);     // rows: step, observable, index, value,
 * error
 *
 * The estimators beneath (eigen.h, powerlaw.h) work on plain operators and arrays, and are
 * tested against dense linear algebra. */
#ifndef UB_OBSERVABLES_H
#define UB_OBSERVABLES_H

#include "base/base.h"
#include "systems/systems.h"

/* ---- where measurements go -------------------------------------------------------------- */

/* One tidy row of a trace. error: half-width or residual bound in the value's units; NAN = none. */
struct ub_row {
    int64_t step;
    const char *observable; /* static or interned string, e.g. "sharpness" */
    int64_t index;          /* eigenvalue rank from 0, layer, ...; 0 for scalars */
    double value, error;
};
struct ub_record {
    void *context;
    void (*add)(void *context, const struct ub_row *row);
    /* A named fact about the whole run: "threshold", "hvps.sharpness", ... */
    void (*fact)(void *context, const char *name, double value);
};

/* ---- schedules -------------------------------------------------------------------------- */

/* Every observable takes: every (steps between measurements; 0 = not periodic), at (list as
 * "0+100+end"; "none"), log_spaced (number of log-spaced measurements over the run, 0 = none).
 * Union of the three. */
struct ub_schedule {
    int64_t every, log_spaced;
    int64_t *at; /* -1 = end */
    size_t n_at;
};

/* ---- observables ------------------------------------------------------------------------ */

struct ub_moment { /* a run at one step */
    int64_t step;
    double *theta;
    const double *grad; /* at theta */
    double loss;
    struct ub_problem *problem;
    const struct ub_optimizer *optimizer;
    const double *theta0; /* initial parameters */
};

struct ub_observable {
    const char *name, *summary, *units, *citation;
    const struct ub_option *options; /* its own; the schedule's are common */
    size_t state_bytes;              /* zeroed private state for each observer */
    bool (*measure)(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err);
    void (*close)(void *state);
};
extern const struct ub_observable *const ub_observables[]; /* NULL-terminated */
const struct ub_observable *ub_observable_find(const char *name);
extern const struct ub_option ub_schedule_options[];

struct ub_observer;
struct ub_observer *ub_observer_new(const char *text, const char *where, struct ub_error *err);
void ub_observer_free(struct ub_observer *o);
bool ub_observer_due(const struct ub_observer *o, int64_t step, int64_t steps);
bool ub_observer_measure(struct ub_observer *o, const struct ub_moment *moment,
                         struct ub_record *record, struct ub_error *err);
char *ub_observable_canonical(const char *text, const char *where, char **label,
                              struct ub_error *err);

#endif
