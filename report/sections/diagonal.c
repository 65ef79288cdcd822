/* All predictions without a free parameter in one plane: what theory says of a run against what
 * was measured (report/laws/plane.h). */
#include "report/sections/board.h"

#include <math.h>
#include <string.h>

enum { FEWEST = 10, COLORS = 8, MOST = 400 };

/* Of all runs of the groups that the law speaks of; of more than MOST points every so-manieth. */
static struct ub_plane points_of(const struct ub_frame *frame, const struct ub_law_verdict *v)
{
    struct ub_plane all = {0}, kept = {0};
    for (size_t g = 0; v->law->plane && g < v->groups.count; g++) {
        const struct ub_rows *group = &v->groups.group[g];
        const bool speaks = !v->data[g].why || v->data[g].against;
        for (size_t i = 0; speaks && i < group->count; i++)
            v->law->plane(frame, group->row[i], v->level ? &v->level[group->row[i]] : NULL, &all);
    }
    const size_t stride = all.count / MOST + 1;
    for (size_t i = 0; i < all.count; i += stride)
        ub_plane_add(&kept, all.predicted[i], all.measured[i]);
    ub_plane_clear(&all);
    return kept;
}

static void draw_law(struct ub_panel *p, const struct ub_law_verdict *v,
                     const struct ub_plane *points, size_t index)
{
    ub_panel_line(p, points->predicted, points->measured, points->count,
                  (struct ub_style){.color = (int)(index % COLORS),
                                    .points = true,
                                    .hollow = index >= COLORS,
                                    .point_size = 3.5,
                                    .label = v->law->name});
}

bool plot_diagonal(const struct board *board, struct plates *plates, struct ub_error *err)
{
    static const char title[] = "Theory without a free parameter";
    struct ub_figure *f = ub_figure_new(title, 1, 1);
    struct ub_panel *p = ub_figure_panel(f, 0, 0);
    double low = INFINITY, high = 0;
    size_t all = 0, laws = 0;
    for (size_t i = 0; i < board->count; i++) {
        const struct ub_law_verdict *v = board->verdict[i];
        struct ub_plane points = points_of(board->frame, v);
        for (size_t k = 0; k < points.count; k++) {
            low = fmin(low, fmin(points.predicted[k], points.measured[k]));
            high = fmax(high, fmax(points.predicted[k], points.measured[k]));
        }
        if (points.count > 0)
            draw_law(p, v, &points, laws++);
        all += points.count;
        ub_plane_clear(&points);
    }
    if (all < FEWEST) {
        ub_figure_free(f);
        return true;
    }
    const double ends[] = {low / 1.5, high * 1.5};
    ub_panel_line(p, ends, ends, 2, (struct ub_style){.color = -1, .dashed = true, .width = 1});
    ub_panel_axes(p, "predicted", UB_LOG, "measured", UB_LOG);
    ub_panel_range(p, UB_HORIZONTAL, ends[0], ends[1]);
    ub_panel_range(p, UB_VERTICAL, ends[0], ends[1]);
    ub_figure_size(f, 760, 700);
    ub_figure_caption(f, "Points: single runs at up to eight times; dashed: measured = predicted. "
                         "Nothing was fitted.");
    return plates_add(plates, f, "diagonal", title,
                      "What theories without a free parameter say of runs, in the units of their "
                      "laws, against what was measured; nothing was fitted.",
                      err);
}
