/* tail.c - cut-off, exponent and bootstrap of a power-law tail; its rivals are in tail_rivals.c.
 *
 * All on logarithms: values above xmin are exponential in t = log(x/xmin) with rate alpha - 1. */
#include "bench/spectra/tail.h"
#include "bench/spectra/tail_rivals.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST = 10, REPLICATES = 400, CANDIDATES = 500 };

const char *const ub_tail_names[UB_TAIL_FORMS] = {"power", "exponential", "stretched", "log-normal",
                                                  "truncated"};

static int compare_reals(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A tail: logs[first..n-1], ascending, and its law above `origin` = log xmin. */
struct cut {
    int64_t first;
    double origin, rate, distance;
};

/* Where the step at logs[i] is farthest from an exponential above `origin`. */
static double distance_at(const double *logs, int64_t m, double origin, double rate, int64_t i)
{
    const double law = -expm1(-rate * (logs[i] - origin));
    const double below = law - (double)i / (double)m, above = (double)(i + 1) / (double)m - law;
    return below > above ? below : above;
}

/* Kolmogorov-Smirnov distance of m logs from an exponential above `origin`; any number beyond
 * `enough` when it is beyond that. *far: where another cut was far from its law, counted from the
 * last, and so this one may be. */
static double distance_of(const double *logs, int64_t m, double origin, double rate, double enough,
                          int64_t *far)
{
    double distance = *far < m ? distance_at(logs, m, origin, rate, m - 1 - *far) : 0;
    for (int64_t i = 0; i < m && distance <= enough; i++) {
        const double here = distance_at(logs, m, origin, rate, i);
        if (here > distance) {
            distance = here;
            *far = m - 1 - i;
        }
    }
    return distance;
}

/* sum: of logs[first..n-1]. Rate 0 when the tail is a single value. */
static struct cut cut_at(const double *logs, int64_t n, int64_t first, double origin, double sum,
                         double enough, int64_t *far)
{
    const int64_t m = n - first;
    const double spread = sum - (double)m * origin;
    struct cut cut = {.first = first, .origin = origin, .distance = INFINITY};
    if (!(spread > 1e-12 * (double)m))
        return cut;
    cut.rate = (double)m / spread;
    cut.distance = distance_of(logs + first, m, origin, cut.rate, enough, far);
    return cut;
}

/* The cut of least distance; the one with more values of equals. sums[i] = logs[i] + ... */
static struct cut best_cut(const double *logs, int64_t n, int64_t least, double *sums)
{
    struct cut best = {.distance = INFINITY};
    sums[n] = 0;
    for (int64_t i = n - 1; i >= 0; i--)
        sums[i] = sums[i + 1] + logs[i];
    const int64_t room = n - least + 1, tries = room < CANDIDATES ? room : CANDIDATES;
    int64_t far = 0;
    for (int64_t k = 0; k < tries; k++) {
        const int64_t first = tries == room ? k : k * (room - 1) / (tries - 1);
        if (first > 0 && logs[first] <= logs[first - 1])
            continue; /* of equal values, the first leaves none out */
        const struct cut cut =
            cut_at(logs, n, first, logs[first], sums[first], best.distance, &far);
        if (cut.distance < best.distance)
            best = cut;
    }
    return best;
}

static struct cut given_cut(const double *logs, int64_t n, int64_t least, double xmin)
{
    int64_t first = 0, far = 0;
    double sum = 0;
    while (first < n && logs[first] < log(xmin))
        first++;
    for (int64_t i = first; i < n; i++)
        sum += logs[i];
    if (n - first < least)
        return (struct cut){.distance = INFINITY};
    return cut_at(logs, n, first, log(xmin), sum, INFINITY, &far);
}

/* One replicate's data: logs, ascending. */
static void replicate(struct ub_random *random, const double *logs, int64_t n, struct cut cut,
                      double *out)
{
    const double share = (double)(n - cut.first) / (double)n;
    for (int64_t i = 0; i < n; i++)
        if (ub_random_uniform(random) < share)
            out[i] = cut.origin - log1p(-ub_random_uniform(random)) / cut.rate;
        else
            out[i] = logs[ub_random_below(random, cut.first)];
    qsort(out, (size_t)n, sizeof *out, compare_reals);
}

/* Value that a share of the sorted numbers is below. */
static double quantile(const double *sorted, int64_t n, double share)
{
    const int64_t at = (int64_t)floor(share * (double)(n + 1)) - 1;
    return sorted[at < 0 ? 0 : at >= n ? n - 1 : at];
}

static void bootstrap(const double *logs, int64_t n, struct cut cut,
                      const struct ub_tail_options *options, uint64_t seed, struct ub_tail *tail)
{
    struct ub_random random = ub_random_stream(seed, "tail");
    const int64_t count = options->replicates;
    double *made = ub_calloc((size_t)n, sizeof *made), *sums = ub_calloc((size_t)n + 1, 8);
    double *pivot = ub_calloc((size_t)count, sizeof *pivot);
    int64_t larger = 0, fitted = 0;
    for (int64_t r = 0; r < count; r++) {
        replicate(&random, logs, n, cut, made);
        const struct cut again = options->xmin > 0 ? given_cut(made, n, 2, options->xmin)
                                                   : best_cut(made, n, options->least, sums);
        if (!(again.rate > 0))
            continue;
        larger += again.distance > cut.distance;
        /* over its standard error, which is 1/sqrt m: replicates differ in m as samples do */
        pivot[fitted++] = log(again.rate / cut.rate) * sqrt((double)(n - again.first));
    }
    qsort(pivot, (size_t)fitted, sizeof *pivot, compare_reals);
    if (fitted > 0) {
        tail->p = (double)larger / (double)fitted;
        const double root = sqrt((double)(n - cut.first));
        tail->low = 1 + cut.rate * exp(-quantile(pivot, fitted, 0.975) / root);
        tail->high = 1 + cut.rate * exp(-quantile(pivot, fitted, 0.025) / root);
    }
    ub_free(pivot);
    ub_free(sums);
    ub_free(made);
}

static struct ub_tail no_tail(void)
{
    const double nan = (double)NAN;
    struct ub_tail tail = {.alpha = nan,
                           .error = nan,
                           .low = nan,
                           .high = nan,
                           .xmin = nan,
                           .distance = nan,
                           .p = nan};
    for (int i = 0; i < UB_TAIL_FORMS; i++)
        tail.rival[i] = (struct ub_tail_rival){{nan, nan}, nan, nan, nan, nan};
    return tail;
}

/* Logarithms of the positive values, ascending; -1: one is not finite. */
static int64_t take_logs(const double *values, int64_t n, double *logs)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return -1;
        if (values[i] > 0)
            logs[count++] = log(values[i]);
    }
    qsort(logs, (size_t)count, sizeof *logs, compare_reals);
    return count;
}

