/* Batch sharpness of stochastic gradient descent: against step beside the full batch's sharpness,
 * and where it settles against batch size, with momentum over both of its edges. A panel against
 * step is a system; a line against batch size, systems that differ in nothing else. */
#include "report/sections/sections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_PANELS = 30, PANEL_COLUMNS = 5, SETTLED_COLUMNS = 3 };

/* One system on which batch sharpness was measured. */
struct recipe {
    size_t system;
    const struct ub_run_spec *spec;
    double beta;
    char rate[32]; /* lr as it was asked for: seeds of a relative one differ in lr */
    bool nesterov;
    int64_t batch; /* the training set's size where the optimizer takes all of it */
    char *line;    /* all of the spec but batch and seeds */
};
struct recipes {
    size_t count;
    struct recipe *of;
    bool one_place; /* all on one dataset, model, loss and initialization */
};

/* Edges over 2/lr of the smallest and of the largest batches; NAN where none is known. */
static double small_edge(const struct recipe *r)
{
    return r->nesterov ? (double)NAN : 1 - r->beta;
}

static double large_edge(const struct recipe *r)
{
    return r->nesterov ? (1 + r->beta) / (1 + 2 * r->beta) : 1 + r->beta;
}

/* ---- recipes ------------------------------------------------------------------------------ */

static const char *text_of(const struct ub_call *call, const char *key)
{
    for (size_t i = 0; i < call->count; i++)
        if (strcmp(call->keys[i], key) == 0)
            return call->values[i];
    return "";
}

static double option_of(const struct ub_call *call, const char *key, double fallback)
{
    double value;
    return ub_read_real(text_of(call, key), &value) ? value : fallback;
}

static char *line_of(const struct ub_run_spec *spec, const struct ub_call *optimizer)
{
    struct ub_text text = {0};
    ub_text_add(&text, "%s %s %s %s %lld %d %s", spec->dataset, spec->model, spec->loss, spec->init,
                (long long)spec->steps, spec->double_precision, optimizer->name);
    for (size_t i = 0; i < optimizer->count; i++)
        if (strcmp(optimizer->keys[i], "batch") != 0)
            ub_text_add(&text, ",%s=%s", optimizer->keys[i], optimizer->values[i]);
    return text.data;
}

static bool is_measured(const struct study *study, size_t run)
{
    return ub_frame_has(study->frame, run, "batch-sharpness") &&
           isfinite(ub_run_fact(&study->store->runs[run], "lr"));
}

/* Of the system of a run that was measured. */
static bool read_recipe(const struct study *study, size_t run, struct recipe *out)
{
    const struct ub_run *r = &study->store->runs[run];
    struct ub_error err = {0};
    struct ub_call *call = ub_call_parse(r->spec.optimizer, "optimizer", &err);
    if (!call)
        return false;
    const double batch = option_of(call, "batch", 0);
    *out = (struct recipe){
        .system = study->system_of[run],
        .spec = &r->spec,
        .beta = option_of(call, "beta", 0),
        .nesterov =
            strcmp(text_of(call, "nesterov"), "true") == 0 || strcmp(call->name, "nesterov") == 0,
        .batch = (int64_t)(batch > 0 ? batch : ub_run_fact(r, "samples")),
        .line = line_of(&r->spec, call),
    };
    snprintf(out->rate, sizeof out->rate, "%s", text_of(call, "lr"));
    ub_call_free(call);
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct recipe *x = a, *y = b;
    if (x->beta < y->beta || x->beta > y->beta)
        return x->beta < y->beta ? -1 : 1;
    const int rate = strcmp(x->rate, y->rate), line = strcmp(x->line, y->line);
    if (rate != 0 || line != 0)
        return rate != 0 ? rate : line;
    return (x->batch > y->batch) - (x->batch < y->batch);
}

static bool same_place(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    return strcmp(a->dataset, b->dataset) == 0 && strcmp(a->model, b->model) == 0 &&
           strcmp(a->loss, b->loss) == 0 && strcmp(a->init, b->init) == 0;
}

