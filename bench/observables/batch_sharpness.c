/* Batch sharpness: curvature of mini-batches along their own gradients,
 *
 *     E_B[g_B' H_B g_B] / E_B[|g_B|^2],
 *
 * g_B and H_B the gradient and Hessian of batch B's objective, its loss plus the coupled decay.
 * Stochastic gradient descent holds it at
 * 2/lr, while the full batch's largest eigenvalue stays below (Andreyev and Beneventano 2024,
 * arXiv:2412.20553). With momentum v <- beta v + g, theta <- theta - lr v the edge is 2(1 -
 * beta)/lr for small batches, where noise decorrelates successive gradients and momentum acts as a
 * learning rate of lr/(1 - beta), and 2(1 + beta)/lr for large ones, as for the full batch
 * (arXiv:2604.14108). Which of the two holds a run at is for the data to say: with momentum both
 * ratios are recorded.
 *
 * Both expectations are means over the same batches, drawn as the optimizer draws; the interval of
 * their ratio is the delta method's. When every batch is the whole training set, the ratio is exact
 * and is taken once. */
#include "bench/curvature/curvature.h"
#include "bench/observables/draws.h"

#include <cblas.h>
#include <math.h>

static const struct ub_option options[] = {
    UB_DRAW_OPTIONS("64"),
    {"misstate", UB_OPTION_REAL | UB_OPTION_LATER, "1", 1e-3, 1e3, NULL,
     "thresholds times this: for controls that must fail"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct state {
    struct ub_draws draws;
    double *grad, *product, *curved, *squared;
};

static bool start(struct state *s, const struct ub_call *call, const struct ub_moment *moment,
                  struct ub_error *err)
{
    if (!ub_draws_start(&s->draws, call, moment, "probes:batch-sharpness", err))
        return false;
    if (s->grad)
        return true;
    const size_t n = (size_t)ub_problem_size(moment->problem), draws = (size_t)s->draws.count;
    s->grad = ub_calloc(n, sizeof *s->grad);
    s->product = ub_calloc(n, sizeof *s->product);
    s->curved = ub_calloc(draws, sizeof *s->curved);
    s->squared = ub_calloc(draws, sizeof *s->squared);
    return true;
}

/* beta of the optimizers that step by lr v with v <- beta v + g; NAN for others. */
static double momentum_of(const struct ub_optimizer *o)
{
    return o->kind->momentum ? o->kind->momentum(o) : (double)NAN;
}

/* `unit`: 2/lr. */
static void record_ratios(const struct ub_moment *moment, struct ub_record *record, double unit,
                          double value, double half_width)
{
    const double beta = momentum_of(moment->optimizer);
    const double thresholds[] = {unit * (1 - beta), unit * (1 + beta)};
    for (int i = 0; i < (beta > 0 ? 2 : 1); i++)
        if (isfinite(thresholds[i]))
            ub_record_value(record, moment, "batch-edge-ratio", i, value / thresholds[i],
                            half_width / thresholds[i]);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    if (!start(s, call, moment, err))
        return false;
    const int64_t n = ub_problem_size(moment->problem), draws = s->draws.count;
    struct ub_problem *batch = s->draws.problem;
    const double l2 = moment->optimizer->l2;
    struct ub_operator hessian = ub_objective_hessian(batch, l2);
    for (int64_t k = 0; k < draws; k++) {
        ub_draws_next(&s->draws);
        ub_problem_gradient(batch, moment->theta, s->grad);
        cblas_daxpy((int)n, l2, moment->theta, 1, s->grad, 1);
        ub_problem_linearize(batch, moment->theta);
        ub_operator_apply(&hessian, 1, s->grad, s->product);
        s->curved[k] = cblas_ddot((int)n, s->grad, 1, s->product, 1);
        s->squared[k] = cblas_ddot((int)n, s->grad, 1, s->grad, 1);
    }
    ub_operator_free(&hessian);
    double half_width;
    const double value = ub_ratio_of_means(draws, s->curved, s->squared, &half_width);
    if (!isfinite(value)) /* no gradient, no direction */
        return true;
    ub_record_value(record, moment, "batch-sharpness", 0, value, half_width);
    record_ratios(moment, record, ub_call_real(call, "misstate") * 2 / moment->optimizer->lr, value,
                  half_width);
    record->fact(record->context, "hvps.batch-sharpness", (double)ub_problem_hvps(batch));
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_draws_close(&s->draws);
    ub_free(s->grad);
    ub_free(s->product);
    ub_free(s->curved);
    ub_free(s->squared);
}

static const struct ub_quantity rows[] = {
    {
        .name = "batch-sharpness",
        .units = "loss per unit of parameter squared",
        .meaning = "curvature of mini-batches along their own gradients",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    {
        .name = "batch-edge-ratio",
        .index = "0 over 2(1 - beta)/lr, the edge of small batches and, with beta = 0, of all; 1, "
                 "with momentum: over 2(1 + beta)/lr, of large ones",
        .units = "1",
        .meaning = "batch sharpness over its threshold",
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_batch_sharpness = {
    .name = "batch-sharpness",
    .summary = "curvature of mini-batches along their own gradients, and over its edges",
    .units = "loss per unit of parameter squared; 1",
    .citation = "Andreyev and Beneventano 2024, arXiv:2412.20553; arXiv:2604.14108",
    .rows = rows,
    .options = options,
    .every = "25",
    .at = "end",
    .state_bytes = sizeof(struct state),
    .bytes = ub_draws_bytes,
    .measure = measure,
    .close = close,
};
