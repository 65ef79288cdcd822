/* The line that a fit along an axis draws, with its interval at each x: what one sees where a slope
 * is stated. */
#include "report/statistics/axis.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_POINTS = 3, LEAST_REPLICATES = 3 };

static int by_replicate(const void *a, const void *b)
{
    const struct ub_axis_point *p = a, *q = b;
    if (p->replicate != q->replicate)
        return p->replicate < q->replicate ? -1 : 1;
    return (p->x > q->x) - (p->x < q->x);
}

/* Those that have a place on the axes, by replicate and x; logarithms where these are so. */
static struct ub_axis_point *placed(const struct ub_axis_point *points, size_t n, bool logarithmic,
                                    size_t *kept)
{
    struct ub_axis_point *out = ub_calloc(n + 1, sizeof *out);
    *kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct ub_axis_point p = points[i];
        if (logarithmic)
            p = (struct ub_axis_point){p.x > 0 ? log(p.x) : (double)NAN,
                                       p.y > 0 ? log(p.y) : (double)NAN, p.replicate};
        if (isfinite(p.x) && isfinite(p.y))
            out[(*kept)++] = p;
    }
    if (*kept)
        qsort(out, *kept, sizeof *out, by_replicate);
    return out;
}

/* One replicate's points. */
struct line {
    size_t n, different; /* x */
    double x, y;         /* means */
    double xx, xy, yy;   /* sums about them */
};

static struct line line_of(const struct ub_axis_point *p, size_t left)
{
    struct line l = {.different = 1};
    while (l.n < left && p[l.n].replicate == p[0].replicate) {
        l.different += l.n > 0 && p[l.n].x != p[l.n - 1].x;
        l.x += p[l.n].x;
        l.y += p[l.n++].y;
    }
    l.x /= (double)l.n;
    l.y /= (double)l.n;
    for (size_t i = 0; i < l.n; i++) {
        l.xx += (p[i].x - l.x) * (p[i].x - l.x);
        l.xy += (p[i].x - l.x) * (p[i].y - l.y);
        l.yy += (p[i].y - l.y) * (p[i].y - l.y);
    }
    return l;
}

struct lines {
    size_t count, good; /* good: that have a slope of their own */
    size_t points, widest;
    struct line *line;
};

static struct lines lines_of(const struct ub_axis_point *p, size_t n)
{
    struct lines all = {.points = n, .line = ub_calloc(n + 1, sizeof *all.line)};
    for (size_t i = 0; i < n; i += all.line[all.count++].n) {
        struct line *l = &all.line[all.count];
        *l = line_of(p + i, n - i);
        all.widest = l->different > all.widest ? l->different : all.widest;
        all.good += l->different >= LEAST_POINTS;
    }
    return all;
}

/* The mean of the replicates' own lines, Student's interval over them. */
static struct ub_interval mean_line(const struct lines *all, double x)
{
    double *y = ub_calloc(all->count + 1, sizeof *y);
    for (size_t k = 0; k < all->count; k++) {
        const struct line *l = &all->line[k];
        y[k] = l->y + l->xy / l->xx * (x - l->x);
    }
    const struct ub_interval at = ub_sample_mean(y, all->count);
    ub_free(y);
    return at;
}

/* One slope and a level a replicate; the mean of the levels: its variance is that of the residuals
 * times (1/R^2) sum_r 1/n_r + (x - mean of the x_r)^2/S_xx, which of one replicate is the
 * textbook's 1/n + (x - mean)^2/S_xx. */
static struct ub_interval one_line(const struct lines *all, double x)
{
    const double replicates = (double)all->count;
    const double df = (double)all->points - replicates - 1;
    double mean_x = 0, mean_y = 0, levels = 0;
    struct line sum = {0};
    for (size_t k = 0; k < all->count; k++) {
        const struct line *l = &all->line[k];
        mean_x += l->x / replicates;
        mean_y += l->y / replicates;
        levels += 1 / (double)l->n / (replicates * replicates);
        sum.xx += l->xx;
        sum.xy += l->xy;
        sum.yy += l->yy;
    }
    const double slope = sum.xy / sum.xx, t = df > 0 ? ub_t_quantile(0.975, df) : (double)NAN;
    const double scatter = df > 0 ? fmax(0, sum.yy - slope * sum.xy) / df : (double)NAN;
    struct ub_interval at = {.estimate = mean_y + slope * (x - mean_x),
                             .se = sqrt(scatter * (levels + pow(x - mean_x, 2) / sum.xx)),
                             .n_effective = df + 1};
    at.low = at.estimate - t * at.se;
    at.high = at.estimate + t * at.se;
    return at;
}

static struct ub_interval exponential_of(struct ub_interval at)
{
    return (struct ub_interval){exp(at.estimate), exp(at.low), exp(at.high), at.se,
                                at.n_effective,   at.n};
}

bool ub_axis_band(const struct ub_axis_point *points, size_t n, enum ub_axis_fit fit,
                  const double *x, size_t count, struct ub_interval *at)
{
    if (fit == UB_FIT_NONE)
        return false;
    if (fit == UB_FIT_MEANS)
        return ub_axis_power_band(points, n, x, count, at);
    const bool logarithmic = fit == UB_FIT_POWER;
    size_t kept;
    struct ub_axis_point *p = placed(points, n, logarithmic, &kept);
    struct lines all = lines_of(p, kept);
    const bool apart = all.good >= LEAST_REPLICATES && all.good == all.count;
    const bool good = apart || all.widest >= LEAST_POINTS;
    for (size_t i = 0; good && i < count; i++) {
        const double place = logarithmic ? log(x[i]) : x[i];
        at[i] = apart ? mean_line(&all, place) : one_line(&all, place);
        at[i].n = kept;
        if (logarithmic)
            at[i] = exponential_of(at[i]);
    }
    ub_free(all.line);
    ub_free(p);
    return good;
}
