/* Limit of the kernel: at the start the neural tangent kernel's mean over seeds tends, as widths
 * grow, to the analytic kernel of infinite width, arc-cosine for relu, arcsine for erf, by
 * quadrature for others, through the depth by recursion (Jacot et al. 2018, arXiv:1806.07572; Cho
 * and Saul 2009; Williams 1997; the formulas are in bench/curvature/infinite_width.h).
 *
 * The datum is the relative distance |mean K - K_inf|_F / |K_inf|_F at the largest width of a
 * group. Its own noise is a bias upward: with S seeds about spread/sqrt(S), so that no distance
 * below that can be shown; the error is the jackknife's over seeds. A narrow network is the control
 * where the law must fail: the scatter of its kernel is of the kernel's own size. */
#include "report/laws/group.h"
#include "report/laws/kernel_spread.h"

static bool has_limit(const struct ub_frame *frame, size_t row)
{
    struct ub_series s;
    if (!ub_run_measures(frame, row, "kernel-entries"))
        return false;
    s = ub_frame_spectrum(frame, row, "kernel-limit-entry", -1);
    const bool known = s.count > 0;
    ub_series_clear(&s);
    return known;
}

static double distance_without(const void *kernels, size_t seed)
{
    return ub_kernels_distance(kernels, seed);
}

static struct ub_datum distance_at_largest(const struct ub_frame *frame,
                                           const struct ub_rows *group)
{
    size_t widest = group->row[0];
    for (size_t i = 1; i < group->count; i++)
        if (ub_frame_number(frame, group->row[i], "model.width") >
            ub_frame_number(frame, widest, "model.width"))
            widest = group->row[i];
    struct ub_kernels k = ub_kernels_of_width(frame, group, widest);
    struct ub_datum d = {.why = "fewer than 2 seeds, or the limit is not known"};
    if (k.runs >= 2)
        d = ub_jackknife_datum(distance_without, &k, k.runs, d.why);
    ub_kernels_clear(&k);
    return d;
}

static const char *const within[] = {"model.width", NULL};

const struct ub_law ub_law_kernel_limit = {
    .name = "kernel-limit",
    .strand = UB_LIMITS,
    .claim = "at the start the kernel's mean over seeds is the analytic one of infinite width",
    .formula = "|mean K - K_inf|_F / |K_inf|_F -> 0 as the width grows",
    .quantity = "relative distance of the mean kernel to the analytic one, at the largest width",
    .citation = "Jacot et al. 2018, arXiv:1806.07572; Cho and Saul 2009; Williams 1997",
    .who = "fully connected models whose analytic kernel is known, at a width of 1,000 or so",
    .because = "entries scatter by about 2/sqrt(N), 6% at N = 1024: 2% of a mean over 8 seeds, and "
               "twice that for a depth of 3",
    .within = within,
    .needs = {{.observable = "kernel-entries"}, {.axis = "seed", .least = 8}},
    .applies = has_limit,
    .datum = distance_at_largest,
    .is = {UB_AT_MOST, .target = 0.05},
};
