/* optimizers.h - what trains a problem: kinds of optimizers, one at work, and mini-batches. Part of
 * systems.h, whose opening shows one at work. */
#ifndef UB_OPTIMIZERS_H
#define UB_OPTIMIZERS_H

#include "base/base.h"
#include "base/registry.h"

struct ub_layout;  /* systems.h */
struct ub_problem; /* systems.h */
struct ub_optimizer;
struct ub_ball;   /* ball.h: the unit ball of a norm */
struct ub_metric; /* metric.h: P, and its powers */

/* What an optimizer's steps are steepest descent in, and so which quantity is at its edge. */
enum ub_geometry {
    UB_EUCLIDEAN,      /* P = I: the top eigenvalue of H */
    UB_PRECONDITIONED, /* `metric` says P: that of P^-1 H */
    UB_IN_A_NORM,      /* `ball` says which: the generalized sharpness, where there is a ball */
    UB_UNMEASURED      /* P or its edge is not known here, or nothing measures it */
};

/* How the metric of an optimizer moves, for flows of its average (bench/observables/flow.h): with
 * `count` 0 it is I; else P = diag(sqrt(nu) + epsilon), nu the mean square of each entry of the
 * gradient (count = size) or of its norm (count = 1), d nu/dt = gamma (square - nu) over a step. */
struct ub_flow_rule {
    int64_t count;
    const double *nu; /* now; the optimizer's */
    double gamma, epsilon;
};

/* What an optimizer trains: needed by those that look at more than one gradient a step, at the
 * layout, or at the end of the run. */
struct ub_training {
    struct ub_problem *problem; /* kept by reference */
    int64_t steps;              /* of the whole run */
    uint64_t seed;
};

struct ub_optimizer_kind {
    const char *name, *summary, *citation;
    const char *title;               /* what people call it; NULL: its name */
    const struct ub_option *options; /* its own, with lr of kind UB_OPTION_RATE */
    bool takes_rates;                /* Adam-like: steps are multiplied by `rates` */
    bool needs_problem;              /* steps only once attached to a training */
    int64_t state_vectors;           /* flat vectors of state the step needs, zeroed at start */
    int64_t (*vectors)(const struct ub_call *call); /* the same where options decide; or NULL */
    /* What a training is asked for beyond that, kept in o->own and `bytes` large; may be NULL. */
    int64_t (*bytes)(const struct ub_call *call, const struct ub_problem *p); /* or NULL */
    bool (*attach)(struct ub_optimizer *o, struct ub_error *err);
    void (*detach)(struct ub_optimizer *o);
    /* Takes what the threshold depends on from the gradient of the step to come; may be NULL. */
    void (*see)(struct ub_optimizer *o, const double *grad);
    void (*step)(struct ub_optimizer *o, double *theta, const double *grad);
    enum ub_geometry geometry;
    /* Edge of stability: the threshold, for the current learning rate, on what the geometry puts at
     * the edge, H the Hessian of the objective; NAN where none is known. */
    double (*threshold)(const struct ub_optimizer *o);
    /* Learning rate whose threshold is `sharpness`: inverts `threshold`. */
    double (*rate_for)(const struct ub_optimizer *o, double sharpness);
    /* beta of those that step by lr v with v <- beta v + g; NAN where options give another form.
     * NULL: others. */
    double (*momentum)(const struct ub_optimizer *o);
    /* UB_PRECONDITIONED: fills m->values, size numbers, and m->bases where P is not diagonal, with
     * P for the step that `grad`, the objective's, would lead to now; 0 where the optimizer moves
     * nothing. */
    void (*metric)(const struct ub_optimizer *o, const double *grad, struct ub_metric *m);
    /* How P moves, where the central flow is known; fails for options it is not known for. */
    bool (*flow)(const struct ub_optimizer *o, struct ub_flow_rule *rule, struct ub_error *err);
    /* UB_IN_A_NORM, a descent over the ball of a norm: steps -lr u on a quadratic descend,
     *
     *     f(theta - lr u) - f(theta) = -lr <g, u> + (lr^2/2) u'Hu < 0,
     *
     * where u'Hu <= S |u|^2 < 2 <g, u>/lr, S = max d'Hd over the ball: the threshold is on
     * S times the factor |u|^2/<g, u>, which is 1 for steepest descent, u = |g|_* d with d the
     * ball's oracle, and 1/|g|_* for u = d. (Islamov et al. 2026, arXiv:2603.05002.) It bounds
     * descent: above it some directions ascend, and others do not. Returns the ball, kept by `o`;
     * NULL where the options leave no such theory, and before `o` is attached. */
    const struct ub_ball *(*ball)(const struct ub_optimizer *o, const double *grad, double *factor);
    /* Of one whose solution is that of kernel ridge regression with the model's kernel J J': what
     * is added to the kernel, from a start at zero; NULL for others. */
    double (*kernel_ridge)(const struct ub_optimizer *o);
    const char *edge_formula; /* "2(1+beta)/lr" */
    const char *edge_citation;
};
struct ub_optimizer {
    const struct ub_optimizer_kind *kind;
    struct ub_call *call;
    int64_t size, steps;
    struct ub_rate rate;
    double base; /* the learning rate before its schedule; NAN until resolved */
    double lr;   /* in force at the step to come */
    double l2;   /* coupled weight decay */
    bool frozen; /* the preconditioner stays as it is: what theory of the edge assumes */
    double
        *rates; /* factors on the learning rate by parameter, for Adam-like optimizers; NULL = 1 */
    double *state;               /* state_vectors x size */
    double *regular;             /* room for the gradient with coupled decay */
    int64_t gradients;           /* evaluations of its own, beside those handed to it */
    struct ub_training training; /* zero until attached */
    struct ub_problem *part;     /* over the mini-batch drawn last; NULL: steps on all samples */
    struct ub_batches *batches;  /* where it is drawn from, and its samples */
    int64_t *samples;
    struct ub_random fresh_inputs, fresh_noise; /* or what it is drawn from, of data online */
    const struct ub_layout *layout;             /* of training.problem; NULL until attached */
    void *own;                                  /* the kind's */
};
extern const struct ub_optimizer_kind *const ub_optimizers[];
const struct ub_optimizer_kind *ub_optimizer_find(const char *name);

