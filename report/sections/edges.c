/* Optimizers at their edges, side by side: rho of every run in normalized time, plateaus by
 * optimizer and architecture, and what each optimizer's threshold is. */
#include "report/sections/sections.h"

#include <math.h>
#include <string.h>

enum { FEWEST_OPTIMIZERS = 5, COLUMNS = 5, COLORS = 8, MOST_LABELS = 16 };
static const double earliest = 0.05, latest = 20, top = 1.6;

bool is_about_rho(const struct ub_law_verdict *v)
{
    return v->law->series && strcmp(v->law->series, "edge-ratio") == 0;
}

/* ---- axes: optimizers by name, architectures by label where those are few ------------------ */

struct axes {
    const struct ub_store *store;
    const struct ub_law_verdict *law;
    const struct ub_run_spec *of; /* only of its dataset and loss; NULL: of all */
    struct labels optimizers, models;
    bool by_name; /* models */
};

static size_t add_model(struct axes *a, const struct ub_run_spec *spec)
{
    char *name = a->by_name ? call_name(spec->model) : ub_strdup(model_label(spec));
    const size_t index = labels_add(&a->models, name);
    ub_free(name);
    return index;
}

static size_t add_optimizer(struct axes *a, const struct ub_run_spec *spec)
{
    char *name = call_name(spec->optimizer);
    const size_t index = labels_add(&a->optimizers, name);
    ub_free(name);
    return index;
}

static bool belongs(const struct axes *a, const struct ub_run_spec *spec)
{
    return !a->of ||
           (strcmp(a->of->dataset, spec->dataset) == 0 && strcmp(a->of->loss, spec->loss) == 0);
}

static const struct ub_run_spec *spec_of(const struct axes *a, size_t group)
{
    return &a->store->runs[a->law->groups.group[group].row[0]].spec;
}

static void add_models(struct axes *a)
{
    for (size_t g = 0; g < a->law->groups.count; g++)
        if (belongs(a, spec_of(a, g)))
            add_model(a, spec_of(a, g));
}

static struct axes axes_of(const struct study *study, const struct ub_law_verdict *v,
                           const struct ub_run_spec *of)
{
    struct axes a = {.store = study->store, .law = v, .of = of};
    for (size_t g = 0; g < v->groups.count; g++)
        if (belongs(&a, spec_of(&a, g)))
            add_optimizer(&a, spec_of(&a, g));
    add_models(&a);
    if (a.models.count <= MOST_LABELS)
        return a;
    a.by_name = true;
    labels_free(&a.models);
    add_models(&a);
    return a;
}

static void axes_clear(struct axes *a)
{
    labels_free(&a->optimizers);
    labels_free(&a->models);
}

/* ---- collapse ------------------------------------------------------------------------------ */

double unit_of_time(const struct ub_level *level, const struct ub_series *rho)
{
    if (level->window.reached && level->first_step > 0)
        return level->first_step;
    return rho->count ? rho->step[rho->count - 1] : 0;
}

static void plot_run(struct ub_figure *f, struct axes *a, const struct study *study, size_t row)
{
    const struct ub_run_spec *spec = &a->store->runs[row].spec;
    struct ub_series s = ub_frame_series(study->frame, row, a->law->law->series, 0);
    const double unit = unit_of_time(&a->law->level[row], &s);
    const size_t panel = add_optimizer(a, spec), model = add_model(a, spec);
    for (size_t i = 0; i < s.count && unit > 0; i++)
        s.step[i] /= unit;
    if (unit > 0)
        ub_panel_line(ub_figure_panel(f, (int)(panel / COLUMNS), (int)(panel % COLUMNS)), s.step,
                      s.value, s.count,
                      (struct ub_style){.color = (int)(model % COLORS),
                                        .dashed = model / COLORS % 2 == 1,
                                        .width = 1,
                                        .alpha = 0.75,
                                        .label = a->models.text[model]});
    ub_series_clear(&s);
}

