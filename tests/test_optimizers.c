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
};

static struct quadratic quadratic_new(void)
{
    struct quadratic q = {.data = tiny_dataset(UB_REGRESSION, SAMPLES, 0, FEATURES, 1)};
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

/* Late in training, with mean squares of unequal size that stay as they are. */
static void freeze(struct ub_optimizer *o)
{
    o->frozen = true;
    if (o->kind->preconditioner)
        o->steps = 100000000;
    for (int64_t k = 0; o->kind->preconditioner && k < o->kind->state_vectors; k++)
        for (int64_t i = 0; i < FEATURES; i++)
            o->state[k * FEATURES + i] = k == 0 && o->kind->state_vectors > 1
                                             ? 0 /* the mean gradient */
                                             : (double)(i + 1) * (double)(i + 1) / 4;
    if (strcmp(o->kind->name, "nadam") == 0)
        o->state[2 * FEATURES] = -1; /* the product of all momenta is 0 */
}

/* The largest eigenvalue of P^-1 H, the P of a frozen optimizer. */
static double top_of(const struct quadratic *q, const char *name, const char *others)
{
    char options[96];
    double diagonal[FEATURES], unit[FEATURES * FEATURES] = {0}, hessian[FEATURES * FEATURES];
    double theta[FEATURES] = {0}, values[FEATURES], grad[FEATURES] = {0};
    snprintf(options, sizeof options, "lr=1%s", others);
    struct ub_optimizer *o = optimizer(name, options);
    freeze(o);
    for (int i = 0; i < FEATURES; i++)
        diagonal[i] = unit[i * (FEATURES + 1)] = 1;
    if (o->kind->preconditioner)
        o->kind->preconditioner(o, grad, diagonal);
    ub_problem_linearize(q->problem, theta);
    ub_problem_hvp(q->problem, FEATURES, unit, hessian);
    for (int i = 0; i < FEATURES * FEATURES; i++)
        hessian[i] /= sqrt(diagonal[i / FEATURES] * diagonal[i % FEATURES]);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', FEATURES, hessian, FEATURES, values),
                     0);
    ub_optimizer_free(o);
    return values[FEATURES - 1];
}

/* Whether the gradient grows without end. At 1e-3 above its edge gradient descent gains
 * (1 + 2e-3) a step: e^12 in all. */
