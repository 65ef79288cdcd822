/* The central flow of the run's optimizer beside the run (flow.h): it starts from the run's
 * parameters at the first measurement from step `start` on and is integrated from measurement to
 * measurement, and so is the flow without oscillation. The flow's loss plus what oscillation adds
 * predicts the run's loss averaged over its oscillation. (Cohen, Damian et al. 2024,
 * arXiv:2410.24206.) */
#include "bench/observables/flow.h"
#include "bench/observables/shared.h"

#include <math.h>

static const struct ub_option options[] = {
    {"start", UB_OPTION_INT, "0", 0, 1e12, NULL, "step from which the flow starts"},
    {"top", UB_OPTION_INT, "4", 1, 20, NULL, "eigenvalues that may be at the edge together"},
    {"substeps", UB_OPTION_INT, "4", 1, 1000, NULL, "integration steps a step of the optimizer"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* Without oscillation modes above the edge are stiff. */
enum { PLAIN_SUBSTEPS = 4 };

struct state {
    int64_t step;
    struct ub_flow *central, *plain;
    bool lost; /* the plain flow is beyond what its steps resolve */
    double *difference;
};

static bool start(struct state *s, const struct ub_call *call, const struct ub_moment *moment,
                  struct ub_error *err)
{
    const int64_t top = ub_call_int(call, "top"), substeps = ub_call_int(call, "substeps");
    s->step = moment->step;
    s->difference = ub_calloc((size_t)ub_problem_size(moment->problem), sizeof *s->difference);
    s->central =
        ub_flow_new(moment->problem, moment->optimizer, moment->theta, top, substeps, true, err);
    s->plain = s->central ? ub_flow_new(moment->problem, moment->optimizer, moment->theta, 1,
                                        PLAIN_SUBSTEPS * substeps, false, err)
                          : NULL;
    return s->plain != NULL;
}

static double distance(const struct state *s, const struct ub_flow *flow,
                       const struct ub_moment *moment)
{
    const int64_t n = ub_problem_size(moment->problem);
    for (int64_t i = 0; i < n; i++)
        s->difference[i] = ub_flow_theta(flow)[i] - moment->theta[i];
    return ub_norm(n, s->difference);
}

static void record_central(const struct state *s, const struct ub_moment *moment,
                           struct ub_record *record)
{
    const struct ub_flow_state now = ub_flow_state(s->central);
    const double loss = ub_problem_loss(moment->problem, ub_flow_theta(s->central));
    ub_record_value(record, moment, "central-flow-loss", 0, loss, NAN);
    ub_record_value(record, moment, "central-flow-predicted-loss", 0, loss + now.excess, NAN);
    ub_record_value(record, moment, "central-flow-sharpness", 0, ub_flow_sharpness(s->central),
                    NAN);
    ub_record_value(record, moment, "central-flow-distance", 0, distance(s, s->central, moment),
                    NAN);
    ub_record_value(record, moment, "central-flow-variance", 0, now.variance, now.residual);
    record->fact(record->context, "thirds.central-flow", (double)now.thirds);
    record->fact(record->context, "hvps.central-flow", (double)now.products);
    record->fact(record->context, "gradients.central-flow", (double)now.gradients);
}

static void record_plain(const struct state *s, const struct ub_moment *moment,
                         struct ub_record *record)
{
    ub_record_value(record, moment, "plain-flow-loss", 0,
                    ub_problem_loss(moment->problem, ub_flow_theta(s->plain)), NAN);
    ub_record_value(record, moment, "plain-flow-sharpness", 0, ub_flow_sharpness(s->plain), NAN);
    ub_record_value(record, moment, "plain-flow-distance", 0, distance(s, s->plain, moment), NAN);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    if (moment->step < ub_call_int(call, "start"))
        return true;
    if (!s->central && !start(s, call, moment, err))
        return false;
    const int64_t steps = moment->step - s->step;
    s->step = moment->step;
    if (!ub_flow_advance(s->central, steps))
        return ub_fail(err, UB_INPUT,
                       "the central flow is not finite at step %lld; expected more substeps",
                       (long long)moment->step);
    s->lost = s->lost || !ub_flow_advance(s->plain, steps);
    record_central(s, moment, record);
    if (!s->lost)
        record_plain(s, moment, record);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_flow_free(s->central);
    ub_flow_free(s->plain);
    ub_free(s->difference);
}

static const struct ub_quantity rows[] = {
    {
        .name = "central-flow-loss",
        .units = "units of the loss",
        .meaning = "training loss at the central flow's parameters",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "central-flow-predicted-loss",
        .units = "units of the loss",
        .meaning = "time-averaged loss that the central flow predicts for the run",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-12},
    },
    {
        .name = "central-flow-sharpness",
        .units = "loss per unit of parameter squared",
        .meaning = "sharpness at the central flow's parameters",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "central-flow-distance",
        .units = "units of parameter",
        .meaning = "distance between the run and the central flow",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "central-flow-variance",
        .units = "units of parameter squared",
        .meaning = "variance of the oscillation that the central flow predicts; error: residual of "
                   "its complementarity problem",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "plain-flow-loss",
        .units = "units of the loss",
        .meaning = "training loss at the parameters of the flow without oscillation",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "plain-flow-sharpness",
        .units = "loss per unit of parameter squared",
        .meaning = "sharpness at the parameters of the flow without oscillation",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "plain-flow-distance",
        .units = "units of parameter",
        .meaning = "distance between the run and the flow without oscillation",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_central_flow = {
    .name = "central-flow",
    .summary =
        "the central flow beside the run: its loss, sharpness and distance, and the plain flow's",
    .units = "units of the loss; of sharpness; of parameter",
    .citation = "Cohen, Damian et al. 2024, arXiv:2410.24206",
    .rows = rows,
    .options = options,
    .every = "10",
    .at = "end",
    .state_bytes = sizeof(struct state),
    .measure = measure,
    .close = close,
};
