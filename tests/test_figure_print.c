/* Figures on paper: as wide as a column, on pages, told apart without color; and what a figure says
 * of its data in words hides none of it. */
#include "support.h"

#include "report/figure/private.h"

#include <unistd.h>

struct canvas {
    cairo_surface_t *image;
    cairo_t *cr;
};

static struct canvas canvas_new(int width, int height)
{
    struct canvas c = {cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height), NULL};
    c.cr = cairo_create(c.image);
    return c;
}

static void canvas_free(struct canvas *c)
{
    cairo_destroy(c->cr);
    cairo_surface_destroy(c->image);
}

static uint32_t pixel_at(const struct canvas *c, int x, int y)
{
    uint32_t pixel;
    cairo_surface_flush(c->image);
    memcpy(&pixel,
           cairo_image_surface_get_data(c->image) + y * cairo_image_surface_get_stride(c->image) +
               4 * x,
           sizeof pixel);
    return pixel & 0xffffff;
}

static size_t pixels_of(const struct canvas *c, uint32_t color)
{
    size_t n = 0;
    for (int y = 0; y < cairo_image_surface_get_height(c->image); y++)
        for (int x = 0; x < cairo_image_surface_get_width(c->image); x++)
            n += pixel_at(c, x, y) == color;
    return n;
}

static void draw_on(const struct canvas *c, const struct ub_figure *f)
{
    struct ub_layout_of_figure l = ub_figure_layout(f, c->cr);
    ub_figure_draw(f, &l, c->cr);
    ub_figure_layout_clear(f, &l);
}

static void no_text_is_too_small(void **state)
{
    (void)state;
    for (int font = UB_FONT_TITLE; font <= UB_FONT_NOTE; font++)
        assert_true(ub_font_size((enum ub_font)font) * ub_print_points() >= UB_PRINT_TEXT - 1e-9);
}

/* All in black: each pair of colors' markers differs in more than a quarter of a marker's area. */
static void colors_have_shapes(void **state)
{
    (void)state;
    enum { COLORS = 8, SIZE = 60 };
    static unsigned char ink[COLORS][SIZE][SIZE];
    const double radius = 20, area = 3.14159 * radius * radius;
    for (int k = 0; k < COLORS; k++) {
        struct canvas c = canvas_new(SIZE, SIZE);
        cairo_set_source_rgb(c.cr, 1, 1, 1);
        cairo_paint(c.cr);
        cairo_set_source_rgb(c.cr, 0, 0, 0);
        ub_marker_draw(c.cr, &(struct ub_style){.color = k}, SIZE / 2.0, SIZE / 2.0, radius);
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                ink[k][y][x] = pixel_at(&c, x, y) < 0x808080;
        canvas_free(&c);
    }
    for (int a = 0; a < COLORS; a++)
        for (int b = 0; b < a; b++) {
            int differ = 0, both = 0;
            for (int i = 0; i < SIZE * SIZE; i++) {
                const int one = ink[a][i / SIZE][i % SIZE], other = ink[b][i / SIZE][i % SIZE];
                differ += one != other;
                both += one || other;
            }
            /* crosses have little ink: of theirs a quarter */
            if (differ < fmin(0.25 * area, 0.25 * both))
                fail_msg("markers %d and %d differ in %d pixels", a, b, differ);
        }
}

/* Panels, in order, on as many pages as they need; all within the width, none on another. */
static void panels_find_room(void **state)
{
    (void)state;
    enum { PANELS = 14 };
    char folder[] = "/tmp/unibench-print-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct ub_figure *f = ub_figure_new("t", 4, 4);
    for (int i = 0; i < PANELS; i++) {
        struct ub_panel *p = ub_figure_panel(f, i / 4, i % 4);
        ub_panel_title(p, "a title that has more words than there is room for in a narrow panel");
        ub_panel_axes(p, "step", UB_LINEAR, "a label of the axis with many words", UB_LOG);
        ub_panel_line(p, (double[]){0, 1000}, (double[]){1e-6, 1e6}, 2,
                      (struct ub_style){.label = "a name as long as those of systems are, with "
                                                 "options, optimizer and dataset"});
    }
    static const double inches[] = {3.25, 6.75};
    size_t parts[2];
    struct ub_error err = {0};
    for (int i = 0; i < 2; i++) {
        struct ub_text stem = {0};
        ub_text_add(&stem, "%s/f%d", folder, i);
        assert_true(ub_figure_print(f, stem.data, inches[i], NULL, 0, &parts[i], &err));
        ub_text_free(&stem);
    }
    assert_true(parts[0] > 1 && parts[1] == 1);
    ub_figure_free(f);
    assert_true(ub_remove_tree(folder, &err));
}

