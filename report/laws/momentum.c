/* Momentum: far below the edge of stability heavy ball, v <- beta v + g, theta <- theta - lr v,
 * trains as gradient descent with the rate lr/(1 - beta) does; curves of one such effective rate
 * differ by terms of first order in it (Sutskever et al. 2013, ICML; Fu et al. 2023,
 * arXiv:2306.09000).
 *
 * The oscillator behind it: with time t = lr/(1 - beta) x step, heavy ball follows
 * theta' = -g - lr beta/(1 - beta)^2 theta'' + ..., one term of first order beside the flow: it
 * lags by beta/(1 - beta) steps, after a transient of 1/(1 - beta). Runs of one effective rate are
 * compared step by step up to the time that all reach, where they are farthest apart: at one time
 * alone the term may pass through 0, as a lag at the start turns into a lead. */
#include "report/laws/group.h"

#include <math.h>

static bool is_heavy_ball(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer", "heavy-ball") && ub_run_on_all_samples(frame, row) &&
           ub_run_rate_is_constant(frame, row) && ub_run_measures(frame, row, "loss");
}

static double effective_rate(const struct ub_frame *frame, size_t row)
{
    return ub_frame_number(frame, row, "optimizer.lr") /
           (1 - ub_frame_number(frame, row, "optimizer.beta"));
}

static bool is_plain(const struct ub_frame *frame, size_t row)
{
    return ub_frame_number(frame, row, "optimizer.beta") == 0;
}

/* Every suite measures losses: the law is about groups that have runs without momentum, by the same
 * optimizer, to hold the others against. */
static bool has_partners(const struct ub_frame *frame, const struct ub_rows *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (is_plain(frame, group->row[i]))
            return true;
    return false;
}

/* The longest time that all runs come to. */
static double common_time(const struct ub_frame *frame, const struct ub_rows *group)
{
    double time = INFINITY;
    for (size_t i = 0; i < group->count; i++)
        time = fmin(time, effective_rate(frame, group->row[i]) *
                              ub_frame_number(frame, group->row[i], "steps"));
    return time;
}

/* The run without momentum of the same seed and effective rate; `rows` when there is none. */
static size_t partner_of(const struct ub_frame *frame, const struct ub_rows *group, size_t row)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    const double rate = effective_rate(frame, row);
    for (size_t i = 0; i < group->count; i++) {
        const size_t other = group->row[i];
        if (is_plain(frame, other) && seed->level[other] == seed->level[row] &&
            fabs(effective_rate(frame, other) / rate - 1) < 1e-4)
            return other;
    }
    return frame->rows;
}

/* Largest difference of the losses at one step, of the first loss, up to `time`; NAN where the two
 * have no step in common but the first. */
static double distance(const struct ub_frame *frame, size_t row, size_t partner, double time)
{
    struct ub_series a = ub_frame_series(frame, row, "loss", 0);
    struct ub_series b = ub_frame_series(frame, partner, "loss", 0);
    const double last = time / effective_rate(frame, row);
    double most = 0;
    for (size_t i = 0, k = 0; i < a.count && (double)a.step[i] <= last * (1 + 1e-9); i++) {
        while (k < b.count && b.step[k] < a.step[i])
            k++;
        if (k < b.count && b.step[k] == a.step[i])
            most = fmax(most, fabs(a.value[i] - b.value[k]) / b.value[0]);
    }
    ub_series_clear(&a);
    ub_series_clear(&b);
    return most > 0 ? most : (double)NAN;
}

/* Of each seed and beta a line over effective rates. */
static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    const struct ub_column *beta = ub_frame_column(frame, "optimizer.beta");
    const double time = common_time(frame, group);
    for (size_t i = 0; beta && i < group->count; i++) {
        const size_t row = group->row[i], partner = partner_of(frame, group, row);
        if (is_plain(frame, row) || partner == frame->rows)
            continue;
        ub_trend_add(trend, (struct ub_axis_point){
                                effective_rate(frame, row), distance(frame, row, partner, time),
                                seed->level[row] * (int)beta->n_words + beta->level[row]});
    }
}

static const struct ub_law_trend trend = {.points = points,
                                          .x = "lr / (1 - beta)",
                                          .y = "relative distance of loss curves",
                                          .is_slope = true};

static struct ub_datum slope(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct ub_trend t = {0};
    points(frame, group, &t);
    const struct ub_interval slope = ub_axis_slope(t.point, t.count);
    ub_trend_clear(&t);
    return ub_datum_of(&slope, "fewer than three rates with a partner without momentum");
}

static const char *const within[] = {"optimizer.lr", "optimizer.beta", NULL};

const struct ub_law ub_law_momentum = {
    .name = "momentum",
    .strand = UB_HYPERPARAMETERS,
    .claim =
        "far below the edge training depends on lr/(1 - beta) alone, up to terms of first order",
    .formula = "max_t |L_beta(t) - L_0(t)| / L(0) ~ eta_eff^1 at equal eta_eff = eta/(1 - beta)",
    .quantity = "slope of log distance between loss curves on log lr/(1 - beta)",
    .citation = "Sutskever et al. 2013, ICML; Fu et al. 2023, arXiv:2306.09000",
    .who = "heavy ball, with partners of the same lr/(1 - beta) and beta = 0",
    .because = "terms of second order are a tenth of the first at a tenth of the edge",
    .within = within,
    .needs = {{.observable = "loss"},
              {.axis = "optimizer.lr", .least = 3},
              {.axis = "optimizer.beta", .least = 2}},
    .applies = is_heavy_ball,
    .concerns = has_partners,
    .datum = slope,
    .trend = &trend,
    .is = {UB_EQUAL, .target = 1, .margin = 0.15},
};
