/* Damped Gauss-Newton: theta <- theta - lr d, where (G + damping I) d = g is solved by conjugate
 * gradients on products with the Gauss-Newton matrix G of the samples that g is of, from d = 0
 * until the residual is below tolerance |g|. (Levenberg 1944; on products: Schraudolph 2002, Neural
 * Comput. 14; Martens 2010, ICML.)
 *
 * Coupled decay is part of the objective: its l2 I is added to G.
 *
 * Edge. With P = G + (damping + l2) I held and solved exactly, gradient descent on P^-1 (H + l2 I):
 * its top eigenvalue at 2/lr (Cohen et al. 2022, arXiv:2207.14484, whose argument is for any fixed
 * P). It is 1 at most where H = G, so that lr < 2 is stable there. P has no diagonal to scale by:
 * the eigenvalue is not measured. */
#include "base/option_units.h"
#include "systems/objective.h"
#include "systems/optimizers/edges.h"

#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "share of the Gauss-Newton step, or edge(S)"},
    {"damping", UB_OPTION_REAL | UB_OPTION_OF_CURVATURE, "0.001", 0, 1e12, NULL,
     "added to the Gauss-Newton matrix"},
    {"iterations", UB_OPTION_INT, "100", 1, 1e9, NULL, "most conjugate-gradient iterations a step"},
    {"tolerance", UB_OPTION_REAL, "1e-4", 1e-15, 0.999, NULL, "residual to reach, relative to |g|"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void apply(struct ub_optimizer *o, const double *v, double *out)
{
    ub_problem_product(ub_optimizer_problem(o), UB_GAUSS_NEWTON, 1, v, out);
    ub_add_scaled(o->size, ub_call_real(o->call, "damping") + o->l2, v, out);
}

/* d <- about (G + damping I)^-1 g. */
static void solve(struct ub_optimizer *o, const double *grad, double *d)
{
    const int64_t n = o->size;
    double *r = d + n, *p = r + n, *Ap = p + n;
    memset(d, 0, (size_t)n * sizeof *d);
    memcpy(r, grad, (size_t)n * sizeof *r);
    memcpy(p, grad, (size_t)n * sizeof *p);
    double square = ub_dot(n, r, r);
    const double goal = square * pow(ub_call_real(o->call, "tolerance"), 2);
    for (int64_t k = ub_call_int(o->call, "iterations"); k > 0 && square > goal; k--) {
        apply(o, p, Ap);
        const double curvature = ub_dot(n, p, Ap);
        if (!(curvature > 0)) /* a null direction, to rounding */
            return;
        ub_add_scaled(n, square / curvature, p, d);
        ub_add_scaled(n, -square / curvature, Ap, r);
        const double last = square;
        square = ub_dot(n, r, r);
        for (int64_t i = 0; i < n; i++)
            p[i] = r[i] + square / last * p[i];
    }
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    ub_problem_linearize(ub_optimizer_problem(o), theta);
    solve(o, grad, o->state);
    ub_add_scaled(o->size, -o->lr, o->state, theta);
}

const struct ub_optimizer_kind ub_optimizer_gauss_newton = {
    .name = "gauss-newton",
    .title = "Gauss-Newton",
    .summary = "damped Gauss-Newton steps by conjugate gradients",
    .citation = "Levenberg 1944; Schraudolph 2002, Neural Comput. 14; Martens 2010, ICML",
    .options = options,
    .needs_problem = true,
    .state_vectors = 4,
    .step = step,
    .geometry = UB_UNMEASURED,
    .threshold = ub_edge_plain,
    .rate_for = ub_edge_plain_rate,
    .edge_formula = "2/lr, of (G + damping I)^-1 H; not measured",
    .edge_citation = "as for any fixed preconditioner: Cohen et al. 2022, arXiv:2207.14484",
};
