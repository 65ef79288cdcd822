/* builder.h - life of a struct ub_builder (systems.h); private to this library. */
#ifndef UB_BUILDER_H
#define UB_BUILDER_H

#include "systems/systems.h"

/* An empty graph and layout for a dataset of this shape; the parametrization is the call's. */
struct ub_builder ub_builder_new(const struct ub_dataset *data, const struct ub_call *model);
void ub_builder_clear(struct ub_builder *b);

#endif
