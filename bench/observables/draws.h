/* draws.h - mini-batches drawn for measuring, from a stream of their own; private to this folder.
 *
 *     struct ub_draws b = {0};
 *     if (!ub_draws_start(&b, call, moment, "probes:batch-sharpness", err)) return false;
 *     for (int64_t k = 0; k < b.count; k++) {
 *         ub_draws_next(&b);
 *         ub_problem_gradient(b.problem, moment->theta, grad);
 *     }
 *     ub_draws_close(&b);
 *
 * A measurement's batches depend on the run's seed, the purpose and the step only: neither on what
 * training has drawn, which they never touch, nor on when else it was measured. */
#ifndef UB_OBSERVABLES_DRAWS_H
#define UB_OBSERVABLES_DRAWS_H

#include "bench/observables/shared.h"

#define UB_DRAW_OPTIONS(usual_draws)                                                               \
    {"batch",                                                                                      \
     UB_OPTION_INT,                                                                                \
     "0",                                                                                          \
     0,                                                                                            \
     1e12,                                                                                         \
     NULL,                                                                                         \
     "samples a mini-batch; 0 = as many as the optimizer takes"},                                  \
    {                                                                                              \
        "draws", UB_OPTION_INT, usual_draws, 2, 1e9, NULL, "mini-batches drawn a measurement"      \
    }

struct ub_draws {
    struct ub_problem *problem; /* over the batch drawn last */
    int64_t size, total;        /* samples: of a batch, of the training set */
    int64_t count; /* of draws; 1 where every batch is the whole: there is nothing to average */
    bool replacement;
    int64_t *samples; /* of the last draw */
    int64_t drawn;    /* in this measurement */
    uint64_t seed;
    char stream[64];
};
bool ub_draws_start(struct ub_draws *b, const struct ub_call *call, const struct ub_moment *moment,
                    const char *purpose, struct ub_error *err);
void ub_draws_next(struct ub_draws *b);
void ub_draws_close(struct ub_draws *b);
int64_t ub_draws_bytes(const struct ub_call *call, const struct ub_problem *problem);

/* sum x / sum y over n pairs, and half the width of its 95% interval: Student's t times the
 * standard error that the delta method gives, s(x - r y) / (sqrt(n) mean y) (Cochran 1977, Sampling
 * Techniques, section 2.11). With y NULL: the mean of x and its interval. 0 for n = 1. */
double ub_ratio_of_means(int64_t n, const double *x, const double *y, double *half_width);

#endif
