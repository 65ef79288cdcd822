/* Bundled and generated data against known figures and closed forms, and the options that all
 * datasets share against the unprocessed data. Loaders of files: test_loaders.c. */
#include "support.h"

#include "datasets/datasets.h"

#include <lapacke.h>

static struct ub_dataset *load(const char *text, uint64_t seed)
{
    struct ub_error err = {0};
    struct ub_dataset *d = ub_dataset_load(text, seed, NULL, &err);
    if (!d)
        fail_msg("%s: %s", text, err.text);
    return d;
}

static void assert_same_numbers(const double *a, const double *b, int64_t n)
{
    assert_memory_equal(a, b, (size_t)n * sizeof *a);
}

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

/* ---- generated data ---- */

/* T_n(x) = cos(n acos x), where the generator uses the three-term recurrence. */
static void chebyshev_is_cosine_of_multiple_angle(void **state)
{
    (void)state;
    struct ub_dataset *d = load("chebyshev", 0);
    assert_int_equal(d->train.count, 20);
    assert_int_equal(d->task, UB_REGRESSION);
    assert_null(d->train.labels);
    assert_near(d->train.inputs[1] - d->train.inputs[0], 2.0 / 19, 1e-15);
    ub_dataset_free(d);
    for (int degree = 1; degree <= 20; degree++) {
        char text[64];
        snprintf(text, sizeof text, "chebyshev:degree=%d,points=33", degree);
        d = load(text, 0);
        assert_int_equal(d->features * d->outputs, 1);
        assert_true(d->train.inputs[0] == -1 && d->train.inputs[32] == 1);
        for (int i = 0; i < 33; i++) {
            assert_near(d->train.inputs[i], -1 + i / 16.0, 1e-15);
            assert_near(d->train.targets[i], cos(degree * acos(d->train.inputs[i])), 1e-12);
        }
        ub_dataset_free(d);
    }
}

/* Mean of x x' over the training inputs (which have mean 0), eigenvalues in falling order. */
static void covariance_eigenvalues(const struct ub_dataset *d, double *eigenvalues)
{
    const int64_t n = d->features;
    double *c = ub_calloc((size_t)(n * n), sizeof *c), rising[64];
    assert_true(n <= 64);
    for (int64_t i = 0; i < d->train.count; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t k = 0; k < n; k++)
                c[j * n + k] += d->train.inputs[i * n + j] * d->train.inputs[i * n + k] /
                                (double)d->train.count;
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (int)n, c, (int)n, rising), 0);
    for (int64_t k = 0; k < n; k++)
        eigenvalues[k] = rising[n - 1 - k];
    ub_free(c);
}

/* A sample eigenvalue's relative standard error is sqrt(2/N) = 1% here; 5% leaves room for the
 * repulsion of neighbours. */
static void gaussian_covariance_falls_as_planted(void **state)
{
    static const double alphas[] = {0.8, 1.5, 2.5};
    (void)state;
    for (int a = 0; a < 3; a++) {
        char text[96];
        snprintf(text, sizeof text, "gaussian:features=20,samples=20000,alpha=%g", alphas[a]);
        struct ub_dataset *d = load(text, 3);
        double eigenvalue[64], sx = 0, sy = 0, sxx = 0, sxy = 0;
        assert_near(d->theory_exponent, alphas[a], 0);
        covariance_eigenvalues(d, eigenvalue);
        for (int k = 0; k < 20; k++) {
            assert_near(eigenvalue[k] * pow(k + 1, alphas[a]), 1, 0.05);
            const double x = log(k + 1), y = log(eigenvalue[k]);
            sx += x, sy += y, sxx += x * x, sxy += x * y;
        }
        assert_near((20 * sxy - sx * sy) / (20 * sxx - sx * sx), -alphas[a], 0.02);
        ub_dataset_free(d);
    }
}

