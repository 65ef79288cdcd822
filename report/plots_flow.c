/* Central flows beside the runs they describe: loss, sharpness and distance, and how far off each
 * prediction is. */
#include "report/pages.h"

#include <math.h>
#include <string.h>

enum { MOST_RUNS = 6, COLUMNS = 3 };
/* Steps on either side over which a run's own measurements are averaged: many oscillations, little
 * of the training. */
static const double half_window = 25;

static bool has_flow(const struct study *study, size_t run)
{
    return study->traces[run] && has_series(study->traces[run], "central-flow-loss");
}

/* Means over the window about each of a series' steps. */
static struct ub_series smoothed(const struct ub_trace *trace, const char *observable)
{
    struct ub_series raw = ub_trace_series(trace, observable, 0),
                     out = ub_trace_series(trace, observable, 0);
    size_t first = 0, last = 0; /* of the window: first..last-1 */
    double sum = 0;
    for (size_t i = 0; i < raw.count; i++) {
        for (; last < raw.count && raw.step[last] <= raw.step[i] + half_window; last++)
            sum += raw.value[last];
        for (; raw.step[first] < raw.step[i] - half_window; first++)
            sum -= raw.value[first];
        out.value[i] = sum / (double)(last - first);
    }
    ub_series_clear(&raw);
    return out;
}

/* ---- figure ----------------------------------------------------------------------------- */

static void plot_line(struct ub_panel *panel, const struct ub_trace *trace, const char *observable,
                      struct ub_style style)
{
    struct ub_series s = ub_trace_series(trace, observable, 0);
    if (s.count > 0)
        ub_panel_line(panel, s.step, s.value, s.count, style);
    ub_series_clear(&s);
}

static const struct ub_style run_style = {.color = -1, .width = 0.7, .label = "run"},
                             central_style = {.color = 0, .width = 1.8, .label = "central flow"},
                             plain_style = {.color = 1,
                                            .width = 1.5,
                                            .dashed = true,
                                            .label = "without oscillation"};

static void plot_run(struct ub_figure *f, int row, const struct study *study, size_t run)
{
    const struct ub_trace *t = study->traces[run];
    const struct ub_run *r = &study->store->runs[run];
    struct ub_panel *loss = ub_figure_panel(f, row, 0), *sharpness = ub_figure_panel(f, row, 1);
    struct ub_panel *distance = ub_figure_panel(f, row, 2);
    char *model = call_name(r->spec.model);
    struct ub_text title = {0};
    ub_text_add(&title, "%s, %s", model, optimizer_label(&r->spec));
    ub_panel_title(loss, title.data);
    ub_panel_title(sharpness, "sharpness");
    ub_panel_title(distance, "distance to the run");
    ub_panel_axes(loss, "step", UB_LINEAR, "loss", UB_LOG);
    ub_panel_axes(sharpness, "step", UB_LINEAR, "sharpness", UB_LINEAR);
    ub_panel_axes(distance, "step", UB_LINEAR, "|theta - theta'|", UB_LINEAR);
    plot_line(loss, t, "loss", run_style);
    plot_line(loss, t, "plain-flow-loss", plain_style);
    plot_line(loss, t, "central-flow-predicted-loss", central_style);
    const double threshold = ub_run_fact(r, "threshold");
    plot_line(sharpness, t, "sharpness", run_style);
    plot_line(sharpness, t, "plain-flow-sharpness", plain_style);
    plot_line(sharpness, t, "central-flow-sharpness", central_style);
    ub_panel_rule(sharpness, UB_HORIZONTAL, threshold, NULL);
    ub_panel_range(sharpness, UB_VERTICAL, 0, 2 * threshold);
    plot_line(distance, t, "plain-flow-distance", plain_style);
    plot_line(distance, t, "central-flow-distance", central_style);
    ub_free(model);
    ub_text_free(&title);
}

/* The first run of each system that has a flow. */
static size_t find_runs(const struct study *study, size_t *runs, size_t most)
{
    size_t count = 0;
    for (size_t s = 0; s < study->n_systems && count < most; s++)
        if (has_flow(study, study->first_of[s]))
            runs[count++] = study->first_of[s];
    return count;
}

bool plot_flows(const struct study *study, struct plates *plates, struct ub_error *err)
{
    size_t runs[MOST_RUNS];
    const size_t count = find_runs(study, runs, MOST_RUNS);
    if (count == 0)
        return true;
    struct ub_figure *f = ub_figure_new("Central flows", (int)count, COLUMNS);
    ub_figure_caption(f, "Grey: the run. Blue: its central flow, the loss with what oscillation "
                         "adds. Dashed: the flow without oscillation. Sharpness beyond twice the "
                         "edge is cut.");
    for (size_t k = 0; k < count; k++)
        plot_run(f, (int)k, study, runs[k]);
    return plates_add(plates, f, "central-flows", "Central flows",
                      "Loss and sharpness of runs, of the central flow that predicts their average "
                      "and of the flow without oscillation; and how far from the run each is.",
                      err);
}

/* ---- errors ----------------------------------------------------------------------------- */

/* Mean of |predicted - measured| over the mean of measured, at the steps of both; NAN without any.
 */
static double relative_error(const struct ub_trace *trace, const char *predicted,
                             const char *measured)
{
    struct ub_series p = ub_trace_series(trace, predicted, 0), m = smoothed(trace, measured);
    double off = 0, size = 0;
    for (size_t i = 0, k = 0; i < p.count; i++) {
        while (k < m.count && m.step[k] < p.step[i])
            k++;
        if (k == m.count || m.step[k] != p.step[i] || p.step[i] < p.step[0] + half_window ||
            p.step[i] > m.step[m.count - 1] - half_window)
            continue;
        off += fabs(p.value[i] - m.value[k]);
        size += fabs(m.value[k]);
    }
    ub_series_clear(&p);
    ub_series_clear(&m);
    return size > 0 ? off / size : (double)NAN;
}

struct table *flows_table(const struct study *study)
{
    static const char *const head[] = {
        "system", "loss: central",           "plain", "sharpness: central",
        "plain",  "final distance: central", "plain", NULL};
    struct table *t = table_new(head, "lrrrrrr");
    size_t *runs = ub_calloc(study->n_systems + 1, sizeof *runs);
    const size_t count = find_runs(study, runs, study->n_systems);
    for (size_t k = 0; k < count; k++) {
        const struct ub_trace *trace = study->traces[runs[k]];
        char *label = system_label(&study->store->runs[runs[k]].spec);
        table_cell(t, "%s", label);
        table_real(t, relative_error(trace, "central-flow-predicted-loss", "loss"), 2);
        table_real(t, relative_error(trace, "plain-flow-loss", "loss"), 2);
        table_real(t, relative_error(trace, "central-flow-sharpness", "sharpness"), 2);
        table_real(t, relative_error(trace, "plain-flow-sharpness", "sharpness"), 2);
        table_real(t, last_value(trace, "central-flow-distance", 0), 3);
        table_real(t, last_value(trace, "plain-flow-distance", 0), 3);
        ub_free(label);
    }
    ub_free(runs);
    return t;
}
