/* The time of weight decay: test loss against 1/(rate x decay) in passes, a line a size of the
 * training set. */
#include "report/laws/decay_time.h"
#include "report/sections/sections.h"

#include <math.h>

extern const struct ub_section ub_section_decay_time;

enum { COLUMNS = 4, MOST_PANELS = 12, MOST_POINTS = 32, COLORS = 8 };
static const char *const over_decays[] = {"optimizer.decay", "optimizer.l2", NULL};
static const char *const no_axis[] = {NULL};

/* Geometric mean of the test loss over seeds; NAN where some has none. */
static double mean_loss(const struct ub_frame *frame, const struct ub_rows *runs)
{
    double sum = 0;
    for (size_t i = 0; i < runs->count; i++)
        sum += log(ub_run_last(frame, runs->row[i], "test-loss"));
    return exp(sum / (double)runs->count);
}

/* Losses over the least of them by time, ascending. */
static void plot_size(struct ub_panel *panel, const struct ub_frame *frame,
                      const struct ub_rows *rows, int color)
{
    double tau[MOST_POINTS], loss[MOST_POINTS], least = INFINITY;
    size_t n = 0;
    struct ub_groups runs = ub_frame_group(frame, rows, no_axis);
    for (size_t g = 0; g < runs.count && n < MOST_POINTS; g++) {
        const double at = ub_run_decay_epochs(frame, runs.group[g].row[0]);
        const double value = mean_loss(frame, &runs.group[g]);
        if (!isfinite(at) || !isfinite(value))
            continue;
        least = fmin(least, value);
        size_t k = n++;
        for (; k > 0 && tau[k - 1] > at; k--) {
            tau[k] = tau[k - 1];
            loss[k] = loss[k - 1];
        }
        tau[k] = at;
        loss[k] = value;
    }
    ub_groups_clear(&runs);
    for (size_t k = 0; k < n; k++)
        loss[k] /= least;
    char label[32];
    snprintf(label, sizeof label, "n = %g", ub_frame_number(frame, rows->row[0], "dataset.size"));
    struct ub_style style = {.color = color, .width = 1.5, .label = label};
    ub_panel_line(panel, tau, loss, n, style);
    style.label = NULL;
    style.points = true;
    style.point_size = 4;
    ub_panel_line(panel, tau, loss, n, style);
}

static void plot_system(struct ub_panel *panel, const struct ub_frame *frame,
                        const struct ub_rows *group)
{
    struct ub_rows sorted = ub_frame_sort(frame, group, "dataset.size");
    struct ub_groups sizes = ub_frame_group(frame, &sorted, over_decays);
    for (size_t g = 0; g < sizes.count; g++)
        plot_size(panel, frame, &sizes.group[g], (int)(g % COLORS));
    ub_groups_clear(&sizes);
    ub_rows_clear(&sorted);
    ub_panel_axes(panel, "1/(rate x decay), passes", UB_LOG, "test loss / least", UB_LOG);
}

static bool plot_decay_time(const struct study *study, struct plates *plates, struct ub_error *err)
{
    const struct ub_law_verdict *v = section_verdict(&ub_section_decay_time, study);
    if (!v)
        return true;
    const size_t all = v->groups.count + v->controls.count;
    const int panels = all < MOST_PANELS ? (int)all : MOST_PANELS;
    struct ub_figure *f =
        ub_figure_new("The time of weight decay", (panels + COLUMNS - 1) / COLUMNS,
                      panels < COLUMNS ? panels : COLUMNS);
    for (int k = 0; k < panels; k++) {
        const size_t g = (size_t)k;
        const bool control = g >= v->groups.count;
        const size_t c = control ? g - v->groups.count : 0;
        struct ub_panel *panel = ub_figure_panel(f, k / COLUMNS, k % COLUMNS);
        ub_panel_title(panel, !control                            ? v->names[g]
                              : v->control[c] == UB_CONTROL_HOLDS ? "control: holds"
                                                                  : "control: fails");
        plot_system(panel, study->frame, control ? &v->controls.group[c] : &v->groups.group[g]);
    }
    ub_figure_caption(f, "Geometric means over seeds; a line a size of the training set.");
    return plates_add(plates, f, "decay-time", "The time of weight decay",
                      "Test loss over the least at each size against 1/(rate x decay) in passes "
                      "over the training set: minima are above each other where the law holds.",
                      err);
}

static const char *const laws[] = {"weight-decay-time", NULL};
const struct ub_section ub_section_decay_time = {
    .name = "decay-time",
    .laws = laws,
    .draw = plot_decay_time,
};
