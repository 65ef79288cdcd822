/* The bundled data against known figures, and the options that all datasets share against the
 * unprocessed data. Generated data: test_generated.c; loaders of files: test_loaders.c. */
#include "loaded.h"

static void assert_one_hot(const struct ub_dataset *d, const struct ub_split *s)
{
    for (int64_t i = 0; i < s->count; i++)
        for (int64_t o = 0; o < d->outputs; o++)
            assert_true(s->targets[i * d->outputs + o] == (s->labels[i] == o ? 1 : 0));
}

/* ---- digits ---- */

/* Counts and sums computed from the file with Python's gzip and int. */
static void digits_are_the_known_ones(void **state)
{
    static const int64_t counts[10] = {178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
    static const double sums[10] = {56415, 57007, 55566, 56151, 56239,
                                    55915, 56336, 54289, 57408, 56392};
    (void)state;
    struct ub_dataset *d = load("digits", 0);
    int64_t count[10] = {0};
    double sum[10] = {0}, squares = 0, column = 0;
    assert_int_equal(d->task, UB_CLASSIFICATION);
    assert_int_equal(d->train.count, 1797);
    assert_int_equal(d->test.count, 0);
    assert_int_equal(d->rank, 3);
    assert_int_equal(d->shape[0] * 10000 + d->shape[1] * 100 + d->shape[2], 10808);
    assert_int_equal(d->features, 64);
    assert_int_equal(d->outputs, 10);
    assert_true(isnan(d->theory_exponent));
    for (int64_t i = 0; i < 1797; i++) {
        count[d->train.labels[i]]++;
        column += 16 * d->train.inputs[i * 64 + 36];
        for (int64_t k = 0; k < 64; k++) {
            const double x = d->train.inputs[i * 64 + k];
            assert_true(x >= 0 && x <= 1);
            sum[d->train.labels[i]] += 16 * x;
            squares += 256 * x * x;
        }
    }
    for (int c = 0; c < 10; c++) {
        assert_int_equal(count[c], counts[c]);
        assert_near(sum[c], sums[c], 1e-6);
    }
    assert_near(squares, 6907012, 1e-6);
    assert_near(column, 18512, 1e-6);
    assert_int_equal(d->train.labels[0], 0);
    assert_int_equal(d->train.labels[1796], 8);
    assert_one_hot(d, &d->train);
    ub_dataset_free(d);
}

/* ---- options of all datasets ---- */

static void classes_are_kept_and_renumbered(void **state)
{
    static const int32_t wanted[] = {7, 2, 0};
    (void)state;
    struct ub_dataset *all = load("digits", 0), *d = load("digits:classes=7x2x0", 0);
    int64_t at = 0;
    assert_int_equal(d->outputs, 3);
    assert_int_equal(d->train.count, 179 + 177 + 178);
    for (int64_t i = 0; i < all->train.count; i++)
        for (int32_t c = 0; c < 3; c++)
            if (all->train.labels[i] == wanted[c]) {
                assert_int_equal(d->train.labels[at], c);
                assert_same_numbers(d->train.inputs + at * 64, all->train.inputs + i * 64, 64);
                at++;
            }
    assert_int_equal(at, d->train.count);
    assert_one_hot(d, &d->train);
    ub_dataset_free(all);
    ub_dataset_free(d);
}

/* Points of chebyshev:points=201 are -1 + i/100: the index can be read off. */
static int64_t index_of(double x)
{
    return llround(100 * (x + 1));
}

static void size_takes_the_first_of_a_permutation(void **state)
{
    (void)state;
    struct ub_dataset *d = load("chebyshev:points=201,size=120", 4);
    struct ub_dataset *fewer = load("chebyshev:points=201,size=50", 4);
    bool seen[201] = {false}, in_order = true;
    assert_int_equal(d->train.count, 120);
    for (int64_t i = 0; i < 120; i++) {
        const int64_t k = index_of(d->train.inputs[i]);
        assert_false(seen[k]);
        seen[k] = true;
        in_order = in_order && (i == 0 || d->train.inputs[i] > d->train.inputs[i - 1]);
        assert_near(d->train.targets[i], cos(4 * acos(d->train.inputs[i])), 1e-12);
    }
    assert_false(in_order);
    assert_same_numbers(d->train.inputs, fewer->train.inputs, 50);
    ub_dataset_free(d);
    ub_dataset_free(fewer);
    d = load("digits:size=1797", 4);
    fewer = load("digits", 4);
    assert_same_numbers(d->train.inputs, fewer->train.inputs, 1797 * 64);
    ub_dataset_free(d);
    ub_dataset_free(fewer);
}

/* Each of 10 points is the one kept in about 200 of 2000 seeds (standard deviation 13.4). */
static void every_sample_is_as_likely(void **state)
{
    int count[10] = {0};
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct ub_dataset *d = load("chebyshev:points=10,size=1", seed);
        count[llround((d->train.inputs[0] + 1) * 4.5)]++;
        ub_dataset_free(d);
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(count[i], 140, 260);
}

static void held_out_samples_are_the_rest(void **state)
{
    (void)state;
    struct ub_dataset *d = load("chebyshev:points=201,test=0.25", 8);
    int seen[201] = {0};
    assert_int_equal(d->test.count, 50);
    assert_int_equal(d->train.count, 151);
    for (int64_t i = 0; i < 151; i++)
        seen[index_of(d->train.inputs[i])]++;
    for (int64_t i = 0; i < 50; i++)
        seen[index_of(d->test.inputs[i])]++;
    for (int i = 0; i < 201; i++)
        assert_int_equal(seen[i], 1);
    ub_dataset_free(d);
    d = load("digits:size=100,test=0.1,classes=1x8", 8);
    assert_int_equal(d->train.count, 90);
    assert_int_equal(d->test.count, 10);
    assert_one_hot(d, &d->train);
    assert_one_hot(d, &d->test);
    ub_dataset_free(d);
}

static void standardized_features_have_mean_0_deviation_1(void **state)
{
    (void)state;
    struct ub_dataset *d = load("digits:scale=standardize", 0);
    for (int k = 0; k < 64; k++) {
        double mean = 0, square = 0;
        for (int64_t i = 0; i < 1797; i++) {
            mean += d->train.inputs[i * 64 + k] / 1797;
            square += d->train.inputs[i * 64 + k] * d->train.inputs[i * 64 + k] / 1797;
        }
        const bool constant = k == 0 || k == 32 || k == 39; /* known: 0 in every image */
        assert_near(mean, 0, 1e-12);
        assert_near(square, constant ? 0 : 1, constant ? 0 : 1e-12);
    }
    ub_dataset_free(d);
}

/* Statistics by two passes over the unscaled training split; both splits must follow them. */
static void check_scale(const char *how, bool divide, bool global)
{
    char text[96];
    struct ub_dataset *raw = load("digits:size=600,test=0.25", 5);
    snprintf(text, sizeof text, "digits:size=600,test=0.25,scale=%s", how);
    struct ub_dataset *d = load(text, 5);
    double mean[64] = {0}, deviation[64] = {0}, all = 0, spread = 0;
    const double n = (double)raw->train.count;
    for (int64_t i = 0; i < raw->train.count * 64; i++)
        mean[i % 64] += raw->train.inputs[i] / n;
    for (int k = 0; k < 64; k++)
        all += mean[k] / 64;
    for (int64_t i = 0; i < raw->train.count * 64; i++) {
        const double off = raw->train.inputs[i] - mean[i % 64], from = raw->train.inputs[i] - all;
        deviation[i % 64] += off * off / n;
        spread += from * from / (64 * n);
    }
    for (int split = 0; split < 2; split++) {
        const struct ub_split *before = split ? &raw->test : &raw->train;
        const struct ub_split *after = split ? &d->test : &d->train;
        assert_int_equal(before->count, after->count);
        for (int64_t i = 0; i < before->count * 64; i++) {
            const int64_t k = i % 64;
            const double off = before->inputs[i] - (global ? all : mean[k]);
            const double by = divide ? sqrt(global ? spread : deviation[k]) : 1;
            assert_near(after->inputs[i], by > 0 ? off / by : 0, 1e-11);
        }
    }
    ub_dataset_free(raw);
    ub_dataset_free(d);
}

static void scales_use_training_statistics(void **state)
{
    (void)state;
    check_scale("center", false, false);
    check_scale("standardize", true, false);
    check_scale("global", true, true);
}

/* ---- registry ---- */

static void every_source_is_described_and_found(void **state)
{
    (void)state;
    for (size_t i = 0; ub_dataset_sources[i]; i++) {
        const struct ub_dataset_source *s = ub_dataset_sources[i];
        assert_ptr_equal(ub_dataset_find(s->name), s);
        assert_true(*s->summary && *s->citation && s->load);
        for (const struct ub_option *o = s->options; o && o->key; o++)
            for (const struct ub_option *c = ub_dataset_common_options; c->key; c++)
                assert_true(*o->help && strcmp(o->key, c->key) != 0);
        if (s->needs_files)
            continue;
        struct ub_dataset *d = load(s->name, 0);
        assert_true(d->train.count > 0 && d->features > 0 && d->outputs > 0);
        int64_t product = 1;
        for (int k = 0; k < d->rank; k++)
            product *= d->shape[k];
        assert_int_equal(product, d->features);
        for (int64_t k = 0; k < d->train.count * d->features; k++)
            assert_true(isfinite(d->train.inputs[k]));
        for (int64_t k = 0; k < d->train.count * ub_target_width(d); k++)
            assert_true(isfinite(d->train.targets[k]));
        ub_dataset_free(d);
    }
    assert_null(ub_dataset_find("nothing"));
    ub_dataset_free(NULL);
}

static void canonical_text_is_one(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *label = NULL;
    char *text =
        ub_dataset_canonical("digits:test=0.50,size=0100,scale=none", "here", &label, &err);
    assert_string_equal(text, "digits:classes=none,scale=none,size=100,target=labels,test=0.5");
    assert_string_equal(label, "digits:size=100,test=0.5");
    struct ub_dataset *d = load(text, 0);
    assert_string_equal(d->name, text);
    char *again = ub_dataset_canonical(text, "here", NULL, &err);
    assert_string_equal(again, text);
    ub_free(again);
    ub_free(text);
    ub_free(label);
    ub_dataset_free(d);
}

static void bad_calls_say_what_was_expected(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"digit", "dataset: unknown dataset 'digit'; did you mean 'digits'?"},
        {"zzzzzzzzzzz", "unknown dataset 'zzzzzzzzzzz'; 'unibench list datasets' shows them"},
        {"digits:sise=3", "has no option 'sise'; did you mean 'size'?"},
        {"digits:size=-1", "size=-1; expected an integer"},
        {"digits:size=99999999999999999999", "expected an integer"},
        {"digits:size=1798", "digits: size=1798; expected at most 1797"},
        {"digits:classes=1x2,size=360", "size=360; expected at most 359"},
        {"digits:classes=10", "class 10; expected 0 to 9"},
        {"digits:classes=3", "digits: one class; expected two at least, to tell apart"},
        {"digits:classes=3x3", "class 3 twice; expected it once"},
        {"digits:classes=-3", "class -3; expected 0 to 9"},
        {"digits:classes=0x", "class ; expected 0 to 9"},
        {"digits:classes=cat", "class cat; expected 0 to 9"},
        {"digits:scale=bleach", "scale=bleach; expected one of none, center"},
        {"digits:test=0.995", "test=0.995; expected a number from 0 to 0.99"},
        {"digits:test=nan", "test=nan; expected a number"},
        {"digits:size=3,test=0.1", "test=0.1 holds out 0 of 3 samples; expected one at least"},
        {"digits:size=1,test=0.9", "test=0.9 holds out 1 of 1 samples; expected one at least"},
        {"chebyshev:classes=1x2", "chebyshev: classes=1x2 on a regression task; expected none"},
        {"chebyshev:degree=0", "degree=0; expected an integer from 1 to 20"},
        {"gaussian:samples=100000000,features=1000000", "gaussian: 100000000 samples of 1000000"},
        {"gaussian:samples=1,features=1000000,outputs=10000", "expected a teacher of less than"},
        {"teacher-student:teacher=10000x10000x10000",
         "weights in the teacher; expected at most 134217728"},
        {"teacher-student:teacher=1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1", "17 layers in the teacher"},
        {"csv:label=y", "csv needs file"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        assert_null(ub_dataset_load(cases[i].text, 0, NULL, &err));
        assert_null(strchr(err.text, '\n'));
        assert_input_error(&err, cases[i].part);
    }
    struct ub_error err = {0};
    assert_null(ub_dataset_canonical("digits:size=x", "quick.yaml:12", NULL, &err));
    assert_input_error(&err, "quick.yaml:12: digits: size=x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_the_known_ones),
        cmocka_unit_test(classes_are_kept_and_renumbered),
        cmocka_unit_test(size_takes_the_first_of_a_permutation),
        cmocka_unit_test(every_sample_is_as_likely),
        cmocka_unit_test(held_out_samples_are_the_rest),
        cmocka_unit_test(standardized_features_have_mean_0_deviation_1),
        cmocka_unit_test(scales_use_training_statistics),
        cmocka_unit_test(every_source_is_described_and_found),
        cmocka_unit_test(canonical_text_is_one),
        cmocka_unit_test(bad_calls_say_what_was_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
