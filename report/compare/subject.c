/* One metric in all systems: its values, and what they say of how values spread. */
#include "report/compare/compare.h"

#include <math.h>
#include <stdlib.h>

/* ---- shares ------------------------------------------------------------------------------- */

void add_disagreement(struct disagreement *d, size_t k, size_t n)
{
    d->differ += (double)(k * (n - k));
    d->pairs += 0.5 * (double)n * ((double)n - 1);
}

double disagreement_of(const struct disagreement *d)
{
    return fmin(0.5, (d->differ + 1) / (d->pairs + 1));
}

/* ---- means and spreads -------------------------------------------------------------------- */

double sum_of(const double *x, size_t n)
{
    return n ? ub_mean(x, n) * (double)n : 0;
}

static double difference(const struct values *v, size_t i)
{
    return v->x[1][i] - v->x[0][i];
}

/* Of what was set before training: does it follow from the seed? */
static bool follows_from_seed(const struct system *s, const struct ub_comparison *m,
                              const struct values *v)
{
    if (m->of_rate && !s->rate_is_fixed)
        return true;
    bool differs = false; /* runs without a partner only: those with one have the same seed */
    for (int side = 0; side < 2 && v->n_pairs == 0; side++)
        for (size_t i = 1; i < v->n[side]; i++)
            differs = differs || !exact_values_agree(v->x[side][0], v->x[side][i]);
    return differs;
}

static bool is_measured(const struct system *s, const struct ub_comparison *m, struct values *v)
{
    if (m->kind != UB_COMPARED_EXACT || !follows_from_seed(s, m, v))
        return m->kind == UB_COMPARED_MEASURED;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < v->n[side]; i++)
            v->x[side][i] = metric_scaled(m, v->x[side][i]);
    return true;
}

static struct spread seeds_spread(const struct values *v)
{
    double squares = 0, df = 0;
    for (int side = 0; side < 2; side++)
        if (v->n[side] > 1) {
            const double deviation = ub_deviation(v->x[side], v->n[side]);
            squares += deviation * deviation * (double)(v->n[side] - 1);
            df += (double)(v->n[side] - 1);
        }
    /* Partners repeat each other: two sides of them tell no more than one. */
    const double most = (double)(v->n[v->n[1] > v->n[0]]) - 1;
    return (struct spread){squares / df, v->n_pairs > 0 ? fmin(df, most) : df};
}

struct spread side_spread(const struct values *v, int side)
{
    if (v->n[side] < 2)
        return (struct spread){(double)NAN, 0};
    const double deviation = ub_deviation(v->x[side], v->n[side]);
    return (struct spread){deviation * deviation, (double)v->n[side] - 1};
}

static struct spread pairs_spread(const struct values *v)
{
    struct spread s = {(double)NAN, 0};
    if (v->n_pairs < 2)
        return s;
    double *d = ub_calloc(v->n_pairs, sizeof *d);
    for (size_t i = 0; i < v->n_pairs; i++)
        d[i] = difference(v, i);
    const double deviation = ub_deviation(d, v->n_pairs);
    ub_free(d);
    return (struct spread){deviation * deviation, (double)v->n_pairs - 1};
}

double mean_difference(const struct values *v)
{
    return (sum_of(v->x[1], v->n_pairs) - sum_of(v->x[0], v->n_pairs)) / (double)v->n_pairs;
}

static int compare_variances(const void *a, const void *b)
{
    const struct spread *x = a, *y = b;
    return (x->variance > y->variance) - (x->variance < y->variance);
}

/* Systems that begin with the same weights have bitwise the same initial values: what they tell of
 * how spreads differ counts once. */
static struct ub_variance_prior prior_of(const struct spread *spread, size_t count)
{
    struct spread *sorted = ub_calloc(count + 1, sizeof *sorted);
    double *variance = ub_calloc(2 * count + 1, sizeof *variance), *df = variance + count;
    size_t n = 0, distinct = 0;
    for (size_t i = 0; i < count; i++)
        if (spread[i].df > 0)
            sorted[n++] = spread[i];
    qsort(sorted, n, sizeof *sorted, compare_variances);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || sorted[i].variance != sorted[i - 1].variance) {
            variance[distinct] = sorted[i].variance;
            df[distinct++] = sorted[i].df;
        }
    const struct ub_variance_prior prior = ub_variance_prior_fit(variance, df, distinct);
    ub_free(sorted);
    ub_free(variance);
    return prior;
}

