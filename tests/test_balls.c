/* Balls of norms: their oracles, the largest curvature over them, and its observables. */
#include "layouts.h"
#include "observing.h"

#include "bench/observables/ball_maximum.h"

#include <string.h>

/* ---- balls ---- */

static double dual_of(const char *name, bool rates, const double *g)
{
    double sum = 0, most = 0, values[4];
    if (strcmp(name, "euclidean") == 0)
        return tiny_norm(SIZE, g);
    for (int t = 0; t < TENSORS; t++) {
        const struct ub_param *p = &params[t];
        const double radius = rates ? p->rate_scale : 1;
        double one = tiny_norm(p->size, g + p->offset);
        if (strcmp(name, "max") == 0) {
            one = 0;
            for (int64_t i = 0; i < p->size; i++)
                one += fabs(g[p->offset + i]);
        } else if (strcmp(name, "spectral") == 0 && p->rank > 1) {
            const int64_t k = singular(p, g + p->offset, values);
            one = 0;
            for (int64_t i = 0; i < k; i++)
                one += values[i];
        }
        sum += radius * one;
        most = fmax(most, radius * one);
    }
    return strcmp(name, "block") == 0 ? most : sum;
}

static void oracles_attain_the_dual_norm(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(1, "oracles");
    for (int k = 0; ub_ball_names[k]; k++)
        for (int rates = 0; rates < 2; rates++) {
            struct ub_ball *ball = ub_ball_new(ub_ball_names[k], &layout, SIZE, rates);
            double g[SIZE], d[SIZE], x[SIZE];
            fill(&r, SIZE, g);
            const double dual = ub_ball_oracle(ball, g, d);
            assert_near(dual, dual_of(ub_ball_names[k], rates, g), 1e-12 * dual);
            assert_near(tiny_dot(SIZE, g, d), dual, 1e-12 * dual);
            assert_near(ub_ball_norm(ball, d), 1, 1e-12);
            for (int i = 0; i < 200; i++) { /* |<g, x>| <= |g|_* |x|, a norm by its axioms */
                double y[SIZE], both[SIZE];
                fill(&r, SIZE, x);
                fill(&r, SIZE, y);
                for (int j = 0; j < SIZE; j++)
                    both[j] = x[j] - 3 * y[j];
                const double size = ub_ball_norm(ball, x);
                assert_true(fabs(tiny_dot(SIZE, g, x)) <= dual * size * (1 + 1e-12));
                assert_true(ub_ball_norm(ball, both) <=
                            (size + 3 * ub_ball_norm(ball, y)) * (1 + 1e-12));
            }
            ub_ball_free(ball);
        }
}

static void oracles_of_singular_gradients(void **state)
{
    (void)state;
    for (int k = 0; ub_ball_names[k]; k++) {
        struct ub_ball *ball = ub_ball_new(ub_ball_names[k], &layout, SIZE, false);
        double g[SIZE] = {0}, d[SIZE];
        assert_true(ub_ball_oracle(ball, g, d) == 0);
        for (int i = 0; i < SIZE; i++)
            assert_true(d[i] == 0);
        g[0] = 2; /* rank one */
        assert_near(ub_ball_oracle(ball, g, d), 2, 1e-14);
        assert_near(d[0], 1, 1e-14);
        for (int i = 1; i < SIZE; i++)
            assert_near(d[i], 0, 1e-14);
        g[30] = NAN;
        assert_true(isnan(ub_ball_oracle(ball, g, d)));
        ub_ball_free(ball);
    }
}

/* ---- maxima over balls ---- */

static struct ub_ball_result maximize(struct ub_ball_maximum *m, int64_t n, const double *h,
                                      int64_t starts)
{
    struct ub_operator a = ub_operator_dense(n, h);
    const struct ub_ball_result r = ub_ball_maximize(
        m, &a, &(struct ub_ball_effort){.starts = starts, .tolerance = 1e-9, .products = 2000000});
    ub_operator_free(&a);
    return r;
}

