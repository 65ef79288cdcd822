/* Densities of whole spectra by Lanczos quadrature, a panel a model: at the start and at the end of
 * training, with their error bands over probes. */
#include "report/sections/spectra.h"

#include <math.h>
#include <string.h>

/* A density is drawn down to this share of its peak: the skirts of its smoothing mean nothing. */
static const double least_density = 1e-6;
/* The linear part of the axis, of the span of the grid. */
static const double linear_share = 0.02;

/* ---- which ------------------------------------------------------------------------------ */

/* All of them; the caller frees. */
static struct density *all_densities(const struct spectra_group *g, const char *kind, size_t *n)
{
    struct density *all = NULL;
    *n = 0;
    for (size_t i = 0; i < g->count; i++) {
        const struct ub_trace *trace = group_trace(g, i);
        for (size_t k = 0; k < trace->n_names; k++) {
            char *own, *layer;
            const char *title = after(trace->names[k], "density.");
            if (!title)
                continue;
            title_split(title, &own, &layer);
            if (strcmp(own, kind) == 0) {
                all = ub_realloc(all, (*n + 1) * sizeof *all);
                all[(*n)++] = (struct density){i, ub_strdup(title), ub_strdup(layer)};
            }
            ub_free(own);
            ub_free(layer);
        }
    }
    return all;
}

size_t densities_of(const struct spectra_group *g, const char *kind,
                    struct density out[MOST_DENSITIES])
{
    size_t all_count, n = 0;
    struct density *all = all_densities(g, kind, &all_count);
    const size_t wanted = all_count < MOST_DENSITIES ? all_count : MOST_DENSITIES;
    for (size_t i = 0; i < all_count; i++) {
        if (n < wanted && i == (wanted > 1 ? n * (all_count - 1) / (wanted - 1) : 0))
            out[n++] = all[i];
        else
            densities_clear(&all[i], 1);
    }
    ub_free(all);
    return n;
}

void densities_clear(struct density *d, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ub_free(d[i].title);
        ub_free(d[i].layer);
    }
}

struct ub_series density_rows(const struct ub_trace *trace, const char *what, const char *title,
                              double step)
{
    struct ub_text name = {0};
    ub_text_add(&name, "%s.%s", what, title);
    struct ub_series rows = ub_trace_spectrum(trace, name.data, (int64_t)step);
    ub_text_free(&name);
    return rows;
}

/* ---- at one step ------------------------------------------------------------------------- */

static double greatest(const struct ub_series *s)
{
    double most = 0;
    for (size_t i = 0; i < s->count; i++)
        most = fmax(most, s->value[i]);
    return most;
}

static void draw_curve(struct ub_panel *panel, const struct ub_trace *trace, const char *title,
                       double step, struct ub_style style)
{
    struct ub_series grid = density_rows(trace, "density-grid", title, step);
    struct ub_series density = density_rows(trace, "density", title, step);
    const size_t n = grid.count < density.count ? grid.count : density.count;
    const double floor = least_density * greatest(&density);
    double *low = ub_calloc(n + 1, sizeof *low), *high = ub_calloc(n + 1, sizeof *high);
    for (size_t i = 0; i < n; i++) {
        const double error = density.error[i];
        high[i] = density.value[i] > floor ? density.value[i] + error : (double)NAN;
        low[i] = fmax(density.value[i] - error, floor);
        density.value[i] = density.value[i] > floor ? density.value[i] : (double)NAN;
    }
    ub_panel_line(panel, grid.value, density.value, n, style);
    style.label = NULL;
    ub_panel_band(panel, grid.value, low, high, n, style);
    ub_free(low);
    ub_free(high);
    ub_series_clear(&grid);
    ub_series_clear(&density);
}

static void draw_ticks(struct ub_panel *panel, const struct ub_series *at, int row,
                       struct ub_style style)
{
    style.width = 1;
    if (at->count > 0)
        ub_panel_rug(panel, UB_HORIZONTAL, at->value, at->count, row, style);
}

/* Span of the grid and greatest density over both ends of training. */
struct extent {
    double low, high, most;
};

