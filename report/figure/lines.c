/* Lines and points. */
#include "report/figure/private.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

bool ub_is_line(const struct ub_mark *m)
{
    return m->kind == UB_MARK_LINE && !m->style.points;
}

/* A path that is thinned to its first, least, greatest and last point in each pixel column. */
struct pen {
    cairo_t *cr;
    bool down, staircase;
    long column;
    size_t held; /* points in this column */
    double x, last_y;
    double low_x, low_y, high_x, high_y, last_x;
    bool low_first;
};

static void pen_to(struct pen *pen, double x, double y)
{
    double at_x, at_y;
    if (pen->staircase && cairo_has_current_point(pen->cr)) {
        cairo_get_current_point(pen->cr, &at_x, &at_y);
        cairo_line_to(pen->cr, x, at_y);
    }
    cairo_line_to(pen->cr, x, y);
}

static void pen_flush(struct pen *pen)
{
    if (pen->held > 2) {
        if (pen->low_first)
            pen_to(pen, pen->low_x, pen->low_y);
        pen_to(pen, pen->high_x, pen->high_y);
        if (!pen->low_first)
            pen_to(pen, pen->low_x, pen->low_y);
    }
    if (pen->held > 1)
        pen_to(pen, pen->last_x, pen->last_y);
    pen->held = 0;
}

static void pen_add(struct pen *pen, double x, double y)
{
    const long column = (long)floor(x);
    if (pen->held > 0 && column != pen->column)
        pen_flush(pen);
    if (pen->held == 0) {
        pen->column = column;
        pen->low_x = pen->high_x = x;
        pen->low_y = pen->high_y = y;
        if (pen->down)
            pen_to(pen, x, y);
        else
            cairo_move_to(pen->cr, x, y);
        pen->down = true;
    }
    if (y < pen->low_y) {
        pen->low_x = x;
        pen->low_y = y;
        pen->low_first = false;
    }
    if (y > pen->high_y) {
        pen->high_x = x;
        pen->high_y = y;
        pen->low_first = true;
    }
    pen->last_x = x;
    pen->last_y = y;
    pen->held++;
}

static void draw_points(const struct ub_panel *p, const struct ub_box *frame,
                        const struct ub_mark *m, cairo_t *cr)
{
    const double radius = m->style.point_size > 0 ? m->style.point_size : 2.2;
    bool area = true;
    for (size_t i = 0; i < m->n; i++) {
        if (!ub_visible(p, m->x[i], m->y[i]))
            continue;
        area = ub_marker_add(cr, &m->style, ub_frame_x(p, frame, m->x[i]),
                             ub_frame_y(p, frame, m->y[i]), radius);
    }
    cairo_set_line_width(cr, m->style.width > 0 ? m->style.width : 1.2);
    if (m->style.hollow || !area)
        cairo_stroke(cr);
    else
        cairo_fill(cr);
}

/* Lines of several colors in one panel carry their color's marker, a few times each and not at the
 * same places; where there are many lines, the first of each color does. */
bool ub_mark_carries_markers(const struct ub_panel *p, const struct ub_mark *mark)
{
    enum { FEW = 12, COLORS = 8 };
    size_t colors = 0, lines = 0;
    bool first = true, seen[COLORS] = {false};
    if (mark->style.shade > 0 || mark->style.color < 0 || mark->style.bare)
        return false;
    for (size_t i = 0; i < p->n; i++) {
        const struct ub_mark *m = &p->marks[i];
        if (!ub_is_line(m) || m->style.shade > 0 || m->style.color < 0 || m->style.bare)
            continue;
        lines++;
        colors += !seen[m->style.color % COLORS];
        seen[m->style.color % COLORS] = true;
        first = first && (m >= mark || m->style.color != mark->style.color);
    }
    return colors > 1 && (lines <= FEW || first);
}

static void draw_markers(const struct ub_panel *p, const struct ub_box *frame,
                         const struct ub_mark *m, cairo_t *cr)
{
    enum { EACH = 5 };
    const double apart = frame->width / EACH, radius = 3;
    double next = frame->x + apart * (0.15 + 0.11 * (m->style.color % 8));
    for (size_t i = 0; i < m->n; i++) {
        if (!ub_visible(p, m->x[i], m->y[i]))
            continue;
        const double x = ub_frame_x(p, frame, m->x[i]);
        if (x < next)
            continue;
        ub_marker_draw(cr, &m->style, x, ub_frame_y(p, frame, m->y[i]), radius);
        while (next <= x)
            next += apart;
    }
}

void ub_line_draw(const struct ub_panel *p, const struct ub_box *frame, const struct ub_mark *m,
                  cairo_t *cr)
{
    ub_set_color(cr, &m->style, 1);
    if (m->style.points) {
        draw_points(p, frame, m, cr);
        return;
    }
    struct pen pen = {.cr = cr, .staircase = m->style.staircase};
    size_t drawn = 0, last = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (ub_visible(p, m->x[i], m->y[i])) {
            pen_add(&pen, ub_frame_x(p, frame, m->x[i]), ub_frame_y(p, frame, m->y[i]));
            drawn++;
            last = i;
        } else {
            pen_flush(&pen);
            pen.down = false;
        }
    }
    pen_flush(&pen);
    cairo_set_line_width(cr, m->style.width > 0 ? m->style.width : 1.5);
    if (m->style.dashed)
        cairo_set_dash(cr, (double[]){5, 3}, 2, 0);
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0);
    if (drawn == 1) { /* a line of one point is a dot */
        cairo_arc(cr, ub_frame_x(p, frame, m->x[last]), ub_frame_y(p, frame, m->y[last]), 2.5, 0,
                  2 * pi);
        cairo_fill(cr);
    } else if (ub_mark_carries_markers(p, m)) {
        draw_markers(p, frame, m, cr);
    }
}
