/* How far training is from that of the model linearized around its start: for gradient descent at a
 * constant rate eta on squared loss over n samples, with K = J J' the neural tangent kernel of all
 * training outputs at the start, the linearized model's outputs are
 *
 *     f_lin(t) = y + (1 - eta K/n)^t (f_0 - y)
 *
 * at step t (Lee et al. 2019, arXiv:1902.06720, equation 9, in discrete time). The row is
 * |f_t - f_lin(t)| / |f_lin(t) - f_0|, the error over the way travelled. Runs of other losses,
 * optimizers or schedules, and data of several positions, have no rows. */
#include "bench/observables/probe_kernel.h"
#include "bench/observables/shared.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

struct state {
    struct ub_probe probe;
    double *vectors, *values; /* of K: rows x rows, an eigenvector a column; ascending */
    double *start, *along;    /* f_0, and f_0 - y in eigenvectors */
    double *now;
};

static bool open_state(struct state *s, const struct ub_moment *moment, struct ub_error *err)
{
    if (!ub_probe_open(&s->probe, moment->problem, 0, err))
        return false;
    const int64_t n = s->probe.rows;
    const double *y = ub_problem_data(moment->problem)->train.targets;
    s->vectors = ub_calloc((size_t)(n * n), sizeof *s->vectors);
    s->values = ub_calloc((size_t)n, sizeof *s->values);
    s->start = ub_calloc((size_t)n, sizeof *s->start);
    s->along = ub_calloc((size_t)n, sizeof *s->along);
    s->now = ub_calloc((size_t)n, sizeof *s->now);
    if (!ub_probe_kernel(&s->probe, moment->theta0, s->vectors) ||
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, s->vectors, (lapack_int)n,
                      s->values) != 0)
        return ub_fail(err, UB_INTERNAL,
                       "linearization: no eigenvalues of the kernel at the start");
    ub_problem_outputs(moment->problem, moment->theta0, s->start);
    for (int64_t k = 0; k < n; k++)
        for (int64_t i = 0; i < n; i++)
            s->along[k] += s->vectors[i * n + k] * (s->start[i] - y[i]);
    return true;
}

/* f_lin at a step, less y. */
static void linearized(const struct state *s, double rate, int64_t step, double *out)
{
    const int64_t n = s->probe.rows;
    memset(out, 0, (size_t)n * sizeof *out);
    for (int64_t k = 0; k < n; k++) {
        const double left = pow(1 - rate * s->values[k], (double)step) * s->along[k];
        for (int64_t i = 0; i < n; i++)
            out[i] += s->vectors[i * n + k] * left;
    }
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)call;
    struct state *s = state;
    if (!ub_moment_is_plain_descent(moment))
        return true;
    if (!s->probe.problem && !open_state(s, moment, err))
        return false;
    const int64_t n = s->probe.rows;
    const double *y = ub_problem_data(moment->problem)->train.targets;
    double *line = ub_calloc((size_t)n, sizeof *line), off = 0, way = 0;
    linearized(s, moment->optimizer->lr / (double)s->probe.samples, moment->step, line);
    ub_problem_outputs(moment->problem, moment->theta, s->now);
    for (int64_t i = 0; i < n; i++) {
        off += pow(s->now[i] - y[i] - line[i], 2);
        way += pow(line[i] + y[i] - s->start[i], 2);
    }
    ub_free(line);
    if (moment->step > 0 && way > 0 && isfinite(off))
        ub_record_value(record, moment, "linearization-error", 0, sqrt(off / way), NAN);
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    return ub_probe_bytes(problem, 0, 2);
}

static void close(void *state)
{
    struct state *s = state;
    double *all[] = {s->vectors, s->values, s->start, s->along, s->now};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ub_free(all[i]);
    ub_probe_close(&s->probe);
}

static const struct ub_quantity rows[] = {
    {
        .name = "linearization-error",
        .units = "1",
        .meaning = "distance of outputs from the linearized model's over the way these travelled",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-9},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_linearization = {
    .name = "linearization",
    .summary = "distance of outputs from those of the model linearized around its start",
    .units = "1",
    .citation = "Lee et al. 2019, arXiv:1902.06720",
    .rows = rows,
    .at = "end",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
