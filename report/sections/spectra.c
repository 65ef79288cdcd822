/* Spectra in traces, by matrix. */
#include "report/sections/spectra.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Runs are in single precision: eigenvalues below this share of the largest are rounding. */
static const double least_share = 1e-7;

const char *after(const char *text, const char *prefix)
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
