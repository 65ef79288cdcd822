/* loaded.h - datasets by their calls, and equal numbers in them. */
#ifndef UB_TEST_LOADED_H
#define UB_TEST_LOADED_H

#include "support.h"

#include "datasets/datasets.h"

/* The test fails when it cannot be loaded. */
static inline struct ub_dataset *load(const char *text, uint64_t seed)
{
    struct ub_error err = {0};
    struct ub_dataset *d = ub_dataset_load(text, seed, NULL, &err);
    if (!d)
        fail_msg("%s: %s", text, err.text);
    return d;
}

static inline void assert_same_numbers(const double *a, const double *b, int64_t n)
{
    assert_memory_equal(a, b, (size_t)n * sizeof *a);
}

#endif
