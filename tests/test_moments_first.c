/* Gaussian clones of data, and the law about them. Oracles: moments by their definitions, normal
 * quantities, and models that by theorem cannot tell a clone, or learn nothing from it. */
#include "law_suite.h"
#include "loaded.h"

#include <math.h>

extern const struct ub_law ub_law_moments_first;

/* Mean of x_j, or of x_j x_k, over the training samples of a class. */
static double moment(const struct ub_dataset *d, int32_t label, int64_t j, int64_t k)
{
    double sum = 0, n = 0;
    for (int64_t i = 0; i < d->train.count; i++) {
        const double *x = d->train.inputs + i * d->features;
        if (d->train.labels[i] != label)
            continue;
        sum += k < 0 ? x[j] : x[j] * x[k];
        n++;
    }
    return sum / n;
}

static void clones_have_the_moments_of_their_classes(void **state)
{
    (void)state;
    struct ub_dataset *a = load("digits:scale=center,test=0.2", 3),
                      *b = load("digits:scale=center,test=0.2,clone=gaussian", 3);
    double off = 0, apart = 0;
    for (int32_t c = 0; c < 10; c += 3)
        for (int64_t j = 0; j < 64; j++) {
            off = fmax(off, fabs(moment(a, c, j, -1) - moment(b, c, j, -1)));
            for (int64_t k = j; k < 64; k += 5)
                off = fmax(off, fabs(moment(a, c, j, k) - moment(b, c, j, k)));
        }
    for (int64_t i = 0; i < a->train.count * a->features; i++)
        apart = fmax(apart, fabs(a->train.inputs[i] - b->train.inputs[i]));
    assert_oracle("law moments-first", "means and covariances of classes and of their clones", off,
                  1e-13);
    assert_true(apart > 0.5);
    assert_memory_equal(a->train.labels, b->train.labels,
                        (size_t)a->train.count * sizeof *a->train.labels);
    assert_memory_equal(a->test.inputs, b->test.inputs,
                        (size_t)(a->test.count * a->features) * sizeof *a->test.inputs);
    ub_dataset_free(a);
    ub_dataset_free(b);
}

/* Signs have fourth moment 1, normal ones 3: over 4,000 values of each of 12 features. */
static void clones_are_normal(void **state)
{
    (void)state;
    struct ub_dataset *d = load("sparse-parity:bits=12,samples=4000,clone=gaussian", 0);
    double fourth = 0;
    for (int64_t i = 0; i < d->train.count * 12; i++)
        fourth += pow(d->train.inputs[i], 4) / (double)(d->train.count * 12);
    assert_oracle("law moments-first", "the fourth moment of normals, in standard errors",
                  (fourth - 3) / sqrt(96.0 / (4000 * 12)), 5);
    ub_dataset_free(d);
}

static void what_has_no_clone(void **state)
{
    (void)state;
    struct ub_error err = {0};
    assert_null(ub_dataset_load("gaussian:clone=gaussian", 0, NULL, &err));
    assert_non_null(strstr(err.text, "without classes"));
    err = (struct ub_error){0};
    assert_null(ub_dataset_load("digits:size=100,clone=gaussian", 0, NULL, &err));
    assert_non_null(strstr(err.text, "expected more samples than numbers"));
}

/* A linear model under squared loss sees X'X and X'Y only, which are those of the clone. A parity
 * of three signs has the same means and covariances in both classes: its clone has nothing to
 * teach. */
static const char suite[] =
    "name: x\n"
    "defaults: {loss: mse, seed: 0..1, measure: {loss: {log-spaced: 30}}}\n"
    "runs:\n"
    "  - {model: linear, dataset: {digits: {scale: center, test: 0.2, clone: [none, gaussian]}},\n"
    "     steps: 200, optimizer: {gd: {lr: {relative: 0.1}}}, control: {moments-first: holds}}\n"
    "  - {model: {mlp: {widths: 64, activation: relu}}, loss: ce, dataset: {sparse-parity: {bits: "
    "8, order: "
    "3,\n"
    "     samples: 500, test-samples: 300, clone: [none, gaussian]}}, steps: 600,\n"
    "     optimizer: {adam: {lr: 0.01}}, control: {moments-first: fails}}\n";

static void controls_come_out_as_they_must(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(suite);
    struct ub_law_verdict *v = ub_law_verdict_new(&ub_law_moments_first, s.frame);
    assert_non_null(v);
    assert_int_equal(v->controls.count, 2);
    for (size_t g = 0; g < 2; g++)
        print_message("moments-first: %g +- %g %s\n", v->control_data[g].value,
                      v->control_data[g].se, v->control_data[g].why ? v->control_data[g].why : "");
    assert_int_equal(v->n_right, 2);
    assert_oracle("law moments-first", "1 of linear models, which see two moments, f32",
                  v->control_data[0].value - 1, 1e-4);
    ub_law_verdict_free(v);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clones_have_the_moments_of_their_classes),
        cmocka_unit_test(clones_are_normal),
        cmocka_unit_test(what_has_no_clone),
        cmocka_unit_test(controls_come_out_as_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
