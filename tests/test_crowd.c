/* Many lines in one panel: all of them where they are few, their quantiles where they are many. */
#include "support.h"

#include "report/figure/private.h"
#include "report/sections/crowd.h"

/* At steps 0, 10, 20, ...: value, value + slope, ... */
static void add_line(struct crowd *c, size_t points, double value, double slope)
{
    struct ub_series s = {.count = points,
                          .step = ub_calloc(points, sizeof(double)),
                          .value = ub_calloc(points, sizeof(double)),
                          .error = ub_calloc(points, sizeof(double))};
    for (size_t k = 0; k < points; k++) {
        s.step[k] = 10 * (double)k;
        s.value[k] = value + slope * (double)k;
    }
    crowd_add(c, s);
}

static void few_lines_are_drawn_as_they_are(void **state)
{
    (void)state;
    struct crowd c = {0};
    struct ub_figure *f = ub_figure_new("t", 1, 1);
    struct ub_panel *p = ub_figure_panel(f, 0, 0);
    add_line(&c, 2, 0, 0); /* no curve */
    for (int i = 0; i < 3; i++)
        add_line(&c, 50, i, 1);
    assert_int_equal(c.count, 3);
    crowd_draw(p, &c, false, (struct ub_style){.color = 1});
    assert_int_equal(p->n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(p->marks[i].n, 50);
        assert_near(p->marks[i].y[49], (double)i + 49, 0);
    }
    ub_figure_free(f);
    crowd_clear(&c);
}

/* 101 lines, 0 to 100 plus one a measurement: at each step the quantiles are 10, 50 and 90 more
 * than the first line's. 64 measurements make 64 stretches: no steps are mixed. */
static void many_lines_become_their_quantiles(void **state)
{
    (void)state;
    enum { LINES = 101, STEPS = 64 };
    struct crowd c = {0};
    struct ub_figure *f = ub_figure_new("t", 1, 1);
    struct ub_panel *p = ub_figure_panel(f, 0, 0);
    for (int i = 0; i < LINES; i++)
        add_line(&c, STEPS, (i * 37) % LINES, 1);
    crowd_draw(p, &c, true, (struct ub_style){.color = 1, .label = "all"});
    assert_int_equal(p->n, 2);
    const struct ub_mark *band = &p->marks[0], *middle = &p->marks[1];
    assert_true(band->kind == UB_MARK_BAND && middle->kind == UB_MARK_LINE);
    assert_string_equal(middle->label, "all");
    double off = 0;
    for (size_t k = 0; k < middle->n; k++) {
        const double at = middle->x[k] / 10;
        off = fmax(off, fabs(middle->y[k] - 50 - at));
        off = fmax(off, fabs(band->low[k] - 10 - at));
        off = fmax(off, fabs(band->high[k] - 90 - at));
    }
    print_message("%zu stretches, largest error %g\n", middle->n, off);
    assert_int_equal(middle->n, STEPS);
    assert_true(off <= 1e-12);
    ub_figure_free(f);
    crowd_clear(&c);
}

/* 300 lines of 1,000 points: those beyond the 200th are thinned, the quantiles stay. */
static void lines_beyond_a_summary_are_thinned(void **state)
{
    (void)state;
    enum { LINES = 300, STEPS = 1000 };
    struct crowd c = {0};
    struct ub_figure *f = ub_figure_new("t", 1, 1);
    struct ub_panel *p = ub_figure_panel(f, 0, 0);
    for (int i = 0; i < LINES; i++)
        add_line(&c, STEPS, (i * 77) % LINES, 0);
    assert_int_equal(c.count, LINES);
    assert_int_equal(c.line[199].count, STEPS);
    assert_int_equal(c.line[LINES - 1].count, 200);
    assert_near(c.line[LINES - 1].step[199], 9950, 0);
    crowd_draw(p, &c, true, (struct ub_style){0});
    for (size_t k = 0; k < p->marks[1].n; k++)
        assert_near(p->marks[1].y[k], LINES / 2.0, 15); /* 5%: of two lines in three all points */
    ub_figure_free(f);
    crowd_clear(&c);
}

/* Half of the lines are at 1 and measured often, half at 3 and measured seldom: at every step the
 * median is between, and does not jump to those that happen to be measured there. */
static void seldom_measured_lines_count_all_the_time(void **state)
{
    (void)state;
    enum { LINES = 10, STEPS = 61 };
    struct crowd c = {0};
    struct ub_figure *f = ub_figure_new("t", 1, 1);
    struct ub_panel *p = ub_figure_panel(f, 0, 0);
    for (int i = 0; i < LINES; i++) {
        add_line(&c, STEPS, 1, 0);
        add_line(&c, STEPS, 3, 0);
        struct ub_series *seldom = &c.line[c.count - 1];
        seldom->count = 0;
        for (int k = 0; k < STEPS; k += 20)
            seldom->step[seldom->count++] = 10 * k;
    }
    crowd_draw(p, &c, true, (struct ub_style){0});
    assert_int_equal(p->marks[1].n, STEPS);
    for (size_t k = 0; k < STEPS; k++) {
        assert_near(p->marks[1].y[k], 2, 1e-12);
        assert_near(p->marks[0].high[k] - p->marks[0].low[k], 2, 1e-12);
    }
    ub_figure_free(f);
    crowd_clear(&c);
}

/* Where half of the lines end, the others' median stands by itself. */
static void medians_of_other_lines_do_not_join(void **state)
{
    (void)state;
    struct crowd c = {0};
    struct ub_figure *f = ub_figure_new("t", 1, 1);
    struct ub_panel *p = ub_figure_panel(f, 0, 0);
    for (int i = 0; i < 10; i++) {
        add_line(&c, 20, 1, 0);
        add_line(&c, 40, 5, 0);
    }
    crowd_draw(p, &c, true, (struct ub_style){0});
    const struct ub_mark *middle = &p->marks[1];
    assert_int_equal(middle->n, 41); /* and a gap */
    for (size_t k = 0; k < middle->n; k++)
        if (k == 20)
            assert_true(isnan(middle->y[k]));
        else
            assert_near(middle->y[k], k < 20 ? 3 : 5, 1e-12);
    ub_figure_free(f);
    crowd_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_lines_are_drawn_as_they_are),
        cmocka_unit_test(many_lines_become_their_quantiles),
        cmocka_unit_test(lines_beyond_a_summary_are_thinned),
        cmocka_unit_test(seldom_measured_lines_count_all_the_time),
        cmocka_unit_test(medians_of_other_lines_do_not_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
