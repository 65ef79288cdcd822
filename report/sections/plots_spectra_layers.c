/* Spectra by layer: a row a model, its layers on the left and what was fitted to each on the right.
 * Colors go from the first layer to the last. */
#include "report/sections/spectra.h"

#include <math.h>
#include <string.h>

enum { SPECTRA, FITS };

/* ---- which layers ----------------------------------------------------------------------- */

/* Up to MOST_FITS of a kind, evenly from the first to the last. */
struct layers {
    size_t count;
    const struct matrix *layer[MOST_FITS];
};

static struct layers layers_of(const struct matrices *set, const char *kind)
{
    struct layers chosen = {0};
    size_t all = 0, seen = 0;
    for (size_t k = 0; k < set->count; k++)
        all += strcmp(set->matrix[k].kind, kind) == 0;
    const size_t n = all < MOST_FITS ? all : MOST_FITS;
    for (size_t k = 0; k < set->count && chosen.count < n; k++) {
        if (strcmp(set->matrix[k].kind, kind) != 0)
            continue;
        const size_t next = n > 1 ? chosen.count * (all - 1) / (n - 1) : 0;
        if (seen++ != next)
            continue;
        chosen.layer[chosen.count++] = &set->matrix[k];
    }
    return chosen;
}

/* From dark to light, short of the lightest, which is hard to see on white. */
static struct ub_style layer_style(const struct layers *layers, size_t i)
{
    const double last = layers->count > 1 ? (double)(layers->count - 1) : 1;
    return (struct ub_style){.shade = 0.02 + 0.86 * (double)i / last};
}

/* ---- ranks ------------------------------------------------------------------------------ */

static void draw_layers_of(struct ub_figure *f, int row, const struct ub_trace *trace,
                           const char *model, const char *kind)
{
    struct ub_panel *left = ub_figure_panel(f, row, SPECTRA);
    struct matrices set = matrices_of(trace);
    struct layers layers = layers_of(&set, kind);
    struct fits fits = {0};
    ub_panel_title(left, model);
    ub_panel_axes(left, "rank", UB_LOG, "eigenvalue", UB_LOG);
    for (size_t i = 0; i < layers.count; i++) {
        const struct matrix *m = layers.layer[i];
        draw_matrix(left, &fits, trace, m, m->layer, layer_style(&layers, i));
    }
    draw_fits(ub_figure_panel(f, row, FITS), &fits, "exponent, 95% interval", 0);
    matrices_clear(&set);
}

typedef void draw_model(struct ub_figure *f, int row, const struct ub_trace *trace,
                        const char *model, const char *kind);

static struct ub_figure *draw_rows(const struct spectra_group *g, const char *title,
                                   const char *kind, size_t page, draw_model *draw)
{
    size_t with[MOST_MODELS];
    const size_t from = page * MOST_ROWS;
    const size_t rows = rows_of_page(models_with(g, kind, with), page);
    struct ub_figure *f = rows ? ub_figure_new(title, (int)rows, 2) : NULL;
    for (size_t i = 0; i < rows; i++)
        draw(f, (int)i, group_trace(g, with[from + i]), group_model(g, with[from + i]), kind);
    return f;
}

struct ub_figure *draw_layers(const struct spectra_group *g, const char *title, const char *kind,
                              size_t page)
{
    return draw_rows(g, title, kind, page, draw_layers_of);
}

/* ---- weights ---------------------------------------------------------------------------- */

/* Share of eigenvalues at or above each, and the power law beyond its cut. */
static void draw_tail(struct ub_panel *panel, const struct ub_series *values,
                      const double tail[UB_TAIL_ROWS], struct ub_style style)
{
    const size_t n = known_values(values);
    double *share = ub_calloc(n + 1, sizeof *share);
    for (size_t k = 0; k < n; k++)
        share[k] = (double)(k + 1) / (double)values->count;
    style.points = true;
    style.point_size = 1.7;
    ub_panel_line(panel, values->value, share, n, style);
    if (n > 0 && isfinite(tail[UB_TAIL_ALPHA]) && tail[UB_TAIL_CUT] > 0) {
        const double x[2] = {tail[UB_TAIL_CUT], values->value[0]};
        const double at_cut = tail[UB_TAIL_COUNT] / (double)values->count;
        const double y[2] = {at_cut, at_cut * pow(x[1] / x[0], 1 - tail[UB_TAIL_ALPHA])};
        style.points = false;
        style.width = 1.4;
        ub_panel_line(panel, x, y, 2, style);
    }
    ub_free(share);
}

static void rows_at(const struct ub_trace *trace, const char *prefix, const char *layer,
                    double step, double *out, size_t count)
{
    struct ub_text name = {0};
    ub_text_add(&name, "%s.%s", prefix, layer);
    struct ub_series rows = ub_trace_spectrum(trace, name.data, (int64_t)step);
    for (size_t i = 0; i < count; i++)
        out[i] = i < rows.count ? rows.value[i] : (double)NAN;
    ub_series_clear(&rows);
    ub_text_free(&name);
}

static void draw_weights_of(struct ub_figure *f, int row, const struct ub_trace *trace,
                            const char *model, const char *kind)
{
    struct ub_panel *left = ub_figure_panel(f, row, SPECTRA);
    struct matrices set = matrices_of(trace);
    struct layers layers = layers_of(&set, kind);
    struct fits fits = {0};
    ub_panel_title(left, model);
    ub_panel_axes(left, "squared singular value x", UB_LOG, "share at or above x", UB_LOG);
    for (size_t i = 0; i < layers.count; i++) {
        const struct matrix *m = layers.layer[i];
        const double step = last_step_of(trace, m->values);
        struct ub_series values = ub_trace_spectrum(trace, m->values, (int64_t)step);
        double tail[UB_TAIL_ROWS], noise[UB_NOISE_ROWS];
        rows_at(trace, "tail", m->layer, step, tail, UB_TAIL_ROWS);
        rows_at(trace, "noise-outliers", m->layer, step, noise, UB_NOISE_ROWS);
        struct ub_style style = layer_style(&layers, i);
        draw_tail(left, &values, tail, style);
        if (noise[UB_NOISE_EDGE] > 0)
            ub_panel_rug(left, UB_HORIZONTAL, &noise[UB_NOISE_EDGE], 1, 0, style);
        fits_add(&fits, m->layer, tail[UB_TAIL_ALPHA], tail[UB_TAIL_LOW], tail[UB_TAIL_HIGH],
                 style);
        ub_series_clear(&values);
    }
    draw_fits(ub_figure_panel(f, row, FITS), &fits, "tail exponent alpha, 95% interval", 1);
    matrices_clear(&set);
}

struct ub_figure *draw_weights(const struct spectra_group *g, const char *title, const char *kind,
                               size_t page)
{
    return draw_rows(g, title, kind, page, draw_weights_of);
}
