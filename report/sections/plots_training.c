/* Figures of training: sharpness against each optimizer's edge, rho of all systems on one axis, and
 * loss. */
#include "report/sections/sections.h"

#include <math.h>
#include <string.h>

enum { FEWEST_POINTS = 3 }; /* of a curve: less is no figure */

/* Pages: of sharpness for one dataset and loss; a store's traces have the rest. */
enum { MOST_ROWS = 6, MOST_COLUMNS = 4, MOST_PAGES = 2, MOST_GROUPS = 12 };
/* A spike before the edge must not flatten what happens there. */
static const double most_of_edge = 3;

/* ---- groups ----------------------------------------------------------------------------- */

/* Runs of one dataset and loss, and the models and optimizers (by name, so that every learning rate
 * of one shares a panel) among them. */
struct group {
    const struct study *study;
    const struct ub_run_spec *spec; /* stands for dataset and loss */
    struct labels models, optimizers;
};

static bool in_group(const struct group *g, const struct ub_run_spec *spec)
{
    return strcmp(spec->dataset, g->spec->dataset) == 0 && strcmp(spec->loss, g->spec->loss) == 0;
}

/* Is `call` of this name, whatever its options? */
static bool is_called(const char *call, const char *name)
{
    const size_t n = strlen(name);
    return strncmp(call, name, n) == 0 && (call[n] == '\0' || call[n] == ':');
}

/* The group that run `first` begins; false when an earlier run began it or it has no trace. */
static bool group_open(const struct study *study, size_t first, struct group *g)
{
    const struct ub_store *store = study->store;
    *g = (struct group){.study = study, .spec = &store->runs[first].spec};
    for (size_t i = 0; i < first; i++)
        if (ub_frame_has(study->frame, i, NULL) && in_group(g, &store->runs[i].spec))
            return false;
    if (!ub_frame_has(study->frame, first, NULL))
        return false;
    for (size_t i = 0; i < store->count; i++) {
        const struct ub_run_spec *spec = &store->runs[i].spec;
        if (!ub_frame_has(study->frame, i, NULL) || !in_group(g, spec))
            continue;
        char *optimizer = call_name(spec->optimizer);
        labels_add(&g->models, model_label(spec));
        labels_add(&g->optimizers, optimizer);
        ub_free(optimizer);
    }
    return true;
}

static void group_close(struct group *g)
{
    labels_free(&g->models);
    labels_free(&g->optimizers);
}

static char *stem_of(const char *what, const struct ub_run_spec *spec, size_t page)
{
    struct ub_text stem = {0};
    ub_text_add(&stem, "%s-%s-%s", what, dataset_label(spec), spec->loss);
    plate_stem(stem.data);
    if (page > 0)
        ub_text_add(&stem, "-%zu", page + 1);
    return stem.data;
}

/* ---- one cell --------------------------------------------------------------------------- */

static size_t plot_runs(struct ub_panel *panel, const struct group *g, const char *observable,
                        const char *model, const char *optimizer, bool color_by_model)
{
    size_t drawn = 0;
    for (size_t i = 0; i < g->study->store->count; i++) {
        const struct ub_run_spec *spec = &g->study->store->runs[i].spec;
        if (!ub_frame_has(g->study->frame, i, NULL) || !in_group(g, spec) ||
            (model && strcmp(model_label(spec), model) != 0) ||
            !is_called(spec->optimizer, optimizer))
            continue;
        struct ub_series s = ub_frame_series(g->study->frame, i, observable, 0);
        const size_t color = color_by_model ? labels_find(&g->models, model_label(spec)) : drawn;
        if (s.count >= FEWEST_POINTS) {
            ub_panel_line(panel, s.step, s.value, s.count,
                          (struct ub_style){.color = (int)(color % 8),
                                            .width = 1,
                                            .alpha = 0.85,
                                            .label = color_by_model ? model_label(spec) : NULL});
            drawn++;
        }
        ub_series_clear(&s);
    }
    return drawn;
}

static bool in_cell(const struct group *g, size_t run, const char *model, const char *optimizer)
{
    const struct ub_run_spec *spec = &g->study->store->runs[run].spec;
    return ub_frame_has(g->study->frame, run, NULL) && in_group(g, spec) &&
           is_called(spec->optimizer, optimizer) && strcmp(model_label(spec), model) == 0;
}

/* Where the edge is known, the axis ends at three times it unless a run ends beyond. */
static void cut_spikes(struct ub_panel *panel, const struct group *g, const char *model,
                       const char *optimizer)
{
    double edge = 0, end = 0, most = 0;
    for (size_t i = 0; i < g->study->store->count; i++) {
        if (!in_cell(g, i, model, optimizer))
            continue;
        const double threshold = ub_run_fact(&g->study->store->runs[i], "threshold");
        struct ub_series s = ub_frame_series(g->study->frame, i, "sharpness", 0);
        edge = isfinite(threshold) ? fmax(edge, threshold) : edge;
        for (size_t k = 0; k < s.count; k++)
            if (isfinite(s.value[k])) {
                most = fmax(most, s.value[k]);
                end = k + 1 == s.count ? fmax(end, s.value[k]) : end;
            }
        ub_series_clear(&s);
    }
    const double high = fmax(most_of_edge * edge, 1.3 * end);
    if (edge > 0 && most > high)
        ub_panel_range(panel, UB_VERTICAL, 0, high);
}

