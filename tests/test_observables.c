/* Scalars, sharpness and edge ratio on tiny problems: against sums by hand and dense Hessians. */
#include "metrics.h"
#include "observing.h"

#include <math.h>

static void sharpness_is_the_top_of_the_hessian(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    TRAIN(&f, 8, "sharpness:at=8,top=3,tolerance=1e-8");
    double *expected = dense_spectrum(&f, NULL);
    double worst = 0;
    for (int64_t i = 0; i < 3; i++)
        worst = fmax(worst, fabs(value_of(f.recorded, 8, "sharpness", i) - expected[i]));
    assert_oracle("observable sharpness", "dense eigenvalues of the Hessian, of the largest",
                  worst / expected[0], 1e-8);
    assert_int_equal(count_rows(f.recorded, "sharpness"), 3);
    assert_near(value_of(f.recorded, 8, "edge-ratio", 0), expected[0] * 0.5 / 2, 1e-8);
    assert_near(find_row(f.recorded, 8, "edge-ratio", 0)->error,
                find_row(f.recorded, 8, "sharpness", 0)->error * 0.5 / 2, 1e-18);
    assert_near(fact(f.recorded, "measurements.sharpness"), 1, 0);
    assert_near(fact(f.recorded, "unconverged.sharpness"), 0, 0);
    ub_free(expected);
    fixture_free(&f);
}

static void more_eigenvalues_than_parameters_are_all(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 9, 0, 2, 1), "linear", "mse", "gd:lr=0.1");
    assert_int_equal(f.size, 3);
    TRAIN(&f, 0, "sharpness:at=0,top=10,tolerance=1e-8", "hessian-spectrum:tolerance=1e-8");
    double *expected = dense_spectrum(&f, NULL);
    assert_spectrum(f.recorded, 0, "sharpness", expected, 3, 1e-6);
    assert_spectrum(f.recorded, 0, "hessian-spectrum", expected, 3, 1e-6);
    assert_int_equal(count_rows(f.recorded, "hessian-exponent"), 0); /* too few to fit */
    ub_free(expected);
    fixture_free(&f);
}

/* 2/lr, 2(1 + beta)/lr, (2 + 2 beta)/(lr(1 + 2 beta)) */
static void edge_ratio_is_relative_to_each_optimizers_threshold(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"gd:lr=0.1", "heavy-ball:lr=0.1,beta=0.5",
                                             "nesterov:lr=0.1,beta=0.5"};
    const double thresholds[] = {20, 30, 15};
    double worst = 0;
    for (int i = 0; i < 3; i++) {
        struct fixture f = fixture_new(optimizers[i]);
        TRAIN(&f, 0, "edge-ratio:at=0,tolerance=1e-9");
        double *expected = dense_spectrum(&f, NULL);
        const struct ub_row *row = find_row(f.recorded, 0, "edge-ratio", 0);
        assert_non_null(row);
        worst = fmax(worst, fabs(row->value - expected[0] / thresholds[i]));
        assert_true(row->error > 0 && row->error <= 1e-9 * expected[0] / thresholds[i]);
        assert_int_equal(f.recorded->n_rows, 1);
        ub_free(expected);
        fixture_free(&f);
    }
    assert_oracle("law edge-of-stability, observable edge-ratio",
                  "dense Hessians over three optimizers' thresholds", worst, 1e-9);
}

/* Coupled decay adds l2 to every eigenvalue, and the schedule moves the threshold. */
static void edge_ratio_is_of_the_objective_at_the_rate_of_the_moment(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.05,l2=0.3,schedule=linear");
    TRAIN(&f, 50, "sharpness:at=50,tolerance=1e-8", "edge-ratio:at=50,tolerance=1e-8");
    double *dense = dense_spectrum(&f, NULL);
    assert_near(f.optimizer->lr, 0.025, 1e-15); /* halfway through 100 steps */
    assert_near(value_of(f.recorded, 50, "sharpness", 0), dense[0] + 0.3, 1e-6);
    assert_near(value_of(f.recorded, 50, "edge-ratio", 0), (dense[0] + 0.3) / 80, 1e-8);
    ub_free(dense);
    fixture_free(&f);
}

static void set_metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    (void)grad;
    for (int64_t i = 0; i < o->size; i++)
        m->values[i] = (o->lr > 100 ? -1.0 : 0.1) + 0.03 * (double)i;
}

