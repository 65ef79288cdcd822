/* Data as ink: colors, bands, bars, rules, shades; lines.c has lines and points. */
#include "report/figure/private.h"

#include <math.h>
#include <string.h>

/* Okabe and Ito 2008: told apart by all common kinds of color vision. Yellow and black last. */
static const unsigned okabe_ito[] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7,
                                     0xe69f00, 0x56b4e9, 0x000000, 0xb8a800};
/* Ten points of matplotlib's viridis (Smith and van der Walt 2015, CC0), evenly spaced. */
static const unsigned viridis[] = {0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e,
                                   0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725};
enum { PALETTE = 8, STOPS = 10 };

static void split(unsigned color, double rgb[3])
{
    for (int i = 0; i < 3; i++)
        rgb[i] = (double)(color >> (16 - 8 * i) & 0xff) / 255;
}

void ub_viridis(double place, double rgb[3])
{
    const double at = fmin(fmax(place, 0), 1) * (STOPS - 1);
    const int low = at >= STOPS - 1 ? STOPS - 2 : (int)at;
    double a[3], b[3];
    split(viridis[low], a);
    split(viridis[low + 1], b);
    for (int i = 0; i < 3; i++)
        rgb[i] = a[i] + (at - low) * (b[i] - a[i]);
}

void ub_style_color(const struct ub_style *style, double rgb[3])
{
    if (style->shade > 0) {
        ub_viridis(style->shade, rgb);
        return;
    }
    split(style->color < 0 ? 0x888888 : okabe_ito[style->color % PALETTE], rgb);
}

void ub_set_color(cairo_t *cr, const struct ub_style *style, double fallback_alpha)
{
    double rgb[3];
    ub_style_color(style, rgb);
    cairo_set_source_rgba(cr, rgb[0], rgb[1], rgb[2],
                          style->alpha > 0 ? style->alpha : fallback_alpha);
}

/* Far beyond the frame positions are cut: renderers clip, but keep few digits. */
static double bounded(double place)
{
    return fmin(fmax(place, -20), 20);
}

double ub_frame_x(const struct ub_panel *p, const struct ub_box *frame, double value)
{
    const double at = ub_scale_place(frame->range[0], &p->axis[0], value);
    return frame->x + bounded(at) * frame->width;
}

double ub_frame_y(const struct ub_panel *p, const struct ub_box *frame, double value)
{
    double at = ub_scale_place(frame->range[1], &p->axis[1], value);
    if (p->axis[1].n_categories > 0)
        at = 1 - at; /* categories read from the top down */
    return frame->y + (1 - bounded(at)) * frame->height;
}

bool ub_visible(const struct ub_panel *p, double x, double y)
{
    return ub_plottable(x, p->axis[0].scale) && ub_plottable(y, p->axis[1].scale);
}

static void draw_band(const struct ub_panel *p, const struct ub_box *frame, const struct ub_mark *m,
                      cairo_t *cr)
{
    ub_set_color(cr, &m->style, 0.2);
    for (size_t start = 0; start < m->n; start++) {
        size_t end = start;
        while (end < m->n && ub_visible(p, m->x[end], m->low[end]) &&
               ub_visible(p, m->x[end], m->high[end]))
            end++;
        for (size_t i = start; i < end; i++)
            cairo_line_to(cr, ub_frame_x(p, frame, m->x[i]), ub_frame_y(p, frame, m->low[i]));
        for (size_t i = end; i-- > start;)
            cairo_line_to(cr, ub_frame_x(p, frame, m->x[i]), ub_frame_y(p, frame, m->high[i]));
        cairo_close_path(cr);
        cairo_fill(cr);
        start = end;
    }
}

/* Where a bar ends, as a fraction of the axis; beyond it (or where a logarithm has no place for it)
 * at its end: then `*side` is -1 or 1. */
