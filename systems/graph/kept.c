/* kept.c - what a program will keep for later calls, as far as the graph alone tells. */
#include "systems/graph/transforms.h"

/* Whose numbers are read: through other shapes, and of what is stretched. */
static ub_node read_as(const struct ub_graph *g, ub_node x)
{
    while (ub_is_alias(ub_vertex(g, x)->op) || ub_vertex(g, x)->op == UB_OP_BROADCAST)
        x = ub_vertex(g, x)->in[0];
    return x;
}

/* Marks what evaluating any of the n ys needs. Caller frees. */
static bool *evaluated(const struct ub_graph *g, const ub_node *ys, int n)
{
    bool *mark = ub_calloc((size_t)g->count, sizeof *mark);
    for (int i = 0; i < n; i++)
        mark[ys[i]] = true;
    for (ub_node x = g->count - 1; x >= 0; x--) {
        const struct ub_vertex *v = ub_vertex(g, x);
        const int read = ub_is_alias(v->op) ? 1 : v->n_in;
        for (int i = 0; mark[x] && i < read; i++)
            mark[v->in[i]] = true;
    }
    return mark;
}

int64_t ub_kept_for(const struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *tangents,
                    int n_tangents)
{
    bool *live = evaluated(g, ys, n_ys);
    bool *late = ub_depends_on(g, g->count - 1, tangents, n_tangents);
    bool *counted = ub_calloc((size_t)g->count, sizeof *counted);
    int64_t count = 0;
    for (ub_node x = 0; x < g->count; x++)
        for (int i = 0; live[x] && late[x] && i < ub_vertex(g, x)->n_in; i++) {
            const ub_node source = read_as(g, ub_vertex(g, x)->in[i]);
            if (late[source] || counted[source] || ub_vertex(g, source)->op <= UB_OP_IOTA)
                continue;
            counted[source] = true;
            count += ub_count(ub_shape_of(g, source));
        }
    ub_free(live);
    ub_free(late);
    ub_free(counted);
    return count;
}
