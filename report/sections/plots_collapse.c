/* rho of all systems on one axis: a panel a loss; or, of stores of many optimizers, a panel an
 * optimizer in normalized time. */
#include "report/frame/factor.h"
#include "report/sections/crowd.h"
#include "report/sections/sections.h"

#include <math.h>
#include <string.h>

enum { FEWEST_OPTIMIZERS = 5, COLUMNS = 5, COLORS = 8, MOST_MODELS = 16 };
enum { MOST_LINES = 16 /* of a panel; of more, each color's median and band */ };
static const double earliest = 0.05, latest = 20, top = 1.6;

static const char *const by_loss[] = {"loss", "loss.*", NULL};
static const char *const by_optimizer[] = {"optimizer", NULL};
static const char *const by_model[] = {"model", "model.*", NULL};
static const char *const by_model_name[] = {"model", NULL};
static const char *const *const loss_rungs[] = {by_loss, NULL};
static const char *const *const optimizer_rungs[] = {by_optimizer, NULL};
static const char *const *const model_rungs[] = {by_model, by_model_name, NULL};

bool is_about_rho(const struct ub_law_verdict *v)
{
    return v->law->series && strcmp(v->law->series, "edge-ratio") == 0;
}

struct ub_rows law_rows(const struct ub_law_verdict *v)
{
    struct ub_rows rows = {0};
    for (size_t g = 0; g < v->groups.count; g++)
        rows.count += v->groups.group[g].count;
    rows.row = ub_calloc(rows.count + 1, sizeof *rows.row);
    for (size_t g = 0, n = 0; g < v->groups.count; g++)
        for (size_t i = 0; i < v->groups.group[g].count; i++)
            rows.row[n++] = v->groups.group[g].row[i];
    return rows;
}

/* ---- both ----------------------------------------------------------------------------------- */

/* A panel a group of one factor, a color a group of the other. */
struct collapse {
    const struct study *study;
    const struct ub_law_verdict *law;
    struct ub_rows rows;
    struct ub_factor panels, colors;
    bool normalized; /* time */
};

static struct collapse collapse_new(const struct study *study, const struct ub_law_verdict *v,
                                    bool by_optimizer_too)
{
    struct collapse c = {.study = study, .law = v, .normalized = by_optimizer_too};
    c.rows = law_rows(v);
    c.panels = ub_factor_new(study->frame, &c.rows, by_optimizer_too ? optimizer_rungs : loss_rungs,
                             SIZE_MAX);
    c.colors = by_optimizer_too ? ub_factor_new(study->frame, &c.rows, model_rungs, MOST_MODELS)
                                : ub_factor_new(study->frame, &c.rows, optimizer_rungs, SIZE_MAX);
    return c;
}

static void collapse_clear(struct collapse *c)
{
    ub_factor_clear(&c->panels);
    ub_factor_clear(&c->colors);
    ub_rows_clear(&c->rows);
}

double unit_of_time(const struct ub_level *level, const struct ub_series *rho)
{
    if (level->window.reached && level->first_step > 0)
        return level->first_step;
    return rho->count ? rho->step[rho->count - 1] : 0;
}

static struct ub_series series_of(const struct collapse *c, size_t row)
{
    struct ub_series s = ub_frame_series(c->study->frame, row, c->law->law->series, 0);
    const double unit = c->normalized ? unit_of_time(&c->law->level[row], &s) : 1;
    for (size_t i = 0; i < s.count && unit > 0; i++)
        s.step[i] /= unit;
    if (!(unit > 0))
        ub_series_clear(&s);
    return s;
}

static struct ub_style style_of(const struct collapse *c, size_t color)
{
    return (struct ub_style){.color = (int)(color % COLORS),
                             .dashed = color / COLORS % 2 == 1,
                             .width = c->normalized ? 1 : 0.8,
                             .alpha = c->normalized ? 0.75 : 0.5,
                             .label = c->colors.name[color]};
}

/* Returns how many runs it shows. */
static size_t plot_panel(struct ub_panel *panel, const struct collapse *c,
                         const struct ub_rows *rows)
{
    struct crowd *crowd = ub_calloc(c->colors.groups.count + 1, sizeof *crowd);
    size_t drawn = 0;
    for (size_t i = 0; i < rows->count; i++)
        drawn += crowd_add(&crowd[c->colors.of[rows->row[i]]], series_of(c, rows->row[i]));
    for (size_t k = 0; k < c->colors.groups.count; k++) {
        if (crowd[k].count > 0)
            crowd_draw(panel, &crowd[k], drawn > MOST_LINES && crowd[k].count > 1, style_of(c, k));
        crowd_clear(&crowd[k]);
    }
    ub_free(crowd);
    return drawn;
}

