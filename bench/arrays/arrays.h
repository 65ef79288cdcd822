/* arrays.h - the arrays of files that others write: NumPy's .npy and .npz, and safetensors.
 *
 *     ub_arrays_each("model.safetensors", print_shape, NULL, &err);
 *
 * .npy: versions 1 to 3 (NEP 1), C or Fortran order, either byte order. .npz: zip (and zip64)
 * archives with members stored or deflated, checked by their CRC, through libzip. safetensors: an
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

enum ub_array_kind {
    UB_ARRAY_OTHER,   /* texts, records, integers of more than 8 bits, booleans, packed numbers */
    UB_ARRAY_REAL,    /* float16, bfloat16, float32, float64 */
    UB_ARRAY_FLOAT8,  /* 8-bit floats, which may be meant times a scale (quantized.h) */
    UB_ARRAY_INTEGER8 /* 8-bit integers, which mean nothing without one */
};

struct ub_array {
    const char *name; /* control characters replaced by '?' */
    int rank;
    int64_t shape[UB_ARRAY_RANK]; /* the last axis varies fastest, whatever the file's order */
    int64_t size;
    const char *type; /* what the file calls its numbers: <f4, F8_E4M3 */
    enum ub_array_kind kind;
    const double *values; /* exact; NULL for UB_ARRAY_OTHER */
};
/* Returning false, with err set, ends the reading. What the array points to lives for the call. */
typedef bool ub_array_visit(void *context, const struct ub_array *array, struct ub_error *err);

/* Visits arrays in the file's order; tells the formats apart by their first bytes. False: not such
 * a file, cut short, corrupt; arrays before the broken one have been visited by then. */
bool ub_arrays_each(const char *path, ub_array_visit *visit, void *context, struct ub_error *err);

#endif
