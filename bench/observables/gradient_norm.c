/* Euclidean norm of the training loss's gradient. */
#include "bench/observables/shared.h"

#include <math.h>

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)call, (void)err;
    const double norm = ub_norm(ub_problem_size(moment->problem), moment->grad);
    ub_record_value(record, moment, "gradient-norm", 0, norm, NAN);
    return true;
}

static const struct ub_quantity rows[] = {
    {
        .name = "gradient-norm",
        .units = "loss per unit of parameter",
        .meaning = "Euclidean norm of the gradient of the training loss",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_gradient_norm = {
    .name = "gradient-norm",
    .summary = "Euclidean norm of the gradient of the training loss",
    .units = "loss per unit of parameter",
    .citation = "",
    .rows = rows,
    .every = "10",
    .at = "end",
    .spares_inputs = true,
    .measure = measure,
};
