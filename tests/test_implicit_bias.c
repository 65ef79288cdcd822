/* What diagonal networks are biased to: the potential's minimizer against its optimality
 * conditions, neighbors, and both limits; training against it; and the law on small runs. */
#include "law_suite.h"
#include "observing.h"

#include "bench/observables/interpolant.h"

#include <lapacke.h>

enum { N = 4, D = 9 };

struct regression {
    double *X, *y;
};

static struct regression regression_new(void)
{
    return (struct regression){tiny_normals((int64_t)N * D, "X"), tiny_normals(N, "y")};
}

static void regression_free(struct regression *r)
{
    ub_free(r->X);
    ub_free(r->y);
}

static double potential(const double *w, double alpha)
{
    const double square = alpha * alpha;
    double sum = 0;
    for (int i = 0; i < D; i++) {
        const double z = w[i] / square;
        sum += square * (2 - sqrt(4 + z * z) + z * asinh(z / 2));
    }
    return sum;
}

static double misfit(const struct regression *r, const double *w)
{
    double worst = 0;
    for (int i = 0; i < N; i++)
        worst = fmax(worst, fabs(tiny_dot(D, r->X + (ptrdiff_t)i * D, w) - r->y[i]));
    return worst;
}

/* The part of a random vector that X maps to 0. */
static void null_direction(const struct regression *r, uint64_t seed, double *out)
{
    double values[N], w[D];
    struct ub_random random = ub_random_stream(seed, "direction");
    for (int i = 0; i < D; i++)
        out[i] = ub_random_normal(&random);
    for (int i = 0; i < N; i++)
        values[i] = tiny_dot(D, r->X + (ptrdiff_t)i * D, out);
    assert_true(ub_shortest_interpolant(N, D, r->X, values, w));
    for (int i = 0; i < D; i++)
        out[i] -= w[i];
}

/* A convex potential's minimizer over X w = y: no feasible neighbor is lower, and the gradient,
 * asinh(w/(2 alpha^2)) as differences of Q confirm, has no part along what X maps to 0. */
static void minimizers_are(void **state)
{
    (void)state;
    struct regression r = regression_new();
    static const double alphas[] = {0.003, 0.1, 1, 10};
    double most = 0;
    for (int k = 0; k < 4; k++) {
        const double alpha = alphas[k];
        double w[D], gradient[D], direction[D], near[D], worst = 0;
        assert_true(ub_hyperbolic_interpolant(N, D, r.X, r.y, alpha, w));
        assert_true(misfit(&r, w) < 1e-9);
        const double least = potential(w, alpha);
        for (int i = 0; i < D; i++) {
            const double h = 1e-5 * (fabs(w[i]) + alpha * alpha);
            memcpy(near, w, sizeof near);
            near[i] = w[i] + h;
            const double above = potential(near, alpha);
            near[i] = w[i] - h;
            gradient[i] = asinh(w[i] / (2 * alpha * alpha));
            assert_near((above - potential(near, alpha)) / (2 * h), gradient[i], 1e-3);
        }
        for (uint64_t seed = 0; seed < 20; seed++) {
            null_direction(&r, seed, direction);
            worst = fmax(worst, fabs(tiny_dot(D, gradient, direction)) /
                                    (tiny_norm(D, gradient) * tiny_norm(D, direction)));
            for (int i = 0; i < D; i++)
                near[i] = w[i] + 0.01 * direction[i];
            assert_true(potential(near, alpha) > least);
        }
        most = fmax(most, worst);
    }
    assert_oracle("law implicit-bias-diagonal",
                  "optimality of the convex potential: its gradient along null directions", most,
                  1e-8);
    regression_free(&r);
}

static double l1(const double *w)
{
    double sum = 0;
    for (int i = 0; i < D; i++)
        sum += fabs(w[i]);
    return sum;
}

/* A linear program's least is at a basis: over all choices of N of D columns. */
static double least_l1(const struct regression *r)
{
    double least = INFINITY;
    for (unsigned set = 0; set < 1U << D; set++) {
        double a[N * N], x[N], sum = 0;
        lapack_int pivot[N];
        int n = 0;
        if (__builtin_popcount(set) != N)
            continue;
        for (int i = 0; i < D; i++) {
            if (!(set >> i & 1))
                continue;
            for (int row = 0; row < N; row++)
                a[row * N + n] = r->X[row * D + i];
            n++;
        }
        memcpy(x, r->y, sizeof x);
        if (LAPACKE_dgesv(LAPACK_ROW_MAJOR, N, 1, a, N, pivot, x, 1) != 0)
            continue;
        for (int i = 0; i < N; i++)
            sum += fabs(x[i]);
        least = fmin(least, sum);
    }
    return least;
}

/* From the shortest for large alpha to the least l1 for small, as slowly as 1/ln(1/alpha). */
static void both_limits_are_reached(void **state)
{
    (void)state;
    struct regression r = regression_new();
    double w[D], shortest[D], last = INFINITY;
    const double least = least_l1(&r);
    assert_true(ub_shortest_interpolant(N, D, r.X, r.y, shortest));
    assert_true(misfit(&r, shortest) < 1e-12);
    assert_true(ub_hyperbolic_interpolant(N, D, r.X, r.y, 100, w));
    assert_true(tiny_error(D, w, shortest) < 1e-6);
    for (double alpha = 10; alpha > 1e-12; alpha /= 100) {
        assert_true(ub_hyperbolic_interpolant(N, D, r.X, r.y, alpha, w));
        print_message("alpha %g: l1 %.4f of the least\n", alpha, l1(w) / least);
        assert_true(l1(w) < last && l1(w) > least * (1 - 1e-12));
        last = l1(w);
    }
    assert_oracle("law implicit-bias-diagonal", "alpha to 0: the linear program's least l1",
                  last / least - 1, 1e-3);
    regression_free(&r);
}

