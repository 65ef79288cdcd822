/* Sequence data against their definitions: every sequence is decoded and its answer computed anew;
 * entropies are held against sums over all texts and against long-run frequencies. */
#include "support.h"

#include "datasets/datasets.h"

static struct ub_dataset *load(const char *text, uint64_t seed, const char *folder)
{
    struct ub_error err = {0};
    struct ub_dataset *d = ub_dataset_load(text, seed, folder, &err);
    if (!d)
        fail_msg("%s: %s", text, err.text);
    return d;
}

static double input(const struct ub_dataset *d, const struct ub_split *s, int64_t i, int64_t t)
{
    return s->inputs[i * d->features + t];
}

static int32_t label(const struct ub_dataset *d, const struct ub_split *s, int64_t i, int64_t t)
{
    return s->labels[i * ub_positions(d) + t];
}

/* Shapes of a next-token task: each label but the last is the next input, where it is asked for. */
static void assert_next_tokens(const struct ub_dataset *d, const struct ub_split *s)
{
    assert_int_equal(d->task, UB_CLASSIFICATION);
    assert_int_equal(d->rank, 1);
    assert_int_equal(d->positions, d->features);
    assert_int_equal(ub_target_width(d), d->positions);
    for (int64_t i = 0; i < s->count; i++)
        for (int64_t t = 0; t < d->features; t++) {
            const double x = input(d, s, i, t);
            const int32_t next = label(d, s, i, t);
            assert_true(x >= 0 && x < (double)d->tokens && x == floor(x));
            assert_true(next >= -1 && next < d->outputs);
            assert_true(s->targets[i * d->positions + t] == next);
            if (next >= 0 && t + 1 < d->features)
                assert_true(input(d, s, i, t + 1) == next);
        }
}

/* ---- tasks ---- */

static void sorted_parts_are_sorted(void **state)
{
    (void)state;
    struct ub_dataset *d = load("sorting:length=6,vocabulary=5,samples=200", 3, NULL);
    assert_int_equal(d->features, 11);
    assert_int_equal(d->tokens, 5);
    assert_next_tokens(d, &d->train);
    for (int64_t i = 0; i < 200; i++) {
        int given[5] = {0}, answered[5] = {0};
        int32_t last = 0;
        for (int64_t t = 0; t < 6; t++)
            given[(int)input(d, &d->train, i, t)]++;
        for (int64_t t = 0; t < 5; t++)
            assert_int_equal(label(d, &d->train, i, t), -1);
        for (int64_t t = 5; t < 11; t++) {
            assert_true(label(d, &d->train, i, t) >= last);
            last = label(d, &d->train, i, t);
            answered[last]++;
        }
        assert_memory_equal(given, answered, sizeof given);
    }
    ub_dataset_free(d);
}

static void mark_pairs(const struct ub_dataset *d, const struct ub_split *s, int64_t p, char *seen)
{
    for (int64_t i = 0; i < s->count; i++) {
        const int64_t a = (int64_t)input(d, s, i, 0), b = (int64_t)input(d, s, i, 1);
        assert_true(a >= 0 && a < p && b >= 0 && b < p && !seen[a * p + b]++);
        assert_true(input(d, s, i, 2) == (double)p);
        assert_int_equal(s->labels[i], (a + b) % p);
        for (int64_t o = 0; o < p; o++)
            assert_true(s->targets[i * p + o] == (o == (a + b) % p));
    }
}

static void addition_is_a_split_table(void **state)
{
    static const int64_t moduli[] = {97, 113};
    (void)state;
    for (int k = 0; k < 2; k++) {
        const int64_t p = moduli[k];
        char text[64], *seen = ub_calloc((size_t)(p * p), 1);
        snprintf(text, sizeof text, "modular-addition:p=%d,train-fraction=0.3", (int)p);
        struct ub_dataset *d = load(text, 1, NULL);
        assert_int_equal(d->train.count, llround(0.3 * (double)(p * p)));
        assert_int_equal(d->train.count + d->test.count, p * p);
        assert_int_equal(d->outputs, p);
        assert_int_equal(d->tokens, p + 1);
        mark_pairs(d, &d->train, p, seen);
        mark_pairs(d, &d->test, p, seen);
        ub_free(seen);
        ub_dataset_free(d);
    }
}

