/* kernel_spread.h - kernels on a few samples over seeds, from the rows of kernel-entries; shared by
 * the laws about the kernel at the start. */
#ifndef UB_LAWS_KERNEL_SPREAD_H
#define UB_LAWS_KERNEL_SPREAD_H

#include "report/laws/law.h"

/* The runs of one width (or of any set that differs in seeds only), a row of `entries` each. */
struct ub_kernels {
    size_t runs, entries;
    double *entry; /* runs x entries */
    double *limit; /* entries; NULL where the limit is not known */
};
/* Runs of the group whose model.width is that of row `like`; without those that failed. */
struct ub_kernels ub_kernels_of_width(const struct ub_frame *frame, const struct ub_rows *group,
                                      size_t like);
void ub_kernels_clear(struct ub_kernels *kernels);

/* Root of the summed variances of the entries over runs, run `without` left out (SIZE_MAX: none);
 * NAN for fewer than two. */
double ub_kernels_spread(const struct ub_kernels *kernels, size_t without);
/* |mean over runs - limit| / |limit|, likewise. */
double ub_kernels_distance(const struct ub_kernels *kernels, size_t without);

/* A datum of an estimate over runs, with the jackknife's error: `estimate` from all but part
 * `without` (SIZE_MAX: from all) of `parts` independent ones; `why` where it is not finite. */
typedef double ub_estimate(const void *context, size_t without);
struct ub_datum ub_jackknife_datum(ub_estimate *estimate, const void *context, size_t parts,
                                   const char *why);

/* The jackknife over `n` estimates, each without one of n independent parts (Efron and Stein 1981):
 * the standard error of the estimate from all. */
double ub_jackknife_error(const double *without, size_t n);

#endif
