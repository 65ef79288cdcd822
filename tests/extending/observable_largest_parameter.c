/* The largest size of any parameter. */
#include "bench/observables/shared.h"

#include <math.h>

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)call, (void)err;
    double largest = 0;
    for (int64_t i = 0; i < ub_problem_size(moment->problem); i++)
        largest = fmax(largest, fabs(moment->theta[i]));
    ub_record_value(record, moment, "largest-parameter", 0, largest, NAN);
    return true;
}

static const struct ub_quantity rows[] = {
    {.name = "largest-parameter",
     .units = "units of parameter",
     .meaning = "largest size of any parameter",
     .headline = true,
     .figure = UB_FIGURE_OVER_STEPS,
     .column = "final-",
     .compared =
         {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9}},
    {.name = NULL},
};

const struct ub_observable ub_observable_largest_parameter = {
    .name = "largest-parameter",
    .summary = "the largest size of any parameter",
    .units = "units of parameter",
    .citation = "none",
    .rows = rows,
    .every = "10",
    .at = "end",
    .measure = measure,
};
