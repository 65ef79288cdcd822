/* parametrization.h - how sizes of weights and of their updates go with width.
 *
 * A weight is read as W = multiplier * w, and w starts at init_scale times what the init draws.
 * Gradient descent on w moves W by multiplier^2 times the learning rate: multipliers take the place
 * of learning rates of single layers, so that one learning rate, plain Hessians and known edges of
 * stability serve every parametrization (the "abc" symmetry of Yang and Hu 2020, 2011.14522,
 * section 3: a + s, b - s, c - 2s is the same training). With r = width / base width:
 *
 *   role     mup: multiplier  init_scale  Adam rate   ntk: multiplier   init_scale    Adam rate
 *   input         r^1/2       r^-1/2      r^-1/2           fan_in^-1/2  fan_in^1/2    1
 *   hidden        1           1           r^-1             fan_in^-1/2  fan_in^1/2    1
 *   output        r^-1/2      1           r^-1/2           fan_in^-1/2  fan_in^1/2    1
 *   vector        r^1/2       r^-1/2      r^-1/2           1            1             1
 *   fixed         1           1           1                1            1             1
 *
 * mup for SGD is table 1 of 2011.14522 (a = -1/2, 0, 1/2; b = 1/2; c = 0); the rates for Adam are
 * those of table 3 of Yang et al. 2022, 2203.03466 (1, 1/r, 1/r for W), over the multiplier, as
 * Adam's step in w does not depend on the size of the gradient. At r = 1 mup is sp. ntk is Jacot
 * et al. 2018, 1806.07572, biases as in sp. */
#ifndef UB_PARAMETRIZATION_H
#define UB_PARAMETRIZATION_H

#include "systems/systems.h"

extern const char *const ub_parametrization_names[]; /* in the order of the enum; NULL at the end */

/* Options that every model with a width takes: entries of its table. A readout that starts at zero
 * leaves no part to chance that takes great widths to average out (Yang et al. 2022, 2203.03466,
 * appendix D.2); one that is never trained (Hoffer, Hubara and Soudry 2018, arXiv:1801.04540)
 * leaves a network whose layers are all before a norm no parameter that has a scale. */
#define UB_PARAMETRIZATION_OPTIONS                                                                 \
    {"parametrization",        UB_OPTION_NAME | UB_OPTION_PLAIN, "sp", 0, 0,                       \
     ub_parametrization_names, "how sizes go with width"},                                         \
        {"base-width", UB_OPTION_INT, "64", 1, 1048576, NULL, "width at which mup is sp"},         \
        {"zero-readout", UB_OPTION_FLAG, "false", 0, 0, NULL, "the output layer starts at zero"},  \
    {                                                                                              \
        "fixed-readout", UB_OPTION_FLAG | UB_OPTION_LATER, "false", 0, 0, NULL,                    \
            "the output layer stays as it is drawn"                                                \
    }

/* Options that models with a `norm` take besides: two entries of its table. */
#define UB_NORM_EPSILON 1e-5
#define UB_NORM_OPTIONS                                                                            \
    {"affine", UB_OPTION_FLAG | UB_OPTION_LATER, "true", 0, 0,                                     \
     NULL,     "norms have a gain and an offset"},                                                 \
    {                                                                                              \
        "epsilon", UB_OPTION_REAL | UB_OPTION_LATER, "1e-05", 1e-30, 1, NULL,                      \
            "what norms add to the variance"                                                       \
    }

/* Takes the options from a checked call; sp when the model does not have them. */
void ub_builder_parametrize(struct ub_builder *b, const struct ub_call *call);

/* Sets multiplier, init_scale and rate_scale of a parameter whose role and fans are set. */
void ub_parametrize(const struct ub_builder *b, struct ub_param *param);

/* The factor on attention logits: 1/sqrt(d) for heads of size d; under mup sqrt(d / r) / d (Yang et
 * al. 2022, definition 4.1: 1/d, equal to sp at the base width). */
double ub_attention_scale(const struct ub_builder *b, int64_t head_size);

#endif