static void fit_logs(double *logs, int64_t n, const struct ub_tail_options *options, uint64_t seed,
                     struct ub_tail *tail)
{
    double *sums = ub_calloc((size_t)n + 1, sizeof *sums);
    const struct cut cut = options->xmin > 0 ? given_cut(logs, n, options->least, options->xmin)
                                             : best_cut(logs, n, options->least, sums);
    ub_free(sums);
    if (!(cut.rate > 0))
        return;
    const int64_t m = n - cut.first;
    *tail = no_tail();
    tail->valid = true;
    tail->total = n;
    tail->count = m;
    tail->alpha = 1 + cut.rate;
    tail->error = cut.rate / sqrt((double)m);
    tail->xmin = exp(cut.origin);
    tail->distance = cut.distance;
    if (options->replicates > 0)
        bootstrap(logs, n, cut, options, seed, tail);
    for (int64_t i = cut.first; i < n; i++)
        logs[i] -= cut.origin;
    ub_tail_rivals(logs + cut.first, m, tail);
}

struct ub_tail ub_tail_fit(const double *values, int64_t n, struct ub_tail_options options,
                           uint64_t seed)
{
    struct ub_tail tail = no_tail();
    options.least = options.least > 1 ? options.least : LEAST;
    options.replicates = options.replicates ? options.replicates : REPLICATES;
    double *logs = ub_calloc((size_t)n + 1, sizeof *logs);
    const int64_t count = take_logs(values, n, logs);
    if (count >= options.least)
        fit_logs(logs, count, &options, seed, &tail);
    ub_free(logs);
    return tail;
}
