/* tail_rivals.c - maximum-likelihood fits of other tails, and Vuong's test of each.
 *
 * In y = x/xmin and t = log y, log densities of y are
 *     power        log(alpha - 1) - alpha t
 *     exponential  log r - r (y - 1)
 *     stretched    log(b r) + (b - 1) t - r (y^b - 1)
 *     log-normal   -(a + 1) t - c t^2 - log int_0^inf exp(-a s - c s^2) ds
 *     truncated    -alpha t - r (y - 1) - log int_0^inf exp(-(alpha - 1) s - r (e^s - 1)) ds
 * The log-normal is written in a = -mu/sigma^2, c = 1/(2 sigma^2) (mu of y), in which its
 * likelihood is concave and c = 0 is the power law; so is the truncated one's in alpha, r. Both are
 * climbed by GSL's simplex, with c or r the square of a free number. */
#include "bench/spectra/tail_rivals.h"

#include <gsl/gsl_integration.h>
#include <gsl/gsl_multimin.h>
#include <gsl/gsl_sf_erf.h>
#include <math.h>

enum { NODES = 24 };

struct sample {
    const double *t;
    int64_t m;
    double mean_t, mean_tt, mean_y; /* of t, t^2, y - 1 */
    gsl_integration_glfixed_table *rule;
};

/* ---- normalizations ---- */

/* log int_0^inf exp(-a s - c s^2) ds; c > 0 or a > 0. */
static double log_gaussian_integral(double a, double c)
{
    const double z = c > 0 ? a / (2 * sqrt(c)) : INFINITY;
    if (z > 25) { /* asymptotic series of erfc, whose next term is below 1e-11 */
        const double w = c > 0 ? 2 * c / (a * a) : 0;
        return -log(a) + log1p(-w * (1 - 3 * w * (1 - 5 * w)));
    }
    return log(M_PI / (4 * c)) / 2 + z * z + gsl_sf_log_erfc(z);
}

/* log int_0^inf exp(f(s)) ds, f(s) = -b s - r (e^s - 1); r > 0 or b > 0. f is concave: the integral
 * ends where f is 45 below its maximum, and Gauss-Legendre panels do the rest. */
static double log_cut_integral(const struct sample *u, double b, double r)
{
    if (!(r > 0))
        return b > 0 ? -log(b) : INFINITY;
    enum { PANELS = 12 };
    const double top = b < -r ? log(-b / r) : 0, peak = -b * top - r * expm1(top);
    double low = top, high = top + 1;
    while (-b * high - r * expm1(high) > peak - 45)
        high = low + 2 * (high - low);
    for (int i = 0; i < 30; i++) {
        const double middle = (low + high) / 2;
        if (-b * middle - r * expm1(middle) > peak - 45)
            low = middle;
        else
            high = middle;
    }
    double sum = 0;
    for (int panel = 0; panel < PANELS; panel++)
        for (size_t i = 0; i < u->rule->n; i++) {
            double s, weight;
            gsl_integration_glfixed_point(high * panel / PANELS, high * (panel + 1) / PANELS, i, &s,
                                          &weight, u->rule);
            sum += weight * exp(-b * s - r * expm1(s) - peak);
        }
    return log(sum) + peak;
}

/* ---- minus the mean log likelihood ---- */

static const double beyond = 1e10; /* where there is no density */

static double lognormal_cost(const gsl_vector *x, void *context)
{
    const struct sample *u = context;
    const double a = gsl_vector_get(x, 0) / u->mean_t, c = pow(gsl_vector_get(x, 1) / u->mean_t, 2);
    if (!(c > 0 || a > 0))
        return beyond;
    const double cost = (a + 1) * u->mean_t + c * u->mean_tt + log_gaussian_integral(a, c);
    return isfinite(cost) ? cost : beyond;
}

static double truncated_cost(const gsl_vector *x, void *context)
{
    const struct sample *u = context;
    const double b = gsl_vector_get(x, 0) / u->mean_t, r = pow(gsl_vector_get(x, 1), 2) / u->mean_y;
    const double cost = (b + 1) * u->mean_t + r * u->mean_y + log_cut_integral(u, b, r);
    return isfinite(cost) ? cost : beyond;
}

