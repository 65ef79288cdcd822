/* demand.c - first pass: which nodes are needed, and in what form. */
#include "systems/graph/program.h"

/* Weights up to this size are transposed once a call instead of in every product of a chunk:
 * products run up to twice as fast on untransposed operands, and
 * by a tenth where they are large. */
enum { HOIST_LIMIT = 1 << 20 };

static bool swaps_last(const struct ub_vertex *v)
{
    int rank = v->shape.rank;
    if (v->op != UB_OP_TRANSPOSE || rank < 2)
        return false;
    for (int i = 0; i < rank - 2; i++)
        if (v->attributes->order[i] != i)
            return false;
    return v->attributes->order[rank - 2] == rank - 1;
}

static struct ub_use find_use(const struct ub_compiler *c, ub_node x, int i)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    ub_node source = c->base[v->in[i]];
    const struct ub_vertex *s = ub_vertex(c->g, source);
    bool pointwise = ub_operator_row(v->op)->pointwise;
    if (pointwise && s->op == UB_OP_FILL)
        return (struct ub_use){.source = UB_NONE, .view = UB_NONE, .value = s->attributes->value};
    if (pointwise && s->op == UB_OP_BROADCAST)
        return (struct ub_use){.source = c->base[s->in[0]], .view = source, .in_memory = true};
    if (c->viewed[source])
        return (struct ub_use){
            .source = ub_source_of(c, source), .view = UB_NONE, .in_memory = true};
    if (v->op == UB_OP_MATMUL && source == v->in[i] && swaps_last(s)) {
        bool hoist =
            !c->part[source].chunk && c->part[x].chunk && ub_count(s->shape) <= HOIST_LIMIT;
        if (!hoist)
            return (struct ub_use){.source = ub_source_of(c, s->in[0]),
                                   .view = UB_NONE,
                                   .transposed = true,
                                   .in_memory = true};
    }
    const bool in_block = pointwise || v->op == UB_OP_SUM; /* a sum may join what it sums */
    return (struct ub_use){.source = source, .view = UB_NONE, .in_memory = !in_block};
}

struct ub_use ub_use_of(const struct ub_compiler *c, ub_node x, int i)
{
    return c->use ? c->use[c->first_use[x] + i] : find_use(c, x, i);
}

/* All passes ask for uses, over and over: they are found once. */
static void find_uses(struct ub_compiler *c)
{
    int count = 0;
    for (ub_node x = 0; x < c->n; x++) {
        c->first_use[x] = count;
        count += ub_vertex(c->g, x)->n_in;
    }
    c->first_use[c->n] = count;
    struct ub_use *use = ub_alloc((size_t)count * sizeof *use);
    for (ub_node x = 0; x < c->n; x++)
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++)
            use[c->first_use[x] + i] = find_use(c, x, i);
    c->use = use;
}

void ub_compile_demand(struct ub_compiler *c)
{
    find_uses(c);
    for (int i = 0; i < c->spec->n_outputs; i++) {
        ub_node x = c->base[c->spec->outputs[i].node];
        c->live[x] = true;
        c->stored[x] = true;
        c->uses[x]++;
    }
    for (ub_node x = c->n - 1; x >= 0; x--) {
        if (!c->live[x])
            continue;
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
            struct ub_use use = ub_use_of(c, x, i);
            if (use.source == UB_NONE)
                continue;
            c->live[use.source] = true;
            c->stored[use.source] = c->stored[use.source] || use.in_memory;
            c->uses[use.source]++;
        }
    }
}
