/* A power law through means that may be below 0. */
#include "report/statistics/axis.h"

#include <gsl/gsl_min.h>
#include <math.h>
#include <stdlib.h>

static const double steepest = 4; /* exponents are looked for up to here */
enum { LEAST_X = 3, SCAN = 80, MOST_STEPS = 200 };

/* Means at each x, log x about its mean, weights 1/se^2. */
struct means {
    size_t n;
    double middle; /* that mean */
    double *log_x, *y, *weight;
};

static int compare_x(const void *a, const void *b)
{
    const struct ub_axis_point *p = a, *q = b;
    return (p->x > q->x) - (p->x < q->x);
}

static size_t same_x(const struct ub_axis_point *p, size_t n)
{
    size_t count = 1;
    while (count < n && p[count].x == p[0].x)
        count++;
    return count;
}

/* An x of fewer than three points, or without scatter, has no error that is known: left out. */
static struct means means_of(const struct ub_axis_point *points, size_t n)
{
    struct means m = {0, 0, ub_calloc(n + 1, sizeof(double)), ub_calloc(n + 1, sizeof(double)),
                      ub_calloc(n + 1, sizeof(double))};
    struct ub_axis_point *p = ub_calloc(n + 1, sizeof *p);
    double *y = ub_calloc(n + 1, sizeof *y);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (points[i].x > 0 && isfinite(points[i].x) && isfinite(points[i].y))
            p[kept++] = points[i];
    if (kept)
        qsort(p, kept, sizeof *p, compare_x);
    for (size_t first = 0, count; first < kept; first += count) {
        count = same_x(p + first, kept - first);
        for (size_t i = 0; i < count; i++)
            y[i] = p[first + i].y;
        const struct ub_interval mean = ub_sample_mean(y, count);
        if (count < 3 || !(mean.se > 0))
            continue;
        m.log_x[m.n] = log(p[first].x);
        m.y[m.n] = mean.estimate;
        m.weight[m.n++] = 1 / (mean.se * mean.se);
    }
    for (size_t i = 0; i < m.n; i++)
        m.middle += m.log_x[i] / (double)m.n;
    for (size_t i = 0; i < m.n; i++)
        m.log_x[i] -= m.middle;
    ub_free(y);
    ub_free(p);
    return m;
}

static void means_clear(struct means *m)
{
    ub_free(m->log_x);
    ub_free(m->y);
    ub_free(m->weight);
}

/* The best factor of x^s, and what is left: chi squared. */
static double factor_at(const struct means *m, double s, double *left)
{
    double fy = 0, ff = 0;
    for (size_t i = 0; i < m->n; i++) {
        const double f = exp(s * m->log_x[i]);
        fy += m->weight[i] * f * m->y[i];
        ff += m->weight[i] * f * f;
    }
    *left = 0;
    for (size_t i = 0; i < m->n; i++)
        *left += m->weight[i] * pow(m->y[i] - fy / ff * exp(s * m->log_x[i]), 2);
    return fy / ff;
}

static double left_at(double s, void *means)
{
    double left;
    factor_at(means, s, &left);
    return left;
}

/* NAN when it is least at an end. */
static double best_exponent(struct means *m)
{
    double least = INFINITY, at = (double)NAN;
    for (int i = 0; i <= SCAN; i++) {
        const double s = steepest * (2.0 * i / SCAN - 1), left = left_at(s, m);
        if (left < least) {
            least = left;
            at = s;
        }
    }
    const double step = 2 * steepest / SCAN;
    if (!(fabs(at) < steepest - step / 2))
        return (double)NAN;
    gsl_function f = {left_at, m};
    gsl_min_fminimizer *search = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
    if (!(least < left_at(at - step, m) && least < left_at(at + step, m))) { /* flat */
        gsl_min_fminimizer_free(search);
        return at;
    }
    gsl_min_fminimizer_set(search, &f, at, at - step, at + step);
    for (int i = 0; i < MOST_STEPS && gsl_min_fminimizer_iterate(search) == 0 &&
                    gsl_min_fminimizer_x_upper(search) - gsl_min_fminimizer_x_lower(search) > 1e-10;
         i++)
        ;
    at = gsl_min_fminimizer_x_minimum(search);
    gsl_min_fminimizer_free(search);
    return at;
}

/* Fisher information of the factor (aa) and of s (bb). */
struct information {
    double aa, ab, bb;
};

static struct information information(const struct means *m, double s, double factor)
{
    struct information f = {0};
    for (size_t i = 0; i < m->n; i++) {
        const double a = exp(s * m->log_x[i]), b = factor * a * m->log_x[i];
        f.aa += m->weight[i] * a * a;
        f.ab += m->weight[i] * a * b;
        f.bb += m->weight[i] * b * b;
    }
    return f;
}

/* Of s where the factor is free. */
static double information_left(const struct information *f)
{
    return f->bb - f->ab * f->ab / f->aa;
}

struct ub_interval ub_axis_power(const struct ub_axis_point *points, size_t n)
{
    struct ub_interval r = {(double)NAN, (double)NAN, (double)NAN, (double)NAN, 0, 0};
    struct means m = means_of(points, n);
    r.n = n;
    if (m.n >= LEAST_X) {
        double left;
        r.estimate = best_exponent(&m);
        const double factor = factor_at(&m, r.estimate, &left);
        const double df = (double)m.n - 2;
        const struct information f = information(&m, r.estimate, factor);
        r.se = sqrt(fmax(1, left / df) / information_left(&f));
        r.n_effective = df + 1;
        r.low = r.estimate - ub_t_quantile(0.975, df) * r.se;
        r.high = r.estimate + ub_t_quantile(0.975, df) * r.se;
    }
    means_clear(&m);
    return r;
}

/* By the delta method: y = A x^s, its gradient (x^s, A x^s log x), the fit's information inverted.
 */
bool ub_axis_power_band(const struct ub_axis_point *points, size_t n, const double *x, size_t count,
                        struct ub_interval *at)
{
    struct means m = means_of(points, n);
    const double s = m.n >= LEAST_X ? best_exponent(&m) : (double)NAN;
    for (size_t i = 0; isfinite(s) && i < count; i++) {
        double left;
        const double factor = factor_at(&m, s, &left), df = (double)m.n - 2;
        const double log_x = log(x[i]) - m.middle, a = exp(s * log_x), b = factor * a * log_x;
        const struct information f = information(&m, s, factor);
        const double variance =
            (a * a * f.bb - 2 * a * b * f.ab + b * b * f.aa) / (f.aa * f.bb - f.ab * f.ab);
        const double se = sqrt(fmax(1, left / df) * variance), t = ub_t_quantile(0.975, df);
        at[i] = (struct ub_interval){
            factor * a, factor * a - t * se, factor * a + t * se, se, df + 1, n};
    }
    means_clear(&m);
    return isfinite(s);
}