enum { CUBE = 6, FACES = 729 }; /* 3^6: each entry at -1, at 1, or between */

/* The stationary point on a face, if it is one: the largest of all is the maximum. */
static double on_face(const double *h, int face)
{
    double d[CUBE], a[CUBE * CUBE], b[CUBE];
    lapack_int pivots[CUBE];
    int free_entries[CUBE], n = 0;
    for (int i = 0; i < CUBE; i++, face /= 3) {
        d[i] = face % 3 - 1;
        if (face % 3 == 1)
            free_entries[n++] = i;
    }
    for (int i = 0; i < n; i++) {
        b[i] = 0;
        for (int j = 0; j < CUBE; j++)
            b[i] -= h[free_entries[i] * CUBE + j] * d[j];
        for (int j = 0; j < n; j++)
            a[i * n + j] = h[free_entries[i] * CUBE + free_entries[j]];
    }
    if (n > 0 && LAPACKE_dgesv(LAPACK_ROW_MAJOR, n, 1, a, n, pivots, b, 1) != 0)
        return -INFINITY;
    for (int i = 0; i < n; i++) {
        if (!(fabs(b[i]) <= 1))
            return -INFINITY;
        d[free_entries[i]] = b[i];
    }
    return dense_form(CUBE, h, d);
}

static void maximum_norm_against_all_faces(void **state)
{
    (void)state;
    for (int kind = 0; kind < QUADRATIC_KINDS; kind++) {
        double *h = quadratic_new(CUBE, (enum quadratic_kind)kind), most = 0, corners = 0;
        for (int face = 0; face < FACES; face++)
            most = fmax(most, on_face(h, face));
        for (int corner = 0; corner < 1 << CUBE; corner++) {
            double d[CUBE];
            for (int i = 0; i < CUBE; i++)
                d[i] = corner >> i & 1 ? 1 : -1;
            corners = fmax(corners, dense_form(CUBE, h, d));
        }
        /* A convex function is largest at a corner. */
        assert_true(kind == INDEFINITE ? corners <= most : fabs(corners - most) < 1e-12 * most);
        struct ub_ball *ball = ub_ball_new("max", NULL, CUBE, false);
        struct ub_ball_maximum *m = ub_ball_maximum_new(ball);
        for (int calls = 0; calls < 30; calls++)
            assert_true(maximize(m, CUBE, h, 1).value <= most * (1 + 1e-12));
        const struct ub_ball_result r = maximize(m, CUBE, h, 100);
        assert_true(r.converged && r.value <= most * (1 + 1e-12));
        assert_near(r.value, most, 1e-6 * most);
        assert_near(dense_form(CUBE, h, r.direction), r.value, 1e-9 * most);
        assert_true(ub_ball_norm(ball, r.direction) <= 1 + 1e-12 && r.error >= 0);
        ub_ball_maximum_free(m);
        ub_ball_free(ball);
        ub_free(h);
    }
}

/* Concave everywhere: the center. Concave along one axis: 1 at (1, 0), where no corner is. */
static void maxima_within_the_ball(void **state)
{
    (void)state;
    struct ub_ball *ball = ub_ball_new("max", NULL, 2, false);
    const double concave[] = {-1, 0.5, 0.5, -2}, saddle[] = {1, 0, 0, -5};
    struct ub_ball_maximum *m = ub_ball_maximum_new(ball);
    assert_true(maximize(m, 2, concave, 5).value == 0);
    struct ub_operator a = ub_operator_dense(2, saddle);
    const struct ub_ball_result r = ub_ball_maximize(
        m, &a, &(struct ub_ball_effort){.starts = 5, .tolerance = 1e-2, .products = 100000});
    assert_near(r.value, 1, 1e-2);
    assert_true(r.value <= 1 + 1e-12);
    ub_ball_maximum_free(m);
    ub_operator_free(&a);
    ub_ball_free(ball);
}

