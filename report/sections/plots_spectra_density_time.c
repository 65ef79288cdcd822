/* Densities through training, as colors over steps with the outliers that were taken out as dots,
 * and beside them the share of eigenvalues below zero, where it was measured. A row a model. */
#include "report/sections/spectra_map.h"

#include <float.h>
#include <math.h>

enum { HEAT, SCALAR };
static const double decades = 6;
/* The linear part of the axis, of the span of all grids. */
static const double linear_share = 0.02;

/* A density at x by straight lines between points of its grid; NAN outside. */
static double interpolate(const struct ub_series *grid, const struct ub_series *density, double x)
{
    const size_t n = grid->count < density->count ? grid->count : density->count;
    for (size_t k = 1; k < n; k++)
        if (x >= grid->value[k - 1] && x <= grid->value[k]) {
            const double span = grid->value[k] - grid->value[k - 1];
            const double part = span > 0 ? (x - grid->value[k - 1]) / span : 0;
            return density->value[k - 1] + part * (density->value[k] - density->value[k - 1]);
        }
    return (double)NAN;
}

/* Rows from the least to the greatest point of any grid, evenly along the signed axis. */
static bool choose_rows(struct map *m, const struct ub_trace *trace, const char *title)
{
    enum { ROWS = 160 };
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; i < m->steps; i++) {
        struct ub_series grid = density_rows(trace, "density-grid", title, m->step[i]);
        for (size_t k = 0; k < grid.count; k++) {
            low = fmin(low, grid.value[k]);
            high = fmax(high, grid.value[k]);
        }
        ub_series_clear(&grid);
    }
    if (!(low < high))
        return false;
    m->rows = ROWS;
    m->linear = linear_share * (high - low);
    m->edge = ub_calloc(ROWS + 1, sizeof *m->edge);
    const double from = asinh(low / m->linear), to = asinh(high / m->linear);
    for (int j = 0; j <= ROWS; j++)
        m->edge[j] = m->linear * sinh(from + (to - from) * j / ROWS);
    return true;
}

static bool map_of_density(struct map *m, const struct ub_trace *trace, const char *model,
                           const char *title, const char *layer)
{
    struct ub_text row = {0};
    ub_text_add(&row, "density.%s", title);
    *m = (struct map){.title = map_title(model, layer)};
    map_take_steps(m, trace, row.data);
    ub_text_free(&row);
    if (m->steps < FEWEST_STEPS || !choose_rows(m, trace, title))
        return false;
    m->value = ub_calloc(m->steps * m->rows + 1, sizeof *m->value);
    for (size_t i = 0; i < m->steps; i++) {
        struct ub_series grid = density_rows(trace, "density-grid", title, m->step[i]);
        struct ub_series density = density_rows(trace, "density", title, m->step[i]);
        for (size_t j = 0; j < m->rows; j++) {
            const double x = (m->edge[j] + m->edge[j + 1]) / 2;
            const double value = interpolate(&grid, &density, x);
            m->value[i * m->rows + j] = isfinite(value) ? fmax(value, DBL_MIN) : (double)NAN;
        }
        ub_series_clear(&grid);
        ub_series_clear(&density);
    }
    return map_has_values(m);
}

/* Outliers of every step; the axis makes room for them. */
static void draw_outliers(struct ub_panel *panel, const struct ub_trace *trace, const char *title,
                          const struct map *m)
{
    double low = asinh(m->edge[0] / m->linear), high = asinh(m->edge[m->rows] / m->linear);
    for (size_t i = 0; i < m->steps; i++) {
        struct ub_series at = density_rows(trace, "density-outlier", title, m->step[i]);
        double *x = ub_calloc(at.count + 1, sizeof *x);
        for (size_t k = 0; k < at.count; k++) {
            x[k] = m->step[i] + 1;
            low = fmin(low, asinh(at.value[k] / m->linear));
            high = fmax(high, asinh(at.value[k] / m->linear));
        }
        ub_panel_line(
            panel, x, at.value, at.count,
            (struct ub_style){.color = 1, .points = true, .point_size = 1.5, .label = "outliers"});
        ub_free(x);
        ub_series_clear(&at);
    }
    const double margin = 0.03 * (high - low);
    ub_panel_range(panel, UB_VERTICAL, m->linear * sinh(low - margin),
                   m->linear * sinh(high + margin));
}

