/* Drift between two stores.
 *
 * Systems are matched by all of their spec but the seeds, runs within a system by their seeds.
 * Every metric of every system that the base has is compared, or counted among what was left out,
 * with the reason. Times are no part of it (speed.c).
 *
 *   runs       A run of the base that is gone is drift; unless the new store has none of the
 * system's seeds: then the system is compared over its other seeds. status     Partners (runs of
 * equal seeds) that end in two ways are drift. Between machines whose bytes differ, where chance
 * decides what diverges, and between other seeds, the shares of runs that ended well are tested.
 *   presence   A value that is gone is drift, on the same terms; one that has become infinite, or
 *              ceased to be, too. NAN is no value. A metric that the whole store has lost is drift
 *              however it is compared.
 *   exact      What is set or computed before training differs by more than 1 part in 1000. A
 *              learning rate that follows from the seed's sharpness, edge() or relative(), is
 *              measured.
 *   share      Shares of runs (that reached a regime) are tested.
 *   measured   Means are tested, on a scale that has a place for zero and for negative values
 *              (struct metric), against the null that they differ by no more than a floor to which
 *              nobody objects. Bitwise equal values need no test.
 *
 * A mean's error is known in two ways. Partners differ by rounding, and by what training has made
 * of it: 1e-7 where it is stable, as much as two seeds do at the edge of stability. So each system
 * has its own scale, the deviations of its partners' differences from their mean, shrunk towards
 * the other systems' (statistics_moderated.h; a system of one pair has only the others'). And no
 * two runs of a system differ by more than two seeds do: the spread from seed to seed, shrunk
 * likewise, and taken for no less than a third of the floor, for three equal values prove nothing.
 * One run of several that has changed hides in its own spread: so each pair is also set against
 * the scale of the others (single.c). Each of these gives a p that holds; the least times their
 * number holds for all. Without any spread, partners drift when they differ by ten floors; one run
 * against one of another seed is not compared.
 *
 * Where bytes are due (repeats.c) nothing has to be tested: what differs by more than 1 part in
 * 1000 has changed.
 *
 * Shares are 0 or 1 in nearly every system: ub_split_p, with the disagreement of seeds within the
 * systems of both stores.
 *
 * All of the tests go through Benjamini and Hochberg's procedure together; drift is q < 0.05. When
 * nothing has drifted, at most 5% of pairs of stores show drift (Simes 1986: for independent and
 * positively dependent tests, such as metrics of one run are). */
#include "report/compare/compare.h"

#include <math.h>
#include <string.h>

static const double level = 0.05, floors_without_spread = 10, believed_floors = 1.0 / 3;

/* ---- rows ----------------------------------------------------------------------------------- */

static struct drift *add_row(struct comparison *c, const struct system *s, const char *metric,
                             const char *kind)
{
    if ((c->count & (c->count - 1)) == 0)
        c->row = ub_realloc(c->row, (2 * c->count + 1) * sizeof *c->row);
    struct drift *row = &c->row[c->count++];
    *row = (struct drift){.system = s,
                          .metric = metric,
                          .kind = kind,
                          .n_base = s->n[0],
                          .n_new = s->n[1],
                          .n_pairs = s->n_pairs,
                          .base = (double)NAN,
                          .new_value = (double)NAN,
                          .p = (double)NAN,
                          .q = (double)NAN,
                          .detectable = (double)NAN};
    return row;
}

/* ---- runs and how they ended ---------------------------------------------------------------- */

static size_t count_ok(const struct system *s, int side)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n[side]; i++)
        n += s->run[side][i]->status == UB_RUN_OK;
    return n;
}

static void compare_runs(struct comparison *c, const struct system *s)
{
    const bool by_seed = s->n_pairs > 0 || s->n[1] == 0;
    c->runs += s->n[0];
    c->reseeded += in_both(s) && s->n_pairs == 0;
    c->systems_both += in_both(s);
    if (!by_seed && s->n[0] > 0)
        return;
    c->added += s->n[1] - s->n_pairs;
    c->missing += s->n[0] - s->n_pairs;
    if (s->n[0] == s->n_pairs)
        return;
    struct drift *row = add_row(c, s, "runs", "runs");
    row->base = (double)s->n[0];
    row->new_value = (double)s->n_pairs;
    row->drifted = true;
}

