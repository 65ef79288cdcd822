/* Every law the suite knows: a file in this folder and two lines here. */
#include "base/extensions.h"
#include "report/laws/law.h"

/* clang-format off */
extern const struct ub_law ub_law_balancedness;
extern const struct ub_law ub_law_rotation_norm;
extern const struct ub_law ub_law_rotation;
extern const struct ub_law ub_law_noether_softmax;
extern const struct ub_law ub_law_noether;
extern const struct ub_law ub_law_decay_as_schedule;
extern const struct ub_law ub_law_balancedness_drift;
extern const struct ub_law ub_law_double_descent;
extern const struct ub_law ub_law_eigenlearning;
extern const struct ub_law ub_law_implicit_bias_diagonal;
extern const struct ub_law ub_law_learnability_sum;
extern const struct ub_law ub_law_linear_modes;
extern const struct ub_law ub_law_max_margin;
extern const struct ub_law ub_law_max_margin_signs;
extern const struct ub_law ub_law_online_teacher_student;
extern const struct ub_law ub_law_coordinate_check;
extern const struct ub_law ub_law_depth_transfer;
extern const struct ub_law ub_law_gradient_flow;
extern const struct ub_law ub_law_init_kurtosis;
extern const struct ub_law ub_law_kernel_concentration;
extern const struct ub_law ub_law_kernel_limit;
extern const struct ub_law ub_law_lazy_scale;
extern const struct ub_law ub_law_linearization;
extern const struct ub_law ub_law_modified_flow;
extern const struct ub_law ub_law_ntk_drift;
extern const struct ub_law ub_law_perturbation_growth;
extern const struct ub_law ub_law_signal_propagation;
extern const struct ub_law ub_law_batch_sharpness;
extern const struct ub_law ub_law_central_flow;
extern const struct ub_law ub_law_data_scaling;
extern const struct ub_law ub_law_data_scaling_form;
extern const struct ub_law ub_law_edge_of_stability;
extern const struct ub_law ub_law_entropy_floor;
extern const struct ub_law ub_law_hierarchy_samples;
extern const struct ub_law ub_law_loss_collapse;
extern const struct ub_law ub_law_progressive_sharpening;
extern const struct ub_law ub_law_time_scaling;
extern const struct ub_law ub_law_time_scaling_exponent;
extern const struct ub_law ub_law_width_scaling;
extern const struct ub_law ub_law_adam_sqrt;
extern const struct ub_law ub_law_catapult;
extern const struct ub_law ub_law_critical_batch;
extern const struct ub_law ub_law_linear_scaling;
extern const struct ub_law ub_law_lr_transfer;
extern const struct ub_law ub_law_momentum;
extern const struct ub_law ub_law_sam_edge;
extern const struct ub_law ub_law_stationary_noise;
extern const struct ub_law ub_law_weight_decay_time;
extern const struct ub_law ub_law_bulk_descent;
extern const struct ub_law ub_law_feature_ansatz;
extern const struct ub_law ub_law_features_at_convergence;
extern const struct ub_law ub_law_gradient_subspace;
extern const struct ub_law ub_law_grokking;
extern const struct ub_law ub_law_hessian_outliers;
extern const struct ub_law ub_law_mode_connectivity;
extern const struct ub_law ub_law_moments_first;
extern const struct ub_law ub_law_neural_collapse;
extern const struct ub_law ub_law_representation_alignment;
extern const struct ub_law ub_law_representation_alignment_across;
extern const struct ub_law ub_law_spectral_bias;
extern const struct ub_law ub_law_spectral_decay_first_layer;
extern const struct ub_law ub_law_spectral_decay_gauss_newton;
extern const struct ub_law ub_law_spectral_decay_hessian;
extern const struct ub_law ub_law_spectral_decay_kernel;
extern const struct ub_law ub_law_spectral_decay_last_layer;
extern const struct ub_law ub_law_weight_noise;
extern const struct ub_law ub_law_weight_tails;
/* clang-format on */

const struct ub_law *const ub_laws[] = {
    &ub_law_balancedness,
    &ub_law_balancedness_drift,
    &ub_law_double_descent,
    &ub_law_eigenlearning,
    &ub_law_implicit_bias_diagonal,
    &ub_law_learnability_sum,
    &ub_law_linear_modes,
    &ub_law_max_margin,
    &ub_law_max_margin_signs,
    &ub_law_noether,
    &ub_law_noether_softmax,
    &ub_law_online_teacher_student,
    &ub_law_coordinate_check,
    &ub_law_depth_transfer,
    &ub_law_gradient_flow,
    &ub_law_init_kurtosis,
    &ub_law_kernel_concentration,
    &ub_law_kernel_limit,
    &ub_law_lazy_scale,
    &ub_law_linearization,
    &ub_law_modified_flow,
    &ub_law_ntk_drift,
    &ub_law_perturbation_growth,
    &ub_law_signal_propagation,
    &ub_law_batch_sharpness,
    &ub_law_central_flow,
    &ub_law_data_scaling,
    &ub_law_data_scaling_form,
    &ub_law_edge_of_stability,
    &ub_law_entropy_floor,
    &ub_law_hierarchy_samples,
    &ub_law_loss_collapse,
    &ub_law_progressive_sharpening,
    &ub_law_time_scaling,
    &ub_law_time_scaling_exponent,
    &ub_law_width_scaling,
    &ub_law_adam_sqrt,
    &ub_law_catapult,
    &ub_law_critical_batch,
    &ub_law_decay_as_schedule,
    &ub_law_linear_scaling,
    &ub_law_lr_transfer,
    &ub_law_momentum,
    &ub_law_rotation,
    &ub_law_rotation_norm,
    &ub_law_sam_edge,
    &ub_law_stationary_noise,
    &ub_law_weight_decay_time,
    &ub_law_bulk_descent,
    &ub_law_feature_ansatz,
    &ub_law_features_at_convergence,
    &ub_law_gradient_subspace,
    &ub_law_grokking,
    &ub_law_hessian_outliers,
    &ub_law_mode_connectivity,
    &ub_law_moments_first,
    &ub_law_neural_collapse,
    &ub_law_representation_alignment,
    &ub_law_representation_alignment_across,
    &ub_law_spectral_bias,
    &ub_law_spectral_decay_first_layer,
    &ub_law_spectral_decay_gauss_newton,
    &ub_law_spectral_decay_hessian,
    &ub_law_spectral_decay_kernel,
    &ub_law_spectral_decay_last_layer,
    &ub_law_weight_noise,
    &ub_law_weight_tails,
    UB_EXTRA_LAW NULL,
};

static const void *law(size_t i)
{
    return ub_laws[i];
}

const struct ub_registry ub_law_registry = {"law", law, NULL, NULL};

const struct ub_law *ub_law_find(const char *name)
{
    return ub_registry_find(&ub_law_registry, name);
}
