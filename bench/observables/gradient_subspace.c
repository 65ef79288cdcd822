/* How much of the objective's full-batch gradient lies in the Hessian's top eigenspace,
 *
 *     sum_{i <= top} <g, u_i>^2 / |g|^2,
 *
 * in the coordinates in which the optimizer descends plainly (Gur-Ari, Roberts and Dyer 2018,
 * arXiv:1812.04754, with as many eigenvectors as classes). The same vectors as gradient-alignment's
 * (gradient_alignment.c), in one number. */
#include "bench/observables/gradient_along.h"

#include <math.h>

static const struct ub_option options[] = {
    {"top", UB_OPTION_INT, "10", 1, 1000, NULL, "number of eigenvectors: that of classes"},
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
    double along = 0;
    const int64_t n = ub_problem_size(moment->problem), top = ub_call_int(call, "top");
    if (!ub_gradient_along_find(s, moment, record, &any, err))
        return false;
    if (!any || s->found.count < (top < n ? top : n))
        return true;
    for (int64_t i = 0; i < top && i < s->found.count; i++)
        along += pow(ub_gradient_along_part(s, moment, i), 2);
    ub_record_value(record, moment, "gradient-subspace", 0, along / s->square, NAN);
    return true;
}

static const struct ub_quantity rows[] = {
    {
        .name = "gradient-subspace",
        .units = "1",
        .meaning = "share of the squared gradient in the Hessian's top eigenspace",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.05},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_gradient_subspace = {
    .name = "gradient-subspace",
    .summary = "share of the gradient in the Hessian's top eigenspace",
    .units = "1",
    .citation = "Gur-Ari, Roberts and Dyer 2018, arXiv:1812.04754",
    .rows = rows,
    .options = options,
    .every = "50",
    .at = "end",
    .state_bytes = sizeof(struct ub_gradient_along),
    .join = ub_gradient_along_join,
    .measure = measure,
    .close = ub_gradient_along_close,
};
