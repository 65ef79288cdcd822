/* Where batch sharpness settles against batch size, with momentum over both of its edges. */
#include "report/sections/batches.h"

#include <math.h>
#include <stdlib.h>

enum { COLUMNS = 3, MOST_PANELS = 36 };

/* Of one batch size of a panel: the mean over its recipes, and the least and greatest of all. */
struct settled {
    double batch, mean, low, high;
    size_t recipes;
};

static int by_batch(const void *a, const void *b)
{
    const double x = ((const struct settled *)a)->batch, y = ((const struct settled *)b)->batch;
    return (x > y) - (x < y);
}

typedef double edge_of(const struct recipe *recipe);

/* Levels of the recipes that have these rows, each over its own edge, by batch size. */
static struct settled *settle(const struct recipes *r, const struct ub_rows *rows, edge_of *edge,
                              const char *observable, size_t *count)
{
    struct settled *s = ub_calloc(rows->count + 1, sizeof *s);
    size_t n = 0;
    *count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct recipe *recipe = &r->of[r->at[rows->row[i]]];
        const struct level l = batch_level(r, recipe, observable);
        const double unit = edge(recipe);
        if (isfinite(l.mean / unit))
            s[n++] = (struct settled){recipe->batch, l.mean / unit, l.low / unit, l.high / unit, 1};
    }
    if (n > 1)
        qsort(s, n, sizeof *s, by_batch);
    for (size_t i = 0; i < n; i++) {
        struct settled *last = *count ? &s[*count - 1] : NULL;
        if (!last || last->batch < s[i].batch) {
            s[(*count)++] = s[i];
            continue;
        }
        last->recipes++;
        last->mean += (s[i].mean - last->mean) / (double)last->recipes;
        last->low = fmin(last->low, s[i].low);
        last->high = fmax(last->high, s[i].high);
    }
    return s;
}

static void plot_levels(struct ub_panel *panel, const struct recipes *r, const struct ub_rows *rows,
                        edge_of *edge, const char *observable, struct ub_style style)
{
    size_t n;
    struct settled *s = settle(r, rows, edge, observable, &n);
    double *data = ub_calloc(4 * n + 1, sizeof *data);
    double *x = data, *y = data + n, *low = data + 2 * n, *high = data + 3 * n;
    for (size_t k = 0; k < n; k++) {
        x[k] = s[k].batch;
        y[k] = s[k].mean;
        low[k] = s[k].low;
        high[k] = s[k].high;
    }
    if (n > 0) {
        ub_panel_line(panel, x, y, n, style);
        ub_panel_bars(panel, UB_VERTICAL, x, y, low, high, n,
                      (struct ub_style){.color = style.color});
    }
    ub_free(data);
    ub_free(s);
}

/* Whether some recipe has one edge only, or two that differ. */
static bool has_momentum(const struct recipes *r, const struct ub_rows *rows)
{
    bool has = false;
    for (size_t i = 0; i < rows->count; i++) {
        const struct recipe *recipe = &r->of[r->at[rows->row[i]]];
        has = has || recipe->beta > 0 || !isfinite(small_edge(recipe));
    }
    return has;
}

static void plot_panel(struct ub_panel *panel, const struct recipes *r, const struct ub_rows *rows,
                       const char *title)
{
    ub_panel_title(panel, title);
    ub_panel_axes(panel, "batch size", UB_LOG, "over an edge", UB_LOG);
    ub_panel_rule(panel, UB_HORIZONTAL, 1, NULL);
    plot_levels(panel, r, rows, small_edge, "batch-sharpness",
                (struct ub_style){.color = 0, .label = "batch sharpness over 2(1 - beta)/lr"});
    if (has_momentum(r, rows))
        plot_levels(
            panel, r, rows, large_edge, "batch-sharpness",
            (struct ub_style){.color = 2, .label = "batch sharpness over the whole set's edge"});
    plot_levels(panel, r, rows, large_edge, "sharpness",
                (struct ub_style){.color = 1,
                                  .dashed = true,
                                  .label = "full-batch sharpness over the whole set's edge"});
}

bool plot_batch_settled(const struct recipes *r, struct plates *plates, struct ub_error *err)
{
    size_t rung;
    struct ub_groups panels = batch_panels(r, false, MOST_PANELS, &rung);
    const size_t columns = panels.count < COLUMNS ? panels.count : COLUMNS;
    struct ub_figure *f =
        ub_figure_new("Where batch sharpness settles",
                      (int)((panels.count + columns - 1) / columns), (int)columns);
    for (size_t k = 0; k < panels.count; k++) {
        const struct ub_rows *rows = &panels.group[k];
        char *title = rung > 0 ? ub_frame_group_name(r->study->frame, &panels, k)
                               : line_name(r, r->of[r->at[rows->row[0]]].line);
        plot_panel(ub_figure_panel(f, (int)(k / columns), (int)(k % columns)), r, rows, title);
        ub_free(title);
    }
    ub_groups_clear(&panels);
    return plates_add(plates, f, "batch-edges", "Where batch sharpness settles",
                      "Median over the second half of each run over the edge of small batches and "
                      "of the whole set, 2(1 + beta)/lr, against batch size, a panel for systems "
                      "that differ in nothing else (of more than 36, for those of one momentum); "
                      "bars: least and greatest over seeds that did not diverge. Near 0: along the "
                      "gradient of a run that oscillates at no edge.",
                      err);
}
