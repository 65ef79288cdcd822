/* Gradient flow, d theta/dt = -g(theta): a step goes on by the time lr. Integrated by the embedded
 * Runge-Kutta pair of orders 3 and 2 of Bogacki and Shampine, whose last gradient is the next
 * step's first, over the samples of the step,
 *
 *     k1 = -g(x),  k2 = -g(x + h/2 k1),  k3 = -g(x + 3h/4 k2),
 *     y = x + h (2/9 k1 + 1/3 k2 + 4/9 k3),  k4 = -g(y),
 *     e = h (-5/72 k1 + 1/12 k2 + 1/9 k3 - 1/8 k4).
 *
 * A step is taken when the root mean square of e_i/(1 + |x_i|) is at most `tolerance`; the next h
 * is 0.9 (tolerance/error)^(1/3) times as long, within [1/5, 5]. The pair is stable for h s < 2.51
 * along a curvature s, beyond which e grows from step to step: the error control keeps h there
 * (Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.2). As many gradients
 * as that takes are a step's cost.
 *
 * There is no edge: the flow is stable at any sharpness. */
#include "systems/objective.h"

#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "time that a step goes on by"},
    {"tolerance", UB_OPTION_REAL, "1e-6", 1e-14, 1, NULL,
     "error of an internal step, of 1 + |parameter|"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static const double least = 1e-14; /* shortest internal step, of lr */

/* State: gradients g1..g4 (the ks, negated), the trial point, and h in the last one's first entry.
 */
static double *vector_of(const struct ub_optimizer *o, int k)
{
    return o->state + k * o->size;
}
enum { G1, G2, G3, G4, TRIAL, LENGTH, VECTORS };

static double at(struct ub_optimizer *o, const double *x, double h, const double weights[3],
                 int out)
{
    const double *g1 = vector_of(o, G1), *g2 = vector_of(o, G2), *g3 = vector_of(o, G3);
    double *trial = vector_of(o, TRIAL);
    for (int64_t i = 0; i < o->size; i++)
        trial[i] = x[i] - h * (weights[0] * g1[i] + weights[1] * g2[i] + weights[2] * g3[i]);
    return ub_objective(o, trial, vector_of(o, out));
}

/* Error over tolerance of a step to the trial point; infinite where the loss is not finite. */
static double try_step(struct ub_optimizer *o, const double *x, double h)
{
    const double *g1 = vector_of(o, G1), *g2 = vector_of(o, G2), *g3 = vector_of(o, G3);
    const double *g4 = vector_of(o, G4);
    memset(vector_of(o, G2), 0, 2 * (size_t)o->size * sizeof *x);
    double loss = at(o, x, h, (const double[]){1.0 / 2, 0, 0}, G2);
    loss += at(o, x, h, (const double[]){0, 3.0 / 4, 0}, G3);
    loss += at(o, x, h, (const double[]){2.0 / 9, 1.0 / 3, 4.0 / 9}, G4);
    double sum = 0;
    for (int64_t i = 0; i < o->size; i++) {
        const double e =
            h * (-5.0 / 72 * g1[i] + 1.0 / 12 * g2[i] + 1.0 / 9 * g3[i] - 1.0 / 8 * g4[i]);
        sum += pow(e / (1 + fabs(x[i])), 2);
    }
    const double error = sqrt(sum / (double)o->size) / ub_call_real(o->call, "tolerance");
    return isfinite(loss) && isfinite(error) ? error : INFINITY;
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const size_t bytes = (size_t)o->size * sizeof *theta;
    double rest = o->lr, *length = vector_of(o, LENGTH);
    memcpy(vector_of(o, G1), grad, bytes);
    if (!(*length > 0))
        *length = o->lr;
    while (rest > 0) {
        const double h = fmin(*length, rest), error = try_step(o, theta, h);
        const double next = h * fmin(5, fmax(0.2, 0.9 / cbrt(fmax(error, 1e-9))));
        if (error <= 1) {
            memcpy(theta, vector_of(o, TRIAL), bytes);
            memcpy(vector_of(o, G1), vector_of(o, G4), bytes);
            rest = h < rest ? rest - h : 0;
        }
        if (error > 1 || h == *length || next < *length) /* not merely cut short by the end */
            *length = next;
        if (*length < least * o->lr) { /* no finite way on */
            theta[0] = NAN;
            return;
        }
    }
}

const struct ub_optimizer_kind ub_optimizer_gradient_flow = {
    .name = "gradient-flow",
    .title = "gradient flow",
    .summary = "gradient flow by adaptive Runge-Kutta steps; lr is the time of a step",
    .citation = "Bogacki and Shampine 1989, Appl. Math. Lett. 2",
    .options = options,
    .needs_problem = true,
    .state_vectors = VECTORS,
    .step = step,
    .geometry = UB_EUCLIDEAN,
};
