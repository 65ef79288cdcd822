/* Figures of training, for each dataset and loss: sharpness against each optimizer's edge, a panel
 * a model and optimizer, and loss, a panel an optimizer. */
#include "report/frame/factor.h"
#include "report/sections/crowd.h"
#include "report/sections/sections.h"
#include "report/statistics/statistics.h"

#include <math.h>

/* Figures of tasks, pages of panels over all of them, colors of lines: with more, coarser ones
 * serve. */
enum { MOST_TASKS = 12, MOST_PAGES = 24, PAGE = 24, COLUMNS = 4, MOST_MODELS = 8 };
enum { LOSS_COLUMNS = 3, MOST_OPTIMIZERS = 24, MOST_COLORS = 8 };
/* A spike before the edge must not flatten what happens there. */
static const double most_of_edge = 3;

/* ---- tasks: datasets and losses ------------------------------------------------------------ */

struct task {
    const struct ub_frame *frame;
    const struct ub_rows *rows;
    const char *name;            /* "digits size=200, mse" */
    size_t most_cells, measured; /* measured: rows that have a line */
};

static const char *const whole_task[] = {"dataset", "dataset.*", "data", "loss", "loss.*", NULL};
static const char *const named_task[] = {"dataset", "loss", NULL};
static const char *const loss_alone[] = {"loss", NULL};
static const char *const *const task_rungs[] = {whole_task, named_task, loss_alone, NULL};

/* Enough of an observable for a line; NULL: of any that is drawn here. */
static bool has_line(const struct ub_frame *frame, size_t row, const void *context)
{
    enum { FEWEST = 3 };
    if (!context)
        return has_line(frame, row, "sharpness") || has_line(frame, row, "loss");
    if (!ub_frame_has(frame, row, context))
        return false;
    struct ub_series s = ub_frame_series(frame, row, context, 0);
    const bool has = s.count >= FEWEST;
    ub_series_clear(&s);
    return has;
}

