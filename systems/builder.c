/* What models write to: parameters with their layout, layers, activations worth observing. */
#include "systems/builder.h"
#include "systems/parametrization.h"

#include <stdlib.h>

struct ub_builder ub_builder_new(const struct ub_dataset *data, const struct ub_call *model)
{
    struct ub_builder b = {.graph = ub_graph_new(), .data = data};
    ub_builder_parametrize(&b, model);
    return b;
}

void ub_builder_clear(struct ub_builder *b)
{
    ub_graph_free(b->graph);
    ub_free(b->layout.params);
    ub_free(b->param_nodes);
    ub_free(b->frozen.params);
    ub_free(b->frozen_nodes);
    ub_free(b->hidden);
    ub_free(b->hidden_names);
    *b = (struct ub_builder){0};
}

/* Names are made by models, never by users: one that does not fit is a mistake in the code. */
static void set_name(char out[64], const char *name)
{
    if (snprintf(out, 64, "%s", name) < 64)
        return;
    fprintf(stderr, "unibench: name '%s' has more than 63 characters\n", name);
    abort();
}

/* Appends to a layout and its nodes; returns the new input. */
static ub_node append(struct ub_builder *b, struct ub_layout *layout, ub_node **nodes,
                      const struct ub_param *param)
{
    const size_t count = (size_t)layout->count + 1;
    layout->params = ub_realloc(layout->params, count * sizeof *layout->params);
    *nodes = ub_realloc(*nodes, count * sizeof **nodes);
    layout->params[layout->count] = *param;
    layout->params[layout->count].offset = layout->size;
    const ub_node node = ub_input(b->graph, param->rank, param->shape);
    (*nodes)[layout->count++] = node;
    layout->size += param->size;
    return node;
}

ub_node ub_builder_param(struct ub_builder *b, const struct ub_param_spec *spec)
{
    struct ub_param param = {.rank = spec->rank,
                             .size = 1,
                             .fan_in = spec->fan_in > 0 ? spec->fan_in : 1,
                             .fan_out = spec->fan_out > 0 ? spec->fan_out : 1,
                             .role = spec->role,
                             .start = spec->start,
                             .value = spec->value};
    set_name(param.name, spec->name);
    for (int i = 0; i < spec->rank; i++) {
        param.shape[i] = spec->shape[i];
        param.size *= spec->shape[i];
    }
    ub_parametrize(b, &param);
    const ub_node node = spec->frozen ? append(b, &b->frozen, &b->frozen_nodes, &param)
                                      : append(b, &b->layout, &b->param_nodes, &param);
    return ub_scale(b->graph, node, param.multiplier);
}

void ub_builder_width(struct ub_builder *b, int64_t width)
{
    b->width = width;
    b->ratio = (double)width / b->base_width;
}

void ub_builder_hidden(struct ub_builder *b, const char *name, ub_node activation)
{
    const size_t count = (size_t)b->n_hidden + 1;
    b->hidden = ub_realloc(b->hidden, count * sizeof *b->hidden);
    b->hidden_names = ub_realloc(b->hidden_names, count * sizeof *b->hidden_names);
    b->hidden[b->n_hidden] = activation;
    set_name(b->hidden_names[b->n_hidden], name);
    b->n_hidden++;
}

ub_node ub_builder_linear(struct ub_builder *b, const char *name, ub_node x, int64_t out,
                          enum ub_role role, bool bias)
{
    const struct ub_shape shape = ub_shape_of(b->graph, x);
    const int64_t in = shape.dim[shape.rank - 1];
    const bool fixed = role == UB_ROLE_OUTPUT && b->fixed_readout;
    char full[64];
    snprintf(full, sizeof full, "%.56s.weight", name);
    const ub_node weight = ub_builder_param(b, &(struct ub_param_spec){.name = full,
                                                                       .rank = 2,
                                                                       .shape = {out, in},
                                                                       .fan_in = in,
                                                                       .fan_out = out,
                                                                       .role = role,
                                                                       .frozen = fixed});
    const ub_node y = ub_matmul(b->graph, x, ub_transpose(b->graph, weight, (int[]){1, 0}));
    if (!bias)
        return y;
    snprintf(full, sizeof full, "%.56s.bias", name);
    const bool output = role == UB_ROLE_OUTPUT || role == UB_ROLE_FIXED;
    const bool zero = role == UB_ROLE_OUTPUT && b->zero_readout;
    return ub_add(b->graph, y,
                  ub_builder_param(
                      b, &(struct ub_param_spec){.name = full,
                                                 .rank = 1,
                                                 .shape = {out},
                                                 .fan_in = in,
                                                 .fan_out = out,
                                                 .role = output ? UB_ROLE_FIXED : UB_ROLE_VECTOR,
                                                 .start = zero ? UB_START_CONSTANT : UB_START_BIAS,
                                                 .frozen = fixed}));
}
