#include "base/registry.h"

#include <string.h>

const char *ub_registry_name(const void *entry)
{
    return *(const char *const *)entry; /* a struct's address is that of its first member */
}

size_t ub_registry_count(const struct ub_registry *registry)
{
    size_t n = 0;
    while (registry->entry(n))
        n++;
    return n;
}

const void *ub_registry_find(const struct ub_registry *registry, const char *name)
{
    for (size_t i = 0; registry->entry(i); i++)
        if (strcmp(ub_registry_name(registry->entry(i)), name) == 0)
            return registry->entry(i);
    return NULL;
}

const void *ub_registry_get(const struct ub_registry *registry, const char *name, const char *where,
                            struct ub_error *err)
{
    const void *found = ub_registry_find(registry, name);
    if (found)
        return found;
    enum { MOST_NAMED = 12 }; /* an error is one line: a longer list would be cut off */
    const size_t n = ub_registry_count(registry);
    const char **names = ub_calloc(n + 1, sizeof *names);
    struct ub_text known = {0};
    for (size_t i = 0; i < n; i++) {
        names[i] = ub_registry_name(registry->entry(i));
        ub_text_add(&known, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    const size_t length = strlen(registry->what);
    const char *plural = length && registry->what[length - 1] == 's' ? "es" : "s";
    const char *near = ub_suggest(name, names, n);
    if (near)
        ub_fail(err, UB_INPUT, "%s: unknown %s '%s'; did you mean '%s'?", where, registry->what,
                name, near);
    else if (n > MOST_NAMED)
        ub_fail(err, UB_INPUT, "%s: unknown %s '%s'; 'unibench list %s%s' shows them", where,
                registry->what, name, registry->what, plural);
    else
        ub_fail(err, UB_INPUT, "%s: unknown %s '%s'; expected one of %s", where, registry->what,
                name, known.data);
    ub_text_free(&known);
    ub_free(names);
    return NULL;
}

static bool has_option(const struct ub_option *options, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(options[i].key, key) == 0)
            return true;
    return false;
}

struct ub_option *ub_registry_options(const struct ub_registry *registry, const void *entry)
{
    const struct ub_option *tables[] = {registry->options ? registry->options(entry) : NULL,
                                        registry->common};
    size_t most = 0, n = 0;
    for (int t = 0; t < 2; t++)
        for (const struct ub_option *o = tables[t]; o && o->key; o++)
            most++;
    struct ub_option *all = ub_calloc(most + 1, sizeof *all);
    for (int t = 0; t < 2; t++)
        for (const struct ub_option *o = tables[t]; o && o->key; o++)
            if (!has_option(all, n, o->key))
                all[n++] = *o;
    all[n] = (struct ub_option){.key = NULL};
    return all;
}

struct ub_call *ub_registry_call(const struct ub_registry *registry, const char *text,
                                 const char *where, const void **entry, struct ub_error *err)
{
    if (!text) {
        ub_fail(err, UB_INPUT, "%s: no %s given", where, registry->what);
        return NULL;
    }
    struct ub_call *call = ub_call_parse(text, where, err);
    const void *found = call ? ub_registry_get(registry, call->name, where, err) : NULL;
    if (found) {
        struct ub_option *options = ub_registry_options(registry, found);
        const bool good = ub_call_check(call, options, where, err);
        ub_free(options);
        if (entry)
            *entry = found;
        if (good)
            return call;
    }
    ub_call_free(call);
    return NULL;
}

/* Those options that canonical texts leave out at their defaults. */
static void keep_later(struct ub_option *options)
{
    size_t n = 0;
    for (const struct ub_option *o = options; o->key; o++)
        if (ub_option_is_later(o))
            options[n++] = *o;
    options[n] = (struct ub_option){.key = NULL};
}

char *ub_registry_text(const struct ub_registry *registry, const struct ub_call *call)
{
    const void *entry = ub_registry_find(registry, call->name);
    struct ub_option *options = ub_registry_options(registry, entry);
    keep_later(options);
    char *text = ub_call_text(call, options);
    ub_free(options);
    return text;
}

char *ub_registry_canonical(const struct ub_registry *registry, const char *text, const char *where,
                            char **label, struct ub_error *err)
{
    const void *entry;
    struct ub_call *call = ub_registry_call(registry, text, where, &entry, err);
    if (!call)
        return NULL;
    char *canonical = ub_registry_text(registry, call);
    if (label) {
        struct ub_option *options = ub_registry_options(registry, entry);
        *label = ub_call_text(call, options);
        ub_free(options);
    }
    ub_call_free(call);
    return canonical;
}
