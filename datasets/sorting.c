/* Sorting as next-token prediction: `length` random tokens, then the same in order. The model reads
 * all but the last of those 2 length tokens and predicts the ordered ones; nothing is asked of the
 * random part. Sequences are drawn independently: some may be drawn twice. */
#include "base/option_units.h"
#include "datasets/source.h"

#include <stdlib.h>

static const struct ub_option options[] = {
    {"length", UB_OPTION_INT | UB_OPTION_OF_TOKENS, "8", 2, 4096, NULL, "numbers to sort"},
    {"vocabulary", UB_OPTION_INT, "8", 2, 10000, NULL, "different numbers"},
    {"samples", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "256", 1, 1e7, NULL, "sequences"},
    UB_TEST_SAMPLES_NONE,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static int ascending(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void draw(const struct ub_dataset *d, struct ub_split *split, int64_t length,
                 struct ub_random r)
{
    const int64_t steps = d->features;
    int32_t *all = ub_calloc((size_t)(2 * length), sizeof *all);
    for (int64_t i = 0; i < split->count; i++) {
        for (int64_t k = 0; k < length; k++)
            all[k] = all[length + k] = (int32_t)ub_random_below(&r, d->tokens);
        qsort(all + length, (size_t)length, sizeof *all, ascending);
        for (int64_t t = 0; t < steps; t++) {
            split->inputs[i * steps + t] = all[t];
            ub_split_label_at(d, split, i, t, t + 1 < length ? -1 : all[t + 1]);
        }
    }
    ub_free(all);
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)folder;
    const int64_t length = ub_call_int(call, "length");
    d->task = UB_CLASSIFICATION;
    d->rank = 1;
    d->shape[0] = d->features = d->positions = 2 * length - 1;
    d->tokens = d->outputs = ub_call_int(call, "vocabulary");
    if (!ub_split_new(d, ub_call_int(call, "samples"), call->name, &d->train, err) ||
        !ub_split_new_test(d, call, 0, err))
        return false;
    draw(d, &d->train, length, ub_random_stream(seed, "data.inputs"));
    draw(d, &d->test, length, ub_random_stream(seed, "data.test"));
    return true;
}

const struct ub_dataset_source ub_dataset_sorting = {
    .name = "sorting",
    .summary = "random tokens, then the same in order, token by token",
    .citation = "Graves, Wayne and Danihelka 2014, arXiv:1410.5401",
    .options = options,
    .load = load,
};
