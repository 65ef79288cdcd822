/* L-BFGS: theta <- theta + a d with d = -B g, where B is the BFGS approximation of the inverse
 * Hessian from the last `history` pairs s = change of theta, y = change of g, from gamma I with
 * gamma = s'y/y'y of the last pair (Nocedal 1980, Math. Comp. 35; Liu and Nocedal 1989, Math.
 * Program. 45), over the samples of the step: with mini-batches y is of two of them. Pairs with
 * s'y <= 1e-10 |s| |y| are not kept, so that B stays positive definite.
 *
 * line-search=strong-wolfe: the length a fulfils the strong Wolfe conditions with constants 1e-4
 * and `curvature`; lr, shortened to lr/|g| in the first step, is tried first. none: a = lr,
 * shortened in the first step likewise.
 *
 * Edge. Its approximation follows the curvature that it meets, so that no threshold is known. */
#include "systems/objective.h"
#include "systems/optimizers/line_search.h"

#include <math.h>
#include <string.h>

static const char *const searches[] = {"strong-wolfe", "none", NULL};
static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "step length tried first, or always; usually 1"},
    {"history", UB_OPTION_INT, "10", 1, 1000, NULL, "pairs kept"},
    {"line-search", UB_OPTION_NAME, "strong-wolfe", 0, 0, searches, "how the length is found"},
    {"curvature", UB_OPTION_REAL, "0.9", 1e-4, 0.9999, NULL,
     "share of the slope that a step may leave"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static const double decrease = 1e-4, least_angle = 1e-10;

/* State vectors: the pairs' s, their y, then these. */
enum { DIRECTION, LAST_GRADIENT, POINT, POINT_GRADIENT, OTHERS };

struct own {
    int64_t count, newest; /* pairs kept; the slot of the last */
    bool started;
    double *weights; /* history */
};

static int64_t vectors(const struct ub_call *call)
{
    return 2 * ub_call_int(call, "history") + OTHERS;
}

static bool attach(struct ub_optimizer *o, struct ub_error *err)
{
    (void)err;
    struct own *own = o->own = ub_calloc(1, sizeof *own);
    own->weights = ub_calloc((size_t)ub_call_int(o->call, "history"), sizeof *own->weights);
    return true;
}

static void detach(struct ub_optimizer *o)
{
    ub_free(((struct own *)o->own)->weights);
    ub_free(o->own);
}

static double *s_of(const struct ub_optimizer *o, int64_t slot)
{
    return o->state + slot * o->size;
}

static double *y_of(const struct ub_optimizer *o, int64_t slot)
{
    return s_of(o, ub_call_int(o->call, "history") + slot);
}

static double *other(const struct ub_optimizer *o, int k)
{
    return s_of(o, 2 * ub_call_int(o->call, "history") + k);
}

/* The slot of the k-th newest pair. */
static int64_t slot_of(const struct ub_optimizer *o, int64_t k)
{
    const int64_t history = ub_call_int(o->call, "history");
    return (((const struct own *)o->own)->newest - k + history) % history;
}

/* d <- -B g by the two-loop recursion. */
static void set_direction(struct ub_optimizer *o, const double *grad)
{
    const int64_t n = o->size;
    struct own *own = o->own;
    double *d = other(o, DIRECTION);
    for (int64_t i = 0; i < n; i++)
        d[i] = -grad[i];
    for (int64_t k = 0; k < own->count; k++) {
        const double *s = s_of(o, slot_of(o, k)), *y = y_of(o, slot_of(o, k));
        own->weights[k] = ub_dot(n, s, d) / ub_dot(n, s, y);
        ub_add_scaled(n, -own->weights[k], y, d);
    }
    if (own->count > 0) {
        const double *s = s_of(o, own->newest), *y = y_of(o, own->newest);
        const double gamma = ub_dot(n, s, y) / ub_dot(n, y, y);
        for (int64_t i = 0; i < n; i++)
            d[i] *= gamma;
    }
    for (int64_t k = own->count - 1; k >= 0; k--) {
        const double *s = s_of(o, slot_of(o, k)), *y = y_of(o, slot_of(o, k));
        ub_add_scaled(n, own->weights[k] - ub_dot(n, y, d) / ub_dot(n, s, y), s, d);
    }
}

/* Keeps the change since the last step: s is in the next slot already. */
static void keep_pair(struct ub_optimizer *o, const double *grad)
{
    const int64_t n = o->size, history = ub_call_int(o->call, "history");
    struct own *own = o->own;
    const int64_t slot = (own->newest + 1) % history;
    const double *s = s_of(o, slot), *last = other(o, LAST_GRADIENT);
    double *y = y_of(o, slot);
    for (int64_t i = 0; i < n; i++)
        y[i] = grad[i] - last[i];
    const double size = sqrt(ub_dot(n, s, s)) * sqrt(ub_dot(n, y, y));
    if (!(ub_dot(n, s, y) > least_angle * size)) {
        own->count =
            own->count < history ? own->count : history - 1; /* the oldest was written on */
        return;
    }
    own->newest = slot;
    own->count = own->count < history ? own->count + 1 : history;
}

static double length_of(struct ub_optimizer *o, const double *theta, const double *grad)
{
    struct own *own = o->own;
    const double norm = sqrt(ub_dot(o->size, grad, grad));
    const double first = own->count > 0 ? o->lr : o->lr * fmin(1, 1 / norm);
    if (strcmp(ub_call_get(o->call, "line-search"), "none") == 0)
        return first;
    const struct ub_ray ray = {o, theta, other(o, DIRECTION), other(o, POINT),
                               other(o, POINT_GRADIENT)};
    const double value = ub_objective(o, theta, ray.grad);
    return ub_line_search(&ray, value, ub_dot(o->size, grad, ray.direction), first, decrease,
                          ub_call_real(o->call, "curvature"));
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const int64_t n = o->size;
    struct own *own = o->own;
    if (own->started)
        keep_pair(o, grad);
    own->started = true;
    memcpy(other(o, LAST_GRADIENT), grad, (size_t)n * sizeof *grad);
    set_direction(o, grad);
    const double *d = other(o, DIRECTION);
    double *s = s_of(o, (own->newest + 1) % ub_call_int(o->call, "history"));
    const double length = ub_dot(n, grad, grad) > 0 ? length_of(o, theta, grad) : 0;
    if (!(length > 0)) /* no way down along d: begin anew */
        own->count = 0;
    for (int64_t i = 0; i < n; i++) {
        s[i] = length * d[i];
        theta[i] += s[i];
    }
}

const struct ub_optimizer_kind ub_optimizer_lbfgs = {
    .name = "lbfgs",
    .title = "L-BFGS",
    .summary = "limited-memory BFGS, with or without a line search",
    .citation = "Liu and Nocedal 1989, Math. Program. 45",
    .options = options,
    .needs_problem = true,
    .vectors = vectors,
    .attach = attach,
    .detach = detach,
    .step = step,
    .geometry = UB_UNMEASURED,
};
