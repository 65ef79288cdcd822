/* grammar.h - random hierarchical grammars, shared by random-hierarchy and pcfg; private to this
 * library. `depth` levels; every symbol of a level has `rules` productions into `branching` symbols
 * of the level below, no two symbols share one (Cagnetta et al. 2023, arXiv:2307.02129). */
#ifndef UB_DATASETS_GRAMMAR_H
#define UB_DATASETS_GRAMMAR_H

#include "datasets/source.h"

struct ub_grammar {
    int64_t symbols, roots, rules, branching, depth; /* roots: symbols of the top level */
    int64_t length;                                  /* of a text: branching^depth */
    int32_t *right; /* (depth, symbols of the level, rules, branching) with room for the larger of
                       symbols and roots at each level */
};

/* Fails when there are too few right-hand sides, symbols^branching, for the rules, or texts are too
 * long. `where` starts messages. */
bool ub_grammar_draw(struct ub_grammar *g, uint64_t seed, const char *where, struct ub_error *err);
void ub_grammar_clear(struct ub_grammar *g);
/* Writes the text that grows from a root symbol by rules drawn uniformly: `length` symbols. */
void ub_grammar_grow(const struct ub_grammar *g, int32_t root, struct ub_random *r, int32_t *text);
/* The right-hand side of a rule. */
const int32_t *ub_grammar_rule(const struct ub_grammar *g, int64_t level, int64_t symbol,
                               int64_t rule);

#endif
