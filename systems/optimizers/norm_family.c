#include "systems/optimizers/norm_family.h"

void ub_norm_attach(struct ub_optimizer *o, const char *ball)
{
    struct ub_norm_own *own = ub_calloc(1, sizeof *own);
    own->ball = ub_ball_new(ball, o->layout, o->size, o->kind->takes_rates);
    own->d = ub_calloc((size_t)o->size, sizeof *own->d);
    o->own = own;
}

void ub_norm_detach(struct ub_optimizer *o)
{
    struct ub_norm_own *own = o->own;
    ub_ball_free(own->ball);
    ub_free(own->d);
    ub_free(own);
    o->own = NULL;
}

void ub_norm_step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const struct ub_norm_own *own = o->own;
    const double dual = ub_ball_oracle(own->ball, grad, own->d);
    const double rate = ub_call_flag(o->call, "scaled") ? o->lr * dual : o->lr;
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= rate * own->d[i];
}

const struct ub_ball *ub_norm_ball(const struct ub_optimizer *o, const double *grad, double *factor)
{
    const struct ub_norm_own *own = o->own;
    if (!own)
        return NULL;
    *factor = ub_call_flag(o->call, "scaled") ? 1 : 1 / ub_ball_oracle(own->ball, grad, own->d);
    return own->ball;
}
