/* Coordinate checks: a figure each, activations and their changes against width; of many checks one
 * figure of all exponents. */
#include "report/sections/coordinates.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_FIGURES = 12 };

/* ---- one check ------------------------------------------------------------------------------ */

struct range {
    double low, high;
};

static void widen(struct range *range, const struct ub_frame *frame, const struct ub_rows *rows,
                  const char *prefix)
{
    struct labels layers = check_layers(frame, rows, prefix);
    for (size_t k = 0; k < layers.count; k++) {
        struct curve curve = curve_of(frame, rows, prefix, layers.text[k]);
        for (size_t i = 0; i < curve.n; i++) {
            range->low = fmin(range->low, curve.value[i]);
            range->high = fmax(range->high, curve.value[i]);
        }
        curve_clear(&curve);
    }
    labels_free(&layers);
}

static void plot_layers(struct ub_panel *panel, const struct ub_frame *frame,
                        const struct ub_rows *rows, const char *prefix)
{
    struct labels layers = check_layers(frame, rows, prefix);
    for (size_t k = 0; k < layers.count; k++) {
        struct curve curve = curve_of(frame, rows, prefix, layers.text[k]);
        const double shade = (double)(k + 1) / (double)layers.count;
        ub_panel_line(panel, curve.width, curve.value, curve.n,
                      (struct ub_style){.shade = shade, .width = 1.5, .label = layers.text[k]});
        ub_panel_line(panel, curve.width, curve.value, curve.n,
                      (struct ub_style){.shade = shade, .points = true, .point_size = 4});
        curve_clear(&curve);
    }
    labels_free(&layers);
}

/* A row of panels, one a parametrization, with one range, so that slopes compare. */
static void plot_row(struct ub_figure *f, int row, const struct checks *c, size_t check,
                     const char *prefix, const char *what)
{
    const struct ub_groups *choices = &c->choices[check];
    struct range range = {INFINITY, 0};
    for (size_t k = 0; k < choices->count; k++)
        widen(&range, c->frame, &choices->group[k], prefix);
    for (size_t k = 0; k < choices->count; k++) {
        struct ub_panel *panel = ub_figure_panel(f, row, (int)k);
        ub_panel_title(panel,
                       ub_frame_word(c->frame, choices->group[k].row[0], "model.parametrization"));
        ub_panel_axes(panel, "width", UB_LOG, what, UB_LOG);
        if (range.low <= range.high)
            ub_panel_range(panel, UB_VERTICAL, range.low / 1.3, range.high * 1.3);
        plot_layers(panel, c->frame, &choices->group[k], prefix);
    }
}

static bool plot_check(const struct checks *c, size_t check, struct plates *plates,
                       struct ub_error *err)
{
    struct ub_text title = {0};
    char *stem = plate_stem_of("coordinates", c->name[check], 0);
    ub_text_add(&title, "Coordinate check: %s", c->name[check]);
    struct ub_figure *f = ub_figure_new(title.data, 2, (int)c->choices[check].count);
    ub_figure_caption(f,
                      "Root mean square of each layer's activations (bottom) and of their change "
                      "since initialization (top) after the same few steps, against width.");
    plot_row(f, 0, c, check, update_prefix, "change (rms)");
    plot_row(f, 1, c, check, size_prefix, "size (rms)");
    const bool good = plates_add(
        plates, f, stem, title.data,
        "Activations and their change after the same few steps against width: flat under "
        "mup, not under sp (changes grow with width).",
        err);
    ub_text_free(&title);
    ub_free(stem);
    return good;
}

/* ---- many checks ---------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Shares of n values at or below each. */
static void plot_shares(struct ub_panel *panel, double *value, size_t n, struct ub_style style)
{
    double *share = ub_calloc(n + 1, sizeof *share);
    if (n > 1)
        qsort(value, n, sizeof *value, ascending);
    for (size_t i = 0; i < n; i++)
        share[i] = (double)(i + 1) / (double)n;
    style.staircase = true;
    ub_panel_line(panel, value, share, n, style);
    ub_free(share);
}

static void plot_exponents_of(struct ub_panel *panel, const struct checks *c, size_t word)
{
    enum { OUTPUT, LEAST, MOST, KINDS };
    static const char *const labels[KINDS] = {"output", "hidden, least", "hidden, greatest"};
    double *slope[KINDS];
    size_t n[KINDS] = {0};
    for (int k = 0; k < KINDS; k++)
        slope[k] = ub_calloc(c->groups.count + 1, sizeof(double));
    for (size_t g = 0; g < c->groups.count; g++) {
        const struct ub_rows rows = check_rows(c, g, word);
        double x[KINDS] = {[OUTPUT] = slope_of(c->frame, &rows, update_prefix, "output")};
        hidden_slopes(c->frame, &rows, &x[LEAST], &x[MOST]);
        for (int k = 0; k < KINDS; k++)
            if (isfinite(x[k]))
                slope[k][n[k]++] = x[k];
    }
    ub_panel_title(panel, c->word[word]);
    ub_panel_axes(panel, "exponent in width", UB_LINEAR, "share of checks", UB_LINEAR);
    for (int k = 0; k < KINDS; k++) {
        plot_shares(panel, slope[k], n[k], (struct ub_style){.color = k, .label = labels[k]});
        ub_free(slope[k]);
    }
    ub_panel_rule(panel, UB_VERTICAL, 0, NULL);
}

static bool plot_exponents(const struct checks *c, struct plates *plates, struct ub_error *err)
{
    struct ub_figure *f = ub_figure_new("Coordinate checks", 1, (int)c->n_words);
    ub_figure_share(f, true, true);
    for (size_t w = 0; w < c->n_words; w++)
        plot_exponents_of(ub_figure_panel(f, 0, (int)w), c, w);
    return plates_add(plates, f, "coordinates", "Coordinate checks",
                      "Exponents of the change of activations against width, over all checks: the "
                      "share of checks with at most that exponent. Flat, 0, under mup; the table "
                      "has each.",
                      err);
}

bool plot_coordinates(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct checks c = checks_of(study);
    bool good = true;
    if (c.groups.count > MOST_FIGURES)
        good = plot_exponents(&c, plates, err);
    for (size_t g = 0; good && c.groups.count <= MOST_FIGURES && g < c.groups.count; g++)
        good = plot_check(&c, g, plates, err);
    checks_clear(&c);
    return good;
}
