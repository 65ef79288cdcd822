/* One judge for all laws. */
#include "report/laws/judge.h"
#include "report/laws/same.h"
#include "report/statistics/share.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

static const double level = 0.05, most = 0.9, many = 0.75, half = 0.5;
/* Where either of two tests decides: of each, for 95% of both. */
static const double bound_confidence = 0.975;

const char *ub_verdict_word(enum ub_verdict_kind verdict)
{
    static const char *const words[] = {"holds", "holds with exceptions", "violated", "undecided"};
    return words[verdict];
}

const char *ub_judgment_word(const struct ub_judgment *j)
{
    const bool seen_none = j->verdict == UB_LAW_EXCEPTIONS && j->within == j->spoke;
    return seen_none ? "holds, few systems" : ub_verdict_word(j->verdict);
}

struct ub_interval ub_datum_interval(const struct ub_datum *d)
{
    if (d->why)
        return (struct ub_interval){NAN, NAN, NAN, NAN, 0, 0};
    const bool is_known = !(d->df > 0) || isinf(d->df);
    const double t = is_known ? gsl_cdf_ugaussian_Pinv(0.975) : ub_t_quantile(0.975, d->df);
    return (struct ub_interval){
        d->value, d->value - t * d->se, d->value + t * d->se, d->se, d->df + 1, d->runs};
}

/* ---- a datum on the claim's scale ------------------------------------------------------------ */

struct scaled { /* data on the scale on which one interval [low, high] meets the claim */
    size_t n;
    double *x, *se, *df;
    size_t *from; /* index of the datum */
    double low, high, target;
};

static double prediction_of(const struct ub_claim *claim, const struct ub_datum *d)
{
    return d->predicts ? d->prediction : claim->target;
}

static void add_scaled(struct scaled *s, const struct ub_claim *claim, const struct ub_datum *d)
{
    const double predicted = prediction_of(claim, d);
    double x = d->value, se = d->se;
    if (claim->is == UB_EQUAL)
        x += claim->target - predicted;
    if (claim->is == UB_EXACT) {
        const double scale = fabs(predicted) > 0 ? fabs(predicted) : 1;
        x = (d->value - predicted) / scale;
        se /= scale;
    }
    s->x[s->n] = x;
    /* An unknown error: the scatter between systems has it in it, but of this system alone nothing
     * can be said past doubt. */
    s->df[s->n] = isnan(se) ? (double)NAN : d->df > 0 ? d->df : INFINITY;
    s->se[s->n] = isnan(se) ? 0 : se;
    s->n++;
}

static struct scaled scale(const struct ub_claim *claim, const struct ub_datum *data, size_t n)
{
    struct scaled s = {.target = claim->is == UB_EXACT ? 0 : claim->target};
    s.x = ub_calloc(n + 1, sizeof *s.x);
    s.se = ub_calloc(n + 1, sizeof *s.se);
    s.df = ub_calloc(n + 1, sizeof *s.df);
    s.from = ub_calloc(n + 1, sizeof *s.from);
    s.low = claim->is == UB_AT_MOST ? -INFINITY : s.target;
    s.high = claim->is == UB_AT_LEAST ? INFINITY : s.target;
    if (claim->is == UB_EQUAL || claim->is == UB_EXACT) {
        s.low -= claim->margin;
        s.high += claim->margin;
    }
    for (size_t i = 0; i < n; i++)
        if (!data[i].why && isfinite(data[i].value)) {
            s.from[s.n] = i;
            add_scaled(&s, claim, &data[i]);
        }
    return s;
}

static void scaled_clear(struct scaled *s)
{
    ub_free(s->x);
    ub_free(s->se);
    ub_free(s->df);
    ub_free(s->from);
}

/* ---- single systems ---------------------------------------------------------------------------
 */

static double t_upper_p(double t, double df)
{
    return isinf(df) ? gsl_cdf_ugaussian_Q(t) : ub_t_upper_p(t, df);
}

