/* arrays.h - the arrays of files that others write: NumPy's .npz and safetensors.
 *
 *     ub_arrays_each("model.safetensors", print_shape, NULL, &err);
 *
 * .npz: zip (and zip64) archives with members stored or deflated, checked by their CRC, through
 * libzip; .npy versions 1 to 3 (NEP 1), C or Fortran order, either byte order. safetensors: an
 * 8-byte length, a JSON header (through Jansson), the numbers
 * (https://github.com/huggingface/safetensors). Whatever a file claims, no more is allocated than
 * its bytes can hold; one array is in memory at a time. */
#ifndef UB_ARRAYS_H
#define UB_ARRAYS_H

#include "base/base.h"

enum {
    UB_ARRAY_RANK = 32,      /* NumPy's own limit before 2.0 */
    UB_ARRAY_LIMIT = 1 << 30 /* numbers of an array: 8 GiB as doubles */
};

struct ub_array {
    const char *name; /* control characters replaced by '?' */
    int rank;
    int64_t shape[UB_ARRAY_RANK]; /* the last axis varies fastest, whatever the file's order */
    int64_t size;
    const double *values; /* NULL unless float16, bfloat16, float32 or float64 */
};
/* Returning false, with err set, ends the reading. What the array points to lives for the call. */
typedef bool ub_array_visit(void *context, const struct ub_array *array, struct ub_error *err);

/* Visits arrays in the file's order; tells the formats apart by their first bytes. False: not such
 * a file, cut short, corrupt; arrays before the broken one have been visited by then. */
bool ub_arrays_each(const char *path, ub_array_visit *visit, void *context, struct ub_error *err);

#endif
