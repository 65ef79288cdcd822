/* Text of a probabilistic context-free grammar: a start symbol drawn uniformly grows by rules drawn
 * uniformly into branching^levels tokens, without ambiguity: a text has one parse. Hence a text's
 * probability is roots^-1 rules^-(expansions), and its entropy per token is
 *
 *     (log roots + expansions log rules) / length,  expansions = (length - 1) / (branching - 1),
 *
 * the floor of the cross-entropy averaged over all tokens. Asked for are all tokens but the first;
 * the floor stated is the whole text's entropy less the first token's, over length - 1, with the
 * first token's entropy summed exactly over the grammar. */
#include "base/option_units.h"
#include "datasets/grammar.h"

#include <math.h>

static const struct ub_option options[] = {
    {"vocabulary", UB_OPTION_INT, "8", 2, 1000, NULL, "symbols of each level"},
    {"roots", UB_OPTION_INT, "1", 1, 1000, NULL, "start symbols"},
    {"rules", UB_OPTION_INT, "2", 1, 1000, NULL, "rules of each symbol"},
    {"branching", UB_OPTION_INT, "2", 2, 16, NULL, "symbols of a rule's right-hand side"},
    {"levels", UB_OPTION_INT, "4", 1, 16, NULL, "levels of rules"},
    {"samples", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "512", 1, 1e7, NULL, "texts of each split"},
    UB_TEST_SAMPLES_SAME,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* The distribution of the leftmost symbol, carried down level by level. */
static double first_token_entropy(const struct ub_grammar *g)
{
    const int64_t n = g->symbols > g->roots ? g->symbols : g->roots;
    double *p = ub_calloc((size_t)n, sizeof *p), *below = ub_calloc((size_t)n, sizeof *p);
    for (int64_t s = 0; s < g->roots; s++)
        p[s] = 1 / (double)g->roots;
    for (int64_t level = 0; level < g->depth; level++) {
        for (int64_t s = 0; s < n; s++)
            below[s] = 0;
        for (int64_t s = 0; s < (level == 0 ? g->roots : g->symbols); s++)
            for (int64_t rule = 0; rule < g->rules; rule++)
                below[ub_grammar_rule(g, level, s, rule)[0]] += p[s] / (double)g->rules;
        for (int64_t s = 0; s < n; s++)
            p[s] = below[s];
    }
    double sum = 0;
    for (int64_t s = 0; s < n; s++)
        sum -= p[s] > 0 ? p[s] * log(p[s]) : 0;
    ub_free(p);
    ub_free(below);
    return sum;
}

static double entropy_of(const struct ub_grammar *g)
{
    const double expansions = (double)(g->length - 1) / (double)(g->branching - 1);
    const double text = log((double)g->roots) + expansions * log((double)g->rules);
    return (text - first_token_entropy(g)) / (double)(g->length - 1);
}

static void draw(const struct ub_dataset *d, struct ub_split *split, const struct ub_grammar *g,
                 struct ub_random *r)
{
    int32_t *text = ub_calloc((size_t)g->length, sizeof *text);
    for (int64_t i = 0; i < split->count; i++) {
        ub_grammar_grow(g, (int32_t)ub_random_below(r, g->roots), r, text);
        for (int64_t t = 0; t + 1 < g->length; t++) {
            split->inputs[i * d->features + t] = text[t];
            ub_split_label_at(d, split, i, t, text[t + 1]);
        }
    }
    ub_free(text);
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)folder;
    struct ub_grammar g = {.symbols = ub_call_int(call, "vocabulary"),
                           .roots = ub_call_int(call, "roots"),
                           .rules = ub_call_int(call, "rules"),
                           .branching = ub_call_int(call, "branching"),
                           .depth = ub_call_int(call, "levels")};
    const int64_t samples = ub_call_int(call, "samples");
    if (!ub_grammar_draw(&g, seed, call->name, err))
        return false;
    bool good = g.length > 2 || ub_fail(err, UB_INPUT,
                                        "%s: texts of two tokens; expected levels or "
                                        "branching for more",
                                        call->name);
    d->task = UB_CLASSIFICATION;
    d->rank = 1;
    d->shape[0] = d->features = d->positions = g.length - 1;
    d->tokens = d->outputs = g.symbols;
    d->entropy = entropy_of(&g);
    good = good && ub_split_new(d, samples, call->name, &d->train, err) &&
           ub_split_new_test(d, call, samples, err);
    if (good) {
        struct ub_random train = ub_random_stream(seed, "data.inputs");
        struct ub_random test = ub_random_stream(seed, "data.test");
        draw(d, &d->train, &g, &train);
        draw(d, &d->test, &g, &test);
    }
    ub_grammar_clear(&g);
    return good;
}

const struct ub_dataset_source ub_dataset_pcfg = {
    .name = "pcfg",
    .title = "PCFG",
    .summary = "text of a random unambiguous grammar, of known entropy",
    .citation = "Cagnetta and Wyart 2024, arXiv:2406.00048",
    .options = options,
    .load = load,
};