/* Minus the mean log likelihood of the stretched exponential at its best rate. */
static double stretched_cost(const gsl_vector *x, void *context)
{
    const struct sample *u = context;
    const double b = exp(gsl_vector_get(x, 0)) / u->mean_t;
    double sum = 0;
    for (int64_t i = 0; i < u->m; i++)
        sum += expm1(b * u->t[i]);
    const double rate = (double)u->m / sum, cost = 1 - (b - 1) * u->mean_t - log(b * rate);
    return isfinite(cost) ? cost : beyond;
}

/* Nelder and Mead's simplex from `start`, begun again where it ends until that gains nothing. */
static void minimize(double (*cost)(const gsl_vector *, void *), struct sample *u, size_t size,
                     double *at)
{
    enum { ROUNDS = 6, MOST = 1000 };
    gsl_multimin_function function = {.f = cost, .n = size, .params = u};
    gsl_vector *x = gsl_vector_alloc(size), *step = gsl_vector_alloc(size);
    gsl_multimin_fminimizer *search =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, size);
    double last = INFINITY;
    for (size_t i = 0; i < size; i++)
        gsl_vector_set(x, i, at[i]);
    for (int round = 0; round < ROUNDS; round++) {
        gsl_vector_set_all(step, 0.3);
        gsl_multimin_fminimizer_set(search, &function, x, step);
        for (int i = 0; i < MOST && gsl_multimin_fminimizer_size(search) > 1e-9; i++)
            if (gsl_multimin_fminimizer_iterate(search) != 0)
                break;
        gsl_vector_memcpy(x, search->x);
        if (!(search->fval < last - 1e-13))
            break;
        last = search->fval;
    }
    for (size_t i = 0; i < size; i++)
        at[i] = gsl_vector_get(x, i);
    gsl_multimin_fminimizer_free(search);
    gsl_vector_free(step);
    gsl_vector_free(x);
}

/* ---- the forms, as coefficients of their log densities ---- */

/* log density of y = constant - slope t - bend t^2 - rate (y^power - 1) */
struct density {
    double constant, slope, bend, rate, power;
};

static double log_density(const struct density *d, double t)
{
    const double cut = d->rate > 0 ? d->rate * expm1(d->power * t) : 0;
    return d->constant - d->slope * t - d->bend * t * t - cut;
}

static struct density fit_exponential(const struct sample *u)
{
    return (struct density){.constant = -log(u->mean_y), .rate = 1 / u->mean_y, .power = 1};
}

static struct density fit_stretched(struct sample *u)
{
    double at[] = {0}, sum = 0;
    minimize(stretched_cost, u, 1, at);
    const double b = exp(at[0]) / u->mean_t;
    for (int64_t i = 0; i < u->m; i++)
        sum += expm1(b * u->t[i]);
    const double rate = (double)u->m / sum;
    return (struct density){.constant = log(b * rate), .slope = 1 - b, .rate = rate, .power = b};
}

static struct density fit_lognormal(struct sample *u)
{
    double at[] = {1, 0.1};
    minimize(lognormal_cost, u, 2, at);
    const double a = at[0] / u->mean_t, c = pow(at[1] / u->mean_t, 2);
    return (struct density){
        .constant = -log_gaussian_integral(a, c), .slope = a + 1, .bend = c, .power = 1};
}

static struct density fit_truncated(struct sample *u)
{
    double at[] = {1, 0.1};
    minimize(truncated_cost, u, 2, at);
    const double b = at[0] / u->mean_t, r = pow(at[1], 2) / u->mean_y;
    return (struct density){
        .constant = -log_cut_integral(u, b, r), .slope = b + 1, .rate = r, .power = 1};
}

static void set_parameters(enum ub_tail_form form, const struct density *d, double xmin,
                           double out[2])
{
    out[1] = (double)NAN;
    if (form == UB_TAIL_POWER || form == UB_TAIL_TRUNCATED)
        out[0] = d->slope;
    if (form == UB_TAIL_TRUNCATED)
        out[1] = d->rate / xmin;
    if (form == UB_TAIL_EXPONENTIAL)
        out[0] = d->rate / xmin;
    if (form == UB_TAIL_STRETCHED) {
        out[0] = d->power;
        out[1] = d->rate;
    }
    if (form == UB_TAIL_LOGNORMAL) {
        out[0] = log(xmin) - (d->slope - 1) / (2 * d->bend);
        out[1] = sqrt(1 / (2 * d->bend));
    }
}

/* ---- the test ---- */

