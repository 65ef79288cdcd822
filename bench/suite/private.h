/* suite_private.h - what the suite reader's files share. */
#ifndef UB_SUITE_PRIVATE_H
#define UB_SUITE_PRIVATE_H

#include "bench/suite/suite.h"

/* Fails for a key of `map` that is none of `keys`, with a suggestion. */
bool ub_check_keys(const struct ub_yaml *map, const char *const *keys, size_t n, const char *what,
                   struct ub_error *err);
/* The same for the keys of a block, or of the defaults of all. */
bool ub_check_block_keys(const struct ub_yaml *map, struct ub_error *err);
/* Appends the cells that one block stands for; `defaults` may be NULL. */
bool ub_suite_add_block(struct ub_suite *suite, const struct ub_yaml *block,
                        const struct ub_yaml *defaults, struct ub_error *err);

#endif
