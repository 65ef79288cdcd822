/* Samples to learn a hierarchy: the network that is matched to it against sums by hand, and the law
 * on planted errors whose samples needed are known. */
#include "law_suite.h"
#include "tiny.h"

#include "datasets/datasets.h"

#include <math.h>

extern const struct ub_law ub_law_hierarchy_samples;

/* ---- the network ---------------------------------------------------------------------------- */

enum { BRANCHING = 3, LEAVES = 9, LEAF = 2, WIDTH = 4, SAMPLES = 5, CLASSES = 3 };

static const double *param(const struct ub_problem *p, const double *theta, const char *name)
{
    const struct ub_layout *layout = ub_problem_layout(p);
    for (int64_t i = 0; i < layout->count; i++)
        if (strcmp(layout->params[i].name, name) == 0)
            return theta + layout->params[i].offset;
    fail_msg("no parameter %s", name);
    return NULL;
}

/* out[i] = tanh(bias + W [in[3i], in[3i + 1], in[3i + 2]]), each entry summed on its own. */
static void layer_by_hand(const double *in, int64_t each, int64_t positions, const double *weight,
                          const double *bias, bool shared, double *out)
{
    const int64_t window = BRANCHING * each;
    for (int64_t i = 0; i < positions; i++)
        for (int64_t k = 0; k < WIDTH; k++) {
            const int64_t unit = (shared ? 0 : i * WIDTH) + k;
            double sum = bias[unit];
            for (int64_t j = 0; j < window; j++)
                sum += weight[unit * window + j] * in[i * window + j];
            out[i * WIDTH + k] = tanh(sum);
        }
}

static void check_by_hand(bool shared)
{
    struct ub_dataset *d =
        tiny_dataset(UB_CLASSIFICATION, SAMPLES, 0, (int64_t)LEAVES * LEAF, CLASSES);
    char model[96];
    snprintf(model, sizeof model, "tree-cnn:branching=3,depth=2,width=4,activation=tanh,shared=%s",
             shared ? "true" : "false");
    struct ub_problem *p = tiny_problem(d, model, "mse");
    assert_non_null(p);
    const int64_t n = ub_problem_size(p);
    const int64_t first = WIDTH * (BRANCHING * LEAF + 1), second = WIDTH * (BRANCHING * WIDTH + 1);
    assert_int_equal(n, (shared ? 1 : 3) * first + second + CLASSES * (WIDTH + 1));
    double *theta = tiny_normals(n, "theta"), got[SAMPLES * CLASSES];
    ub_problem_outputs(p, theta, got);
    double worst = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double h1[3 * WIDTH], h2[WIDTH];
        layer_by_hand(d->train.inputs + (size_t)i * LEAVES * LEAF, LEAF, 3,
                      param(p, theta, "conv1.weight"), param(p, theta, "conv1.bias"), shared, h1);
        layer_by_hand(h1, WIDTH, 1, param(p, theta, "conv2.weight"), param(p, theta, "conv2.bias"),
                      shared, h2);
        for (int c = 0; c < CLASSES; c++) {
            double y = param(p, theta, "fc.bias")[c];
            for (int k = 0; k < WIDTH; k++)
                y += param(p, theta, "fc.weight")[c * WIDTH + k] * h2[k];
            worst = fmax(worst, fabs(y - got[i * CLASSES + c]));
        }
    }
    print_message("shared=%d: off by %g\n", shared, worst);
    assert_true(worst < 1e-13);
    ub_free(theta);
    ub_problem_free(p);
    tiny_free(d);
}

static void outputs_are_the_sums_by_hand(void **state)
{
    (void)state;
    check_by_hand(true);
    check_by_hand(false);
}

/* A leaf reaches its own window's units and no others. */
static void windows_do_not_overlap(void **state)
{
    (void)state;
    for (int leaf = 0; leaf < LEAVES; leaf++) {
        double hidden[2][SAMPLES * 3 * WIDTH];
        for (int changed = 0; changed < 2; changed++) {
            struct ub_dataset *d =
                tiny_dataset(UB_CLASSIFICATION, SAMPLES, 0, (int64_t)LEAVES * LEAF, CLASSES);
            d->train.inputs[leaf * LEAF] += changed; /* of the first sample */
            struct ub_problem *p =
                tiny_problem(d, "tree-cnn:branching=3,depth=2,width=4,activation=tanh", "mse");
            assert_string_equal(ub_problem_hidden_name(p, 0), "hidden1");
            assert_int_equal(ub_problem_hidden_width(p, 0), 3 * WIDTH);
            double *theta = tiny_normals(ub_problem_size(p), "theta");
            ub_problem_hidden(p, 0, theta, hidden[changed]);
            ub_free(theta);
            ub_problem_free(p);
            tiny_free(d);
        }
        for (int i = 0; i < SAMPLES * 3 * WIDTH; i++)
            assert_int_equal(hidden[0][i] != hidden[1][i], i / WIDTH == leaf / BRANCHING);
    }
}

