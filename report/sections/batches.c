/* Batch sharpness of stochastic gradient descent: its systems, their edges, and the table of where
 * it settles. */
#include "report/sections/batches.h"

#include "report/frame/factor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double small_edge(const struct recipe *r)
{
    return r->nesterov ? (double)NAN : 1 - r->beta;
}

double large_edge(const struct recipe *r)
{
    return r->nesterov ? (1 + r->beta) / (1 + 2 * r->beta) : 1 + r->beta;
}

/* ---- recipes ------------------------------------------------------------------------------ */

bool batch_is_measured(const struct study *study, size_t row)
{
    return ub_frame_has(study->frame, row, "batch-sharpness") &&
           isfinite(ub_frame_number(study->frame, row, "lr"));
}

static struct recipe recipe_of(const struct ub_frame *frame, size_t system, size_t row)
{
    const struct ub_column *rate = ub_frame_column(frame, "optimizer.lr");
    const double beta = ub_frame_number(frame, row, "optimizer.beta");
    const double batch = ub_frame_number(frame, row, "optimizer.batch");
    return (struct recipe){
        .system = system,
        .row = row,
        .beta = isfinite(beta) ? beta : 0,
        .nesterov = strcmp(ub_frame_word(frame, row, "optimizer.nesterov"), "true") == 0 ||
                    strcmp(ub_frame_word(frame, row, "optimizer"), "nesterov") == 0,
        .batch = batch > 0 ? batch : ub_frame_number(frame, row, "samples"),
        .rate = rate ? rate->level[row] : 0,
    };
}

static int compare(const void *a, const void *b)
{
    const struct recipe *x = a, *y = b;
    if (x->beta < y->beta || x->beta > y->beta)
        return x->beta < y->beta ? -1 : 1;
    if (x->rate != y->rate)
        return x->rate < y->rate ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return (x->batch > y->batch) - (x->batch < y->batch);
}

static void find_recipes(struct recipes *r)
{
    const struct ub_groups *systems = &r->study->systems;
    r->of = ub_calloc(systems->count + 1, sizeof *r->of);
    r->rows.row = ub_calloc(systems->count + 1, sizeof *r->rows.row);
    for (size_t s = 0; s < systems->count; s++) {
        const struct ub_rows *rows = &systems->group[s];
        size_t i = 0;
        while (i < rows->count && !batch_is_measured(r->study, rows->row[i]))
            i++;
        if (i < rows->count)
            r->of[r->count++] = recipe_of(r->study->frame, s, rows->row[i]);
    }
}

static void take_rows(struct recipes *r)
{
    r->rows.count = r->count;
    for (size_t k = 0; k < r->count; k++) {
        r->rows.row[k] = r->of[k].row;
        r->at[r->of[k].row] = k;
    }
}

struct recipes recipes_of(const struct study *study)
{
    static const char *const batch[] = {"optimizer.batch", NULL};
    struct recipes r = {.study = study};
    r.at = ub_calloc(study->frame->rows + 1, sizeof *r.at);
    find_recipes(&r);
    take_rows(&r);
    r.lines = ub_frame_group(study->frame, &r.rows, batch);
    for (size_t line = 0; line < r.lines.count; line++)
        for (size_t i = 0; i < r.lines.group[line].count; i++)
            r.of[r.at[r.lines.group[line].row[i]]].line = line;
    if (r.count > 1)
        qsort(r.of, r.count, sizeof *r.of, compare);
    take_rows(&r);
    return r;
}

void recipes_clear(struct recipes *r)
{
    ub_groups_clear(&r->lines);
    ub_rows_clear(&r->rows);
    ub_free(r->of);
    ub_free(r->at);
}

char *line_name(const struct recipes *r, size_t line)
{
    static const char *const always[] = {"optimizer.beta", "optimizer.lr", NULL};
    return ub_frame_group_name_with(r->study->frame, &r->lines, line, always);
}

/* ---- panels --------------------------------------------------------------------------------- */

