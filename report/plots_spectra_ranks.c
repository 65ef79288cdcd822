/* Eigenvalues against rank at the end of training: a panel a matrix with a line a model, and
 * Gauss-Newton taken apart by class. */
#include "report/spectra.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 3, MOST_PANELS = 12, MOST_KEYS = 8, COLORS = 8 };

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

/* A key's share of a panel's height, and of its width. */
static const double key_height = 0.07, key_width = 0.5;

/* ---- one spectrum ----------------------------------------------------------------------- */

static void draw_fit(struct ub_panel *panel, const double fit[EXPONENT_ROWS], struct ub_style style)
{
    double x[2] = {fit[EXPONENT_FIRST], fit[EXPONENT_LAST]}, y[2];
    if (!isfinite(fit[EXPONENT]))
        return;
    for (int i = 0; i < 2; i++)
        y[i] = fit[EXPONENT_PREFACTOR] * pow(x[i], -fit[EXPONENT]);
    style.points = false;
    style.width = 1.6;
    style.label = NULL;
    ub_panel_line(panel, x, y, 2, style);
}

void draw_spectrum(struct ub_panel *panel, const struct ub_series *values, size_t outliers,
                   const double fit[EXPONENT_ROWS], struct ub_style style)
{
    const size_t n = known_values(values);
    double *rank = ub_calloc(n + 1, sizeof *rank);
    for (size_t k = 0; k < n; k++)
        rank[k] = (double)k + 1;
    style.points = true;
    style.point_size = 1.5;
    ub_panel_line(panel, rank, values->value, n, style);
    style.label = NULL;
    style.point_size = 3.8;
    style.hollow = true;
    style.width = 1;
    if (outliers > 0)
        ub_panel_line(panel, rank, values->value, outliers < n ? outliers : n, style);
    draw_fit(panel, fit, style);
    ub_free(rank);
}

/* What a panel's keys, in its lower left corner, must leave free. */
struct room {
    size_t keys;
    double low, high; /* of all values */
    double left;      /* least value of the first ranks, which are above the keys */
};

static void room_include(struct room *r, const struct ub_series *values)
{
    const size_t n = known_values(values);
    for (size_t k = 0; k < n; k++) {
        const double v = values->value[k];
        r->low = r->high > 0 ? fmin(r->low, v) : v;
        r->high = fmax(r->high, v);
        if (k == 0 || (double)(k + 1) <= pow((double)n, key_width))
            r->left = r->left > 0 ? fmin(r->left, v) : v;
    }
}

/* The axis goes down until the first ranks are above the keys. */
static void make_room(struct ub_panel *panel, const struct room *r)
{
    const double part = key_height * (double)(r->keys + 1);
    if (r->keys == 0 || !(r->high > r->low))
        return;
    const double low = pow(r->left / pow(r->high, part), 1 / (1 - part));
    if (low < r->low)
        ub_panel_range(panel, UB_VERTICAL, low, r->high * pow(r->high / low, 0.04));
}

static void draw_key(struct ub_panel *panel, const double fit[EXPONENT_ROWS], struct ub_style style,
                     struct room *room)
{
    if (!isfinite(fit[EXPONENT]) || room->keys == MOST_KEYS)
        return;
    room->keys++;
    char *text = exponent_text(fit);
    ub_panel_key(panel, text, style);
    ub_free(text);
}

/* Legend entries for what the marks mean, once. */
static void explain_marks(struct ub_panel *panel)
{
    ub_panel_line(panel, NULL, NULL, 0,
                  (struct ub_style){.color = -1,
                                    .points = true,
                                    .hollow = true,
                                    .label = "outliers: above the largest gap"});
    ub_panel_line(panel, NULL, NULL, 0,
                  (struct ub_style){.color = -1, .label = "fitted power law, exponent"});
}

/* ---- matrices: a panel each ------------------------------------------------------------- */

