/* Figures of training, for each dataset and loss: sharpness against each optimizer's edge, a panel
 * a model and optimizer, and loss, a panel an optimizer. */
#include "report/frame/factor.h"
#include "report/sections/crowd.h"
#include "report/sections/sections.h"

#include <math.h>

/* Figures of tasks, pages of panels over all of them, colors of lines: with more, coarser ones
 * serve. */
enum { MOST_TASKS = 12, MOST_PAGES = 24, PAGE = 24, COLUMNS = 4, MOST_MODELS = 8 };
enum { LOSS_COLUMNS = 3, MOST_OPTIMIZERS = 24 };
/* A spike before the edge must not flatten what happens there. */
static const double most_of_edge = 3;

/* ---- tasks: datasets and losses ------------------------------------------------------------ */

struct task {
    const struct ub_frame *frame;
    const struct ub_rows *rows;
    const char *name; /* "digits size=200, mse" */
    size_t most_cells;
};

static const char *const whole_task[] = {"dataset", "dataset.*", "data", "loss", "loss.*", NULL};
static const char *const named_task[] = {"dataset", "loss", NULL};
static const char *const loss_alone[] = {"loss", NULL};
static const char *const *const task_rungs[] = {whole_task, named_task, loss_alone, NULL};

static bool has_trace(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return ub_frame_has(frame, row, NULL);
}

/* ---- sharpness ------------------------------------------------------------------------------ */

static const char *const whole_cell[] = {"model", "model.*", "optimizer", NULL};
static const char *const named_cell[] = {"model", "optimizer", NULL};
static const char *const optimizer_alone[] = {"optimizer", NULL};
static const char *const *const cell_rungs[] = {whole_cell, named_cell, optimizer_alone, NULL};
/* By rung. Where models share a panel, each run is measured by its own edge. */
static const struct {
    bool relative;
    const char *label, *caption;
} cell_kinds[] = {
    {false, "sharpness", ""},
    {false, "sharpness", " Models that differ in options alone share a panel."},
    {true, "sharpness / threshold",
     " All models of an optimizer share a panel, each run over its own threshold; without those "
     "that have none."},
    {true, "sharpness / threshold",
     " All runs share a panel, each over its own threshold; without those that have none."},
};

/* Where the edge is known, the axis ends at three times it unless a run ends beyond. */
static void cut_spikes(struct ub_panel *panel, double edge, const struct crowd *crowd)
{
    double end = 0, most = 0;
    for (size_t i = 0; i < crowd->count; i++)
        for (size_t k = 0; k < crowd->line[i].count; k++) {
            const double value = crowd->line[i].value[k];
            if (!isfinite(value))
                continue;
            most = fmax(most, value);
            end = k + 1 == crowd->line[i].count ? fmax(end, value) : end;
        }
    const double high = fmax(most_of_edge * edge, 1.3 * end);
    if (edge > 0 && most > high)
        ub_panel_range(panel, UB_VERTICAL, 0, high);
}

/* The thresholds of a panel's runs: up to three as rules, more as the range that they span. Returns
 * the greatest; 0 when none is known. */
static double plot_thresholds(struct ub_panel *panel, const struct ub_frame *frame,
                              const struct ub_rows *rows)
{
    enum { RULES = 3 };
    double known[RULES] = {0}, low = INFINITY, high = 0;
    char label[64];
    size_t n = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const double threshold = ub_frame_number(frame, rows->row[i], "threshold");
        bool again = !isfinite(threshold);
        for (size_t k = 0; k < n && k < RULES && !again; k++)
            again = fabs(known[k] - threshold) <= 1e-9 * threshold;
        if (again)
            continue;
        low = fmin(low, threshold);
        high = fmax(high, threshold);
        if (n < RULES)
            known[n] = threshold;
        n++;
    }
    snprintf(label, sizeof label, "edge %.4g", known[0]);
    for (size_t k = 0; n <= RULES && k < n; k++)
        ub_panel_rule(panel, UB_HORIZONTAL, known[k], k == 0 ? label : NULL);
    snprintf(label, sizeof label, "edges %.3g to %.3g", low, high);
    if (n > RULES)
        ub_panel_shade(panel, UB_HORIZONTAL, low, high,
                       (struct ub_style){.color = -1, .label = label});
    return high;
}

