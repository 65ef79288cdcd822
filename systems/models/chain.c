#include "systems/models/chain.h"

bool ub_chain_fits(const struct ub_chain *chain, const struct ub_dataset *data,
                   struct ub_error *err)
{
    if (!ub_expect_vectors(data, err))
        return false;
    if (chain->hidden > UB_CHAIN_LIMIT)
        return ub_fail(err, UB_INPUT, "%zu hidden layers; expected at most %d", chain->hidden,
                       UB_CHAIN_LIMIT);
    int64_t in = data->features, total = 0;
    for (size_t i = 0; i <= chain->hidden; i++) {
        const int64_t out = i < chain->hidden ? chain->widths[i] : data->outputs;
        /* The sum cannot overflow: each term is checked against the limit first. */
        if (!ub_size_fits(in, out, 1, (uint64_t)UB_PARAMETER_LIMIT) ||
            (total += in * out + out) > UB_PARAMETER_LIMIT)
            return ub_fail(err, UB_INPUT,
                           "more than %lld parameters (layer %zu is %lld x %lld); "
                           "expected a smaller width or depth",
                           (long long)UB_PARAMETER_LIMIT, i + 1, (long long)out, (long long)in);
        in = out;
    }
    return true;
}

/* A unit is a channel of one pixel to a batch norm. */
static ub_node norm(struct ub_builder *b, const char *name, ub_node x, enum ub_norm kind)
{
    if (kind != UB_NORM_BATCH)
        return ub_norm_last(b, name, x, kind);
    const struct ub_shape s = ub_shape_of(b->graph, x);
    x = ub_reshape(b->graph, x, 4, (int64_t[]){s.dim[0], 1, 1, s.dim[1]});
    return ub_reshape(b->graph, ub_norm_image(b, name, x, kind, 0, 1), 2, s.dim);
}

ub_node ub_chain_build(struct ub_builder *b, const struct ub_chain *chain, ub_node input)
{
    ub_node x = input;
    char name[32];
    ub_builder_width(b, chain->hidden > 0 ? chain->widths[0] : 1);
    for (size_t i = 0; i < chain->hidden; i++) {
        snprintf(name, sizeof name, "fc%zu", i + 1);
        x = ub_builder_linear(b, name, x, chain->widths[i], i ? UB_ROLE_HIDDEN : UB_ROLE_INPUT,
                              chain->bias);
        snprintf(name, sizeof name, "norm%zu", i + 1);
        x = norm(b, name, x, chain->norm);
        if (chain->activation)
            x = chain->activation->build(b->graph, x);
        snprintf(name, sizeof name, "hidden%zu", i + 1);
        ub_builder_hidden(b, name, x);
    }
    snprintf(name, sizeof name, "fc%zu", chain->hidden + 1);
    return ub_builder_linear(b, name, x, b->data->outputs,
                             chain->hidden ? UB_ROLE_OUTPUT : UB_ROLE_FIXED, chain->bias);
}

void ub_chain_wide(const struct ub_chain *chain, const struct ub_wide_source *source,
                   struct ub_wide *wide)
{
    const struct ub_param *p = source->layout->params;
    const bool whole = source->layout->count == (int64_t)(chain->hidden + 1) * (1 + chain->bias);
    if (chain->norm != UB_NORM_NONE || !whole) /* a fixed readout is no part of the layout */
        return;
    ub_wide_start(wide, chain->activation, chain->hidden);
    for (size_t i = 0; i <= chain->hidden; i++, p += 1 + chain->bias)
        wide->layer[i] = ub_wide_layer_of(source, p, chain->bias ? p + 1 : NULL);
}
