/* The figure that every law has: its systems one below the other. */
#include "report/sections/forest.h"

#include "report/sections/board.h"

#include <math.h>
#include <string.h>

const char *const forest_label[FOREST_LOOKS] = {"meets the claim",
                                                "unclear: off it, not past doubt", "does not",
                                                "control: must hold", "control: must fail"};
static const char unclear_cluster[] = "unclear: spread not past doubt, or alone";
const int forest_color[FOREST_LOOKS] = {0, -1, 1, 5, 4};

double board_value(const struct ub_claim *claim, const struct ub_datum *d)
{
    const double prediction = d->predicts ? d->prediction : claim->target;
    if (d->why || !isfinite(d->value))
        return (double)NAN;
    if (claim->is == UB_EXACT)
        return fabs(d->value - prediction) / fabs(prediction);
    return claim->is == UB_EQUAL ? d->value - prediction + claim->target : d->value;
}

/* ---- what is claimed --------------------------------------------------------------------- */

static bool shows_prediction(const struct forest *f)
{
    const struct ub_claim *claim = &f->verdict->law->is;
    const struct ub_interval *next = &f->verdict->judgment.meta.prediction;
    return claim->is != UB_SAME && claim->is != UB_EXACT && !f->logarithmic &&
           isfinite(next->low) && isfinite(next->high);
}

static void draw_claim(struct ub_panel *p, const struct forest *f)
{
    const struct ub_claim *claim = &f->verdict->law->is;
    const struct ub_interval *next = &f->verdict->judgment.meta.prediction;
    const double target = f->deviations ? 0 : claim->target;
    const struct ub_style margin = {.color = 2, .alpha = 0.25},
                          new_one = {.color = -1, .alpha = 0.18};
    if (shows_prediction(f))
        ub_panel_shade(p, UB_VERTICAL, next->low, next->high, new_one);
    if (claim->is == UB_EQUAL || f->deviations)
        ub_panel_shade(p, UB_VERTICAL, target - claim->margin, target + claim->margin, margin);
    if (claim->is != UB_SAME || f->deviations)
        ub_panel_rule(p, UB_VERTICAL, claim->is == UB_EXACT ? claim->margin : target, NULL);
}

/* The place of a row: clusters stand a row apart. */
static double place_of(const struct forest *f, size_t row)
{
    return (double)row + (f->n_clusters && !f->deviations ? f->row[row].cluster : 0);
}

static size_t places(const struct forest *f)
{
    return f->count + (f->n_clusters && !f->deviations ? f->n_clusters - 1 : 0);
}

/* Sameness: of each cluster its mean, and the margin to both sides of it. */
static void draw_clusters(struct ub_panel *p, const struct forest *f)
{
    const double margin = f->verdict->law->is.margin;
    for (size_t c = 0; !f->deviations && c < f->n_clusters; c++) {
        const struct forest_cluster *k = &f->cluster[c];
        const double top = place_of(f, k->first) - 0.6, mean[] = {k->mean, k->mean},
                     bottom = place_of(f, k->first + k->count - 1) + 0.6,
                     ends[] = {k->mean - margin, k->mean + margin};
        ub_panel_band(p, ends, (double[]){top, top}, (double[]){bottom, bottom}, 2,
                      (struct ub_style){.color = 2, .alpha = 0.25, .label = "mean ± margin"});
        ub_panel_line(p, mean, (double[]){top, bottom}, 2,
                      (struct ub_style){.color = 6, .width = 1.2, .label = "cluster's mean"});
    }
}

/* ---- rows -------------------------------------------------------------------------------- */

/* Rows of one look at their places; one beyond the axis at its end, its bar going on. */
static void draw_look(struct ub_panel *p, const struct forest *f, const size_t *row,
                      const double *place, size_t n, enum forest_look look, struct ub_style style)
{
    double *x = ub_calloc(4 * n + 4, sizeof *x), *y = x + n, *from = y + n, *to = from + n;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const struct forest_row *r = &f->row[row[i]];
        if (r->look != look)
            continue;
        x[count] = fmin(fmax(r->value, f->low), f->high);
        y[count] = place[i];
        from[count] = r->value < f->low ? -INFINITY : fmin(r->low, x[count]);
        to[count] = r->value > f->high ? INFINITY : fmax(r->high, x[count]);
        count++;
    }
    const bool same = f->verdict->law->is.is == UB_SAME;
    style.color = forest_color[look];
    style.label = same && look == UNCLEAR ? unclear_cluster : forest_label[look];
    style.hollow = look >= MUST_HOLD;
    if (count)
        ub_panel_bars(p, UB_HORIZONTAL, x, y, from, to, count, style);
    ub_free(x);
}

