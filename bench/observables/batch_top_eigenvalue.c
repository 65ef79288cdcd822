/* The largest eigenvalue of a mini-batch's Hessian, averaged over mini-batches:
 * E_B[lambda_max(H_B)], of the objective: with coupled decay l2 I is in H_B. By Jensen's inequality
 * it is no less than lambda_max of the whole, and the gap is what sampling adds (compared with
 * batch sharpness by Andreyev and Beneventano 2024, arXiv:2412.20553). The error is half the 95%
 * interval over batches plus the mean of the eigenvalues' residual bounds. */
#include "bench/curvature/curvature.h"
#include "bench/observables/draws.h"

#include <math.h>

static const struct ub_option options[] = {
    UB_DRAW_OPTIONS("8"),
    {"tolerance", UB_OPTION_REAL, "0.001", 1e-12, 0.5, NULL,
     "residual bound to reach, relative to the largest eigenvalue's size"},
    {"max-products", UB_OPTION_INT, "1000", 1, 1e9, NULL,
     "most Hessian-vector products spent on one batch"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct state {
    struct ub_draws draws;
    struct ub_eigen_tracker *tracker; /* one batch's eigenvector starts the next one's search */
    double *values;
};

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    if (!ub_draws_start(&s->draws, call, moment, "probes:batch-top-eigenvalue", err))
        return false;
    struct ub_problem *batch = s->draws.problem;
    struct ub_operator hessian = ub_objective_hessian(batch, moment->optimizer->l2);
    const int64_t draws = s->draws.count;
    double residuals = 0, half_width;
    if (!s->tracker) {
        s->tracker = ub_eigen_tracker_new(hessian.n, 1);
        s->values = ub_calloc((size_t)draws, sizeof *s->values);
    }
    for (int64_t k = 0; k < draws; k++) {
        ub_draws_next(&s->draws);
        ub_problem_linearize(batch, moment->theta);
        const struct ub_eigen_result found =
            ub_eigen_track(s->tracker, &hessian, ub_call_real(call, "tolerance"),
                           ub_call_int(call, "max-products"));
        if (found.count == 0) { /* not finite: the run diverges */
            ub_operator_free(&hessian);
            return true;
        }
        s->values[k] = found.value[0];
        residuals += found.residual[0];
    }
    ub_operator_free(&hessian);
    const double mean = ub_ratio_of_means(draws, s->values, NULL, &half_width);
    ub_record_value(record, moment, "batch-top-eigenvalue", 0, mean,
                    half_width + residuals / (double)draws);
    record->fact(record->context, "hvps.batch-top-eigenvalue", (double)ub_problem_hvps(batch));
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_draws_close(&s->draws);
    ub_eigen_tracker_free(s->tracker);
    ub_free(s->values);
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    return ub_problem_bytes(problem, UB_TRACKER_VECTORS);
}

static const struct ub_quantity rows[] = {
    {
        .name = "batch-top-eigenvalue",
        .units = "loss per unit of parameter squared",
        .meaning = "mean over mini-batches of the largest eigenvalue of their Hessian",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_batch_top_eigenvalue = {
    .name = "batch-top-eigenvalue",
    .summary = "mean over mini-batches of the largest eigenvalue of their Hessian",
    .units = "loss per unit of parameter squared",
    .citation = "Andreyev and Beneventano 2024, arXiv:2412.20553",
    .rows = rows,
    .options = options,
    .every = "100",
    .at = "end",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
