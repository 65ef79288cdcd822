/* Many lines in one panel. */
#include "report/sections/crowd.h"

#include "report/statistics/statistics.h"

#include <math.h>
#include <stdlib.h>

enum { FEWEST_POINTS = 3 /* of a curve */, STRETCHES = 64, WHOLE = 200, KEPT = 200 };

const char crowd_caption[] =
    "Where more than 12 runs share a panel: their median, and the band that "
    "holds 80% of their values.";

static void thin(struct ub_series *line)
{
    const size_t stride = (line->count + KEPT - 1) / KEPT;
    size_t n = 0;
    for (size_t i = 0; i < line->count; i += stride, n++) {
        line->step[n] = line->step[i];
        line->value[n] = line->value[i];
    }
    line->count = n;
    line->step = ub_realloc(line->step, n * sizeof *line->step);
    line->value = ub_realloc(line->value, n * sizeof *line->value);
}

bool crowd_add(struct crowd *c, struct ub_series line)
{
    if (line.count < (c->fewest ? c->fewest : FEWEST_POINTS)) {
        ub_series_clear(&line);
        return false;
    }
    if (c->thin || c->count >= WHOLE)
        thin(&line);
    c->line = ub_realloc(c->line, (c->count + 1) * sizeof *c->line);
    c->line[c->count++] = line;
    return true;
}

void crowd_clear(struct crowd *c)
{
    for (size_t i = 0; i < c->count; i++)
        ub_series_clear(&c->line[i]);
    ub_free(c->line);
    *c = (struct crowd){0};
}

/* ---- summaries ------------------------------------------------------------------------------ */

struct point {
    double x, y;
};

static int by_x(const void *a, const void *b)
{
    const double x = ((const struct point *)a)->x, y = ((const struct point *)b)->x;
    return (x > y) - (x < y);
}

/* All finite points of all lines, by step. */
static struct point *points_of(const struct crowd *c, size_t *count)
{
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        n += c->line[i].count;
    struct point *p = ub_calloc(n + 1, sizeof *p);
    *count = 0;
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->line[i].count; k++)
            if (isfinite(c->line[i].value[k]))
                p[(*count)++] = (struct point){c->line[i].step[k], c->line[i].value[k]};
    if (*count > 1)
        qsort(p, *count, sizeof *p, by_x);
    return p;
}

struct summary {
    size_t n;
    double x[STRETCHES + 1], low[STRETCHES + 1], middle[STRETCHES + 1], high[STRETCHES + 1];
};

static void add_stretch(struct summary *s, const struct point *p, size_t n, double *work)
{
    for (size_t i = 0; i < n; i++)
        work[i] = p[i].y;
    s->x[s->n] = p[n / 2].x;
    s->low[s->n] = ub_quantile(work, n, 0.1);
    s->middle[s->n] = ub_quantile(work, n, 0.5);
    s->high[s->n++] = ub_quantile(work, n, 0.9);
}

/* Stretches of at least as many points as there are lines; one step is never cut in two. */
static struct summary summary_of(const struct crowd *c)
{
    struct summary s = {0};
    size_t n;
    struct point *p = points_of(c, &n);
    double *work = ub_calloc(n + 1, sizeof *work);
    const size_t share = (n + STRETCHES - 1) / STRETCHES;
    const size_t least = share > c->count ? share : c->count;
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && (to - from < least || p[to].x <= p[to - 1].x); to++)
            ;
        add_stretch(&s, p + from, to - from, work);
    }
    ub_free(work);
    ub_free(p);
    return s;
}

void crowd_draw(struct ub_panel *panel, const struct crowd *c, bool summarize,
                struct ub_style style)
{
    if (!summarize) {
        for (size_t i = 0; i < c->count; i++)
            ub_panel_line(panel, c->line[i].step, c->line[i].value, c->line[i].count, style);
        return;
    }
    const struct summary s = summary_of(c);
    struct ub_style band = style;
    band.label = NULL;
    band.alpha = 0.2;
    style.width = 1.8;
    style.alpha = 0;
    ub_panel_band(panel, s.x, s.low, s.high, s.n, band);
    ub_panel_line(panel, s.x, s.middle, s.n, style);
}
