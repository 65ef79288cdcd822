/* SOAP: Adam in the eigenbases of Shampoo's moments. With rows of Q_L and Q_R the bases, G the
 * gradient of a matrix, G~ = Q_L G Q_R' and likewise M~,
 *
 *     M <- beta1 M + (1 - beta1) G,   V <- beta2 V + (1 - beta2) G~^2   (entry by entry)
 *     theta <- theta - lr Q_L' (M_hat~ / (sqrt(V_hat) + epsilon)) Q_R,
 *     L <- beta2 L + (1 - beta2) GG',  R <- beta2 R + (1 - beta2) G'G
 *
 * with Adam's bias corrections, and every `every` steps one step of orthogonal iteration on each
 * basis, Q <- the Q factor of L Q. M stays in the given basis, V in the basis of its time: both as
 * in the paper. The bases start as the eigenvectors of the first gradient's moments; the first step
 * is taken (the authors' code leaves it out). Vectors, and axes longer than `largest`, keep the
 * given basis: there it is Adam. More axes than two are taken as two (axes.h).
 *
 * Under mup each tensor's learning rate has a factor of its own (parametrization.h).
 *
 * Edge. With the bases and V held this is Adam in other coordinates: the top eigenvalue of P^-1 H
 * with P = (1 - beta1^t) Q' diag(sqrt(V_hat) + epsilon) Q, Q the rotation by both bases, at
 * 2(1 + beta1)/((1 - beta1) lr). (Cohen et al. 2022, arXiv:2207.14484, of Adam.) */
#include "base/option_units.h"
#include "systems/axes.h"
#include "systems/optimizers/adam_family.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"beta1", UB_OPTION_REAL, "0.95", 0, 0.999999, NULL, "decay of the mean gradient"},
    {"beta2", UB_OPTION_REAL, "0.95", 0, 0.99999999, NULL, "decay of the second moments"},
    {"epsilon", UB_OPTION_REAL | UB_OPTION_OF_GRADIENT, "1e-8", 0, 1, NULL,
     "added to the root of the mean square"},
    {"every", UB_OPTION_INT | UB_OPTION_OF_STEPS, "10", 1, 1e9, NULL,
     "steps between refreshed bases"},
    {"largest", UB_OPTION_INT, "1024", 0, 1e6, NULL, "longest axis with a basis of its own"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct own {
    struct ub_axes axes;
    double *rotated; /* one vector */
};

static int64_t bytes(const struct ub_call *call, const struct ub_problem *p)
{
    const struct ub_layout *layout = ub_problem_layout(p);
    return ub_axes_bytes(layout, ub_call_int(call, "largest"), false) +
           layout->size * (int64_t)sizeof(double);
}

static bool attach(struct ub_optimizer *o, struct ub_error *err)
{
    (void)err;
    struct own *own = o->own = ub_calloc(1, sizeof *own);
    ub_axes_open(&own->axes, o->layout, ub_call_int(o->call, "largest"), false);
    own->rotated = ub_calloc((size_t)o->size, sizeof *own->rotated);
    return true;
}

static void detach(struct ub_optimizer *o)
{
    struct own *own = o->own;
    ub_axes_close(&own->axes);
    ub_free(own->rotated);
    ub_free(own);
    o->own = NULL;
}

static void rotate(const struct own *own, bool back, const double *x, double *out)
{
    for (int64_t k = 0; k < own->axes.count; k++) {
        const struct ub_tensor *t = &own->axes.tensors[k];
        ub_tensor_rotate(&own->axes, t, back, x + t->offset, out + t->offset);
    }
}

/* The bases of the step to come: at the first those of its own gradient. */
static void start_bases(const struct ub_optimizer *o, const double *grad)
{
    struct own *own = o->own;
    if (o->steps > 0 || o->frozen)
        return;
    ub_axes_update(&own->axes, 0, 1 - ub_call_real(o->call, "beta2"), grad);
    ub_axes_decompose(&own->axes);
}

static void move(struct ub_optimizer *o, const struct ub_adam *a, double *theta, const double *grad)
{
    struct own *own = o->own;
    double *m = o->state, *v = o->state + o->size, *mean = o->state + 2 * o->size;
    rotate(own, false, grad, own->rotated);
    for (int64_t i = 0; i < o->size; i++) {
        m[i] = a->beta1 * m[i] + (1 - a->beta1) * grad[i];
        v[i] = ub_mean_square(o, a->beta2, v[i], own->rotated[i]);
    }
    rotate(own, false, m, mean);
    for (int64_t i = 0; i < o->size; i++)
        mean[i] = v[i] > 0 || a->epsilon > 0
                      ? a->first * mean[i] / (sqrt(a->second * v[i]) + a->epsilon)
                      : 0;
    rotate(own, true, mean, mean);
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= ub_adam_rate(o, i) * mean[i];
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    struct own *own = o->own;
    const struct ub_adam a = ub_adam_read(o);
    start_bases(o, grad);
    move(o, &a, theta, grad);
    if (o->frozen)
        return;
    if (o->steps > 0) /* the first gradient is in the moments already */
        ub_axes_update(&own->axes, a.beta2, 1 - a.beta2, grad);
    if ((o->steps + 1) % ub_call_int(o->call, "every") == 0)
        ub_axes_iterate(&own->axes);
}

static void metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    struct own *own = o->own;
    const struct ub_adam a = ub_adam_read(o);
    const double *v = o->state + o->size;
    start_bases(o, grad);
    rotate(own, false, grad, own->rotated);
    for (int64_t i = 0; i < o->size; i++) {
        const double square = ub_mean_square(o, a.beta2, v[i], own->rotated[i]);
        const double rate = o->rates ? o->rates[i] : 1;
        m->values[i] = (sqrt(a.second * square) + a.epsilon) / (a.first * rate);
    }
    m->bases = &own->axes;
}

const struct ub_optimizer_kind ub_optimizer_soap = {
    .name = "soap",
    .title = "SOAP",
    .summary = "Adam in the eigenbases of Shampoo's moments",
    .citation = "Vyas et al. 2024, arXiv:2409.11321",
    .options = options,
    .takes_rates = true,
    .needs_problem = true,
    .state_vectors = 3,
    .step = step,
    .bytes = bytes,
    .attach = attach,
    .detach = detach,
    .threshold = ub_adam_threshold,
    .rate_for = ub_adam_rate_for,
    .geometry = UB_PRECONDITIONED,
    .metric = metric,
    .edge_formula = "2(1 + beta1)/((1 - beta1) lr)",
    .edge_citation = "Cohen et al. 2022, arXiv:2207.14484",
};
