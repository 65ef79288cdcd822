/* Does x predict y across clusters? A slope that allows for errors in x, and a rank correlation. */
#include "report/statistics/statistics.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>

/* Points without those of one cluster (-1: of none). */
struct sample {
    const struct ub_point *point;
    const double *weight;
    size_t n;
    int without;
};

static bool is_in(const struct sample *s, size_t i)
{
    return s->point[i].cluster != s->without;
}

struct moments {
    double xx, xy, error; /* sums of squares and products within groups; what errors of x add */
};

/* Adds one group's moments. The error of x is its cluster's: the points of a cluster share it, so
 * where they have the share f of the group's weight W it adds W f (1 - f) se^2 to the sum of
 * squares. */
static void add_group(struct moments *m, const struct sample *s, int group)
{
    double x = 0, y = 0, all = 0;
    for (size_t i = 0; i < s->n; i++)
        if (is_in(s, i) && s->point[i].group == group) {
            x += s->weight[i] * s->point[i].x;
            y += s->weight[i] * s->point[i].y;
            all += s->weight[i];
        }
    for (size_t i = 0; i < s->n; i++) {
        const struct ub_point *p = &s->point[i];
        const double w = s->weight[i], dx = p->x - x / all, dy = p->y - y / all;
        if (!is_in(s, i) || p->group != group)
            continue;
        double siblings = 0;
        for (size_t k = 0; k < s->n; k++)
            if (s->point[k].group == group && s->point[k].cluster == p->cluster)
                siblings += s->weight[k];
        m->xx += w * dx * dx;
        m->xy += w * dx * dy;
        m->error += w * (1 - siblings / all) * p->x_se * p->x_se;
    }
}

static bool is_first(const struct sample *s, size_t i, bool by_group)
{
    for (size_t k = 0; k < i; k++)
        if (is_in(s, k) && (by_group ? s->point[k].group == s->point[i].group
                                     : s->point[k].cluster == s->point[i].cluster))
            return false;
    return is_in(s, i);
}

/* Fuller (1987, Measurement Error Models, 1.2): errors in x add to its sum of squares, not to the
 * products. Not where they make up half of it or more. */
static double slope_of(const struct sample *s, double *reliability)
{
    struct moments m = {0};
    for (size_t i = 0; i < s->n; i++)
        if (is_first(s, i, true))
            add_group(&m, s, s->point[i].group);
    *reliability = m.xx > 0 ? 1 - m.error / m.xx : (double)NAN;
    return *reliability > 0.5 ? m.xy / (m.xx - m.error) : (double)NAN;
}

/* Delete-one jackknife over clusters (Efron and Stein 1981, doi:10.1214/aos/1176345462). */
static void jackknife(struct ub_slope *r, const struct sample *all)
{
    double sum = 0, squares = 0, ignored;
    double *without = ub_calloc(all->n + 1, sizeof *without);
    size_t m = 0;
    for (size_t i = 0; i < all->n; i++)
        if (is_first(all, i, false)) {
            const struct sample s = {all->point, all->weight, all->n, all->point[i].cluster};
            without[m] = slope_of(&s, &ignored);
            sum += without[m++];
        }
    for (size_t k = 0; k < m; k++)
        squares += (without[k] - sum / (double)m) * (without[k] - sum / (double)m);
    ub_free(without);
    if (m < 4 || !isfinite(squares))
        return;
    r->slope.se = sqrt(squares * (double)(m - 1) / (double)m);
    const double half = ub_t_quantile(0.975, (double)m - 2) * r->slope.se;
    r->slope.low = r->slope.estimate - half;
    r->slope.high = r->slope.estimate + half;
}

/* ---- ranks ---- */

static double rank_correlation(const double *x, const double *y, size_t n, double *work)
{
    double least = x[0], most = x[0], low = y[0], high = y[0];
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, x[i]);
        most = fmax(most, x[i]);
        low = fmin(low, y[i]);
        high = fmax(high, y[i]);
    }
    if (n < 3 || !(least < most) || !(low < high))
        return NAN;
    return gsl_stats_spearman(x, 1, y, 1, n, work);
}

