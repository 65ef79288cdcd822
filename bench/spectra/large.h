/* large.h - memory of many MiB that is touched for the first time by what is timed. */
#ifndef UB_LARGE_H
#define UB_LARGE_H

#include "base/base.h"

/* As ub_alloc, in huge pages where the system has them: a first touch then takes half as long. */
void *ub_alloc_large(size_t bytes);

#endif