static void block_norm_against_dense_blocks(void **state)
{
    (void)state;
    struct ub_ball *ball = ub_ball_new("block", &layout, SIZE, false);
    for (int kind = 0; kind < QUADRATIC_KINDS; kind++) {
        double *h = quadratic_new(SIZE, (enum quadratic_kind)kind), most = 0, block[144];
        for (int t = 0; t < TENSORS; t++) {
            const int64_t n = params[t].size, offset = params[t].offset;
            for (int64_t i = 0; i < n; i++)
                memcpy(block + i * n, h + (offset + i) * SIZE + offset, (size_t)n * sizeof *block);
            most = fmax(most, dense_top(n, block));
        }
        struct ub_ball_maximum *m = ub_ball_maximum_new(ball);
        const struct ub_ball_result r = maximize(m, SIZE, h, 1);
        assert_true(r.converged);
        assert_near(r.value, most, 1e-8 * most);
        assert_near(dense_form(SIZE, h, r.direction), most, 1e-7 * most);
        assert_near(ub_ball_norm(ball, r.direction), 1, 1e-12);
        ub_ball_maximum_free(m);
        ub_free(h);
    }
    ub_ball_free(ball);
}

static void euclidean_norm_is_the_top_eigenvalue(void **state)
{
    (void)state;
    struct ub_ball *ball = ub_ball_new("euclidean", &layout, SIZE, false);
    double *h = quadratic_new(SIZE, INDEFINITE);
    struct ub_ball_maximum *m = ub_ball_maximum_new(ball);
    assert_near(maximize(m, SIZE, h, 1).value, dense_top(SIZE, h), 1e-8);
    ub_ball_maximum_free(m);
    ub_ball_free(ball);
    ub_free(h);
}

/* tr(A D B D') over |D|_2 <= 1 is largest at the sum of products of the ordered eigenvalues (von
 * Neumann 1937); D'D = I makes the identity's 3. */
static void spectral_norm_in_closed_cases(void **state)
{
    (void)state;
    double a[16], b[9], va[16], vb[9], ea[4], eb[3], h[144], unit[144] = {0};
    double *one = quadratic_new(4, RANDOM), *other = tiny_normals(9, "other"), back[9];
    memcpy(a, one, sizeof a);
    dense_transpose(3, 3, other, back);
    dense_product(3, 3, 3, other, back, b);
    memcpy(va, a, sizeof a);
    memcpy(vb, b, sizeof b);
    dense_eigen(4, va, ea);
    dense_eigen(3, vb, eb);
    for (int i = 0; i < 12; i++) {
        unit[i * 13] = 1;
        for (int j = 0; j < 12; j++)
            h[i * 12 + j] = a[i / 3 * 4 + j / 3] * b[i % 3 * 3 + j % 3];
    }
    const double most = ea[3] * eb[2] + ea[2] * eb[1] + ea[1] * eb[0];
    struct ub_ball *ball = ub_ball_new("spectral", &matrix_layout, 12, false);
    struct ub_ball_maximum *m = ub_ball_maximum_new(ball);
    for (int calls = 0; calls < 20; calls++)
        assert_true(maximize(m, 12, h, 1).value <= most * (1 + 1e-12));
    assert_near(maximize(m, 12, h, 30).value, most, 1e-6 * most);
    assert_near(maximize(m, 12, unit, 3).value, 3, 1e-9);
    ub_ball_maximum_free(m);
    ub_ball_free(ball);
    ub_free(one);
    ub_free(other);
}

