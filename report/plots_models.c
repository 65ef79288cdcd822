/* Figures across models: rho of every architecture in small multiples, and the coordinate check of
 * parametrizations. */
#include "report/pages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_MODELS = 5, COLUMNS = 4 };

/* ---- rho, a panel a model --------------------------------------------------------------- */

static bool has_rho(const struct study *study, size_t run)
{
    return study->traces[run] && has_series(study->traces[run], "edge-ratio");
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
        struct ub_series s = ub_trace_series(study->traces[i], "edge-ratio", 0);
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

/* ---- coordinate check ------------------------------------------------------------------- */

/* The choice of a model's option in its canonical call: "mup" of "...,parametrization=mup,...". */
static bool has_parametrization(const struct ub_run_spec *spec, const char *name)
{
    struct ub_text wanted = {0};
    ub_text_add(&wanted, "parametrization=%s", name);
    const char *at = strstr(spec->model, wanted.data);
    const char after = at ? at[wanted.length] : 'x';
    ub_text_free(&wanted);
    return after == '\0' || after == ',';
}

struct check { /* one panel: a model and optimizer under one parametrization */
    const struct study *study;
    const char *system, *parametrization, *prefix;
};

static char *check_system(const struct ub_run_spec *spec)
{
    struct ub_text text = {0};
    char *model = call_name(spec->model), *optimizer = call_name(spec->optimizer);
    ub_text_add(&text, "%s, %s", model, optimizer);
    ub_free(model);
    ub_free(optimizer);
    return text.data;
}

static bool in_check(const struct check *c, size_t run)
{
    const struct ub_run *r = &c->study->store->runs[run];
    if (!c->study->traces[run] || !isfinite(ub_run_fact(r, "width")) ||
        !has_parametrization(&r->spec, c->parametrization))
        return false;
    char *system = check_system(&r->spec);
    const bool mine = strcmp(system, c->system) == 0;
    ub_free(system);
    return mine;
}

struct point {
    double width, value;
};

static int by_width(const void *a, const void *b)
{
    const double x = ((const struct point *)a)->width, y = ((const struct point *)b)->width;
    return (x > y) - (x < y);
}

/* Geometric mean over the runs of each width, widths ascending. Returns how many widths. */
static size_t average_widths(struct point *points, size_t n)
{
    size_t widths = 0;
    qsort(points, n, sizeof *points, by_width);
    for (size_t i = 0; i < n;) {
        double sum = 0;
        size_t k = i;
        for (; k < n && points[k].width == points[i].width; k++)
            sum += log(points[k].value);
        points[widths++] = (struct point){points[i].width, exp(sum / (double)(k - i))};
        i = k;
    }
    return widths;
}

static void plot_layer(struct ub_panel *panel, const struct check *c, const char *layer,
                       double shade)
{
    const struct ub_store *store = c->study->store;
    struct point *points = ub_calloc(store->count + 1, sizeof *points);
    size_t n = 0;
    struct ub_text name = {0};
    ub_text_add(&name, "%s%s", c->prefix, layer);
    for (size_t i = 0; i < store->count; i++) {
        if (!in_check(c, i))
            continue;
        const double value = last_value(c->study->traces[i], name.data, 0);
        if (isfinite(value) && value > 0)
            points[n++] = (struct point){ub_run_fact(&store->runs[i], "width"), value};
    }
    n = average_widths(points, n);
    double *x = ub_calloc(n + 1, sizeof *x), *y = ub_calloc(n + 1, sizeof *y);
    for (size_t i = 0; i < n; i++) {
        x[i] = points[i].width;
        y[i] = points[i].value;
    }
    ub_panel_line(panel, x, y, n, (struct ub_style){.shade = shade, .width = 1.5, .label = layer});
    ub_panel_line(panel, x, y, n,
                  (struct ub_style){.shade = shade, .points = true, .point_size = 4});
    ub_free(x);
    ub_free(y);
    ub_free(points);
    ub_text_free(&name);
}

/* Layers that any run of the system recorded. */
static void find_layers(const struct check *c, struct labels *layers)
{
    const size_t skip = strlen(c->prefix);
    for (size_t i = 0; i < c->study->store->count; i++) {
        const struct ub_trace *t = in_check(c, i) ? c->study->traces[i] : NULL;
        for (size_t k = 0; t && k < t->n_names; k++)
            if (strncmp(t->names[k], c->prefix, skip) == 0)
                labels_add(layers, t->names[k] + skip);
    }
}

static void plot_check(struct ub_panel *panel, const struct check *c, bool update)
{
    struct labels layers = {0};
    struct ub_text title = {0};
    find_layers(c, &layers);
    ub_text_add(&title, "%s, %s", c->system, c->parametrization);
    ub_panel_title(panel, title.data);
    ub_panel_axes(panel, "width", UB_LOG, update ? "change (rms)" : "size (rms)", UB_LOG);
    for (size_t k = 0; k < layers.count; k++)
        plot_layer(panel, c, layers.text[k], (double)(k + 1) / (double)layers.count);
    labels_free(&layers);
    ub_text_free(&title);
}

static bool plot_check_page(const struct study *study, const char *system, struct plates *plates,
                            struct ub_error *err)
{
    static const char *const names[] = {"sp", "ntk", "mup"};
    struct ub_text title = {0}, stem = {0};
    ub_text_add(&title, "Coordinate check: %s", system);
    ub_text_add(&stem, "coordinates-%s", system);
    for (char *c = stem.data; *c; c++)
        if (*c == ',' || *c == ' ')
            *c = '-';
    const char *shown[3];
    int columns = 0;
    for (int k = 0; k < 3; k++) {
        const struct check c = {study, system, names[k], "activation-update."};
        bool any = false;
        for (size_t i = 0; i < study->store->count; i++)
            any = any || in_check(&c, i);
        if (any)
            shown[columns++] = names[k];
    }
    struct ub_figure *f = ub_figure_new(title.data, 2, columns);
    ub_figure_caption(f,
                      "Root mean square of each layer's activations (bottom) and of their change "
                      "since initialization (top) after the same few steps, against width.");
    for (int k = 0; k < columns; k++) {
        const struct check update = {study, system, shown[k], "activation-update."};
        const struct check size = {study, system, shown[k], "activation-size."};
        plot_check(ub_figure_panel(f, 0, k), &update, true);
        plot_check(ub_figure_panel(f, 1, k), &size, false);
    }
    const bool good = plates_add(
        plates, f, stem.data, title.data,
        "Activations and their change after the same few steps against width: flat under "
        "mup, not under sp (changes grow with width) or ntk (hidden changes vanish).",
        err);
    ub_text_free(&title);
    ub_text_free(&stem);
    return good;
}

bool plot_coordinates(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct labels systems = {0};
    for (size_t i = 0; i < study->store->count; i++)
        if (study->traces[i] && has_series(study->traces[i], "activation-update.output") &&
            ub_run_fact(&study->store->runs[i], "width") > 0) {
            char *system = check_system(&study->store->runs[i].spec);
            labels_add(&systems, system);
            ub_free(system);
        }
    bool good = true;
    for (size_t k = 0; good && k < systems.count; k++)
        good = plot_check_page(study, systems.text[k], plates, err);
    labels_free(&systems);
    return good;
}
