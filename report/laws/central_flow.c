/* Central flows predict the time-averaged loss of optimizers at the edge of stability (Cohen,
 * Damian et al. 2024, arXiv:2410.24206).
 *
 * Error of a run: mean over measurements of |predicted loss - smoothed loss| over the mean smoothed
 * loss, the run's own loss being averaged over 25 steps on either side: many oscillations, little
 * of training. Measurements with half a window are left out. */
#include "report/laws/group.h"

#include <math.h>

static const double half_window = 25;

static bool has_flow(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "central-flow");
}

/* Means over the window about each of a series' steps, in its place. */
static void smooth(struct ub_series *s)
{
    double *out = ub_calloc(s->count + 1, sizeof *out), sum = 0;
    size_t first = 0, last = 0; /* of the window: first..last-1 */
    for (size_t i = 0; i < s->count; i++) {
        for (; last < s->count && s->step[last] <= s->step[i] + half_window; last++)
            sum += s->value[last];
        for (; s->step[first] < s->step[i] - half_window; first++)
            sum -= s->value[first];
        out[i] = sum / (double)(last - first);
    }
    ub_free(s->value);
    s->value = out;
}

static double loss_error(const struct ub_frame *frame, size_t row, const void *predicted)
{
    struct ub_series p = ub_frame_series(frame, row, predicted, 0);
    struct ub_series m = ub_frame_series(frame, row, "loss", 0);
    double off = 0, size = 0;
    smooth(&m);
    for (size_t i = 0, k = 0; i < p.count; i++) {
        while (k < m.count && m.step[k] < p.step[i])
            k++;
        if (k == m.count || m.step[k] != p.step[i] || p.step[i] < p.step[0] + half_window ||
            p.step[i] > m.step[m.count - 1] - half_window)
            continue;
        off += fabs(p.value[i] - m.value[k]);
        size += fabs(m.value[k]);
    }
    ub_series_clear(&p);
    ub_series_clear(&m);
    return size > 0 ? off / size : (double)NAN;
}

static struct ub_datum central_error(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, loss_error, "central-flow-predicted-loss",
                         "loss and flow were not measured at the same steps");
}

const struct ub_law ub_law_central_flow = {
    .name = "central-flow",
    .strand = UB_EMPIRICAL,
    .claim = "the central flow predicts the time-averaged loss at the edge of stability",
    .formula = "mean_t |L_flow - <L>| / mean_t <L> <= 0.05, <L> the loss's mean over 25 steps on "
               "either side",
    .quantity = "relative error of the predicted loss",
    .citation = "Cohen, Damian et al. 2024, arXiv:2410.24206",
    .who = "full-batch optimizers whose central flow is known: gd, rmsprop, scalar-rmsprop",
    .because = "a twentieth of the loss: what the eye tells apart on a loss curve",
    .needs = {{.observable = "central-flow"}, {.observable = "loss"}},
    .applies = has_flow,
    .datum = central_error,
    .is = {UB_AT_MOST, .target = 0.05},
};
