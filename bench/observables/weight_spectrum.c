/* Squared singular values of every weight with two axes or more (a convolution's as output channels
 * x the rest), which are the eigenvalues of its Gram matrix; their decay; and the stable rank
 * |W|_F^2 / |W|_2^2 (Rudelson and Vershynin 2007, doi:10.1145/1255443.1255449).
 *
 * Each value's error: LAPACK's singular values are within about p eps sigma_1 of the true ones, p
 * the longer side, so their squares within 2 p eps sigma_1^2. */
#include "bench/observables/shared.h"

#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    UB_FIT_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* Squared singular values of `param` at theta, descending: n of them. NULL where they are not
 * finite. */
static double *squares(const struct ub_param *param, const double *theta, int64_t *n)
{
    const int64_t rows = param->shape[0], columns = param->size / rows;
    *n = rows < columns ? rows : columns;
    for (int64_t i = 0; i < param->size; i++)
        if (!isfinite(theta[param->offset + i]))
            return NULL;
    double *w = ub_calloc((size_t)param->size, sizeof *w), unused;
    double *values = ub_calloc((size_t)*n, sizeof *values);
    memcpy(w, theta + param->offset, (size_t)param->size * sizeof *w);
    /* Column by column, W' is what W is row by row. */
    const lapack_int status =
        LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', (lapack_int)columns, (lapack_int)rows, w,
                       (lapack_int)columns, values, &unused, 1, &unused, 1);
    ub_free(w);
    for (int64_t i = 0; i < *n; i++)
        values[i] *= values[i];
    if (status == 0)
        return values;
    ub_free(values);
    return NULL;
}

static void record_weight(const struct ub_param *param, const struct ub_call *call,
                          const struct ub_moment *moment, struct ub_record *record)
{
    char name[96];
    int64_t n;
    double *values = squares(param, moment->theta, &n), sum = 0;
    if (!values)
        return;
    const double longer = (double)(param->size / n);
    double *bounds = ub_calloc((size_t)n, sizeof *bounds);
    snprintf(name, sizeof name, "weight-spectrum.%s", param->name);
    for (int64_t i = 0; i < n; i++) {
        sum += values[i];
        bounds[i] = 2 * longer * DBL_EPSILON * values[0];
        ub_record_value(record, moment, name, i, values[i], bounds[i]);
    }
    snprintf(name, sizeof name, "exponent.%s", param->name);
    ub_record_exponent(record, moment, call, name, values, bounds, n);
    snprintf(name, sizeof name, "stable-rank.%s", param->name);
    if (values[0] > 0)
        ub_record_value(record, moment, name, 0, sum / values[0], NAN);
    ub_free(values);
    ub_free(bounds);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)err;
    const struct ub_layout *layout = ub_problem_layout(moment->problem);
    for (int64_t i = 0; i < layout->count; i++)
        if (layout->params[i].rank >= 2)
            record_weight(&layout->params[i], call, moment, record);
    return true;
}

/* A copy of the largest weight, and LAPACK's work: a few times the shorter side squared. */
static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    const struct ub_layout *layout = ub_problem_layout(problem);
    int64_t most = 0;
    for (int64_t i = 0; i < layout->count; i++)
        most = layout->params[i].size > most ? layout->params[i].size : most;
    return 5 * most * (int64_t)sizeof(double);
}

const struct ub_observable ub_observable_weight_spectrum = {
    .name = "weight-spectrum",
    .summary = "squared singular values of each weight matrix, their decay, stable rank",
    .units = "weight squared; 1",
    .citation = "Martin and Mahoney 2018, arXiv:1810.01075",
    .options = options,
    .at = "0+end",
    .check = ub_check_fit,
    .bytes = bytes,
    .measure = measure,
};
