/* arrays.h - what is read of weights: every number, so that a sanitizer sees it. */
#ifndef UB_FUZZ_ARRAYS_H
#define UB_FUZZ_ARRAYS_H

#include "bench/arrays/arrays.h"
#include "tests/fuzz/fuzz.h"

static inline bool read_numbers(void *context, const struct ub_array *array, struct ub_error *err)
{
    double *sum = context;
    int64_t size = 1;
    (void)err;
    fuzz_require(array->rank >= 0 && array->rank <= UB_ARRAY_RANK, "a rank");
    for (int i = 0; i < array->rank; i++)
        size *= array->shape[i];
    fuzz_require(size == array->size && *array->name != '\n', "a size that the shape makes");
    for (int64_t i = 0; array->values && i < array->size; i++)
        *sum += array->values[i];
    return true;
}

static inline void check_arrays(const char *path)
{
    struct ub_error err = {0};
    double sum = 0;
    fuzz_expect(ub_arrays_each(path, read_numbers, &sum, &err), &err);
}

#endif
