/* Are exponents the same across architectures, and does the data's predict the others? */
#include "report/sections/exponents.h"

#include <math.h>
#include <string.h>

/* Exponents 0.2 apart are a factor of 1.6 in the eigenvalue of rank 10 over that of rank 1. */
const double universal_margin = 0.2;

enum { LEAST_ARCHITECTURES = 3 };

/* ---- across architectures --------------------------------------------------------------- */

static struct universal *find_group(struct universals *u, enum matrix_of m,
                                    const struct ub_run_spec *spec)
{
    for (size_t i = 0; i < u->count; i++)
        if (u->group[i].matrix == m && strcmp(u->group[i].spec->dataset, spec->dataset) == 0 &&
            strcmp(u->group[i].spec->loss, spec->loss) == 0)
            return &u->group[i];
    u->group = ub_realloc(u->group, (u->count + 1) * sizeof *u->group);
    u->group[u->count] = (struct universal){.matrix = m, .spec = spec};
    return &u->group[u->count++];
}

static bool is_of(const struct exponents *e, size_t run, const struct universal *g)
{
    const struct ub_run_spec *spec = exponents_spec(e, run);
    return strcmp(g->spec->dataset, spec->dataset) == 0 && strcmp(g->spec->loss, spec->loss) == 0;
}

/* Mean over an architecture's runs (optimizers and seeds). */
static struct ub_interval architecture_mean(const struct exponents *e, const struct universal *g,
                                            const char *architecture, enum fit_choice choice)
{
    double *mean = ub_calloc(2 * e->count + 1, sizeof *mean), *se = mean + e->count;
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++) {
        const struct decay *d = &e->runs[i].last[g->matrix];
        char *name = architecture_of(exponents_spec(e, i));
        if (is_of(e, i, g) && strcmp(name, architecture) == 0 && fit_is_used(d, choice)) {
            mean[n] = d->fit[EXPONENT];
            se[n++] = d->se;
        }
        ub_free(name);
    }
    const struct ub_interval all = ub_random_effects(mean, se, n).mean;
    ub_free(mean);
    return all;
}

static enum ub_verdict_kind verdict_of(const struct universal *g)
{
    if (g->n < LEAST_ARCHITECTURES)
        return UB_LAW_UNDECIDED;
    if (g->between.tau_high <= universal_margin)
        return UB_LAW_HOLDS;
    return g->between.tau_low > universal_margin ? UB_LAW_VIOLATED : UB_LAW_UNDECIDED;
}

/* Runs of systems of which others were measured: they failed, diverged or wait to be run. */
static size_t count_lost(const struct exponents *e, const struct universal *g)
{
    const struct study *study = e->study;
    size_t *measured = ub_calloc(study->systems.count + 1, sizeof *measured), lost = 0;
    for (size_t i = 0; i < e->count; i++)
        if (is_of(e, i, g) && e->runs[i].last[g->matrix].fate != NOT_MEASURED)
            measured[study->system_of[e->runs[i].run]]++;
    for (size_t s = 0; s < study->systems.count; s++)
        lost += measured[s] > 0 ? runs_of_system(study, s) - measured[s] : 0;
    ub_free(measured);
    return lost;
}

static void compare_architectures(struct universal *g, const struct exponents *e)
{
    struct labels names = {0};
    double mean[MOST_ARCHITECTURES], se[MOST_ARCHITECTURES];
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++)
        if (is_of(e, i, g)) {
            char *name = architecture_of(exponents_spec(e, i));
            labels_add(&names, name);
            g->fits[e->runs[i].last[g->matrix].fate]++;
            ub_free(name);
        }
    for (size_t k = 0; k < names.count && k < MOST_ARCHITECTURES; k++) {
        const struct ub_interval power = architecture_mean(e, g, names.text[k], POWER_LAWS);
        const struct ub_interval any = architecture_mean(e, g, names.text[k], ANY_FITS);
        if (isfinite(any.estimate)) {
            mean[n] = any.estimate;
            se[n++] = any.se;
        }
        if (!isfinite(power.estimate))
            continue;
        g->architecture[g->n] = ub_strdup(names.text[k]);
        g->mean[g->n] = power.estimate;
        g->se[g->n++] = power.se;
    }
    labels_free(&names);
    g->fits[NOT_MEASURED] = count_lost(e, g);
    g->between = ub_random_effects(g->mean, g->se, g->n);
    g->any = ub_random_effects(mean, se, n);
    g->verdict = verdict_of(g);
}

static void adjust(struct universals *u)
{
    double *p = ub_calloc(2 * u->count + 1, sizeof *p), *q = p + u->count;
    for (size_t i = 0; i < u->count; i++)
        p[i] = u->group[i].between.q_p;
    ub_benjamini_hochberg(p, u->count, q);
    for (size_t i = 0; i < u->count; i++)
        u->group[i].adjusted_p = q[i];
    ub_free(p);
}