/* Lines together, batches ascending in each. */
static struct recipes find_recipes(const struct study *study)
{
    struct recipes r = {.of = ub_calloc(study->systems.count + 1, sizeof *r.of), .one_place = true};
    bool *seen = ub_calloc(study->systems.count + 1, sizeof *seen);
    for (size_t i = 0; i < study->store->count; i++) {
        const size_t system = study->system_of[i];
        if (seen[system] || !is_measured(study, i) || !read_recipe(study, i, &r.of[r.count]))
            continue;
        seen[system] = true;
        r.one_place = r.one_place && same_place(r.of[0].spec, r.of[r.count].spec);
        r.count++;
    }
    ub_free(seen);
    if (r.count > 0)
        qsort(r.of, r.count, sizeof *r.of, compare);
    return r;
}

static void recipes_clear(struct recipes *r)
{
    for (size_t i = 0; i < r->count; i++)
        ub_free(r->of[i].line);
    ub_free(r->of);
}

/* "batch 8, beta 0, lr 0.4", without the batch where a line has all; what else differs before. */
static void set_title(struct ub_panel *panel, const struct recipes *all, const struct recipe *r,
                      bool with_batch)
{
    struct ub_text title = {0};
    if (!all->one_place)
        ub_text_add(&title, "%s %s %s, ", dataset_label(r->spec), model_label(r->spec),
                    r->spec->loss);
    if (with_batch)
        ub_text_add(&title, "batch %lld, ", (long long)r->batch);
    ub_text_add(&title, "%sbeta %g, lr %s", r->nesterov ? "nesterov " : "", r->beta, r->rate);
    ub_panel_title(panel, title.data);
    ub_text_free(&title);
}

/* ---- against step ------------------------------------------------------------------------- */

/* All that a panel shows, for its axis. */
struct shown {
    size_t count;
    double *value;
};

static void plot_scaled(struct ub_panel *panel, const struct ub_trace *trace,
                        const char *observable, double scale, struct ub_style style,
                        struct shown *shown)
{
    struct ub_series s = ub_trace_series(trace, observable, 0);
    shown->value = ub_realloc(shown->value, (shown->count + s.count + 1) * sizeof(double));
    for (size_t i = 0; i < s.count; i++) {
        s.value[i] *= scale;
        if (isfinite(s.value[i]))
            shown->value[shown->count++] = s.value[i];
    }
    if (s.count > 0)
        ub_panel_line(panel, s.step, s.value, s.count, style);
    ub_series_clear(&s);
}

/* From 0 to above the edges and 98% of what there is. Returns how much lies beyond. */
static size_t fit_axis(struct ub_panel *panel, const struct recipe *r, const struct shown *shown)
{
    const double most = shown->count ? ub_quantile(shown->value, shown->count, 0.98) : 0;
    const double high = fmax(1.6 * fmax(1, large_edge(r)), 1.1 * most);
    double low = 0;
    size_t beyond = 0;
    for (size_t i = 0; i < shown->count; i++) {
        low = fmin(low, shown->value[i]);
        beyond += shown->value[i] > high;
    }
    ub_panel_range(panel, UB_VERTICAL, 1.1 * low, high);
    return beyond;
}

static size_t plot_recipe(struct ub_panel *panel, const struct study *study,
                          const struct recipes *all, const struct recipe *recipe)
{
    struct shown shown = {0};
    set_title(panel, all, recipe, true);
    ub_panel_axes(panel, "step", UB_LINEAR, "over 2/lr", UB_LINEAR);
    if (isfinite(small_edge(recipe)))
        ub_panel_rule(panel, UB_HORIZONTAL, small_edge(recipe), NULL);
    ub_panel_rule(panel, UB_HORIZONTAL, large_edge(recipe), NULL);
    for (size_t i = 0; i < study->store->count; i++) {
        if (study->system_of[i] != recipe->system || !is_measured(study, i))
            continue;
        const double lr = ub_run_fact(&study->store->runs[i], "lr");
        plot_scaled(
            panel, ub_frame_trace(study->frame, i), "batch-sharpness", lr / 2,
            (struct ub_style){.color = 0, .width = 1.2, .alpha = 0.8, .label = "batch sharpness"},
            &shown);
        plot_scaled(panel, ub_frame_trace(study->frame, i), "sharpness", lr / 2,
                    (struct ub_style){.color = 1,
                                      .width = 1.2,
                                      .alpha = 0.8,
                                      .dashed = true,
                                      .label = "full-batch sharpness"},
                    &shown);
    }
    const size_t beyond = fit_axis(panel, recipe, &shown);
    ub_free(shown.value);
    return beyond;
}

