/* Progressive sharpening: until gradient descent comes to its edge of stability, sharpness rises
 * (Cohen et al. 2021, arXiv:2103.00065, section 3.1; Damian et al. 2022, arXiv:2209.15594, who
 * assume it: along the gradient flow, -grad L . grad sharpness > 0).
 *
 * The datum is Kendall's tau of the sharpness with time: of all pairs of measurements, the share
 * that rises less the share that falls. Pairs nearer than the residual bounds of both are ties and
 * count as neither, so that a constant Hessian has 0, not the sign of rounding.
 *
 * Where in a run the law speaks. Of runs that start at a tenth of their edge or less: there must be
 * a way to go. From 5/rho(0) steps on: ten relaxation times 1/(lr lambda) of the stiffest mode, in
 * which the outputs' mean is learned and sharpness may go either way; momentum has them sooner. To
 * the first of: rho = 0.9; training over, which is when the loss has made all but a thousandth of
 * the way that it makes in the run; the end. Time and loss set this window but
 * for the edge, and that is a level, not a slope: a window that ends where a noisy series first
 * touches a level ends on a rise, by one measurement of many. Fewer than ten measurements say
 * nothing.
 *
 * Under cross-entropy sharpness rises by its tenfold within those first ten times, and then falls
 * with p (1 - p): what is a transient there this rule cannot tell, and the law speaks of squared
 * loss only. */
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

static const double far = 0.1, near = 0.9, transient = 5, over = 1e-3;
static const double rounding = 1.01; /* of a rate that was asked for as a share of the edge */
enum { LEAST_MEASUREMENTS = 10 };

/* Descent that no preconditioner changes as it goes. */
static bool is_descent(const struct ub_frame *frame, size_t row)
{
    static const char *const names[] = {"gd", "heavy-ball", "nesterov"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ub_run_is(frame, row, "optimizer", names[i]))
            return ub_run_rate_is_constant(frame, row);
    return false;
}

static bool follows_its_sharpness(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "sharpening") && is_descent(frame, row) &&
           ub_run_is(frame, row, "loss", "mse");
}

/* The step at which training was over; INFINITY without a loss. */
static double last_step(const struct ub_frame *frame, size_t row)
{
    struct ub_series loss = ub_frame_series(frame, row, "loss", 0);
    double step = INFINITY;
    if (loss.count > 0) {
        const double first = loss.value[0], last = loss.value[loss.count - 1];
        const double level = last + over * (first - last);
        for (size_t i = 0; i < loss.count && !isfinite(step); i++)
            step = loss.value[i] <= level ? loss.step[i] : INFINITY;
    }
    ub_series_clear(&loss);
    return step;
}

/* tau of the measurements from `first` to before `last`, while below `near` of the edge. */
static double tau_between(const struct ub_series *s, double rho0, double first, double last)
{
    double *value = ub_calloc(s->count + 1, sizeof *value);
    double *bound = ub_calloc(s->count + 1, sizeof *bound);
    size_t n = 0;
    for (size_t i = 0; i < s->count && s->step[i] < last && s->value[i] * rho0 < near; i++) {
        if (s->step[i] < first)
            continue;
        value[n] = s->value[i];
        bound[n++] = s->error[i];
    }
    const double tau = n < LEAST_MEASUREMENTS ? (double)NAN : ub_kendall(value, bound, n);
    ub_free(bound);
    ub_free(value);
    return tau;
}

static double rise_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    const struct ub_run *run = &frame->store->runs[row];
    const double rho0 = ub_run_fact(run, "initial-sharpness") / ub_run_fact(run, "threshold");
    if (!(rho0 > 0 && rho0 <= far * rounding))
        return (double)NAN;
    struct ub_series s = ub_frame_series(frame, row, "sharpening", 0);
    const double tau = tau_between(&s, rho0, transient / rho0, last_step(frame, row));
    ub_series_clear(&s);
    return tau;
}

static struct ub_datum rise(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, rise_of, NULL,
                         "starts above a tenth of its edge, or is there within ten measurements");
}

const struct ub_law ub_law_progressive_sharpening = {
    .name = "progressive-sharpening",
    .strand = UB_EMPIRICAL,
    .claim = "until the edge of stability, sharpness rises",
    .formula = "tau(sharpness, time) >= 0.8 while rho < 0.9",
    .quantity = "Kendall's tau of sharpness with time, up to nine tenths of the edge",
    .citation = "Cohen et al. 2021, arXiv:2103.00065; Damian et al. 2022, arXiv:2209.15594",
    .who = "gradient descent, with or without momentum, on squared loss, from a tenth of its edge "
           "or less",
    .because = "nine pairs of measurements in ten rise",
    .needs = {{.observable = "sharpening"}, {.observable = "loss"}},
    .applies = follows_its_sharpness,
    .datum = rise,
    .is = {UB_AT_LEAST, .target = 0.8},
};