/* An optimizer with a preconditioner and no known edge: P^-1 H, and no edge ratio. */
static void preconditioned_sharpness_is_the_generalized_problems(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.1");
    const struct ub_optimizer_kind *gd = f.optimizer->kind;
    struct ub_optimizer_kind kind = kind_with_metric(gd, set_metric);
    kind.threshold = NULL;
    f.optimizer->kind = &kind;
    double *diagonal = ub_calloc((size_t)f.size, sizeof *diagonal);
    metric_diagonal(f.optimizer, f.theta, f.grad, diagonal);
    TRAIN(&f, 4, "sharpness:every=4,top=3,tolerance=1e-8", "edge-ratio:every=1");
    double *expected = dense_spectrum(&f, diagonal);
    assert_spectrum(f.recorded, 4, "sharpness", expected, 3, 1e-8 * expected[0]);
    assert_int_equal(count_rows(f.recorded, "edge-ratio"), 0);
    assert_near(fact(f.recorded, "measurements.sharpness"), 2, 0);

    kind.threshold = gd->threshold; /* 2/lr = 20 */
    TRAIN(&f, 0, "sharpness:every=4,tolerance=1e-8");
    assert_near(value_of(f.recorded, 0, "edge-ratio", 0),
                value_of(f.recorded, 0, "sharpness", 0) / 20, 1e-15);

    struct ub_error err = {0};
    const char *const texts[] = {"sharpness"};
    struct ub_observers *o = ub_observers_new(texts, 1, "test", &err);
    struct ub_record record = {.context = f.recorded, .add = add_row, .fact = add_fact};
    const struct ub_moment moment = {
        .theta = f.theta, .problem = f.problem, .optimizer = f.optimizer};
    f.optimizer->lr = 1000; /* makes set_metric's first entry negative */
    assert_false(ub_observers_measure(o, &moment, 0, &record, &err));
    assert_non_null(strstr(err.text, "entry 0 of its preconditioner is -1"));
    ub_observers_free(o);
    f.optimizer->kind = gd;
    ub_free(diagonal);
    ub_free(expected);
    fixture_free(&f);
}

/* ---- shared work ---- */

static void asking_twice_costs_once(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.1");
    static const char sharp[] = "sharpness:every=2,top=2", edge[] = "edge-ratio:every=1";
    TRAIN(&f, 6, sharp);
    const double products = fact(f.recorded, "hvps.sharpness");
    const int64_t before = ub_problem_hvps(f.problem);
    assert_int_equal(count_rows(f.recorded, "edge-ratio"), 4); /* comes with it */
    assert_int_equal(count_rows(f.recorded, "sharpness"), 8);
    assert_near((double)before, products, 0);

    TRAIN(&f, 6, "edge-ratio:every=2", sharp);
    assert_near(fact(f.recorded, "hvps.sharpness"), products, 0);
    assert_int_equal(ub_problem_hvps(f.problem) - before, (int64_t)products);
    assert_int_equal(count_rows(f.recorded, "edge-ratio"), 4);
    assert_int_equal(count_rows(f.recorded, "sharpness"), 8);

    const char *const both[][2] = {{edge, sharp}, {sharp, edge}};
    for (int i = 0; i < 2; i++) { /* in either order */
        TRAIN(&f, 6, both[i][0], both[i][1]);
        assert_int_equal(count_rows(f.recorded, "edge-ratio"), 7);
        assert_int_equal(count_rows(f.recorded, "sharpness"), 8);
        assert_near(fact(f.recorded, "measurements.sharpness"), 7, 0);
        for (int64_t step = 0; step <= 6; step += 2)
            assert_near(value_of(f.recorded, step, "edge-ratio", 0),
                        value_of(f.recorded, step, "sharpness", 0) / 20, 1e-15);
    }
    TRAIN(&f, 6, edge);
    assert_int_equal(f.recorded->n_rows, 7);
    fixture_free(&f);
}

static void the_most_exact_demand_counts(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.1");
    TRAIN(&f, 0, "edge-ratio:at=0,tolerance=1e-9", "sharpness:at=0,top=2,tolerance=0.1");
    double *expected = dense_spectrum(&f, NULL);
    assert_spectrum(f.recorded, 0, "sharpness", expected, 2, 1e-9 * expected[0]);
    ub_free(expected);
    fixture_free(&f);
}

/* ---- scalars ---- */

static void scalars_are_what_their_names_say(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    TRAIN(&f, 4, "loss:every=2", "accuracy:every=4", "gradient-norm:at=4", "distance:at=0+4");
    double loss, accuracy, test_loss, test_accuracy, squares = 0, start = 0, travelled = 0;
    ub_problem_evaluate(f.problem, false, f.theta, &loss, &accuracy);
    ub_problem_evaluate(f.problem, true, f.theta, &test_loss, &test_accuracy);
    for (int64_t i = 0; i < f.size; i++) {
        squares += f.grad[i] * f.grad[i];
        start += f.theta0[i] * f.theta0[i];
        travelled += pow(f.theta[i] - f.theta0[i], 2);
    }
    const struct recorded *r = f.recorded;
    assert_oracle("observable loss", "the problem's own over all samples",
                  fmax(fabs(value_of(r, 4, "loss", 0) - loss),
                       fabs(value_of(r, 4, "test-loss", 0) - test_loss)),
                  1e-14);
    assert_oracle("observable accuracy", "the problem's own over all samples",
                  fmax(fabs(value_of(r, 4, "accuracy", 0) - accuracy),
                       fabs(value_of(r, 4, "test-accuracy", 0) - test_accuracy)),
                  0);
    assert_oracle("observable gradient-norm", "a sum by hand",
                  value_of(r, 4, "gradient-norm", 0) - sqrt(squares), 1e-14);
    assert_oracle("observable distance", "sums by hand",
                  fmax(fabs(value_of(r, 4, "distance", 0) - sqrt(travelled)),
                       fabs(value_of(r, 4, "relative-distance", 0) - sqrt(travelled / start))),
                  1e-14);
    assert_near(value_of(r, 0, "distance", 0), 0, 0);
    assert_true(isnan(find_row(r, 4, "loss", 0)->error));
    assert_int_equal(count_rows(r, "loss"), 3);
    assert_int_equal(count_rows(r, "test-loss"), 3);
    assert_int_equal(count_rows(r, "accuracy"), 2);
    assert_int_equal(r->n_rows, 3 + 3 + 2 + 2 + 1 + 2 + 2);
    TRAIN(&f, 0, "loss:test=false", "accuracy:test=false");
    assert_int_equal(f.recorded->n_rows, 2);
    fixture_free(&f);
}