static void draw_model(struct ub_panel *panel, const struct ub_trace *trace,
                       const struct matrix *matrix, size_t model, const char *label,
                       struct room *room)
{
    const double step = last_step_of(trace, matrix->values);
    const double outliers = value_at(trace, matrix->outliers, step);
    struct ub_series values = ub_trace_spectrum(trace, matrix->values, (int64_t)step);
    double fit[EXPONENT_ROWS];
    const struct ub_style style = {.color = matrix->of_data ? -1 : (int)(model % COLORS),
                                   .dashed = model >= COLORS, /* and rings for points */
                                   .hollow = model >= COLORS,
                                   .label = matrix->of_data ? "of the data" : label};
    fit_at(trace, matrix->exponent, step, fit);
    draw_spectrum(panel, &values, outliers > 0 ? (size_t)outliers : 0, fit, style);
    draw_key(panel, fit, style, room);
    room_include(room, &values);
    ub_series_clear(&values);
}

/* Vertical rules at C and C^2, where curvature is expected to fall (Papyan 2020). */
static void mark_classes(struct ub_panel *panel, size_t classes, const char *kind)
{
    if (classes == 0 || (strcmp(kind, "Hessian") != 0 && strcmp(kind, "Gauss-Newton") != 0))
        return;
    ub_panel_rule(panel, UB_VERTICAL, (double)classes, "C");
    ub_panel_rule(panel, UB_VERTICAL, (double)(classes * classes), "C\u00b2");
}

static void draw_matrix(struct ub_panel *panel, const struct spectra_group *g, const char *kind)
{
    size_t drawn = 0, classes = 0;
    struct room room = {0};
    ub_panel_title(panel, kind);
    ub_panel_axes(panel, "rank", UB_LOG, "eigenvalue", UB_LOG);
    for (size_t i = 0; i < g->count; i++) {
        const struct ub_trace *trace = group_trace(g, i);
        struct matrices set = matrices_of(trace);
        const struct matrix *m = matrix_of_kind(&set, trace, kind);
        if (m && !(m->of_data && drawn > 0)) {
            draw_model(panel, trace, m, i, group_model(g, i), &room);
            drawn++;
        }
        classes = classes ? classes : classes_of(trace);
        matrices_clear(&set);
    }
    make_room(panel, &room);
    mark_classes(panel, classes, kind);
}

struct ub_figure *draw_ranks(const struct spectra_group *g, const char *title, const char *kind,
                             size_t page)
{
    (void)kind;
    struct labels kinds = group_kinds(g, OF_SPECTRUM, false);
    const size_t from = page * MOST_PANELS, rest = from < kinds.count ? kinds.count - from : 0;
    const size_t n = rest < MOST_PANELS ? rest : MOST_PANELS;
    struct ub_figure *f = n ? panels_new(title, n) : NULL;
    for (size_t i = 0; i < n; i++) {
        draw_matrix(panels_at(f, n, i), g, kinds.text[from + i]);
        if (i + 1 == n)
            explain_marks(panels_at(f, n, i));
    }
    labels_free(&kinds);
    return f;
}

/* ---- classes ---------------------------------------------------------------------------- */

enum { PARTS = 4 };
static const struct {
    const char *row, *label;
    int color;
} parts[PARTS] = {{"class-share.class", "mostly class means", 1},
                  {"class-share.cross-class", "mostly cross-class means", 0},
                  {"class-share.within-class", "mostly within cross-classes", -1},
                  {"class-share.same-class", "mostly labels' own outputs", 2}};

