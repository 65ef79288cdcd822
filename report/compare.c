/* Drift between two stores.
 *
 * Systems are matched by all of their spec but the seeds; runs within a system by their seeds.
 * Three kinds of drift:
 *
 *   status     a run ended in another way than the same run of the base
 *   exact      what is set or computed before training (learning rate, threshold, sizes) differs by
 *              more than 1 part in 1000: relative rates rest on a sharpness known to 1 in 10000
 *   measured   plateaus, final values, exponents: the means over seeds differ by more than the
 *              spread from seed to seed explains. Near the edge of stability one changed bit grows
 * to the size of that spread, so single runs are never compared. Two or three seeds cannot tell a
 * spread, so it is pooled over all systems of both stores (within-system deviations); Student's t
 * test, Benjamini-Hochberg over all tests, drift at q < 0.05 and beyond a floor below which nobody
 * cares. Without replicates there is no spread: then drift is a difference of ten floors. Bitwise
 * equal values are never drift.
 *
 * Times are not compared. */
#include "report/compare.h"

#include <math.h>
#include <string.h>

static const double level = 0.05, exact_tolerance = 1e-3, floors_without_spread = 10;

/* ---- what is compared --------------------------------------------------------------------- */

struct metric {
    const char *name; /* of the fact; one that ends in '.' stands for all that begin so */
    bool exact, logarithm;
    double floor; /* in the metric's units, or of its natural logarithm */
};
static const struct metric metrics[] = {
    {"lr", true, false, 0},
    {"threshold", true, false, 0},
    {"parameters", true, false, 0},
    {"samples", true, false, 0},
    {"edge-of-stability.reached", false, false, 0.3},
    {"edge-of-stability.plateau", false, false, 0.01},
    {"initial-sharpness", false, true, 0.01},
    {"final-loss", false, true, 0.05},
    {"final-test-loss", false, true, 0.05},
    {"final-accuracy", false, false, 0.005},
    {"final-test-accuracy", false, false, 0.005},
    {"final-sharpness", false, true, 0.05},
    {"hessian-exponent", false, false, 0.05},
    {"exponent.", false, false, 0.05},
};

static const struct metric *metric_of(const char *fact)
{
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        const size_t n = strlen(metrics[i].name);
        const bool prefix = metrics[i].name[n - 1] == '.';
        if (prefix ? strncmp(fact, metrics[i].name, n) == 0 : strcmp(fact, metrics[i].name) == 0)
            return &metrics[i];
    }
    return NULL;
}

static double value_of(const struct metric *m, const struct ub_run *run, const char *fact)
{
    const double x = ub_run_fact(run, fact);
    if (!m->logarithm)
        return x;
    return x > 0 ? log(x) : (double)NAN;
}

/* ---- matching --------------------------------------------------------------------------- */

static bool same_run(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    return a->seed == b->seed && a->data_seed == b->data_seed && same_system(a, b);
}

static bool was_run(const struct ub_run *run)
{
    return run->status != UB_RUN_MISSING;
}

static const struct ub_run *find_run(const struct digest *d, const struct ub_run_spec *spec)
{
    for (size_t i = 0; i < d->count; i++)
        if (was_run(&d->runs[i]) && same_run(&d->runs[i].spec, spec))
            return &d->runs[i];
    return NULL;
}

/* Values of a system's finite runs; returns how many. */
static size_t gather(const struct digest *d, const struct ub_run_spec *system,
                     const struct metric *m, const char *fact, double *out)
{
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (!was_run(&d->runs[i]) || !same_system(&d->runs[i].spec, system))
            continue;
        const double x = value_of(m, &d->runs[i], fact);
        if (isfinite(x))
            out[n++] = x;
    }
    return n;
}

static bool is_first_of_system(const struct digest *d, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (was_run(&d->runs[k]) && same_system(&d->runs[k].spec, &d->runs[i].spec))
            return false;
    return was_run(&d->runs[i]);
}

/* ---- spread ----------------------------------------------------------------------------- */

struct spread {
    double squares, df; /* sum of squared deviations from systems' means */
};

static void add_spread(struct spread *s, const struct digest *d, const struct metric *m,
                       const char *fact, double *work)
{
    for (size_t i = 0; i < d->count; i++) {
        if (!is_first_of_system(d, i))
            continue;
        const size_t n = gather(d, &d->runs[i].spec, m, fact, work);
        if (n < 2)
            continue;
        const double deviation = ub_deviation(work, n);
        s->squares += deviation * deviation * (double)(n - 1);
        s->df += (double)(n - 1);
    }
}

/* ---- tests ------------------------------------------------------------------------------ */

static struct drift *add_row(struct comparison *c, const struct ub_run_spec *spec,
                             const char *metric, const char *kind)
{
    c->row = ub_realloc(c->row, (c->count + 1) * sizeof *c->row);
    struct drift *row = &c->row[c->count++];
    *row = (struct drift){.system = system_label(spec),
                          .optimizer = call_name(spec->optimizer),
                          .metric = ub_strdup(metric),
                          .kind = kind,
                          .base = (double)NAN,
                          .new_value = (double)NAN,
                          .p = (double)NAN,
                          .q = (double)NAN,
                          .detectable = (double)NAN};
    return row;
}

