/* Where everything goes: measured text first, then panels, then legend and caption beneath. */
#include "report/figure/private.h"

#include <math.h>
#include <string.h>

enum {
    EDGE = 12,    /* around everything */
    GAP = 14,     /* between panels */
    TICK_GAP = 6, /* axis to tick text */
    LABEL_GAP = 4,
    ROW_OF_CATEGORY = 19,
    LEAST_ROW = 14,    /* of a category, where there is no room for more */
    LEAST_HEIGHT = 64, /* of a panel, likewise */
    MOST_STEEP = 150   /* names that are written upwards are cut, likewise */
};

static const double title_height = 26;

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
    double *least;                  /* that a row's height may become */
    double *left, *bottom, *top;    /* margins: left by column, the others by row */
    double *label;                  /* of `left`, by column: that of axis labels */
    double right, beneath;          /* of all panels; legend and caption */
};

static struct sizes sizes_new(const struct ub_figure *f)
{
    static const double widths[] = {560, 360, 270, 220};
    struct sizes s = {.plot_width = f->columns > 4 ? 190 : widths[f->columns - 1]};
    s.row_height = ub_calloc((size_t)f->rows, sizeof(double));
    s.least = ub_calloc((size_t)f->rows, sizeof(double));
    s.left = ub_calloc((size_t)f->columns, sizeof(double));
    s.label = ub_calloc((size_t)f->columns, sizeof(double));
    s.bottom = ub_calloc((size_t)f->rows, sizeof(double));
    s.top = ub_calloc((size_t)f->rows, sizeof(double));
    return s;
}

static void sizes_clear(struct sizes *s)
{
    ub_free(s->row_height);
    ub_free(s->least);
    ub_free(s->left);
    ub_free(s->label);
    ub_free(s->bottom);
    ub_free(s->top);
}

/* Names along y take as many lines as they need within their width. */
static double category_rows(cairo_t *cr, const struct ub_panel *p, const struct ub_box *frame)
{
    double height = ROW_OF_CATEGORY;
    const struct ub_axis *a = &p->axis[UB_VERTICAL];
    for (size_t i = 0; frame->names_width > 0 && i < a->n_categories; i++)
        height =
            fmax(height,
                 ub_text_extent(cr, frame->names, a->categories[i], frame->names_width).height + 4);
    return fmax(60, height * (double)a->n_categories + 8);
}

