/* tiny.h - datasets small enough for dense oracles, and directional differences. */
#ifndef TINY_H
#define TINY_H

#include "systems/systems.h"

#include <math.h>

static inline struct ub_split tiny_split(const struct ub_dataset *d, int64_t count,
                                         struct ub_random *r)
{
    struct ub_split s = {.count = count};
    s.inputs = ub_calloc((size_t)(count * d->features) + 1, sizeof *s.inputs);
    s.targets = ub_calloc((size_t)(count * d->outputs) + 1, sizeof *s.targets);
    for (int64_t i = 0; i < count * d->features; i++)
        s.inputs[i] = ub_random_normal(r);
    if (d->task == UB_REGRESSION) {
        for (int64_t i = 0; i < count * d->outputs; i++)
            s.targets[i] = ub_random_normal(r);
        return s;
    }
    s.labels = ub_calloc((size_t)count + 1, sizeof *s.labels);
    for (int64_t i = 0; i < count; i++) {
        s.labels[i] = (int32_t)ub_random_below(r, d->outputs);
        s.targets[i * d->outputs + s.labels[i]] = 1;
    }
    return s;
}

/* Gaussian inputs; random labels or Gaussian targets. Free with tiny_free. */
static inline struct ub_dataset *tiny_dataset(enum ub_task task, int64_t train, int64_t test,
                                              int64_t features, int64_t outputs)
{
    struct ub_dataset *d = ub_calloc(1, sizeof *d);
    *d = (struct ub_dataset){.name = ub_strdup("tiny"),
                             .task = task,
                             .rank = 1,
                             .shape = {features},
                             .features = features,
                             .outputs = outputs,
                             .theory_exponent = NAN};
    struct ub_random r = ub_random_stream(1, "tiny");
    d->train = tiny_split(d, train, &r);
    d->test = tiny_split(d, test, &r);
    return d;
}

static inline void tiny_free(struct ub_dataset *d)
{
    struct ub_split *splits[] = {&d->train, &d->test};
    for (int i = 0; i < 2; i++) {
        ub_free(splits[i]->inputs);
        ub_free(splits[i]->targets);
        ub_free(splits[i]->labels);
    }
    ub_planted_free(d->population); /* of data that were loaded */
    ub_committee_free(d->committee);
    ub_free(d->name);
    ub_free(d);
}

/* A double-precision problem; the test fails when it cannot be made. */
static inline struct ub_problem *tiny_problem(const struct ub_dataset *data, const char *model,
                                              const char *loss)
{
    struct ub_error err = {0};
    struct ub_problem *p = ub_problem_new(
        &(struct ub_problem_spec){
            .model = model, .loss = loss, .data = data, .precision = UB_F64, .threads = 1},
        &err);
    if (!p)
        fprintf(stderr, "%s with %s: %s\n", model, loss, err.text);
    return p;
}

static inline double *tiny_normals(int64_t n, const char *purpose)
{
    struct ub_random r = ub_random_stream(7, purpose);
    double *values = ub_calloc((size_t)n, sizeof *values);
    for (int64_t i = 0; i < n; i++)
        values[i] = ub_random_normal(&r);
    return values;
}

static inline double tiny_norm(int64_t n, const double *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

static inline double tiny_dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* max_i |a_i - b_i| / max(|b|_max, 1e-300) */
static inline double tiny_error(int64_t n, const double *a, const double *b)
{
    double error = 0, scale = 1e-300;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(a[i]))
            return INFINITY;
        error = fmax(error, fabs(a[i] - b[i]));
        scale = fmax(scale, fabs(b[i]));
    }
    return error / scale;
}

#endif
