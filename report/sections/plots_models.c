/* rho of every architecture in small multiples. */
#include "report/frame/factor.h"
#include "report/sections/crowd.h"
#include "report/sections/sections.h"

#include <math.h>

enum { FEWEST_MODELS = 5, COLUMNS = 4 };

static bool has_rho(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return ub_frame_has(frame, row, "edge-ratio");
}

static void set_title(struct ub_panel *panel, const struct ub_frame *frame, const char *model,
                      const struct ub_groups *datasets)
{
    struct ub_text title = {0};
    ub_text_add(&title, "%s: ", model);
    for (size_t k = 0; k < datasets->count; k++)
        ub_text_add(&title, "%s%s", k ? ", " : "",
                    ub_frame_word(frame, datasets->group[k].row[0], "dataset"));
    ub_panel_title(panel, title.data);
    ub_text_free(&title);
}

/* From initialization on, a color a dataset; the datasets in the title. */
static void plot_model(struct ub_panel *panel, const struct ub_frame *frame,
                       const struct ub_rows *rows, const char *model)
{
    static const char *const by[] = {"dataset", NULL};
    struct ub_groups datasets = ub_frame_group_by(frame, rows, by);
    double top = 1.5;
    for (size_t k = 0; k < datasets.count; k++) {
        struct crowd crowd = {0};
        for (size_t i = 0; i < datasets.group[k].count; i++)
            crowd_add(&crowd, ub_frame_series(frame, datasets.group[k].row[i], "edge-ratio", 0));
        for (size_t i = 0; i < crowd.count; i++) {
            const double last = crowd.line[i].value[crowd.line[i].count - 1];
            top = isfinite(last) ? fmax(top, 1.3 * last) : top;
        }
        if (crowd.count > 0)
            crowd_draw(panel, &crowd, crowd.count > CROWD,
                       (struct ub_style){.color = (int)(k % 8), .width = 1, .alpha = 0.85});
        crowd_clear(&crowd);
    }
    set_title(panel, frame, model, &datasets);
    ub_panel_range(panel, UB_VERTICAL, 0, fmin(top, 3));
    ub_panel_rule(panel, UB_HORIZONTAL, 1, NULL);
    ub_panel_axes(panel, "step", UB_LINEAR, "rho", UB_LINEAR);
    ub_groups_clear(&datasets);
}

static bool plot_models(const struct study *study, const struct ub_factor *models,
                        struct plates *plates, struct ub_error *err)
{
    static const char title[] = "Every architecture and its edge of stability";
    const size_t n = models->groups.count;
    struct ub_figure *f = ub_figure_new(title, (int)((n + COLUMNS - 1) / COLUMNS), COLUMNS);
    struct ub_text caption = {0};
    ub_text_add(&caption,
                "Sharpness over the optimizer's own threshold, rho, against step; one line a run. "
                "Dashed: the edge, rho = 1. %s",
                crowd_caption);
    ub_figure_caption(f, caption.data);
    ub_text_free(&caption);
    for (size_t k = 0; k < n; k++)
        plot_model(ub_figure_panel(f, (int)(k / COLUMNS), (int)(k % COLUMNS)), study->frame,
                   &models->groups.group[k], models->name[k]);
    return plates_add(plates, f, "architectures", title,
                      "Progressive sharpening towards rho = 1 (dashed), model by model; one line a "
                      "run.",
                      err);
}

bool plot_architectures(const struct study *study, struct plates *plates, struct ub_error *err)
{
    static const char *const by[] = {"model", NULL};
    static const char *const *const rungs[] = {by, NULL};
    struct ub_rows rows = ub_frame_where(study->frame, NULL, has_rho, NULL);
    struct ub_factor models = ub_factor_new(study->frame, &rows, rungs, SIZE_MAX);
    const bool good =
        models.groups.count < FEWEST_MODELS || plot_models(study, &models, plates, err);
    ub_factor_clear(&models);
    ub_rows_clear(&rows);
    return good;
}

static const char *const laws[] = {"edge-of-stability", NULL};
const struct ub_section ub_section_architectures = {
    .name = "architectures",
    .laws = laws,
    .draw = plot_architectures,
};
