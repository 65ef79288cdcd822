#include "systems/activations.h"

#include <math.h>
#include <string.h>

/* The selection inside keeps exp from overflowing on the side that is not taken (inf * 0 would
 * poison its derivative) and makes the derivative at 0 that of the exponential side, 1. */
static ub_node elu(struct ub_graph *g, ub_node x)
{
    const ub_node zero = ub_like(g, 0, x);
    const ub_node positive = ub_greater(g, x, zero);
    const ub_node below = ub_exp(g, ub_select(g, positive, zero, x));
    return ub_select(g, positive, x, ub_sub(g, below, ub_like(g, 1, x)));
}

static ub_node quadratic(struct ub_graph *g, ub_node x)
{
    return ub_mul(g, x, x);
}

/* Cho and Saul 2009, NIPS 22, equations 6 and 7 at orders 1 and 0, with E over N(0, 1): theirs are
 * twice as large. */
static void expect_relu(double uu, double uv, double vv, double *value, double *slope)
{
    const double pi = acos(-1), size = sqrt(uu * vv);
    const double cosine = size > 0 ? fmax(-1, fmin(1, uv / size)) : 0, angle = acos(cosine);
    *value = size * (sin(angle) + (pi - angle) * cosine) / (2 * pi);
    *slope = (pi - angle) / (2 * pi);
}

/* Williams 1997, NIPS 9; the derivative's from that of the arcsine. */
static void expect_erf(double uu, double uv, double vv, double *value, double *slope)
{
    const double pi = acos(-1), square = (1 + 2 * uu) * (1 + 2 * vv);
    *value = 2 / pi * asin(2 * uv / sqrt(square));
    *slope = 4 / pi / sqrt(square - 4 * uv * uv);
}

const struct ub_activation ub_activations[] = {
    {"relu", "max(x, 0)", "Nair and Hinton 2010", ub_relu, expect_relu},
    {"tanh", "tanh(x)", "LeCun et al. 1998, Efficient BackProp", ub_tanh, NULL},
    {"gelu", "x Phi(x), exact", "Hendrycks and Gimpel 2016, arXiv:1606.08415", ub_gelu, NULL},
    {"silu", "x sigmoid(x)", "Elfwing et al. 2017, arXiv:1702.03118", ub_silu, NULL},
    {"elu", "x if x > 0, else exp(x) - 1", "Clevert et al. 2015, arXiv:1511.07289", elu, NULL},
    {"softplus", "log(1 + exp(x))", "Dugas et al. 2001, NIPS 13", ub_softplus, NULL},
    {"sigmoid", "1/(1 + exp(-x))", "Rumelhart et al. 1986, Nature 323", ub_sigmoid, NULL},
    {"sin", "sin(x)", "Sitzmann et al. 2020, arXiv:2006.09661", ub_sin, NULL},
    {"quadratic", "x^2", "Du and Lee 2018, arXiv:1803.01206", quadratic, NULL},
    {"erf", "erf(x)", "Williams 1997, NIPS 9", ub_erf, expect_erf},
    {NULL, NULL, NULL, NULL, NULL},
};

const char *const ub_activation_names[] = {
    "relu", "tanh", "gelu", "silu", "elu", "softplus", "sigmoid", "sin", "quadratic", "erf", NULL};

const struct ub_activation *ub_activation_find(const char *name)
{
    for (const struct ub_activation *a = ub_activations; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}
