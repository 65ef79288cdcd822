/* dominant.h - the eigenspace of a training loss's Hessian to its largest eigenvalues, followed
 * from step to step; private to this folder.
 *
 *     struct ub_dominant *d = ub_dominant_new(problem, 10);
 *     if (ub_dominant_follow(d, theta))       // every step
 *         ub_dominant_remove(d, grad);        // leaves the part outside
 *     ub_dominant_free(d);
 *
 * A step is a Rayleigh-Ritz projection on the last basis U and H U (block Krylov, Golub and
 * Underwood 1977): 2 x top products with H. The first is repeated until the Ritz values settle. */
#ifndef UB_OPTIMIZERS_DOMINANT_H
#define UB_OPTIMIZERS_DOMINANT_H

#include "systems/systems.h"

struct ub_dominant;
/* NULL with an error unless 2 x top <= parameters. `problem` is kept by reference. */
struct ub_dominant *ub_dominant_new(struct ub_problem *problem, int64_t top, struct ub_error *err);
void ub_dominant_free(struct ub_dominant *d);
/* Linearizes the problem at theta. False where a product is not finite: the basis stays. */
bool ub_dominant_follow(struct ub_dominant *d, const double *theta);
/* x <- x - U'U x, or U'U x. */
void ub_dominant_remove(const struct ub_dominant *d, double *x);
void ub_dominant_keep(const struct ub_dominant *d, double *x);
/* top x parameters, orthonormal rows. */
const double *ub_dominant_basis(const struct ub_dominant *d);
int64_t ub_dominant_bytes(int64_t size, int64_t top);

#endif
