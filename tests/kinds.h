/* kinds.h - a small dataset of every kind that models tell apart, and which models take it. */
#ifndef KINDS_H
#define KINDS_H

#include "tiny.h"

#include <string.h>

enum { VECTORS, IMAGES, TOKENS, LAST_TOKEN, STEPS, SCALARS, COPIES, RAGGED, SERIES, KINDS };

static inline struct ub_dataset *kinds_reshaped(struct ub_dataset *d, int rank, int64_t a,
                                                int64_t b, int64_t c)
{
    d->rank = rank;
    d->shape[0] = a;
    d->shape[1] = b;
    d->shape[2] = c;
    return d;
}

/* Sequences of six tokens out of five; the first two positions are not asked for. */
static inline struct ub_dataset *kinds_tokens(bool every_position)
{
    enum { N = 4, T = 6, V = 5 };
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, N, 0, T, V);
    struct ub_random r = ub_random_stream(2, "tokens");
    d->tokens = V;
    for (int i = 0; i < N * T; i++)
        d->train.inputs[i] = (double)ub_random_below(&r, V);
    if (!every_position)
        return d;
    d->positions = T;
    d->train.targets = ub_realloc(d->train.targets, N * T * sizeof(double));
    d->train.labels = ub_realloc(d->train.labels, N * T * sizeof(int32_t));
    for (int i = 0; i < N * T; i++) {
        d->train.labels[i] = i % T < 2 ? -1 : (int32_t)ub_random_below(&r, V);
        d->train.targets[i] = d->train.labels[i];
    }
    return d;
}

/* Of each sequence another number of positions asked for. */
static inline struct ub_dataset *kinds_ragged(void)
{
    struct ub_dataset *d = kinds_tokens(true);
    for (int64_t i = 0; i < d->train.count * d->positions; i++) {
        const int64_t sample = i / d->positions, place = i % d->positions;
        d->train.labels[i] = place <= sample ? (int32_t)(i * i % 5) : -1;
        d->train.targets[i] = d->train.labels[i];
    }
    return d;
}

/* Two numbers to predict at each of five steps. */
static inline struct ub_dataset *kinds_series(void)
{
    struct ub_dataset *d = kinds_reshaped(tiny_dataset(UB_REGRESSION, 4, 0, 15, 2), 2, 5, 3, 1);
    d->positions = 5;
    d->train.targets = ub_realloc(d->train.targets, 4 * 5 * 2 * sizeof(double));
    for (int i = 0; i < 4 * 5 * 2; i++)
        d->train.targets[i] = sin(1.0 + 3 * i);
    return d;
}

static inline struct ub_dataset *kinds_dataset(int kind)
{
    switch (kind) {
    case VECTORS:
        return tiny_dataset(UB_CLASSIFICATION, 6, 0, 4, 3);
    case IMAGES:
        return kinds_reshaped(tiny_dataset(UB_CLASSIFICATION, 6, 0, 128, 3), 3, 2, 8, 8);
    case TOKENS:
        return kinds_tokens(true);
    case LAST_TOKEN:
        return kinds_tokens(false);
    case STEPS:
        return kinds_reshaped(tiny_dataset(UB_REGRESSION, 5, 0, 15, 2), 2, 5, 3, 1);
    case RAGGED:
        return kinds_ragged();
    case SERIES:
        return kinds_series();
    case SCALARS:
        return tiny_dataset(UB_REGRESSION, 6, 0, 1, 1);
    default:
        return tiny_dataset(UB_REGRESSION, 6, 0, 5, 5);
    }
}

/* ---- items: positions that are asked for, from their definition ---- */

static inline bool kinds_asked(const struct ub_dataset *d, int64_t position)
{
    return d->task == UB_REGRESSION || d->train.labels[position] >= 0;
}

/* Weight in the mean loss, 0 where not asked for. */
static inline double kinds_share(const struct ub_dataset *d, int64_t position)
{
    const int64_t each = ub_positions(d), first = position / each * each;
    int64_t asked = 0;
    for (int64_t t = 0; t < each; t++)
        asked += kinds_asked(d, first + t);
    return kinds_asked(d, position) ? 1 / (double)(d->train.count * asked) : 0;
}

/* What the item's target is at one output; one-hot for classes. */
static inline double kinds_target(const struct ub_dataset *d, int64_t position, int64_t output)
{
    if (d->task == UB_REGRESSION)
        return d->train.targets[position * d->outputs + output];
    return d->train.labels[position] == output;
}

/* The loss's slope in the item's outputs: softmax, or output, less the target. */
static inline void kinds_slope(const struct ub_dataset *d, bool softmax, const double *outputs,
                               int64_t position, double *slope)
{
    const double *z = outputs + position * d->outputs;
    double total = 0;
    for (int64_t j = 0; j < d->outputs; j++)
        total += exp(z[j]);
    for (int64_t j = 0; j < d->outputs; j++)
        slope[j] = (softmax ? exp(z[j]) / total : z[j]) - kinds_target(d, position, j);
}

/* Differences need a smooth function: kinks are for the comparison with PyTorch. */
static inline void kinds_smooth(const struct ub_model *model, char text[128])
{
    snprintf(text, 128, "%s", model->name);
    char mark = ':';
    for (const struct ub_option *o = model->options; o->key; o++) {
        const char *value = strcmp(o->key, "activation") == 0 ? "tanh"
                            : strcmp(o->key, "pool") == 0     ? "mean"
                                                              : NULL;
        if (!value || strcmp(o->fallback, value) == 0)
            continue;
        snprintf(text + strlen(text), 128 - strlen(text), "%c%s=%s", mark, o->key, value);
        mark = ',';
    }
}

static inline bool kinds_takes(const struct ub_model *model, const struct ub_dataset *data)
{
    struct ub_error err = {0};
    struct ub_call *call = ub_call_parse(model->name, "test", &err);
    const bool good =
        call && ub_call_check(call, model->options, "test", &err) && model->fits(call, data, &err);
    ub_call_free(call);
    return good;
}

#endif
