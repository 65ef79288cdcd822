/* identity.h - the contents of data files, and of weights to start from, as part of what a run is.
 *
 *     struct ub_contents *known = ub_contents_new();
 *     if (!ub_suite_identify(suite, data, known, &err)) ...    // before ids are asked for
 *
 * A dataset that is read from files names them (ub_dataset_files), as does a start from another
 * run's weights (ub_init_file); the SHA-256 of each, of its content with gzip undone, goes into the
 * run's spec and so into its id: a file that has changed, or another one under its name, makes
 * other runs; the same content at another place makes the same. */
#ifndef UB_IDENTITY_H
#define UB_IDENTITY_H

#include "bench/suite/suite.h"

/* Contents that are known already. A file is read once for as long as its size, its times and its
 * place on disk stay what they were; forked workers know what their parent knew. */
struct ub_contents *ub_contents_new(void);
void ub_contents_free(struct ub_contents *known);

/* Sets spec->files; `data` is the data folder or NULL ($UNIBENCH_DATA). False when a file that is
 * needed is not there or cannot be read. */
bool ub_spec_identify(struct ub_run_spec *spec, const char *data, struct ub_contents *known,
                      struct ub_error *err);

/* The same for all cells. Those whose files are not there at all are marked absent instead (what
 * trains them will say so); cells that turn out to be one run are dropped. */
bool ub_suite_identify(struct ub_suite *suite, const char *data, struct ub_contents *known,
                       struct ub_error *err);

/* Whether the files that the spec's dataset and start would be read from now are those in
 * spec->files; the first that is not is named. `known` may be NULL. */
bool ub_spec_files_hold(const struct ub_run_spec *spec, const char *data, struct ub_contents *known,
                        struct ub_error *err);

#endif
