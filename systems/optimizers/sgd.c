/* Stochastic gradient descent: steps along the gradient of a mini-batch, with momentum in the form
 * of PyTorch's SGD,
 *
 *     v <- beta v + g_B,   theta <- theta - lr v,   or theta - lr (g_B + beta v) with
 * nesterov=true.
 *
 * Its options batch and replacement are those that every optimizer takes (optimizers.h).
 *
 * Edge. Over the whole training set these are gd, heavy-ball and nesterov, with their thresholds on
 * lambda_max(H). For mini-batches that is not where they settle: it is the batch sharpness,
 * E[g_B' H_B g_B]/E|g_B|^2, that comes to 2/lr without momentum (Andreyev and Beneventano 2024,
 * arXiv:2412.20553), and with it to 2(1 - beta)/lr for small batches and 2(1 + beta)/lr for large
 * ones (arXiv:2604.14108). So there is no threshold on lambda_max(H) for mini-batches. edge(S) and
 * relative(R) give the rate that has its edge there over the whole set. */
#include "base/option_units.h"
#include "systems/systems.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"batch", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "0", 0, 1e12, NULL,
     "samples a step; 0 = the whole training set"},
    {"replacement", UB_OPTION_FLAG, "false", 0, 0, NULL,
     "draw every sample anew; else one permutation of the training set after another"},
    {"beta", UB_OPTION_REAL, "0", 0, 0.999999, NULL, "momentum"},
    {"nesterov", UB_OPTION_FLAG, "false", 0, 0, NULL, "Nesterov's momentum"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const double lr = o->lr, beta = ub_call_real(o->call, "beta");
    const bool nesterov = ub_call_flag(o->call, "nesterov");
    double *v = o->state;
    for (int64_t i = 0; i < o->size; i++) {
        v[i] = beta * v[i] + grad[i];
        theta[i] -= nesterov ? lr * (grad[i] + beta * v[i]) : lr * v[i];
    }
}

/* The threshold over the whole set at lr = 1. */
static double edge(const struct ub_optimizer *o)
{
    const double beta = ub_call_real(o->call, "beta");
    return ub_call_flag(o->call, "nesterov") ? (2 + 2 * beta) / (1 + 2 * beta) : 2 * (1 + beta);
}

static double threshold(const struct ub_optimizer *o)
{
    return edge(o) / o->lr;
}

static double rate_for(const struct ub_optimizer *o, double sharpness)
{
    return edge(o) / sharpness;
}

static double momentum(const struct ub_optimizer *o)
{
    return ub_call_flag(o->call, "nesterov") ? (double)NAN : ub_call_real(o->call, "beta");
}

const struct ub_optimizer_kind ub_optimizer_sgd = {
    .name = "sgd",
    .title = "SGD",
    .summary = "gradients of mini-batches, with or without momentum",
    .citation = "Robbins and Monro 1951, Ann. Math. Stat. 22",
    .options = options,
    .needs_problem = true,
    .state_vectors = 1,
    .step = step,
    .geometry = UB_EUCLIDEAN,
    .momentum = momentum,
    .threshold = threshold,
    .rate_for = rate_for,
    .edge_formula = "2(1 + beta)/lr over the whole set, (2 + 2 beta)/(lr(1 + 2 beta)) with "
                    "nesterov; batches: none, but batch sharpness at 2/lr for beta = 0, from "
                    "2(1 - beta)/lr (small) to 2(1 + beta)/lr (large)",
    .edge_citation = "Cohen et al. 2021, arXiv:2103.00065; batches: Andreyev and Beneventano 2024, "
                     "arXiv:2412.20553, and arXiv:2604.14108",
};
