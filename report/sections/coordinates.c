/* The coordinate check of parametrizations (Yang and Hu 2020, arXiv:2011.14522): sizes of
 * activations and of their changes after the same few steps, against width, as curves and as
 * exponents. */
#include "report/sections/coordinates.h"

#include "report/frame/factor.h"

#include <gsl/gsl_fit.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char update_prefix[] = "activation-update.", size_prefix[] = "activation-size.";

/* ---- checks --------------------------------------------------------------------------------- */

static bool is_checked(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return ub_frame_number(frame, row, "width") > 0 &&
           *ub_frame_word(frame, row, "model.parametrization") &&
           ub_frame_has(frame, row, "activation-update.output");
}

/* Parametrizations of these rows. */
static void find_words(struct checks *c, const struct ub_rows *rows)
{
    const struct ub_column *p = ub_frame_column(c->frame, "model.parametrization");
    c->word = ub_calloc(p ? p->n_words + 1 : 1, sizeof *c->word);
    for (size_t w = 0; p && w < p->n_words; w++) {
        bool has = false;
        for (size_t i = 0; i < rows->count && !has; i++)
            has = p->level[rows->row[i]] == (int)w;
        if (has)
            c->word[c->n_words++] = p->words[w];
    }
}

struct checks checks_of(const struct study *study)
{
    static const char *const within[] = {"model.width", "model.parametrization", NULL};
    static const char *const choice[] = {"model.parametrization", NULL};
    static const char *const always[] = {"model", "optimizer", NULL};
    struct checks c = {.frame = study->frame};
    struct ub_rows rows = ub_frame_where(study->frame, NULL, is_checked, NULL);
    c.groups = ub_frame_group(study->frame, &rows, within);
    c.name = ub_frame_group_names(study->frame, &c.groups, always);
    c.choices = ub_calloc(c.groups.count + 1, sizeof *c.choices);
    for (size_t g = 0; g < c.groups.count; g++)
        c.choices[g] = ub_frame_group_by(study->frame, &c.groups.group[g], choice);
    find_words(&c, &rows);
    ub_rows_clear(&rows);
    return c;
}

void checks_clear(struct checks *c)
{
    for (size_t g = 0; g < c->groups.count; g++) {
        ub_free(c->name[g]);
        ub_groups_clear(&c->choices[g]);
    }
    ub_free(c->name);
    ub_free(c->choices);
    ub_free(c->word);
    ub_groups_clear(&c->groups);
}

struct ub_rows check_rows(const struct checks *c, size_t check, size_t word)
{
    const struct ub_groups *choices = &c->choices[check];
    for (size_t k = 0; k < choices->count; k++)
        if (strcmp(ub_frame_word(c->frame, choices->group[k].row[0], "model.parametrization"),
                   c->word[word]) == 0)
            return choices->group[k];
    return (struct ub_rows){0};
}

struct labels check_layers(const struct ub_frame *frame, const struct ub_rows *rows,
                           const char *prefix)
{
    const size_t skip = strlen(prefix);
    struct labels layers = {0};
    for (size_t i = 0; i < rows->count; i++) {
        const struct ub_trace *t = ub_frame_trace(frame, rows->row[i]);
        for (size_t k = 0; t && k < t->n_names; k++)
            if (strncmp(t->names[k], prefix, skip) == 0)
                labels_add(&layers, t->names[k] + skip);
    }
    return layers;
}

/* ---- curves --------------------------------------------------------------------------------- */

struct point {
    double width, value;
};

static int by_width(const void *a, const void *b)
{
    const double x = ((const struct point *)a)->width, y = ((const struct point *)b)->width;
    return (x > y) - (x < y);
}

/* Geometric mean over the runs of each width, widths ascending. Returns how many widths. */
static size_t average_widths(struct point *points, size_t n)
{
    size_t widths = 0;
    if (n > 1)
        qsort(points, n, sizeof *points, by_width);
    for (size_t i = 0; i < n;) {
        double sum = 0;
        size_t k = i;
        for (; k < n && points[k].width == points[i].width; k++)
            sum += log(points[k].value);
        points[widths++] = (struct point){points[i].width, exp(sum / (double)(k - i))};
        i = k;
    }
    return widths;
}

