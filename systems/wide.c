#include "systems/wide.h"
#include "systems/problem.h"

static void scale_outputs(struct ub_wide_layer *last, double scale)
{
    last->weight *= scale * scale;
    last->bias *= scale * scale;
    last->weight_rate *= scale * scale;
    last->bias_rate *= scale * scale;
}

bool ub_problem_wide(const struct ub_problem *p, struct ub_wide *wide)
{
    if (!p->model->wide || !p->init->variance)
        return false;
    const struct ub_wide_source source = {.call = p->model_call,
                                          .init_call = p->init_call,
                                          .init = p->init,
                                          .layout = &p->layout,
                                          .frozen = &p->frozen};
    *wide = (struct ub_wide){0};
    p->model->wide(&source, wide);
    if (!wide->layer)
        return false;
    scale_outputs(&wide->layer[wide->hidden], ub_call_real(p->model_call, "output-scale"));
    return true;
}

void ub_wide_start(struct ub_wide *wide, const struct ub_activation *activation, size_t hidden)
{
    *wide = (struct ub_wide){.activation = activation,
                             .hidden = hidden,
                             .layer = ub_calloc(hidden + 1, sizeof *wide->layer)};
}

void ub_wide_clear(struct ub_wide *wide)
{
    ub_free(wide->layer);
    *wide = (struct ub_wide){0};
}

/* Of an entry as the model reads it. */
static double variance_of(const struct ub_wide_source *s, const struct ub_param *p)
{
    const double scale = p->multiplier * p->init_scale;
    const bool drawn = p->start == UB_START_WEIGHT || p->start == UB_START_BIAS;
    const double own = p->start == UB_START_NORMAL ? p->value * p->value : 0;
    return scale * scale * (drawn ? s->init->variance(s->init_call, p) : own);
}

struct ub_wide_layer ub_wide_layer_of(const struct ub_wide_source *s, const struct ub_param *weight,
                                      const struct ub_param *bias)
{
    const double fan = (double)weight->fan_in;
    return (struct ub_wide_layer){
        .weight = fan * variance_of(s, weight),
        .bias = bias ? variance_of(s, bias) : 0,
        .weight_rate = fan * weight->multiplier * weight->multiplier,
        .bias_rate = bias ? bias->multiplier * bias->multiplier : 0,
    };
}