static struct ub_figure *collapse_frame(const struct axes *a, const char *title)
{
    const struct ub_claim *is = &a->law->law->is;
    const size_t rows = (a->optimizers.count + COLUMNS - 1) / COLUMNS;
    struct ub_figure *f = ub_figure_new(title, (int)rows, COLUMNS);
    ub_figure_share(f, true, true);
    ub_figure_caption(f,
                      "Time: step over the step from which the run keeps its level, however high "
                      "that is, or over the run's length when it has none. One line a run; "
                      "dashed rule: the edge; shaded: the law's margin.");
    for (size_t k = 0; k < a->optimizers.count; k++) {
        struct ub_panel *p = ub_figure_panel(f, (int)(k / COLUMNS), (int)(k % COLUMNS));
        ub_panel_title(p, a->optimizers.text[k]);
        ub_panel_axes(p, "step / first at its level", UB_LOG, "rho", UB_LINEAR);
        ub_panel_range(p, UB_HORIZONTAL, earliest, latest);
        ub_panel_range(p, UB_VERTICAL, 0, top);
        ub_panel_shade(p, UB_HORIZONTAL, is->target - is->margin, is->target + is->margin,
                       (struct ub_style){.color = -1});
        ub_panel_rule(p, UB_HORIZONTAL, is->target, NULL);
    }
    return f;
}

bool has_many_optimizers(const struct study *study, const struct ub_law_verdict *v)
{
    struct axes a = axes_of(study, v, NULL);
    const bool many = a.optimizers.count >= FEWEST_OPTIMIZERS;
    axes_clear(&a);
    return many;
}

bool plot_collapse_by_optimizer(const struct study *study, const struct ub_law_verdict *v,
                                struct plates *plates, struct ub_error *err)
{
    static const char title[] = "Every optimizer, measured by its own edge";
    struct axes a = axes_of(study, v, NULL);
    struct ub_figure *f = collapse_frame(&a, title);
    for (size_t g = 0; g < v->groups.count; g++)
        for (size_t i = 0; i < v->groups.group[g].count; i++)
            plot_run(f, &a, study, v->groups.group[g].row[i]);
    axes_clear(&a);
    return plates_add(plates, f, "collapse", title,
                      "rho = sharpness / threshold in normalized time, a panel an optimizer, a "
                      "color an architecture. Values above 1.6 are cut, and times outside 0.05 to "
                      "20.",
                      err);
}

/* ---- plateaus by optimizer and architecture ------------------------------------------------- */

static bool in_cell(struct axes *a, const struct ub_run_spec *spec, size_t optimizer, size_t model)
{
    return belongs(a, spec) && add_optimizer(a, spec) == optimizer && add_model(a, spec) == model;
}

/* Systems' plateaus come together as in the verdict; one alone keeps its own interval. */
static struct ub_interval cell_mean(struct axes *a, size_t optimizer, size_t model)
{
    const struct ub_law_verdict *v = a->law;
    double *value = ub_calloc(v->groups.count + 1, sizeof *value);
    double *se = ub_calloc(v->groups.count + 1, sizeof *se);
    struct ub_interval mean = {.estimate = (double)NAN};
    size_t n = 0;
    for (size_t g = 0; g < v->groups.count; g++) {
        if (v->data[g].why || !in_cell(a, spec_of(a, g), optimizer, model))
            continue;
        mean = ub_datum_interval(&v->data[g]);
        value[n] = v->data[g].value;
        se[n++] = v->data[g].se;
    }
    if (n > 1)
        mean = ub_random_effects(value, se, n).mean;
    ub_free(value);
    ub_free(se);
    return mean;
}

/* "b: 2, d: 1": how many runs have no level, by letters that stand for reasons. */
static size_t count_reasons(struct axes *a, size_t optimizer, size_t model, struct labels *reasons,
                            struct ub_text *out)
{
    enum { MOST_REASONS = 26 };
    size_t count[MOST_REASONS] = {0}, kinds = 0, runs = 0;
    for (size_t g = 0; g < a->law->groups.count; g++) {
        const struct ub_rows *rows = &a->law->groups.group[g];
        for (size_t i = 0; in_cell(a, spec_of(a, g), optimizer, model) && i < rows->count; i++) {
            const struct ub_window *w = &a->law->level[rows->row[i]].window;
            runs++;
            if (w->reached)
                continue;
            const size_t reason = labels_add(reasons, w->why);
            count[reason < MOST_REASONS ? reason : MOST_REASONS - 1]++;
        }
    }
    for (size_t k = 0; k < MOST_REASONS; k++)
        if (count[k] > 0)
            ub_text_add(out, "%s%c: %zu", kinds++ ? ", " : "", (char)('a' + (int)k), count[k]);
    return runs;
}

