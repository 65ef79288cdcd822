/* Batch sharpness of stochastic gradient descent: against step beside the full batch's sharpness,
 * and where it settles against batch size, with momentum over both of its edges. */
#include "report/pages.h"

#include <math.h>
#include <string.h>

enum { MOST_PANELS = 32, MOST_RECIPES = 64, PANEL_COLUMNS = 5, SETTLED_COLUMNS = 3 };

/* What of a run's optimizer matters here. */
struct recipe {
    double lr, beta;
    char rate[32]; /* lr as it was asked for: seeds of a relative one differ in lr */
    int64_t batch; /* the training set's size where the optimizer takes all of it */
};

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

/* False where batch sharpness was not measured, or its edge is not known. */
static bool read_recipe(const struct study *study, size_t run, struct recipe *out)
{
    const struct ub_run *r = &study->store->runs[run];
    struct ub_error err = {0};
    if (!study->traces[run] || !has_series(study->traces[run], "batch-edge-ratio"))
        return false;
    struct ub_call *call = ub_call_parse(r->spec.optimizer, "optimizer", &err);
    if (!call)
        return false;
    out->lr = ub_run_fact(r, "lr");
    out->beta = option_of(call, "beta", 0);
    snprintf(out->rate, sizeof out->rate, "%s", text_of(call, "lr"));
    const double batch = option_of(call, "batch", 0);
    out->batch = (int64_t)(batch > 0 ? batch : ub_run_fact(r, "samples"));
    ub_call_free(call);
    return isfinite(out->lr);
}

static int compare(const struct recipe *a, const struct recipe *b)
{
    if (a->beta != b->beta)
        return a->beta < b->beta ? -1 : 1;
    const int rate = strcmp(a->rate, b->rate);
    if (rate != 0)
        return rate;
    return (a->batch > b->batch) - (a->batch < b->batch);
}

/* The store's distinct recipes by beta, learning rate and batch. */
static size_t find_recipes(const struct study *study, struct recipe *out, size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < study->store->count && n < most; i++) {
        struct recipe r;
        if (!read_recipe(study, i, &r))
            continue;
        size_t at = 0;
        while (at < n && compare(&out[at], &r) < 0)
            at++;
        if (at < n && compare(&out[at], &r) == 0)
            continue;
        memmove(out + at + 1, out + at, (n - at) * sizeof *out);
        out[at] = r;
        n++;
    }
    return n;
}

/* ---- against step ------------------------------------------------------------------------- */

static void plot_scaled(struct ub_panel *panel, const struct ub_trace *trace,
                        const char *observable, double scale, struct ub_style style)
{
    struct ub_series s = ub_trace_series(trace, observable, 0);
    for (size_t i = 0; i < s.count; i++)
        s.value[i] *= scale;
    if (s.count > 0)
        ub_panel_line(panel, s.step, s.value, s.count, style);
    ub_series_clear(&s);
}

static void plot_recipe(struct ub_panel *panel, const struct study *study,
                        const struct recipe *recipe)
{
    struct ub_text title = {0};
    ub_text_add(&title, "batch %lld, beta %g, lr %s", (long long)recipe->batch, recipe->beta,
                recipe->rate);
    ub_panel_title(panel, title.data);
    ub_text_free(&title);
    ub_panel_axes(panel, "step", UB_LINEAR, "over 2/lr", UB_LINEAR);
    ub_panel_rule(panel, UB_HORIZONTAL, 1 - recipe->beta, NULL);
    ub_panel_rule(panel, UB_HORIZONTAL, 1 + recipe->beta, NULL);
    ub_panel_range(panel, UB_VERTICAL, 0, recipe->beta > 0 ? 2.5 : 1.6);
    for (size_t i = 0; i < study->store->count; i++) {
        struct recipe r;
        if (!read_recipe(study, i, &r) || compare(&r, recipe) != 0)
            continue;
        plot_scaled(
            panel, study->traces[i], "batch-sharpness", r.lr / 2,
            (struct ub_style){.color = 0, .width = 1.2, .alpha = 0.8, .label = "batch sharpness"});
        plot_scaled(panel, study->traces[i], "sharpness", r.lr / 2,
                    (struct ub_style){.color = 1,
                                      .width = 1.2,
                                      .alpha = 0.8,
                                      .dashed = true,
                                      .label = "full-batch sharpness"});
    }
}

