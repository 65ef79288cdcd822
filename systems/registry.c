#include "systems/registry.h"

#include <stdlib.h>
#include <string.h>

static const struct ub_option no_options[] = {
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static const char *model_name(size_t i)
{
    return ub_models[i] ? ub_models[i]->name : NULL;
}

static const char *loss_name(size_t i)
{
    return ub_losses[i] ? ub_losses[i]->name : NULL;
}

static const char *init_name(size_t i)
{
    return ub_inits[i] ? ub_inits[i]->name : NULL;
}

static const char *optimizer_name(size_t i)
{
    return ub_optimizers[i] ? ub_optimizers[i]->name : NULL;
}

static const struct ub_option *model_options(size_t i)
{
    return ub_models[i]->options;
}

static const struct ub_option *loss_options(size_t i)
{
    (void)i;
    return no_options;
}

static const struct ub_option *init_options(size_t i)
{
    return ub_inits[i]->options;
}

static const struct ub_option *optimizer_options(size_t i)
{
    return ub_optimizers[i]->options;
}

/* An entry's own options, and after them those common to its registry. */
enum { MOST_OPTIONS = 64 };
struct options {
    struct ub_option all[MOST_OPTIONS];
};

static const struct {
    const char *what;
    const char *(*name)(size_t i); /* NULL beyond the last */
    const struct ub_option *(*options)(size_t i);
    const struct ub_option *common; /* NULL = none */
} registries[] = {
    [UB_REGISTRY_MODEL] = {"model", model_name, model_options, NULL},
    [UB_REGISTRY_LOSS] = {"loss", loss_name, loss_options, NULL},
    [UB_REGISTRY_INIT] = {"init", init_name, init_options, NULL},
    [UB_REGISTRY_OPTIMIZER] = {"optimizer", optimizer_name, optimizer_options,
                               ub_optimizer_common_options},
};

static struct options options_of(enum ub_registry registry, size_t index)
{
    const struct ub_option *tables[] = {registries[registry].options(index),
                                        registries[registry].common};
    struct options options = {0};
    size_t n = 0;
    for (int k = 0; k < 2; k++)
        for (const struct ub_option *o = tables[k]; o && o->key; o++) {
            if (n + 1 >= MOST_OPTIONS)
                abort(); /* an entry has more options than there is room for */
            options.all[n++] = *o;
        }
    return options;
}

enum { NAMES_LIMIT = 256 };

static bool fail_unknown(enum ub_registry registry, const char *given, const char *where,
                         struct ub_error *err)
{
    const char *names[NAMES_LIMIT];
    struct ub_text known = {0};
    size_t n = 0;
    for (; n < NAMES_LIMIT && registries[registry].name(n); n++) {
        names[n] = registries[registry].name(n);
        ub_text_add(&known, "%s%s", n > 0 ? ", " : "", names[n]);
    }
    const char *what = registries[registry].what, *near = ub_suggest(given, names, n);
    if (near)
        ub_fail(err, UB_INPUT, "%s: unknown %s '%s'; did you mean '%s'?", where, what, given, near);
    else
        ub_fail(err, UB_INPUT, "%s: unknown %s '%s'; expected one of %s", where, what, given,
                known.data);
    ub_text_free(&known);
    return false;
}

static bool find(enum ub_registry registry, const char *given, const char *where, size_t *index,
                 struct ub_error *err)
{
    for (size_t i = 0; registries[registry].name(i); i++)
        if (strcmp(registries[registry].name(i), given) == 0) {
            *index = i;
            return true;
        }
    return fail_unknown(registry, given, where, err);
}

struct ub_call *ub_registry_call(enum ub_registry registry, const char *text, const char *where,
                                 size_t *index, struct ub_error *err)
{
    if (!text) {
        ub_fail(err, UB_INPUT, "%s: no %s given", where, registries[registry].what);
        return NULL;
    }
    struct ub_call *call = ub_call_parse(text, where, err);
    if (!call)
        return NULL;
    if (find(registry, call->name, where, index, err)) {
        const struct options options = options_of(registry, *index);
        if (ub_call_check(call, options.all, where, err))
            return call;
    }
    ub_call_free(call);
    return NULL;
}

char *ub_system_canonical(const char *what, const char *text, const char *where, char **label,
                          struct ub_error *err)
{
    enum { COUNT = sizeof registries / sizeof *registries };
    size_t registry = 0, index = 0;
    while (registry < COUNT && strcmp(registries[registry].what, what) != 0)
        registry++;
    if (registry == COUNT) {
        ub_fail(err, UB_INTERNAL, "no registry of '%s'", what);
        return NULL;
    }
    struct ub_call *call = ub_registry_call((enum ub_registry)registry, text, where, &index, err);
    if (!call)
        return NULL;
    char *canonical = ub_call_text(call, NULL);
    const struct options options = options_of((enum ub_registry)registry, index);
    if (label)
        *label = ub_call_text(call, options.all);
    ub_call_free(call);
    return canonical;
}