struct universals universals_of(const struct exponents *e)
{
    struct universals u = {0};
    for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES; m++)
        for (size_t i = 0; i < e->count; i++)
            if (e->runs[i].last[m].fate != NOT_MEASURED)
                find_group(&u, (enum matrix_of)m, exponents_spec(e, i));
    for (size_t i = 0; i < u.count; i++)
        compare_architectures(&u.group[i], e);
    adjust(&u);
    return u;
}

void universals_clear(struct universals *u)
{
    for (size_t i = 0; i < u->count; i++)
        for (size_t k = 0; k < u->group[i].n; k++)
            ub_free(u->group[i].architecture[k]);
    ub_free(u->group);
    *u = (struct universals){0};
}

/* ---- from the data ---------------------------------------------------------------------- */

struct ub_slope exponent_slope(const struct exponents *e, enum matrix_of matrix,
                               enum fit_choice choice, size_t *n)
{
    struct labels groups = {0}, datasets = {0};
    struct ub_point *points = ub_calloc(e->count + 1, sizeof *points);
    *n = 0;
    for (size_t i = 0; i < e->count; i++) {
        const struct ub_run_spec *spec = exponents_spec(e, i);
        const struct decay *d = &e->runs[i].last[matrix];
        struct ub_interval data;
        if (!fit_is_used(d, choice) || !exponent_of_data(e, spec->dataset, choice, &data))
            continue;
        struct ub_text group = {0};
        char *architecture = architecture_of(spec), *optimizer = call_name(spec->optimizer);
        ub_text_add(&group, "%s, %s, %s", architecture, optimizer, spec->loss);
        points[(*n)++] = (struct ub_point){.x = data.estimate,
                                           .x_se = data.se,
                                           .y = d->fit[EXPONENT],
                                           .group = (int)labels_add(&groups, group.data),
                                           .cluster = (int)labels_add(&datasets, spec->dataset)};
        ub_text_free(&group);
        ub_free(architecture);
        ub_free(optimizer);
    }
    const struct ub_slope slope = ub_slope_within(points, *n);
    ub_free(points);
    labels_free(&groups);
    labels_free(&datasets);
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
        ub_text_add(&out, "%s %.2f, %s %.2f", g->architecture[least], g->mean[least],
                    g->architecture[most], g->mean[most]);
    else
        ub_text_add(&out, "-");
    return out.data;
}

static struct table *universals_table(const struct universals *u)
{
    static const char *const head[] = {"matrix",
                                       "dataset",
                                       "loss",
                                       "power laws",
                                       "rival fits better",
                                       "no fit",
                                       "lost",
                                       "mean",
                                       "architectures",
                                       "tau",
                                       "tau with rivals",
                                       "I2",
                                       "p of Q",
                                       "verdict",
                                       "least and greatest",
                                       NULL};
    struct table *t = table_new(head, "lllrrrrlrllrrll");
    for (size_t i = 0; i < u->count; i++) {
        const struct universal *g = &u->group[i];
        const struct ub_meta *b = &g->between;
        const size_t asked =
            g->fits[NOT_MEASURED] + g->fits[NOT_FITTED] + g->fits[RIVAL_FITS] + g->fits[POWER_FITS];
        table_cell(t, "%s", exponent_matrices[g->matrix]);
        table_cell(t, "%s", dataset_label(g->spec));
        table_cell(t, "%s", g->spec->loss);
        table_cell(t, "%zu of %zu", g->fits[POWER_FITS], asked);
        table_cell(t, "%zu", g->fits[RIVAL_FITS]);
        table_cell(t, "%zu", g->fits[NOT_FITTED]);
        table_cell(t, "%zu", g->fits[NOT_MEASURED]);
        add_interval(t, b->mean.estimate, b->mean.low, b->mean.high);
        table_cell(t, "%zu", g->n);
        add_interval(t, b->tau, b->tau_low, b->tau_high);
        add_interval(t, g->any.tau, g->any.tau_low, g->any.tau_high);
        table_fixed(t, b->i_squared, 2);
        table_real(t, b->q_p, 2);
        table_cell(t, "%s", ub_verdict_word(g->verdict));
        char *ends = ends_text(g);
        table_cell(t, "%s", ends);
        ub_free(ends);
    }
    return t;
}

