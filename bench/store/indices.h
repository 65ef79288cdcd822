/* indices.h - what the indices of rows that hold several numbers mean: between who writes them
 * (bench/observables) and who reads them (report). */
#ifndef UB_STORE_INDICES_H
#define UB_STORE_INDICES_H

/* Forms of a decay by rank, as numbers in traces. */
enum ub_decay_form {
    UB_DECAY_POWER,
    UB_DECAY_EXPONENTIAL,
    UB_DECAY_STRETCHED,
    UB_DECAY_LOGNORMAL,
    UB_DECAY_FORMS
};

/* Of hessian-exponent and exponent.LAYER: the power law value_k = prefactor k^-exponent fitted to
 * ranks first..last (from 1). error of UB_EXPONENT: half the 95% interval's width. */
enum ub_exponent_row {
    UB_EXPONENT,
    UB_EXPONENT_LOW, /* 95% interval */
    UB_EXPONENT_HIGH,
    UB_EXPONENT_PREFACTOR,
    UB_EXPONENT_FIRST,
    UB_EXPONENT_LAST,
    UB_EXPONENT_R_SQUARED,
    UB_EXPONENT_BEST, /* enum ub_decay_form of least BIC */
    UB_EXPONENT_ROWS
};

/* Of outliers.TITLE: how many eigenvalues stand above the largest gap, and the gap: the last
 * outlier over the first of the bulk. */
enum ub_outlier_row { UB_OUTLIERS, UB_OUTLIERS_GAP };
/* Of noise-outliers.NAME: how many eigenvalues are above the edge of noise, and the edge. */
enum ub_noise_row { UB_NOISE_OUTLIERS, UB_NOISE_EDGE, UB_NOISE_ROWS };
/* Of tail.NAME: the density x^-alpha of eigenvalues above the cut, of which there are `count`; p is
 * the goodness of fit, best an enum ub_tail_form (bench/spectra/tail.h). */
enum ub_tail_row {
    UB_TAIL_ALPHA,
    UB_TAIL_LOW, /* 95% interval */
    UB_TAIL_HIGH,
    UB_TAIL_CUT,
    UB_TAIL_COUNT,
    UB_TAIL_P,
    UB_TAIL_BEST,
    UB_TAIL_ROWS
};

#endif
