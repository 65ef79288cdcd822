/* What each metric came to over all systems; laws and speeds are added by laws.c and speed.c. */
#include "report/compare/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct summary *summaries_add(struct summaries *s, enum ub_history_kind kind, const char *name)
{
    if ((s->count & (s->count - 1)) == 0)
        s->item = ub_realloc(s->item, (2 * s->count + 1) * sizeof *s->item);
    struct summary *item = &s->item[s->count++];
    const struct ub_interval none = {
        .estimate = (double)NAN, .low = (double)NAN, .high = (double)NAN, .se = (double)NAN};
    *item = (struct summary){.kind = kind,
                             .name = ub_strdup(name),
                             .value = none,
                             .value_was = none,
                             .of_drifted = none,
                             .floor = (double)NAN,
                             .verdict = "quiet"};
    return item;
}

void summaries_clear(struct summaries *s)
{
    for (size_t i = 0; i < s->count; i++) {
        ub_free(s->item[i].name);
        ub_free(s->item[i].who);
        ub_free(s->item[i].example);
        ub_free(s->item[i].was);
        ub_free(s->item[i].word);
    }
    ub_free(s->item);
    ub_free(s->no_laws);
    ub_free(s->no_speed);
    *s = (struct summaries){0};
}

void add_change(struct ub_text *out, double change, bool relative)
{
    if (!relative)
        ub_text_add(out, "%+.3g", change);
    else if (fabs(change) < log(2))
        ub_text_add(out, "%+.2g%%", 100 * expm1(change));
    else
        ub_text_add(out, "%s%.3g", change > 0 ? "x" : "/", exp(fabs(change)));
}

/* ---- one metric ----------------------------------------------------------------------------- */

static bool is_relative(const struct drift *d)
{
    return d->how && (d->how->scale == UB_SCALE_LOG ||
                      (strcmp(d->kind, "exact") == 0 && d->base > 0 && d->new_value > 0));
}

/* New less base, on the row's scale; NAN of what is no number, or was none. */
static double change_of(const struct drift *d)
{
    if (!d->how)
        return (double)NAN;
    if (!is_relative(d))
        return d->new_value - d->base;
    if (strcmp(d->kind, "exact") == 0)
        return log(d->new_value / d->base);
    return metric_scaled(d->how, d->new_value) - metric_scaled(d->how, d->base);
}

/* Of one of several. */
static char *example_of(const struct drift *d, bool several)
{
    struct ub_text text = {0};
    char from[UB_REAL_TEXT], to[UB_REAL_TEXT];
    snprintf(from, sizeof from, "%.4g", d->base);
    snprintf(to, sizeof to, "%.4g", d->new_value);
    ub_text_add(&text, "%s -> %s%s", d->base_text ? d->base_text : from,
                d->new_text ? d->new_text : to, strcmp(d->kind, "presence") == 0 ? " values" : "");
    if (several)
        ub_text_add(&text, " in `%s`", d->system->name);
    return text.data;
}

/* One metric's rows, while they are gathered: a system's rows stand together. */
struct gathering {
    size_t systems, changes, drifted;
    size_t *row; /* of the frame, one a system */
    bool *hit;
    double *change, *of_drifted;
    size_t relative;
    const struct drift *first; /* that drifted */
};

static void gather(struct gathering *g, const struct drift *d)
{
    const double change = change_of(d);
    if (g->systems == 0 || g->row[g->systems - 1] != d->system->row) {
        g->row[g->systems] = d->system->row;
        g->hit[g->systems++] = false;
    }
    g->relative += isfinite(change) && is_relative(d);
    if (isfinite(change))
        g->change[g->changes++] = change;
    if (!d->drifted)
        return;
    g->hit[g->systems - 1] = true;
    g->first = g->first ? g->first : d;
    if (isfinite(change))
        g->of_drifted[g->drifted++] = change;
}

static struct ub_interval range_of(const double *x, size_t n)
{
    return (struct ub_interval){.estimate = ub_median(x, n),
                                .low = ub_quantile(x, n, 0),
                                .high = ub_quantile(x, n, 1),
                                .n = n};
}

static void conclude(const struct comparison *c, const struct gathering *g, struct summary *s)
{
    s->systems = g->systems;
    s->relative = g->relative == g->changes && g->changes > 0;
    s->value = ub_sample_mean(g->change, g->changes);
    if (g->changes == 1)
        s->value.estimate = g->change[0];
    s->of_drifted = range_of(g->of_drifted, g->drifted);
    for (size_t i = 0; i < g->systems; i++)
        s->drifted += g->hit[i];
    s->who = who_text(c, g->row, g->hit, g->systems);
    s->example = g->first ? example_of(g->first, s->drifted > 1) : NULL;
    s->verdict = s->drifted ? "drift" : "quiet";
}

static void summarize_metric(const struct comparison *c, const char *metric, struct summaries *out)
{
    struct gathering g = {.row = ub_calloc(c->count + 1, sizeof *g.row),
                          .hit = ub_calloc(c->count + 1, sizeof *g.hit),
                          .change = ub_calloc(2 * c->count + 1, sizeof *g.change)};
    const struct ub_comparison *how = metric_of(metric);
    g.of_drifted = g.change + c->count;
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->row[i].metric, metric) == 0)
            gather(&g, &c->row[i]);
    if (g.systems > 0) {
        struct summary *s = summaries_add(out, UB_HISTORY_OBSERVABLE, metric);
        s->before = how && (how->initial || how->kind == UB_COMPARED_EXACT);
        s->floor = how && how->kind == UB_COMPARED_MEASURED ? how->floor
                   : how && how->kind == UB_COMPARED_EXACT  ? 1e-3
                                                            : (double)NAN;
        conclude(c, &g, s);
    }
    ub_free(g.row);
    ub_free(g.hit);
    ub_free(g.change);
}

/* ---- all of it ------------------------------------------------------------------------------ */

bool summarize(const struct comparison *c, const struct digest *base,
               const struct digest *new_digest, const struct comparison *times,
               struct summaries *out, struct ub_error *err)
{
    *out = (struct summaries){0};
    bool good = summarize_laws(c, base, new_digest, out, err);
    if (good) {
        summarize_metric(c, "status", out);
        for (size_t i = 0; i < c->facts.count; i++)
            if (metric_of(c->facts.text[i]))
                summarize_metric(c, c->facts.text[i], out);
        summarize_speed(times, out);
    }
    if (!good)
        summaries_clear(out);
    return good;
}
