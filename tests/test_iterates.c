/* What is measured along the path of a run, against the path itself: directional smoothness,
 * alignment of the gradient, midpoints of the iterates, catapults. */
#include "metrics.h"
#include "observing.h"

#include "bench/observables/path.h"
#include "bench/spectra/eigen.h"

enum { STEPS = 6 };

/* The run of a fixture once more, by hand: parameters, gradients and losses of every step. */
struct path {
    double *theta, *grad, loss[STEPS + 1];
};

static struct path path_of(struct fixture *f)
{
    const size_t n = (size_t)f->size;
    struct path p = {.theta = ub_calloc((STEPS + 1) * n, 8), .grad = ub_calloc((STEPS + 1) * n, 8)};
    memcpy(p.theta, f->theta0, n * sizeof *p.theta);
    for (size_t t = 0;; t++) {
        p.loss[t] = ub_problem_gradient(f->problem, p.theta + t * n, p.grad + t * n);
        if (t == STEPS)
            return p;
        memcpy(p.theta + (t + 1) * n, p.theta + t * n, n * sizeof *p.theta);
        ub_optimizer_step(f->optimizer, p.theta + (t + 1) * n, p.grad + t * n);
    }
}

static void path_free(struct path *p)
{
    ub_free(p->theta);
    ub_free(p->grad);
}

static void directional_smoothness_is_the_secants(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    struct path p = path_of(&f);
    const int64_t n = f.size;
    TRAIN(&f, STEPS, "directional-smoothness:every=1");
    assert_null(find_row(f.recorded, 0, "directional-smoothness", 0));
    assert_int_equal(f.recorded->n_rows, STEPS);
    double worst = 0;
    for (int64_t t = 1; t <= STEPS; t++) {
        double turned = 0, length = 0;
        for (int64_t i = 0; i < n; i++) {
            const double d = p.theta[t * n + i] - p.theta[(t - 1) * n + i];
            turned += d * (p.grad[t * n + i] - p.grad[(t - 1) * n + i]);
            length += d * d;
        }
        worst = fmax(worst,
                     fabs(value_of(f.recorded, t, "directional-smoothness", 0) - turned / length));
    }
    assert_oracle("observable directional-smoothness", "the path once more, by hand", worst, 1e-12);
    TRAIN(&f, STEPS, "directional-smoothness:at=5"); /* iterates are kept between, too */
    const double late = value_of(f.recorded, 5, "directional-smoothness", 0);
    TRAIN(&f, STEPS, "midpoint-sharpness:every=2", "directional-smoothness:every=1");
    assert_near(value_of(f.recorded, 5, "directional-smoothness", 0), late, 0);
    path_free(&p);
    fixture_free(&f);
}

static struct fixture quadratic(const char *optimizer)
{
    return fixture_of(tiny_dataset(UB_REGRESSION, 6, 0, 2, 5), "quadratic:top=3,exponent=1", "mse",
                      optimizer);
}

/* A quadratic's gradient changes by H d: d'Hd/|d|^2, d along g under gradient descent. */
static void smoothness_on_a_quadratic_is_curvature_along_the_step(void **state)
{
    (void)state;
    struct fixture f = quadratic("gd:lr=0.1");
    TRAIN(&f, STEPS, "directional-smoothness:every=1", "gradient-alignment:every=1");
    for (int64_t t = 1; t <= STEPS; t++)
        assert_near(value_of(f.recorded, t, "directional-smoothness", 0),
                    value_of(f.recorded, t - 1, "gradient-rayleigh", 0), 1e-9);
    fixture_free(&f);
}

static void set_metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    (void)grad;
    for (int64_t i = 0; i < o->size; i++)
        m->values[i] = 0.1 + 0.03 * (double)i;
}

/* Dense: S = P^-1/2 H P^-1/2, y = P^-1/2 g; cosines with LAPACK's eigenvectors, y'Sy/y'y. */
static void check_alignment(const struct fixture *f, const double *diagonal)
{
    enum { TOP = 3 };
    struct ub_error err = {0};
    const int64_t n = f->size;
    double *h = dense_hessian(f), *values = ub_calloc((size_t)n, sizeof *values);
    double *y = ub_calloc((size_t)n, sizeof *y), quotient = 0, worst = 0;
    for (int64_t i = 0; i < n; i++) {
        y[i] = f->grad[i] / (diagonal ? sqrt(diagonal[i]) : 1);
        for (int64_t j = 0; j < n; j++)
            h[i * n + j] /= diagonal ? sqrt(diagonal[i] * diagonal[j]) : 1;
    }
    for (int64_t i = 0; i < n; i++)
        quotient += y[i] * tiny_dot(n, h + i * n, y) / tiny_dot(n, y, y);
    assert_true(ub_eigen_dense(n, h, values, true, &err));
    for (int64_t k = 0; k < TOP; k++) {
        const double along = tiny_dot(n, h + (n - 1 - k) * n, y);
        worst = fmax(worst, fabs(value_of(f->recorded, STEPS, "gradient-alignment", k) -
                                 along * along / tiny_dot(n, y, y)));
    }
    assert_oracle("observable gradient-alignment", "dense eigenvectors, with a metric and without",
                  worst, 1e-6);
    assert_null(find_row(f->recorded, STEPS, "gradient-alignment", TOP));
    assert_near(value_of(f->recorded, STEPS, "gradient-rayleigh", 0), quotient,
                1e-10 * fabs(quotient));
    ub_free(h);
    ub_free(values);
    ub_free(y);
}

