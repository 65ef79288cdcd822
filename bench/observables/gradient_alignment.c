/* How the objective's full-batch gradient lies in the Hessian's eigenvectors: cos^2 of its angle
 * with each of the top ones, and the Rayleigh quotient g'Hg/|g|^2, what the curvature is along it.
 * With a preconditioner P both are in the coordinates P^1/2 theta, where the optimizer is gradient
 * descent: gradient P^-1/2 g, Hessian P^-1/2 H P^-1/2, whose top eigenvectors are followed for the
 * sharpness. At the edge of stability the alignment with the first grows as the oscillation does
 * (Ahn et al. 2022, arXiv:2204.01050; Damian et al. 2022, arXiv:2209.15594). */
#include "bench/observables/gradient_along.h"

#include <cblas.h>
#include <math.h>

static const struct ub_option options[] = {
    {"top", UB_OPTION_INT, "1", 1, 1000, NULL, "number of eigenvectors, largest eigenvalue first"},
    {"tolerance", UB_OPTION_REAL, "0.001", 1e-12, 0.5, NULL,
     "residual bound to reach, relative to the largest eigenvalue's size"},
    {"max-products", UB_OPTION_INT, "1000", 1, 1e9, NULL,
     "most Hessian-vector products spent on one measurement"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct ub_gradient_along *s = state;
    bool any;
    const int64_t n = ub_problem_size(moment->problem), top = ub_call_int(call, "top");
    if (!ub_gradient_along_find(s, moment, record, &any, err))
        return false;
    if (!any)
        return true;
    for (int64_t i = 0; i < top && i < s->found.count; i++) {
        const double along = ub_gradient_along_part(s, moment, i);
        ub_record_value(record, moment, "gradient-alignment", i, along * along / s->square, NAN);
    }
    ub_record_value(record, moment, "gradient-rayleigh", 0,
                    cblas_ddot((int)n, s->grad, 1, s->product, 1) / s->square, NAN);
    return true;
}

static const struct ub_quantity rows[] = {
    {
        .name = "gradient-alignment",
        .index = ub_rank_index,
        .units = "1",
        .meaning = "squared cosine of the gradient with the top eigenvectors",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.05},
    },
    {
        .name = "gradient-rayleigh",
        .units = "loss per unit of parameter squared",
        .meaning = "curvature along the gradient",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_gradient_alignment = {
    .name = "gradient-alignment",
    .summary = "squared cosines of the gradient with top eigenvectors; curvature along it",
    .units = "1; loss per unit of parameter squared",
    .citation = "Ahn et al. 2022, arXiv:2204.01050; Damian et al. 2022, arXiv:2209.15594",
    .rows = rows,
    .options = options,
    .every = "10",
    .at = "end",
    .state_bytes = sizeof(struct ub_gradient_along),
    .join = ub_gradient_along_join,
    .measure = measure,
    .close = ub_gradient_along_close,
};
