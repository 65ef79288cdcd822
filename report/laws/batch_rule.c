#include "report/laws/batch_rule.h"

#include <math.h>

/* ---- triples ------------------------------------------------------------------------------- */

enum { DIFFERS = 1, SETTINGS = 3 }; /* where they begin in `within` */

static bool same_settings(const struct ub_batch_rule *rule, const struct ub_frame *frame, size_t a,
                          size_t b)
{
    for (const char *const *s = rule->within + SETTINGS; *s; s++) {
        const struct ub_column *c = ub_frame_column(frame, *s);
        if (c && c->level[a] != c->level[b])
            return false;
    }
    return true;
}

static double batch_of(const struct ub_frame *frame, size_t row)
{
    return ub_frame_number(frame, row, "optimizer.batch");
}

/* Rows of the base's system over as many samples in batches twice as large; of `rows`, or (NULL) of
 * the whole frame. All rows are asked for every base: the two columns that tell most of them apart
 * are looked up once. */
static struct ub_rows twins_of(const struct ub_batch_rule *rule, const struct ub_frame *frame,
                               const struct ub_rows *rows, size_t base)
{
    const struct ub_column *batch = ub_frame_column(frame, "optimizer.batch");
    const struct ub_column *steps = ub_frame_column(frame, "steps");
    const size_t n = rows ? rows->count : frame->rows;
    struct ub_rows out = {0};
    if (!batch || !(batch->number[base] > 0))
        return out;
    for (size_t i = 0; i < n; i++) {
        const size_t row = rows ? rows->row[i] : i;
        if (batch->number[row] == 2 * batch->number[base] &&
            2 * steps->number[row] == steps->number[base] &&
            ub_runs_alike(frame, base, row, rule->within + DIFFERS)) {
            out.row = ub_realloc(out.row, (out.count + 1) * sizeof *out.row);
            out.row[out.count++] = row;
        }
    }
    return out;
}

/* How far the rate is from the rule's, on a log scale; INFINITY where it is not above the base's,
 * which no rule has. Rates that are not known yet are as good as any. */
static double off(const struct ub_batch_rule *rule, const struct ub_frame *frame, size_t base,
                  size_t other)
{
    const double ratio = ub_frame_number(frame, other, "optimizer.lr") /
                         ub_frame_number(frame, base, "optimizer.lr");
    if (isnan(ratio))
        return 0;
    return ratio > 1 ? fabs(log(ratio / rule->factor)) : INFINITY;
}

struct triple {
    size_t base, fixed, ruled;
};

/* `rows`: as of twins_of. */
static bool find_triple(const struct ub_batch_rule *rule, const struct ub_frame *frame,
                        const struct ub_rows *rows, size_t base, struct triple *out)
{
    const struct ub_column *rate = ub_frame_column(frame, "optimizer.lr");
    struct ub_rows twins = twins_of(rule, frame, rows, base);
    bool fixed = false;
    double nearest = INFINITY;
    for (size_t i = 0; i < twins.count; i++) {
        const size_t row = twins.row[i];
        if (same_settings(rule, frame, base, row)) {
            out->fixed = row;
            fixed = true;
        } else if (rate->level[row] != rate->level[base] && off(rule, frame, base, row) < nearest) {
            out->ruled = row;
            nearest = off(rule, frame, base, row);
        }
    }
    ub_rows_clear(&twins);
    out->base = base;
    return fixed && isfinite(nearest);
}

/* As base, or as one of a base's twins. */
bool ub_batch_rule_applies(const struct ub_batch_rule *rule, const struct ub_frame *frame,
                           size_t row)
{
    const struct ub_column *batch = ub_frame_column(frame, "optimizer.batch");
    struct triple t = {0};
    if (!batch || !(batch->number[row] > 0))
        return false;
    if (find_triple(rule, frame, NULL, row, &t))
        return true;
    for (size_t base = 0; base < frame->rows; base++)
        if (2 * batch->number[base] == batch->number[row] &&
            ub_runs_alike(frame, base, row, rule->within + DIFFERS) &&
            find_triple(rule, frame, NULL, base, &t) && (t.fixed == row || t.ruled == row))
            return true;
    return false;
}

/* ---- curves -------------------------------------------------------------------------------- */

/* Differences of the logarithm of the loss at the numbers of samples that all three have. */
struct curves {
    size_t points;
    double *fixed, *ruled;
};

static void clear(struct curves *c)
{
    ub_free(c->fixed);
    ub_free(c->ruled);
}

static double log_at(const struct ub_series *s, double step)
{
    for (size_t i = 0; i < s->count; i++)
        if ((double)s->step[i] == step)
            return log(s->value[i]);
    return (double)NAN;
}

/* The start, where they are the same, is left out. */
static struct curves curves_of(const struct ub_frame *frame, const struct triple *t)
{
    struct ub_series base = ub_frame_series(frame, t->base, "loss", 0);
    struct ub_series fixed = ub_frame_series(frame, t->fixed, "loss", 0);
    struct ub_series ruled = ub_frame_series(frame, t->ruled, "loss", 0);
    struct curves c = {.fixed = ub_calloc(ruled.count + 1, sizeof *c.fixed),
                       .ruled = ub_calloc(ruled.count + 1, sizeof *c.ruled)};
    for (size_t i = 0; i < ruled.count; i++) {
        const double step = (double)ruled.step[i], from = log_at(&base, 2 * step);
        const double to = log_at(&fixed, step), by_rule = log(ruled.value[i]);
        if (!(step > 0) || !isfinite(from + to + by_rule))
            continue;
        c.fixed[c.points] = to - from;
        c.ruled[c.points++] = by_rule - from;
    }
    ub_series_clear(&base);
    ub_series_clear(&fixed);
    ub_series_clear(&ruled);
    return c;
}

