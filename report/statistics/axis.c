/* Slopes, minima and levels along an axis. */
#include "report/statistics/axis.h"

#include <gsl/gsl_fit.h>
#include <math.h>
#include <stdlib.h>

enum { LEAST_POINTS = 3, LEAST_REPLICATES = 3 };

static const struct ub_interval nothing = {
    .estimate = (double)NAN, .low = (double)NAN, .high = (double)NAN, .se = (double)NAN};

static int compare_points(const void *a, const void *b)
{
    const struct ub_axis_point *p = a, *q = b;
    if (p->replicate != q->replicate)
        return p->replicate < q->replicate ? -1 : 1;
    return (p->x > q->x) - (p->x < q->x);
}

/* The points that can be drawn on logarithmic axes, as logarithms, by replicate and x. */
static struct ub_axis_point *logarithms(const struct ub_axis_point *points, size_t n, size_t *kept)
{
    struct ub_axis_point *out = ub_calloc(n + 1, sizeof *out);
    *kept = 0;
    for (size_t i = 0; i < n; i++)
        if (points[i].x > 0 && points[i].y > 0 && isfinite(points[i].x) && isfinite(points[i].y))
            out[(*kept)++] =
                (struct ub_axis_point){log2(points[i].x), log2(points[i].y), points[i].replicate};
    if (*kept)
        qsort(out, *kept, sizeof *out, compare_points);
    return out;
}

static size_t stretch_of(const struct ub_axis_point *p, size_t n)
{
    size_t count = 1;
    while (count < n && p[count].replicate == p[0].replicate)
        count++;
    return count;
}

static size_t distinct_x(const struct ub_axis_point *p, size_t n)
{
    size_t count = n > 0;
    for (size_t i = 1; i < n; i++)
        count += p[i].x != p[i - 1].x;
    return count;
}

/* ---- slopes -----------------------------------------------------------------------------------
 */

struct moments {
    double xx, xy, yy;
};

/* Adds a replicate's sums about its own means. */
static void add_replicate(struct moments *m, const struct ub_axis_point *p, size_t n)
{
    double x = 0, y = 0;
    for (size_t i = 0; i < n; i++) {
        x += p[i].x / (double)n;
        y += p[i].y / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        m->xx += (p[i].x - x) * (p[i].x - x);
        m->xy += (p[i].x - x) * (p[i].y - y);
        m->yy += (p[i].y - y) * (p[i].y - y);
    }
}

static struct ub_interval one_line(const struct moments *m, size_t n, size_t replicates)
{
    struct ub_interval r = nothing;
    r.n = n;
    const double df = (double)n - (double)replicates - 1;
    if (!(m->xx > 0))
        return r;
    r.estimate = m->xy / m->xx;
    r.n_effective = df + 1;
    if (!(df > 0))
        return r;
    r.se = sqrt(fmax(0, m->yy - r.estimate * m->xy) / df / m->xx);
    r.low = r.estimate - ub_t_quantile(0.975, df) * r.se;
    r.high = r.estimate + ub_t_quantile(0.975, df) * r.se;
    return r;
}

/* Of points by replicate and x. */
static struct ub_interval slope_of(const struct ub_axis_point *p, size_t kept)
{
    size_t replicates = 0, widest = 0, good = 0;
    double *slope = ub_calloc(kept + 1, sizeof *slope);
    struct moments all = {0};
    for (size_t i = 0, count; i < kept; i += count, replicates++) {
        struct moments own = {0};
        count = stretch_of(p + i, kept - i);
        const size_t different = distinct_x(p + i, count);
        widest = different > widest ? different : widest;
        add_replicate(&own, p + i, count);
        add_replicate(&all, p + i, count);
        if (different >= LEAST_POINTS)
            slope[good++] = own.xy / own.xx;
    }
    struct ub_interval r = nothing;
    if (good >= LEAST_REPLICATES && good == replicates)
        r = ub_sample_mean(slope, good);
    else if (widest >= LEAST_POINTS)
        r = one_line(&all, kept, replicates);
    r.n = kept;
    ub_free(slope);
    return r;
}

struct ub_interval ub_axis_slope(const struct ub_axis_point *points, size_t n)
{
    size_t kept;
    struct ub_axis_point *p = logarithms(points, n, &kept);
    const struct ub_interval slope = slope_of(p, kept);
    ub_free(p);
    return slope;
}

