/* The eigenvalue tracker against LAPACK on explicit matrices, closed forms and its own bounds. */
#include "tests/explicit_operators.h"

/* One cold call at a tight tolerance: values are LAPACK's, from the largest on. */
static void check_cold(struct dense *d, int64_t top)
{
    struct ub_eigen_tracker *t = ub_eigen_tracker_new(d->n, top);
    const struct ub_operator a = operator_of(d);
    d->products = 0;
    const struct ub_eigen_result r = ub_eigen_track(t, &a, 1e-9, 5000);
    assert_true(r.converged);
    assert_int_equal(r.products, d->products);
    check(d, &r, 1e-9, top);
    double *truth = true_values(d);
    const double size = fmax(fabs(truth[0]), fabs(truth[d->n - 1]));
    for (int64_t i = 0; i < r.count; i++)
        assert_near(r.value[i], truth[d->n - 1 - i], 1e-9 * size);
    ub_free(truth);
    ub_eigen_tracker_free(t);
}

/* ---- single calls ---- */

static void test_random_matrices_of_all_sizes(void **state)
{
    (void)state;
    static const int64_t tops[] = {1, 2, 5, 12, 80};
    struct ub_random random = ub_random_stream(1, "eigen test");
    for (int64_t n = 1; n <= 60; n++) {
        struct dense d = new_dense(n);
        fill_symmetric(&d, &random);
        for (int i = 0; i < 5; i++)
            check_cold(&d, tops[i]);
        ub_free(d.a);
    }
}

/* Negative, low rank, clustered, repeated, zero, a multiple of the
 * identity, of alternating sign. */
static double spectrum(int kind, int64_t i)
{
    switch (kind) {
    case 0:
        return -1 - (double)i;
    case 1:
        return i < 3 ? 5 - (double)i : 0;
    case 2:
        return i < 3 ? -4.0 : 0;
    case 3:
        return i < 6 ? 10 + 1e-5 * (double)i : (double)i / 50;
    case 4:
        return i < 4 ? 3 : i < 30 ? 1 : -20;
    case 5:
        return 0;
    case 6:
        return -2.5;
    default:
        return pow(-1.1, (double)i);
    }
}

static void test_hard_spectra(void **state)
{
    (void)state;
    struct ub_random random = ub_random_stream(2, "eigen test");
    for (int kind = 0; kind < 8; kind++)
        for (int64_t n = 50; n <= 150; n += 100) {
            struct dense d = new_dense(n);
            double *values = ub_calloc((size_t)n, sizeof *values);
            for (int64_t i = 0; i < n; i++)
                values[i] = spectrum(kind, i % 50);
            rotate_spectrum(&d, values, &random);
            check_cold(&d, 2);
            check_cold(&d, 8);
            check_cold(&d, 20); /* more copies than a block holds */
            ub_free(values);
            ub_free(d.a);
        }
}

static void apply_harmonic(void *context, int64_t count, const double *v, double *out)
{
    const struct dense *d = context; /* diagonal 1, 1/2, 1/3, ... */
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < d->n; i++)
            out[k * d->n + i] = v[k * d->n + i] / (double)(i + 1);
}

/* Krylov methods see a diagonal matrix as any other: the start is random. */
static void test_fifty_of_two_thousand(void **state)
{
    (void)state;
    struct dense d = {.n = 2000};
    const struct ub_operator a = {.n = d.n, .context = &d, .apply = apply_harmonic};
    struct ub_eigen_tracker *t = ub_eigen_tracker_new(d.n, 50);
    struct ub_eigen_result r = ub_eigen_track(t, &a, 1e-7, 2000);
    assert_true(r.converged);
    for (int64_t i = 0; i < 50; i++) {
        assert_near(r.value[i], 1 / (double)(i + 1), 1e-7);
        assert_near(fabs(r.vectors[i * d.n + i]), 1, 1e-4);
    }
    print_message("cold, 50 of 1/k: %lld products\n", (long long)r.products);
    assert_true(r.products <= 450);
    r = ub_eigen_track(t, &a, 1e-7, 2000); /* nothing changed: one look, and now and then a scout */
    assert_true(r.converged && r.products <= 51);
    ub_eigen_tracker_free(t);
}

enum { COPIES = 90 };

/* A projection onto the first COPIES coordinates: every space soon is invariant, and only random
 * directions find more of the copies. */
static void apply_projection(void *context, int64_t count, const double *v, double *out)
{
    const struct dense *d = context;
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < d->n; i++)
            out[k * d->n + i] = i < COPIES ? v[k * d->n + i] : 0;
}

