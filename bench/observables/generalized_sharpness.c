/* Generalized sharpness: max d'Hd over the unit ball of a norm, H the Hessian of the objective
 * (ball_maximum.h): a lower bound for the maximum and spectral norms, with the spread of its local
 * maxima as error; block and Euclidean norms with a residual. In units of the loss per unit of the
 * norm squared, whatever the optimizer's steps are scaled by: edge-ratio has that. norm=optimizer
 * is the optimizer's own, Euclidean where it has none. (Islamov et al. 2026, arXiv:2603.05002.) */
#include "bench/observables/shared.h"

#include <math.h>
#include <string.h>

static const char *const norms[] = {"optimizer", "max", "spectral", "block", "euclidean", NULL};

static const struct ub_option options[] = {
    {"norm", UB_OPTION_NAME, "optimizer", 0, 0, norms, "the norm whose unit ball is searched"},
    {"starts", UB_OPTION_INT, "3", 1, 10000, NULL, "random starts, beside the last maximizer"},
    {"tolerance", UB_OPTION_REAL, "0.001", 1e-12, 0.5, NULL,
     "gap or residual to reach, relative to the value"},
    {"max-products", UB_OPTION_INT, "1000", 1, 1e9, NULL,
     "most Hessian-vector products spent on one measurement"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct state {
    struct ub_ball *ball; /* NULL: the optimizer's */
    struct ub_ball_maximum *maximum;
    int64_t products;
};

static bool is_optimizers(const struct ub_call *call)
{
    return strcmp(ub_call_get(call, "norm"), "optimizer") == 0;
}

static void join(const struct ub_call *call, struct ub_shared *shared)
{
    if (!is_optimizers(call))
        return;
    ub_shared_ask_curvature(shared, 1, ub_call_real(call, "tolerance"),
                            ub_call_int(call, "max-products"));
    ub_shared_ask_starts(shared, ub_call_int(call, "starts"));
}

static struct ub_ball_result search(struct state *s, const struct ub_call *call, const char *norm,
                                    const struct ub_moment *moment)
{
    struct ub_operator hessian = ub_moment_hessian(moment);
    const struct ub_ball_effort effort = {.starts = ub_call_int(call, "starts"),
                                          .tolerance = ub_call_real(call, "tolerance"),
                                          .products = ub_call_int(call, "max-products")};
    if (!s->maximum) {
        s->ball = ub_ball_new(norm, ub_problem_layout(moment->problem), hessian.n, false);
        s->maximum = ub_ball_maximum_new(s->ball);
    }
    const struct ub_ball_result found = ub_ball_maximize(s->maximum, &hessian, &effort);
    ub_operator_free(&hessian);
    return found;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    const struct ub_optimizer *o = moment->optimizer;
    struct ub_ball_result found;
    double factor;
    if (!is_optimizers(call))
        found = search(s, call, ub_call_get(call, "norm"), moment);
    else if (!ub_optimizer_ball(o, moment->theta, moment->grad, &factor))
        found = search(s, call, "euclidean", moment);
    else if (!ub_shared_ball(moment, record, &found, err))
        return false;
    s->products += found.products;
    record->fact(record->context, "hvps.generalized-sharpness", (double)s->products);
    if (isfinite(found.value))
        ub_record_value(record, moment, "generalized-sharpness", 0, found.value, found.error);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_ball_maximum_free(s->maximum);
    ub_ball_free(s->ball);
}

static const struct ub_quantity rows[] = {
    {
        .name = "generalized-sharpness",
        .units = "loss per unit of the norm squared",
        .meaning = "largest curvature found over the unit ball of the norm",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_generalized_sharpness = {
    .name = "generalized-sharpness",
    .summary = "largest curvature over the unit ball of a norm: a lower bound, with its spread",
    .units = "loss per unit of the norm squared",
    .citation = "Islamov et al. 2026, arXiv:2603.05002",
    .rows = rows,
    .options = options,
    .every = "10",
    .at = "end",
    .state_bytes = sizeof(struct state),
    .join = join,
    .measure = measure,
    .close = close,
};
