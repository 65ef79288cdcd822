/* Grokking: accuracies over time, a color a decay; and delays against decays. */
#include "report/laws/grokking.h"
#include "report/sections/sections.h"

#include <math.h>

extern const struct ub_section ub_section_grokking;

enum { COLUMNS = 4, MOST_PANELS = 12, MOST_DECAYS = 16, COLORS = 8 };
static const char *const no_axis[] = {NULL};

/* A system's runs by decay, ascending. */
struct sweep {
    struct ub_groups runs;
    size_t n;
    size_t order[MOST_DECAYS];
    double decay[MOST_DECAYS];
};

static struct sweep sweep_of(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct sweep s = {.runs = ub_frame_group(frame, group, no_axis)};
    for (size_t g = 0; g < s.runs.count && s.n < MOST_DECAYS; g++) {
        const double decay = ub_run_decay(frame, s.runs.group[g].row[0]);
        size_t k = s.n++;
        for (; k > 0 && s.decay[k - 1] > decay; k--) {
            s.decay[k] = s.decay[k - 1];
            s.order[k] = s.order[k - 1];
        }
        s.decay[k] = decay;
        s.order[k] = g;
    }
    return s;
}

static const struct ub_rows *runs_at(const struct sweep *s, size_t decay)
{
    return &s->runs.group[s->order[decay]];
}

/* ---- accuracies ----------------------------------------------------------------------------- */

/* Mean over the seeds that measured at the first one's steps. */
static void plot_mean(struct ub_panel *panel, const struct ub_frame *frame,
                      const struct ub_rows *runs, const char *observable, struct ub_style style)
{
    struct ub_series mean = ub_frame_series(frame, runs->row[0], observable, 0);
    size_t n = 1;
    for (size_t i = 1; i < runs->count; i++) {
        struct ub_series s = ub_frame_series(frame, runs->row[i], observable, 0);
        for (size_t k = 0; s.count == mean.count && k < s.count; k++)
            mean.value[k] += s.value[k];
        n += s.count == mean.count;
        ub_series_clear(&s);
    }
    for (size_t k = 0; k < mean.count; k++) {
        mean.value[k] /= (double)n;
        mean.step[k] += 1; /* the start is on a logarithmic axis, too */
    }
    ub_panel_line(panel, mean.step, mean.value, mean.count, style);
    ub_series_clear(&mean);
}

static void plot_accuracies(struct ub_panel *panel, const struct ub_frame *frame,
                            const struct ub_rows *group)
{
    struct sweep s = sweep_of(frame, group);
    for (size_t k = 0; k < s.n; k++) {
        char label[32];
        snprintf(label, sizeof label, "%g", s.decay[k]);
        struct ub_style style = {.color = (int)(k % COLORS), .width = 1.5, .label = label};
        plot_mean(panel, frame, runs_at(&s, k), "test-accuracy", style);
        style.label = NULL;
        style.dashed = true;
        style.alpha = 0.6;
        plot_mean(panel, frame, runs_at(&s, k), "accuracy", style);
    }
    ub_panel_axes(panel, "step + 1", UB_LOG, "accuracy", UB_LINEAR);
    ub_panel_range(panel, UB_VERTICAL, 0, 1.05);
    ub_panel_rule(panel, UB_HORIZONTAL, UB_GROKKED, NULL);
    ub_groups_clear(&s.runs);
}

