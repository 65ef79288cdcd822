/* The verdict on a law over a store.
 *
 * Run:     median of the observable over the law's window. The median shrugs off the spikes with
 *          which sharpness leaves the edge and returns; its error is that of the mean of the
 *          autocorrelated series times sqrt(pi/2), the ratio for normal data.
 * System:  mean over its runs (seeds). Two or three seeds cannot tell a spread, so the variance
 *          between seeds is pooled over all systems; a system's is taken as no less than its own
 *          runs' errors say.
 * Law:     random-effects mean over systems (statistics_meta.c), two one-sided tests against the
 *          margin, and one one-sided test a system: is it beyond the margin, past doubt?
 *
 * Violated: the mean's 95% interval lies outside the margin, or some system lies beyond it with
 *           false-discovery rate 5%. A universal law has no exceptions.
 * Holds:    neither, and the equivalence test says within the margin with p < 0.05.
 * Undecided: anything else, and always with fewer systems than the law asks for. */
#include "report/study.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const double level = 0.05;
static const double median_factor = 1.2533141373155003; /* sqrt(pi/2) */

const char *const ub_share_names[5] = {"model", "optimizer", "dataset", "loss", "seed"};

const char *ub_verdict_name(enum ub_verdict verdict)
{
    static const char *const names[] = {"holds", "violated", "undecided"};
    return names[verdict];
}

/* ---- runs ------------------------------------------------------------------------------- */

static double peak_of(const struct ub_series *series)
{
    double peak = (double)NAN;
    for (size_t i = 0; i < series->count; i++)
        if (isfinite(series->value[i]) && !(series->value[i] <= peak))
            peak = series->value[i];
    return peak;
}

static void measure_window(struct ub_law_run *r, const struct ub_series *series)
{
    const size_t first = r->window.first;
    double *finite = ub_calloc(series->count, sizeof *finite);
    size_t n = 0;
    for (size_t i = first; i <= r->window.last; i++)
        if (isfinite(series->value[i]))
            finite[n++] = series->value[i];
    r->first_step = series->step[first];
    r->last_step = series->step[r->window.last];
    r->median = ub_median(finite, n);
    r->mean = ub_series_mean(finite, n);
    ub_free(finite);
}

static void judge_run(const struct ub_law *law, const struct ub_trace *trace, struct ub_law_run *r)
{
    struct ub_series series = {0};
    if (trace)
        series = ub_trace_series(trace, law->observable, 0);
    r->median = r->first_step = r->last_step = (double)NAN;
    r->predicted = law->predict(r->run);
    r->window = law->window(r->run, &series);
    r->peak = peak_of(&series);
    if (r->window.reached)
        measure_window(r, &series);
    ub_series_clear(&series);
}

/* ---- systems ---------------------------------------------------------------------------- */

static double run_variance(const struct ub_law_run *r)
{
    const double se = median_factor * r->mean.se;
    return isfinite(se) ? se * se : 0.0;
}

/* Variance of one seed's median about its system's mean, pooled; NAN when no system has two. */
static double seed_variance(const struct ub_law_result *result, double *df)
{
    double squares = 0.0;
    *df = 0.0;
    for (size_t s = 0; s < result->n_systems; s++) {
        const struct ub_law_system *system = &result->systems[s];
        if (system->n_reached < 2)
            continue;
        *df += (double)(system->n_reached - 1);
        for (size_t i = 0; i < result->n_runs; i++) {
            const struct ub_law_run *r = &result->runs[i];
            if (r->system == s && r->window.reached)
                squares += pow(r->median - system->plateau.estimate, 2.0);
        }
    }
    return *df > 0.0 ? squares / *df : (double)NAN;
}

static void average_runs(struct ub_law_result *result, size_t s)
{
    struct ub_law_system *system = &result->systems[s];
    double total = 0.0, predicted = 0.0, effective = 0.0;
    system->peak = (double)NAN;
    for (size_t i = 0; i < result->n_runs; i++) {
        const struct ub_law_run *r = &result->runs[i];
        if (r->system != s)
            continue;
        system->n_runs++;
        system->peak = fmax(system->peak, r->peak);
        predicted += r->predicted;
        if (!r->window.reached) {
            system->why = system->why ? system->why : r->window.why;
            continue;
        }
        system->n_reached++;
        total += r->median;
        effective += r->mean.n_effective;
    }
    system->predicted = predicted / (double)system->n_runs;
    system->plateau = (struct ub_interval){NAN, NAN, NAN, NAN, effective, system->n_reached};
    if (system->n_reached)
        system->plateau.estimate = total / (double)system->n_reached;
}

