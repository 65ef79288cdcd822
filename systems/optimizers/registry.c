/* Every optimizer: one file in this folder, one line in this table. */
#include "base/extensions.h"
#include "systems/systems.h"

extern const struct ub_optimizer_kind ub_optimizer_gd, ub_optimizer_heavy_ball,
    ub_optimizer_ema_momentum, ub_optimizer_nesterov, ub_optimizer_rmsprop,
    ub_optimizer_scalar_rmsprop, ub_optimizer_adagrad, ub_optimizer_adadelta, ub_optimizer_adam,
    ub_optimizer_adamw, ub_optimizer_nadam, ub_optimizer_amsgrad, ub_optimizer_normalized_gd,
    ub_optimizer_signsgd, ub_optimizer_lion, ub_optimizer_sgd, ub_optimizer_sam,
    ub_optimizer_gauss_newton, ub_optimizer_lbfgs, ub_optimizer_gradient_flow,
    ub_optimizer_block_cd, ub_optimizer_spectral_gd, ub_optimizer_muon, ub_optimizer_shampoo,
    ub_optimizer_soap, ub_optimizer_ridge;

const struct ub_optimizer_kind *const ub_optimizers[] = {
    &ub_optimizer_gd,
    &ub_optimizer_sgd,
    &ub_optimizer_heavy_ball,
    &ub_optimizer_nesterov,
    &ub_optimizer_ema_momentum,
    &ub_optimizer_rmsprop,
    &ub_optimizer_scalar_rmsprop,
    &ub_optimizer_adagrad,
    &ub_optimizer_adadelta,
    &ub_optimizer_adam,
    &ub_optimizer_adamw,
    &ub_optimizer_nadam,
    &ub_optimizer_amsgrad,
    &ub_optimizer_normalized_gd,
    &ub_optimizer_signsgd,
    &ub_optimizer_lion,
    &ub_optimizer_sam,
    &ub_optimizer_gauss_newton,
    &ub_optimizer_lbfgs,
    &ub_optimizer_gradient_flow,
    &ub_optimizer_block_cd,
    &ub_optimizer_spectral_gd,
    &ub_optimizer_muon,
    &ub_optimizer_shampoo,
    &ub_optimizer_soap,
    &ub_optimizer_ridge,
    UB_EXTRA_OPTIMIZER NULL,
};