/* Least squares of the targets on the inputs; returns the residual's mean square. */
static double solve(const struct ub_dataset *d, double *coefficient)
{
    const int64_t n = d->train.count, p = d->features;
    double *x = ub_calloc((size_t)(n * p), sizeof *x), *y = ub_calloc((size_t)n, sizeof *y);
    double residual = 0;
    memcpy(x, d->train.inputs, (size_t)(n * p) * sizeof *x);
    memcpy(y, d->train.targets, (size_t)n * sizeof *y);
    assert_int_equal(LAPACKE_dgels(LAPACK_ROW_MAJOR, 'N', (int)n, (int)p, 1, x, (int)p, y, 1), 0);
    memcpy(coefficient, y, (size_t)p * sizeof *y);
    for (int64_t i = 0; i < n; i++) {
        double r = d->train.targets[i];
        for (int64_t k = 0; k < p; k++)
            r -= d->train.inputs[i * p + k] * coefficient[k];
        residual += r * r / (double)n;
    }
    ub_free(x);
    ub_free(y);
    return residual;
}

static void gaussian_teacher_is_the_planted_one(void **state)
{
    (void)state;
    struct ub_dataset *d = load("gaussian:features=12,samples=20000,alpha=1.2,beta=0.7", 5);
    double coefficient[12], variance = 0, square = 0;
    bool positive = false, negative = false;
    assert_near(solve(d, coefficient), 0, 1e-24);
    for (int k = 0; k < 12; k++)
        variance += pow(k + 1, -2 * 0.7 - 1.2);
    for (int k = 0; k < 12; k++) {
        assert_near(fabs(coefficient[k]) * sqrt(variance) * pow(k + 1, 0.7), 1, 1e-10);
        positive = positive || coefficient[k] > 0;
        negative = negative || coefficient[k] < 0;
    }
    assert_true(positive && negative);
    for (int64_t i = 0; i < d->train.count; i++)
        square += d->train.targets[i] * d->train.targets[i] / (double)d->train.count;
    assert_near(square, 1, 0.04); /* 4 standard errors, sqrt(2/N) each */
    ub_dataset_free(d);
}

/* Clean and noisy data of one seed differ by noise of the stated deviation only. */
static void check_noise(const char *clean_text, const char *noisy_text, double noise)
{
    struct ub_dataset *clean = load(clean_text, 9), *noisy = load(noisy_text, 9);
    const int64_t n = clean->train.count * clean->outputs;
    double mean = 0, square = 0;
    assert_same_numbers(clean->train.inputs, noisy->train.inputs,
                        clean->train.count * clean->features);
    for (int64_t i = 0; i < n; i++) {
        const double e = noisy->train.targets[i] - clean->train.targets[i];
        mean += e / (double)n;
        square += e * e / (double)n;
    }
    const double tolerance = 4 / sqrt((double)n);
    assert_near(mean / noise, 0, tolerance);
    assert_near(square / (noise * noise), 1, tolerance * sqrt(2));
    ub_dataset_free(clean);
    ub_dataset_free(noisy);
}

static void noise_is_as_stated(void **state)
{
    (void)state;
    check_noise("gaussian:outputs=2,features=5,samples=5000",
                "gaussian:outputs=2,features=5,samples=5000,noise=0.3", 0.3);
    check_noise("teacher-student:outputs=2,features=5,samples=5000",
                "teacher-student:outputs=2,features=5,samples=5000,noise=0.2", 0.2);
}

/* More samples of a seed begin with the same ones. */
static void gaussian_samples_are_a_prefix(void **state)
{
    (void)state;
    struct ub_dataset *few = load("gaussian:samples=50,noise=1", 2);
    struct ub_dataset *many = load("gaussian:samples=200,noise=1", 2);
    assert_same_numbers(few->train.inputs, many->train.inputs, 50 * few->features);
    assert_same_numbers(few->train.targets, many->train.targets, 50);
    ub_dataset_free(few);
    ub_dataset_free(many);
}

