/* Catapult: a run that starts above its edge climbs out of its valley, and where it lands the
 * sharpness is lower (Lewkowycz et al. 2020, arXiv:2003.02218).
 *
 *     catapult-peak       largest loss so far, at any step, over the initial loss
 *     catapult-peak-step  the step of it
 *     catapult-sharpness  sharpness now over sharpness at step 0; there from step 0 on, when it is
 *                         measured there
 *     catapult-back       1 when the loss is below the initial loss now, else 0
 *
 * Initial: at the first step that the run was observed at, 0. Sharpness is the shared one, at no
 * cost where it is measured anyway. */
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
    double sharpness, residual; /* at step 0; 0 = not known */
};

static void join(const struct ub_call *call, struct ub_shared *shared)
{
    ub_shared_ask_curvature(shared, 1, ub_call_real(call, "tolerance"),
                            ub_call_int(call, "max-products"));
    ub_path_ask_losses(ub_shared_path(shared));
}

/* The ratio's relative error is at most about the sum of both. */
static void record_sharpness(struct state *s, const struct ub_moment *moment,
                             struct ub_record *record, double value, double residual)
{
    if (moment->step == 0 && value > 0) {
        s->sharpness = value;
        s->residual = residual;
    }
    if (s->sharpness > 0)
        ub_record_value(record, moment, "catapult-sharpness", 0, value / s->sharpness,
                        (residual + fabs(value) * s->residual / s->sharpness) / s->sharpness);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)call;
    struct ub_eigen_result found;
    const struct ub_losses losses = ub_shared_path(moment->shared)->losses;
    if (losses.first > 0)
        ub_record_value(record, moment, "catapult-peak", 0, losses.peak / losses.first, NAN);
    ub_record_value(record, moment, "catapult-peak-step", 0, (double)losses.peak_step, NAN);
    ub_record_value(record, moment, "catapult-back", 0, moment->loss < losses.first, NAN);
    if (!ub_shared_curvature(moment, record, &found, err))
        return false;
    if (found.count > 0)
        record_sharpness(state, moment, record, found.value[0], found.residual[0]);
    return true;
}

static const struct ub_quantity rows[] = {
    {
        .name = "catapult-peak",
        .units = "1",
        .meaning = "highest training loss so far over the initial one",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-12},
    },
    {
        .name = "catapult-peak-step",
        .units = "steps",
        .meaning = "step of that peak",
        .whole = true,
        .column = "",
    },
    {
        .name = "catapult-sharpness",
        .units = "1",
        .meaning = "sharpness over that at the start",
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    {
        .name = "catapult-back",
        .units = "1",
        .meaning = "whether the loss is below its start again: 1 or 0",
        .whole = true,
        .column = "",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_catapult = {
    .name = "catapult",
    .summary = "peak of the loss and its step, sharpness over that at the start, and return",
    .units = "1; steps; 1; 1",
    .citation = "Lewkowycz et al. 2020, arXiv:2003.02218",
    .rows = rows,
    .options = options,
    .every = "10",
    .at = "end",
    .state_bytes = sizeof(struct state),
    .join = join,
    .measure = measure,
};
