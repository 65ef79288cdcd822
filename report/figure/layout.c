/* Where everything goes: measured text first, then panels, then legend and caption beneath. */
#include "report/figure/private.h"

#include <math.h>
#include <string.h>

enum {
    EDGE = 12,         /* around everything */
    GAP = 14,          /* between panels */
    TICK_GAP = 6,      /* axis to tick text */
    LABEL_HEIGHT = 18, /* an axis label, a line of the legend */
    SWATCH = 26,       /* a legend's sample and the space after it */
    ROW_OF_CATEGORY = 19,
    LINE_OF_LABEL = 13, /* direct labels are at least this far apart */
    MOST_SHIFT = 30     /* farther from its line's end a direct label would mislead */
};

static const double title_height = 26, panel_title_height = 18;

static struct ub_panel *panel_at(const struct ub_figure *f, int row, int column)
{
    const bool inside = row >= 0 && row < f->rows && column >= 0 && column < f->columns;
    return inside ? f->panels[row * f->columns + column] : NULL;
}

/* ---- ranges ---- */

static void set_ranges(const struct ub_figure *f, struct ub_layout_of_figure *l)
{
    const int n = f->rows * f->columns;
    for (int axis = 0; axis < 2; axis++) {
        struct ub_range all = {.empty = true};
        for (int i = 0; i < n; i++)
            if (f->panels[i])
                all = ub_range_union(all, ub_panel_data_range(f->panels[i], axis));
        for (int i = 0; i < n; i++) {
            const struct ub_panel *p = f->panels[i];
            if (!p)
                continue;
            const struct ub_axis *a = &p->axis[axis];
            const struct ub_range own = f->share[axis] ? all : ub_panel_data_range(p, axis);
            const bool exact = a->n_categories > 0 || (a->fixed && !f->share[axis]);
            l->frames[i].range[axis] = exact ? own : ub_range_padded(own, a);
        }
    }
}

/* ---- which panels say what ---- */

static bool same_label(const struct ub_panel *a, const struct ub_panel *b, int axis)
{
    const char *x = a->axis[axis].label, *y = b->axis[axis].label;
    return x && y ? strcmp(x, y) == 0 : x == y;
}

static void choose_labels(const struct ub_figure *f, struct ub_layout_of_figure *l)
{
    for (int row = 0; row < f->rows; row++)
        for (int column = 0; column < f->columns; column++) {
            const struct ub_panel *p = panel_at(f, row, column);
            if (!p)
                continue;
            struct ub_box *frame = &l->frames[row * f->columns + column];
            const struct ub_panel *below = panel_at(f, row + 1, column);
            const struct ub_panel *left = panel_at(f, row, column - 1);
            frame->numbers[0] = !f->share[0] || !below;
            frame->numbers[1] = !f->share[1] || !left;
            frame->label[0] = p->axis[0].label && (!below || !same_label(p, below, 0));
            frame->label[1] = p->axis[1].label && (!left || !same_label(p, left, 1));
        }
}

/* ---- sizes ---- */

struct sizes {
    double plot_width, *row_height; /* of the data's part */
    double *left, *bottom, *top;    /* margins: left by column, the others by row */
    double right, beneath;          /* of all panels; legend and caption */
};

static struct sizes sizes_new(const struct ub_figure *f)
{
    static const double widths[] = {560, 360, 270, 220};
    struct sizes s = {.plot_width = f->columns > 4 ? 190 : widths[f->columns - 1]};
    s.row_height = ub_calloc((size_t)f->rows, sizeof(double));
    s.left = ub_calloc((size_t)f->columns, sizeof(double));
    s.bottom = ub_calloc((size_t)f->rows, sizeof(double));
    s.top = ub_calloc((size_t)f->rows, sizeof(double));
    for (int row = 0; row < f->rows; row++) {
        const double usual = s.plot_width * (f->columns == 1 ? 0.58 : 0.68);
        double height = 0;
        for (int column = 0; column < f->columns; column++) {
            const struct ub_panel *p = panel_at(f, row, column);
            const size_t categories = p ? p->axis[1].n_categories : 0;
            if (categories > 0)
                height = fmax(height, fmax(60, ROW_OF_CATEGORY * (double)categories + 8));
            else if (p)
                height = fmax(height, usual);
        }
        s.row_height[row] = height > 0 ? height : usual;
    }
    return s;
}

static void sizes_clear(struct sizes *s)
{
    ub_free(s->row_height);
    ub_free(s->left);
    ub_free(s->bottom);
    ub_free(s->top);
}

static void set_ticks(const struct ub_panel *p, struct ub_box *frame, int axis, double pixels)
{
    const struct ub_axis *a = &p->axis[axis];
    if (a->n_categories > 0)
        return;
    const double each = axis == UB_HORIZONTAL ? 62 : 36;
    if (!frame->ticks[axis])
        frame->ticks[axis] = ub_calloc(UB_MOST_TICKS, sizeof(struct ub_tick));
    frame->n_ticks[axis] =
        ub_axis_ticks(frame->range[axis], a, (size_t)fmax(2, pixels / each), frame->ticks[axis]);
}

