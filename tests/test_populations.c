/* Test sets drawn from the population, what is planted in it, and bases of functions on samples. */
#include "loaded.h"

#include <math.h>
#include <string.h>

static size_t bytes_of(const struct ub_dataset *d, const struct ub_split *split)
{
    return (size_t)(split->count * d->features) * sizeof(double);
}

static bool has_option(const struct ub_dataset_source *source, const char *key)
{
    for (const struct ub_option *o = source->options; o && o->key; o++)
        if (strcmp(o->key, key) == 0)
            return true;
    return false;
}

/* Every source that draws samples: the test set has the size asked for, is the same whatever is
 * trained on, changes nothing of the training set, and shares no input with it by construction. */
static void test_sets_do_not_depend_on_training_sets(void **state)
{
    (void)state;
    int sources = 0;
    for (size_t i = 0; ub_dataset_sources[i]; i++) {
        const struct ub_dataset_source *source = ub_dataset_sources[i];
        if (!has_option(source, "test-samples"))
            continue;
        const char *name = source->name,
                   *size = has_option(source, "points") ? "points" : "samples";
        char text[3][80];
        snprintf(text[0], sizeof *text, "%s:%s=20,test-samples=17", name, size);
        snprintf(text[1], sizeof *text, "%s:%s=50,test-samples=17", name, size);
        snprintf(text[2], sizeof *text, "%s:%s=50", name, size);
        struct ub_dataset *d[3];
        for (int k = 0; k < 3; k++)
            d[k] = load(text[k], 4);
        assert_int_equal(d[0]->test.count, 17);
        assert_int_equal(d[0]->train.count, 20);
        assert_memory_equal(d[0]->test.inputs, d[1]->test.inputs, bytes_of(d[0], &d[0]->test));
        assert_memory_equal(d[1]->train.inputs, d[2]->train.inputs, bytes_of(d[1], &d[1]->train));
        assert_memory_equal(d[1]->train.targets, d[2]->train.targets,
                            (size_t)(50 * ub_target_width(d[1])) * sizeof(double));
        assert_memory_not_equal(d[1]->train.inputs, d[1]->test.inputs, bytes_of(d[1], &d[1]->test));
        for (int k = 0; k < 3; k++)
            ub_dataset_free(d[k]);
        sources++;
    }
    print_message("%d sources\n", sources);
    assert_true(sources >= 9);
}

/* The same law: second moments of inputs within 5 standard errors sqrt(2/N), the teacher exact. */
static void fresh_samples_follow_the_planted_law(void **state)
{
    (void)state;
    enum { N = 20000, D = 5 };
    struct ub_dataset *d =
        load("gaussian:features=5,samples=10,alpha=1.2,outputs=2,noise=0,test-samples=20000", 3);
    const struct ub_planted *p = d->population;
    assert_non_null(p);
    assert_near(d->noise, 0, 0);
    double power[2] = {0};
    for (int k = 0; k < D; k++) {
        double square = 0;
        assert_near(p->variance[k], pow(k + 1, -1.2), 1e-15);
        for (int i = 0; i < N; i++)
            square += pow(d->test.inputs[i * D + k], 2) / N;
        assert_near(square / p->variance[k], 1, 5 * sqrt(2.0 / N));
        for (int o = 0; o < 2; o++)
            power[o] += p->variance[k] * pow(p->coefficient[k * 2 + o], 2);
    }
    assert_near(power[0], 1, 1e-12);
    assert_near(power[1], 1, 1e-12);
    for (int i = 0; i < N; i++)
        for (int o = 0; o < 2; o++) {
            double y = 0;
            for (int k = 0; k < D; k++)
                y += p->coefficient[k * 2 + o] * d->test.inputs[i * D + k];
            assert_near(d->test.targets[i * 2 + o], y, 1e-12);
        }
    ub_dataset_free(d);
}

/* Data online draw what a test set is drawn by: from its streams, the same samples, bit by bit, and
 * whatever was in the place of a batch before. */
static void samples_online_are_those_of_test_sets(void **state)
{
    (void)state;
    static const char *const texts[] = {"gaussian:features=6,outputs=2,noise=0.3",
                                        "committee:features=6,units=3,noise=0.3"};
    for (int k = 0; k < 2; k++) {
        char text[128];
        snprintf(text, sizeof text, "%s,samples=4,test-samples=30,online=true", texts[k]);
        struct ub_dataset *d = load(text, 3);
        struct ub_split s = {.count = 30};
        const int64_t width = ub_target_width(d);
        s.inputs = ub_calloc(30 * 6, sizeof(double));
        s.targets = ub_calloc((size_t)(30 * width), sizeof(double));
        s.targets[0] = 7;
        struct ub_random inputs = ub_random_stream(3, "data.test"),
                         noise = ub_random_stream(3, "data.test-noise");
        d->fresh(d, &inputs, &noise, &s);
        assert_memory_equal(s.inputs, d->test.inputs, 30 * 6 * sizeof(double));
        assert_memory_equal(s.targets, d->test.targets, (size_t)(30 * width) * sizeof(double));
        ub_free(s.inputs);
        ub_free(s.targets);
        ub_dataset_free(d);
        snprintf(text, sizeof text, "%s,samples=4", texts[k]);
        d = load(text, 3);
        assert_null(d->fresh);
        ub_dataset_free(d);
    }
}

