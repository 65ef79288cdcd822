/* Facts over an axis: closed forms, and how often intervals cover. */
#include "support.h"

#include "report/statistics/axis.h"

enum { REPEATS = 400, MOST = 200 };

static void power_laws_have_their_slope(void **state)
{
    (void)state;
    struct ub_axis_point p[20];
    for (int seed = 0; seed < 4; seed++)
        for (int i = 0; i < 5; i++)
            p[5 * seed + i] =
                (struct ub_axis_point){pow(2, 6 + i), (1 + seed) * pow(2, -0.5 * i), seed};
    for (size_t n = 5; n <= 20; n += 5) {
        const struct ub_interval s = ub_axis_slope(p, n);
        assert_near(s.estimate, -0.5, 1e-12);
        assert_near(s.se, 0, 1e-7);
        assert_int_equal(s.n, n);
    }
    assert_true(isnan(ub_axis_slope(p, 2).estimate));
    p[0].y = -1; /* cannot be drawn: left out */
    assert_int_equal(ub_axis_slope(p, 20).n, 19);
    assert_near(ub_axis_slope(p, 20).estimate, -0.5, 1e-12);
}

static double cover_slope(int seeds, double seed_spread, double noise)
{
    struct ub_random r = ub_random_stream((uint64_t)seeds, "slope");
    struct ub_axis_point p[MOST];
    int covers = 0;
    for (int k = 0; k < REPEATS; k++) {
        size_t n = 0;
        for (int seed = 0; seed < seeds; seed++) {
            const double own = -1 + seed_spread * ub_random_normal(&r);
            const double level = ub_random_normal(&r);
            for (int i = 0; i < 5; i++)
                p[n++] = (struct ub_axis_point){
                    pow(2, i), exp(level + own * i * log(2) + noise * ub_random_normal(&r)), seed};
        }
        const struct ub_interval s = ub_axis_slope(p, n);
        covers += s.low <= -1 && s.high >= -1;
    }
    return (double)covers / REPEATS;
}

static void intervals_of_slopes_cover(void **state)
{
    (void)state;
    const struct {
        int seeds;
        double spread, noise;
    } cases[] = {{1, 0, 0.1}, {2, 0, 0.1}, {3, 0, 0.1}, {3, 0.1, 0.1}, {8, 0.2, 0.05}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double covers = cover_slope(cases[i].seeds, cases[i].spread, cases[i].noise);
        print_message("  slope, %d seeds, spread %.2f, noise %.2f: 95%% covers %.1f%%\n",
                      cases[i].seeds, cases[i].spread, cases[i].noise, 100 * covers);
        assert_true(covers >= 0.92 && covers <= 0.985);
    }
}

static void minima_are_vertices(void **state)
{
    (void)state;
    struct ub_axis_point p[21];
    bool inside;
    for (int seed = 0; seed < 3; seed++)
        for (int i = 0; i < 7; i++) { /* log2 y = (log2 x + 3.3)^2 + level */
            const double u = -6 + i;
            p[7 * seed + i] = (struct ub_axis_point){
                pow(2, u), pow(2, 0.1 * (u + 3.3 + 0.1 * seed) * (u + 3.3 + 0.1 * seed) + seed),
                seed};
        }
    struct ub_interval m = ub_axis_minimum(p, 21, &inside);
    assert_true(inside);
    assert_near(m.estimate, -3.4, 1e-9);
    assert_near(m.se, 0.1 / sqrt(3), 1e-9);
    m = ub_axis_minimum(p, 7, &inside);
    assert_near(m.estimate, -3.3, 1e-9);
    assert_true(isnan(m.low));
    for (int i = 0; i < 7; i++)
        p[i].y = p[i].x;
    m = ub_axis_minimum(p, 7, &inside);
    assert_true(!inside && isnan(m.estimate));
}

static void levels_are_reached_between_points(void **state)
{
    (void)state;
    const double x[] = {0, 10, 20, 30}, down[] = {8, 4, 2, 1}, up[] = {1, 2, 5, 3};
    assert_near(ub_first_reach(x, down, 4, 3), 15, 1e-12);
    assert_near(ub_first_reach(x, down, 4, 2), 20, 1e-12);
    assert_near(ub_first_reach(x, up, 4, 4.5), 10 + 10 * 2.5 / 3, 1e-12);
    assert_near(ub_first_reach(x, up, 4, 1), 0, 0);
    assert_true(isnan(ub_first_reach(x, down, 4, 0.5)));
    assert_true(isnan(ub_first_reach(x, down, 0, 0.5)));
}

/* k fixed groups of m: lambda = m sum a^2 / s^2, so the share is sum a^2 / (sum a^2 + k s^2). */
static void shares_of_variance_cover(void **state)
{
    (void)state;
    enum { K = 4 };
    const double effect[3] = {0, 0.5, 2};
    for (int c = 0; c < 3; c++) {
        struct ub_random r = ub_random_stream((uint64_t)c, "explained");
        double x[MOST], a2 = 0;
        int group[MOST], covers = 0;
        double a[K] = {-1, 1, -1, 1};
        for (int k = 0; k < K; k++)
            a2 += effect[c] * effect[c] * a[k] * a[k];
        const double truth = a2 / (a2 + K);
        for (int i = 0; i < REPEATS; i++) {
            size_t n = 0;
            for (int k = 0; k < K; k++)
                for (int m = 0; m < 10; m++) {
                    group[n] = 7 * k;
                    x[n++] = 5 + effect[c] * a[k] + ub_random_normal(&r);
                }
            const struct ub_interval s = ub_share_explained(x, group, n);
            assert_true(s.low <= s.estimate + 0.05 && s.estimate <= s.high + 0.05);
            covers += s.low <= truth && s.high >= truth;
        }
        print_message("  share of variance %.3f: 95%% covers %.1f%%\n", truth,
                      100.0 * covers / REPEATS);
        assert_true(covers >= 0.92 * REPEATS);
    }
    const double same[] = {1, 1, 2, 2}, flat[] = {3, 3, 3, 3};
    const int pairs[] = {0, 0, 1, 1}, each[] = {0, 1, 2, 3}, one[] = {0, 0, 0, 0};
    assert_near(ub_share_explained(same, pairs, 4).estimate, 1, 0);
    assert_near(ub_share_explained(flat, pairs, 4).estimate, 0, 0);
    assert_true(isnan(ub_share_explained(same, each, 4).estimate));
    assert_true(isnan(ub_share_explained(same, one, 4).estimate));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_laws_have_their_slope),
        cmocka_unit_test(intervals_of_slopes_cover),
        cmocka_unit_test(minima_are_vertices),
        cmocka_unit_test(levels_are_reached_between_points),
        cmocka_unit_test(shares_of_variance_cover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
