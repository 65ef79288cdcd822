/* Representations compared across runs. Oracles: the Gram matrix written out, the estimator of Song
 * et al. 2012 term by term, simulation of independent representations, rotations, and small suites
 * whose outcome a theorem says. */
#include "law_suite.h"
#include "observing.h"

#include "report/statistics/alignment.h"

#include <math.h>

extern const struct ub_law ub_law_representation_alignment;
extern const struct ub_law ub_law_representation_alignment_across;

/* ---- the observable ------------------------------------------------------------------------- */

static void expect_entries(const struct fixture *f, const struct ub_split *split, int64_t samples)
{
    const int last = ub_problem_hidden_count(f->problem) - 1;
    const int64_t width = ub_problem_hidden_width(f->problem, last);
    struct ub_error err = {0};
    struct ub_problem *p = ub_problem_on_inputs(f->problem, split->count, split->inputs, &err);
    double *h = ub_calloc((size_t)(split->count * width), sizeof *h);
    int64_t place = 0;
    double worst = 0;
    ub_problem_hidden(p, last, f->theta, h);
    for (int64_t i = 0; i < samples; i++)
        for (int64_t j = i + 1; j < samples; j++)
            worst =
                fmax(worst, fabs(value_of(f->recorded, 5, "representation-entry", place++) -
                                 tiny_dot(width, h + i * width, h + j * width) / (double)width));
    assert_oracle("observable representation", "products of activations", worst, 1e-14);
    assert_int_equal(count_rows(f->recorded, "representation-entry"), place);
    assert_true(fact(f->recorded, "representation.probe") > 0);
    ub_free(h);
    ub_problem_free(p);
}

static void entries_are_products_of_activations(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5"); /* 20 samples to train on, 7 to test */
    TRAIN(&f, 5, "representation:at=5,samples=6");
    expect_entries(&f, &f.data->train, 6);
    const double first = fact(f.recorded, "representation.probe");
    TRAIN(&f, 5, "representation:at=5,split=test");
    expect_entries(&f, &f.data->test, 7); /* all there are */
    assert_true(fact(f.recorded, "representation.probe") != first);
    fixture_free(&f);
    f = fixture_of(tiny_dataset(UB_REGRESSION, 9, 0, 3, 2), "linear", "mse", "gd:lr=0.1");
    TRAIN(&f, 0, "representation:at=0"); /* no hidden layer */
    assert_int_equal(f.recorded->n_rows, 0);
    fixture_free(&f);
}

/* ---- CKA ------------------------------------------------------------------------------------ */

enum { INPUTS = 12, UNITS = 40 };

/* HSIC_1 of Song et al. 2012, equation 5, with its three terms. */
static double hsic(const double *k, const double *l)
{
    const double n = INPUTS;
    double trace = 0, sum_k = 0, sum_l = 0, cross = 0;
    for (int i = 0; i < INPUTS; i++) {
        double row_k = 0, row_l = 0;
        for (int j = 0; j < INPUTS; j++) {
            if (i == j)
                continue;
            trace += k[i * INPUTS + j] * l[i * INPUTS + j];
            row_k += k[i * INPUTS + j];
            row_l += l[i * INPUTS + j];
        }
        sum_k += row_k;
        sum_l += row_l;
        cross += row_k * row_l;
    }
    return (trace + sum_k * sum_l / ((n - 1) * (n - 2)) - 2 * cross / (n - 2)) / (n * (n - 3));
}

static void draw(struct ub_random *r, double *h)
{
    for (int i = 0; i < INPUTS * UNITS; i++)
        h[i] = ub_random_normal(r);
}

static void gram_of(const double *h, double *gram)
{
    for (int i = 0; i < INPUTS; i++)
        for (int j = 0; j < INPUTS; j++)
            gram[i * INPUTS + j] = tiny_dot(UNITS, h + i * UNITS, h + j * UNITS);
}

static void cka_is_the_unbiased_one(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(1, "representation");
    double a[INPUTS * UNITS], b[INPUTS * UNITS], k[INPUTS * INPUTS], l[INPUTS * INPUTS];
    draw(&r, a);
    draw(&r, b);
    for (int i = 0; i < INPUTS * UNITS; i++)
        b[i] = 0.5 * a[i] + b[i] + 3; /* a shift of all */
    gram_of(a, k);
    gram_of(b, l);
    const double expected = hsic(k, l) / sqrt(hsic(k, k) * hsic(l, l));
    assert_true(expected > 0.05);
    ub_center_gram(k, INPUTS);
    ub_center_gram(l, INPUTS);
    assert_oracle("law representation-alignment, law representation-alignment-across",
                  "the unbiased estimator of Song et al. 2012, term by term",
                  ub_cka(k, l, INPUTS) - expected, 1e-12);
}