/* y = V tanh(W x) with W, V drawn here from the teacher's stream in turn, row by row. */
static void teacher_is_a_tanh_network(void **state)
{
    enum { F = 3, H = 4, N = 40 };
    (void)state;
    struct ub_dataset *d = load("teacher-student:features=3,teacher=4,samples=40,gain=1.5", 6);
    struct ub_random r = ub_random_stream(6, "data.teacher");
    double w[H][F], v[H], y[N], square = 0;
    for (int j = 0; j < H; j++)
        for (int k = 0; k < F; k++)
            w[j][k] = 1.5 * ub_random_normal(&r) / sqrt(F);
    for (int j = 0; j < H; j++)
        v[j] = 1.5 * ub_random_normal(&r) / sqrt(H);
    for (int i = 0; i < N; i++) {
        const double *x = d->train.inputs + i * F;
        y[i] = 0;
        for (int j = 0; j < H; j++)
            y[i] += v[j] * tanh(w[j][0] * x[0] + w[j][1] * x[1] + w[j][2] * x[2]);
        square += y[i] * y[i] / N;
    }
    for (int i = 0; i < N; i++)
        assert_near(d->train.targets[i], y[i] / sqrt(square), 1e-12);
    ub_dataset_free(d);
}

static void teacher_inputs_are_normal_and_depth_matters(void **state)
{
    (void)state;
    struct ub_dataset *d = load("teacher-student:features=6,samples=20000,teacher=8x8,gain=3", 1);
    double c[6], square = 0, eigenvalue[64];
    covariance_eigenvalues(d, eigenvalue);
    assert_near(eigenvalue[0], 1, 0.05);
    assert_near(eigenvalue[5], 1, 0.05);
    for (int64_t i = 0; i < d->train.count; i++)
        square += d->train.targets[i] * d->train.targets[i] / (double)d->train.count;
    assert_near(square, 1, 1e-12);
    assert_true(solve(d, c) > 0.05); /* far from linear */
    assert_true(isnan(d->theory_exponent));
    ub_dataset_free(d);
    d = load("teacher-student:features=6,samples=300,teacher=none", 1);
    assert_near(solve(d, c), 0, 1e-24);
    ub_dataset_free(d);
}

static void seeds_decide_generated_data(void **state)
{
    static const char *const texts[] = {"gaussian:samples=30", "teacher-student:samples=30",
                                        "digits:size=30,test=0.3", "chebyshev:size=10"};
    (void)state;
    for (int t = 0; t < 4; t++) {
        struct ub_dataset *a = load(texts[t], 11), *b = load(texts[t], 11), *c = load(texts[t], 12);
        const size_t bytes = (size_t)(a->train.count * a->features) * sizeof(double);
        const size_t targets = (size_t)(a->train.count * a->outputs) * sizeof(double);
        assert_memory_equal(a->train.inputs, b->train.inputs, bytes);
        assert_memory_equal(a->train.targets, b->train.targets, targets);
        assert_memory_not_equal(a->train.inputs, c->train.inputs, bytes);
        assert_memory_not_equal(a->train.targets, c->train.targets, targets);
        ub_dataset_free(a);
        ub_dataset_free(b);
        ub_dataset_free(c);
    }
    struct ub_dataset *a = load("digits", 11), *b = load("digits", 12);
    assert_same_numbers(a->train.inputs, b->train.inputs, 1797 * 64);
    ub_dataset_free(a);
    ub_dataset_free(b);
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
        cmocka_unit_test(chebyshev_is_cosine_of_multiple_angle),
        cmocka_unit_test(gaussian_covariance_falls_as_planted),
        cmocka_unit_test(gaussian_teacher_is_the_planted_one),
        cmocka_unit_test(noise_is_as_stated),
        cmocka_unit_test(gaussian_samples_are_a_prefix),
        cmocka_unit_test(teacher_is_a_tanh_network),
        cmocka_unit_test(teacher_inputs_are_normal_and_depth_matters),
        cmocka_unit_test(seeds_decide_generated_data),
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