static double widest_text(cairo_t *cr, const struct ub_panel *p, const struct ub_box *frame)
{
    double width = 0;
    const struct ub_axis *a = &p->axis[1];
    for (size_t i = 0; i < a->n_categories; i++)
        width = fmax(width, ub_text_extent(cr, UB_FONT_TICK, a->categories[i], 0).width);
    for (size_t i = 0; i < frame->n_ticks[1]; i++)
        width = fmax(width, ub_text_extent(cr, UB_FONT_TICK, frame->ticks[1][i].text, 0).width);
    return width;
}

/* Height of categories along x that would run into each other, were they not written upwards. */
static double steep_categories(cairo_t *cr, const struct ub_panel *p, double width)
{
    const struct ub_axis *a = &p->axis[0];
    double widest = 0, overlap = -INFINITY, before = 0;
    for (size_t i = 0; i < a->n_categories; i++) {
        const double w = ub_text_extent(cr, UB_FONT_TICK, a->categories[i], 0).width;
        if (i > 0)
            overlap = fmax(overlap, (w + before) / 2 + 4 - width / (double)a->n_categories);
        widest = fmax(widest, w);
        before = w;
    }
    return overlap > 0 ? widest : 0;
}

static void measure_margins(const struct ub_figure *f, struct ub_layout_of_figure *l,
                            struct sizes *s, cairo_t *cr)
{
    for (int row = 0; row < f->rows; row++) {
        s->bottom[row] = 0; /* wider panels may need less */
        for (int column = 0; column < f->columns; column++) {
            const struct ub_panel *p = panel_at(f, row, column);
            if (!p)
                continue;
            struct ub_box *frame = &l->frames[row * f->columns + column];
            set_ticks(p, frame, 0, s->plot_width);
            frame->steep = frame->numbers[0] ? steep_categories(cr, p, s->plot_width) : 0;
            set_ticks(p, frame, 1, s->row_height[row]);
            const double texts = frame->numbers[1] ? widest_text(cr, p, frame) + TICK_GAP : 0;
            const double left = texts + (frame->label[1] ? LABEL_HEIGHT : 0);
            const double numbers = frame->steep > 0 ? frame->steep + 8 : 18;
            const double bottom =
                (frame->numbers[0] ? numbers : 2) + (frame->label[0] ? LABEL_HEIGHT : 0);
            s->left[column] = fmax(s->left[column], left);
            s->bottom[row] = fmax(s->bottom[row], bottom);
            s->top[row] = fmax(s->top[row], p->title ? panel_title_height : 4);
        }
    }
}

