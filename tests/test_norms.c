/* Optimizers that descend over the balls of norms, Muon among them: updates by independent
 * formulas, and edges. Shampoo and SOAP: test_kronecker.c. */
#include "layouts.h"

#include "bench/observables/ball_maximum.h"

#include <string.h>

/* ---- updates ---- */

static void check_descent(const char *text, const char *name, bool scaled, bool rates)
{
    struct ub_random r = ub_random_stream(2, text);
    struct ub_optimizer *o = optimizer(text);
    struct ub_ball *ball = ub_ball_new(name, &layout, SIZE, rates);
    double theta[SIZE] = {0}, expected[SIZE] = {0}, g[SIZE], d[SIZE], factor;
    for (int t = 0; t < 3; t++) {
        fill(&r, SIZE, g);
        const double dual = ub_ball_oracle(ball, g, d);
        assert_non_null(o->kind->ball(o, g, &factor));
        assert_near(factor, scaled ? 1 : 1 / dual, 1e-14);
        ub_optimizer_step(o, theta, g);
        for (int i = 0; i < SIZE; i++) {
            expected[i] -= 0.1 * (scaled ? dual : 1) * d[i];
            assert_near(theta[i], expected[i], 1e-13);
        }
    }
    assert_near(ub_optimizer_threshold(o), 20, 1e-12);
    ub_ball_free(ball);
    ub_optimizer_free(o);
}

static void descents_step_by_their_oracles(void **state)
{
    (void)state;
    check_descent("signsgd:lr=0.1", "max", false, true);
    check_descent("signsgd:lr=0.1,scaled=true", "max", true, true);
    check_descent("block-cd:lr=0.1", "block", true, false);
    check_descent("block-cd:lr=0.1,scaled=false", "block", false, false);
    check_descent("spectral-gd:lr=0.1", "spectral", true, false);
    check_descent("spectral-gd:lr=0.1,scaled=false", "spectral", false, false);
}

/* Block descent moves the tensor with the longest gradient, by lr g. */
static void block_descent_moves_one_tensor(void **state)
{
    (void)state;
    struct ub_optimizer *o = optimizer("block-cd:lr=0.5");
    double theta[SIZE] = {0}, g[SIZE];
    for (int i = 0; i < SIZE; i++)
        g[i] = i >= 12 && i < 15 ? 10 : 1;
    ub_optimizer_step(o, theta, g);
    for (int i = 0; i < SIZE; i++)
        assert_near(theta[i], i >= 12 && i < 15 ? -5 : 0, 1e-14);
    ub_optimizer_free(o);
}

/* Newton-Schulz acts on singular values alone: X X' and what the quintic makes of a's. */
static void newton_schulz_is_its_polynomial(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(3, "schulz");
    struct ub_optimizer *o = optimizer("muon:lr=1,momentum=0,scale=none,others=euclidean");
    double theta[SIZE] = {0}, g[SIZE], before[4], after[4];
    fill(&r, SIZE, g);
    ub_optimizer_step(o, theta, g);
    for (int t = 0; t < TENSORS; t++) {
        if (params[t].rank < 2)
            continue;
        const double *from = g + params[t].offset, *to = theta + params[t].offset;
        const int64_t k = singular(&params[t], from, before), n = params[t].size;
        double size = tiny_norm(n, from) + 1e-7, inner = 0, sum = 0;
        for (int64_t i = 0; i < k; i++) {
            double s = before[i] / size;
            for (int j = 0; j < 5; j++)
                s = 3.4445 * s - 4.7750 * pow(s, 3) + 2.0315 * pow(s, 5);
            inner += before[i] * s;
            before[i] = s;
            sum += s * s;
        }
        /* <g, -X> as if the singular vectors are those of g, and |X|_F, |X|_2 */
        assert_near(-tiny_dot(n, from, to), inner, 1e-10 * inner);
        assert_near(tiny_norm(n, to), sqrt(sum), 1e-10);
        singular(&params[t], to, after);
        double most = 0;
        for (int64_t i = 0; i < k; i++)
            most = fmax(most, before[i]);
        assert_near(after[k - 1], most, 1e-9);
    }
    for (int i = 12; i < 15; i++)
        assert_near(theta[i], -g[i] / tiny_norm(3, g + 12), 1e-14);
    ub_optimizer_free(o);
}