/* One-sided p of "this system meets the claim". */
static double beyond_p(double x, double se, double df, double low, double high)
{
    const double beyond = fmax(low - x, x - high);
    if (isnan(df))
        return df;
    if (!(se > 0))
        return beyond > 0 ? 0 : 1;
    return t_upper_p(beyond / se, df);
}

static void find_exceptions(struct ub_judgment *j, const struct scaled *s,
                            const struct ub_datum *data)
{
    double *p = ub_calloc(j->systems + 1, sizeof *p);
    for (size_t i = 0; i < j->systems; i++)
        p[i] = data[i].why && data[i].against ? data[i].against_p : (double)NAN;
    for (size_t i = 0; i < s->n; i++) {
        p[s->from[i]] = beyond_p(s->x[i], s->se[i], s->df[i], s->low, s->high);
        j->meets[s->from[i]] = s->x[i] >= s->low && s->x[i] <= s->high;
        j->within += j->meets[s->from[i]];
    }
    ub_benjamini_hochberg(p, j->systems, j->q);
    for (size_t i = 0; i < j->systems; i++) {
        j->exception[i] = j->q[i] < level;
        j->exceptions += j->exception[i];
    }
    ub_free(p);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

/* Of a normal population, where it may be taken for one; else none. */
static struct ub_shares shares_of(const struct ub_judgment *j, const struct scaled *s)
{
    const bool normal = j->exceptions == 0 && j->spoke == s->n && 2 * j->spoke >= j->systems;
    return ub_shares_normal(s->x, s->se, normal ? s->n : 0, s->low, s->high);
}

/* p of "the share of systems that meet the claim is `share` or less": of the better of the two. */
static double share_p(const struct ub_judgment *j, const struct ub_shares *shares, double share)
{
    const double p = ub_share_more_p(j->within, j->spoke, share);
    return fmin(1, 2 * fmin(p, ub_shares_p(shares, share)));
}

static void bound_share(struct ub_judgment *j, const struct scaled *s)
{
    struct ub_shares shares = shares_of(j, s);
    j->share_low = fmax(ub_share_low(j->within, j->spoke, bound_confidence),
                        ub_shares_low(&shares, bound_confidence));
    j->share_high = ub_share_high(j->within, j->spoke, bound_confidence);
    if (!isnan(j->mean_p)) {
        const double counted = fmin(1, 2 * ub_share_more_p(j->within, j->spoke, many));
        j->p[UB_LAW_HOLDS] = fmax(j->mean_p, fmax(counted, share_p(j, &shares, most)));
        j->p[UB_LAW_EXCEPTIONS] = fmax(j->mean_p, share_p(j, &shares, many));
    }
    ub_shares_clear(&shares);
}

/* p of "the mean does not meet the claim": of the one or two one-sided tests the worse. df: of the
 * mean's error. */
static double mean_p(const struct ub_interval *mean, double df, double low, double high)
{
    const double room = fmin(mean->estimate - low, high - mean->estimate);
    if (isnan(room) || isnan(df))
        return NAN;
    if (!(mean->se > 0))
        return room >= 0 ? 0 : 1;
    return t_upper_p(room / mean->se, df);
}

/* p of "the mean meets the claim, and so do half of the systems": of the better of two tests. */
static double missed_p(const struct ub_judgment *j, const struct scaled *s)
{
    const struct ub_interval *mean = &j->meta.mean;
    const double by_mean =
        s->n > 1 ? beyond_p(mean->estimate, mean->se, (double)(s->n - 1), s->low, s->high)
                 : (double)NAN;
    const double by_share = j->spoke ? ub_share_fewer_p(j->within, j->spoke, half) : (double)NAN;
    const double p = fmin(by_mean, by_share); /* leaves NAN out */
    return p > 0.5 ? 1 : 2 * p;
}

/* Systems to be seen until the mean's test would pass with 80% power, or its interval miss the
 * claim, were their scatter and mean as now; 0 when no number would do. */
static size_t systems_for_mean(const struct ub_judgment *j, size_t n, double low, double high)
{
    enum { MOST_SYSTEMS = 100000 };
    const struct ub_interval *mean = &j->meta.mean;
    const double room = fabs(fmin(mean->estimate - low, high - mean->estimate));
    const double deviation = mean->se * sqrt((double)n);
    if (n < 2 || !(room > 0) || !(mean->se > 0))
        return 0;
    for (size_t m = n + 1; m <= MOST_SYSTEMS; m += m / 32 + 1) {
        const double df = (double)m - 1,
                     quantiles = ub_t_quantile(0.95, df) + ub_t_quantile(0.8, df);
        if (quantiles * deviation <= room * sqrt((double)m))
            return m;
    }
    return 0;
}

static char *what_decides(const struct ub_judgment *j, const struct scaled *s, bool mean_meets)
{
    struct ub_text text = {0};
    const double share = j->spoke ? (double)j->within / (double)j->spoke : 0;
    if (s->n == 0) {
        if (j->spoke)
            ub_text_add(&text,
                        "systems with a value: %zu of %zu count against the claim without one",
                        j->spoke, j->systems);
        else
            ub_text_add(&text, "runs that reach the regime: none of %zu systems did", j->systems);
        return text.data;
    }
    if (s->n < 2) {
        ub_text_add(&text, "more systems that speak: of one alone no scatter is known");
        return text.data;
    }
    if (!mean_meets) {
        const size_t needed = systems_for_mean(j, s->n, s->low, s->high);
        if (needed > 0)
            ub_text_add(&text, "about %zu systems that speak in place of %zu, for the mean", needed,
                        s->n);
        else
            ub_text_add(&text, "nothing but other data: the mean is too near the margin");
        return text.data;
    }
    const size_t draws = ub_share_draws(share, many, bound_confidence);
    if (draws > j->spoke && j->within == j->spoke)
        ub_text_add(&text,
                    "more systems that speak than %zu: %zu that all meet it decide by counting",
                    j->spoke, draws);
    else if (draws > j->spoke)
        ub_text_add(&text, "about %zu systems that speak in place of %zu, for their share", draws,
                    j->spoke);
    else
        ub_text_add(&text, "nothing but other data: %zu of %zu systems meet the claim", j->within,
                    j->spoke);
    return text.data;
}

/* Whether the mean's interval misses the claim, or too few of all systems can meet it. */
static bool is_missed(const struct ub_judgment *j, const struct scaled *s)
{
    const bool misses = s->n > 1 && (j->meta.mean.low > s->high || j->meta.mean.high < s->low);
    return misses || (j->spoke && j->share_high < half);
}

/* The mean of one system is its value, with Student's interval of its error. */
static void one_alone(struct ub_interval *mean, double df)
{
    const double t = isinf(df) ? gsl_cdf_ugaussian_Pinv(0.975) : ub_t_quantile(0.975, df);
    mean->low = mean->estimate - t * mean->se;
    mean->high = mean->estimate + t * mean->se;
}

static void judge_sample(struct ub_judgment *j, const struct scaled *s)
{
    j->meta = ub_random_effects(s->x, s->se, s->n);
    if (s->n == 1)
        one_alone(&j->meta.mean, s->df[0]);
    j->mean_p = mean_p(&j->meta.mean, s->n == 1 ? s->df[0] : (double)s->n - 1, s->low, s->high);
    bound_share(j, s);
    j->p[UB_LAW_VIOLATED] = missed_p(j, s);
    const bool mean_meets = j->mean_p < level;
    const double counted = ub_share_low(j->within, j->spoke, bound_confidence);
    if (is_missed(j, s))
        j->verdict = UB_LAW_VIOLATED;
    else if (mean_meets && j->share_low >= most && counted >= many)
        j->verdict = UB_LAW_HOLDS;
    else if (mean_meets && j->share_low >= many)
        j->verdict = UB_LAW_EXCEPTIONS;
    else
        j->decide = what_decides(j, s, mean_meets);
}

static void judge_exact(struct ub_judgment *j, const struct scaled *s)
{
    j->meta = ub_random_effects(s->x, s->se, s->n);
    j->mean_p = (double)NAN;
    j->share_low = j->share_high = j->spoke ? (double)j->within / (double)j->spoke : 0;
    if (j->spoke && j->within == j->spoke)
        j->verdict = UB_LAW_HOLDS;
    else if (j->spoke && j->share_low >= many)
        j->verdict = UB_LAW_EXCEPTIONS;
    else if (j->spoke && j->share_low < half)
        j->verdict = UB_LAW_VIOLATED;
    else
        j->decide = what_decides(j, s, true);
}

/* ---- all together -----------------------------------------------------------------------------
 */

struct ub_judgment ub_judge(const struct ub_claim *claim, const struct ub_datum *data, size_t n)
{
    struct ub_judgment j = {.verdict = UB_LAW_UNDECIDED, .systems = n};
    j.meets = ub_calloc(n + 1, sizeof *j.meets);
    j.exception = ub_calloc(n + 1, sizeof *j.exception);
    j.q = ub_calloc(n + 1, sizeof *j.q);
    for (size_t i = 0; i < n; i++)
        j.q[i] = (double)NAN;
    for (int v = 0; v < UB_LAW_VERDICTS; v++)
        j.p[v] = (double)NAN;
    j.target = claim->is == UB_EXACT ? 0 : claim->target;
    if (claim->is == UB_SAME) {
        ub_judge_same(&j, claim, data, n);
        return j;
    }
    struct scaled s = scale(claim, data, n);
    for (size_t i = 0; i < n; i++)
        j.spoke += !data[i].why || data[i].against;
    find_exceptions(&j, &s, data);
    if (claim->is == UB_EXACT)
        judge_exact(&j, &s);
    else
        judge_sample(&j, &s);
    scaled_clear(&s);
    return j;
}

void ub_judgment_clear(struct ub_judgment *j)
{
    ub_free(j->meets);
    ub_free(j->exception);
    ub_free(j->q);
    ub_free(j->decide);
    *j = (struct ub_judgment){0};
}

/* ---- resolution -------------------------------------------------------------------------------
 */

/* The verdict on scaled data, as far as it is `violated`. */
static bool is_violated(const struct ub_claim *claim, const struct ub_datum *data, size_t n,
                        double factor)
{
    struct ub_datum *copy = ub_calloc(n + 1, sizeof *copy);
    struct ub_judgment j = {.systems = n};
    for (size_t i = 0; i < n; i++) {
        copy[i] = data[i];
        copy[i].value *= factor;
        copy[i].se *= factor;
        j.spoke += !data[i].why || data[i].against;
    }
    struct scaled s = scale(claim, copy, n);
    for (size_t i = 0; i < s.n; i++)
        j.within += s.x[i] >= s.low && s.x[i] <= s.high;
    j.meta = ub_random_effects(s.x, s.se, s.n);
    j.share_high = ub_share_high(j.within, j.spoke, bound_confidence);
    const bool violated = is_missed(&j, &s);
    scaled_clear(&s);
    ub_free(copy);
    return violated;
}

static double nearest_factor(const struct ub_claim *claim, const struct ub_datum *data, size_t n,
                             double farthest)
{
    double good = 1, bad = farthest;
    if (!is_violated(claim, data, n, bad))
        return farthest > 1 ? INFINITY : 0;
    for (int i = 0; i < 12; i++) {
        const double middle = sqrt(good * bad);
        if (is_violated(claim, data, n, middle))
            bad = middle;
        else
            good = middle;
    }
    return bad;
}

void ub_judge_resolution(const struct ub_claim *claim, const struct ub_datum *data, size_t n,
                         double *below, double *above)
{
    *below = nearest_factor(claim, data, n, 0.1);
    *above = nearest_factor(claim, data, n, 10);
}
