#include "datasets/grammar.h"

#include <math.h>
#include <string.h>

enum { LONGEST = 1 << 16, MOST_SIDES = 1 << 24 };

static int64_t room(const struct ub_grammar *g)
{
    return g->symbols > g->roots ? g->symbols : g->roots;
}

const int32_t *ub_grammar_rule(const struct ub_grammar *g, int64_t level, int64_t symbol,
                               int64_t rule)
{
    return g->right + ((level * room(g) + symbol) * g->rules + rule) * g->branching;
}

static bool power_fits(int64_t base, int64_t exponent, int64_t limit, int64_t *out)
{
    *out = 1;
    for (int64_t i = 0; i < exponent; i++) {
        if (*out > limit / base)
            return false;
        *out *= base;
    }
    return true;
}

/* The rules of a level are the first of a permutation of all right-hand sides. */
static void draw_level(struct ub_grammar *g, int64_t level, int64_t sides, struct ub_random *r)
{
    int64_t *order = ub_calloc((size_t)sides, sizeof *order);
    const int64_t symbols = level == 0 ? g->roots : g->symbols;
    ub_random_permutation(r, sides, order);
    for (int64_t i = 0; i < symbols * g->rules; i++) {
        int32_t *right = g->right + (level * room(g) * g->rules + i) * g->branching;
        for (int64_t k = 0, side = order[i]; k < g->branching; k++, side /= g->symbols)
            right[k] = (int32_t)(side % g->symbols);
    }
    ub_free(order);
}

bool ub_grammar_draw(struct ub_grammar *g, uint64_t seed, const char *where, struct ub_error *err)
{
    int64_t sides;
    if (!power_fits(g->branching, g->depth, LONGEST, &g->length))
        return ub_fail(err, UB_INPUT, "%s: texts of more than %d symbols; expected fewer levels",
                       where, LONGEST);
    if (!power_fits(g->symbols, g->branching, MOST_SIDES, &sides))
        return ub_fail(err, UB_INPUT,
                       "%s: more than %d possible right-hand sides; expected a smaller vocabulary "
                       "or branching",
                       where, MOST_SIDES);
    if (room(g) * g->rules > sides)
        return ub_fail(err, UB_INPUT,
                       "%s: %lld symbols with %lld rules each, but only %lld right-hand sides; "
                       "expected fewer rules",
                       where, (long long)room(g), (long long)g->rules, (long long)sides);
    const int64_t count = g->depth * room(g) * g->rules * g->branching;
    g->right = ub_calloc((size_t)count, sizeof *g->right);
    struct ub_random r = ub_random_stream(seed, "data.grammar");
    for (int64_t level = 0; level < g->depth; level++)
        draw_level(g, level, sides, &r);
    return true;
}

void ub_grammar_clear(struct ub_grammar *g)
{
    ub_free(g->right);
    g->right = NULL;
}

/* Each level is written over the one above it, from the end. */
void ub_grammar_grow(const struct ub_grammar *g, int32_t root, struct ub_random *r, int32_t *text)
{
    const size_t bytes = (size_t)g->branching * sizeof *text;
    int64_t n = 1;
    text[0] = root;
    for (int64_t level = 0; level < g->depth; level++, n *= g->branching)
        for (int64_t i = n - 1; i >= 0; i--) {
            const int64_t rule = ub_random_below(r, g->rules);
            memcpy(text + i * g->branching, ub_grammar_rule(g, level, text[i], rule), bytes);
        }
}
