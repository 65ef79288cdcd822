/* Histories of nightlies: read and written, limits against their formula worked by hand, how often
 * charts give a signal where nothing changes and how soon where something does. */
#include "cli_support.h"
#include "report/history/history.h"
#include "report/statistics/statistics.h"

#include <math.h>

static struct ub_night night_of(int day, const char *name, double value)
{
    static char date[32];
    snprintf(date, sizeof date, "2026-%02d-%02dT02:00:00Z", 1 + day / 28, 1 + day % 28);
    return (struct ub_night){.date = date,
                             .commit = (char *)"c",
                             .base = (char *)"b",
                             .cpu = (char *)"cpu",
                             .kind = UB_HISTORY_SPEED,
                             .name = (char *)name,
                             .relative = true,
                             .value = value,
                             .low = value - 1,
                             .high = value + 1,
                             .floor = 0,
                             .systems = 3,
                             .verdict = (char *)"quiet"};
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_history h = {0}, again;
    char *folder = support_folder(), *path = ub_path(folder, "h.csv");
    struct ub_night odd = night_of(3, "a \"name\", with a comma", (double)NAN);
    ub_history_add(&h, &odd);
    struct ub_night first = night_of(1, "x", 0.1); /* out of order */
    ub_history_add(&h, &first);
    first.value = 1.0 / 3; /* the same night again */
    ub_history_add(&h, &first);
    assert_int_equal(h.count, 2);
    assert_true(ub_history_write(path, &h, &err) && ub_history_read(path, &again, &err));
    assert_int_equal(again.count, 2);
    assert_string_equal(again.night[0].name, "x");
    assert_true(again.night[0].value == 1.0 / 3 && again.night[0].relative);
    assert_string_equal(again.night[1].name, "a \"name\", with a comma");
    assert_true(isnan(again.night[1].value));
    ub_history_clear(&h);
    ub_history_clear(&again);
    assert_true(ub_history_read("absent", &again, &err));
    assert_int_equal(again.count, 0);
    ub_free(path);
    support_remove(folder);
}

static void bad_histories_are_refused(void **state)
{
    static const char head[] = "date,commit,base,cpu,kind,name,scale,value,low,high,floor,systems,"
                               "drifted,verdict\n";
    static const char *const rows[][2] = {
        {"d,c,b,u,lawful,n,relative,1,,,0,1,0,quiet\n", ":2: kind is 'lawful'; expected law"},
        {"d,c,b,u,law,n,relative,one,,,0,1,0,quiet\n", ":2: value is 'one'; expected a number"},
        {"d,c,b,u,law,n,relative,1,,,0,-1,0,quiet\n", ":2: systems is '-1'; expected a count"},
        {",c,b,u,law,n,relative,1,,,0,1,0,quiet\n", ":2: date is ''; expected some text"},
        {"d,c,b,u,law,n,wide,1,,,0,1,0,quiet\n", ":2: scale is 'wide'; expected absolute"},
    };
    (void)state;
    char *folder = support_folder(), *path = ub_path(folder, "h.csv");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ub_error err = {0};
        struct ub_history h;
        struct ub_text text = {0};
        ub_text_add(&text, "%s%s", head, rows[i][0]);
        assert_true(ub_write_file(path, text.data, text.length, &err));
        ub_text_free(&text);
        assert_false(ub_history_read(path, &h, &err));
        if (err.code != UB_INPUT || !strstr(err.text, rows[i][1]))
            fail_msg("'%s', expected '%s'", err.text, rows[i][1]);
    }
    cli_run(folder, "history absent.csv", 2, "absent.csv: no such file");
    cli_run(folder, "history h.csv", 2, "h.csv:2: scale is 'wide'");
    assert_false(cli_exists(folder, "history.md"));
    ub_free(path);
    support_remove(folder);
}

/* Of 1, 2 and 3 before it: mean 2, s = 1, two degrees of freedom, whose quantile is known in closed
 * form: t(p) = (2p - 1) / sqrt(2 p (1 - p)). One chart, so the level is 0.0027. */
static void limits_are_those_of_a_new_value(void **state)
{
    (void)state;
    const double p = 1 - 0.0027 / 2, t = (2 * p - 1) / sqrt(2 * p * (1 - p));
    const double half = t * sqrt(1 + 1.0 / 3);
    for (int beyond = 0; beyond < 2; beyond++) {
        const double values[] = {1, 2, 3, beyond ? 2 + 1.001 * half : 2 - 0.999 * half};
        struct ub_history h = {0};
        for (int i = 0; i < 4; i++) {
            const struct ub_night night = night_of(i, "x", values[i]);
            ub_history_add(&h, &night);
        }
        struct ub_charts charts = ub_history_charts(&h);
        assert_int_equal(charts.count, 1);
        const struct ub_chart *c = &charts.chart[0];
        assert_true(isnan(c->low[0]) && isnan(c->low[1])); /* nothing is known yet */
        assert_near(c->center[3], 2, 1e-12);
        assert_near(c->low[3], 2 - half, 1e-9);
        assert_near(c->high[3], 2 + half, 1e-9);
        assert_int_equal(c->signal[3], beyond);
        ub_charts_clear(&charts);
        ub_history_clear(&h);
    }
}