/* A system of one pair shows its scale by its distance from the median difference of all, so that
 * the prior knows of its kind, too. What is known of all systems, or of all `without` one. */
struct ub_variance_prior pairs_prior(const struct subject *t, ptrdiff_t without)
{
    struct spread *spread = ub_calloc(t->count + 1, sizeof *spread);
    double *d = ub_calloc(t->count + 1, sizeof *d);
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++)
        if (t->measured[i] && t->v[i].n_pairs > 0 && (ptrdiff_t)i != without)
            d[n++] = mean_difference(&t->v[i]);
    const double center = ub_median(d, n);
    for (size_t i = 0; i < t->count; i++) {
        spread[i] = t->pairs[i];
        if (t->measured[i] && t->v[i].n_pairs == 1)
            spread[i] = (struct spread){pow(difference(&t->v[i], 0) - center, 2), 1};
        if ((ptrdiff_t)i == without)
            spread[i] = (struct spread){(double)NAN, 0};
    }
    const struct ub_variance_prior prior = prior_of(spread, t->count);
    ub_free(spread);
    ub_free(d);
    return prior;
}

static struct ub_variance_prior side_prior(const struct subject *t, int side)
{
    struct spread *spread = ub_calloc(t->count + 1, sizeof *spread);
    for (size_t i = 0; i < t->count; i++)
        if (t->measured[i])
            spread[i] = side_spread(&t->v[i], side);
    const struct ub_variance_prior prior = prior_of(spread, t->count);
    ub_free(spread);
    return prior;
}

static void learn_spreads(struct subject *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->measured[i]) {
            t->pairs[i] = pairs_spread(&t->v[i]);
            t->seeds[i] = seeds_spread(&t->v[i]);
        }
    t->seeds_prior = prior_of(t->seeds, t->count);
    t->pairs_prior = pairs_prior(t, ALL_SYSTEMS);
    for (int side = 0; side < 2; side++)
        t->side_prior[side] = side_prior(t, side);
}

static size_t count_runs(const struct comparison *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->systems.count; i++)
        n += c->systems.system[i].n[0] + c->systems.system[i].n[1];
    return n;
}

/* Adds a system's values to what is known of the metric's presence and shares. */
static void count_values(struct subject *t, const struct values *v)
{
    for (int side = 0; side < 2; side++) {
        add_disagreement(&t->presence, v->present[side], v->eligible[side]);
        if (t->m->kind == UB_COMPARED_SHARE)
            add_disagreement(&t->share, (size_t)sum_of(v->x[side], v->n[side]), v->n[side]);
        t->present[side] += v->present[side];
        t->eligible[side] += v->eligible[side];
    }
}

struct subject subject_new(const struct comparison *c, const struct ub_comparison *m,
                           const char *fact)
{
    const size_t n = c->systems.count;
    struct subject t = {.m = m,
                        .fact = fact,
                        .count = n,
                        .v = ub_calloc(n + 1, sizeof *t.v),
                        .measured = ub_calloc(n + 1, sizeof *t.measured),
                        .work = ub_calloc(2 * count_runs(c) + 1, sizeof *t.work),
                        .pairs = ub_calloc(n + 1, sizeof *t.pairs),
                        .seeds = ub_calloc(n + 1, sizeof *t.seeds)};
    double *work = t.work;
    for (size_t i = 0; i < n; i++) {
        const struct system *s = &c->systems.system[i];
        if (!in_both(s))
            continue;
        t.v[i] = values_of(s, m, fact, work);
        t.measured[i] = is_measured(s, m, &t.v[i]);
        work += 2 * (s->n[0] + s->n[1]);
        count_values(&t, &t.v[i]);
    }
    t.lost = t.present[0] > 0 && t.present[1] == 0 && t.eligible[1] > 0;
    learn_spreads(&t);
    return t;
}

void subject_clear(struct subject *t)
{
    ub_free(t->v);
    ub_free(t->measured);
    ub_free(t->work);
    ub_free(t->pairs);
    ub_free(t->seeds);
}
