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
#include "base/option_units.h"
#include "systems/axes.h"
#include "systems/optimizers/edges.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"beta2", UB_OPTION_REAL, "1", 0, 1, NULL, "decay of the second moments; 1 = they are summed"},
    {"epsilon", UB_OPTION_REAL, "1e-6", 1e-300, 1e6, NULL, "added to eigenvalues of the moments"},
    {"every", UB_OPTION_INT | UB_OPTION_OF_STEPS, "1", 1, 1e9, NULL, "steps between new roots"},
    {"largest", UB_OPTION_INT, "1024", 0, 1e6, NULL, "longest axis taken with its full moment"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct own {
    struct ub_axes moments;  /* after the last step */
    struct ub_axes coming;   /* of the step to come: moments, and the bases it takes */
    struct ub_metric metric; /* of the step taken */
    bool has_roots;
};

static int64_t bytes(const struct ub_call *call, const struct ub_problem *p)
{
    const struct ub_layout *layout = ub_problem_layout(p);
    return 2 * ub_axes_bytes(layout, ub_call_int(call, "largest"), true) +
           2 * layout->size * (int64_t)sizeof(double);
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
    ub_metric_clear(&own->metric);
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

/* The tensor's eigenvalues of P, in its bases; NAN where a moment has none. */
static void fill(const struct ub_tensor *t, double epsilon, double *values)
{
    for (int64_t i = 0; i < t->rows; i++)
        for (int64_t j = 0; j < t->columns; j++) {
            const double left = t->left.values[i], right = t->vector ? 0 : t->right.values[j];
            double both = fmax(left, 0) + epsilon;
            if (!t->vector)
                both *= fmax(right, 0) + epsilon;
            values[i * t->columns + j] =
                isfinite(left + right) ? pow(both, t->vector ? 0.5 : 0.25) : (double)NAN;
        }
}

static void metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    const struct ub_axes *a = &((struct own *)o->own)->coming;
    ready(o, grad);
    for (int64_t k = 0; k < a->count; k++)
        fill(&a->tensors[k], ub_call_real(o->call, "epsilon"), m->values + a->tensors[k].offset);
    m->bases = a;
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    struct own *own = o->own;
    struct ub_error none = {0}; /* no value is negative */
    ub_metric_values(&own->metric, o->size);
    metric(o, grad, &own->metric);
    ub_metric_ready(&own->metric, o->kind->name, &none);
    ub_axes_copy_moments(&own->moments, &own->coming);
    ub_metric_apply(&own->metric, UB_INVERSE, 1, grad, o->state);
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= o->lr * o->state[i];
}

const struct ub_optimizer_kind ub_optimizer_shampoo = {
    .name = "shampoo",
    .title = "Shampoo",
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
    .geometry = UB_PRECONDITIONED,
    .metric = metric,
    .edge_formula = "2/lr",
    .edge_citation = "Cohen et al. 2022, arXiv:2207.14484",
};