static void addition_encodings_agree(void **state)
{
    (void)state;
    struct ub_dataset *tokens = load("modular-addition:p=7", 5, NULL);
    struct ub_dataset *numbers = load("modular-addition:p=7,encoding=onehot", 5, NULL);
    assert_int_equal(numbers->features, 14);
    assert_int_equal(numbers->tokens, 0);
    for (int64_t i = 0; i < tokens->train.count; i++) {
        assert_int_equal(tokens->train.labels[i], numbers->train.labels[i]);
        for (int64_t k = 0; k < 14; k++) {
            const double digit = input(tokens, &tokens->train, i, k / 7);
            assert_true(input(numbers, &numbers->train, i, k) == (digit == (double)(k % 7)));
        }
    }
    ub_dataset_free(tokens);
    ub_dataset_free(numbers);
}

static void parity_is_of_the_first_bits(void **state)
{
    (void)state;
    struct ub_dataset *d = load("sparse-parity:bits=10,order=4,samples=2000", 2, NULL);
    double sum = 0;
    for (int part = 0; part < 2; part++) {
        const struct ub_split *s = part ? &d->test : &d->train;
        assert_int_equal(s->count, 2000);
        for (int64_t i = 0; i < s->count; i++) {
            double product = 1;
            for (int64_t k = 0; k < 10; k++) {
                assert_true(fabs(input(d, s, i, k)) == 1);
                product *= k < 4 ? input(d, s, i, k) : 1;
                sum += input(d, s, i, k);
            }
            assert_int_equal(s->labels[i], product < 0);
        }
    }
    assert_near(sum / sqrt(40000), 0, 4);
    ub_dataset_free(d);
}

/* The weights follow from as many pairs as there are dimensions; they must answer the others. */
static void regression_is_linear(void **state)
{
    (void)state;
    struct ub_dataset *d =
        load("in-context-regression:pairs=6,dimension=2,samples=50,all=true", 4, NULL);
    assert_int_equal(d->rank, 2);
    assert_int_equal(d->shape[0], 11);
    assert_int_equal(d->shape[1], 3);
    assert_int_equal(ub_target_width(d), 6);
    for (int64_t i = 0; i < 50; i++) {
        const double *at = d->train.inputs + i * 33, *y = d->train.targets + i * 6;
        const double *a = at, *b = at + 6, det = a[0] * b[1] - a[1] * b[0];
        const double u = (y[0] * b[1] - y[1] * a[1]) / det, v = (a[0] * y[1] - b[0] * y[0]) / det;
        for (int64_t pair = 0; pair < 6; pair++) {
            const double *x = at + 6 * pair;
            assert_near(u * x[0] + v * x[1], y[pair], 1e-9 * (1 + (fabs(u) + fabs(v))));
            assert_true(x[2] == 0);
            if (pair < 5)
                assert_true(x[3] == 0 && x[4] == 0 && x[5] == y[pair]);
        }
    }
    ub_dataset_free(d);
}

static void last_answer_is_the_last_of_all(void **state)
{
    (void)state;
    struct ub_dataset *all = load("in-context-regression:samples=20,noise=0.5,all=true", 4, NULL);
    struct ub_dataset *last = load("in-context-regression:samples=20,noise=0.5", 4, NULL);
    assert_int_equal(ub_target_width(last), 1);
    for (int64_t i = 0; i < 20; i++)
        assert_true(all->train.targets[i * 10 + 9] == last->train.targets[i]);
    assert_memory_equal(all->train.inputs, last->train.inputs, 20 * 114 * sizeof(double));
    ub_dataset_free(all);
    ub_dataset_free(last);
}

/* ---- grammars: rules are learned from some texts and must hold in all ---- */

enum { SYMBOLS = 4, PAIRS = SYMBOLS * SYMBOLS };

