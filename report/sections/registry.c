/* Every topic of the report in the order of the page: a file in this folder and two lines here. */
#include "base/extensions.h"
#include "report/sections/sections.h"

#include <string.h>

extern const struct ub_section ub_section_collapse, ub_section_architectures, ub_section_plateaus,
    ub_section_thresholds, ub_section_coordinates, ub_section_flows, ub_section_catapults,
    ub_section_batches, ub_section_rotation, ub_section_hierarchy, ub_section_grokking,
    ub_section_decay_time, ub_section_exponents, ub_section_outliers, ub_section_training,
    ub_section_spectra, ub_section_default;
extern const struct ub_section ub_section_barriers, ub_section_phases;
extern const struct ub_section ub_section_width_transfer, ub_section_depth_transfer;

/* clang-format off */
const struct ub_section *const ub_sections[] = {
    &ub_section_collapse, /* those of laws */
    &ub_section_architectures,
    &ub_section_plateaus,
    &ub_section_thresholds,
    &ub_section_coordinates,
    &ub_section_flows,
    &ub_section_catapults,
    &ub_section_batches,
    &ub_section_barriers,
    &ub_section_rotation,
    &ub_section_width_transfer,
    &ub_section_depth_transfer,
    &ub_section_hierarchy,
    &ub_section_grokking,
    &ub_section_decay_time,
    &ub_section_exponents,
    &ub_section_outliers,
    &ub_section_training, /* topics */
    &ub_section_spectra,
    &ub_section_phases,
    &ub_section_default, /* what no other draws */
    UB_EXTRA_SECTION NULL,
};
/* clang-format on */

static const struct ub_law_verdict *verdict_on(const struct study *study, const char *law)
{
    for (size_t i = 0; i < study->n_laws; i++)
        if (strcmp(study->laws[i]->law->name, law) == 0)
            return study->laws[i];
    return NULL;
}

const struct ub_law_verdict *section_verdict(const struct ub_section *section,
                                             const struct study *study)
{
    const struct ub_law_verdict *v = NULL;
    for (size_t i = 0; !v && section->laws && section->laws[i]; i++)
        v = verdict_on(study, section->laws[i]);
    return v;
}
