/* Grokking: on part of the table of modular addition networks fit first and generalize later, after
 * a delay that grows as the weight decay falls (Power et al. 2022, arXiv:2201.02177),
 *
 *     t_test - t_train ~ decay^-1.
 *
 * Why minus one: from a large start fitting takes a time that knows nothing of the decay, and what
 * follows is the weights' fall at the rate of the decay, |w(t)| = |w_0| e^{-eta lambda t}, to the
 * size at which the network generalizes: after ln(|w_0|/|w_c|)/(eta lambda) (Liu et al. 2023,
 * arXiv:2210.01117). It needs decay to be slower than fitting, and a start above |w_c|: networks
 * that generalize by themselves (Gromov 2023, arXiv:2301.02679) do so at any decay, which is the
 * control that must fail.
 *
 * Both times are where the accuracy is 0.9 first. A group is one system at all decays; each seed's
 * delay at each decay is a point, the datum the slope of log delay on log decay. */
#include "report/laws/grokking.h"

#include <math.h>

enum { LEAST_DECAYS = 3 };

double ub_grokked_step(const struct ub_frame *frame, size_t row, const char *observable)
{
    struct ub_series s = ub_frame_series(frame, row, observable, 0);
    const bool at_once = s.count > 0 && s.value[0] >= UB_GROKKED;
    const double step = at_once ? s.step[0] : ub_first_reach(s.step, s.value, s.count, UB_GROKKED);
    ub_series_clear(&s);
    return step;
}

double ub_run_decay(const struct ub_frame *frame, size_t row)
{
    const double decoupled = ub_frame_number(frame, row, "optimizer.decay");
    return decoupled > 0 ? decoupled : ub_frame_number(frame, row, "optimizer.l2");
}

bool ub_may_grok(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "dataset", "modular-addition") &&
           ub_run_measures(frame, row, "accuracy") && ub_run_decay(frame, row) > 0;
}

static bool has_sweep(const struct ub_frame *frame, const struct ub_rows *group)
{
    double seen[LEAST_DECAYS];
    size_t n = 0;
    for (size_t i = 0; i < group->count && n < LEAST_DECAYS; i++) {
        const double decay = ub_run_decay(frame, group->row[i]);
        size_t k = 0;
        while (k < n && seen[k] != decay)
            k++;
        if (k == n)
            seen[n++] = decay;
    }
    return n == LEAST_DECAYS;
}

/* Why a run has no delay; NULL: it has. */
static const char *silent_for(double train, double test)
{
    if (isnan(train))
        return "some run does not come to 0.9 on its training set";
    if (isnan(test))
        return "some run does not come to 0.9 on its test set";
    return test > train ? NULL : "some run is as early on its test set as on its training set";
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    const struct ub_column *data_seed = ub_frame_column(frame, "data-seed");
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        ub_trend_add(trend, (struct ub_axis_point){ub_run_decay(frame, row),
                                                   ub_grokked_step(frame, row, "test-accuracy") -
                                                       ub_grokked_step(frame, row, "accuracy"),
                                                   seed->level[row] * (int)data_seed->n_words +
                                                       data_seed->level[row]});
    }
}

static const struct ub_law_trend trend = {
    .points = points, .x = "weight decay", .y = "delay of test accuracy [steps]", .is_slope = true};

static struct ub_datum slope(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct ub_trend t = {0};
    const char *why = NULL;
    for (size_t i = 0; i < group->count && !why; i++)
        why = silent_for(ub_grokked_step(frame, group->row[i], "accuracy"),
                         ub_grokked_step(frame, group->row[i], "test-accuracy"));
    points(frame, group, &t);
    const struct ub_interval line = ub_axis_slope(t.point, t.count);
    ub_trend_clear(&t);
    if (why) /* leaving it out would bend the slope */
        return (struct ub_datum){.why = ub_group_why(frame, group, why)};
    return ub_datum_of(&line, "too few decays");
}

static const char *const within[] = {"optimizer.decay", "optimizer.l2", "steps", NULL};

const struct ub_law ub_law_grokking = {
    .name = "grokking",
    .strand = UB_UNIVERSAL,
    .claim = "test accuracy follows training accuracy after a delay that goes as 1/decay",
    .formula = "t_test - t_train ~ lambda^-1",
    .quantity = "slope of log delay on log decay",
    .citation = "Power et al. 2022, arXiv:2201.02177; Liu et al. 2023, arXiv:2210.01117",
    .who = "networks on modular addition, at three weight decays or more",
    .because = "the time to fit, a tenth of the delay or more, and the rise to 0.9 are no part of "
               "the power; without it the slope is 0",
    .within = within,
    .needs = {{.observable = "accuracy"}},
    .applies = ub_may_grok,
    .concerns = has_sweep,
    .datum = slope,
    .trend = &trend,
    .is = {UB_EQUAL, .target = -1, .margin = 0.4},
};
