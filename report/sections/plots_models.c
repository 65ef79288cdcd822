/* rho of every architecture in small multiples. */
#include "report/frame/factor.h"
#include "report/sections/crowd.h"
#include "report/sections/sections.h"

#include <math.h>

enum { FEWEST_MODELS = 5, COLUMNS = 4 };

/* Controls aside: they were made to hold or to fail. */
static bool has_rho(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    const char *marks = frame->store->runs[row].control;
    return !(marks && *marks) && ub_frame_has(frame, row, "edge-ratio");
}

/* What panels came to show: for the caption. */
struct shows {
    bool lines, medians;
};

/* From initialization on; each dataset has its color in all panels. */
static void plot_model(struct ub_panel *panel, const struct ub_frame *frame,
                       const struct ub_rows *rows, const struct ub_factor *all, struct shows *shows)
{
    static const char *const by[] = {"dataset", NULL};
    struct ub_groups datasets = ub_frame_group_by(frame, rows, by);
    double top = 1.5;
    for (size_t k = 0; k < datasets.count; k++) {
        const size_t first = datasets.group[k].row[0];
        struct crowd crowd = {0};
        for (size_t i = 0; i < datasets.group[k].count; i++)
            crowd_add(&crowd, ub_frame_series(frame, datasets.group[k].row[i], "edge-ratio", 0));
        for (size_t i = 0; i < crowd.count; i++) {
            const double last = crowd.line[i].value[crowd.line[i].count - 1];
            top = isfinite(last) ? fmax(top, 1.3 * last) : top;
        }
        if (crowd.count > 0)
            crowd_draw(panel, &crowd, crowd.count > CROWD,
                       (struct ub_style){.color = (int)(all->of[first] % 8),
                                         .width = 1,
                                         .alpha = 0.85,
                                         .label = ub_frame_word(frame, first, "dataset")});
        shows->medians |= crowd.count > CROWD;
        shows->lines |= crowd.count > 0 && crowd.count <= CROWD;
        crowd_clear(&crowd);
    }
    ub_panel_range(panel, UB_VERTICAL, 0, fmin(top, 3));
    ub_panel_rule(panel, UB_HORIZONTAL, 1, NULL);
    ub_panel_axes(panel, "step", UB_LINEAR, "rho", UB_LINEAR);
    ub_groups_clear(&datasets);
}

static const char *what_is_drawn(const struct shows *shows)
{
    if (!shows->medians)
        return "one line a run";
    return shows->lines ? "one line a run; of more than 12 runs of a dataset their median, and the "
                          "band that holds 80% of their values"
                        : "the median over runs, and the band that holds 80% of their values";
}

static bool plot_models(const struct study *study, const struct ub_factor *models,
                        const struct ub_factor *datasets, struct plates *plates,
                        struct ub_error *err)
{
    static const char title[] = "Every architecture and its edge of stability";
    const size_t n = models->groups.count;
    struct ub_figure *f = ub_figure_new(title, (int)((n + COLUMNS - 1) / COLUMNS), COLUMNS);
    struct shows shows = {0};
    for (size_t k = 0; k < n; k++) {
        struct ub_panel *p = ub_figure_panel(f, (int)(k / COLUMNS), (int)(k % COLUMNS));
        ub_panel_title(p, models->name[k]);
        plot_model(p, study->frame, &models->groups.group[k], datasets, &shows);
    }
    struct ub_text caption = {0};
    ub_text_add(&caption,
                "Sharpness over the optimizer's own threshold, rho, against step, model by model, "
                "a color a dataset: %s. Dashed: the edge, rho = 1. Without controls.",
                what_is_drawn(&shows));
    ub_figure_caption(f, caption.data);
    const bool good = plates_add(plates, f, "architectures", title, caption.data, err);
    ub_text_free(&caption);
    return good;
}

bool plot_architectures(const struct study *study, struct plates *plates, struct ub_error *err)
{
    static const char *const by_model[] = {"model", NULL}, *const by_dataset[] = {"dataset", NULL};
    static const char *const *const model_rungs[] = {by_model, NULL};
    static const char *const *const dataset_rungs[] = {by_dataset, NULL};
    struct ub_rows rows = ub_frame_where(study->frame, NULL, has_rho, NULL);
    struct ub_factor models = ub_factor_new(study->frame, &rows, model_rungs, SIZE_MAX);
    struct ub_factor datasets = ub_factor_new(study->frame, &rows, dataset_rungs, SIZE_MAX);
    const bool good =
        models.groups.count < FEWEST_MODELS || plot_models(study, &models, &datasets, plates, err);
    ub_factor_clear(&models);
    ub_factor_clear(&datasets);
    ub_rows_clear(&rows);
    return good;
}

static const char *const laws[] = {"edge-of-stability", NULL};
const struct ub_section ub_section_architectures = {
    .name = "architectures",
    .laws = laws,
    .draw = plot_architectures,
};
