/* Balance between layers: gradient flow conserves D_l = W_{l+1}'W_{l+1} - W_l W_l' - b_l b_l' of
 * linear networks, and its diagonal of relu networks (Du, Hu and Lee 2018, arXiv:1806.00900;
 * formulas: bench/observables/balancedness.c). Two laws:
 *
 *   balancedness        gradient descent changes D by (1 - eta l2)^2 and eta^2 (...) exactly: what
 *                       is missed is rounding, of f64 at most 1e-10 of the weights' squares. (It
 *                       is 1e-16 a step; terms of first order in eta, which any other activation
 *                       leaves, are 1e-5 and more.)
 *   balancedness-drift  so that after a fixed time the drift of D is proportional to eta: slope 1
 *                       over rates. Below the edge of stability: where sharpness has grown to a
 *                       rate's own edge, the drift leaps (relu networks on cross-entropy from a
 *                       tenth of the edge at the start: sixtyfold). */
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

static bool is_linear(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "model.activation", "");
}

static bool is_balanced(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "balancedness") &&
           ub_run_is(frame, row, "optimizer", "gd") && ub_run_on_all_samples(frame, row) &&
           ub_run_is(frame, row, "precision", "f64") &&
           (is_linear(frame, row) || ub_run_is(frame, row, "model.activation", "relu"));
}

static bool is_drifting(const struct ub_frame *frame, size_t row)
{
    return is_balanced(frame, row) && ub_run_is_plain(frame, row);
}

/* The largest over layers of an observable, at one step, or at any (-1); NAN without rows. */
static double largest(const struct ub_frame *frame, size_t row, const char *observable,
                      int64_t step)
{
    const struct ub_trace *t = ub_frame_trace(frame, row);
    double most = (double)NAN;
    for (size_t i = 0; t && i < t->count; i++)
        if ((step < 0 || t->step[i] == step) && strcmp(t->observable[i], observable) == 0)
            most = fmax(most, t->value[i]);
    return most;
}

/* ---- the identity ---- */

static double residual_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return largest(frame, row,
                   is_linear(frame, row) ? "balance-residual" : "balance-residual.diagonal", -1);
}

static struct ub_datum residual(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, residual_of, NULL, "no two steps in a row were measured");
}

const struct ub_law ub_law_balancedness = {
    .name = "balancedness",
    .strand = UB_SOLVABLE,
    .claim = "a step of gradient descent changes the balance of layers in second order alone, by a "
             "known amount",
    .formula = "D(t+1) = (1 - eta l2)^2 D(t) + eta^2 (G_{l+1}'G_{l+1} - G_l G_l' - g_l g_l'), D = "
               "W_{l+1}'W_{l+1} - W_l W_l' - b_l b_l'",
    .quantity = "largest miss of the identity over steps and layers, of the weights' squares",
    .citation = "Du, Hu and Lee 2018, arXiv:1806.00900",
    .who = "linear and relu networks of matrices, by gradient descent in f64",
    .because = "rounding of f64 adds up to 1e-14; terms of first order are 1e-5 and more",
    .needs = {{.observable = "balancedness"}},
    .applies = is_balanced,
    .datum = residual,
    .is = {UB_AT_MOST, .target = 1e-10},
};

/* ---- the drift ---- */

/* The step nearest to a time that was measured; -1 when none is within 2% of it. */
static int64_t step_at(const struct ub_frame *frame, size_t row, double time)
{
    const double wanted = time / ub_frame_number(frame, row, "optimizer.lr");
    const struct ub_trace *t = ub_frame_trace(frame, row);
    int64_t best = -1;
    for (size_t i = 0; t && i < t->count; i++)
        if (best < 0 || fabs((double)t->step[i] - wanted) < fabs((double)best - wanted))
            best = t->step[i];
    return fabs((double)best - wanted) <= 0.02 * wanted ? best : -1;
}

static double drift_of(const struct ub_frame *frame, size_t row, const void *context)
{
    const int64_t step = step_at(frame, row, *(const double *)context);
    return step < 0 || frame->store->runs[row].status != UB_RUN_OK
               ? (double)NAN
               : largest(frame, row,
                         is_linear(frame, row) ? "balance-drift" : "balance-drift.diagonal", step);
}

/* The longest time that all runs of the group came to. */
static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    double time = INFINITY;
    for (size_t i = 0; i < group->count; i++)
        if (frame->store->runs[group->row[i]].status == UB_RUN_OK)
            time = fmin(time, ub_frame_number(frame, group->row[i], "optimizer.lr") *
                                  ub_frame_number(frame, group->row[i], "steps"));
    ub_trend_axis(trend, frame, group, "optimizer.lr", drift_of, &time);
}

static const struct ub_law_trend trend = {
    .points = points, .x = "learning rate", .y = "largest drift of the balance", .is_slope = true};

static struct ub_datum slope(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_trend_slope(frame, group, &trend, "too few rates");
}

static const char *const within[] = {"optimizer.lr", NULL};

const struct ub_law ub_law_balancedness_drift = {
    .name = "balancedness-drift",
    .strand = UB_SOLVABLE,
    .claim = "the balance of layers drifts in proportion to the learning rate",
    .formula = "max_l |D_l(t) - D_l(0)| ~ eta^1 at a fixed time eta t",
    .quantity = "slope of log drift on log rate, at a fixed time (rate x steps)",
    .citation = "Du, Hu and Lee 2018, arXiv:1806.00900",
    .who = "linear and relu networks of matrices, by gradient descent in f64 without decay",
    .because = "terms of second order bend the line by 5% at a tenth of the edge; 0 and 2 are far",
    .within = within,
    .needs = {{.observable = "balancedness"}, {.axis = "optimizer.lr", .least = 4}},
    .applies = is_drifting,
    .datum = slope,
    .trend = &trend,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};
