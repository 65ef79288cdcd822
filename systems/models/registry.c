/* Every model: one file in this folder, one line in this table. */
#include "base/extensions.h"
#include "systems/systems.h"

extern const struct ub_model ub_model_linear, ub_model_deep_linear, ub_model_mlp, ub_model_cnn,
    ub_model_resnet, ub_model_mlp_mixer, ub_model_vit, ub_model_gpt, ub_model_attention_only,
    ub_model_lstm, ub_model_gru, ub_model_mamba, ub_model_diagonal_linear,
    ub_model_matrix_factorization, ub_model_two_layer, ub_model_residual_mlp,
    ub_model_random_features, ub_model_quadratic, ub_model_scalar_chain, ub_model_autoencoder,
    ub_model_committee, ub_model_tree_cnn;

const struct ub_model *const ub_models[] = {
    &ub_model_linear,
    &ub_model_deep_linear,
    &ub_model_diagonal_linear,
    &ub_model_matrix_factorization,
    &ub_model_two_layer,
    &ub_model_random_features,
    &ub_model_quadratic,
    &ub_model_scalar_chain,
    &ub_model_mlp,
    &ub_model_residual_mlp,
    &ub_model_cnn,
    &ub_model_resnet,
    &ub_model_mlp_mixer,
    &ub_model_vit,
    &ub_model_gpt,
    &ub_model_attention_only,
    &ub_model_lstm,
    &ub_model_gru,
    &ub_model_mamba,
    &ub_model_autoencoder,
    &ub_model_committee,
    &ub_model_tree_cnn,
    UB_EXTRA_MODEL NULL,
};
