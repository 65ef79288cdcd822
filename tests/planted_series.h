/* planted_series.h - series that settle at a level, and ones that only look so: what the rules of
 * windows and the verdicts on them are tried on. */
#ifndef UB_TEST_PLANTED_SERIES_H
#define UB_TEST_PLANTED_SERIES_H

#include "support.h"

enum planted {
    PLANTED_EDGE,       /* rises to 1 and stays, spikes now and then */
    PLANTED_OVERSHOOT,  /* rises to 1.3, comes back to 1 and stays */
    PLANTED_ZIGZAG,     /* rises to 1 and jumps about it by 7% at every measurement */
    PLANTED_SAWTOOTH,   /* rises to 1, then climbs from 0.9 to 1.1 and drops, again and again */
    PLANTED_BELOW,      /* rises to between 0.8 and 0.88 and stays */
    PLANTED_ABOVE,      /* rises to between 1.15 and 1.3 and stays */
    PLANTED_RAMP,       /* from 0.5 to 1.1, held by nothing */
    PLANTED_STEEP,      /* from 0.3 to 1.6 */
    PLANTED_GEOMETRIC,  /* from 0.3 to 1.1 at a constant rate of growth */
    PLANTED_SLOW,       /* from 0.9 to 1.1 */
    PLANTED_BACK,       /* to 1.05 and back to 0.85, never still */
    PLANTED_WAVES,      /* rises to 1 and swings about it in two to three waves of 25% */
    PLANTED_LAZY,       /* within noise of one level between 0.6 and 1 from the start */
    PLANTED_DECREASING, /* comes to a level between 0.8 and 1.1 from ten times that */
    PLANTED_KINDS
};
static const char *const planted_names[PLANTED_KINDS] = {
    "edge",       "overshoot", "zigzag",    "sawtooth",  "below",      "above", "ramp",
    "steep ramp", "geometric", "slow ramp", "rise-back", "slow waves", "lazy",  "from above"};
/* Whether it follows an edge at 1. */
static inline bool planted_true(enum planted kind)
{
    return kind <= PLANTED_SAWTOOTH;
}

/* What one series is drawn with; a system's seeds share it. */
struct plant {
    enum planted kind;
    double level, knee, noise, phi; /* knee: of the run, where it turns */
};

static inline double planted_between(struct ub_random *r, double low, double high)
{
    return low + (high - low) * ub_random_uniform(r);
}

static inline struct plant plant_of(enum planted kind, struct ub_random *r)
{
    struct plant p = {.kind = kind, .level = 1, .phi = 0.6};
    p.knee = planted_between(r, 0.1, 0.55);
    p.noise = exp(planted_between(r, log(0.003), log(0.04)));
    if (kind == PLANTED_BELOW)
        p.level = planted_between(r, 0.8, 0.88);
    if (kind == PLANTED_ABOVE)
        p.level = planted_between(r, 1.15, 1.3);
    if (kind == PLANTED_LAZY)
        p.level = planted_between(r, 0.6, 1);
    if (kind == PLANTED_DECREASING)
        p.level = planted_between(r, 0.8, 1.1);
    return p;
}

static inline double planted_risen(double time, double knee, double level)
{
    return level * (time < knee ? 0.3 + 0.7 * time / knee : 1);
}

/* At a time between 0 and 1, without noise. */
static inline double planted_shape(const struct plant *p, double time, int64_t step)
{
    const double since = time > p->knee ? time - p->knee : 0;
    switch (p->kind) {
    case PLANTED_OVERSHOOT:
        return planted_risen(time, p->knee, 1 + (time > p->knee ? 0.3 * exp(-since / 0.03) : 0.3));
    case PLANTED_ZIGZAG:
        return planted_risen(time, p->knee, time > p->knee ? (step % 2 ? 1.07 : 0.93) : 1);
    case PLANTED_SAWTOOTH: /* 3 to 18% of the run a tooth */
        return planted_risen(time, p->knee, 0.9 + 0.2 * fmod(since / (0.33 * p->knee), 1));
    case PLANTED_RAMP:
        return 0.5 + 0.6 * time;
    case PLANTED_STEEP:
        return 0.3 + 1.3 * time;
    case PLANTED_GEOMETRIC:
        return 0.3 * pow(1.1 / 0.3, time);
    case PLANTED_SLOW:
        return 0.9 + 0.2 * time;
    case PLANTED_BACK:
        return time < p->knee ? 0.4 + 0.65 * time / p->knee : 1.05 - 0.2 * since / (1 - p->knee);
    case PLANTED_WAVES:
        return planted_risen(time, p->knee,
                             1 + 0.25 * sin(2 * acos(-1) * (2 + p->knee) * since / (1 - p->knee)));
    case PLANTED_LAZY:
        return p->level;
    case PLANTED_DECREASING:
        return p->level * (1 + 9 * exp(-time / (0.2 * p->knee)));
    default:
        return planted_risen(time, p->knee, p->level);
    }
}

/* n measurements, their noise autoregressive in the logarithm; one in 60 is a spike. */
static inline void planted_series(const struct plant *p, struct ub_random *r, double *value,
                                  size_t n)
{
    double z = ub_random_normal(r);
    for (size_t i = 0; i < n; i++) {
        const double time = (double)i / (double)(n - 1);
        value[i] = planted_shape(p, time, (int64_t)i) * exp(p->noise * z);
        if (ub_random_uniform(r) < 1.0 / 60 && p->kind != PLANTED_LAZY)
            value[i] *= planted_between(r, 1, 2);
        z = p->phi * z + sqrt(1 - p->phi * p->phi) * ub_random_normal(r);
    }
}

#endif
