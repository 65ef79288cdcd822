/* The frame of every panel (grid, axes, texts), the legend, title and caption. */
#include "report/figure/private.h"

static const double ink = 0.15, faint = 0.90, frame_gray = 0.45, note_gray = 0.35;

static void set_gray(cairo_t *cr, double gray)
{
    cairo_set_source_rgb(cr, gray, gray, gray);
}

static void stroke_line(cairo_t *cr, double x0, double y0, double x1, double y1, double width)
{
    cairo_set_line_width(cr, width);
    cairo_move_to(cr, x0, y0);
    cairo_line_to(cr, x1, y1);
    cairo_stroke(cr);
}

/* Middle of a pixel, for crisp hairlines. */
static double crisp(double x)
{
    return (double)(long)x + 0.5;
}

static void draw_x_tick(const struct ub_panel *p, const struct ub_box *frame, cairo_t *cr,
                        double value, const char *text)
{
    const double x = crisp(ub_frame_x(p, frame, value)), bottom = frame->y + frame->height;
    const bool major = *text != '\0';
    if (major) {
        set_gray(cr, faint);
        stroke_line(cr, x, frame->y, x, bottom, 1);
    }
    set_gray(cr, frame_gray);
    stroke_line(cr, x, bottom, x, bottom + (major ? 4 : 2.5), 1);
    if (major && frame->numbers[0]) {
        set_gray(cr, ink);
        if (frame->steep > 0)
            ub_text_draw_upward(cr, UB_FONT_NAME, text, frame->steep, x - 6,
                                bottom + 6 +
                                    ub_text_extent(cr, UB_FONT_NAME, text, frame->steep).width / 2);
        else
            ub_text_draw(cr, UB_FONT_TICK, text, 0, x, bottom + 5, 0.5, 0);
    }
}

static void draw_y_tick(const struct ub_panel *p, const struct ub_box *frame, cairo_t *cr,
                        double value, enum ub_font font, double wrap, const char *text)
{
    const double y = crisp(ub_frame_y(p, frame, value)), left = frame->x;
    const bool major = *text != '\0';
    if (major) {
        set_gray(cr, faint);
        stroke_line(cr, left, y, left + frame->width, y, 1);
    }
    set_gray(cr, frame_gray);
    stroke_line(cr, left - (major ? 4 : 2.5), y, left, y, 1);
    if (major && frame->numbers[1]) {
        set_gray(cr, ink);
        ub_text_draw(cr, font, text, wrap, left - 6, y, 1, 0.5);
    }
}

static void draw_ticks(const struct ub_panel *p, const struct ub_box *frame, cairo_t *cr)
{
    for (size_t i = 0; i < frame->n_ticks[0]; i++)
        draw_x_tick(p, frame, cr, frame->ticks[0][i].value, frame->ticks[0][i].text);
    for (size_t i = 0; i < frame->n_ticks[1]; i++)
        draw_y_tick(p, frame, cr, frame->ticks[1][i].value, UB_FONT_TICK, 0,
                    frame->ticks[1][i].text);
    for (size_t i = 0; i < p->axis[0].n_categories; i++)
        draw_x_tick(p, frame, cr, (double)i, p->axis[0].categories[i]);
    for (size_t i = 0; i < p->axis[1].n_categories; i++)
        draw_y_tick(p, frame, cr, (double)i, frame->names, frame->names_width,
                    p->axis[1].categories[i]);
}

static void draw_axes(const struct ub_panel *p, const struct ub_box *frame, cairo_t *cr,
                      double outer_left)
{
    const double bottom = frame->y + frame->height;
    set_gray(cr, frame_gray);
    stroke_line(cr, crisp(frame->x), frame->y, crisp(frame->x), bottom + 0.5, 1);
    stroke_line(cr, frame->x, crisp(bottom), frame->x + frame->width, crisp(bottom), 1);
    set_gray(cr, ink);
    if (frame->label[0])
        ub_text_draw(cr, UB_FONT_LABEL, p->axis[0].label, frame->label_width[0],
                     frame->x + frame->width / 2,
                     bottom + (!frame->numbers[0] ? 6
                               : frame->steep > 0 ? frame->steep + 10
                                                  : 20),
                     0.5, 0);
    if (frame->label[1])
        ub_text_draw_upward(
            cr, UB_FONT_LABEL, p->axis[1].label, frame->label_width[1],
            outer_left -
                ub_text_extent(cr, UB_FONT_LABEL, p->axis[1].label, frame->label_width[1]).height,
            frame->y + frame->height / 2);
    if (p->title)
        ub_text_draw(cr, UB_FONT_PANEL, p->title, frame->width - 2, frame->x + 1, frame->y - 4, 0,
                     1);
}

/* Left end of the widest tick text of a panel's column: where its axis label ends. */
static double label_place(const struct ub_figure *f, const struct ub_layout_of_figure *l, int i,
                          cairo_t *cr)
{
    double widest = 0;
    for (int k = i % f->columns; k < f->rows * f->columns; k += f->columns) {
        const double w = f->panels[k] && l->frames[k].numbers[1]
                             ? ub_widest_number(cr, f->panels[k], &l->frames[k])
                             : 0;
        widest = w > widest ? w : widest;
    }
    return l->frames[i].x - widest - 6 - 3;
}