/* Chance decides between ending well and diverging, not about crashes and time limits. */
static bool by_chance(const struct ub_run *a, const struct ub_run *b)
{
    return (a->status == UB_RUN_OK || a->status == UB_RUN_DIVERGED) &&
           (b->status == UB_RUN_OK || b->status == UB_RUN_DIVERGED);
}

static void compare_status(struct comparison *c, const struct system *s, double disagreement)
{
    struct drift *row = add_row(c, s, "status", "status");
    bool tested = s->n_pairs == 0;
    row->base_text = ub_run_status_name(s->run[0][0]->status);
    row->new_text = ub_run_status_name(s->run[1][0]->status);
    for (size_t i = 0; i < s->n_pairs; i++) {
        const struct ub_run *a = s->run[0][i], *b = s->run[1][i];
        if (a->status == b->status)
            continue;
        if (row->drifted)
            break;
        row->base_text = ub_run_status_name(a->status);
        row->new_text = ub_run_status_name(b->status);
        row->drifted = s->same_bytes || !by_chance(a, b);
        tested = true;
    }
    row->base = (double)count_ok(s, 0);
    row->new_value = (double)count_ok(s, 1);
    if (tested && !row->drifted)
        row->p =
            ub_split_p((size_t)row->base, s->n[0], (size_t)row->new_value, s->n[1], disagreement);
}

static void compare_endings(struct comparison *c)
{
    struct disagreement d = {0};
    for (size_t i = 0; i < c->systems.count; i++)
        for (int side = 0; side < 2; side++)
            add_disagreement(&d, count_ok(&c->systems.system[i], side),
                             c->systems.system[i].n[side]);
    for (size_t i = 0; i < c->systems.count; i++) {
        const struct system *s = &c->systems.system[i];
        compare_runs(c, s);
        if (in_both(s))
            compare_status(c, s, disagreement_of(&d));
    }
}

/* ---- one metric in one system ------------------------------------------------------------------
 */

static struct drift *add_value_row(struct comparison *c, const struct subject *t, size_t i,
                                   const char *kind)
{
    const struct values *v = &t->v[i];
    struct drift *row = add_row(c, &c->systems.system[i], t->fact, kind);
    row->how = t->m;
    row->n_base = v->n[0];
    row->n_new = v->n[1];
    row->n_pairs = v->n_pairs;
    return row;
}

static void compare_presence(struct comparison *c, const struct subject *t, size_t i)
{
    const struct system *s = &c->systems.system[i];
    const struct values *v = &t->v[i];
    const bool by_pairs = v->partners > 0;
    const bool changed = by_pairs
                             ? v->vanished + v->infinite > 0
                             : v->present[0] * v->eligible[1] != v->present[1] * v->eligible[0];
    if (!changed || v->present[0] + v->present[1] == 0)
        return;
    struct drift *row = add_value_row(c, t, i, "presence");
    row->n_base = v->eligible[0];
    row->n_new = v->eligible[1];
    row->base = (double)v->present[0];
    row->new_value = (double)v->present[1];
    row->drifted = t->lost || (by_pairs && s->same_bytes);
    if (!row->drifted)
        row->p = ub_split_p(v->present[0], v->eligible[0], v->present[1], v->eligible[1],
                            disagreement_of(&t->presence));
}

static void compare_exact(struct comparison *c, const struct subject *t, size_t i)
{
    const struct values *v = &t->v[i];
    struct drift *row = add_value_row(c, t, i, "exact");
    row->base = v->x[0][0];
    row->new_value = v->x[1][0];
    for (size_t k = 0; k < v->n_pairs && !row->drifted; k++)
        if (!exact_values_agree(v->x[0][k], v->x[1][k])) {
            row->base = v->x[0][k];
            row->new_value = v->x[1][k];
            row->drifted = true;
        }
    if (v->n_pairs == 0)
        row->drifted = !exact_values_agree(row->base, row->new_value);
}