static bool plot_page(const struct study *study, const struct recipes *r, size_t from,
                      struct plates *plates, struct ub_error *err)
{
    const size_t n = r->count - from < PAGE_PANELS ? r->count - from : PAGE_PANELS;
    const size_t columns = n < PANEL_COLUMNS ? n : PANEL_COLUMNS;
    const size_t rows = (n + columns - 1) / columns;
    struct ub_figure *f = ub_figure_new("Batch sharpness at its edge", (int)rows, (int)columns);
    struct ub_text caption = {0}, stem = {0};
    size_t beyond = 0;
    for (size_t k = 0; k < n; k++)
        beyond += plot_recipe(ub_figure_panel(f, (int)(k / columns), (int)(k % columns)), study, r,
                              &r->of[from + k]);
    ub_text_add(&caption, "Over 2/lr, one line a run. Dashed rules: 2(1 - beta)/lr and "
                          "2(1 + beta)/lr.");
    if (beyond > 0)
        ub_text_add(&caption, " %zu measurements lie above their axis.", beyond);
    ub_figure_caption(f, caption.data);
    ub_text_add(&stem, from ? "batch-sharpness-%zu" : "batch-sharpness", from / PAGE_PANELS + 1);
    const bool good = plates_add(plates, f, stem.data, "Batch sharpness at its edge",
                                 "Batch sharpness and the full batch's largest eigenvalue over "
                                 "2/lr against step, a panel a system; axes end above 98% of what "
                                 "was measured.",
                                 err);
    ub_text_free(&caption);
    ub_text_free(&stem);
    return good;
}

/* ---- where it settles ----------------------------------------------------------------------- */

/* Mean over seeds, and the least and greatest, of the median over the second half of a run. */
struct level {
    size_t runs, lost; /* lost: diverged, failed, or not run */
    double mean, low, high;
};

static double late_median(const struct ub_trace *trace, const char *observable, double scale)
{
    struct ub_series s = ub_trace_series(trace, observable, 0);
    const double median =
        s.count > 0 ? scale * ub_median(s.value + s.count / 2, s.count - s.count / 2) : (double)NAN;
    ub_series_clear(&s);
    return median;
}

static void level_add(struct level *l, double value)
{
    l->runs++;
    if (!isfinite(value)) {
        l->lost++;
        return;
    }
    l->mean += (value - l->mean) / (double)(l->runs - l->lost);
    l->low = fmin(l->low, value);
    l->high = fmax(l->high, value);
}

/* Levels over 2/lr of all runs of a system that were asked for. */
static struct level level_of(const struct study *study, const struct recipe *recipe,
                             const char *observable)
{
    struct level l = {.mean = 0, .low = INFINITY, .high = -INFINITY};
    for (size_t i = 0; i < study->store->count; i++) {
        const struct ub_run *run = &study->store->runs[i];
        if (study->system_of[i] != recipe->system)
            continue;
        const bool lost = run->status == UB_RUN_DIVERGED || !is_measured(study, i);
        level_add(&l, lost ? (double)NAN
                           : late_median(ub_frame_trace(study->frame, i), observable,
                                         ub_run_fact(run, "lr") / 2));
    }
    if (l.runs == l.lost)
        l.mean = l.low = l.high = NAN;
    return l;
}

/* One line: levels of n recipes over an edge times 2/lr. */
static void plot_levels(struct ub_panel *panel, const struct study *study,
                        const struct recipe *recipes, size_t n, double edge, const char *observable,
                        struct ub_style style)
{
    double *data = ub_calloc(4 * n + 1, sizeof *data);
    double *x = data, *y = data + n, *low = data + 2 * n, *high = data + 3 * n;
    for (size_t k = 0; k < n; k++) {
        const struct level l = level_of(study, &recipes[k], observable);
        x[k] = (double)recipes[k].batch;
        y[k] = l.mean / edge;
        low[k] = l.low / edge;
        high[k] = l.high / edge;
    }
    ub_panel_line(panel, x, y, n, style);
    ub_panel_bars(panel, UB_VERTICAL, x, y, low, high, n, (struct ub_style){.color = style.color});
    ub_free(data);
}

