/* The figure that every law has: its systems one below the other. */
#include "report/sections/board.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAMED = 48 };

double board_value(const struct ub_claim *claim, const struct ub_datum *d)
{
    const double prediction = d->predicts ? d->prediction : claim->target;
    if (d->why || !isfinite(d->value))
        return (double)NAN;
    if (claim->is == UB_EXACT)
        return fabs(d->value - prediction) / fabs(prediction);
    return claim->is == UB_EQUAL ? d->value - prediction + claim->target : d->value;
}

/* ---- rows -------------------------------------------------------------------------------- */

/* Ordinary groups that meet the claim, that do not, and controls: each of another color. */
enum look { MEETS, BEYOND, MUST_HOLD, MUST_FAIL, LOOKS };
static const char *const look_label[LOOKS] = {"meets the claim", "does not", "control: must hold",
                                              "control: must fail"};
static const int look_color[LOOKS] = {0, 1, 5, 4};

struct row {
    double value, low, high;
    enum look look;
    char *name; /* owned */
};

static struct row row_of(const struct ub_claim *claim, const struct ub_datum *d, enum look look)
{
    const double value = board_value(claim, d);
    const struct ub_interval own = ub_datum_interval(d);
    const double half = claim->is == UB_EXACT ? 0 : (own.high - own.low) / 2;
    return (struct row){value, value - half, value + half, look, NULL};
}

/* Controls last, else by value. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    const int p = x->look >= MUST_HOLD ? (int)x->look : 0,
              q = y->look >= MUST_HOLD ? (int)y->look : 0;
    return p != q ? p - q : (x->value > y->value) - (x->value < y->value);
}

static size_t rows_of(const struct ub_law_verdict *v, const struct ub_frame *frame, struct row *out)
{
    size_t n = 0;
    for (size_t g = 0; g < v->groups.count; g++) {
        out[n] = row_of(&v->law->is, &v->data[g], v->judgment.meets[g] ? MEETS : BEYOND);
        if (isfinite(out[n].value))
            out[n++].name = ub_strdup(v->names[g]);
    }
    for (size_t g = 0; g < v->controls.count; g++) {
        const bool holds = v->control[g] == UB_CONTROL_HOLDS;
        out[n] = row_of(&v->law->is, &v->control_data[g], holds ? MUST_HOLD : MUST_FAIL);
        if (isfinite(out[n].value))
            out[n++].name = ub_frame_group_name(frame, &v->controls, g);
    }
    qsort(out, n, sizeof *out, compare_rows);
    return n;
}

/* ---- the axis ---------------------------------------------------------------------------- */

static bool is_logarithmic(const struct ub_claim *claim, const struct row *row, size_t n)
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(row[i].value > 0))
            return false;
        least = fmin(least, row[i].value);
        most = fmax(most, row[i].value);
    }
    return claim->is == UB_EXACT || most > 30 * least;
}

/* From the ordinary rows' quartiles five times their distance to either side, and at least twice
 * the margin about the target; no further than what there is. */
static void range_of(const struct ub_claim *claim, const struct row *row, size_t n, double *low,
                     double *high)
{
    double *x = ub_calloc(n + 1, sizeof *x), least = INFINITY, most = -INFINITY;
    size_t plain = 0;
    for (size_t i = 0; i < n; i++) {
        if (row[i].look < MUST_HOLD)
            x[plain++] = row[i].value;
        least = fmin(least, row[i].low);
        most = fmax(most, row[i].high);
    }
    const double first = ub_quantile(x, plain, 0.25), third = ub_quantile(x, plain, 0.75);
    const double reach = fmax(5 * (third - first), claim->is == UB_EQUAL ? 3 * claim->margin : 0);
    const double center = isfinite(first) ? first : claim->target;
    *low = fmax(least, fmin(center, claim->target) - reach);
    *high = fmin(most, fmax(isfinite(third) ? third : claim->target, claim->target) + reach);
    if (claim->is == UB_EQUAL) {
        *low = fmin(*low, claim->target - 2 * claim->margin);
        *high = fmax(*high, claim->target + 2 * claim->margin);
    }
    if (claim->is != UB_EQUAL && !(reach > 0)) {
        *low = fmin(least, claim->target);
        *high = fmax(most, claim->target);
    }
    const double pad = 0.05 * (*high - *low);
    *low -= pad;
    *high += pad;
    ub_free(x);
}

/* ---- the panel --------------------------------------------------------------------------- */