/* The thresholds of a cell's runs: one rule each, up to three. */
static void plot_thresholds(struct ub_panel *panel, const struct group *g, const char *model,
                            const char *optimizer)
{
    double known[3];
    int n = 0;
    for (size_t i = 0; i < g->study->store->count && n < 3; i++) {
        const struct ub_run *run = &g->study->store->runs[i];
        const double threshold = ub_run_fact(run, "threshold");
        bool again = !isfinite(threshold) || !in_cell(g, i, model, optimizer);
        for (int k = 0; k < n; k++)
            again = again || fabs(known[k] - threshold) <= 1e-9 * threshold;
        if (again)
            continue;
        known[n++] = threshold;
        char label[32];
        snprintf(label, sizeof label, "edge %.4g", threshold);
        ub_panel_rule(panel, UB_HORIZONTAL, threshold, n == 1 ? label : NULL);
    }
}

/* ---- sharpness -------------------------------------------------------------------------- */

static bool plot_sharpness_page(const struct group *g, struct plates *plates, size_t page,
                                size_t pages, size_t row, size_t column, struct ub_error *err)
{
    size_t rows = g->models.count - row, columns = g->optimizers.count - column;
    rows = rows < MOST_ROWS ? rows : MOST_ROWS;
    columns = columns < MOST_COLUMNS ? columns : MOST_COLUMNS;
    struct ub_text title = {0};
    ub_text_add(&title, "Sharpness and the edge of stability: %s, %s", dataset_label(g->spec),
                g->spec->loss);
    if (pages > 1)
        ub_text_add(&title, ", page %zu of %zu", page + 1, pages);
    struct ub_figure *f = ub_figure_new(title.data, (int)rows, (int)columns);
    ub_figure_share(f, true, false);
    ub_figure_caption(f, "Sharpness as the optimizer meets it (of P^-1 H where it preconditions) "
                         "against step, one line a run; dashed: its own stability threshold. Axes "
                         "end at three times that.");
    size_t drawn = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < columns; k++) {
            const char *model = g->models.text[row + i];
            const char *optimizer = g->optimizers.text[column + k];
            struct ub_panel *panel = ub_figure_panel(f, (int)i, (int)k);
            struct ub_text name = {0};
            ub_text_add(&name, "%s, %s", model, optimizer);
            ub_panel_title(panel, name.data);
            ub_text_free(&name);
            ub_panel_axes(panel, "step", UB_LINEAR, "sharpness", UB_LINEAR);
            drawn += plot_runs(panel, g, "sharpness", model, optimizer, false);
            plot_thresholds(panel, g, model, optimizer);
            cut_spikes(panel, g, model, optimizer);
        }
    char *stem = stem_of("sharpness", g->spec, page);
    const bool good =
        drawn
            ? plates_add(plates, f, stem, title.data,
                         page + 1 == MOST_PAGES && pages > MOST_PAGES
                             ? "Sharpness against step, model by optimizer; dashed: the threshold. "
                               "Further pages are not drawn: the store's traces have them."
                             : "Sharpness against step, model by optimizer; dashed: the threshold.",
                         err)
            : (ub_figure_free(f), true);
    ub_free(stem);
    ub_text_free(&title);
    return good;
}

static bool plot_sharpness(const struct group *g, struct plates *plates, struct ub_error *err)
{
    const size_t across = (g->optimizers.count + MOST_COLUMNS - 1) / MOST_COLUMNS;
    const size_t pages = across * ((g->models.count + MOST_ROWS - 1) / MOST_ROWS);
    for (size_t page = 0; page < pages && page < MOST_PAGES; page++)
        if (!plot_sharpness_page(g, plates, page, pages, page / across * MOST_ROWS,
                                 page % across * MOST_COLUMNS, err))
            return false;
    return true;
}

/* ---- loss ------------------------------------------------------------------------------- */

static bool plot_loss(const struct group *g, struct plates *plates, struct ub_error *err)
{
    const size_t columns = g->optimizers.count < 3 ? g->optimizers.count : 3;
    const size_t rows = (g->optimizers.count + columns - 1) / columns;
    struct ub_text title = {0};
    ub_text_add(&title, "Training loss: %s, %s", dataset_label(g->spec), g->spec->loss);
    struct ub_figure *f = ub_figure_new(title.data, (int)rows, (int)columns);
    ub_figure_share(f, true, true);
    size_t drawn = 0;
    for (size_t k = 0; k < g->optimizers.count; k++) {
        struct ub_panel *panel = ub_figure_panel(f, (int)(k / columns), (int)(k % columns));
        ub_panel_title(panel, g->optimizers.text[k]);
        ub_panel_axes(panel, "step", UB_LINEAR, "loss", UB_LOG);
        drawn += plot_runs(panel, g, "loss", NULL, g->optimizers.text[k], true);
    }
    char *stem = stem_of("loss", g->spec, 0);
    const bool good = drawn ? plates_add(plates, f, stem, title.data,
                                         "Training loss against step, one line a run.", err)
                            : (ub_figure_free(f), true);
    ub_free(stem);
    ub_text_free(&title);
    return good;
}

