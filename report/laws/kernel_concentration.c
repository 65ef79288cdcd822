/* Concentration of the kernel: in the NTK parametrization the neural tangent kernel at the start is
 * a mean over N units and its scatter over seeds, root of the summed variances of its entries,
 * falls as N^-1/2 (Jacot et al. 2018, arXiv:1806.07572, theorem 1; at finite depth Hanin and Nica
 * 2020, arXiv:1909.05989: relative variance ~ depth/N). In the standard parametrization the kernel
 * is the sum over units instead and its scatter grows as N^1/2: the control where the law must
 * fail.
 *
 * The scatter is taken on the same samples: seeds draw weights only. Its slope's error is that of
 * the jackknife over seeds, one left out at all widths at once, since streams of one seed begin
 * alike at all widths. */
#include "report/laws/group.h"
#include "report/laws/kernel_spread.h"
#include "report/statistics/axis.h"

#include <math.h>

static bool in_ntk_scaling(const struct ub_frame *frame, size_t row)
{
    const bool scaled = ub_run_is(frame, row, "model.parametrization", "ntk") ||
                        ub_run_is(frame, row, "model.scaling", "ntk");
    return scaled && ub_run_measures(frame, row, "kernel-entries");
}

struct widths {
    size_t count, seeds; /* seeds: the fewest at a width */
    double *width;
    struct ub_kernels *kernels;
};

static struct widths widths_of(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct widths w = {.seeds = SIZE_MAX,
                       .width = ub_calloc(group->count + 1, sizeof *w.width),
                       .kernels = ub_calloc(group->count + 1, sizeof *w.kernels)};
    for (size_t i = 0; i < group->count; i++) {
        const double width = ub_frame_number(frame, group->row[i], "model.width");
        size_t k = 0;
        while (k < w.count && w.width[k] != width)
            k++;
        if (k < w.count || !(width > 0))
            continue;
        w.width[k] = width;
        w.kernels[k] = ub_kernels_of_width(frame, group, group->row[i]);
        w.seeds = w.kernels[k].runs < w.seeds ? w.kernels[k].runs : w.seeds;
        w.count++;
    }
    return w;
}

static double slope_without(const void *widths, size_t seed)
{
    const struct widths *w = widths;
    struct ub_axis_point *p = ub_calloc(w->count + 1, sizeof *p);
    for (size_t k = 0; k < w->count; k++)
        p[k] = (struct ub_axis_point){w->width[k], ub_kernels_spread(&w->kernels[k], seed), 0};
    const double slope = ub_axis_slope(p, w->count).estimate;
    ub_free(p);
    return slope;
}

/* The jackknife's pseudo-values of log scatter, n ln S - (n - 1) ln S without a seed, one replicate
 * a seed: the interval of their mean line is the jackknife's. */
static void add_width(struct ub_trend *trend, double width, const struct ub_kernels *k)
{
    const double n = (double)k->runs, all = log(ub_kernels_spread(k, SIZE_MAX));
    for (size_t i = 0; i < k->runs; i++)
        ub_trend_add(trend,
                     (struct ub_axis_point){
                         width, exp(n * all - (n - 1) * log(ub_kernels_spread(k, i))), (int)i});
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    struct widths w = widths_of(frame, group);
    for (size_t k = 0; k < w.count; k++) {
        add_width(trend, w.width[k], &w.kernels[k]);
        ub_kernels_clear(&w.kernels[k]);
    }
    ub_free(w.width);
    ub_free(w.kernels);
}

static const struct ub_law_trend trend = {.points = points,
                                          .x = "width",
                                          .y = "scatter of the kernel over seeds",
                                          .values = "the jackknife's pseudo-values of seeds",
                                          .is_slope = true};

static struct ub_datum slope_of_spread(const struct ub_frame *frame, const struct ub_rows *group)
{
    enum { LEAST = 8 };
    struct widths w = widths_of(frame, group);
    struct ub_datum d = {.why = "fewer than 8 seeds at some width"};
    if (w.count > 0 && w.seeds >= LEAST)
        d = ub_jackknife_datum(slope_without, &w, w.seeds, "too few widths");
    for (size_t k = 0; k < w.count; k++)
        ub_kernels_clear(&w.kernels[k]);
    ub_free(w.width);
    ub_free(w.kernels);
    return d;
}

static const char *const within[] = {"model.width", NULL};

const struct ub_law ub_law_kernel_concentration = {
    .name = "kernel-concentration",
    .strand = UB_LIMITS,
    .claim = "in the NTK parametrization the kernel's scatter over seeds falls as width^-1/2",
    .formula = "sqrt(sum_ij Var K_ij) ~ width^(-1/2)",
    .quantity = "slope of log scatter of the kernel at the start on log width",
    .citation = "Jacot et al. 2018, arXiv:1806.07572; Hanin and Nica 2020, arXiv:1909.05989",
    .who = "models with a width in the NTK parametrization",
    .because = "a scatter over 16 seeds is known to 18%, a slope over 16-fold widths to about 0.09 "
               "without what entries share; a tenth of the distance to sp's slope of +1/2",
    .within = within,
    .needs = {{.observable = "kernel-entries"},
              {.axis = "model.width", .least = 4},
              {.axis = "seed", .least = 8}},
    .applies = in_ntk_scaling,
    .datum = slope_of_spread,
    .trend = &trend,
    .is = {UB_EQUAL, .target = -0.5, .margin = 0.1},
};