static void data_that_are_no_tree_are_refused(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *d = tiny_dataset(UB_CLASSIFICATION, 4, 0, 18, 3);
    struct ub_problem_spec spec = {.model = "tree-cnn:depth=2", .loss = "ce", .data = d};
    assert_null(ub_problem_new(&spec, &err));
    assert_input_error(&err,
                       "18 numbers a sample; expected a multiple of branching^depth, 4 leaves");
    spec.model = "tree-cnn:branching=16,depth=16";
    err = (struct ub_error){0};
    assert_null(ub_problem_new(&spec, &err));
    assert_input_error(&err, "expected a multiple");
    tiny_free(d);
}

/* ---- where the power comes from ------------------------------------------------------------- */

enum { SYMBOLS = 16, GRAMMARS = 20 };

/* Mean square over symbols a and classes c of P(c | a) - 1/n_c, a the first of a text of one level,
 * by enumeration: n_c m texts, each of them seen many times over. */
static double correlation(int roots, int m, uint64_t seed)
{
    struct ub_error err = {0};
    char text[128];
    snprintf(text, sizeof text,
             "random-hierarchy:layers=1,vocabulary=16,roots=%d,synonyms=%d,samples=%d", roots, m,
             40 * roots * m);
    struct ub_dataset *d = ub_dataset_load(text, seed, NULL, &err);
    if (!d)
        fail_msg("%s", err.text);
    bool is_text[SYMBOLS][SYMBOLS][SYMBOLS] = {{{false}}};
    for (int64_t i = 0; i < d->train.count; i++) {
        const double *x = d->train.inputs + i * d->features;
        int symbol[2] = {0, 0};
        for (int k = 0; k < 2 * SYMBOLS; k++)
            symbol[k / SYMBOLS] += x[k] > 0 ? k % SYMBOLS : 0;
        is_text[symbol[0]][d->train.labels[i]][symbol[1]] = true;
    }
    double square = 0;
    int texts = 0, seen = 0;
    for (int a = 0; a < SYMBOLS; a++) {
        double of[SYMBOLS] = {0}, all = 0;
        for (int c = 0; c < roots; c++)
            for (int b = 0; b < SYMBOLS; b++)
                of[c] += is_text[a][c][b];
        for (int c = 0; c < roots; c++)
            all += of[c];
        texts += (int)all;
        seen += all > 0;
        for (int c = 0; c < roots && all > 0; c++)
            square += pow(of[c] / all - 1.0 / roots, 2);
    }
    assert_int_equal(texts, roots * m);
    ub_dataset_free(d);
    return square / (seen * roots);
}

/* Two levels: a pair at the bottom stands for a symbol a of v, as one of its m synonyms, and is in
 * P/(v m) of P texts; it tells of the class what a does, which is seen where it is above the noise
 * of so few, (1 - 1/n_c)/n_c over their number. Counts of rules about their mean m/v being those of
 * independent draws, this is at P = n_c m^2 (Cagnetta et al. 2023, section 4), but for parts of
 * 1/v and of v/(n_c m), the fluctuation of the number of rules that have a. */
static void correlations_are_seen_from_there_on(void **state)
{
    (void)state;
    const double roots = 16;
    double worst = 0;
    for (int m = 4; m <= 16; m *= 2) {
        double signal = 0;
        for (uint64_t seed = 0; seed < GRAMMARS; seed++)
            signal += correlation(16, m, seed) / GRAMMARS;
        const double needed = SYMBOLS * m * (1 - 1 / roots) / roots / signal;
        const double off = needed / (roots * m * m) - 1;
        print_message("m = %d: %.4g samples, over n_c m^2 %.3f\n", m, needed, 1 + off);
        worst = fmax(worst, fabs(off) / (1.0 / SYMBOLS + SYMBOLS / (roots * m)));
    }
    assert_oracle(
        "law hierarchy-samples",
        "enumerated grammars: signal of a pair over its noise, in parts of 1/v + v/(n_c m)", worst,
        1);
}

