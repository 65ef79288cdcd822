/* Sharpness: the largest eigenvalues of the objective's Hessian H + l2 I (l2 its coupled decay) as
 * the optimizer meets them, those of P^-1 (H + l2 I) with P its metric (the identity for gradient
 * descent with and without momentum, and where P is not measured). They are those of the matrix
 * that `spectrum` calls hessian and preconditioned, the similar symmetric P^-1/2 (H + l2 I) P^-1/2
 * (curvature.h), so that the residual |A u - lambda u| bounds each eigenvalue's error. (Cohen et
 * al. 2021, arXiv:2103.00065; preconditioned: Cohen et al. 2022, arXiv:2207.14484.)
 *
 * Where the optimizer's edge of stability is known, edge-ratio comes with it at no cost. */
#include "bench/observables/shared.h"

static const struct ub_option options[] = {
    {"top", UB_OPTION_INT, "1", 1, 1000, NULL, "number of eigenvalues, largest first"},
    {"tolerance", UB_OPTION_REAL, "0.001", 1e-12, 0.5, NULL,
     "residual bound to reach, relative to the largest eigenvalue's size"},
    {"max-products", UB_OPTION_INT, "1000", 1, 1e9, NULL,
     "most Hessian-vector products spent on one measurement"},
    {"accuracy", UB_OPTION_REAL | UB_OPTION_LATER, "0", 0, 0.5, NULL,
     "of the eigenvalues, relative to the largest, in place of the residual bound; 0 = by that"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void join(const struct ub_call *call, struct ub_shared *shared)
{
    const int64_t top = ub_call_int(call, "top"), products = ub_call_int(call, "max-products");
    const double accuracy = ub_call_real(call, "accuracy");
    if (accuracy > 0)
        ub_shared_ask_values(shared, top, accuracy, products);
    else
        ub_shared_ask_curvature(shared, top, ub_call_real(call, "tolerance"), products);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state;
    struct ub_eigen_result found;
    if (!ub_shared_curvature(moment, record, &found, err))
        return false;
    const int64_t top = ub_call_int(call, "top");
    for (int64_t i = 0; i < top && i < found.count; i++)
        ub_record_value(record, moment, "sharpness", i, found.value[i], found.residual[i]);
    return ub_shared_write_edge_ratio(moment, record, err);
}

static const struct ub_quantity rows[] = {
    {
        .name = "sharpness",
        .index = ub_rank_index,
        .units = "loss per unit of parameter squared",
        .meaning = "eigenvalues of the Hessian, preconditioned as the optimizer is",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    UB_EDGE_RATIO_ROW(.headline = false),
    {.name = NULL},
};

const struct ub_observable ub_observable_sharpness = {
    .name = "sharpness",
    .summary = "largest eigenvalues of the Hessian, preconditioned as the optimizer is",
    .units = "loss per unit of parameter squared",
    .citation = "Cohen et al. 2021, arXiv:2103.00065; Cohen et al. 2022, arXiv:2207.14484",
    .rows = rows,
    .follows_sharpness = true,
    .options = options,
    .every = "10",
    .at = "end",
    .join = join,
    .spares_inputs = true,
    .measure = measure,
};
