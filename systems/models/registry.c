/* Every model: one file in this folder, one line in this table. */
#include "systems/systems.h"

#include <string.h>

extern const struct ub_model ub_model_linear, ub_model_deep_linear, ub_model_mlp, ub_model_cnn,
    ub_model_resnet, ub_model_mlp_mixer, ub_model_vit, ub_model_gpt, ub_model_attention_only,
    ub_model_lstm, ub_model_gru, ub_model_mamba;

const struct ub_model *const ub_models[] = {
    &ub_model_linear,
    &ub_model_deep_linear,
    &ub_model_mlp,
    &ub_model_cnn,
    &ub_model_resnet,
    &ub_model_mlp_mixer,
    &ub_model_vit,
    &ub_model_gpt,
    &ub_model_attention_only,
    &ub_model_lstm,
    &ub_model_gru,
    &ub_model_mamba,
    NULL,
};

const struct ub_model *ub_model_find(const char *name)
{
    for (size_t i = 0; ub_models[i]; i++)
        if (strcmp(ub_models[i]->name, name) == 0)
            return ub_models[i];
    return NULL;
}
