#include "bench/observables/committee_theory.h"
#include "base/base.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <math.h>
#include <string.h>

/* ---- means, as Saad and Solla 1995 have them in their appendix --------------------------------
 */

double ub_committee_slopes(const double *C, int order, int a, int b)
{
    const double aa = C[a * order + a], bb = C[b * order + b], ab = C[a * order + b];
    return 2 / M_PI / sqrt((1 + aa) * (1 + bb) - ab * ab);
}

double ub_committee_two(const double *C, int order, int a, int b)
{
    const double aa = C[a * order + a], bb = C[b * order + b], ab = C[a * order + b];
    return 2 / M_PI * asin(ab / sqrt((1 + aa) * (1 + bb)));
}

double ub_committee_three(const double *C, int order, int a, int b, int c)
{
    const double aa = C[a * order + a], cc = C[c * order + c], ac = C[a * order + c];
    const double ab = C[a * order + b], bc = C[b * order + c];
    const double root = sqrt((1 + aa) * (1 + cc) - ac * ac);
    return 2 / M_PI / root * (bc * (1 + aa) - ab * ac) / (1 + aa);
}

double ub_committee_four(const double *C, int order, int a, int b, int c, int d)
{
    const double aa = 1 + C[a * order + a], bb = 1 + C[b * order + b], cc = C[c * order + c],
                 dd = C[d * order + d], ab = C[a * order + b], ac = C[a * order + c],
                 ad = C[a * order + d], bc = C[b * order + c], bd = C[b * order + d],
                 cd = C[c * order + d];
    const double det = aa * bb - ab * ab;
    const double mixed = det * cd - bc * bd * aa - ac * ad * bb + ab * ac * bd + ab * ad * bc;
    const double first = det * (1 + cc) - bc * bc * aa - ac * ac * bb + 2 * ab * ac * bc;
    const double second = det * (1 + dd) - bd * bd * aa - ad * ad * bb + 2 * ab * ad * bd;
    return 4 / (M_PI * M_PI) / sqrt(det) * asin(fmax(-1, fmin(1, mixed / sqrt(first * second))));
}

/* ---- the equations ----------------------------------------------------------------------------
 */

static double sign_of(const struct ub_overlaps *o, int a)
{
    return a < o->students ? 1 : -1;
}

double ub_committee_error(const struct ub_overlaps *o)
{
    const int n = o->students + o->teachers;
    double sum = 0;
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++)
            sum += sign_of(o, a) * sign_of(o, b) * ub_committee_two(o->product, n, a, b) / 2;
    return sum;
}

/* -sum_a s_a <g'(x_i) z_b g(z_a)> */
static double drift(const struct ub_overlaps *o, int i, int b)
{
    const int n = o->students + o->teachers;
    double sum = 0;
    for (int a = 0; a < n; a++)
        sum -= sign_of(o, a) * ub_committee_three(o->product, n, i, b, a);
    return sum;
}

static double spread(const struct ub_overlaps *o, double noise, int i, int k)
{
    const int n = o->students + o->teachers;
    double sum = noise * noise * ub_committee_slopes(o->product, n, i, k);
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++)
            sum += sign_of(o, a) * sign_of(o, b) * ub_committee_four(o->product, n, i, k, a, b);
    return sum;
}

void ub_committee_flow(const struct ub_overlaps *o, const struct ub_committee_descent *descent,
                       double *out)
{
    const int n = o->students + o->teachers;
    memset(out, 0, (size_t)(n * n) * sizeof *out);
    for (int i = 0; i < o->students; i++) {
        for (int m = o->students; m < n; m++)
            out[i * n + m] = out[m * n + i] = descent->lr * drift(o, i, m);
        for (int k = 0; k <= i; k++)
            out[i * n + k] = out[k * n + i] =
                descent->lr * (drift(o, i, k) + drift(o, k, i)) +
                descent->lr * descent->lr / descent->batch * spread(o, descent->noise, i, k);
    }
}

/* ---- following them ---------------------------------------------------------------------------
 */

struct problem {
    struct ub_overlaps shape;
    const struct ub_committee_descent *descent;
};

static int derivative(double alpha, const double y[], double dydt[], void *context)
{
    (void)alpha;
    const struct problem *p = context;
    const int n = p->shape.students + p->shape.teachers;
    double *product = ub_alloc((size_t)(n * n) * sizeof *product);
    memcpy(product, y, (size_t)(n * n) * sizeof *product);
    const struct ub_overlaps at = {p->shape.students, p->shape.teachers, product};
    ub_committee_flow(&at, p->descent, dydt);
    ub_free(product);
    for (int i = 0; i < n * n; i++)
        if (!isfinite(dydt[i]))
            return GSL_EBADFUNC;
    return GSL_SUCCESS;
}

bool ub_committee_advance(struct ub_overlaps *o, const struct ub_committee_descent *descent,
                          double alpha)
{
    const int n = o->students + o->teachers;
    struct problem problem = {*o, descent};
    gsl_odeiv2_system system = {derivative, NULL, (size_t)(n * n), &problem};
    if (alpha <= 0)
        return alpha == 0;
    gsl_odeiv2_driver *driver =
        gsl_odeiv2_driver_alloc_y_new(&system, gsl_odeiv2_step_rkf45, 1e-3, 1e-9, 1e-9);
    double at = 0;
    const bool good = gsl_odeiv2_driver_apply(driver, &at, alpha, o->product) == GSL_SUCCESS;
    gsl_odeiv2_driver_free(driver);
    return good;
}
