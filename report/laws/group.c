#include "report/laws/group.h"

#include <math.h>
#include <string.h>

/* A measure's text is a call, as a suite writes it, in canonical form. */
static bool has_option(const char *measure, const char *option, const char *value)
{
    struct ub_error ignored = {0};
    struct ub_call *call = ub_call_parse(measure, "measure", &ignored);
    bool found = false;
    for (size_t i = 0; call && i < call->count && !found; i++)
        found = strcmp(call->keys[i], option) == 0 && strcmp(call->values[i], value) == 0;
    ub_call_free(call);
    return found;
}

bool ub_run_is(const struct ub_frame *frame, size_t row, const char *column, const char *word)
{
    return strcmp(ub_frame_word(frame, row, column), word) == 0;
}

bool ub_run_rate_is_constant(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer.schedule", "constant") &&
           ub_frame_number(frame, row, "optimizer.warmup") == 0;
}

bool ub_run_is_plain(const struct ub_frame *frame, size_t row)
{
    return ub_run_rate_is_constant(frame, row) && ub_frame_number(frame, row, "optimizer.l2") == 0;
}

double ub_run_last(const struct ub_frame *frame, size_t row, const void *name)
{
    return frame->store->runs[row].status == UB_RUN_OK ? ub_frame_last(frame, row, name, 0)
                                                       : (double)NAN;
}

bool ub_run_measures_with(const struct ub_frame *frame, size_t row, const char *observable,
                          const char *option, const char *value)
{
    const struct ub_run_spec *spec = &frame->store->runs[row].spec;
    const size_t length = strlen(observable);
    for (size_t i = 0; i < spec->n_measures; i++)
        if (strncmp(spec->measures[i], observable, length) == 0 &&
            (spec->measures[i][length] == ':' || spec->measures[i][length] == '\0') &&
            (!value || has_option(spec->measures[i], option, value)))
            return true;
    return false;
}

bool ub_run_measures(const struct ub_frame *frame, size_t row, const char *observable)
{
    return ub_run_measures_with(frame, row, observable, NULL, NULL);
}

static bool is_among(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

bool ub_runs_alike(const struct ub_frame *frame, size_t a, size_t b, const char *const *except)
{
    for (size_t i = 0; i < frame->columns; i++) {
        const struct ub_column *c = &frame->column[i];
        if (c->role == UB_COLUMN_AXIS && c->level[a] != c->level[b] && !is_among(except, c->name))
            return false;
    }
    return true;
}

/* A run that failed did not record its training set's size: then it is as the dataset's options
 * tell. Runs from before every optimizer took batches have no such column. */
bool ub_run_on_all_samples(const struct ub_frame *frame, size_t row)
{
    const double batch = ub_frame_number(frame, row, "optimizer.batch");
    const double samples = ub_frame_number(frame, row, "dataset.size");
    return !(batch > 0) ||
           (batch == samples && !ub_run_is(frame, row, "optimizer.replacement", "true"));
}

double ub_run_last_step(const struct ub_frame *frame, size_t row, const char *observable)
{
    struct ub_series s = ub_frame_series(frame, row, observable, 0);
    const double step = s.count ? s.step[s.count - 1] : (double)NAN;
    ub_series_clear(&s);
    return step;
}

struct ub_datum ub_datum_of(const struct ub_interval *estimate, const char *why)
{
    if (!isfinite(estimate->estimate))
        return (struct ub_datum){.why = why};
    return (struct ub_datum){
        .value = estimate->estimate, .se = estimate->se, .df = fmax(0, estimate->n_effective - 1)};
}

const char *ub_group_why(const struct ub_frame *frame, const struct ub_rows *group, const char *why)
{
    const char **lost = ub_calloc(group->count + 1, sizeof *lost);
    size_t n = 0, diverged = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct ub_run *run = &frame->store->runs[group->row[i]];
        lost[n] = ub_run_lost(run);
        n += lost[n] != NULL;
        diverged += run->status == UB_RUN_DIVERGED;
    }
    const bool whole = n == group->count && (diverged == 0 || diverged == n);
    const char *most = whole ? ub_most_frequent(lost, n) : NULL;
    ub_free(lost);
    return most ? most : why;
}

/* A group that diverged whole is one that the law was asked about, and that does not meet it. */
static struct ub_datum datum_or_why(const struct ub_frame *frame, const struct ub_rows *group,
                                    const struct ub_interval *estimate, const char *why)
{
    struct ub_datum d = ub_datum_of(estimate, ub_group_why(frame, group, why));
    size_t diverged = 0;
    for (size_t i = 0; i < group->count; i++)
        diverged += frame->store->runs[group->row[i]].status == UB_RUN_DIVERGED;
    d.against = d.why && diverged == group->count;
    return d;
}

struct ub_datum ub_group_mean(const struct ub_frame *frame, const struct ub_rows *group,
                              ub_run_number *number, const void *context, const char *why)
{
    double *x = ub_calloc(group->count + 1, sizeof *x);
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        x[n] = number(frame, group->row[i], context);
        n += isfinite(x[n]) ? 1 : 0;
    }
    struct ub_interval mean = ub_sample_mean(x, n);
    if (n < 2)
        mean.se = (double)NAN;
    ub_free(x);
    struct ub_datum d = datum_or_why(frame, group, &mean, why);
    d.runs = d.why ? 0 : n;
    return d;
}

static struct ub_datum slope_of_points(const struct ub_frame *frame, const struct ub_rows *group,
                                       struct ub_trend *points, enum ub_axis_fit fit,
                                       const char *why)
{
    const struct ub_interval slope =
        fit == UB_FIT_POWER  ? ub_axis_slope(points->point, points->count)
        : fit == UB_FIT_LINE ? ub_axis_line(points->point, points->count)
                             : ub_axis_power(points->point, points->count);
    ub_trend_clear(points);
    return datum_or_why(frame, group, &slope, why);
}

struct ub_datum ub_group_slope(const struct ub_frame *frame, const struct ub_rows *group,
                               const char *axis, ub_run_number *number, const void *context,
                               const char *why)
{
    struct ub_trend points = {0};
    ub_trend_axis(&points, frame, group, axis, number, context);
    return slope_of_points(frame, group, &points, UB_FIT_POWER, why);
}

struct ub_datum ub_trend_slope(const struct ub_frame *frame, const struct ub_rows *group,
                               const struct ub_law_trend *trend, const char *why)
{
    struct ub_trend points = {0};
    trend->points(frame, group, &points);
    return slope_of_points(frame, group, &points, trend->fit, why);
}