static void a_narrow_figure_keeps_its_width(void **state)
{
    (void)state;
    static const char *const names[] = {
        "MLP tanh 64x64, Adam, lr edge 40, digits, size 200",
        "MLP tanh 64x64, heavy ball, beta 0.9, lr edge 40, teacher-student", "CNN, GD, digits"};
    for (int high = 0; high < 2; high++) {
        struct ub_figure *f = ub_figure_new(NULL, 1, 1);
        struct ub_panel *p = ub_figure_panel(f, 0, 0);
        ub_panel_axes(p, "the optimizer's sharpness over the threshold where it keeps a level",
                      UB_LINEAR, NULL, UB_LINEAR);
        ub_panel_categories(p, UB_VERTICAL, names, 3);
        ub_panel_line(p, (double[]){0.9, 1, 1.1}, (double[]){0, 1, 2}, 3,
                      (struct ub_style){.points = true});
        ub_figure_size(f, 351, 0);
        f->narrow = true;
        f->most_height = high ? 864 : 150;
        struct canvas c = canvas_new(10, 10);
        struct ub_layout_of_figure l = ub_figure_layout(f, c.cr);
        assert_near(l.width, 351, 0);
        assert_true(l.height <= f->most_height);
        assert_true(l.frames[0].width > 100);
        assert_int_equal(l.frames[0].names, high ? UB_FONT_TICK : UB_FONT_NAME);
        double room = 0; /* of a row, above the highest name */
        for (int i = 0; i < 3; i++)
            room = fmax(
                room,
                ub_text_extent(c.cr, l.frames[0].names, names[i], l.frames[0].names_width).height);
        assert_true(l.frames[0].height / 3.2 >= (high ? room : room - 3));
        ub_figure_layout_clear(f, &l);
        canvas_free(&c);
        ub_figure_free(f);
    }
}

/* A line that is all around a rule but for one stretch: its label goes there, and hides none of the
 * line's ink; where it was put before, at the right end, it would. */
static void a_label_hides_no_data(void **state)
{
    (void)state;
    enum { N = 400 };
    size_t ink[2];
    double x[N], y[N];
    for (int i = 0; i < N; i++) {
        x[i] = i;
        y[i] = i > 100 && i < 220 ? 1.0 : 1 + (i % 2 ? 0.3 : -0.3);
    }
    for (int label = 0; label < 2; label++) {
        struct ub_figure *f = ub_figure_new(NULL, 1, 1);
        struct ub_panel *p = ub_figure_panel(f, 0, 0);
        ub_panel_axes(p, NULL, UB_LINEAR, NULL, UB_LINEAR);
        ub_panel_range(p, UB_VERTICAL, 0, 2);
        ub_panel_line(p, x, y, N, (struct ub_style){.color = 1});
        ub_panel_rule(p, UB_HORIZONTAL, 1, label ? "edge 100" : NULL);
        struct canvas c = canvas_new(700, 500);
        draw_on(&c, f);
        ink[label] = pixels_of(&c, 0xd55e00);
        canvas_free(&c);
        ub_figure_free(f);
    }
    assert_true(ink[0] > 1000);
    assert_int_equal(ink[0], ink[1]);
}

/* What an axis that ends before its data cuts off is marked at its end, and nothing else is. */
static void what_is_cut_is_marked(void **state)
{
    (void)state;
    for (int high = 0; high < 2; high++) {
        struct ub_figure *f = ub_figure_new(NULL, 1, 1);
        struct ub_panel *p = ub_figure_panel(f, 0, 0);
        ub_panel_axes(p, NULL, UB_LINEAR, NULL, UB_LINEAR);
        ub_panel_range(p, UB_VERTICAL, 0, 2);
        ub_panel_line(p, (double[]){0, 1, 2, 3, 4}, (double[]){1, 1, high ? 50 : 1.5, 1, 1}, 5,
                      (struct ub_style){.color = 1});
        struct canvas c = canvas_new(700, 500);
        struct ub_layout_of_figure l = ub_figure_layout(f, c.cr);
        ub_figure_draw(f, &l, c.cr);
        const int at = (int)ub_frame_x(p, &l.frames[0], 2), top = (int)l.frames[0].y;
        assert_int_equal(pixel_at(&c, at, top + 4) == 0xd55e00, high);
        assert_int_equal(pixel_at(&c, at - 2, top + 5) == 0xd55e00, high);
        ub_figure_layout_clear(f, &l);
        canvas_free(&c);
        ub_figure_free(f);
    }
}

/* Ticks and names differ with the room, and with them the margins: whatever they come to, the width
 * is the one asked for. */
static void margins_do_not_add_to_the_width(void **state)
{
    (void)state;
    for (int k = 0; k < 40; k++) {
        struct ub_figure *f = ub_figure_new(NULL, 6, 3);
        for (int i = 0; i < 18; i++) {
            struct ub_panel *p = ub_figure_panel(f, i / 3, i % 3);
            const double high = 100 * pow(1.7, k + i % 5);
            ub_panel_title(p, "title");
            ub_panel_axes(p, "step", UB_LINEAR, "sharpness", k % 2 ? UB_LOG : UB_LINEAR);
            ub_panel_line(p, (double[]){0, 1000}, (double[]){0.3 * high, high}, 2,
                          (struct ub_style){.label = "run"});
        }
        ub_figure_size(f, 729, 0);
        f->narrow = true;
        f->most_height = 864;
        struct canvas c = canvas_new(10, 10);
        struct ub_layout_of_figure l = ub_figure_layout(f, c.cr);
        assert_near(l.width, 729, 0);
        assert_true(l.height <= 864);
        ub_figure_layout_clear(f, &l);
        canvas_free(&c);
        ub_figure_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_text_is_too_small),
        cmocka_unit_test(colors_have_shapes),
        cmocka_unit_test(panels_find_room),
        cmocka_unit_test(a_narrow_figure_keeps_its_width),
        cmocka_unit_test(margins_do_not_add_to_the_width),
        cmocka_unit_test(a_label_hides_no_data),
        cmocka_unit_test(what_is_cut_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
