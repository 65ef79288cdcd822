/* Texts within a panel: where they hide the least of its data. */
#include "report/figure/private.h"

#include <math.h>

/* Dark text on a soft white ground, so that it stays readable over data. */
void ub_note_draw(cairo_t *cr, const char *text, double wrap, double x, double y, double ax,
                  double ay)
{
    const struct ub_extent e = ub_text_extent(cr, UB_FONT_NOTE, text, wrap);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.8);
    cairo_rectangle(cr, x - ax * e.width - 2, y - ay * e.height, e.width + 4, e.height);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
    ub_text_draw(cr, UB_FONT_NOTE, text, wrap, x, y, ax, ay);
}

/* ---- what is beneath ------------------------------------------------------------------------ */

struct place {
    double x, y, width, height; /* upper left corner */
};

static bool is_inside(const struct place *r, double x, double y)
{
    return x >= r->x && x <= r->x + r->width && y >= r->y && y <= r->y + r->height;
}

/* Whether a stroke passes through, by points on it as near to each other as half the place's
 * height: what slips between them only touches a corner. */
static bool crosses(const struct place *r, double x0, double y0, double x1, double y1)
{
    if (fmax(x0, x1) < r->x || fmin(x0, x1) > r->x + r->width || fmax(y0, y1) < r->y ||
        fmin(y0, y1) > r->y + r->height)
        return false;
    const double length = hypot(x1 - x0, y1 - y0);
    const int steps = (int)fmin(1000, ceil(2 * length / r->height)) + 1;
    for (int i = 0; i <= steps; i++)
        if (is_inside(r, x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps))
            return true;
    return false;
}

static size_t ink_of_mark(const struct ub_panel *p, const struct ub_box *frame,
                          const struct ub_mark *m, const struct place *r)
{
    size_t ink = 0;
    double x = 0, y = 0;
    bool joined = false;
    if (m->kind != UB_MARK_LINE && m->kind != UB_MARK_BARS)
        return 0;
    for (size_t i = 0; i < m->n; i++) {
        if (!ub_plottable(m->x[i], p->axis[0].scale) || !ub_plottable(m->y[i], p->axis[1].scale)) {
            joined = false;
            continue;
        }
        const double x1 = ub_frame_x(p, frame, m->x[i]), y1 = ub_frame_y(p, frame, m->y[i]);
        const bool line = joined && m->kind == UB_MARK_LINE && !m->style.points;
        ink += line ? crosses(r, x, y, x1, y1) : is_inside(r, x1, y1);
        joined = true;
        x = x1;
        y = y1;
    }
    return ink;
}

/* Pieces of lines and points of data, rules, and labels before this one. */
static size_t ink_in(const struct ub_panel *p, const struct ub_box *frame, const struct place *r,
                     const struct place *labels, size_t n)
{
    size_t ink = 0;
    if (r->x < frame->x || r->x + r->width > frame->x + frame->width || r->y < frame->y ||
        r->y + r->height > frame->y + frame->height)
        return SIZE_MAX;
    for (size_t i = 0; i < p->n; i++)
        ink += ink_of_mark(p, frame, &p->marks[i], r);
    for (size_t i = 0; i < n; i++)
        if (labels[i].x < r->x + r->width && r->x < labels[i].x + labels[i].width &&
            labels[i].y < r->y + r->height && r->y < labels[i].y + labels[i].height)
            ink += 1000;
    return ink;
}

/* ---- labels of rules ------------------------------------------------------------------------ */

enum { PLACES = 9, SIDES = 2, MOST_LABELS = 16 };

/* Along a rule, from its right or upper end on, on both sides of it. */
static struct place beside(const struct ub_panel *p, const struct ub_box *frame,
                           const struct ub_mark *m, const struct ub_extent *e, int k)
{
    const double along = (double)(k / SIDES) / (PLACES - 1), gap = 3;
    const bool level = m->direction == UB_HORIZONTAL, first = k % SIDES == 0;
    struct place r = {0, 0, e->width + 4, e->height};
    if (level) {
        const double at = ub_frame_y(p, frame, m->x[0]);
        r.x = frame->x + (1 - along) * (frame->width - r.width);
        r.y = first ? at - r.height - gap : at + gap;
    } else {
        const double at = ub_frame_x(p, frame, m->x[0]);
        r.x = first ? at + gap : at - r.width - gap;
        r.y = frame->y + along * (frame->height - r.height);
    }
    return r;
}

static void place_label(const struct ub_panel *p, const struct ub_box *frame,
                        const struct ub_mark *m, cairo_t *cr, struct place *labels, size_t *n)
{
    const struct ub_extent e = ub_text_extent(cr, UB_FONT_NOTE, m->label, frame->width - 8);
    struct place best = beside(p, frame, m, &e, 0);
    size_t least = SIZE_MAX;
    for (int k = 0; k < PLACES * SIDES && least > 0; k++) {
        const struct place r = beside(p, frame, m, &e, k);
        const size_t ink = ink_in(p, frame, &r, labels, *n);
        if (ink < least) {
            least = ink;
            best = r;
        }
    }
    ub_note_draw(cr, m->label, frame->width - 8, best.x + 2, best.y, 0, 0);
    if (*n < MOST_LABELS)
        labels[(*n)++] = best;
}

void ub_notes_draw(const struct ub_panel *p, const struct ub_box *frame, cairo_t *cr)
{
    struct place labels[MOST_LABELS];
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct ub_mark *m = &p->marks[i];
        const int axis = m->direction == UB_HORIZONTAL ? 1 : 0;
        if (m->kind == UB_MARK_RULE && m->label && ub_plottable(m->x[0], p->axis[axis].scale))
            place_label(p, frame, m, cr, labels, &n);
    }
}

/* ---- what is cut ---------------------------------------------------------------------------- */

/* Where lines leave an axis whose range was given, heads that point out of it, a few px apart. */
void ub_cuts_draw(const struct ub_panel *p, const struct ub_box *frame, cairo_t *cr)
{
    enum { MOST = 256, APART = 14 };
    bool marked[2][MOST] = {{false}};
    if (!p->axis[UB_VERTICAL].fixed || p->axis[UB_VERTICAL].n_categories > 0)
        return;
    for (size_t i = 0; i < p->n; i++) {
        const struct ub_mark *m = &p->marks[i];
        double rgb[3];
        ub_style_color(&m->style, rgb);
        for (size_t k = 0; m->kind == UB_MARK_LINE && k < m->n; k++) {
            if (!ub_plottable(m->x[k], p->axis[0].scale) ||
                !ub_plottable(m->y[k], p->axis[1].scale))
                continue;
            const double x = ub_frame_x(p, frame, m->x[k]), y = ub_frame_y(p, frame, m->y[k]);
            const bool above = y<frame->y - 1, below = y> frame->y + frame->height + 1;
            const double bin = (x - frame->x) / APART;
            if ((!above && !below) || bin < 0 || x > frame->x + frame->width || bin >= MOST ||
                marked[below][(size_t)bin])
                continue;
            marked[below][(size_t)bin] = true;
            const double edge = above ? frame->y : frame->y + frame->height, back = above ? 6 : -6;
            cairo_set_source_rgb(cr, rgb[0], rgb[1], rgb[2]);
            cairo_move_to(cr, x, edge);
            cairo_line_to(cr, x - 3.5, edge + back);
            cairo_line_to(cr, x + 3.5, edge + back);
            cairo_close_path(cr);
            cairo_fill(cr);
        }
    }
}