static bool diverges(const struct quadratic *q, const char *name, const char *others, double lr)
{
    char options[96];
    snprintf(options, sizeof options, "lr=%.17g%s", lr, others);
    struct ub_optimizer *o = optimizer(name, options);
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

static void check_edge(const struct quadratic *q, const char *name, const char *others)
{
    char options[96];
    snprintf(options, sizeof options, "lr=1%s", others);
    struct ub_optimizer *o = optimizer(name, options);
    freeze(o);
    const double predicted = o->kind->rate_for(o, top_of(q, name, others));
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

/* Every optimizer with a stated edge, its preconditioner held as theory holds it. */
static void divergence_sets_in_at_the_edge(void **state)
{
    (void)state;
    struct quadratic q = quadratic_new();
    int checked = 0;
    for (size_t i = 0; ub_optimizers[i]; i++) {
        const struct ub_optimizer_kind *kind = ub_optimizers[i];
        if (!kind->threshold)
            continue;
        check_edge(&q, kind->name, "");
        checked++;
        if (takes(kind, "beta")) {
            check_edge(&q, kind->name, ",beta=0");
            check_edge(&q, kind->name, ",beta=0.5");
        }
        if (takes(kind, "beta1")) {
            check_edge(&q, kind->name, ",beta1=0");
            check_edge(&q, kind->name, ",beta1=0.5,epsilon=0.1");
        }
        if (takes(kind, "decay"))
            check_edge(&q, kind->name, ",decay=0.8,beta1=0.5");
    }
    assert_true(checked >= 12);
    quadratic_free(&q);
}

/* The matrix of one step of NAdam on a quadratic has an eigenvalue of -1 at the stated threshold,
 * while its momentum warms up. */
static void nadam_warms_up(void **state)
{
    (void)state;
    double last = 0;
    for (int64_t t = 100; t < 20000; t *= 3) {
        struct ub_optimizer *o = optimizer("nadam", "lr=1,epsilon=0");
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
        {"ema-momentum", "lr=0.1,beta=0.9", 380},
        {"rmsprop", "lr=0.1", 20},
        {"adam", "lr=0.5,beta1=0.5", 12},
        {"adamw", "lr=0.1,beta1=0.5,decay=4", 48},
        {"nadam", "lr=0.1,beta1=0", 20},
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

/* Against the same formulas on one number, written with powers and running products. */
static void adaptive_updates_are_their_formulas(void **state)
{
    static const double g[] = {1, 2, -1};
    double m = 0, v = 0, w = 0, u = 0, sum = 0, product = 1;
    double at[8] = {
        0}; /* adam, adamw, amsgrad, nadam, rmsprop, adagrad, adadelta, scalar-rmsprop */
    static const char *const texts[] = {
        "adam:lr=0.1,beta1=0.5,beta2=0.75,epsilon=0.01",
        "adamw:lr=0.1,beta1=0.5,beta2=0.75,epsilon=0.01,decay=0.3",
        "amsgrad:lr=0.1,beta1=0.5,beta2=0.75,epsilon=0.01",
        "nadam:lr=0.1,beta1=0.5,beta2=0.75,epsilon=0.01",
        "rmsprop:lr=0.1,beta=0.75,epsilon=0.01,bias-correction=true",
        "adagrad:lr=0.1,epsilon=0.01",
        "adadelta:lr=0.1,rho=0.75,epsilon=0.01",
        "scalar-rmsprop:lr=0.1,beta=0.75",
    };
    (void)state;
    struct ub_optimizer *o[8];
    double theta[8] = {0};
    for (int k = 0; k < 8; k++) {
        struct ub_error err = {0};
        theta[k] = at[k] = 2;
        o[k] = ub_optimizer_new(texts[k], 1, &err);
        assert_non_null(o[k]);
    }
    for (int t = 1; t <= 3; t++) {
        const double x = g[t - 1], mu = 0.5 * (1 - 0.5 * pow(0.96, t / 250.0)),
                     next = 0.5 * (1 - 0.5 * pow(0.96, (t + 1) / 250.0));
        m = 0.5 * m + 0.5 * x;
        v = 0.75 * v + 0.25 * x * x;
        w = fmax(w, v);
        sum += x * x;
        product *= mu;
        const double root = sqrt(v / (1 - pow(0.75, t))) + 0.01, mean = m / (1 - pow(0.5, t));
        at[0] -= 0.1 * mean / root;
        at[1] -= 0.1 * (mean / root + 0.3 * at[1]);
        at[2] -= 0.1 * m / (sqrt(w) + 0.01);
        at[3] -= 0.1 * (next * m / (1 - product * next) + (1 - mu) * x / (1 - product)) / root;
        at[4] -= 0.1 * x / root;
        at[5] -= 0.1 * x / (sqrt(sum) + 0.01);
        const double d = sqrt(u + 0.01) / sqrt(v + 0.01) * x;
        u = 0.75 * u + 0.25 * d * d;
        at[6] -= 0.1 * d;
        at[7] -= 0.1 * x / sqrt(v);
        for (int k = 0; k < 8; k++) {
            double p;
            ub_optimizer_step(o[k], &theta[k], &x);
            assert_near(theta[k], at[k], 1e-14);
            o[k]->kind->preconditioner(o[k], &x, &p);
            assert_true(isfinite(p) && p > 0);
        }
    }
    for (int k = 0; k < 8; k++)
        ub_optimizer_free(o[k]);
}

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

static void signs_decide_the_steps(void **state)
{
    (void)state;
    const double slopes[3][FEATURES] = {{1, -2, 0, 3}, {-1, -2, 0, 1e-9}, {5, 2, -1, -4}};
    double sign[FEATURES] = {0}, lion[FEATURES] = {0}, unit[FEATURES] = {0}, m[FEATURES] = {0};
    double sign_at[FEATURES] = {0}, lion_at[FEATURES] = {0}, unit_at[FEATURES] = {0};
    struct ub_optimizer *s = optimizer("signsgd", "lr=0.1");
    struct ub_optimizer *l = optimizer("lion", "lr=0.1,beta1=0.5,beta2=0.75,decay=0.2");
    struct ub_optimizer *u = optimizer("normalized-gd", "lr=0.1");
    for (int t = 0; t < 3; t++) {
        const double *g = slopes[t], norm = tiny_norm(FEATURES, g);
        ub_optimizer_step(s, sign, g);
        ub_optimizer_step(l, lion, g);
        ub_optimizer_step(u, unit, g);
        for (int i = 0; i < FEATURES; i++) {
            const double mixed = 0.5 * m[i] + 0.5 * g[i];
            sign_at[i] -= g[i] > 0 ? 0.1 : g[i] < 0 ? -0.1 : 0;
            lion_at[i] -= 0.1 * ((mixed > 0 ? 1 : mixed < 0 ? -1 : 0) + 0.2 * lion_at[i]);
            unit_at[i] -= 0.1 * g[i] / norm;
            m[i] = 0.75 * m[i] + 0.25 * g[i];
            assert_near(sign[i], sign_at[i], 1e-15);
            assert_near(lion[i], lion_at[i], 1e-15);
            assert_near(unit[i], unit_at[i], 1e-15);
        }
    }
    assert_true(isnan(ub_optimizer_threshold(s)) && isnan(ub_optimizer_threshold(l)));
    ub_optimizer_free(s);
    ub_optimizer_free(l);
    ub_optimizer_free(u);
}

/* Without momentum a step is -lr P^-1 g, the P said before the step. */
static void preconditioners_are_those_of_the_step(void **state)
{
    (void)state;
    for (size_t k = 0; ub_optimizers[k]; k++) {
        const struct ub_optimizer_kind *kind = ub_optimizers[k];
        if (!kind->preconditioner)
            continue;
        struct ub_optimizer *o =
            optimizer(kind->name, takes(kind, "decay")   ? "lr=0.1,beta1=0,decay=0"
                                  : takes(kind, "beta1") ? "lr=0.1,beta1=0"
                                                         : "lr=0.1");
        double theta[FEATURES] = {0};
        for (int t = 0; t < 4; t++) {
            double grad[FEATURES], diagonal[FEATURES], before[FEATURES];
            for (int i = 0; i < FEATURES; i++)
                grad[i] = sin(1.0 + t + 2 * i);
            memcpy(before, theta, sizeof theta);
            kind->preconditioner(o, grad, diagonal);
            ub_optimizer_step(o, theta, grad);
            for (int i = 0; i < FEATURES; i++)
                assert_near(theta[i] - before[i], -0.1 * grad[i] / diagonal[i], 1e-13);
        }
        ub_optimizer_free(o);
    }
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
        {"zzzzzzzzzzzz:lr=0.1", "expected one of gd, heavy-ball, nesterov"},
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
        cmocka_unit_test(nadam_warms_up),
        cmocka_unit_test(thresholds_are_their_formulas),
        cmocka_unit_test(rates_invert_thresholds),
        cmocka_unit_test(relative_rates_need_positive_sharpness),
        cmocka_unit_test(updates_are_as_written_by_hand),
        cmocka_unit_test(adaptive_updates_are_their_formulas),
        cmocka_unit_test(signs_decide_the_steps),
        cmocka_unit_test(preconditioners_are_those_of_the_step),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(every_entry_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
