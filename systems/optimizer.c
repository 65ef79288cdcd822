/* What all optimizers share: reading their call, resolving the learning rate, counting steps. */
#include "systems/metric.h"
#include "systems/objective.h"
#include "systems/rate_schedule.h"

#include <inttypes.h>
#include <math.h>

bool ub_optimizer_needs_sharpness(const struct ub_optimizer *o)
{
    return o->rate.kind == UB_RATE_RELATIVE && isnan(o->base);
}

static void set_rate(struct ub_optimizer *o)
{
    o->lr = o->base * ub_rate_factor(o->call, o->base, o->steps, o->training.steps);
}

/* Sets the learning rate whose threshold is `sharpness`. */
static bool set_edge(struct ub_optimizer *o, double sharpness, struct ub_error *err)
{
    if (!o->kind->rate_for)
        return ub_fail(err, UB_INPUT,
                       "optimizer '%s' has no known edge of stability; expected lr as a number",
                       o->kind->name);
    if (o->rate.kind == UB_RATE_RELATIVE && o->kind->geometry == UB_UNMEASURED)
        return ub_fail(err, UB_INPUT,
                       "optimizer '%s': the sharpness of its edge is not measured, so no rate is "
                       "relative to it; expected lr as a number or edge(S)",
                       o->kind->name);
    o->base = o->kind->rate_for(o, sharpness);
    if (isfinite(o->base) && o->base > 0) {
        set_rate(o);
        return true;
    }
    o->base = NAN;
    return ub_fail(err, UB_INPUT,
                   "optimizer '%s': no learning rate has its edge at sharpness %g; expected "
                   "another",
                   o->kind->name, sharpness);
}

static bool resolve_now(struct ub_optimizer *o, struct ub_error *err)
{
    if (o->rate.kind == UB_RATE_ABSOLUTE) {
        o->base = o->rate.value;
        set_rate(o);
    }
    if (o->rate.kind == UB_RATE_EDGE && !o->kind->see)
        return set_edge(o, o->rate.value, err);
    return true;
}

static int64_t vectors_of(const struct ub_optimizer_kind *kind, const struct ub_call *call)
{
    return kind->vectors ? kind->vectors(call) : kind->state_vectors;
}

struct ub_optimizer *ub_optimizer_new(const char *text, int64_t size, struct ub_error *err)
{
    const void *entry = NULL;
    struct ub_call *call = ub_registry_call(&ub_optimizer_registry, text, "optimizer", &entry, err);
    if (!call)
        return NULL;
    struct ub_optimizer *o = ub_calloc(1, sizeof *o);
    *o = (struct ub_optimizer){.kind = entry,
                               .call = call,
                               .size = size,
                               .rate = ub_call_rate(call, "lr"),
                               .base = NAN,
                               .lr = NAN,
                               .l2 = ub_call_real(call, "l2")};
    const int64_t vectors = vectors_of(o->kind, call);
    if (vectors > 0)
        o->state = ub_calloc((size_t)vectors, (size_t)size * sizeof *o->state);
    if (o->l2 > 0)
        o->regular = ub_calloc((size_t)size, sizeof *o->regular);
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
    ub_problem_free(o->part);
    ub_batches_free(o->batches);
    ub_free(o->samples);
    ub_call_free(o->call);
    ub_free(o->state);
    ub_free(o->rates);
    ub_free(o->regular);
    ub_free(o);
}

