/* Batch sharpness against step beside the full batch's sharpness, a panel a system. */
#include "report/sections/batches.h"
#include "report/sections/crowd.h"

#include <math.h>

enum { PAGE = 30, MOST_PAGES = 4, COLUMNS = 5 };
enum kind { OF_BATCHES, OF_ALL, KINDS };
static const struct {
    const char *observable, *label;
} kinds[KINDS] = {{"batch-sharpness", "batch sharpness"}, {"sharpness", "full-batch sharpness"}};

/* ---- one panel ------------------------------------------------------------------------------ */

/* Series over 2/lr of all runs of the recipes that have these rows. */
static struct crowd crowd_of(const struct recipes *r, const struct ub_rows *rows, enum kind kind)
{
    struct crowd crowd = {0};
    for (size_t i = 0; i < rows->count; i++) {
        const struct ub_rows *runs = &r->study->systems.group[r->of[r->at[rows->row[i]]].system];
        for (size_t k = 0; k < runs->count; k++) {
            if (!batch_is_measured(r->study, runs->row[k]))
                continue;
            struct ub_series s =
                ub_frame_series(r->study->frame, runs->row[k], kinds[kind].observable, 0);
            for (size_t n = 0; n < s.count; n++)
                s.value[n] *= ub_frame_number(r->study->frame, runs->row[k], "lr") / 2;
            crowd_add(&crowd, s);
        }
    }
    return crowd;
}

/* From 0 to above the edge and 98% of what there is. Returns how much lies beyond. */
static size_t fit_axis(struct ub_panel *panel, double edge, const struct crowd crowd[KINDS])
{
    double *value = NULL, low = 0;
    size_t n = 0, beyond = 0;
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < crowd[kind].count; i++) {
            const struct ub_series *s = &crowd[kind].line[i];
            value = ub_realloc(value, (n + s->count + 1) * sizeof *value);
            for (size_t k = 0; k < s->count; k++)
                if (isfinite(s->value[k]))
                    value[n++] = s->value[k];
        }
    const double high = fmax(1.6 * fmax(1, edge), n ? 1.1 * ub_quantile(value, n, 0.98) : 0);
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, value[i]);
        beyond += value[i] > high;
    }
    ub_panel_range(panel, UB_VERTICAL, 1.1 * low, high);
    ub_free(value);
    return beyond;
}

/* Rules at edges that all of the panel's recipes have. Returns the greatest of all. */
static double plot_edges(struct ub_panel *panel, const struct recipes *r,
                         const struct ub_rows *rows)
{
    const struct recipe *first = &r->of[r->at[rows->row[0]]];
    const double small = small_edge(first), large = large_edge(first);
    bool same_small = isfinite(small), same_large = true;
    double most = large;
    for (size_t i = 1; i < rows->count; i++) {
        const struct recipe *recipe = &r->of[r->at[rows->row[i]]];
        same_small = same_small && small_edge(recipe) == small;
        same_large = same_large && large_edge(recipe) == large;
        most = fmax(most, large_edge(recipe));
    }
    if (same_small)
        ub_panel_rule(panel, UB_HORIZONTAL, small, NULL);
    if (same_large)
        ub_panel_rule(panel, UB_HORIZONTAL, large, NULL);
    return most;
}

static size_t plot_panel(struct ub_panel *panel, const struct recipes *r,
                         const struct ub_rows *rows, const char *title)
{
    struct crowd crowd[KINDS];
    ub_panel_title(panel, title);
    ub_panel_axes(panel, "step", UB_LINEAR, "over 2/lr", UB_LINEAR);
    const double edge = plot_edges(panel, r, rows);
    for (int kind = 0; kind < KINDS; kind++) {
        crowd[kind] = crowd_of(r, rows, (enum kind)kind);
        if (crowd[kind].count > 0)
            crowd_draw(panel, &crowd[kind], crowd[kind].count > CROWD,
                       (struct ub_style){.color = kind,
                                         .width = 1.2,
                                         .alpha = 0.8,
                                         .dashed = kind == OF_ALL,
                                         .label = kinds[kind].label});
    }
    const size_t beyond = fit_axis(panel, edge, crowd);
    for (int kind = 0; kind < KINDS; kind++)
        crowd_clear(&crowd[kind]);
    return beyond;
}

/* ---- pages ---------------------------------------------------------------------------------- */

/* "batch 8, beta=0 lr=0.4" of a system; of several what tells them from the other panels. */
static char *title_of(const struct recipes *r, const struct ub_groups *panels, size_t k,
                      size_t rung)
{
    if (rung > 0)
        return ub_frame_group_name(r->study->frame, panels, k);
    const struct recipe *recipe = &r->of[r->at[panels->group[k].row[0]]];
    struct ub_text title = {0};
    char *line = line_name(r, recipe->line);
    ub_text_add(&title, "batch %g, %s", recipe->batch, line);
    ub_free(line);
    return title.data;
}

static bool plot_page(const struct recipes *r, const struct ub_groups *panels, size_t rung,
                      size_t from, struct plates *plates, struct ub_error *err)
{
    static const char heading[] = "Batch sharpness at its edge";
    const size_t n = panels->count - from < PAGE ? panels->count - from : PAGE;
    const size_t columns = n < COLUMNS ? n : COLUMNS, rows = (n + columns - 1) / columns;
    struct ub_figure *f = ub_figure_new(heading, (int)rows, (int)columns);
    struct ub_text caption = {0}, stem = {0};
    size_t beyond = 0;
    for (size_t k = 0; k < n; k++) {
        char *title = title_of(r, panels, from + k, rung);
        beyond += plot_panel(ub_figure_panel(f, (int)(k / columns), (int)(k % columns)), r,
                             &panels->group[from + k], title);
        ub_free(title);
    }
    ub_text_add(&caption, "Over 2/lr, one line a run. Dashed rules: 2(1 - beta)/lr and "
                          "2(1 + beta)/lr.");
    if (rung > 0)
        ub_text_add(&caption, " Systems share panels. %s", crowd_caption);
    if (beyond > 0)
        ub_text_add(&caption, " %zu measurements lie above their axis.", beyond);
    ub_figure_caption(f, caption.data);
    ub_text_add(&stem, from ? "batch-sharpness-%zu" : "batch-sharpness", from / PAGE + 1);
    const bool good = plates_add(plates, f, stem.data, heading,
                                 "Batch sharpness and the full batch's largest eigenvalue over "
                                 "2/lr against step, a panel a system (of more than 120, several); "
                                 "axes end above 98% of what was measured.",
                                 err);
    ub_text_free(&caption);
    ub_text_free(&stem);
    return good;
}

bool plot_batch_steps(const struct recipes *r, struct plates *plates, struct ub_error *err)
{
    size_t rung;
    struct ub_groups panels = batch_panels(r, true, (size_t)PAGE * MOST_PAGES, &rung);
    bool good = true;
    for (size_t from = 0; good && from < panels.count; from += PAGE)
        good = plot_page(r, &panels, rung, from, plates, err);
    ub_groups_clear(&panels);
    return good;
}
