/* Addition modulo p from part of its table: all p^2 pairs, `train-fraction` of them for training,
 * the rest for test. As tokens a, b and an equals sign (token p), or one-hot as 2p numbers. */
#include "datasets/source.h"

#include <math.h>
#include <string.h>

static const char *const encodings[] = {"tokens", "onehot", NULL};
static const struct ub_option options[] = {
    {"p", UB_OPTION_INT, "97", 2, 1000, NULL, "modulus"},
    {"train-fraction", UB_OPTION_REAL, "0.5", 1e-6, 1, NULL, "part of the table trained on"},
    {"encoding", UB_OPTION_NAME, "tokens", 0, 0, encodings, "tokens, or one-hot numbers"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void fill_split(const struct ub_dataset *d, struct ub_split *split, const int64_t *pairs,
                       int64_t p)
{
    for (int64_t i = 0; i < split->count; i++) {
        const int64_t a = pairs[i] / p, b = pairs[i] % p;
        double *x = split->inputs + i * d->features;
        if (d->tokens > 0) {
            x[0] = (double)a;
            x[1] = (double)b;
            x[2] = (double)p;
        } else {
            x[a] = x[p + b] = 1;
        }
        ub_split_label(d, split, i, (int32_t)((a + b) % p));
    }
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)folder;
    const int64_t p = ub_call_int(call, "p");
    const bool tokens = strcmp(ub_call_get(call, "encoding"), "tokens") == 0;
    const int64_t train = llround(ub_call_real(call, "train-fraction") * (double)(p * p));
    if (train < 1)
        return ub_fail(err, UB_INPUT, "%s: train-fraction=%s of %lld pairs is none; expected more",
                       call->name, ub_call_get(call, "train-fraction"), (long long)(p * p));
    d->task = UB_CLASSIFICATION;
    d->rank = 1;
    d->shape[0] = d->features = tokens ? 3 : 2 * p;
    d->tokens = tokens ? p + 1 : 0;
    d->outputs = p;
    if (!ub_split_new(d, train, call->name, &d->train, err) ||
        (train < p * p && !ub_split_new(d, p * p - train, call->name, &d->test, err)))
        return false;
    int64_t *pairs = ub_calloc((size_t)(p * p), sizeof *pairs);
    struct ub_random r = ub_random_stream(seed, "data.split");
    ub_random_permutation(&r, p * p, pairs);
    fill_split(d, &d->train, pairs, p);
    fill_split(d, &d->test, pairs + train, p);
    ub_free(pairs);
    return true;
}

const struct ub_dataset_source ub_dataset_modular_addition = {
    .name = "modular-addition",
    .title = "modular addition",
    .summary = "a + b modulo p, from part of the table",
    .citation = "Power et al. 2022, arXiv:2201.02177; Gromov 2023, arXiv:2301.02679",
    .options = options,
    .load = load,
};