struct curve curve_of(const struct ub_frame *frame, const struct ub_rows *rows, const char *prefix,
                      const char *layer)
{
    struct point *points = ub_calloc(rows->count + 1, sizeof *points);
    struct curve curve = {0};
    struct ub_text name = {0};
    ub_text_add(&name, "%s%s", prefix, layer);
    for (size_t i = 0; i < rows->count; i++) {
        const size_t row = rows->row[i];
        const bool ok = frame->store->runs[row].status == UB_RUN_OK;
        const double value = ok ? ub_frame_last(frame, row, name.data, 0) : (double)NAN;
        if (isfinite(value) && value > 0)
            points[curve.n++] = (struct point){ub_frame_number(frame, row, "width"), value};
    }
    curve.n = average_widths(points, curve.n);
    curve.width = ub_calloc(curve.n + 1, sizeof *curve.width);
    curve.value = ub_calloc(curve.n + 1, sizeof *curve.value);
    for (size_t i = 0; i < curve.n; i++) {
        curve.width[i] = points[i].width;
        curve.value[i] = points[i].value;
    }
    ub_free(points);
    ub_text_free(&name);
    return curve;
}

void curve_clear(struct curve *curve)
{
    ub_free(curve->width);
    ub_free(curve->value);
}

double slope_of(const struct ub_frame *frame, const struct ub_rows *rows, const char *prefix,
                const char *layer)
{
    struct curve curve = curve_of(frame, rows, prefix, layer);
    double at, slope = (double)NAN, c00, c01, c11, rest;
    for (size_t i = 0; i < curve.n; i++) {
        curve.width[i] = log(curve.width[i]);
        curve.value[i] = log(curve.value[i]);
    }
    if (curve.n >= 3)
        gsl_fit_linear(curve.width, 1, curve.value, 1, curve.n, &at, &slope, &c00, &c01, &c11,
                       &rest);
    curve_clear(&curve);
    return slope;
}

void hidden_slopes(const struct ub_frame *frame, const struct ub_rows *rows, double *least,
                   double *most)
{
    struct labels layers = check_layers(frame, rows, update_prefix);
    *least = *most = NAN;
    for (size_t k = 0; k < layers.count; k++) {
        if (strcmp(layers.text[k], "output") == 0)
            continue;
        const double slope = slope_of(frame, rows, update_prefix, layers.text[k]);
        *least = fmin(*least, slope);
        *most = fmax(*most, slope);
    }
    labels_free(&layers);
}

/* ---- section -------------------------------------------------------------------------------- */

/* "0.45", or "0.45 to 0.98" over several hidden layers. */
static void add_hidden(struct table *t, const struct ub_frame *frame, const struct ub_rows *rows)
{
    double least, most;
    hidden_slopes(frame, rows, &least, &most);
    if (isnan(least))
        table_cell(t, "-");
    else if (most - least < 0.005)
        table_cell(t, "%.2f", most);
    else
        table_cell(t, "%.2f to %.2f", least, most);
}

/* "sp hidden", "sp output", and so on. */
static struct table *table_of_words(const struct checks *c)
{
    const size_t columns = 1 + 2 * c->n_words;
    struct ub_text *text = ub_calloc(columns, sizeof *text), align = {0};
    const char **head = ub_calloc(columns + 1, sizeof *head);
    head[0] = "model, optimizer";
    ub_text_add(&align, "l");
    for (size_t k = 1; k < columns; k++) {
        ub_text_add(&text[k], "%s %s", c->word[(k - 1) / 2], k % 2 ? "hidden" : "output");
        ub_text_add(&align, "r");
        head[k] = text[k].data;
    }
    struct table *t = table_new(head, align.data);
    for (size_t k = 0; k < columns; k++)
        ub_text_free(&text[k]);
    ub_text_free(&align);
    ub_free(text);
    ub_free(head);
    return t;
}

struct table *coordinates_table(const struct study *study)
{
    struct checks c = checks_of(study);
    struct table *t = table_of_words(&c);
    for (size_t g = 0; g < c.groups.count; g++) {
        table_cell(t, "%s", c.name[g]);
        for (size_t w = 0; w < c.n_words; w++) {
            const struct ub_rows rows = check_rows(&c, g, w);
            add_hidden(t, c.frame, &rows);
            table_fixed(t, slope_of(c.frame, &rows, update_prefix, "output"), 2);
        }
    }
    checks_clear(&c);
    return t;
}

static const char *const laws[] = {"coordinate-check", NULL};
static const char *const draws[] = {"activation-size.LAYER", "activation-update.LAYER", NULL};
const struct ub_section ub_section_coordinates = {
    .name = "coordinates",
    .laws = laws,
    .draw = plot_coordinates,
    .draws = draws,
    .table = coordinates_table,
    .title = "Coordinate check",
    .text = "Exponents of each layer's change (root mean square, at the last measurement) against "
            "width, fitted to runs that did not diverge; hidden: the least and greatest of the "
            "hidden layers. Theory: 0 everywhere under mup; changes grow under sp, up to "
            "diverging; under ntk gradient descent leaves hidden layers where they are (Yang and "
            "Hu 2020, arXiv:2011.14522).",
};
