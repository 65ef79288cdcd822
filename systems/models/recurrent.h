/* recurrent.h - what lstm and gru share: a cell run over the steps of a sequence, layer by layer.
 */
#ifndef UB_RECURRENT_H
#define UB_RECURRENT_H

#include "systems/layers.h"

#define UB_STEP_LIMIT 4096 /* steps that are unrolled */

/* The three options of both models. */
#define UB_RECURRENT_OPTIONS                                                                       \
    {"width", UB_OPTION_INT, "64", 1, 65536, NULL, "hidden units of a layer"},                     \
        {"depth", UB_OPTION_INT, "1", 1, 16, NULL, "layers"}, UB_PARAMETRIZATION_OPTIONS

struct ub_cell {
    const char *name; /* of the parameters: "lstm", "gru" */
    int64_t gates;
    /* One step: from the gates' inputs (chunk, gates x width) and W_hh h + b_hh of the same size,
     * and the state, to the next state: state[0] is the output. */
    void (*step)(struct ub_graph *g, ub_node input, ub_node hidden, int64_t width,
                 ub_node state[2]);
};

bool ub_recurrent_fits(const struct ub_call *call, const struct ub_dataset *data, int64_t gates,
                       struct ub_error *err);
ub_node ub_recurrent_build(struct ub_builder *b, const struct ub_call *call, ub_node input,
                           const struct ub_cell *cell);
/* The k-th of the gates, (chunk, width). */
ub_node ub_gate(struct ub_graph *g, ub_node gates, int64_t k, int64_t width);

#endif
