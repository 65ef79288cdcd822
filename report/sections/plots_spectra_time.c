/* Eigenvalues by rank through training, as colors over steps, and beside them the exponent of their
 * decay. A row a model. */
#include "report/sections/spectra_map.h"

#include <float.h>
#include <math.h>

enum { HEAT, SCALAR };

/* Colors span at most so many decades below the greatest. */
static const double decades = 6;
/* Where the axis of ranks begins: inside the cell of rank 1, past a tick at 1/2. */
static const double first_rank = 0.55;

/* Eigenvalues by rank; false where there is nothing to draw. */
static bool map_of_matrix(struct map *m, const struct ub_trace *trace, const char *model,
                          const char *kind)
{
    struct matrices set = matrices_of(trace);
    const struct matrix *matrix = matrix_of_kind(&set, trace, kind);
    *m = (struct map){0};
    if (matrix)
        map_take_steps(m, trace, matrix->values);
    for (size_t i = 0; matrix && i < m->steps; i++) {
        struct ub_series values = ub_trace_spectrum(trace, matrix->values, (int64_t)m->step[i]);
        m->rows = values.count > m->rows ? values.count : m->rows;
        ub_series_clear(&values);
    }
    const bool good = matrix && m->steps >= FEWEST_STEPS && m->rows > 1;
    m->value = ub_calloc(m->steps * m->rows + 1, sizeof *m->value);
    m->edge = ub_calloc(m->rows + 1, sizeof *m->edge);
    for (size_t j = 0; j <= m->rows; j++)
        m->edge[j] = (double)j + 0.5;
    for (size_t i = 0; good && i < m->steps; i++) {
        struct ub_series values = ub_trace_spectrum(trace, matrix->values, (int64_t)m->step[i]);
        const size_t known = known_values(&values);
        for (size_t j = 0; j < m->rows; j++)
            m->value[i * m->rows + j] = j < known ? values.value[j] : (double)NAN;
        ub_series_clear(&values);
    }
    if (matrix) {
        m->title = map_title(model, matrix->layer);
        m->exponent = ub_strdup(matrix->exponent);
    }
    matrices_clear(&set);
    return good && map_has_values(m);
}

/* ---- beside them -------------------------------------------------------------------------- */

static void draw_exponent(struct ub_panel *panel, const struct ub_trace *trace, const struct map *m)
{
    double *data = ub_calloc(4 * m->steps + 1, sizeof *data), *x = step_edges(m->step, m->steps);
    double *step = data, *value = data + m->steps, *low = data + 2 * m->steps,
           *high = data + 3 * m->steps;
    for (size_t i = 0; i < m->steps; i++) {
        double fit[UB_EXPONENT_ROWS];
        fit_at(trace, m->exponent, m->step[i], fit);
        step[i] = m->step[i] + 1;
        value[i] = fit[UB_EXPONENT];
        low[i] = fit[UB_EXPONENT_LOW];
        high[i] = fit[UB_EXPONENT_HIGH];
    }
    const struct ub_style style = {.color = 0, .point_size = 2.5};
    ub_panel_axes(panel, "step + 1", UB_LOG, "exponent", UB_LINEAR);
    ub_panel_range(panel, UB_HORIZONTAL, x[0], x[m->steps]);
    ub_panel_line(panel, step, value, m->steps, style);
    ub_panel_bars(panel, UB_VERTICAL, step, value, low, high, m->steps, style);
    ub_free(data);
    ub_free(x);
}

struct ub_figure *draw_evolution(const struct spectra_group *g, const char *title, const char *kind,
                                 size_t page)
{
    const size_t from = page * MOST_ROWS;
    struct map maps[MOST_MODELS];
    size_t model[MOST_MODELS], n = 0;
    for (size_t i = 0; i < g->count; i++) {
        if (map_of_matrix(&maps[n], group_trace(g, i), group_model(g, i), kind))
            model[n++] = i;
        else
            map_clear(&maps[n]);
    }
    const size_t rows = rows_of_page(n, page);
    struct ub_figure *f = rows ? ub_figure_new(title, (int)rows, 2) : NULL;
    struct colors c = {DBL_MAX, 0};
    for (size_t i = 0; i < rows; i++)
        colors_include(&c, &maps[from + i]);
    colors_finish(&c, decades);
    for (size_t i = 0; i < rows; i++) {
        struct ub_panel *panel = ub_figure_panel(f, (int)i, HEAT);
        ub_panel_axes(panel, "step + 1", UB_LOG, "rank", UB_LOG);
        draw_map(panel, &maps[from + i], c);
        ub_panel_range(panel, UB_VERTICAL, first_rank, (double)maps[from + i].rows + 0.5);
        draw_exponent(ub_figure_panel(f, (int)i, SCALAR), group_trace(g, model[from + i]),
                      &maps[from + i]);
    }
    if (f)
        ub_figure_colors(f, "eigenvalue", c.low, c.high, UB_LOG);
    for (size_t i = 0; i < n; i++)
        map_clear(&maps[i]);
    return f;
}
