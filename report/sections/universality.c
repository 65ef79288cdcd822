/* Are exponents the same across models, and does the data's predict the others? */
#include "report/laws/spectral_decay.h"
#include "report/sections/exponents.h"

#include <math.h>
#include <string.h>

/* ---- across models ---------------------------------------------------------------------- */

static const struct ub_law_verdict *verdict_on(const struct study *study, enum matrix_of m)
{
    for (size_t i = 0; i < study->n_laws; i++)
        if (study->laws[i]->law == spectral_decay_laws[m])
            return study->laws[i];
    return NULL;
}

static void add_model(struct universal *u, const struct study *study,
                      const struct ub_law_verdict *v, size_t g)
{
    const struct ub_run_spec *spec = &study->store->runs[v->groups.group[g].row[0]].spec;
    u->spec = spec;
    u->all++;
    if (v->data[g].why)
        return;
    u->model[u->n] = spec;
    u->mean[u->n] = v->data[g].value;
    u->se[u->n++] = v->data[g].se;
    u->meets = v->judgment.meets[g];
    u->exception = v->judgment.exception[g];
}

/* The clusters of one law, in order of their first groups. */
static void add_clusters(struct universals *u, const struct study *study, enum matrix_of m,
                         const struct ub_law_verdict *v)
{
    const size_t first = u->count;
    int last = -1;
    for (size_t g = 0; g < v->groups.count; g++)
        last = v->data[g].cluster > last ? v->data[g].cluster : last;
    u->count += (size_t)(last + 1);
    u->group = ub_realloc(u->group, (u->count + 1) * sizeof *u->group);
    for (size_t i = first; i < u->count; i++) {
        const size_t room = v->groups.count;
        u->group[i] = (struct universal){.matrix = m,
                                         .model = ub_calloc(room, sizeof(void *)),
                                         .mean = ub_calloc(room, sizeof(double)),
                                         .se = ub_calloc(room, sizeof(double))};
    }
    for (size_t g = 0; g < v->groups.count; g++)
        add_model(&u->group[first + (size_t)v->data[g].cluster], study, v, g);
    for (size_t i = first; i < u->count; i++)
        u->group[i].between = ub_random_effects(u->group[i].mean, u->group[i].se, u->group[i].n);
}

struct universals universals_of(const struct study *study)
{
    struct universals u = {0};
    for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES; m++) {
        const struct ub_law_verdict *v = verdict_on(study, (enum matrix_of)m);
        if (v && v->groups.count > 0)
            add_clusters(&u, study, (enum matrix_of)m, v);
    }
    return u;
}

void universals_clear(struct universals *u)
{
    for (size_t i = 0; i < u->count; i++) {
        ub_free(u->group[i].model);
        ub_free(u->group[i].mean);
        ub_free(u->group[i].se);
    }
    ub_free(u->group);
    *u = (struct universals){0};
}

/* ---- from the data ---------------------------------------------------------------------- */

struct ub_slope exponent_slope(const struct exponents *e, enum matrix_of matrix,
                               enum fit_choice choice, size_t *n)
{
    struct ub_point *points = ub_calloc(e->count + 1, sizeof *points);
    *n = 0;
    for (size_t i = 0; i < e->count; i++) {
        const struct decay *d = &e->runs[i].last[matrix];
        const size_t row = e->runs[i].run, dataset = e->datasets.of[row];
        struct ub_interval data;
        if (fit_is_used(d, choice) && exponent_of_data(e, dataset, choice, &data))
            points[(*n)++] = (struct ub_point){.x = data.estimate,
                                               .x_se = data.se,
                                               .y = d->fit[UB_EXPONENT],
                                               .group = (int)e->kinds.of[row],
                                               .cluster = (int)dataset};
    }
    const struct ub_slope slope = ub_slope_within(points, *n);
    ub_free(points);
    return slope;
}

/* ---- text ------------------------------------------------------------------------------- */

static void add_interval(struct table *t, double estimate, double low, double high)
{
    if (!isfinite(estimate))
        table_cell(t, "-");
    else if (!isfinite(low))
        table_cell(t, "%.2f", estimate);
    else
        table_cell(t, "%.2f [%.2f, %.2f]", estimate, low, high);
}

/* "resnet 1.59, mlp 2.53": the least and the greatest mean; "-" without two. */
static char *ends_text(const struct universal *g)
{
    struct ub_text out = {0};
    size_t least = 0, most = 0;
    for (size_t k = 1; k < g->n; k++) {
        least = g->mean[k] < g->mean[least] ? k : least;
        most = g->mean[k] > g->mean[most] ? k : most;
    }
    if (g->n >= 2)
        ub_text_add(&out, "%s %.2f, %s %.2f", model_label(g->model[least]), g->mean[least],
                    model_label(g->model[most]), g->mean[most]);
    else
        ub_text_add(&out, "-");
    return out.data;
}

