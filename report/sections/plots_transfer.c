/* Transfer of learning rates: the loss at the end against the rate, a line a size of the model and
 * a panel a sweep, controls beside the law's own: where the best rate stays and where it moves. */
#include "report/sections/transfer.h"

#include "report/sections/sections.h"
#include "report/statistics/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 3, MOST_PANELS = 12 };

/* What sizes and rates the rows of a sweep have: ascending, each once. */
struct values {
    size_t count;
    double *value;
};

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct values values_of(const struct ub_frame *frame, const struct ub_rows *rows,
                               const char *column)
{
    struct values v = {.value = ub_calloc(rows->count + 1, sizeof *v.value)};
    size_t n = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const double x = ub_frame_number(frame, rows->row[i], column);
        if (isfinite(x))
            v.value[n++] = x;
    }
    if (n > 1)
        qsort(v.value, n, sizeof *v.value, by_size);
    for (size_t i = 0; i < n; i++)
        if (v.count == 0 || v.value[i] > v.value[v.count - 1])
            v.value[v.count++] = v.value[i];
    return v;
}

/* ---- a sweep -------------------------------------------------------------------------------- */

double transfer_loss(const struct sweep *s, double size, double rate)
{
    double *loss = ub_calloc(s->rows->count + 1, sizeof *loss);
    size_t n = 0;
    for (size_t i = 0; i < s->rows->count; i++) {
        const size_t row = s->rows->row[i];
        if (ub_frame_number(s->frame, row, s->axis) != size ||
            ub_frame_number(s->frame, row, "optimizer.lr") != rate ||
            s->frame->store->runs[row].status != UB_RUN_OK)
            continue;
        const double last = ub_frame_last(s->frame, row, "loss", 0);
        if (isfinite(last))
            loss[n++] = last;
    }
    const double median = n > 0 ? ub_quantile(loss, n, 0.5) : NAN;
    ub_free(loss);
    return median;
}

/* A line a size, from dark for the least to light for the greatest; a ring at its least loss. */
static void plot_size(struct ub_panel *panel, const struct sweep *s, const struct values *sizes,
                      size_t k, const struct values *rates)
{
    double *loss = ub_calloc(rates->count + 1, sizeof *loss);
    size_t best = 0;
    char label[64];
    for (size_t i = 0; i < rates->count; i++) {
        loss[i] = transfer_loss(s, sizes->value[k], rates->value[i]);
        if (isfinite(loss[i]) && (!isfinite(loss[best]) || loss[i] < loss[best]))
            best = i;
    }
    snprintf(label, sizeof label, "%s %g", s->what, sizes->value[k]);
    const double part = sizes->count > 1 ? (double)k / (double)(sizes->count - 1) : 0;
    struct ub_style style = {.shade = 0.02 + 0.85 * part, .label = label};
    ub_panel_line(panel, rates->value, loss, rates->count, style);
    style.label = NULL;
    style.points = style.hollow = true;
    style.point_size = 4.5;
    ub_panel_line(panel, &rates->value[best], &loss[best], 1, style);
    ub_free(loss);
}

static void plot_sweep(struct ub_panel *panel, const struct sweep *s, const char *title)
{
    struct values sizes = values_of(s->frame, s->rows, s->axis);
    struct values rates = values_of(s->frame, s->rows, "optimizer.lr");
    ub_panel_title(panel, title);
    ub_panel_axes(panel, "learning rate", UB_LOG, "training loss at the end", UB_LOG);
    for (size_t k = 0; k < sizes.count; k++)
        plot_size(panel, s, &sizes, k, &rates);
    ub_free(sizes.value);
    ub_free(rates.value);
}

/* ---- the figure ----------------------------------------------------------------------------- */

static const struct ub_law_verdict *verdict_on(const struct study *study, const char *law)
{
    for (size_t i = 0; i < study->n_laws; i++)
        if (strcmp(study->laws[i]->law->name, law) == 0)
            return study->laws[i];
    return NULL;
}

/* Its name, and how its parameters scale, which names leave out where no two groups differ in it.
 */
static void name_sweep(const struct ub_law_verdict *v, const struct ub_frame *frame, size_t i,
                       struct ub_text *out)
{
    const bool control = i >= v->groups.count;
    const size_t g = control ? i - v->groups.count : i;
    const size_t row = (control ? &v->controls : &v->groups)->group[g].row[0];
    const char *scaling = ub_frame_word(frame, row, "model.parametrization");
    ub_text_add(out, "%s", control ? v->control_names[g] : v->names[g]);
    if (*scaling && !strstr(out->data, scaling))
        ub_text_add(out, ", %s", scaling);
    if (control)
        ub_text_add(out, ", must %s", v->control[g] == UB_CONTROL_HOLDS ? "hold" : "fail");
}

static bool plot_transfer(const struct study *study, const char *law, const char *axis,
                          struct plates *plates, struct ub_error *err)
{
    const struct ub_law_verdict *v = verdict_on(study, law);
    const size_t all = v ? v->groups.count + v->controls.count : 0;
    const size_t n = all < MOST_PANELS ? all : MOST_PANELS, columns = n < COLUMNS ? n : COLUMNS;
    if (n == 0)
        return true;
    const char *what = strchr(axis, '.') + 1;
    struct ub_text title = {0}, caption = {0};
    ub_text_add(&title, "Learning rates and %s", what);
    ub_text_add(&caption,
                "Loss at the end against the learning rate, medians over seeds that did not "
                "diverge, a line a %s; ring: its least. Rates at which all seeds diverged have no "
                "point.",
                what);
    if (n < all)
        ub_text_add(&caption, " The first %zu of %zu sweeps.", n, all);
    struct ub_figure *f =
        ub_figure_new(title.data, (int)((n + columns - 1) / columns), (int)columns);
    ub_figure_share(f, true, false);
    ub_figure_caption(f, caption.data);
    for (size_t i = 0; i < n; i++) {
        const bool control = i >= v->groups.count;
        const size_t g = control ? i - v->groups.count : i;
        const struct sweep s = {study->frame, control ? &v->controls.group[g] : &v->groups.group[g],
                                axis, what};
        struct ub_text name = {0};
        name_sweep(v, study->frame, i, &name);
        plot_sweep(ub_figure_panel(f, (int)(i / columns), (int)(i % columns)), &s, name.data);
        ub_text_free(&name);
    }
    const bool good = plates_add(plates, f, law, title.data, caption.data, err);
    ub_text_free(&title);
    ub_text_free(&caption);
    return good;
}

static bool plot_width(const struct study *study, struct plates *plates, struct ub_error *err)
{
    return plot_transfer(study, "lr-transfer", "model.width", plates, err);
}

static bool plot_depth(const struct study *study, struct plates *plates, struct ub_error *err)
{
    return plot_transfer(study, "depth-transfer", "model.depth", plates, err);
}

static const char *const of_width[] = {"lr-transfer", NULL}, *const of_depth[] = {"depth-transfer",
                                                                                  NULL};
const struct ub_section ub_section_width_transfer = {
    .name = "width-transfer", .laws = of_width, .draw = plot_width};
const struct ub_section ub_section_depth_transfer = {
    .name = "depth-transfer", .laws = of_depth, .draw = plot_depth};