static bool equal_pairs(const struct values *v)
{
    bool equal = v->n_pairs > 0;
    for (size_t i = 0; i < v->n_pairs && equal; i++)
        equal = v->x[0][i] == v->x[1][i];
    return equal;
}

static void compare_share(struct comparison *c, const struct subject *t, size_t i)
{
    const struct values *v = &t->v[i];
    if (v->n_pairs == 0 && v->n[0] < 2 && v->n[1] < 2) {
        c->left_out[OUT_SPREAD]++;
        return;
    }
    struct drift *row = add_value_row(c, t, i, "share");
    row->base = ub_mean(v->x[0], v->n[0]);
    row->new_value = ub_mean(v->x[1], v->n[1]);
    row->drifted = v->changed > 0;
    if (!row->drifted && !equal_pairs(v))
        row->p = ub_split_p((size_t)sum_of(v->x[0], v->n[0]), v->n[0],
                            (size_t)sum_of(v->x[1], v->n[1]), v->n[1], disagreement_of(&t->share));
}

static double by_pairs_p(const struct subject *t, size_t i, struct drift *row)
{
    const struct values *v = &t->v[i];
    if (v->n_pairs == 0)
        return (double)NAN;
    const struct ub_variance s =
        ub_variance_moderated(&t->pairs_prior, t->pairs[i].variance, t->pairs[i].df);
    const double least = t->m->counted ? believed_floors * t->m->floor : 0; /* equal by steps */
    const double deviation = isnan(s.value) ? (double)NAN : fmax(sqrt(s.value), least);
    row->se[0] = deviation / sqrt((double)v->n_pairs);
    row->df[0] = s.df;
    return ub_beyond_p(mean_difference(v), row->se[0], s.df, t->m->floor);
}

/* A system without replicates of its own is not judged by those of others: adaptive optimizers'
 * first sharpness spreads twenty times as much as the others'. */
static double by_seeds_p(const struct subject *t, size_t i, struct drift *row)
{
    const struct values *v = &t->v[i];
    if (!(t->seeds[i].df > 0))
        return (double)NAN;
    const struct ub_variance s =
        ub_variance_moderated(&t->seeds_prior, t->seeds[i].variance, t->seeds[i].df);
    const double believed = fmax(sqrt(s.value), believed_floors * t->m->floor);
    row->se[1] = believed * sqrt(1 / (double)v->n[0] + 1 / (double)v->n[1]);
    row->df[1] = s.df;
    return ub_beyond_p(ub_mean(v->x[1], v->n[1]) - ub_mean(v->x[0], v->n[0]), row->se[1], s.df,
                       t->m->floor);
}

/* Each p holds; so does the least of them times their number. NAN: no such view. */
static double least_of(const double *p, size_t n, size_t *views)
{
    double least = (double)NAN;
    *views = 0;
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, p[i]);
        *views += isnan(p[i]) ? 0 : 1;
    }
    return fmin(least * (double)*views, isnan(least) ? least : 1);
}

static void compare_measured(struct comparison *c, const struct subject *t, size_t i)
{
    const struct values *v = &t->v[i];
    struct drift *row = add_value_row(c, t, i, "measured");
    const size_t n[2] = {v->n_pairs ? v->n_pairs : v->n[0], v->n_pairs ? v->n_pairs : v->n[1]};
    row->base = metric_unscaled(t->m, ub_mean(v->x[0], n[0]));
    row->new_value = metric_unscaled(t->m, ub_mean(v->x[1], n[1]));
    const double p[] = {by_pairs_p(t, i, row), by_seeds_p(t, i, row), single_by_pairs_p(t, i),
                        single_by_seeds_p(t, i)};
    const double least = least_of(p, sizeof p / sizeof *p, &row->views);
    if (equal_pairs(v))
        return;
    if (v->changed > 0) {
        row->base = v->changed_from;
        row->new_value = v->changed_to;
        row->drifted = true;
        return;
    }
    row->p = least;
    if (isnan(row->p) && v->n_pairs > 0 && row->system->same_bytes)
        row->p = fabs(mean_difference(v)) > floors_without_spread * t->m->floor ? 0 : 1;
    if (isnan(row->p)) {
        c->count--; /* nothing to judge it by */
        c->left_out[OUT_SPREAD]++;
    }
}

