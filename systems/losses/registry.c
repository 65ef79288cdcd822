/* Every loss: one file in this folder, one line in this table. */
#include "base/extensions.h"
#include "systems/systems.h"

extern const struct ub_loss ub_loss_mse, ub_loss_ce;

const struct ub_loss *const ub_losses[] = {
    &ub_loss_mse,
    &ub_loss_ce,
    UB_EXTRA_LOSS NULL,
};
