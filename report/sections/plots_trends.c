/* How a number of runs goes with another, of laws that fit that (laws/trend.h): the points, the fit
 * with its 95% band, and what theory says, a panel a system. */
#include "report/sections/board.h"
#include "report/sections/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 3, MOST_SYSTEMS = 6, MOST_CONTROLS = 3, PLACES = 41 };
enum { MOST_SEEDS = 8, MOST_X = 60 }; /* points at one x; different x in a panel */

struct panel {
    const struct ub_rows *rows;
    const struct ub_datum *datum;
    enum forest_look look;
};

struct picture {
    const struct ub_law_verdict *law;
    const struct ub_law_trend *trend;
    size_t count;
    struct panel panel[MOST_SYSTEMS + MOST_CONTROLS];
    size_t systems, speak; /* all; that have a value */
    bool summarized, thinned, predicted;
};

/* ---- which systems -------------------------------------------------------------------------- */

struct ranked {
    size_t group;
    double value;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    const int order = (x->value > y->value) - (x->value < y->value);
    return order ? order : (x->group > y->group) - (x->group < y->group);
}

/* Of many the least, the greatest and those evenly between, by rank. */
static void choose_systems(struct picture *p)
{
    const struct ub_law_verdict *v = p->law;
    struct ranked *rank = ub_calloc(v->groups.count + 1, sizeof *rank);
    for (size_t g = 0; g < v->groups.count; g++)
        if (!v->data[g].why)
            rank[p->speak++] = (struct ranked){g, board_value(&v->law->is, &v->data[g])};
    if (p->speak)
        qsort(rank, p->speak, sizeof *rank, by_value);
    const size_t n = p->speak < MOST_SYSTEMS ? p->speak : MOST_SYSTEMS;
    for (size_t i = 0; i < n; i++) {
        const size_t g = rank[n == p->speak ? i : i * (p->speak - 1) / (n - 1)].group;
        p->panel[p->count++] =
            (struct panel){&v->groups.group[g], &v->data[g], forest_look_of(v, g)};
    }
    p->systems = v->groups.count;
    ub_free(rank);
}

/* The first of each kind before others. */
static void choose_controls(struct picture *p)
{
    const struct ub_law_verdict *v = p->law;
    bool *taken = ub_calloc(v->controls.count + 1, sizeof *taken);
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        bool seen[2] = {false, false};
        for (size_t g = 0; g < v->controls.count && n < MOST_CONTROLS; g++) {
            const bool fails = v->control[g] == UB_CONTROL_FAILS;
            if (v->control_data[g].why || taken[g] || (pass == 0 && seen[fails]))
                continue;
            seen[fails] = taken[g] = true;
            n++;
            p->panel[p->count++] = (struct panel){&v->controls.group[g], &v->control_data[g],
                                                  fails ? MUST_FAIL : MUST_HOLD};
        }
    }
    ub_free(taken);
}

/* ---- points --------------------------------------------------------------------------------- */

static int by_x(const void *a, const void *b)
{
    const struct ub_axis_point *p = a, *q = b;
    return (p->x > q->x) - (p->x < q->x);
}

static bool is_placed(const struct picture *p, const struct ub_axis_point *point)
{
    const bool finite = isfinite(point->x) && isfinite(point->y);
    return finite && (p->trend->fit == UB_FIT_LINE ||
                      (point->x > 0 && (point->y > 0 || p->trend->fit == UB_FIT_MEANS)));
}

/* Those that have a place on the axes, by x. */
static size_t sort_points(const struct picture *p, struct ub_axis_point *point, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (is_placed(p, &point[i]))
            point[n++] = point[i];
    if (n)
        qsort(point, n, sizeof *point, by_x);
    return n;
}

static size_t same_x(const struct ub_axis_point *p, size_t n)
{
    size_t count = 1;
    while (count < n && p[count].x == p[0].x)
        count++;
    return count;
}

static size_t different_x(const struct ub_axis_point *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i += same_x(p + i, n - i))
        count++;
    return count;
}

static size_t most_at_one(const struct ub_axis_point *p, size_t n)
{
    size_t most = 0;
    for (size_t i = 0, count; i < n; i += count) {
        count = same_x(p + i, n - i);
        most = count > most ? count : most;
    }
    return most;
}

