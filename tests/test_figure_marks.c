/* Marks and axes of figures: where they are, and in which colors. */
#include "support.h"

#include "report/figure/private.h"

static void test_signed_axis(void **state)
{
    (void)state;
    const struct ub_axis axis = {.scale = UB_SIGNED, .linear = 0.1};
    const struct ub_range r = {-10, 10, false};
    assert_near(ub_scale_place(r, &axis, 0), 0.5, 1e-12);
    assert_near(ub_scale_place(r, &axis, -10), 0, 1e-12);
    assert_near(ub_scale_place(r, &axis, 10), 1, 1e-12);
    const double decade = ub_scale_place(r, &axis, 10) - ub_scale_place(r, &axis, 1);
    assert_near(decade, log(10) / (2 * asinh(100)), 1e-3); /* logarithmic far out */
    struct ub_tick ticks[UB_MOST_TICKS];
    const size_t n = ub_axis_ticks(r, &axis, 5, ticks);
    size_t labelled = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(ticks[i].value >= r.low && ticks[i].value <= r.high);
        labelled += *ticks[i].text != '\0';
        for (size_t k = 0; k < i; k++)
            assert_true(!*ticks[i].text || strcmp(ticks[i].text, ticks[k].text) != 0);
    }
    assert_true(labelled >= 3 && labelled <= 7);
    const struct ub_range padded = ub_range_padded((struct ub_range){-1, 10, false}, &axis);
    assert_true(padded.low < -1 && padded.low > -2 && padded.high > 10 && padded.high < 20);
    const struct ub_range point = ub_range_padded((struct ub_range){3, 3, false}, &axis);
    assert_true(point.low < 3 && point.high > 3);
}

/* Marks say where they stand, whatever their step: as read back. */
static void test_linear_ticks_are_true(void **state)
{
    (void)state;
    static const double ranges[][2] = {{0.5, 3.5}, {0.25, 4.25}, {-1, 1}, {0, 1500}, {3.3, 3.4}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        for (size_t wanted = 2; wanted < 8; wanted++) {
            const struct ub_range r = {ranges[i][0], ranges[i][1], false};
            struct ub_tick ticks[UB_MOST_TICKS];
            const size_t n = ub_axis_ticks(r, &(struct ub_axis){.scale = UB_LINEAR}, wanted, ticks);
            for (size_t k = 0; k < n; k++) {
                const char *minus = "\u2212", *text = ticks[k].text;
                const bool below = strncmp(text, minus, strlen(minus)) == 0;
                const double read = atof(text + (below ? strlen(minus) : 0));
                assert_near(below ? -read : read, ticks[k].value, 1e-9);
            }
        }
}

/* Of given values each has a mark, and no more than are wanted a number. */
static void test_given_ticks(void **state)
{
    (void)state;
    double values[] = {-8, 16, 32, 64, 128};
    const struct ub_axis axis = {.scale = UB_LINEAR, .n_values = 5, .values = values};
    const struct ub_range r = {-10, 150, false};
    for (size_t wanted = 1; wanted < 8; wanted++) {
        struct ub_tick ticks[UB_MOST_TICKS];
        size_t numbers = 0;
        assert_int_equal(ub_axis_ticks(r, &axis, wanted, ticks), 5);
        for (size_t i = 0; i < 5; i++) {
            assert_near(ticks[i].value, values[i], 0);
            numbers += *ticks[i].text != '\0';
        }
        assert_true(numbers >= 1 && numbers <= wanted);
        assert_string_equal(ticks[0].text, "\u22128");
    }
}

/* Colors of the pixels in the middle of each of 2 x 2 cells; row 0 is the lower one, on an axis of
 * categories the upper. */
static void check_heat(bool categories)
{
    static const double shade[] = {0, 1, 0.5, NAN}; /* columns: (0, 1), (0.5, none) */
    const double low = categories ? -0.5 : 0;
    struct ub_figure *f = ub_figure_new(NULL, 1, 1);
    struct ub_panel *p = ub_figure_panel(f, 0, 0);
    ub_panel_axes(p, NULL, UB_LINEAR, NULL, UB_LINEAR);
    ub_panel_heat(p, (double[]){0, 1, 2}, 2, (double[]){low, low + 1, low + 2}, 2, shade);
    ub_panel_range(p, UB_HORIZONTAL, 0, 2);
    ub_panel_range(p, UB_VERTICAL, low, low + 2);
    if (categories)
        ub_panel_categories(p, UB_VERTICAL, (const char *const[]){"a", "b"}, 2);
    cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 700, 500);
    cairo_t *cr = cairo_create(image);
    struct ub_layout_of_figure l = ub_figure_layout(f, cr);
    ub_figure_draw(f, &l, cr);
    cairo_surface_flush(image);
    for (int i = 0; i < 4; i++) {
        const double x = i < 2 ? 0.4 : 1.6,
                     y = low + (i % 2 ? 1.4 : 0.6); /* off the grid's lines */
        const int column = (int)ub_frame_x(p, &l.frames[0], x);
        const int row = (int)ub_frame_y(p, &l.frames[0], y);
        uint32_t pixel;
        memcpy(&pixel,
               cairo_image_surface_get_data(image) + row * cairo_image_surface_get_stride(image) +
                   4 * column,
               sizeof pixel);
        double rgb[3] = {1, 1, 1};
        if (isfinite(shade[i]))
            ub_viridis(shade[i], rgb);
        for (int c = 0; c < 3; c++)
            assert_near((double)(pixel >> (16 - 8 * c) & 0xff), 255 * rgb[c], 1.01);
    }
    ub_figure_layout_clear(f, &l);
    cairo_destroy(cr);
    cairo_surface_destroy(image);
    ub_figure_free(f);
}

