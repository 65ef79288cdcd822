/* alignment.h - how alike two representations of the same inputs are, and means over pairs. */
#ifndef UB_STATISTICS_ALIGNMENT_H
#define UB_STATISTICS_ALIGNMENT_H

#include "report/statistics/statistics.h"

/* U-centering (Szekely and Rizzo 2014, arXiv:1310.2926) of a symmetric n x n Gram matrix, n >= 4,
 * in place: its diagonal is left out, rows, columns and the whole are centered so that
 *
 *     HSIC_1(K, L) = <K~, L~> / (n (n - 3)),   <A, B> = sum_ij A_ij B_ij,
 *
 * is the unbiased estimate of Song et al. 2012 (JMLR 13): its mean over independent
 * representations is 0, however few the inputs and many the units. */
void ub_center_gram(double *gram, size_t n);

/* Debiased linear CKA (Kornblith et al. 2019, arXiv:1905.00414, as debiased by Nguyen et al. 2021,
 * arXiv:2010.15327): the cosine of two centered Gram matrices. 1 for rotated, scaled or shifted
 * copies, 0 on average for independent ones; NAN where one is 0. */
double ub_cka(const double *a, const double *b, size_t n);

/* Permutation test of "the two know the inputs independently": the share of `draws` random
 * renamings of one's inputs, and the data themselves, with a CKA as large; by a stream of its own,
 * the same each time. */
double ub_cka_p(const double *a, const double *b, size_t n, size_t draws);

/* Mean over pairs of m units, m >= 3, of `pair` (m x m, symmetric; those that are NAN, and the
 * diagonal, are left out), with its error by the jackknife over units, in whose number pairs are
 * independent; Student's interval with m - 1 degrees of freedom. NAN with fewer units. */
struct ub_interval ub_pair_mean(const double *pair, size_t m);

#endif