static double sum_of(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* ---- legend ---- */

static bool is_listed(const struct ub_layout_of_figure *l, const char *label)
{
    for (size_t i = 0; i < l->n_legend; i++)
        if (strcmp(l->legend[i].mark->label, label) == 0)
            return true;
    return false;
}

static void collect_legend(const struct ub_figure *f, struct ub_layout_of_figure *l)
{
    for (int i = 0; i < f->rows * f->columns; i++)
        for (size_t k = 0; f->panels[i] && k < f->panels[i]->n; k++) {
            const struct ub_mark *m = &f->panels[i]->marks[k];
            if (!m->label || m->kind == UB_MARK_RULE || m->kind == UB_MARK_TEXT ||
                is_listed(l, m->label))
                continue;
            l->legend = ub_realloc(l->legend, (l->n_legend + 1) * sizeof *l->legend);
            l->legend[l->n_legend++] = (struct ub_legend_entry){.mark = m};
        }
}

/* Lines of one panel may carry their labels themselves. */
static bool may_be_direct(const struct ub_figure *f, const struct ub_layout_of_figure *l)
{
    if (f->rows * f->columns != 1 || l->n_legend == 0 || l->n_legend > 8)
        return false;
    for (size_t i = 0; i < l->n_legend; i++)
        if (l->legend[i].mark->kind != UB_MARK_LINE || l->legend[i].mark->style.points)
            return false;
    return true;
}

static double widest_label(const struct ub_layout_of_figure *l, cairo_t *cr)
{
    double width = 0;
    for (size_t i = 0; i < l->n_legend; i++)
        width = fmax(width, ub_text_extent(cr, UB_FONT_NOTE, l->legend[i].mark->label, 0).width);
    return width;
}

/* Puts labels beside line ends, pushed apart; false when that takes them too far. */
static bool place_direct(const struct ub_panel *p, struct ub_layout_of_figure *l)
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

/* Rows of entries from the left; returns their height. */
static double place_rows(struct ub_layout_of_figure *l, cairo_t *cr, double left, double top,
                         double width)
{
    double x = left, y = top + LABEL_HEIGHT / 2.0;
    for (size_t i = 0; i < l->n_legend; i++) {
        const double each =
            SWATCH + ub_text_extent(cr, UB_FONT_NOTE, l->legend[i].mark->label, 0).width + 18;
        if (x > left && x + each > left + width) {
            x = left;
            y += LABEL_HEIGHT;
        }
        l->legend[i].x = x;
        l->legend[i].y = y;
        x += each;
    }
    return l->n_legend ? y + LABEL_HEIGHT / 2.0 + 4 - top : 0;
}

/* The color bar with its ticks beneath; returns its height. */
static double place_bar(const struct ub_figure *f, struct ub_layout_of_figure *l, cairo_t *cr,
                        double left, double top)
{
    if (!f->colors)
        return 0;
    const struct ub_range range = {f->color_axis.low, f->color_axis.high, false};
    if (!l->bar_ticks)
        l->bar_ticks = ub_calloc(UB_MOST_TICKS, sizeof *l->bar_ticks);
    l->n_bar_ticks = ub_axis_ticks(range, &f->color_axis, 5, l->bar_ticks);
    l->bar_x = left + ub_text_extent(cr, UB_FONT_NOTE, f->colors, 0).width + 12;
    l->bar_y = top + 4;
    return UB_BAR_HEIGHT + 28;
}

/* ---- all together ---- */

static void place_frames(const struct ub_figure *f, struct ub_layout_of_figure *l,
                         const struct sizes *s)
{
    double y = EDGE + (f->title ? title_height : 0);
    for (int row = 0; row < f->rows; row++) {
        double x = EDGE;
        y += s->top[row];
        for (int column = 0; column < f->columns; column++) {
            x += s->left[column];
            struct ub_box *frame = &l->frames[row * f->columns + column];
            frame->x = x;
            frame->y = y;
            frame->width = s->plot_width;
            frame->height = s->row_height[row];
            x += s->plot_width + GAP;
        }
        y += s->row_height[row] + s->bottom[row] + (row + 1 < f->rows ? 8 : 0);
    }
    l->width = EDGE + sum_of(s->left, f->columns) + f->columns * s->plot_width +
               (f->columns - 1) * GAP + s->right + EDGE;
    l->height = y;
}

static void fit_width(const struct ub_figure *f, struct ub_layout_of_figure *l, struct sizes *s,
                      cairo_t *cr)
{
    if (f->width <= 0)
        return;
    const double rest = 2 * EDGE + sum_of(s->left, f->columns) + (f->columns - 1) * GAP + s->right;
    s->plot_width = fmax(60, (f->width - rest) / f->columns);
    measure_margins(f, l, s, cr);
}

static void lay_out(const struct ub_figure *f, struct ub_layout_of_figure *l, cairo_t *cr)
{
    struct sizes s = sizes_new(f);
    s.right = l->direct ? widest_label(l, cr) + 8 : 6;
    measure_margins(f, l, &s, cr);
    fit_width(f, l, &s, cr);
    place_frames(f, l, &s);
    const double title = f->title ? ub_text_extent(cr, UB_FONT_TITLE, f->title, 0).width : 0;
    l->width = fmax(l->width, title + 2 * EDGE);
    const double inside = l->width - 2 * EDGE;
    double y = l->height + 4;
    y += place_bar(f, l, cr, EDGE + s.left[0], y);
    if (!l->direct)
        y += place_rows(l, cr, EDGE + s.left[0], y, inside - s.left[0]);
    l->caption_y = y;
    l->caption_width = inside;
    if (f->caption)
        y += ub_text_extent(cr, UB_FONT_NOTE, f->caption, inside).height + 4;
    if (f->height > y + EDGE) { /* the rows share what is left over */
        const double more = (f->height - y - EDGE) / f->rows;
        for (int i = 0; i < f->rows * f->columns; i++) {
            l->frames[i].height += more;
            l->frames[i].y += more * (i / f->columns);
        }
        for (size_t i = 0; !l->direct && i < l->n_legend; i++)
            l->legend[i].y += more * f->rows;
        l->bar_y += more * f->rows;
        l->caption_y += more * f->rows;
        y = f->height - EDGE;
    }
    l->height = ceil(y + EDGE);
    l->width = ceil(l->width);
    sizes_clear(&s);
}

struct ub_layout_of_figure ub_figure_layout(const struct ub_figure *f, cairo_t *cr)
{
    struct ub_layout_of_figure l = {0};
    l.frames = ub_calloc((size_t)(f->rows * f->columns), sizeof *l.frames);
    set_ranges(f, &l);
    choose_labels(f, &l);
    collect_legend(f, &l);
    l.direct = may_be_direct(f, &l);
    lay_out(f, &l, cr);
    if (l.direct && !place_direct(f->panels[0], &l)) {
        l.direct = false;
        lay_out(f, &l, cr);
    }
    return l;
}

void ub_figure_layout_clear(const struct ub_figure *f, struct ub_layout_of_figure *l)
{
    for (int i = 0; i < f->rows * f->columns; i++) {
        ub_free(l->frames[i].ticks[0]);
        ub_free(l->frames[i].ticks[1]);
    }
    ub_free(l->bar_ticks);
    ub_free(l->frames);
    ub_free(l->legend);
}
