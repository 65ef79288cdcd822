/* The share of samples whose greatest output is their label's (the first, of equal ones). A
 * regression has none: its runs have no such rows. */
#include "bench/observables/shared.h"

#include <math.h>

static const struct ub_option options[] = {
    {"test", UB_OPTION_FLAG, "true", 0, 0, NULL, "also on the test split, if there is one"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void record_accuracy(const struct ub_moment *moment, bool test, struct ub_record *record)
{
    double loss, accuracy;
    ub_shared_evaluate(moment, test, &loss, &accuracy);
    ub_record_value(record, moment, test ? "test-accuracy" : "accuracy", 0, accuracy, NAN);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)err;
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    if (data->task != UB_CLASSIFICATION)
        return true;
    record_accuracy(moment, false, record);
    if (ub_call_flag(call, "test") && data->test.count > 0)
        record_accuracy(moment, true, record);
    return true;
}

static const struct ub_quantity rows[] = {
    {
        .name = "accuracy",
        .units = "1",
        .meaning = "share of training samples classified correctly",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.005, .counted = true},
    },
    {
        .name = "test-accuracy",
        .units = "1",
        .meaning = "share of test samples classified correctly",
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.005, .counted = true},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_accuracy = {
    .name = "accuracy",
    .summary = "share of training and test samples classified correctly; none for a regression",
    .units = "1",
    .citation = "",
    .rows = rows,
    .options = options,
    .every = "10",
    .at = "end",
    .spares_inputs = true,
    .measure = measure,
};