/* Which part makes up most of each eigenvalue of Gauss-Newton. */
static void draw_shares(struct ub_panel *panel, const struct ub_trace *trace)
{
    struct ub_series whole = ub_trace_spectrum(trace, "class-structure.gauss-newton", -1);
    const size_t n = known_values(&whole);
    struct ub_series share[PARTS];
    double *rank = ub_calloc(n + 1, sizeof *rank), *value = ub_calloc(n + 1, sizeof *value);
    for (int p = 0; p < PARTS; p++)
        share[p] = ub_trace_spectrum(trace, parts[p].row, -1);
    for (int p = 0; p < PARTS; p++) {
        size_t count = 0;
        for (size_t k = 0; k < n; k++) {
            int most = 0;
            for (int q = 0; q < PARTS; q++)
                if (k < share[q].count &&
                    (k >= share[most].count || share[q].value[k] > share[most].value[k]))
                    most = q;
            rank[count] = (double)k + 1;
            value[count] = whole.value[k];
            count += most == p && k < share[p].count;
        }
        if (count > 0)
            ub_panel_line(panel, rank, value, count,
                          (struct ub_style){.color = parts[p].color,
                                            .points = true,
                                            .point_size = 2.2,
                                            .label = parts[p].label});
    }
    for (int p = 0; p < PARTS; p++)
        ub_series_clear(&share[p]);
    ub_series_clear(&whole);
    ub_free(rank);
    ub_free(value);
}

/* The axis ends below Gauss-Newton and the means' parts, cut where those are far below: a part of
 * low rank has tails of rounding. */
static void cut_tails(struct ub_panel *panel, const struct ub_trace *trace)
{
    static const char *const rows[] = {"class-structure.gauss-newton", "class-structure.class",
                                       "class-structure.same-mean"};
    static const double far = 1e-6;
    double most = 0, least = HUGE_VAL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ub_series values = ub_trace_spectrum(trace, rows[i], -1);
        const size_t n = known_values(&values);
        most = n ? fmax(most, values.value[0]) : most;
        for (size_t k = 0; k < n; k++)
            if (values.value[k] > far * most)
                least = fmin(least, values.value[k]);
        ub_series_clear(&values);
    }
    if (least < most)
        ub_panel_range(panel, UB_VERTICAL, least / 2, 2 * most);
}

static void draw_part(struct ub_panel *panel, const struct ub_trace *trace, const char *row,
                      struct ub_style style)
{
    struct ub_series values = ub_trace_spectrum(trace, row, -1);
    const size_t n = known_values(&values);
    double *rank = ub_calloc(n + 1, sizeof *rank);
    for (size_t k = 0; k < n; k++)
        rank[k] = (double)k + 1;
    ub_panel_line(panel, rank, values.value, n, style);
    ub_free(rank);
    ub_series_clear(&values);
}

struct ub_figure *draw_classes(const struct spectra_group *g, const char *title, const char *kind,
                               size_t page)
{
    (void)kind;
    size_t with[MOST_MODELS], n = 0;
    for (size_t i = 0; page == 0 && i < g->count; i++)
        if (classes_of(group_trace(g, i)) > 0)
            with[n++] = i;
    struct ub_figure *f = n ? panels_new(title, n) : NULL;
    for (size_t i = 0; i < n; i++) {
        const struct ub_trace *trace = group_trace(g, with[i]);
        struct ub_panel *panel = panels_at(f, n, i);
        ub_panel_title(panel, group_model(g, with[i]));
        ub_panel_axes(panel, "rank", UB_LOG, "eigenvalue", UB_LOG);
        draw_shares(panel, trace);
        draw_part(panel, trace, "class-structure.class",
                  (struct ub_style){.color = 1,
                                    .points = true,
                                    .hollow = true,
                                    .point_size = 4,
                                    .label = "eigenvalues of the class means"});
        draw_part(panel, trace, "class-structure.cross-class",
                  (struct ub_style){.color = 5, .label = "of the cross-class means"});
        draw_part(panel, trace, "class-structure.same-mean",
                  (struct ub_style){
                      .color = 2, .dashed = true, .label = "of the means of labels' own outputs"});
        cut_tails(panel, trace);
        mark_classes(panel, classes_of(trace), "Gauss-Newton");
    }
    return f;
}
