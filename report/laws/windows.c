/* Where a series settles. */
#include "report/laws/windows.h"
#include "report/statistics/statistics.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST = 10, SHARE = 3, CANDIDATES = 128 };
/* In logarithms. Thirds that differ by less than 7% put the whole window within about 10%, the
 * margin of the laws on edges; a drift of 2% a third of the run is 8% in all, less than the rise
 * that is asked for. */
static const double flat = 0.0677, still = 0.02, slower = 2.0, rise = 0.2231;
static const double doubt = 0.05; /* of a rise or a fall, one-sided */

/* ---- middles ---------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Mostly a dozen, many times over: then by insertion, which needs no calls. */
static void sort(double *x, size_t n)
{
    enum { FEW = 32 };
    if (n > FEW) {
        qsort(x, n, sizeof *x, ascending);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const double value = x[i];
        size_t k = i;
        for (; k > 0 && x[k - 1] > value; k--)
            x[k] = x[k - 1];
        x[k] = value;
    }
}

/* Of n >= 1 values; `room` has space for them. */
static double median(const double *x, size_t n, double *room)
{
    for (size_t i = 0; i < n; i++)
        room[i] = x[i];
    sort(room, n);
    return n % 2 ? room[n / 2] : 0.5 * (room[n / 2 - 1] + room[n / 2]);
}

/* Interquartile mean, of n >= 1 values: robust as a median is, but steady where a series jumps
 * between two sides of its level. */
static double middle(const double *x, size_t n, double *room)
{
    median(x, n, room); /* sorts */
    const size_t cut = n / 4;
    double sum = 0;
    for (size_t i = cut; i < n - cut; i++)
        sum += room[i];
    return sum / (double)(n - 2 * cut);
}

/* ---- logarithms ------------------------------------------------------------------------- */

struct logs {
    size_t n;
    double *y, *room;
    size_t *at; /* index in the series */
};

static struct logs logs_of(const struct ub_series *series, size_t count)
{
    struct logs l = {.y = ub_calloc(2 * count + 1, sizeof *l.y),
                     .at = ub_calloc(count + 1, sizeof *l.at)};
    l.room = l.y + count;
    for (size_t i = 0; i < count; i++)
        if (isfinite(series->value[i]) && series->value[i] > 0) {
            l.at[l.n] = i;
            l.y[l.n++] = log(series->value[i]);
        }
    return l;
}

static void logs_clear(struct logs *l)
{
    ub_free(l->y);
    ub_free(l->at);
}

/* ---- flat ends -------------------------------------------------------------------------- */

struct thirds {
    double middle[3];
    double doubt; /* about the last one's difference to the first */
};

/* The doubt is that of batch means (Schmeiser 1982, Oper. Res. 30): halves of a third differ by
 * what noise, however correlated, and swings that are slower than them leave in it. */
static struct thirds thirds_of(const struct logs *l, size_t from, size_t n)
{
    struct thirds t = {.doubt = 0};
    for (size_t k = 0; k < 3; k++) {
        const size_t begin = n * k / 3, half = n * (2 * k + 1) / 6, end = n * (k + 1) / 3;
        const double *y = l->y + from;
        t.middle[k] = middle(y + begin, end - begin, l->room);
        t.doubt += pow(
            middle(y + begin, half - begin, l->room) - middle(y + half, end - half, l->room), 2.0);
    }
    t.doubt = sqrt(t.doubt / 6.0);
    return t;
}

static double spread_of(const struct thirds *t)
{
    const double *m = t->middle;
    return fmax(fmax(m[0], m[1]), m[2]) - fmin(fmin(m[0], m[1]), m[2]);
}

/* The first measurement from `from` on that has come to the level of the first third, rounding
 * aside. */
static size_t arrival(const struct logs *l, size_t from, const struct thirds *t)
{
    const double side = l->y[from] < t->middle[0] ? 1.0 : -1.0;
    size_t i = from;
    while (i < l->n && side * (t->middle[0] - l->y[i]) > 1e-9)
        i++;
    return i;
}

/* Whether it changes less from `first` on than before, or too little to matter; past doubt, for
 * noise hides a ramp. */
static bool has_stopped(const struct logs *l, size_t first, const struct thirds *t)
{
    const double change = fabs(t->middle[2] - t->middle[0]) + t->doubt;
    const size_t n = l->n - first, before = first < n ? first : n;
    if (change > flat || change <= still || before == 0)
        return change <= flat;
    const size_t third = before < 3 ? before : before / 3;
    const double then = middle(l->y + first - before, third, l->room);
    const double time = (double)before + (double)n / 6.0 - (double)third / 2.0;
    const double rate = change / (2.0 * (double)n / 3.0);
    return fabs(t->middle[0] - then) >= slower * rate * time;
}

/* Where the longest flat end begins; l->n when there is none. */
static size_t flat_end(const struct logs *l, size_t least)
{
    const size_t last = l->n - least, stride = last / CANDIDATES + 1;
    for (size_t from = 0; from <= last; from += stride) {
        struct thirds t = thirds_of(l, from, l->n - from);
        if (spread_of(&t) > flat)
            continue;
        const size_t first = arrival(l, from, &t);
        if (l->n - first < LEAST)
            continue;
        t = thirds_of(l, first, l->n - first); /* without the way there */
        if (spread_of(&t) <= flat && has_stopped(l, first, &t))
            return first;
    }
    return l->n;
}

