/* Shampoo: a gradient preconditioned along each axis of its tensor. For a matrix G
 *
 *     L <- L + GG',  R <- R + G'G,   theta <- theta - lr (L + eps)^-1/4 G (R + eps)^-1/4,
 *
 * for a vector L <- L + gg', theta <- theta - lr (L + eps)^-1/2 g: the exponent -1/(2k) of the
 * paper for k axes, its L_0 = eps I. With beta2 < 1 averages, L <- beta2 L + (1 - beta2) GG'. Roots
 * are taken anew every `every` steps. More axes than two are taken as two, and long ones by their
 * diagonal (axes.h).
 *
 * Edge. With L and R held a step is -lr P^-1 g, P = (L + eps)^1/4 (x) (R + eps)^1/4, for a vector
 * (L + eps)^1/2: gradient descent after the change of variables by P^1/2, so the top eigenvalue of
 * P^-1 H at 2/lr, as for every fixed preconditioner (Cohen et al. 2022, arXiv:2207.14484). */
#include "systems/optimizers/axes.h"
#include "systems/optimizers/edges.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"beta2", UB_OPTION_REAL, "1", 0, 1, NULL, "decay of the second moments; 1 = they are summed"},
    {"epsilon", UB_OPTION_REAL, "1e-6", 1e-300, 1e6, NULL, "added to eigenvalues of the moments"},
    {"every", UB_OPTION_INT, "1", 1, 1e9, NULL, "steps between new roots"},
    {"largest", UB_OPTION_INT, "1024", 0, 1e6, NULL, "longest axis taken with its full moment"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct own {
    struct ub_axes moments; /* after the last step */
    struct ub_axes coming;  /* of the step to come: moments, and the roots it takes */
    bool has_roots;
};

static int64_t bytes(const struct ub_call *call, const struct ub_layout *layout)
{
    return 2 * ub_axes_bytes(layout, ub_call_int(call, "largest"), true);
}

static bool attach(struct ub_optimizer *o, struct ub_error *err)
{
    (void)err;
    struct own *own = o->own = ub_calloc(1, sizeof *own);
    const int64_t largest = ub_call_int(o->call, "largest");
    ub_axes_open(&own->moments, o->layout, largest, true);
    ub_axes_open(&own->coming, o->layout, largest, true);
    return true;
}

static void detach(struct ub_optimizer *o)
{
    struct own *own = o->own;
    ub_axes_close(&own->moments);
    ub_axes_close(&own->coming);
    ub_free(own);
    o->own = NULL;
}

static void ready(const struct ub_optimizer *o, const double *grad)
{
    struct own *own = o->own;
    const double beta2 = ub_call_real(o->call, "beta2");
    ub_axes_copy_moments(&own->coming, &own->moments);
    if (!o->frozen)
        ub_axes_update(&own->coming, beta2, beta2 < 1 ? 1 - beta2 : 1, grad);
    if (o->steps % ub_call_int(o->call, "every") == 0 || !own->has_roots)
        ub_axes_decompose(&own->coming);
    own->has_roots = true;
}

/* (values + epsilon)^power along both axes of t, in their bases. */
static void scale(const struct ub_tensor *t, double epsilon, double power, double *x)
{
    for (int64_t i = 0; i < t->rows; i++)
        for (int64_t j = 0; j < t->columns; j++) {
            double both = fmax(t->left.values[i], 0) + epsilon;
            if (!t->vector)
                both *= fmax(t->right.values[j], 0) + epsilon;
            x[i * t->columns + j] *= pow(both, power);
        }
}

/* out = P^-fraction V, of one vector. */
static void precondition(const struct ub_optimizer *o, double fraction, const double *V,
                         double *out)
{
    const struct ub_axes *a = &((struct own *)o->own)->coming;
    const double epsilon = ub_call_real(o->call, "epsilon");
    for (int64_t k = 0; k < a->count; k++) {
        const struct ub_tensor *t = &a->tensors[k];
        ub_tensor_rotate(a, t, false, V + t->offset, out + t->offset);
        scale(t, epsilon, -fraction / (t->vector ? 2 : 4), out + t->offset);
        ub_tensor_rotate(a, t, true, out + t->offset, out + t->offset);
    }
}

static void apply_root(const struct ub_optimizer *o, int64_t count, const double *V, double *out)
{
    for (int64_t r = 0; r < count; r++)
        precondition(o, 0.5, V + r * o->size, out + r * o->size);
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    struct own *own = o->own;
    ready(o, grad);
    ub_axes_copy_moments(&own->moments, &own->coming);
    precondition(o, 1, grad, o->state);
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= o->lr * o->state[i];
}

const struct ub_optimizer_kind ub_optimizer_shampoo = {
    .name = "shampoo",
    .summary = "preconditioned along each axis of a tensor",
    .citation = "Gupta, Koren and Singer 2018, arXiv:1802.09568",
    .options = options,
    .needs_problem = true,
    .state_vectors = 1,
    .step = step,
    .bytes = bytes,
    .attach = attach,
    .detach = detach,
    .threshold = ub_edge_plain,
    .rate_for = ub_edge_plain_rate,
    .ready_root = ready,
    .apply_root = apply_root,
    .edge_formula = "2/lr",
    .edge_citation = "Cohen et al. 2022, arXiv:2207.14484",
};
