/* When to measure: every so many steps, at listed steps, log-spaced over the run.
 *
 * At an edge of stability iterates jump across the valley from step to step, an oscillation of
 * period two. An even `every` sees the same side of it each time: sharpness of signsgd (lr = 0.003,
 * digits) is 1.04 of its threshold at even steps and 0.97 at odd ones, spectral-gd's 1.05 and 1.02,
 * gd's 1.05 and 1.04. An odd one sees both sides in turn; the suites that come with unibench have
 * odd ones wherever the weights' curvature is followed. */
#include "bench/observables/observables.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { END = -1 };

const struct ub_option ub_schedule_options[] = {
    {"every", UB_OPTION_INT, "0", 0, 1e300, NULL,
     "steps between measurements, odd to see both sides of a jump across the valley; 0 = not "
     "periodic"},
    {"at", UB_OPTION_TEXT, "none", 0, 0, NULL, "steps to measure at, as 0+100+end, or none"},
    {"log-spaced", UB_OPTION_INT, "0", 0, 1e6, NULL,
     "number of steps spaced evenly in log(step + 1), 0 = none"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* ---- reading ---------------------------------------------------------------------------- */

/* The end sorts last. */
static int compare_steps(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return ((uint64_t)*x > (uint64_t)*y) - ((uint64_t)*x < (uint64_t)*y);
}

static bool read_step(const char *text, size_t length, int64_t *step)
{
    char word[24];
    if (length == 0 || length >= sizeof word)
        return false;
    memcpy(word, text, length);
    word[length] = '\0';
    if (strcmp(word, "end") == 0) {
        *step = END;
        return true;
    }
    return ub_read_int(word, step) && *step >= 0;
}

static bool read_at(struct ub_schedule *s, const char *text)
{
    if (strcmp(text, "none") == 0)
        return true;
    s->at = ub_calloc(strlen(text), sizeof *s->at); /* no more numbers than characters */
    for (;; text++) {
        const size_t length = strcspn(text, "+");
        if (!read_step(text, length, &s->at[s->n_at]))
            return false;
        s->n_at++;
        text += length;
        if (!*text)
            break;
    }
    qsort(s->at, s->n_at, sizeof *s->at, compare_steps);
    size_t kept = 0;
    for (size_t i = 0; i < s->n_at; i++)
        if (kept == 0 || s->at[kept - 1] != s->at[i])
            s->at[kept++] = s->at[i];
    s->n_at = kept;
    return true;
}

static void rewrite_at(const struct ub_schedule *s, struct ub_call *call)
{
    struct ub_text text = {0};
    for (size_t i = 0; i < s->n_at; i++)
        if (s->at[i] == END)
            ub_text_add(&text, "%send", i ? "+" : "");
        else
            ub_text_add(&text, "%s%" PRId64, i ? "+" : "", s->at[i]);
    for (size_t i = 0; i < call->count && text.data; i++)
        if (strcmp(call->keys[i], "at") == 0) {
            ub_free(call->values[i]);
            call->values[i] = ub_strdup(text.data);
        }
    ub_text_free(&text);
}

bool ub_schedule_read(struct ub_schedule *schedule, struct ub_call *call, const char *where,
                      struct ub_error *err)
{
    const char *at = ub_call_get(call, "at");
    *schedule = (struct ub_schedule){.every = ub_call_int(call, "every"),
                                     .log_spaced = ub_call_int(call, "log-spaced")};
    if (!read_at(schedule, at)) {
        ub_schedule_clear(schedule);
        return ub_fail(err, UB_INPUT,
                       "%s: %s: at=%s; expected steps joined by '+', as in 0+100+end, or none",
                       where, call->name, at);
    }
    if (schedule->log_spaced == 1) {
        ub_schedule_clear(schedule);
        return ub_fail(err, UB_INPUT,
                       "%s: %s: log-spaced=1; expected at least 2 (the first is step 0, the last "
                       "the end), or 0 for none",
                       where, call->name);
    }
    if (schedule->every == 0 && schedule->log_spaced == 0 && schedule->n_at == 0)
        return ub_fail(err, UB_INPUT,
                       "%s: %s is never measured; expected every, at or log-spaced to name a step",
                       where, call->name);
    rewrite_at(schedule, call);
    return true;
}

void ub_schedule_clear(struct ub_schedule *schedule)
{
    ub_free(schedule->at);
    *schedule = (struct ub_schedule){0};
}

/* ---- asking ----------------------------------------------------------------------------- */

static int64_t log_spaced_step(int64_t i, int64_t n, int64_t steps)
{
    return llround(expm1((double)i / (double)(n - 1) * log1p((double)steps)));
}

/* The i that round to `step` fill an interval; its lower end, give or take one for rounding, is
 * tried by computing the steps themselves. */
static bool is_log_spaced(int64_t n, int64_t step, int64_t steps)
{
    if (step == 0 || step == steps)
        return true;
    const double low = (double)(n - 1) * log((double)step + 0.5) / log1p((double)steps);
    const int64_t first = (int64_t)ceil(low);
    for (int64_t i = first - 1; i <= first + 1; i++)
        if (i >= 0 && i < n && log_spaced_step(i, n, steps) == step)
            return true;
    return false;
}

bool ub_schedule_due(const struct ub_schedule *schedule, int64_t step, int64_t steps)
{
    if (step < 0 || step > steps)
        return false;
    if (schedule->every > 0 && step % schedule->every == 0)
        return true;
    for (size_t i = 0; i < schedule->n_at; i++)
        if (schedule->at[i] == step || (schedule->at[i] == END && step == steps))
            return true;
    return schedule->log_spaced > 0 && is_log_spaced(schedule->log_spaced, step, steps);
}
