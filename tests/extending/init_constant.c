/* Every parameter is the same number. */
#include "systems/systems.h"

static const struct ub_option options[] = {
    {"value", UB_OPTION_REAL, "0.5", -1e6, 1e6, NULL, "of every parameter"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void fill(const struct ub_call *call, const struct ub_param *param, struct ub_random *r,
                 double *values)
{
    (void)r;
    for (int64_t i = 0; i < param->size; i++)
        values[i] = ub_call_real(call, "value");
}

const struct ub_init ub_init_constant = {
    .name = "constant",
    .summary = "every parameter is the same number",
    .citation = "none",
    .options = options,
    .fill = fill,
};