static double bar_end(const struct ub_panel *p, const struct ub_box *frame, int axis, double value,
                      int *side)
{
    const struct ub_axis *a = &p->axis[axis];
    const double low = frame->range[axis].low;
    const bool none = isinf(value) || (a->scale == UB_LOG && !(value > 0));
    const double at = !none ? ub_scale_place(frame->range[axis], a, value) : value > low ? 2 : -1;
    const double slack = 1e-9;
    *side = at < -slack ? -1 : at > 1 + slack;
    const double end = fmin(fmax(at, 0), 1);
    return axis == UB_VERTICAL && a->n_categories > 0 ? 1 - end : end;
}

/* A head that points out of the frame. */
static void draw_head(cairo_t *cr, bool level, double x, double y, int side)
{
    const double back = -6 * side, half = 3.5;
    cairo_move_to(cr, x, y);
    cairo_line_to(cr, level ? x + back : x - half, level ? y - half : y - back);
    cairo_line_to(cr, level ? x + back : x + half, level ? y + half : y - back);
    cairo_close_path(cr);
    cairo_fill(cr);
}

static void draw_bar(const struct ub_panel *p, const struct ub_box *frame, const struct ub_mark *m,
                     size_t i, cairo_t *cr)
{
    const bool level = m->direction == UB_HORIZONTAL;
    const double ends[] = {m->low[i], m->high[i]};
    double x[2] = {ub_frame_x(p, frame, m->x[i])}, y[2] = {ub_frame_y(p, frame, m->y[i])};
    int side[2];
    if (isnan(ends[0]) || isnan(ends[1]))
        return;
    x[1] = x[0];
    y[1] = y[0];
    for (int k = 0; k < 2; k++) {
        const double at = bar_end(p, frame, (int)m->direction, ends[k], &side[k]);
        if (level)
            x[k] = frame->x + at * frame->width;
        else
            y[k] = frame->y + (1 - at) * frame->height;
    }
    cairo_move_to(cr, x[0], y[0]);
    cairo_line_to(cr, x[1], y[1]);
    cairo_stroke(cr);
    for (int k = 0; k < 2; k++)
        if (side[k] != 0)
            draw_head(cr, level, x[k], y[k], side[k]);
}

static void draw_bars(const struct ub_panel *p, const struct ub_box *frame, const struct ub_mark *m,
                      cairo_t *cr)
{
    ub_set_color(cr, &m->style, 1);
    cairo_set_line_width(cr, m->style.width > 0 ? m->style.width : 1.5);
    for (size_t i = 0; i < m->n; i++) {
        if (!ub_visible(p, m->x[i], m->y[i]))
            continue;
        const double x = ub_frame_x(p, frame, m->x[i]), y = ub_frame_y(p, frame, m->y[i]);
        draw_bar(p, frame, m, i, cr);
        ub_marker_draw(cr, &m->style, x, y, m->style.point_size > 0 ? m->style.point_size : 3);
    }
}

static void draw_shade(const struct ub_panel *p, const struct ub_box *frame,
                       const struct ub_mark *m, cairo_t *cr)
{
    ub_set_color(cr, &m->style, 0.12);
    if (m->direction == UB_HORIZONTAL) {
        const double top = ub_frame_y(p, frame, m->high[0]), low = ub_frame_y(p, frame, m->low[0]);
        cairo_rectangle(cr, frame->x, top, frame->width, low - top);
    } else {
        const double left = ub_frame_x(p, frame, m->low[0]);
        cairo_rectangle(cr, left, frame->y, ub_frame_x(p, frame, m->high[0]) - left, frame->height);
    }
    cairo_fill(cr);
}

static void draw_rule(const struct ub_panel *p, const struct ub_box *frame, const struct ub_mark *m,
                      cairo_t *cr)
{
    const bool level = m->direction == UB_HORIZONTAL;
    if (!ub_plottable(m->x[0], p->axis[level ? 1 : 0].scale))
        return;
    const double at = level ? ub_frame_y(p, frame, m->x[0]) : ub_frame_x(p, frame, m->x[0]);
    const double right = frame->x + frame->width, bottom = frame->y + frame->height;
    if (m->colored)
        ub_set_color(cr, &m->style, 1);
    else
        cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
    cairo_set_line_width(cr, 1.2);
    cairo_set_dash(cr, (double[]){5, 3}, 2, 0);
    cairo_move_to(cr, level ? frame->x : at, level ? at : frame->y);
    cairo_line_to(cr, level ? right : at, level ? at : bottom);
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0);
}