static void alignment_is_the_dense_eigenvectors(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.1");
    static const char text[] = "gradient-alignment:at=6,top=3,tolerance=1e-9";
    TRAIN(&f, STEPS, text);
    check_alignment(&f, NULL);
    const struct ub_optimizer_kind *gd = f.optimizer->kind, kind = kind_with_metric(gd, set_metric);
    double *diagonal = ub_calloc((size_t)f.size, sizeof *diagonal);
    f.optimizer->kind = &kind;
    metric_diagonal(f.optimizer, f.theta, f.grad, diagonal);
    TRAIN(&f, STEPS, text, "midpoint-sharpness:every=1"); /* which linearises elsewhere */
    check_alignment(&f, diagonal);
    f.optimizer->kind = gd;
    ub_free(diagonal);
    fixture_free(&f);
}

/* ---- midpoints ---- */

static void midpoint_sharpness_is_the_dense_hessians_there(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    struct path p = path_of(&f);
    const int64_t n = f.size;
    TRAIN(&f, STEPS, "midpoint-sharpness:every=1,tolerance=1e-9");
    assert_int_equal(count_rows(f.recorded, "midpoint-sharpness"), STEPS - 1);
    double worst = 0;
    for (int64_t t = 2; t <= STEPS; t++) {
        for (int64_t i = 0; i < n; i++)
            f.theta[i] =
                (p.theta[(t - 2) * n + i] + 2 * p.theta[(t - 1) * n + i] + p.theta[t * n + i]) / 4;
        double *expected = dense_spectrum(&f, NULL);
        assert_spectrum(f.recorded, t, "midpoint-sharpness", expected, 1, 1e-8 * expected[0]);
        worst = fmax(
            worst, fabs(value_of(f.recorded, t, "midpoint-edge-ratio", 0) - expected[0] * 0.5 / 2));
        ub_free(expected);
    }
    assert_oracle("observable midpoint-sharpness", "dense Hessians at midpoints of the path", worst,
                  1e-8);
    assert_true(fact(f.recorded, "hvps.midpoint-sharpness") > 0);
    assert_true(isnan(fact(f.recorded, "hvps.sharpness")));
    path_free(&p);
    fixture_free(&f);
}

/* Gradient descent on a quadratic: x_t - x* = q^t (x_0 - x*), q = 1 - lr lambda by coordinate, and
 * the midpoint of t-2..t is off by q^(t-2) ((1 + q)/2)^2: nothing at the edge, where q = -1. */
static void midpoints_on_a_quadratic_are_closed_form(void **state)
{
    (void)state;
    struct fixture f = quadratic("gd:lr=0.66666666666666663"); /* 2/lr = top */
    const int64_t n = f.size;
    TRAIN(&f, STEPS, "midpoint-sharpness:every=1,tolerance=1e-9");
    for (int64_t t = 2; t <= STEPS; t++) {
        assert_near(value_of(f.recorded, t, "midpoint-sharpness", 0), 3, 1e-7);
        assert_near(value_of(f.recorded, t, "midpoint-edge-ratio", 0), 1, 1e-7);
    }
    ub_problem_gradient(f.problem, f.theta0, f.grad);
    double *mid = ub_calloc((size_t)n, sizeof *mid), *x = ub_calloc((size_t)n, sizeof *x);
    struct ub_moment moment = {
        .theta = x,
        .grad = f.grad,
        .problem = f.problem,
        .optimizer = f.optimizer,
    };
    struct ub_path path = {0};
    ub_path_ask_iterates(&path, 2);
    memcpy(x, f.theta0, (size_t)n * sizeof *x);
    for (int64_t t = 0; t <= STEPS; t++) {
        moment.step = t;
        ub_problem_gradient(f.problem, x, f.grad);
        assert_true(ub_path_midpoint(&path, &moment, mid) == (t >= 2));
        for (int64_t i = 0; t >= 2 && i < n; i++) {
            const double lambda = 3.0 / (double)(i + 1), q = 1 - f.optimizer->lr * lambda;
            ub_problem_gradient(f.problem, f.theta0, f.grad);
            const double best = f.theta0[i] - f.grad[i] / lambda;
            assert_near(mid[i],
                        best + pow(q, (double)(t - 2)) * pow((1 + q) / 2, 2) * (f.theta0[i] - best),
                        1e-12);
        }
        ub_problem_gradient(f.problem, x, f.grad);
        ub_path_keep(&path, &moment);
        ub_optimizer_step(f.optimizer, x, f.grad);
    }
    moment.step += 2; /* a gap: the last kept are not its neighbors */
    assert_false(ub_path_midpoint(&path, &moment, mid));
    ub_path_clear(&path);
    ub_free(mid);
    ub_free(x);
    fixture_free(&f);
}

