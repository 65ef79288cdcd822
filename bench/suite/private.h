/* suite_private.h - what the suite reader's files share. */
#ifndef UB_SUITE_PRIVATE_H
#define UB_SUITE_PRIVATE_H

#include "bench/suite/suite.h"

/* Fails for a key of `map` that is none of `keys`, with a suggestion. */
bool ub_check_keys(const struct ub_yaml *map, const char *const *keys, size_t n, const char *what,
                   struct ub_error *err);
/* The same for the keys of a block, or of the defaults of all. */
bool ub_check_block_keys(const struct ub_yaml *map, struct ub_error *err);
/* A file that is being read, and the one that includes it (NULL: none does). */
struct ub_suite_file {
    const char *path;
    const struct ub_suite_file *by;
};
/* Appends the cells of a file's `include` and `runs`; the caller has read its YAML to `root`. */
bool ub_suite_add_file(struct ub_suite *suite, const struct ub_yaml *root,
                       const struct ub_suite_file *file, struct ub_error *err);
/* Appends the cells of the files that `include`, a node of the file `by`, names. */
bool ub_suite_include(struct ub_suite *suite, const struct ub_yaml *include,
                      const struct ub_suite_file *by, struct ub_error *err);
/* The suite's own copy of a path, added to its files when it is not among them. */
const char *ub_suite_keep_path(struct ub_suite *suite, const char *path);
/* Appends the cells of a block, or of all that it stands for by its `with`; `defaults` may be NULL.
 */
bool ub_suite_add_blocks(struct ub_suite *suite, const struct ub_yaml *block,
                         const struct ub_yaml *defaults, struct ub_error *err);
/* Appends the cells that one block, without `with`, stands for. */
bool ub_suite_add_block(struct ub_suite *suite, const struct ub_yaml *block,
                        const struct ub_yaml *defaults, struct ub_error *err);

#endif
