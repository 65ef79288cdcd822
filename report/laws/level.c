/* From a series to a run's level, from runs' levels to a group's datum. */
#include "report/laws/level.h"
#include "base/team.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double doubt = 0.05;
/* sqrt(pi/2): the error of a median over that of a mean, for normal data. */
static const double median_factor = 1.2533141373155003;

/* ---- runs ------------------------------------------------------------------------------- */

static double peak_of(const struct ub_series *series)
{
    double peak = (double)NAN;
    for (size_t i = 0; i < series->count; i++)
        if (isfinite(series->value[i]) && !(series->value[i] <= peak))
            peak = series->value[i];
    return peak;
}

/* Takes the line through a series that rises away, all but its mean: it is no noise. */
static void detrend(double *x, size_t n)
{
    const double middle = 0.5 * ((double)n - 1.0);
    double product = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        product += ((double)i - middle) * x[i];
        square += ((double)i - middle) * ((double)i - middle);
    }
    for (size_t i = 0; i < n && square > 0; i++)
        x[i] -= product / square * ((double)i - middle);
}

static void measure_window(struct ub_level *l, const struct ub_series *series)
{
    const size_t first = l->window.first;
    double *finite = ub_calloc(series->count, sizeof *finite);
    size_t n = 0;
    for (size_t i = first; i <= l->window.last; i++)
        if (isfinite(series->value[i]))
            finite[n++] = series->value[i];
    const double level = ub_median(finite, n);
    if (l->window.stay == UB_STAY_RISING)
        detrend(finite, n);
    l->mean = ub_series_mean(finite, n);
    ub_free(finite);
    if (!l->window.reached) {
        l->end = l->window.stay == UB_STAY_RISING ? level : (double)NAN;
        return;
    }
    l->first_step = series->step[first];
    l->last_step = series->step[l->window.last];
    l->median = level;
}

const char *ub_run_lost(const struct ub_run *run)
{
    switch (run->status) {
    case UB_RUN_DIVERGED:
        return "diverged";
    case UB_RUN_FAILED:
        return "failed";
    case UB_RUN_TIMEOUT:
        return "ran out of time";
    case UB_RUN_MISSING:
        return run->damaged ? "damaged" : "not run";
    default:
        return NULL;
    }
}

/* A rise is against the law when it is one and its end is beyond the margin: the worse p of both.
 */
static double against_p(const struct ub_level *l, const struct ub_claim *claim)
{
    if (l->window.excused)
        return 1;
    if (l->window.stay == UB_STAY_FALLING)
        return l->window.p;
    if (l->window.stay != UB_STAY_RISING)
        return 1;
    const double beyond = l->end - claim->target - claim->margin, se = median_factor * l->mean.se;
    if (!(se > 0))
        return beyond > 0 ? l->window.p : 1;
    return fmax(l->window.p, ub_t_upper_p(beyond / se, fmax(1, l->mean.n_effective - 1)));
}

/* What a run's level is found in. */
struct series {
    struct ub_series measured, loss;
};

static struct series series_of(const struct ub_frame *frame, size_t row, const char *name)
{
    return (struct series){ub_frame_series(frame, row, name, 0),
                           ub_frame_series(frame, row, "loss", 0)};
}

static struct ub_level level_in(struct series *s, ub_law_window *window, const struct ub_claim *is,
                                const struct ub_frame *frame, size_t row)
{
    const char *why = ub_run_lost(&frame->store->runs[row]);
    struct ub_level l = {.first_step = (double)NAN,
                         .last_step = (double)NAN,
                         .median = (double)NAN,
                         .end = (double)NAN};
    l.window = why ? (struct ub_window){.why = why} : window(frame, row, &s->measured, &s->loss);
    l.peak = peak_of(&s->measured);
    if (l.window.stay != UB_STAY_OUT)
        measure_window(&l, &s->measured);
    l.against_p = against_p(&l, is);
    l.against = l.against_p < doubt;
    ub_series_clear(&s->measured);
    ub_series_clear(&s->loss);
    return l;
}

struct ub_level ub_level_of(const char *name, ub_law_window *window, const struct ub_claim *is,
                            const struct ub_frame *frame, size_t row)
{
    struct series s = series_of(frame, row, name);
    return level_in(&s, window, is, frame, row);
}

