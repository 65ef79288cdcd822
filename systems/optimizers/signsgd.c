/* Sign descent: theta <- theta - lr sign(g), entry by entry; an entry of 0 stays. With scaled=true
 * steepest descent in the maximum norm: theta <- theta - lr |g|_1 sign(g).
 *
 * Under mup each tensor's learning rate has a factor of its own (parametrization.h); the norm is
 * then max_i |theta_i| / factor_i.
 *
 * Edge (norm_family.h). The generalized sharpness S = max d'Hd over |d_i| <= 1, at 2/lr if scaled,
 * else S/|g|_1 at 2/lr. Steps of one length end in an orbit of period two, whose two sides differ
 * in sharpness by several percent: measure at odd intervals (bench/observables/schedule.c). */
#include "systems/optimizers/norm_family.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"scaled", UB_OPTION_FLAG, "false", 0, 0, NULL, "steps as long as the gradient's sum of sizes"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* What ub_norm_step does, without a layout. */
static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    double dual = 0;
    for (int64_t i = 0; i < o->size; i++)
        dual += (o->rates ? o->rates[i] : 1) * fabs(grad[i]);
    const double rate = ub_call_flag(o->call, "scaled") ? o->lr * dual : o->lr;
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= rate * (o->rates ? o->rates[i] : 1) * (double)((grad[i] > 0) - (grad[i] < 0));
}

static bool attach(struct ub_optimizer *o, struct ub_error *err)
{
    (void)err;
    ub_norm_attach(o, "max");
    return true;
}

const struct ub_optimizer_kind ub_optimizer_signsgd = {
    .name = "signsgd",
    .title = "signSGD",
    .summary = "steps along the signs of the gradient",
    .citation = "Bernstein et al. 2018, arXiv:1802.04434",
    .options = options,
    .takes_rates = true,
    .step = step,
    .attach = attach,
    .detach = ub_norm_detach,
    .geometry = UB_IN_A_NORM,
    .ball = ub_norm_ball,
    .threshold = ub_edge_plain,
    .rate_for = ub_edge_plain_rate,
    .edge_formula = "2/lr on the generalized sharpness",
    .edge_citation = "Islamov et al. 2026, arXiv:2603.05002",
};
