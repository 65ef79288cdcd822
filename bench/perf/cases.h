/* cases.h - the systems whose speed is measured: random data of a stated shape, a model, a loss. */
#ifndef UB_PERF_CASES_H
#define UB_PERF_CASES_H

#include "datasets/datasets.h"

struct perf_case {
    const char *name, *model, *loss;
    int64_t samples;
    int rank;
    int64_t shape[3], outputs;
    int64_t tokens, positions; /* sequences; 0 otherwise */
    bool regression;
};

extern const struct perf_case perf_cases[]; /* the last has no name */
const struct perf_case *perf_case_find(const char *name);
/* Normal numbers, or uniform tokens; classes in turn, or normal targets. */
struct ub_dataset *perf_case_data(const struct perf_case *c);

#endif
