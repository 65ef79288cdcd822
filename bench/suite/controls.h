/* controls.h - of which laws runs are controls; private to the suite reader. */
#ifndef UB_SUITE_CONTROLS_H
#define UB_SUITE_CONTROLS_H

#include "bench/suite/suite.h"

/* From a block's `control` (NULL: it has none) to what a store keeps (store.h): entries in order of
 * their laws, NULL when there are none. Notes the laws in suite->controls. */
bool ub_suite_read_control(struct ub_suite *suite, const struct ub_yaml *node, char **control,
                           struct ub_error *err);
/* Both together, in *joined (caller frees; NULL when both are). False when one law is to hold in
 * one and to fail in the other: *law (caller frees) is the first such, *joined NULL. */
bool ub_suite_join_controls(const char *a, const char *b, char **joined, char **law);

#endif
