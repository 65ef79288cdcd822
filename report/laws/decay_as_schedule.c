/* Decay as a schedule: a network f(c w) = f(w), c > 0, trained by gradient descent with coupled
 * decay l2 at the rate eta is, at every step, the same function as one trained without decay at the
 * exponentially growing rate
 *
 *     eta (1 - eta l2)^(-2t - 1)       (Li and Arora 2019, arXiv:1910.07454, theorem 2.1)
 *
 * at step t from 0: of its weights it has (1 - eta l2)^-t times (systems/rate_schedule.h derives
 * it). Batches change nothing, as long as both have the same; momentum would need a start of its
 * own. Every trained parameter must be before a norm without gain and offset, and the readout
 * fixed.
 *
 * Groups hold both; the datum is the largest relative difference of their losses over all steps. */
#include "report/laws/group.h"
#include "report/laws/symmetry.h"

#include <math.h>

static bool is_scheduled(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer.schedule", "exponential") &&
           ub_frame_number(frame, row, "optimizer.instead-of-l2") > 0 &&
           ub_frame_number(frame, row, "optimizer.l2") == 0;
}

static bool is_decaying(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer.schedule", "constant") &&
           ub_frame_number(frame, row, "optimizer.l2") > 0;
}

static bool has_no_scale(const struct ub_frame *frame, size_t row)
{
    return ub_is_normed(frame, row) && ub_is_plain_descent(frame, row) &&
           ub_run_is(frame, row, "model.affine", "false") &&
           ub_run_is(frame, row, "model.fixed-readout", "true") &&
           ub_run_is(frame, row, "precision", "f64") &&
           ub_frame_number(frame, row, "optimizer.warmup") == 0 &&
           ub_run_measures_with(frame, row, "loss", "every", "1") &&
           (is_scheduled(frame, row) || is_decaying(frame, row));
}

static bool is_pair(const struct ub_frame *frame, size_t decaying, size_t scheduled)
{
    return is_decaying(frame, decaying) && is_scheduled(frame, scheduled) &&
           ub_frame_number(frame, decaying, "optimizer.l2") ==
               ub_frame_number(frame, scheduled, "optimizer.instead-of-l2") &&
           ub_frame_number(frame, decaying, "seed") == ub_frame_number(frame, scheduled, "seed") &&
           ub_frame_number(frame, decaying, "data-seed") ==
               ub_frame_number(frame, scheduled, "data-seed");
}

/* Runs that did not come to the same steps differ without bound. */
static double difference(const struct ub_frame *frame, size_t a, size_t b)
{
    struct ub_series x = ub_frame_series(frame, a, "loss", 0),
                     y = ub_frame_series(frame, b, "loss", 0);
    double most = x.count == y.count && x.count > 0 ? 0 : INFINITY;
    for (size_t i = 0; i < x.count && i < y.count; i++)
        most = fmax(most, fabs(x.value[i] - y.value[i]) / fmax(fabs(x.value[i]), fabs(y.value[i])));
    ub_series_clear(&x);
    ub_series_clear(&y);
    return most;
}

static struct ub_datum same_losses(const struct ub_frame *frame, const struct ub_rows *group)
{
    double most = -1;
    for (size_t i = 0; i < group->count; i++)
        for (size_t k = 0; k < group->count; k++)
            if (is_pair(frame, group->row[i], group->row[k]))
                most = fmax(most, difference(frame, group->row[i], group->row[k]));
    if (most < 0)
        return (struct ub_datum){
            .why = ub_group_why(frame, group, "no run with decay has its run with a schedule")};
    if (!isfinite(most))
        return (struct ub_datum){.why = "one of a pair ended early", .against = true};
    return (struct ub_datum){.value = most};
}

static const char *const within[] = {"optimizer.l2", "optimizer.schedule",
                                     "optimizer.instead-of-l2", NULL};

const struct ub_law ub_law_decay_as_schedule = {
    .name = "decay-as-schedule",
    .strand = UB_HYPERPARAMETERS,
    .claim = "weight decay of a network without a scale is an exponentially growing learning rate",
    .formula = "f_t(eta, l2) = f_t(eta (1 - eta l2)^(-2t - 1), 0) at every step t from 0",
    .quantity = "largest relative difference of losses over steps, decay against schedule",
    .citation = "Li and Arora 2019, arXiv:1910.07454",
    .who = "networks whose trained parameters are all before norms of negligible epsilon, by "
           "(stochastic) gradient descent in f64",
    .because = "rounding of f64 grows to 1e-10 over 200 steps; another rate makes 1e-2",
    .within = within,
    .needs = {{.observable = "loss"}, {.axis = "optimizer.schedule", .least = 2}},
    .applies = has_no_scale,
    .datum = same_losses,
    .is = {UB_AT_MOST, .target = 1e-6},
};
