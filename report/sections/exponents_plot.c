/* Exponents of matrices against the exponent of the data: a panel a matrix, a color an
 * architecture, a column of points a dataset. */
#include "report/sections/exponents.h"

#include <math.h>
#include <stdlib.h>

enum { COLUMNS = 2, MOST_BARS = 16 /* of datasets; the text has more */ };

/* Between architectures of a dataset, of the panel's width, so that all are seen; between the bars
 * of datasets, of its height. */
static const double offset = 0.008, line = 0.04;

/* A run's point in a panel; false when it has none. */
static bool point_of(const struct exponents *e, size_t i, enum matrix_of m,
                     struct ub_interval *data)
{
    return fit_is_used(&e->runs[i].last[m], ANY_FITS) &&
           exponent_of_data(e, e->datasets.of[e->runs[i].run], ANY_FITS, data);
}

static void draw_architecture(struct ub_panel *panel, const struct exponents *e, enum matrix_of m,
                              size_t k, double width)
{
    const struct ub_rows *rows = &e->architectures.groups.group[k];
    const double middle = ((double)e->architectures.groups.count - 1) / 2;
    bool labelled = false;
    for (size_t i = 0; i < rows->count; i++) {
        const struct run_exponents *run = &e->runs[e->at[rows->row[i]]];
        const double *fit = run->last[m].fit;
        struct ub_interval data;
        if (!point_of(e, e->at[rows->row[i]], m, &data))
            continue;
        const double x = data.estimate + offset * width * ((double)k - middle);
        struct ub_style style = {
            .color = (int)(k % 8), .width = 1, .alpha = 0.3, .point_size = 0.5};
        ub_panel_bars(panel, UB_VERTICAL, &x, &fit[UB_EXPONENT], &fit[UB_EXPONENT_LOW],
                      &fit[UB_EXPONENT_HIGH], 1, style); /* pale: points are to be seen first */
        style.alpha = 0.9;
        style.points = true;
        style.point_size = 2.8;
        style.hollow = run->last[m].fate != POWER_FITS;
        style.label = labelled ? NULL : e->architectures.name[k];
        ub_panel_line(panel, &x, &fit[UB_EXPONENT], 1, style);
        labelled = true;
    }
}

/* ---- the data's own exponents: a bar each above the points, by letter, in order ------------- */

struct dataset {
    const char *name;
    struct ub_interval exponent;
};
struct datasets {
    size_t count;
    struct dataset *of; /* by exponent, ascending */
};

static int by_exponent(const void *a, const void *b)
{
    const double x = ((const struct dataset *)a)->exponent.estimate;
    const double y = ((const struct dataset *)b)->exponent.estimate;
    return (x > y) - (x < y);
}

/* Those that some panel has a point of. */
static struct datasets datasets_of(const struct exponents *e)
{
    const struct ub_groups *groups = &e->datasets.groups;
    struct datasets d = {.of = ub_calloc(groups->count + 1, sizeof *d.of)};
    for (size_t k = 0; k < groups->count; k++) {
        struct ub_interval exponent;
        bool has = false;
        for (size_t i = 0; i < groups->group[k].count && !has; i++)
            for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES && !has; m++)
                has = point_of(e, e->at[groups->group[k].row[i]], (enum matrix_of)m, &exponent);
        if (has)
            d.of[d.count++] = (struct dataset){e->datasets.name[k], exponent};
    }
    if (d.count > 1)
        qsort(d.of, d.count, sizeof *d.of, by_exponent);
    return d;
}

/* What a panel's axes show. The highest exponents and wide intervals do not set it: they are cut.
 */
struct extent {
    double left, right, high;
};

static struct extent extent_of(const struct exponents *e, enum matrix_of m,
                               const struct datasets *d)
{
    const double least = d->of[0].exponent.estimate, most = d->of[d->count - 1].exponent.estimate;
    const size_t bars = d->count <= MOST_BARS ? d->count : 0;
    const double margin = 0.15 * fmax(most - least, 0.4);
    double *y = ub_calloc(e->count + 1, sizeof *y);
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++) {
        struct ub_interval data;
        if (point_of(e, i, m, &data))
            y[n++] = e->runs[i].last[m].fit[UB_EXPONENT];
    }
    const double top = 1.2 * fmax(ub_quantile(y, n, 0.95), 0.5);
    ub_free(y);
    return (struct extent){least - margin, most + margin, top / (1 - line * (double)(bars + 1))};
}

