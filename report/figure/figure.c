/* What a figure holds: copies of the caller's data, in order of drawing. */
#include "report/figure/private.h"

#include <math.h>
#include <string.h>

static char *copy_text(const char *text)
{
    return text ? ub_strdup(text) : NULL;
}

static void set_text(char **slot, const char *text)
{
    ub_free(*slot);
    *slot = copy_text(text);
}

static double *copy_data(const double *data, size_t n)
{
    if (!data)
        return NULL;
    double *copy = ub_calloc(n + 1, sizeof *copy);
    memcpy(copy, data, n * sizeof *copy);
    return copy;
}

struct ub_figure *ub_figure_new(const char *title, int rows, int columns)
{
    struct ub_figure *f = ub_calloc(1, sizeof *f);
    f->title = copy_text(title);
    f->rows = rows > 0 ? rows : 1;
    f->columns = columns > 0 ? columns : 1;
    f->panels = ub_calloc((size_t)f->rows * (size_t)f->columns, sizeof(struct ub_panel *));
    return f;
}

static void free_axis(struct ub_axis *axis)
{
    for (size_t i = 0; i < axis->n_categories; i++)
        ub_free(axis->categories[i]);
    ub_free(axis->categories);
    ub_free(axis->values);
    ub_free(axis->label);
}

static void free_panel(struct ub_panel *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++) {
        ub_free(p->marks[i].x);
        ub_free(p->marks[i].y);
        ub_free(p->marks[i].low);
        ub_free(p->marks[i].high);
        ub_free(p->marks[i].cell);
        ub_free(p->marks[i].label);
    }
    ub_free(p->marks);
    free_axis(&p->axis[0]);
    free_axis(&p->axis[1]);
    ub_free(p->title);
    ub_free(p);
}

void ub_figure_free(struct ub_figure *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->rows * f->columns; i++)
        free_panel(f->panels[i]);
    ub_free(f->panels);
    ub_free(f->title);
    ub_free(f->colors);
    ub_free(f->caption);
    ub_free(f);
}

void ub_figure_size(struct ub_figure *f, double width, double height)
{
    f->width = width;
    f->height = height;
}

void ub_figure_share(struct ub_figure *f, bool x, bool y)
{
    f->share[UB_HORIZONTAL] = x;
    f->share[UB_VERTICAL] = y;
}

void ub_figure_caption(struct ub_figure *f, const char *text)
{
    set_text(&f->caption, text);
}

void ub_figure_colors(struct ub_figure *f, const char *label, double low, double high,
                      enum ub_axis_scale scale)
{
    set_text(&f->colors, label);
    f->color_axis = (struct ub_axis){.scale = scale, .low = low, .high = high};
}

struct ub_panel *ub_figure_panel(struct ub_figure *f, int row, int column)
{
    struct ub_panel **slot = &f->panels[row * f->columns + column];
    if (!*slot)
        *slot = ub_calloc(1, sizeof **slot);
    return *slot;
}

void ub_panel_title(struct ub_panel *p, const char *text)
{
    set_text(&p->title, text);
}

void ub_panel_axes(struct ub_panel *p, const char *x, enum ub_axis_scale x_scale, const char *y,
                   enum ub_axis_scale y_scale)
{
    set_text(&p->axis[UB_HORIZONTAL].label, x);
    set_text(&p->axis[UB_VERTICAL].label, y);
    p->axis[UB_HORIZONTAL].scale = x_scale;
    p->axis[UB_VERTICAL].scale = y_scale;
}

void ub_panel_range(struct ub_panel *p, enum ub_direction axis, double low, double high)
{
    p->axis[axis].fixed = low < high && ub_plottable(low, p->axis[axis].scale) && isfinite(high);
    p->axis[axis].low = low;
    p->axis[axis].high = high;
}

void ub_panel_linear_part(struct ub_panel *p, enum ub_direction axis, double width)
{
    p->axis[axis].linear = width;
}

static struct ub_mark *add_mark(struct ub_panel *p, enum ub_mark_kind kind, size_t n,
                                struct ub_style style, const char *label)
{
    p->marks = ub_realloc(p->marks, (p->n + 1) * sizeof *p->marks);
    struct ub_mark *m = &p->marks[p->n++];
    *m = (struct ub_mark){.kind = kind, .n = n, .style = style, .label = copy_text(label)};
    m->style.label = NULL;
    return m;
}