static void count_left_out(struct comparison *c, const struct values *v, bool appeared)
{
    c->left_out[OUT_NEW] += v->left_out[OUT_NEW] || appeared;
    c->left_out[OUT_ENDED] += v->left_out[OUT_ENDED];
    c->left_out[OUT_REGIME] += v->left_out[OUT_REGIME];
}

static void compare_in_system(struct comparison *c, const struct subject *t, size_t i)
{
    const struct values *v = &t->v[i];
    const bool by_pairs = c->systems.system[i].n_pairs > 0;
    const bool possible = by_pairs ? v->n_pairs > 0 : v->n[0] > 0 && v->n[1] > 0;
    count_left_out(c, v, !by_pairs && v->n[0] == 0 && v->n[1] > 0 && v->eligible[0] > 0);
    compare_presence(c, t, i);
    if (!possible)
        return;
    if (t->measured[i])
        compare_measured(c, t, i);
    else if (t->m->kind == UB_COMPARED_SHARE)
        compare_share(c, t, i);
    else
        compare_exact(c, t, i);
}

static void compare_fact(struct comparison *c, const char *fact)
{
    const struct ub_comparison *m = metric_of(fact);
    if (!m)
        return;
    struct subject t = subject_new(c, m, fact);
    for (size_t i = 0; i < t.count; i++)
        if (in_both(&c->systems.system[i]))
            compare_in_system(c, &t, i);
    subject_clear(&t);
}

/* ---- all of it ----------------------------------------------------------------------------------
 */

/* At the p that one row alone would have to reach. */
static double detectable(const struct drift *row, size_t tests)
{
    const double alone =
        level / (double)(tests > 0 ? tests : 1) / (double)(row->views > 0 ? row->views : 1);
    double least = (double)NAN;
    for (int k = 0; k < 2; k++)
        if (row->df[k] > 0)
            least =
                fmin(least, ub_beyond_detectable(row->se[k], row->df[k], row->how->floor, alone));
    return least;
}

static void decide(struct comparison *c)
{
    double *p = ub_calloc(2 * c->count + 1, sizeof *p), *q = p + c->count;
    for (size_t i = 0; i < c->count; i++) {
        p[i] = c->row[i].p;
        c->tests += isnan(p[i]) ? 0 : 1;
    }
    ub_benjamini_hochberg(p, c->count, q);
    for (size_t i = 0; i < c->count; i++) {
        struct drift *row = &c->row[i];
        row->q = q[i];
        row->drifted = row->drifted || q[i] < level;
        c->drifted += row->drifted;
        if (row->how && strcmp(row->kind, "measured") == 0)
            row->detectable = detectable(row, c->tests);
    }
    ub_free(p);
}

struct comparison *compare_digests(const struct digest *base, const struct digest *new_digest,
                                   struct ub_error *err)
{
    struct comparison *c = ub_calloc(1, sizeof *c);
    if (!systems_of(base, new_digest, &c->systems, err)) {
        ub_free(c);
        return NULL;
    }
    struct labels others = fact_names(new_digest);
    c->facts = fact_names(base);
    for (size_t i = 0; i < others.count; i++)
        labels_add(&c->facts, others.text[i]);
    labels_free(&others);
    compare_endings(c);
    for (size_t i = 0; i < c->facts.count; i++)
        compare_fact(c, c->facts.text[i]);
    decide(c);
    return c;
}

void comparison_free(struct comparison *c)
{
    if (!c)
        return;
    systems_clear(&c->systems);
    labels_free(&c->facts);
    ub_free(c->row);
    ub_free(c);
}
