/* From levels of runs to a verdict: systems' means and errors, the mean over systems, how many are
 * within the margin, which are beyond it, and how wrong a prediction would have been found out.
 *
 * System: mean over its runs that settled. Two or three seeds hardly tell a spread, and systems
 *         differ in theirs by orders of magnitude, so each has its own variance between seeds,
 *         raised towards the others' as far as they are alike (ub_variance_moderated) and never
 *         lowered: spreads that are truly large would be called exceptions too often. It is taken
 *         as no less than its own runs' errors say, too.
 * Law:    random-effects mean over systems, two one-sided tests against the margin; the share of
 *         systems within the margin among those judged, with its bounds; and one one-sided test a
 *         system: is it beyond the margin, past doubt?
 *
 * A system is judged when any of its runs has a level, or contradicts the law without one: it falls
 * from where it was, or still rises beyond the margin, past doubt. A system is accused by its
 * plateau or by its runs without a level, and only by a p adjusted over systems. */
#include "report/laws/verdict.h"
#include "report/statistics/moderated.h"
#include "report/statistics/share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double level = 0.05;
static const double most_exceptions[] = {
    [UB_HOLDS] = 0.10, [UB_HOLDS_WITH_EXCEPTIONS] = 0.25, [UB_VIOLATED] = 0.50};

/* ---- systems ---------------------------------------------------------------------------- */

static double upper_p(double beyond, double se, double df)
{
    if (!(se > 0.0))
        return beyond > 0.0 ? 0.0 : 1.0;
    return ub_t_upper_p(beyond / se, df);
}

/* A rise is against the law when it is one and its end is beyond the margin: the worse p of both.
 */
static double against_p(const struct ub_law_run *r, double margin)
{
    if (r->window.excused)
        return 1.0;
    if (r->window.stay == UB_STAY_FALLING)
        return r->window.p;
    if (r->window.stay != UB_STAY_RISING)
        return 1.0;
    const double beyond = r->end - r->predicted - margin;
    return fmax(r->window.p, upper_p(beyond, law_median_factor * r->mean.se,
                                     fmax(1.0, r->mean.n_effective - 1.0)));
}

static void clear_system(struct ub_law_system *s)
{
    *s = (struct ub_law_system){
        .first = s->first, .label = s->label, .peak = (double)NAN, .against_p = (double)NAN};
}

/* Sums, of which finish_system makes means. */
static void add_run(struct ub_law_system *system, struct ub_law_run *r, double margin)
{
    r->against_p = against_p(r, margin);
    r->against = r->against_p < level;
    system->n_runs++;
    system->n_against += r->against;
    system->peak = fmax(system->peak, r->peak);
    system->predicted += r->predicted;
    if (!r->window.reached) {
        if (!system->why || (r->against && system->n_against == 1))
            system->why = r->window.why;
        return;
    }
    system->n_reached++;
    system->plateau.estimate += r->median;
    system->plateau.n_effective += r->mean.n_effective;
}