static bool plot_time(const struct study *study, const struct ub_law_verdict *v,
                      struct plates *plates, struct ub_error *err)
{
    const size_t all = v->groups.count + v->controls.count;
    const int panels = all < MOST_PANELS ? (int)all : MOST_PANELS;
    struct ub_figure *f =
        ub_figure_new("Fit first, generalize later", (panels + COLUMNS - 1) / COLUMNS,
                      panels < COLUMNS ? panels : COLUMNS);
    for (int k = 0; k < panels; k++) {
        const size_t g = (size_t)k;
        const bool control = g >= v->groups.count;
        struct ub_panel *panel = ub_figure_panel(f, k / COLUMNS, k % COLUMNS);
        char title[160];
        char *name = control ? ub_frame_group_name(study->frame, &v->controls, g - v->groups.count)
                             : ub_strdup(v->names[g]);
        snprintf(title, sizeof title, "%s%s", control ? "control: " : "", name);
        ub_free(name);
        ub_panel_title(panel, title);
        plot_accuracies(panel, study->frame,
                        control ? &v->controls.group[g - v->groups.count] : &v->groups.group[g]);
    }
    ub_figure_caption(f,
                      "Means over seeds; solid: test, dashed: training; a color a weight decay.");
    return plates_add(
        plates, f, "grokking", "Fit first, generalize later",
        "Accuracy on the test set (solid) and the training set (dashed) over steps, a "
        "color a weight decay, means over seeds; the line is at 0.9, which both times "
        "are read at.",
        err);
}

/* ---- delays --------------------------------------------------------------------------------- */

/* Geometric mean over seeds; NAN: some has none. */
static double delay_of(const struct ub_frame *frame, const struct ub_rows *runs)
{
    double sum = 0;
    for (size_t i = 0; i < runs->count; i++)
        sum += log(ub_grokked_step(frame, runs->row[i], "test-accuracy") -
                   ub_grokked_step(frame, runs->row[i], "accuracy"));
    return exp(sum / (double)runs->count);
}

static void plot_delays(struct ub_panel *panel, const struct ub_frame *frame,
                        const struct ub_rows *group, struct ub_style style)
{
    struct sweep s = sweep_of(frame, group);
    double delay[MOST_DECAYS];
    for (size_t k = 0; k < s.n; k++) {
        delay[k] = delay_of(frame, runs_at(&s, k));
        s.decay[k] /= s.decay[s.n - 1];
    }
    ub_panel_line(panel, s.decay, delay, s.n, style);
    style.label = NULL;
    style.points = true;
    style.dashed = false;
    style.point_size = 5;
    ub_panel_line(panel, s.decay, delay, s.n, style);
    ub_groups_clear(&s.runs);
}

static bool plot_law(const struct study *study, const struct ub_law_verdict *v,
                     struct plates *plates, struct ub_error *err)
{
    struct ub_figure *f = ub_figure_new("Delay against decay", 1, 1);
    struct ub_panel *panel = ub_figure_panel(f, 0, 0);
    ub_panel_axes(panel, "weight decay / largest", UB_LOG, "delay, steps", UB_LOG);
    for (size_t g = 0; g < v->groups.count; g++)
        plot_delays(panel, study->frame, &v->groups.group[g],
                    (struct ub_style){.color = (int)(g % COLORS),
                                      .width = 1.5,
                                      .dashed = g / COLORS % 2 == 1,
                                      .label = v->names[g]});
    for (size_t g = 0; g < v->controls.count; g++) {
        const bool holds = v->control[g] == UB_CONTROL_HOLDS;
        plot_delays(panel, study->frame, &v->controls.group[g],
                    (struct ub_style){.color = -1,
                                      .dashed = !holds,
                                      .label = holds ? "control: holds" : "control: fails"});
    }
    const double x[] = {0.1, 1}, y[] = {1000, 100};
    ub_panel_line(panel, x, y, 2,
                  (struct ub_style){.color = -1, .width = 1, .alpha = 0.6, .label = "1/decay"});
    return plates_add(plates, f, "grokking-delay", "Delay against decay",
                      "Steps between training and test accuracy at 0.9, geometric means over "
                      "seeds, against the weight decay over the largest of the system.",
                      err);
}

static bool plot_grokking(const struct study *study, struct plates *plates, struct ub_error *err)
{
    const struct ub_law_verdict *v = section_verdict(&ub_section_grokking, study);
    return !v || (plot_law(study, v, plates, err) && plot_time(study, v, plates, err));
}

static const char *const laws[] = {"grokking", NULL};
const struct ub_section ub_section_grokking = {
    .name = "grokking",
    .laws = laws,
    .draw = plot_grokking,
};
