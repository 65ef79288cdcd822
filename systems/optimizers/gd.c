/* Gradient descent: theta <- theta - lr g.
 *
 * From a step on, g may be projected out of the eigenspace of the loss's Hessian (of the whole
 * training set) to its `project-top` largest eigenvalues (bulk), or onto it (dominant), once it is
 * attached to a training (Song, Ahn and Yun 2024, arXiv:2405.16002). Then no threshold is known:
 * what sits at the edge is no longer the top eigenvalue.
 *
 * Edge. On a quadratic with curvature s along an eigenvector, one step multiplies that component
 * by 1 - lr s, which stays within (-1, 1) if and only if 0 < s < 2/lr. (Cohen et al. 2021,
 * arXiv:2103.00065, section 2.) */
#include "base/option_units.h"
#include "systems/optimizers/dominant.h"
#include "systems/optimizers/edges.h"

#include <math.h>
#include <string.h>

static const char *const projections[] = {"none", "bulk", "dominant", NULL};

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"project", UB_OPTION_NAME | UB_OPTION_LATER, "none", 0, 0, projections,
     "what is left of the gradient: none = all; bulk: the part outside of the top eigenspace; "
     "dominant: the part in it"},
    {"project-top", UB_OPTION_INT | UB_OPTION_LATER, "10", 1, 1000, NULL,
     "eigenvectors of the top eigenspace"},
    {"project-from", UB_OPTION_INT | UB_OPTION_LATER | UB_OPTION_OF_STEPS, "0", 0, 1e15, NULL,
     "first step whose gradient is projected"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct own {
    struct ub_dominant *dominant;
    double *grad;
};

static bool projects(const struct ub_call *call)
{
    return strcmp(ub_call_get(call, "project"), "none") != 0;
}

static bool attach(struct ub_optimizer *o, struct ub_error *err)
{
    if (!projects(o->call))
        return true;
    struct own *own = o->own = ub_calloc(1, sizeof *own);
    own->grad = ub_calloc((size_t)o->size, sizeof *own->grad);
    own->dominant = ub_dominant_new(o->training.problem, ub_call_int(o->call, "project-top"), err);
    return own->dominant != NULL;
}

static void detach(struct ub_optimizer *o)
{
    struct own *own = o->own;
    ub_dominant_free(own->dominant);
    ub_free(own->grad);
    ub_free(own);
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *p)
{
    const int64_t size = ub_problem_size(p);
    return projects(call) ? ub_dominant_bytes(size, ub_call_int(call, "project-top")) +
                                size * (int64_t)sizeof(double)
                          : 0;
}

/* What is left of the gradient; all where a run diverges, which it says itself. */
static const double *left_of(struct ub_optimizer *o, const double *theta, const double *grad)
{
    struct own *own = o->own;
    if (!own || o->steps < ub_call_int(o->call, "project-from") ||
        !ub_dominant_follow(own->dominant, theta))
        return grad;
    memcpy(own->grad, grad, (size_t)o->size * sizeof *grad);
    if (strcmp(ub_call_get(o->call, "project"), "bulk") == 0)
        ub_dominant_remove(own->dominant, own->grad);
    else
        ub_dominant_keep(own->dominant, own->grad);
    return own->grad;
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const double lr = o->lr, *g = left_of(o, theta, grad);
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= lr * g[i];
}

static double threshold(const struct ub_optimizer *o)
{
    return projects(o->call) ? (double)NAN : ub_edge_plain(o);
}

static bool flow(const struct ub_optimizer *o, struct ub_flow_rule *rule, struct ub_error *err)
{
    *rule = (struct ub_flow_rule){.count = 0};
    return !projects(o->call) ||
           ub_fail(err, UB_INPUT, "no central flow is known of projected gradients");
}

static double momentum(const struct ub_optimizer *o)
{
    return projects(o->call) ? (double)NAN : 0;
}

const struct ub_optimizer_kind ub_optimizer_gd = {
    .name = "gd",
    .title = "GD",
    .summary = "gradient descent",
    .citation = "Cauchy 1847",
    .options = options,
    .state_vectors = 0,
    .bytes = bytes,
    .attach = attach,
    .detach = detach,
    .step = step,
    .geometry = UB_EUCLIDEAN,
    .momentum = momentum,
    .threshold = threshold,
    .rate_for = ub_edge_plain_rate,
    .flow = flow,
    .edge_formula = "2/lr",
    .edge_citation = "Cohen et al. 2021, arXiv:2103.00065",
};
