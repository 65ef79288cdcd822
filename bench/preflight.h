/* preflight.h - what can be known to be wrong before the first run. */
#ifndef UB_PREFLIGHT_H
#define UB_PREFLIGHT_H

#include "bench/suite.h"

/* Loads every dataset of the cells once (in a child process) and checks that each model, loss and
 * init fits its data, so that bad files and impossible cells end in one line and nothing stored.
 * `path` starts the messages of cells that have a line; NULL for a single run. */
bool ub_preflight(const struct ub_suite_cell *cells, size_t count, const char *path,
                  const char *data_folder, struct ub_error *err);

#endif