static double own_variance(const struct ub_law_result *result, size_t s)
{
    double total = 0.0;
    for (size_t i = 0; i < result->n_runs; i++)
        if (result->runs[i].system == s && result->runs[i].window.reached)
            total += run_variance(&result->runs[i]);
    return total / (double)result->systems[s].n_reached;
}

/* Degrees of freedom behind a system's error: the pooled ones between seeds, or, with one seed a
 * system, those of its series. */
static void set_errors(struct ub_law_result *result, double *df_of)
{
    double df;
    const double pooled = seed_variance(result, &df);
    for (size_t s = 0; s < result->n_systems; s++) {
        struct ub_law_system *system = &result->systems[s];
        if (!system->n_reached)
            continue;
        const double own = own_variance(result, s);
        const double variance = isnan(pooled) ? own : fmax(own, pooled);
        system->plateau.se = sqrt(variance / (double)system->n_reached);
        df_of[s] =
            !(variance > own) || isnan(pooled) ? fmax(1.0, system->plateau.n_effective - 1.0) : df;
        const double half = ub_t_quantile(0.975, df_of[s]) * system->plateau.se;
        system->plateau.low = system->plateau.estimate - half;
        system->plateau.high = system->plateau.estimate + half;
        system->agrees = fabs(system->plateau.estimate - system->predicted) <= result->law->margin;
    }
}

/* One-sided p that a system is not beyond the margin. */
static double violation_p(const struct ub_law_system *system, double margin, double df)
{
    const double beyond = fabs(system->plateau.estimate - system->predicted) - margin;
    if (isnan(beyond))
        return beyond;
    if (!(system->plateau.se > 0.0))
        return beyond > 0.0 ? 0.0 : 1.0;
    return ub_t_upper_p(beyond / system->plateau.se, df);
}

static size_t find_violators(struct ub_law_result *result, const double *df_of)
{
    double *p = ub_calloc(2 * result->n_systems + 1, sizeof *p), *q = p + result->n_systems;
    size_t violators = 0;
    for (size_t s = 0; s < result->n_systems; s++)
        p[s] = violation_p(&result->systems[s], result->law->margin, df_of[s]);
    ub_benjamini_hochberg(p, result->n_systems, q);
    for (size_t s = 0; s < result->n_systems; s++) {
        result->systems[s].violation_q = q[s];
        result->systems[s].violates = q[s] < level;
        violators += result->systems[s].violates;
    }
    ub_free(p);
    return violators;
}

/* ---- the law ---------------------------------------------------------------------------- */