/* Reflections in planes make a rotation; scaled and shifted, the representation is the same. */
static void copies_are_alike(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(2, "representation");
    double a[INPUTS * UNITS], b[INPUTS * UNITS], k[INPUTS * INPUTS], l[INPUTS * INPUTS], v[UNITS];
    draw(&r, a);
    memcpy(b, a, sizeof b);
    for (int reflection = 0; reflection < 6; reflection++) {
        for (int u = 0; u < UNITS; u++)
            v[u] = ub_random_normal(&r);
        const double square = tiny_dot(UNITS, v, v);
        for (int i = 0; i < INPUTS; i++) {
            const double along = 2 * tiny_dot(UNITS, b + i * UNITS, v) / square;
            for (int u = 0; u < UNITS; u++)
                b[i * UNITS + u] -= along * v[u];
        }
    }
    for (int i = 0; i < INPUTS * UNITS; i++)
        b[i] = 7 * b[i] + (i % UNITS);
    gram_of(a, k);
    gram_of(b, l);
    ub_center_gram(k, INPUTS);
    ub_center_gram(l, INPUTS);
    assert_near(ub_cka(k, l, INPUTS), 1, 1e-12);
    assert_near(ub_cka_p(k, l, INPUTS, 199), 1.0 / 200, 1e-15);
}

/* Over independent pairs: no bias, where the plain one (Gram matrices centered, diagonals kept) is
 * far above 0; and a test at 5% rejects in 5%. */
static void independent_ones_are_not(void **state)
{
    (void)state;
    enum { PAIRS = 1000 };
    struct ub_random r = ub_random_stream(3, "representation");
    double a[INPUTS * UNITS], b[INPUTS * UNITS], k[INPUTS * INPUTS], l[INPUTS * INPUTS];
    double sum = 0, square = 0;
    int rejected = 0;
    for (int pair = 0; pair < PAIRS; pair++) {
        draw(&r, a);
        draw(&r, b);
        gram_of(a, k);
        gram_of(b, l);
        ub_center_gram(k, INPUTS);
        ub_center_gram(l, INPUTS);
        const double c = ub_cka(k, l, INPUTS);
        sum += c;
        square += c * c;
        rejected += ub_cka_p(k, l, INPUTS, 39) <= 0.05;
    }
    const double mean = sum / PAIRS, se = sqrt((square / PAIRS - mean * mean) / PAIRS);
    print_message("independent: mean CKA %.4f +- %.4f, rejected at 5%%: %.3f\n", mean, se,
                  (double)rejected / PAIRS);
    assert_true(fabs(mean) < 4 * se && se < 0.01);
    assert_near((double)rejected / PAIRS, 0.05, 4 * sqrt(0.05 * 0.95 / PAIRS));
}

/* Of all pairs of two finite populations, pairs of one with itself included, the identity that
 * makes "more alike within a model than across" no finding is exact. */
static void within_against_across_is_an_identity(void **state)
{
    (void)state;
    enum { RUNS = 5, LENGTH = 7 };
    struct ub_random r = ub_random_stream(4, "representation");
    double k[2][RUNS][LENGTH], mean[2][LENGTH] = {{0}}, within = 0, across = 0, distance = 0;
    for (int m = 0; m < 2; m++)
        for (int i = 0; i < RUNS; i++) {
            for (int e = 0; e < LENGTH; e++)
                k[m][i][e] = ub_random_normal(&r);
            const double norm = tiny_norm(LENGTH, k[m][i]);
            for (int e = 0; e < LENGTH; e++)
                mean[m][e] += (k[m][i][e] /= norm) / RUNS;
        }
    for (int i = 0; i < RUNS; i++)
        for (int j = 0; j < RUNS; j++) {
            within += (tiny_dot(LENGTH, k[0][i], k[0][j]) + tiny_dot(LENGTH, k[1][i], k[1][j])) / 2;
            across += tiny_dot(LENGTH, k[0][i], k[1][j]);
        }
    for (int e = 0; e < LENGTH; e++)
        distance += pow(mean[0][e] - mean[1][e], 2);
    assert_oracle("law representation-alignment-across",
                  "the identity of alignment within and across",
                  (within - across) / (RUNS * RUNS) - distance / 2, 1e-14);
}

