/* The test loss that the network of infinite width has at the same step: of gradient descent at a
 * constant rate eta on squared loss over n samples, from outputs that are 0 at the start, with the
 * limit's neural tangent kernel K (bench/curvature/infinite_width.h),
 *
 *     f(x) = k(x)' (1 - (1 - eta K/n)^t) K^-1 y
 *
 * at step t, k(x) the kernel of x with the training samples (Lee et al. 2019, arXiv:1902.06720,
 * equation 11, in discrete time); of the optimizer that solves at once (1 - eta K/n)^t is 0, and K
 * has its ridge. Written beside the run's own: what is between them is what the width costs.
 *
 * Other losses, optimizers and schedules, models without such a limit, outputs that are not 0 at
 * the start, and data without a test set have no rows. */
#include "bench/curvature/infinite_width.h"
#include "bench/observables/shared.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

struct state {
    bool tried, known;
    int64_t n, tests, outputs;
    double *vectors, *values; /* of K on the training samples: an eigenvector a column; ascending */
    double *cross;            /* (tests, n) */
    double *along;            /* (n, outputs): y in eigenvectors */
};

static const double nothing = 1e-9, null_to = 1e-12;

/* Whether outputs are 0 at the start, to rounding, against targets of size 1. */
static bool starts_at_zero(struct ub_problem *p, const double *theta0)
{
    const struct ub_dataset *d = ub_problem_data(p);
    const int64_t m = d->train.count * d->outputs;
    double *f = ub_calloc((size_t)m, sizeof *f), most = 0;
    ub_problem_outputs(p, theta0, f);
    for (int64_t i = 0; i < m; i++)
        most = fmax(most, fabs(f[i]));
    ub_free(f);
    return most <= nothing;
}

/* The limit's kernel on training and test samples together, in parts. */
static bool fill_kernel(struct state *s, const struct ub_wide *wide, const struct ub_dataset *d)
{
    const int64_t all = s->n + s->tests, features = d->features;
    double *inputs = ub_calloc((size_t)(all * features), sizeof *inputs);
    double *kernel = ub_calloc((size_t)(all * all), sizeof *kernel);
    memcpy(inputs, d->train.inputs, (size_t)(s->n * features) * sizeof *inputs);
    memcpy(inputs + s->n * features, d->test.inputs,
           (size_t)(s->tests * features) * sizeof *inputs);
    ub_wide_kernels(wide, all, features, inputs, NULL, kernel);
    for (int64_t i = 0; i < s->n; i++)
        memcpy(s->vectors + i * s->n, kernel + i * all, (size_t)s->n * sizeof *kernel);
    for (int64_t i = 0; i < s->tests; i++)
        memcpy(s->cross + i * s->n, kernel + (s->n + i) * all, (size_t)s->n * sizeof *kernel);
    ub_free(kernel);
    ub_free(inputs);
    return LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)s->n, s->vectors,
                          (lapack_int)s->n, s->values) == 0;
}

static bool open_state(struct state *s, const struct ub_moment *moment)
{
    const struct ub_dataset *d = ub_problem_data(moment->problem);
    struct ub_wide wide;
    if (!starts_at_zero(moment->problem, moment->theta0) ||
        !ub_problem_wide(moment->problem, &wide))
        return false;
    s->n = d->train.count;
    s->tests = d->test.count;
    s->outputs = d->outputs;
    s->vectors = ub_calloc((size_t)(s->n * s->n), sizeof *s->vectors);
    s->values = ub_calloc((size_t)s->n, sizeof *s->values);
    s->cross = ub_calloc((size_t)(s->tests * s->n), sizeof *s->cross);
    s->along = ub_calloc((size_t)(s->n * s->outputs), sizeof *s->along);
    const bool good = fill_kernel(s, &wide, d);
    ub_wide_clear(&wide);
    for (int64_t k = 0; good && k < s->n; k++)
        for (int64_t i = 0; i < s->n; i++)
            for (int64_t o = 0; o < s->outputs; o++)
                s->along[k * s->outputs + o] +=
                    s->vectors[i * s->n + k] * d->train.targets[i * s->outputs + o];
    return good;
}

/* What multiplies y's part along an eigenvector of K; of eigenvalue 0, the limit. */
static double learned(const struct state *s, int64_t k, const struct ub_moment *moment)
{
    const double value = s->values[k], rate = moment->optimizer->lr / (double)s->n;
    const double ridge = ub_optimizer_kernel_ridge(moment->optimizer);
    const bool null = value <= null_to * s->values[s->n - 1];
    if (isfinite(ridge))
        return moment->step == 0 || (null && ridge == 0) ? 0 : 1 / (fmax(value, 0) + ridge);
    return null ? rate * (double)moment->step
                : -expm1((double)moment->step * log1p(-rate * value)) / value;
}

static double limit_loss(const struct state *s, const struct ub_moment *moment)
{
    const struct ub_dataset *d = ub_problem_data(moment->problem);
    double *dual = ub_calloc((size_t)(s->n * s->outputs), sizeof *dual), sum = 0;
    for (int64_t k = 0; k < s->n; k++) {
        const double factor = learned(s, k, moment);
        for (int64_t i = 0; i < s->n; i++)
            for (int64_t o = 0; o < s->outputs; o++)
                dual[i * s->outputs + o] +=
                    s->vectors[i * s->n + k] * factor * s->along[k * s->outputs + o];
    }
    for (int64_t j = 0; j < s->tests; j++)
        for (int64_t o = 0; o < s->outputs; o++) {
            double off = -d->test.targets[j * s->outputs + o];
            for (int64_t i = 0; i < s->n; i++)
                off += s->cross[j * s->n + i] * dual[i * s->outputs + o];
            sum += off * off;
        }
    ub_free(dual);
    return sum / (2 * (double)s->tests);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)call, (void)err;
    struct state *s = state;
    const struct ub_dataset *d = ub_problem_data(moment->problem);
    const bool solved = isfinite(ub_optimizer_kernel_ridge(moment->optimizer)) &&
                        moment->optimizer->lr == 1 && moment->optimizer->l2 == 0;
    if (d->test.count == 0 || !(solved || ub_moment_is_plain_descent(moment)))
        return true;
    if (!s->tried) {
        s->tried = true;
        s->known = open_state(s, moment);
    }
    if (s->known)
        ub_record_value(record, moment, "width-limit", 0, limit_loss(s, moment), NAN);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    double *all[] = {s->vectors, s->values, s->cross, s->along};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ub_free(all[i]);
}

/* The whole kernel, what it is computed from, and what is kept of it. */
static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    const struct ub_dataset *d = ub_problem_data(problem);
    const double n = (double)d->train.count, all = n + (double)d->test.count;
    return (int64_t)((4 * all * all + all * n + all * (double)d->features) * sizeof(double));
}

static const struct ub_quantity rows[] = {
    {
        .name = "width-limit",
        .units = "units of the loss",
        .meaning = "test loss of the network of infinite width, at this step and rate",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-12},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_width_limit = {
    .name = "width-limit",
    .summary = "test loss that the network of infinite width has at the same step",
    .units = "units of the loss",
    .citation = "Jacot et al. 2018, arXiv:1806.07572; Lee et al. 2019, arXiv:1902.06720",
    .rows = rows,
    .at = "end",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