static void pool_systems(struct ub_law_result *result)
{
    double *estimate = ub_calloc(2 * result->n_systems + 1, sizeof *estimate);
    double *se = estimate + result->n_systems;
    size_t n = 0;
    result->target = result->n_systems ? result->systems[0].predicted : 0.0;
    for (size_t s = 1; s < result->n_systems; s++)
        if (result->systems[s].predicted != result->target)
            result->target = 0.0;
    for (size_t s = 0; s < result->n_systems; s++) {
        const struct ub_law_system *system = &result->systems[s];
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

static size_t group_of(const struct ub_run_spec *spec, int factor, struct labels *names)
{
    if (factor == UB_SHARE_MODEL)
        return labels_add(names, spec->model);
    if (factor == UB_SHARE_DATASET)
        return labels_add(names, spec->dataset);
    if (factor == UB_SHARE_LOSS)
        return labels_add(names, spec->loss);
    if (factor == UB_SHARE_SEED) {
        char seed[32];
        snprintf(seed, sizeof seed, "%" PRIu64, spec->seed);
        return labels_add(names, seed);
    }
    char *name = call_name(spec->optimizer);
    const size_t group = labels_add(names, name);
    ub_free(name);
    return group;
}

/* Marginal shares, one factor at a time: in an unbalanced store they overlap. Optimizers are
 * grouped by name whatever their hyperparameters. */
static void share_variance(struct ub_law_result *result)
{
    double *x = ub_calloc(result->n_runs + 1, sizeof *x);
    int *group = ub_calloc(result->n_runs + 1, sizeof *group);
    for (int factor = 0; factor < 5; factor++) {
        struct labels names = {0};
        size_t n = 0;
        for (size_t i = 0; i < result->n_runs; i++) {
            const struct ub_law_run *r = &result->runs[i];
            if (!r->window.reached)
                continue;
            group[n] = (int)group_of(&r->run->spec, factor, &names);
            x[n++] = r->median - r->predicted;
        }
        result->share[factor] = names.count > 1 ? ub_variance_share(x, group, n) : (double)NAN;
        labels_free(&names);
    }
    ub_free(x);
    ub_free(group);
}

/* ---- the sentence ----------------------------------------------------------------------- */

static void add_violators(struct ub_text *text, const struct ub_law_result *result)
{
    enum { NAMED = 5 };
    size_t named = 0, all = 0;
    for (size_t s = 0; s < result->n_systems; s++)
        all += result->systems[s].violates;
    for (size_t s = 0; s < result->n_systems && named < NAMED; s++) {
        const struct ub_law_system *system = &result->systems[s];
        if (system->violates)
            ub_text_add(text, "%s%s (%.3g)", named++ ? ", " : "", system->label,
                        system->plateau.estimate);
    }
    if (all > named)
        ub_text_add(text, " and %zu more", all - named);
}

static void add_mean(struct ub_text *text, const struct ub_law_result *result)
{
    const struct ub_meta *m = &result->meta;
    ub_text_add(text, "mean %s %.3f, 95%% interval [%.3f, %.3f], between-system spread %.3f",
                result->law->observable, m->mean.estimate, m->mean.low, m->mean.high, m->tau);
}

static void decide(struct ub_law_result *result, size_t violators)
{
    const struct ub_law *law = result->law;
    const struct ub_interval *mean = &result->meta.mean;
    struct ub_text why = {0};
    const bool outside =
        mean->low > result->target + law->margin || mean->high < result->target - law->margin;
    result->verdict = UB_UNDECIDED;
    if ((int64_t)result->n_systems_reached < law->least_systems) {
        ub_text_add(&why, "%zu of %zu systems reached the regime; the law asks for %lld",
                    result->n_systems_reached, result->n_systems, (long long)law->least_systems);
    } else if (outside || violators) {
        result->verdict = UB_VIOLATED;
        if (violators) {
            ub_text_add(&why, "%zu of %zu systems beyond %.3g +- %.3g: ", violators,
                        result->n_systems_reached, result->target, law->margin);
            add_violators(&why, result);
            ub_text_add(&why, "; ");
        } else {
            ub_text_add(&why, "the mean lies beyond %.3g +- %.3g: ", result->target, law->margin);
        }
        add_mean(&why, result);
    } else if (result->equivalence_p < level) {
        result->verdict = UB_HOLDS;
        add_mean(&why, result);
        ub_text_add(&why, " over %zu systems; equivalent to %.3g +- %.3g (p = %.2g)",
                    result->n_systems_reached, result->target, law->margin, result->equivalence_p);
    } else {
        ub_text_add(&why, "too much scatter to tell: ");
        add_mean(&why, result);
        ub_text_add(&why, " over %zu systems; equivalence to %.3g +- %.3g has p = %.2g",
                    result->n_systems_reached, result->target, law->margin, result->equivalence_p);
    }
    result->why = why.data;
}

/* ---- all together ----------------------------------------------------------------------- */

static void collect_runs(struct ub_law_result *result, const struct study *study)
{
    size_t *place = ub_calloc(study->n_systems + 1, sizeof *place); /* index + 1; 0 = none yet */
    for (size_t i = 0; i < study->store->count; i++) {
        const struct ub_run *run = &study->store->runs[i];
        if (!result->law->applies(run))
            continue;
        const size_t s = study->system_of[i];
        if (!place[s]) {
            place[s] = ++result->n_systems;
            result->systems[place[s] - 1] =
                (struct ub_law_system){.first = run, .label = system_label(&run->spec)};
        }
        struct ub_law_run *r = &result->runs[result->n_runs++];
        *r = (struct ub_law_run){.run = run, .system = place[s] - 1};
        judge_run(result->law, study->traces[i], r);
        result->n_reached += r->window.reached;
    }
    ub_free(place);
}

struct ub_law_result *judge(const struct ub_law *law, const struct study *study)
{
    struct ub_law_result *result = ub_calloc(1, sizeof *result);
    result->law = law;
    result->runs = ub_calloc(study->store->count + 1, sizeof *result->runs);
    result->systems = ub_calloc(study->n_systems + 1, sizeof *result->systems);
    collect_runs(result, study);
    for (size_t s = 0; s < result->n_systems; s++)
        average_runs(result, s);
    double *df_of = ub_calloc(result->n_systems + 1, sizeof *df_of);
    set_errors(result, df_of);
    pool_systems(result);
    share_variance(result);
    decide(result, find_violators(result, df_of));
    ub_free(df_of);
    return result;
}

struct ub_law_result *ub_law_judge(const struct ub_law *law, const struct ub_store *store,
                                   struct ub_error *err)
{
    struct study *study = study_new(store, err);
    if (!study)
        return NULL;
    struct ub_law_result *result = judge(law, study);
    study_free(study);
    return result;
}

void ub_law_result_free(struct ub_law_result *result)
{
    if (!result)
        return;
    for (size_t s = 0; s < result->n_systems; s++)
        ub_free(result->systems[s].label);
    ub_free(result->systems);
    ub_free(result->runs);
    ub_free(result->why);
    ub_free(result);
}
