/* The verdict on a law over a store.
 *
 * Run:     median of the observable over the law's window. The median shrugs off the spikes with
 *          which sharpness leaves the edge and returns; its error is that of the mean of the
 *          autocorrelated series times sqrt(pi/2), the ratio for normal data.
 * System:  mean over its runs (seeds), verdict_systems.c.
 * Law:     random-effects mean over systems, share of systems within the margin, exceptions;
 *          verdict_systems.c. What the numbers say in words: verdict_words.c. */
#include "report/laws/verdict.h"

#include <math.h>
#include <string.h>

const double law_median_factor = 1.2533141373155003;

const char *ub_verdict_name(enum ub_verdict verdict)
{
    static const char *const names[] = {"holds", "holds with exceptions", "violated", "undecided"};
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

/* Takes the line through a series that rises away, all but its mean: it is no noise. */
static void detrend(double *x, size_t n)
{
    const double middle = 0.5 * ((double)n - 1.0);
    double product = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        product += ((double)i - middle) * x[i];
        square += ((double)i - middle) * ((double)i - middle);
    }
    for (size_t i = 0; i < n && square > 0; i++)
        x[i] -= product / square * ((double)i - middle);
}

static void measure_window(struct ub_law_run *r, const struct ub_series *series)
{
    const size_t first = r->window.first;
    double *finite = ub_calloc(series->count, sizeof *finite);
    size_t n = 0;
    for (size_t i = first; i <= r->window.last; i++)
        if (isfinite(series->value[i]))
            finite[n++] = series->value[i];
    const double level = ub_median(finite, n);
    if (r->window.stay == UB_STAY_RISING)
        detrend(finite, n);
    r->mean = ub_series_mean(finite, n);
    ub_free(finite);
    if (!r->window.reached) {
        r->end = r->window.stay == UB_STAY_RISING ? level : (double)NAN;
        return;
    }
    r->first_step = series->step[first];
    r->last_step = series->step[r->window.last];
    r->median = level;
}

/* Why a run has nothing to say however it was measured; NULL when it may. */
static const char *lost(const struct ub_run *run)
{
    switch (run->status) {
    case UB_RUN_DIVERGED:
        return "diverged";
    case UB_RUN_FAILED:
        return "failed";
    case UB_RUN_MISSING:
        return run->damaged ? "damaged" : "not run";
    default:
        return NULL;
    }
}

static struct ub_window window_of(const struct ub_series_law *law, const struct ub_run *run,
                                  const struct ub_trace *trace, const struct ub_series *series)
{
    const char *why = lost(run);
    if (why)
        return (struct ub_window){.why = why};
    struct ub_series loss = {0};
    if (trace)
        loss = ub_trace_series(trace, "loss", 0);
    const struct ub_window window = law->window(run, series, &loss);
    ub_series_clear(&loss);
    return window;
}

static void judge_run(const struct ub_series_law *law, const struct ub_trace *trace,
                      struct ub_law_run *r)
{
    struct ub_series series = {0};
    if (trace)
        series = ub_trace_series(trace, law->observable, 0);
    r->median = r->end = r->first_step = r->last_step = (double)NAN;
    r->predicted = law->predict(r->run);
    r->window = window_of(law, r->run, trace, &series);
    r->peak = peak_of(&series);
    if (r->window.stay != UB_STAY_OUT)
        measure_window(r, &series);
    ub_series_clear(&series);
}

/* ---- all together ----------------------------------------------------------------------- */

static bool is_asked(const struct ub_series_law *law, const struct ub_run_spec *spec)
{
    for (size_t i = 0; i < spec->n_measures; i++)
        for (size_t k = 0; law->measures[k]; k++) {
            const size_t n = strlen(law->measures[k]);
            const char *measure = spec->measures[i];
            if (strncmp(measure, law->measures[k], n) == 0 && strchr(":", measure[n]))
                return true;
        }
    return false;
}

static void collect_runs(struct ub_law_result *result, const struct study *study)
{
    size_t *place = ub_calloc(study->n_systems + 1, sizeof *place); /* index + 1; 0 = none yet */
    for (size_t i = 0; i < study->store->count; i++) {
        const struct ub_run *run = &study->store->runs[i];
        if (!is_asked(result->law, &run->spec) || !result->law->applies(run))
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

struct ub_law_result *judge(const struct ub_series_law *law, const struct study *study)
{
    struct ub_law_result *result = ub_calloc(1, sizeof *result);
    result->law = law;
    result->runs = ub_calloc(study->store->count + 1, sizeof *result->runs);
    result->systems = ub_calloc(study->n_systems + 1, sizeof *result->systems);
    collect_runs(result, study);
    law_weigh(result);
    law_find_out(result);
    law_share_variance(result);
    law_word(result);
    return result;
}

struct ub_law_result *ub_law_judge(const struct ub_series_law *law, const struct ub_store *store,
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
