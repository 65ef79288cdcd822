/* Figures of weight spectra: the share of eigenvalues at or above x, a panel a weight, with the
 * fitted tail and the edge of noise. */
#include "report/sections/sections.h"
#include "report/sections/weights.h"

#include <math.h>

enum { PANELS = 12, COLUMNS = 3, MOST_POINTS = 300 };

/* Nothing happens below a hundredth of the largest, a tenth of the median and a third of the
 * cut-off: the share above is nearly 1. Far below the largest is rounding, of low rank. */
static double lowest_drawn(const struct ub_weight_spectrum *s)
{
    const double low = fmin(s->values[0] / 100, s->values[s->count / 2] / 10);
    return fmax(s->tail.valid ? fmin(low, s->tail.xmin / 3) : low, 1e-8 * s->values[0]);
}

/* Values of ranks `first` to `last`, from 0, not all where there are too many: evenly in log rank.
 */
static void plot_values(struct ub_panel *panel, const struct ub_weight_spectrum *s, int64_t first,
                        int64_t last, struct ub_style style)
{
    double x[MOST_POINTS], y[MOST_POINTS];
    const double low = lowest_drawn(s), ratio = log((double)(last + 1) / (double)(first + 1));
    size_t n = 0;
    int64_t before = first - 1;
    for (int k = 0; k < MOST_POINTS; k++) {
        const double place = (double)(first + 1) * exp(ratio * k / (MOST_POINTS - 1));
        int64_t rank = (int64_t)llround(place) - 1;
        rank = last - first < MOST_POINTS ? first + k : rank;
        if (rank <= before || rank > last || !(s->values[rank] >= low))
            continue;
        before = rank;
        x[n] = s->values[rank];
        y[n++] = (double)(rank + 1) / (double)s->count;
    }
    style.points = true;
    style.point_size = 1.8;
    ub_panel_line(panel, x, y, n, style);
}

static void plot_tail(struct ub_panel *panel, const struct ub_weight_spectrum *s)
{
    const struct ub_tail *t = &s->tail;
    const double share = (double)t->count / (double)s->count;
    const double end =
        fmin(s->values[0] * 1.3, t->xmin * pow((double)t->count * 2, 1 / (t->alpha - 1)));
    const double x[2] = {t->xmin, end};
    const double y[2] = {share, share * ub_tail_survival(t, UB_TAIL_POWER, end)};
    ub_panel_line(panel, x, y, 2,
                  (struct ub_style){.color = 4, .width = 1.6, .dashed = !weights_plausible(t)});
}

static void plot_notes(struct ub_panel *panel, const struct ub_weight_spectrum *s)
{
    struct ub_text note = {0};
    const double low = fmax(lowest_drawn(s), s->values[s->count - 1]);
    const double bottom = 1 / (double)s->count;
    if (s->tail.valid)
        ub_text_add(&note, "alpha %.2f [%.2f, %.2f]", s->tail.alpha, s->tail.low, s->tail.high);
    else
        ub_text_add(&note, "no tail of 10 values");
    ub_panel_text(panel, low, bottom * pow(1 / bottom, 0.1), note.data);
    ub_text_free(&note);
    if (s->outliers < 0)
        return;
    ub_text_add(&note, "%lld outlier%s", (long long)s->outliers, s->outliers == 1 ? "" : "s");
    ub_panel_text(panel, low, bottom, note.data);
    ub_text_free(&note);
}

static void plot_weight(struct ub_panel *panel, const struct ub_weight_row *row)
{
    const struct ub_weight_spectrum *s = &row->spectrum;
    const int64_t outliers = s->outliers > 0 ? s->outliers : 0;
    ub_panel_title(panel, row->name);
    struct ub_text axis = {0};
    ub_text_add(&axis, s->power ? "eigenvalue / 2^%d" : "eigenvalue", 2 * s->power);
    ub_panel_axes(panel, axis.data, UB_LOG, "share at or above", UB_LOG);
    ub_text_free(&axis);
    if (!(s->values[0] > 0))
        return;
    if (outliers > 0)
        plot_values(panel, s, 0, outliers - 1, (struct ub_style){.color = 1});
    if (outliers < s->count)
        plot_values(panel, s, outliers, s->count - 1, (struct ub_style){.color = 0});
    if (s->tail.valid)
        plot_tail(panel, s);
    if (s->outliers >= 0)
        ub_panel_rule(panel, UB_VERTICAL, s->noise_edge, "noise edge");
    plot_notes(panel, s);
}

static bool plot_some(const struct ub_weights *w, size_t first, size_t n, const char *stem,
                      const char *title, struct plates *plates, struct ub_error *err)
{
    const size_t columns = n < COLUMNS ? n : COLUMNS;
    struct ub_figure *f = ub_figure_new(title, (int)((n + columns - 1) / columns), (int)columns);
    for (size_t i = 0; i < n; i++)
        plot_weight(ub_figure_panel(f, (int)(i / columns), (int)(i % columns)),
                    &w->rows[first + i]);
    return plates_add(plates, f, stem, title,
                      "Share of the squared singular values at or above x. Line: power law fitted "
                      "to the tail, dashed where it is rejected. Vertical: the edge of noise; "
                      "values beyond it in red.",
                      err);
}

bool plot_weights(const struct ub_weights *w, struct plates *plates, struct ub_error *err)
{
    const size_t figures = (w->count + PANELS - 1) / PANELS;
    bool good = true;
    for (size_t k = 0; k < figures && good; k++) {
        const size_t first = k * PANELS, left = w->count - first;
        struct ub_text stem = {0}, title = {0};
        ub_text_add(&stem, "weights");
        ub_text_add(&title, "Spectra of weights");
        if (figures > 1) {
            ub_text_add(&stem, "-%zu", k + 1);
            ub_text_add(&title, ", %zu of %zu", k + 1, figures);
        }
        good =
            plot_some(w, first, left < PANELS ? left : PANELS, stem.data, title.data, plates, err);
        ub_text_free(&stem);
        ub_text_free(&title);
    }
    return good;
}