bool plot_training(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct group g;
    bool good = true;
    size_t groups = 0;
    plates->fold = "Sharpness and loss by dataset";
    for (size_t i = 0; good && i < study->store->count && groups < MOST_GROUPS; i++) {
        if (group_open(study, i, &g)) {
            good = plot_sharpness(&g, plates, err) && plot_loss(&g, plates, err);
            groups++;
        }
        group_close(&g);
    }
    plates->fold = NULL;
    return good;
}

/* ---- a law over all systems --------------------------------------------------------------- */

/* What all runs of a law about levels have of one axis, in order of appearance. */
static struct labels words_of(const struct study *study, const struct ub_law_verdict *v,
                              const char *axis)
{
    struct labels words = {0};
    for (size_t g = 0; g < v->groups.count; g++)
        labels_add(&words, ub_frame_word(study->frame, v->groups.group[g].row[0], axis));
    return words;
}

static struct ub_panel *collapse_panel(struct ub_figure *f, const struct ub_claim *is,
                                       const char *loss, size_t k)
{
    struct ub_panel *panel = ub_figure_panel(f, 0, (int)k);
    ub_panel_title(panel, loss);
    ub_panel_axes(panel, "step", UB_LOG, "rho = sharpness / threshold", UB_LINEAR);
    ub_panel_range(panel, UB_VERTICAL, 0, 1.6);
    ub_panel_shade(panel, UB_HORIZONTAL, is->target - is->margin, is->target + is->margin,
                   (struct ub_style){.color = -1, .label = "margin"});
    return panel;
}

static size_t plot_collapse_run(struct ub_panel *panel, const struct study *study,
                                const struct ub_law_verdict *v, size_t row, size_t color)
{
    struct ub_series s = ub_frame_series(study->frame, row, v->law->series, 0);
    const size_t count = s.count;
    ub_panel_line(panel, s.step, s.value, s.count,
                  (struct ub_style){.color = (int)(color % 8),
                                    .width = 0.8,
                                    .alpha = 0.5,
                                    .label = ub_frame_word(study->frame, row, "optimizer")});
    ub_series_clear(&s);
    return count > 0;
}

/* All runs of all systems on one axis, a panel a loss, colored by optimizer. */
static bool plot_collapse(const struct study *study, const struct ub_law_verdict *v,
                          struct plates *plates, struct ub_error *err)
{
    struct labels losses = words_of(study, v, "loss"), optimizers = words_of(study, v, "optimizer");
    struct ub_figure *f = ub_figure_new("All systems, measured by their own edge", 1,
                                        losses.count ? (int)losses.count : 1);
    ub_figure_share(f, false, true);
    for (size_t k = 0; k < losses.count; k++)
        collapse_panel(f, &v->law->is, losses.text[k], k);
    size_t drawn = 0;
    for (size_t g = 0; g < v->groups.count; g++)
        for (size_t i = 0; i < v->groups.group[g].count; i++) {
            const size_t row = v->groups.group[g].row[i];
            const char *loss = ub_frame_word(study->frame, row, "loss");
            drawn += plot_collapse_run(
                ub_figure_panel(f, 0, (int)labels_find(&losses, loss)), study, v, row,
                labels_find(&optimizers, ub_frame_word(study->frame, row, "optimizer")));
        }
    for (size_t k = 0; k < losses.count; k++)
        ub_panel_rule(ub_figure_panel(f, 0, (int)k), UB_HORIZONTAL, v->law->is.target, NULL);
    labels_free(&losses);
    labels_free(&optimizers);
    if (drawn == 0) {
        ub_figure_free(f);
        return true;
    }
    return plates_add(
        plates, f, "collapse", "All systems, measured by their own edge",
        "rho of every run against step; shaded: the law's margin. Values above 1.6 are "
        "cut.",
        err);
}

bool plot_collapses(const struct study *study, struct plates *plates, struct ub_error *err)
{
    bool good = true;
    for (size_t i = 0; good && i < study->n_laws; i++) {
        const struct ub_law_verdict *v = study->laws[i];
        if (!is_about_rho(v))
            continue;
        good = has_many_optimizers(study, v) ? plot_collapse_by_optimizer(study, v, plates, err)
                                             : plot_collapse(study, v, plates, err);
    }
    return good;
}

static bool draw(const struct study *study, struct plates *plates, struct ub_error *err)
{
    return plot_collapses(study, plates, err) && plot_training(study, plates, err);
}

const struct ub_section ub_section_training = {.name = "training", .draw = draw};
