/* Exponents of matrices against the exponent of the data: a panel a matrix, a color an
 * architecture, a column of points a dataset. */
#include "report/exponents.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 2 };

/* Between architectures of a dataset, of the panel's width, so that all are seen; between names. */
static const double offset = 0.008, line = 0.05;

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
            ub_panel_bars(panel, UB_VERTICAL, &x, &fit[EXPONENT], &fit[EXPONENT_LOW],
                          &fit[EXPONENT_HIGH], 1,
                          (struct ub_style){.color = (int)(k % 8),
                                            .hollow = e->runs[i].last[m].fate != POWER_FITS,
                                            .width = 1,
                                            .point_size = 2.8,
                                            .label = labelled ? NULL : names->text[k]});
            labelled = true;
        }
        ub_free(name);
    }
}

/* What a panel's axes show: exponents whose intervals are very wide do not set it. */
struct extent {
    double left, right, low, high;
};

static struct extent extent_of(const struct exponents *e, enum matrix_of m)
{
    struct extent x = {(double)INFINITY, -(double)INFINITY, 0, 1};
    struct labels datasets = {0};
    for (size_t i = 0; i < e->count; i++) {
        struct ub_interval data;
        if (!point_of(e, i, m, &data))
            continue;
        labels_add(&datasets, exponents_spec(e, i)->dataset);
        x.left = fmin(x.left, data.estimate);
        x.right = fmax(x.right, data.estimate);
        x.low = fmin(x.low, e->runs[i].last[m].fit[EXPONENT]);
        x.high = fmax(x.high, e->runs[i].last[m].fit[EXPONENT]);
    }
    const double width = fmax(x.right - x.left, 0.2);
    x.left -= 0.1 * width;
    x.right += 0.8 * width; /* names of datasets stand to the right of their lines */
    /* and above the points: */
    x.high /= 1 - fmin(0.6, line * (double)(datasets.count + 2));
    labels_free(&datasets);
    return x;
}

/* Each dataset's exponent, and its name: one beneath the other. */
static void draw_datasets(struct ub_panel *panel, const struct exponents *e, enum matrix_of m,
                          const struct extent *x)
{
    struct labels seen = {0};
    for (size_t i = 0; i < e->count; i++) {
        const struct ub_run_spec *spec = exponents_spec(e, i);
        const size_t before = seen.count;
        struct ub_interval data;
        if (!point_of(e, i, m, &data) || labels_add(&seen, spec->dataset) != before)
            continue;
        ub_panel_rule(panel, UB_VERTICAL, data.estimate, NULL);
        ub_panel_text(panel, data.estimate,
                      x->high - line * (double)(before % 11 + 1) * (x->high - x->low),
                      dataset_label(spec));
    }
    labels_free(&seen);
}

static bool has_points(const struct exponents *e, enum matrix_of m)
{
    struct ub_interval data;
    for (size_t i = 0; i < e->count; i++)
        if (point_of(e, i, m, &data))
            return true;
    return false;
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
    struct ub_figure *f = ub_figure_new(title, (int)((n + columns - 1) / columns), (int)columns);
    struct labels names = architectures_of(e);
    for (size_t i = 0; i < n; i++) {
        struct ub_panel *panel = ub_figure_panel(f, (int)(i / columns), (int)(i % columns));
        ub_panel_title(panel, exponent_matrices[chosen[i]]);
        ub_panel_axes(panel, "exponent of the inputs' covariance", UB_LINEAR, "exponent",
                      UB_LINEAR);
        const struct extent x = extent_of(e, chosen[i]);
        ub_panel_range(panel, UB_HORIZONTAL, x.left, x.right);
        ub_panel_range(panel, UB_VERTICAL, x.low, x.high);
        ub_panel_line(panel, (double[]){x.left, x.right}, (double[]){x.left, x.right}, 2,
                      (struct ub_style){.color = -1, .width = 1, .dashed = true});
        for (size_t k = 0; k < names.count; k++)
            draw_architecture(panel, e, chosen[i], &names, k, x.right - x.left);
        draw_datasets(panel, e, chosen[i], &x);
    }
    labels_free(&names);
    return plates_add(
        plates, f, "exponents", title,
        "At the last measurement of each run, with 95% intervals. Color: architecture (side by "
        "side within a dataset); hollow: another form fits better than the power law; "
        "vertical lines: exponent of the inputs; dashed: equal "
        "exponents.",
        err);
}