/* Of each x the mean and its 95% interval (of means), or the median and the middle 80%. A mean that
 * is not above `floor`, the end of a logarithmic axis, stands there, its bar going on. */
static void draw_spread(struct ub_panel *panel, const struct picture *p,
                        const struct ub_axis_point *point, size_t n, double floor,
                        struct ub_style style)
{
    double *x = ub_calloc(5 * n + 5, sizeof *x), *y = x + n, *low = y + n, *high = low + n,
           *own = high + n;
    size_t kept = 0;
    for (size_t i = 0, count; i < n; i += count, kept++) {
        count = same_x(point + i, n - i);
        for (size_t k = 0; k < count; k++)
            own[k] = point[i + k].y;
        x[kept] = point[i].x;
        if (p->trend->fit == UB_FIT_MEANS) {
            const struct ub_interval mean = ub_sample_mean(own, count);
            y[kept] = fmax(mean.estimate, floor);
            low[kept] = isfinite(mean.low) ? mean.low : mean.estimate;
            high[kept] = fmax(isfinite(mean.high) ? mean.high : mean.estimate, y[kept]);
            low[kept] = low[kept] <= floor ? -INFINITY : low[kept];
        } else {
            y[kept] = ub_quantile(own, count, 0.5);
            low[kept] = ub_quantile(own, count, 0.1);
            high[kept] = ub_quantile(own, count, 0.9);
        }
    }
    ub_panel_bars(panel, UB_VERTICAL, x, y, low, high, kept, style);
    ub_free(x);
}

static void draw_points(struct ub_panel *panel, struct picture *p,
                        const struct ub_axis_point *point, size_t n, double floor,
                        struct ub_style style)
{
    if (p->trend->fit == UB_FIT_MEANS || most_at_one(point, n) > MOST_SEEDS) {
        p->summarized = true;
        draw_spread(panel, p, point, n, floor, style);
        return;
    }
    const bool logarithmic = p->trend->fit != UB_FIT_LINE;
    const double range =
        logarithmic ? log(point[n - 1].x / point[0].x) : point[n - 1].x - point[0].x;
    const double step = different_x(point, n) > MOST_X ? range / MOST_X : 0;
    double *x = ub_calloc(2 * n + 2, sizeof *x), *y = x + n + 1, last = point[0].x;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const double on = logarithmic ? log(point[i].x / last) : point[i].x - last;
        if (on > 0 && on < step)
            continue;
        last = point[i].x;
        x[kept] = point[i].x;
        y[kept++] = point[i].y;
    }
    p->thinned = p->thinned || kept < n;
    style.points = true;
    style.alpha = 0.7;
    ub_panel_line(panel, x, y, kept, style);
    ub_free(x);
}

/* ---- the fit, and theory -------------------------------------------------------------------- */

static void places_between(double low, double high, bool logarithmic, double *x)
{
    for (int i = 0; i < PLACES; i++) {
        const double part = (double)i / (PLACES - 1);
        x[i] = logarithmic ? low * pow(high / low, part) : low + part * (high - low);
    }
}

/* Its slope through the middle of the fit. */
static void draw_predicted_slope(struct ub_panel *panel, const struct picture *p,
                                 const struct panel *own, const double *x,
                                 const struct ub_interval *at)
{
    const double slope = own->datum->predicts ? own->datum->prediction : p->law->law->is.target;
    const int middle = PLACES / 2;
    double y[PLACES];
    for (int i = 0; i < PLACES; i++)
        y[i] = p->trend->fit == UB_FIT_LINE ? at[middle].estimate + slope * (x[i] - x[middle])
                                            : at[middle].estimate * pow(x[i] / x[middle], slope);
    ub_panel_line(
        panel, x, y, PLACES,
        (struct ub_style){
            .color = 6, .dashed = true, .bare = true, .width = 1.2, .label = "predicted slope"});
}

