/* registry.h - one implementation for every table of descriptors: models, losses, inits,
 * optimizers, datasets, observables, laws. An entry is a constant struct whose first member is its
 * name, `const char *name`.
 *
 *     static const void *entry(size_t i) { return ub_models[i]; }
 *     static const struct ub_option *options(const void *model) {
 *         return ((const struct ub_model *)model)->options;
 *     }
 *     const struct ub_registry ub_model_registry = {"model", entry, options, NULL};
 *
 *     const struct ub_model *model;
 *     struct ub_call *call = ub_registry_call(&ub_model_registry, "mlp:widths=8", "--model",
 *                                             (const void **)&model, &err);
 *
 * Unknown names are errors with a suggestion, or with the list of those there are; where these are
 * many, with the command that lists them. */
#ifndef UB_REGISTRY_H
#define UB_REGISTRY_H

#include "base/base.h"

struct ub_registry {
    const char *what;                                      /* "model": for messages */
    const void *(*entry)(size_t i);                        /* NULL beyond the last */
    const struct ub_option *(*options)(const void *entry); /* its own; NULL: none have any */
    const struct ub_option *common;                        /* those of all entries; NULL: none */
};

const char *ub_registry_name(const void *entry);
size_t ub_registry_count(const struct ub_registry *registry);
const void *ub_registry_find(const struct ub_registry *registry, const char *name); /* or NULL */
/* The same with a message that starts with `where`. */
const void *ub_registry_get(const struct ub_registry *registry, const char *name, const char *where,
                            struct ub_error *err);
/* An entry's own options and after them the common ones that it has none of its own in place of,
 * ended by a NULL key. Caller frees. */
struct ub_option *ub_registry_options(const struct ub_registry *registry, const void *entry);
/* Parses `text`, finds its entry and checks its options. NULL with a message that starts with
 * `where` when any is wrong, or `text` is NULL. `entry` may be NULL. */
struct ub_call *ub_registry_call(const struct ub_registry *registry, const char *text,
                                 const char *where, const void **entry, struct ub_error *err);
/* Of a call so checked: its canonical text. Caller frees. */
char *ub_registry_text(const struct ub_registry *registry, const struct ub_call *call);
/* The canonical text of such a call (caller frees) and, when label is not NULL, the short form. */
char *ub_registry_canonical(const struct ub_registry *registry, const char *text, const char *where,
                            char **label, struct ub_error *err);

#endif
