#include "report/laws/best_rate.h"
#include "report/statistics/axis.h"

#include <math.h>

static bool same_size_and_seed(const struct ub_frame *frame, const char *axis, size_t a, size_t b)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    const struct ub_column *size = ub_frame_column(frame, axis);
    return seed->level[a] == seed->level[b] && (!size || size->level[a] == size->level[b]);
}

/* Whether the group has a sweep of rates at this row's size and seed. */
static bool is_swept(const struct ub_frame *frame, const struct ub_rows *group, const char *axis,
                     size_t like)
{
    const struct ub_column *rate = ub_frame_column(frame, "optimizer.lr");
    int seen[UB_LEAST_RATES];
    size_t n = 0;
    for (size_t i = 0; rate && i < group->count && n < UB_LEAST_RATES; i++) {
        const size_t row = group->row[i];
        size_t k = 0;
        if (!same_size_and_seed(frame, axis, row, like))
            continue;
        while (k < n && seen[k] != rate->level[row])
            k++;
        if (k == n)
            seen[n++] = rate->level[row];
    }
    return n == UB_LEAST_RATES;
}

bool ub_sweeps_rates(const struct ub_frame *frame, const struct ub_rows *group, const char *axis)
{
    for (size_t i = 0; i < group->count; i++)
        if (is_swept(frame, group, axis, group->row[i]))
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

/* log2 of the best rate among the group's runs of this row's seed and size. */
static double best_beside(const struct ub_frame *frame, const struct ub_rows *group,
                          const char *axis, size_t like, double worst)
{
    struct ub_axis_point *p = ub_calloc(group->count + 1, sizeof *p);
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        const double loss = loss_of(frame, row);
        if (same_size_and_seed(frame, axis, row, like))
            p[n++] = (struct ub_axis_point){ub_frame_number(frame, row, "optimizer.lr"),
                                            isfinite(loss) ? loss : worst, 0};
    }
    bool inside;
    const double best = ub_axis_minimum(p, n, &inside).estimate;
    ub_free(p);
    return inside ? best : (double)NAN;
}

static bool is_first(const struct ub_frame *frame, const struct ub_rows *group, const char *axis,
                     size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (same_size_and_seed(frame, axis, group->row[k], group->row[i]))
            return false;
    return true;
}

struct ub_datum ub_best_rate_slope(const struct ub_frame *frame, const struct ub_rows *group,
                                   const char *axis, const char *outside, const char *few)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    const double worst = worst_of(frame, group);
    struct ub_axis_point *p = ub_calloc(group->count + 1, sizeof *p);
    size_t n = 0;
    size_t inside = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        if (!is_first(frame, group, axis, i) || !is_swept(frame, group, axis, row))
            continue;
        const double best = best_beside(frame, group, axis, row, worst);
        inside += isfinite(best) ? 1 : 0;
        p[n++] =
            (struct ub_axis_point){ub_frame_number(frame, row, axis), exp2(best), seed->level[row]};
    }
    const struct ub_interval slope = ub_axis_slope(p, n);
    ub_free(p);
    if (inside == n)
        return ub_datum_of(&slope, few);
    return (struct ub_datum){.why = outside, .against = inside > 0};
}
