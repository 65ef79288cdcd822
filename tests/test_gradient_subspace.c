/* The gradient and the Hessian's top eigenspace. Oracles: dense Hessians through LAPACK, and
 * quadratics, whose trainings are known in closed form. */
#include "law_suite.h"
#include "observing.h"

#include "systems/optimizers/dominant.h"

#include <math.h>

extern const struct ub_law ub_law_gradient_subspace, ub_law_bulk_descent;

/* Orthonormal rows: eigenvectors of the dense Hessian at theta, largest eigenvalue first. */
static double *dense_vectors(const struct fixture *f, double *gap, int top)
{
    const int n = (int)f->size;
    double *h = dense_hessian(f), *values = ub_calloc((size_t)n, sizeof *values);
    double *rows = ub_calloc((size_t)(top * n), sizeof *rows);
    assert_int_equal(LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'U', n, h, n, values), 0);
    for (int k = 0; k < top; k++)
        memcpy(rows + k * n, h + (n - 1 - k) * n, (size_t)n * sizeof *h);
    *gap = (values[n - top] - values[n - top - 1]) / values[n - 1];
    ub_free(h);
    ub_free(values);
    return rows;
}

/* |x - sum_k <x, u_k> u_k|, and x becomes that. */
static double leave(int top, int64_t n, const double *u, double *x)
{
    for (int k = 0; k < top; k++) {
        const double along = tiny_dot(n, x, u + k * n);
        for (int64_t i = 0; i < n; i++)
            x[i] -= along * u[k * n + i];
    }
    return tiny_norm(n, x);
}

static void share_is_the_dense_one(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    TRAIN(&f, 3, "gradient-subspace:top=4,at=3,tolerance=1e-9", "gradient-alignment:top=4,at=3");
    double gap, sum = 0;
    double *u = dense_vectors(&f, &gap, 4), *x = ub_calloc((size_t)f.size, sizeof *x);
    memcpy(x, f.grad, (size_t)f.size * sizeof *x);
    const double left = leave(4, f.size, u, x) / tiny_norm(f.size, f.grad);
    const double share = value_of(f.recorded, 3, "gradient-subspace", 0);
    for (int k = 0; k < 4; k++)
        sum += value_of(f.recorded, 3, "gradient-alignment", k);
    assert_oracle("law gradient-subspace, observable gradient-subspace",
                  "dense eigenvectors of the Hessian", share - (1 - left * left), 1e-6);
    assert_near(share, sum, 1e-12);
    assert_true(share > 0.01 && share < 0.99);
    ub_free(u);
    ub_free(x);
    fixture_free(&f);
}

/* Every step of a training is held against that of the dense Hessian. Ritz values that have settled
 * to 1e-4 have vectors that are off by its root over the gap beside them. */
static void steps_are_those_of_the_dense_projection(void **state)
{
    (void)state;
    enum { TOP = 3 };
    struct fixture f = fixture_new("gd:lr=0.3,project=bulk,project-top=3,project-from=5");
    double *x = ub_calloc((size_t)f.size, sizeof *x), *before = ub_calloc((size_t)f.size, 8);
    double worst = 0, gap;
    for (int step = 0; step < 40; step++) {
        ub_problem_gradient(f.problem, f.theta, f.grad);
        double *u = dense_vectors(&f, &gap, TOP);
        memcpy(x, f.grad, (size_t)f.size * sizeof *x);
        if (step >= 5)
            leave(TOP, f.size, u, x);
        memcpy(before, f.theta, (size_t)f.size * sizeof *before);
        ub_optimizer_step(f.optimizer, f.theta, f.grad);
        for (int64_t i = 0; i < f.size; i++)
            before[i] = (before[i] - f.theta[i]) / 0.3 - x[i];
        worst = fmax(worst, tiny_norm(f.size, before) * gap / tiny_norm(f.size, f.grad));
        ub_free(u);
    }
    assert_oracle("law bulk-descent",
                  "steps without the dense Hessian's eigenvectors, times the gap", worst, 1e-2);
    assert_true(isnan(ub_optimizer_threshold(f.optimizer)));
    ub_free(x);
    ub_free(before);
    fixture_free(&f);
}