struct ub_interval ub_axis_line(const struct ub_axis_point *points, size_t n)
{
    struct ub_axis_point *p = ub_calloc(n + 1, sizeof *p);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(points[i].x) && isfinite(points[i].y))
            p[kept++] = points[i];
    if (kept)
        qsort(p, kept, sizeof *p, compare_points);
    const struct ub_interval slope = slope_of(p, kept);
    ub_free(p);
    return slope;
}

/* ---- minima -----------------------------------------------------------------------------------
 */

/* Vertex of the parabola through three points; NAN when they bend the other way. */
static double vertex(const double x[3], const double y[3])
{
    const double u = x[1] - x[0], v = x[1] - x[2];
    const double below = u * (y[1] - y[2]) - v * (y[1] - y[0]);
    const double above = u * u * (y[1] - y[2]) - v * v * (y[1] - y[0]);
    /* The second difference is -below / (u v (u - v)), of the sign of -below, as u > 0 > v. */
    return below < 0 ? x[1] - above / (2 * below) : (double)NAN;
}

struct curve { /* means of y at ascending x */
    size_t n;
    double *x, *y;
};

static int compare_x(const void *a, const void *b)
{
    const struct ub_axis_point *p = a, *q = b;
    return (p->x > q->x) - (p->x < q->x);
}

static struct curve mean_curve(const struct ub_axis_point *points, size_t n)
{
    struct curve c = {.x = ub_calloc(n + 1, sizeof *c.x), .y = ub_calloc(n + 1, sizeof *c.y)};
    struct ub_axis_point *p = ub_calloc(n + 1, sizeof *p);
    for (size_t i = 0; i < n; i++)
        p[i] = points[i];
    if (n)
        qsort(p, n, sizeof *p, compare_x);
    for (size_t i = 0; i < n;) {
        size_t end = i;
        double sum = 0;
        while (end < n && p[end].x == p[i].x)
            sum += p[end++].y;
        c.x[c.n] = p[i].x;
        c.y[c.n++] = sum / (double)(end - i);
        i = end;
    }
    ub_free(p);
    return c;
}

static void curve_clear(struct curve *c)
{
    ub_free(c->x);
    ub_free(c->y);
}

static double minimum_of(const struct ub_axis_point *points, size_t n)
{
    struct curve c = mean_curve(points, n);
    size_t least = 0;
    for (size_t i = 1; i < c.n; i++)
        if (c.y[i] < c.y[least])
            least = i;
    const bool inside = c.n >= 3 && least > 0 && least + 1 < c.n;
    const double at = inside ? vertex(c.x + least - 1, c.y + least - 1) : (double)NAN;
    curve_clear(&c);
    return at;
}

struct ub_interval ub_axis_minimum(const struct ub_axis_point *points, size_t n, bool *inside)
{
    size_t kept, found = 0;
    struct ub_axis_point *p = logarithms(points, n, &kept);
    struct ub_interval r = nothing;
    const double at = minimum_of(p, kept);
    double *own = ub_calloc(kept + 1, sizeof *own);
    for (size_t i = 0, count; i < kept; i += count) {
        count = stretch_of(p + i, kept - i);
        own[found] = minimum_of(p + i, count);
        found += isnan(own[found]) ? 0 : 1;
    }
    *inside = !isnan(at);
    if (*inside && found >= 2)
        r = ub_sample_mean(own, found);
    if (*inside) { /* the mean curve's: single replicates' may have none */
        r.low += at - r.estimate;
        r.high += at - r.estimate;
        r.estimate = at;
    }
    r.n = kept;
    ub_free(own);
    ub_free(p);
    return r;
}

/* ---- levels -----------------------------------------------------------------------------------
 */

double ub_first_reach(const double *x, const double *y, size_t n, double level)
{
    if (n > 0 && y[0] == level)
        return x[0];
    for (size_t i = 1; i < n; i++) {
        if ((y[0] < level) == (y[i] < level) && y[i] != level)
            continue;
        return x[i - 1] + (x[i] - x[i - 1]) * (level - y[i - 1]) / (y[i] - y[i - 1]);
    }
    return (double)NAN;
}
