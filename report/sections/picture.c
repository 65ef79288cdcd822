/* Drawing of what plots_default.c laid out: axes by the values, lines or bands or single values. */
#include "report/sections/picture.h"
#include "report/statistics/statistics.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 3 };
/* Values that are further apart are not seen on a linear axis. */
static const double most_linear = 100;

bool picture_over_index(const struct picture *p)
{
    return p->quantity->figure == UB_FIGURE_OVER_INDEX;
}

/* ---- axes ----------------------------------------------------------------------------------- */

struct axes {
    enum ub_axis_scale y;
    double linear_part;
    bool zeros;       /* that a logarithmic axis cannot show */
    bool from_one;    /* indices count from 1 on a logarithmic axis */
    double short_run; /* > 0: steps of a run that the longest would press to the axis */
};

struct range {
    double low, high, top, middle; /* values, greatest index, median size of values */
    double shortest;               /* last step of the shortest line */
    bool zeros;
};

static struct range range_of(const struct picture *p)
{
    enum { MOST = 100000 };
    struct range r = {.low = INFINITY, .high = -INFINITY, .shortest = INFINITY};
    double *size = ub_calloc(MOST, sizeof *size);
    size_t n = 0;
    for (size_t k = 0; k < p->panels.groups.count; k++)
        for (size_t i = 0; i < MOST_LINES; i++)
            for (size_t j = 0; j < p->cell[k].crowd[i].count; j++) {
                const struct ub_series *s = &p->cell[k].crowd[i].line[j];
                if (s->count > 1)
                    r.shortest = fmin(r.shortest, s->step[s->count - 1]);
                for (size_t m = 0; m < s->count; m++) {
                    r.low = fmin(r.low, s->value[m]);
                    r.high = fmax(r.high, s->value[m]);
                    r.top = fmax(r.top, s->step[m]);
                    r.zeros = r.zeros || s->value[m] == 0;
                    if (n < MOST && s->value[m] != 0)
                        size[n++] = fabs(s->value[m]);
                }
            }
    r.middle = n ? ub_quantile(size, n, 0.5) : 0;
    ub_free(size);
    return r;
}

/* Logarithmic where the declaration says so, and where a linear axis would show but the few largest
 * values; with negative values, to both sides of zero. */
static struct axes axes_of(const struct picture *p, const struct range *r)
{
    enum { MOST_INDICES = 30, MOST_RATIO = 20 };
    const struct ub_comparison *c = &p->quantity->compared;
    const double largest = fmax(fabs(r->low), fabs(r->high));
    const bool declared = c->kind != UB_NOT_COMPARED && c->scale == UB_SCALE_LOG;
    struct axes a = {.y = UB_LINEAR, .from_one = picture_over_index(p) && r->top > MOST_INDICES};
    if (!picture_over_index(p) && r->shortest > 0 && r->top > MOST_RATIO * r->shortest)
        a.short_run = r->shortest;
    if (!(r->middle > 0) || (!declared && largest <= most_linear * r->middle))
        return a;
    a.y = r->low >= 0 ? UB_LOG : UB_SIGNED;
    a.zeros = a.y == UB_LOG && r->zeros;
    a.linear_part = declared && c->zero > 0 ? c->zero : r->middle;
    return a;
}

/* ---- drawing -------------------------------------------------------------------------------- */

/* "" where there is nothing to tell apart. */
static char *line_name(const struct picture *p, size_t i)
{
    if (p->by_entry)
        return ub_strdup(p->entries.count > 1 ? p->entries.text[i] : "");
    return p->systems.count > 1 ? ub_frame_group_name(p->study->frame, &p->systems, i)
                                : ub_strdup("");
}

static size_t lines_in(const struct cell *cell)
{
    size_t lines = 0;
    for (size_t i = 0; i < MOST_LINES; i++)
        lines += cell->crowd[i].count;
    return lines;
}

static bool is_crowded(const struct cell *cell, size_t i)
{
    return lines_in(cell) > CROWD && cell->crowd[i].count > 1;
}

static void count_from_one(struct crowd *c)
{
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->line[i].count; k++)
            c->line[i].step[k] += 1;
}

/* "excess-loss [units of the loss]": its name in tables, and units where it has any. Caller frees.
 */
static char *label_of(const struct picture *p)
{
    struct ub_text label = {0};
    ub_text_add(&label, "%s", p->quantity->name);
    if (*p->quantity->units && strcmp(p->quantity->units, "1") != 0)
        ub_text_add(&label, " [%s]", p->quantity->units);
    return label.data;
}

static void draw_lines(struct ub_panel *panel, const struct picture *p, struct cell *cell,
                       const struct axes *axes)
{
    char *label = label_of(p);
    ub_panel_axes(panel,
                  !picture_over_index(p) ? "step"
                  : axes->from_one       ? "index, from 1"
                                         : "index",
                  axes->from_one        ? UB_LOG
                  : axes->short_run > 0 ? UB_SIGNED
                                        : UB_LINEAR,
                  label, axes->y);
    ub_free(label);
    if (axes->short_run > 0)
        ub_panel_linear_part(panel, UB_HORIZONTAL, axes->short_run / 5);
    if (axes->y == UB_SIGNED)
        ub_panel_linear_part(panel, UB_VERTICAL, axes->linear_part);
    for (size_t i = 0; i < MOST_LINES; i++) {
        struct crowd *c = &cell->crowd[i];
        if (c->count == 0)
            continue;
        char *name = line_name(p, i);
        if (axes->from_one)
            count_from_one(c);
        crowd_draw(panel, c, is_crowded(cell, i),
                   (struct ub_style){
                       .color = (int)i, .width = 1, .alpha = 0.85, .label = *name ? name : NULL});
        ub_free(name);
    }
}

