/* extensions.h - what registries list besides their own: nothing, unless a program is built with a
 * folder of extensions, whose list CMake then writes (ci/cmake/UnibenchExtensions.cmake).
 *
 *     const struct ub_loss *const ub_losses[] = {&ub_loss_mse, &ub_loss_ce, UB_EXTRA_LOSS NULL};
 */
#ifndef UB_EXTENSIONS_H
#define UB_EXTENSIONS_H

#ifdef UB_EXTENSIONS
#include UB_EXTENSIONS
#else
#define UB_EXTRA_MODEL
#define UB_EXTRA_LOSS
#define UB_EXTRA_INIT
#define UB_EXTRA_OPTIMIZER
#define UB_EXTRA_DATASET
#define UB_EXTRA_OBSERVABLE
#define UB_EXTRA_LAW
#define UB_EXTRA_SECTION
#endif

#endif
