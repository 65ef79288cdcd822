/* axes.h - the checked values of a block's axes; private to the suite reader. */
#ifndef UB_SUITE_AXES_H
#define UB_SUITE_AXES_H

#include "bench/store/axes.h"
#include "bench/suite/suite.h"

struct ub_axis_value {
    char *text, *label; /* canonical text; label NULL where there is none */
};
struct ub_axis_values {
    size_t count;
    struct ub_axis_value *value;
};
void ub_axis_clear(struct ub_axis_values *values);

/* All values of an axis, from the block, else the defaults, else its fallback. */
bool ub_axis_read(const struct ub_run_axis *axis, const struct ub_yaml *block,
                  const struct ub_yaml *defaults, struct ub_axis_values *out, struct ub_error *err);
void ub_axis_assign(struct ub_run_spec *spec, const struct ub_run_axis *axis,
                    const struct ub_axis_value *value);

/* The block's own entry, else that of the defaults (may be NULL), else NULL. */
const struct ub_yaml *ub_block_setting(const struct ub_yaml *block, const struct ub_yaml *defaults,
                                       const char *key);

#endif
