/* Edge of stability: full-batch optimizers sharpen until the sharpness comes to their own stability
 * threshold and hold it there (Cohen et al. 2021, arXiv:2103.00065, for gradient descent and
 * momentum; Cohen et al. 2022, arXiv:2207.14484, for preconditioned ones). The observable is
 * rho = sharpness / threshold, which the law puts at 1 for each of them.
 *
 * Where in a run the law speaks. Where progressive sharpening has ended: the flat end of the series
 * that it has risen to (windows.h), found without asking how high that is. So a run that levels off
 * at 0.8 is an exception, not one that did not reach the edge; one that rises to 1.05 and falls
 * back has no level; one that still rises says nothing, unless it does so beyond the margin.
 * A level is the law's only while training goes on: where the loss neither falls nor is disturbed
 * over the second half of the window (ub_at_rest), nothing sharpens the run any further, and
 * whatever it has come to stays. Such runs are not judged, at the edge or off it.
 *
 * Under cross-entropy the Hessian carries the factor p (1 - p), which vanishes as margins grow, so
 * sharpness leaves the edge for good late in training (Cohen et al. 2021, section 3 and appendix).
 * The law speaks of the time until the loss first falls below a tenth of its initial value (0.23
 * for ten classes, where the mean of p (1 - p) is below a fifth). The loss sets that time, so that
 * it favors no level; it is late where margins grow unevenly, which biases levels downwards, and a
 * run that falls is not held against the law there: no store of cross-entropy alone can violate it
 * by falling.
 *
 * Bias. None towards any level: all of it is the same for c rho. Runs that start within 25% of
 * their level, or come to it from above (as adaptive optimizers with little history may), are not
 * judged, so the law speaks of those that sharpened.
 *
 * Controls. Scalar RMSProp on a quadratic loss must hold: below the step 2/lambda_max all gradients
 * fall, and with them the root mean square that divides the step; above it those of the top
 * direction grow. So rho rises to 1 and stays, while the other directions go on training (Arora, Li
 * and Panigrahi 2022, arXiv:2205.09745, for the normalized step, its limit of no memory). The same
 * runs against a threshold that is misstated by a fifth must fail. */
#include "report/laws/group.h"
#include "systems/systems.h"

#include <math.h>
#include <string.h>

static const double trained = 0.1; /* of the initial cross-entropy */

/* The edge of an optimizer as its spec has it: of any size, at the rate 1 and a gradient of norm
 * 1, on which no optimizer's having an edge depends. */
static bool spec_has_edge(const char *optimizer)
{
    struct ub_error err = {0};
    struct ub_optimizer *o = ub_optimizer_new(optimizer, 1, &err);
    if (!o)
        return false;
    const double zero = 0, one = 1;
    ub_optimizer_see(o, &zero, &one);
    o->lr = 1;
    const double threshold = ub_optimizer_threshold(o);
    const bool known = o->kind->geometry != UB_UNMEASURED && isfinite(threshold) && threshold > 0;
    ub_optimizer_free(o);
    return known;
}

/* A run that failed, or has not been run, has no fact; its spec says what it would have. */
static bool known_edge(const struct ub_frame *frame, size_t row)
{
    const struct ub_run *run = &frame->store->runs[row];
    if (!ub_run_measures(frame, row, "sharpness") && !ub_run_measures(frame, row, "edge-ratio"))
        return false;
    for (size_t i = 0; i < run->n_facts; i++)
        if (strcmp(run->facts[i].name, "threshold") == 0)
            return isfinite(run->facts[i].value) && run->facts[i].value > 0.0;
    return spec_has_edge(run->spec.optimizer);
}

static struct ub_window out(const char *why)
{
    return (struct ub_window){.why = why};
}

static struct ub_window plateau(const struct ub_frame *frame, size_t row,
                                const struct ub_series *rho, const struct ub_series *loss)
{
    if (rho->count == 0)
        return out("edge-ratio was not measured");
    const bool ce = ub_run_is(frame, row, "loss", "ce");
    const size_t count = ce ? ub_count_until(rho, loss, trained) : rho->count;
    struct ub_window w = ub_settled(rho, count);
    w.excused = ce;
    if (!w.reached && count < rho->count)
        w.why = "cross-entropy fell to a tenth before it had a level";
    if (w.stay == UB_STAY_OUT)
        return w;
    if (ub_at_rest(loss, rho->step[w.first + (w.last - w.first) / 2], rho->step[w.last]))
        return out("training was over");
    return w;
}

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    const double threshold = ub_run_fact(&frame->store->runs[row], "threshold");
    ub_plane_add(points, threshold, threshold * level->median);
}

const struct ub_law ub_law_edge_of_stability = {
    .name = "edge-of-stability",
    .strand = UB_EMPIRICAL,
    .claim = "sharpness settles at the optimizer's own stability threshold",
    .formula = "rho(t) = lambda_max(t) / threshold -> 1, lambda_max of P^-1 H; threshold 2/eta for "
               "gradient descent",
    .quantity = "sharpness over the optimizer's threshold where it keeps a level",
    .citation = "Cohen et al. 2021, arXiv:2103.00065; Cohen et al. 2022, arXiv:2207.14484",
    .who = "full-batch optimizers whose threshold is known, while they train",
    .because = "a series that windows.h calls flat lies within about a tenth of its level",
    .applies = known_edge,
    .series = "edge-ratio",
    .window = plateau,
    .moderate = true,
    .plane = plane,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};
