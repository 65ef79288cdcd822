/* Parameters stay of order one. */
#include "report/laws/group.h"

static bool applies(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "largest-parameter");
}

static double largest(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return ub_frame_last(frame, row, "largest-parameter", 0);
}

static struct ub_datum datum(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, largest, NULL, "was not measured");
}

const struct ub_law ub_law_bounded_parameters = {
    .name = "bounded-parameters",
    .strand = UB_EMPIRICAL,
    .claim = "parameters stay of order one",
    .formula = "max_i |theta_i| <= 2",
    .quantity = "largest parameter at the end",
    .citation = "none",
    .who = "runs that measure largest-parameter",
    .because = "the targets are of order one, and so are the inputs",
    .needs = {{.observable = "largest-parameter"}},
    .applies = applies,
    .datum = datum,
    .is = {UB_AT_MOST, .target = 2},
};
