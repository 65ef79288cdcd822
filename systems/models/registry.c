/* Every model: one file in this folder, one line in this table. */
#include "systems/systems.h"

#include <string.h>

extern const struct ub_model ub_model_linear, ub_model_deep_linear, ub_model_mlp;

const struct ub_model *const ub_models[] = {
    &ub_model_linear,
    &ub_model_deep_linear,
    &ub_model_mlp,
    NULL,
};

const struct ub_model *ub_model_find(const char *name)
{
    for (size_t i = 0; ub_models[i]; i++)
        if (strcmp(ub_models[i]->name, name) == 0)
            return ub_models[i];
    return NULL;
}