/* ---- the law -------------------------------------------------------------------------------- */

enum { SIZES = 5, DRAWS = 3 };
static const int synonyms[] = {2, 4, 8};

/* Errors go down in a straight line of log P, through a tenth of 7/8 at P = needed. */
static double error_at(double samples, double needed)
{
    return fmax(0, fmin(0.875, 0.0875 - 0.2 * log2(samples / needed)));
}

static void write_planted(const char *folder, int m, double needed, int size, uint64_t draw)
{
    struct ub_error err = {0};
    const int64_t samples = 8 * m * m * (INT64_C(1) << size);
    char text[160];
    snprintf(text, sizeof text,
             "random-hierarchy:layers=2,vocabulary=16,synonyms=%d,samples=%lld,test-samples=1000",
             m, (long long)samples);
    char *dataset = ub_registry_canonical(&ub_dataset_registry, text, "test", NULL, &err);
    char *model = ub_registry_canonical(&ub_model_registry, "tree-cnn", "test", NULL, &err);
    char *measures[] = {(char *)"accuracy"};
    const struct ub_run_spec spec = {.dataset = dataset,
                                     .model = model,
                                     .loss = (char *)"ce",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)"gd:lr=0.1",
                                     .steps = 10 * m,
                                     .data_seed = draw,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
    if (!w)
        fail_msg("%s", err.text);
    ub_run_writer_add(w, 10 * m, "test-accuracy", 0, 1 - error_at((double)samples, needed),
                      (double)NAN);
    ub_run_writer_fact(w, "samples", (double)samples);
    const struct ub_pair provenance[] = {{(char *)"unibench", (char *)"test"}};
    if (!ub_run_writer_commit(w, UB_RUN_OK, "", provenance, 1, &err))
        fail_msg("%s", err.text);
    ub_free(dataset);
    ub_free(model);
}

/* P* = constant x m^power, and each draw's its own multiple of it. */
static struct ub_datum planted(double constant, double power)
{
    struct ub_error err = {0};
    struct law_suite s = {.folder = support_folder()};
    char *path = ub_path(s.folder, "S");
    if (!ub_make_folders(path, &err) || !ub_store_lock(path, false, &err))
        fail_msg("%s", err.text);
    for (size_t k = 0; k < sizeof synonyms / sizeof *synonyms; k++)
        for (int size = 0; size < SIZES; size++)
            for (uint64_t draw = 0; draw < DRAWS; draw++)
                write_planted(path, synonyms[k],
                              constant * pow(synonyms[k], power) * (1 + 0.1 * (double)draw), size,
                              draw);
    s.store = ub_store_open(path, &err);
    s.frame = s.store ? ub_frame_new(s.store, &err) : NULL;
    if (!s.frame)
        fail_msg("%s", err.text);
    ub_free(path);
    assert_int_equal(law_suite_applies(&s, &ub_law_hierarchy_samples), 3 * SIZES * DRAWS);
    const struct ub_datum d =
        law_suite_datum(&s, &ub_law_hierarchy_samples, "dataset", "random-hierarchy");
    if (!d.why && power == 2)
        law_suite_draws(&s, "hierarchy.png");
    law_suite_free(&s);
    return d;
}

static void planted_samples_are_read(void **state)
{
    (void)state;
    const struct ub_claim *is = &ub_law_hierarchy_samples.is;
    struct ub_datum d = planted(8 * 2.7, 2);
    assert_null(d.why);
    assert_oracle("law hierarchy-samples", "planted samples needed, 2.7 n_c m^2", d.value - 2,
                  1e-9);
    assert_near(d.se, 0, 1e-9);
    assert_near(d.prediction, 2, 0);
    assert_true(ub_datum_meets(is, &d));
    d = planted(8 * 1.25, 3); /* a share of all texts: what a shallow network needs */
    assert_near(d.value, 3, 1e-9);
    assert_false(ub_datum_meets(is, &d));
    d = planted(8 * 1.8, 3); /* at eight synonyms beyond all sizes */
    assert_string_equal(d.why, "some draw is not learned between two of its sizes");
    d = planted(8 * 0.9, 2); /* below the least */
    assert_non_null(d.why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_the_sums_by_hand),
        cmocka_unit_test(windows_do_not_overlap),
        cmocka_unit_test(data_that_are_no_tree_are_refused),
        cmocka_unit_test(correlations_are_seen_from_there_on),
        cmocka_unit_test(planted_samples_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