static void set_axis(struct ub_panel *p, const struct forest *f)
{
    const struct ub_law *law = f->verdict->law;
    struct ub_text label = {0};
    ub_text_add(&label, "%s%s", law->is.is == UB_EXACT ? "relative error" : law->quantity,
                f->deviations ? ", less its cluster's mean" : "");
    ub_panel_axes(p, label.data, f->logarithmic ? UB_LOG : UB_LINEAR, "", UB_LINEAR);
    ub_text_free(&label);
    const double pad = 0.05; /* room for a marker, and an arrow, at the end */
    if (f->logarithmic) {
        const double factor = pow(f->high / f->low, pad);
        ub_panel_range(p, UB_HORIZONTAL, f->low / factor, f->high * factor);
        return;
    }
    const double span = f->high > f->low ? f->high - f->low : fmax(1e-12, fabs(f->low));
    ub_panel_range(p, UB_HORIZONTAL, f->low - pad * span, f->high + pad * span);
}

/* Of a row at the axis' end its value, too. */
static char *label_of(const struct forest *f, size_t row)
{
    const struct forest_row *r = &f->row[row];
    struct ub_text text = {0};
    ub_text_add(&text, "%s", r->name);
    if (r->value < f->low || r->value > f->high)
        ub_text_add(&text, " (at %.3g)", r->value);
    return text.data;
}

/* Some rows by name, at places 0 .. n_places - 1. */
static void draw_named(struct ub_panel *p, const struct forest *f, const size_t *row,
                       const double *place, size_t n, size_t n_places)
{
    char **names = ub_calloc(n_places + 1, sizeof *names);
    set_axis(p, f);
    draw_claim(p, f);
    draw_clusters(p, f);
    for (int look = 0; look < FOREST_LOOKS; look++)
        draw_look(p, f, row, place, n, (enum forest_look)look, (struct ub_style){.point_size = 4});
    for (size_t i = 0; i < n; i++)
        names[(size_t)place[i]] = label_of(f, row[i]);
    for (size_t i = 0; i < n_places; i++)
        names[i] = names[i] ? names[i] : ub_strdup("");
    ub_panel_categories(p, UB_VERTICAL, (const char *const *)names, n_places);
    for (size_t i = 0; i < n_places; i++)
        ub_free(names[i]);
    ub_free(names);
}

/* All systems in order, from the top down, by the share of them that has come. */
static void draw_summary(struct ub_panel *p, const struct forest *f)
{
    size_t *row = ub_calloc(f->count + 1, sizeof *row), n = 0;
    double *place = ub_calloc(f->count + 1, sizeof *place);
    for (size_t i = 0; i < f->count; i++)
        if (f->row[i].look < MUST_HOLD)
            row[n++] = i;
    for (size_t i = 0; i < n; i++)
        place[i] = ((double)i + 0.5) / (double)n;
    ub_panel_title(p, "all systems in order: their share up to the value");
    set_axis(p, f);
    ub_panel_range(p, UB_VERTICAL, 0, 1);
    draw_claim(p, f);
    for (int look = 0; look < MUST_HOLD; look++)
        draw_look(p, f, row, place, n, (enum forest_look)look,
                  (struct ub_style){.point_size = 2, .width = 0.6});
    ub_free(row);
    ub_free(place);
}

/* ---- the figure -------------------------------------------------------------------------- */

static size_t rows_of_look(const struct forest *f, enum forest_look from, enum forest_look to)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        n += f->row[i].look >= from && f->row[i].look <= to;
    return n;
}

static bool some_goes_on(const struct forest *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct forest_row *r = &f->row[i];
        if (fmin(r->value, r->low) < f->low || fmax(r->value, r->high) > f->high)
            return true;
    }
    return false;
}

static bool some_has_interval(const struct forest *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->row[i].high > f->row[i].low)
            return true;
    return false;
}

static void add_what_is_claimed(const struct forest *f, struct ub_text *out)
{
    const struct ub_law *law = f->verdict->law;
    struct ub_text claim = {0};
    board_claim(&law->is, &claim);
    ub_text_add(out, "%s: %s, claimed: %s", law->name, law->quantity, claim.data);
    if (f->deviations)
        ub_text_add(out, " (line: the mean of its cluster; green band: the margin about it, which "
                         "the standard deviation between a cluster's systems is held against)");
    else if (law->is.is == UB_SAME)
        ub_text_add(out, " within a cluster (line: its mean; green band: the margin about it, "
                         "which the standard deviation between its systems is held against)");
    else
        ub_text_add(out, "%s", law->is.is == UB_EQUAL ? " (line and green band)" : " (line)");
    ub_text_free(&claim);
}

