/* What several figures of spectra draw: grids of panels, a spectrum by rank, fits with intervals.
 */
#include "report/sections/spectra.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 3 };

struct ub_figure *panels_new(const char *title, size_t count)
{
    const size_t columns = count < COLUMNS ? count : COLUMNS;
    return ub_figure_new(title, (int)((count + columns - 1) / columns), (int)columns);
}

struct ub_panel *panels_at(struct ub_figure *f, size_t count, size_t i)
{
    const size_t columns = count < COLUMNS ? count : COLUMNS;
    return ub_figure_panel(f, (int)(i / columns), (int)(i % columns));
}

/* ---- a spectrum ------------------------------------------------------------------------- */

static void draw_fit(struct ub_panel *panel, const double fit[UB_EXPONENT_ROWS],
                     struct ub_style style)
{
    double x[2] = {fit[UB_EXPONENT_FIRST], fit[UB_EXPONENT_LAST]}, y[2];
    if (!isfinite(fit[UB_EXPONENT]))
        return;
    for (int i = 0; i < 2; i++)
        y[i] = fit[UB_EXPONENT_PREFACTOR] * pow(x[i], -fit[UB_EXPONENT]);
    style.points = false;
    style.width = 1.6;
    style.label = NULL;
    ub_panel_line(panel, x, y, 2, style);
}

static void draw_values(struct ub_panel *panel, const struct ub_series *values, size_t outliers,
                        const double fit[UB_EXPONENT_ROWS], struct ub_style style)
{
    const size_t n = known_values(values);
    double *rank = ub_calloc(n + 1, sizeof *rank);
    for (size_t k = 0; k < n; k++)
        rank[k] = (double)k + 1;
    style.points = true;
    style.point_size = 1.5;
    ub_panel_line(panel, rank, values->value, n, style);
    style.label = NULL;
    style.point_size = 3.2;
    style.hollow = true;
    style.width = 1;
    if (outliers > 0)
        ub_panel_line(panel, rank, values->value, outliers < n ? outliers : n, style);
    draw_fit(panel, fit, style);
    ub_free(rank);
}

void draw_matrix(struct ub_panel *panel, struct fits *fits, const struct ub_trace *trace,
                 const struct matrix *m, const char *name, struct ub_style style)
{
    const double step = last_step_of(trace, m->values);
    const double outliers = value_at(trace, m->outliers, step);
    struct ub_series values = ub_trace_spectrum(trace, m->values, (int64_t)step);
    double fit[UB_EXPONENT_ROWS];
    fit_at(trace, m->exponent, step, fit);
    draw_values(panel, &values, outliers > 0 ? (size_t)outliers : 0, fit, style);
    fits_add(fits, name, fit[UB_EXPONENT], fit[UB_EXPONENT_LOW], fit[UB_EXPONENT_HIGH], style);
    ub_series_clear(&values);
}

void explain_spectrum(struct ub_panel *panel)
{
    ub_panel_line(panel, NULL, NULL, 0,
                  (struct ub_style){.color = -1,
                                    .points = true,
                                    .hollow = true,
                                    .label = "outliers: above the largest gap"});
    ub_panel_line(panel, NULL, NULL, 0,
                  (struct ub_style){.color = -1, .label = "fitted power law"});
}

void mark_classes(struct ub_panel *panel, size_t classes, const char *kind)
{
    if (classes == 0 || (strcmp(kind, "Hessian") != 0 && strcmp(kind, "Gauss-Newton") != 0))
        return;
    ub_panel_rule(panel, UB_VERTICAL, (double)classes, "C");
    ub_panel_rule(panel, UB_VERTICAL, (double)(classes * classes), "C\u00b2");
}

/* ---- fits ------------------------------------------------------------------------------- */

void fits_add(struct fits *f, const char *name, double value, double low, double high,
              struct ub_style style)
{
    if (f->count == MOST_FITS)
        return;
    f->names[f->count] = name;
    f->value[f->count] = value;
    f->low[f->count] = low;
    f->high[f->count] = high;
    f->style[f->count++] = style;
}

void draw_fits(struct ub_panel *panel, const struct fits *f, const char *label, double from)
{
    double most = -HUGE_VAL, least = from;
    for (size_t i = 0; i < f->count; i++)
        if (isfinite(f->value[i])) {
            most = fmax(most, f->value[i]);
            least = fmin(least, f->value[i]);
        }
    most = most > from ? from + 1.7 * (most - from) : from + 1;
    ub_panel_axes(panel, label, UB_LINEAR, NULL, UB_LINEAR);
    ub_panel_range(panel, UB_HORIZONTAL, least < from ? least - 0.1 * (most - least) : from, most);
    ub_panel_categories(panel, UB_VERTICAL, f->names, f->count);
    for (size_t i = 0; i < f->count; i++) {
        const double place = (double)i;
        struct ub_style style = f->style[i];
        style.label = NULL;
        style.width = 4;
        ub_panel_rug(panel, UB_VERTICAL, &place, 1, 0, style);
        style.width = 1.5;
        style.point_size = 3.5;
        ub_panel_bars(panel, UB_HORIZONTAL, &f->value[i], &place, &f->low[i], &f->high[i], 1,
                      style);
    }
}
