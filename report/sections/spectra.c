/* Spectra in traces, by matrix, and runs that stand for groups of systems. */
#include "report/sections/spectra.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Runs are in single precision: eigenvalues below this share of the largest are rounding. */
static const double least_share = 1e-7;

static const char *after(const char *text, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

static char *joined(const char *a, const char *b)
{
    struct ub_text out = {0};
    ub_text_add(&out, "%s%s", a, b);
    return out.data;
}

/* ---- matrices --------------------------------------------------------------------------- */

/* "gradient-covariance" is "Gradient covariance"; some have names of their own. */
static char *kind_name(const char *name)
{
    static const char *const known[][2] = {{"hessian", "Hessian"},
                                           {"gauss-newton", "Gauss-Newton"},
                                           {"cross-class", "Cross-class means"},
                                           {"class", "Class means"},
                                           {"ntk", "NTK"},
                                           {"ntk-mean", "NTK, mean over outputs"},
                                           {"data-covariance", "Covariance of inputs"},
                                           {"activation-covariance", "Covariance of activations"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i][0], name) == 0)
            return ub_strdup(known[i][1]);
    char *out = ub_strdup(name);
    out[0] = (char)toupper((unsigned char)out[0]);
    for (char *c = out; *c; c++)
        *c = *c == '-' ? ' ' : *c;
    return out;
}

/* Of operators that a model has whole, too, the blocks of layers are another kind. */
static bool has_whole(const char *operator)
{
    return !after(operator, "activation-") && !after(operator, "weight-");
}

void title_split(const char *title, char **kind, char **layer)
{
    static const char suffix[] = ".preconditioned";
    char *rest = ub_strdup(title);
    const size_t length = strlen(rest), n = sizeof suffix - 1;
    const bool preconditioned = length > n && strcmp(rest + length - n, suffix) == 0;
    if (preconditioned)
        rest[length - n] = '\0';
    char *dot = strchr(rest, '.'); /* names of operators have none */
    *layer = ub_strdup(dot ? dot + 1 : "");
    if (dot)
        *dot = '\0';
    char *name = kind_name(rest);
    struct ub_text text = {0};
    ub_text_add(&text, "%s%s%s", name, dot && has_whole(rest) ? " of layers" : "",
                preconditioned ? ", preconditioned" : "");
    *kind = text.data;
    ub_free(name);
    ub_free(rest);
}

static void matrix_clear(struct matrix *m)
{
    ub_free(m->values);
    ub_free(m->exponent);
    ub_free(m->outliers);
    ub_free(m->kind);
    ub_free(m->layer);
}

/* The matrix whose eigenvalues rows of this name are; false when they are something else. */
static bool matrix_read(const char *row, struct matrix *m)
{
    const char *title = "";
    *m = (struct matrix){0};
    if (strcmp(row, "hessian-spectrum") == 0) {
        m->kind = ub_strdup("Hessian");
        m->exponent = ub_strdup("hessian-exponent");
        m->outliers = ub_strdup("");
    } else if ((title = after(row, "covariance-spectrum."))) {
        m->of_data = strcmp(title, "inputs") == 0;
        m->kind = kind_name(m->of_data ? "data-covariance" : "activation-covariance");
        m->layer = ub_strdup(m->of_data ? "" : title);
    } else if ((title = after(row, "weight-spectrum."))) {
        m->family = OF_WEIGHT;
        m->kind = ub_strdup("Weight matrices");
        m->layer = ub_strdup(title);
        m->outliers = joined("noise-outliers.", title);
    } else if ((title = after(row, "kernel-spectrum."))) {
        title_split(title, &m->kind, &m->layer);
        m->exponent = joined("exponent.kernel.", title);
    } else if ((title = after(row, "spectrum."))) {
        title_split(title, &m->kind, &m->layer);
        m->of_data = strcmp(title, "data-covariance") == 0;
    } else {
        return false;
    }
    m->values = ub_strdup(row);
    m->layer = m->layer ? m->layer : ub_strdup("");
    m->exponent = m->exponent ? m->exponent : joined("exponent.", title);
    m->outliers = m->outliers ? m->outliers : joined("outliers.", title);
    return true;
}

struct matrices matrices_of(const struct ub_trace *trace)
{
    struct matrices set = {0};
    struct labels seen = {0};
    for (size_t k = 0; trace && k < trace->n_names; k++) {
        struct matrix m;
        if (!matrix_read(trace->names[k], &m))
            continue;
        struct ub_text key = {0};
        const size_t before = seen.count;
        ub_text_add(&key, "%d %s: %s", (int)m.family, m.kind, m.layer);
        if (labels_add(&seen, key.data) == before) {
            set.matrix = ub_realloc(set.matrix, (set.count + 1) * sizeof *set.matrix);
            set.matrix[set.count++] = m;
        } else {
            matrix_clear(&m);
        }
        ub_text_free(&key);
    }
    labels_free(&seen);
    return set;
}

void matrices_clear(struct matrices *set)
{
    for (size_t i = 0; i < set->count; i++)
        matrix_clear(&set->matrix[i]);
    ub_free(set->matrix);
    *set = (struct matrices){0};
}

const struct matrix *matrix_of_kind(const struct matrices *set, const struct ub_trace *trace,
                                    const char *kind)
{
    const struct matrix *found = NULL;
    size_t most = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->matrix[i].kind, kind) != 0)
            continue;
        struct ub_series values = ub_trace_spectrum(trace, set->matrix[i].values, -1);
        if (values.count >= most) {
            most = values.count;
            found = &set->matrix[i];
        }
        ub_series_clear(&values);
    }
    return found;
}

/* ---- values ----------------------------------------------------------------------------- */

