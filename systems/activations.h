/* activations.h - pointwise nonlinearities by name, shared by all models. */
#ifndef UB_ACTIVATIONS_H
#define UB_ACTIVATIONS_H

#include "systems/graph/graph.h"

struct ub_activation {
    const char *name, *formula, *citation;
    ub_node (*build)(struct ub_graph *g, ub_node x);
    /* E phi(u) phi(v) and E phi'(u) phi'(v) of normal u, v with these variances and covariance,
     * where there is a closed form; else NULL. */
    void (*expect)(double uu, double uv, double vv, double *value, double *slope);
};

/* The table ends with an entry without name; the names stand in the same order, NULL-terminated,
 * to be the choices of a model's `activation` option. */
extern const struct ub_activation ub_activations[];
extern const char *const ub_activation_names[];
const struct ub_activation *ub_activation_find(const char *name); /* NULL: unknown */

#endif