/* For a caption: a panel that would show nothing is not there. */
static void add_left_out(struct ub_text *caption, size_t left_out, const char *observable)
{
    if (left_out > 0)
        ub_text_add(caption, " Left out: %zu run%s with fewer than three measurements of the %s.",
                    left_out, left_out == 1 ? "" : "s", observable);
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

/* Where the edge is known, the axis ends at three times it unless runs end beyond, or are there for
 * more than a tenth of the time. */
static void cut_spikes(struct ub_panel *panel, double edge, const struct crowd *crowd)
{
    double end = 0, most = 0;
    size_t n = 0;
    for (size_t i = 0; i < crowd->count; i++)
        n += crowd->line[i].count;
    double *all = ub_calloc(n + 1, sizeof *all);
    n = 0;
    for (size_t i = 0; i < crowd->count; i++)
        for (size_t k = 0; k < crowd->line[i].count; k++) {
            const double value = crowd->line[i].value[k];
            if (!isfinite(value))
                continue;
            all[n++] = value;
            most = fmax(most, value);
            end = k + 1 == crowd->line[i].count ? fmax(end, value) : end;
        }
    const double usual = n > 0 ? ub_quantile(all, n, 0.9) : 0;
    const double high = fmax(most_of_edge * edge, 1.3 * fmax(end, usual));
    if (edge > 0 && most > high)
        ub_panel_range(panel, UB_VERTICAL, 0, high);
    ub_free(all);
}

/* Colors of a task's runs: by learning rate where a panel has several, and all not too many; else
 * by run. */
struct colors {
    bool by_rate;
    struct ub_factor rates;
};

static bool has_rates(const struct ub_factor *cells, const struct ub_factor *rates)
{
    for (size_t k = 0; k < cells->groups.count; k++) {
        const struct ub_rows *rows = &cells->groups.group[k];
        for (size_t i = 1; i < rows->count; i++)
            if (rates->of[rows->row[i]] != rates->of[rows->row[0]])
                return true;
    }
    return false;
}

static struct colors colors_of(const struct task *t, const struct ub_rows *rows,
                               const struct ub_factor *cells)
{
    static const char *const rate[] = {"optimizer.lr", NULL};
    static const char *const *const rungs[] = {rate, NULL};
    struct colors c = {.rates = ub_factor_new(t->frame, rows, rungs, MOST_COLORS)};
    c.by_rate = c.rates.rung == 0 && has_rates(cells, &c.rates);
    return c;
}

/* Of the i-th run of a panel. */
static int color_of(const struct colors *c, const struct ub_rows *rows, size_t i)
{
    return (int)(c->by_rate ? c->rates.of[rows->row[i]] : i % MOST_COLORS);
}

/* The different thresholds of a panel's runs, ascending by their first run. */
struct thresholds {
    size_t count;
    double low, high;
    double value[CROWD];
    int color[CROWD];
};

static struct thresholds thresholds_of(const struct ub_frame *frame, const struct ub_rows *rows,
                                       const struct colors *colors)
{
    struct thresholds t = {.low = INFINITY};
    for (size_t i = 0; i < rows->count; i++) {
        const double threshold = ub_frame_number(frame, rows->row[i], "threshold");
        bool again = !isfinite(threshold);
        for (size_t k = 0; k < t.count && k < CROWD && !again; k++)
            again = fabs(t.value[k] - threshold) <= 1e-9 * threshold;
        if (again)
            continue;
        t.low = fmin(t.low, threshold);
        t.high = fmax(t.high, threshold);
        if (t.count < CROWD) {
            t.value[t.count] = threshold;
            t.color[t.count] = color_of(colors, rows, i);
        }
        t.count++;
    }
    return t;
}

/* One in ink, several each in the color of its runs; of more than have colors, or of runs that are
 * a summary, the range that they span. Returns the greatest; 0 when none is known. */
static double plot_thresholds(struct ub_panel *panel, const struct ub_frame *frame,
                              const struct ub_rows *rows, const struct colors *colors)
{
    const struct thresholds t = thresholds_of(frame, rows, colors);
    char label[64];
    if (t.count == 1) {
        snprintf(label, sizeof label, t.low < 1e5 ? "edge %.4g" : "edge %.2e", t.low);
        ub_panel_rule(panel, UB_HORIZONTAL, t.low, label);
    } else if (t.count > MOST_COLORS || rows->count > CROWD) {
        snprintf(label, sizeof label, "edges %.3g to %.3g", t.low, t.high);
        if (t.count > 0)
            ub_panel_shade(panel, UB_HORIZONTAL, t.low, t.high,
                           (struct ub_style){.color = -1, .label = label});
    } else {
        for (size_t k = 0; k < t.count; k++)
            ub_panel_rule_of(panel, UB_HORIZONTAL, t.value[k],
                             (struct ub_style){.color = t.color[k]});
    }
    return t.high;
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

static void draw_runs(struct ub_panel *panel, const struct crowd *crowd, const struct ub_rows *rows,
                      const struct colors *colors)
{
    const struct ub_style style = {.width = 1, .alpha = 0.85};
    if (crowd->count > CROWD) {
        crowd_draw(panel, crowd, true, style);
        return;
    }
    for (size_t i = 0; i < crowd->count; i++) {
        const struct crowd one = {.count = 1, .line = &crowd->line[i]};
        struct ub_style own = style;
        own.color = color_of(colors, rows, i);
        own.label = colors->by_rate ? colors->rates.name[own.color] : NULL;
        crowd_draw(panel, &one, false, own);
    }
}

/* Runs without a threshold have no line where all are held against theirs. */
static bool has_threshold(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return isfinite(ub_frame_number(frame, row, "threshold"));
}

static size_t plot_cell(struct ub_panel *panel, const struct ub_frame *frame,
                        const struct ub_rows *all, const char *name, size_t rung,
                        const struct colors *colors)
{
    const bool relative = cell_kinds[rung].relative;
    struct ub_rows rows = ub_frame_where(frame, all, relative ? has_threshold : has_line,
                                         relative ? NULL : "sharpness");
    struct crowd crowd = crowd_of(frame, &rows, relative);
    const size_t drawn = crowd.count;
    ub_panel_title(panel, name);
    ub_panel_axes(panel, "step", UB_LINEAR, cell_kinds[rung].label, UB_LINEAR);
    draw_runs(panel, &crowd, &rows, colors);
    if (relative)
        ub_panel_rule(panel, UB_HORIZONTAL, 1, NULL);
    cut_spikes(panel, relative ? 1 : plot_thresholds(panel, frame, &rows, colors), &crowd);
    crowd_clear(&crowd);
    ub_rows_clear(&rows);
    return drawn;
}

static bool plot_page(const struct task *t, const struct ub_factor *cells,
                      const struct colors *colors, size_t page, struct plates *plates,
                      struct ub_error *err)
{
    const size_t from = page * PAGE, left = cells->groups.count - from;
    const size_t n = left < PAGE ? left : PAGE, columns = n < COLUMNS ? n : COLUMNS;
    struct ub_text title = {0}, caption = {0};
    ub_text_add(&title, "Sharpness and the edge of stability: %s", t->name);
    if (cells->groups.count > PAGE)
        ub_text_add(&title, ", page %zu", page + 1);
    ub_text_add(&caption,
                "Sharpness as the optimizer meets it (of P^-1 H where it preconditions) against "
                "step, one line a run%s; dashed: its own stability threshold. Axes end at three "
                "times that, arrows where lines go on beyond. %s%s",
                colors->by_rate ? ", a color a learning rate" : "", crowd_caption,
                cell_kinds[cells->rung].caption);
    add_left_out(&caption, t->rows->count - t->measured, "sharpness");
    struct ub_figure *f =
        ub_figure_new(title.data, (int)((n + columns - 1) / columns), (int)columns);
    ub_figure_share(f, true, false);
    ub_figure_caption(f, caption.data);
    size_t drawn = 0;
    for (size_t k = 0; k < n; k++)
        drawn +=
            plot_cell(ub_figure_panel(f, (int)(k / columns), (int)(k % columns)), t->frame,
                      &cells->groups.group[from + k], cells->name[from + k], cells->rung, colors);
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
    struct ub_rows rows = ub_frame_where(t->frame, t->rows, has_line, "sharpness");
    struct ub_factor cells = ub_factor_new(t->frame, &rows, cell_rungs, t->most_cells);
    struct colors colors = colors_of(t, &rows, &cells);
    const struct task own = {t->frame, t->rows, t->name, t->most_cells, rows.count};
    bool good = true;
    for (size_t page = 0; good && page * PAGE < cells.groups.count; page++)
        good = plot_page(&own, &cells, &colors, page, plates, err);
    ub_factor_clear(&cells);
    ub_factor_clear(&colors.rates);
    ub_rows_clear(&rows);
    return good;
}

/* ---- loss ----------------------------------------------------------------------------------- */

static const char *const whole_model[] = {"model", "model.*", NULL};
static const char *const named_model[] = {"model", NULL};
static const char *const *const model_rungs[] = {whole_model, named_model, NULL};
static const char *const *const optimizer_rungs[] = {optimizer_alone, NULL};

/* Whether the shortest panel's steps are seen beside the longest's. */
static bool steps_compare(const struct ub_frame *frame, const struct ub_factor *optimizers)
{
    const double most_ratio = 5;
    double least = INFINITY, most = 0;
    for (size_t k = 0; k < optimizers->groups.count; k++) {
        const struct ub_rows *rows = &optimizers->groups.group[k];
        double longest = 0;
        for (size_t i = 0; i < rows->count; i++)
            longest = fmax(longest, ub_frame_number(frame, rows->row[i], "steps"));
        least = fmin(least, longest);
        most = fmax(most, longest);
    }
    return most <= most_ratio * least;
}

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
    struct ub_rows rows = ub_frame_where(t->frame, t->rows, has_line, "loss");
    if (rows.count == 0) { /* only sharpness was measured */
        ub_rows_clear(&rows);
        return true;
    }
    struct ub_factor optimizers = ub_factor_new(t->frame, &rows, optimizer_rungs, MOST_OPTIMIZERS);
    struct ub_factor models = ub_factor_new(t->frame, &rows, model_rungs, MOST_MODELS);
    const size_t n = optimizers.groups.count, columns = n < LOSS_COLUMNS ? n : LOSS_COLUMNS;
    struct ub_text title = {0}, caption = {0};
    ub_text_add(&title, "Training loss: %s", t->name);
    ub_text_add(&caption, "%s", crowd_caption);
    add_left_out(&caption, t->rows->count - rows.count, "loss");
    struct ub_figure *f =
        ub_figure_new(title.data, (int)((n + columns - 1) / columns), (int)columns);
    ub_figure_share(f, steps_compare(t->frame, &optimizers), true);
    ub_figure_caption(f, caption.data);
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
    ub_text_free(&caption);
    ub_factor_clear(&optimizers);
    ub_factor_clear(&models);
    ub_rows_clear(&rows);
    return good;
}

/* ---- both ----------------------------------------------------------------------------------- */

static bool plot_training(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct ub_rows rows = ub_frame_where(study->frame, NULL, has_line, NULL);
    struct ub_factor tasks = ub_factor_new(study->frame, &rows, task_rungs, MOST_TASKS);
    const size_t pages = tasks.groups.count ? MOST_PAGES / tasks.groups.count : 1;
    bool good = true;
    plates->fold = "Sharpness and loss by dataset";
    for (size_t k = 0; good && k < tasks.groups.count; k++) {
        const struct task t = {study->frame, &tasks.groups.group[k], tasks.name[k], pages * PAGE,
                               0};
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
