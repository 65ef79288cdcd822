/* Edge of stability: full-batch optimizers drive the sharpness to their own stability threshold
 * and hold it there (Cohen et al. 2021, arXiv:2103.00065, for gradient descent and momentum; Cohen
 * et al. 2022, arXiv:2207.14484, for preconditioned ones). The observable is
 * rho = sharpness / threshold, which the law puts at 1 for each of them.
 *
 * Where in a run the law speaks. Before rho first reaches 1 the run is still sharpening and the
 * law says nothing; from the first measurement with rho >= 1 on it does. A run that begins above 1
 * (a catapult, Lewkowycz et al. 2020, arXiv:2003.02218) is not at an equilibrium there: its search
 * for the crossing starts once rho has come below 1. One that stays above 1 to its end, as adaptive
 * optimizers may that start with little history and come to their edge from above, has no crossing:
 * the law speaks of its second half, whatever rho is there. The window ends with the run for
 * squared loss. Under cross-entropy the Hessian carries the factor p (1 - p), which vanishes as
 * margins grow, so sharpness leaves the edge for good late in training (Cohen et al. 2021, section
 * 3 and appendix); there the window ends at the last measurement with rho >= 1. That choice looks
 * at the observable, but only at the window's last point, whose weight is 1 / n with n >= 10.
 *
 * Fewer than 10 measurements at the edge are no plateau. */
#include "bench/laws/laws.h"

#include <math.h>
#include <string.h>

enum { LEAST_MEASUREMENTS = 10 };

static bool known_edge(const struct ub_run *run)
{
    const double threshold = ub_run_fact(run, "threshold");
    return isfinite(threshold) && threshold > 0.0;
}

static bool at_edge(const struct ub_series *rho, size_t i)
{
    return rho->value[i] >= 1.0;
}

/* Index of the first measurement at or above 1 after one below it; count if there is none. */
static size_t first_crossing(const struct ub_series *rho)
{
    size_t i = 0;
    while (i < rho->count && !(rho->value[i] < 1.0))
        i++;
    while (i < rho->count && !at_edge(rho, i))
        i++;
    return i;
}

/* Names of losses are calls: "ce" or "ce:key=value". */
static bool margins_grow(const struct ub_run *run)
{
    const char *loss = run->spec.loss;
    return strncmp(loss, "ce", 2) == 0 && (loss[2] == '\0' || loss[2] == ':');
}

static struct ub_window not_reached(const char *why)
{
    return (struct ub_window){.why = why};
}

/* Never below 1: the second half, of which nothing is known beforehand. */
static struct ub_window second_half(const struct ub_series *rho)
{
    const size_t first = rho->count / 2, last = rho->count - 1;
    for (size_t i = first; i <= last; i++)
        if (!isfinite(rho->value[i]))
            return not_reached("edge-ratio is not finite");
    if (last - first + 1 < LEAST_MEASUREMENTS)
        return not_reached("fewer than 10 measurements in the second half");
    return (struct ub_window){.first = first, .last = last, .reached = true};
}

static bool stays_above(const struct ub_series *rho)
{
    for (size_t i = 0; i < rho->count; i++)
        if (rho->value[i] < 1.0)
            return false;
    return true;
}

static struct ub_window plateau(const struct ub_run *run, const struct ub_series *rho)
{
    if (rho->count == 0)
        return not_reached("edge-ratio was not measured");
    if (run->status == UB_RUN_DIVERGED)
        return not_reached("diverged");
    if (stays_above(rho))
        return second_half(rho);
    const size_t first = first_crossing(rho);
    if (first == rho->count)
        return not_reached(at_edge(rho, 0) ? "started above the threshold, did not come back to it"
                                           : "never sharpened to the threshold");
    size_t last = rho->count - 1;
    while (last > first &&
           (!isfinite(rho->value[last]) || (margins_grow(run) && !at_edge(rho, last))))
        last--;
    if (last - first + 1 >= LEAST_MEASUREMENTS)
        return (struct ub_window){.first = first, .last = last, .reached = true};
    return not_reached(last + 1 < rho->count
                           ? "left the threshold after fewer than 10 measurements"
                           : "fewer than 10 measurements after reaching the threshold");
}

static double one(const struct ub_run *run)
{
    (void)run;
    return 1.0;
}

const struct ub_law ub_law_edge_of_stability = {
    .name = "edge-of-stability",
    .claim = "sharpness settles at the optimizer's own stability threshold",
    .citation = "Cohen et al. 2021, arXiv:2103.00065; Cohen et al. 2022, arXiv:2207.14484",
    .observable = "edge-ratio",
    .applies = known_edge,
    .window = plateau,
    .predict = one,
    .margin = 0.1,
    .least_systems = 6,
};
