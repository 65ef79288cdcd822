/* How a number goes with another: bands of fits against closed forms, how often they cover, and the
 * figures of laws that fit one. */
#include "made_store.h"
#include "read_back.h"

#include "report/laws/law.h"
#include "report/report.h"
#include "report/statistics/axis.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* ---- bands ---------------------------------------------------------------------------------- */

/* The textbook's: y +- t s sqrt(1/n + (x - mean)^2/S_xx), by the normal equations in full. */
static void one_line_has_the_textbooks_band(void **state)
{
    enum { N = 9 };
    (void)state;
    struct ub_random r = ub_random_stream(1, "band");
    struct ub_axis_point p[N];
    double n = N, sx = 0, sxx = 0, sy = 0, sxy = 0, left = 0, worst = 0;
    for (int i = 0; i < N; i++) {
        p[i] = (struct ub_axis_point){1 + i * i, 3 - 0.2 * i * i + ub_random_normal(&r), 0};
        sx += p[i].x;
        sxx += p[i].x * p[i].x;
        sy += p[i].y;
        sxy += p[i].x * p[i].y;
    }
    const double det = n * sxx - sx * sx, a = (sxx * sy - sx * sxy) / det,
                 b = (n * sxy - sx * sy) / det;
    for (int i = 0; i < N; i++)
        left += pow(p[i].y - a - b * p[i].x, 2);
    const double x[] = {-3, 0, 20, 65};
    struct ub_interval at[4];
    assert_true(ub_axis_band(p, N, UB_FIT_LINE, x, 4, at));
    for (int i = 0; i < 4; i++) { /* (1, x) C (1, x)', C the inverse of the normal matrix */
        const double variance = (sxx - 2 * x[i] * sx + n * x[i] * x[i]) / det * left / (n - 2);
        const double half = ub_t_quantile(0.975, n - 2) * sqrt(variance);
        worst = fmax(worst, fabs(at[i].estimate - a - b * x[i]));
        worst = fmax(worst, fabs(at[i].low - (a + b * x[i] - half)));
        worst = fmax(worst, fabs(at[i].high - (a + b * x[i] + half)));
    }
    print_message("  band of a line: off the normal equations by %.2g\n", worst);
    assert_true(worst < 1e-11);
}

/* The mean of three lines, each through its own three points. */
static void replicates_have_the_band_of_their_lines(void **state)
{
    (void)state;
    const double slope[] = {-1, -1.2, -0.9}, level[] = {0, 0.3, -0.1}, x[] = {2, 7};
    struct ub_axis_point p[9];
    struct ub_interval at[2];
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 3; i++)
            p[3 * k + i] =
                (struct ub_axis_point){pow(2, i), exp(level[k]) * pow(2, slope[k] * i), k};
    assert_true(ub_axis_band(p, 9, UB_FIT_POWER, x, 2, at));
    for (int i = 0; i < 2; i++) {
        double own[3];
        for (int k = 0; k < 3; k++)
            own[k] = level[k] + slope[k] * log(x[i]);
        const struct ub_interval mean = ub_sample_mean(own, 3);
        assert_near(log(at[i].estimate), mean.estimate, 1e-12);
        assert_near(log(at[i].low), mean.low, 1e-12);
        assert_near(log(at[i].high), mean.high, 1e-12);
    }
    const struct ub_interval s = ub_axis_slope(p, 9); /* the band's slope is the one stated */
    assert_near(log(at[1].estimate / at[0].estimate) / log(3.5), s.estimate, 1e-12);
    assert_false(ub_axis_band(p, 2, UB_FIT_POWER, x, 2, at));
    assert_false(ub_axis_band(p, 9, UB_FIT_NONE, x, 2, at));
}

static double coverage(enum ub_axis_fit fit, int seeds)
{
    enum { REPEATS = 300, MOST = 200 };
    struct ub_random r = ub_random_stream((uint64_t)fit, "cover");
    struct ub_axis_point p[MOST];
    const double x[] = {1, 5, 16};
    struct ub_interval at[3];
    int covers = 0;
    for (int k = 0; k < REPEATS; k++) {
        size_t n = 0;
        for (int seed = 0; seed < seeds; seed++)
            for (int i = 0; i < 5; i++) {
                const double place = pow(2, i), noise = ub_random_normal(&r);
                const double y = fit == UB_FIT_LINE    ? 2 - 0.5 * place + noise
                                 : fit == UB_FIT_POWER ? 2 / place * exp(0.3 * noise)
                                                       : 2 / place + noise / sqrt(place);
                p[n++] = (struct ub_axis_point){place, y, seed};
            }
        assert_true(ub_axis_band(p, n, fit, x, 3, at));
        for (int i = 0; i < 3; i++) {
            const double truth = fit == UB_FIT_LINE ? 2 - 0.5 * x[i] : 2 / x[i];
            covers += at[i].low <= truth && truth <= at[i].high;
        }
    }
    return covers / (3.0 * REPEATS);
}

