/* The four tables of this library as registries, and that of datasets beside them: all that a
 * system is called by. */
#include "systems/systems.h"

#include <string.h>

static const void *model(size_t i)
{
    return ub_models[i];
}

static const struct ub_option *model_options(const void *entry)
{
    return ((const struct ub_model *)entry)->options;
}

static const void *loss(size_t i)
{
    return ub_losses[i];
}

static const void *init(size_t i)
{
    return ub_inits[i];
}

static const struct ub_option *init_options(const void *entry)
{
    return ((const struct ub_init *)entry)->options;
}

static const void *optimizer(size_t i)
{
    return ub_optimizers[i];
}

static const struct ub_option *optimizer_options(const void *entry)
{
    return ((const struct ub_optimizer_kind *)entry)->options;
}

const struct ub_option ub_model_common_options[] = {
    {"output-scale", UB_OPTION_REAL, "1", 1e-12, 1e12, NULL, "factor on the outputs"},
    {"centered", UB_OPTION_FLAG, "false", 0, 0, NULL, "outputs less those at the start"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

const struct ub_registry ub_model_registry = {"model", model, model_options,
                                              ub_model_common_options};
const struct ub_registry ub_loss_registry = {"loss", loss, NULL, NULL};
const struct ub_registry ub_init_registry = {"init", init, init_options, NULL};
const struct ub_registry ub_optimizer_registry = {"optimizer", optimizer, optimizer_options,
                                                  ub_optimizer_common_options};

const struct ub_model *ub_model_find(const char *name)
{
    return ub_registry_find(&ub_model_registry, name);
}

const struct ub_loss *ub_loss_find(const char *name)
{
    return ub_registry_find(&ub_loss_registry, name);
}

const struct ub_init *ub_init_find(const char *name)
{
    return ub_registry_find(&ub_init_registry, name);
}

const struct ub_optimizer_kind *ub_optimizer_find(const char *name)
{
    return ub_registry_find(&ub_optimizer_registry, name);
}

const struct ub_registry *ub_system_registry(const char *what)
{
    const struct ub_registry *const all[] = {&ub_dataset_registry, &ub_model_registry,
                                             &ub_loss_registry, &ub_init_registry,
                                             &ub_optimizer_registry};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->what, what) == 0)
            return all[i];
    return NULL;
}

const char *ub_system_title(const char *what, const char *name)
{
    const struct ub_dataset_source *source = ub_dataset_find(name);
    const struct ub_model *of_model = ub_model_find(name);
    const struct ub_loss *of_loss = ub_loss_find(name);
    const struct ub_init *of_init = ub_init_find(name);
    const struct ub_optimizer_kind *kind = ub_optimizer_find(name);
    const struct {
        const struct ub_registry *registry;
        const char *title;
    } titles[] = {
        {&ub_dataset_registry, source ? source->title : NULL},
        {&ub_model_registry, of_model ? of_model->title : NULL},
        {&ub_loss_registry, of_loss ? of_loss->title : NULL},
        {&ub_init_registry, of_init ? of_init->title : NULL},
        {&ub_optimizer_registry, kind ? kind->title : NULL},
    };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].title && strcmp(titles[i].registry->what, what) == 0)
            return titles[i].title;
    return name;
}