/* Test targets have the noise that the facts state: its mean square within 5 sqrt(2/N). */
static void test_targets_are_as_noisy(void **state)
{
    (void)state;
    enum { N = 20000 };
    static const char *const texts[] = {"gaussian:features=4,samples=10",
                                        "teacher-student:samples=10"};
    for (int k = 0; k < 2; k++) {
        char text[2][96];
        snprintf(text[0], sizeof *text, "%s,test-samples=20000,noise=0", texts[k]);
        snprintf(text[1], sizeof *text, "%s,test-samples=20000,noise=0.5", texts[k]);
        struct ub_dataset *clean = load(text[0], 3), *noisy = load(text[1], 3);
        double square = 0;
        assert_near(noisy->noise, 0.5, 0);
        for (int i = 0; i < N; i++)
            square += pow(noisy->test.targets[i] - clean->test.targets[i], 2) / N;
        assert_near(square / 0.25, 1, 5 * sqrt(2.0 / N));
        ub_dataset_free(clean);
        ub_dataset_free(noisy);
    }
}

/* What was planted is not said of other inputs or targets. */
static void populations_are_forgotten_with_their_inputs(void **state)
{
    (void)state;
    static const char *const changed[] = {"gaussian:samples=30,scale=standardize",
                                          "gaussian:samples=30,target=inputs",
                                          "gaussian:samples=30,target=basis"};
    for (int k = 0; k < 3; k++) {
        struct ub_dataset *d = load(changed[k], 1);
        assert_null(d->population);
        ub_dataset_free(d);
    }
    struct ub_dataset *d = load("gaussian:samples=30,test=0.5", 1);
    assert_non_null(d->population);
    ub_dataset_free(d);
    d = load("digits:size=30", 1);
    assert_null(d->population);
    assert_true(isnan(d->noise));
    ub_dataset_free(d);
}

/* M functions on M samples, orthogonal over train and test together, of mean square 1. */
static void bases_are_orthonormal(void **state)
{
    (void)state;
    static const char *const texts[] = {"digits:size=41,test=0.6,target=basis",
                                        "gaussian:samples=20,test-samples=21,target=basis",
                                        "digits:size=41,target=basis"};
    for (int k = 0; k < 3; k++) {
        struct ub_dataset *d = load(texts[k], 2);
        const int64_t M = d->outputs;
        assert_int_equal(M, 41);
        assert_int_equal(d->task, UB_REGRESSION);
        assert_null(d->train.labels);
        double worst = 0;
        for (int64_t a = 0; a < M; a++)
            for (int64_t b = 0; b < M; b++) {
                double sum = 0;
                for (int64_t i = 0; i < M; i++) {
                    const bool test = i >= d->train.count;
                    const double *row = test ? d->test.targets + (i - d->train.count) * M
                                             : d->train.targets + i * M;
                    sum += row[a] * row[b];
                }
                worst = fmax(worst, fabs(sum - (a == b ? (double)M : 0)));
            }
        print_message("%s: %.1e from orthonormal\n", texts[k], worst / (double)M);
        assert_true(worst < 1e-12 * (double)M);
        ub_dataset_free(d);
    }
}

/* The same targets and labels in another order, moved together; inputs and test set as they were.
 */
static void shuffled_targets_are_the_same_ones(void **state)
{
    (void)state;
    static const char *const texts[] = {"digits:size=60,test=0.5",
                                        "gaussian:samples=30,test-samples=9"};
    for (int k = 0; k < 2; k++) {
        char text[80];
        snprintf(text, sizeof text, "%s,target=shuffled", texts[k]);
        struct ub_dataset *d = load(texts[k], 2), *s = load(text, 2);
        const int64_t n = d->train.count, width = ub_target_width(d);
        const size_t row = (size_t)width * sizeof(double);
        bool used[64] = {false};
        int moved = 0;
        assert_memory_equal(d->train.inputs, s->train.inputs, bytes_of(d, &d->train));
        assert_memory_equal(d->test.targets, s->test.targets, (size_t)d->test.count * row);
        for (int64_t i = 0; i < n; i++) {
            int64_t from = 0;
            while (from < n && (used[from] || memcmp(s->train.targets + i * width,
                                                     d->train.targets + from * width, row) != 0))
                from++;
            assert_true(from < n);
            used[from] = true;
            moved += memcmp(s->train.targets + i * width, d->train.targets + i * width, row) != 0;
            if (d->train.labels)
                assert_true(s->train.targets[i * width + s->train.labels[i]] == 1);
        }
        assert_true(moved > n / 2);
        ub_dataset_free(d);
        ub_dataset_free(s);
    }
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"digits:test-samples=5", "test-samples"},
        {"modular-addition:test-samples=5", "test-samples"},
        {"gaussian:test-samples=5,test=0.5", "both test and test-samples"},
        {"gaussian:test-samples=-1", "test-samples"},
        {"sorting:target=basis", "target=basis of tokens"},
        {"gaussian:features=1000,test-samples=100000000", "too many"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        assert_null(ub_dataset_load(cases[i][0], 0, NULL, &err));
        assert_int_equal(err.code, UB_INPUT);
        if (!strstr(err.text, cases[i][1]))
            fail_msg("'%s' does not say '%s'", err.text, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_do_not_depend_on_training_sets),
        cmocka_unit_test(fresh_samples_follow_the_planted_law),
        cmocka_unit_test(samples_online_are_those_of_test_sets),
        cmocka_unit_test(test_targets_are_as_noisy),
        cmocka_unit_test(populations_are_forgotten_with_their_inputs),
        cmocka_unit_test(bases_are_orthonormal),
        cmocka_unit_test(shuffled_targets_are_the_same_ones),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