/* One level: a pair of symbols belongs to one class, and each class has `synonyms` pairs. */
static void hierarchy_of_one_level_is_a_table(void **state)
{
    int32_t owner[PAIRS];
    int count[SYMBOLS] = {0};
    (void)state;
    struct ub_dataset *d = load("random-hierarchy:vocabulary=4,roots=4,synonyms=3,layers=1,"
                                "samples=500,encoding=tokens",
                                6, NULL);
    assert_int_equal(d->features, 2);
    assert_int_equal(d->outputs, 4);
    for (int k = 0; k < PAIRS; k++)
        owner[k] = -1;
    for (int part = 0; part < 2; part++) {
        const struct ub_split *s = part ? &d->test : &d->train;
        for (int64_t i = 0; i < s->count; i++) {
            const int pair = (int)(input(d, s, i, 0) * SYMBOLS + input(d, s, i, 1));
            assert_true(owner[pair] == -1 || owner[pair] == s->labels[i]);
            count[s->labels[i]] += owner[pair] == -1;
            owner[pair] = s->labels[i];
        }
    }
    for (int k = 0; k < SYMBOLS; k++)
        assert_int_equal(count[k], 3);
    ub_dataset_free(d);
}

/* Two levels, 2 rules each: a class has 2 * 2 * 2 texts, none shared. */
static void hierarchy_has_as_many_texts_as_the_model_says(void **state)
{
    int32_t owner[PAIRS * PAIRS];
    int count[SYMBOLS] = {0};
    (void)state;
    struct ub_dataset *d = load("random-hierarchy:vocabulary=4,roots=3,synonyms=2,layers=2,"
                                "samples=3000",
                                7, NULL);
    assert_int_equal(d->features, 16);
    for (int k = 0; k < PAIRS * PAIRS; k++)
        owner[k] = -1;
    for (int64_t i = 0; i < d->train.count; i++) {
        int text = 0;
        for (int64_t t = 0; t < 4; t++) {
            int symbol = -1;
            for (int64_t k = 0; k < SYMBOLS; k++)
                if (input(d, &d->train, i, t * SYMBOLS + k) == 1)
                    symbol = symbol == -1 ? (int)k : -2;
            assert_true(symbol >= 0);
            text = text * SYMBOLS + symbol;
        }
        assert_true(owner[text] == -1 || owner[text] == d->train.labels[i]);
        count[d->train.labels[i]] += owner[text] == -1;
        owner[text] = d->train.labels[i];
    }
    for (int k = 0; k < 3; k++)
        assert_int_equal(count[k], 8);
    ub_dataset_free(d);
}

/* The stated floor is that of the tokens after the first, given all before: summed here over every
 * text, from how often each prefix is drawn. Two levels, 2 rules: 2 * 8 texts, equally likely. */
static void pcfg_entropy_is_that_of_its_texts(void **state)
{
    enum { TEXTS = PAIRS * PAIRS };
    double found[TEXTS] = {0}, first[SYMBOLS] = {0}, kinds = 0;
    (void)state;
    struct ub_dataset *d = load("pcfg:vocabulary=4,roots=2,rules=2,levels=2,samples=8000", 8, NULL);
    assert_int_equal(d->features, 3);
    assert_next_tokens(d, &d->train);
    for (int64_t i = 0; i < d->train.count; i++) {
        int text = (int)input(d, &d->train, i, 0);
        for (int64_t t = 0; t < 3; t++)
            text = text * SYMBOLS + label(d, &d->train, i, t);
        found[text]++;
    }
    for (int k = 0; k < TEXTS; k++) {
        kinds += found[k] > 0;
        first[k / (PAIRS * SYMBOLS)] += found[k] > 0 ? 1.0 / 16 : 0;
        if (found[k] > 0) /* five standard deviations of a count with mean 500 */
            assert_near(found[k], 500, 5 * sqrt(500));
    }
    assert_near(kinds, 16, 0);
    double entropy = log(16);
    for (int k = 0; k < SYMBOLS; k++)
        entropy += first[k] > 0 ? first[k] * log(first[k]) : 0;
    assert_near(d->entropy, entropy / 3, 1e-12);
    ub_dataset_free(d);
}

