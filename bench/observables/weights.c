/* Weights at the steps that its schedule names, kept with the run: arrays step100.PARAMETER of its
 * weights.npz, beside init.PARAMETER, as `unibench export` hands them on and init=from-run starts
 * from them. The row is what tells at a glance that they are there. */
#include "bench/observables/shared.h"

#include <math.h>

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)call;
    const double norm = ub_norm(ub_problem_size(moment->problem), moment->theta);
    ub_record_value(record, moment, "weights-norm", 0, norm, NAN);
    return !record->keep || record->keep(record->context, moment, err);
}

static const struct ub_quantity rows[] = {
    {
        .name = "weights-norm",
        .units = "units of parameters",
        .meaning = "Euclidean norm of the weights that were kept",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-9},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_weights = {
    .name = "weights",
    .summary = "weights, kept with the run at the steps measured, for export and to start from",
    .units = "units of parameters",
    .citation = "",
    .rows = rows,
    .at = "0+end",
    .measure = measure,
};