size_t known_values(const struct ub_series *values)
{
    size_t n = 0;
    while (n < values->count && values->value[n] > 0 &&
           values->value[n] > least_share * values->value[0] &&
           !(values->value[n] <= values->error[n]))
        n++;
    return n;
}

double value_at(const struct ub_trace *trace, const char *observable, double step)
{
    struct ub_series rows = ub_trace_spectrum(trace, observable, (int64_t)step);
    const double value = rows.count ? rows.value[0] : (double)NAN;
    ub_series_clear(&rows);
    return value;
}

/* ---- groups ----------------------------------------------------------------------------- */

static bool has_spectra(const struct study *study, size_t run)
{
    static const char *const prefixes[] = {"spectrum.",
                                           "kernel-spectrum.",
                                           "covariance-spectrum.",
                                           "weight-spectrum.",
                                           "hessian-spectrum",
                                           "class-structure.",
                                           "density.",
                                           NULL};
    if (study->store->runs[run].status != UB_RUN_OK)
        return false;
    const struct ub_trace *trace = ub_frame_trace(study->frame, run);
    if (!trace)
        return false;
    for (size_t k = 0; k < trace->n_names; k++)
        for (size_t i = 0; prefixes[i]; i++)
            if (after(trace->names[k], prefixes[i]))
                return true;
    return false;
}

static bool same_task(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    return strcmp(a->dataset, b->dataset) == 0 && strcmp(a->loss, b->loss) == 0;
}

static bool same_group(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    char *x = call_name(a->optimizer), *y = call_name(b->optimizer);
    const bool same = strcmp(x, y) == 0 && same_task(a, b);
    ub_free(x);
    ub_free(y);
    return same;
}

static void name_group(struct spectra_group *g)
{
    struct ub_text name = {0}, who = {0};
    char *optimizer = call_name(g->spec->optimizer);
    const uint64_t seed = g->spec->seed;
    bool one_seed = true;
    for (size_t i = 0; i < g->count; i++)
        one_seed = one_seed && g->study->store->runs[g->run[i]].spec.seed == seed;
    ub_text_add(&name, "%s, %s, %s", dataset_label(g->spec), g->spec->loss, optimizer);
    if (one_seed)
        ub_text_add(&who, "Seed %llu of each model", (unsigned long long)seed);
    else
        ub_text_add(&who, "First finished run of each model");
    g->name = name.data;
    g->who = who.data;
    ub_free(optimizer);
}

bool spectra_group_open(const struct study *study, size_t first, struct spectra_group *g)
{
    const struct ub_store *store = study->store;
    *g = (struct spectra_group){.study = study, .spec = &store->runs[first].spec, .leads = true};
    if (!has_spectra(study, first))
        return false;
    for (size_t i = 0; i < first; i++) {
        if (!same_task(&store->runs[i].spec, g->spec) || !has_spectra(study, i))
            continue;
        if (same_group(&store->runs[i].spec, g->spec))
            return false;
        g->leads = false;
    }
    struct labels models = {0};
    for (size_t i = first; i < store->count && g->count < MOST_MODELS; i++) {
        const size_t before = models.count;
        if (same_group(&store->runs[i].spec, g->spec) && has_spectra(study, i) &&
            labels_add(&models, model_label(&store->runs[i].spec)) == before)
            g->run[g->count++] = i;
    }
    labels_free(&models);
    name_group(g);
    return true;
}

void spectra_group_close(struct spectra_group *g)
{
    ub_free(g->name);
    ub_free(g->who);
}

const struct ub_trace *group_trace(const struct spectra_group *g, size_t i)
{
    return ub_frame_trace(g->study->frame, g->run[i]);
}

const char *group_model(const struct spectra_group *g, size_t i)
{
    return model_label(&g->study->store->runs[g->run[i]].spec);
}

struct labels group_kinds(const struct spectra_group *g, enum matrix_family family, bool layers)
{
    struct labels kinds = {0};
    for (size_t i = 0; i < g->count; i++) {
        struct matrices set = matrices_of(group_trace(g, i));
        for (size_t k = 0; k < set.count; k++)
            if (set.matrix[k].family == family && (*set.matrix[k].layer != '\0') == layers)
                labels_add(&kinds, set.matrix[k].kind);
        matrices_clear(&set);
    }
    return kinds;
}

struct labels group_titles(const struct spectra_group *g, const char *prefix)
{
    struct labels kinds = {0};
    for (size_t i = 0; i < g->count; i++) {
        const struct ub_trace *trace = group_trace(g, i);
        for (size_t k = 0; k < trace->n_names; k++) {
            const char *title = after(trace->names[k], prefix);
            char *kind, *layer;
            if (!title)
                continue;
            title_split(title, &kind, &layer);
            labels_add(&kinds, kind);
            ub_free(kind);
            ub_free(layer);
        }
    }
    return kinds;
}

size_t models_with(const struct spectra_group *g, const char *kind, size_t out[MOST_MODELS])
{
    size_t n = 0;
    for (size_t i = 0; i < g->count; i++) {
        struct matrices set = matrices_of(group_trace(g, i));
        bool has = false;
        for (size_t k = 0; k < set.count; k++)
            has = has || strcmp(set.matrix[k].kind, kind) == 0;
        if (has)
            out[n++] = i;
        matrices_clear(&set);
    }
    return n;
}

size_t classes_of(const struct ub_trace *trace)
{
    struct ub_series means = ub_trace_spectrum(trace, "class-structure.class", -1);
    const size_t count = means.count;
    ub_series_clear(&means);
    return count;
}

size_t rows_of_page(size_t all, size_t page)
{
    const size_t from = page * MOST_ROWS, rest = from < all ? all - from : 0;
    return rest < MOST_ROWS ? rest : MOST_ROWS;
}