/* Options that every optimizer takes besides its own:
 *
 *     schedule, warmup, drop-every, drop-factor   the learning rate over the run
 *                                                 (rate_schedule.h); `cosine` and
 *                                                 `linear` take its length from the training
 *     l2              coupled weight decay: the objective is the loss plus l2/2 |theta|^2, so that
 *                     l2 theta is added to every gradient and l2 I to every Hessian (what that is
 *                     for other matrices: bench/curvature/curvature.h). Decoupled decay is an
 *                     option of the optimizers whose papers define it: it is no part of the
 *                     objective, and moves the threshold instead (optimizers/adamw.c).
 *     batch, replacement, batch-seed
 *                     a step is about a mini-batch of so many samples: its gradient, and all else
 *                     that the optimizer evaluates in the step, are the batch's. Which samples
 * those are depends on batch-seed only, the run's seed where it is -1 (stream "batches"), so that
 * optimizers that are compared see the same samples in the same order, whatever their batch sizes;
 * and runs of one seed and several batch-seeds share their start. Without replacement the whole set
 * as a batch is the full batch. Of data that are asked for online each batch is of fresh samples
 * (streams "fresh.inputs", "fresh.noise"). What observers see stays that of the whole training set:
 * gradient, P, ball, and the rates of edge(S) and relative(R). But no threshold is known of
 * mini-batches: it is NAN. */
extern const struct ub_option ub_optimizer_common_options[];

/* Absolute and edge(S) rates are resolved at once (where the edge depends on a gradient, when
 * resolved after the first ub_optimizer_see); relative(R) waits for ub_optimizer_resolve. All are
 * rates before the schedule. */
struct ub_optimizer *ub_optimizer_new(const char *text, int64_t size, struct ub_error *err);
void ub_optimizer_free(struct ub_optimizer *o);
bool ub_optimizer_needs_sharpness(const struct ub_optimizer *o);
/* Says what is trained, once, before the first step. Needed where `needs_problem`, and for the
 * learning-rate factors of a parametrization, which Adam-like optimizers take from the layout. */
bool ub_optimizer_attach(struct ub_optimizer *o, const struct ub_training *training,
                         struct ub_error *err);
/* relative(R): learning rate such that threshold = initial_sharpness / R. */
bool ub_optimizer_resolve(struct ub_optimizer *o, double initial_sharpness, struct ub_error *err);
/* From the next step on mini-batches are those of a twin: of streams with its number in their names
 * ("batches.twin1"), from their beginning. 0: the run's own. Without mini-batches, nothing. */
void ub_optimizer_redraw(struct ub_optimizer *o, int64_t twin);
/* The loss and gradient that the next step takes: of the next mini-batch, or of the whole set. */
double ub_optimizer_gradient(struct ub_optimizer *o, const double *theta, double *grad);
/* What the step to come is about: the mini-batch of the last ub_optimizer_gradient, else all. */
struct ub_problem *ub_optimizer_problem(const struct ub_optimizer *o);
/* Samples of that gradient; 0 = the whole training set. */
int64_t ub_optimizer_batch(const struct ub_optimizer *o);
/* Whether a batch's samples are drawn each anew. */
bool ub_optimizer_draws_anew(const struct ub_optimizer *o);
/* Shows the whole set's gradient at theta to optimizers whose threshold depends on it. */
void ub_optimizer_see(struct ub_optimizer *o, const double *theta, const double *grad);
/* `grad` is the loss's: coupled decay is added here. */
void ub_optimizer_step(struct ub_optimizer *o, double *theta, const double *grad);
double ub_optimizer_threshold(const struct ub_optimizer *o); /* at the rate in force */
/* NULL where it has none. (Its metric: ub_optimizer_metric, metric.h.) */
const struct ub_ball *ub_optimizer_ball(const struct ub_optimizer *o, const double *theta,
                                        const double *grad, double *factor);
/* What it adds to the kernel, NAN where it is no kernel regression. */
double ub_optimizer_kernel_ridge(const struct ub_optimizer *o);
/* Bytes that an optimizer holds beside the problem that it trains, about; -1 with an error when it
 * cannot train it. */
int64_t ub_optimizer_bytes(const char *text, const struct ub_problem *p, struct ub_error *err);

/* Mini-batches of `batch` places in a training set of `total` samples, drawn from `random`: each
 * anew, or from one permutation of all samples after another, so that each epoch has every sample
 * once (a batch may reach into the next epoch). Those that optimizers step along come from the
 * stream (batch-seed, "batches"); who needs others makes his own. */
struct ub_batches;
struct ub_batches *ub_batches_new(int64_t total, int64_t batch, bool replacement,
                                  struct ub_random random);
void ub_batches_free(struct ub_batches *b);
void ub_batches_next(struct ub_batches *b, int64_t *samples);

#endif