/* ---- Markov text ---- */

/* Frequencies of pairs in much text give the same entropy as the chain, within sampling error. */
static void markov_entropy_is_that_of_its_text(void **state)
{
    enum { N = 5 };
    double pairs[N][N] = {{0}}, rows[N] = {0}, total = 0, entropy = 0, start[N] = {0};
    (void)state;
    struct ub_dataset *d = load("markov:states=5,context=64,samples=4000", 9, NULL);
    assert_next_tokens(d, &d->train);
    for (int64_t i = 0; i < d->train.count; i++) {
        start[(int)input(d, &d->train, i, 0)]++;
        for (int64_t t = 0; t < 64; t++, total++) {
            pairs[(int)input(d, &d->train, i, t)][label(d, &d->train, i, t)]++;
            rows[(int)input(d, &d->train, i, t)]++;
        }
    }
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++)
            entropy -= pairs[a][b] > 0 ? pairs[a][b] / total * log(pairs[a][b] / rows[a]) : 0;
    assert_near(entropy, d->entropy, 0.01);
    for (int a = 0; a < N; a++) /* sequences start as they go on: stationary */
        assert_near(start[a] / 4000, rows[a] / total, 0.04);
    ub_dataset_free(d);
}

static void markov_concentration_sets_the_entropy(void **state)
{
    (void)state;
    struct ub_dataset *sharp = load("markov:concentration=0.02", 9, NULL);
    struct ub_dataset *flat = load("markov:concentration=1000", 9, NULL);
    assert_true(sharp->entropy > 0 && sharp->entropy < 0.5);
    assert_near(flat->entropy, log(16), 0.002);
    ub_dataset_free(sharp);
    ub_dataset_free(flat);
}

/* ---- text ---- */

static void text_windows_are_the_file(void **state)
{
    static const char bytes[] = "abcabdabcabeabcabfabcab";
    (void)state;
    char *folder = support_folder();
    support_write(folder, "x.txt", bytes, strlen(bytes));
    struct ub_dataset *d = load("text:file=x.txt,context=4,stride=3,validation=0.4", 0, folder);
    assert_int_equal(d->tokens, 6);
    assert_int_equal(d->outputs, 6);
    assert_int_equal(d->train.count, 4); /* 14 bytes: windows of 5 at 0, 3, 6, 9 */
    assert_int_equal(d->test.count, 2);  /* 9 bytes: at 14, 17 */
    assert_next_tokens(d, &d->train);
    assert_next_tokens(d, &d->test);
    for (int part = 0; part < 2; part++) {
        const struct ub_split *s = part ? &d->test : &d->train;
        for (int64_t i = 0; i < s->count; i++)
            for (int64_t t = 0; t < 4; t++) {
                const char *at = bytes + (part ? 14 : 0) + 3 * i + t;
                assert_int_equal((int)input(d, s, i, t), at[0] - 'a');
                assert_int_equal(label(d, s, i, t), at[1] - 'a');
            }
    }
    assert_true(isnan(d->entropy));
    ub_dataset_free(d);
    support_remove(folder);
}

/* 65 characters and 1,115,394 bytes, as counted with wc and Python's set. */
static void shakespeare_is_the_known_one(void **state)
{
    (void)state;
    const char *folder = support_real_data();
    struct ub_error err = {0};
    struct ub_dataset *d = folder ? ub_dataset_load("text", 0, folder, &err) : NULL;
    if (!d) {
        print_message("skipped: no tinyshakespeare\n");
        skip();
    }
    assert_int_equal(d->tokens, 65);
    assert_int_equal(d->train.count, (1115394 - 111539 - 65) / 64 + 1);
    assert_int_equal(d->test.count, (111539 - 65) / 64 + 1);
    assert_next_tokens(d, &d->test);
    ub_dataset_free(d);
}

/* ---- all of them ---- */

static const char *const generated[] = {
    "sorting",          "modular-addition", "sparse-parity", "in-context-regression",
    "random-hierarchy", "markov",           "pcfg",          "random-hierarchy:encoding=tokens",
};

