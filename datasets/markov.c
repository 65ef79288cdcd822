/* Text of a Markov chain (chain.h): each state's next one is drawn from a row of probabilities of
 * its own, itself drawn from a symmetric Dirichlet distribution; sequences start in the stationary
 * distribution. The entropy of the next token given the present one, averaged over that, is the
 * floor of the cross-entropy (Shannon 1948): H = -sum_i pi_i sum_j P_ij log P_ij nats.
 *
 * With an order above one each row belongs to the last `order` states. A sequence's first tokens
 * have fewer before them: the floor is the average over positions of the entropies given what is
 * there to see. A model that never sees more than the present token stays at the entropy given one.
 */
#include "base/option_units.h"
#include "datasets/chain.h"
#include "datasets/source.h"

#include <math.h>

static const struct ub_option options[] = {
    {"states", UB_OPTION_INT, "16", 2, 1000, NULL, "tokens"},
    {"concentration", UB_OPTION_REAL, "0.5", 0.01, 1000, NULL,
     "of the Dirichlet distribution: small is predictable"},
    {"context", UB_OPTION_INT | UB_OPTION_OF_TOKENS, "32", 2, 4096, NULL, "tokens of a sequence"},
    {"samples", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "256", 1, 1e7, NULL,
     "sequences of each split"},
    UB_TEST_SAMPLES_SAME,
    {"order", UB_OPTION_INT | UB_OPTION_LATER, "1", 1, 8, NULL,
     "last states that the next one depends on"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* Returns the mean surprise at the labels of who knows the chain and sees the sequence only. */
static double draw(const struct ub_dataset *d, struct ub_split *split, const struct ub_chain *c,
                   struct ub_random *r)
{
    double surprise = 0;
    for (int64_t i = 0; i < split->count; i++) {
        int64_t context = ub_chain_start(c, r);
        for (int64_t t = 0; t < d->features; t++) {
            const int64_t before = context;
            split->inputs[i * d->features + t] = (double)(context % c->states);
            context = ub_chain_step(c, context, r);
            const int64_t next = context % c->states;
            ub_split_label_at(d, split, i, t, (int32_t)next);
            surprise +=
                ub_chain_surprise(c, t + 1 < c->order ? (int)t + 1 : c->order, before, next);
        }
    }
    return surprise / ((double)split->count * (double)d->features);
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)folder;
    const int64_t samples = ub_call_int(call, "samples");
    d->task = UB_CLASSIFICATION;
    d->rank = 1;
    d->shape[0] = d->features = d->positions = ub_call_int(call, "context");
    d->tokens = d->outputs = ub_call_int(call, "states");
    if (!ub_split_new(d, samples, call->name, &d->train, err) ||
        !ub_split_new_test(d, call, samples, err))
        return false;
    struct ub_chain c;
    if (!ub_chain_new(&c, d->tokens, (int)ub_call_int(call, "order"),
                      ub_call_real(call, "concentration"), seed, call->name, err))
        return false;
    d->entropy = ub_chain_floor(&c, d->features);
    d->entropy_given_one = ub_chain_entropy(&c, 1);
    struct ub_random train = ub_random_stream(seed, "data.inputs");
    struct ub_random test = ub_random_stream(seed, "data.test");
    draw(d, &d->train, &c, &train);
    d->test_entropy = draw(d, &d->test, &c, &test);
    ub_chain_clear(&c);
    return true;
}

const struct ub_dataset_source ub_dataset_markov = {
    .name = "markov",
    .title = "Markov",
    .summary = "text of a random Markov chain, of known entropy",
    .citation = "Shannon 1948, Bell Syst. Tech. J. 27; Makkuva et al. 2024, arXiv:2402.04161",
    .options = options,
    .load = load,
};