static bool plot_steps(const struct study *study, const struct recipe *recipes, size_t n,
                       struct plates *plates, struct ub_error *err)
{
    const size_t columns = n < PANEL_COLUMNS ? n : PANEL_COLUMNS;
    const size_t rows = (n + columns - 1) / columns;
    struct ub_figure *f = ub_figure_new("Batch sharpness at its edge", (int)rows, (int)columns);
    ub_figure_caption(f, "Over 2/lr, one line a run. Dashed rules: 2(1 - beta)/lr and "
                         "2(1 + beta)/lr.");
    for (size_t k = 0; k < n; k++)
        plot_recipe(ub_figure_panel(f, (int)(k / columns), (int)(k % columns)), study, &recipes[k]);
    return plates_add(plates, f, "batch-sharpness", "Batch sharpness at its edge",
                      "Batch sharpness and the full batch's largest eigenvalue over 2/lr against "
                      "step, a panel a batch size, momentum and learning rate.",
                      err);
}

/* ---- where it settles ----------------------------------------------------------------------- */

/* Mean over seeds, and the least and greatest, of the median over the second half of a run. */
struct level {
    size_t runs, diverged;
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
    const double kept = (double)(l->runs - l->diverged);
    if (!isfinite(value)) {
        l->diverged++;
        return;
    }
    l->mean += (value - l->mean) / kept;
    l->low = fmin(l->low, value);
    l->high = fmax(l->high, value);
}

/* Levels over 2/lr of all runs of a recipe, or those of one system (n_systems: any). */
static struct level level_of(const struct study *study, const struct recipe *recipe, size_t system,
                             const char *observable)
{
    struct level l = {.mean = 0, .low = INFINITY, .high = -INFINITY};
    for (size_t i = 0; i < study->store->count; i++) {
        struct recipe r;
        if (!read_recipe(study, i, &r) || compare(&r, recipe) != 0 ||
            (system != study->n_systems && study->system_of[i] != system))
            continue;
        l.runs++;
        const bool lost = study->store->runs[i].status == UB_RUN_DIVERGED;
        level_add(&l, lost ? (double)NAN : late_median(study->traces[i], observable, r.lr / 2));
    }
    if (l.runs == l.diverged)
        l.mean = l.low = l.high = NAN;
    return l;
}

/* One line: levels of n recipes over `edge` times 2/lr. */
static void plot_levels(struct ub_panel *panel, const struct study *study,
                        const struct recipe *recipes, size_t n, double edge, const char *observable,
                        struct ub_style style)
{
    double *data = ub_calloc(4 * n + 1, sizeof *data);
    double *x = data, *y = data + n, *low = data + 2 * n, *high = data + 3 * n;
    for (size_t k = 0; k < n; k++) {
        const struct level l = level_of(study, &recipes[k], study->n_systems, observable);
        x[k] = (double)recipes[k].batch;
        y[k] = l.mean / edge;
        low[k] = l.low / edge;
        high[k] = l.high / edge;
    }
    ub_panel_line(panel, x, y, n, style);
    ub_panel_bars(panel, UB_VERTICAL, x, y, low, high, n, (struct ub_style){.color = style.color});
    ub_free(data);
}