static struct table *universals_table(const struct universals *u)
{
    static const char *const head[] = {
        "matrix", "dataset", "loss",          "models", "with power law",     "mean", "tau",
        "I2",     "p of Q",  "within margin", "differ", "least and greatest", NULL};
    struct table *t = table_new(head, "lllrrllrrlll");
    for (size_t i = 0; i < u->count; i++) {
        const struct universal *g = &u->group[i];
        const struct ub_meta *b = &g->between;
        table_cell(t, "%s", exponent_matrices[g->matrix]);
        table_cell(t, "%s", dataset_label(g->spec));
        table_cell(t, "%s", g->spec->loss);
        table_cell(t, "%zu", g->all);
        table_cell(t, "%zu", g->n);
        add_interval(t, b->mean.estimate, b->mean.low, b->mean.high);
        add_interval(t, b->tau, b->tau_low, b->tau_high);
        table_fixed(t, b->i_squared, 2);
        table_real(t, b->q_p, 2);
        table_cell(t, "%s", g->n < 2 ? "-" : g->meets ? "yes" : "no");
        table_cell(t, "%s", g->n < 2 ? "-" : g->exception ? "yes" : "no");
        char *ends = ends_text(g);
        table_cell(t, "%s", ends);
        ub_free(ends);
    }
    return t;
}

static void add_across(struct pieces *out, const struct study *study)
{
    struct universals u = universals_of(study);
    pieces_heading(out, "Are exponents the same across models?");
    pieces_text(out,
                "What the laws on spectral decay compare: models of the same data and loss, at the "
                "last measurement, in spectra where the power law is the best of the forms "
                "compared (BIC). tau: spread between models (their runs' mean over optimizers and "
                "seeds) beyond their errors, with its 95%% interval (Q profile); differ: tau is "
                "above the margin past doubt (Benjamini-Hochberg over the law's clusters, 0.05).");
    pieces_table(out, universals_table(&u), "combinations of matrix, dataset and loss");
    universals_clear(&u);
}

/* Inputs' exponents; of those that decay as no power law, a mean slope. */
static void add_datasets(struct ub_text *out, const struct exponents *e)
{
    ub_text_add(out, "Exponents of inputs:");
    for (size_t k = 0; k < e->datasets.groups.count; k++) {
        struct ub_interval data, ignored;
        ub_text_add(out, "%s %s ", k ? "," : "", e->datasets.name[k]);
        if (!exponent_of_data(e, k, ANY_FITS, &data))
            ub_text_add(out, "none");
        else
            ub_text_add(out, "%.2f [%.2f, %.2f]%s", data.estimate, data.low, data.high,
                        exponent_of_data(e, k, POWER_LAWS, &ignored)
                            ? ""
                            : " (no power law: a rival fits better)");
    }
    ub_text_add(out, ".");
}

static void add_slope(struct table *t, const struct exponents *e, enum matrix_of m,
                      enum fit_choice choice)
{
    size_t n;
    const struct ub_slope s = exponent_slope(e, m, choice, &n);
    if (n == 0)
        return;
    table_cell(t, "%s", exponent_matrices[m]);
    table_cell(t, "%s", choice == POWER_LAWS ? "power laws" : "with rivals");
    table_cell(t, "%zu", s.n_clusters);
    table_cell(t, "%zu", s.slope.n);
    add_interval(t, s.slope.estimate, s.slope.low, s.slope.high);
    table_fixed(t, s.reliability, 3);
    add_interval(t, s.spearman.estimate, s.spearman.low, s.spearman.high);
}

static void add_prediction(struct pieces *out, const struct exponents *e)
{
    static const char *const head[] = {"matrix", "fits",        "datasets", "runs",
                                       "slope",  "reliability", "Spearman", NULL};
    struct table *t = table_new(head, "llrrlrl");
    struct ub_text inputs = {0};
    for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES; m++) {
        add_slope(t, e, (enum matrix_of)m, POWER_LAWS);
        add_slope(t, e, (enum matrix_of)m, ANY_FITS);
    }
    pieces_heading(out, "Does the data's exponent predict the others?");
    pieces_text(out,
                "Slope of each exponent on that of the inputs within systems of one architecture, "
                "optimizer and loss that more than one dataset has, corrected for errors in the "
                "latter (Fuller 1987), with 95%% interval by jackknife over datasets; reliability: "
                "share of the spread of inputs' exponents that is not error; at one half or less "
                "there is no slope. 1: it is passed on as it is; 0: it is not. Spearman: over "
                "runs, bootstrap over datasets. Intervals need four datasets. With rivals: fits of "
                "spectra that another form fits better, too, whose exponents are mean slopes over "
                "the ranks fitted.");
    add_datasets(&inputs, e);
    pieces_text(out, "%s", inputs.data);
    ub_text_free(&inputs);
    pieces_table(out, t, NULL);
}

void add_universality(struct pieces *out, const struct exponents *e)
{
    size_t others = 0;
    for (size_t i = 0; i < e->count; i++)
        for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES; m++)
            others += e->runs[i].last[m].fate != NOT_MEASURED;
    if (others == 0)
        return;
    add_across(out, e->study);
    add_prediction(out, e);
}
