/* graph_support.h - evaluates nodes of a graph at given inputs, for tests. */
#ifndef UB_TEST_GRAPH_SUPPORT_H
#define UB_TEST_GRAPH_SUPPORT_H

#include "systems/graph/graph.h"

struct binding {
    ub_node node;
    const double *values;
};

/* out[i] receives all elements of nodes[i]. */
static inline void evaluate(const struct ub_graph *g, const struct binding *bindings, int n,
                            const ub_node *nodes, int n_nodes, double *const *out, bool single)
{
    struct ub_program_input inputs[16];
    struct ub_program_output outputs[16];
    const double *vectors[16];
    for (int i = 0; i < n; i++) {
        inputs[i] = (struct ub_program_input){.node = bindings[i].node, .slot = i};
        vectors[i] = bindings[i].values;
    }
    for (int i = 0; i < n_nodes; i++)
        outputs[i] = (struct ub_program_output){.node = nodes[i], .slot = i};
    struct ub_program *p = ub_program_compile(g, &(struct ub_program_spec){.inputs = inputs,
                                                                           .n_inputs = n,
                                                                           .outputs = outputs,
                                                                           .n_outputs = n_nodes,
                                                                           .single = single});
    ub_program_run(p, vectors, out, true);
    ub_program_free(p);
}

#endif
