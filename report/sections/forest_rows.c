/* Rows of a law's forest: which, in what order, by what name, on what axis. */
#include "report/sections/forest.h"

#include "report/frame/factor.h"
#include "report/sections/board.h"
#include "report/sections/shown.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows -------------------------------------------------------------------------------- */

static struct forest_row row_of(const struct ub_claim *claim, const struct ub_datum *d,
                                enum forest_look look)
{
    const double value = board_value(claim, d);
    const struct ub_interval own = ub_datum_interval(d);
    const double half =
        claim->is == UB_EXACT || !isfinite(own.high - own.low) ? 0 : (own.high - own.low) / 2;
    return (struct forest_row){value, value - half, value + half, d->se, look, d->cluster, NULL};
}

enum forest_look forest_look_of(const struct ub_law_verdict *v, size_t g)
{
    const char *meets = shown_group(v, g).meets;
    if (v->law->is.is == UB_SAME && isnan(v->judgment.q[g])) /* alone in its cluster */
        return UNCLEAR;
    return strcmp(meets, "yes") == 0 ? MEETS : strcmp(meets, "no") == 0 ? BEYOND : UNCLEAR;
}

/* All rows that are shown; returns their groups, whose rows are the verdict's. */
static struct ub_groups add_rows(struct forest *f)
{
    const struct ub_law_verdict *v = f->verdict;
    const size_t most = v->groups.count + v->controls.count;
    struct ub_groups shown = {.group = ub_calloc(most + 1, sizeof *shown.group)};
    f->row = ub_calloc(most + 1, sizeof *f->row);
    for (size_t g = 0; g < v->groups.count; g++) {
        f->row[f->count] = row_of(&v->law->is, &v->data[g], forest_look_of(v, g));
        if (isfinite(f->row[f->count].value))
            shown.group[f->count++] = v->groups.group[g];
    }
    for (size_t g = 0; g < v->controls.count; g++) {
        const bool holds = v->control[g] == UB_CONTROL_HOLDS;
        f->row[f->count] = row_of(&v->law->is, &v->control_data[g], holds ? MUST_HOLD : MUST_FAIL);
        if (isfinite(f->row[f->count].value))
            shown.group[f->count++] = v->controls.group[g];
    }
    shown.count = f->count;
    return shown;
}

/* ---- names ------------------------------------------------------------------------------- */

static bool has_twin(const struct forest *f, size_t row)
{
    for (size_t i = 0; i < f->count; i++)
        if (i != row && strcmp(f->row[i].name, f->row[row].name) == 0)
            return true;
    return false;
}

static void extend(char **name, const char *with)
{
    struct ub_text text = {0};
    ub_text_add(&text, "%s%s", *name, with);
    ub_free(*name);
    *name = text.data;
}

/* Runs that differ in what they measured alone have one name: such a control tells by what it must
 * do, and others by number. */
static void tell_twins_apart(struct forest *f)
{
    bool *twin = ub_calloc(f->count + 1, sizeof *twin);
    for (size_t i = 0; i < f->count; i++)
        twin[i] = has_twin(f, i);
    for (size_t i = 0; i < f->count; i++)
        if (twin[i] && f->row[i].look >= MUST_HOLD)
            extend(&f->row[i].name, f->row[i].look == MUST_HOLD ? ", must hold" : ", must fail");
    for (size_t i = 0; i < f->count; i++) {
        size_t same = 1;
        for (size_t k = i + 1; k < f->count; k++) {
            char number[32];
            if (strcmp(f->row[k].name, f->row[i].name) != 0)
                continue;
            snprintf(number, sizeof number, " (%zu)", ++same);
            extend(&f->row[k].name, number);
        }
    }
    ub_free(twin);
}

static void name_rows(struct forest *f, const struct ub_frame *frame, const struct ub_groups *shown)
{
    static const char *const always[] = {"model", "dataset", NULL};
    for (size_t i = 0; i < f->count; i++) {
        struct forest_row *r = &f->row[i];
        r->name = ub_frame_group_name_with(frame, shown, i, r->look >= MUST_HOLD ? always : NULL);
        if (strcmp(r->name, "all") != 0)
            continue;
        ub_free(r->name);
        r->name = ub_frame_group_name_with(frame, shown, i, always);
    }
    tell_twins_apart(f);
}

/* ---- order ------------------------------------------------------------------------------- */

/* Systems first, then controls that must hold, then those that must fail. */
static int part_of(const struct forest_row *r)
{
    return r->look >= MUST_HOLD ? (int)r->look : 0;
}

