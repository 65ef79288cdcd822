/* decay.h - how fast eigenvalues fall: the exponents that a run recorded, matrix by matrix.
 *
 *     struct decay d = decay_last(trace, OF_HESSIAN);
 *     if (d.fate == POWER_FITS)
 *         printf("k^-%g, error %g\n", d.fit[UB_EXPONENT], d.se);
 *
 * A fit counts as a power law where its BIC is the least of the forms compared
 * (bench/spectra/powerlaw.h). */
#ifndef UB_LAWS_DECAY_H
#define UB_LAWS_DECAY_H

#include "bench/store/indices.h"
#include "bench/store/store.h"

enum matrix_of {
    OF_INPUTS,
    OF_FIRST_LAYER, /* covariance of activations */
    OF_LAST_LAYER,  /* the last hidden one; not where there is only one */
    OF_KERNEL,      /* neural tangent kernel */
    OF_GAUSS_NEWTON,
    OF_HESSIAN,
    EXPONENT_MATRICES
};
extern const char *const exponent_matrices[EXPONENT_MATRICES]; /* for people */

enum fate { NOT_MEASURED, NOT_FITTED, RIVAL_FITS, POWER_FITS };
struct decay { /* of one matrix of one run at one step */
    enum fate fate;
    double fit[UB_EXPONENT_ROWS];
    double se; /* half its 95% interval's width over 1.96 */
};

/* The name of a matrix's eigenvalues in a trace (the trace's); NULL when it has none. */
const char *decay_row(const struct ub_trace *trace, enum matrix_of matrix);
/* Of eigenvalues by that name, at one step; and of a matrix at its last. */
struct decay decay_at(const struct ub_trace *trace, const char *values, double step);
struct decay decay_last(const struct ub_trace *trace, enum matrix_of matrix);

/* Rows of enum ub_exponent_row at one step; NAN where nothing was fitted then. */
void fit_at(const struct ub_trace *trace, const char *exponent, double step,
            double fit[UB_EXPONENT_ROWS]);
/* An observable's first and last step (of its index 0); NAN and -1 when there is none. */
double first_step_of(const struct ub_trace *trace, const char *observable);
double last_step_of(const struct ub_trace *trace, const char *observable);

#endif
