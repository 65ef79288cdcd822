/* probe_kernel.h - the whole neural tangent kernel on a few samples, dense; private to this folder.
 *
 *     struct ub_probe p = {0};
 *     if (!ub_probe_open(&p, moment->problem, 16, err)) return false;
 *     ub_probe_kernel(&p, moment->theta, k);        // p.rows x p.rows
 *     ub_probe_close(&p);
 *
 * K = J J', J the derivative by the parameters of all outputs on the first `samples` training
 * samples: rows are samples x positions x outputs in the order of the data, and nothing is divided
 * by their number, so that kernels of different sets and widths are in one unit. */
#ifndef UB_OBSERVABLES_PROBE_KERNEL_H
#define UB_OBSERVABLES_PROBE_KERNEL_H

#include "systems/systems.h"

struct ub_probe {
    struct ub_problem *problem; /* over the probed samples */
    int64_t samples, rows;
};

#define UB_PROBE_OPTION                                                                            \
    {                                                                                              \
        "samples", UB_OPTION_INT, "16", 0, 100000, NULL,                                           \
            "first training samples that are probed; 0 = all"                                      \
    }

/* `samples`: at most; 0 = all. Fails where the model takes no such batch (batch norm). */
bool ub_probe_open(struct ub_probe *probe, const struct ub_problem *whole, int64_t samples,
                   struct ub_error *err);
void ub_probe_close(struct ub_probe *probe); /* not opened is fine */
/* False when an entry is not finite. */
bool ub_probe_kernel(struct ub_probe *probe, const double *theta, double *kernel);
/* Bytes of a probe with `kernels` kernels beside it, at most. */
int64_t ub_probe_bytes(const struct ub_problem *whole, int64_t samples, int64_t kernels);

/* <A, B>, sum of products of entries. */
double ub_kernel_inner(int64_t rows, const double *a, const double *b);

#endif
