/* preflight.h - what can be known to be wrong before the first run. */
#ifndef UB_PREFLIGHT_H
#define UB_PREFLIGHT_H

#include "bench/suite/suite.h"

struct ub_preflight_setting {
    const char *path; /* of the suite: starts the messages of cells that have a line; NULL = none */
    const char *data; /* folder of data files, or NULL */
    uint64_t memory;  /* bytes that the runs at once may need by estimate; 0 = not estimated */
    int jobs, threads;
};

/* Loads every dataset of the cells once, for one of its seeds (in a child process), and checks that
 * each model, loss, init and optimizer fits its data, and its memory the limit, so that bad files
 * and impossible cells end in one line and nothing stored. */
bool ub_preflight(const struct ub_suite_cell *cells, size_t count,
                  const struct ub_preflight_setting *setting, struct ub_error *err);

#endif
