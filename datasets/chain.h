/* chain.h - a random Markov chain of some order over a few states, and what can be known of its
 * next state from the last few. Private to this library.
 *
 *     struct ub_chain c;
 *     if (!ub_chain_new(&c, 4, 2, 0.5, seed, where, err)) ...
 *     double h = ub_chain_entropy(&c, 1);   // of the next state given the last one
 *     ub_chain_clear(&c);
 *
 * A context is the last `order` states as the digits of a number, the oldest first. Each context's
 * next state is drawn from a row of probabilities of its own, itself drawn from a symmetric
 * Dirichlet distribution. */
#ifndef UB_DATASETS_CHAIN_H
#define UB_DATASETS_CHAIN_H

#include "base/base.h"

struct ub_chain {
    int64_t states, contexts; /* states^order */
    int order;
    double *next, *stationary; /* (contexts, states) rows of probabilities; contexts */
    /* joint[k]: (states^k, states), of the last k states and the next, k = 0..order */
    double **joint;
};

/* Fails when there would be too many contexts. */
bool ub_chain_new(struct ub_chain *chain, int64_t states, int order, double concentration,
                  uint64_t seed, const char *where, struct ub_error *err);
void ub_chain_clear(struct ub_chain *chain);

/* Entropy of the next state given the last k, in nats, k = 0..order: what the cross-entropy of a
 * predictor that sees those k cannot be less than (Shannon 1948). */
double ub_chain_entropy(const struct ub_chain *chain, int k);

/* The same on average over `length` predictions, of which the i-th (from 0) sees the last i + 1
 * states or more. */
double ub_chain_floor(const struct ub_chain *chain, int64_t length);

/* Of a context, minus the log of the probability of `next` given its last k states. */
double ub_chain_surprise(const struct ub_chain *chain, int k, int64_t context, int64_t next);

int64_t ub_chain_start(const struct ub_chain *chain, struct ub_random *r); /* stationary */
int64_t ub_chain_step(const struct ub_chain *chain, int64_t context, struct ub_random *r);

#endif