static void set_heights(const struct ub_figure *f, const struct ub_layout_of_figure *l,
                        struct sizes *s, cairo_t *cr)
{
    const double usual = s->plot_width * (f->columns == 1 ? 0.58 : 0.68);
    for (int row = 0; row < f->rows; row++) {
        double height = 0, least = 0;
        for (int column = 0; column < f->columns; column++) {
            const struct ub_panel *p = panel_at(f, row, column);
            const size_t categories = p ? p->axis[UB_VERTICAL].n_categories : 0;
            if (!p)
                continue;
            height = fmax(height, categories
                                      ? category_rows(cr, p, &l->frames[row * f->columns + column])
                                      : usual);
            least = fmax(least, categories ? LEAST_ROW * (double)categories + 8 : LEAST_HEIGHT);
        }
        s->row_height[row] = height > 0 ? height : usual;
        s->least[row] = fmin(s->row_height[row], least);
    }
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

double ub_widest_number(cairo_t *cr, const struct ub_panel *p, const struct ub_box *frame)
{
    double width = 0;
    const struct ub_axis *a = &p->axis[1];
    for (size_t i = 0; i < a->n_categories; i++)
        width = fmax(width,
                     ub_text_extent(cr, frame->names, a->categories[i], frame->names_width).width);
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

/* Room for an axis label, in lines as long as the axis where the figure is narrow. */
static double label_room(cairo_t *cr, const struct ub_figure *f, const struct ub_panel *p,
                         struct ub_box *frame, int axis, double length)
{
    if (!frame->label[axis])
        return 0;
    frame->label_width[axis] = f->narrow ? length : 0;
    return ub_text_extent(cr, UB_FONT_LABEL, p->axis[axis].label, frame->label_width[axis]).height +
           LABEL_GAP;
}

static void measure_panel(const struct ub_figure *f, struct ub_layout_of_figure *l, struct sizes *s,
                          cairo_t *cr, int row, int column)
{
    const struct ub_panel *p = panel_at(f, row, column);
    struct ub_box *frame = &l->frames[row * f->columns + column];
    if (!p)
        return;
    set_ticks(p, frame, 0, s->plot_width);
    frame->steep = frame->numbers[0] ? steep_categories(cr, p, s->plot_width) : 0;
    frame->steep = f->narrow ? fmin(frame->steep, MOST_STEEP) : frame->steep;
    set_ticks(p, frame, 1, s->row_height[row]);
    const double texts = frame->numbers[1] ? ub_widest_number(cr, p, frame) + TICK_GAP : 0;
    const double label = label_room(cr, f, p, frame, 1, s->row_height[row]);
    const double numbers = frame->steep > 0 ? frame->steep + 8 : 18;
    const double bottom =
        (frame->numbers[0] ? numbers : 2) + label_room(cr, f, p, frame, 0, s->plot_width);
    const double title =
        p->title ? ub_text_extent(cr, UB_FONT_PANEL, p->title, s->plot_width - 2).height + 4 : 4;
    s->left[column] = fmax(s->left[column], texts);
    s->label[column] = fmax(s->label[column], label);
    s->bottom[row] = fmax(s->bottom[row], bottom);
    s->top[row] = fmax(s->top[row], title);
}

static void measure_margins(const struct ub_figure *f, struct ub_layout_of_figure *l,
                            struct sizes *s, cairo_t *cr)
{
    for (int column = 0; column < f->columns; column++)
        s->left[column] = s->label[column] = 0; /* wider panels may need less */
    for (int row = 0; row < f->rows; row++) {
        s->bottom[row] = s->top[row] = 0;
        for (int column = 0; column < f->columns; column++)
            measure_panel(f, l, s, cr, row, column);
    }
    for (int column = 0; column < f->columns; column++) /* labels stand beside the widest texts */
        s->left[column] += s->label[column];
}

static double sum_of(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum;
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

/* In a narrow figure names along y have two fifths of the width, in several lines or, where that
 * would be too high, cut to one. */
static void set_names(const struct ub_figure *f, struct ub_layout_of_figure *l, enum ub_font font)
{
    for (int i = 0; i < f->rows * f->columns; i++) {
        l->frames[i].names = font;
        l->frames[i].names_width = f->narrow ? 0.42 * f->width / f->columns : 0;
    }
}

/* What margins leave of the figure's width. */
static void set_plot_width(const struct ub_figure *f, struct sizes *s)
{
    const double rest = 2 * EDGE + sum_of(s->left, f->columns) + (f->columns - 1) * GAP + s->right;
    if (f->width > 0)
        s->plot_width = fmax(60, (f->width - rest) / f->columns);
}

static void fit_width(const struct ub_figure *f, struct ub_layout_of_figure *l, struct sizes *s,
                      cairo_t *cr)
{
    for (int pass = 0; f->width > 0 && pass < 2; pass++) { /* margins differ with the ticks */
        set_plot_width(f, s);
        if (f->narrow)
            set_heights(f, l, s, cr);
        measure_margins(f, l, s, cr);
    }
}

static double height_of(const struct ub_figure *f, const struct sizes *s)
{
    return EDGE + (f->title ? title_height : 0) + sum_of(s->top, f->rows) +
           sum_of(s->row_height, f->rows) + sum_of(s->bottom, f->rows) + 8 * (f->rows - 1);
}

/* Rows give way in proportion to what they can spare. */
static void fit_height(const struct ub_figure *f, struct ub_layout_of_figure *l, struct sizes *s,
                       cairo_t *cr, double beneath)
{
    const double excess = height_of(f, s) + beneath - f->most_height;
    double spare = 0;
    for (int row = 0; row < f->rows; row++)
        spare += s->row_height[row] - s->least[row];
    if (f->most_height <= 0 || excess <= 0 || spare <= 0)
        return;
    const double share = fmin(1, excess / spare);
    for (int row = 0; row < f->rows; row++)
        s->row_height[row] -= share * (s->row_height[row] - s->least[row]);
    measure_margins(f, l, s, cr);
}

static bool has_names(const struct ub_figure *f)
{
    for (int i = 0; i < f->rows * f->columns; i++)
        if (f->panels[i] && f->panels[i]->axis[UB_VERTICAL].n_categories > 0)
            return true;
    return false;
}

/* Legend and color bar from `y` down; returns where they end. */
static double place_beneath(const struct ub_figure *f, struct ub_layout_of_figure *l,
                            const struct sizes *s, cairo_t *cr, double y)
{
    const double left = f->narrow ? EDGE : EDGE + s->left[0], width = l->width - EDGE - left;
    y += ub_legend_place_bar(f, l, cr, left, y, width);
    if (!l->direct)
        y += ub_legend_place_rows(l, cr, left, y, width);
    return y;
}

static void fit(const struct ub_figure *f, struct ub_layout_of_figure *l, struct sizes *s,
                cairo_t *cr)
{
    set_heights(f, l, s, cr);
    measure_margins(f, l, s, cr);
    fit_width(f, l, s, cr);
    if (f->most_height <= 0)
        return;
    l->width = f->width;
    const double beneath = place_beneath(f, l, s, cr, 4) + EDGE;
    if (has_names(f) && height_of(f, s) + beneath > f->most_height) {
        set_names(f, l, UB_FONT_NAME);
        fit_width(f, l, s, cr);
    }
    fit_height(f, l, s, cr, beneath);
}

static void lay_out(const struct ub_figure *f, struct ub_layout_of_figure *l, cairo_t *cr)
{
    struct sizes s = sizes_new(f);
    s.right = l->direct ? ub_legend_widest(l, cr) + 8 : 6;
    set_names(f, l, UB_FONT_TICK);
    fit(f, l, &s, cr);
    set_plot_width(f, &s);
    place_frames(f, l, &s);
    const double title = f->title ? ub_text_extent(cr, UB_FONT_TITLE, f->title, 0).width : 0;
    l->width = fmax(l->width, title + 2 * EDGE);
    const double inside = l->width - 2 * EDGE;
    double y = place_beneath(f, l, &s, cr, l->height + 4);
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
    ub_legend_collect(f, &l);
    l.direct = ub_legend_may_be_direct(f, &l) &&
               (!f->narrow || ub_legend_widest(&l, cr) < 0.25 * f->width);
    lay_out(f, &l, cr);
    if (l.direct && !ub_legend_place_direct(f->panels[0], &l)) {
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
