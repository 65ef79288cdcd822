/* Edge ratio: rho = sharpness / threshold, where the threshold is the sharpness above which the
 * optimizer's own iteration on a quadratic diverges. Dimensionless; full-batch training brings it
 * to 1 and holds it there (Cohen et al. 2021, arXiv:2103.00065). An optimizer whose edge is not
 * known has no such rows, and costs nothing. */
#include "bench/observables/shared.h"

static const struct ub_option options[] = {
    {"tolerance", UB_OPTION_REAL, "0.001", 1e-12, 0.5, NULL,
     "residual bound to reach, relative to the largest eigenvalue's size"},
    {"max-products", UB_OPTION_INT, "1000", 1, 1e9, NULL,
     "most Hessian-vector products spent on one measurement"},
    {"misstate", UB_OPTION_REAL | UB_OPTION_LATER, "1", 1e-3, 1e3, NULL,
     "threshold times this, of sharpness's edge-ratio too: for controls that must fail"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void join(const struct ub_call *call, struct ub_shared *shared)
{
    ub_shared_ask_curvature(shared, 1, ub_call_real(call, "tolerance"),
                            ub_call_int(call, "max-products"));
    if (ub_call_real(call, "misstate") != 1)
        ub_shared_misstate_edge(shared, ub_call_real(call, "misstate"));
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)call;
    return ub_shared_write_edge_ratio(moment, record, err);
}

static const struct ub_quantity rows[] = {
    UB_EDGE_RATIO_ROW(.headline = true),
    {.name = NULL},
};

const struct ub_observable ub_observable_edge_ratio = {
    .name = "edge-ratio",
    .summary = "sharpness over the optimizer's stability threshold; comes with sharpness, too",
    .units = "1",
    .citation = "Cohen et al. 2021, arXiv:2103.00065",
    .rows = rows,
    .follows_sharpness = true,
    .options = options,
    .every = "10",
    .at = "end",
    .join = join,
    .spares_inputs = true,
    .measure = measure,
};
