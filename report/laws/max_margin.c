/* Max margin: on separable samples gradient descent on the cross-entropy of a linear model grows
 * without end, in the direction of largest margin: |w| ~ ln t / margin (Soudry et al. 2018,
 * arXiv:1710.10345; Lyu and Li 2020, arXiv:1906.05890).
 *
 * Convergence is logarithmic: slope x margin is 0.87 at t = 5000 where the theory of the limit has
 * 1. So the slope is held against that of |v ln t + u|, theorem 4's form with its second term,
 * which the support vectors fix without a free parameter (bench/observables/hard_margin.h). What is
 * left falls as powers of t.
 *
 * The datum of a run is the slope of the norm on ln t over the last two decades of t, over the
 * prediction's; the window is set by time alone. It counts against the law that no direction
 * separates the samples, or that the margin over the norm falls in the window, by more than the
 * theorem allows: what rises without end is a smoothed margin, l^-1(L)/|w| with L the sum of the
 * losses l(q) = ln(1 + e^-q) (Lyu and Li 2020, theorem 4.1). The margin itself lies above it, by
 * about ln m/|w| at most where m margins are to be kept, and may give way by that where another
 * sample becomes the nearest. */
#include "report/laws/group.h"

#include <math.h>

static const double decades = 100;   /* ratio of times */
static const double monotone = 1e-6; /* of the margin: rounding */
enum { LEAST_TIMES = 5 };

static bool follows_cross_entropy(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "margin") && ub_run_is(frame, row, "loss", "ce") &&
           ub_frame_number(frame, row, "optimizer.l2") == 0;
}

/* Rows from the first measured flow time on that is within the window; all series of the observable
 * end together. */
static size_t window_of(const struct ub_series *time)
{
    size_t n = 0;
    while (n < time->count &&
           time->value[time->count - 1 - n] * decades >= time->value[time->count - 1])
        n++;
    return n;
}

static double slope_on(const struct ub_series *time, const struct ub_series *norm, size_t n)
{
    double *x = ub_calloc(n + 1, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = log(time->value[time->count - n + i]);
    const double *y = norm->value + norm->count - n;
    const double mean_x = ub_mean(x, n), mean_y = ub_mean(y, n);
    double sxx = 0, sxy = 0;
    for (size_t i = 0; i < n; i++) {
        sxx += (x[i] - mean_x) * (x[i] - mean_x);
        sxy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    ub_free(x);
    return sxy / sxx;
}

static double ratio_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    if (frame->store->runs[row].status != UB_RUN_OK)
        return (double)NAN;
    struct ub_series time = ub_frame_series(frame, row, "flow-time", 0);
    struct ub_series norm = ub_frame_series(frame, row, "parameter-norm", 0);
    struct ub_series predicted = ub_frame_series(frame, row, "predicted-parameter-norm", 0);
    const size_t n = window_of(&time);
    const double ratio =
        n >= LEAST_TIMES && predicted.count >= n && norm.count >= n && n < time.count
            ? slope_on(&time, &norm, n) / slope_on(&time, &predicted, n)
            : (double)NAN;
    ub_series_clear(&time);
    ub_series_clear(&norm);
    ub_series_clear(&predicted);
    return ratio;
}

/* The least smoothed margin that a run can have whose least of m margins is q: m l(q) >= L. */
static double least_smoothed(double q, double m)
{
    return -log(expm1(m * log1p(exp(-q))));
}

/* Below what the smoothed margin was at some time before. */
static bool margin_falls(const struct ub_frame *frame, size_t row)
{
    const struct ub_run *run = &frame->store->runs[row];
    const double m = ub_run_fact(run, "samples") * (ub_run_fact(run, "classes") - 1);
    struct ub_series time = ub_frame_series(frame, row, "flow-time", 0);
    struct ub_series norm = ub_frame_series(frame, row, "parameter-norm", 0);
    struct ub_series margin = ub_frame_series(frame, row, "normalized-margin", 0);
    const size_t n = window_of(&time);
    double smoothed = -INFINITY;
    bool falls = false;
    for (size_t i = 0; i < n && n <= margin.count && n <= norm.count; i++) {
        const double now = margin.value[margin.count - n + i];
        const double size = norm.value[norm.count - n + i];
        falls = falls || now < smoothed - monotone * fabs(smoothed);
        smoothed = fmax(smoothed, least_smoothed(now * size, m) / size);
    }
    ub_series_clear(&time);
    ub_series_clear(&norm);
    ub_series_clear(&margin);
    return falls;
}

static struct ub_datum growth(const struct ub_frame *frame, const struct ub_rows *group)
{
    for (size_t i = 0; i < group->count; i++) {
        if (ub_run_last(frame, group->row[i], "hard-margin") == 0)
            return (struct ub_datum){.why = "no direction separates the samples", .against = true};
        if (margin_falls(frame, group->row[i]))
            return (struct ub_datum){.why = "the margin falls", .against = true};
    }
    return ub_group_mean(frame, group, ratio_of, NULL,
                         "two decades of gradient flow are not measured at five times");
}

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    (void)level;
    /* the asymptote speaks of late times */
    ub_plane_add(points, ub_run_last(frame, row, "predicted-parameter-norm"),
                 ub_run_last(frame, row, "parameter-norm"));
}

const struct ub_law ub_law_max_margin = {
    .name = "max-margin",
    .strand = UB_SOLVABLE,
    .claim = "on separable samples the parameters grow as ln t over the largest margin",
    .formula = "|w| ~ |v ln t + u|, |v| = 1/margin, c_i . u = -ln(n a_i) on the support, "
               "v = sum_i a_i c_i",
    .quantity = "slope of the norm on ln t over the last two decades of t, over the predicted one",
    .citation = "Soudry et al. 2018, arXiv:1710.10345; Lyu and Li 2020, arXiv:1906.05890",
    .who = "linear models that descend along the gradient of the cross-entropy, without decay",
    .because = "samples whose margin is a tenth above the least still weigh t^-0.1: 0.6 at t = 100",
    .needs = {{.observable = "margin"}},
    .applies = follows_cross_entropy,
    .datum = growth,
    .plane = plane,
    .is = {UB_EQUAL, .target = 1, .margin = 0.15},
};
