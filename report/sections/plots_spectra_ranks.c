/* Eigenvalues against rank at the end of training: a row a matrix, with a color a model, and the
 * exponents of their decay. */
#include "report/sections/spectra.h"

enum { SPECTRA, FITS, COLORS = 8 };

static struct ub_style model_style(const struct matrix *matrix, size_t model)
{
    if (matrix->of_data)
        return (struct ub_style){.color = -1};
    return (struct ub_style){.color = (int)(model % COLORS),
                             .dashed = model >= COLORS, /* and rings for points */
                             .hollow = model >= COLORS};
}

static void draw_kind(struct ub_figure *f, int row, const struct spectra_group *g, const char *kind)
{
    struct ub_panel *panel = ub_figure_panel(f, row, SPECTRA);
    struct fits fits = {0};
    size_t classes = 0;
    bool done = false; /* once for all models, where it is of the data */
    ub_panel_title(panel, kind);
    ub_panel_axes(panel, "rank", UB_LOG, "eigenvalue", UB_LOG);
    for (size_t i = 0; i < g->count && !done; i++) {
        const struct ub_trace *trace = group_trace(g, i);
        struct matrices set = matrices_of(trace);
        const struct matrix *m = matrix_of_kind(&set, trace, kind);
        if (m) {
            draw_matrix(panel, &fits, trace, m, m->of_data ? "the data" : group_model(g, i),
                        model_style(m, i));
            done = m->of_data;
        }
        classes = classes ? classes : classes_of(trace);
        matrices_clear(&set);
    }
    mark_classes(panel, classes, kind);
    draw_fits(ub_figure_panel(f, row, FITS), &fits, "exponent, 95% interval", 0);
}

struct ub_figure *draw_ranks(const struct spectra_group *g, const char *title, const char *kind,
                             size_t page)
{
    (void)kind;
    struct labels kinds = group_kinds(g, OF_SPECTRUM, false);
    const size_t from = page * MOST_ROWS, rows = rows_of_page(kinds.count, page);
    struct ub_figure *f = rows ? ub_figure_new(title, (int)rows, 2) : NULL;
    for (size_t i = 0; i < rows; i++)
        draw_kind(f, (int)i, g, kinds.text[from + i]);
    if (f)
        explain_spectrum(ub_figure_panel(f, 0, SPECTRA));
    labels_free(&kinds);
    return f;
}