/* ---- catapult ---- */

/* Above the edge: the loss is 0.39, 0.47, 1.19, 0.84 at steps 0 to 3. */
static void catapult_follows_losses_of_every_step(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=2");
    struct path p = path_of(&f);
    assert_true(p.loss[2] > p.loss[1] && p.loss[2] > p.loss[3] && p.loss[1] > p.loss[0]);
    memcpy(f.theta, f.theta0, (size_t)f.size * sizeof *f.theta);
    double *before = dense_spectrum(&f, NULL);
    TRAIN(&f, 3, "catapult:at=0+3,tolerance=1e-9", "sharpness:at=0+3");
    double *after = dense_spectrum(&f, NULL);
    assert_near(value_of(f.recorded, 0, "catapult-peak", 0), 1, 0);
    assert_near(value_of(f.recorded, 0, "catapult-sharpness", 0), 1, 0);
    assert_near(value_of(f.recorded, 3, "catapult-peak", 0), p.loss[2] / p.loss[0], 1e-12);
    assert_near(value_of(f.recorded, 3, "catapult-peak-step", 0), 2, 0);
    assert_oracle("observable catapult", "dense Hessians along the path by hand",
                  value_of(f.recorded, 3, "catapult-sharpness", 0) - after[0] / before[0], 1e-7);
    assert_near(value_of(f.recorded, 3, "catapult-back", 0), 0, 0);
    assert_near(fact(f.recorded, "measurements.sharpness"), 2, 0); /* shared */
    TRAIN(&f, STEPS, "catapult:at=6");
    assert_int_equal(count_rows(f.recorded, "catapult-sharpness"), 0);
    ub_free(before);
    ub_free(after);
    path_free(&p);
    fixture_free(&f);
}

static void below_the_edge_nothing_is_thrown(void **state)
{
    (void)state;
    struct fixture f = quadratic("gd:lr=0.1");
    TRAIN(&f, STEPS, "catapult:every=3,tolerance=1e-9");
    for (int64_t t = 3; t <= STEPS; t += 3) {
        assert_near(value_of(f.recorded, t, "catapult-peak", 0), 1, 0);
        assert_near(value_of(f.recorded, t, "catapult-peak-step", 0), 0, 0);
        assert_near(value_of(f.recorded, t, "catapult-sharpness", 0), 1, 1e-8);
        assert_near(value_of(f.recorded, t, "catapult-back", 0), 1, 0);
    }
    fixture_free(&f);
}

/* A run that asks before it looks sees every step that its measurements need, and no other. */
static void steps_on_the_way_are_due(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t steps[5];
    } cases[] = {{"sharpness:at=4", {4, -1}},
                 {"directional-smoothness:at=4", {3, 4, -1}},
                 {"midpoint-sharpness:at=4", {2, 3, 4, -1}},
                 {"catapult:at=2", {0, 1, 2, 3, 4}}};
    for (int c = 0; c < 4; c++) {
        struct ub_error err = {0};
        struct ub_observers *o = ub_observers_new(&cases[c].text, 1, "test", &err);
        assert_non_null(o);
        int k = 0;
        for (int64_t step = 0; step <= 4; step++) {
            const bool due = k < 5 && cases[c].steps[k] == step;
            assert_true(ub_observers_due(o, step, 4) == due);
            k += due;
        }
        ub_observers_free(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directional_smoothness_is_the_secants),
        cmocka_unit_test(smoothness_on_a_quadratic_is_curvature_along_the_step),
        cmocka_unit_test(alignment_is_the_dense_eigenvectors),
        cmocka_unit_test(midpoint_sharpness_is_the_dense_hessians_there),
        cmocka_unit_test(midpoints_on_a_quadratic_are_closed_form),
        cmocka_unit_test(catapult_follows_losses_of_every_step),
        cmocka_unit_test(below_the_edge_nothing_is_thrown),
        cmocka_unit_test(steps_on_the_way_are_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