/* Momentum, Nesterov's and scales: steps with momentum are those without on the mixed gradient. */
static void check_muon(const char *scale, bool nesterov, const double factors[TENSORS])
{
    struct ub_random r = ub_random_stream(4, "muon");
    char text[160];
    snprintf(text, sizeof text, "muon:lr=0.1,momentum=0.5,nesterov=%s,scale=%s,others=sign,decay=2",
             nesterov ? "true" : "false", scale);
    struct ub_optimizer *o = optimizer(text);
    struct ub_optimizer *plain = optimizer("muon:lr=1,momentum=0,scale=none,others=sign");
    double theta[SIZE] = {0}, expected[SIZE] = {0}, m[SIZE] = {0}, g[SIZE], mixed[SIZE];
    for (int t = 0; t < 3; t++) {
        double u[SIZE] = {0};
        fill(&r, SIZE, g);
        for (int i = 0; i < SIZE; i++) {
            m[i] = 0.5 * m[i] + g[i];
            mixed[i] = nesterov ? g[i] + 0.5 * m[i] : m[i];
        }
        ub_optimizer_step(plain, u, mixed);
        ub_optimizer_step(o, theta, g);
        for (int k = 0; k < TENSORS; k++)
            for (int64_t i = params[k].offset; i < params[k].offset + params[k].size; i++) {
                expected[i] += 0.1 * (factors[k] * u[i] - 2 * expected[i]);
                assert_near(theta[i], expected[i], 1e-12);
            }
    }
    ub_optimizer_free(o);
    ub_optimizer_free(plain);
}

static void muon_steps_by_its_options(void **state)
{
    (void)state;
    check_muon("none", true, (double[]){1, 1, 1, 1});
    check_muon("none", false, (double[]){1, 1, 1, 1});
    check_muon("tall", true, (double[]){sqrt(4 / 3.0), 1, 1, 1});
    check_muon("spectral", true, (double[]){sqrt(4 / 3.0), 1, sqrt(0.5), sqrt(0.75)});
    check_muon("rms", false, (double[]){0.4, 1, 0.4, 0.4});

    struct ub_optimizer *o =
        optimizer("muon:lr=2,momentum=0,scale=none,hidden-only=true,others=adam,adam-factor=0.5");
    double theta[SIZE] = {0}, g[SIZE];
    for (int i = 0; i < SIZE; i++)
        g[i] = i % 3 - 1.5;
    ub_optimizer_step(o, theta, g); /* Adam's first step is a sign */
    for (int i = 0; i < SIZE; i++)
        if (i < 15 || i >= 23)
            assert_near(theta[i], g[i] > 0 ? -1 : 1, 1e-8);
    assert_true(tiny_norm(8, theta + 15) > 0 && fabs(theta[15]) < 1.99);
    assert_true(isnan(ub_optimizer_threshold(o)));
    ub_optimizer_free(o);
}

/* ---- edges: descent over balls ---- */

static double change(const double *h, const double *from, const double *to)
{
    return (dense_form(SIZE, h, to) - dense_form(SIZE, h, from)) / 2;
}

static double step_change(struct ub_optimizer *o, const double *h, const double *x)
{
    double g[SIZE], y[SIZE];
    dense_product(SIZE, SIZE, 1, h, x, g);
    memcpy(y, x, sizeof y);
    ub_optimizer_step(o, y, g);
    return change(h, x, y);
}

/* With its factor the sharpness is at `ratio` times the threshold, at x. */
static void set_rate(struct ub_optimizer *o, const double *h, const double *x, double sharpness,
                     double ratio)
{
    double g[SIZE], factor;
    dense_product(SIZE, SIZE, 1, h, x, g);
    assert_non_null(o->kind->ball(o, g, &factor));
    o->base = o->lr = o->kind->rate_for(o, factor * sharpness) * ratio;
    assert_near(ub_optimizer_threshold(o), factor * sharpness / ratio, 1e-9 * factor * sharpness);
}

