/* Edges of stability: optimizers diverge from their stated threshold on, found by bisection of the
 * learning rate on quadratics. */
#include "metrics.h"
#include "quadratics.h"

#include <lapacke.h>

/* Late in training, with mean squares of unequal size that stay as they are. */
static void freeze(struct ub_optimizer *o)
{
    o->frozen = true;
    if (o->kind->see)
        o->state[0] = 0.5; /* the gradient's norm */
    const bool preconditioned = o->kind->geometry == UB_PRECONDITIONED;
    if (preconditioned)
        o->steps = 100000000;
    for (int64_t k = 0; preconditioned && k < o->kind->state_vectors; k++)
        for (int64_t i = 0; i < FEATURES; i++)
            o->state[k * FEATURES + i] = k == 0 && o->kind->state_vectors > 1
                                             ? 0 /* the mean gradient */
                                             : (double)(i + 1) * (double)(i + 1) / 4;
    if (strcmp(o->kind->name, "nadam") == 0)
        o->state[2 * FEATURES] = -1; /* the product of all momenta is 0 */
}

/* Top eigenvalue of (G + damping I)^-1 H for one of H, where H = G: linear models with squared
 * loss. l2 is in both. */
static double damped(const struct ub_optimizer *o, double value)
{
    const bool damps = takes(o->kind, "damping");
    return damps ? value / (value + ub_call_real(o->call, "damping")) : value;
}

/* The largest eigenvalue of P^-1 (H + l2 I), the P of a frozen optimizer. */
static double top_of(const struct quadratic *q, const char *name, const char *others)
{
    char options[128];
    double diagonal[FEATURES], unit[FEATURES * FEATURES] = {0}, hessian[FEATURES * FEATURES];
    double theta[FEATURES] = {0}, values[FEATURES], grad[FEATURES] = {0};
    snprintf(options, sizeof options, "lr=1%s", others);
    struct ub_optimizer *o = optimizer_on(q, name, options);
    freeze(o);
    for (int i = 0; i < FEATURES; i++)
        unit[i * (FEATURES + 1)] = 1;
    metric_diagonal(o, theta, grad, diagonal);
    ub_problem_linearize(q->problem, theta);
    ub_problem_hvp(q->problem, FEATURES, unit, hessian);
    for (int i = 0; i < FEATURES; i++)
        hessian[i * (FEATURES + 1)] += o->l2;
    for (int i = 0; i < FEATURES * FEATURES; i++)
        hessian[i] /= sqrt(diagonal[i / FEATURES] * diagonal[i % FEATURES]);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', FEATURES, hessian, FEATURES, values),
                     0);
    const double top = damped(o, values[FEATURES - 1]);
    ub_optimizer_free(o);
    return top;
}

/* Whether the gradient grows without end. At 1e-3 above its edge gradient descent gains
 * (1 + 2e-3) a step: e^12 in all. */