/* Equal nights leave the floor alone; another base or machine begins anew. */
static void floors_and_processes(void **state)
{
    (void)state;
    struct ub_history h = {0};
    for (int i = 0; i < 8; i++) {
        struct ub_night night = night_of(i, "x", i == 4 ? 0.011 : i > 5 ? 5 : 0);
        night.floor = 0.01;
        night.cpu = (char *)(i > 5 ? "another" : "cpu");
        ub_history_add(&h, &night);
    }
    struct ub_charts charts = ub_history_charts(&h);
    const bool *signal = charts.chart[0].signal;
    for (int i = 0; i < 8; i++)
        if (signal[i] != (i == 4))
            fail_msg("night %d: signal %d", i, signal[i]);
    assert_near(charts.chart[0].high[4], 0.01, 1e-12);
    assert_true(isnan(charts.chart[0].high[7])); /* one night of the new machine */
    ub_charts_clear(&charts);
    ub_history_clear(&h);
}

/* Nights of 40 charts of normal values that nothing changes, and one chart that moves by `shift`
 * standard deviations on night 20. Counts nights with any signal, from the third on. */
enum { CHARTS = 40, NIGHTS = 30, MOVES = 20 };

static int nights_with_signals(uint64_t seed, double shift, bool *found)
{
    struct ub_random r = ub_random_stream(seed, "nights");
    struct ub_history h = {0};
    for (int i = 0; i < NIGHTS; i++)
        for (int k = 0; k < CHARTS; k++) {
            char name[16];
            snprintf(name, sizeof name, "x%d", k);
            const double moved = k == 0 && i == MOVES ? shift : 0;
            const struct ub_night night = night_of(i, name, ub_random_normal(&r) + moved);
            ub_history_add(&h, &night);
        }
    struct ub_charts charts = ub_history_charts(&h);
    int nights = 0;
    for (int i = 0; i < NIGHTS; i++) {
        bool any = false;
        for (size_t k = 0; k < charts.count; k++)
            any = any || charts.chart[k].signal[i];
        nights += any;
    }
    *found = charts.chart[0].signal[MOVES];
    ub_charts_clear(&charts);
    ub_history_clear(&h);
    return nights;
}

static void unchanged_nights_are_quiet_and_changes_are_seen(void **state)
{
    enum { HISTORIES = 60, ALL = HISTORIES * (NIGHTS - 2) };
    (void)state;
    int alarms = 0, seen = 0;
    for (uint64_t k = 0; k < HISTORIES; k++) {
        bool found;
        alarms += nights_with_signals(k, 0, &found);
        nights_with_signals(1000 + k, 8, &found);
        seen += found;
    }
    printf("40 charts, nothing changed: %d of %d nights give a signal (0.27%% are to)\n", alarms,
           ALL);
    printf("one of 40 charts moved by 8 deviations, 20 nights before it: seen in %d of %d\n", seen,
           HISTORIES);
    assert_in_range(alarms, 0, (int)(0.0027 * ALL + 3 * sqrt(0.0027 * ALL)));
    assert_in_range(seen, HISTORIES * 8 / 10, HISTORIES);
}

static void charts_are_drawn(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_history h = {0};
    char *folder = support_folder(), *path = ub_path(folder, "h.csv");
    struct ub_random r = ub_random_stream(1, "drawn");
    for (int i = 0; i < 20; i++)
        for (int k = 0; k < 14; k++) {
            char name[32];
            snprintf(name, sizeof name, "training part-%d", k);
            struct ub_night night =
                night_of(i, name, 0.03 * ub_random_normal(&r) + (k == 0 && i == 15 ? 0.4 : 0));
            night.floor = log(1.1);
            ub_history_add(&h, &night);
        }
    assert_true(ub_history_write(path, &h, &err));
    char *out = cli_expect(folder, "history h.csv --out charts", 0, "charts/history.md");
    ub_free(out);
    assert_true(cli_exists(folder, "charts/history-speed-1.png"));
    assert_true(cli_exists(folder, "charts/history-speed-2.png")); /* 12 a page */
    assert_false(cli_exists(folder, "charts/history-speed-3.png"));
    char *page = cli_read(folder, "charts/history.md");
    assert_non_null(strstr(page, "20 nights, 14 charts"));
    assert_non_null(strstr(page, "speed training part-0"));
    assert_null(strstr(page, "speed training part-1 "));
    ub_free(page);
    if (getenv("UB_KEEP"))
        printf("%s\n", folder);
    else
        support_remove(folder);
    ub_history_clear(&h);
    ub_free(path);
}

/* ---- medians by counting -------------------------------------------------------------------- */

static void medians_by_counting(void **state)
{
    (void)state;
    const double x[] = {5, 1, 4, 2, 3, 6, 8, 7, 10, 9};
    struct ub_interval m = ub_median_interval(x, 10); /* P(B <= 1) = 11/1024 */
    assert_near(m.estimate, 5.5, 1e-12);
    assert_near(m.low, 2, 1e-12);
    assert_near(m.high, 9, 1e-12);
    m = ub_median_interval(x, 6); /* P(B <= 0) = 1/64 */
    assert_true(m.low == 1 && m.high == 6);
    assert_true(isnan(ub_median_interval(x, 5).low)); /* 1/32 > 2.5% */
    assert_near(ub_sign_p(x, 10, 0.5), 2.0 / 1024, 1e-12);
    assert_near(ub_sign_p(x, 10, 1.5), 22.0 / 1024, 1e-12);
    assert_near(ub_sign_p(x, 10, 20), 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(bad_histories_are_refused),
        cmocka_unit_test(limits_are_those_of_a_new_value),
        cmocka_unit_test(floors_and_processes),
        cmocka_unit_test(unchanged_nights_are_quiet_and_changes_are_seen),
        cmocka_unit_test(charts_are_drawn),
        cmocka_unit_test(medians_by_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