static void what_has_no_solution_is_refused(void **state)
{
    (void)state;
    double X[] = {1, 2, 3, 2, 4, 6}, y[] = {1, 3}, w[3];
    assert_false(ub_hyperbolic_interpolant(2, 3, X, y, 1, w));
    assert_false(ub_hyperbolic_interpolant(3, 2, X, y, 1, w));
    assert_false(ub_shortest_interpolant(3, 2, X, y, w));
}

/* ---- training ---- */

static double end_of(const char *model, const char *optimizer, int64_t steps)
{
    struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, N, 7, D, 2), model, "mse", optimizer);
    TRAIN(&f, steps, "implicit-bias:at=end");
    const double distance = value_of(f.recorded, steps, "implicit-distance", 0);
    print_message("%s, %s: distance %.2e (from the shortest %.2e), residual %.1e\n", model,
                  optimizer, distance, value_of(f.recorded, steps, "implicit-distance.l2", 0),
                  value_of(f.recorded, steps, "implicit-residual", 0));
    assert_true(value_of(f.recorded, steps, "implicit-residual", 0) < 1e-6);
    fixture_free(&f);
    return distance;
}

static void flow_ends_at_the_minimizer(void **state)
{
    (void)state;
    const double small =
        end_of("diagonal-linear:alpha=0.1", "gradient-flow:lr=2,tolerance=1e-9", 100);
    assert_oracle(
        "law implicit-bias-diagonal, observable implicit-bias", "the end of gradient flow",
        fmax(small, end_of("diagonal-linear:alpha=1", "gradient-flow:lr=1,tolerance=1e-9", 50)),
        1e-5);
}

/* Gradient descent: of first order in the rate. */
static void descent_does_in_short_steps(void **state)
{
    (void)state;
    double last = 0;
    for (int k = 0; k < 4; k++) {
        char optimizer[32];
        snprintf(optimizer, sizeof optimizer, "gd:lr=%g", 0.02 / (1 << k));
        const double distance = end_of("diagonal-linear:alpha=0.3", optimizer, 4000 << k);
        if (k > 0)
            assert_near(log2(last / distance), 1, 0.1);
        last = distance;
    }
}

static void only_squares_are_measured(void **state)
{
    (void)state;
    static const char *const models[] = {"diagonal-linear:depth=3", "linear",
                                         "deep-linear:widths=9"};
    for (int i = 0; i < 3; i++) {
        struct fixture f =
            fixture_of(tiny_dataset(UB_REGRESSION, N, 7, D, 2), models[i], "mse", "gd:lr=0.01");
        TRAIN(&f, 1, "implicit-bias:at=end");
        assert_int_equal(f.recorded->n_rows, 0);
        fixture_free(&f);
    }
    struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, 20, 7, D, 2), "diagonal-linear",
                                  "mse", "gd:lr=0.01"); /* more samples than weights */
    TRAIN(&f, 1, "implicit-bias:at=end");
    assert_int_equal(f.recorded->n_rows, 0);
    fixture_free(&f);
}

/* ---- the law ---- */

extern const struct ub_law ub_law_implicit_bias_diagonal;

/* The edge at the end is at about 2/lr = 4 max |w| lambda: a long step is within a factor of it. */
static const char suite[] =
    "name: bias\n"
    "defaults:\n"
    "  seed: 0\n"
    "  precision: f64\n"
    "  loss: mse\n"
    "  dataset: {gaussian: {samples: 10, features: 30, alpha: 0, beta: 1}}\n"
    "  measure: {implicit-bias: {at: end}}\n"
    "runs:\n"
    "  - model: {diagonal-linear: {alpha: 0.1}}\n"
    "    optimizer: {gradient-flow: {lr: 1}}\n"
    "    steps: 300\n"
    "  - model: {diagonal-linear: {alpha: 0.11}}\n"
    "    optimizer: {gd: {lr: 0.005}}\n"
    "    steps: 20000\n"
    "  - model: {diagonal-linear: {alpha: 0.12}}\n"
    "    optimizer: {gd: {lr: 0.2}}\n"
    "    steps: 4000\n"
    "  - model: {diagonal-linear: {alpha: 0.13}}\n"
    "    optimizer: {sgd: {lr: 0.05, batch: 1}}\n"
    "    steps: 20000\n"
    "  - model: {diagonal-linear: {alpha: 0.14}}\n"
    "    optimizer: {gradient-flow: {lr: 1}}\n"
    "    steps: 2\n";

static void law_holds_where_it_must_and_nowhere_else(void **state)
{
    (void)state;
    struct law_suite r = law_suite_run(suite);
    static const char *const words[] = {"0.1", "0.11", "0.12", "0.13", "0.14"};
    for (int i = 0; i < 5; i++) {
        const struct ub_datum d =
            law_suite_datum(&r, &ub_law_implicit_bias_diagonal, "model.alpha", words[i]);
        const bool flow = i == 0 || i == 4;
        assert_int_equal(
            law_suite_takes(&r, &ub_law_implicit_bias_diagonal, "model.alpha", words[i]), flow);
        assert_int_equal(ub_datum_meets(&ub_law_implicit_bias_diagonal.is, &d), i < 2);
        assert_int_equal(d.why != NULL, i == 4);
    }
    law_suite_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minimizers_are),
        cmocka_unit_test(both_limits_are_reached),
        cmocka_unit_test(what_has_no_solution_is_refused),
        cmocka_unit_test(flow_ends_at_the_minimizer),
        cmocka_unit_test(descent_does_in_short_steps),
        cmocka_unit_test(only_squares_are_measured),
        cmocka_unit_test(law_holds_where_it_must_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