struct ub_groups batch_panels(const struct recipes *r, bool batches_apart, size_t most,
                              size_t *rung)
{
    static const char *const batch[] = {"optimizer.batch", NULL};
    static const char *const apart[] = {"optimizer", "optimizer.batch", "optimizer.beta",
                                        "optimizer.nesterov", NULL};
    static const char *const momentum[] = {"optimizer", "optimizer.beta", "optimizer.nesterov",
                                           NULL};
    static const char *const optimizer[] = {"optimizer", NULL};
    static const char *const all[] = {NULL};
    const char *const *const by[] = {batches_apart ? apart : momentum, optimizer, all};
    const struct ub_frame *frame = r->study->frame;
    struct ub_groups g = ub_frame_group(frame, &r->rows, batches_apart ? NULL : batch);
    *rung = 0;
    while (g.count > most && *rung < sizeof by / sizeof *by) {
        ub_groups_clear(&g);
        g = ub_frame_group_by(frame, &r->rows, by[(*rung)++]);
    }
    return g;
}

/* ---- levels --------------------------------------------------------------------------------- */

static double late_median(const struct ub_frame *frame, size_t row, const char *observable,
                          double scale)
{
    struct ub_series s = ub_frame_series(frame, row, observable, 0);
    const double median =
        s.count > 0 ? scale * ub_median(s.value + s.count / 2, s.count - s.count / 2) : (double)NAN;
    ub_series_clear(&s);
    return median;
}

static void level_add(struct level *l, double value)
{
    l->runs++;
    if (!isfinite(value)) {
        l->lost++;
        return;
    }
    l->mean += (value - l->mean) / (double)(l->runs - l->lost);
    l->low = fmin(l->low, value);
    l->high = fmax(l->high, value);
}

struct level batch_level(const struct recipes *r, const struct recipe *recipe,
                         const char *observable)
{
    const struct ub_frame *frame = r->study->frame;
    const struct ub_rows *rows = &r->study->systems.group[recipe->system];
    struct level l = {.mean = 0, .low = INFINITY, .high = -INFINITY};
    for (size_t i = 0; i < rows->count; i++) {
        const size_t row = rows->row[i];
        const bool lost =
            frame->store->runs[row].status == UB_RUN_DIVERGED || !batch_is_measured(r->study, row);
        level_add(
            &l, lost ? (double)NAN
                     : late_median(frame, row, observable, ub_frame_number(frame, row, "lr") / 2));
    }
    if (l.runs == l.lost)
        l.mean = l.low = l.high = NAN;
    return l;
}

/* ---- section -------------------------------------------------------------------------------- */

static void range_cell(struct table *t, const struct level *l, double edge)
{
    if (!isfinite(l->mean / edge))
        table_cell(t, "-");
    else
        table_cell(t, "%.3f [%.3f, %.3f]", l->mean / edge, l->low / edge, l->high / edge);
}

struct table *batches_table(const struct study *study)
{
    static const char *const head[] = {"system",
                                       "batch",
                                       "beta",
                                       "diverged or failed",
                                       "batch sharpness over its edge, small batches",
                                       "whole set",
                                       "full-batch sharpness over its edge",
                                       NULL};
    struct table *t = table_new(head, "lrrrrrr");
    struct recipes r = recipes_of(study);
    for (size_t k = 0; k < r.count; k++) {
        const struct recipe *recipe = &r.of[k];
        const struct level batch = batch_level(&r, recipe, "batch-sharpness");
        const struct level full = batch_level(&r, recipe, "sharpness");
        table_cell(t, "%s", study->system_name[recipe->system]);
        table_cell(t, "%.0f", recipe->batch);
        table_cell(t, "%g", recipe->beta);
        table_cell(t, "%zu of %zu", batch.lost, batch.runs);
        range_cell(t, &batch, small_edge(recipe));
        range_cell(t, &batch, large_edge(recipe));
        range_cell(t, &full, large_edge(recipe));
    }
    recipes_clear(&r);
    return t;
}

bool plot_batches(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct recipes r = recipes_of(study);
    const bool good =
        r.count == 0 || (plot_batch_steps(&r, plates, err) && plot_batch_settled(&r, plates, err));
    recipes_clear(&r);
    return good;
}

static const char *const laws[] = {"batch-sharpness", NULL};
static const char *const draws[] = {"batch-sharpness", NULL};
const struct ub_section ub_section_batches = {
    .name = "batches",
    .laws = laws,
    .draw = plot_batches,
    .draws = draws,
    .table = batches_table,
    .title = "Batch sharpness",
    .text = "Medians over the second half of each run, then means over seeds that did not "
            "diverge, with the least and the greatest. Without momentum both edges are 2/lr "
            "(Andreyev and Beneventano 2024, arXiv:2412.20553; with momentum arXiv:2604.14108).",
};