static void compare(const struct sample *u, const struct density *power,
                    const struct density *other, enum ub_tail_form form, double log_xmin,
                    struct ub_tail_rival *rival)
{
    double mean = 0, squares = 0, sum = 0; /* Welford's */
    for (int64_t i = 0; i < u->m; i++) {
        const double l = log_density(other, u->t[i]), d = log_density(power, u->t[i]) - l;
        const double step = d - mean;
        mean += step / (double)(i + 1);
        squares += step * (d - mean);
        sum += l;
    }
    rival->log_likelihood = sum - (double)u->m * log_xmin;
    rival->ratio = mean * (double)u->m;
    const double error = sqrt(squares); /* sqrt m times the deviation of one */
    const bool equal = fabs(rival->ratio) <= 1e-9 * (double)u->m;
    rival->z = equal ? 0 : rival->ratio / error;
    rival->p = erfc(fabs(rival->z) / sqrt(2));
    if (form == UB_TAIL_TRUNCATED)
        rival->p = equal ? 1 : erfc(sqrt(fabs(rival->ratio)));
}

static enum ub_tail_form choose(const struct ub_tail *tail)
{
    enum ub_tail_form best = UB_TAIL_POWER;
    for (int form = 0; form < UB_TAIL_FORMS; form++) {
        const struct ub_tail_rival *r = &tail->rival[form];
        if (r->ratio < 0 && r->p < 0.05 && r->log_likelihood > tail->rival[best].log_likelihood)
            best = (enum ub_tail_form)form;
    }
    return best;
}

void ub_tail_rivals(const double *t, int64_t m, struct ub_tail *tail)
{
    struct sample u = {.t = t, .m = m, .rule = gsl_integration_glfixed_table_alloc(NODES)};
    for (int64_t i = 0; i < m; i++) {
        u.mean_t += t[i] / (double)m;
        u.mean_tt += t[i] * t[i] / (double)m;
        u.mean_y += expm1(t[i]) / (double)m;
    }
    const struct density d[UB_TAIL_FORMS] = {
        {.constant = log(tail->alpha - 1), .slope = tail->alpha, .power = 1},
        fit_exponential(&u),
        fit_stretched(&u),
        fit_lognormal(&u),
        fit_truncated(&u),
    };
    gsl_integration_glfixed_table_free(u.rule);
    for (int form = 0; form < UB_TAIL_FORMS; form++) {
        struct ub_tail_rival *rival = &tail->rival[form];
        compare(&u, &d[UB_TAIL_POWER], &d[form], (enum ub_tail_form)form, log(tail->xmin), rival);
        set_parameters((enum ub_tail_form)form, &d[form], tail->xmin, rival->parameter);
    }
    tail->best = choose(tail);
}

/* ---- survival ---- */

/* The integrals from t on are those from 0 on, of shifted coefficients. */
static double lognormal_survival(const struct ub_tail *tail, const double parameter[2], double t)
{
    const double c = 0.5 / (parameter[1] * parameter[1]);
    if (!(c > 0)) /* the power law as a limit */
        return exp(-(tail->alpha - 1) * t);
    const double a = 2 * c * (log(tail->xmin) - parameter[0]);
    return exp(-a * t - c * t * t + log_gaussian_integral(a + 2 * c * t, c) -
               log_gaussian_integral(a, c));
}

static double truncated_survival(const struct ub_tail *tail, const double parameter[2], double t)
{
    struct sample u = {.rule = gsl_integration_glfixed_table_alloc(NODES)};
    const double b = parameter[0] - 1, r = parameter[1] * tail->xmin;
    const double share = exp(-b * t - r * expm1(t) + log_cut_integral(&u, b, r * exp(t)) -
                             log_cut_integral(&u, b, r));
    gsl_integration_glfixed_table_free(u.rule);
    return share;
}

double ub_tail_survival(const struct ub_tail *tail, enum ub_tail_form form, double x)
{
    const double *parameter = tail->rival[form].parameter, t = log(x / tail->xmin);
    if (!tail->valid || !(x >= tail->xmin))
        return tail->valid ? 1 : (double)NAN;
    switch (form) {
    case UB_TAIL_EXPONENTIAL:
        return exp(-parameter[0] * (x - tail->xmin));
    case UB_TAIL_STRETCHED:
        return exp(-parameter[1] * expm1(parameter[0] * t));
    case UB_TAIL_LOGNORMAL:
        return lognormal_survival(tail, parameter, t);
    case UB_TAIL_TRUNCATED:
        return truncated_survival(tail, parameter, t);
    default:
        return exp(-(tail->alpha - 1) * t);
    }
}
