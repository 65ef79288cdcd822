/* count.h - pieces of work for whoever counts instructions (ci/instructions). */
#ifndef UB_PERF_COUNT_H
#define UB_PERF_COUNT_H

#include "base/base.h"

/* Does the work of a name so many times over, after what is done once (programs, data): what two
 * numbers of times differ by is the work alone.
 *
 *   CASE        (cases.h) of 100 samples, loss and gradient, and a Hessian-vector product
 *   plan        graphs, derivatives and compilation of a transformer's gradient and products
 *   sharpness   a step of gradient descent and the top 2 eigenvalues after it, on a small MLP
 *   start       a run's making ready: data from the bundled file, problem, weights, optimizer */
bool perf_count(const char *name, const char *times, struct ub_error *err);

/* What counts hang on beside our sources: a line of the compiler and the libraries, with versions.
 */
void perf_versions_print(void);

#endif
