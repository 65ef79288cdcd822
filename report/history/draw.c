/* Control charts as figures, and a page of what gave a signal. */
#include "report/history/history.h"

#include "report/figure/figure.h"
#include "report/tables/table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { ROWS = 4, ACROSS = 3, PANELS = ROWS * ACROSS };
enum { INK = 0, ALARM = 1, GRAY = -1 }; /* of the palette */

/* A log-ratio as a percentage of change; else as it is. */
static double shown(const struct ub_chart *c, double value)
{
    return c->night[c->count - 1]->relative ? 100 * expm1(value) : value;
}

static void draw_points(struct ub_panel *p, const struct ub_chart *c, const double *x, double *y)
{
    for (int signal = 0; signal < 2; signal++) {
        for (size_t i = 0; i < c->count; i++) {
            const bool marked = c->signal[i] || c->night[i]->drifted > 0;
            y[i] = marked == (signal == 1) ? shown(c, c->night[i]->value) : (double)NAN;
        }
        ub_panel_line(p, x, y, c->count,
                      (struct ub_style){.color = signal ? ALARM : INK,
                                        .points = true,
                                        .hollow = signal == 1,
                                        .point_size = signal ? 5 : 3});
    }
}

static void draw_limits(struct ub_panel *p, const struct ub_chart *c, const double *x, double *y)
{
    const double *const lines[] = {c->center, c->low, c->high};
    for (int k = 0; k < 3; k++) {
        for (size_t i = 0; i < c->count; i++)
            y[i] = shown(c, lines[k][i]);
        ub_panel_line(p, x, y, c->count,
                      (struct ub_style){.color = GRAY, .dashed = k > 0, .width = 1});
    }
}

/* Room for the values, and for the last limits where these are not far off, as after few nights. */
static void set_range(struct ub_panel *p, const struct ub_chart *c)
{
    const size_t last = c->count - 1;
    double low = (double)NAN, high = (double)NAN;
    for (size_t i = 0; i < c->count; i++) {
        low = fmin(low, shown(c, c->night[i]->value));
        high = fmax(high, shown(c, c->night[i]->value));
    }
    const double wide = 10 * fmax(high - low, fabs(shown(c, c->night[last]->floor)));
    if (shown(c, c->high[last]) - shown(c, c->low[last]) < wide) {
        low = fmin(low, shown(c, c->low[last]));
        high = fmax(high, shown(c, c->high[last]));
    }
    const double room = 0.05 * (high - low);
    if (room > 0)
        ub_panel_range(p, UB_VERTICAL, low - room, high + room);
}

static void draw_chart(struct ub_panel *p, const struct ub_chart *c)
{
    double *x = ub_calloc(2 * c->count + 1, sizeof *x), *y = x + c->count;
    for (size_t i = 0; i < c->count; i++)
        x[i] = (double)(i + 1);
    ub_panel_title(p, c->name);
    ub_panel_axes(p, "night", UB_LINEAR,
                  c->kind == UB_HISTORY_LAW          ? "mean over systems"
                  : c->night[c->count - 1]->relative ? "change, %"
                                                     : "change",
                  UB_LINEAR);
    set_range(p, c);
    draw_limits(p, c, x, y);
    draw_points(p, c, x, y);
    ub_free(x);
}

static const char caption[] =
    "Dashed: limits from the spread between the nights before, of the same base and CPU model, at "
    "0.27% over all charts (Shewhart 1931; Quesenberry 1991), no nearer than a change to which "
    "nobody objects. Rings: drift from the base, or beyond the limits.";

/* n charts of one kind, PANELS at most. */
static bool draw_page(const struct ub_charts *charts, const size_t *of_kind, size_t n, size_t page,
                      const char *folder, struct ub_error *err)
{
    const enum ub_history_kind kind = charts->chart[of_kind[0]].kind;
    const int rows = (int)((n + ACROSS - 1) / ACROSS), across = n < ACROSS ? (int)n : ACROSS;
    struct ub_text title = {0}, name = {0};
    ub_text_add(&title, "Nightlies: %s", ub_history_kind_names[kind]);
    ub_text_add(&name, "history-%s-%zu", ub_history_kind_names[kind], page);
    struct ub_figure *f = ub_figure_new(title.data, rows, across);
    ub_figure_caption(f, caption);
    for (size_t i = 0; i < n; i++)
        draw_chart(ub_figure_panel(f, (int)(i / (size_t)across), (int)(i % (size_t)across)),
                   &charts->chart[of_kind[i]]);
    char *stem = ub_path(folder, name.data);
    const bool good = ub_figure_save(f, stem, NULL, 0, err);
    ub_figure_free(f);
    ub_free(stem);
    ub_text_free(&title);
    ub_text_free(&name);
    return good;
}

