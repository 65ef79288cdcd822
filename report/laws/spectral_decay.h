/* spectral_decay.h - the laws on the decay of each matrix's eigenvalues, for the section that shows
 * them together. */
#ifndef UB_LAWS_SPECTRAL_DECAY_H
#define UB_LAWS_SPECTRAL_DECAY_H

#include "report/laws/decay.h"
#include "report/laws/law.h"

/* NULL for OF_INPUTS: the data's own exponents are what others are held against. */
extern const struct ub_law *const spectral_decay_laws[EXPONENT_MATRICES];

#endif
