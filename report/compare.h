/* compare.h - two digests against each other; private to this library. The rules are stated at the
 * head of compare.c. */
#ifndef UB_REPORT_COMPARE_H
#define UB_REPORT_COMPARE_H

#include "report/digest.h"

struct drift { /* one comparison */
    char *system, *optimizer, *metric;
    const char *kind;                     /* "status", "exact" or "measured" */
    const char *base_status, *new_status; /* of kind status */
    double base, new_value;
    size_t n_base, n_new;
    double p, q;       /* of kind measured; NAN where nothing was tested */
    double detectable; /* smallest true difference found with 80% power; in logarithms for losses
                          and sharpness */
    bool beyond_floor, drifted;
};

struct comparison {
    size_t count;
    struct drift *row;
    size_t drifted;
    size_t runs, missing, added; /* runs of the base; those that the new store lacks; its own */
    char *first_missing;
};
struct comparison *compare_digests(const struct digest *base, const struct digest *new);
void comparison_free(struct comparison *c);

#endif
