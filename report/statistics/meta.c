/* Random-effects meta-analysis: one mean and one spread from many systems' estimates. */
#include "report/statistics/meta.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

double ub_studies_weight(const struct ub_studies *s, size_t i, double tau_squared)
{
    const double variance = s->se[i] * s->se[i];
    return 1.0 / (fmax(variance, s->least_variance) + tau_squared);
}

double ub_studies_mean(const struct ub_studies *s, double tau_squared, double *total)
{
    double sum = 0.0;
    *total = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        const double w = ub_studies_weight(s, i, tau_squared);
        *total += w;
        /* Differences to the first keep the sum exact for equal estimates of huge weight. */
        sum += w * (s->estimate[i] - s->estimate[0]);
    }
    return s->estimate[0] + sum / *total;
}

struct ub_studies ub_studies_of(const double *estimate, const double *se, size_t n)
{
    double scale = 0.0;
    for (size_t i = 0; i < n; i++)
        scale = fmax(scale, fabs(estimate[i]));
    return (struct ub_studies){estimate, se, n, fmax(1e-24 * scale * scale, 1e-300)};
}

/* Generalized Q: falls as tau^2 grows, and is n - 1 on average at the true tau^2. */
double ub_studies_q(const struct ub_studies *s, double tau_squared)
{
    double total;
    const double mean = ub_studies_mean(s, tau_squared, &total);
    double q = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        const double d = s->estimate[i] - mean;
        q += ub_studies_weight(s, i, tau_squared) * d * d;
    }
    return q;
}

/* The tau^2 at which Q is `wanted`; 0 when Q is smaller at any. */
double ub_studies_spread(const struct ub_studies *s, double wanted)
{
    if (ub_studies_q(s, 0.0) <= wanted)
        return 0.0;
    double low = 0.0, high = s->least_variance;
    while (ub_studies_q(s, high) > wanted)
        high *= 2.0;
    for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
        const double middle = low + (high - low) / 2.0;
        if (ub_studies_q(s, middle) > wanted)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2.0;
}

static void set_interval(struct ub_interval *r, double se, double df)
{
    r->se = se;
    r->low = r->estimate - ub_t_quantile(0.975, df) * se;
    r->high = r->estimate + ub_t_quantile(0.975, df) * se;
}

/* IntHout, Ioannidis and Borm (2014, doi:10.1186/1471-2288-14-25) for the interval; its scale is
 * not let below 1 (Roever, Knapp and Friede 2015, arXiv:1503.05401), which would otherwise make it
 * narrower than the systems' own errors allow. Prediction interval: Higgins, Thompson and
 * Spiegelhalter (2009). */
struct ub_meta ub_random_effects(const double *estimate, const double *se, size_t n)
{
    const struct ub_interval nothing = {NAN, NAN, NAN, NAN, (double)n, n};
    struct ub_meta r = {.mean = nothing, .prediction = nothing};
    r.tau = r.tau_low = r.tau_high = r.i_squared = r.q = r.q_p = NAN;
    if (n == 0)
        return r;
    if (n == 1) {
        r.mean.estimate = estimate[0];
        r.mean.se = se[0];
        r.mean.low = estimate[0] - 1.959963984540054 * se[0];
        r.mean.high = estimate[0] + 1.959963984540054 * se[0];
        return r;
    }
    const struct ub_studies s = ub_studies_of(estimate, se, n);
    const double df = (double)(n - 1);
    const double q = ub_studies_q(&s, 0.0);
    /* Paule and Mandel (1982, J. Res. NBS 87:377): Q as large as it is on average. */
    const double tau_squared = ub_studies_spread(&s, df);
    double total;
    r.mean.estimate = ub_studies_mean(&s, tau_squared, &total);
    r.tau = sqrt(tau_squared);
    r.tau_low = sqrt(ub_studies_spread(&s, gsl_cdf_chisq_Pinv(0.975, df)));
    r.tau_high = sqrt(ub_studies_spread(&s, gsl_cdf_chisq_Pinv(0.025, df)));
    r.q = q;
    r.q_p = gsl_cdf_chisq_Q(q, df);
    r.i_squared = q > df ? (q - df) / q : 0.0;
    const double inflation = fmax(1.0, ub_studies_q(&s, tau_squared) / df);
    set_interval(&r.mean, sqrt(inflation / total), df);
    r.prediction.estimate = r.mean.estimate;
    if (n >= 3)
        set_interval(&r.prediction, sqrt(tau_squared + r.mean.se * r.mean.se), df - 1.0);
    return r;
}

double ub_equivalence_p(double mean, double se, double df, double target, double margin)
{
    const double room = margin - fabs(mean - target);
    if (isnan(room) || isnan(se))
        return NAN;
    if (se <= 0.0)
        return room > 0.0 ? 0.0 : 1.0;
    /* Of the two one-sided tests the nearer bound's decides. */
    return ub_t_upper_p(room / se, df);
}