/* What the panel leaves out. */
static void draw_omission(const struct ub_box *frame, size_t lines, size_t stride, cairo_t *cr)
{
    struct ub_text text = {0};
    if (stride == 1 || lines == 0)
        return;
    ub_text_add(&text, "one line in %zu of %zu is drawn", stride, lines);
    set_gray(cr, note_gray);
    ub_text_draw(cr, UB_FONT_NOTE, text.data, 0, frame->x + 6, frame->y + 4, 0, 0);
    ub_text_free(&text);
}

static void draw_panel(const struct ub_figure *f, const struct ub_layout_of_figure *l, int i,
                       cairo_t *cr)
{
    const struct ub_panel *p = f->panels[i];
    const struct ub_box *frame = &l->frames[i];
    const bool empty = frame->range[0].empty || frame->range[1].empty;
    size_t stride;
    const size_t lines = ub_panel_lines(f, p, &stride);
    if (empty) {
        set_gray(cr, note_gray);
        ub_text_draw(cr, UB_FONT_NOTE, "no data", 0, frame->x + frame->width / 2,
                     frame->y + frame->height / 2, 0.5, 0.5);
    } else {
        draw_ticks(p, frame, cr);
        ub_marks_draw(p, frame, stride, cr);
        draw_omission(frame, lines, stride, cr);
    }
    draw_axes(p, frame, cr, label_place(f, l, i, cr));
}

static void draw_legend(const struct ub_layout_of_figure *l, cairo_t *cr)
{
    for (size_t i = 0; i < l->n_legend; i++) {
        const struct ub_legend_entry *e = &l->legend[i];
        double rgb[3];
        ub_style_color(&e->mark->style, rgb);
        if (l->direct) {
            cairo_set_source_rgb(cr, 0.85 * rgb[0], 0.85 * rgb[1], 0.85 * rgb[2]);
            ub_text_draw(cr, UB_FONT_NOTE, e->mark->label, 0, e->x, e->y, 0, 0.5);
            continue;
        }
        ub_mark_sample(e->mark, e->marked, cr, e->x, e->y);
        set_gray(cr, ink);
        ub_text_draw(cr, UB_FONT_NOTE, e->mark->label, e->wrap, e->x + UB_SWATCH, e->y, 0, 0.5);
    }
}

static void draw_bar(const struct ub_figure *f, const struct ub_layout_of_figure *l, cairo_t *cr)
{
    if (!f->colors)
        return;
    const struct ub_range range = {f->color_axis.low, f->color_axis.high, false};
    const double bottom = l->bar_y + UB_BAR_HEIGHT;
    for (int i = 0; i < (int)l->bar_width; i++) {
        double rgb[3];
        ub_viridis((i + 0.5) / l->bar_width, rgb);
        cairo_set_source_rgb(cr, rgb[0], rgb[1], rgb[2]);
        cairo_rectangle(cr, (double)(long)l->bar_x + i, (double)(long)l->bar_y, 1, UB_BAR_HEIGHT);
        cairo_fill(cr);
    }
    set_gray(cr, ink);
    if (l->bar_beneath)
        ub_text_draw(cr, UB_FONT_NOTE, f->colors, l->width - l->bar_x - 12, l->bar_x, l->bar_y - 2,
                     0, 1);
    else
        ub_text_draw(cr, UB_FONT_NOTE, f->colors, 0, l->bar_x - 8, l->bar_y + UB_BAR_HEIGHT / 2.0,
                     1, 0.5);
    for (size_t i = 0; i < l->n_bar_ticks; i++) {
        const double at = ub_scale_place(range, &f->color_axis, l->bar_ticks[i].value);
        const double x = crisp(l->bar_x + l->bar_width * at);
        set_gray(cr, frame_gray);
        stroke_line(cr, x, bottom, x, bottom + (*l->bar_ticks[i].text ? 4 : 2.5), 1);
        set_gray(cr, ink);
        ub_text_draw(cr, UB_FONT_TICK, l->bar_ticks[i].text, 0, x, bottom + 5, 0.5, 0);
    }
}

void ub_figure_draw(const struct ub_figure *f, const struct ub_layout_of_figure *l, cairo_t *cr)
{
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    for (int i = 0; i < f->rows * f->columns; i++)
        if (f->panels[i])
            draw_panel(f, l, i, cr);
    draw_bar(f, l, cr);
    draw_legend(l, cr);
    set_gray(cr, 0.05);
    if (f->title && !f->narrow)
        ub_text_draw(cr, UB_FONT_TITLE, f->title, 0, 12, 10, 0, 0);
    set_gray(cr, note_gray);
    if (f->caption)
        ub_text_draw(cr, UB_FONT_NOTE, f->caption, l->caption_width, 12, l->caption_y, 0, 0);
}
