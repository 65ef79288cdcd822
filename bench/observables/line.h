/* line.h - losses and errors on the straight line between two weights of one network, and the
 * barrier between them.
 *
 * At points a + t (b - a), t = i/(points - 1), i = 0..points - 1, with L_i the mean loss there and
 * E_i the share of samples classified wrongly:
 *
 *     barrier of the loss   max_i L_i - ((1 - t) L_0 + t L_end): the most that the loss is above
 * its chord (Entezari et al. 2022, arXiv:2110.06296, definition 1). 0 of convex losses, whatever
 * the ends. barrier of the error  max_i E_i - (E_0 + E_end)/2 (Frankle et al. 2020,
 * arXiv:1912.05671, section 2). At least half of what the ends differ by.
 *
 * Both are 0 or more, as the ends are points of the line. Norms over the batch take that of each
 * point's own activations: nothing is carried over from the ends. */
#ifndef UB_OBSERVABLES_LINE_H
#define UB_OBSERVABLES_LINE_H

#include "systems/systems.h"

/* Fills loss and error (points each; error with NAN for a regression), of the training or the test
 * split. `room` (ub_problem_size) is overwritten. */
void ub_line_walk(struct ub_problem *p, bool test, const double *a, const double *b, int64_t points,
                  double *room, double *loss, double *error);
/* NAN where a loss is not finite. */
double ub_line_loss_barrier(int64_t points, const double *loss);
double ub_line_error_barrier(int64_t points, const double *error);

#endif
