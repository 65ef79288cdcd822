/* operators.h - what observables of a matrix have in common: the options that choose it, the names
 * of its rows, its leading eigenpairs. Private to this folder. */
#ifndef UB_OBSERVABLES_OPERATORS_H
#define UB_OBSERVABLES_OPERATORS_H

#include "bench/curvature/curvature.h"
#include "bench/observables/shared.h"
#include "bench/spectra/lanczos.h"

/* Four entries of a table of options. */
#define UB_OPERATOR_OPTIONS                                                                        \
    {"operator",                                                                                   \
     UB_OPTION_NAME,                                                                               \
     "hessian",                                                                                    \
     0,                                                                                            \
     0,                                                                                            \
     ub_matrix_names,                                                                              \
     "which matrix: see unibench list operators"},                                                 \
        {"layer",                                                                                  \
         UB_OPTION_TEXT,                                                                           \
         "all",                                                                                    \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "its block of one layer (fc1, or fc1.weight); the layer of activations, the weight"},     \
        {"preconditioned",                                                                         \
         UB_OPTION_FLAG,                                                                           \
         "false",                                                                                  \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "as the optimizer meets it, P^-1/2 A P^-1/2"},                                            \
    {                                                                                              \
        "seed", UB_OPTION_INT, "0", 0, 1e9, NULL, "of first vectors, probes, sampled targets"      \
    }

struct ub_matrix_choice ub_call_choice(const struct ub_call *call);
/* OPERATOR, then .LAYER and .preconditioned where they are not the default. */
void ub_operator_title(const struct ub_call *call, char out[UB_TITLE]);
bool ub_check_operator(const struct ub_call *call, const char *where, struct ub_error *err);
struct ub_matrix_point ub_moment_point(const struct ub_moment *moment);

/* Leading eigenpairs, followed from measurement to measurement: each starts from the last. */
struct ub_leading {
    struct ub_eigenpairs found;
    int64_t products, measurements, unconverged;
    double seconds;
};
/* *known false: a product was not finite, and nothing is found. */
bool ub_leading_find(struct ub_leading *l, const struct ub_matrix *m,
                     struct ub_lanczos_options options, bool *known, struct ub_error *err);
/* The same of the matrix chosen, made for it; tolerance and max-products are the call's. */
bool ub_leading_measure(struct ub_leading *l, const struct ub_matrix_choice *choice,
                        const struct ub_call *call, const struct ub_moment *moment,
                        struct ub_lanczos_options options, bool *known, struct ub_error *err);
/* Facts products.NAME, measurements.NAME, unconverged.NAME, seconds.NAME. */
void ub_leading_cost(const struct ub_leading *l, struct ub_record *record, const char *name);
void ub_leading_clear(struct ub_leading *l);
/* Bytes of finding `count` eigenpairs of the matrix, the matrix included. */
int64_t ub_leading_bytes(const struct ub_matrix_choice *choice, const struct ub_problem *problem,
                         int64_t count);

#endif