static void test_many_copies_are_not_taken_for_noise(void **state)
{
    (void)state;
    struct dense d = {.n = 300};
    const struct ub_operator a = {.n = d.n, .context = &d, .apply = apply_projection};
    struct ub_eigen_tracker *t = ub_eigen_tracker_new(d.n, COPIES);
    const struct ub_eigen_result r = ub_eigen_track(t, &a, 1e-9, 5000);
    assert_true(r.converged);
    assert_int_equal(r.count, COPIES);
    for (int i = 0; i < COPIES; i++)
        assert_near(r.value[i], 1, 1e-9);
    ub_eigen_tracker_free(t);
}

enum { NOISY = 3000 };
static const double rounding = 1e-4;

/* 1/(i + 1), with an error in every entry that is as good as random, within rounding / 2. */
static void apply_rounded(void *context, int64_t count, const double *v, double *out)
{
    apply_harmonic(context, count, v, out);
    for (int64_t i = 0; i < count * NOISY; i++)
        out[i] += rounding * (1e9 * out[i] - floor(1e9 * out[i]) - 0.5);
}

/* An unreachable tolerance ends soon after residuals are as long as the products' errors are, and
 * where they can be reached noise does not matter. */
static void test_products_with_noise_are_not_asked_for_more(void **state)
{
    (void)state;
    struct dense d = {.n = NOISY};
    const struct ub_operator a = {.n = d.n, .context = &d, .apply = apply_rounded};
    const double noise = rounding * sqrt(NOISY / 12.0);
    for (int top = 1; top <= 4; top += 3) {
        struct ub_eigen_tracker *t = ub_eigen_tracker_new(d.n, top);
        const struct ub_eigen_result r = ub_eigen_track(t, &a, 1e-9, 5000);
        print_message("top %d: residual %g, noise %g, %lld products\n", top, r.residual[0], noise,
                      (long long)r.products);
        assert_false(r.converged);
        assert_true(r.products < 1000);
        for (int i = 0; i < top; i++)
            assert_true(r.residual[i] <= 1.5 * noise);
        ub_eigen_tracker_free(t);
        t = ub_eigen_tracker_new(d.n, top);
        assert_true(ub_eigen_track(t, &a, 0.02, 5000).converged);
        ub_eigen_tracker_free(t);
    }
}

static void test_budget_is_kept_and_residuals_stay_honest(void **state)
{
    (void)state;
    struct ub_random random = ub_random_stream(3, "eigen test");
    struct dense d = new_dense(60);
    fill_symmetric(&d, &random);
    const struct ub_operator a = operator_of(&d);
    for (int64_t budget = 1; budget < 14; budget++) {
        struct ub_eigen_tracker *t = ub_eigen_tracker_new(60, 3);
        d.products = 0;
        struct ub_eigen_result r = ub_eigen_track(t, &a, 1e-9, budget);
        assert_false(r.converged);
        assert_int_equal(r.products, budget);
        assert_int_equal(d.products, budget);
        check(&d, &r, 0, budget < 3 ? budget : 3);
        r = ub_eigen_track(t, &a, 1e-9, 1000); /* and what was found is a start */
        assert_true(r.converged);
        check(&d, &r, 1e-9, 3);
        ub_eigen_tracker_free(t);
    }
    struct ub_eigen_tracker *t = ub_eigen_tracker_new(60, 3);
    const struct ub_eigen_result r = ub_eigen_track(t, &a, 1e-9, 0);
    assert_true(!r.converged && r.count == 0 && r.products == 0);
    ub_eigen_tracker_free(t);
    ub_free(d.a);
}

static void test_products_that_are_not_finite(void **state)
{
    (void)state;
    struct ub_random random = ub_random_stream(4, "eigen test");
    struct dense d = new_dense(20);
    fill_symmetric(&d, &random);
    const struct ub_operator a = operator_of(&d);
    struct ub_eigen_tracker *t = ub_eigen_tracker_new(20, 2);
    for (int call = 0; call < 6; call++) {
        d.broken = call % 2 == 0;
        const struct ub_eigen_result r = ub_eigen_track(t, &a, 1e-6, 100);
        if (d.broken) {
            assert_false(r.converged);
            assert_int_equal(r.count, 0);
        } else {
            assert_true(r.converged);
            check(&d, &r, 1e-6, 2);
        }
    }
    ub_eigen_tracker_free(t);
    ub_free(d.a);
    assert_null(ub_eigen_tracker_new(0, 1));
    assert_null(ub_eigen_tracker_new(5, 0));
    ub_eigen_tracker_free(NULL);
}

