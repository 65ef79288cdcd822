/* SAM's own edge: sharpness-aware minimization theta <- theta - eta g(theta + rho g/|g|) holds the
 * sharpness where its iteration on a quadratic is marginal (Long and Bartlett 2023,
 * arXiv:2309.12488),
 *
 *     lambda_max + r lambda_max^2 = 2/eta,   r = rho/|g|:
 *
 * not at 2/eta, where gradient descent holds it, but the further below the smaller the gradient.
 * The observable is edge-ratio, sharpness over that threshold. edge-of-stability asks this of every
 * optimizer at the radius people use, where SAM's threshold is 0.7 to 0.9 of gradient descent's and
 * hardly told from it; here runs speak whose threshold ends at 0.7 of 2/eta or less, twice the
 * margin away.
 *
 * Where in a run the law speaks: where the ratio has risen to a level that it keeps (windows.h),
 * found without asking how high that is. Unlike gradient descent, SAM cannot come to rest below its
 * edge: as the gradient vanishes r grows without bound and the threshold falls to nothing. So runs
 * are not asked whether training goes on. Squared loss alone: cross-entropy's curvature vanishes
 * with the gradient, too.
 *
 * Controls. On a quadratic, at eta s < 2 for its largest curvature s, that direction's amplitude
 * goes by |x'| = (eta s - 1)|x| + eta rho s sign of it, once the other directions have died out,
 * whose fixed point |x| = eta rho s/(2 - eta s) is where s + r s^2 = 2/eta (Bartlett, Long and
 * Bousquet 2022, arXiv:2210.01513): must hold. Against a threshold misstated by a fifth the same
 * must fail. */
#include "report/laws/group.h"

#include <math.h>

static const double below_descent = 0.7; /* of 2/eta: by twice the margin */

static bool ascends(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer", "sam") && ub_run_is(frame, row, "loss", "mse") &&
           ub_run_measures(frame, row, "edge-ratio") && ub_run_on_all_samples(frame, row) &&
           ub_frame_number(frame, row, "optimizer.rho") > 0 &&
           ub_run_is(frame, row, "optimizer.normalized", "true");
}

static struct ub_window plateau(const struct ub_frame *frame, size_t row,
                                const struct ub_series *rho, const struct ub_series *loss)
{
    (void)loss;
    if (rho->count == 0)
        return (struct ub_window){.why = "edge-ratio was not measured"};
    const struct ub_run *run = &frame->store->runs[row];
    const double share = ub_run_fact(run, "threshold") * ub_run_fact(run, "lr") / 2;
    if (!(share <= below_descent))
        return (struct ub_window){.why = "SAM's threshold is near gradient descent's"};
    return ub_settled(rho, rho->count);
}

const struct ub_law ub_law_sam_edge = {
    .name = "sam-edge",
    .strand = UB_HYPERPARAMETERS,
    .claim = "sharpness-aware minimization holds the sharpness at its own threshold, below 2/eta",
    .formula = "lambda_max (1 + rho lambda_max/|g|) -> 2/eta",
    .quantity = "sharpness over SAM's threshold where it keeps a level",
    .citation = "Bartlett et al. 2022, arXiv:2210.01513; Long and Bartlett 2023, arXiv:2309.12488",
    .who = "normalized SAM on squared loss, where its threshold is 0.7 of gradient descent's or "
           "less",
    .because = "half of the least distance between SAM's threshold and gradient descent's",
    .needs = {{.observable = "edge-ratio"}},
    .applies = ascends,
    .series = "edge-ratio",
    .window = plateau,
    .moderate = true,
    .is = {UB_EQUAL, .target = 1, .margin = 0.15},
};