/* ---- distances ----------------------------------------------------------------------------- */

/* Triples of one base's settings. */
struct set {
    size_t first; /* its first base: of the others' settings and batch */
    size_t n;
    struct curves *curves;
};

/* D^2 without the triple `out` (n: with all). */
static double square(const struct set *set, bool ruled, size_t out)
{
    double sum = 0;
    size_t points = set->curves[0].points;
    for (size_t i = 1; i < set->n; i++)
        points = set->curves[i].points < points ? set->curves[i].points : points;
    for (size_t k = 0; k < points; k++) {
        double total = 0, squares = 0, n = 0;
        for (size_t i = 0; i < set->n; i++) {
            const double d = ruled ? set->curves[i].ruled[k] : set->curves[i].fixed[k];
            total += i == out ? 0 : d;
            squares += i == out ? 0 : d * d;
            n += i == out ? 0 : 1;
        }
        const double mean = total / n;
        sum += mean * mean - (n > 1 ? (squares / n - mean * mean) / (n - 1) : 0);
    }
    return sum / (double)points;
}

/* An estimate of D^2 that is below 0 is of a distance less than its noise: its root keeps the sign,
 * or its error would be lost. */
static double signed_root(double x)
{
    return copysign(sqrt(fabs(x)), x);
}

/* Sums of D^2 over sets. */
struct squares {
    double fixed, ruled;
};

static struct squares squares_without(const struct set *sets, size_t n, size_t out)
{
    struct squares sum = {0};
    for (size_t i = 0; i < n; i++) {
        sum.fixed += square(&sets[i], false, out);
        sum.ruled += square(&sets[i], true, out);
    }
    return sum;
}

static double ratio_of(const struct squares *d)
{
    return d->fixed > 0 ? signed_root(d->ruled / d->fixed) : (double)NAN;
}

/* With three triples or more errors are known, and the fixed rate's distance has to be past doubt:
 * its 95% bound above 0. */
static struct ub_datum ratio(const struct set *sets, size_t n)
{
    const struct squares all = squares_without(sets, n, SIZE_MAX);
    struct ub_datum d = {.value = ratio_of(&all), .se = (double)NAN};
    size_t least = sets[0].n;
    for (size_t i = 1; i < n; i++)
        least = sets[i].n < least ? sets[i].n : least;
    const double m = (double)least, factor = (m - 1) / sqrt(m);
    double *fixed = ub_calloc(2 * least, sizeof *fixed), *without = fixed + least;
    for (size_t r = 0; r < least; r++) {
        const struct squares s = squares_without(sets, n, r);
        fixed[r] = s.fixed;
        without[r] = ratio_of(&s);
    }
    bool known = isfinite(d.value);
    if (least >= 3) {
        d.se = ub_deviation(without, least) * factor;
        d.df = m - 1;
        known = known && isfinite(d.se) &&
                all.fixed > ub_t_quantile(0.95, d.df) * ub_deviation(fixed, least) * factor;
    }
    ub_free(fixed);
    return known ? d
                 : (struct ub_datum){.why = "with fixed settings the batch makes no difference "
                                            "beyond its noise"};
}

static bool all_ended(const struct ub_frame *frame, const struct triple *t)
{
    const struct ub_run *runs = frame->store->runs;
    return runs[t->base].status == UB_RUN_OK && runs[t->fixed].status == UB_RUN_OK &&
           runs[t->ruled].status == UB_RUN_OK;
}

static struct set *set_of(const struct ub_batch_rule *rule, const struct ub_frame *frame,
                          struct set *sets, size_t *n, size_t base)
{
    for (size_t i = 0; i < *n; i++)
        if (batch_of(frame, sets[i].first) == batch_of(frame, base) &&
            same_settings(rule, frame, sets[i].first, base))
            return &sets[i];
    sets[*n] = (struct set){.first = base};
    return &sets[(*n)++];
}

struct ub_datum ub_batch_rule_datum(const struct ub_batch_rule *rule, const struct ub_frame *frame,
                                    const struct ub_rows *group)
{
    struct set *sets = ub_calloc(group->count + 1, sizeof *sets);
    size_t n = 0;
    bool diverged = false;
    for (size_t i = 0; i < group->count; i++) {
        struct triple t = {0};
        if (!find_triple(rule, frame, group, group->row[i], &t))
            continue;
        if (!all_ended(frame, &t)) {
            diverged = diverged || frame->store->runs[t.ruled].status == UB_RUN_DIVERGED;
            continue;
        }
        const struct curves c = curves_of(frame, &t);
        if (c.points == 0) {
            ub_free(c.fixed);
            ub_free(c.ruled);
            continue;
        }
        struct set *s = set_of(rule, frame, sets, &n, t.base);
        s->curves = ub_realloc(s->curves, (s->n + 1) * sizeof *s->curves);
        s->curves[s->n++] = c;
    }
    struct ub_datum d = {.why = "no batch twice as large, with and without the rule"};
    if (n > 0 && !diverged)
        d = ratio(sets, n);
    if (diverged)
        d = (struct ub_datum){.why = "diverged at the larger batch", .against = true};
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < sets[i].n; k++)
            clear(&sets[i].curves[k]);
        ub_free(sets[i].curves);
    }
    ub_free(sets);
    return d;
}
