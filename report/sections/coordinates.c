/* The coordinate check of parametrizations (Yang and Hu 2020, arXiv:2011.14522): sizes of
 * activations and of their changes after the same few steps, against width, in figures and as
 * exponents. */
#include "report/sections/sections.h"

#include <gsl/gsl_fit.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHOICES = 3 };
static const char *const choices[CHOICES] = {"sp", "ntk", "mup"};
static const char update_prefix[] = "activation-update.", size_prefix[] = "activation-size.";

/* One panel, or one cell of the table: a model and optimizer under one parametrization. */
struct check {
    const struct study *study;
    const char *system, *parametrization, *prefix;
};

static bool has_parametrization(const struct ub_run_spec *spec, const char *name)
{
    struct ub_error err = {0};
    struct ub_call *model = ub_call_parse(spec->model, "model", &err);
    bool has = false;
    for (size_t i = 0; model && i < model->count; i++)
        has = has || (strcmp(model->keys[i], "parametrization") == 0 &&
                      strcmp(model->values[i], name) == 0);
    ub_call_free(model);
    return has;
}

static bool varies(const char *option)
{
    static const char *const options[] = {"width", "widths", "channels", "parametrization"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(option, options[i]) == 0)
            return true;
    return false;
}

/* What runs of one check have in common: all of a spec but its seeds, measurements, width and
 * parametrization. */
static char *check_system(const struct ub_run_spec *spec)
{
    struct ub_text text = {0};
    struct ub_error err = {0};
    struct ub_call *model = ub_call_parse(spec->model, "model", &err);
    for (size_t i = 0; model && i < model->count; i++)
        if (!varies(model->keys[i]))
            ub_text_add(&text, "%s=%s,", model->keys[i], model->values[i]);
    ub_text_add(&text, " %s %s %s %s %s %lld %d", model ? model->name : spec->model, spec->dataset,
                spec->loss, spec->init, spec->optimizer, (long long)spec->steps,
                spec->double_precision);
    ub_call_free(model);
    return text.data;
}