struct levels {
    ub_law_window *window;
    const struct ub_claim *is;
    const struct ub_frame *frame;
    const size_t *row;
    struct series *series;
    struct ub_level *level;
};

static void level_one(void *context, int64_t task, int member)
{
    const struct levels *all = context;
    const size_t row = all->row[task];
    (void)member;
    all->level[row] = level_in(&all->series[task], all->window, all->is, all->frame, row);
}

/* Series are taken from the frame one by one, some hundred at a time. */
void ub_levels_of(const char *name, ub_law_window *window, const struct ub_claim *is,
                  const struct ub_frame *frame, const struct ub_rows *rows, struct ub_level *level)
{
    enum { MOST = 512 };
    struct ub_team *team = ub_team_for((int64_t)rows->count);
    struct series *series = ub_calloc(MOST, sizeof *series);
    for (size_t first = 0; first < rows->count; first += MOST) {
        const size_t left = rows->count - first, n = left < MOST ? left : MOST;
        struct levels all = {window, is, frame, rows->row + first, series, level};
        for (size_t i = 0; i < n; i++)
            series[i] = series_of(frame, all.row[i], name);
        ub_team_run(team, (int64_t)n, level_one, &all);
    }
    ub_team_free(team);
    ub_free(series);
}

/* ---- groups ----------------------------------------------------------------------------- */

const char *ub_most_frequent(const char *const *text, size_t n)
{
    const char *most = NULL;
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t k = i; k < n; k++)
            same += strcmp(text[i], text[k]) == 0;
        if (same > best) {
            best = same;
            most = text[i];
        }
    }
    return most;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* p that at most half of the runs are against the law (Benjamini and Heller 2008,
 * doi:10.1111/j.1541-0420.2007.00984.x: partial conjunction, by Bonferroni); of those with a series
 * that the law is about: one that diverged or never sharpened says nothing. */
static double most_against_p(const struct ub_level *level, const struct ub_rows *group)
{
    double *p = ub_calloc(group->count + 1, sizeof *p);
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++)
        if (level[group->row[i]].window.stay != UB_STAY_OUT)
            p[n++] = level[group->row[i]].against_p;
    qsort(p, n, sizeof *p, ascending);
    const size_t r = n / 2 + 1;
    const double most = n ? fmin(1, (double)(n - r + 1) * p[r - 1]) : 1;
    ub_free(p);
    return most;
}

/* The reason that most runs against the law have, else most runs without a level; of equally many
 * the first. */
static const char *reason(const struct ub_level *level, const struct ub_rows *group, bool against)
{
    const char **why = ub_calloc(group->count + 1, sizeof *why);
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct ub_level *l = &level[group->row[i]];
        if (against ? l->against : !l->window.reached && l->window.why)
            why[n++] = l->window.why;
    }
    const char *most = ub_most_frequent(why, n);
    ub_free(why);
    return most;
}

static struct ub_datum mean_level(const struct ub_level *level, const struct ub_rows *group)
{
    double *x = ub_calloc(group->count + 1, sizeof *x), squares = 0, n_effective = 0;
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct ub_level *l = &level[group->row[i]];
        if (!l->window.reached)
            continue;
        x[n++] = l->median;
        squares += isfinite(l->mean.se) ? pow(median_factor * l->mean.se, 2) : 0;
        n_effective += l->mean.n_effective;
    }
    const struct ub_interval mean = ub_sample_mean(x, n);
    ub_free(x);
    return (struct ub_datum){
        .value = mean.estimate,
        .se = n > 1 ? mean.se : (double)NAN,
        .df = (double)n - 1,
        .runs = n,
        .own_se = sqrt(squares) / (double)n,
        .own_df = fmax(1, n_effective - 1),
    };
}

struct ub_datum ub_level_datum(const struct ub_level *level, const struct ub_rows *group)
{
    size_t reached = 0, against = 0;
    for (size_t i = 0; i < group->count; i++) {
        reached += level[group->row[i]].window.reached;
        against += level[group->row[i]].against;
    }
    if (reached > 0 && against <= reached)
        return mean_level(level, group);
    return (struct ub_datum){
        .why = reason(level, group, against > 0),
        .against = against > 0,
        .against_p = against > 0 ? most_against_p(level, group) : 0,
    };
}
