/* What all optimizers share: reading their call, resolving the learning rate, counting steps. */
#include "systems/registry.h"

#include <math.h>

bool ub_optimizer_needs_sharpness(const struct ub_optimizer *o)
{
    return o->rate.kind == UB_RATE_RELATIVE && isnan(o->lr);
}

/* Sets the learning rate whose threshold is `sharpness`. */
static bool set_edge(struct ub_optimizer *o, double sharpness, struct ub_error *err)
{
    if (!o->kind->rate_for)
        return ub_fail(err, UB_INPUT,
                       "optimizer '%s' has no known edge of stability; expected lr as a number",
                       o->kind->name);
    o->lr = o->kind->rate_for(o, sharpness);
    if (isfinite(o->lr) && o->lr > 0)
        return true;
    o->lr = NAN;
    return ub_fail(err, UB_INPUT,
                   "optimizer '%s': no learning rate has its edge at sharpness %g; expected "
                   "another",
                   o->kind->name, sharpness);
}

static bool resolve_now(struct ub_optimizer *o, struct ub_error *err)
{
    if (o->rate.kind == UB_RATE_ABSOLUTE)
        o->lr = o->rate.value;
    if (o->rate.kind == UB_RATE_EDGE)
        return set_edge(o, o->rate.value, err);
    return true;
}

struct ub_optimizer *ub_optimizer_new(const char *text, int64_t size, struct ub_error *err)
{
    size_t index = 0;
    struct ub_call *call = ub_registry_call(UB_REGISTRY_OPTIMIZER, text, "optimizer", &index, err);
    if (!call)
        return NULL;
    struct ub_optimizer *o = ub_calloc(1, sizeof *o);
    *o = (struct ub_optimizer){.kind = ub_optimizers[index],
                               .call = call,
                               .size = size,
                               .rate = ub_call_rate(call, "lr"),
                               .lr = NAN};
    if (o->kind->state_vectors > 0)
        o->state = ub_calloc((size_t)o->kind->state_vectors, (size_t)size * sizeof *o->state);
    if (resolve_now(o, err))
        return o;
    ub_optimizer_free(o);
    return NULL;
}

void ub_optimizer_free(struct ub_optimizer *o)
{
    if (!o)
        return;
    if (o->own)
        o->kind->detach(o);
    ub_call_free(o->call);
    ub_free(o->state);
    ub_free(o->rates);
    ub_free(o);
}

bool ub_optimizer_resolve(struct ub_optimizer *o, double initial_sharpness, struct ub_error *err)
{
    if (!ub_optimizer_needs_sharpness(o))
        return true;
    if (!(isfinite(initial_sharpness) && initial_sharpness > 0))
        return ub_fail(err, UB_INPUT,
                       "optimizer '%s': lr=relative(%g) with initial sharpness %g; expected a "
                       "positive one",
                       o->kind->name, o->rate.value, initial_sharpness);
    return set_edge(o, initial_sharpness / o->rate.value, err);
}

static void take_rates(struct ub_optimizer *o)
{
    o->rates = ub_calloc((size_t)o->size, sizeof *o->rates);
    for (int64_t i = 0; i < o->layout->count; i++)
        for (int64_t k = 0; k < o->layout->params[i].size; k++)
            o->rates[o->layout->params[i].offset + k] = o->layout->params[i].rate_scale;
}

bool ub_optimizer_attach(struct ub_optimizer *o, const struct ub_training *training,
                         struct ub_error *err)
{
    o->training = *training;
    o->layout = ub_problem_layout(training->problem);
    if (o->kind->takes_rates)
        take_rates(o);
    return !o->kind->attach || o->kind->attach(o, err);
}

void ub_optimizer_step(struct ub_optimizer *o, double *theta, const double *grad)
{
    o->kind->step(o, theta, grad);
    o->steps++;
}

double ub_optimizer_threshold(const struct ub_optimizer *o)
{
    return o->kind->threshold ? o->kind->threshold(o) : NAN;
}
