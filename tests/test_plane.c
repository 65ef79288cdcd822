/* Theory beside measurement: what laws give for the diagonal, against numbers known otherwise. */
#include "law_suite.h"

/* Least squares on isotropic inputs, its prediction by hand; gradient descent on a linear model,
 * whose loss is its modes' sum to rounding; text of known entropy, whose test loss is above it. */
static const char suite[] =
    "name: plane\n"
    "runs:\n"
    "  - {dataset: {gaussian: {samples: 40, features: 20, outputs: 4, alpha: 0, beta: 0, noise: "
    "0.5, test-samples: 100}},\n"
    "     model: {linear: {bias: false}}, loss: mse, precision: f64, init: {lecun: {gain: 0}}, "
    "optimizer: ridge, steps: 1,\n"
    "     data-seed: 0..1, measure: {excess-risk: {at: [end]}}}\n"
    "  - {dataset: {gaussian: {samples: 40, features: 30}}, model: linear, loss: mse,\n"
    "     precision: f64, optimizer: {gd: {lr: {relative: 0.5}}}, steps: 100,\n"
    "     measure: {kernel-modes: {every: 10}, loss: {every: 10}}}\n"
    "  - {dataset: {gaussian: {samples: 40, features: 30}}, model: linear, loss: mse,\n"
    "     precision: f64, optimizer: {gd: {lr: 1e9}}, steps: 100,\n"
    "     measure: {kernel-modes: {every: 10}, loss: {every: 10}}}\n";

static struct ub_plane plane_of(const struct ub_frame *frame, const char *law, bool *any)
{
    struct ub_plane plane = {0};
    const struct ub_law *of = ub_law_find(law);
    assert_non_null(of->plane);
    for (size_t row = 0; row < frame->rows; row++)
        if (of->applies(frame, row)) {
            *any = true;
            of->plane(frame, row, NULL, &plane);
        }
    return plane;
}

static void laws_give_predictions_beside_measurements(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(suite);
    bool any = false;
    struct ub_plane risk = plane_of(s.frame, "double-descent", &any);
    assert_true(any);
    assert_int_equal(risk.count, 2);
    for (size_t i = 0; i < risk.count; i++) {
        assert_near(risk.predicted[i], 4 * 0.25 * 20 / (40 - 20 - 1),
                    1e-12); /* s^2 p/(n - p - 1), each output */
        assert_true(risk.measured[i] > 0.02 && risk.measured[i] < 2.5);
    }
    ub_plane_clear(&risk);
    struct ub_plane course = plane_of(s.frame, "time-scaling", &any);
    assert_int_equal(course.count, 8); /* of 11 times; none of the run that diverged */
    double largest = 0;
    for (size_t i = 0; i < course.count; i++)
        largest = fmax(largest, fabs(course.measured[i] / course.predicted[i] - 1));
    print_message("measured over predicted losses: 1 to within %.1e\n", largest);
    assert_true(largest < 1e-10);
    assert_true(course.predicted[0] < course.predicted[7]); /* from the end to the start */
    ub_plane_clear(&course);
    law_suite_free(&s);
}

/* The error of a test set is twice its loss: beside the population's, which excess-risk has in
 * closed form and the noise of 0.25 is added to. Of 5000 test samples the mean square has a
 * relative standard error of sqrt(2/5000), 2%: four of these are allowed, and a factor of two is
 * none. The prediction is of the mean over draws, from which one draw of 40 samples is off by 10%
 * and more. */
static void eigenlearning_gives_errors_and_not_losses(void **state)
{
    (void)state;
    static const char kernel[] =
        "name: kernel\n"
        "runs:\n"
        "  - {dataset: {gaussian: {samples: 40, features: 80, noise: 0.5, test-samples: 5000}},\n"
        "     model: {linear: {bias: false}}, loss: mse, precision: f64, init: {lecun: {gain: "
        "0}},\n"
        "     optimizer: ridge, steps: 1, data-seed: 0..7,\n"
        "     measure: {excess-risk: {at: [end]}, predicted-risk: {at: [end]}, loss: {at: "
        "[end]}}}\n";
    struct law_suite s = law_suite_run(kernel);
    bool any = false;
    struct ub_plane errors = plane_of(s.frame, "eigenlearning", &any);
    assert_int_equal(s.frame->rows, 8);
    assert_int_equal(errors.count, 8);
    double ratio = 0;
    for (size_t i = 0; i < 8; i++) {
        const double error = ub_frame_last(s.frame, i, "excess-risk", 0) + 0.25;
        print_message("error %.4f, of the population %.4f, predicted %.4f\n", errors.measured[i],
                      error, errors.predicted[i]);
        assert_true(fabs(errors.measured[i] / error - 1) < 0.08);
        ratio += errors.measured[i] / errors.predicted[i] / 8;
    }
    print_message("mean of measured over predicted: %.3f\n", ratio);
    assert_true(fabs(ratio - 1) < 0.4);
    ub_plane_clear(&errors);
    law_suite_free(&s);
}

static void what_logarithms_cannot_show_is_left_out(void **state)
{
    (void)state;
    struct ub_plane plane = {0};
    const double bad[][2] = {{0, 1}, {1, 0}, {-1, 1}, {NAN, 1}, {1, NAN}, {INFINITY, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ub_plane_add(&plane, bad[i][0], bad[i][1]);
    assert_int_equal(plane.count, 0);
    for (int i = 1; i <= 1000; i++)
        ub_plane_add(&plane, i, 2 * i);
    assert_int_equal(plane.count, 1000);
    assert_near(plane.measured[999], 2000, 0);
    ub_plane_clear(&plane);
    assert_int_equal(plane.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(laws_give_predictions_beside_measurements),
        cmocka_unit_test(eigenlearning_gives_errors_and_not_losses),
        cmocka_unit_test(what_logarithms_cannot_show_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