/* "NTK: holds on 0 of 3, violated on 1 (digits under ce: tau 0.6 ...), undecided on 2; ..." */
static void add_answer(struct ub_text *out, const struct universals *u, enum matrix_of m)
{
    size_t count[UB_LAW_VERDICTS] = {0}, all = 0, differ = 0;
    struct ub_text where = {0};
    for (size_t i = 0; i < u->count; i++) {
        const struct universal *g = &u->group[i];
        if (g->matrix != m)
            continue;
        all++;
        char *ends = ends_text(g);
        if (g->verdict == UB_LAW_VIOLATED)
            ub_text_add(&where, "%s%s under %s: tau %.2f [%.2f, %.2f], %s",
                        where.length ? "; " : "", dataset_label(g->spec), g->spec->loss,
                        g->between.tau, g->between.tau_low, g->between.tau_high, ends);
        ub_free(ends);
        count[g->verdict]++;
        differ += g->adjusted_p < 0.05;
    }
    if (all > 0)
        ub_text_add(
            out,
            "- %s: holds on %zu of %zu, violated on %zu%s%s%s, undecided on %zu; differences "
            "beyond errors on %zu.\n",
            exponent_matrices[m], count[UB_LAW_HOLDS], all, count[UB_LAW_VIOLATED],
            where.length ? " (" : "", where.length ? where.data : "", where.length ? ")" : "",
            count[UB_LAW_UNDECIDED], differ);
    ub_text_free(&where);
}

static void add_across(struct ub_text *out, const struct exponents *e)
{
    struct universals u = universals_of(e);
    ub_text_add(out,
                "\n### Are exponents the same across architectures?\n\nOf the same data and loss, "
                "at the last measurement, in spectra where the power law is the best of the forms "
                "compared (BIC); others are counted, not used. tau: spread between the means of "
                "architectures (over optimizers and seeds) beyond their errors, with its 95%% "
                "interval (Q profile). The same: the interval ends below %g; not the same: it "
                "begins above; fewer than %d architectures do not decide. Differences beyond "
                "errors: Cochran's Q, p adjusted over the table (Benjamini-Hochberg) below "
                "0.05.\n\n",
                universal_margin, LEAST_ARCHITECTURES);
    for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES; m++)
        add_answer(out, &u, (enum matrix_of)m);
    ub_text_add(out, "\n");
    struct table *t = universals_table(&u);
    add_table(out, t, "combinations of matrix, dataset and loss");
    table_free(t);
    universals_clear(&u);
}

/* Inputs' exponents; of those that decay as no power law, a mean slope. */
static void add_datasets(struct ub_text *out, const struct exponents *e)
{
    struct labels seen = {0};
    ub_text_add(out, "Exponents of inputs:");
    for (size_t i = 0; i < e->count; i++) {
        const struct ub_run_spec *spec = exponents_spec(e, i);
        const size_t before = seen.count;
        struct ub_interval data, ignored;
        if (labels_add(&seen, spec->dataset) != before)
            continue;
        ub_text_add(out, "%s %s ", before ? "," : "", dataset_label(spec));
        if (!exponent_of_data(e, spec->dataset, ANY_FITS, &data))
            ub_text_add(out, "none");
        else
            ub_text_add(out, "%.2f [%.2f, %.2f]%s", data.estimate, data.low, data.high,
                        exponent_of_data(e, spec->dataset, POWER_LAWS, &ignored)
                            ? ""
                            : " (no power law: a rival fits better)");
    }
    ub_text_add(out, ".\n\n");
    labels_free(&seen);
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

static void add_prediction(struct ub_text *out, const struct exponents *e)
{
    static const char *const head[] = {"matrix", "fits",        "datasets", "runs",
                                       "slope",  "reliability", "Spearman", NULL};
    struct table *t = table_new(head, "llrrlrl");
    for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES; m++) {
        add_slope(t, e, (enum matrix_of)m, POWER_LAWS);
        add_slope(t, e, (enum matrix_of)m, ANY_FITS);
    }
    ub_text_add(out,
                "\n### Does the data's exponent predict the others?\n\nSlope of each exponent on "
                "that of the inputs within systems of one architecture, optimizer and loss that "
                "more than one dataset has, corrected for errors in the latter (Fuller 1987), with "
                "95%% interval by jackknife over datasets; reliability: share of the spread of "
                "inputs' exponents that is not error; at one half or less there is no slope. 1: it "
                "is passed on as it is; 0: it is not. Spearman: over runs, bootstrap over "
                "datasets. Intervals need four datasets. With rivals: fits of spectra that another "
                "form fits better, too, whose exponents are mean slopes over the ranks "
                "fitted.\n\n");
    add_datasets(out, e);
    if (table_rows(t) > 0)
        table_markdown(t, out);
    table_free(t);
}

void add_universality(struct ub_text *out, const struct exponents *e)
{
    size_t others = 0;
    for (size_t i = 0; i < e->count; i++)
        for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES; m++)
            others += e->runs[i].last[m].fate != NOT_MEASURED;
    if (others == 0)
        return;
    ub_text_add(out, "\n## Are spectra universal?\n");
    add_across(out, e);
    add_outliers(out, e);
    add_prediction(out, e);
}
