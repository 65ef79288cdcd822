/* How far the neural tangent kernel has moved since the start, on a fixed set of training samples:
 *
 *     kernel-drift         |K_t - K_0|_F / |K_0|_F
 *     kernel-drift-cosine  <K_t, K_0> / (|K_t|_F |K_0|_F), 1 where the kernel only grew or shrank
 *
 * In the NTK parametrization the drift at a fixed time falls as 1/width (Lee et al. 2019,
 * arXiv:1902.06720; Dyer and Gur-Ari 2020, arXiv:1909.11304), where features are learned it does
 * not fall; the cosine is the alignment of Fort et al. 2020, arXiv:2010.15110. */
#include "bench/observables/probe_kernel.h"
#include "bench/observables/shared.h"

#include <math.h>

struct state {
    struct ub_probe probe;
    double *start, *now;
};

static const struct ub_option options[] = {
    UB_PROBE_OPTION,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool open_state(struct state *s, const struct ub_call *call, const struct ub_moment *moment,
                       struct ub_error *err)
{
    if (!ub_probe_open(&s->probe, moment->problem, ub_call_int(call, "samples"), err))
        return false;
    const size_t entries = (size_t)(s->probe.rows * s->probe.rows);
    s->start = ub_calloc(entries, sizeof *s->start);
    s->now = ub_calloc(entries, sizeof *s->now);
    if (!ub_probe_kernel(&s->probe, moment->theta0, s->start))
        return ub_fail(err, UB_INTERNAL, "kernel-drift: the kernel at the start is not finite");
    return true;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    if (!s->probe.problem && !open_state(s, call, moment, err))
        return false;
    const int64_t n = s->probe.rows;
    if (!ub_probe_kernel(&s->probe, moment->theta, s->now))
        return true; /* the run diverges, and says so itself */
    const double start = ub_kernel_inner(n, s->start, s->start);
    const double now = ub_kernel_inner(n, s->now, s->now);
    const double both = ub_kernel_inner(n, s->now, s->start);
    for (int64_t i = 0; i < n * n; i++)
        s->now[i] -= s->start[i];
    const double moved = ub_kernel_inner(n, s->now, s->now);
    if (start > 0)
        ub_record_value(record, moment, "kernel-drift", 0, sqrt(moved / start), NAN);
    if (start > 0 && now > 0)
        ub_record_value(record, moment, "kernel-drift-cosine", 0, both / sqrt(now * start), NAN);
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    return ub_probe_bytes(problem, ub_call_int(call, "samples"), 2);
}

static void close(void *state)
{
    struct state *s = state;
    ub_probe_close(&s->probe);
    ub_free(s->start);
    ub_free(s->now);
}

static const struct ub_quantity rows[] = {
    {
        .name = "kernel-drift",
        .units = "1",
        .meaning = "relative Frobenius change of the neural tangent kernel since the start",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-9},
    },
    {
        .name = "kernel-drift-cosine",
        .units = "1",
        .meaning = "cosine between the kernel and the one at the start",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_kernel_drift = {
    .name = "kernel-drift",
    .summary = "change of the neural tangent kernel since the start, and its cosine with it",
    .units = "1",
    .citation = "Lee et al. 2019, arXiv:1902.06720; Fort et al. 2020, arXiv:2010.15110",
    .rows = rows,
    .options = options,
    .at = "end",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
