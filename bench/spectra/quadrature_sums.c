/* quadrature_sums.c - what stochastic Lanczos quadrature says of a spectrum, and how well; see
 * quadrature.h. */
#include "bench/spectra/quadrature_rules.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

/* Sums over a probe's nodes, in units of traces over what is not deflated. */
struct sums {
    double above, below;                 /* of f+ and f- = f+ - f */
    double above_squared, below_squared; /* of their squares */
};

static void add_sums(struct sums *s, double weight, double f)
{
    if (f < 0) {
        s->below -= weight * f;
        s->below_squared += weight * f * f;
    } else { /* NAN, too */
        s->above += weight * f;
        s->above_squared += weight * f * f;
    }
}

/* A uniform direction's n v'Fv has the mean tr F and the variance 2 n/(n + 2) (tr F^2 - (tr
 * F)^2/n). Of F = A - B (A, B >= 0, AB = 0) each part takes half of what their correlation adds, so
 * that A's is 2 n/(n + 2) (tr A^2 - tr A (tr A - tr B)/n); the mean of `probes` samples is then
 * about chi^2 of this many degrees of freedom. No fewer than the probes: no matrix has fewer. */
static double freedom_of(double probes, double n, double sum, double other, double squared)
{
    const double excess = squared - sum * (sum - other) / n;
    if (!(excess > 1e-12 * squared))
        return squared > 0 ? 1e15 : probes; /* F is a multiple of the identity */
    return fmax(probes, probes * (n + 2) / n * sum * sum / excess);
}

static double variance_of(struct ub_squares s)
{
    return 2 * s.sum * s.sum / s.freedom;
}

struct ub_estimate ub_quadrature_sum(const struct ub_quadrature *q,
                                     double (*f)(const void *context, double x),
                                     const void *context)
{
    const double n = (double)(q->n - q->outliers), probes = (double)q->probes;
    struct sums s = {0};
    double atoms = 0;
    for (int64_t i = 0; i < q->outliers; i++)
        atoms += f(context, q->atom[i]);
    for (int64_t p = 0; p < q->probes; p++)
        for (int64_t i = p * q->steps; i < p * q->steps + q->count[p]; i++)
            if (q->weight[i] > 0) /* nothing times infinity is nothing here */
                add_sums(&s, (double)q->n * q->weight[i] / probes, f(context, q->node[i]));
    struct ub_estimate e = {
        .value = atoms + s.above - s.below,
        .freedom = q->probes - 1,
        .above = {s.above, freedom_of(probes, n, s.above, s.below, s.above_squared)},
        .below = {s.below, freedom_of(probes, n, s.below, s.above, s.below_squared)}};
    e.error = sqrt(variance_of(e.above) + variance_of(e.below));
    return e;
}

static double power_of(const void *context, double x)
{
    return pow(x, *(const int *)context);
}

struct ub_estimate ub_quadrature_moment(const struct ub_quadrature *q, int power)
{
    return ub_quadrature_sum(q, power_of, &power);
}

/* Of the sums of both signs, a and b, it is b/(a + b); its margin to first order in theirs. */
double ub_quadrature_negative_mass(const struct ub_quadrature *q, double level, double *margin)
{
    struct ub_estimate above = ub_quadrature_moment(q, 1), below = above;
    double a = above.above.sum, b = above.below.sum;
    for (int64_t i = 0; i < q->outliers; i++) {
        a += fmax(q->atom[i], 0);
        b += fmax(-q->atom[i], 0);
    }
    above.below = below.above = (struct ub_squares){0, 0};
    *margin = hypot(a * ub_estimate_margin(below, level), b * ub_estimate_margin(above, level)) /
              ((a + b) * (a + b));
    return b / (a + b);
}

static double log_shifted(const void *context, double x)
{
    const double y = x + *(const double *)context;
    return y > 0 ? log(y) : NAN;
}

struct ub_estimate ub_quadrature_log_det(const struct ub_quadrature *q, double shift)
{
    return ub_quadrature_sum(q, log_shifted, &shift);
}

struct bell {
    double at, width;
};

/* Left of its center with a minus: what lies to either side is estimated by itself, for a few
 * eigenvalues on one side say nothing of how well many on the other are known. */
static double signed_bell(const void *context, double x)
{
    const struct bell *b = context;
    const double z = (x - b->at) / b->width;
    return copysign(exp(-z * z / 2) / (b->width * sqrt(2 * M_PI)), z);
}