/* Recipes of one line. */
static void plot_batch_sizes(struct ub_panel *panel, const struct study *study,
                             const struct recipes *all, const struct recipe *recipes, size_t n)
{
    const double small = small_edge(recipes), large = large_edge(recipes);
    set_title(panel, all, recipes, false);
    ub_panel_axes(panel, "batch size", UB_LOG, "over an edge", UB_LOG);
    ub_panel_rule(panel, UB_HORIZONTAL, 1, NULL);
    if (isfinite(small))
        plot_levels(panel, study, recipes, n, small, "batch-sharpness",
                    (struct ub_style){.color = 0, .label = "batch sharpness over 2(1 - beta)/lr"});
    if (recipes[0].beta > 0 || !isfinite(small))
        plot_levels(
            panel, study, recipes, n, large, "batch-sharpness",
            (struct ub_style){.color = 2, .label = "batch sharpness over the whole set's edge"});
    plot_levels(panel, study, recipes, n, large, "sharpness",
                (struct ub_style){.color = 1,
                                  .dashed = true,
                                  .label = "full-batch sharpness over the whole set's edge"});
}

static size_t same_line(const struct recipes *r, size_t from)
{
    size_t count = 1;
    while (from + count < r->count && strcmp(r->of[from + count].line, r->of[from].line) == 0)
        count++;
    return count;
}

static bool plot_settled(const struct study *study, const struct recipes *r, struct plates *plates,
                         struct ub_error *err)
{
    int panels = 0, k = 0;
    for (size_t at = 0; at < r->count; at += same_line(r, at))
        panels++;
    const int columns = panels < SETTLED_COLUMNS ? panels : SETTLED_COLUMNS;
    struct ub_figure *f =
        ub_figure_new("Where batch sharpness settles", (panels + columns - 1) / columns, columns);
    for (size_t at = 0; at < r->count; at += same_line(r, at), k++)
        plot_batch_sizes(ub_figure_panel(f, k / columns, k % columns), study, r, &r->of[at],
                         same_line(r, at));
    return plates_add(plates, f, "batch-edges", "Where batch sharpness settles",
                      "Median over the second half of each run over the edge of small batches and "
                      "of the whole set, 2(1 + beta)/lr, against batch size, a panel for systems "
                      "that differ in nothing else; bars: least and greatest over seeds that did "
                      "not diverge. Near 0: along the gradient of a run that oscillates at no "
                      "edge.",
                      err);
}

bool plot_batches(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct recipes r = find_recipes(study);
    bool good = true;
    for (size_t from = 0; good && from < r.count; from += PAGE_PANELS)
        good = plot_page(study, &r, from, plates, err);
    good = good && (r.count == 0 || plot_settled(study, &r, plates, err));
    recipes_clear(&r);
    return good;
}

/* ---- table ------------------------------------------------------------------------------ */

static void range_cell(struct table *t, const struct level *l, double edge)
{
    if (!isfinite(l->mean / edge))
        table_cell(t, "-");
    else
        table_cell(t, "%.3f [%.3f, %.3f]", l->mean / edge, l->low / edge, l->high / edge);
}

struct table *batches_table(const struct study *study)
{
    static const char *const head[] = {"system",
                                       "batch",
                                       "beta",
                                       "diverged or failed",
                                       "batch sharpness over its edge, small batches",
                                       "whole set",
                                       "full-batch sharpness over its edge",
                                       NULL};
    struct table *t = table_new(head, "lrrrrrr");
    struct recipes r = find_recipes(study);
    for (size_t k = 0; k < r.count; k++) {
        const struct recipe *recipe = &r.of[k];
        const struct level batch = level_of(study, recipe, "batch-sharpness");
        const struct level full = level_of(study, recipe, "sharpness");
        char *label = system_label(recipe->spec);
        table_cell(t, "%s", label);
        table_cell(t, "%lld", (long long)recipe->batch);
        table_cell(t, "%g", recipe->beta);
        table_cell(t, "%zu of %zu", batch.lost, batch.runs);
        range_cell(t, &batch, small_edge(recipe));
        range_cell(t, &batch, large_edge(recipe));
        range_cell(t, &full, large_edge(recipe));
        ub_free(label);
    }
    recipes_clear(&r);
    return t;
}

const struct ub_section ub_section_batches = {
    .name = "batches",
    .draw = plot_batches,
    .table = batches_table,
    .title = "Batch sharpness",
    .text = "Medians over the second half of each run, then means over seeds that did not "
            "diverge, with the least and the greatest. Without momentum both edges are 2/lr "
            "(Andreyev and Beneventano 2024, arXiv:2412.20553; with momentum arXiv:2604.14108).",
};
