/* metrics.h - an optimizer's metric as a dense matrix, and kinds made for a test with another. */
#ifndef METRICS_H
#define METRICS_H

#include "support.h"
#include "tiny.h"

#include "systems/metric.h"

#include <string.h>

/* P^power of the step that `grad` would lead to: n x n, symmetric to rounding. Caller frees. */
static inline double *metric_power(const struct ub_optimizer *o, const double *theta,
                                   const double *grad, enum ub_power power)
{
    const int64_t n = o->size;
    struct ub_error err = {0};
    struct ub_metric metric = {0};
    double *matrix = ub_calloc((size_t)(n * n), sizeof *matrix);
    if (!ub_optimizer_metric(o, theta, grad, &metric, &err))
        fail_msg("%s", err.text);
    for (int64_t i = 0; i < n; i++)
        matrix[i * n + i] = 1;
    ub_metric_apply(&metric, power, n, matrix, matrix);
    double most = 0;
    for (int64_t i = 0; i < n * n; i++)
        most = fmax(most, fabs(matrix[i]));
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            assert_near(matrix[i * n + j], matrix[j * n + i], 1e-9 * most);
    ub_metric_clear(&metric);
    return matrix;
}

/* The diagonal of P. */
static inline void metric_diagonal(const struct ub_optimizer *o, const double *theta,
                                   const double *grad, double *diagonal)
{
    struct ub_error err = {0};
    struct ub_metric metric = {0};
    if (!ub_optimizer_metric(o, theta, grad, &metric, &err))
        fail_msg("%s", err.text);
    for (int64_t i = 0; i < o->size; i++)
        diagonal[i] = metric.values ? metric.values[i] : 1;
    assert_null(metric.bases);
    ub_metric_clear(&metric);
}

/* out = P^power x */
static inline void metric_apply(const struct ub_optimizer *o, const double *grad,
                                enum ub_power power, const double *x, double *out)
{
    struct ub_error err = {0};
    struct ub_metric metric = {0};
    if (!ub_optimizer_metric(o, x, grad, &metric, &err))
        fail_msg("%s", err.text);
    ub_metric_apply(&metric, power, 1, x, out);
    ub_metric_clear(&metric);
}

/* Another's kind with the metric given. */
static inline struct ub_optimizer_kind
kind_with_metric(const struct ub_optimizer_kind *from,
                 void (*metric)(const struct ub_optimizer *, const double *, struct ub_metric *))
{
    struct ub_optimizer_kind kind = *from;
    kind.geometry = UB_PRECONDITIONED;
    kind.metric = metric;
    return kind;
}

#endif