static bool in_check(const struct check *c, size_t run)
{
    const struct ub_run *r = &c->study->store->runs[run];
    if (!ub_frame_has(c->study->frame, run, NULL) || !isfinite(ub_run_fact(r, "width")) ||
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

/* A layer's values by width; the caller frees both. */
struct curve {
    size_t n;
    double *width, *value;
};

static struct curve curve_of(const struct check *c, const char *layer)
{
    const struct ub_store *store = c->study->store;
    struct point *points = ub_calloc(store->count + 1, sizeof *points);
    struct curve curve = {0};
    struct ub_text name = {0};
    ub_text_add(&name, "%s%s", c->prefix, layer);
    for (size_t i = 0; i < store->count; i++) {
        if (!in_check(c, i) || store->runs[i].status != UB_RUN_OK)
            continue;
        const double value = ub_frame_last(c->study->frame, i, name.data, 0);
        if (isfinite(value) && value > 0)
            points[curve.n++] = (struct point){ub_run_fact(&store->runs[i], "width"), value};
    }
    curve.n = average_widths(points, curve.n);
    curve.width = ub_calloc(curve.n + 1, sizeof *curve.width);
    curve.value = ub_calloc(curve.n + 1, sizeof *curve.value);
    for (size_t i = 0; i < curve.n; i++) {
        curve.width[i] = points[i].width;
        curve.value[i] = points[i].value;
    }
    ub_free(points);
    ub_text_free(&name);
    return curve;
}

static void curve_clear(struct curve *curve)
{
    ub_free(curve->width);
    ub_free(curve->value);
}

/* Layers that any run of the system recorded. */
static void find_layers(const struct check *c, struct labels *layers)
{
    const size_t skip = strlen(c->prefix);
    for (size_t i = 0; i < c->study->store->count; i++) {
        const struct ub_trace *t = in_check(c, i) ? ub_frame_trace(c->study->frame, i) : NULL;
        for (size_t k = 0; t && k < t->n_names; k++)
            if (strncmp(t->names[k], c->prefix, skip) == 0)
                labels_add(layers, t->names[k] + skip);
    }
}

/* Parametrizations that the system was run in. Returns how many. */
static int find_choices(const struct study *study, const char *system, const char *found[CHOICES])
{
    int count = 0;
    for (int k = 0; k < CHOICES; k++) {
        const struct check c = {study, system, choices[k], update_prefix};
        bool any = false;
        for (size_t i = 0; i < study->store->count; i++)
            any = any || in_check(&c, i);
        if (any)
            found[count++] = choices[k];
    }
    return count;
}

/* ---- figures ---- */

struct range {
    double low, high;
};

static void widen(struct range *range, const struct check *c)
{
    struct labels layers = {0};
    find_layers(c, &layers);
    for (size_t k = 0; k < layers.count; k++) {
        struct curve curve = curve_of(c, layers.text[k]);
        for (size_t i = 0; i < curve.n; i++) {
            range->low = fmin(range->low, curve.value[i]);
            range->high = fmax(range->high, curve.value[i]);
        }
        curve_clear(&curve);
    }
    labels_free(&layers);
}

static void plot_layer(struct ub_panel *panel, const struct check *c, const char *layer,
                       double shade)
{
    struct curve curve = curve_of(c, layer);
    ub_panel_line(panel, curve.width, curve.value, curve.n,
                  (struct ub_style){.shade = shade, .width = 1.5, .label = layer});
    ub_panel_line(panel, curve.width, curve.value, curve.n,
                  (struct ub_style){.shade = shade, .points = true, .point_size = 4});
    curve_clear(&curve);
}

static void plot_check(struct ub_panel *panel, const struct check *c, const char *what,
                       struct range range)
{
    struct labels layers = {0};
    find_layers(c, &layers);
    ub_panel_title(panel, c->parametrization);
    ub_panel_axes(panel, "width", UB_LOG, what, UB_LOG);
    if (range.low <= range.high)
        ub_panel_range(panel, UB_VERTICAL, range.low / 1.3, range.high * 1.3);
    for (size_t k = 0; k < layers.count; k++)
        plot_layer(panel, c, layers.text[k], (double)(k + 1) / (double)layers.count);
    labels_free(&layers);
}

/* A row of panels with one range, so that slopes compare. */
static void plot_row(struct ub_figure *f, int row, const struct study *study, const char *system,
                     const char *prefix, const char *what)
{
    const char *shown[CHOICES];
    const int columns = find_choices(study, system, shown);
    struct range range = {INFINITY, 0};
    for (int k = 0; k < columns; k++)
        widen(&range, &(struct check){study, system, shown[k], prefix});
    for (int k = 0; k < columns; k++)
        plot_check(ub_figure_panel(f, row, k), &(struct check){study, system, shown[k], prefix},
                   what, range);
}

static bool plot_check_page(const struct study *study, const char *system, const char *name,
                            struct plates *plates, struct ub_error *err)
{
    const char *shown[CHOICES];
    struct ub_text title = {0}, stem = {0};
    ub_text_add(&title, "Coordinate check: %s", name);
    ub_text_add(&stem, "coordinates-");
    for (const char *c = name; *c; c++)
        if (*c != ',' || c[1] != ' ')
            ub_text_add(&stem, "%c", *c == ' ' ? '-' : *c);
    plate_stem(stem.data);
    struct ub_figure *f = ub_figure_new(title.data, 2, find_choices(study, system, shown));
    ub_figure_caption(f,
                      "Root mean square of each layer's activations (bottom) and of their change "
                      "since initialization (top) after the same few steps, against width.");
    plot_row(f, 0, study, system, update_prefix, "change (rms)");
    plot_row(f, 1, study, system, size_prefix, "size (rms)");
    const bool good = plates_add(
        plates, f, stem.data, title.data,
        "Activations and their change after the same few steps against width: flat under "
        "mup, not under sp (changes grow with width).",
        err);
    ub_text_free(&title);
    ub_text_free(&stem);
    return good;
}

/* Checks, and one spec of each. */
struct checks {
    struct labels systems;
    const struct ub_run_spec **spec;
};

static struct checks find_checks(const struct study *study)
{
    struct checks c = {.spec = ub_calloc(study->store->count + 1, sizeof *c.spec)};
    for (size_t i = 0; i < study->store->count; i++)
        if (ub_frame_has(study->frame, i, "activation-update.output") &&
            ub_run_fact(&study->store->runs[i], "width") > 0) {
            char *system = check_system(&study->store->runs[i].spec);
            const size_t before = c.systems.count, at = labels_add(&c.systems, system);
            if (at == before)
                c.spec[at] = &study->store->runs[i].spec;
            ub_free(system);
        }
    return c;
}

static void checks_clear(struct checks *c)
{
    labels_free(&c->systems);
    ub_free(c->spec);
}

/* "mlp, gd"; longer ones add rates, data and loss, and then a number. */
static char *name_of_length(const struct checks *c, size_t at, int length)
{
    const struct ub_run_spec *spec = c->spec[at];
    struct ub_text text = {0};
    char *model = call_name(spec->model), *rule = call_name(spec->optimizer);
    ub_text_add(&text, "%s, %s", model, length > 0 ? optimizer_label(spec) : rule);
    if (length > 0)
        ub_text_add(&text, ", %s, %s", dataset_label(spec), spec->loss);
    if (length > 1)
        ub_text_add(&text, ", %zu", at + 1);
    ub_free(model);
    ub_free(rule);
    return text.data;
}

/* The shortest that no other check has. */
static char *check_name(const struct checks *c, size_t at)
{
    enum { LONGEST = 2 };
    for (int length = 0;; length++) {
        char *name = name_of_length(c, at, length);
        bool alone = true;
        for (size_t i = 0; i < c->systems.count; i++) {
            char *other = name_of_length(c, i, length);
            alone = alone && (i == at || strcmp(other, name) != 0);
            ub_free(other);
        }
        if (alone || length == LONGEST)
            return name;
        ub_free(name);
    }
}

bool plot_coordinates(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct checks checks = find_checks(study);
    bool good = true;
    for (size_t k = 0; good && k < checks.systems.count; k++) {
        char *name = check_name(&checks, k);
        good = plot_check_page(study, checks.systems.text[k], name, plates, err);
        ub_free(name);
    }
    checks_clear(&checks);
    return good;
}

/* ---- exponents ---- */

/* Least-squares slope of log value against log width; NAN for fewer than three widths. */
static double slope_of(const struct check *c, const char *layer)
{
    struct curve curve = curve_of(c, layer);
    double at, slope = (double)NAN, c00, c01, c11, rest;
    for (size_t i = 0; i < curve.n; i++) {
        curve.width[i] = log(curve.width[i]);
        curve.value[i] = log(curve.value[i]);
    }
    if (curve.n >= 3)
        gsl_fit_linear(curve.width, 1, curve.value, 1, curve.n, &at, &slope, &c00, &c01, &c11,
                       &rest);
    curve_clear(&curve);
    return slope;
}

/* "0.45", or "0.45 to 0.98" over several hidden layers. */
static void add_hidden(struct table *t, const struct check *c)
{
    struct labels layers = {0};
    struct range range = {INFINITY, -INFINITY};
    find_layers(c, &layers);
    for (size_t k = 0; k < layers.count; k++) {
        const double slope =
            strcmp(layers.text[k], "output") == 0 ? (double)NAN : slope_of(c, layers.text[k]);
        range.low = fmin(range.low, slope);
        range.high = fmax(range.high, slope);
    }
    if (range.low > range.high)
        table_cell(t, "-");
    else if (range.high - range.low < 0.005)
        table_cell(t, "%.2f", range.high);
    else
        table_cell(t, "%.2f to %.2f", range.low, range.high);
    labels_free(&layers);
}

struct table *coordinates_table(const struct study *study)
{
    static const char *const head[] = {"model, optimizer", "sp hidden",  "sp output",  "ntk hidden",
                                       "ntk output",       "mup hidden", "mup output", NULL};
    struct table *t = table_new(head, "lrrrrrr");
    struct checks checks = find_checks(study);
    for (size_t k = 0; k < checks.systems.count; k++) {
        char *name = check_name(&checks, k);
        table_cell(t, "%s", name);
        ub_free(name);
        for (int i = 0; i < CHOICES; i++) {
            const struct check c = {study, checks.systems.text[k], choices[i], update_prefix};
            add_hidden(t, &c);
            table_fixed(t, slope_of(&c, "output"), 2);
        }
    }
    checks_clear(&checks);
    return t;
}

const struct ub_section ub_section_coordinates = {
    .name = "coordinates",
    .draw = plot_coordinates,
    .table = coordinates_table,
    .title = "Coordinate check",
    .text = "Exponents of each layer's change (root mean square, at the last measurement) against "
            "width, fitted to runs that did not diverge; hidden: the least and greatest of the "
            "hidden layers. Theory: 0 everywhere under mup; changes grow under sp, up to "
            "diverging; under ntk gradient descent leaves hidden layers where they are (Yang and "
            "Hu 2020, arXiv:2011.14522).",
};
