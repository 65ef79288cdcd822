/* tail.h - the tail of a density of eigenvalues: a continuous power law above a cut-off, and what
 * else it could be (Clauset, Shalizi, Newman 2009, arXiv:0706.1062).
 *
 *     struct ub_tail t = ub_tail_fit(values, n, (struct ub_tail_options){0}, seed);
 *     if (t.valid)
 *         printf("alpha %.2f [%.2f, %.2f] above %g, p %.2f, %s\n", t.alpha, t.low, t.high, t.xmin,
 *                t.p, ub_tail_names[t.best]);
 *
 * A density x^-alpha and ranked values k^-e (powerlaw.h) are one law: the share above x falls as
 * x^(1 - alpha), so rank k is at value k^(-1/(alpha - 1)): alpha = 1 + 1/e.
 *
 * Intervals and p-values treat the values as independent draws, as the paper does. Eigenvalues
 * repel each other and are steadier than that: their p-values lean to 1 and the intervals are wide
 * rather than narrow; neither knows of the bias between a sample's spectrum and its population's.
 */
#ifndef UB_TAIL_H
#define UB_TAIL_H

#include "base/base.h"

enum ub_tail_form {
    UB_TAIL_POWER,       /* x^-alpha; parameter[0] = alpha */
    UB_TAIL_EXPONENTIAL, /* exp(-rate x); [0] = rate */
    UB_TAIL_STRETCHED,   /* x^(b-1) exp(-rate x^b); [0] = b, [1] = rate with x in units of xmin */
    UB_TAIL_LOGNORMAL,   /* exp(-(log x - mu)^2/(2 sigma^2))/x; [0] = mu, [1] = sigma (infinite: at
                            the power law that it has as a limit) */
    UB_TAIL_TRUNCATED,   /* x^-alpha exp(-rate x); [0] = alpha, [1] = rate >= 0 */
    UB_TAIL_FORMS
};
extern const char *const ub_tail_names[UB_TAIL_FORMS]; /* "power", "exponential", ... */

/* A form fitted by maximum likelihood to the values >= xmin, and held against the power law:
 * ratio = sum of log p_power - log p_form (positive: the power law is likelier), z = ratio over its
 * standard error, p two-sided (Vuong 1989). The power law is the truncated one with rate 0: there
 * p is the chi-squared one of 2 |ratio|, one degree of freedom (Wilks). */
struct ub_tail_rival {
    double parameter[2], log_likelihood, ratio, z, p;
};

struct ub_tail {
    double alpha, error;  /* maximum likelihood 1 + m / sum log(x/xmin); (alpha - 1)/sqrt m */
    double low, high;     /* 95% interval, by the bootstrap below; NAN without replicates */
    double xmin;          /* among the values: where the distance is smallest */
    double distance;      /* Kolmogorov-Smirnov, of the values >= xmin to the law */
    double p;             /* of goodness of fit: small = no power law; NAN without replicates */
    int64_t count, total; /* m, values >= xmin; positive values in all */
    struct ub_tail_rival rival[UB_TAIL_FORMS]; /* [UB_TAIL_POWER]: itself, ratio 0 */
    enum ub_tail_form best; /* the likeliest form of those favored over the power law at p < 0.05;
                               the power law when there is none */
    bool valid; /* false: fewer than `least` distinct positive values, or one not finite */
};

struct ub_tail_options {
    double xmin;        /* > 0: given, not chosen */
    int64_t least;      /* values a tail must have; 0 = 10 */
    int64_t replicates; /* of the bootstrap; 0 = 400; negative = none */
};

/* values: any order; those that are not positive are left out. Every value that leaves `least`
 * above it is tried as xmin, or 500 of them at even ranks when there are more. Bootstrap,
 * semi-parametric (section 4.1 of the paper): each replicate draws as many values, from the law
 * above xmin with probability m/total, else from the values below it, and is fitted anew, xmin and
 * all. p = share of replicates with a larger distance. The interval inverts the quantiles of
 * sqrt(m*) log((alpha* - 1)/(alpha - 1)), the bootstrap-t (Hall 1992, The Bootstrap and Edgeworth
 * Expansion, 3.10): it knows of the choice of xmin, and that a sample which left many values above
 * it is the more exact. On independent draws it covers 95%, as tests/test_tail.c shows; p errs on
 * the safe side: p < 0.1 for 5 to 8% of samples that are Pareto above some value. */
struct ub_tail ub_tail_fit(const double *values, int64_t n, struct ub_tail_options options,
                           uint64_t seed);

/* Share of values above x >= xmin under a form, given that they are above xmin; for plots. */
double ub_tail_survival(const struct ub_tail *tail, enum ub_tail_form form, double x);

#endif
