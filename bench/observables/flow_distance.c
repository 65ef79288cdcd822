/* How far the iterates are from two flows that start with them, at the time t = learning rate x
 * step, relative to the way travelled, |theta_t - theta_0|:
 *
 *     flow-distance           of gradient flow, d theta/dt = -grad L
 *     modified-flow-distance  of the flow of L + (eta/4) |grad L|^2, that is
 *                             d theta/dt = -grad L - (eta/2) H grad L
 *
 * Gradient descent stays within O(eta) of the former and O(eta^2) of the latter at a fixed time
 * (Hairer, Lubich and Wanner 2006, Geometric Numerical Integration, IX; Barrett and Dherin 2021,
 * arXiv:2009.11162). L is the objective, coupled decay included. Both flows are followed by the
 * classical Runge-Kutta method in `substeps` steps to one of the optimizer's, whose error, of order
 * (eta/substeps)^4, is far below either. */
#include "bench/observables/shared.h"

#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    {"substeps", UB_OPTION_INT, "2", 1, 1000, NULL, "steps of the integration in one of training"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

enum { GRADIENT, MODIFIED, FLOWS };
enum { STAGES = 4 };

struct state {
    int64_t size, step; /* up to which the flows are followed */
    double *theta[FLOWS], *stage[STAGES], *at, *work;
};

static void open_state(struct state *s, const struct ub_moment *moment)
{
    const size_t n = (size_t)ub_problem_size(moment->problem), bytes = n * sizeof(double);
    s->size = (int64_t)n;
    for (int f = 0; f < FLOWS; f++) {
        s->theta[f] = ub_alloc(bytes);
        memcpy(s->theta[f], moment->theta0, bytes);
    }
    for (int k = 0; k < STAGES; k++)
        s->stage[k] = ub_calloc(n, sizeof(double));
    s->at = ub_calloc(n, sizeof *s->at);
    s->work = ub_calloc(n, sizeof *s->work);
}

/* What the flow descends along: grad L, or grad L + (eta/2) H grad L. */
static void slope(struct state *s, const struct ub_moment *moment, bool modified, double *out)
{
    const double l2 = moment->optimizer->l2, half = moment->optimizer->lr / 2;
    ub_problem_gradient(moment->problem, s->at, out);
    for (int64_t i = 0; i < s->size; i++)
        out[i] += l2 * s->at[i];
    if (!modified)
        return;
    ub_problem_linearize(moment->problem, s->at);
    ub_problem_hvp(moment->problem, 1, out, s->work);
    for (int64_t i = 0; i < s->size; i++)
        out[i] += half * (s->work[i] + l2 * out[i]);
}

static void set_point(struct state *s, const double *theta, double by, const double *along)
{
    for (int64_t i = 0; i < s->size; i++)
        s->at[i] = theta[i] - (along ? by * along[i] : 0);
}

static void runge_kutta(struct state *s, const struct ub_moment *moment, int flow, double h)
{
    double *theta = s->theta[flow];
    const double before[STAGES] = {0, h / 2, h / 2, h};
    for (int k = 0; k < STAGES; k++) {
        set_point(s, theta, before[k], k ? s->stage[k - 1] : NULL);
        slope(s, moment, flow == MODIFIED, s->stage[k]);
    }
    for (int64_t i = 0; i < s->size; i++)
        theta[i] -=
            h / 6 * (s->stage[0][i] + 2 * s->stage[1][i] + 2 * s->stage[2][i] + s->stage[3][i]);
}

static double distance(const struct state *s, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < s->size; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)err;
    struct state *s = state;
    const int64_t substeps = ub_call_int(call, "substeps");
    static const char *const names[] = {"flow-distance", "modified-flow-distance"};
    if (!s->at)
        open_state(s, moment);
    for (int64_t k = 0; k < (moment->step - s->step) * substeps; k++)
        for (int f = 0; f < FLOWS; f++)
            runge_kutta(s, moment, f, moment->optimizer->lr / (double)substeps);
    s->step = moment->step;
    const double way = distance(s, moment->theta, moment->theta0);
    for (int f = 0; f < FLOWS; f++) {
        const double off = distance(s, moment->theta, s->theta[f]);
        if (way > 0 && isfinite(off))
            ub_record_value(record, moment, names[f], 0, off / way, NAN);
    }
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    return (FLOWS + STAGES + 2) * ub_problem_size(problem) * (int64_t)sizeof(double);
}

static void close(void *state)
{
    struct state *s = state;
    for (int f = 0; f < FLOWS; f++)
        ub_free(s->theta[f]);
    for (int k = 0; k < STAGES; k++)
        ub_free(s->stage[k]);
    ub_free(s->at);
    ub_free(s->work);
}

static const struct ub_quantity rows[] = {
    {
        .name = "flow-distance",
        .units = "1",
        .meaning = "distance from gradient flow over the way travelled",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-9},
    },
    {
        .name = "modified-flow-distance",
        .units = "1",
        .meaning = "the same from the flow of the loss plus lr/4 of its gradient's square",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_flow_distance = {
    .name = "flow-distance",
    .summary = "distance of the iterates from gradient flow and from its modified flow",
    .units = "1",
    .citation = "Barrett and Dherin 2021, arXiv:2009.11162; Hairer, Lubich and Wanner 2006",
    .rows = rows,
    .options = options,
    .at = "end",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