static void compare_exact(struct comparison *c, const struct digest *base, const struct digest *new,
                          const struct ub_run_spec *system, const char *fact)
{
    struct drift *row = add_row(c, system, fact, "exact");
    for (size_t i = 0; i < base->count; i++) {
        const struct ub_run *a = &base->runs[i];
        const struct ub_run *b =
            was_run(a) && same_system(&a->spec, system) ? find_run(new, &a->spec) : NULL;
        if (!b)
            continue;
        const double x = ub_run_fact(a, fact), y = ub_run_fact(b, fact);
        const bool differs =
            isfinite(x) != isfinite(y) || fabs(x - y) > exact_tolerance * fmax(fabs(x), fabs(y));
        if (isnan(row->base) || (differs && !row->drifted)) {
            row->base = x;
            row->new_value = y;
        }
        row->drifted = row->drifted || differs;
    }
}

static bool equal_values(const double *a, size_t na, const double *b, size_t nb)
{
    bool equal = na == nb;
    for (size_t i = 0; equal && i < na; i++)
        equal = a[i] == b[i];
    return equal;
}

static void compare_measured(struct comparison *c, const struct metric *m, const char *fact,
                             const struct ub_run_spec *system, const struct spread *s,
                             const double *a, size_t na, const double *b, size_t nb)
{
    if (na == 0 && nb == 0)
        return;
    struct drift *row = add_row(c, system, fact, "measured");
    row->base = m->logarithm ? exp(ub_mean(a, na)) : ub_mean(a, na);
    row->new_value = m->logarithm ? exp(ub_mean(b, nb)) : ub_mean(b, nb);
    row->n_base = na;
    row->n_new = nb;
    if (na == 0 || nb == 0 || equal_values(a, na, b, nb))
        return; /* a plateau that is gone shows in `reached` and in the status */
    const double difference = fabs(ub_mean(b, nb) - ub_mean(a, na));
    row->beyond_floor = difference > m->floor;
    if (s->df < 1 || !(s->squares > 0)) {
        row->p = difference > floors_without_spread * m->floor ? 0 : 1;
        return;
    }
    const double deviation = sqrt(s->squares / s->df);
    const double se = deviation * sqrt(1 / (double)na + 1 / (double)nb);
    row->p = fmin(1, 2 * ub_t_upper_p(difference / se, s->df));
    row->detectable = fmax(m->floor, ub_detectable_difference(deviation, s->df, na, nb));
}

static void compare_fact(struct comparison *c, const struct digest *base, const struct digest *new,
                         const char *fact)
{
    const struct metric *m = metric_of(fact);
    if (!m)
        return;
    double *a = ub_calloc(base->count + 1, sizeof *a), *b = ub_calloc(new->count + 1, sizeof *b);
    struct spread s = {0};
    if (!m->exact) {
        add_spread(&s, base, m, fact, a);
        add_spread(&s, new, m, fact, b);
    }
    for (size_t i = 0; i < base->count; i++) {
        const struct ub_run_spec *system = &base->runs[i].spec;
        if (!is_first_of_system(base, i))
            continue;
        const size_t na = gather(base, system, m, fact, a), nb = gather(new, system, m, fact, b);
        if (m->exact && na + nb > 0)
            compare_exact(c, base, new, system, fact);
        else if (!m->exact)
            compare_measured(c, m, fact, system, &s, a, na, b, nb);
    }
    ub_free(a);
    ub_free(b);
}

static void compare_status(struct comparison *c, const struct digest *base,
                           const struct digest *new)
{
    for (size_t i = 0; i < base->count; i++) {
        const struct ub_run *a = &base->runs[i], *b = find_run(new, &a->spec);
        if (!was_run(a))
            continue;
        c->runs++;
        if (!b) {
            c->missing++;
            if (!c->first_missing)
                c->first_missing = ub_strdup(a->label);
            continue;
        }
        struct drift *row = add_row(c, &a->spec, "status", "status");
        row->base_status = ub_run_status_name(a->status);
        row->new_status = ub_run_status_name(b->status);
        row->drifted = a->status != b->status;
    }
    for (size_t i = 0; i < new->count; i++)
        if (was_run(&new->runs[i]) && !find_run(base, &new->runs[i].spec))
            c->added++;
}

static void decide(struct comparison *c)
{
    double *p = ub_calloc(2 * c->count + 1, sizeof *p), *q = p + c->count;
    for (size_t i = 0; i < c->count; i++)
        p[i] = c->row[i].p;
    ub_benjamini_hochberg(p, c->count, q);
    for (size_t i = 0; i < c->count; i++) {
        c->row[i].q = q[i];
        if (q[i] < level && c->row[i].beyond_floor)
            c->row[i].drifted = true;
        c->drifted += c->row[i].drifted;
    }
    ub_free(p);
}

struct comparison *compare_digests(const struct digest *base, const struct digest *new)
{
    struct comparison *c = ub_calloc(1, sizeof *c);
    struct labels facts = fact_names(base), others = fact_names(new);
    for (size_t i = 0; i < others.count; i++)
        labels_add(&facts, others.text[i]);
    compare_status(c, base, new);
    for (size_t i = 0; i < facts.count; i++)
        compare_fact(c, base, new, facts.text[i]);
    decide(c);
    labels_free(&facts);
    labels_free(&others);
    return c;
}

void comparison_free(struct comparison *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++) {
        ub_free(c->row[i].system);
        ub_free(c->row[i].optimizer);
        ub_free(c->row[i].metric);
    }
    ub_free(c->row);
    ub_free(c->first_missing);
    ub_free(c);
}
