/* rate_schedule.h - what multiplies the learning rate over a run. */
#ifndef UB_OPTIMIZERS_RATE_SCHEDULE_H
#define UB_OPTIMIZERS_RATE_SCHEDULE_H

#include "systems/systems.h"

/* The factor on `lr` at the step after `t` of `steps`, by the options schedule, warmup (W steps),
 * drop-every (D) and drop-factor (c) of the optimizer's call. While t < W it is (t + 1)/W; then,
 * with progress p = (t - W)/(steps - W), at most 1,
 *
 *     constant      1
 *     cosine        (1 + cos(pi p))/2                 Loshchilov and Hutter 2016, arXiv:1608.03983
 *     linear        1 - p
 *     step          c^floor((t - W)/D)                He et al. 2015, arXiv:1512.03385
 *     inverse-sqrt  sqrt(max(W, 1)/(t + 1))           Vaswani et al. 2017, arXiv:1706.03762
 *     exponential   c^(-2(t - W) - 1), c = 1 - lr k   Li and Arora 2019, arXiv:1910.07454
 *
 * with k the option instead-of-l2: what takes the place of coupled decay l2 = k in a network f(c w)
 * = f(w), whose gradient is g(c w) = g(w)/c. Descent w' = c w - lr g(w) is, in u_t = c^-t w_t,
 *
 *     u' = c^(-t-1) (c w - lr c^-t g(u)) = u - lr c^(-2t-1) g(u).
 */
double ub_rate_factor(const struct ub_call *call, double lr, int64_t t, int64_t steps);

#endif