static void bands_cover(void **state)
{
    (void)state;
    const struct {
        enum ub_axis_fit fit;
        int seeds;
    } cases[] = {{UB_FIT_LINE, 1}, {UB_FIT_LINE, 2}, {UB_FIT_POWER, 4}, {UB_FIT_MEANS, 30}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double covers = coverage(cases[i].fit, cases[i].seeds);
        print_message("  band %d, %d seeds: 95%% covers %.1f%%\n", (int)cases[i].fit,
                      cases[i].seeds, 100 * covers);
        assert_true(covers >= 0.92);
        /* means: never narrower than their own errors, with Student's t of few means */
        assert_true(covers <= (cases[i].fit == UB_FIT_MEANS ? 0.999 : 0.985));
    }
}

/* Beside a panel of a third of a page there is room for so many letters, "minus " before them. */
static void labels_fit(void **state)
{
    enum { MOST = 36 };
    (void)state;
    size_t n = 0;
    for (size_t i = 0; ub_laws[i]; i++) {
        const struct ub_law_trend *t = ub_laws[i]->trend;
        if (t && (strlen(t->y) > MOST || strlen(t->x) > MOST))
            fail_msg("%s: '%s' against '%s'", ub_laws[i]->name, t->y, t->x);
        n += t != NULL;
    }
    assert_true(n > 15);
}

/* ---- figures -------------------------------------------------------------------------------- */

enum { SEEDS = 3 };

/* Kernels that drift as width^-1, at so many widths. */
static char *drifting_store(int widths)
{
    struct ub_error err = {0};
    char *folder = support_folder(), *measures[] = {(char *)"kernel-drift"};
    struct ub_random r = ub_random_stream(1, "drift");
    assert_true(ub_store_lock(folder, false, &err));
    for (int i = 0; i < SEEDS * widths; i++) {
        char model[64];
        snprintf(model, sizeof model, "mlp:activation=tanh,parametrization=ntk,widths=%d",
                 64 << i / SEEDS);
        const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                         .model = model,
                                         .loss = (char *)"mse",
                                         .init = (char *)"pytorch:gain=1",
                                         .optimizer = (char *)"gd:lr=0.1",
                                         .steps = 10,
                                         .seed = (uint64_t)(i % SEEDS),
                                         .n_measures = 1,
                                         .measures = measures};
        struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
        assert_non_null(w);
        ub_run_writer_add(w, 10, "kernel-drift", 0,
                          exp(0.1 * ub_random_normal(&r)) / (64 << i / SEEDS), (double)NAN);
        assert_true(ub_run_writer_commit(w, UB_RUN_OK, "", NULL, 0, &err));
    }
    return folder;
}

static char *report_of(const char *store_folder)
{
    struct ub_error err = {0};
    struct ub_store *store = ub_store_open(store_folder, &err);
    assert_non_null(store);
    char *report = ub_path(store_folder, "report");
    if (!ub_report_write(store, report, &err))
        fail_msg("%s", err.text);
    ub_store_free(store);
    return report;
}

static bool is_there(const char *folder, const char *name)
{
    char *path = ub_path(folder, name);
    const bool there = access(path, R_OK) == 0;
    ub_free(path);
    return there;
}

/* It is the law's first figure, which the report has. */
static void a_trend_is_drawn_with_its_fit(void **state)
{
    (void)state;
    char *folder = drifting_store(4), *report = report_of(folder);
    char *page = read_text(report, "report.md"), *law = read_text(report, "law-ntk-drift.md");
    assert_non_null(strstr(page, "(trend-ntk-drift.png)"));
    assert_null(strstr(page, "(law-ntk-drift.png)"));
    assert_non_null(strstr(law, "(trend-ntk-drift.png)"));
    assert_non_null(strstr(law, "(law-ntk-drift.png)"));
    assert_non_null(strstr(law, "with its 95% band; dashed: the predicted slope"));
    char *texts[] = {page, law, report};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ub_free(texts[i]);
    support_remove(folder);
}

/* Two widths make no slope: no figure, and the page says why. */
static void a_trend_without_a_value_is_not_drawn(void **state)
{
    (void)state;
    char *folder = drifting_store(2), *report = report_of(folder);
    char *law = read_text(report, "law-ntk-drift.md");
    assert_false(is_there(report, "trend-ntk-drift.png"));
    assert_null(strstr(law, "trend-ntk-drift"));
    assert_non_null(strstr(law, "Without a value: 1 too few widths."));
    ub_free(law);
    ub_free(report);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_has_the_textbooks_band),
        cmocka_unit_test(replicates_have_the_band_of_their_lines),
        cmocka_unit_test(bands_cover),
        cmocka_unit_test(labels_fit),
        cmocka_unit_test(a_trend_is_drawn_with_its_fit),
        cmocka_unit_test(a_trend_without_a_value_is_not_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
