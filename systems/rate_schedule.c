#include "systems/rate_schedule.h"
#include "base/option_units.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static const char *const schedules[] = {"constant",     "cosine",      "linear", "step",
                                        "inverse-sqrt", "exponential", NULL};

const struct ub_option ub_optimizer_common_options[] = {
    {"schedule", UB_OPTION_NAME, "constant", 0, 0, schedules,
     "how the learning rate goes over the run, after its warm-up"},
    {"warmup", UB_OPTION_INT | UB_OPTION_OF_STEPS, "0", 0, 1e12, NULL,
     "steps over which the learning rate rises to lr"},
    {"drop-every", UB_OPTION_INT, "1000", 1, 1e12, NULL, "schedule=step: steps between drops"},
    {"drop-factor", UB_OPTION_REAL, "0.1", 1e-12, 1, NULL, "schedule=step: factor of a drop"},
    {"l2", UB_OPTION_REAL | UB_OPTION_OF_CURVATURE, "0", 0, 1e6, NULL,
     "coupled weight decay: adds l2 theta to the gradient"},
    {"batch", UB_OPTION_INT | UB_OPTION_LATER | UB_OPTION_OF_SAMPLES, "0", 0, 1e12, NULL,
     "samples a step; 0 = the whole training set"},
    {"replacement", UB_OPTION_FLAG | UB_OPTION_LATER, "false", 0, 0, NULL,
     "draw every sample anew; else one permutation of the training set after another"},
    {"batch-seed", UB_OPTION_INT | UB_OPTION_LATER, "-1", -1, 9e15, NULL,
     "seed of the batches' samples; -1 = the run's seed"},
    {"instead-of-l2", UB_OPTION_REAL | UB_OPTION_LATER, "0", 0, 1e6, NULL,
     "schedule=exponential: the l2 whose place its growth takes in scale-invariant networks"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* Where the run has no more steps than its warm-up there is nothing to go down over. */
static double progress(int64_t after, int64_t steps)
{
    return steps > after && after >= 0 ? (double)after / (double)steps : 1;
}

/* Decay that turns weights around in a step has no rate in its place. */
static double growth(double kept, int64_t after)
{
    return kept > 0 ? pow(kept, -2.0 * (double)after - 1) : (double)NAN;
}

double ub_rate_factor(const struct ub_call *call, double lr, int64_t t, int64_t steps)
{
    const char *schedule = ub_call_get(call, "schedule");
    const int64_t warmup = ub_call_int(call, "warmup"), after = t - warmup;
    if (after < 0)
        return (double)(t + 1) / (double)warmup;
    if (strcmp(schedule, "cosine") == 0)
        return 0.5 * (1 + cos(pi * progress(after, steps - warmup)));
    if (strcmp(schedule, "linear") == 0)
        return 1 - progress(after, steps - warmup);
    if (strcmp(schedule, "step") == 0) {
        const double drops = floor((double)after / (double)ub_call_int(call, "drop-every"));
        return pow(ub_call_real(call, "drop-factor"), drops);
    }
    if (strcmp(schedule, "exponential") == 0)
        return growth(1 - lr * ub_call_real(call, "instead-of-l2"), after);
    if (strcmp(schedule, "inverse-sqrt") == 0)
        return sqrt((double)(warmup > 0 ? warmup : 1) / (double)(t + 1));
    return 1;
}