static void parts_make_the_whole(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct fixture f = fixture_new("gd:lr=0.3");
    struct ub_dominant *d = ub_dominant_new(f.problem, 4, &err);
    double *in = ub_calloc((size_t)f.size, sizeof *in), *out = ub_calloc((size_t)f.size, 8);
    ub_problem_gradient(f.problem, f.theta, f.grad);
    assert_true(ub_dominant_follow(d, f.theta));
    memcpy(in, f.grad, (size_t)f.size * sizeof *in);
    memcpy(out, f.grad, (size_t)f.size * sizeof *out);
    ub_dominant_keep(d, in);
    ub_dominant_remove(d, out);
    assert_near(tiny_dot(f.size, in, out), 0, 1e-13 * tiny_dot(f.size, f.grad, f.grad));
    for (int64_t i = 0; i < f.size; i++)
        assert_near(in[i] + out[i], f.grad[i], 1e-13);
    for (int k = 0; k < 4; k++)
        for (int l = 0; l < 4; l++)
            assert_near(tiny_dot(f.size, ub_dominant_basis(d) + k * f.size,
                                 ub_dominant_basis(d) + l * f.size),
                        k == l, 1e-12);
    ub_dominant_free(d);
    assert_null(ub_dominant_new(f.problem, f.size, &err));
    assert_non_null(strstr(err.text, "project-top"));
    ub_free(in);
    ub_free(out);
    fixture_free(&f);
}

/* Of a quadratic of eigenvalues k^-2 at eta = 1.99: mode 1 is left, as 0.99^t, when all others that
 * matter are gone, so that the gradient is its. At eta = 1, mode 1 is gone after a step and mode k
 * falls as (1 - k^-2)^t: after 50 steps three modes hold nothing that is left to lose; of what
 * is left after step 1, the first six hold half. */
static const char quadratics[] =
    "name: x\n"
    "defaults:\n"
    "  model: {quadratic: {exponent: 2}}\n"
    "  dataset: {gaussian: {samples: 20, features: 5, outputs: 12}}\n"
    "  loss: mse\n"
    "  seed: 0..2\n"
    "  precision: f64\n"
    "runs:\n"
    "  - optimizer: {gd: {lr: {relative: 0.995}}}\n"
    "    steps: 300\n"
    "    measure: {gradient-subspace: {top: 3, every: 20, at: [0, end]}}\n"
    "    control: {gradient-subspace: holds}\n"
    "  - optimizer: {gd: {lr: {relative: 0.5}, project: [none, bulk], project-top: 3, "
    "project-from: 50}}\n"
    "    steps: 200\n"
    "    measure: {loss: {at: [0, 50, end]}}\n"
    "    control: {bulk-descent: holds}\n"
    "  - optimizer: {gd: {lr: {relative: 0.5}, project: [none, bulk], project-top: 6, "
    "project-from: 1}}\n"
    "    steps: 200\n"
    "    measure: {loss: {at: [0, 1, end]}}\n"
    "    control: {bulk-descent: fails}\n"
    "  - model: {mlp: {widths: 64, activation: [tanh, relu]}}\n"
    "    dataset: {digits: {size: 200, scale: center}}\n"
    "    loss: ce\n"
    "    optimizer: {gd: {lr: {relative: 0.000001}}}\n"
    "    steps: 1\n"
    "    measure: {gradient-subspace: {top: 10, at: [0, end]}}\n"
    "    control: {gradient-subspace: fails}\n";

static void controls_come_out_as_they_must(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(quadratics);
    const struct ub_law *const laws[] = {&ub_law_gradient_subspace, &ub_law_bulk_descent};
    for (int l = 0; l < 2; l++) {
        struct ub_law_verdict *v = ub_law_verdict_new(laws[l], s.frame);
        assert_non_null(v);
        for (size_t g = 0; g < v->controls.count; g++)
            print_message("%s: %g +- %g %s\n", laws[l]->name, v->control_data[g].value,
                          v->control_data[g].se,
                          v->control_data[g].why ? v->control_data[g].why : "");
        assert_int_equal(v->controls.count, l == 0 ? 3 : 2);
        assert_int_equal(v->n_right, v->controls.count);
        ub_law_verdict_free(v);
    }
    law_suite_free(&s);
}

/* Runs of gradient descent that ask for no projection are what they were. */
static void plain_descent_is_as_before(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_optimizer *o = ub_optimizer_new("gd:lr=0.1", 3, &err);
    assert_non_null(o);
    struct ub_call *call = ub_call_parse("gd:lr=0.1,project=bulk", "test", &err);
    assert_true(ub_call_check(call, o->kind->options, "test", &err));
    assert_string_equal(ub_call_get(call, "project-from"), "0");
    assert_near(ub_optimizer_threshold(o), 20, 1e-12);
    ub_call_free(call);
    ub_optimizer_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_is_the_dense_one),
        cmocka_unit_test(steps_are_those_of_the_dense_projection),
        cmocka_unit_test(parts_make_the_whole),
        cmocka_unit_test(plain_descent_is_as_before),
        cmocka_unit_test(controls_come_out_as_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
