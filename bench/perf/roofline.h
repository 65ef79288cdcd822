/* roofline.h - the least time in which this machine could do what a program does (Williams,
 * Waterman and Patterson 2009, Commun. ACM 52(4)).
 *
 *   products   each product's time alone and warm, at the best of the libraries at hand for its
 *              shape (the program's own step, OpenBLAS, oneDNN; for a convolution the step itself,
 *              and a product of its patches' sizes), on all threads at once
 *   arithmetic bytes of the arrays that all other arithmetic reads and writes (graph.h: each once
 *              a step), at the rate of copies within as much memory as a thread's values take; or
 *              the program's own step, alone and warm, where that is faster: its arrays are in a
 *              nearer cache than all values are
 *   streamed   bytes of samples, parameters and results, once a run, at the rate of copies of as
 *              much memory
 *
 * Mere copies inside the program (moves, fills) are not in it, nor what exp or tanh costs beyond
 * its bytes, nor whatever is only done once a run by one thread beside the products. */
#ifndef UB_PERF_ROOFLINE_H
#define UB_PERF_ROOFLINE_H

#include "systems/systems.h"

/* Prints lines "WHAT NUMBER" (seconds, flops, bytes), WHAT preceded by `prefix`. The program has
 * been run; `first` as in ub_program_run. */
void perf_roofline_print(struct ub_program *p, bool first, int threads, const char *prefix);
/* What runs the program, with `first` or not. */
struct perf_work {
    void (*run)(void *context);
    void *context;
};
/* Prints what the program itself spends on each kind of its parts (products, convolutions, other
 * arithmetic, copies): each part timed alone and warm, lines "spent-KIND SECONDS", and where it
 * stands in a run, "inplace-KIND SECONDS". It is of no use afterwards, and watched. */
void perf_spent_print(struct ub_program *p, bool first, int threads, const struct perf_work *work,
                      const char *prefix);
/* The same as a table of parts, for all of a run that begins anew. */
void perf_parts_print(struct ub_program *p, int threads);
/* Bytes read and written a second by copies of 256 MiB, all threads together. */
double perf_bandwidth(int threads);

#endif
