#include "report/laws/flow_order.h"
#include "report/laws/group.h"

#include <math.h>

const char *const ub_flow_within[] = {"optimizer.lr", "steps", NULL};

static double time_of(const struct ub_frame *frame, size_t row)
{
    return ub_frame_number(frame, row, "optimizer.lr") * ub_frame_number(frame, row, "steps");
}

/* Of each seed, for rates relative to the edge differ between seeds; to a thousandth, for others
 * are written with a few digits. */
static bool end_together(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    for (size_t i = 0; i < group->count; i++)
        for (size_t k = 0; k < i; k++)
            if (seed->level[group->row[i]] == seed->level[group->row[k]] &&
                fabs(time_of(frame, group->row[i]) / time_of(frame, group->row[k]) - 1) > 1e-3)
                return false;
    return true;
}

struct ub_datum ub_flow_order(const struct ub_frame *frame, const struct ub_rows *group,
                              const struct ub_law_trend *trend)
{
    if (!end_together(frame, group))
        return (struct ub_datum){.why = "runs end at different times"};
    return ub_trend_slope(frame, group, trend, "too few rates");
}
