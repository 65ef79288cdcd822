#include "report/statistics/curve_forms.h"

#include "base/base.h"

#include <math.h>

static const double rounding = 1e-24;

static double mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* Of the line of y on x. */
static double line_rss(const double *x, const double *y, size_t n)
{
    const double mx = mean_of(x, n), my = mean_of(y, n);
    double xx = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        xy += (x[i] - mx) * (y[i] - my);
    }
    for (size_t i = 0; i < n; i++) {
        const double off = y[i] - my - xy / xx * (x[i] - mx);
        yy += off * off;
    }
    return yy;
}

/* Of log y = a + log(1 - b u), with the best a. */
static double logarithm_rss(double b, const double *u, const double *y, size_t n, double *off)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        off[i] = y[i] - log1p(-b * u[i]);
    const double a = mean_of(off, n);
    for (size_t i = 0; i < n; i++)
        sum += (off[i] - a) * (off[i] - a);
    return sum;
}

/* The slope b is between 0 and 1/largest u, where y ends: a grid that is finer towards that end,
 * where log y bends most, then golden sections about the best. */
static double best_logarithm(const double *u, double most, const double *y, size_t n, double *off)
{
    enum { GRID = 200, SECTIONS = 80 };
    static const double golden = 0.6180339887498949;
    int best = 0;
    double least = INFINITY;
    for (int k = 0; k < GRID; k++) {
        const double rss = logarithm_rss((1 - pow(10, -0.05 * k)) / most, u, y, n, off);
        best = rss < least ? k : best;
        least = fmin(least, rss);
    }
    double low = (1 - pow(10, -0.05 * (best > 0 ? best - 1 : 0))) / most;
    double high = (1 - pow(10, -0.05 * (best + 1))) / most;
    for (int k = 0; k < SECTIONS; k++) {
        const double a = high - golden * (high - low), b = low + golden * (high - low);
        const double at_a = logarithm_rss(a, u, y, n, off), at_b = logarithm_rss(b, u, y, n, off);
        low = at_a < at_b ? low : a;
        high = at_a < at_b ? b : high;
        least = fmin(least, fmin(at_a, at_b));
    }
    return least;
}

void ub_curve_forms(const double *x, const double *log_y, size_t count, double rss[UB_FORMS])
{
    for (int i = 0; i < UB_FORMS; i++)
        rss[i] = (double)NAN;
    if (count < 3)
        return;
    double *u = ub_calloc(2 * count, sizeof *u), *off = u + count, first = x[0], most = 0;
    for (size_t i = 0; i < count; i++)
        first = fmin(first, x[i]);
    for (size_t i = 0; i < count; i++) {
        u[i] = log(x[i] / first);
        most = fmax(most, u[i]);
    }
    rss[UB_FORM_POWER] = line_rss(u, log_y, count);
    rss[UB_FORM_EXPONENTIAL] = line_rss(x, log_y, count);
    rss[UB_FORM_LOGARITHM] = best_logarithm(u, most, log_y, count, off);
    ub_free(u);
    for (int i = 0; i < UB_FORMS; i++)
        rss[i] = fmax(rss[i], rounding * (double)count);
}