/* Recipes of one momentum and learning rate. */
static void plot_batch_sizes(struct ub_panel *panel, const struct study *study,
                             const struct recipe *recipes, size_t n)
{
    const double beta = recipes[0].beta;
    struct ub_text title = {0};
    ub_text_add(&title, "beta %g, lr %s", beta, recipes[0].rate);
    ub_panel_title(panel, title.data);
    ub_text_free(&title);
    ub_panel_axes(panel, "batch size", UB_LOG, "over an edge", UB_LOG);
    ub_panel_range(panel, UB_VERTICAL, beta > 0 ? 0.03 : 0.4, beta > 0 ? 30 : 1.6);
    ub_panel_rule(panel, UB_HORIZONTAL, 1, NULL);
    plot_levels(panel, study, recipes, n, 1 - beta, "batch-sharpness",
                (struct ub_style){.color = 0, .label = "batch sharpness over 2(1 - beta)/lr"});
    if (beta > 0)
        plot_levels(panel, study, recipes, n, 1 + beta, "batch-sharpness",
                    (struct ub_style){.color = 2, .label = "batch sharpness over 2(1 + beta)/lr"});
    plot_levels(panel, study, recipes, n, 1 + beta, "sharpness",
                (struct ub_style){.color = 1,
                                  .dashed = true,
                                  .label = "full-batch sharpness over 2(1 + beta)/lr"});
}

static size_t same_rate(const struct recipe *recipes, size_t n)
{
    size_t count = 1;
    while (count < n && recipes[count].beta == recipes[0].beta &&
           strcmp(recipes[count].rate, recipes[0].rate) == 0)
        count++;
    return count;
}

static bool plot_settled(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct recipe recipes[MOST_RECIPES];
    const size_t n = find_recipes(study, recipes, MOST_RECIPES);
    int panels = 0, k = 0;
    for (size_t at = 0; at < n; at += same_rate(recipes + at, n - at))
        panels++;
    const int columns = panels < SETTLED_COLUMNS ? panels : SETTLED_COLUMNS;
    struct ub_figure *f =
        ub_figure_new("Where batch sharpness settles", (panels + columns - 1) / columns, columns);
    for (size_t at = 0; at < n; at += same_rate(recipes + at, n - at), k++)
        plot_batch_sizes(ub_figure_panel(f, k / columns, k % columns), study, recipes + at,
                         same_rate(recipes + at, n - at));
    return plates_add(plates, f, "batch-edges", "Where batch sharpness settles",
                      "Median over the second half of each run over the edge of small and of large "
                      "batches, against batch size, a panel a momentum and learning rate; bars: "
                      "least and greatest over seeds that did not diverge. Values near 0, along "
                      "the gradient of a run that oscillates at no edge, are cut.",
                      err);
}

bool plot_batches(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct recipe recipes[MOST_PANELS];
    const size_t n = find_recipes(study, recipes, MOST_PANELS);
    return n == 0 ||
           (plot_steps(study, recipes, n, plates, err) && plot_settled(study, plates, err));
}

/* ---- table ------------------------------------------------------------------------------ */

static void range_cell(struct table *t, const struct level *l, double edge)
{
    if (!isfinite(l->mean))
        table_cell(t, "-");
    else
        table_cell(t, "%.3f [%.3f, %.3f]", l->mean / edge, l->low / edge, l->high / edge);
}

struct table *batches_table(const struct study *study)
{
    static const char *const head[] = {"system",
                                       "batch",
                                       "beta",
                                       "diverged",
                                       "batch sharpness lr/(2(1 - beta))",
                                       "lr/(2(1 + beta))",
                                       "full-batch sharpness lr/(2(1 + beta))",
                                       NULL};
    struct table *t = table_new(head, "lrrrrrr");
    for (size_t s = 0; s < study->n_systems; s++) {
        struct recipe r;
        if (!read_recipe(study, study->first_of[s], &r))
            continue;
        const struct level batch = level_of(study, &r, s, "batch-sharpness");
        const struct level full = level_of(study, &r, s, "sharpness");
        char *label = system_label(&study->store->runs[study->first_of[s]].spec);
        table_cell(t, "%s", label);
        table_cell(t, "%lld", (long long)r.batch);
        table_cell(t, "%g", r.beta);
        table_cell(t, "%zu of %zu", batch.diverged, batch.runs);
        range_cell(t, &batch, 1 - r.beta);
        range_cell(t, &batch, 1 + r.beta);
        range_cell(t, &full, 1 + r.beta);
        ub_free(label);
    }
    return t;
}