static bool diverges(const struct quadratic *q, const char *name, const char *others, double lr)
{
    char options[128];
    snprintf(options, sizeof options, "lr=%.17g%s", lr, others);
    struct ub_optimizer *o = optimizer_on(q, name, options);
    freeze(o);
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

/* How far the stated edge is off. */
static double edge_error(const struct quadratic *q, const char *name, const char *others)
{
    char options[128];
    snprintf(options, sizeof options, "lr=1%s", others);
    struct ub_optimizer *o = optimizer_on(q, name, options);
    freeze(o);
    const double predicted = o->kind->rate_for(o, top_of(q, name, others));
    ub_optimizer_free(o);
    const double measured = measured_edge(q, name, others, predicted);
    if (fabs(measured / predicted - 1) > 1e-3)
        print_error("%s:%s\n", name, options);
    return fabs(measured / predicted - 1);
}

/* Its options in turn. */
static void check_edges(const struct quadratic *q, const struct ub_optimizer_kind *kind)
{
    static const struct {
        const char *needs, *options;
    } variants[] = {
        {"lr", ""},
        {"lr", ",l2=0.7"},
        {"beta", ",beta=0"},
        {"beta", ",beta=0.5"},
        {"nesterov", ",beta=0.5,nesterov=true"},
        {"beta1", ",beta1=0"},
        {"beta1", ",beta1=0.5,epsilon=0.1"},
        {"beta1", ",beta1=0.5,epsilon=0.1,l2=0.7"},
        {"decay", ",decay=0.8,beta1=0.5"},
        {"decay", ",decay=0.8,beta1=0.5,l2=0.7"},
        {"normalized", ",rho=0"},
        {"normalized", ",rho=0.5"},
        {"normalized", ",rho=0.5,normalized=false"},
        {"normalized", ",rho=0.5,l2=0.7"},
        {"damping", ",damping=0.5,tolerance=1e-12"},
        {"damping", ",damping=3,tolerance=1e-12,l2=0.7"},
    };
    double worst = 0;
    char of[64];
    for (size_t k = 0; k < sizeof variants / sizeof *variants; k++)
        if (takes(kind, variants[k].needs))
            worst = fmax(worst, edge_error(q, kind->name, variants[k].options));
    snprintf(of, sizeof of, "edge %s", kind->name);
    assert_oracle(of, "where divergence sets in on quadratics, relative", worst, 1e-3);
}

/* Every optimizer with a stated edge, its preconditioner held as theory holds it. */
static void check_all(struct quadratic q)
{
    int checked = 0;
    for (size_t i = 0; ub_optimizers[i]; i++) {
        const struct ub_optimizer_kind *kind = ub_optimizers[i];
        const bool tested =
            kind->geometry == UB_IN_A_NORM || (kind->geometry == UB_PRECONDITIONED && kind->attach);
        if (!kind->threshold || tested) /* by test_norms.c */
            continue;
        check_edges(&q, ub_optimizers[i]);
        checked++;
    }
    assert_true(checked >= 15);
    quadratic_free(&q);
}

static void divergence_sets_in_at_the_edge(void **state)
{
    (void)state;
    check_all(quadratic_scaled(1, 1));
    check_all(quadratic_scaled(2, 1));
}

static void and_of_ill_conditioned_quadratics(void **state)
{
    (void)state;
    check_all(quadratic_scaled(3, 0.1));
}

/* The matrix of one step of NAdam on a quadratic has an eigenvalue of -1 at the stated threshold,
 * while its momentum warms up. */
static void nadam_warms_up(void **state)
{
    (void)state;
    double last = 0;
    for (int64_t t = 100; t < 20000; t *= 3) {
        struct ub_optimizer *o = optimizer_on(NULL, "nadam", "lr=1,epsilon=0");
        o->frozen = true;
        o->steps = t;
        for (int i = 0; i < FEATURES; i++)
            o->state[FEATURES + i] = 1 - pow(0.999, (double)t + 1); /* v_hat = 1 */
        o->state[2 * FEATURES] = -1;                                /* the product of momenta */
        const double s = ub_optimizer_threshold(o);
        double column[2][2];
        for (int k = 0; k < 2; k++) { /* from (x, m) = (1, 0) and (0, 1) */
            double theta[FEATURES] = {k == 0}, grad[FEATURES] = {k == 0 ? s : 0};
            o->state[0] = k;
            o->steps = t;
            ub_optimizer_step(o, theta, grad);
            column[k][0] = theta[0];
            column[k][1] = o->state[0];
        }
        const double trace = column[0][0] + column[1][1];
        const double determinant = column[0][0] * column[1][1] - column[0][1] * column[1][0];
        assert_near(1 + trace + determinant, 0, 1e-9 * s);
        assert_true(s > last);
        last = s;
        ub_optimizer_free(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divergence_sets_in_at_the_edge),
        cmocka_unit_test(and_of_ill_conditioned_quadratics),
        cmocka_unit_test(nadam_warms_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
