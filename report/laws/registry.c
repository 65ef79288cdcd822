/* Every law the suite knows: a file in this folder and two lines here. */
#include "report/laws/laws.h"

#include <string.h>

extern const struct ub_law ub_law_edge_of_stability, ub_law_batch_sharpness;

const struct ub_law *const ub_laws[] = {
    &ub_law_edge_of_stability,
    &ub_law_batch_sharpness,
    NULL,
};

const struct ub_law *ub_law_find(const char *name)
{
    for (size_t i = 0; ub_laws[i]; i++)
        if (strcmp(ub_laws[i]->name, name) == 0)
            return ub_laws[i];
    return NULL;
}