/* Of what was measured once a run: its values, a row a system. */
static void draw_values(struct ub_panel *panel, const struct picture *p, const struct cell *cell,
                        const struct axes *axes)
{
    char *names[MOST_LINES];
    size_t rows = 0;
    char *label = label_of(p);
    ub_panel_axes(panel, label, axes->y, "", UB_LINEAR);
    ub_free(label);
    if (axes->y == UB_SIGNED)
        ub_panel_linear_part(panel, UB_HORIZONTAL, axes->linear_part);
    for (size_t i = 0; i < MOST_LINES; i++) {
        const struct crowd *c = &cell->crowd[i];
        const double at = (double)rows;
        if (c->count == 0)
            continue;
        for (size_t k = 0; k < c->count; k++)
            ub_panel_line(panel, c->line[k].value, &at, c->line[k].count,
                          (struct ub_style){.color = (int)i, .alpha = 0.6, .points = true});
        names[rows++] = line_name(p, i);
    }
    ub_panel_categories(panel, UB_VERTICAL, (const char *const *)names, rows);
    for (size_t i = 0; i < rows; i++)
        ub_free(names[i]);
}

static bool is_single(const struct picture *p)
{
    return !picture_over_index(p) && p->points == 1;
}

static bool is_measured_once(const struct cell *cell)
{
    for (size_t i = 0; i < MOST_LINES; i++)
        for (size_t j = 0; j < cell->crowd[i].count; j++)
            if (cell->crowd[i].line[j].count > 1)
                return false;
    return true;
}

static char *caption_of(const struct picture *p, const struct axes *axes)
{
    struct ub_text out = {0};
    bool crowded = false;
    for (size_t k = 0; k < p->panels.groups.count; k++)
        crowded = crowded || lines_in(&p->cell[k]) > CROWD;
    ub_text_add(&out, "%s",
                is_single(p)            ? "The one measurement of each run"
                : picture_over_index(p) ? "Last measurement against index"
                                        : "Against step");
    if (p->quantity->index)
        ub_text_add(&out, " (index: %s)", p->quantity->index);
    if (strcmp(p->quantity->units, "1") != 0)
        ub_text_add(&out, "; units: %s", p->quantity->units);
    ub_text_add(&out, ".%s%s", crowded && !is_single(p) ? " " : "",
                crowded && !is_single(p) ? crowd_caption : "");
    if (p->entries.count > MOST_LINES)
        ub_text_add(&out, " Shown: the first %d of %zu, \"%s\" to \"%s\".", MOST_LINES,
                    p->entries.count, p->entries.text[0], p->entries.text[MOST_LINES - 1]);
    if (p->panels.rung > 0 || (p->pooled && !p->by_entry))
        ub_text_add(&out,
                    " Systems beyond %d panels or %d colors are taken together by less than tells "
                    "them apart; none is left out.",
                    MOST_PANELS, MOST_LINES);
    if (axes->short_run > 0)
        ub_text_add(&out, " Steps are linear up to %.3g and logarithmic beyond.",
                    axes->short_run / 5);
    if (axes->zeros)
        ub_text_add(&out, " Values of 0 have no place on the axis.");
    return out.data;
}

bool picture_draw(const struct picture *p, struct plates *plates, struct ub_error *err)
{
    const struct range range = range_of(p);
    const struct axes axes = axes_of(p, &range);
    const size_t n = p->panels.groups.count, columns = n < COLUMNS ? n : COLUMNS;
    if (p->points == 0 || (picture_over_index(p) && range.top < 1))
        return true;
    struct ub_text title = {0};
    ub_text_add(&title, "%s: %s", p->quantity->name, p->quantity->meaning);
    struct ub_figure *f =
        ub_figure_new(title.data, (int)((n + columns - 1) / columns), (int)columns);
    char *caption = caption_of(p, &axes), *stem = plate_stem_of("row", p->quantity->name, 0);
    ub_figure_caption(f, caption);
    for (size_t k = 0; k < n; k++) {
        struct ub_panel *panel = ub_figure_panel(f, (int)(k / columns), (int)(k % columns));
        ub_panel_title(panel, p->panels.name[k]);
        if (is_single(p) || (!picture_over_index(p) && is_measured_once(&p->cell[k])))
            draw_values(panel, p, &p->cell[k], &axes);
        else
            draw_lines(panel, p, &p->cell[k], &axes);
    }
    plates->fold = p->by->name;
    const bool good = plates_add(plates, f, stem, title.data, caption, err);
    plates->fold = NULL;
    ub_free(stem);
    ub_free(caption);
    ub_text_free(&title);
    return good;
}