/* ---- settling --------------------------------------------------------------------------- */

static struct ub_window out(const char *why)
{
    return (struct ub_window){.why = why};
}

/* The median of a measurement and its neighbors, which a spike or a dip does not move. */
static double without_spikes(const struct logs *l, size_t i)
{
    const size_t first = i == 0 ? 0 : i + 1 == l->n ? i - 2 : i - 1;
    return median(l->y + first, 3, l->room);
}

/* How much the second half of the last 2 m measurements is above the first, from the m differences
 * a half apart: whatever is slow in the series is slow in them, and ub_series_mean's interval has
 * it. (Thirds' own halves, with three degrees of freedom, called a third of the runs falling that
 * sat at their level with noise of ten measurements' memory.) */
static struct ub_interval change_of(const struct logs *l, size_t m)
{
    const size_t from = l->n - 2 * m;
    double *change = ub_calloc(m, sizeof *change);
    for (size_t i = 0; i < m; i++)
        change[i] = without_spikes(l, from + m + i) - without_spikes(l, from + i);
    const struct ub_interval mean = ub_series_mean(change, m);
    ub_free(change);
    return mean;
}

/* One-sided p that the change is none, or of the other sign. */
static double no_change_p(const struct ub_interval *change)
{
    if (!(change->se > 0.0))
        return fabs(change->estimate) > 0.0 ? 0.0 : 1.0;
    return ub_t_upper_p(fabs(change->estimate) / change->se, change->n_effective - 1.0);
}

/* No flat end. It rises or falls when its last half does, past doubt, and its last third does not
 * contradict. */
static struct ub_window unsettled(const struct logs *l, size_t least)
{
    const size_t from = l->n - least, half = l->n / 2 > LEAST ? l->n / 2 : LEAST;
    const struct thirds t = thirds_of(l, from, least);
    const struct ub_interval change = change_of(l, half / 2);
    const double third = t.middle[2] - t.middle[0], p = no_change_p(&change);
    const bool rises = change.estimate > 0;
    struct ub_window w = {.first = l->at[from], .last = l->at[l->n - 1], .p = p};
    w.stay = rises ? UB_STAY_RISING : UB_STAY_FALLING;
    w.why = rises ? "no level yet, still rising" : "no level, falling at its end";
    if (!(p < doubt) || (rises ? third : -third) <= still) {
        w.stay = UB_STAY_UNSTEADY;
        w.why = "too unsteady to have a level";
    }
    return w;
}

/* The least and greatest of the first measurement, at initialization, and of medians of three in a
 * row before `end`, which a spike or a dip does not move. */
static void extremes(const struct logs *l, size_t end, double *lowest, double *highest)
{
    for (size_t i = 0; i < end && (i == 0 || i + 3 <= end); i++) {
        const double value = i == 0 ? l->y[0] : median(l->y + i, 3, l->room);
        *lowest = fmin(*lowest, value);
        *highest = fmax(*highest, value);
    }
}

static struct ub_window settle(const struct logs *l)
{
    if (l->n < LEAST)
        return out("fewer than 10 measurements");
    const size_t least = l->n / SHARE > LEAST ? l->n / SHARE : LEAST;
    const size_t first = flat_end(l, least);
    if (first == l->n)
        return unsettled(l, least);
    const double level = middle(l->y + first, l->n - first, l->room);
    double lowest = level, highest = level;
    extremes(l, first, &lowest, &highest);
    if (level - lowest < rise)
        return out(highest - level < rise ? "never sharpened, flat from the start"
                                          : "never sharpened, came to its level from above");
    return (struct ub_window){
        .first = l->at[first], .last = l->at[l->n - 1], .stay = UB_STAY_SETTLED, .reached = true};
}

struct ub_window ub_settled(const struct ub_series *series, size_t count)
{
    struct logs l = logs_of(series, count);
    const struct ub_window window = settle(&l);
    logs_clear(&l);
    return window;
}

/* ---- the loss --------------------------------------------------------------------------- */

bool ub_at_rest(const struct ub_series *loss, double first_step, double last_step)
{
    if (loss->count == 0)
        return false;
    const double unit = fabs(loss->value[0]);
    double begin = (double)NAN, end = (double)NAN, least = INFINITY;
    for (size_t i = 0; i < loss->count; i++) {
        const double value = loss->value[i];
        if (loss->step[i] < first_step || loss->step[i] > last_step)
            continue;
        if (value > 1.05 * least && value - least > 1e-9 * unit)
            return false;
        least = fmin(least, value);
        begin = isnan(begin) ? value : begin;
        end = value;
    }
    return begin - end < 1e-3 * unit;
}

size_t ub_count_until(const struct ub_series *series, const struct ub_series *loss, double share)
{
    size_t fallen = 0, count = 0;
    while (fallen < loss->count && !(loss->value[fallen] < share * loss->value[0]))
        fallen++;
    if (fallen == loss->count)
        return series->count;
    while (count < series->count && series->step[count] < loss->step[fallen])
        count++;
    return count;
}
