/* Stochastic gradient descent: steps along the gradient of a mini-batch, with momentum in the form
 * of PyTorch's SGD,
 *
 *     v <- beta v + g_B,   theta <- theta - lr v,   or theta - lr (g_B + beta v) with
 * nesterov=true.
 *
 * The order of samples is the run's: it depends on the seed only (stream "batches"), so that
 * optimizers that are compared see the same batches.
 *
 * Edge. Over the whole training set these are gd, heavy-ball and nesterov, with their thresholds on
 * lambda_max(H). For mini-batches that is not where they settle: it is the batch sharpness,
 * E[g_B' H_B g_B]/E|g_B|^2, that comes to 2/lr without momentum (Andreyev and Beneventano 2024,
 * arXiv:2412.20553), and with it to 2(1 - beta)/lr for small batches and 2(1 + beta)/lr for large
 * ones (arXiv:2604.14108). So there is no threshold on lambda_max(H) for mini-batches. edge(S) and
 * relative(R) give the rate that has its edge there over the whole set. */
#include "systems/systems.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"batch", UB_OPTION_INT, "0", 0, 1e12, NULL, "samples a step; 0 = the whole training set"},
    {"replacement", UB_OPTION_FLAG, "false", 0, 0, NULL,
     "draw every sample anew; else one permutation of the training set after another"},
    {"beta", UB_OPTION_REAL, "0", 0, 0.999999, NULL, "momentum"},
    {"nesterov", UB_OPTION_FLAG, "false", 0, 0, NULL, "Nesterov's momentum"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct own {
    struct ub_problem *problem;
    struct ub_batches *batches;
    int64_t *samples;
};

static int64_t batch(const struct ub_optimizer *o)
{
    const int64_t given = ub_call_int(o->call, "batch");
    const bool all = o->training.problem && !ub_call_flag(o->call, "replacement") &&
                     given == ub_problem_data(o->training.problem)->train.count;
    return all ? 0 : given;
}

static void detach(struct ub_optimizer *o)
{
    struct own *own = o->own;
    ub_problem_free(own->problem);
    ub_batches_free(own->batches);
    ub_free(own->samples);
    ub_free(own);
}

static bool attach(struct ub_optimizer *o, struct ub_error *err)
{
    const int64_t n = batch(o);
    if (n == 0)
        return true;
    struct own *own = o->own = ub_calloc(1, sizeof *own);
    own->problem = ub_problem_batch_new(o->training.problem, n, err);
    own->samples = ub_calloc((size_t)n, sizeof *own->samples);
    own->batches = ub_batches_new(ub_problem_data(o->training.problem)->train.count, n,
                                  ub_call_flag(o->call, "replacement"),
                                  ub_random_stream(o->training.seed, "batches"));
    return own->problem != NULL;
}

static double gradient(struct ub_optimizer *o, const double *theta, double *grad)
{
    struct own *own = o->own;
    if (!own)
        return ub_problem_gradient(o->training.problem, theta, grad);
    ub_batches_next(own->batches, own->samples);
    ub_problem_take(own->problem, own->samples);
    return ub_problem_gradient(own->problem, theta, grad);
}

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
    return batch(o) == 0 ? edge(o) / o->lr : (double)NAN;
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
    .summary = "gradients of mini-batches, with or without momentum",
    .citation = "Robbins and Monro 1951, Ann. Math. Stat. 22",
    .options = options,
    .needs_problem = true,
    .state_vectors = 1,
    .attach = attach,
    .detach = detach,
    .batch = batch,
    .gradient = gradient,
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