static void add_cell(struct table *t, struct axes *a, size_t optimizer, size_t model,
                     struct labels *reasons)
{
    const struct ub_interval mean = cell_mean(a, optimizer, model);
    struct ub_text cell = {0}, why = {0};
    const size_t runs = count_reasons(a, optimizer, model, reasons, &why);
    if (!isfinite(mean.estimate))
        ub_text_add(&cell, "%s", runs ? "-" : "");
    else if (isfinite(mean.low) && isfinite(mean.high))
        ub_text_add(&cell, "%.3f [%.2f, %.2f]", mean.estimate, mean.low, mean.high);
    else
        ub_text_add(&cell, "%.3f", mean.estimate);
    if (why.data)
        ub_text_add(&cell, " (%s)", why.data);
    table_cell(t, "%s", cell.data);
    ub_text_free(&cell);
    ub_text_free(&why);
}

struct table *plateaus_table(const struct study *study, const struct ub_law_verdict *v,
                             const struct ub_run_spec *of, struct labels *reasons)
{
    struct axes a = axes_of(study, v, of);
    const size_t columns = a.models.count + 1;
    const char **head = ub_calloc(columns, sizeof *head);
    char *align = ub_calloc(columns + 1, 1);
    memset(align, 'r', columns);
    align[0] = 'l';
    head[0] = "optimizer";
    for (size_t m = 0; m < a.models.count; m++)
        head[m + 1] = a.models.text[m];
    struct table *t = table_new(head, align);
    for (size_t o = 0; o < a.optimizers.count; o++) {
        table_cell(t, "%s", a.optimizers.text[o]);
        for (size_t m = 0; m < a.models.count; m++)
            add_cell(t, &a, o, m, reasons);
    }
    ub_free(head);
    ub_free(align);
    axes_clear(&a);
    return t;
}

/* A table for each dataset and loss. */
static void add_plateaus_of(struct ub_text *out, const struct study *study,
                            const struct ub_law_verdict *v)
{
    struct labels groups = {0}, reasons = {0};
    for (size_t g = 0; g < v->groups.count; g++) {
        const struct ub_run_spec *of = &study->store->runs[v->groups.group[g].row[0]].spec;
        struct ub_text name = {0};
        ub_text_add(&name, "%s, %s", dataset_label(of), of->loss);
        const size_t before = groups.count;
        if (labels_add(&groups, name.data) == before) {
            struct table *t = plateaus_table(study, v, of, &reasons);
            ub_text_add(out, "\n%s:\n\n", name.data);
            table_markdown(t, out);
            table_free(t);
        }
        ub_text_free(&name);
    }
    for (size_t k = 0; k < reasons.count; k++)
        ub_text_add(out, "%s%c: %s", k ? "; " : "\n", (char)('a' + (int)k), reasons.text[k]);
    if (reasons.count > 0)
        ub_text_add(out, ".\n");
    labels_free(&groups);
    labels_free(&reasons);
}

void add_plateaus(struct ub_text *out, const struct study *study)
{
    for (size_t i = 0; i < study->n_laws; i++) {
        if (!is_about_rho(study->laws[i]) || study->laws[i]->groups.count == 0)
            continue;
        ub_text_add(out, "\n## Plateaus by optimizer and architecture\n\nlevel of rho, mean "
                         "over the systems of a pair (random effects, as in the verdict) with its "
                         "95%% interval; in parentheses: runs that have none, by reason.\n");
        add_plateaus_of(out, study, study->laws[i]);
    }
}

/* ---- thresholds ----------------------------------------------------------------------------- */

/* One row for each optimizer (and formula) that the store's runs know the edge of. */
struct table *thresholds_table(const struct study *study)
{
    static const char *const head[] = {"optimizer", "what sits at the edge", "threshold",
                                       "citation", NULL};
    struct table *t = table_new(head, "llll");
    struct labels seen = {0};
    for (size_t i = 0; i < study->store->count; i++) {
        const struct ub_run *run = &study->store->runs[i];
        const char *threshold = provenance_of(run, "edge.threshold");
        struct ub_text key = {0};
        char *optimizer = call_name(run->spec.optimizer);
        const size_t before = seen.count;
        ub_text_add(&key, "%s %s", optimizer, threshold);
        if (*threshold && labels_add(&seen, key.data) == before) {
            table_cell(t, "%s", optimizer);
            table_cell(t, "%s", provenance_of(run, "edge.quantity"));
            table_cell(t, "%s", threshold);
            table_cell(t, "%s", provenance_of(run, "edge.citation"));
        }
        ub_free(optimizer);
        ub_text_free(&key);
    }
    labels_free(&seen);
    return t;
}

const struct ub_section ub_section_thresholds = {
    .name = "thresholds",
    .table = thresholds_table,
    .title = "Thresholds",
    .text = "The edge of each optimizer, rho = 1: H is the Hessian of the training loss, coupled "
            "decay included, P the optimizer's metric.",
};