static void norms_do_not_overflow(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, 3, 0, 1, 1), "linear:bias=false",
                                  "mse", "gd:lr=0.1");
    assert_int_equal(f.size, 1);
    struct ub_error err = {0};
    const char *const texts[] = {"distance"};
    struct ub_observers *o = ub_observers_new(texts, 1, "test", &err);
    f.theta[0] = 3e200;
    f.theta0[0] = -1e200;
    measure(&f, o, 0, 0);
    assert_near(value_of(f.recorded, 0, "distance", 0), 4e200, 1e185);
    assert_near(value_of(f.recorded, 0, "relative-distance", 0), 4, 1e-14);
    f.recorded->n_rows = 0;
    f.theta[0] = -2;
    f.theta0[0] = 0; /* relative to nothing: no row */
    measure(&f, o, 0, 0);
    assert_near(value_of(f.recorded, 0, "distance", 0), 2, 0);
    assert_int_equal(f.recorded->n_rows, 1);
    f.recorded->n_rows = 0;
    f.theta[0] = NAN;
    measure(&f, o, 0, 0);
    assert_true(isnan(value_of(f.recorded, 0, "distance", 0)));
    ub_observers_free(o);
    fixture_free(&f);
}

static void rows_that_a_system_does_not_have_are_left_out(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, 9, 4, 4, 2), mlp, "mse", "gd:lr=0.1");
    TRAIN(&f, 2, "accuracy:every=1", "loss:at=0");
    assert_int_equal(f.recorded->n_rows, 2);
    assert_non_null(find_row(f.recorded, 0, "test-loss", 0));
    fixture_free(&f);
    f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 9, 0, 4, 2), mlp, "ce", "gd:lr=0.1");
    TRAIN(&f, 0, "accuracy", "loss");
    assert_int_equal(f.recorded->n_rows, 2);
    fixture_free(&f);
}

/* Mean of rho over the second half at steps that `every` divides and leave `rest` over 2 (-1: all).
 */
static double mean_ratio(const struct recorded *r, int64_t every, int rest)
{
    double sum = 0;
    int64_t count = 0;
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct ub_row *row = &r->rows[i];
        const bool counts =
            row->step > 600 && row->step % every == 0 && (rest < 0 || row->step % 2 == rest);
        if (!counts || strcmp(r->names[i], "edge-ratio") != 0)
            continue;
        sum += row->value;
        count++;
    }
    return sum / (double)count;
}

/* Steps of one length end in an orbit of period two, whose sides have sharpnesses a third apart: an
 * even interval sees one, an odd one both. */
static void odd_intervals_see_both_sides_of_an_orbit(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct fixture f = fixture_of(ub_dataset_load("chebyshev", 0, NULL, &err), "mlp:widths=8",
                                  "mse", "signsgd:lr=0.01");
    TRAIN(&f, 1200, "edge-ratio:every=1");
    const double all = mean_ratio(f.recorded, 1, -1);
    print_message("rho: even steps %.3f, odd %.3f, all %.3f, every 10 %.3f, every 15 %.3f\n",
                  mean_ratio(f.recorded, 1, 0), mean_ratio(f.recorded, 1, 1), all,
                  mean_ratio(f.recorded, 10, -1), mean_ratio(f.recorded, 15, -1));
    assert_true(fabs(mean_ratio(f.recorded, 1, 0) - mean_ratio(f.recorded, 1, 1)) > 0.1);
    assert_true(fabs(mean_ratio(f.recorded, 10, -1) - all) > 0.05);
    assert_near(mean_ratio(f.recorded, 15, -1), all, 0.02);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sharpness_is_the_top_of_the_hessian),
        cmocka_unit_test(more_eigenvalues_than_parameters_are_all),
        cmocka_unit_test(edge_ratio_is_relative_to_each_optimizers_threshold),
        cmocka_unit_test(edge_ratio_is_of_the_objective_at_the_rate_of_the_moment),
        cmocka_unit_test(preconditioned_sharpness_is_the_generalized_problems),
        cmocka_unit_test(asking_twice_costs_once),
        cmocka_unit_test(the_most_exact_demand_counts),
        cmocka_unit_test(scalars_are_what_their_names_say),
        cmocka_unit_test(norms_do_not_overflow),
        cmocka_unit_test(rows_that_a_system_does_not_have_are_left_out),
        cmocka_unit_test(odd_intervals_see_both_sides_of_an_orbit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
