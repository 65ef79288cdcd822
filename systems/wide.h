/* wide.h - fully connected networks as theory of infinite width reads them.
 *
 * With W_l and b_l as the model multiplies and adds them, fan_l the inputs of W_l, all entries
 * independent with mean 0 at the start:
 *
 *     z_1 = W_1 x + b_1,   z_{l+1} = W_{l+1} phi(z_l) + b_{l+1},   output z_{hidden+1}
 *
 * A layer's `weight` is fan_l times the variance of W_l's entries, `bias` the variance of b_l's;
 * `weight_rate` is fan_l times the square of what a unit of the trained parameter adds to an entry
 * of W_l (the model's multiplier), `bias_rate` that square for b_l, 0 without biases. What comes of
 * them: bench/curvature/infinite_width.h. */
#ifndef UB_WIDE_H
#define UB_WIDE_H

#include "systems/activations.h"
#include "systems/systems.h"

struct ub_wide_layer {
    double weight, bias, weight_rate, bias_rate;
};

struct ub_wide {
    const struct ub_activation *activation; /* NULL: the identity */
    size_t hidden;
    struct ub_wide_layer *layer; /* hidden + 1 */
};

/* What a model describes itself from: its call, its layout, and how parameters are drawn. */
struct ub_wide_source {
    const struct ub_call *call, *init_call;
    const struct ub_init *init;
    const struct ub_layout *layout;
    const struct ub_layout *frozen; /* of parameters that stay as drawn */
};

/* False where the model is no such network, or the init does not say its variances. */
bool ub_problem_wide(const struct ub_problem *problem, struct ub_wide *wide);
void ub_wide_clear(struct ub_wide *wide);

/* For models: room for the layers, and a layer from its weight and bias (NULL: none) in the layout.
 */
void ub_wide_start(struct ub_wide *wide, const struct ub_activation *activation, size_t hidden);
struct ub_wide_layer ub_wide_layer_of(const struct ub_wide_source *source,
                                      const struct ub_param *weight, const struct ub_param *bias);

#endif
