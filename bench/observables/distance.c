/* How far the parameters have travelled from where they began; relative to the length of the
 * initial parameters it tells lazy from rich training (Chizat, Oyallon and Bach 2019,
 * arXiv:1812.07956). */
#include "bench/observables/shared.h"

#include <math.h>

struct state {
    double *difference;
};

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)call, (void)err;
    struct state *s = state;
    const int64_t n = ub_problem_size(moment->problem);
    if (!s->difference)
        s->difference = ub_calloc((size_t)n, sizeof *s->difference);
    for (int64_t i = 0; i < n; i++)
        s->difference[i] = moment->theta[i] - moment->theta0[i];
    const double distance = ub_norm(n, s->difference), start = ub_norm(n, moment->theta0);
    ub_record_value(record, moment, "distance", 0, distance, NAN);
    if (start > 0)
        ub_record_value(record, moment, "relative-distance", 0, distance / start, NAN);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_free(s->difference);
}

static const struct ub_quantity rows[] = {
    {
        .name = "distance",
        .units = "units of parameter",
        .meaning = "Euclidean distance from the initial parameters",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    {
        .name = "relative-distance",
        .units = "1",
        .meaning = "distance over the norm of the initial parameters",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_distance = {
    .name = "distance",
    .summary = "Euclidean distance from the initial parameters, plain and relative to their norm",
    .units = "units of parameter; 1",
    .citation = "Chizat, Oyallon and Bach 2019, arXiv:1812.07956",
    .rows = rows,
    .every = "10",
    .at = "end",
    .state_bytes = sizeof(struct state),
    .spares_inputs = true,
    .measure = measure,
    .close = close,
};