static void draw_claim(struct ub_panel *p, const struct ub_law_verdict *v, bool logarithmic)
{
    const struct ub_claim *claim = &v->law->is;
    const struct ub_interval *next = &v->judgment.meta.prediction;
    const struct ub_style margin = {.color = 2, .alpha = 0.25},
                          new_one = {.color = -1, .alpha = 0.18};
    const bool spread = claim->is == UB_SAME || claim->is == UB_EXACT;
    if (!spread && !logarithmic && isfinite(next->low) && isfinite(next->high))
        ub_panel_shade(p, UB_VERTICAL, next->low, next->high, new_one);
    if (claim->is == UB_EQUAL)
        ub_panel_shade(p, UB_VERTICAL, claim->target - claim->margin, claim->target + claim->margin,
                       margin);
    if (claim->is != UB_SAME)
        ub_panel_rule(p, UB_VERTICAL, claim->is == UB_EXACT ? claim->margin : claim->target, NULL);
}

static void draw_rows(struct ub_panel *p, const struct row *row, size_t n, double low, double high,
                      enum look look)
{
    double *x = ub_calloc(4 * n + 4, sizeof *x), *y = x + n, *from = y + n, *to = from + n;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (row[i].look != look)
            continue;
        x[count] = fmin(fmax(row[i].value, low), high);
        y[count] = (double)i;
        from[count] = fmin(fmax(row[i].low, low), high);
        to[count++] = fmin(fmax(row[i].high, low), high);
    }
    if (count)
        ub_panel_bars(p, UB_HORIZONTAL, x, y, from, to, count,
                      (struct ub_style){.color = look_color[look],
                                        .label = look_label[look],
                                        .hollow = look >= MUST_HOLD,
                                        .point_size = n > MOST_NAMED ? 2 : 4});
    ub_free(x);
}

static void draw_panel(struct ub_panel *p, const struct ub_law_verdict *v, struct row *row,
                       size_t n)
{
    const bool logarithmic = is_logarithmic(&v->law->is, row, n);
    double low, high;
    range_of(&v->law->is, row, n, &low, &high);
    if (logarithmic) {
        low = 0;
        high = INFINITY;
    }
    ub_panel_axes(p, v->law->is.is == UB_EXACT ? "relative error" : v->law->quantity,
                  logarithmic ? UB_LOG : UB_LINEAR, "", UB_LINEAR);
    if (!logarithmic)
        ub_panel_range(p, UB_HORIZONTAL, low, high);
    ub_panel_range(p, UB_VERTICAL, -0.7, (double)n - 0.3);
    draw_claim(p, v, logarithmic);
    for (int look = 0; look < LOOKS; look++)
        draw_rows(p, row, n, low, high, (enum look)look);
    const char **names = ub_calloc(n + 1, sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = n > MOST_NAMED ? "" : row[i].name;
    ub_panel_categories(p, UB_VERTICAL, names, n);
    ub_free(names);
}

static void caption_of(const struct ub_law_verdict *v, size_t n, struct ub_text *out)
{
    struct ub_text claim = {0};
    board_claim(&v->law->is, &claim);
    ub_text_add(out,
                "%s: %s, claimed: %s (line and green band). One row a system, with its 95%% "
                "interval; gray: where a new system is expected; rings: controls",
                v->law->name, v->law->quantity, claim.data);
    if (n > MOST_NAMED)
        ub_text_add(out, "; names are in the table");
    ub_text_add(out, ".");
    ub_text_free(&claim);
}

static bool plot_forest(const struct ub_law_verdict *v, const struct ub_frame *frame,
                        struct plates *plates, struct ub_error *err)
{
    struct row *row = ub_calloc(v->groups.count + v->controls.count + 1, sizeof *row);
    const size_t n = rows_of(v, frame, row);
    bool good = true;
    if (n > 0) {
        struct ub_text title = {0}, caption = {0}, stem = {0};
        ub_text_add(&title, "%s: %s", v->law->name, ub_law_word(v));
        ub_text_add(&stem, "law-%s", v->law->name);
        caption_of(v, n, &caption);
        struct ub_figure *f = ub_figure_new(title.data, 1, 1);
        ub_figure_size(f, 900, fmin(1400, 190 + (n > MOST_NAMED ? 5 : 19) * (double)n));
        draw_panel(ub_figure_panel(f, 0, 0), v, row, n);
        good = plates_add(plates, f, stem.data, title.data, caption.data, err);
        ub_text_free(&title);
        ub_text_free(&caption);
        ub_text_free(&stem);
    }
    for (size_t i = 0; i < n; i++)
        ub_free(row[i].name);
    ub_free(row);
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