static struct crowd crowd_of(const struct ub_frame *frame, const struct ub_rows *rows,
                             bool relative)
{
    struct crowd crowd = {0};
    for (size_t i = 0; i < rows->count; i++) {
        struct ub_series s = ub_frame_series(frame, rows->row[i], "sharpness", 0);
        const double unit = relative ? ub_frame_number(frame, rows->row[i], "threshold") : 1;
        for (size_t k = 0; k < s.count; k++)
            s.value[k] /= unit;
        if (isfinite(unit))
            crowd_add(&crowd, s);
        else
            ub_series_clear(&s);
    }
    return crowd;
}

/* Each run in its own color where there are few. */
static void draw_runs(struct ub_panel *panel, const struct crowd *crowd)
{
    const struct ub_style style = {.width = 1, .alpha = 0.85};
    if (crowd->count > CROWD) {
        crowd_draw(panel, crowd, true, style);
        return;
    }
    for (size_t i = 0; i < crowd->count; i++) {
        const struct crowd one = {.count = 1, .line = &crowd->line[i]};
        struct ub_style own = style;
        own.color = (int)(i % 8);
        crowd_draw(panel, &one, false, own);
    }
}

static size_t plot_cell(struct ub_panel *panel, const struct ub_frame *frame,
                        const struct ub_rows *rows, const char *name, size_t rung)
{
    const bool relative = cell_kinds[rung].relative;
    struct crowd crowd = crowd_of(frame, rows, relative);
    const size_t drawn = crowd.count;
    ub_panel_title(panel, name);
    ub_panel_axes(panel, "step", UB_LINEAR, cell_kinds[rung].label, UB_LINEAR);
    draw_runs(panel, &crowd);
    if (relative)
        ub_panel_rule(panel, UB_HORIZONTAL, 1, NULL);
    cut_spikes(panel, relative ? 1 : plot_thresholds(panel, frame, rows), &crowd);
    crowd_clear(&crowd);
    return drawn;
}

static bool plot_page(const struct task *t, const struct ub_factor *cells, size_t page,
                      struct plates *plates, struct ub_error *err)
{
    const size_t from = page * PAGE, left = cells->groups.count - from;
    const size_t n = left < PAGE ? left : PAGE, columns = n < COLUMNS ? n : COLUMNS;
    struct ub_text title = {0}, caption = {0};
    ub_text_add(&title, "Sharpness and the edge of stability: %s", t->name);
    if (cells->groups.count > PAGE)
        ub_text_add(&title, ", page %zu", page + 1);
    ub_text_add(&caption,
                "Sharpness as the optimizer meets it (of P^-1 H where it preconditions) against "
                "step, one line a run; dashed: its own stability threshold. Axes end at three "
                "times that. %s%s",
                crowd_caption, cell_kinds[cells->rung].caption);
    struct ub_figure *f =
        ub_figure_new(title.data, (int)((n + columns - 1) / columns), (int)columns);
    ub_figure_share(f, true, false);
    ub_figure_caption(f, caption.data);
    size_t drawn = 0;
    for (size_t k = 0; k < n; k++)
        drawn += plot_cell(ub_figure_panel(f, (int)(k / columns), (int)(k % columns)), t->frame,
                           &cells->groups.group[from + k], cells->name[from + k], cells->rung);
    char *stem = plate_stem_of("sharpness", t->name, page);
    const bool good =
        drawn
            ? plates_add(plates, f, stem, title.data,
                         "Sharpness against step, model by optimizer; dashed: the threshold.", err)
            : (ub_figure_free(f), true);
    ub_free(stem);
    ub_text_free(&title);
    ub_text_free(&caption);
    return good;
}

static bool plot_sharpness(const struct task *t, struct plates *plates, struct ub_error *err)
{
    struct ub_factor cells = ub_factor_new(t->frame, t->rows, cell_rungs, t->most_cells);
    bool good = true;
    for (size_t page = 0; good && page * PAGE < cells.groups.count; page++)
        good = plot_page(t, &cells, page, plates, err);
    ub_factor_clear(&cells);
    return good;
}

