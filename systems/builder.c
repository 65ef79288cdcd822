#include "systems/builder.h"

#include <stdlib.h>

struct ub_builder ub_builder_new(const struct ub_dataset *data)
{
    return (struct ub_builder){.graph = ub_graph_new(), .data = data};
}

void ub_builder_clear(struct ub_builder *b)
{
    ub_graph_free(b->graph);
    ub_free(b->layout.params);
    ub_free(b->param_nodes);
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

ub_node ub_builder_param(struct ub_builder *b, const char *name, int rank, const int64_t *shape,
                         int64_t fan_in, int64_t fan_out, bool bias)
{
    struct ub_layout *layout = &b->layout;
    const size_t count = (size_t)layout->count + 1;
    layout->params = ub_realloc(layout->params, count * sizeof *layout->params);
    b->param_nodes = ub_realloc(b->param_nodes, count * sizeof *b->param_nodes);

    struct ub_param *param = &layout->params[layout->count];
    *param = (struct ub_param){.rank = rank,
                               .offset = layout->size,
                               .size = 1,
                               .fan_in = fan_in,
                               .fan_out = fan_out,
                               .bias = bias,
                               .init_scale = 1,
                               .rate_scale = 1};
    set_name(param->name, name);
    for (int i = 0; i < rank; i++) {
        param->shape[i] = shape[i];
        param->size *= shape[i];
    }
    const ub_node node = ub_input(b->graph, rank, shape);
    b->param_nodes[layout->count++] = node;
    layout->size += param->size;
    return node;
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

ub_node ub_builder_linear(struct ub_builder *b, const char *name, ub_node x, int64_t in,
                          int64_t out, bool bias)
{
    char full[64];
    snprintf(full, sizeof full, "%.56s.weight", name);
    const ub_node weight = ub_builder_param(b, full, 2, (int64_t[]){out, in}, in, out, false);
    const ub_node y = ub_matmul(b->graph, x, ub_transpose(b->graph, weight, (int[]){1, 0}));
    if (!bias)
        return y;
    snprintf(full, sizeof full, "%.56s.bias", name);
    return ub_add(b->graph, y, ub_builder_param(b, full, 1, &out, in, out, true));
}