/* To the left of its place where it would leave the panel to the right. */
static void draw_text(const struct ub_panel *p, const struct ub_box *frame, const struct ub_mark *m,
                      cairo_t *cr)
{
    if (!ub_visible(p, m->x[0], m->y[0]) || !m->label)
        return;
    const double x = ub_frame_x(p, frame, m->x[0]), y = ub_frame_y(p, frame, m->y[0]);
    const double wide = ub_text_extent(cr, UB_FONT_NOTE, m->label, 0).width + 4;
    const bool left = x + wide > frame->x + frame->width && x - wide > frame->x;
    ub_note_draw(cr, m->label, 0, x, y, left ? 1 : 0, 0.5);
}

/* ---- rugs, heat ---- */

static void draw_rug(const struct ub_panel *p, const struct ub_box *frame, const struct ub_mark *m,
                     cairo_t *cr)
{
    enum { LENGTH = 8, ROW = 11 };
    const bool level = m->direction == UB_HORIZONTAL; /* its values lie along x */
    const double start = 2 + ROW * (double)m->rows;
    ub_set_color(cr, &m->style, 1);
    cairo_set_line_width(cr, m->style.width > 0 ? m->style.width : 1.2);
    for (size_t i = 0; i < m->n; i++) {
        if (!ub_plottable(m->x[i], p->axis[m->direction].scale))
            continue;
        const double x = level ? ub_frame_x(p, frame, m->x[i]) : frame->x + start;
        const double y = level ? frame->y + frame->height - start : ub_frame_y(p, frame, m->x[i]);
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, level ? x : x + LENGTH, level ? y - LENGTH : y);
    }
    cairo_stroke(cr);
}

static uint32_t pixel_of(double shade)
{
    double rgb[3];
    ub_viridis(shade, rgb);
    uint32_t pixel = 0xff;
    for (int i = 0; i < 3; i++)
        pixel = pixel << 8 | (uint32_t)lround(255 * rgb[i]);
    return pixel;
}

/* Pixel, of `size` fine ones, at which a place on the frame is. */
static long fine(double at, double start, double length, int size)
{
    return lround(fmin(fmax((at - start) / length, 0), 1) * size);
}

