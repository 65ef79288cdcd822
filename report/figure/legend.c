/* What stands beneath the panels: the legend, where lines do not carry their labels themselves, and
 * the color bar. */
#include "report/figure/private.h"

#include <math.h>
#include <string.h>

enum {
    LINE_OF_LEGEND = 18,
    BETWEEN = 18,       /* an entry and the next in its row */
    LINE_OF_LABEL = 13, /* direct labels are at least this far apart */
    MOST_SHIFT = 30     /* farther from its line's end a direct label would mislead */
};

static bool is_listed(const struct ub_layout_of_figure *l, const char *label)
{
    for (size_t i = 0; i < l->n_legend; i++)
        if (strcmp(l->legend[i].mark->label, label) == 0)
            return true;
    return false;
}

void ub_legend_collect(const struct ub_figure *f, struct ub_layout_of_figure *l)
{
    for (int i = 0; i < f->rows * f->columns; i++)
        for (size_t k = 0; f->panels[i] && k < f->panels[i]->n; k++) {
            const struct ub_mark *m = &f->panels[i]->marks[k];
            if (!m->label || m->kind == UB_MARK_RULE || m->kind == UB_MARK_TEXT ||
                is_listed(l, m->label))
                continue;
            l->legend = ub_realloc(l->legend, (l->n_legend + 1) * sizeof *l->legend);
            l->legend[l->n_legend++] = (struct ub_legend_entry){
                .mark = m, .marked = ub_mark_carries_markers(f->panels[i], m)};
        }
}

/* ---- at the ends of lines ---- */

bool ub_legend_may_be_direct(const struct ub_figure *f, const struct ub_layout_of_figure *l)
{
    if (f->rows * f->columns != 1 || l->n_legend == 0 || l->n_legend > 8)
        return false;
    for (size_t i = 0; i < l->n_legend; i++)
        if (l->legend[i].mark->kind != UB_MARK_LINE || l->legend[i].mark->style.points)
            return false;
    return true;
}

double ub_legend_widest(const struct ub_layout_of_figure *l, cairo_t *cr)
{
    double width = 0;
    for (size_t i = 0; i < l->n_legend; i++)
        width = fmax(width, ub_text_extent(cr, UB_FONT_NOTE, l->legend[i].mark->label, 0).width);
    return width;
}

bool ub_legend_place_direct(const struct ub_panel *p, struct ub_layout_of_figure *l)
{
    const struct ub_box *frame = &l->frames[0];
    double end[8];
    for (size_t i = 0; i < l->n_legend; i++) {
        const struct ub_mark *m = l->legend[i].mark;
        size_t k = m->n;
        while (k > 0 && !(ub_plottable(m->y[k - 1], p->axis[1].scale) &&
                          ub_plottable(m->x[k - 1], p->axis[0].scale)))
            k--;
        if (k == 0 || ub_frame_x(p, frame, m->x[k - 1]) < frame->x + 0.9 * frame->width)
            return false; /* its end is not at the right edge */
        end[i] = ub_frame_y(p, frame, m->y[k - 1]);
        l->legend[i].x = frame->x + frame->width + 6;
        l->legend[i].y = end[i];
    }
    for (int pass = 0; pass < 200; pass++)
        for (size_t i = 0; i < l->n_legend; i++)
            for (size_t j = 0; j < l->n_legend; j++) {
                const double apart = l->legend[j].y - l->legend[i].y;
                const bool after = end[j] > end[i] || (end[j] == end[i] && j > i);
                if (after && apart < LINE_OF_LABEL) {
                    l->legend[i].y -= (LINE_OF_LABEL - apart) / 2;
                    l->legend[j].y += (LINE_OF_LABEL - apart) / 2;
                }
            }
    for (size_t i = 0; i < l->n_legend; i++)
        if (fabs(l->legend[i].y - end[i]) > MOST_SHIFT)
            return false;
    return true;
}

/* ---- in rows ---- */

/* Entries from the left, a row as high as the highest of its texts. */
double ub_legend_place_rows(struct ub_layout_of_figure *l, cairo_t *cr, double left, double top,
                            double width)
{
    double x = left, y = top, height = 0;
    size_t first = 0; /* of the row */
    for (size_t i = 0; i <= l->n_legend; i++) {
        struct ub_extent e = {0, 0};
        double wrap = 0;
        if (i < l->n_legend) {
            const char *label = l->legend[i].mark->label;
            e = ub_text_extent(cr, UB_FONT_NOTE, label, 0);
            wrap = UB_SWATCH + e.width > width ? fmax(width - UB_SWATCH, 60) : 0;
            if (wrap > 0)
                e = ub_text_extent(cr, UB_FONT_NOTE, label, wrap);
        }
        if (i == l->n_legend || (x > left && x + UB_SWATCH + e.width > left + width)) {
            for (size_t k = first; k < i; k++)
                l->legend[k].y = y + height / 2;
            y += height;
            height = 0;
            x = left;
            first = i;
        }
        if (i == l->n_legend)
            break;
        l->legend[i].x = x;
        l->legend[i].wrap = wrap;
        height = fmax(height, fmax(LINE_OF_LEGEND, e.height + 4));
        x += UB_SWATCH + e.width + BETWEEN;
    }
    return l->n_legend ? y + 4 - top : 0;
}

/* The label beside the bar where there is room for both, else above; ticks beneath. */
double ub_legend_place_bar(const struct ub_figure *f, struct ub_layout_of_figure *l, cairo_t *cr,
                           double left, double top, double width)
{
    if (!f->colors)
        return 0;
    const struct ub_range range = {f->color_axis.low, f->color_axis.high, false};
    const double label = ub_text_extent(cr, UB_FONT_NOTE, f->colors, 0).width + 12;
    const double end = 12; /* half of the last tick's text */
    l->bar_beneath = label + UB_BAR_WIDTH + end > width;
    l->bar_width = l->bar_beneath ? fmin(UB_BAR_WIDTH, width - 2 * end) : UB_BAR_WIDTH;
    if (!l->bar_ticks)
        l->bar_ticks = ub_calloc(UB_MOST_TICKS, sizeof *l->bar_ticks);
    l->n_bar_ticks = ub_axis_ticks(range, &f->color_axis, 5, l->bar_ticks);
    l->bar_x = left + (l->bar_beneath ? 0 : label);
    l->bar_y = top + 4;
    if (l->bar_beneath)
        l->bar_y += ub_text_extent(cr, UB_FONT_NOTE, f->colors, width).height + 2;
    return l->bar_y + UB_BAR_HEIGHT + 24 - top;
}