static void finish_system(struct ub_law_system *s)
{
    s->predicted /= (double)s->n_runs;
    s->judged = s->n_reached + s->n_against > 0;
    s->plateau.n = s->n_reached;
    s->plateau.estimate = s->n_reached ? s->plateau.estimate / (double)s->n_reached : (double)NAN;
    s->plateau.low = s->plateau.high = s->plateau.se = (double)NAN;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of n sorted p values of runs, p that at most half of the runs are against the law (Benjamini and
 * Heller 2008, doi:10.1111/j.1541-0420.2007.00984.x: partial conjunction, by Bonferroni). */
static double most_against_p(const double *p, size_t n)
{
    const size_t r = n / 2 + 1;
    return fmin(1.0, (double)(n - r + 1) * p[r - 1]);
}

/* Of the runs with a series that the law is about: those that diverged or never sharpened say
 * nothing. */
static void weigh_runs_against(struct ub_law_result *result)
{
    double *p = ub_calloc(result->n_runs + 1, sizeof *p);
    for (size_t s = 0; s < result->n_systems; s++) {
        size_t n = 0;
        for (size_t i = 0; result->systems[s].n_against && i < result->n_runs; i++)
            if (result->runs[i].system == s && result->runs[i].window.stay != UB_STAY_OUT)
                p[n++] = result->runs[i].against_p;
        qsort(p, n, sizeof *p, ascending);
        if (n > 0)
            result->systems[s].against_p = most_against_p(p, n);
    }
    ub_free(p);
}

static void average_runs(struct ub_law_result *result)
{
    for (size_t s = 0; s < result->n_systems; s++)
        clear_system(&result->systems[s]);
    for (size_t i = 0; i < result->n_runs; i++)
        add_run(&result->systems[result->runs[i].system], &result->runs[i], result->law->margin);
    for (size_t s = 0; s < result->n_systems; s++)
        finish_system(&result->systems[s]);
}

/* Variance of its runs' medians about their mean, with n_reached - 1 degrees of freedom; and the
 * mean of the variances that the runs themselves state. */
static void variances_of(const struct ub_law_result *result, double *between, double *within)
{
    for (size_t i = 0; i < result->n_runs; i++) {
        const struct ub_law_run *r = &result->runs[i];
        if (!r->window.reached)
            continue;
        const struct ub_law_system *system = &result->systems[r->system];
        const double n = (double)system->n_reached, se = law_median_factor * r->mean.se;
        between[r->system] += pow(r->median - system->plateau.estimate, 2.0) / fmax(n - 1.0, 1.0);
        within[r->system] += isfinite(se) ? se * se / n : 0.0;
    }
}

static void set_error(struct ub_law_system *system, struct ub_variance between, double within,
                      double margin)
{
    const bool own = !(between.value > within);
    const double variance = own ? within : between.value;
    system->plateau_df = own ? fmax(1.0, system->plateau.n_effective - 1.0) : between.df;
    system->plateau.se = sqrt(variance / (double)system->n_reached);
    const double half = ub_t_quantile(0.975, system->plateau_df) * system->plateau.se;
    system->plateau.low = system->plateau.estimate - half;
    system->plateau.high = system->plateau.estimate + half;
    system->agrees = fabs(system->plateau.estimate - system->predicted) <= margin &&
                     system->n_against <= system->n_reached;
}

static void set_errors(struct ub_law_result *result)
{
    const size_t n = result->n_systems;
    double *between = ub_calloc(3 * n + 1, sizeof *between);
    double *within = between + n, *df = between + 2 * n;
    variances_of(result, between, within);
    for (size_t s = 0; s < n; s++)
        df[s] = result->systems[s].n_reached ? (double)result->systems[s].n_reached - 1.0 : 0.0;
    const struct ub_variance_prior prior = ub_variance_prior_fit(between, df, n);
    for (size_t s = 0; s < n; s++) {
        struct ub_variance spread = ub_variance_moderated(&prior, between[s], df[s]);
        spread.value = fmax(spread.value, between[s]);
        result->systems[s].agrees = false;
        if (result->systems[s].n_reached)
            set_error(&result->systems[s], spread, within[s], result->law->margin);
    }
    ub_free(between);
}

/* One-sided p that a system's plateau is not beyond the margin, that most of its runs are not
 * against; of both the smaller, twice (Bonferroni). NAN without either. */
static double violation_p(struct ub_law_system *system, double margin)
{
    const double beyond = fabs(system->plateau.estimate - system->predicted) - margin;
    const double plateau =
        isnan(beyond) ? beyond : upper_p(beyond, system->plateau.se, system->plateau_df);
    system->levelless = system->against_p < plateau || isnan(plateau);
    if (isnan(plateau) || isnan(system->against_p))
        return isnan(plateau) ? system->against_p : plateau;
    return fmin(1.0, 2.0 * fmin(plateau, system->against_p));
}

static void find_violators(struct ub_law_result *result)
{
    double *p = ub_calloc(2 * result->n_systems + 1, sizeof *p), *q = p + result->n_systems;
    result->n_violate = 0;
    for (size_t s = 0; s < result->n_systems; s++)
        p[s] = violation_p(&result->systems[s], result->law->margin);
    ub_benjamini_hochberg(p, result->n_systems, q);
    for (size_t s = 0; s < result->n_systems; s++) {
        struct ub_law_system *system = &result->systems[s];
        system->violation_q = q[s];
        system->violates = q[s] < level;
        system->levelless = system->levelless && system->violates;
        result->n_violate += system->violates;
    }
    ub_free(p);
}

/* ---- the law ---------------------------------------------------------------------------- */

/* Predictions that differ by rounding are the same. */
static bool is_same(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

static double common_prediction(const struct ub_law_result *result)
{
    for (size_t s = 1; s < result->n_systems; s++)
        if (!is_same(result->systems[s].predicted, result->systems[0].predicted))
            return 0.0;
    return result->n_systems ? result->systems[0].predicted : 0.0;
}

static void pool_systems(struct ub_law_result *result)
{
    double *estimate = ub_calloc(2 * result->n_systems + 1, sizeof *estimate);
    double *se = estimate + result->n_systems;
    size_t n = 0;
    result->target = common_prediction(result);
    result->n_judged = result->n_within = 0;
    for (size_t s = 0; s < result->n_systems; s++) {
        const struct ub_law_system *system = &result->systems[s];
        result->n_judged += system->judged;
        result->n_within += system->agrees;
        if (!system->n_reached)
            continue;
        estimate[n] = system->plateau.estimate - system->predicted + result->target;
        se[n++] = system->plateau.se;
    }
    result->n_systems_reached = n;
    result->meta = ub_random_effects(estimate, se, n);
    result->equivalence_p =
        ub_equivalence_p(result->meta.mean.estimate, result->meta.mean.se,
                         n > 1 ? (double)(n - 1) : 1.0, result->target, result->law->margin);
    ub_free(estimate);
}

/* A level that noise has put beyond the margin tells of the noise: only those past doubt count. */
static void bound_share(struct ub_law_result *result)
{
    result->share_low = ub_share_low(result->n_within, result->n_judged, 0.95);
    result->share_high =
        ub_share_high(result->n_judged - result->n_violate, result->n_judged, 0.95);
}

static enum ub_verdict verdict_of(const struct ub_law_result *result)
{
    const struct ub_interval *mean = &result->meta.mean;
    const double margin = result->law->margin;
    if ((int64_t)result->n_judged < result->law->least_systems)
        return UB_UNDECIDED;
    if (mean->low > result->target + margin || mean->high < result->target - margin ||
        result->share_high < 1.0 - most_exceptions[UB_VIOLATED])
        return UB_VIOLATED;
    if (!(result->equivalence_p < level))
        return UB_UNDECIDED;
    for (int v = UB_HOLDS; v <= UB_HOLDS_WITH_EXCEPTIONS; v++)
        if (result->share_low >= 1.0 - most_exceptions[v])
            return (enum ub_verdict)v;
    return UB_UNDECIDED;
}

void law_weigh(struct ub_law_result *result)
{
    average_runs(result);
    weigh_runs_against(result);
    set_errors(result);
    pool_systems(result);
    find_violators(result);
    bound_share(result);
    result->verdict = verdict_of(result);
}

/* ---- what would have been found out ------------------------------------------------------- */

static void scale_run(struct ub_law_run *r, double factor)
{
    r->median *= factor;
    r->end *= factor;
    r->peak *= factor;
    r->mean.estimate *= factor;
    r->mean.se *= factor;
    r->mean.low *= factor;
    r->mean.high *= factor;
}

/* Judges a copy whose levels are all `factor` times these. Windows are the same in it: they do not
 * hang on the level. */
static bool is_found_out(const struct ub_law_result *result, double factor)
{
    struct ub_law_result copy = *result;
    copy.runs = ub_calloc(result->n_runs + 1, sizeof *copy.runs);
    copy.systems = ub_calloc(result->n_systems + 1, sizeof *copy.systems);
    memcpy(copy.runs, result->runs, result->n_runs * sizeof *copy.runs);
    memcpy(copy.systems, result->systems, result->n_systems * sizeof *copy.systems);
    for (size_t i = 0; i < copy.n_runs; i++)
        scale_run(&copy.runs[i], factor);
    law_weigh(&copy);
    ub_free(copy.runs);
    ub_free(copy.systems);
    return copy.verdict == UB_VIOLATED;
}

/* The factor nearest to 1 in the direction of `coarse`, in steps of 5% and then of 0.5%. */
static double nearest_wrong(const struct ub_law_result *result, double coarse, double fine)
{
    double factor = 1.0;
    while (factor > 0.2 && factor < 5.0 && !is_found_out(result, factor))
        factor += coarse;
    if (!(factor > 0.2 && factor < 5.0))
        return (double)NAN;
    double before = factor - coarse;
    while (fabs(before - factor) > 0.5 * fabs(fine) && !is_found_out(result, before + fine))
        before += fine;
    return before + fine;
}

void law_find_out(struct ub_law_result *result)
{
    result->wrong_below = result->wrong_above = result->verdict == UB_VIOLATED ? 1.0 : (double)NAN;
    if (result->verdict == UB_VIOLATED || (int64_t)result->n_judged < result->law->least_systems)
        return;
    result->wrong_below = nearest_wrong(result, -0.05, -0.005);
    result->wrong_above = nearest_wrong(result, 0.05, 0.005);
}