/* Cells meet without seams in an image, which they do not as rectangles with soft edges. */
static void draw_heat(const struct ub_panel *p, const struct ub_box *frame, const struct ub_mark *m,
                      cairo_t *cr)
{
    enum { FINE = 2 };
    const int width = (int)ceil(FINE * frame->width), height = (int)ceil(FINE * frame->height);
    cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    unsigned char *data = cairo_image_surface_get_data(image);
    const size_t stride = data ? (size_t)cairo_image_surface_get_stride(image) : 0;
    const bool apart = p->axis[0].n_categories > 0 && p->axis[1].n_categories > 0;
    const long gap = apart ? FINE : 0; /* each cell by itself where each has a name */
    for (size_t i = 0; data && i + 1 < m->n; i++)
        for (size_t j = 0; j < m->rows; j++) {
            if (!isfinite(m->cell[i * m->rows + j]))
                continue;
            const uint32_t pixel = pixel_of(m->cell[i * m->rows + j]);
            const double one = ub_frame_y(p, frame, m->y[j + 1]);
            const double other = ub_frame_y(p, frame, m->y[j]); /* categories run downwards */
            const long x0 = fine(ub_frame_x(p, frame, m->x[i]), frame->x, frame->width, width);
            const long x1 = fine(ub_frame_x(p, frame, m->x[i + 1]), frame->x, frame->width, width);
            const long y0 = fine(fmin(one, other), frame->y, frame->height, height);
            const long y1 = fine(fmax(one, other), frame->y, frame->height, height);
            for (long y = y0 + gap; y < y1 - gap; y++)
                for (long x = x0 + gap; x < x1 - gap; x++)
                    memcpy(data + (size_t)y * stride + 4 * (size_t)x, &pixel, sizeof pixel);
        }
    cairo_surface_mark_dirty(image);
    cairo_save(cr);
    cairo_translate(cr, frame->x, frame->y);
    cairo_scale(cr, frame->width / width, frame->height / height);
    cairo_set_source_surface(cr, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
    cairo_paint(cr);
    cairo_restore(cr);
    cairo_surface_destroy(image);
}

static size_t lines_of(const struct ub_panel *p)
{
    size_t lines = 0;
    for (size_t i = 0; p && i < p->n; i++)
        lines += ub_is_line(&p->marks[i]);
    return lines;
}

/* Nobody tells thousands of lines apart, and an SVG of them has tens of megabytes. */
size_t ub_panel_lines(const struct ub_figure *f, const struct ub_panel *p, size_t *stride)
{
    enum { MOST = 1000, MOST_OF_FIGURE = 2000 };
    const size_t lines = lines_of(p);
    size_t all = 0;
    for (int i = 0; i < f->rows * f->columns; i++)
        all += lines_of(f->panels[i]);
    const size_t of_panel = (lines + MOST - 1) / MOST;
    const size_t of_figure = (all + MOST_OF_FIGURE - 1) / MOST_OF_FIGURE;
    *stride = of_panel > of_figure ? of_panel : of_figure;
    *stride += *stride == 0;
    return lines;
}

void ub_marks_draw(const struct ub_panel *p, const struct ub_box *frame, size_t stride, cairo_t *cr)
{
    size_t lines = 0;
    cairo_save(cr);
    cairo_rectangle(cr, frame->x - 1, frame->y - 1, frame->width + 2, frame->height + 2);
    cairo_clip(cr);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    for (size_t i = 0; i < p->n; i++) {
        const struct ub_mark *m = &p->marks[i];
        if (ub_is_line(m) && lines++ % stride != 0)
            continue;
        cairo_new_path(cr); /* texts before leave a point */
        switch (m->kind) {
        case UB_MARK_LINE:
            ub_line_draw(p, frame, m, cr);
            break;
        case UB_MARK_BAND:
            draw_band(p, frame, m, cr);
            break;
        case UB_MARK_BARS:
            draw_bars(p, frame, m, cr);
            break;
        case UB_MARK_RULE:
            draw_rule(p, frame, m, cr);
            break;
        case UB_MARK_SHADE:
            draw_shade(p, frame, m, cr);
            break;
        case UB_MARK_TEXT:
            draw_text(p, frame, m, cr);
            break;
        case UB_MARK_RUG:
            draw_rug(p, frame, m, cr);
            break;
        case UB_MARK_HEAT:
            draw_heat(p, frame, m, cr);
            break;
        }
    }
    ub_cuts_draw(p, frame, cr);
    ub_notes_draw(p, frame, cr);
    cairo_restore(cr);
}

void ub_mark_sample(const struct ub_mark *m, bool marked, cairo_t *cr, double x, double y)
{
    const bool area = m->kind == UB_MARK_BAND || m->kind == UB_MARK_SHADE;
    ub_set_color(cr, &m->style, area ? 0.3 : 1);
    if (area) {
        cairo_rectangle(cr, x, y - 5, 20, 10);
        cairo_fill(cr);
        return;
    }
    if (m->kind == UB_MARK_RUG) {
        cairo_set_line_width(cr, 1.5);
        for (int i = 0; i < 3; i++) {
            cairo_move_to(cr, x + 4 + 6 * i, y - 4);
            cairo_line_to(cr, x + 4 + 6 * i, y + 4);
        }
        cairo_stroke(cr);
        return;
    }
    if (m->style.points || m->kind == UB_MARK_BARS) {
        cairo_new_path(cr); /* texts before leave a point */
        ub_marker_draw(cr, &m->style, x + 10, y, 3);
        if (m->style.points)
            return;
    }
    cairo_set_line_width(cr, 2);
    if (m->style.dashed)
        cairo_set_dash(cr, (double[]){5, 3}, 2, 0);
    cairo_move_to(cr, x, y);
    cairo_line_to(cr, x + 20, y);
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0);
    if (marked)
        ub_marker_draw(cr, &m->style, x + 10, y, 3);
}
