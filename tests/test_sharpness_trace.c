/* A whole trace of sharpness, of a network that gradient descent takes to the edge of stability and
 * holds there, against dense eigenvalues at every measurement. */
#include "tests/support.h"

#include "bench/spectra/eigen.h"
#include "systems/systems.h"

enum { STEPS = 1500, EVERY = 10, TOP = 2 };
static const double accuracy = 1e-3;

static void apply(void *context, int64_t count, const double *v, double *out)
{
    ub_problem_hvp(context, count, v, out);
}

struct trace {
    struct ub_eigen_tracker *tracker;
    struct ub_eigen_goal goal;
    double worst, beyond; /* error, and share of errors above the accuracy */
    int64_t products, calls;
};

static void measure(struct trace *t, const struct ub_operator *hessian, const double *truth)
{
    const struct ub_eigen_result r = ub_eigen_track_to(t->tracker, hessian, &t->goal);
    const int64_t n = hessian->n;
    assert_true(r.converged);
    assert_int_equal(r.count, TOP);
    for (int i = 0; i < TOP; i++) {
        const double off = fabs(r.value[i] - truth[n - 1 - i]) / truth[n - 1];
        t->worst = fmax(t->worst, off);
        t->beyond += off > accuracy;
    }
    t->products += r.products;
    t->calls++;
}

/* GD at 2 over 1.5 times the first sharpness: progressive sharpening must bring it to the edge. */
static void test_values_are_right_over_a_whole_run(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *data =
        ub_dataset_load("gaussian:features=12,outputs=3,samples=64", 0, NULL, &err);
    assert_non_null(data);
    struct ub_problem *p =
        ub_problem_new(&(struct ub_problem_spec){.model = "mlp:widths=10x8,activation=tanh",
                                                 .loss = "mse",
                                                 .data = data,
                                                 .precision = UB_F64,
                                                 .threads = 1},
                       &err);
    assert_non_null(p);
    const int64_t n = ub_problem_size(p);
    double *theta = ub_calloc((size_t)n, sizeof *theta), *grad = ub_calloc((size_t)n, 8);
    double *matrix = ub_calloc((size_t)(n * n), sizeof *matrix);
    double *truth = ub_calloc((size_t)n, sizeof *truth), rate = 0;
    const struct ub_operator hessian = {.n = n, .context = p, .apply = apply};
    struct trace traces[] = {{.goal = {.tolerance = 1e-3, .products = 500}},
                             {.goal = {.accuracy = accuracy, .products = 500}}};
    int at_edge = 0;
    for (int k = 0; k < 2; k++)
        traces[k].tracker = ub_eigen_tracker_new(n, TOP);
    ub_problem_init(p, 0, theta);
    for (int step = 0; step <= STEPS; step++) {
        ub_problem_gradient(p, theta, grad);
        if (step % EVERY == 0) {
            ub_problem_linearize(p, theta);
            assert_true(ub_operator_matrix(&hessian, matrix));
            assert_true(ub_eigen_dense(n, matrix, truth, false, &err));
            rate = step == 0 ? 2 / (1.5 * truth[n - 1]) : rate;
            at_edge += truth[n - 1] * rate > 1.9;
            for (int k = 0; k < 2; k++)
                measure(&traces[k], &hessian, truth);
        }
        for (int64_t i = 0; i < n; i++)
            theta[i] -= rate * grad[i];
    }
    for (int k = 0; k < 2; k++) {
        print_message("%s 1e-3: %.2f products a measurement, worst error %.1e of the largest\n",
                      k ? "accuracy" : "residual",
                      (double)traces[k].products / (double)traces[k].calls, traces[k].worst);
        assert_true(traces[k].beyond == 0);
        ub_eigen_tracker_free(traces[k].tracker);
    }
    print_message("%d of %d measurements at the edge, %lld parameters\n", at_edge,
                  STEPS / EVERY + 1, (long long)n);
    assert_true(at_edge > STEPS / EVERY / 2);
    ub_free(theta);
    ub_free(grad);
    ub_free(matrix);
    ub_free(truth);
    ub_problem_free(p);
    ub_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_right_over_a_whole_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
