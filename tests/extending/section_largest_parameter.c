/* The largest parameter of each run: its way, and where it ends. */
#include "report/sections/sections.h"

static bool draw(const struct study *study, struct plates *plates, struct ub_error *err)
{
    size_t drawn = 0;
    struct ub_figure *f = ub_figure_new("Largest parameter", 1, 1);
    struct ub_panel *p = ub_figure_panel(f, 0, 0);
    ub_panel_axes(p, "step", UB_LINEAR, "largest parameter", UB_LINEAR);
    for (size_t i = 0; i < study->store->count; i++) {
        struct ub_series s = ub_frame_series(study->frame, i, "largest-parameter", 0);
        ub_panel_line(p, s.step, s.value, s.count, (struct ub_style){.color = (int)(i % 8)});
        drawn += s.count > 0;
        ub_series_clear(&s);
    }
    if (drawn > 0)
        return plates_add(plates, f, "largest-parameter", "Largest parameter", "Of each run.", err);
    return ub_figure_free(f), true;
}

static struct table *table(const struct study *study)
{
    struct table *t = table_new((const char *const[]){"run", "largest", NULL}, "lr");
    for (size_t i = 0; i < study->store->count; i++) {
        const double last = ub_frame_last(study->frame, i, "largest-parameter", 0);
        if (last > 0)
            table_cell(t, "%s", study->store->runs[i].label), table_real(t, last, 4);
    }
    return t;
}

static const char *const draws[] = {"largest-parameter", NULL};
const struct ub_section ub_section_largest_parameter = {.name = "largest-parameter",
                                                        .draw = draw,
                                                        .draws = draws,
                                                        .table = table,
                                                        .title = "Largest parameters",
                                                        .text = "At the end of each run."};
