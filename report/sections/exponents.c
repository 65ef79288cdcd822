/* Exponents of a study's spectra, run by run, and their tables. */
#include "report/sections/exponents.h"
#include "report/sections/spectra.h"
#include "report/sections/system_names.h"

#include <math.h>
#include <string.h>

/* ---- of the data ------------------------------------------------------------------------ */

bool fit_is_used(const struct decay *d, enum fit_choice choice)
{
    return d->fate == POWER_FITS || (choice == ANY_FITS && d->fate == RIVAL_FITS);
}

static bool is_among(const uint64_t *set, size_t n, uint64_t value)
{
    for (size_t i = 0; i < n; i++)
        if (set[i] == value)
            return true;
    return false;
}

/* The fits of one data seed are of the same inputs: the first stands for all. NAN when there is
 * none. */
static struct ub_interval data_exponent(const struct exponents *e, const struct ub_rows *rows,
                                        enum fit_choice choice)
{
    double *mean = ub_calloc(2 * rows->count + 1, sizeof *mean), *se = mean + rows->count;
    uint64_t *seeds = ub_calloc(rows->count + 1, sizeof *seeds);
    struct ub_interval out = {.estimate = (double)NAN};
    size_t n = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct decay *d = &e->runs[e->at[rows->row[i]]].last[OF_INPUTS];
        const uint64_t seed = e->study->store->runs[rows->row[i]].spec.data_seed;
        if (!fit_is_used(d, choice) || is_among(seeds, n, seed))
            continue;
        out = (struct ub_interval){
            d->fit[UB_EXPONENT], d->fit[UB_EXPONENT_LOW], d->fit[UB_EXPONENT_HIGH], d->se, 1, 1};
        seeds[n] = seed;
        mean[n] = d->fit[UB_EXPONENT];
        se[n++] = d->se;
    }
    if (n > 1)
        out = ub_random_effects(mean, se, n).mean;
    ub_free(mean);
    ub_free(seeds);
    return out;
}

bool exponent_of_data(const struct exponents *e, size_t dataset, enum fit_choice choice,
                      struct ub_interval *out)
{
    *out = e->data[choice][dataset];
    return isfinite(out->estimate);
}

/* ---- of a study ------------------------------------------------------------------------- */

static bool read_run(struct run_exponents *r, const struct ub_trace *trace)
{
    bool any = false;
    for (int m = 0; m < EXPONENT_MATRICES; m++) {
        r->last[m] = decay_last(trace, (enum matrix_of)m);
        any = any || r->last[m].fate != NOT_MEASURED;
    }
    return any;
}

static void find_factors(struct exponents *e)
{
    static const char *const architecture[] = {"model", "model.activation", NULL};
    static const char *const model[] = {"model", NULL};
    static const char *const dataset[] = {"dataset", "dataset.*", "data", NULL};
    static const char *const kind[] = {"model", "model.activation", "optimizer",
                                       "loss",  "loss.*",           NULL};
    static const char *const *const architectures[] = {architecture, model, NULL};
    static const char *const *const datasets[] = {dataset, NULL};
    static const char *const *const kinds[] = {kind, NULL};
    enum { MOST_ARCHITECTURES = 24 };
    struct ub_rows rows = {.count = e->count, .row = ub_calloc(e->count + 1, sizeof *rows.row)};
    for (size_t i = 0; i < e->count; i++)
        rows.row[i] = e->runs[i].run;
    e->architectures = ub_factor_new(e->study->frame, &rows, architectures, MOST_ARCHITECTURES);
    e->datasets = ub_factor_new(e->study->frame, &rows, datasets, SIZE_MAX);
    e->kinds = ub_factor_new(e->study->frame, &rows, kinds, SIZE_MAX);
    ub_rows_clear(&rows);
}

static void find_data(struct exponents *e)
{
    for (int choice = 0; choice < FIT_CHOICES; choice++) {
        const size_t n = e->datasets.groups.count;
        e->data[choice] = ub_calloc(n + 1, sizeof *e->data[choice]);
        for (size_t k = 0; k < n; k++)
            e->data[choice][k] =
                data_exponent(e, &e->datasets.groups.group[k], (enum fit_choice)choice);
    }
}