/* ---- sequences ---- */

enum { MOVING = 400 };

/* Diagonal 1/k^1.5 scaled so that the top two stay at 10 and 8, in a frame that turns: one
 * reflection I - 2 w w' with w moving along a smooth curve, or jumping between two sides. */
struct moving {
    double w[MOVING];
    double value[MOVING];
};

static void reflect(const double *w, double *x)
{
    double dot = 0;
    for (int i = 0; i < MOVING; i++)
        dot += w[i] * x[i];
    for (int i = 0; i < MOVING; i++)
        x[i] -= 2 * dot * w[i];
}

static void apply_moving(void *context, int64_t count, const double *v, double *out)
{
    const struct moving *m = context;
    memcpy(out, v, (size_t)count * MOVING * sizeof(double));
    for (int64_t k = 0; k < count; k++) {
        double *x = out + k * MOVING;
        reflect(m->w, x);
        for (int i = 0; i < MOVING; i++)
            x[i] *= m->value[i];
        reflect(m->w, x);
    }
}

static void place(struct moving *m, const double *from, const double *along, double angle)
{
    double length = 0;
    for (int i = 0; i < MOVING; i++) {
        m->w[i] = cos(angle) * from[i] + sin(angle) * along[i];
        length += m->w[i] * m->w[i];
    }
    for (int i = 0; i < MOVING; i++)
        m->w[i] /= sqrt(length);
}

static double mean_products(double speed, bool oscillate)
{
    enum { CALLS = 100 };
    struct moving m;
    double from[MOVING], along[MOVING], total = 0;
    struct ub_random random = ub_random_stream(6, "eigen test");
    for (int i = 0; i < MOVING; i++) {
        from[i] = ub_random_normal(&random);
        along[i] = ub_random_normal(&random);
        m.value[i] = i == 0 ? 10 : i == 1 ? 8 : 7 * pow(i, -1.5);
    }
    const struct ub_operator a = {.n = MOVING, .context = &m, .apply = apply_moving};
    struct ub_eigen_tracker *t = ub_eigen_tracker_new(MOVING, 2);
    for (int call = 0; call <= CALLS; call++) {
        place(&m, from, along, speed * (oscillate ? call % 2 : call));
        const struct ub_eigen_result r = ub_eigen_track(t, &a, 1e-3, 500);
        assert_true(r.converged);
        assert_near(r.value[0], 10, 1e-2);
        assert_near(r.value[1], 8, 1e-2);
        total += call ? (double)r.products / CALLS : 0;
    }
    ub_eigen_tracker_free(t);
    return total;
}

static void test_drifting_operators_need_few_products(void **state)
{
    (void)state;
    const double slow = mean_products(0.01, false), fast = mean_products(0.05, false),
                 jumps = mean_products(0.01, true);
    print_message("products a call: drift 0.01 %.2f, drift 0.05 %.2f, oscillation %.2f\n", slow,
                  fast, jumps);
    /* The last vectors alone, not extrapolated, take 3.76, 4.26 and 3.26. */
    assert_true(slow <= 3.4);
    assert_true(fast <= 3.6);
    assert_true(jumps <= 2.8);
}

/* All eigenvectors stay exactly where they are, so that the residuals of the tracked pairs see
 * nothing, while another eigenvalue rises from below and overtakes both. */
static void find_riser(const struct ub_eigen_goal *goal)
{
    struct dense d = new_dense(80);
    const struct ub_operator a = operator_of(&d);
    struct ub_eigen_tracker *t = ub_eigen_tracker_new(80, 2);
    int found = -1;
    for (int call = 0; call < 120 && found < 0; call++) {
        for (int64_t i = 0; i < 80; i++)
            d.a[i * 81] = i == 0 ? 10 : i == 1 ? 9 : 5.0 / (double)i;
        d.a[70 * 81] = fmin(0.5 * call, 20);
        const struct ub_eigen_result r = ub_eigen_track_to(t, &a, goal);
        assert_true(r.converged);
        if (fabs(r.value[0] - 20) < 0.02)
            found = call;
    }
    print_message("overtaken at call 20, seen at its full height of call 40 by call %d\n", found);
    assert_in_range(found, 40, 48);
    ub_eigen_tracker_free(t);
    ub_free(d.a);
}