static void seeds_decide(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof generated / sizeof *generated; k++) {
        struct ub_dataset *a = load(generated[k], 1, NULL), *b = load(generated[k], 1, NULL);
        struct ub_dataset *c = load(generated[k], 2, NULL);
        const size_t bytes = (size_t)(a->train.count * a->features) * sizeof(double);
        assert_memory_equal(a->train.inputs, b->train.inputs, bytes);
        assert_memory_not_equal(a->train.inputs, c->train.inputs, bytes);
        ub_dataset_free(a);
        ub_dataset_free(b);
        ub_dataset_free(c);
    }
}

static void inputs_may_be_the_targets(void **state)
{
    (void)state;
    struct ub_dataset *d = load("digits:size=50,target=inputs", 0, NULL);
    assert_int_equal(d->task, UB_REGRESSION);
    assert_int_equal(d->outputs, 64);
    assert_null(d->train.labels);
    assert_memory_equal(d->train.inputs, d->train.targets, 50 * 64 * sizeof(double));
    ub_dataset_free(d);
}

static void bad_calls_say_what_was_expected(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"sorting:length=1", "length=1; expected an integer from 2"},
        {"sorting:length=4096,samples=10000000", "samples of 8191"},
        {"modular-addition:p=1", "p=1; expected an integer from 2"},
        {"modular-addition:p=2,train-fraction=0.1", "train-fraction=0.1 of 4 pairs is none"},
        {"sparse-parity:bits=3,order=4", "order=4 of 3 bits; expected at most as many"},
        {"in-context-regression:pairs=1", "pairs=1; expected an integer from 2"},
        {"random-hierarchy:vocabulary=2,synonyms=4", "expected fewer rules"},
        {"random-hierarchy:layers=16,branching=16", "expected fewer levels"},
        {"pcfg:vocabulary=1000,branching=16,levels=1", "expected a smaller vocabulary"},
        {"pcfg:levels=1", "texts of two tokens; expected levels"},
        {"markov:states=1", "states=1; expected an integer from 2"},
        {"sorting:target=inputs", "target=inputs"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        assert_null(ub_dataset_load(cases[i].text, 0, NULL, &err));
        assert_null(strchr(err.text, '\n'));
        assert_input_error(&err, cases[i].part);
    }
}

static void bad_text_files_are_refused(void **state)
{
    struct ub_error err = {0};
    (void)state;
    char *folder = support_folder();
    assert_null(ub_dataset_load("text:file=no-such-file.txt", 0, folder, &err));
    assert_input_error(&err, "no-such-file.txt");
    support_write(folder, "empty.txt", "", 0);
    support_write(folder, "short.txt", "abcd", 4);
    assert_null(ub_dataset_load("text:file=empty.txt", 0, folder, &err));
    assert_input_error(&err, "empty.txt: 0 bytes to train on; expected more than 64");
    assert_null(ub_dataset_load("text:file=short.txt,context=4", 0, folder, &err));
    assert_input_error(&err, "short.txt: 4 bytes to train on; expected more than 4");
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_parts_are_sorted),
        cmocka_unit_test(addition_is_a_split_table),
        cmocka_unit_test(addition_encodings_agree),
        cmocka_unit_test(parity_is_of_the_first_bits),
        cmocka_unit_test(regression_is_linear),
        cmocka_unit_test(last_answer_is_the_last_of_all),
        cmocka_unit_test(hierarchy_of_one_level_is_a_table),
        cmocka_unit_test(hierarchy_has_as_many_texts_as_the_model_says),
        cmocka_unit_test(pcfg_entropy_is_that_of_its_texts),
        cmocka_unit_test(markov_entropy_is_that_of_its_text),
        cmocka_unit_test(markov_concentration_sets_the_entropy),
        cmocka_unit_test(text_windows_are_the_file),
        cmocka_unit_test(shakespeare_is_the_known_one),
        cmocka_unit_test(seeds_decide),
        cmocka_unit_test(inputs_may_be_the_targets),
        cmocka_unit_test(bad_calls_say_what_was_expected),
        cmocka_unit_test(bad_text_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
