/* Markers: a shape for each color, so that a print in black and white tells apart what colors do.
 */
#include "report/figure/private.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

enum { ROUND, SHAPES = 8 };
/* Corners of each color's shape, where the first is (turns from the top, clockwise), and how wide
 * and high it is, of the circle's radius: of about its area, but a square or an even rhombus would
 * be a circle to who sees it small. Crosses are strokes. */
static const struct shape {
    int corners;
    double turn, wide, high;
    bool star, cross;
} shapes[SHAPES] = {
    [ROUND] = {0, 0, 1, 1, false, false}, {4, 0.125, 0.9, 1.8, false, false},
    {3, 0, 1.5, 1.5, false, false},       {4, 0, 1.8, 1, false, false},
    {3, 0.5, 1.5, 1.5, false, false},     {5, 0, 1.7, 1.7, true, false},
    {4, 0.125, 1.4, 1.4, false, true},    {4, 0, 1.5, 1.5, false, true},
};

static const struct shape *shape_of(const struct ub_style *style)
{
    const bool plain = style->shade > 0 || style->color < 0;
    return &shapes[plain ? ROUND : style->color % SHAPES];
}

static void add_corner(cairo_t *cr, const struct shape *s, double x, double y, double radius,
                       double turn)
{
    cairo_line_to(cr, x + s->wide * radius * sin(2 * pi * turn),
                  y - s->high * radius * cos(2 * pi * turn));
}

bool ub_marker_add(cairo_t *cr, const struct ub_style *style, double x, double y, double radius)
{
    const struct shape *s = shape_of(style);
    cairo_new_sub_path(cr);
    if (s->corners == 0)
        cairo_arc(cr, x, y, radius, 0, 2 * pi);
    for (int i = 0; i < s->corners && !s->cross; i++) {
        const double turn = s->turn + (double)i / s->corners;
        add_corner(cr, s, x, y, radius, turn);
        if (s->star)
            add_corner(cr, s, x, y, 0.45 * radius, turn + 0.5 / s->corners);
    }
    if (!s->cross) {
        cairo_close_path(cr);
        return true;
    }
    for (int i = 0; i < 2; i++) {
        cairo_new_sub_path(cr);
        add_corner(cr, s, x, y, radius, s->turn + 0.25 * i);
        add_corner(cr, s, x, y, radius, s->turn + 0.25 * i + 0.5);
    }
    return false;
}

void ub_marker_draw(cairo_t *cr, const struct ub_style *style, double x, double y, double radius)
{
    const bool area = ub_marker_add(cr, style, x, y, radius);
    cairo_set_line_width(cr, area ? 1.2 : 1.6);
    if (!area) {
        cairo_stroke(cr);
        return;
    }
    if (!style->hollow) {
        cairo_fill(cr);
        return;
    }
    cairo_save(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_fill_preserve(cr);
    cairo_restore(cr);
    cairo_stroke(cr);
}