static bool draw_kind(const struct ub_charts *charts, enum ub_history_kind kind, const char *folder,
                      struct ub_text *page, struct ub_error *err)
{
    size_t *of_kind = ub_calloc(charts->count + 1, sizeof *of_kind), n = 0;
    bool good = true;
    for (size_t i = 0; i < charts->count; i++)
        if (charts->chart[i].kind == kind)
            of_kind[n++] = i;
    for (size_t i = 0, number = 1; good && i < n; i += PANELS, number++) {
        good = draw_page(charts, of_kind + i, n - i < PANELS ? n - i : PANELS, number, folder, err);
        ub_text_add(page, "\n![Nightlies: %s, %zu](history-%s-%zu.png)\n",
                    ub_history_kind_names[kind], number, ub_history_kind_names[kind], number);
    }
    ub_free(of_kind);
    return good;
}

/* ---- the page ------------------------------------------------------------------------------- */

static void add_signal(struct table *t, const struct ub_chart *c, size_t i)
{
    const struct ub_night *n = c->night[i];
    table_cell(t, "%s", n->date);
    table_cell(t, "%s", n->commit);
    table_cell(t, "%s %s", ub_history_kind_names[c->kind], c->name);
    table_real(t, shown(c, n->value), 4);
    table_real(t, shown(c, c->low[i]), 4);
    table_real(t, shown(c, c->high[i]), 4);
    table_cell(t, "%" PRId64 " of %" PRId64, n->drifted, n->systems);
}

static void add_signals(struct ub_text *page, const struct ub_charts *charts)
{
    static const char *const head[] = {"night", "commit", "what",    "value",
                                       "low",   "high",   "drifted", NULL};
    struct table *t = table_new(head, "lllrrrr");
    for (size_t i = 0; i < charts->count; i++)
        for (size_t k = 0; k < charts->chart[i].count; k++)
            if (charts->chart[i].signal[k] || charts->chart[i].night[k]->drifted > 0)
                add_signal(t, &charts->chart[i], k);
    if (table_rows(t) == 0)
        ub_text_add(page, "\nNothing drifted, and nothing was beyond its limits.\n");
    else
        ub_text_add(page,
                    "\nWhat drifted from the base, or was beyond its limits; changes in %%, or "
                    "in the metric's units:\n\n");
    if (table_rows(t) > 0)
        table_markdown(t, page);
    table_free(t);
}

static size_t count_nights(const struct ub_history *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++)
        n += i == 0 || strcmp(h->night[i].date, h->night[i - 1].date) != 0;
    return n;
}

bool ub_history_draw(const struct ub_history *h, const char *folder, struct ub_error *err)
{
    struct ub_charts charts = ub_history_charts(h);
    struct ub_text page = {0};
    const size_t nights = count_nights(h);
    bool good = ub_make_folders(folder, err);
    ub_text_add(&page, "# Nightlies\n\n%zu night%s, %zu charts", nights, nights == 1 ? "" : "s",
                charts.count);
    if (h->count)
        ub_text_add(&page, ", from %s to %s", h->night[0].date, h->night[h->count - 1].date);
    ub_text_add(&page, ".\n");
    add_signals(&page, &charts);
    for (int kind = 0; good && kind < UB_HISTORY_KINDS; kind++)
        good = draw_kind(&charts, (enum ub_history_kind)kind, folder, &page, err);
    char *path = ub_path(folder, "history.md");
    good = good && ub_write_file(path, page.data, page.length, err);
    ub_free(path);
    ub_text_free(&page);
    ub_charts_clear(&charts);
    return good;
}