static void shade_margin(struct ub_panel *panel, const struct ub_claim *is, const char *label)
{
    ub_panel_range(panel, UB_VERTICAL, 0, top);
    ub_panel_shade(panel, UB_HORIZONTAL, is->target - is->margin, is->target + is->margin,
                   (struct ub_style){.color = -1, .label = label});
}

/* ---- by loss -------------------------------------------------------------------------------- */

/* All runs of all systems on one axis, colored by optimizer. */
static bool plot_by_loss(const struct study *study, const struct ub_law_verdict *v,
                         struct plates *plates, struct ub_error *err)
{
    static const char title[] = "All systems, measured by their own edge";
    struct collapse c = collapse_new(study, v, false);
    const int columns = c.panels.groups.count ? (int)c.panels.groups.count : 1;
    struct ub_figure *f = ub_figure_new(title, 1, columns);
    ub_figure_share(f, false, true);
    size_t drawn = 0;
    for (size_t k = 0; k < c.panels.groups.count; k++) {
        struct ub_panel *panel = ub_figure_panel(f, 0, (int)k);
        ub_panel_title(panel, c.panels.name[k]);
        ub_panel_axes(panel, "step", UB_LOG, "rho = sharpness / threshold", UB_LINEAR);
        shade_margin(panel, &v->law->is, "margin");
        drawn += plot_panel(panel, &c, &c.panels.groups.group[k]);
        ub_panel_rule(panel, UB_HORIZONTAL, v->law->is.target, NULL);
    }
    collapse_clear(&c);
    if (drawn == 0) {
        ub_figure_free(f);
        return true;
    }
    return plates_add(plates, f, "collapse", title,
                      "rho of every run against step; shaded: the law's margin. Values above 1.6 "
                      "are cut. Of more than 200 runs: each optimizer's median, and the band that "
                      "holds 80% of its values.",
                      err);
}

/* ---- by optimizer --------------------------------------------------------------------------- */

static bool has_many_optimizers(const struct study *study, const struct ub_law_verdict *v)
{
    struct ub_rows rows = law_rows(v);
    struct ub_groups optimizers = ub_frame_group_by(study->frame, &rows, by_optimizer);
    const bool many = optimizers.count >= FEWEST_OPTIMIZERS;
    ub_groups_clear(&optimizers);
    ub_rows_clear(&rows);
    return many;
}

static bool plot_by_optimizer(const struct study *study, const struct ub_law_verdict *v,
                              struct plates *plates, struct ub_error *err)
{
    static const char title[] = "Every optimizer, measured by its own edge";
    struct collapse c = collapse_new(study, v, true);
    const size_t rows = (c.panels.groups.count + COLUMNS - 1) / COLUMNS;
    struct ub_figure *f = ub_figure_new(title, (int)rows, COLUMNS);
    ub_figure_share(f, true, true);
    ub_figure_caption(f,
                      "Time: step over the step from which the run keeps its level, however high "
                      "that is, or over the run's length when it has none. One line a run, or of "
                      "more than 16 each color's median and the band that holds 80% of it; "
                      "dashed rule: the edge; shaded: the law's margin.");
    for (size_t k = 0; k < c.panels.groups.count; k++) {
        struct ub_panel *p = ub_figure_panel(f, (int)(k / COLUMNS), (int)(k % COLUMNS));
        ub_panel_title(p, c.panels.name[k]);
        ub_panel_axes(p, "step / first at its level", UB_LOG, "rho", UB_LINEAR);
        ub_panel_range(p, UB_HORIZONTAL, earliest, latest);
        shade_margin(p, &v->law->is, NULL);
        ub_panel_rule(p, UB_HORIZONTAL, v->law->is.target, NULL);
        plot_panel(p, &c, &c.panels.groups.group[k]);
    }
    collapse_clear(&c);
    return plates_add(plates, f, "collapse", title,
                      "rho = sharpness / threshold in normalized time, a panel an optimizer, a "
                      "color an architecture. Values above 1.6 are cut, and times outside 0.05 to "
                      "20. Of more than 200 runs of a panel: medians, and bands that hold 80% of "
                      "the values.",
                      err);
}

bool plot_collapses(const struct study *study, struct plates *plates, struct ub_error *err)
{
    bool good = true;
    for (size_t i = 0; good && i < study->n_laws; i++) {
        const struct ub_law_verdict *v = study->laws[i];
        if (is_about_rho(v))
            good = has_many_optimizers(study, v) ? plot_by_optimizer(study, v, plates, err)
                                                 : plot_by_loss(study, v, plates, err);
    }
    return good;
}

static const char *const laws[] = {"edge-of-stability", NULL};
static const char *const draws[] = {"edge-ratio", NULL};
const struct ub_section ub_section_collapse = {
    .name = "collapse",
    .laws = laws,
    .draw = plot_collapses,
    .draws = draws,
};