/* No random point of the ball, improved by random moves, is above what is found. */
static void spectral_norm_against_random_search(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(12, "search");
    struct ub_ball *ball = ub_ball_new("spectral", &layout, SIZE, false);
    for (int kind = 0; kind < QUADRATIC_KINDS; kind++) {
        double *h = quadratic_new(SIZE, (enum quadratic_kind)kind);
        struct ub_ball_maximum *m = ub_ball_maximum_new(ball);
        struct ub_operator a = ub_operator_dense(SIZE, h);
        const double found =
            ub_ball_maximize(
                m, &a,
                &(struct ub_ball_effort){.starts = 100, .tolerance = 1e-5, .products = 1000000})
                .value;
        double best = 0;
        for (int k = 0; k < 20; k++) {
            double x[SIZE], y[SIZE], noise[SIZE], value = -INFINITY;
            fill(&r, SIZE, x);
            for (int move = 0; move < 400; move++) {
                fill(&r, SIZE, noise);
                for (int i = 0; i < SIZE; i++)
                    y[i] = x[i] + noise[i] * (move == 0 ? 0 : pow(0.99, move) / 3);
                for (int t = 0; t < TENSORS; t++) { /* each tensor onto its sphere */
                    double values[4] = {tiny_norm(params[t].size, y + params[t].offset)};
                    const int64_t n =
                        params[t].rank < 2 ? 1 : singular(&params[t], y + params[t].offset, values);
                    for (int64_t i = 0; i < params[t].size; i++)
                        y[params[t].offset + i] /= values[n - 1];
                }
                const double now = dense_form(SIZE, h, y);
                if (now > value) {
                    value = now;
                    memcpy(x, y, sizeof x);
                }
            }
            best = fmax(best, value);
        }
        assert_true(best <= found * (1 + 1e-4));
        assert_true(best >= found / 2); /* the search is no straw man */
        ub_ball_maximum_free(m);
        ub_operator_free(&a);
        ub_free(h);
    }
    ub_ball_free(ball);
}

static void spread_and_limits(void **state)
{
    (void)state;
    const double two_corners[] = {3, -2.9, -2.9, 3}; /* (1, -1): 11.8, (1, 1): 0.2 */
    double broken[] = {NAN, 0, 0, 1};
    struct ub_ball *ball = ub_ball_new("max", NULL, 2, false);
    struct ub_ball_maximum *m = ub_ball_maximum_new(ball);
    const struct ub_ball_result r = maximize(m, 2, two_corners, 40);
    assert_near(r.value, 11.8, 1e-12);
    assert_near(r.error, 11.6, 1e-12); /* both are local maxima */
    assert_true(isnan(maximize(m, 2, broken, 3).value));
    ub_ball_maximum_free(m);
    ub_ball_free(ball);
    double *h = quadratic_new(SIZE, RANDOM);
    struct ub_operator a = ub_operator_dense(SIZE, h);
    ball = ub_ball_new("spectral", &layout, SIZE, false);
    m = ub_ball_maximum_new(ball);
    const struct ub_ball_result stopped = ub_ball_maximize(
        m, &a, &(struct ub_ball_effort){.starts = 4, .tolerance = 1e-12, .products = 9});
    assert_false(stopped.converged);
    assert_true(stopped.products <= 9 && stopped.value > 0);
    ub_ball_maximum_free(m);
    ub_operator_free(&a);
    ub_ball_free(ball);
    ub_free(h);
}

/* ---- observables ---- */

static double corner_maximum(struct fixture *f)
{
    double *h = dense_hessian(f), most = 0;
    assert_int_equal(f->size, 10);
    for (int corner = 0; corner < 1 << 10; corner++) {
        double d[10];
        for (int i = 0; i < 10; i++)
            d[i] = corner >> i & 1 ? 1 : -1;
        most = fmax(most, dense_form(10, h, d));
    }
    ub_free(h);
    return most;
}

