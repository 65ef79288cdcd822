/* packed.h - weights packed into integers, which a file tells by the scales beside them.
 *
 *     struct ub_packed packed = {0};
 *     ub_packed_note(&packed, &array);               // of every array of the file
 *     ub_packed_match(&packed);
 *     if (ub_packed_scale(&packed, "l.scales")) ...  // of l.qweight, say
 *
 * Of 2 to 4 bits a weight, several are in one integer, in an order that each tool has for itself;
 * their scales and offsets are arrays of floats with two axes, which look like weights:
 *
 *     l.qweight         l.scales, l.qzeros      GPTQ (Frantar et al. 2023, arXiv:2210.17323), AWQ
 *                                               (Lin et al. 2024, arXiv:2306.00978)
 *     l.weight          l.scales, l.biases      MLX
 *     l.weight_packed   l.weight_scale          compressed-tensors, of vLLM
 *     l.blocks          l.scales                Open Compute's MXFP4
 *
 * An array of two axes or more whose numbers are none that are read is packed when an array is
 * named as its scale: .scale, .scales, ... beside .weight, .qweight, ... of the same module, or the
 * same name up to _packed, _blocks, ... with _scale, _scales, ... */
#ifndef UB_PACKED_H
#define UB_PACKED_H

#include "bench/arrays/arrays.h"

struct ub_packed_array {
    char *name, *type;
    bool packed; /* after ub_packed_match: a scale of it is there */
};
struct ub_packed {
    size_t count, n_scales;
    struct ub_packed_array *list; /* arrays of other types, two axes or more; sorted by name */
    char **scales;                /* names like a scale's, of any type */
};

/* Keeps the array's name when it may be packed or a scale. */
void ub_packed_note(struct ub_packed *p, const struct ub_array *a);
/* Once all are noted. */
void ub_packed_match(struct ub_packed *p);
/* After the match: whether the name is of a scale or offset of a packed array. */
bool ub_packed_scale(const struct ub_packed *p, const char *name);
void ub_packed_clear(struct ub_packed *p);

#endif
