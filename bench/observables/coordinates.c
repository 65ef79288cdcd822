/* The coordinate check of parametrizations: the root mean square of each layer's activations over
 * training samples and coordinates, and that of their change since initialization. In a
 * parametrization that has a limit of feature learning neither depends on the width, at any layer
 * (Yang and Hu 2020, arXiv:2011.14522; Yang et al. 2022, arXiv:2203.03466, appendix D.1); only the
 * output starts smaller than it moves. */
#include "bench/observables/shared.h"

#include <math.h>

static double root_mean_square(const double *x, const double *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const double d = y ? x[i] - y[i] : x[i];
        sum += d * d;
    }
    return sqrt(sum / (double)n);
}

static void record_layer(struct ub_record *record, const struct ub_moment *moment,
                         const char *layer, const double *now, const double *before, int64_t n)
{
    char name[96];
    snprintf(name, sizeof name, "activation-size.%s", layer);
    ub_record_value(record, moment, name, 0, root_mean_square(now, NULL, n), NAN);
    snprintf(name, sizeof name, "activation-update.%s", layer);
    ub_record_value(record, moment, name, 0, root_mean_square(now, before, n), NAN);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)call, (void)err;
    struct ub_problem *p = moment->problem;
    const struct ub_dataset *d = ub_problem_data(p);
    for (int i = 0; i < ub_problem_hidden_count(p); i++) {
        const int64_t n = d->train.count * ub_problem_hidden_width(p, i);
        double *now = ub_calloc((size_t)n, sizeof *now),
               *before = ub_calloc((size_t)n, sizeof *now);
        ub_problem_hidden(p, i, moment->theta, now);
        ub_problem_hidden(p, i, moment->theta0, before);
        record_layer(record, moment, ub_problem_hidden_name(p, i), now, before, n);
        ub_free(now);
        ub_free(before);
    }
    const int64_t n = d->train.count * ub_positions(d) * d->outputs;
    double *now = ub_calloc((size_t)n, sizeof *now), *before = ub_calloc((size_t)n, sizeof *now);
    ub_problem_outputs(p, moment->theta, now);
    ub_problem_outputs(p, moment->theta0, before);
    record_layer(record, moment, "output", now, before, n);
    ub_free(now);
    ub_free(before);
    record->fact(record->context, "width", (double)ub_problem_width(p));
    return true;
}

static const struct ub_quantity rows[] = {
    {
        .name = "activation-size.LAYER",
        .units = "activation",
        .meaning = "root mean square of the layer's activations",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "activation-update.LAYER",
        .units = "activation",
        .meaning = "root mean square of their change since initialization",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-9},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_coordinates = {
    .name = "coordinates",
    .summary = "size of each layer's activations, and of their change since initialization",
    .units = "activation (root mean square)",
    .citation = "Yang and Hu 2020, arXiv:2011.14522; Yang et al. 2022, arXiv:2203.03466",
    .rows = rows,
    .at = "end",
    .measure = measure,
};