void ub_panel_line(struct ub_panel *p, const double *x, const double *y, size_t n,
                   struct ub_style style)
{
    struct ub_mark *m = add_mark(p, UB_MARK_LINE, n, style, style.label);
    m->x = copy_data(x, n);
    m->y = copy_data(y, n);
}

void ub_panel_band(struct ub_panel *p, const double *x, const double *low, const double *high,
                   size_t n, struct ub_style style)
{
    struct ub_mark *m = add_mark(p, UB_MARK_BAND, n, style, style.label);
    m->x = copy_data(x, n);
    m->low = copy_data(low, n);
    m->high = copy_data(high, n);
}

void ub_panel_bars(struct ub_panel *p, enum ub_direction direction, const double *x,
                   const double *y, const double *low, const double *high, size_t n,
                   struct ub_style style)
{
    struct ub_mark *m = add_mark(p, UB_MARK_BARS, n, style, style.label);
    m->direction = direction;
    m->x = copy_data(x, n);
    m->y = copy_data(y, n);
    m->low = copy_data(low, n);
    m->high = copy_data(high, n);
}

void ub_panel_rule(struct ub_panel *p, enum ub_direction direction, double at, const char *label)
{
    struct ub_mark *m = add_mark(p, UB_MARK_RULE, 1, (struct ub_style){.dashed = true}, label);
    m->direction = direction;
    m->x = copy_data(&at, 1);
}

void ub_panel_rule_of(struct ub_panel *p, enum ub_direction direction, double at,
                      struct ub_style style)
{
    style.dashed = true;
    struct ub_mark *m = add_mark(p, UB_MARK_RULE, 1, style, style.label);
    m->direction = direction;
    m->colored = true;
    m->x = copy_data(&at, 1);
}

void ub_panel_shade(struct ub_panel *p, enum ub_direction direction, double low, double high,
                    struct ub_style style)
{
    struct ub_mark *m = add_mark(p, UB_MARK_SHADE, 1, style, style.label);
    m->direction = direction;
    m->low = copy_data(&low, 1);
    m->high = copy_data(&high, 1);
}

void ub_panel_text(struct ub_panel *p, double x, double y, const char *text)
{
    struct ub_mark *m = add_mark(p, UB_MARK_TEXT, 1, (struct ub_style){0}, text);
    m->x = copy_data(&x, 1);
    m->y = copy_data(&y, 1);
}

void ub_panel_rug(struct ub_panel *p, enum ub_direction axis, const double *at, size_t n, int row,
                  struct ub_style style)
{
    struct ub_mark *m = add_mark(p, UB_MARK_RUG, n, style, style.label);
    m->direction = axis;
    m->rows = (size_t)row;
    m->x = copy_data(at, n);
}

void ub_panel_heat(struct ub_panel *p, const double *x, size_t n, const double *y, size_t m,
                   const double *shade)
{
    struct ub_mark *mark = add_mark(p, UB_MARK_HEAT, n + 1, (struct ub_style){0}, NULL);
    mark->rows = m;
    mark->x = copy_data(x, n + 1);
    mark->y = copy_data(y, m + 1);
    mark->cell = copy_data(shade, n * m);
}

void ub_panel_ticks(struct ub_panel *p, enum ub_direction axis, const double *at, size_t n)
{
    struct ub_axis *a = &p->axis[axis];
    ub_free(a->values);
    a->n_values = n < 32 ? n : 32;
    a->values = copy_data(at, a->n_values);
}

void ub_panel_categories(struct ub_panel *p, enum ub_direction axis, const char *const *names,
                         size_t n)
{
    struct ub_axis *a = &p->axis[axis];
    for (size_t i = 0; i < a->n_categories; i++)
        ub_free(a->categories[i]);
    ub_free(a->categories);
    a->n_categories = n;
    a->categories = ub_calloc(n + 1, sizeof *a->categories);
    for (size_t i = 0; i < n; i++)
        a->categories[i] = ub_strdup(names[i]);
}
