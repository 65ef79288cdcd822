/* Optimizers: updates by hand, thresholds by formula, learning rates. (test_thresholds.c: edges by
 * bisection; test_optimizer_runs.c: those that evaluate more than one gradient a step.) */
#include "metrics.h"
#include "quadratics.h"

static struct ub_optimizer *optimizer(const char *name, const char *options)
{
    return optimizer_on(NULL, name, options);
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
    const double theta[FEATURES] = {0}, grad[FEATURES] = {1, 2, -1, 0.5};
    struct quadratic q = quadratic_new();
    for (size_t i = 0; ub_optimizers[i]; i++) {
        if (!ub_optimizers[i]->rate_for || strcmp(ub_optimizers[i]->name, "muon") == 0)
            continue; /* muon's depends on its options: test_norms.c */
        struct ub_error err = {0};
        struct ub_optimizer *o = optimizer_on(&q, ub_optimizers[i]->name, "lr=edge(40)");
        ub_optimizer_see(o, theta, grad);
        assert_true(ub_optimizer_resolve(o, NAN, &err));
        assert_near(ub_optimizer_threshold(o), 40, 1e-12);
        ub_optimizer_free(o);

        o = optimizer_on(&q, ub_optimizers[i]->name, "lr=relative(0.5)");
        ub_optimizer_see(o, theta, grad);
        assert_true(ub_optimizer_needs_sharpness(o));
        assert_true(isnan(o->lr) && isnan(ub_optimizer_threshold(o)));
        assert_int_equal(ub_optimizer_resolve(o, 7, &err),
                         ub_optimizers[i]->geometry != UB_UNMEASURED);
        if (ub_optimizers[i]->geometry == UB_UNMEASURED) {
            assert_input_error(&err, "not measured");
        } else {
            assert_near(ub_optimizer_threshold(o), 14, 1e-12);
            assert_false(ub_optimizer_needs_sharpness(o));
            assert_true(ub_optimizer_resolve(o, 100, &err)); /* once resolved, for good */
            assert_near(ub_optimizer_threshold(o), 14, 1e-12);
        }
        ub_optimizer_free(o);
    }
    quadratic_free(&q);
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

/* ---- schedules ---- */

/* The rate at step t of 40, lr = 0.5, after a warm-up of W steps. */
static double scheduled(const char *schedule, int64_t warmup, int64_t t)
{
    const double p = (double)(t - warmup) / (double)(40 - warmup);
    if (t < warmup)
        return 0.5 * (double)(t + 1) / (double)warmup;
    if (strcmp(schedule, "cosine") == 0)
        return 0.5 * pow(cos(0.5 * acos(-1) * p), 2);
    if (strcmp(schedule, "linear") == 0)
        return 0.5 * (1 - p);
    if (strcmp(schedule, "inverse-sqrt") == 0)
        return 0.5 / sqrt((double)(t + 1) / fmax((double)warmup, 1));
    if (strcmp(schedule, "exponential") == 0)
        return 0.5 / 0.95 * exp(-2 * log(0.95) * (double)(t - warmup));
    double step = 0.5;
    for (int64_t i = t; strcmp(schedule, "step") == 0 && i >= warmup + 7; i -= 7)
        step *= 0.3;
    return step;
}

/* The rate moves by its closed form; steps and thresholds follow it. */
static void schedules_are_their_formulas(void **state)
{
    (void)state;
    static const char *const names[] = {"constant", "cosine",       "linear",
                                        "step",     "inverse-sqrt", "exponential"};
    struct quadratic q = quadratic_new();
    const struct ub_training training = {q.problem, 40, 0};
    for (int k = 0; k < 12; k++) {
        const int64_t warmup = k < 6 ? 0 : 6;
        char text[128];
        struct ub_error err = {0};
        snprintf(text, sizeof text,
                 "gd:lr=0.5,schedule=%s,warmup=%d,drop-every=7,drop-factor=0.3,instead-of-l2=0.1",
                 names[k % 6], (int)warmup);
        struct ub_optimizer *o = ub_optimizer_new(text, 1, &err);
        assert_true(o && ub_optimizer_attach(o, &training, &err));
        for (int64_t t = 0; t <= 40; t++) {
            double theta = 0;
            const double grad = 1, lr = scheduled(names[k % 6], warmup, t);
            assert_near(o->lr, lr, 1e-14 * fmax(1, lr));
            assert_true(o->base == 0.5);
            if (t < 40)
                assert_near(ub_optimizer_threshold(o) * lr, 2, 1e-12);
            ub_optimizer_step(o, &theta, &grad);
            assert_near(theta, -lr, 1e-14 * fmax(1, lr));
        }
        ub_optimizer_free(o);
    }
    quadratic_free(&q);
}

/* edge(S) and relative(R) are about the rate before the schedule. */
static void schedules_multiply_the_rate_at_the_edge(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_optimizer *o = optimizer("gd", "lr=edge(10),warmup=4");
    assert_near(o->base, 0.2, 1e-15);
    assert_near(o->lr, 0.05, 1e-15);
    ub_optimizer_free(o);
    o = optimizer("gd", "lr=relative(2),warmup=4");
    assert_true(ub_optimizer_resolve(o, 20, &err));
    assert_near(o->base, 0.2, 1e-15);
    assert_near(o->lr, 0.05, 1e-15);
    ub_optimizer_free(o);
}

/* ---- coupled decay ---- */

/* Any optimizer with l2 moves as it does on gradients that have the term already. */
static void coupled_decay_is_part_of_the_gradient(void **state)
{
    (void)state;
    for (size_t k = 0; ub_optimizers[k]; k++) {
        const struct ub_optimizer_kind *kind = ub_optimizers[k];
        if (kind->needs_problem)
            continue;
        struct ub_optimizer *with = optimizer(kind->name, "lr=0.1,l2=0.25");
        struct ub_optimizer *without = optimizer(kind->name, "lr=0.1");
        double a[FEATURES] = {1, -2, 3, -4}, b[FEATURES] = {1, -2, 3, -4};
        for (int t = 0; t < 4; t++) {
            double grad[FEATURES], sum[FEATURES], p[FEATURES], r[FEATURES];
            for (int i = 0; i < FEATURES; i++) {
                grad[i] = sin(1.0 + t + 2 * i);
                sum[i] = grad[i] + 0.25 * b[i];
            }
            if (!kind->attach) {
                metric_diagonal(with, a, grad, p);
                metric_diagonal(without, a, sum, r);
                assert_memory_equal(p, r, sizeof p);
            }
            ub_optimizer_step(with, a, grad);
            ub_optimizer_step(without, b, sum);
            assert_memory_equal(a, b, sizeof a);
        }
        ub_optimizer_free(with);
        ub_optimizer_free(without);
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
            metric_diagonal(o[k], &theta[k], &x, &p);
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
    assert_near(ub_optimizer_threshold(s), 20, 1e-12);
    assert_true(isnan(ub_optimizer_threshold(l)));
    ub_optimizer_free(s);
    ub_optimizer_free(l);
    ub_optimizer_free(u);
}

/* Without momentum a step is -lr P^-1 g, the P said before the step. */
static void metrics_are_those_of_the_step(void **state)
{
    (void)state;
    for (size_t k = 0; ub_optimizers[k]; k++) {
        const struct ub_optimizer_kind *kind = ub_optimizers[k];
        if (kind->geometry != UB_PRECONDITIONED || kind->attach) /* test_norms.c has those */
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
            metric_diagonal(o, theta, grad, diagonal);
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
        {"zzzzzzzzzzzz:lr=0.1", "'unibench list optimizers' shows them"},
        {"gd:lr=edge(1e-320)", "no learning rate"},
        {"gd:lr=0.1,schedule=cosin", "schedule"},
        {"gd:lr=0.1,warmup=-1", "warmup"},
        {"gd:lr=0.1,drop-every=0", "drop-every"},
        {"gd:lr=0.1,l2=-1", "l2"},
        {"sgd:lr=0.1,batch=-3", "batch"},
        {"lbfgs:lr=edge(3)", "no known edge"},
        {"lbfgs:lr=1,history=0", "history"},
        {"gradient-flow:lr=0.1,tolerance=0", "tolerance"},
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
        assert_true(!kind->metric == (kind->geometry != UB_PRECONDITIONED));
        assert_true(!kind->ball == (kind->geometry != UB_IN_A_NORM));
        assert_true(!kind->flow || kind->threshold);
    }
    assert_true(n >= 3);
    assert_null(ub_optimizer_find("GD"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_are_their_formulas),
        cmocka_unit_test(rates_invert_thresholds),
        cmocka_unit_test(relative_rates_need_positive_sharpness),
        cmocka_unit_test(schedules_are_their_formulas),
        cmocka_unit_test(schedules_multiply_the_rate_at_the_edge),
        cmocka_unit_test(coupled_decay_is_part_of_the_gradient),
        cmocka_unit_test(updates_are_as_written_by_hand),
        cmocka_unit_test(adaptive_updates_are_their_formulas),
        cmocka_unit_test(signs_decide_the_steps),
        cmocka_unit_test(metrics_are_those_of_the_step),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(every_entry_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