static void include_step(struct extent *e, const struct ub_trace *trace, const char *title,
                         double step)
{
    struct ub_series grid = density_rows(trace, "density-grid", title, step);
    struct ub_series density = density_rows(trace, "density", title, step);
    for (size_t i = 0; i < grid.count; i++) {
        e->low = fmin(e->low, grid.value[i]);
        e->high = fmax(e->high, grid.value[i]);
    }
    e->most = fmax(e->most, greatest(&density));
    ub_series_clear(&grid);
    ub_series_clear(&density);
}

/* ---- a panel ---------------------------------------------------------------------------- */

static bool has_classes(const struct density *d)
{
    return strcmp(d->title, "hessian") == 0 || strcmp(d->title, "gauss-newton") == 0;
}

static void draw_outliers(struct ub_panel *panel, const struct ub_trace *trace,
                          const struct density *d, double first, double last)
{
    struct ub_series before = density_rows(trace, "density-outlier", d->title, first);
    struct ub_series after = density_rows(trace, "density-outlier", d->title, last);
    draw_ticks(panel, &after, 0, (struct ub_style){.color = 1, .label = "outliers, last step"});
    if (first < last)
        draw_ticks(panel, &before, 1,
                   (struct ub_style){.color = 5, .label = "outliers, first step"});
    ub_series_clear(&before);
    ub_series_clear(&after);
}

static void draw_class_ticks(struct ub_panel *panel, const struct ub_trace *trace)
{
    struct ub_series means = ub_trace_spectrum(trace, "class-structure.class", -1);
    struct ub_series cross = ub_trace_spectrum(trace, "class-structure.cross-class", -1);
    draw_ticks(panel, &means, 2, (struct ub_style){.color = 6, .label = "class means, last step"});
    cross.count = known_values(&cross);
    draw_ticks(
        panel, &cross, 3,
        (struct ub_style){.color = -1, .alpha = 0.7, .label = "cross-class means, last step"});
    ub_series_clear(&means);
    ub_series_clear(&cross);
}

static void draw_panel(struct ub_panel *panel, const struct spectra_group *g,
                       const struct density *d)
{
    const struct ub_trace *trace = group_trace(g, d->model);
    struct ub_text name = {0}, rows = {0};
    ub_text_add(&rows, "density.%s", d->title);
    ub_text_add(&name, "%s%s%s", group_model(g, d->model), *d->layer ? ": " : "", d->layer);
    struct ub_series steps = ub_trace_series(trace, rows.data, 0);
    ub_panel_title(panel, name.data);
    ub_panel_axes(panel, "eigenvalue", UB_SIGNED, "density", UB_LOG);
    if (steps.count > 0) {
        const double first = steps.step[0], last = steps.step[steps.count - 1];
        struct extent e = {HUGE_VAL, -HUGE_VAL, 0};
        include_step(&e, trace, d->title, first);
        include_step(&e, trace, d->title, last);
        ub_panel_linear_part(panel, UB_HORIZONTAL, linear_share * (e.high - e.low));
        if (e.most > 0)
            ub_panel_range(panel, UB_VERTICAL, least_density * e.most, 3 * e.most);
        if (first < last)
            draw_curve(panel, trace, d->title, first,
                       (struct ub_style){.color = 5, .label = "first step"});
        draw_curve(panel, trace, d->title, last,
                   (struct ub_style){.color = 1, .label = "last step"});
        draw_outliers(panel, trace, d, first, last);
        if (has_classes(d))
            draw_class_ticks(panel, trace);
    }
    ub_series_clear(&steps);
    ub_text_free(&name);
    ub_text_free(&rows);
}

struct ub_figure *draw_density(const struct spectra_group *g, const char *title, const char *kind,
                               size_t page)
{
    struct density all[MOST_DENSITIES];
    const size_t n = page == 0 ? densities_of(g, kind, all) : 0;
    struct ub_figure *f = n ? panels_new(title, n) : NULL;
    for (size_t i = 0; i < n; i++)
        draw_panel(panels_at(f, n, i), g, &all[i]);
    densities_clear(all, n);
    return f;
}
