/* precision.h - the kinds of numbers that runs compute with.
 *
 * bf16x3 is f32 but for large products of matrices: there each number is split in two of bfloat16
 * and three of the four products are made (systems/graph/split.c has the bound of its error). It
 * pays where the CPU has AMX. */
#ifndef UB_PRECISION_H
#define UB_PRECISION_H

#include <stdbool.h>

enum ub_precision { UB_F32, UB_F64, UB_BF16X3 };
#define UB_PRECISIONS "f32, f64 or bf16x3" /* for messages */

const char *ub_precision_name(enum ub_precision precision);
bool ub_precision_find(const char *name, enum ub_precision *precision);

#endif