static bool has_negatives(const struct ub_trace *trace, const char *title)
{
    struct ub_series s = density_rows(trace, "negative-fraction", title, -1);
    const bool has = s.count > 0;
    ub_series_clear(&s);
    return has;
}

static void draw_negatives(struct ub_panel *panel, const struct ub_trace *trace, const char *title,
                           const struct map *m)
{
    double *data = ub_calloc(4 * m->steps + 1, sizeof *data), *x = step_edges(m->step, m->steps);
    double *step = data, *value = data + m->steps, *low = data + 2 * m->steps,
           *high = data + 3 * m->steps;
    for (size_t i = 0; i < m->steps; i++) {
        struct ub_series at = density_rows(trace, "negative-fraction", title, m->step[i]);
        step[i] = m->step[i] + 1;
        value[i] = at.count ? at.value[0] : (double)NAN;
        low[i] = at.count ? value[i] - at.error[0] : (double)NAN;
        high[i] = at.count ? value[i] + at.error[0] : (double)NAN;
        ub_series_clear(&at);
    }
    const struct ub_style style = {.color = 0, .point_size = 2.5};
    ub_panel_axes(panel, "step + 1", UB_LOG, "share below zero", UB_LINEAR);
    ub_panel_range(panel, UB_HORIZONTAL, x[0], x[m->steps]);
    ub_panel_range(panel, UB_VERTICAL, -0.03, 1.03); /* where intervals end is no share */
    ub_panel_line(panel, step, value, m->steps, style);
    ub_panel_bars(panel, UB_VERTICAL, step, value, low, high, m->steps, style);
    ub_free(data);
    ub_free(x);
}

/* ---- the figure ---------------------------------------------------------------------------- */

static void draw_density_map(struct ub_panel *panel, const struct ub_trace *trace,
                             const char *title, const struct map *m, struct colors c)
{
    ub_panel_axes(panel, "step + 1", UB_LOG, "eigenvalue", UB_SIGNED);
    ub_panel_linear_part(panel, UB_VERTICAL, m->linear);
    draw_map(panel, m, c);
    draw_outliers(panel, trace, title, m);
}

struct ub_figure *draw_density_evolution(const struct spectra_group *g, const char *title,
                                         const char *kind, size_t page)
{
    const size_t from = page * MOST_ROWS;
    struct density all[MOST_DENSITIES];
    struct map maps[MOST_DENSITIES];
    size_t which[MOST_DENSITIES], n = 0;
    bool negatives = false;
    const size_t count = densities_of(g, kind, all);
    for (size_t i = 0; i < count; i++) {
        const struct ub_trace *trace = group_trace(g, all[i].model);
        const char *model = group_model(g, all[i].model);
        if (map_of_density(&maps[n], trace, model, all[i].title, all[i].layer))
            which[n++] = i;
        else
            map_clear(&maps[n]);
        negatives = negatives || has_negatives(trace, all[i].title);
    }
    const size_t rows = rows_of_page(n, page);
    struct colors c = {DBL_MAX, 0};
    for (size_t i = 0; i < rows; i++)
        colors_include(&c, &maps[from + i]);
    colors_finish(&c, decades);
    struct ub_figure *f = !rows       ? NULL
                          : negatives ? ub_figure_new(title, (int)rows, 2)
                                      : panels_new(title, rows);
    for (size_t i = 0; i < rows; i++) {
        const struct density *d = &all[which[from + i]];
        const struct ub_trace *trace = group_trace(g, d->model);
        draw_density_map(negatives ? ub_figure_panel(f, (int)i, HEAT) : panels_at(f, rows, i),
                         trace, d->title, &maps[from + i], c);
        if (has_negatives(trace, d->title))
            draw_negatives(ub_figure_panel(f, (int)i, SCALAR), trace, d->title, &maps[from + i]);
    }
    if (f)
        ub_figure_colors(f, "density", c.low, c.high, UB_LOG);
    for (size_t i = 0; i < n; i++)
        map_clear(&maps[i]);
    densities_clear(all, count);
    return f;
}