void ub_quadrature_density(const struct ub_quadrature *q, double width, bool atoms, int64_t points,
                           const double *grid, double level, double *density, double *margin)
{
    for (int64_t i = 0; i < points; i++) {
        const struct bell bell = {grid[i], width};
        const struct ub_estimate e = ub_quadrature_sum(q, signed_bell, &bell);
        density[i] = (e.above.sum + e.below.sum) / (double)q->n;
        for (int64_t k = 0; atoms && k < q->outliers; k++)
            density[i] += fabs(signed_bell(&bell, q->atom[k])) / (double)q->n;
        if (margin)
            margin[i] = ub_estimate_margin(e, level) / (double)q->n;
    }
}

/* ---- counts ---- */

/* What a probe's moments allow below t, as a share of its own measure: the Gauss-Radau rule with a
 * node at t has the least and the greatest that any measure of these moments has (Chebyshev, Markov
 * and Stieltjes; Golub and Meurant 2010, section 6.2). */
struct share {
    double least, most;
};

/* The rule's last diagonal entry (Golub 1973, doi:10.1137/1015032): t + beta^2 / d, with d the last
 * pivot of T - t. A pivot next to 0, a node at t already, is moved off: t by 1e-8 of the norm. */
static double radau_entry(int64_t m, const double *alpha, const double *beta, double t, double norm)
{
    const double tiny = 1e-16 * norm, least = beta[m - 1] * beta[m - 1] / (1e8 * norm);
    double d = alpha[0] - t;
    for (int64_t i = 1; i < m; i++) {
        d = fabs(d) > tiny ? d : copysign(tiny, d);
        d = alpha[i] - t - beta[i - 1] * beta[i - 1] / d;
    }
    d = fabs(d) > least ? d : copysign(least, d);
    return t + beta[m - 1] * beta[m - 1] / d;
}

static struct share whole_share(int64_t m, const double *node, const double *weight, double t)
{
    double below = 0, all = 0;
    for (int64_t i = 0; i < m; i++) {
        below += node[i] < t ? weight[i] : 0;
        all += weight[i];
    }
    return (struct share){below / all, below / all};
}

static struct share share_below(const struct ub_quadrature *q, int64_t p, double t)
{
    const int64_t m = q->count[p], at = p * q->steps;
    const double norm = fmax(fabs(q->below), fabs(q->above));
    const size_t size = (size_t)m + 1;
    struct share share = {0, 1};
    if (!(q->beta[at + m - 1] > 0) || !(norm > 0)) /* the rule is the probe's whole measure */
        return whole_share(m, q->node + at, q->weight + at, t);
    double *node = ub_calloc(3 * size, sizeof *node), *beta = node + size, *weight = beta + size;
    memcpy(node, q->alpha + at, (size_t)m * sizeof *node);
    memcpy(beta, q->beta + at, (size_t)m * sizeof *beta);
    node[m] = radau_entry(m, q->alpha + at, q->beta + at, t, norm);
    if (ub_gauss_rule(m + 1, node, beta, 1, weight)) {
        int64_t k = 0;
        for (int64_t i = 1; i <= m; i++)
            k = fabs(node[i] - t) < fabs(node[k] - t) ? i : k;
        share.least = 0;
        for (int64_t i = 0; i < k; i++)
            share.least += weight[i];
        share.most = share.least + weight[k];
    }
    ub_free(node);
    return share;
}

/* One end of Wilson's interval (1927, doi:10.1080/01621459.1927.10502953) for a share x, of which
 * a mean over `probes` of Beta(n x/2, n (1 - x)/2), variance 2 x (1 - x)/((n + 2) probes), was
 * `seen`; side -1 or 1. */
static double wilson(double seen, double n, double probes, double level, int side)
{
    const double z = gsl_cdf_ugaussian_Pinv((1 + level) / 2), trials = (n + 2) * probes / 2;
    const double center = seen + z * z / (2 * trials);
    const double half = z * sqrt(seen * (1 - seen) / trials + z * z / (4 * trials * trials));
    return fmin(1, fmax(0, (center + side * half) / (1 + z * z / trials)));
}

struct ub_range ub_quadrature_below(const struct ub_quadrature *q, double t, double level)
{
    const double n = (double)(q->n - q->outliers), probes = (double)q->probes;
    struct share mean = {0, 0};
    double atoms = 0;
    for (int64_t i = 0; i < q->outliers; i++)
        atoms += q->atom[i] < t;
    for (int64_t p = 0; p < q->probes; p++) {
        const struct share s = share_below(q, p, t);
        mean.least += s.least / probes;
        mean.most += s.most / probes;
    }
    mean.least = fmin(1, mean.least); /* rounding */
    mean.most = fmin(1, mean.most);
    return (struct ub_range){atoms + n * wilson(mean.least, n, probes, level, -1),
                             atoms + n * wilson(mean.most, n, probes, level, 1)};
}
