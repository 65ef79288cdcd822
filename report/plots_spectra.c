/* Figures of spectra: covariance of inputs and layers, and the Hessian, on log-log axes with the
 * fitted power laws over the ranks that were fitted. */
#include "report/pages.h"

#include <math.h>
#include <string.h>

enum { MOST_PANELS = 6, COLUMNS = 3 };

/* Eigenvalues below this share of the largest are rounding, and not drawn. */
static const double least_share = 1e-9;

static void plot_fit(struct ub_panel *panel, const double fit[EXPONENT_ROWS], int color)
{
    double x[2] = {fit[EXPONENT_FIRST], fit[EXPONENT_LAST]}, y[2];
    if (!isfinite(fit[EXPONENT]))
        return;
    for (int i = 0; i < 2; i++)
        y[i] = fit[EXPONENT_PREFACTOR] * pow(x[i], -fit[EXPONENT]);
    ub_panel_line(panel, x, y, 2, (struct ub_style){.color = color, .width = 1.3});
}

/* A panel's exponents, one under the other in its lower left corner. */
struct notes {
    size_t count;
    double lowest, highest; /* of the values drawn */
    struct ub_text line[8];
};

static void note_values(struct notes *n, const struct ub_series *values)
{
    for (size_t i = 0; i < values->count; i++) {
        const double v = values->value[i];
        if (!(v > least_share * values->value[0]) || v <= 0)
            continue;
        n->lowest = n->highest > 0 ? fmin(n->lowest, v) : v;
        n->highest = fmax(n->highest, v);
    }
}

static void note_fit(struct notes *n, const char *what, const double fit[EXPONENT_ROWS])
{
    if (n->count == 8 || !isfinite(fit[EXPONENT]))
        return;
    char *text = exponent_text(fit);
    ub_text_add(&n->line[n->count++], "%s: %s", what, text);
    ub_free(text);
}

static void plot_notes(struct ub_panel *panel, struct notes *n)
{
    for (size_t i = 0; i < n->count; i++) {
        const double place = 0.02 + 0.075 * (double)(n->count - 1 - i);
        ub_panel_text(panel, 1, n->lowest * pow(n->highest / n->lowest, place), n->line[i].data);
        ub_text_free(&n->line[i]);
    }
}

static void plot_values(struct ub_panel *panel, const struct ub_series *values, int color,
                        const char *label)
{
    double *rank = ub_calloc(values->count + 1, sizeof *rank);
    size_t n = 0;
    for (; n < values->count && values->value[n] > least_share * values->value[0]; n++)
        rank[n] = (double)n + 1;
    ub_panel_line(
        panel, rank, values->value, n,
        (struct ub_style){.color = color, .points = true, .point_size = 1.8, .label = label});
    ub_free(rank);
}

/* One run's layers. */
static size_t plot_layers(struct ub_panel *panel, const struct ub_trace *trace)
{
    static const char prefix[] = "covariance-spectrum.";
    struct notes notes = {0};
    size_t drawn = 0;
    for (size_t k = 0; k < trace->n_names; k++) {
        const char *name = trace->names[k];
        if (strncmp(name, prefix, sizeof prefix - 1) != 0)
            continue;
        const char *layer = name + sizeof prefix - 1;
        struct ub_text exponent = {0};
        ub_text_add(&exponent, "exponent.%s", layer);
        struct spectrum s = spectrum_of(trace, name, exponent.data);
        plot_values(panel, &s.values, (int)(drawn % 8), layer);
        plot_fit(panel, s.fit, (int)(drawn % 8));
        note_values(&notes, &s.values);
        note_fit(&notes, layer, s.fit);
        drawn++;
        spectrum_clear(&s);
        ub_text_free(&exponent);
    }
    plot_notes(panel, &notes);
    return drawn;
}

static size_t plot_hessian(struct ub_panel *panel, const struct ub_trace *trace)
{
    struct ub_series first = ub_trace_spectrum(trace, "hessian-spectrum", 0);
    struct spectrum last = spectrum_of(trace, "hessian-spectrum", "hessian-exponent");
    const size_t n = last.values.count;
    struct notes notes = {0};
    note_values(&notes, &first);
    if (first.count > 0)
        plot_values(panel, &first, 5, "at initialization");
    if (n > 0) {
        plot_values(panel, &last.values, 1, "at the end");
        plot_fit(panel, last.fit, 1);
        note_values(&notes, &last.values);
        note_fit(&notes, "end", last.fit);
    }
    plot_notes(panel, &notes);
    ub_series_clear(&first);
    spectrum_clear(&last);
    return n;
}

/* First good run of each dataset and model that has the series: up to MOST_PANELS of them. */
static size_t choose_runs(const struct study *study, const char *prefix, size_t out[MOST_PANELS])
{
    struct labels seen = {0};
    size_t n = 0;
    for (size_t i = 0; i < study->store->count && n < MOST_PANELS; i++) {
        const struct ub_run *run = &study->store->runs[i];
        const struct ub_trace *trace = study->traces[i];
        bool has = false;
        for (size_t k = 0; trace && k < trace->n_names; k++)
            has = has || strncmp(trace->names[k], prefix, strlen(prefix)) == 0;
        if (!has || run->status != UB_RUN_OK)
            continue;
        struct ub_text key = {0};
        ub_text_add(&key, "%s %s", run->spec.dataset, run->spec.model);
        const size_t before = seen.count;
        if (labels_add(&seen, key.data) == before)
            out[n++] = i;
        ub_text_free(&key);
    }
    labels_free(&seen);
    return n;
}

static bool plot_chosen(const struct study *study, struct plates *plates, const char *prefix,
                        const char *stem, const char *title, const char *caption,
                        size_t (*plot)(struct ub_panel *, const struct ub_trace *),
                        struct ub_error *err)
{
    size_t chosen[MOST_PANELS];
    const size_t n = choose_runs(study, prefix, chosen);
    if (n == 0)
        return true;
    const size_t columns = n < COLUMNS ? n : COLUMNS;
    struct ub_figure *f = ub_figure_new(title, (int)((n + columns - 1) / columns), (int)columns);
    for (size_t i = 0; i < n; i++) {
        struct ub_panel *panel = ub_figure_panel(f, (int)(i / columns), (int)(i % columns));
        const struct ub_run_spec *spec = &study->store->runs[chosen[i]].spec;
        struct ub_text name = {0};
        ub_text_add(&name, "%s, %s", dataset_label(spec), model_label(spec));
        ub_panel_title(panel, name.data);
        ub_panel_axes(panel, "rank", UB_LOG, "eigenvalue", UB_LOG);
        plot(panel, study->traces[chosen[i]]);
        ub_text_free(&name);
    }
    return plates_add(plates, f, stem, title, caption, err);
}

bool plot_spectra(const struct study *study, struct plates *plates, struct ub_error *err)
{
    return plot_chosen(study, plates, "covariance-spectrum.", "covariance-spectra",
                       "Covariance spectra of inputs and hidden layers",
                       "Eigenvalues of the covariance over training samples, at the last "
                       "measurement of the first run of each dataset and model; lines: power laws "
                       "over the ranks fitted, with exponent and 95% interval.",
                       plot_layers, err) &&
           plot_chosen(study, plates, "hessian-spectrum", "hessian-spectra",
                       "Leading Hessian eigenvalues",
                       "At initialization and at the end of the first run of each dataset and "
                       "model; line: the fitted power law, with exponent and 95% interval.",
                       plot_hessian, err);
}