/* ---- loss ----------------------------------------------------------------------------------- */

static const char *const whole_model[] = {"model", "model.*", NULL};
static const char *const named_model[] = {"model", NULL};
static const char *const *const model_rungs[] = {whole_model, named_model, NULL};
static const char *const *const optimizer_rungs[] = {optimizer_alone, NULL};

/* Runs of one optimizer, a color a model. */
static size_t plot_losses(struct ub_panel *panel, const struct ub_frame *frame,
                          const struct ub_rows *rows, const struct ub_factor *models)
{
    struct crowd *crowd = ub_calloc(models->groups.count + 1, sizeof *crowd);
    size_t drawn = 0;
    for (size_t i = 0; i < rows->count; i++)
        drawn += crowd_add(&crowd[models->of[rows->row[i]]],
                           ub_frame_series(frame, rows->row[i], "loss", 0));
    for (size_t m = 0; m < models->groups.count; m++) {
        if (crowd[m].count > 0)
            crowd_draw(panel, &crowd[m], drawn > CROWD && crowd[m].count > 1,
                       (struct ub_style){
                           .color = (int)m, .width = 1, .alpha = 0.85, .label = models->name[m]});
        crowd_clear(&crowd[m]);
    }
    ub_free(crowd);
    return drawn;
}

static bool plot_loss(const struct task *t, struct plates *plates, struct ub_error *err)
{
    struct ub_factor optimizers =
        ub_factor_new(t->frame, t->rows, optimizer_rungs, MOST_OPTIMIZERS);
    struct ub_factor models = ub_factor_new(t->frame, t->rows, model_rungs, MOST_MODELS);
    const size_t n = optimizers.groups.count, columns = n < LOSS_COLUMNS ? n : LOSS_COLUMNS;
    struct ub_text title = {0};
    ub_text_add(&title, "Training loss: %s", t->name);
    struct ub_figure *f =
        ub_figure_new(title.data, (int)((n + columns - 1) / columns), (int)columns);
    ub_figure_share(f, true, true);
    ub_figure_caption(f, crowd_caption);
    size_t drawn = 0;
    for (size_t k = 0; k < n; k++) {
        struct ub_panel *panel = ub_figure_panel(f, (int)(k / columns), (int)(k % columns));
        ub_panel_title(panel, optimizers.name[k]);
        ub_panel_axes(panel, "step", UB_LINEAR, "loss", UB_LOG);
        drawn += plot_losses(panel, t->frame, &optimizers.groups.group[k], &models);
    }
    char *stem = plate_stem_of("loss", t->name, 0);
    const bool good = drawn ? plates_add(plates, f, stem, title.data,
                                         "Training loss against step, one line a run.", err)
                            : (ub_figure_free(f), true);
    ub_free(stem);
    ub_text_free(&title);
    ub_factor_clear(&optimizers);
    ub_factor_clear(&models);
    return good;
}

/* ---- both ----------------------------------------------------------------------------------- */

static bool plot_training(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct ub_rows rows = ub_frame_where(study->frame, NULL, has_trace, NULL);
    struct ub_factor tasks = ub_factor_new(study->frame, &rows, task_rungs, MOST_TASKS);
    const size_t pages = tasks.groups.count ? MOST_PAGES / tasks.groups.count : 1;
    bool good = true;
    plates->fold = "Sharpness and loss by dataset";
    for (size_t k = 0; good && k < tasks.groups.count; k++) {
        const struct task t = {study->frame, &tasks.groups.group[k], tasks.name[k], pages * PAGE};
        good = plot_sharpness(&t, plates, err) && plot_loss(&t, plates, err);
    }
    plates->fold = NULL;
    ub_factor_clear(&tasks);
    ub_rows_clear(&rows);
    return good;
}

static const char *const draws[] = {"loss", "sharpness", NULL};
const struct ub_section ub_section_training = {
    .name = "training", .draw = plot_training, .draws = draws};