/* Percentiles over resampled clusters; samples without any variation are left out. */
static void bootstrap(struct ub_slope *r, const struct sample *all, const int *cluster, size_t m)
{
    enum { REPLICATES = 999 };
    struct ub_random random = ub_random_stream(0, "rank correlation");
    const size_t most = all->n * m; /* when the largest cluster is drawn each time */
    double *x = ub_calloc(4 * most + 1, sizeof *x), *y = x + most, *work = y + most;
    double *found = ub_calloc(REPLICATES, sizeof *found);
    size_t kept = 0;
    for (int b = 0; b < REPLICATES; b++) {
        size_t n = 0;
        for (size_t k = 0; k < m; k++) {
            const int drawn = cluster[ub_random_below(&random, (int64_t)m)];
            for (size_t i = 0; i < all->n; i++)
                if (all->point[i].cluster == drawn) {
                    x[n] = all->point[i].x;
                    y[n++] = all->point[i].y;
                }
        }
        found[kept] = rank_correlation(x, y, n, work);
        kept += isfinite(found[kept]) ? 1 : 0;
    }
    if (m >= 4 && kept > REPLICATES / 2) {
        r->spearman.low = ub_quantile(found, kept, 0.025);
        r->spearman.high = ub_quantile(found, kept, 0.975);
    }
    ub_free(found);
    ub_free(x);
}

static void correlate(struct ub_slope *r, const struct sample *all)
{
    double *x = ub_calloc(4 * all->n + 1, sizeof *x), *y = x + all->n, *work = y + all->n;
    int *cluster = ub_calloc(all->n + 1, sizeof *cluster);
    for (size_t i = 0; i < all->n; i++) {
        x[i] = all->point[i].x;
        y[i] = all->point[i].y;
        if (is_first(all, i, false))
            cluster[r->n_clusters++] = all->point[i].cluster;
    }
    r->spearman.estimate = all->n ? rank_correlation(x, y, all->n, work) : (double)NAN;
    if (isfinite(r->spearman.estimate))
        bootstrap(r, all, cluster, r->n_clusters);
    ub_free(cluster);
    ub_free(x);
}

/* 1/(se^2 + (spread/10)^2): where x is hardly known it weighs little; where it is known better than
 * to a tenth of its spread, other scatter counts. */
static void set_weights(const struct ub_point *p, size_t n, double *weight)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, p[i].x);
        high = fmax(high, p[i].x);
    }
    const double floor = (high - low) * (high - low) / 100;
    for (size_t i = 0; i < n; i++)
        weight[i] = floor > 0 ? floor / (p[i].x_se * p[i].x_se + floor) : 1;
}

/* Points of groups that are in more than one cluster: the others say nothing of x. */
static size_t keep_compared(const struct ub_point *p, size_t n, struct ub_point *kept)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        bool compared = false;
        for (size_t k = 0; k < n; k++)
            compared = compared || (p[k].group == p[i].group && p[k].cluster != p[i].cluster);
        if (compared)
            kept[m++] = p[i];
    }
    return m;
}

struct ub_slope ub_slope_within(const struct ub_point *points, size_t n)
{
    struct ub_point *kept = ub_calloc(n + 1, sizeof *kept);
    double *weight = ub_calloc(n + 1, sizeof *weight);
    const size_t m = keep_compared(points, n, kept);
    const struct ub_interval nothing = {NAN, NAN, NAN, NAN, (double)m, m};
    struct ub_slope r = {.slope = nothing, .spearman = nothing, .reliability = NAN};
    const struct sample all = {kept, weight, m, -1};
    set_weights(kept, m, weight);
    correlate(&r, &all);
    r.slope.estimate = slope_of(&all, &r.reliability);
    if (isfinite(r.slope.estimate))
        jackknife(&r, &all);
    ub_free(weight);
    ub_free(kept);
    return r;
}
