/* Directional smoothness: the curvature that one step met,
 *
 *     <g(t) - g(t-1), x(t) - x(t-1)> / |x(t) - x(t-1)|^2,
 *
 * x the parameters, g the objective's full-batch gradient (coupled decay adds l2 to the quotient):
 * the mean of d'Hd over the step, d its unit vector
 * (Ahn et al. 2022, arXiv:2204.01050; Mishkin et al. 2024,
 * arXiv:2403.04081). Booked at step t. Needs the run observed at t - 1; a step of length 0 has
 * none.
 */
#include "bench/observables/shared.h"

#include <math.h>

static void join(const struct ub_call *call, struct ub_shared *shared)
{
    (void)call;
    ub_path_ask_iterates(ub_shared_path(shared), 1);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)call, (void)err;
    const struct ub_iterate *before = ub_path_iterate(ub_shared_path(moment->shared), moment, 1);
    if (!before)
        return true;
    double turned = 0, length = 0;
    const int64_t n = ub_problem_size(moment->problem);
    for (int64_t i = 0; i < n; i++) {
        const double step = moment->theta[i] - before->theta[i];
        turned += step * (moment->grad[i] - before->grad[i]);
        length += step * step;
    }
    if (length > 0)
        ub_record_value(record, moment, "directional-smoothness", 0,
                        turned / length + moment->optimizer->l2, NAN);
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    return 2 * ub_problem_size(problem) * (int64_t)sizeof(double);
}

static const struct ub_quantity rows[] = {
    {
        .name = "directional-smoothness",
        .units = "loss per unit of parameter squared",
        .meaning = "change of the gradient along the step that led here, over its length",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_directional_smoothness = {
    .name = "directional-smoothness",
    .summary = "change of the gradient along the last step, over the step's length",
    .units = "loss per unit of parameter squared",
    .citation = "Ahn et al. 2022, arXiv:2204.01050; Mishkin et al. 2024, arXiv:2403.04081",
    .rows = rows,
    .every = "10",
    .at = "end",
    .bytes = bytes,
    .join = join,
    .measure = measure,
};
