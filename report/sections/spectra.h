/* spectra.h - which spectra a run measured, and the runs that stand for a group of systems in
 * figures; private to the plots_spectra*.c files.
 *
 * Names of rows are those that bench/observables/observables.h lists. */
#ifndef UB_REPORT_SPECTRA_H
#define UB_REPORT_SPECTRA_H

#include "report/sections/sections.h"

enum { MOST_MODELS = 12, MOST_ROWS = 6 /* of panels on a page */, MOST_FITS = 12 };

/* ---- matrices --------------------------------------------------------------------------- */

enum matrix_family { OF_SPECTRUM, OF_WEIGHT };
struct matrix { /* one whose eigenvalues a trace has */
    enum matrix_family family;
    char *values, *exponent, *outliers; /* names of rows; the trace may lack the last two */
    char *kind;                         /* for people, without its layer: "Gauss-Newton" */
    char *layer;                        /* "" where it is not of a layer */
    bool of_data;                       /* the same for every model */
};
struct matrices {
    size_t count;
    struct matrix *matrix;
};
/* In order of appearance; one of each kind and layer, even if two observables measured it. */
struct matrices matrices_of(const struct ub_trace *trace);
void matrices_clear(struct matrices *set);
/* NULL when it has none of that kind; of several layers the one with most eigenvalues, the last of
 * those. */
const struct matrix *matrix_of_kind(const struct matrices *set, const struct ub_trace *trace,
                                    const char *kind);
/* "Gauss-Newton" for the title "gauss-newton" (OPERATOR[.LAYER][.preconditioned], as in names of
 * rows), "Gauss-Newton of layers" for "gauss-newton.fc1", and the layer apart. Caller frees both.
 */
void title_split(const char *title, char **kind, char **layer);

/* What is behind a prefix; NULL where it is none. */
const char *after(const char *text, const char *prefix);

/* ---- values ----------------------------------------------------------------------------- */

/* How many leading values are above zero, above their error bounds and above what rounding leaves
 * of the largest. */
size_t known_values(const struct ub_series *values);
/* A scalar's (index 0) value at one step, NAN when it has none. */
double value_at(const struct ub_trace *trace, const char *observable, double step);

/* ---- groups ----------------------------------------------------------------------------- */

/* Runs of one dataset, loss and optimizer (by name): the first that finished of each model, or of
 * as many models as figures have room for. */
struct spectra_group {
    const struct study *study;
    size_t count, run[MOST_MODELS];
    char *model[MOST_MODELS]; /* what tells each from the others */
    char *name;               /* "digits, mse, gd" */
    char *who;                /* "Seed 0 of each model", or of how many of how many, for captions */
};
/* At most so many: first one of every dataset and loss, then those of their other optimizers. */
struct spectra_groups {
    size_t count;
    struct spectra_group *group;
    char *rest; /* names of those beyond; NULL: none */
};
struct spectra_groups spectra_groups_of(const struct study *study, size_t most);
void spectra_group_clear(struct spectra_group *group);
void spectra_groups_clear(struct spectra_groups *groups);
/* Valid until the next call, as ub_frame_trace's. */
const struct ub_trace *group_trace(const struct spectra_group *g, size_t i);
const char *group_model(const struct spectra_group *g, size_t i);
/* Kinds of matrices, of layers or of none, that any run of the group has. */
struct labels group_kinds(const struct spectra_group *g, enum matrix_family family, bool layers);
/* Titles T of rows PREFIX.T that any run of the group has, by kind. */
struct labels group_titles(const struct spectra_group *g, const char *prefix);

/* Models of the group that have a matrix of the kind. */
size_t models_with(const struct spectra_group *g, const char *kind, size_t out[MOST_MODELS]);
/* Up to 12 densities of one kind of matrix; of more evenly chosen ones. */
enum { MOST_DENSITIES = 12 };
struct density {
    size_t model; /* of the group */
    char *title;  /* OPERATOR[.LAYER][.preconditioned] */
    char *layer;
};
size_t densities_of(const struct spectra_group *g, const char *kind,
                    struct density out[MOST_DENSITIES]);
void densities_clear(struct density *d, size_t n);
/* Rows WHAT.TITLE at one step, by index. */
struct ub_series density_rows(const struct ub_trace *trace, const char *what, const char *title,
                              double step);

/* Number of classes that class-structure saw; 0 when it was not measured. */
size_t classes_of(const struct ub_trace *trace);

/* ---- figures ---------------------------------------------------------------------------- */

/* How many of `all` rows of panels are on a page. */
size_t rows_of_page(size_t all, size_t page);
/* Up to 12 panels, 3 across. */
struct ub_figure *panels_new(const char *title, size_t count);
struct ub_panel *panels_at(struct ub_figure *f, size_t count, size_t i);

/* What was fitted to each of several spectra, by name: the legend of the panel to the left, too. */
struct fits {
    size_t count;
    const char *names[MOST_FITS]; /* valid until drawn */
    double value[MOST_FITS], low[MOST_FITS], high[MOST_FITS];
    struct ub_style style[MOST_FITS];
};
void fits_add(struct fits *f, const char *name, double value, double low, double high,
              struct ub_style style);
/* The axis begins at `from`, and does not grow to the ends of wide intervals. */
void draw_fits(struct ub_panel *panel, const struct fits *f, const char *label, double from);

/* A matrix at its last step: points at ranks, rings around outliers, the power law over the ranks
 * fitted, which is added to the fits by name. */
void draw_matrix(struct ub_panel *panel, struct fits *fits, const struct ub_trace *trace,
                 const struct matrix *m, const char *name, struct ub_style style);
/* What its marks mean, for the legend. */
void explain_spectrum(struct ub_panel *panel);
/* Vertical rules at C and C^2, where curvature is expected to fall (Papyan 2020); none for kinds
 * of matrices that are not curvature. */
void mark_classes(struct ub_panel *panel, size_t classes, const char *kind);

/* Figures of a group, a page each, from page 0; NULL where there is nothing to draw. `kind` is that
 * of the matrices; ranks are of all of them, classes of none. */
typedef struct ub_figure *spectra_figure(const struct spectra_group *g, const char *title,
                                         const char *kind, size_t page);
spectra_figure draw_ranks, draw_classes, draw_density, draw_layers, draw_weights, draw_evolution,
    draw_density_evolution;

#endif
