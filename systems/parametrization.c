#include "systems/parametrization.h"

#include <math.h>
#include <string.h>

const char *const ub_parametrization_names[] = {"sp", "ntk", "mup", NULL};

static const char *value_of(const struct ub_call *call, const char *key)
{
    for (size_t i = 0; i < call->count; i++)
        if (strcmp(call->keys[i], key) == 0)
            return call->values[i];
    return NULL;
}

static void take_norms(struct ub_builder *b, const struct ub_call *call)
{
    b->norm_epsilon = UB_NORM_EPSILON;
    if (!value_of(call, "affine"))
        return;
    b->plain_norms = !ub_call_flag(call, "affine");
    b->norm_epsilon = ub_call_real(call, "epsilon");
}

void ub_builder_parametrize(struct ub_builder *b, const struct ub_call *call)
{
    b->parametrization = UB_SP;
    b->base_width = b->ratio = 1;
    take_norms(b, call);
    const char *name = value_of(call, "parametrization");
    if (!name)
        return;
    b->base_width = (double)ub_call_int(call, "base-width");
    b->zero_readout = ub_call_flag(call, "zero-readout");
    b->fixed_readout = ub_call_flag(call, "fixed-readout");
    for (int k = 0; ub_parametrization_names[k]; k++)
        if (strcmp(name, ub_parametrization_names[k]) == 0)
            b->parametrization = (enum ub_parametrization)k;
}

static void parametrize_mup(double r, struct ub_param *p)
{
    switch (p->role) {
    case UB_ROLE_INPUT:
    case UB_ROLE_VECTOR:
        p->multiplier = sqrt(r);
        p->init_scale = 1 / sqrt(r);
        p->rate_scale = 1 / sqrt(r);
        break;
    case UB_ROLE_HIDDEN:
        p->rate_scale = 1 / r;
        break;
    case UB_ROLE_OUTPUT:
        p->multiplier = 1 / sqrt(r);
        p->rate_scale = 1 / sqrt(r);
        break;
    case UB_ROLE_FIXED:
        break;
    }
}

void ub_parametrize(const struct ub_builder *b, struct ub_param *p)
{
    p->multiplier = p->init_scale = p->rate_scale = 1;
    if (b->parametrization == UB_MUP)
        parametrize_mup(b->ratio, p);
    if (b->parametrization == UB_NTK && p->role != UB_ROLE_VECTOR && p->role != UB_ROLE_FIXED) {
        p->multiplier = 1 / sqrt((double)p->fan_in);
        p->init_scale = sqrt((double)p->fan_in);
    }
    if (b->zero_readout && p->role == UB_ROLE_OUTPUT)
        p->init_scale = 0;
}

double ub_attention_scale(const struct ub_builder *b, int64_t head_size)
{
    const double d = (double)head_size;
    return b->parametrization == UB_MUP ? sqrt(d / b->ratio) / d : 1 / sqrt(d);
}
