/* Text of a Markov chain: each state's next one is drawn from a row of probabilities of its own,
 * itself drawn from a symmetric Dirichlet distribution; sequences start in the stationary
 * distribution. The entropy of the next token given the present one, averaged over that, is the
 * floor of the cross-entropy (Shannon 1948): H = -sum_i pi_i sum_j P_ij log P_ij nats. */
#include "datasets/source.h"

#include <math.h>

static const struct ub_option options[] = {
    {"states", UB_OPTION_INT, "16", 2, 1000, NULL, "tokens"},
    {"concentration", UB_OPTION_REAL, "0.5", 0.01, 1000, NULL,
     "of the Dirichlet distribution: small is predictable"},
    {"context", UB_OPTION_INT, "32", 2, 4096, NULL, "tokens of a sequence"},
    {"samples", UB_OPTION_INT, "256", 1, 1e7, NULL, "sequences of each split"},
    UB_TEST_SAMPLES_SAME,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* Gamma(shape, 1) by Marsaglia and Tsang 2000, doi:10.1145/358407.358414. */
static double draw_gamma(struct ub_random *r, double shape)
{
    if (shape < 1)
        return draw_gamma(r, shape + 1) * pow(1 - ub_random_uniform(r), 1 / shape);
    const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = ub_random_normal(r), v = pow(1 + c * x, 3);
        const double u = 1 - ub_random_uniform(r);
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

struct chain {
    int64_t n;
    double *next, *stationary; /* (n, n) rows of probabilities; n */
};

static void find_stationary(struct chain *c)
{
    double *moved = ub_calloc((size_t)c->n, sizeof *moved), change = 1;
    for (int64_t i = 0; i < c->n; i++)
        c->stationary[i] = 1 / (double)c->n;
    /* Half a step at a time: converges for periodic chains, too. */
    for (int k = 0; k < 100000 && change > 1e-15; k++) {
        change = 0;
        for (int64_t j = 0; j < c->n; j++) {
            moved[j] = 0.5 * c->stationary[j];
            for (int64_t i = 0; i < c->n; i++)
                moved[j] += 0.5 * c->stationary[i] * c->next[i * c->n + j];
        }
        for (int64_t j = 0; j < c->n; j++) {
            change = fmax(change, fabs(moved[j] - c->stationary[j]));
            c->stationary[j] = moved[j];
        }
    }
    ub_free(moved);
}

static struct chain chain_new(int64_t n, double concentration, uint64_t seed)
{
    struct chain c = {n, ub_calloc((size_t)(n * n), sizeof *c.next),
                      ub_calloc((size_t)n, sizeof *c.stationary)};
    struct ub_random r = ub_random_stream(seed, "data.chain");
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++) {
            c.next[i * n + j] = draw_gamma(&r, concentration) + 1e-300;
            sum += c.next[i * n + j];
        }
        for (int64_t j = 0; j < n; j++)
            c.next[i * n + j] /= sum;
    }
    find_stationary(&c);
    return c;
}

static double entropy_of(const struct chain *c)
{
    double sum = 0;
    for (int64_t i = 0; i < c->n * c->n; i++)
        sum -= c->stationary[i / c->n] * c->next[i] * log(c->next[i]);
    return sum;
}

static int64_t draw_from(const double *p, int64_t n, struct ub_random *r)
{
    double u = ub_random_uniform(r);
    for (int64_t i = 0; i < n - 1; i++) {
        if (u < p[i])
            return i;
        u -= p[i];
    }
    return n - 1;
}

static void draw(const struct ub_dataset *d, struct ub_split *split, const struct chain *c,
                 struct ub_random *r)
{
    for (int64_t i = 0; i < split->count; i++) {
        int64_t state = draw_from(c->stationary, c->n, r);
        for (int64_t t = 0; t < d->features; t++) {
            split->inputs[i * d->features + t] = (double)state;
            state = draw_from(c->next + state * c->n, c->n, r);
            ub_split_label_at(d, split, i, t, (int32_t)state);
        }
    }
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
    struct chain c = chain_new(d->tokens, ub_call_real(call, "concentration"), seed);
    d->entropy = entropy_of(&c);
    struct ub_random train = ub_random_stream(seed, "data.inputs");
    struct ub_random test = ub_random_stream(seed, "data.test");
    draw(d, &d->train, &c, &train);
    draw(d, &d->test, &c, &test);
    ub_free(c.next);
    ub_free(c.stationary);
    return true;
}

const struct ub_dataset_source ub_dataset_markov = {
    .name = "markov",
    .summary = "text of a random Markov chain, of known entropy",
    .citation = "Shannon 1948, Bell Syst. Tech. J. 27; Makkuva et al. 2024, arXiv:2402.04161",
    .options = options,
    .load = load,
};
