/* Optimizers: the update by hand, the edge by bisection on a quadratic, and learning rates. */
#include "support.h"
#include "tiny.h"

#include <lapacke.h>
#include <string.h>

/* ---- a quadratic: linear regression without bias, Hessian X'X/N ---- */

enum { FEATURES = 4, SAMPLES = 12 };

struct quadratic {
    struct ub_dataset *data;
    struct ub_problem *problem;
    double top; /* largest eigenvalue of the Hessian */
};

static struct quadratic quadratic_new(void)
{
    struct quadratic q = {.data = tiny_dataset(UB_REGRESSION, SAMPLES, 0, FEATURES, 1)};
    double hessian[FEATURES * FEATURES] = {0}, values[FEATURES];
    for (int n = 0; n < SAMPLES; n++)
        for (int i = 0; i < FEATURES; i++)
            for (int j = 0; j < FEATURES; j++)
                hessian[i * FEATURES + j] += q.data->train.inputs[n * FEATURES + i] *
                                             q.data->train.inputs[n * FEATURES + j] / SAMPLES;
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', FEATURES, hessian, FEATURES, values),
                     0);
    q.top = values[FEATURES - 1];
    q.problem = tiny_problem(q.data, "linear:bias=false", "mse");
    return q;
}

static void quadratic_free(struct quadratic *q)
{
    ub_problem_free(q->problem);
    tiny_free(q->data);
}

static struct ub_optimizer *optimizer(const char *name, const char *options)
{
    char text[128];
    struct ub_error err = {0};
    snprintf(text, sizeof text, "%s:%s", name, options);
    struct ub_optimizer *o = ub_optimizer_new(text, FEATURES, &err);
    if (!o)
        fail_msg("%s", err.text);
    return o;
}

/* Whether the gradient grows without end. At 1e-3 above its edge gradient descent gains
 * (1 + 2e-3) a step: e^12 in all. */
static bool diverges(const struct quadratic *q, const char *name, const char *others, double lr)
{
    char options[96];
    snprintf(options, sizeof options, "lr=%.17g%s", lr, others);
    struct ub_optimizer *o = optimizer(name, options);
    double theta[FEATURES] = {1, -1, 2, 0.5}, grad[FEATURES];
    ub_problem_gradient(q->problem, theta, grad);
    const double start = tiny_norm(FEATURES, grad);
    bool grown = false;
    for (int t = 0; t < 6000 && !grown; t++) {
        ub_optimizer_step(o, theta, grad);
        ub_problem_gradient(q->problem, theta, grad);
        grown = !(tiny_norm(FEATURES, grad) < 1e6 * start); /* transients stay far below */
    }
    grown = grown || tiny_norm(FEATURES, grad) > start;
    ub_optimizer_free(o);
    return grown;
}

static double measured_edge(const struct quadratic *q, const char *name, const char *others,
                            double predicted)
{
    double low = predicted / 2, high = predicted * 2;
    assert_false(diverges(q, name, others, low));
    assert_true(diverges(q, name, others, high));
    while (high / low > 1.0005) {
        const double middle = sqrt(low * high);
        *(diverges(q, name, others, middle) ? &high : &low) = middle;
    }
    return sqrt(low * high);
}

static void check_edge(const struct quadratic *q, const char *name, const char *others)
{
    char options[96];
    snprintf(options, sizeof options, "lr=edge(%.17g)%s", q->top, others);
    struct ub_optimizer *o = optimizer(name, options);
    const double predicted = o->lr;
    ub_optimizer_free(o);
    assert_near(measured_edge(q, name, others, predicted) / predicted, 1, 1e-3);
}

static bool takes(const struct ub_optimizer_kind *kind, const char *key)
{
    for (const struct ub_option *option = kind->options; option->key; option++)
        if (strcmp(option->key, key) == 0)
            return true;
    return false;
}

/* Every optimizer whose edge is that of the plain Hessian, now and later. */
static void divergence_sets_in_at_the_edge(void **state)
{
    (void)state;
    struct quadratic q = quadratic_new();
    int checked = 0;
    for (size_t i = 0; ub_optimizers[i]; i++) {
        const struct ub_optimizer_kind *kind = ub_optimizers[i];
        if (!kind->threshold || kind->preconditioner)
            continue;
        check_edge(&q, kind->name, "");
        checked++;
        if (!takes(kind, "beta"))
            continue;
        check_edge(&q, kind->name, ",beta=0");
        check_edge(&q, kind->name, ",beta=0.5");
    }
    assert_true(checked >= 3);
    quadratic_free(&q);
}

/* ---- formulas ---- */

static void thresholds_are_their_formulas(void **state)
{
    (void)state;
    const struct {
        const char *name, *options;
        double threshold;
    } cases[] = {
        {"gd", "lr=0.05", 40},
        {"heavy-ball", "lr=0.1,beta=0.9", 38},
        {"nesterov", "lr=0.1,beta=0.5", 15},
        {"nesterov", "lr=0.1,beta=0", 20},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_optimizer *o = optimizer(cases[i].name, cases[i].options);
        assert_near(ub_optimizer_threshold(o), cases[i].threshold, 1e-12);
        assert_false(ub_optimizer_needs_sharpness(o));
        ub_optimizer_free(o);
    }
}

