/* Sharpness-aware minimization: gradient descent with the gradient at the top of a short ascent,
 *
 *     theta <- theta - lr g(theta + rho g(theta)/|g(theta)|),
 *
 * both gradients over the same samples, the step's; with normalized=false the ascent is rho g, as
 * Andriushchenko and Flammarion (2022, arXiv:2206.06232) study it.
 *
 * Edge. On a quadratic, with r = rho/|g| held (r = rho when not normalized), the gradient at
 * theta + r H theta is (H + r H^2) theta: gradient descent on H + r H^2. Along a curvature s > 0 it
 * is stable if and only if s + r s^2 < 2/lr:
 *     s < (sqrt(1 + 8 r/lr) - 1)/(2 r) = (4/lr)/(1 + sqrt(1 + 8 r/lr)),
 * the second form for r = 0, too. (Long and Bartlett 2023, arXiv:2309.12488.) The threshold falls
 * with the gradient. A negative curvature -m has the multiplier 1 + lr (m - r m^2), and is the
 * binding one only where m - 1/r > s. */
#include "base/option_units.h"
#include "systems/objective.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"rho", UB_OPTION_REAL | UB_OPTION_OF_PARAMETER, "0.05", 0, 1e6, NULL, "length of the ascent"},
    {"normalized", UB_OPTION_FLAG, "true", 0, 0, NULL, "divide the ascent by the gradient's norm"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* State: the gradient's norm in the first entry, the point of the ascent, the gradient there. */
static void see(struct ub_optimizer *o, const double *grad)
{
    if (!o->frozen)
        o->state[0] = sqrt(ub_dot(o->size, grad, grad));
}

/* Infinite while no gradient has been seen, or at a stationary point. */
static double radius(const struct ub_optimizer *o)
{
    const double rho = ub_call_real(o->call, "rho");
    return rho > 0 && ub_call_flag(o->call, "normalized") ? rho / o->state[0] : rho;
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    double *top = o->state + o->size, *there = top + o->size;
    see(o, grad);
    const double r = radius(o);
    for (int64_t i = 0; i < o->size; i++)
        top[i] = theta[i] + (isfinite(r) ? r * grad[i] : 0);
    ub_objective(o, top, there);
    ub_add_scaled(o->size, -o->lr, there, theta);
}

static double threshold(const struct ub_optimizer *o)
{
    const double r = radius(o);
    return isfinite(r) ? 4 / o->lr / (1 + sqrt(1 + 8 * r / o->lr)) : (double)NAN;
}

static double rate_for(const struct ub_optimizer *o, double sharpness)
{
    const double r = radius(o);
    return isfinite(r) ? 2 / (sharpness + r * sharpness * sharpness) : (double)NAN;
}

const struct ub_optimizer_kind ub_optimizer_sam = {
    .name = "sam",
    .title = "SAM",
    .summary = "sharpness-aware minimization",
    .citation = "Foret et al. 2020, arXiv:2010.01412",
    .options = options,
    .needs_problem = true,
    .state_vectors = 3,
    .see = see,
    .step = step,
    .geometry = UB_EUCLIDEAN,
    .threshold = threshold,
    .rate_for = rate_for,
    .edge_formula = "(sqrt(1 + 8 r/lr) - 1)/(2 r), r = rho/|g|, or rho with normalized=false",
    .edge_citation = "Long and Bartlett 2023, arXiv:2309.12488",
};
