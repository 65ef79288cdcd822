/* registry.h - one way to read a call of any of this library's four tables. */
#ifndef UB_REGISTRY_H
#define UB_REGISTRY_H

#include "systems/systems.h"

enum ub_registry { UB_REGISTRY_MODEL, UB_REGISTRY_LOSS, UB_REGISTRY_INIT, UB_REGISTRY_OPTIMIZER };

/* Parses `text`, looks its name up and checks its options; `*index` is the entry's place in its
 * table. NULL with a message that starts with `where` when the name or an option is wrong. */
struct ub_call *ub_registry_call(enum ub_registry registry, const char *text, const char *where,
                                 size_t *index, struct ub_error *err);

#endif