static int by_value(const void *a, const void *b)
{
    const struct forest_row *x = a, *y = b;
    const int p = part_of(x), q = part_of(y);
    return p != q ? p - q : (x->value > y->value) - (x->value < y->value);
}

/* Those that must fail are compared all together (law.c): they are one cluster. */
static int by_cluster(const void *a, const void *b)
{
    const struct forest_row *x = a, *y = b;
    const int p = part_of(x), q = part_of(y);
    if (p != q)
        return p - q;
    return p != MUST_FAIL && x->cluster != y->cluster ? x->cluster - y->cluster : by_value(a, b);
}

static double mean_of(const struct forest_row *row, size_t n)
{
    double *x = ub_calloc(2 * n + 2, sizeof *x), *se = x + n + 1;
    for (size_t i = 0; i < n; i++) {
        x[i] = row[i].value;
        se[i] = row[i].se;
    }
    const double mean = ub_random_effects(x, se, n).mean.estimate;
    ub_free(x);
    return mean;
}

struct placed {
    struct forest_cluster cluster;
    int part;
};

static int by_mean(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->part != y->part)
        return x->part - y->part;
    return (x->cluster.mean > y->cluster.mean) - (x->cluster.mean < y->cluster.mean);
}

/* Puts rows in the order of their clusters. */
static void place_clusters(struct forest *f, struct placed *placed)
{
    struct forest_row *row = ub_calloc(f->count + 1, sizeof *row);
    size_t n = 0;
    qsort(placed, f->n_clusters, sizeof *placed, by_mean);
    f->cluster = ub_calloc(f->n_clusters + 1, sizeof *f->cluster);
    for (size_t c = 0; c < f->n_clusters; c++) {
        const struct forest_cluster *from = &placed[c].cluster;
        f->cluster[c] = (struct forest_cluster){from->mean, n, from->count};
        for (size_t i = 0; i < from->count; i++) {
            row[n] = f->row[from->first + i];
            row[n++].cluster = (int)c;
        }
    }
    ub_free(f->row);
    f->row = row;
}

static void sort_clusters(struct forest *f)
{
    struct placed *placed = ub_calloc(f->count + 1, sizeof *placed);
    qsort(f->row, f->count, sizeof *f->row, by_cluster);
    for (size_t from = 0, to; from < f->count; from = to) {
        const struct forest_row *r = f->row + from;
        for (to = from + 1; to < f->count && part_of(&f->row[to]) == part_of(r) &&
                            (part_of(r) == MUST_FAIL || f->row[to].cluster == r->cluster);
             to++)
            ;
        placed[f->n_clusters++] =
            (struct placed){{mean_of(r, to - from), from, to - from}, part_of(r)};
    }
    place_clusters(f, placed);
    ub_free(placed);
}

static void to_deviations(struct forest *f)
{
    f->deviations = true;
    for (size_t i = 0; i < f->count; i++) {
        const double mean = f->cluster[f->row[i].cluster].mean;
        f->row[i].value -= mean;
        f->row[i].low -= mean;
        f->row[i].high -= mean;
    }
    qsort(f->row, f->count, sizeof *f->row, by_value);
}

/* ---- the axis ---------------------------------------------------------------------------- */

static bool is_logarithmic(const struct forest *f)
{
    const struct ub_claim *claim = &f->verdict->law->is;
    double least = INFINITY, most = 0;
    if (claim->is == UB_SAME) /* its margin is a distance, the same everywhere */
        return false;
    for (size_t i = 0; i < f->count; i++) {
        if (!(f->row[i].value > 0))
            return false;
        least = fmin(least, f->row[i].value);
        most = fmax(most, f->row[i].value);
    }
    return claim->is == UB_EXACT || most > 30 * least;
}

/* All values, what they are held against, and of intervals a decade beyond the values at most. */
static void set_range_of_logarithms(struct forest *f)
{
    const struct ub_claim *claim = &f->verdict->law->is;
    const double target = claim->is == UB_EXACT ? claim->margin : claim->target;
    double low = target > 0 ? target : INFINITY, high = target > 0 ? target : 0, from = INFINITY,
           to = 0;
    for (size_t i = 0; i < f->count; i++) {
        low = fmin(low, f->row[i].value);
        high = fmax(high, f->row[i].value);
        from = f->row[i].low > 0 ? fmin(from, f->row[i].low) : from;
        to = fmax(to, f->row[i].high);
    }
    f->low = fmax(low / 10, fmin(low, from));
    f->high = fmin(high * 10, fmax(high, to));
    if (!(f->high > f->low)) {
        f->low /= 2;
        f->high *= 2;
    }
}

