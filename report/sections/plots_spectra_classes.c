/* Gauss-Newton taken apart by class, a panel a model. */
#include "report/sections/spectra.h"

#include <math.h>

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