/* Returns a tenth of the least of the fit's line, where the axis of means may end. */
static double draw_fit(struct ub_panel *panel, struct picture *p, const struct panel *own,
                       const struct ub_axis_point *point, size_t n, struct ub_style style)
{
    const bool means = p->trend->fit == UB_FIT_MEANS;
    double floor = INFINITY;
    struct ub_interval at[PLACES];
    double x[PLACES], y[PLACES], low[PLACES], high[PLACES];
    places_between(point[0].x, point[n - 1].x, p->trend->fit != UB_FIT_LINE, x);
    if (!ub_axis_band(point, n, p->trend->fit, x, PLACES, at))
        return 0;
    for (int i = 0; i < PLACES; i++)
        floor = fmin(floor, at[i].estimate / 10);
    for (int i = 0; i < PLACES; i++) {
        y[i] = at[i].estimate;
        low[i] = means ? fmax(at[i].low, floor) : at[i].low;
        high[i] = at[i].high;
    }
    ub_panel_line(panel, x, y, PLACES, style);
    style.alpha = 0.25;
    if (isfinite(low[0]) && isfinite(high[0]))
        ub_panel_band(panel, x, low, high, PLACES, style);
    if (p->trend->is_slope) {
        p->predicted = true;
        draw_predicted_slope(panel, p, own, x, at);
    }
    return floor;
}

/* Means at each x. */
static void draw_prediction(struct ub_panel *panel, struct picture *p, struct ub_trend *t)
{
    const size_t n = sort_points(p, t->predicted, t->n_predicted);
    if (n == 0)
        return;
    double *x = ub_calloc(2 * n + 2, sizeof *x), *y = x + n + 1;
    size_t kept = 0;
    for (size_t i = 0, count; i < n; i += count, kept++) {
        count = same_x(t->predicted + i, n - i);
        x[kept] = t->predicted[i].x;
        for (size_t k = 0; k < count; k++)
            y[kept] += t->predicted[i + k].y / (double)count;
    }
    p->predicted = true;
    ub_panel_line(
        panel, x, y, kept,
        (struct ub_style){
            .color = 6, .dashed = true, .bare = true, .width = 1.2, .label = "predicted"});
    ub_free(x);
}

/* ---- panels --------------------------------------------------------------------------------- */

/* "-1.02 [-1.05, -0.99]", with the interval to two digits. */
static void add_value(struct ub_text *out, const struct ub_datum *d)
{
    enum { MOST_DIGITS = 4 };
    const struct ub_interval at = ub_datum_interval(d);
    const double wide = at.high - at.low;
    if (!(wide > 0) || !isfinite(wide)) {
        ub_text_add(out, "%.3g", d->value);
        return;
    }
    const int digits = (int)fmax(0, 1 - floor(log10(wide / 2)));
    if (digits > MOST_DIGITS) {
        ub_text_add(out, "%.*g", MOST_DIGITS, d->value);
        return;
    }
    ub_text_add(out, "%.*f [%.*f, %.*f]", digits, d->value, digits, at.low, digits, at.high);
}

/* Means of a power law below 0 are drawn upside down: a logarithmic axis has no other place. */
static bool turn_up(const struct picture *p, struct ub_trend *t)
{
    struct ub_interval at;
    const double x = t->count ? t->point[0].x : 0;
    if (p->trend->fit != UB_FIT_MEANS || !(x > 0) ||
        !ub_axis_band(t->point, t->count, p->trend->fit, &x, 1, &at) || at.estimate > 0)
        return false;
    for (size_t i = 0; i < t->count; i++)
        t->point[i].y = -t->point[i].y;
    return true;
}

static void draw_panel(struct ub_panel *panel, struct picture *p, const struct panel *own,
                       const struct ub_frame *frame, const char *name)
{
    const enum ub_axis_scale scale = p->trend->fit == UB_FIT_LINE ? UB_LINEAR : UB_LOG;
    struct ub_trend t = {0};
    struct ub_text title = {0}, y = {0};
    p->trend->points(frame, own->rows, &t);
    ub_text_add(&y, "%s%s", turn_up(p, &t) ? "minus " : "", p->trend->y);
    add_value(&title, own->datum);
    if (p->trend->is_slope && own->datum->predicts)
        ub_text_add(&title, ", predicted %.3g", own->datum->prediction);
    ub_text_add(&title, "%s%s", *name ? ": " : "", name);
    ub_panel_title(panel, title.data);
    ub_panel_axes(panel, p->trend->x, scale, y.data, scale);
    const size_t n = sort_points(p, t.point, t.count);
    struct ub_style style = {.color = forest_color[own->look],
                             .width = 1.4,
                             .point_size = 3,
                             .bare = true,
                             .hollow = own->look >= MUST_HOLD};
    if (n > 0) {
        const double floor = draw_fit(panel, p, own, t.point, n, style);
        style.label = forest_label[own->look];
        draw_points(panel, p, t.point, n, p->trend->fit == UB_FIT_MEANS ? floor : -INFINITY, style);
        draw_prediction(panel, p, &t);
    }
    ub_trend_clear(&t);
    ub_text_free(&title);
    ub_text_free(&y);
}

