/* Tests of differences between groups, and what to do when there are many. */
#include "report/statistics/statistics.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- variance explained by a grouping ------------------------------------------------------ */

static size_t group_count(const int *group, size_t n)
{
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = 0;
        while (j < i && group[j] != group[i])
            j++;
        distinct += j == i;
    }
    return distinct;
}

static double between_squares(const double *x, const int *group, size_t n, double mean)
{
    double squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        double total = 0.0;
        size_t members = 0;
        for (size_t j = 0; j < n; j++)
            if (group[j] == group[i]) {
                total += x[j] - mean;
                members++;
            }
        squares += total * total / (double)(members * members); /* once for each member */
    }
    return squares;
}

/* omega^2 = (SSB - (k-1) MSW) / (SST + MSW) (Hays 1963). */
double ub_variance_share(const double *x, const int *group, size_t n)
{
    const size_t groups = group_count(group, n);
    if (n < 2 || groups == n)
        return NAN;
    const double mean = ub_mean(x, n), deviation = ub_deviation(x, n);
    const double total = deviation * deviation * (double)(n - 1);
    if (groups < 2 || !(total > 0.0))
        return 0.0;
    const double between = between_squares(x, group, n, mean);
    const double within = (total - between) / (double)(n - groups);
    return fmax(0.0, (between - (double)(groups - 1) * within) / (total + within));
}

/* ---- rank sums ----------------------------------------------------------------------------- */

enum { EXACT_LIMIT = 60 };

struct ranked {
    double value;
    bool first; /* belongs to sample a */
    int rank2;  /* twice the midrank: an integer */
};

static int compare_ranked(const void *a, const void *b)
{
    const double x = ((const struct ranked *)a)->value, y = ((const struct ranked *)b)->value;
    return (x > y) - (x < y);
}

/* Fills in twice the midranks; returns sum of t^3 - t over ties. */
static double assign_ranks(struct ranked *all, size_t n)
{
    double ties = 0.0;
    qsort(all, n, sizeof *all, compare_ranked);
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && all[end].value == all[i].value)
            end++;
        for (size_t j = i; j < end; j++)
            all[j].rank2 = (int)(i + 1 + end);
        const double t = (double)(end - i);
        ties += t * t * t - t;
        i = end;
    }
    return ties;
}

/* ways[k][s]: subsets of k values whose doubled ranks sum to s, built value by value. */
static double exact_p(const struct ranked *all, size_t n, size_t na, int observed2)
{
    const int most = (int)(n * (n + 1));
    const size_t width = (size_t)most + 1;
    double *ways = ub_calloc((na + 1) * width, sizeof *ways);
    ways[0] = 1.0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = na; k >= 1; k--)
            for (int s = most; s >= all[i].rank2; s--)
                ways[k * width + (size_t)s] += ways[(k - 1) * width + (size_t)(s - all[i].rank2)];
    const double *last = ways + na * width;
    const int centre = (int)(na * (n + 1)); /* twice the expected rank sum */
    const int distance = abs(observed2 - centre);
    double all_ways = 0.0, extreme = 0.0;
    for (int s = 0; s <= most; s++) {
        all_ways += last[s];
        if (abs(s - centre) >= distance)
            extreme += last[s];
    }
    ub_free(ways);
    return extreme / all_ways;
}

static double normal_p(double n, double na, double nb, double observed2, double ties)
{
    const double distance = fabs(observed2 / 2.0 - na * (n + 1.0) / 2.0);
    const double variance = na * nb / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    if (!(variance > 0.0))
        return 1.0;
    const double z = fmax(0.0, distance - 0.5) / sqrt(variance);
    return fmin(1.0, 2.0 * gsl_cdf_ugaussian_Q(z));
}

double ub_rank_sum_p(const double *a, size_t na, const double *b, size_t nb)
{
    const size_t n = na + nb;
    if (na == 0 || nb == 0)
        return NAN;
    struct ranked *all = ub_calloc(n, sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct ranked){.value = i < na ? a[i] : b[i - na], .first = i < na};
    const double ties = assign_ranks(all, n);
    double sum2 = 0.0;
    for (size_t i = 0; i < n; i++)
        sum2 += all[i].first ? all[i].rank2 : 0;
    const double p = n <= EXACT_LIMIT ? exact_p(all, n, na, (int)sum2)
                                      : normal_p((double)n, (double)na, (double)nb, sum2, ties);
    ub_free(all);
    return p;
}

/* ---- differences of means ------------------------------------------------------------------ */

double ub_welch_p(const double *a, size_t na, const double *b, size_t nb)
{
    if (na < 2 || nb < 2)
        return NAN;
    const double difference = ub_mean(a, na) - ub_mean(b, nb);
    const double sa = ub_deviation(a, na), sb = ub_deviation(b, nb);
    const double va = sa * sa / (double)na, vb = sb * sb / (double)nb;
    if (!(va + vb > 0.0))
        return difference == 0.0 ? 1.0 : 0.0;
    const double df =
        (va + vb) * (va + vb) / (va * va / (double)(na - 1) + vb * vb / (double)(nb - 1));
    return 2.0 * ub_t_upper_p(fabs(difference) / sqrt(va + vb), df);
}

double ub_detectable_difference(double deviation, double df, size_t na, size_t nb)
{
    if (na == 0 || nb == 0 || !(df > 0.0))
        return NAN;
    return (ub_t_quantile(0.975, df) + ub_t_quantile(0.8, df)) * deviation *
           sqrt(1.0 / (double)na + 1.0 / (double)nb);
}

/* ---- many tests ---------------------------------------------------------------------------- */

struct ordered {
    double p;
    size_t place;
};

static int compare_ordered(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

void ub_benjamini_hochberg(const double *p, size_t n, double *q)
{
    struct ordered *order = ub_calloc(n + 1, sizeof *order);
    size_t tests = 0;
    for (size_t i = 0; i < n; i++) {
        q[i] = NAN;
        if (!isnan(p[i]))
            order[tests++] = (struct ordered){p[i], i};
    }
    qsort(order, tests, sizeof *order, compare_ordered);
    double least = 1.0;
    for (size_t i = tests; i-- > 0;) {
        least = fmin(least, order[i].p * (double)tests / (double)(i + 1));
        q[order[i].place] = least;
    }
    ub_free(order);
}
