/* powerlaw_covariance.c - a population's exponent by simulating its sample covariances.
 *
 * S = D^1/2 Z Z' D^1/2 / freedom with D = diag(k^-exponent), Z features x freedom of normals. With
 * Z = L Q, L lower trapezoidal, Q drops out, and L has independent entries: chi variables with
 * freedom - i degrees on the diagonal (i from 0), normals below it (Bartlett 1933). So a simulation
 * costs the same for any number of samples. */
#include "bench/spectra/powerlaw_covariance.h"
#include "bench/spectra/eigen.h"
#include "bench/spectra/powerlaw_range.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

enum { LEAST_RANKS = 5, ENDS = 40 }; /* 95%: one of 40 equally likely places at each end is out */
static const double MOST_EXPONENT = 6;

struct simulation {
    int64_t features, m, first, last;
    double *factor; /* features x m: L */
    double *scaled; /* features x m: D^1/2 L */
    double *moment; /* m x m */
    double *values; /* m, ascending */
};

/* Least-squares slope of -log value on log rank; value(k) is values[start + step k]. */
static double decay(const double *values, int64_t start, int64_t step, int64_t first, int64_t last)
{
    const double n = (double)(last - first + 1);
    double mean = 0, squares = 0, products = 0;
    for (int64_t k = first; k <= last; k++)
        mean += log((double)k) / n;
    for (int64_t k = first; k <= last; k++) {
        const double x = log((double)k) - mean;
        squares += x * x;
        products -= x * log(fmax(values[start + step * k], 1e-300));
    }
    return products / squares;
}

/* The root of a chi-squared variable: Marsaglia and Tsang 2000 (doi:10.1145/358407.358414) for half
 * of it, a gamma variable; GSL's inverse distribution fails with many degrees of freedom. */
static double chi(struct ub_random *random, int64_t freedom)
{
    if (freedom == 1)
        return fabs(ub_random_normal(random));
    const double d = (double)freedom / 2 - 1.0 / 3;
    for (;;) {
        const double z = ub_random_normal(random), root = 1 + z / sqrt(9 * d);
        const double v = root * root * root, u = 1 - ub_random_uniform(random);
        if (root > 0 && log(u) < z * z / 2 + d * (1 - v + log(v)))
            return sqrt(2 * d * v);
    }
}

static void draw(struct simulation *s, int64_t freedom, struct ub_random *random)
{
    for (int64_t i = 0; i < s->features; i++)
        for (int64_t j = 0; j < s->m && j <= i; j++)
            s->factor[i * s->m + j] = i == j ? chi(random, freedom - i) : ub_random_normal(random);
}

/* The slope of the simulation that was drawn, at a population's exponent. */
static double slope_at(struct simulation *s, double exponent)
{
    const int m = (int)s->m;
    struct ub_error err = {0};
    for (int64_t i = 0; i < s->features; i++) {
        const double deviation = pow((double)(i + 1), -exponent / 2);
        for (int64_t j = 0; j < m; j++)
            s->scaled[i * m + j] = s->factor[i * m + j] * deviation;
    }
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, m, (int)s->features, 1, s->scaled, m, 0,
                s->moment, m);
    if (!ub_eigen_dense(m, s->moment, s->values, false, &err))
        return NAN;
    return decay(s->values, m, -1, s->first, s->last);
}

/* The exponent at which this simulation has the slope `target`, from a guess, by secants: the
 * slope rises with the exponent, nearly in a line. */
static double invert(struct simulation *s, double target, double guess)
{
    double from = guess, at = slope_at(s, from);
    double next = from + (target - at), slope = 1;
    for (int i = 0; i < 6; i++) {
        next = fmin(fmax(next, 0), MOST_EXPONENT);
        const double there = slope_at(s, next);
        slope = fabs(next - from) > 1e-9 ? (there - at) / (next - from) : slope;
        from = next;
        at = there;
        next = from + (target - at) / fmax(slope, 0.05);
        if (!isfinite(next) || fabs(next - from) < 1e-2)
            break; /* the last secant has squared that */
    }
    return next;
}

static int compare_reals(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void simulate(struct simulation *s, const struct ub_sampling *sampling, double target,
                     uint64_t seed, struct ub_population *out)
{
    const int64_t batches = sampling->batches > 0 ? sampling->batches : 1;
    const int64_t count = ENDS * batches - 1;
    struct ub_random random = ub_random_stream(seed, "population");
    double *found = ub_calloc((size_t)count, sizeof *found), guess = target;
    bool fine = true;
    for (int64_t r = 0; r < count && fine; r++) {
        draw(s, sampling->freedom, &random);
        found[r] = invert(s, target, guess);
        guess = r ? guess + (found[r] - guess) / (double)(r + 1) : found[r];
        fine = isfinite(found[r]);
    }
    if (fine) {
        qsort(found, (size_t)count, sizeof *found, compare_reals);
        out->exponent = found[count / 2];
        out->low = found[batches - 1];
        out->high = found[count - batches];
        out->valid = out->exponent > 0 && out->exponent < MOST_EXPONENT;
    }
    ub_free(found);
}

struct ub_population ub_powerlaw_population(const double *values, int64_t n,
                                            const struct ub_sampling *sampling, uint64_t seed)
{
    const int64_t features = sampling->features, freedom = sampling->freedom;
    const int64_t m = features < freedom ? features : freedom;
    struct ub_population out = {.exponent = NAN, .low = NAN, .high = NAN};
    const int64_t first = sampling->first > 0 ? sampling->first : 1;
    const int64_t usable = ub_powerlaw_positive(values, n < m ? n : m, 0);
    const int64_t last = sampling->last > 0 ? sampling->last : m / 2;
    out.first = first;
    out.last = last < usable ? last : usable;
    if (out.last - first + 1 < LEAST_RANKS || features > INT_MAX)
        return out;
    struct simulation s = {.features = features, .m = m, .first = first, .last = out.last};
    s.factor = ub_calloc((size_t)features, (size_t)m * sizeof(double));
    s.scaled = ub_calloc((size_t)features, (size_t)m * sizeof(double));
    s.moment = ub_calloc((size_t)m, (size_t)m * sizeof(double));
    s.values = ub_calloc((size_t)m, sizeof(double));
    simulate(&s, sampling, decay(values, -1, 1, first, out.last), seed, &out);
    ub_free(s.values);
    ub_free(s.moment);
    ub_free(s.scaled);
    ub_free(s.factor);
    return out;
}
