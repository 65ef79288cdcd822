/* Features at convergence: trained with coupled decay l2 until nothing moves, every weight matrix W
 * fulfils W'W = -(1/(n l2)) sum_i (grad_h loss_i) h_i', h the layer's inputs (Boix-Adsera,
 * Mallinar, Simon and Belkin 2025, arXiv:2507.05644).
 *
 * It is stationarity, W'(G + l2 W) = 0, so it must hold where the gradient of the objective
 * vanishes (linear regression: one minimum, the positive control) and fails where training was
 * stopped before (the negative one). What is open is whether networks get there, at an ordinary
 * cost of training.
 *
 * The datum is the matrix that is farthest off: a maximum, so nothing averages out. */
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

static const char prefix[] = "feature-equation.";

static bool decays(const struct ub_frame *frame, size_t row)
{
    return ub_frame_number(frame, row, "optimizer.l2") > 0 &&
           ub_run_measures(frame, row, "feature-equation");
}

static double farthest(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    double most = (double)NAN;
    const struct ub_trace *t = ub_frame_trace(frame, row);
    if (!t || frame->store->runs[row].status != UB_RUN_OK)
        return most;
    for (size_t k = 0; k < t->n_names; k++) {
        if (strncmp(t->names[k], prefix, sizeof prefix - 1) != 0)
            continue;
        struct ub_series s = ub_trace_series(t, t->names[k], 0);
        most = s.count ? fmax(most, s.value[s.count - 1]) : most;
        ub_series_clear(&s);
    }
    return most;
}

static struct ub_datum distance(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, farthest, NULL, "no weight matrix was measured");
}

const struct ub_law ub_law_features_at_convergence = {
    .name = "features-at-convergence",
    .strand = UB_UNIVERSAL,
    .claim = "training with weight decay ends where every weight matrix has "
             "W'W = -(1/(n l2)) sum (grad_h loss) h'",
    .formula = "W'W = -(1/(n l2)) sum_i (grad_h loss_i) h_i' for each weight matrix W",
    .quantity = "relative distance of the two sides, of the matrix farthest off",
    .citation = "Boix-Adsera et al. 2025, arXiv:2507.05644",
    .who = "runs with coupled weight decay, at their end; matrices of two axes",
    .because = "2% is what a gradient of 1% of the decay's leaves, twice",
    .needs = {{.observable = "feature-equation"}},
    .applies = decays,
    .datum = distance,
    .is = {UB_AT_MOST, .target = 0.02},
};