/* Of sameness all values, the margin about the clusters' means, and of intervals as much again to
 * both sides at most. */
static void set_range_of_clusters(struct forest *f)
{
    const double margin = f->verdict->law->is.margin;
    double low = INFINITY, high = -INFINITY, from = INFINITY, to = -INFINITY;
    for (size_t i = 0; i < f->count; i++) {
        const double mean = f->cluster[f->row[i].cluster].mean;
        low = fmin(low, fmin(f->row[i].value, mean - margin));
        high = fmax(high, fmax(f->row[i].value, mean + margin));
        from = fmin(from, f->row[i].low);
        to = fmax(to, f->row[i].high);
    }
    const double half = (high - low) / 2;
    f->low = fmax(low - half, fmin(low, from));
    f->high = fmin(high + half, fmax(high, to));
}

/* From the systems' quartiles five times their distance to either side, and at least three times
 * the margin about the target; no further than what there is. */
static void set_range(struct forest *f)
{
    const struct ub_claim *claim = &f->verdict->law->is;
    const double target = f->deviations ? 0 : claim->target;
    const bool banded = claim->is == UB_EQUAL || f->deviations;
    double *x = ub_calloc(f->count + 1, sizeof *x), least = INFINITY, most = -INFINITY;
    size_t plain = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->row[i].look < MUST_HOLD)
            x[plain++] = f->row[i].value;
        least = fmin(least, f->row[i].low);
        most = fmax(most, f->row[i].high);
    }
    const double first = ub_quantile(x, plain, 0.25), third = ub_quantile(x, plain, 0.75);
    const double reach = fmax(5 * (third - first), banded ? 3 * claim->margin : 0);
    f->low = fmax(least, fmin(isfinite(first) ? first : target, target) - reach);
    f->high = fmin(most, fmax(isfinite(third) ? third : target, target) + reach);
    if (banded) {
        f->low = fmin(f->low, target - 2 * claim->margin);
        f->high = fmax(f->high, target + 2 * claim->margin);
    }
    if (!banded && !(reach > 0)) {
        f->low = fmin(least, target);
        f->high = fmax(most, target);
    }
    ub_free(x);
}

/* ---- all together ------------------------------------------------------------------------ */

struct forest forest_of(const struct ub_law_verdict *v, const struct ub_frame *frame)
{
    struct forest f = {.verdict = v};
    struct ub_groups shown = add_rows(&f);
    name_rows(&f, frame, &shown);
    ub_free(shown.group); /* what is in it is the verdict's */
    if (v->law->is.is == UB_SAME)
        sort_clusters(&f);
    else
        qsort(f.row, f.count, sizeof *f.row, by_value);
    if (v->law->is.is == UB_SAME && f.count > FOREST_MOST)
        to_deviations(&f);
    f.logarithmic = is_logarithmic(&f);
    if (f.logarithmic)
        set_range_of_logarithms(&f);
    else if (f.n_clusters && !f.deviations)
        set_range_of_clusters(&f);
    else
        set_range(&f);
    return f;
}

/* How far from what is claimed. */
static double beyond(const struct forest *f, const struct forest_row *r)
{
    const struct ub_claim *claim = &f->verdict->law->is;
    const double target = f->deviations ? 0 : claim->target;
    return claim->is == UB_EXACT ? r->value : fabs(r->value - target);
}

/* Rows beyond the claim that are farther, of equal ones before it. */
static size_t farther(const struct forest *f, size_t row)
{
    size_t n = 0;
    for (size_t k = 0; k < f->count; k++) {
        const double more = beyond(f, &f->row[k]) - beyond(f, &f->row[row]);
        n += f->row[k].look == BEYOND && (more > 0 || (k < row && !(more < 0)));
    }
    return n;
}

size_t forest_named(const struct forest *f, size_t *named)
{
    size_t n = 0, controls[FOREST_LOOKS] = {0};
    for (size_t i = 0; i < f->count; i++) {
        const enum forest_look look = f->row[i].look;
        if ((look == BEYOND && farther(f, i) < FOREST_NAMED) ||
            (look >= MUST_HOLD && controls[look]++ < FOREST_NAMED / 2))
            named[n++] = i;
    }
    return n;
}

void forest_clear(struct forest *f)
{
    for (size_t i = 0; i < f->count; i++)
        ub_free(f->row[i].name);
    ub_free(f->row);
    ub_free(f->cluster);
    *f = (struct forest){0};
}