struct exponents *exponents_of(const struct study *study)
{
    struct exponents *e = ub_calloc(1, sizeof *e);
    e->study = study;
    e->runs = ub_calloc(study->store->count + 1, sizeof *e->runs);
    e->at = ub_calloc(study->store->count + 1, sizeof *e->at);
    for (size_t i = 0; i < study->store->count; i++) {
        struct run_exponents *r = &e->runs[e->count];
        *r = (struct run_exponents){.run = i};
        const bool ok =
            study->store->runs[i].status == UB_RUN_OK && ub_frame_has(study->frame, i, NULL);
        const bool any = ok && read_run(r, ub_frame_trace(study->frame, i));
        e->at[i] = any ? e->count++ : SIZE_MAX;
    }
    find_factors(e);
    find_data(e);
    return e;
}

void exponents_free(struct exponents *e)
{
    if (!e)
        return;
    ub_factor_clear(&e->architectures);
    ub_factor_clear(&e->datasets);
    ub_factor_clear(&e->kinds);
    for (int choice = 0; choice < FIT_CHOICES; choice++)
        ub_free(e->data[choice]);
    ub_free(e->runs);
    ub_free(e->at);
    ub_free(e);
}

/* ---- a row a system --------------------------------------------------------------------- */

static const char *const forms[] = {[UB_DECAY_POWER] = "power law",
                                    [UB_DECAY_EXPONENTIAL] = "exponential",
                                    [UB_DECAY_STRETCHED] = "stretched exponential",
                                    [UB_DECAY_LOGNORMAL] = "log-normal"};
_Static_assert(sizeof forms / sizeof *forms == UB_DECAY_FORMS, "every form has a name");

static const char *form_of(const struct decay *d)
{
    const double best = d->fit[UB_EXPONENT_BEST];
    return best >= 0 && best < UB_DECAY_FORMS ? forms[(int)best] : "-";
}

/* Mean over the system's power laws, from the least end of their intervals to the greatest; how
 * many of all its runs they are, where not all are. */
static void add_system_cell(struct table *t, const struct exponents *e, size_t system,
                            enum matrix_of m)
{
    double sum = 0, low = (double)NAN, high = (double)NAN;
    size_t power = 0, measured = 0;
    const struct decay *other = NULL;
    const struct ub_rows *rows = &e->study->systems.group[system];
    for (size_t i = 0; i < rows->count; i++) {
        const size_t at = e->at[rows->row[i]];
        const struct decay *d = at == SIZE_MAX ? NULL : &e->runs[at].last[m];
        if (!d || d->fate == NOT_MEASURED)
            continue;
        measured++;
        if (d->fate != POWER_FITS) {
            other = d;
            continue;
        }
        power++;
        sum += d->fit[UB_EXPONENT];
        low = fmin(low, d->fit[UB_EXPONENT_LOW]); /* fmin and fmax pass over NAN */
        high = fmax(high, d->fit[UB_EXPONENT_HIGH]);
    }
    struct ub_text some = {0};
    ub_text_add(&some, " (%zu of %zu)", power, rows->count);
    if (measured == 0)
        table_cell(t, "-");
    else if (power == 0)
        table_cell(t, "%s", other->fate == RIVAL_FITS ? form_of(other) : "no fit");
    else
        table_cell(t, "%.2f [%.2f, %.2f]%s", sum / (double)power, low, high,
                   power < rows->count ? some.data : "");
    ub_text_free(&some);
}

/* Systems of the runs, each once; how many. */
static size_t systems_with_any(const struct exponents *e, size_t *system)
{
    bool *seen = ub_calloc(e->study->systems.count + 1, sizeof *seen);
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++) {
        const size_t own = e->study->system_of[e->runs[i].run];
        if (!seen[own])
            system[n++] = own;
        seen[own] = true;
    }
    ub_free(seen);
    return n;
}

