/* Width scaling: in the variance-limited regime the loss of a network of width N is above that of
 * infinite width by a term of order 1/N (Geiger et al. 2020, arXiv:1901.01608; Bahri et al. 2021,
 * arXiv:2102.06701, theorem 1).
 *
 * Why: the kernel at the start, or the features, are a mean over N neurons, so that outputs are
 * f + g/sqrt(N) + h/N with E g = 0: the mean over draws of |f_N - y|^2 is |f - y|^2 + (E |g|^2 +
 * 2 (f - y).h)/N. The term of order N^-1/2 drops out of the mean over draws only. It is a noise
 * that falls more slowly than what it hides, which is why seeds are many, and why single losses,
 * some of which are below the limit's, cannot be drawn on logarithmic axes: the exponent is that of
 * a power law through their means (ub_axis_power).
 *
 * The loss of infinite width is no fit: it is that of the exact kernel (width-limit) at the run's
 * own step and rate. */
#include "report/laws/group.h"

#include <math.h>

static bool has_a_limit(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "width-limit") && ub_run_measures(frame, row, "loss");
}

static double excess_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return ub_run_last(frame, row, "test-loss") - ub_run_last(frame, row, "width-limit");
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    ub_trend_axis(trend, frame, group, "model.width", excess_of, NULL);
}

static const struct ub_law_trend trend = {.points = points,
                                          .x = "width",
                                          .y = "test loss above infinite width's",
                                          .fit = UB_FIT_MEANS,
                                          .is_slope = true};

static struct ub_datum exponent(const struct ub_frame *frame, const struct ub_rows *group)
{
    const char *why = "too few widths of which the mean excess has an error";
    struct ub_trend t = {0};
    points(frame, group, &t);
    const struct ub_interval power = ub_axis_power(t.point, t.count);
    ub_trend_clear(&t);
    return ub_datum_of(&power, ub_group_why(frame, group, why));
}

static const char *const within[] = {"model.width", NULL};

const struct ub_law ub_law_width_scaling = {
    .name = "width-scaling",
    .strand = UB_EMPIRICAL,
    .claim = "the test loss comes to that of infinite width as 1/width",
    .formula = "E loss(N) - loss(inf) ~ N^-1",
    .quantity = "exponent of the width in the mean excess over the limit's test loss",
    .citation = "Bahri et al. 2021, arXiv:2102.06701; Geiger et al. 2020, arXiv:1901.01608",
    .who = "networks whose limit of infinite width is a known kernel, from outputs that are 0",
    .because = "half of what is between the exponents of a mean and of a single draw, 1 and 1/2",
    .within = within,
    .needs = {{.observable = "width-limit"},
              {.observable = "loss"},
              {.axis = "model.width", .least = 4}},
    .applies = has_a_limit,
    .datum = exponent,
    .trend = &trend,
    .is = {UB_EQUAL, .target = -1, .margin = 0.25},
};
