/* All predictions without a free parameter in one plane: what theory says of a group against what
 * was measured. Laws whose groups bring no prediction of their own have nothing to show here. */
#include "report/sections/board.h"

#include <math.h>
#include <string.h>

enum { FEWEST = 10, COLORS = 8 };

static size_t pairs_of(const struct ub_law_verdict *v, double *predicted, double *measured)
{
    size_t n = 0;
    for (size_t g = 0; g < v->groups.count; g++) {
        const struct ub_datum *d = &v->data[g];
        if (d->why || !d->predicts || !(d->value > 0) || !(d->prediction > 0))
            continue;
        predicted[n] = d->prediction;
        measured[n++] = d->value;
    }
    return n;
}

static void draw_law(struct ub_panel *p, const struct ub_law_verdict *v, const double *x,
                     const double *y, size_t n, size_t index)
{
    ub_panel_line(p, x, y, n,
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
        double *x = ub_calloc(2 * v->groups.count + 2, sizeof *x), *y = x + v->groups.count;
        const size_t n = pairs_of(v, x, y);
        for (size_t k = 0; k < n; k++) {
            low = fmin(low, fmin(x[k], y[k]));
            high = fmax(high, fmax(x[k], y[k]));
        }
        if (n > 0)
            draw_law(p, v, x, y, n, laws++);
        all += n;
        ub_free(x);
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
    ub_figure_caption(f, "One point a system; dashed: measured = predicted. Nothing was fitted.");
    return plates_add(plates, f, "diagonal", title,
                      "Each prediction that laws make of single systems, in the units of its law, "
                      "against what was measured; nothing was fitted.",
                      err);
}
