/* How the objective's full-batch gradient lies in the Hessian's eigenvectors: cos^2 of its angle
 * with each of the top ones, and the Rayleigh quotient g'Hg/|g|^2, what the curvature is along it.
 * With a preconditioner P both are in the coordinates P^1/2 theta, where the optimizer is gradient
 * descent: gradient P^-1/2 g, Hessian P^-1/2 H P^-1/2, whose top eigenvectors are followed for the
 * sharpness. At the edge of stability the alignment with the first grows as the oscillation does
 * (Ahn et al. 2022, arXiv:2204.01050; Damian et al. 2022, arXiv:2209.15594). */
#include "bench/observables/shared.h"

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

struct state {
    double *grad, *product;
};

static void join(const struct ub_call *call, struct ub_shared *shared)
{
    ub_shared_ask_curvature(shared, ub_call_int(call, "top"), ub_call_real(call, "tolerance"),
                            ub_call_int(call, "max-products"));
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    struct ub_eigen_result found;
    double factor;
    if (ub_optimizer_ball(moment->optimizer, moment->theta, moment->grad, &factor))
        return true;
    if (!ub_shared_curvature(moment, record, &found, err))
        return false;
    const int64_t n = ub_problem_size(moment->problem), top = ub_call_int(call, "top");
    if (!s->grad) {
        s->grad = ub_calloc((size_t)n, sizeof *s->grad);
        s->product = ub_calloc((size_t)n, sizeof *s->product);
    }
    if (!ub_shared_along(moment, s->grad, s->product, err))
        return false;
    const double square = cblas_ddot((int)n, s->grad, 1, s->grad, 1);
    if (!(square > 0 && isfinite(square)))
        return true;
    for (int64_t i = 0; i < top && i < found.count; i++) {
        const double along = cblas_ddot((int)n, found.vectors + i * n, 1, s->grad, 1);
        ub_record_value(record, moment, "gradient-alignment", i, along * along / square, NAN);
    }
    ub_record_value(record, moment, "gradient-rayleigh", 0,
                    cblas_ddot((int)n, s->grad, 1, s->product, 1) / square, NAN);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_free(s->grad);
    ub_free(s->product);
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
    .state_bytes = sizeof(struct state),
    .join = join,
    .measure = measure,
    .close = close,
};
