/* Every topic of the report in the order of the page: a file in this folder and two lines here. */
#include "base/extensions.h"
#include "report/sections/sections.h"

extern const struct ub_section ub_section_thresholds, ub_section_architectures,
    ub_section_coordinates, ub_section_flows, ub_section_catapults, ub_section_batches,
    ub_section_training, ub_section_exponents, ub_section_spectra, ub_section_rotation;

const struct ub_section *const ub_sections[] = {
    &ub_section_thresholds, &ub_section_architectures, &ub_section_coordinates,
    &ub_section_flows,      &ub_section_catapults,     &ub_section_batches,
    &ub_section_training,   &ub_section_exponents,     &ub_section_spectra,
    &ub_section_rotation,   UB_EXTRA_SECTION NULL,
};
