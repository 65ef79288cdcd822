/* option_units.h - what an option's number counts or measures, added to its kind in a table of
 * options (base.h) as UB_OPTION_LATER is:
 *
 *     {"warmup", UB_OPTION_INT | UB_OPTION_OF_STEPS, "0", 0, 1e12, NULL, "..."},
 */
#ifndef UB_OPTION_UNITS_H
#define UB_OPTION_UNITS_H

#include "base/base.h"

/* Nothing of these: a pure number. */
enum {
    UB_OPTION_OF_STEPS = 1 << 8,
    UB_OPTION_OF_SAMPLES = 2 << 8,
    UB_OPTION_OF_PIXELS = 3 << 8,
    UB_OPTION_OF_TOKENS = 4 << 8,
    UB_OPTION_OF_OUTPUT = 5 << 8,    /* as the targets of a regression */
    UB_OPTION_OF_PARAMETER = 6 << 8, /* as trained parameters */
    UB_OPTION_OF_GRADIENT = 7 << 8,  /* loss per unit of parameter */
    UB_OPTION_OF_CURVATURE = 8 << 8, /* loss per unit of parameter squared */
    UB_OPTION_OF_PER_RATE = 9 << 8   /* what is multiplied with a learning rate */
};
enum { UB_OPTION_UNITS = 0xff << 8 }; /* all bits of them */

/* For the data dictionary: "steps"; "1" of a pure number, "the optimizer's" of a learning rate, ""
 * of what is no number. */
const char *ub_option_units(const struct ub_option *option);

#endif