struct table *exponents_table(const struct exponents *e)
{
    const char *head[EXPONENT_MATRICES + 2] = {NULL};
    bool measured[EXPONENT_MATRICES] = {false};
    size_t *system = ub_calloc(e->study->systems.count + 1, sizeof *system), columns = 1;
    const size_t n = systems_with_any(e, system);
    struct system_names names = system_names_of(e->study, system, n);
    head[0] = names.head;
    for (int m = 0; m < EXPONENT_MATRICES; m++) {
        for (size_t i = 0; i < e->count; i++)
            measured[m] = measured[m] || e->runs[i].last[m].fate != NOT_MEASURED;
        if (measured[m])
            head[columns++] = exponent_matrices[m];
    }
    struct table *t = table_new(head, &"lllllll"[EXPONENT_MATRICES + 1 - columns]);
    for (size_t k = 0; k < n; k++) {
        table_cell(t, "%s", names.name[k]);
        for (int m = 0; m < EXPONENT_MATRICES; m++)
            if (measured[m])
                add_system_cell(t, e, system[k], (enum matrix_of)m);
    }
    system_names_clear(&names);
    ub_free(system);
    return t;
}

/* ---- a row a fit ------------------------------------------------------------------------ */

static void add_fit_row(struct table *t, const struct study *study, size_t row,
                        const struct ub_trace *trace, const char *values, double step)
{
    const struct ub_run *run = &study->store->runs[row];
    const struct ub_run_spec *spec = &run->spec;
    const struct decay d = decay_at(trace, values, step);
    table_cell(t, "%s", run->id);
    table_cell(t, "%s", study->system_name[study->system_of[row]]);
    table_cell(t, "%s", spec->dataset);
    table_cell(t, "%s", spec->model);
    table_cell(t, "%s", spec->loss);
    table_cell(t, "%s", spec->optimizer);
    table_cell(t, "%llu", (unsigned long long)spec->seed);
    table_cell(t, "%s", values);
    table_cell(t, "%.0f", step);
    for (int k = UB_EXPONENT; k <= UB_EXPONENT_R_SQUARED; k++)
        table_real(t, d.fit[k], 10);
    table_cell(t, "%s", d.fate == NOT_FITTED ? "not fitted" : form_of(&d));
}

static bool is_spectrum(const char *name)
{
    static const char *const prefixes[] = {"spectrum.", "kernel-spectrum.", "covariance-spectrum.",
                                           "weight-spectrum.", "hessian-spectrum"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

const struct column spectra_columns[] = {
    {"run", COLUMN_TEXT, "", "as in runs.csv"},
    {"system", COLUMN_TEXT, "", "as in runs.csv"},
    {"dataset", COLUMN_TEXT, "", "its canonical call"},
    {"model", COLUMN_TEXT, "", "its canonical call"},
    {"loss", COLUMN_TEXT, "", "its canonical call"},
    {"optimizer", COLUMN_TEXT, "", "its canonical call"},
    {"seed", COLUMN_WHOLE, "", "of initial weights and probe vectors"},
    {"spectrum", COLUMN_TEXT, "", "name of the trace's rows that are fitted"},
    {"step", COLUMN_WHOLE, "steps", "when it was measured"},
    {"exponent", COLUMN_NUMBER, "1", "of the power law prefactor rank^-exponent"},
    {"low", COLUMN_NUMBER, "1", "lower end of the exponent's 95% interval"},
    {"high", COLUMN_NUMBER, "1", "upper end of the exponent's 95% interval"},
    {"prefactor", COLUMN_NUMBER, "the spectrum's", "of that power law"},
    {"first-rank", COLUMN_WHOLE, "1", "first rank fitted, from 1"},
    {"last-rank", COLUMN_WHOLE, "1", "last rank fitted"},
    {"r2", COLUMN_NUMBER, "1", "R squared of the fit"},
    {"best-form", COLUMN_TEXT, "", "likeliest form of the decay, or that none was fitted"},
    {.name = NULL},
};

struct table *spectra_table(const struct study *study)
{
    struct table *t = table_of_columns(spectra_columns);
    for (size_t i = 0; i < study->store->count; i++) {
        const struct ub_run *run = &study->store->runs[i];
        const struct ub_trace *trace = ub_frame_trace(study->frame, i);
        for (size_t k = 0; trace && run->status == UB_RUN_OK && k < trace->n_names; k++) {
            const char *name = trace->names[k];
            if (!is_spectrum(name))
                continue;
            const double first = first_step_of(trace, name), last = last_step_of(trace, name);
            add_fit_row(t, study, i, trace, name, first);
            if (last > first)
                add_fit_row(t, study, i, trace, name, last);
        }
    }
    return t;
}