/* The ratio at which a step from the maximizer ceases to descend. */
static void check_turn(struct ub_optimizer *o, const double *h, const double *x, double sharpness)
{
    double low = 0.5, high = 2;
    char of[64];
    while (high - low > 1e-9) {
        const double middle = (low + high) / 2;
        set_rate(o, h, x, sharpness, middle);
        *(step_change(o, h, x) > 0 ? &high : &low) = middle;
    }
    snprintf(of, sizeof of, "edge %s", o->kind->name);
    assert_oracle(of, "where steps over the norm's ball cease to descend, quadratics, relative",
                  low - 1, 1e-3);
}

static void check_descents(const char *text, enum quadratic_kind kind, bool exact)
{
    struct ub_random r = ub_random_stream(11, text);
    struct ub_optimizer *o = optimizer(text);
    double *h = quadratic_new(SIZE, (enum quadratic_kind)kind), x[SIZE], factor;
    struct ub_operator a = ub_operator_dense(SIZE, h);
    fill(&r, SIZE, x);
    struct ub_ball_maximum *m = ub_ball_maximum_new(o->kind->ball(o, x, &factor));
    const struct ub_ball_result top = ub_ball_maximize(
        m, &a, &(struct ub_ball_effort){.starts = 300, .tolerance = 1e-10, .products = 1000000});
    assert_true(top.value > 0 && top.converged);
    int ascents = 0;
    char of[64];
    for (int k = 0; k < 300; k++) {
        fill(&r, SIZE, x);
        set_rate(o, h, x, top.value, 0.999);
        ascents += !(step_change(o, h, x) < 0);
    }
    snprintf(of, sizeof of, "edge %s", o->kind->name);
    assert_oracle(of, "300 steps on quadratics at 0.999 of it: ascents", ascents, 0);
    memcpy(x, top.direction, sizeof x); /* whose gradient has itself as the oracle's answer */
    set_rate(o, h, x, top.value, 0.999);
    assert_true(step_change(o, h, x) < 0);
    if (exact)
        check_turn(o, h, x, top.value);
    ub_ball_maximum_free(m);
    ub_operator_free(&a);
    ub_optimizer_free(o);
    ub_free(h);
}

static void descents_end_at_the_edge(void **state)
{
    (void)state;
    const char *const texts[] = {"signsgd:lr=1",     "signsgd:lr=1,scaled=true",
                                 "block-cd:lr=1",    "block-cd:lr=1,scaled=false",
                                 "spectral-gd:lr=1", "spectral-gd:lr=1,scaled=false"};
    for (int kind = RANDOM; kind <= ILL_CONDITIONED; kind++) {
        for (int k = 0; k < 6; k++)
            check_descents(texts[k], (enum quadratic_kind)kind, true);
        /* Newton-Schulz steps are no exact oracle: the bound holds, and need not be attained. */
        check_descents("muon:lr=1,momentum=0,others=sign", (enum quadratic_kind)kind, false);
        check_descents("muon:lr=1,momentum=0,others=euclidean,scale=spectral",
                       (enum quadratic_kind)kind, false);
    }
}

static void edges_that_are_not_known(void **state)
{
    (void)state;
    const char *const texts[] = {"muon:lr=1", "muon:lr=1,momentum=0", "muon:lr=1,others=sign",
                                 "muon:lr=1,others=sign,momentum=0,decay=1", "lion:lr=1"};
    for (int k = 0; k < 5; k++) {
        struct ub_optimizer *o = optimizer(texts[k]);
        double g[SIZE] = {1}, factor;
        assert_true(isnan(ub_optimizer_threshold(o)));
        assert_true(!o->kind->ball || !o->kind->ball(o, g, &factor));
        ub_optimizer_free(o);
    }
    struct ub_error err = {0};
    assert_null(ub_optimizer_new("muon:lr=edge(4)", SIZE, &err));
    assert_input_error(&err, "no learning rate");
    struct ub_optimizer *o = ub_optimizer_new("muon:lr=edge(4),momentum=0,others=sign", SIZE, &err);
    assert_near(ub_optimizer_threshold(o), 4, 1e-12);
    ub_optimizer_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descents_step_by_their_oracles),
        cmocka_unit_test(block_descent_moves_one_tensor),
        cmocka_unit_test(newton_schulz_is_its_polynomial),
        cmocka_unit_test(muon_steps_by_its_options),
        cmocka_unit_test(descents_end_at_the_edge),
        cmocka_unit_test(edges_that_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
