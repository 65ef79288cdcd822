/* Curves that a law says are one in the right units: as measured, and in those units beside it, a
 * color a size and a row a system. */
#include "report/sections/board.h"
#include "report/sections/crowd.h"
#include "report/sections/forest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SYSTEMS = 2, MOST_CONTROLS = 2, MOST_SIZES = 12, FEW_SEEDS = 3 };

struct panel {
    const struct ub_rows *rows;
    const struct ub_datum *datum;
    const char *what; /* "", "must hold", "must fail" */
};

struct picture {
    const struct ub_law_verdict *law;
    const struct ub_frame *frame;
    size_t count, speak;
    struct panel panel[MOST_SYSTEMS + MOST_CONTROLS];
};

/* The first that speak: of those the least and the greatest value; a control of each kind. */
static void choose(struct picture *p)
{
    const struct ub_law_verdict *v = p->law;
    size_t least = SIZE_MAX, most = SIZE_MAX;
    bool seen[2] = {false, false};
    for (size_t g = 0; g < v->groups.count; g++) {
        if (v->data[g].why)
            continue;
        p->speak++;
        least = least == SIZE_MAX || v->data[g].value < v->data[least].value ? g : least;
        most = most == SIZE_MAX || v->data[g].value > v->data[most].value ? g : most;
    }
    if (least != SIZE_MAX)
        p->panel[p->count++] = (struct panel){&v->groups.group[least], &v->data[least], ""};
    if (most != least)
        p->panel[p->count++] = (struct panel){&v->groups.group[most], &v->data[most], ""};
    for (size_t g = 0; g < v->controls.count; g++) {
        const bool fails = v->control[g] == UB_CONTROL_FAILS;
        if (v->control_data[g].why || seen[fails])
            continue;
        seen[fails] = true;
        p->panel[p->count++] = (struct panel){&v->controls.group[g], &v->control_data[g],
                                              fails ? ", must fail" : ", must hold"};
    }
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Ascending, each once; of more than MOST_SIZES some, the ends among them. */
static size_t sizes_of(const struct picture *p, const struct ub_rows *rows, double *size)
{
    double *all = ub_calloc(rows->count + 1, sizeof *all);
    size_t n = 0, different = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const double x = ub_frame_number(p->frame, rows->row[i], p->law->law->curves->by);
        if (isfinite(x))
            all[n++] = x;
    }
    if (n)
        qsort(all, n, sizeof *all, by_size);
    for (size_t i = 0; i < n; i++)
        if (different == 0 || all[i] > all[different - 1])
            all[different++] = all[i];
    const size_t kept = different < MOST_SIZES ? different : MOST_SIZES;
    for (size_t i = 0; i < kept; i++)
        size[i] = all[kept < different ? i * (different - 1) / (kept - 1) : i];
    ub_free(all);
    return kept;
}

/* A logarithmic axis has no place for the start. */
static void from_above_zero(struct ub_series *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (!(s->step[i] > 0))
            continue;
        s->step[n] = s->step[i];
        s->value[n++] = s->value[i];
    }
    s->count = n;
}

static void draw_size(struct ub_panel *measured, struct ub_panel *scaled, const struct picture *p,
                      const struct ub_rows *rows, double size, double share)
{
    const struct ub_law_curves *curves = p->law->law->curves;
    struct crowd raw = {0}, collapsed = {0};
    for (size_t i = 0; i < rows->count; i++) {
        struct ub_series m, s;
        if (ub_frame_number(p->frame, rows->row[i], curves->by) != size ||
            !curves->curve(p->frame, rows->row[i], &m, &s))
            continue;
        from_above_zero(&m);
        from_above_zero(&s);
        crowd_add(&raw, m);
        crowd_add(&collapsed, s);
    }
    char label[64];
    const char *dot = strchr(curves->by, '.');
    snprintf(label, sizeof label, "%s %g", dot ? dot + 1 : curves->by, size);
    struct ub_style style = {.shade = 0.02 + 0.85 * share, .width = 1.3, .label = label};
    if (raw.count)
        crowd_draw(measured, &raw, raw.count > FEW_SEEDS, style);
    style.label = NULL;
    if (collapsed.count)
        crowd_draw(scaled, &collapsed, collapsed.count > FEW_SEEDS, style);
    crowd_clear(&raw);
    crowd_clear(&collapsed);
}

static void draw_system(struct ub_figure *f, size_t row, const struct picture *p, const char *name)
{
    const struct ub_law_curves *curves = p->law->law->curves;
    const struct panel *own = &p->panel[row];
    struct ub_panel *measured = ub_figure_panel(f, (int)row, 0),
                    *scaled = ub_figure_panel(f, (int)row, 1);
    struct ub_text title = {0}, value = {0};
    double size[MOST_SIZES];
    const size_t n = sizes_of(p, own->rows, size);
    ub_text_add(&title, "%s%s", *name ? name : "as measured", own->what);
    ub_text_add(&value, "in the law's units: %.3g", own->datum->value);
    ub_panel_title(measured, title.data);
    ub_panel_title(scaled, value.data);
    ub_panel_axes(measured, curves->x, UB_LOG, curves->y, UB_LOG);
    ub_panel_axes(scaled, curves->scaled_x, UB_LOG, curves->scaled_y, UB_LOG);
    for (size_t k = 0; k < n; k++)
        draw_size(measured, scaled, p, own->rows, size[k], n > 1 ? (double)k / (double)(n - 1) : 0);
    ub_text_free(&title);
    ub_text_free(&value);
}

static bool plot_law(const struct ub_law_verdict *v, const struct ub_frame *frame,
                     struct plates *plates, struct ub_error *err)
{
    static const char *const alone[] = {"model", "dataset", NULL};
    struct picture p = {.law = v, .frame = frame};
    choose(&p);
    if (p.count == 0)
        return true;
    struct ub_text title = {0}, caption = {0}, stem = {0};
    struct ub_groups shown = {.count = p.count, .group = ub_calloc(p.count, sizeof *shown.group)};
    for (size_t i = 0; i < p.count; i++)
        shown.group[i] = *p.panel[i].rows;
    char **names = ub_frame_group_names(frame, &shown, p.count == 1 ? alone : NULL);
    ub_text_add(&title, "%s: curves as measured, and in the law's units", v->law->name);
    ub_text_add(&stem, "curves-%s", v->law->name);
    ub_text_add(&caption,
                "Medians over seeds and the middle 80%% (of three seeds or fewer: each), a color a "
                "size. Above the right panels: the law's value (%s).%s",
                v->law->quantity,
                p.speak > MOST_SYSTEMS ? " Shown: the systems of the least and the greatest value; "
                                         "all are in the table."
                                       : "");
    struct ub_figure *f = ub_figure_new(title.data, (int)p.count, 2);
    ub_figure_caption(f, caption.data);
    for (size_t i = 0; i < p.count; i++)
        draw_system(f, i, &p, names[i]);
    const bool good = plates_add(plates, f, stem.data, title.data, caption.data, err);
    ub_names_free(names, p.count);
    ub_free(shown.group);
    ub_text_free(&title);
    ub_text_free(&caption);
    ub_text_free(&stem);
    return good;
}

bool plot_curves(const struct board *board, struct plates *plates, struct ub_error *err)
{
    bool good = true;
    for (size_t i = 0; good && i < board->count; i++) {
        const struct ub_law_verdict *v = board->verdict[i];
        plates->section = v->law->name;
        if (v->law->curves)
            good = plot_law(v, board->frame, plates, err);
    }
    plates->section = NULL;
    return good;
}