static void test_scout_finds_a_hidden_riser(void **state)
{
    (void)state;
    find_riser(&(struct ub_eigen_goal){.tolerance = 1e-3, .products = 200});
    find_riser(&(struct ub_eigen_goal){.accuracy = 1e-3, .products = 200});
}

/* A wholly different operator, and the same one with its coordinates permuted: same spectrum. */
static void test_sudden_changes(void **state)
{
    (void)state;
    struct ub_random random = ub_random_stream(8, "eigen test");
    struct dense d = new_dense(100), e = new_dense(100);
    const struct ub_operator a = operator_of(&d), b = operator_of(&e);
    int64_t order[100];
    struct ub_eigen_tracker *t = ub_eigen_tracker_new(100, 4);
    for (int call = 0; call < 10; call++) {
        fill_symmetric(&d, &random);
        struct ub_eigen_result r = ub_eigen_track(t, &a, 1e-7, 2000);
        assert_true(r.converged);
        check(&d, &r, 1e-7, 4);
        double kept[4], *truth = true_values(&d);
        memcpy(kept, r.value, sizeof kept);
        ub_random_permutation(&random, 100, order);
        for (int64_t i = 0; i < 10000; i++)
            e.a[i] = d.a[order[i / 100] * 100 + order[i % 100]];
        r = ub_eigen_track(t, &b, 1e-7, 2000);
        assert_true(r.converged);
        for (int i = 0; i < 4; i++) {
            assert_near(r.value[i], kept[i], 1e-6);
            assert_near(r.value[i], truth[99 - i], 1e-6);
        }
        ub_free(truth);
    }
    ub_eigen_tracker_free(t);
    ub_free(d.a);
    ub_free(e.a);
}

static void test_same_calls_give_the_same_bits(void **state)
{
    (void)state;
    struct ub_random random = ub_random_stream(9, "eigen test");
    struct dense d = new_dense(70);
    fill_symmetric(&d, &random);
    const struct ub_operator a = operator_of(&d);
    double first[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        struct ub_eigen_tracker *t = ub_eigen_tracker_new(70, 2);
        ub_eigen_track(t, &a, 1e-3, 100);
        const struct ub_eigen_result r = ub_eigen_track(t, &a, 1e-6, 100);
        assert_true(i == 0 || (first[0] == r.value[0] && first[1] == r.residual[1]));
        first[0] = r.value[0];
        first[1] = r.residual[1];
        ub_eigen_tracker_free(t);
    }
    ub_free(d.a);
}

/* ---- dense ---- */

/* The second difference matrix: 2 - 2 cos(pi k/(n + 1)), vectors sin(pi j k/(n + 1)). */
static void test_dense_against_closed_form(void **state)
{
    (void)state;
    enum { N = 30 };
    double a[N * N] = {0}, values[N];
    struct ub_error err = {0};
    for (int i = 0; i < N; i++) {
        a[i * N + i] = 2;
        if (i)
            a[i * N + i - 1] = a[(i - 1) * N + i] = -1;
    }
    assert_true(ub_eigen_dense(N, a, values, true, &err));
    for (int k = 1; k <= N; k++) {
        assert_near(values[k - 1], 2 - 2 * cos(M_PI * k / (N + 1)), 1e-13);
        double dot = 0;
        for (int j = 1; j <= N; j++)
            dot += a[(k - 1) * N + j - 1] * sqrt(2.0 / (N + 1)) * sin(M_PI * j * k / (N + 1));
        assert_near(fabs(dot), 1, 1e-12);
    }
    a[5] = (double)NAN;
    assert_false(ub_eigen_dense(N, a, values, true, &err));
    assert_input_error(&err, "entry (0, 5)");
    assert_false(ub_eigen_dense(0, a, values, true, &err));
    assert_input_error(&err, "size 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_matrices_of_all_sizes),
        cmocka_unit_test(test_hard_spectra),
        cmocka_unit_test(test_fifty_of_two_thousand),
        cmocka_unit_test(test_many_copies_are_not_taken_for_noise),
        cmocka_unit_test(test_products_with_noise_are_not_asked_for_more),
        cmocka_unit_test(test_budget_is_kept_and_residuals_stay_honest),
        cmocka_unit_test(test_products_that_are_not_finite),
        cmocka_unit_test(test_drifting_operators_need_few_products),
        cmocka_unit_test(test_scout_finds_a_hidden_riser),
        cmocka_unit_test(test_sudden_changes),
        cmocka_unit_test(test_same_calls_give_the_same_bits),
        cmocka_unit_test(test_dense_against_closed_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
