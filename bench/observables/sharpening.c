/* Sharpening: how far the sharpness has risen since the start, on the way to the edge of stability
 * and no further (Cohen et al. 2021, arXiv:2103.00065, section 3.1). Sharpness is the shared one.
 * Once it has come to `until` of the optimizer's threshold it is not measured any more, so that
 * following a run up to its edge costs nothing beyond. */
#include "bench/observables/shared.h"

#include <math.h>

static const struct ub_option options[] = {
    {"until", UB_OPTION_REAL, "0.9", 0, 1e9, NULL,
     "share of the optimizer's threshold up to which it is followed; 0 = to the end"},
    {"tolerance", UB_OPTION_REAL, "0.001", 1e-12, 0.5, NULL,
     "residual bound to reach, relative to the largest eigenvalue's size"},
    {"max-products", UB_OPTION_INT, "1000", 1, 1e9, NULL,
     "most Hessian-vector products spent on one measurement"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct state {
    double sharpness, residual; /* at step 0; 0 = not known */
    bool arrived;
};

static void join(const struct ub_call *call, struct ub_shared *shared)
{
    ub_shared_ask_curvature(shared, 1, ub_call_real(call, "tolerance"),
                            ub_call_int(call, "max-products"));
}

/* The ratio's relative error is at most about the sum of both. */
static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    struct ub_eigen_result found;
    const double until = ub_call_real(call, "until");
    if (s->arrived)
        return true;
    if (!ub_shared_curvature(moment, record, &found, err))
        return false;
    if (found.count == 0)
        return true;
    const double value = found.value[0], residual = found.residual[0];
    if (moment->step == 0 && value > 0)
        *s = (struct state){value, residual, false};
    if (s->sharpness > 0)
        ub_record_value(record, moment, "sharpening", 0, value / s->sharpness,
                        (residual + fabs(value) * s->residual / s->sharpness) / s->sharpness);
    s->arrived = until > 0 && value >= until * ub_optimizer_threshold(moment->optimizer);
    return true;
}

static const struct ub_quantity rows[] = {
    {
        .name = "sharpening",
        .units = "1",
        .meaning = "sharpness over that at the start, until it is near the optimizer's edge",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_sharpening = {
    .name = "sharpening",
    .summary = "sharpness over that at the start, on the way to the edge of stability",
    .units = "1",
    .citation = "Cohen et al. 2021, arXiv:2103.00065",
    .rows = rows,
    .follows_sharpness = true,
    .options = options,
    .every = "10",
    .at = "end",
    .state_bytes = sizeof(struct state),
    .join = join,
    .spares_inputs = true,
    .measure = measure,
};
