/* Many lines in one panel. */
#include "report/sections/crowd.h"

#include "report/statistics/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_POINTS = 3 /* of a curve */, STRETCHES = 64, WHOLE = 200, KEPT = 200 };

const char crowd_caption[] = "Where more than 12 runs share a panel: their median, and the band "
                             "that holds 80% of them; a gap "
                             "where some end.";

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

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The different steps of all lines, ascending. */
static double *steps_of(const struct crowd *c, size_t *count)
{
    size_t n = 0, all = 0;
    for (size_t i = 0; i < c->count; i++)
        all += c->line[i].count;
    double *step = ub_calloc(all + 1, sizeof *step);
    for (size_t i = 0; i < c->count; i++) {
        memcpy(step + n, c->line[i].step, c->line[i].count * sizeof *step);
        n += c->line[i].count;
    }
    if (n > 1)
        qsort(step, n, sizeof *step, by_size);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (*count == 0 || step[i] > step[*count - 1])
            step[(*count)++] = step[i];
    return step;
}

/* A line's value in a stretch: the median of its values there; of one that was measured before and
 * after it, but not in it, what the straight line between says. NAN where it is not. */
static double value_of(const struct ub_series *line, double from, double to, double *work)
{
    size_t n = 0, before = SIZE_MAX, after = SIZE_MAX;
    for (size_t k = 0; k < line->count; k++) {
        if (!isfinite(line->value[k]))
            continue;
        if (line->step[k] >= from && line->step[k] <= to)
            work[n++] = line->value[k];
        else if (line->step[k] < from)
            before = k;
        else if (after == SIZE_MAX)
            after = k;
    }
    if (n > 0)
        return ub_quantile(work, n, 0.5);
    if (before == SIZE_MAX || after == SIZE_MAX)
        return NAN;
    const double share =
        ((from + to) / 2 - line->step[before]) / (line->step[after] - line->step[before]);
    return line->value[before] + share * (line->value[after] - line->value[before]);
}

struct summary {
    size_t n, lines; /* of the last stretch */
    double x[2 * STRETCHES], low[2 * STRETCHES], middle[2 * STRETCHES], high[2 * STRETCHES];
};

/* Where other lines go on than those before, a gap: medians of different lines do not join. */
static void add_stretch(struct summary *s, const struct crowd *c, double from, double to,
                        double *value, double *work)
{
    const double change = 0.1;
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        const double v = value_of(&c->line[i], from, to, work);
        if (isfinite(v))
            value[n++] = v;
    }
    if (n == 0)
        return;
    if (s->lines > 0 && fabs((double)n - (double)s->lines) > change * (double)s->lines) {
        s->x[s->n] = from;
        s->low[s->n] = s->middle[s->n] = s->high[s->n] = NAN;
        s->n++;
    }
    s->lines = n;
    s->x[s->n] = (from + to) / 2;
    s->low[s->n] = ub_quantile(value, n, 0.1);
    s->middle[s->n] = ub_quantile(value, n, 0.5);
    s->high[s->n++] = ub_quantile(value, n, 0.9);
}

/* Stretches of about as many different steps each. */
static struct summary summary_of(const struct crowd *c)
{
    struct summary s = {0};
    size_t n, longest = 0;
    double *step = steps_of(c, &n), *value = ub_calloc(c->count + 1, sizeof *value);
    for (size_t i = 0; i < c->count; i++)
        longest = c->line[i].count > longest ? c->line[i].count : longest;
    double *work = ub_calloc(longest + 1, sizeof *work);
    const size_t stretches = n < STRETCHES ? n : STRETCHES;
    for (size_t k = 0; k < stretches; k++)
        add_stretch(&s, c, step[k * n / stretches], step[(k + 1) * n / stretches - 1], value, work);
    ub_free(work);
    ub_free(value);
    ub_free(step);
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
