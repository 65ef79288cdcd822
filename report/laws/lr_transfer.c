/* Transfer of the learning rate: under mup the best rate does not depend on the width (Yang et al.
 * 2022, arXiv:2203.03466, section 4); in the standard parametrization Adam's best rate falls as
 * 1/width (their figure 1), which makes it the control where the law must fail.
 *
 * Best is the rate of least training loss after a fixed number of steps: for each seed and width
 * the vertex of the parabola through the least loss and its two neighbors, log of the loss over
 * log2 of the rate (report/statistics/axis.h). A run that diverged counts as the group's worst
 * loss. The datum is the slope of log best rate on log width, seeds as replicates; there is none
 * where the least loss stands at an end of the rates for some seed and width. */
#include "report/laws/group.h"
#include "report/statistics/axis.h"

#include <math.h>

enum { LEAST_RATES = 5 };

static bool under_mup(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "model.parametrization", "mup") &&
           ub_run_measures(frame, row, "loss");
}

static bool same_width_and_seed(const struct ub_frame *frame, size_t a, size_t b)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    const struct ub_column *width = ub_frame_column(frame, "model.width");
    return seed->level[a] == seed->level[b] && (!width || width->level[a] == width->level[b]);
}

/* Whether the group has a sweep of rates at this row's width and seed. */
static bool is_swept(const struct ub_frame *frame, const struct ub_rows *group, size_t like)
{
    const struct ub_column *rate = ub_frame_column(frame, "optimizer.lr");
    int seen[LEAST_RATES];
    size_t n = 0;
    for (size_t i = 0; rate && i < group->count && n < LEAST_RATES; i++) {
        const size_t row = group->row[i];
        size_t k = 0;
        if (!same_width_and_seed(frame, row, like))
            continue;
        while (k < n && seen[k] != rate->level[row])
            k++;
        if (k == n)
            seen[n++] = rate->level[row];
    }
    return n == LEAST_RATES;
}

/* Other suites' runs under mup have one or two rates. */
static bool has_sweep(const struct ub_frame *frame, const struct ub_rows *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (is_swept(frame, group, group->row[i]))
            return true;
    return false;
}

static double loss_of(const struct ub_frame *frame, size_t row)
{
    return frame->store->runs[row].status == UB_RUN_OK ? ub_frame_last(frame, row, "loss", 0)
                                                       : (double)NAN;
}

static double worst_of(const struct ub_frame *frame, const struct ub_rows *group)
{
    double worst = 0;
    for (size_t i = 0; i < group->count; i++)
        worst = fmax(worst, loss_of(frame, group->row[i])); /* fmax leaves NAN out */
    return worst;
}

/* log2 of the best rate among the group's runs of this row's seed and width. */
static double best_beside(const struct ub_frame *frame, const struct ub_rows *group, size_t like,
                          double worst)
{
    struct ub_axis_point *p = ub_calloc(group->count + 1, sizeof *p);
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        const double loss = loss_of(frame, row);
        if (same_width_and_seed(frame, row, like))
            p[n++] = (struct ub_axis_point){ub_frame_number(frame, row, "optimizer.lr"),
                                            isfinite(loss) ? loss : worst, 0};
    }
    bool inside;
    const double best = ub_axis_minimum(p, n, &inside).estimate;
    ub_free(p);
    return inside ? best : (double)NAN;
}

static bool is_first(const struct ub_frame *frame, const struct ub_rows *group, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (same_width_and_seed(frame, group->row[k], group->row[i]))
            return false;
    return true;
}

static struct ub_datum slope_of_best(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    const double worst = worst_of(frame, group);
    struct ub_axis_point *p = ub_calloc(group->count + 1, sizeof *p);
    size_t n = 0;
    size_t inside = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        if (!is_first(frame, group, i) || !is_swept(frame, group, row))
            continue;
        const double best = best_beside(frame, group, row, worst);
        inside += isfinite(best) ? 1 : 0;
        p[n++] = (struct ub_axis_point){ub_frame_number(frame, row, "model.width"), exp2(best),
                                        seed->level[row]};
    }
    const struct ub_interval slope = ub_axis_slope(p, n);
    ub_free(p);
    if (inside == n)
        return ub_datum_of(&slope, "too few widths");
    /* Where it is inside at other widths it has moved, which is what the law denies. */
    return (struct ub_datum){.why = "no optimum inside the rates at some width",
                             .against = inside > 0};
}

static const char *const within[] = {"optimizer.lr", "model.width", NULL};

const struct ub_law ub_law_lr_transfer = {
    .name = "lr-transfer",
    .strand = UB_HYPERPARAMETERS,
    .claim = "under mup the best learning rate does not depend on the width",
    .formula = "argmin_eta L(T; eta, width) ~ width^0",
    .quantity = "slope of log best learning rate on log width",
    .citation = "Yang et al. 2022, arXiv:2203.03466",
    .who = "models with a width under mup, swept over five rates or more at each width",
    .because = "0.2 is a fifth of the slope that the standard parametrization has under Adam",
    .within = within,
    .needs = {{.observable = "loss"},
              {.axis = "model.width", .least = 3},
              {.axis = "optimizer.lr", .least = LEAST_RATES}},
    .applies = under_mup,
    .concerns = has_sweep,
    .datum = slope_of_best,
    .is = {UB_EQUAL, .target = 0, .margin = 0.2},
};