bool ub_optimizer_resolve(struct ub_optimizer *o, double initial_sharpness, struct ub_error *err)
{
    if (!isnan(o->base))
        return true;
    if (o->rate.kind == UB_RATE_EDGE)
        return set_edge(o, o->rate.value, err);
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

/* ---- mini-batches ----------------------------------------------------------------------- */

int64_t ub_optimizer_batch(const struct ub_optimizer *o)
{
    const int64_t given = ub_call_int(o->call, "batch");
    const bool all = o->training.problem && !ub_optimizer_draws_anew(o) &&
                     !ub_problem_data(o->training.problem)->fresh &&
                     given == ub_problem_data(o->training.problem)->train.count;
    return all ? 0 : given;
}

bool ub_optimizer_draws_anew(const struct ub_optimizer *o)
{
    return ub_call_flag(o->call, "replacement");
}

/* Of twin 0, the run itself, the streams are those of all stored runs. */
static struct ub_random batch_stream(const struct ub_optimizer *o, const char *what, int64_t twin)
{
    char purpose[64];
    const int64_t given = ub_call_int(o->call, "batch-seed");
    const uint64_t seed = given < 0 ? o->training.seed : (uint64_t)given;
    if (twin == 0)
        snprintf(purpose, sizeof purpose, "%s", what);
    else
        snprintf(purpose, sizeof purpose, "%s.twin%" PRId64, what, twin);
    return ub_random_stream(seed, purpose);
}

void ub_optimizer_redraw(struct ub_optimizer *o, int64_t twin)
{
    const int64_t n = ub_optimizer_batch(o);
    if (n == 0)
        return;
    ub_batches_free(o->batches);
    o->batches = ub_batches_new(ub_problem_data(o->training.problem)->train.count, n,
                                ub_optimizer_draws_anew(o), batch_stream(o, "batches", twin));
    o->fresh_inputs = batch_stream(o, "fresh.inputs", twin);
    o->fresh_noise = batch_stream(o, "fresh.noise", twin);
}

static bool open_batches(struct ub_optimizer *o, struct ub_error *err)
{
    const int64_t n = ub_optimizer_batch(o);
    if (n == 0)
        return true;
    o->part = ub_problem_batch_new(o->training.problem, n, err);
    if (!o->part)
        return false;
    o->samples = ub_calloc((size_t)n, sizeof *o->samples);
    ub_optimizer_redraw(o, 0);
    return true;
}

bool ub_optimizer_attach(struct ub_optimizer *o, const struct ub_training *training,
                         struct ub_error *err)
{
    o->training = *training;
    if (ub_problem_data(training->problem)->fresh && ub_optimizer_batch(o) == 0)
        return ub_fail(err, UB_INPUT,
                       "optimizer '%s' steps along the whole training set, but the data are drawn "
                       "online; expected mini-batches, batch=1 or more",
                       o->kind->name);
    o->layout = ub_problem_layout(training->problem);
    set_rate(o);
    if (o->kind->takes_rates)
        take_rates(o);
    if (!open_batches(o, err))
        return false;
    return !o->kind->attach || o->kind->attach(o, err);
}

struct ub_problem *ub_optimizer_problem(const struct ub_optimizer *o)
{
    return o->part ? o->part : o->training.problem;
}

double ub_optimizer_gradient(struct ub_optimizer *o, const double *theta, double *grad)
{
    if (o->part && ub_problem_data(o->training.problem)->fresh) {
        ub_problem_take_fresh(o->part, &o->fresh_inputs, &o->fresh_noise);
    } else if (o->part) {
        ub_batches_next(o->batches, o->samples);
        ub_problem_take(o->part, o->samples);
    }
    return ub_problem_gradient(ub_optimizer_problem(o), theta, grad);
}

/* The objective's gradient from the loss's. */
static const double *regular(const struct ub_optimizer *o, const double *theta, const double *grad)
{
    if (o->l2 == 0)
        return grad;
    for (int64_t i = 0; i < o->size; i++)
        o->regular[i] = grad[i] + o->l2 * theta[i];
    return o->regular;
}

void ub_optimizer_see(struct ub_optimizer *o, const double *theta, const double *grad)
{
    if (o->kind->see)
        o->kind->see(o, regular(o, theta, grad));
}

void ub_optimizer_step(struct ub_optimizer *o, double *theta, const double *grad)
{
    o->kind->step(o, theta, regular(o, theta, grad));
    o->steps++;
    set_rate(o);
}

double ub_optimizer_threshold(const struct ub_optimizer *o)
{
    return o->kind->threshold && ub_optimizer_batch(o) == 0 ? o->kind->threshold(o) : (double)NAN;
}

bool ub_optimizer_metric(const struct ub_optimizer *o, const double *theta, const double *grad,
                         struct ub_metric *m, struct ub_error *err)
{
    if (o->kind->geometry != UB_PRECONDITIONED) {
        ub_metric_identity(m, o->size);
        return true;
    }
    ub_metric_values(m, o->size);
    o->kind->metric(o, regular(o, theta, grad), m);
    return ub_metric_ready(m, o->kind->name, err);
}

const struct ub_ball *ub_optimizer_ball(const struct ub_optimizer *o, const double *theta,
                                        const double *grad, double *factor)
{
    return o->kind->ball ? o->kind->ball(o, regular(o, theta, grad), factor) : NULL;
}

double ub_optimizer_kernel_ridge(const struct ub_optimizer *o)
{
    return o->kind->kernel_ridge ? o->kind->kernel_ridge(o) : NAN;
}

/* ---- what it costs ---------------------------------------------------------------------- */

/* A batch's programs, and its samples. */
static int64_t batch_bytes(const struct ub_call *call, const struct ub_optimizer_kind *kind,
                           const struct ub_problem *p, struct ub_error *err)
{
    /* Only what `batch` reads: the problem is not changed. */
    const struct ub_optimizer o = {.kind = kind, .call = (struct ub_call *)call};
    const int64_t batch = ub_optimizer_batch(&o);
    if (batch == 0)
        return 0;
    struct ub_problem *part = ub_problem_batch_new(p, batch, err);
    if (!part)
        return -1;
    const struct ub_dataset *data = ub_problem_data(p);
    const int64_t samples =
        batch * (data->features + ub_target_width(data)) * (int64_t)sizeof *data->train.inputs;
    const int64_t bytes = ub_problem_bytes(part, 0) + samples;
    ub_problem_free(part);
    return bytes;
}

int64_t ub_optimizer_bytes(const char *text, const struct ub_problem *p, struct ub_error *err)
{
    const void *entry = NULL;
    struct ub_call *call = ub_registry_call(&ub_optimizer_registry, text, "optimizer", &entry, err);
    if (!call)
        return -1;
    const struct ub_optimizer_kind *kind = entry;
    const int64_t vectors = vectors_of(kind, call) + (ub_call_real(call, "l2") > 0);
    int64_t bytes = batch_bytes(call, kind, p, err);
    if (bytes >= 0)
        bytes += vectors * ub_problem_size(p) * (int64_t)sizeof(double);
    if (bytes >= 0 && kind->bytes)
        bytes += kind->bytes(call, p);
    ub_call_free(call);
    return bytes;
}