static void test_heat_pixels(void **state)
{
    (void)state;
    check_heat(false);
    check_heat(true);
}

static uint32_t pixel_at(cairo_surface_t *image, int x, int y)
{
    uint32_t pixel;
    const unsigned char *data = cairo_image_surface_get_data(image);
    memcpy(&pixel, data + y * cairo_image_surface_get_stride(image) + 4 * x, sizeof pixel);
    return pixel & 0xffffff;
}

/* An interval from below 0 on an axis of logarithms is drawn to the axis' end, and has a head
 * there (ink beside the bar's own line); one that ends inside does neither. */
static void test_bar_goes_on(void **state)
{
    (void)state;
    for (int beyond = 0; beyond < 2; beyond++) {
        struct ub_figure *f = ub_figure_new(NULL, 1, 1);
        struct ub_panel *p = ub_figure_panel(f, 0, 0);
        ub_panel_axes(p, NULL, UB_LOG, NULL, UB_LINEAR);
        ub_panel_range(p, UB_HORIZONTAL, 1e-3, 1e3);
        ub_panel_range(p, UB_VERTICAL, 0, 1);
        ub_panel_bars(p, UB_HORIZONTAL, (double[]){1}, (double[]){0.47},
                      (double[]){beyond ? -5 : 0.1}, (double[]){beyond ? INFINITY : 10}, 1,
                      (struct ub_style){.color = 1});
        cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 700, 500);
        cairo_t *cr = cairo_create(image);
        struct ub_layout_of_figure l = ub_figure_layout(f, cr);
        ub_figure_draw(f, &l, cr);
        cairo_surface_flush(image);
        const struct ub_box *b = &l.frames[0];
        const int y = (int)ub_frame_y(p, b, 0.47), left = (int)b->x + 5,
                  right = (int)(b->x + b->width) - 5;
        assert_int_equal(pixel_at(image, left, y) == 0xd55e00, beyond);
        assert_int_equal(pixel_at(image, right, y) == 0xd55e00, beyond);
        assert_int_equal(pixel_at(image, left, y - 2) != 0xffffff, beyond);
        assert_int_equal(pixel_at(image, (int)ub_frame_x(p, b, 0.5), y - 2), 0xffffff);
        ub_figure_layout_clear(f, &l);
        cairo_destroy(cr);
        cairo_surface_destroy(image);
        ub_figure_free(f);
    }
}

