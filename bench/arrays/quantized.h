/* quantized.h - weights of 8 bits times their scales, which files keep as arrays beside them.
 *
 *     struct ub_scales *scales = ub_scales_read("model.safetensors", &err);
 *     double *values = ub_scales_apply(scales, &array, &said);   // NULL: `said` is why not
 *
 * Of an array "m.weight" the scale is "m.weight_scale", "m.weight_scale_inv" (which multiplies,
 * too: DeepSeek-V3, arXiv:2412.19437, and vLLM's compressed-tensors), "m.weight.scale",
 * "m.scale_weight" or "m.scale"; "m.SCB" holds each row's largest magnitude, 127 of an 8-bit
 * integer (Dettmers et al. 2022, arXiv:2208.07339). Shapes: one number; one a row (the first axis);
 * of matrices, one a block: of 128 x 128 where that fits, else the blocks that divide the sides
 * evenly. Floats without a scale are taken as they are. Integers without one, unsigned ones,
 * numbers with a zero point that is not 0, and scales of other names or shapes are refused: the
 * matrix would be another one. */
#ifndef UB_QUANTIZED_H
#define UB_QUANTIZED_H

#include "bench/arrays/arrays.h"

struct ub_scales;
/* Every array of the file that is named like a scale. */
struct ub_scales *ub_scales_read(const char *path, struct ub_error *err);
void ub_scales_free(struct ub_scales *scales);
/* Whether the name is one of a scale or a zero point. */
bool ub_is_scale(const char *name);
/* The array's numbers times its scale, which the caller frees, with what was done in `said` ("times
 * weight_scale, blocks of 1 x 64"); NULL with the reason, which names the array, there. The array
 * is of kind FLOAT8 or INTEGER8. */
double *ub_scales_apply(const struct ub_scales *scales, const struct ub_array *a,
                        struct ub_text *said);

#endif
