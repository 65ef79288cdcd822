#include "bench/perf/cases.h"

#include <string.h>

/* Sizes of the digits; 3 x 32 x 32 images; short and long texts. */
#define SMALL_IMAGES 3, {1, 8, 8}, 10, 0, 0, false
#define IMAGES       3, {3, 32, 32}, 10, 0, 0, false
#define SHORT_TEXTS  1, {16}, 8, 8, 16, false
#define TEXTS        1, {128}, 65, 65, 128, false

const struct perf_case perf_cases[] = {
    {"linear", "linear", "mse", 1797, SMALL_IMAGES},
    {"deep-linear", "deep-linear:widths=64x64", "mse", 1797, SMALL_IMAGES},
    {"diagonal-linear", "diagonal-linear", "mse", 1000, 1, {100}, 1, 0, 0, true},
    {"matrix-factorization", "matrix-factorization:rank=10", "mse", 1000, 1, {100}, 50, 0, 0, true},
    {"two-layer", "two-layer:width=256", "mse", 1797, SMALL_IMAGES},
    {"random-features", "random-features:width=256", "mse", 1797, SMALL_IMAGES},
    {"quadratic", "quadratic", "mse", 100, 1, {1}, 1000, 0, 0, true},
    {"scalar-chain", "scalar-chain", "mse", 1000, 1, {1}, 1, 0, 0, true},
    {"mlp-small", "mlp:widths=32x32", "mse", 500, SMALL_IMAGES},
    {"mlp", "mlp:widths=64x64", "mse", 1797, SMALL_IMAGES},
    {"autoencoder", "autoencoder:widths=64x16x64", "mse", 1797, 1, {64}, 64, 0, 0, true},
    {"cnn", "cnn:channels=16x16", "mse", 1797, SMALL_IMAGES},
    {"resnet", "resnet:width=8,stages=2", "mse", 500, SMALL_IMAGES},
    {"mlp-mixer", "mlp-mixer:width=32,depth=2,patch=2", "mse", 500, SMALL_IMAGES},
    {"vit", "vit:width=32,depth=2,patch=2", "mse", 500, SMALL_IMAGES},
    {"gpt", "gpt:width=32", "ce", 128, SHORT_TEXTS},
    {"attention-only", "attention-only:width=32", "ce", 128, SHORT_TEXTS},
    {"lstm", "lstm:width=32", "ce", 128, SHORT_TEXTS},
    {"gru", "gru:width=32", "ce", 128, SHORT_TEXTS},
    {"mamba", "mamba:width=16,depth=1", "ce", 128, SHORT_TEXTS},
    {"mlp-large", "mlp:widths=200x200", "mse", 5000, IMAGES},
    {"cnn-large", "cnn:channels=32x32", "mse", 500, IMAGES},
    {"resnet-large", "resnet:width=16", "mse", 200, IMAGES},
    {"vit-large", "vit:width=128,patch=4", "mse", 100, IMAGES},
    {"gpt-large", "gpt:width=128,depth=4", "ce", 32, TEXTS},
    {"lstm-large", "lstm:width=128", "ce", 64, TEXTS},
    {NULL, NULL, NULL, 0, 0, {0}, 0, 0, 0, false},
};

const struct perf_case *perf_case_find(const char *name)
{
    for (const struct perf_case *c = perf_cases; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static void fill_targets(struct ub_dataset *d, struct ub_random *r)
{
    const int64_t width = ub_target_width(d), positions = ub_positions(d);
    for (int64_t i = 0; i < d->train.count * width; i++) {
        const int64_t label = i / width % d->outputs;
        if (d->task == UB_REGRESSION)
            d->train.targets[i] = ub_random_normal(r);
        else if (positions > 1)
            d->train.targets[i] = (double)(i % d->outputs);
        else
            d->train.targets[i] = i % width == label;
    }
    for (int64_t i = 0; d->train.labels && i < d->train.count * positions; i++)
        d->train.labels[i] = (int32_t)(i % d->outputs);
}

struct ub_dataset *perf_case_data(const struct perf_case *c)
{
    struct ub_random r = ub_random_stream(0, "perf");
    struct ub_dataset *d = ub_calloc(1, sizeof *d);
    *d = (struct ub_dataset){.name = ub_strdup(c->name),
                             .task = c->regression ? UB_REGRESSION : UB_CLASSIFICATION,
                             .rank = c->rank,
                             .features = 1,
                             .outputs = c->outputs,
                             .tokens = c->tokens,
                             .positions = c->positions};
    for (int k = 0; k < c->rank; k++)
        d->features *= d->shape[k] = c->shape[k];
    const size_t inputs = (size_t)(c->samples * d->features);
    d->train.count = c->samples;
    d->train.inputs = ub_calloc(inputs, sizeof(double));
    d->train.targets = ub_calloc((size_t)(c->samples * ub_target_width(d)), sizeof(double));
    if (!c->regression)
        d->train.labels =
            ub_calloc((size_t)(c->samples * ub_positions(d)), sizeof *d->train.labels);
    for (size_t i = 0; i < inputs; i++)
        d->train.inputs[i] =
            c->tokens > 0 ? (double)ub_random_below(&r, c->tokens) : ub_random_normal(&r);
    fill_targets(d, &r);
    return d;
}