/* ---- means over pairs ----------------------------------------------------------------------- */

/* Pairs x_i x_j of units x ~ N(1, 1/4): their mean is 1. */
static double coverage(size_t m)
{
    enum { DRAWS = 2000 };
    struct ub_random r = ub_random_stream(m, "pairs");
    int covered = 0;
    for (int d = 0; d < DRAWS; d++) {
        double x[8], pair[64];
        for (size_t i = 0; i < m; i++)
            x[i] = 1 + ub_random_normal(&r) / 2;
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < m; j++)
                pair[i * m + j] = x[i] * x[j];
        const struct ub_interval mean = ub_pair_mean(pair, m);
        covered += mean.low <= 1 && 1 <= mean.high;
    }
    print_message("%zu units: covers in %.3f\n", m, (double)covered / DRAWS);
    return (double)covered / DRAWS;
}

static void pairs_are_as_independent_as_units(void **state)
{
    (void)state;
    const double pair[9] = {9, 1, 2, 1, 9, 6, 2, 6, 9};
    const struct ub_interval mean = ub_pair_mean(pair, 3);
    assert_near(mean.estimate, 3, 1e-15);
    /* Without each unit: 6, 2, 1, whose mean is 3: squares 9 + 1 + 4, times 2/3. */
    assert_near(mean.se, sqrt(14 * 2.0 / 3), 1e-14);
    assert_true(isnan(ub_pair_mean(pair, 2).estimate));
    for (size_t m = 3; m <= 8; m += m == 3 ? 1 : 4)
        assert_true(coverage(m) > 0.88);
}

/* ---- the laws ------------------------------------------------------------------------------- */

/* Where the objective of a linear network with decay is least, W_1'W_1 is that of the product's
 * singular modes alone: representations of all seeds and widths are rotated copies, CKA 1. Shuffled
 * labels of their own leave nothing to agree on. */
static const char controls[] =
    "name: x\n"
    "defaults:\n"
    "  model: [{mlp: {widths: [16, 24]}}, {mlp: {widths: 32x32}}]\n"
    "  dataset: {digits: {classes: 0x1, scale: center, target: shuffled}}\n"
    "  loss: mse\n"
    "  steps: 600\n"
    "  optimizer: {adam: {lr: 0.003}}\n"
    "  measure: {representation: {at: [0, end], samples: 20}}\n"
    "  control: {representation-alignment: fails, representation-alignment-across: fails}\n"
    "runs:\n"
    "  - {seed: 0, data-seed: 1}\n"
    "  - {seed: 1, data-seed: 2}\n"
    "  - {seed: 2, data-seed: 3}\n"
    "  - model: {deep-linear: {widths: [12, 16, 24]}}\n"
    "    dataset: {digits: {size: 60, scale: center}}\n"
    "    precision: f64\n"
    "    steps: 150\n"
    "    seed: 0..2\n"
    "    optimizer: {lbfgs: {lr: 1, l2: 0.02}}\n"
    "    control: {representation-alignment: holds, representation-alignment-across: holds}\n";

static void controls_come_out_as_they_must(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(controls);
    const struct ub_law *const laws[] = {&ub_law_representation_alignment,
                                         &ub_law_representation_alignment_across};
    for (int l = 0; l < 2; l++) {
        struct ub_law_verdict *v = ub_law_verdict_new(laws[l], s.frame);
        assert_non_null(v);
        assert_int_equal(v->controls.count, l == 0 ? 6 : 2);
        for (size_t g = 0; g < v->controls.count; g++)
            print_message("%s: %g +- %g %s\n", laws[l]->name, v->control_data[g].value,
                          v->control_data[g].se, v->control_data[g].why ? "silent" : "");
        assert_int_equal(v->n_right, v->controls.count);
        ub_law_verdict_free(v);
    }
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_products_of_activations),
        cmocka_unit_test(cka_is_the_unbiased_one),
        cmocka_unit_test(copies_are_alike),
        cmocka_unit_test(independent_ones_are_not),
        cmocka_unit_test(within_against_across_is_an_identity),
        cmocka_unit_test(pairs_are_as_independent_as_units),
        cmocka_unit_test(controls_come_out_as_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
