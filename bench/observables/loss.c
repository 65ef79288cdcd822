/* The mean loss, of the training samples and of the test samples where there are any. */
#include "bench/observables/shared.h"

#include <math.h>

static const struct ub_option options[] = {
    {"test", UB_OPTION_FLAG, "true", 0, 0, NULL, "also on the test split, if there is one"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)err;
    ub_record_value(record, moment, "loss", 0, moment->loss, NAN);
    if (!ub_call_flag(call, "test") || ub_problem_data(moment->problem)->test.count == 0)
        return true;
    double loss, accuracy;
    ub_shared_evaluate(moment, true, &loss, &accuracy);
    ub_record_value(record, moment, "test-loss", 0, loss, NAN);
    return true;
}

static const struct ub_quantity rows[] = {
    {
        .name = "loss",
        .units = "units of the loss",
        .meaning = "mean loss of the training samples",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-12},
    },
    {
        .name = "test-loss",
        .units = "units of the loss",
        .meaning = "mean loss of the test samples",
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-12},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_loss = {
    .name = "loss",
    .summary = "mean loss of the training and test samples",
    .units = "units of the loss",
    .citation = "",
    .rows = rows,
    .options = options,
    .every = "10",
    .at = "end",
    .spares_inputs = true,
    .measure = measure,
};
