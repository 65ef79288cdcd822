/* The Random Hierarchy Model: a class grows through `layers` levels of random rules into a text
 * whose class can be read only by undoing them level by level. One-hot as vocabulary numbers a
 * symbol, or tokens. Texts are drawn independently; the test set is as large as the training set.
 */
#include "base/option_units.h"
#include "datasets/grammar.h"

#include <string.h>

static const char *const encodings[] = {"onehot", "tokens", NULL};
static const struct ub_option options[] = {
    {"vocabulary", UB_OPTION_INT, "8", 2, 1000, NULL, "symbols of each level"},
    {"roots", UB_OPTION_INT, "8", 2, 1000, NULL, "classes: symbols of the top level"},
    {"synonyms", UB_OPTION_INT, "4", 1, 1000, NULL, "rules of each symbol"},
    {"branching", UB_OPTION_INT, "2", 2, 16, NULL, "symbols of a rule's right-hand side"},
    {"layers", UB_OPTION_INT, "3", 1, 16, NULL, "levels of rules"},
    {"samples", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "1024", 1, 1e7, NULL, "texts of each split"},
    UB_TEST_SAMPLES_SAME,
    {"encoding", UB_OPTION_NAME, "onehot", 0, 0, encodings, "one-hot numbers, or tokens"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void draw(const struct ub_dataset *d, struct ub_split *split, const struct ub_grammar *g,
                 struct ub_random *r)
{
    int32_t *text = ub_calloc((size_t)g->length, sizeof *text);
    for (int64_t i = 0; i < split->count; i++) {
        const int32_t label = (int32_t)ub_random_below(r, g->roots);
        double *x = split->inputs + i * d->features;
        ub_grammar_grow(g, label, r, text);
        ub_split_label(d, split, i, label);
        for (int64_t t = 0; t < g->length; t++) {
            if (d->tokens > 0)
                x[t] = text[t];
            else
                x[t * g->symbols + text[t]] = 1;
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
                           .rules = ub_call_int(call, "synonyms"),
                           .branching = ub_call_int(call, "branching"),
                           .depth = ub_call_int(call, "layers")};
    const bool tokens = strcmp(ub_call_get(call, "encoding"), "tokens") == 0;
    const int64_t samples = ub_call_int(call, "samples");
    if (!ub_grammar_draw(&g, seed, call->name, err))
        return false;
    d->task = UB_CLASSIFICATION;
    d->rank = 1;
    d->shape[0] = d->features = tokens ? g.length : g.length * g.symbols;
    d->tokens = tokens ? g.symbols : 0;
    d->outputs = g.roots;
    const bool good = ub_split_new(d, samples, call->name, &d->train, err) &&
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

const struct ub_dataset_source ub_dataset_random_hierarchy = {
    .name = "random-hierarchy",
    .title = "random hierarchy",
    .summary = "classes hidden under levels of random rewriting rules",
    .citation = "Cagnetta et al. 2023, arXiv:2307.02129",
    .options = options,
    .load = load,
};
