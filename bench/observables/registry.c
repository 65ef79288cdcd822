/* Every observable: one file in this folder, one line in this table. */
#include "base/extensions.h"
#include "bench/observables/observables.h"

/* clang-format off */
extern const struct ub_observable ub_observable_loss;
extern const struct ub_observable ub_observable_accuracy;
extern const struct ub_observable ub_observable_gradient_norm;
extern const struct ub_observable ub_observable_distance;
extern const struct ub_observable ub_observable_sharpness;
extern const struct ub_observable ub_observable_edge_ratio;
extern const struct ub_observable ub_observable_generalized_sharpness;
extern const struct ub_observable ub_observable_hessian_spectrum;
extern const struct ub_observable ub_observable_covariance_spectrum;
extern const struct ub_observable ub_observable_coordinates;
extern const struct ub_observable ub_observable_central_flow;
extern const struct ub_observable ub_observable_spectrum;
extern const struct ub_observable ub_observable_kernel_spectrum;
extern const struct ub_observable ub_observable_class_structure;
extern const struct ub_observable ub_observable_weight_spectrum;
extern const struct ub_observable ub_observable_weight_noise;
extern const struct ub_observable ub_observable_density;
extern const struct ub_observable ub_observable_batch_sharpness;
extern const struct ub_observable ub_observable_batch_top_eigenvalue;
extern const struct ub_observable ub_observable_directional_smoothness;
extern const struct ub_observable ub_observable_gradient_alignment;
extern const struct ub_observable ub_observable_gradient_subspace;
extern const struct ub_observable ub_observable_midpoint_sharpness;
extern const struct ub_observable ub_observable_catapult;
extern const struct ub_observable ub_observable_kernel_drift;
extern const struct ub_observable ub_observable_predicted_risk;
extern const struct ub_observable ub_observable_excess_risk;
extern const struct ub_observable ub_observable_learnability;
extern const struct ub_observable ub_observable_linear_modes;
extern const struct ub_observable ub_observable_margin;
extern const struct ub_observable ub_observable_max_norm_margin;
extern const struct ub_observable ub_observable_balancedness;
extern const struct ub_observable ub_observable_symmetry;
extern const struct ub_observable ub_observable_implicit_bias;
extern const struct ub_observable ub_observable_kernel_modes;
extern const struct ub_observable ub_observable_kernel_entries;
extern const struct ub_observable ub_observable_norm_kurtosis;
extern const struct ub_observable ub_observable_signal;
extern const struct ub_observable ub_observable_linearization;
extern const struct ub_observable ub_observable_flow_distance;
extern const struct ub_observable ub_observable_feature_ansatz;
extern const struct ub_observable ub_observable_feature_equation;
extern const struct ub_observable ub_observable_neural_collapse;
extern const struct ub_observable ub_observable_stationary_noise;
extern const struct ub_observable ub_observable_noise_scale;
extern const struct ub_observable ub_observable_representation;
extern const struct ub_observable ub_observable_sharpening;
extern const struct ub_observable ub_observable_width_limit;
extern const struct ub_observable ub_observable_order_parameters;
extern const struct ub_observable ub_observable_fork_barrier;
extern const struct ub_observable ub_observable_weights;
/* clang-format on */

const struct ub_observable *const ub_observables[] = {
    &ub_observable_loss,
    &ub_observable_accuracy,
    &ub_observable_gradient_norm,
    &ub_observable_distance,
    &ub_observable_sharpness,
    &ub_observable_edge_ratio,
    &ub_observable_generalized_sharpness,
    &ub_observable_hessian_spectrum,
    &ub_observable_covariance_spectrum,
    &ub_observable_coordinates,
    &ub_observable_central_flow,
    &ub_observable_spectrum,
    &ub_observable_kernel_spectrum,
    &ub_observable_class_structure,
    &ub_observable_weight_spectrum,
    &ub_observable_weight_noise,
    &ub_observable_density,
    &ub_observable_batch_sharpness,
    &ub_observable_batch_top_eigenvalue,
    &ub_observable_directional_smoothness,
    &ub_observable_gradient_alignment,
    &ub_observable_gradient_subspace,
    &ub_observable_midpoint_sharpness,
    &ub_observable_catapult,
    &ub_observable_kernel_drift,
    &ub_observable_predicted_risk,
    &ub_observable_excess_risk,
    &ub_observable_learnability,
    &ub_observable_linear_modes,
    &ub_observable_margin,
    &ub_observable_max_norm_margin,
    &ub_observable_balancedness,
    &ub_observable_symmetry,
    &ub_observable_implicit_bias,
    &ub_observable_kernel_modes,
    &ub_observable_kernel_entries,
    &ub_observable_norm_kurtosis,
    &ub_observable_signal,
    &ub_observable_linearization,
    &ub_observable_flow_distance,
    &ub_observable_feature_ansatz,
    &ub_observable_feature_equation,
    &ub_observable_neural_collapse,
    &ub_observable_stationary_noise,
    &ub_observable_noise_scale,
    &ub_observable_representation,
    &ub_observable_sharpening,
    &ub_observable_width_limit,
    &ub_observable_order_parameters,
    &ub_observable_fork_barrier,
    &ub_observable_weights,
    UB_EXTRA_OBSERVABLE NULL,
};

static const void *observable(size_t i)
{
    return ub_observables[i];
}

static const struct ub_option *options(const void *entry)
{
    return ((const struct ub_observable *)entry)->options;
}

const struct ub_registry ub_observable_registry = {"observable", observable, options,
                                                   ub_schedule_options};

const struct ub_observable *ub_observable_find(const char *name)
{
    return ub_registry_find(&ub_observable_registry, name);
}
