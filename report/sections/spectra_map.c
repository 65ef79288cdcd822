/* Spectra over steps as colors. */
#include "report/sections/spectra_map.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- edges of cells ---------------------------------------------------------------------- */

double *step_edges(const double *step, size_t n)
{
    double *edge = ub_calloc(n + 2, sizeof *edge);
    for (size_t i = 1; i < n; i++)
        edge[i] = sqrt((step[i - 1] + 1) * (step[i] + 1));
    edge[0] = n > 1 ? (step[0] + 1) * (step[0] + 1) / edge[1] : 0.5;
    edge[n] = n > 1 ? (step[n - 1] + 1) * (step[n - 1] + 1) / edge[n - 1] : 2;
    return edge;
}

void map_clear(struct map *m)
{
    ub_free(m->title);
    ub_free(m->exponent);
    ub_free(m->step);
    ub_free(m->value);
    ub_free(m->edge);
}

bool map_has_values(const struct map *m)
{
    for (size_t i = 0; i < m->steps * m->rows; i++)
        if (m->value[i] > DBL_MIN)
            return true;
    return false;
}

void map_take_steps(struct map *m, const struct ub_trace *trace, const char *row)
{
    struct ub_series s = ub_trace_series(trace, row, 0);
    m->steps = s.count;
    m->step = ub_calloc(s.count + 1, sizeof *m->step);
    memcpy(m->step, s.step, s.count * sizeof *m->step);
    ub_series_clear(&s);
}

char *map_title(const char *model, const char *layer)
{
    struct ub_text out = {0};
    ub_text_add(&out, "%s%s%s", model, *layer ? ": " : "", layer);
    return out.data;
}

/* ---- colors ------------------------------------------------------------------------------ */

void colors_include(struct colors *c, const struct map *m)
{
    for (size_t i = 0; i < m->steps * m->rows; i++)
        if (m->value[i] > 0) {
            c->low = fmin(c->low, m->value[i]);
            c->high = fmax(c->high, m->value[i]);
        }
}

void colors_finish(struct colors *c, double decades)
{
    c->low = fmax(c->low, c->high * pow(10, -decades));
    if (!(c->low < c->high)) {
        c->low = c->low > 0 && isfinite(c->low) ? c->low / 2 : 0.1;
        c->high = 4 * c->low;
    }
}

void draw_map(struct ub_panel *panel, const struct map *m, struct colors c)
{
    const size_t n = m->steps * m->rows;
    double *shade = ub_calloc(n + 1, sizeof *shade), *x = step_edges(m->step, m->steps);
    for (size_t i = 0; i < n; i++)
        shade[i] = m->value[i] > 0
                       ? fmin(fmax(log(m->value[i] / c.low) / log(c.high / c.low), 0), 1)
                       : (double)NAN;
    ub_panel_title(panel, m->title);
    ub_panel_heat(panel, x, m->steps, m->edge, m->rows, shade);
    ub_panel_range(panel, UB_HORIZONTAL, x[0], x[m->steps]);
    ub_panel_range(panel, UB_VERTICAL, m->edge[0], m->edge[m->rows]);
    ub_free(shade);
    ub_free(x);
}