static void caption_of(const struct picture *p, struct ub_text *out)
{
    const size_t shown = p->speak < MOST_SYSTEMS ? p->speak : MOST_SYSTEMS;
    const char *single = p->trend->values ? p->trend->values : "single values";
    const char *some = p->thinned ? ", some of them" : "";
    if (p->trend->fit == UB_FIT_MEANS)
        ub_text_add(out, "Means with their 95%% intervals (arrows: on to 0 and below)");
    else if (p->summarized)
        ub_text_add(out,
                    "Points: %s or, of more than %d at one place, their median, and in bars "
                    "their middle 80%%",
                    single, MOST_SEEDS);
    else
        ub_text_add(out, "Points: %s%s", single, some);
    ub_text_add(out, "%s",
                p->trend->fit == UB_FIT_NONE ? "" : "; line: the fit, with its 95% band");
    if (p->predicted)
        ub_text_add(out, "; dashed: %s",
                    p->trend->is_slope ? "the predicted slope, through the fit's middle"
                                       : "what theory says, without a fit");
    ub_text_add(out, ". Above each: the law's value (%s) with its 95%% interval.",
                p->law->law->quantity);
    if (shown < p->speak)
        ub_text_add(out,
                    " Shown: %zu of %zu systems, evenly over the ranks of their values; all are in "
                    "the table.",
                    shown, p->speak);
    if (p->speak < p->systems)
        ub_text_add(out, " Left out: %zu system%s without a value.", p->systems - p->speak,
                    p->systems - p->speak == 1 ? "" : "s");
}

/* What tells apart those that are shown; alone, what it is. */
static char **names_of(const struct picture *p, const struct ub_frame *frame)
{
    static const char *const alone[] = {"model", "dataset", NULL};
    struct ub_groups shown = {.count = p->count,
                              .group = ub_calloc(p->count + 1, sizeof *shown.group)};
    for (size_t i = 0; i < p->count; i++)
        shown.group[i] = *p->panel[i].rows;
    char **names = ub_frame_group_names(frame, &shown, p->count == 1 ? alone : NULL);
    ub_free(shown.group);
    return names;
}

static bool plot_trend(const struct ub_law_verdict *v, const struct ub_frame *frame,
                       struct plates *plates, struct ub_error *err)
{
    struct picture p = {.law = v, .trend = v->law->trend};
    choose_systems(&p);
    choose_controls(&p);
    if (p.count == 0)
        return true;
    const size_t columns = p.count < COLUMNS ? p.count : COLUMNS;
    struct ub_text title = {0}, caption = {0}, stem = {0};
    ub_text_add(&title, "%s: %s against %s", v->law->name, p.trend->y, p.trend->x);
    ub_text_add(&stem, "trend-%s", v->law->name);
    char **names = names_of(&p, frame);
    struct ub_figure *f =
        ub_figure_new(title.data, (int)((p.count + columns - 1) / columns), (int)columns);
    for (size_t i = 0; i < p.count; i++)
        draw_panel(ub_figure_panel(f, (int)(i / columns), (int)(i % columns)), &p, &p.panel[i],
                   frame, names[i]);
    caption_of(&p, &caption);
    ub_figure_caption(f, caption.data);
    const bool good = plates_add(plates, f, stem.data, title.data, caption.data, err);
    ub_names_free(names, p.count);
    ub_text_free(&title);
    ub_text_free(&caption);
    ub_text_free(&stem);
    return good;
}

bool plot_trends(const struct board *board, struct plates *plates, struct ub_error *err)
{
    bool good = true;
    for (size_t i = 0; good && i < board->count; i++) {
        const struct ub_law_verdict *v = board->verdict[i];
        plates->section = v->law->name;
        if (v->law->trend)
            good = plot_trend(v, board->frame, plates, err);
    }
    plates->section = NULL;
    return good;
}
