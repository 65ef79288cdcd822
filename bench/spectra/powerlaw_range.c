/* powerlaw_range.c - the range rule of powerlaw.h.
 *
 * Slopes of all candidate ranges come from running sums, so that the search over both ends costs
 * a few operations a range. Ends are tried at every rank up to 50 and from there in steps of 2%. */
#include "bench/spectra/powerlaw_range.h"

#include <math.h>

enum { LEAST_RANKS = 5 };
static const double LEAST_RATIO = 3; /* last/first: about half a decade */
static const double MOST_BEND = 0.5;
static const double NOISE_FLOOR = 0x1p-23; /* relative to the first value */

struct sums {
    double x, y, xx, xy;
};

int64_t ub_powerlaw_positive(const double *values, int64_t n, double floor)
{
    int64_t count = 0;
    while (count < n && isfinite(values[count]) && values[count] > floor)
        count++;
    return count;
}

/* running[k] sums ranks 1..k. Logarithms are taken relative to the first value and the middle
 * rank, which keeps the sums of squares free of large common parts. */
static struct sums *running_sums(const double *values, int64_t n)
{
    struct sums *running = ub_calloc((size_t)n + 1, sizeof *running);
    const double middle = log((double)n) / 2;
    for (int64_t k = 1; k <= n; k++) {
        const double x = log((double)k) - middle, y = log(values[k - 1] / values[0]);
        const struct sums *s = &running[k - 1];
        running[k] = (struct sums){s->x + x, s->y + y, s->xx + x * x, s->xy + x * y};
    }
    return running;
}

/* Least-squares slope of log value on log rank over ranks first..last. */
static double slope(const struct sums *running, int64_t first, int64_t last)
{
    const struct sums *a = &running[first - 1], *b = &running[last];
    const double n = (double)(last - first + 1), x = b->x - a->x, y = b->y - a->y;
    return (b->xy - a->xy - x * y / n) / (b->xx - a->xx - x * x / n);
}

/* Spread of the slopes over three parts, relative to the slope over the whole: three, for two
 * would let an outlier at the head make up for a drop at the tail. */
static double bend(const struct sums *running, int64_t first, int64_t last)
{
    const double third = log((double)last / (double)first) / 3;
    const int64_t cut = (int64_t)round((double)first * exp(third)),
                  next = (int64_t)round((double)first * exp(2 * third));
    if (cut == first || next == cut || next == last)
        return INFINITY;
    const double head = slope(running, first, cut), middle = slope(running, cut, next),
                 tail = slope(running, next, last);
    const double spread = fmax(head, fmax(middle, tail)) - fmin(head, fmin(middle, tail));
    return spread <= 1e-9 ? 0 : spread / fabs(slope(running, first, last));
}

static int64_t next_end(int64_t rank)
{
    return rank < 50 ? rank + 1 : (int64_t)ceil((double)rank * 1.02);
}

static bool is_long_enough(int64_t first, int64_t last)
{
    return last - first + 1 >= LEAST_RANKS && (double)last >= LEAST_RATIO * (double)first;
}

/* The range of the best score among those straight enough; of equals, the one that starts first. */
static void best_range(const struct sums *running, int64_t n, int64_t *first, int64_t *last)
{
    const int64_t from = *first, to = *last;
    double best = 0;
    *first = from ? from : 1;
    *last = to ? to : n;
    for (int64_t a = *first; a <= n; a = from ? n + 1 : next_end(a))
        for (int64_t b = to ? to : n, step; b > a; b = step) {
            step = to ? a : b <= 51 ? b - 1 : (int64_t)floor((double)b / 1.02);
            const double length = log((double)b / (double)a);
            if (length <= best || !is_long_enough(a, b))
                break; /* shorter ones cannot win */
            const double bent = bend(running, a, b), score = length * (1 - bent);
            if (bent <= MOST_BEND && score > best) {
                best = score;
                *first = a;
                *last = b;
            }
        }
}

bool ub_powerlaw_range(const double *values, int64_t n, int64_t *first, int64_t *last)
{
    if (n < LEAST_RANKS || !isfinite(values[0]) || *first < 0 || *last < 0)
        return false;
    int64_t usable = ub_powerlaw_positive(values, n, 0);
    if (*last > usable)
        *last = usable;
    if (*last == 0)
        usable = ub_powerlaw_positive(values, n, NOISE_FLOOR * values[0]);
    if (usable < LEAST_RANKS)
        return false;
    if (*first == 0 || *last == 0) {
        struct sums *running = running_sums(values, usable);
        best_range(running, usable, first, last);
        ub_free(running);
    }
    return *last - *first + 1 >= LEAST_RANKS;
}