static void rates_invert_thresholds(void **state)
{
    (void)state;
    for (size_t i = 0; ub_optimizers[i]; i++) {
        if (!ub_optimizers[i]->rate_for)
            continue;
        struct ub_error err = {0};
        struct ub_optimizer *o = optimizer(ub_optimizers[i]->name, "lr=edge(40)");
        assert_near(ub_optimizer_threshold(o), 40, 1e-12);
        ub_optimizer_free(o);

        o = optimizer(ub_optimizers[i]->name, "lr=relative(0.5)");
        assert_true(ub_optimizer_needs_sharpness(o));
        assert_true(isnan(o->lr) && isnan(ub_optimizer_threshold(o)));
        assert_true(ub_optimizer_resolve(o, 7, &err));
        assert_near(ub_optimizer_threshold(o), 14, 1e-12);
        assert_false(ub_optimizer_needs_sharpness(o));
        assert_true(ub_optimizer_resolve(o, 100, &err)); /* once resolved, for good */
        assert_near(ub_optimizer_threshold(o), 14, 1e-12);
        ub_optimizer_free(o);
    }
}

static void relative_rates_need_positive_sharpness(void **state)
{
    (void)state;
    const double bad[] = {0, -3, NAN, INFINITY};
    for (int i = 0; i < 4; i++) {
        struct ub_error err = {0};
        struct ub_optimizer *o = optimizer("gd", "lr=relative(2)");
        assert_false(ub_optimizer_resolve(o, bad[i], &err));
        assert_int_equal(err.code, UB_INPUT);
        assert_non_null(strstr(err.text, "initial sharpness"));
        ub_optimizer_free(o);
    }
}

/* ---- updates ---- */

/* Three steps with gradients 1, 2, -1 from 0, written out. */
static void check_steps(const char *name, const char *options, const double expected[3])
{
    const double slopes[3] = {1, 2, -1};
    struct ub_optimizer *o = optimizer(name, options);
    double theta[FEATURES] = {0}, grad[FEATURES];
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < FEATURES; i++)
            grad[i] = slopes[t] * (i + 1);
        ub_optimizer_step(o, theta, grad);
        for (int i = 0; i < FEATURES; i++)
            assert_near(theta[i], expected[t] * (i + 1), 1e-14);
    }
    assert_int_equal(o->steps, 3);
    ub_optimizer_free(o);
}

static void updates_are_as_written_by_hand(void **state)
{
    (void)state;
    check_steps("gd", "lr=0.1", (double[]){-0.1, -0.3, -0.2});
    /* v: 1, 2.5, 0.25 */
    check_steps("heavy-ball", "lr=0.1,beta=0.5", (double[]){-0.1, -0.35, -0.375});
    /* g + beta v: 1.5, 3.25, -0.875 */
    check_steps("nesterov", "lr=0.1,beta=0.5", (double[]){-0.15, -0.475, -0.3875});
    check_steps("heavy-ball", "lr=0.1,beta=0", (double[]){-0.1, -0.3, -0.2});
    check_steps("nesterov", "lr=0.1,beta=0", (double[]){-0.1, -0.3, -0.2});
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        {"gd", "lr"},
        {"gd:lr=-1", "lr"},
        {"gd:lr=0", "lr"},
        {"gd:lr=nan", "lr"},
        {"gd:lr=edge(-4)", "lr"},
        {"gd:lr=edg(4)", "lr"},
        {"gd:lr=0.1,beta=0.9", "beta"},
        {"heavy-ball:lr=0.1,beta=1", "beta"},
        {"heavy-ball:lr=0.1,beta=-0.1", "beta"},
        {"heavy-ball:lr=0.1,betta=0.5", "beta"},
        {"nesterof:lr=0.1", "did you mean 'nesterov'?"},
        {"adamw9000:lr=0.1", "expected one of gd, heavy-ball, nesterov"},
        {"gd:lr=edge(1e-320)", "no learning rate"},
        {"", "optimizer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        assert_null(ub_optimizer_new(cases[i][0], FEATURES, &err));
        assert_int_equal(err.code, UB_INPUT);
        if (!strstr(err.text, cases[i][1]))
            fail_msg("'%s': '%s' does not say '%s'", cases[i][0], err.text, cases[i][1]);
    }
}

static void every_entry_is_documented(void **state)
{
    (void)state;
    size_t n = 0;
    for (; ub_optimizers[n]; n++) {
        const struct ub_optimizer_kind *kind = ub_optimizers[n];
        assert_ptr_equal(ub_optimizer_find(kind->name), kind);
        assert_true(kind->summary && kind->citation && takes(kind, "lr"));
        assert_true(!kind->threshold ==
                    !(kind->rate_for && kind->edge_formula && kind->edge_citation));
    }
    assert_true(n >= 3);
    assert_null(ub_optimizer_find("GD"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divergence_sets_in_at_the_edge),
        cmocka_unit_test(thresholds_are_their_formulas),
        cmocka_unit_test(rates_invert_thresholds),
        cmocka_unit_test(relative_rates_need_positive_sharpness),
        cmocka_unit_test(updates_are_as_written_by_hand),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(every_entry_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
