/* Files of the page by name. */
#include "report/explorer/assets.h"

#include <string.h>

const struct explorer_asset *explorer_asset(const char *name)
{
    for (const struct explorer_asset *a = explorer_assets; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}