/* Says what is drawn, and no more. */
static void caption_of(const struct forest *f, struct ub_text *out)
{
    const bool summary = f->count > FOREST_MOST;
    const size_t controls = rows_of_look(f, MUST_HOLD, MUST_FAIL),
                 beyond = rows_of_look(f, BEYOND, BEYOND), systems = f->count - controls;
    add_what_is_claimed(f, out);
    if (summary)
        ub_text_add(out, ". Above: all %zu systems in order of value", systems);
    else
        ub_text_add(out, ". One row a system");
    if (some_has_interval(f))
        ub_text_add(out, ", with %s", summary ? "their 95% intervals" : "its 95% interval");
    if (summary && beyond > FOREST_NAMED)
        ub_text_add(out, "; beneath, by name: the %d farthest of %zu that do not meet it",
                    FOREST_NAMED, beyond);
    else if (summary && beyond > 0)
        ub_text_add(out, "; beneath, by name: those that do not meet it");
    ub_text_add(out, "%s", some_goes_on(f) ? "; arrows: on beyond the axis" : "");
    ub_text_add(out, "%s",
                shows_prediction(f) ? "; gray band: where a new system is expected" : "");
    if (rows_of_look(f, UNCLEAR, UNCLEAR) > 0)
        ub_text_add(out, f->n_clusters ? "; gray points: clusters beyond it, but not past doubt, "
                                         "and systems alone in theirs"
                                       : "; gray points: off it, but not past doubt");
    if (controls > 0)
        ub_text_add(out, "; rings: controls%s", summary ? " (beneath)" : "");
    ub_text_add(out, "%s.", summary ? "; all names are in the table" : "");
}

/* Above all values, beneath the rows that are named. */
static struct ub_figure *summary_of(const struct forest *f, const char *title)
{
    size_t *row = ub_calloc(f->count + 1, sizeof *row);
    double *place = ub_calloc(f->count + 1, sizeof *place);
    const size_t named = forest_named(f, row);
    for (size_t i = 0; i < named; i++)
        place[i] = (double)i;
    struct ub_figure *figure = ub_figure_new(title, named ? 2 : 1, 1);
    ub_figure_size(figure, 900, 0);
    draw_summary(ub_figure_panel(figure, 0, 0), f);
    if (named)
        draw_named(ub_figure_panel(figure, 1, 0), f, row, place, named, named);
    ub_free(row);
    ub_free(place);
    return figure;
}

static struct ub_figure *rows_of(const struct forest *f, const char *title)
{
    size_t *row = ub_calloc(f->count + 1, sizeof *row);
    double *place = ub_calloc(f->count + 1, sizeof *place);
    for (size_t i = 0; i < f->count; i++) {
        row[i] = i;
        place[i] = place_of(f, i);
    }
    struct ub_figure *figure = ub_figure_new(title, 1, 1);
    ub_figure_size(figure, 900, 190 + 19 * (double)places(f));
    draw_named(ub_figure_panel(figure, 0, 0), f, row, place, f->count, places(f));
    ub_free(row);
    ub_free(place);
    return figure;
}

static bool plot_forest(const struct ub_law_verdict *v, const struct ub_frame *frame,
                        struct plates *plates, struct ub_error *err)
{
    struct forest f = forest_of(v, frame);
    bool good = true;
    if (f.count > 0) {
        struct ub_text title = {0}, caption = {0}, stem = {0};
        ub_text_add(&title, "%s: %s", v->law->name, ub_law_word(v));
        ub_text_add(&stem, "law-%s", v->law->name);
        struct ub_figure *figure =
            f.count > FOREST_MOST ? summary_of(&f, title.data) : rows_of(&f, title.data);
        caption_of(&f, &caption);
        good = plates_add(plates, figure, stem.data, title.data, caption.data, err);
        ub_text_free(&title);
        ub_text_free(&caption);
        ub_text_free(&stem);
    }
    forest_clear(&f);
    return good;
}

bool plot_forests(const struct board *board, struct plates *plates, struct ub_error *err)
{
    bool good = true;
    for (int strand = 0; strand < UB_STRANDS; strand++)
        for (size_t i = 0; good && i < board->count; i++)
            if ((int)board->verdict[i]->law->strand == strand) {
                plates->section = board->verdict[i]->law->name;
                good = plot_forest(board->verdict[i], board->frame, plates, err);
            }
    plates->section = NULL;
    return good;
}
