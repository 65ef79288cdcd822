#include "base/precision.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {"f32", "f64", "bf16x3"};

const char *ub_precision_name(enum ub_precision precision)
{
    return names[precision];
}

bool ub_precision_find(const char *name, enum ub_precision *precision)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *precision = (enum ub_precision)i;
            return true;
        }
    return false;
}
