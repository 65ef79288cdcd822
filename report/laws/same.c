/* Sameness: systems form clusters, and what is judged is the spread within them. */
#include "report/laws/same.h"
#include "report/statistics/meta.h"
#include "report/statistics/share.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

static const double level = 0.05, many = 0.75;

struct cluster {
    size_t n;
    double *x, *se;
    size_t *from;
};

static struct cluster *clusters_of(const struct ub_datum *data, size_t n, size_t *count)
{
    int last = -1;
    for (size_t i = 0; i < n; i++)
        last = data[i].cluster > last ? data[i].cluster : last;
    *count = (size_t)(last + 1);
    struct cluster *c = ub_calloc(*count + 1, sizeof *c);
    for (size_t k = 0; k < *count; k++) {
        c[k].x = ub_calloc(n + 1, sizeof *c[k].x);
        c[k].se = ub_calloc(n + 1, sizeof *c[k].se);
        c[k].from = ub_calloc(n + 1, sizeof *c[k].from);
    }
    for (size_t i = 0; i < n; i++) {
        struct cluster *k = &c[data[i].cluster];
        if (data[i].why)
            continue;
        k->x[k->n] = data[i].value;
        k->se[k->n] = data[i].se;
        k->from[k->n++] = i;
    }
    return c;
}

static void clusters_free(struct cluster *c, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        ub_free(c[k].x);
        ub_free(c[k].se);
        ub_free(c[k].from);
    }
    ub_free(c);
}

static double pooled_q(const struct cluster *c, size_t count, double tau_squared)
{
    double q = 0;
    for (size_t k = 0; k < count; k++) {
        const struct ub_studies s = ub_studies_of(c[k].x, c[k].se, c[k].n);
        q += c[k].n > 1 ? ub_studies_q(&s, tau_squared) : 0;
    }
    return q;
}

/* The tau at which the pooled Q is `wanted`. */
static double pooled_tau(const struct cluster *c, size_t count, double wanted, double scale)
{
    double low = 0, high = scale * scale + 1e-300;
    if (pooled_q(c, count, 0) <= wanted)
        return 0;
    while (pooled_q(c, count, high) > wanted)
        high *= 2;
    for (int i = 0; i < 100; i++) {
        const double middle = low + (high - low) / 2;
        if (pooled_q(c, count, middle) > wanted)
            low = middle;
        else
            high = middle;
    }
    return sqrt(low + (high - low) / 2);
}

/* Of whose spread an interval beyond this many margins is known says neither that it is small nor
 * that it is not. */
static const double unknown = 10;

/* A cluster meets the claim when its own tau is at most the margin; it speaks where that is known
 * to an order of magnitude, or known to be beyond the margin. */
static void count_clusters(struct ub_judgment *j, const struct cluster *c, size_t count,
                           double margin)
{
    double *p = ub_calloc(2 * count + 1, sizeof *p), *q = p + count;
    for (size_t k = 0; k < count; k++) {
        const struct ub_studies s = ub_studies_of(c[k].x, c[k].se, c[k].n);
        p[k] = c[k].n > 1 ? gsl_cdf_chisq_Q(ub_studies_q(&s, margin * margin), (double)c[k].n - 1)
                          : (double)NAN;
    }
    ub_benjamini_hochberg(p, count, q);
    for (size_t k = 0; k < count; k++) {
        if (c[k].n < 2)
            continue;
        const struct ub_meta own = ub_random_effects(c[k].x, c[k].se, c[k].n);
        const bool speaks = own.tau_high <= unknown * margin || q[k] < level;
        j->spoke += speaks;
        j->within += speaks && own.tau <= margin;
        j->exceptions += q[k] < level;
        for (size_t i = 0; i < c[k].n; i++) {
            j->meets[c[k].from[i]] = speaks && own.tau <= margin;
            j->exception[c[k].from[i]] = q[k] < level;
            j->q[c[k].from[i]] = q[k];
        }
    }
    ub_free(p);
}

/* Whether the spread is beyond the margin past doubt, and not by few clusters: at most half of them
 * meet it, or those that are no exceptions are beyond it together. A pooled spread alone is that of
 * its most unlike cluster, however many are alike. */
static bool is_violated(const struct ub_judgment *j, const struct cluster *c, size_t count,
                        double margin)
{
    if (!(j->meta.tau_low > margin))
        return false;
    if (2 * j->within <= j->spoke)
        return true;
    struct cluster *rest = ub_calloc(count + 1, sizeof *rest);
    size_t n = 0;
    double df = 0;
    for (size_t k = 0; k < count; k++)
        if (c[k].n > 1 && !j->exception[c[k].from[0]]) {
            rest[n++] = c[k];
            df += (double)c[k].n - 1;
        }
    const bool beyond =
        n > 0 && pooled_tau(rest, n, gsl_cdf_chisq_Pinv(0.975, df), margin) > margin;
    ub_free(rest);
    return beyond;
}

static char *what_decides(const struct ub_judgment *j, double df, double margin)
{
    struct ub_text text = {0};
    if (!(df > 0))
        ub_text_add(&text, "clusters of two systems and more that speak");
    else if (j->meta.tau_low > margin)
        ub_text_add(&text,
                    "nothing but other data: %zu of %zu clusters meet it, and the spread of all is "
                    "beyond it by the others alone",
                    j->within, j->spoke);
    else
        ub_text_add(&text,
                    "more systems in a cluster, or smaller errors: the spread is known to "
                    "%.2g..%.2g only",
                    j->meta.tau_low, j->meta.tau_high);
    return text.data;
}

void ub_judge_same(struct ub_judgment *j, const struct ub_claim *claim, const struct ub_datum *data,
                   size_t n)
{
    size_t count;
    double df = 0;
    struct cluster *c = clusters_of(data, n, &count);
    j->systems = count;
    j->meta = ub_random_effects(NULL, NULL, 0);
    for (size_t k = 0; k < count; k++)
        df += c[k].n > 1 ? (double)c[k].n - 1 : 0;
    count_clusters(j, c, count, claim->margin);
    j->mean_p = (double)NAN;
    if (df > 0) {
        j->meta.q = pooled_q(c, count, 0);
        j->meta.q_p = gsl_cdf_chisq_Q(j->meta.q, df);
        j->meta.tau = pooled_tau(c, count, df, claim->margin);
        j->meta.tau_low = pooled_tau(c, count, gsl_cdf_chisq_Pinv(0.975, df), claim->margin);
        j->meta.tau_high = pooled_tau(c, count, gsl_cdf_chisq_Pinv(0.025, df), claim->margin);
        const double at_margin = pooled_q(c, count, claim->margin * claim->margin);
        j->mean_p = gsl_cdf_chisq_P(at_margin, df);
        j->p[UB_LAW_HOLDS] = fmax(j->mean_p, ub_share_more_p(j->within, j->spoke, many));
        j->p[UB_LAW_EXCEPTIONS] = j->mean_p;
        j->p[UB_LAW_VIOLATED] = fmin(1, 2 * gsl_cdf_chisq_Q(at_margin, df));
    }
    j->share_low = ub_share_low(j->within, j->spoke, 1 - level);
    j->share_high = ub_share_high(j->within, j->spoke, 0.975);
    if (df > 0 && is_violated(j, c, count, claim->margin))
        j->verdict = UB_LAW_VIOLATED;
    else if (j->mean_p < level)
        j->verdict = j->share_low >= many ? UB_LAW_HOLDS : UB_LAW_EXCEPTIONS;
    else
        j->decide = what_decides(j, df, claim->margin);
    clusters_free(c, count);
}
