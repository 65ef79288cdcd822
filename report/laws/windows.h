/* windows.h - where a series settles, found from its shape and from other series, never from its
 * level: ub_settled of c times a positive series is that of the series, for every c > 0.
 *
 *     struct ub_window w = ub_settled(&rho, rho.count);
 *     if (w.stay == UB_STAY_SETTLED && !ub_at_rest(&loss, rho.step[w.first], rho.step[w.last]))
 *         ... its median over w.first..w.last is what the law is about
 */
#ifndef UB_WINDOWS_H
#define UB_WINDOWS_H

#include "bench/store/store.h"

/* How a series ends. */
enum ub_stay {
    UB_STAY_OUT,     /* not in the law's regime; `why` says which way */
    UB_STAY_SETTLED, /* it came to a level and keeps it: the law speaks of first..last */
    UB_STAY_RISING,  /* no level yet: first..last is its end, where it rises, past doubt */
    UB_STAY_FALLING, /* no level: it falls at its end, past doubt */
    UB_STAY_UNSTEADY /* no level, and nobody can tell which way it goes at its end */
};

/* Which stretch of a run's series a law speaks of. */
struct ub_window {
    size_t first, last; /* inclusive indices into the series; unless UB_STAY_OUT */
    enum ub_stay stay;
    bool reached;    /* it settled */
    const char *why; /* unless it settled: static text */
    double p;        /* rising or falling: one-sided, that it is not */
    bool excused;    /* falling, or rising beyond the prediction, is not against the law here */
};

/* The longest end of the first `count` measurements that is flat: at least 10 of them and a third
 * of all. Flat: in logarithms, interquartile means of its three thirds lie within 7% of each other,
 * and the last third is within 2% of the first, or the series came to it at more than three times
 * the rate of change within. The window begins with the first measurement that is at its first
 * third's mean or beyond. Settled: flat, and risen to that level by 25% or more from its first
 * measurement or from the least median of three in a row, which tells a level that was come to from
 * one that was always there.
 *
 * Not settled, with why: too few measurements; no rise (always there, or from above); no flat end:
 * rising or falling, past doubt, or too unsteady to tell. Values that are not positive and finite
 * are passed over.
 *
 * What that costs, whatever the level: runs that start within 25% of where they end, or settle in
 * their last third, are not judged. */
struct ub_window ub_settled(const struct ub_series *series, size_t count);

/* Whether training was over between two steps: the loss falls by less than a thousandth of its
 * first value and never rises by 5% above its least so far (rises below 1e-9 of its first value are
 * rounding). Where nothing moves, nothing drives or holds a sharpness. False without a loss. */
bool ub_at_rest(const struct ub_series *loss, double first_step, double last_step);

/* How many of the series' measurements come before the loss first falls below `share` of its first
 * value; all without a loss. */
size_t ub_count_until(const struct ub_series *series, const struct ub_series *loss, double share);

#endif
