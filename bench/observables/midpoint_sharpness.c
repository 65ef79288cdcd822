/* Sharpness at second-order midpoints of the iterates, (x(t-2) + 2 x(t-1) + x(t))/4: there an
 * oscillation across the valley cancels, and what is left is close to the path that its average
 * takes, whose sharpness fluctuates less (Cohen, Damian et al. 2024, arXiv:2410.24206). A tracker
 * of its own follows the midpoints' top eigenvector from one measurement to the next, undisturbed
 * by the oscillation. The metric is that of step t, at which the row is booked; the first
 * is at t = 2. */
#include "bench/observables/shared.h"

#include <math.h>

static const struct ub_option options[] = {
    {"tolerance", UB_OPTION_REAL, "0.001", 1e-12, 0.5, NULL,
     "residual bound to reach, relative to the largest eigenvalue's size"},
    {"max-products", UB_OPTION_INT, "1000", 1, 1e9, NULL,
     "most Hessian-vector products spent on one measurement"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct state {
    struct ub_shared *own;
    double *theta;
    int64_t products;
};

static void join(const struct ub_call *call, struct ub_shared *shared)
{
    (void)call;
    ub_path_ask_iterates(ub_shared_path(shared), 2);
}

static void start(struct state *s, const struct ub_call *call, int64_t n)
{
    s->theta = ub_calloc((size_t)n, sizeof *s->theta);
    s->own = ub_shared_new();
    ub_shared_ask_curvature(s->own, 1, ub_call_real(call, "tolerance"),
                            ub_call_int(call, "max-products"));
}

/* The shared curvature's facts are of the iterates. */
static void ignore_fact(void *context, const char *name, double value)
{
    (void)context, (void)name, (void)value;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    struct ub_record quiet = {.context = record->context, .add = record->add, .fact = ignore_fact};
    struct ub_eigen_result found;
    if (!s->own)
        start(s, call, ub_problem_size(moment->problem));
    if (!ub_path_midpoint(ub_shared_path(moment->shared), moment, s->theta))
        return true;
    struct ub_moment own = *moment;
    own.shared = s->own;
    ub_shared_renew(s->own);
    if (!ub_shared_curvature_at(&own, s->theta, &quiet, &found, err))
        return false;
    s->products += found.products;
    record->fact(record->context, "hvps.midpoint-sharpness", (double)s->products);
    if (found.count == 0)
        return true;
    ub_record_value(record, moment, "midpoint-sharpness", 0, found.value[0], found.residual[0]);
    const double threshold = ub_optimizer_threshold(moment->optimizer);
    if (moment->optimizer->kind->geometry != UB_UNMEASURED && isfinite(threshold) && threshold > 0)
        ub_record_value(record, moment, "midpoint-edge-ratio", 0, found.value[0] / threshold,
                        found.residual[0] / threshold);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_shared_free(s->own);
    ub_free(s->theta);
}

/* The tracker's, the midpoint, and what is kept of the last two iterates. */
static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    return (UB_TRACKER_VECTORS + 5) * ub_problem_size(problem) * (int64_t)sizeof(double);
}

static const struct ub_quantity rows[] = {
    {
        .name = "midpoint-sharpness",
        .units = "loss per unit of parameter squared",
        .meaning = "sharpness where the iterates' oscillation cancels",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    {
        .name = "midpoint-edge-ratio",
        .units = "1",
        .meaning = "midpoint sharpness over the optimizer's stability threshold",
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_midpoint_sharpness = {
    .name = "midpoint-sharpness",
    .summary = "sharpness and edge ratio where the iterates' oscillation cancels",
    .units = "loss per unit of parameter squared; 1",
    .citation = "Cohen, Damian et al. 2024, arXiv:2410.24206",
    .rows = rows,
    .options = options,
    .every = "10",
    .at = "end",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .join = join,
    .measure = measure,
    .close = close,
};