/* Names along x that would run into each other are written upwards, and get the room. */
static void test_steep_categories(void **state)
{
    (void)state;
    static const char *const names[] = {"normalized-gd", "nesterov", "scalar-rmsprop"};
    double room[2];
    for (int narrow = 0; narrow < 2; narrow++) {
        struct ub_figure *f = ub_figure_new(NULL, 1, 1);
        struct ub_panel *p = ub_figure_panel(f, 0, 0);
        ub_panel_axes(p, NULL, UB_LINEAR, NULL, UB_LINEAR);
        ub_panel_range(p, UB_VERTICAL, 0, 1);
        ub_panel_categories(p, UB_HORIZONTAL, names, 3);
        ub_figure_size(f, narrow ? 200 : 900, 0);
        cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 10, 10);
        cairo_t *cr = cairo_create(image);
        struct ub_layout_of_figure l = ub_figure_layout(f, cr);
        double widest = 0;
        for (int i = 0; i < 3; i++)
            widest = fmax(widest, ub_text_extent(cr, UB_FONT_TICK, names[i], 0).width);
        assert_near(l.frames[0].steep, narrow ? widest : 0, 1e-9);
        room[narrow] = l.height - (l.frames[0].y + l.frames[0].height);
        ub_figure_layout_clear(f, &l);
        cairo_destroy(cr);
        cairo_surface_destroy(image);
        ub_figure_free(f);
    }
    assert_true(room[1] > room[0] + 30);
}

/* The bytes of an SVG with so many lines. */
static size_t svg_bytes(const char *folder, size_t lines, bool *says)
{
    struct ub_error err = {0};
    struct ub_figure *f = ub_figure_new(NULL, 1, 1);
    struct ub_panel *p = ub_figure_panel(f, 0, 0);
    char *stem = ub_path(folder, "lines"), *path = ub_path(folder, "lines.svg");
    size_t length, stride;
    ub_panel_axes(p, NULL, UB_LINEAR, NULL, UB_LINEAR);
    for (size_t i = 0; i < lines; i++)
        ub_panel_line(p, (double[]){0, 1, 2, 3}, (double[]){(double)i, 0, 1, (double)i}, 4,
                      (struct ub_style){.color = 1});
    ub_panel_line(p, (double[]){0, 1}, (double[]){0, 1}, 2, (struct ub_style){.points = true});
    assert_int_equal(ub_panel_lines(f, p, &stride), lines);
    *says = stride > 1;
    if (!ub_figure_save(f, stem, NULL, 0, &err))
        fail_msg("%s", err.text);
    ub_free(ub_read_file(path, UINT64_C(1) << 28, &length, &err));
    ub_figure_free(f);
    ub_free(stem);
    ub_free(path);
    return length;
}

/* Up to a thousand lines each is drawn; of more, as many, and the panel says so. */
static void test_most_lines(void **state)
{
    (void)state;
    bool says;
    char *folder = support_folder();
    const size_t few = svg_bytes(folder, 100, &says);
    assert_false(says);
    const size_t most = svg_bytes(folder, 1000, &says);
    assert_false(says);
    const size_t more = svg_bytes(folder, 8000, &says);
    assert_true(says);
    print_message("bytes of 100, 1000 and 8000 lines: %zu, %zu, %zu\n", few, most, more);
    assert_true(most > 2 * few);                 /* what texts take aside, ten times as much */
    assert_true(more < most + (most - few) / 2); /* not eight times as much */
    support_remove(folder);
}

/* And up to two thousand in a figure of many panels. */
static void test_most_lines_of_figure(void **state)
{
    (void)state;
    enum { PANELS = 8 };
    static const struct {
        size_t lines, stride;
    } each[] = {{250, 1}, {251, 2}, {1000, 4}};
    for (size_t k = 0; k < sizeof each / sizeof *each; k++) {
        struct ub_figure *f = ub_figure_new(NULL, 1, PANELS);
        size_t stride;
        for (int i = 0; i < PANELS; i++)
            for (size_t n = 0; n < each[k].lines; n++)
                ub_panel_line(ub_figure_panel(f, 0, i), (double[]){0, 1}, (double[]){0, 1}, 2,
                              (struct ub_style){.color = 1});
        assert_int_equal(ub_panel_lines(f, ub_figure_panel(f, 0, 3), &stride), each[k].lines);
        assert_int_equal(stride, each[k].stride);
        ub_figure_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signed_axis), cmocka_unit_test(test_linear_ticks_are_true),
        cmocka_unit_test(test_given_ticks), cmocka_unit_test(test_heat_pixels),
        cmocka_unit_test(test_bar_goes_on), cmocka_unit_test(test_steep_categories),
        cmocka_unit_test(test_most_lines),  cmocka_unit_test(test_most_lines_of_figure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
