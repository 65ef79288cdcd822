/* One run that has changed among others that have not. In the mean of n pairs it can never be seen:
 * its own deviation is the spread, and t is 1 however far it lies. So it is left out of the scale
 * that it is judged by, as studentized deleted residuals are (Cook and Weisberg 1982, section
 * 2.2.1), and the least p of n pairs counts n times (Bonferroni). */
#include "report/compare/compare.h"

#include <math.h>

static const double believed_floors = 1.0 / 3;

static double largest_difference(const struct values *v)
{
    double most = 0;
    for (size_t k = 0; k < v->n_pairs; k++)
        most = fmax(most, fabs(v->x[1][k] - v->x[0][k]));
    return most;
}

/* Squared differences of all partners but one; they are due to be zero. */
static struct spread others_spread(const struct values *v, size_t left_out)
{
    double squares = 0;
    for (size_t k = 0; k < v->n_pairs; k++)
        if (k != left_out)
            squares += pow(v->x[1][k] - v->x[0][k], 2);
    const double df = squares > 0 ? (double)v->n_pairs - 1 : 0; /* equal ones tell no scale */
    return (struct spread){squares / df, df};
}

/* A run multiplies rounding by a factor of its own, and factors of one system's runs differ by
 * orders of magnitude, from 1e-7 to 1 at the edge of stability. What chaos has moved, it has moved
 * in all that was measured after training: the scale is no less than the largest difference in the
 * run's other values (of known ones; before training nothing is multiplied). And no scale is better
 * known than by one degree of freedom, whose t, a ratio of two single runs, has as long a tail as
 * Cauchy's. */
static double single_p(const struct subject *t, const struct values *v, size_t k,
                       const struct ub_variance_prior *prior)
{
    const double floor = t->m->floor, least = t->m->counted ? believed_floors * floor : 0;
    const struct spread others = others_spread(v, k);
    const struct ub_variance s = ub_variance_moderated(prior, others.variance, others.df);
    if (isnan(s.value) || (!t->m->initial && isnan(v->sensitivity[k])))
        return (double)NAN;
    const double scale = fmax(sqrt(s.value), least);
    return ub_beyond_p(v->x[1][k] - v->x[0][k],
                       t->m->initial ? scale : fmax(scale, v->sensitivity[k]), fmin(1, s.df),
                       floor);
}

double single_by_pairs_p(const struct subject *t, size_t i)
{
    const struct values *v = &t->v[i];
    if (v->n_pairs == 0)
        return (double)NAN;
    if (largest_difference(v) <= t->m->floor)
        return 1;
    const struct ub_variance_prior prior = pairs_prior(t, (ptrdiff_t)i);
    double smallest = (double)NAN;
    for (size_t k = 0; k < v->n_pairs; k++)
        smallest = fmin(smallest, single_p(t, v, k, &prior));
    return isnan(smallest) ? smallest : fmin(1, smallest * (double)v->n_pairs);
}

/* Partners differ by no more than two seeds do, whose scale either store knows: the one that has
 * not changed, too. */
double single_by_seeds_p(const struct subject *t, size_t i)
{
    const struct values *v = &t->v[i];
    if (v->n_pairs == 0 || v->n[0] < 2 || v->n[1] < 2)
        return (double)NAN;
    const double floor = t->m->floor, difference = largest_difference(v);
    double smallest = 1;
    for (int side = 0; side < 2; side++) {
        const struct spread own = side_spread(v, side);
        const struct ub_variance s =
            ub_variance_moderated(&t->side_prior[side], own.variance, own.df);
        const double believed = fmax(sqrt(s.value), believed_floors * floor);
        smallest = fmin(smallest, ub_beyond_p(difference, sqrt(2) * believed, s.df, floor));
    }
    return fmin(1, 2 * smallest * (double)v->n_pairs);
}
