/* exponents.h - the exponents of a study's spectra: of which runs, whether they may be used, what
 * they say of universality.
 *
 *     struct exponents *e = exponents_of(study);
 *     struct table *t = exponents_table(e);        // a row a system, a column a matrix
 *     add_universality(&pieces, e);                 // the questions, answered
 *     exponents_free(e);
 *
 * Which fits are power laws says report/laws/decay.h; whether exponents are the same is a law of
 * its own for each matrix (report/laws/spectral_decay.h). */
#ifndef UB_REPORT_EXPONENTS_H
#define UB_REPORT_EXPONENTS_H

#include "report/frame/factor.h"
#include "report/sections/sections.h"

/* Which fits are used: power laws; or also those where a rival fits better, whose exponent is then
 * no more than a mean slope over the ranks fitted. */
enum fit_choice { POWER_LAWS, ANY_FITS, FIT_CHOICES };

struct run_exponents {
    size_t run;                           /* index into the study's store, row of its frame */
    struct decay last[EXPONENT_MATRICES]; /* at its last measurement */
};
struct exponents {
    const struct study *study;
    size_t count; /* runs that finished and have any spectrum, in order of the store */
    struct run_exponents *runs;
    size_t *at; /* one a row of the frame: its index among the runs, or SIZE_MAX */
    /* What the runs are told apart by: architectures are models and their activations ("mlp
     * activation=relu"), not their sizes; systems of one architecture, optimizer and loss. */
    struct ub_factor architectures, datasets, kinds;
    struct ub_interval *data[FIT_CHOICES]; /* one a dataset: see exponent_of_data */
};
struct exponents *exponents_of(const struct study *study);
void exponents_free(struct exponents *e);

bool fit_is_used(const struct decay *d, enum fit_choice choice);

/* The exponent of a dataset's inputs: one for each of its data seeds, which are other draws of it;
 * their random-effects mean where there are several. False when there is none. */
bool exponent_of_data(const struct exponents *e, size_t dataset, enum fit_choice choice,
                      struct ub_interval *out);

/* A row a system, a column a matrix: mean over seeds at the end. */
struct table *exponents_table(const struct exponents *e);
/* Every fit of every run, first and last, and those of all layers: spectra.csv. */
extern const struct column spectra_columns[];
struct table *spectra_table(const struct study *study);

/* ---- universality.c --------------------------------------------------------------------- */

/* Models of one dataset and loss, as the law on the decay of one matrix compares them: a cluster of
 * its. */
struct universal {
    enum matrix_of matrix;
    const struct ub_run_spec *spec; /* of one of its runs */
    size_t all, n;                  /* models; those with a power law */
    const struct ub_run_spec **model;
    double *mean, *se;
    struct ub_meta between;
    bool meets, exception; /* as the law judges it */
};
struct universals {
    size_t count;
    struct universal *group;
};
struct universals universals_of(const struct study *study);
void universals_clear(struct universals *u);

/* The data's exponent against another over datasets. */
struct ub_slope exponent_slope(const struct exponents *e, enum matrix_of matrix,
                               enum fit_choice choice, size_t *n);
void add_universality(struct pieces *out, const struct exponents *e);

/* ---- outliers.c ------------------------------------------------------------------------- */

/* Outliers of Hessian and Gauss-Newton at the end against the number of classes. */
struct outliers { /* of one system; means over its runs; low and high: least and greatest */
    const struct ub_run_spec *spec;
    size_t row; /* of the frame: stands for the system */
    size_t n_runs;
    double classes;
    struct ub_interval hessian, gauss_newton; /* by the gap rule */
    double gap;                               /* of the Hessian, geometric mean */
    double gap_at_classes;                    /* value of rank C over that of C + 1, likewise */
    struct ub_interval made_of_means; /* how many of Gauss-Newton's are mostly of class means */
    double means, cross;              /* shares of class and cross-class means in its leading C */
};
size_t outliers_of(const struct study *study, struct outliers **out); /* free with ub_free */
void add_outliers(struct pieces *out, const struct study *study);

/* ---- exponents_plot.c ------------------------------------------------------------------- */

bool plot_exponents(const struct exponents *e, struct plates *plates, struct ub_error *err);

#endif
