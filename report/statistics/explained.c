/* How much of a scatter a grouping explains. */
#include "report/statistics/axis.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

struct member {
    int group;
    double x;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *p = a, *q = b;
    return (p->group > q->group) - (p->group < q->group);
}

struct squares {
    double between, within;
    size_t groups;
};

static struct squares squares_of(const double *x, const int *group, size_t n)
{
    struct squares s = {0};
    const double mean = ub_mean(x, n);
    struct member *m = ub_calloc(n + 1, sizeof *m);
    for (size_t i = 0; i < n; i++)
        m[i] = (struct member){group[i], x[i] - mean};
    if (n)
        qsort(m, n, sizeof *m, compare_members);
    for (size_t i = 0; i < n; s.groups++) {
        size_t end = i;
        double own = 0;
        while (end < n && m[end].group == m[i].group)
            own += m[end++].x;
        own /= (double)(end - i);
        s.between += own * own * (double)(end - i);
        for (; i < end; i++)
            s.within += (m[i].x - own) * (m[i].x - own);
    }
    ub_free(m);
    return s;
}

/* P(F <= f) of a noncentral F: betas whose first parameter is shifted by a Poisson number (Johnson,
 * Kotz and Balakrishnan 1995, ch. 30). Terms beyond ten deviations of that number are left out. */
static double noncentral_f(double f, double df1, double df2, double lambda)
{
    const double x = df1 * f / (df1 * f + df2), mean = lambda / 2, reach = 10 * sqrt(mean) + 30;
    const unsigned first = mean > reach ? (unsigned)(mean - reach) : 0;
    double p = 0;
    for (unsigned j = first; j <= (unsigned)(mean + reach); j++)
        p += gsl_ran_poisson_pdf(j, mean) * gsl_cdf_beta_P(x, df1 / 2 + j, df2 / 2);
    return p;
}

/* The lambda at which the observed F has probability p below it; 0 when it has less at any. */
static double noncentrality(double f, double df1, double df2, double p)
{
    double low = 0, high = 1;
    if (gsl_cdf_fdist_P(f, df1, df2) <= p)
        return 0;
    while (noncentral_f(f, df1, df2, high) > p && high < 1e7)
        high *= 2;
    for (int i = 0; i < 60 && high - low > 1e-9 * high; i++) {
        const double middle = low + (high - low) / 2;
        if (noncentral_f(f, df1, df2, middle) > p)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}

struct ub_interval ub_share_explained(const double *x, const int *group, size_t n)
{
    struct ub_interval r = {
        (double)NAN, (double)NAN, (double)NAN, (double)NAN, .n_effective = (double)n, .n = n};
    const struct squares s = squares_of(x, group, n);
    if (s.groups < 2 || s.groups >= n)
        return r;
    const double df1 = (double)(s.groups - 1), df2 = (double)(n - s.groups),
                 total = s.between + s.within;
    if (!(total > 0)) {
        r.estimate = 0;
        return r;
    }
    const double error = s.within / df2;
    r.estimate = fmax(0, (s.between - df1 * error) / (total + error));
    if (!(s.within > 1e-12 * total)) {
        r.estimate = r.low = r.high = 1;
        return r;
    }
    const double f = s.between / df1 / error;
    const double low = noncentrality(f, df1, df2, 0.975), high = noncentrality(f, df1, df2, 0.025);
    r.low = low / (low + (double)n);
    r.high = high / (high + (double)n);
    return r;
}
