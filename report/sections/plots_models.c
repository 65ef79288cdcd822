/* rho of every architecture in small multiples. */
#include "report/sections/sections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_MODELS = 5, COLUMNS = 4 };

static bool has_rho(const struct study *study, size_t run)
{
    return ub_frame_has(study->frame, run, "edge-ratio");
}

static char *model_name(const struct study *study, size_t run)
{
    return call_name(study->store->runs[run].spec.model);
}

/* One line a run, from initialization on; the datasets in the title. */
static void plot_model(struct ub_panel *panel, const struct study *study, const char *model)
{
    struct labels datasets = {0};
    double top = 1.5;
    for (size_t i = 0; i < study->store->count; i++) {
        char *name = model_name(study, i);
        const bool mine = has_rho(study, i) && strcmp(name, model) == 0;
        ub_free(name);
        if (!mine)
            continue;
        const struct ub_run_spec *spec = &study->store->runs[i].spec;
        char *dataset = call_name(spec->dataset);
        struct ub_series s = ub_frame_series(study->frame, i, "edge-ratio", 0);
        ub_panel_line(panel, s.step, s.value, s.count,
                      (struct ub_style){.color = (int)(labels_add(&datasets, dataset) % 8),
                                        .width = 1,
                                        .alpha = 0.85});
        double *last = s.count ? &s.value[s.count - 1] : NULL;
        if (last && isfinite(*last))
            top = fmax(top, 1.3 * *last);
        ub_series_clear(&s);
        ub_free(dataset);
    }
    struct ub_text title = {0};
    ub_text_add(&title, "%s: ", model);
    for (size_t k = 0; k < datasets.count; k++)
        ub_text_add(&title, "%s%s", k ? ", " : "", datasets.text[k]);
    ub_panel_title(panel, title.data);
    ub_panel_range(panel, UB_VERTICAL, 0, fmin(top, 3));
    ub_panel_rule(panel, UB_HORIZONTAL, 1, NULL);
    ub_panel_axes(panel, "step", UB_LINEAR, "rho", UB_LINEAR);
    ub_text_free(&title);
    labels_free(&datasets);
}

bool plot_architectures(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct labels models = {0};
    for (size_t i = 0; i < study->store->count; i++)
        if (has_rho(study, i)) {
            char *name = model_name(study, i);
            labels_add(&models, name);
            ub_free(name);
        }
    bool good = true;
    if (models.count >= FEWEST_MODELS) {
        const size_t rows = (models.count + COLUMNS - 1) / COLUMNS;
        struct ub_figure *f =
            ub_figure_new("Every architecture and its edge of stability", (int)rows, COLUMNS);
        ub_figure_caption(f, "Sharpness over the optimizer's own threshold, rho, against step; one "
                             "line a run. Dashed: the edge, rho = 1.");
        for (size_t k = 0; k < models.count; k++)
            plot_model(ub_figure_panel(f, (int)(k / COLUMNS), (int)(k % COLUMNS)), study,
                       models.text[k]);
        good =
            plates_add(plates, f, "architectures", "Every architecture and its edge of stability",
                       "Progressive sharpening towards rho = 1 (dashed), model by model; one "
                       "line a run.",
                       err);
    }
    labels_free(&models);
    return good;
}

const struct ub_section ub_section_architectures = {.name = "architectures",
                                                    .draw = plot_architectures};
