/* Exponents of matrices against the exponent of the data: a panel a matrix, a color an
 * architecture, a column of points a dataset. */
#include "report/sections/exponents.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 2, MOST_DATASETS = 16 };

/* Between architectures of a dataset, of the panel's width, so that all are seen; between the bars
 * of datasets, of its height. */
static const double offset = 0.008, line = 0.04;

/* A run's point in a panel; false when it has none. */
static bool point_of(const struct exponents *e, size_t i, enum matrix_of m,
                     struct ub_interval *data)
{
    return fit_is_used(&e->runs[i].last[m], ANY_FITS) &&
           exponent_of_data(e, exponents_spec(e, i)->dataset, ANY_FITS, data);
}

static struct labels architectures_of(const struct exponents *e)
{
    struct labels names = {0};
    for (size_t i = 0; i < e->count; i++) {
        char *name = architecture_of(exponents_spec(e, i));
        labels_add(&names, name);
        ub_free(name);
    }
    return names;
}

static void draw_architecture(struct ub_panel *panel, const struct exponents *e, enum matrix_of m,
                              const struct labels *names, size_t k, double width)
{
    bool labelled = false;
    const double shift = offset * width * ((double)k - ((double)names->count - 1) / 2);
    for (size_t i = 0; i < e->count; i++) {
        const struct ub_run_spec *spec = exponents_spec(e, i);
        const double *fit = e->runs[i].last[m].fit;
        char *name = architecture_of(spec);
        struct ub_interval data;
        if (strcmp(name, names->text[k]) == 0 && point_of(e, i, m, &data)) {
            const double x = data.estimate + shift;
            ub_panel_bars(panel, UB_VERTICAL, &x, &fit[UB_EXPONENT], &fit[UB_EXPONENT_LOW],
                          &fit[UB_EXPONENT_HIGH], 1,
                          (struct ub_style){.color = (int)(k % 8),
                                            .hollow = e->runs[i].last[m].fate != POWER_FITS,
                                            .width = 1,
                                            .alpha = 0.7,
                                            .point_size = 2.8,
                                            .label = labelled ? NULL : names->text[k]});
            labelled = true;
        }
        ub_free(name);
    }
}

/* ---- the data's own exponents: a bar each above the points, by letter, in order ------------- */

struct datasets {
    size_t count;
    const struct ub_run_spec *spec[MOST_DATASETS];
    struct ub_interval exponent[MOST_DATASETS];
};

static void add_dataset(struct datasets *d, const struct ub_run_spec *spec,
                        const struct ub_interval *exponent)
{
    size_t at = d->count;
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->spec[i]->dataset, spec->dataset) == 0)
            return;
    if (d->count == MOST_DATASETS)
        return;
    for (; at > 0 && d->exponent[at - 1].estimate > exponent->estimate; at--) {
        d->spec[at] = d->spec[at - 1];
        d->exponent[at] = d->exponent[at - 1];
    }
    d->spec[at] = spec;
    d->exponent[at] = *exponent;
    d->count++;
}

static struct datasets datasets_of(const struct exponents *e)
{
    struct datasets d = {0};
    for (size_t i = 0; i < e->count; i++)
        for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES; m++) {
            struct ub_interval exponent;
            if (point_of(e, i, (enum matrix_of)m, &exponent))
                add_dataset(&d, exponents_spec(e, i), &exponent);
        }
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
    const double least = d->exponent[0].estimate, most = d->exponent[d->count - 1].estimate;
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
    return (struct extent){least - margin, most + margin,
                           top / (1 - line * (double)(d->count + 1))};
}

static void draw_datasets(struct ub_panel *panel, const struct datasets *d, const struct extent *x)
{
    for (size_t k = 0; k < d->count; k++) {
        const struct ub_interval *at = &d->exponent[k];
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
    for (size_t k = 0; k < d->count; k++)
        ub_text_add(out, "%s%c %s %.2f [%.2f, %.2f]", k ? "; " : " Data: ", (char)('a' + (int)k),
                    dataset_label(d->spec[k]), d->exponent[k].estimate, d->exponent[k].low,
                    d->exponent[k].high);
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
                        const struct datasets *data, const struct labels *names)
{
    const struct extent x = extent_of(e, m, data);
    ub_panel_title(panel, exponent_matrices[m]);
    ub_panel_axes(panel, "exponent of the inputs' covariance", UB_LINEAR, "exponent", UB_LINEAR);
    ub_panel_range(panel, UB_HORIZONTAL, x.left, x.right);
    ub_panel_range(panel, UB_VERTICAL, 0, x.high);
    ub_panel_line(panel, (double[]){x.left, x.right}, (double[]){x.left, x.right}, 2,
                  (struct ub_style){.color = -1, .width = 1, .dashed = true});
    for (size_t k = 0; k < names->count; k++)
        draw_architecture(panel, e, m, names, k, x.right - x.left);
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
    struct labels names = architectures_of(e);
    for (size_t i = 0; i < n; i++)
        plot_matrix(ub_figure_panel(f, (int)(i / columns), (int)(i % columns)), e, chosen[i], &data,
                    &names);
    labels_free(&names);
    struct ub_text caption = {0};
    ub_text_add(&caption,
                "At the last measurement of each run, with 95%% intervals; the highest are cut. "
                "Color: architecture (side by side within a dataset); hollow: another form fits "
                "better than the power law; bars above: exponents of the inputs; dashed: equal "
                "exponents.");
    name_datasets(&data, &caption);
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

const struct ub_section ub_section_exponents = {.name = "exponents", .draw = draw};
