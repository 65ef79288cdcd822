/* controls.h - of which laws a suite's runs are controls; for the suite reader. */
#ifndef UB_SUITE_CONTROLS_H
#define UB_SUITE_CONTROLS_H

#include "bench/store/store.h"

struct ub_control_law { /* whether there is such a law, only who knows laws can tell */
    char *name, *path;
    int line;
};
struct ub_control_laws { /* in file order, each of each line once */
    size_t count;
    struct ub_control_law *law;
};
void ub_control_laws_clear(struct ub_control_laws *laws);

/* From a block's `control` (NULL: it has none) to what a store keeps (ub_expected): entries in
 * order of their laws, NULL when there are none. Notes the laws in `laws`. */
bool ub_control_read(struct ub_control_laws *laws, const struct ub_yaml *node, char **control,
                     struct ub_error *err);
/* Both together, in *joined (caller frees; NULL when both are). False when one law is to hold in
 * one and to fail in the other: *law (caller frees) is the first such, *joined NULL. */
bool ub_control_join(const char *a, const char *b, char **joined, char **law);

#endif
