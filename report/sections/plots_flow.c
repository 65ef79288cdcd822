/* Central flows beside the runs they describe: loss, sharpness and distance, and how far off each
 * prediction is. */
#include "report/sections/sections.h"

#include <math.h>
#include <string.h>

enum { PAGE_SYSTEMS = 6, COLUMNS = 3 };
/* Steps on either side over which a run's own measurements are averaged: many oscillations, little
 * of the training. */
static const double half_window = 25;

static bool has_flow(const struct study *study, size_t run)
{
    return ub_frame_has(study->frame, run, "central-flow-loss");
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

static const struct ub_style run_style = {.color = -1, .width = 0.7, .alpha = 0.6, .label = "run"},
                             central_style = {.color = 0, .width = 1.5, .label = "central flow"},
                             plain_style = {.color = 1,
                                            .width = 1.3,
                                            .dashed = true,
                                            .label = "without oscillation"};

struct row {
    struct ub_panel *loss, *sharpness, *distance;
};

static struct row open_row(struct ub_figure *f, int row, const char *system)
{
    struct row r = {ub_figure_panel(f, row, 0), ub_figure_panel(f, row, 1),
                    ub_figure_panel(f, row, 2)};
    ub_panel_title(r.loss, system);
    ub_panel_title(r.sharpness, system);
    ub_panel_title(r.distance, system);
    ub_panel_axes(r.loss, "step", UB_LINEAR, "loss", UB_LOG);
    ub_panel_axes(r.sharpness, "step", UB_LINEAR, "sharpness", UB_LINEAR);
    ub_panel_axes(r.distance, "step", UB_LINEAR, "distance to the run", UB_LINEAR);
    return r;
}

static void plot_run(struct row *r, const struct ub_trace *t)
{
    plot_line(r->loss, t, "loss", run_style);
    plot_line(r->loss, t, "plain-flow-loss", plain_style);
    plot_line(r->loss, t, "central-flow-predicted-loss", central_style);
    plot_line(r->sharpness, t, "sharpness", run_style);
    plot_line(r->sharpness, t, "plain-flow-sharpness", plain_style);
    plot_line(r->sharpness, t, "central-flow-sharpness", central_style);
    plot_line(r->distance, t, "plain-flow-distance", plain_style);
    plot_line(r->distance, t, "central-flow-distance", central_style);
}

/* All seeds of a system, each with the rule of its own threshold. */
static void plot_system(struct ub_figure *f, int row, const struct study *study, size_t system)
{
    double highest = 0;
    struct row r = open_row(f, row, study->system_name[system]);
    for (size_t i = 0; i < study->store->count; i++) {
        if (study->system_of[i] != system || !has_flow(study, i))
            continue;
        const double threshold = ub_run_fact(&study->store->runs[i], "threshold");
        plot_run(&r, ub_frame_trace(study->frame, i));
        ub_panel_rule(r.sharpness, UB_HORIZONTAL, threshold, NULL);
        highest = fmax(highest, threshold);
    }
    if (highest > 0)
        ub_panel_range(r.sharpness, UB_VERTICAL, 0, 2 * highest);
}

/* Systems any run of which has a flow; the caller frees them. */
static size_t *find_systems(const struct study *study, size_t *count)
{
    size_t *systems = ub_calloc(study->systems.count + 1, sizeof *systems);
    bool *seen = ub_calloc(study->systems.count + 1, sizeof *seen);
    *count = 0;
    for (size_t i = 0; i < study->store->count; i++) {
        const size_t s = study->system_of[i];
        if (!seen[s] && has_flow(study, i))
            systems[(*count)++] = s;
        seen[s] = seen[s] || has_flow(study, i);
    }
    ub_free(seen);
    return systems;
}

static bool plot_page(const struct study *study, const size_t *systems, size_t n, size_t page,
                      struct plates *plates, struct ub_error *err)
{
    struct ub_figure *f = ub_figure_new("Central flows", (int)n, COLUMNS);
    struct ub_text stem = {0};
    ub_figure_caption(f, "Grey: the runs, all seeds. Blue: their central flows, the loss with what "
                         "oscillation adds. Dashed: the flow without oscillation. Sharpness beyond "
                         "twice the edge is cut.");
    for (size_t k = 0; k < n; k++)
        plot_system(f, (int)k, study, systems[k]);
    ub_text_add(&stem, page ? "central-flows-%zu" : "central-flows", page + 1);
    const bool good = plates_add(
        plates, f, stem.data, "Central flows",
        "Loss and sharpness of runs, of the central flow that predicts their average "
        "and of the flow without oscillation; and how far from the run each is. All seeds.",
        err);
    ub_text_free(&stem);
    return good;
}

bool plot_flows(const struct study *study, struct plates *plates, struct ub_error *err)
{
    size_t count;
    size_t *systems = find_systems(study, &count);
    bool good = true;
    for (size_t at = 0; good && at < count; at += PAGE_SYSTEMS)
        good = plot_page(study, systems + at, count - at < PAGE_SYSTEMS ? count - at : PAGE_SYSTEMS,
                         at / PAGE_SYSTEMS, plates, err);
    ub_free(systems);
    return good;
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

/* What a flow came to in one run. */
enum flow_measure {
    CENTRAL_LOSS,
    PLAIN_LOSS,
    CENTRAL_SHARPNESS,
    PLAIN_SHARPNESS,
    CENTRAL_DISTANCE,
    PLAIN_DISTANCE,
    FLOW_MEASURES
};

static double measure_flow(const struct ub_trace *trace, enum flow_measure what)
{
    switch (what) {
    case CENTRAL_LOSS:
        return relative_error(trace, "central-flow-predicted-loss", "loss");
    case PLAIN_LOSS:
        return relative_error(trace, "plain-flow-loss", "loss");
    case CENTRAL_SHARPNESS:
        return relative_error(trace, "central-flow-sharpness", "sharpness");
    case PLAIN_SHARPNESS:
        return relative_error(trace, "plain-flow-sharpness", "sharpness");
    case CENTRAL_DISTANCE:
        return last_value(trace, "central-flow-distance", 0);
    default:
        return last_value(trace, "plain-flow-distance", 0);
    }
}

/* "0.012", or "0.012 [0.009, 0.015]" over several runs: median, least and greatest. */
static void add_flow_cell(struct table *t, const double *value, size_t n)
{
    if (n == 0)
        table_cell(t, "-");
    else if (n == 1)
        table_real(t, value[0], 2);
    else
        table_cell(t, "%.2g [%.2g, %.2g]", ub_median(value, n), ub_quantile(value, n, 0),
                   ub_quantile(value, n, 1));
}

static void add_flow_row(struct table *t, const struct study *study, size_t system)
{
    double *value = ub_calloc(study->store->count + 1, sizeof *value);
    for (int what = 0; what < FLOW_MEASURES; what++) {
        size_t runs = 0, flows = 0, n = 0;
        for (size_t i = 0; i < study->store->count; i++) {
            if (study->system_of[i] != system)
                continue;
            runs++;
            if (!has_flow(study, i))
                continue;
            flows++;
            const double x = measure_flow(ub_frame_trace(study->frame, i), (enum flow_measure)what);
            if (isfinite(x))
                value[n++] = x;
        }
        if (what == 0)
            table_cell(t, "%zu of %zu", flows, runs);
        add_flow_cell(t, value, n);
    }
    ub_free(value);
}

struct table *flows_table(const struct study *study)
{
    static const char *const head[] = {"system",
                                       "runs",
                                       "loss: central",
                                       "plain",
                                       "sharpness: central",
                                       "plain",
                                       "final distance: central",
                                       "plain",
                                       NULL};
    struct table *t = table_new(head, "lrrrrrrr");
    size_t count;
    size_t *systems = find_systems(study, &count);
    for (size_t k = 0; k < count; k++) {
        table_cell(t, "%s", study->system_name[systems[k]]);
        add_flow_row(t, study, systems[k]);
    }
    ub_free(systems);
    return t;
}

static const char *const laws[] = {"central-flow", NULL};
static const char *const draws[] = {"central-flow-loss",      "central-flow-predicted-loss",
                                    "central-flow-sharpness", "central-flow-distance",
                                    "plain-flow-loss",        "plain-flow-sharpness",
                                    "plain-flow-distance",    NULL};
const struct ub_section ub_section_flows = {
    .name = "flows",
    .laws = laws,
    .draw = plot_flows,
    .draws = draws,
    .table = flows_table,
    .title = "Central flows",
    .text = "Mean error of the predicted loss and sharpness against the run's, averaged over 25 "
            "steps on either side, relative to the run's mean; and the distance of parameters at "
            "the end. Plain: the flow without oscillation. Medians over seeds, with the least and "
            "the greatest (Cohen, Damian et al. 2024, arXiv:2410.24206).",
};
