#include "systems/optimizers/line_search.h"
#include "systems/objective.h"

#include <math.h>

enum { MOST = 30 };

struct place {
    double length, value, slope;
};

struct search {
    const struct ub_ray *ray;
    struct place start, best; /* best: the least value so far that decreases enough */
    double c1, c2;
    int left;
};

static struct place evaluate(struct search *s, double length)
{
    const struct ub_ray *ray = s->ray;
    const int64_t n = ray->optimizer->size;
    for (int64_t i = 0; i < n; i++)
        ray->point[i] = ray->theta[i] + length * ray->direction[i];
    struct place p = {.length = length};
    p.value = ub_objective(ray->optimizer, ray->point, ray->grad);
    p.slope = ub_dot(n, ray->grad, ray->direction);
    if (!isfinite(p.value) || !isfinite(p.slope))
        p.value = INFINITY;
    if (p.value < s->best.value)
        s->best = p;
    s->left--;
    return p;
}

static bool decreases(const struct search *s, const struct place *p)
{
    return p->value <= s->start.value + s->c1 * p->length * s->start.slope;
}

static bool is_flat(const struct search *s, const struct place *p)
{
    return fabs(p->slope) <= -s->c2 * s->start.slope;
}

/* Minimum of the cubic through values and slopes at both ends, kept off them by a tenth. */
static double interpolate(const struct place *a, const struct place *b)
{
    const double middle = 0.5 * (a->length + b->length), width = b->length - a->length;
    if (!isfinite(a->value) || !isfinite(b->value))
        return middle;
    const double d1 = a->slope + b->slope - 3 * (b->value - a->value) / width;
    const double square = d1 * d1 - a->slope * b->slope;
    if (!(square >= 0))
        return middle;
    const double d2 = copysign(sqrt(square), width);
    const double share = 1 - (b->slope + d2 - d1) / (b->slope - a->slope + 2 * d2);
    if (!isfinite(share))
        return middle;
    return a->length + width * fmin(0.9, fmax(0.1, share));
}

/* Between `low`, the lower end, and `high`, there are lengths that fulfil both conditions. */
static struct place zoom(struct search *s, struct place low, struct place high)
{
    while (s->left > 0) {
        const struct place p = evaluate(s, interpolate(&low, &high));
        if (!decreases(s, &p) || p.value >= low.value) {
            high = p;
            continue;
        }
        if (is_flat(s, &p))
            return p;
        if (p.slope * (high.length - low.length) >= 0)
            high = low;
        low = p;
    }
    return s->best;
}

static struct place bracket(struct search *s, double first)
{
    struct place last = s->start;
    for (double length = first; s->left > 0; length *= 2) {
        const struct place p = evaluate(s, length);
        if (!decreases(s, &p) || (last.length > 0 && p.value >= last.value))
            return zoom(s, last, p);
        if (is_flat(s, &p))
            return p;
        if (p.slope >= 0)
            return zoom(s, p, last);
        last = p;
    }
    return s->best;
}

double ub_line_search(const struct ub_ray *ray, double value, double slope, double first, double c1,
                      double c2)
{
    const struct place start = {.value = value, .slope = slope};
    struct search s = {.ray = ray, .start = start, .best = start, .c1 = c1, .c2 = c2, .left = MOST};
    const struct place found = bracket(&s, first);
    return s.left > 0 ? found.length : s.best.length;
}
