/* quadratics.h - optimizers on quadratics: linear regression without bias, Hessian X'X/N. */
#ifndef QUADRATICS_H
#define QUADRATICS_H

#include "support.h"
#include "tiny.h"

#include <string.h>

enum { FEATURES = 4, SAMPLES = 12 };

struct quadratic {
    struct ub_dataset *data;
    struct ub_problem *problem;
};

/* Gaussian inputs of the given seed, feature j scaled by ratio^j: a condition number of about
 * ratio^-6. */
static inline struct quadratic quadratic_scaled(uint64_t seed, double ratio)
{
    struct quadratic q = {.data = tiny_dataset(UB_REGRESSION, SAMPLES, 0, FEATURES, 1)};
    struct ub_random r = ub_random_stream(seed, "quadratic");
    for (int i = 0; i < SAMPLES * FEATURES; i++)
        q.data->train.inputs[i] = ub_random_normal(&r) * pow(ratio, i % FEATURES);
    q.problem = tiny_problem(q.data, "linear:bias=false", "mse");
    return q;
}

static inline struct quadratic quadratic_new(void)
{
    return quadratic_scaled(1, 1);
}

static inline void quadratic_free(struct quadratic *q)
{
    ub_problem_free(q->problem);
    tiny_free(q->data);
}

/* q NULL: trains nothing yet. */
static inline struct ub_optimizer *optimizer_on(const struct quadratic *q, const char *name,
                                                const char *options)
{
    char text[160];
    struct ub_error err = {0};
    snprintf(text, sizeof text, "%s:%s", name, options);
    struct ub_optimizer *o = ub_optimizer_new(text, FEATURES, &err);
    const struct ub_training training = {q ? q->problem : NULL, 100, 5};
    if (!o || (q && !ub_optimizer_attach(o, &training, &err)))
        fail_msg("%s", err.text);
    return o;
}

static inline bool takes(const struct ub_optimizer_kind *kind, const char *key)
{
    for (const struct ub_option *option = kind->options; option->key; option++)
        if (strcmp(option->key, key) == 0)
            return true;
    return false;
}

#endif
