/* The entropy floor as a law: Markov text of any order against its own frequencies, attention with
 * a window against changed tokens, and models that come to the floor that they can see. */
#include "law_suite.h"
#include "loaded.h"

#include "systems/systems.h"

#include <math.h>

extern const struct ub_law ub_law_entropy_floor;

/* ---- text ---- */

enum { STATES = 3, CONTEXT = 64 };

/* Entropy of the next token given the last one, or two, by counting. */
static double counted_entropy(const struct ub_dataset *d, const struct ub_split *s, int last)
{
    double counts[STATES * STATES][STATES] = {{0}}, total = 0, entropy = 0;
    for (int64_t i = 0; i < s->count; i++)
        for (int64_t t = last - 1; t < CONTEXT; t++, total++) {
            const double *x = s->inputs + i * d->features + t;
            const int seen = (int)x[0] + (last > 1 ? STATES * (int)x[-1] : 0);
            counts[seen][s->labels[i * CONTEXT + t]]++;
        }
    for (int a = 0; a < STATES * STATES; a++) {
        double row = 0;
        for (int b = 0; b < STATES; b++)
            row += counts[a][b];
        for (int b = 0; b < STATES; b++)
            entropy -= counts[a][b] > 0 ? counts[a][b] / total * log(counts[a][b] / row) : 0;
    }
    return entropy;
}

/* Oracle: frequencies of pairs and triples in 400,000 tokens, whose entropies have a standard error
 * of about a thousandth; the floor is the mean over positions of what is there to see. */
static void entropies_are_those_of_the_text(void **state)
{
    (void)state;
    struct ub_dataset *d = load("markov:states=3,order=2,context=64,samples=6000", 5);
    const double one = counted_entropy(d, &d->train, 1), two = counted_entropy(d, &d->train, 2);
    assert_true(one > two + 0.1);
    assert_near(d->entropy_given_one, one, 0.005);
    assert_oracle("law entropy-floor", "the entropy of counted pairs and triples of tokens",
                  d->entropy - (one + (CONTEXT - 1) * two) / CONTEXT, 0.005);
    /* Of surprises, whose deviation is about 0.7: five standard errors. */
    assert_near(d->test_entropy, d->entropy, 5 * 0.7 / sqrt(6000.0 * CONTEXT));
    assert_true(d->test_entropy != d->entropy);
    ub_dataset_free(d);
}

static void of_order_one_nothing_is_different(void **state)
{
    (void)state;
    struct ub_dataset *d = load("markov:states=3,context=64,samples=500", 5);
    struct ub_dataset *same = load("markov:states=3,context=64,samples=500,order=1", 5);
    assert_string_equal(d->name, same->name);
    assert_near(d->entropy_given_one, d->entropy, 0);
    ub_dataset_free(same);
    ub_dataset_free(d);
}

static void what_is_known_is_of_the_own_test_set(void **state)
{
    struct ub_error err = {0};
    (void)state;
    struct ub_dataset *d = load("markov:samples=100,test=0.2", 5);
    assert_true(isnan(d->test_entropy));
    assert_true(isfinite(d->entropy));
    ub_dataset_free(d);
    assert_null(ub_dataset_load("markov:states=300,order=3", 0, NULL, &err));
    assert_input_error(&err, "300^3 contexts; expected 65536 at most");
}

/* ---- windows ---- */

/* Two blocks with a window of three see 1 + 2 (3 - 1) = 5 tokens: changing the one before them does
 * not reach the last output, changing the first of them does. */
static void a_window_hides_what_is_before_it(void **state)
{
    enum { T = 9, CLASSES = 3 };
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *d = load("markov:states=3,context=9,samples=1", 1);
    double *out[3], *theta = NULL;
    for (int changed = 0; changed < 3; changed++) {
        if (changed > 0) { /* the sixth from the end, then the fifth */
            double *x = d->train.inputs + T - (changed == 1 ? 6 : 5);
            *x = fmod(*x + 1, CLASSES);
        }
        struct ub_problem *p = ub_problem_new(
            &(struct ub_problem_spec){.model = "gpt:depth=2,heads=2,width=8,window=3",
                                      .loss = "ce",
                                      .init = "pytorch",
                                      .data = d,
                                      .threads = 1},
            &err);
        if (!p)
            fail_msg("%s", err.text);
        if (!theta) {
            theta = ub_calloc((size_t)ub_problem_size(p), sizeof *theta);
            ub_problem_init(p, 3, theta);
        }
        out[changed] = ub_calloc(T * CLASSES, sizeof **out);
        ub_problem_outputs(p, theta, out[changed]);
        ub_problem_free(p);
    }
    const double *last[] = {out[0] + (T - 1) * CLASSES, out[1] + (T - 1) * CLASSES,
                            out[2] + (T - 1) * CLASSES};
    for (int k = 0; k < CLASSES; k++)
        assert_near(last[1][k], last[0][k], 0);
    assert_true(fabs(last[2][0] - last[1][0]) + fabs(last[2][1] - last[1][1]) > 1e-6);
    for (int k = 0; k < 3; k++)
        ub_free(out[k]);
    ub_free(theta);
    ub_dataset_free(d);
}

/* ---- models ---- */

static double excess_given_one(const struct law_suite *s)
{
    for (size_t row = 0; row < s->frame->rows; row++)
        if (strcmp(ub_frame_word(s->frame, row, "model.window"), "1") == 0) {
            const struct ub_run *run = &s->store->runs[row];
            return ub_frame_last(s->frame, row, "test-loss", 0) - ub_run_fact(run, "test-entropy") -
                   (ub_run_fact(run, "entropy-given-one") - ub_run_fact(run, "entropy"));
        }
    return (double)NAN;
}

/* Of text of order two: who sees two tokens comes to the floor, who sees one to the entropy given
 * one, which the chain says and no fit. */
static void models_come_to_the_floor_that_they_see(void **state)
{
    static const char suite[] =
        "name: floor\n"
        "defaults: {steps: 400, loss: ce, optimizer: {adam: {lr: 0.01, schedule: cosine, batch: "
        "32}}, measure: {loss: {at: [0, end]}}}\n"
        "runs:\n"
        "  - dataset: {markov: {states: 3, order: 2, context: 8, samples: 4096, test-samples: "
        "2000}}\n"
        "    model: [{gpt: {width: 16, depth: 1, heads: 2, window: 1}}, {gru: {width: 16}}]\n"
        "  - dataset: {markov: {states: 3, context: 8, samples: 100}}\n"
        "    model: {gru: {width: 4}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_entropy_floor;
    assert_int_equal(law_suite_applies(&s, law), 2); /* not of the last: a small test set */
    struct ub_datum d = law_suite_datum(&s, law, "model.window", "1");
    assert_false(ub_datum_meets(&law->is, &d));
    const double off = excess_given_one(&s);
    assert_true(d.value > 0.1);
    assert_oracle("law entropy-floor", "a model that sees one token: the entropy given one, nats",
                  off - 0.01, 0.02);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entropies_are_those_of_the_text),
        cmocka_unit_test(of_order_one_nothing_is_different),
        cmocka_unit_test(what_is_known_is_of_the_own_test_set),
        cmocka_unit_test(a_window_hides_what_is_before_it),
        cmocka_unit_test(models_come_to_the_floor_that_they_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
