/* Control charts: each night against the nights before it. The rule is stated in history.h. */
#include "report/history/history.h"

#include "report/statistics/statistics.h"

#include <math.h>
#include <string.h>

static const double shewhart = 0.0027; /* beyond three standard deviations, either way */

static struct ub_chart *chart_of(struct ub_charts *charts, const struct ub_night *n)
{
    for (size_t i = 0; i < charts->count; i++)
        if (charts->chart[i].kind == n->kind && strcmp(charts->chart[i].name, n->name) == 0)
            return &charts->chart[i];
    charts->chart = ub_realloc(charts->chart, (charts->count + 1) * sizeof *charts->chart);
    struct ub_chart *chart = &charts->chart[charts->count++];
    *chart = (struct ub_chart){.kind = n->kind, .name = n->name};
    return chart;
}

static void append(struct ub_chart *c, const struct ub_night *n)
{
    if ((c->count & (c->count - 1)) == 0)
        c->night = ub_realloc(c->night, (2 * c->count + 1) * sizeof *c->night);
    c->night[c->count++] = n;
}

/* Another base, or another kind of machine, is another process. */
static bool same_process(const struct ub_night *a, const struct ub_night *b)
{
    return strcmp(a->base, b->base) == 0 && strcmp(a->cpu, b->cpu) == 0;
}

/* The nights before `night` that limits are made of. `value` has room for them. */
static size_t nights_before(const struct ub_chart *c, size_t night, double *value)
{
    size_t n = 0;
    for (size_t i = 0; i < night; i++)
        if (same_process(c->night[i], c->night[night]) && isfinite(c->night[i]->value) &&
            c->night[i]->drifted == 0)
            value[n++] = c->night[i]->value;
    return n;
}

static void set_limits(struct ub_chart *c, double level)
{
    c->center = ub_calloc(3 * c->count + 1, sizeof *c->center);
    c->low = c->center + c->count;
    c->high = c->low + c->count;
    c->signal = ub_calloc(c->count + 1, sizeof *c->signal);
    double *value = ub_calloc(c->count + 1, sizeof *value);
    for (size_t i = 0; i < c->count; i++) {
        const struct ub_night *night = c->night[i];
        const size_t n = nights_before(c, i, value);
        c->center[i] = c->low[i] = c->high[i] = (double)NAN;
        if (n < 2)
            continue;
        const double spread = ub_deviation(value, n) * sqrt(1 + 1 / (double)n);
        const double width = ub_t_quantile(1 - level / 2, (double)n - 1) * spread;
        const double half = fmax(width, isfinite(night->floor) ? night->floor : 0);
        c->center[i] = ub_mean(value, n);
        c->low[i] = c->center[i] - half;
        c->high[i] = c->center[i] + half;
        c->signal[i] = night->value < c->low[i] || night->value > c->high[i];
    }
    ub_free(value);
}

struct ub_charts ub_history_charts(const struct ub_history *h)
{
    struct ub_charts charts = {0};
    for (size_t i = 0; i < h->count; i++)
        append(chart_of(&charts, &h->night[i]), &h->night[i]);
    for (size_t i = 0; i < charts.count; i++)
        set_limits(&charts.chart[i], shewhart / (double)charts.count);
    return charts;
}

void ub_charts_clear(struct ub_charts *charts)
{
    for (size_t i = 0; i < charts->count; i++) {
        ub_free(charts->chart[i].night);
        ub_free(charts->chart[i].center);
        ub_free(charts->chart[i].signal);
    }
    ub_free(charts->chart);
    *charts = (struct ub_charts){0};
}