static void draw_datasets(struct ub_panel *panel, const struct datasets *d, const struct extent *x)
{
    for (size_t k = 0; d->count <= MOST_BARS && k < d->count; k++) {
        const struct ub_interval *at = &d->of[k].exponent;
        const double y = x->high * (1 - line * (double)(k + 1));
        const double low = fmax(at->low, x->left), high = fmin(at->high, x->right);
        const char letter[] = {(char)('a' + (int)k), 0};
        ub_panel_bars(panel, UB_HORIZONTAL, &at->estimate, &y, &low, &high, 1,
                      (struct ub_style){.color = -1, .width = 1, .point_size = 2.2});
        ub_panel_text(panel, at->estimate + 0.012 * (x->right - x->left), y + 0.25 * line * x->high,
                      letter);
    }
}

static void name_datasets(const struct datasets *d, struct ub_text *out)
{
    if (d->count > MOST_BARS) {
        ub_text_add(out, " Exponents of the inputs of %zu datasets stand in the text.", d->count);
        return;
    }
    for (size_t k = 0; k < d->count; k++)
        ub_text_add(out, "%s%c %s %.2f [%.2f, %.2f]", k ? "; " : " Data: ", (char)('a' + (int)k),
                    d->of[k].name, d->of[k].exponent.estimate, d->of[k].exponent.low,
                    d->of[k].exponent.high);
    ub_text_add(out, "%s", d->count ? "." : "");
}

static bool has_points(const struct exponents *e, enum matrix_of m)
{
    struct ub_interval data;
    for (size_t i = 0; i < e->count; i++)
        if (point_of(e, i, m, &data))
            return true;
    return false;
}

static void plot_matrix(struct ub_panel *panel, const struct exponents *e, enum matrix_of m,
                        const struct datasets *data)
{
    const struct extent x = extent_of(e, m, data);
    ub_panel_title(panel, exponent_matrices[m]);
    ub_panel_axes(panel, "exponent of the inputs' covariance", UB_LINEAR, "exponent", UB_LINEAR);
    ub_panel_range(panel, UB_HORIZONTAL, x.left, x.right);
    ub_panel_range(panel, UB_VERTICAL, 0, x.high);
    ub_panel_line(panel, (double[]){x.left, x.right}, (double[]){x.left, x.right}, 2,
                  (struct ub_style){.color = -1, .width = 1, .dashed = true});
    for (size_t k = 0; k < e->architectures.groups.count; k++)
        draw_architecture(panel, e, m, k, x.right - x.left);
    draw_datasets(panel, data, &x);
}

bool plot_exponents(const struct exponents *e, struct plates *plates, struct ub_error *err)
{
    static const char title[] = "Exponents of all matrices against the data's";
    enum matrix_of chosen[EXPONENT_MATRICES];
    size_t n = 0;
    for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES; m++)
        if (has_points(e, (enum matrix_of)m))
            chosen[n++] = (enum matrix_of)m;
    if (n == 0)
        return true;
    const size_t columns = n < COLUMNS ? n : COLUMNS;
    const size_t rows = (n + columns - 1) / columns;
    const struct datasets data = datasets_of(e);
    struct ub_figure *f = ub_figure_new(title, (int)rows, (int)columns);
    for (size_t i = 0; i < n; i++)
        plot_matrix(ub_figure_panel(f, (int)(i / columns), (int)(i % columns)), e, chosen[i],
                    &data);
    struct ub_text caption = {0};
    ub_text_add(&caption,
                "At the last measurement of each run, with 95%% intervals; the highest are cut. "
                "Color: architecture (side by side within a dataset); hollow: another form fits "
                "better than the power law; bars above: exponents of the inputs; dashed: equal "
                "exponents.");
    name_datasets(&data, &caption);
    ub_free(data.of);
    const bool good = plates_add(plates, f, "exponents", title, caption.data, err);
    ub_text_free(&caption);
    return good;
}

static bool draw(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct exponents *e = exponents_of(study);
    const bool good = plot_exponents(e, plates, err);
    exponents_free(e);
    return good;
}

static struct table *table(const struct study *study)
{
    struct exponents *e = exponents_of(study);
    struct table *t = exponents_table(e);
    exponents_free(e);
    return t;
}

static void write(struct pieces *out, const struct study *study)
{
    struct exponents *e = exponents_of(study);
    add_universality(out, e);
    exponents_free(e);
}

static const char *const laws[] = {"spectral-decay-first-layer", "spectral-decay-last-layer",
                                   "spectral-decay-kernel",      "spectral-decay-gauss-newton",
                                   "spectral-decay-hessian",     NULL};
const struct ub_section ub_section_exponents = {
    .name = "exponents",
    .laws = laws,
    .draw = draw,
    .table = table,
    .title = "Spectral decay",
    .text = "Exponents of eigenvalue against rank at the last measurement: means over seeds of "
            "those that are power laws, from the least end of their 95% intervals to the greatest, "
            "and how many are, where not all; else the form that fits better (BIC). Layers: "
            "covariance of activations. Every fit, the first and the last of each run and layer: "
            "[spectra.csv](spectra.csv).",
    .rows = "systems",
    .write = write,
};