static void observables_use_the_optimizers_norm(void **state)
{
    (void)state;
    struct ub_error err = {0};
    const char *const texts[] = {"sharpness:every=1", "edge-ratio:every=1",
                                 "generalized-sharpness:every=1,starts=2000,max-products=1000000"};
    for (int scaled = 0; scaled < 2; scaled++) {
        struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, 20, 0, 4, 2), "linear", "mse",
                                      scaled ? "signsgd:lr=0.1,scaled=true" : "signsgd:lr=0.1");
        struct ub_observers *o = ub_observers_new(texts, 3, "test", &err);
        ub_problem_gradient(f.problem, f.theta, f.grad);
        measure(&f, o, 0, 10);
        double sum = 0;
        for (int64_t i = 0; i < f.size; i++)
            sum += fabs(f.grad[i]);
        const double most = corner_maximum(&f), met = scaled ? most : most / sum;
        assert_oracle("observable generalized-sharpness",
                      "all corners of the maximum norm's ball, relative",
                      value_of(f.recorded, 0, "generalized-sharpness", 0) / most - 1, 1e-9);
        assert_near(value_of(f.recorded, 0, "sharpness", 0), met, 1e-9 * met);
        assert_near(value_of(f.recorded, 0, "edge-ratio", 0), met / 20, 1e-9 * met);
        const double products = fact(f.recorded, "hvps.sharpness");
        assert_true(products > 2000 && products == fact(f.recorded, "hvps.generalized-sharpness"));
        assert_true(products == (double)ub_problem_hvps(f.problem) - 10); /* dense_hessian's */
        ub_observers_free(o);
        fixture_free(&f);
    }
}

/* A misstated threshold is in every row of the edge ratio, whoever wrote it, and nowhere else. */
static void edges_are_misstated_on_request(void **state)
{
    (void)state;
    struct ub_error err = {0};
    const char *const texts[] = {"sharpness:every=1", "edge-ratio:every=1,misstate=0.8"};
    struct fixture f =
        fixture_of(tiny_dataset(UB_REGRESSION, 20, 0, 4, 2), "linear", "mse", "gd:lr=0.1");
    struct ub_observers *o = ub_observers_new(texts, 2, "test", &err);
    measure(&f, o, 0, 10);
    const double met = value_of(f.recorded, 0, "sharpness", 0);
    assert_near(value_of(f.recorded, 0, "edge-ratio", 0), met / (0.8 * 20), 1e-9 * met);
    assert_int_equal(count_rows(f.recorded, "edge-ratio"), 1);
    ub_observers_free(o);
    fixture_free(&f);
}

static void any_norm_of_any_run(void **state)
{
    (void)state;
    struct ub_error err = {0};
    const char *const norms[] = {"max", "euclidean", "optimizer"};
    for (int k = 0; k < 3; k++) {
        char text[128];
        snprintf(
            text, sizeof text,
            "generalized-sharpness:every=1,norm=%s,starts=2000,max-products=1000000,tolerance=1e-9",
            norms[k]);
        const char *const texts[] = {text};
        struct fixture f =
            fixture_of(tiny_dataset(UB_REGRESSION, 20, 0, 4, 2), "linear", "mse", "gd:lr=0.1");
        struct ub_observers *o = ub_observers_new(texts, 1, "test", &err);
        ub_problem_gradient(f.problem, f.theta, f.grad);
        measure(&f, o, 0, 10);
        double *h = dense_hessian(&f);
        const double most = k == 0 ? corner_maximum(&f) : dense_top(f.size, h);
        assert_near(value_of(f.recorded, 0, "generalized-sharpness", 0), most, 1e-7 * most);
        ub_free(h);
        ub_observers_free(o);
        fixture_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oracles_attain_the_dual_norm),
        cmocka_unit_test(oracles_of_singular_gradients),
        cmocka_unit_test(maximum_norm_against_all_faces),
        cmocka_unit_test(maxima_within_the_ball),
        cmocka_unit_test(block_norm_against_dense_blocks),
        cmocka_unit_test(euclidean_norm_is_the_top_eigenvalue),
        cmocka_unit_test(spectral_norm_in_closed_cases),
        cmocka_unit_test(spectral_norm_against_random_search),
        cmocka_unit_test(spread_and_limits),
        cmocka_unit_test(observables_use_the_optimizers_norm),
        cmocka_unit_test(edges_are_misstated_on_request),
        cmocka_unit_test(any_norm_of_any_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
