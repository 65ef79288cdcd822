/* Spectra of weights against noise, and their tails. Oracles: eigenvalues of W'W by another routine
 * and the distance by its definition, frequencies of rejection over seeds, planted weights. */
#include "law_suite.h"
#include "observing.h"

#include "bench/spectra/random_matrix.h"

#include <math.h>

extern const struct ub_law ub_law_weight_noise, ub_law_weight_tails;

static const char network[] = "mlp:widths=30x24";

static const struct ub_param *second_weight(const struct fixture *f)
{
    const struct ub_param *w = &ub_problem_layout(f->problem)->params[2];
    assert_string_equal(w->name, "fc2.weight");
    assert_int_equal(w->shape[0], 24);
    assert_int_equal(w->shape[1], 30);
    return w;
}

/* sup |F - F_MP| at the steps of F, with W W'/30's eigenvalues. */
static double distance_by_definition(const double *w)
{
    double gram[24 * 24], values[24], square = 0, most = 0;
    for (int a = 0; a < 24; a++)
        for (int b = 0; b < 24; b++)
            gram[a * 24 + b] = tiny_dot(30, w + a * 30, w + b * 30) / 30;
    for (int a = 0; a < 24; a++)
        square += gram[a * 24 + a] / 24;
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', 24, gram, 24, values), 0);
    for (int k = 0; k < 24; k++) {
        const double cdf = ub_mp_cdf(values[k], 24.0 / 30, square);
        most = fmax(most, fmax(fabs(cdf - k / 24.0), fabs(cdf - (k + 1) / 24.0)));
    }
    return most;
}

static void distance_is_as_defined(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 0, 4, 3), network, "ce", "gd:lr=0.5");
    TRAIN(&f, 3, "weight-noise:at=0+3");
    const struct ub_param *w = second_weight(&f);
    const double start = value_of(f.recorded, 0, "noise-distance.fc2.weight", 0) -
                         distance_by_definition(f.theta0 + w->offset),
                 end = value_of(f.recorded, 3, "noise-distance.fc2.weight", 0) -
                       distance_by_definition(f.theta + w->offset);
    assert_oracle("law weight-noise, observable weight-noise",
                  "the distance by its definition, from dense eigenvalues",
                  fmax(fabs(start), fabs(end)), 1e-10);
    assert_near(value_of(f.recorded, 0, "noise-distance.fc2.weight", 3), 24, 0);
    assert_near(value_of(f.recorded, 0, "noise-distance.fc3.weight", 3), 3, 0);
    assert_int_equal(f.recorded->n_rows, 2 * 3 * 4);
    fixture_free(&f);
}

/* Starts of normal and of uniform entries: rejected at 5% in 5%; the critical value of independent
 * draws, 1.36/sqrt(24), would reject none. */
static double rejected(const char *init, int *independent)
{
    enum { SEEDS = 150 };
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 20, 0, 4, 3);
    struct ub_error err = {0};
    struct ub_problem *p = ub_problem_new(
        &(struct ub_problem_spec){
            .model = network, .loss = "ce", .init = init, .data = data, .precision = UB_F64},
        &err);
    struct fixture f = fixture_from(data, p, "gd:lr=0.5");
    const char *texts[] = {"weight-noise:every=1"};
    struct ub_observers *o = ub_observers_new(texts, 1, "test", &err);
    int count = 0;
    *independent = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
        ub_problem_init(f.problem, (uint64_t)seed, f.theta);
        measure(&f, o, seed, SEEDS);
        count += value_of(f.recorded, seed, "noise-distance.fc2.weight", 2) <= 0.05;
        *independent +=
            value_of(f.recorded, seed, "noise-distance.fc2.weight", 0) > 1.36 / sqrt(24);
    }
    ub_observers_free(o);
    fixture_free(&f);
    print_message("%s: rejected at 5%%: %.3f; %d by critical values of independent draws\n", init,
                  (double)count / SEEDS, *independent);
    return (double)count / SEEDS;
}

static void noise_is_rejected_as_often_as_it_says(void **state)
{
    (void)state;
    int independent;
    /* The null is 199 draws: the level it has is itself known to 0.015. */
    const double bound = 4 * sqrt(0.05 * 0.95 / 150) + 2 * sqrt(0.05 * 0.95 / 199);
    assert_oracle("law weight-noise", "noise rejected at 5%, normal starts",
                  rejected("lecun", &independent) - 0.05, bound);
    assert_int_equal(independent, 0);
    assert_oracle("law weight-noise", "noise rejected at 5%, uniform starts",
                  rejected("pytorch", &independent) - 0.05, bound);
    assert_int_equal(independent, 0);
}

/* Orthonormal rows have all singular values 1. A linear network fitted to a planted teacher has its
 * weights, +-k^-b: squared singular values about k^-2b, alpha about 1 + 1/(2b) = 3. Rates that move
 * nothing leave noise. */
static const char suite[] =
    "name: x\n"
    "defaults: {loss: mse, dataset: {digits: {size: 60, scale: center}}, seed: 0..1, steps: 1,\n"
    "  optimizer: {gd: {lr: {relative: 0.000001}}}, model: {mlp: {widths: 40x30}}}\n"
    "runs:\n"
    "  - {init: lecun, measure: {weight-noise: {at: [0, end]}, weight-spectrum: {at: [0, end]}}, "
    "control: {weight-noise: holds, weight-tails: fails}}\n"
    "  - {init: orthogonal, measure: {weight-noise: {at: 0}}, control: {weight-noise: fails}}\n"
    "  - {model: {linear: {bias: false}}, precision: f64, steps: 200, optimizer: {lbfgs: {lr: "
    "1}},\n"
    "     dataset: {gaussian: {samples: 150, features: 60, outputs: 60, alpha: 0.5, beta: 0.25}},\n"
    "     measure: {weight-noise: {at: end}, weight-spectrum: {at: end}}, control: {weight-tails: "
    "holds}}\n";

static void controls_come_out_as_they_must(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *const laws[] = {&ub_law_weight_noise, &ub_law_weight_tails};
    for (int l = 0; l < 2; l++) {
        struct ub_law_verdict *v = ub_law_verdict_new(laws[l], s.frame);
        assert_non_null(v);
        for (size_t g = 0; g < v->controls.count; g++)
            print_message("%s: %g +- %g %s\n", laws[l]->name, v->control_data[g].value,
                          v->control_data[g].se,
                          v->control_data[g].why ? v->control_data[g].why : "");
        assert_int_equal(v->controls.count, 2);
        assert_int_equal(v->n_right, 2);
        ub_law_verdict_free(v);
    }
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_is_as_defined),
        cmocka_unit_test(noise_is_rejected_as_often_as_it_says),
        cmocka_unit_test(controls_come_out_as_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
