/* The leading eigenvalues of the objective's Hessian H + l2 I, l2 the coupled decay (not
 * preconditioned, whatever the optimizer: a property of the landscape), each with its residual
 * bound, and the power law that their decay follows, if one does. Outliers as many as there are
 * classes, then a bulk: Sagun et al. 2017, arXiv:1706.04454; Papyan 2018, arXiv:1811.07062. */
#include "bench/observables/shared.h"

static const struct ub_option options[] = {
    {"top", UB_OPTION_INT, "50", 1, 10000, NULL, "number of eigenvalues, largest first"},
    {"tolerance", UB_OPTION_REAL, "0.0001", 1e-12, 0.5, NULL,
     "residual bound to reach, relative to the largest eigenvalue's size"},
    {"max-products", UB_OPTION_INT, "10000", 1, 1e9, NULL,
     "most Hessian-vector products spent on one measurement"},
    UB_FIT_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct state {
    struct ub_eigen_tracker *tracker;
    int64_t products, measurements, unconverged;
};

static void record_cost(const struct state *s, struct ub_record *record)
{
    record->fact(record->context, "hvps.hessian-spectrum", (double)s->products);
    record->fact(record->context, "measurements.hessian-spectrum", (double)s->measurements);
    record->fact(record->context, "unconverged.hessian-spectrum", (double)s->unconverged);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)err;
    struct state *s = state;
    struct ub_operator hessian = ub_moment_hessian(moment);
    const int64_t top = ub_call_int(call, "top");
    if (!s->tracker)
        s->tracker = ub_eigen_tracker_new(hessian.n, top < hessian.n ? top : hessian.n);
    const struct ub_eigen_result found = ub_eigen_track(
        s->tracker, &hessian, ub_call_real(call, "tolerance"), ub_call_int(call, "max-products"));
    ub_operator_free(&hessian);
    s->products += found.products;
    s->measurements++;
    s->unconverged += !found.converged;
    record_cost(s, record);
    for (int64_t i = 0; i < found.count; i++)
        ub_record_value(record, moment, "hessian-spectrum", i, found.value[i], found.residual[i]);
    ub_record_exponent(record, moment, call, "hessian-exponent", found.value, found.residual,
                       found.count);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_eigen_tracker_free(s->tracker);
}

static const struct ub_quantity rows[] = {
    {
        .name = "hessian-spectrum",
        .index = ub_rank_index,
        .units = "loss per unit of parameter squared",
        .meaning = "leading eigenvalues of the Hessian",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    UB_EXPONENT_ROW("hessian-exponent", "of the Hessian", .headline = true),
    {.name = NULL},
};

const struct ub_observable ub_observable_hessian_spectrum = {
    .name = "hessian-spectrum",
    .summary = "leading eigenvalues of the Hessian, and the exponent of their decay",
    .units = "loss per unit of parameter squared; 1",
    .citation = "Sagun et al. 2017, arXiv:1706.04454; Papyan 2018, arXiv:1811.07062",
    .rows = rows,
    .options = options,
    .at = "0+end",
    .state_bytes = sizeof(struct state),
    .check = ub_check_fit,
    .measure = measure,
    .close = close,
};
