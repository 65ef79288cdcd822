/* path.h - the path of a run so far: its last iterates and the losses of all its steps; private to
 * this folder. Nothing is kept, and no step looked at that nothing is measured at, unless an
 * observable asks for it in its join(). */
#ifndef UB_OBSERVABLES_PATH_H
#define UB_OBSERVABLES_PATH_H

#include "bench/observables/observables.h"

enum { UB_MOST_ITERATES = 2 };
struct ub_iterate {
    int64_t step;
    double lr; /* of the step that left it */
    double *theta, *grad;
};
struct ub_losses { /* of all steps so far, this one included */
    int64_t first_step, peak_step;
    double first, peak;
};
/* How long gradient flow takes along the path so far: sum of |step|/|gradient|, lr x steps for
 * gradient descent; NAN where steps are not along the gradient. */
struct ub_flow_time {
    double time;
    struct ub_iterate last;
};
struct ub_path {
    int64_t kept;    /* iterates before a measurement that were asked for */
    bool every_loss; /* the loss of every step was asked for */
    bool timed;      /* and so was the time of flow */
    struct ub_flow_time flow;
    struct ub_iterate past[UB_MOST_ITERATES]; /* latest first; no theta: not there yet */
    bool begun;
    struct ub_losses losses;
};
void ub_path_clear(struct ub_path *path);
void ub_path_ask_iterates(struct ub_path *path, int64_t count); /* parameters and gradients */
void ub_path_ask_losses(struct ub_path *path);
void ub_path_ask_time(struct ub_path *path);
/* Before and after the observables of a moment are measured. */
void ub_path_note_loss(struct ub_path *path, const struct ub_moment *moment);
void ub_path_note_time(struct ub_path *path, const struct ub_moment *moment);
void ub_path_keep(struct ub_path *path, const struct ub_moment *moment);

/* The iterate `back` steps before this moment; NULL when the run was not observed there. */
const struct ub_iterate *ub_path_iterate(const struct ub_path *path, const struct ub_moment *moment,
                                         int64_t back);
/* (x(t-2) + 2 x(t-1) + x(t))/4, t this moment's step: where an oscillation of period two and slowly
 * changing size cancels. False without both iterates. */
bool ub_path_midpoint(const struct ub_path *path, const struct ub_moment *moment, double *out);

#endif
