/* Squared singular values of every weight with two axes or more (a convolution's as output channels
 * x the rest), which are the eigenvalues of its Gram matrix; their decay; and the stable rank
 * |W|_F^2 / |W|_2^2 (Rudelson and Vershynin 2007, doi:10.1145/1255443.1255449).
 *
 * Each value's error: LAPACK's singular values are within about p eps sigma_1 of the true ones, p
 * the longer side, so their squares within 2 p eps sigma_1^2. */
#include "bench/observables/shared.h"
#include "bench/spectra/random_matrix.h"
#include "bench/spectra/scalars.h"
#include "bench/spectra/tail.h"

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

static void record_tail(const struct ub_param *param, const struct ub_moment *moment,
                        struct ub_record *record, const double *values, int64_t n)
{
    enum { REPLICATES = 100 };
    char name[96];
    const struct ub_tail t =
        ub_tail_fit(values, n, (struct ub_tail_options){.replicates = REPLICATES}, 0);
    if (!t.valid)
        return;
    const double rows[UB_TAIL_ROWS] = {[UB_TAIL_ALPHA] = t.alpha,         [UB_TAIL_LOW] = t.low,
                                       [UB_TAIL_HIGH] = t.high,           [UB_TAIL_CUT] = t.xmin,
                                       [UB_TAIL_COUNT] = (double)t.count, [UB_TAIL_P] = t.p,
                                       [UB_TAIL_BEST] = (double)t.best};
    snprintf(name, sizeof name, "tail.%s", param->name);
    for (int i = 0; i < UB_TAIL_ROWS; i++)
        ub_record_value(record, moment, name, i, rows[i],
                        i == UB_TAIL_ALPHA ? (t.high - t.low) / 2 : (double)NAN);
    snprintf(name, sizeof name, "alpha-hat.%s", param->name);
    ub_record_value(record, moment, name, 0, ub_alpha_hat(values, n, t.alpha), NAN);
}

/* The weight as N x p, N its longer side: values over N are those of W'W/N. */
static void record_noise(const struct ub_param *param, const struct ub_moment *moment,
                         struct ub_record *record, const double *values, int64_t n)
{
    static const double chance = 0.01;
    const int64_t longer = param->size / n;
    const double variance = ub_mp_variance(values, n, (double)n / (double)longer) / (double)longer;
    if (longer < 2 || !(variance > 0))
        return;
    char name[96];
    const double edge = (double)longer * ub_noise_edge(longer, n, variance, chance);
    snprintf(name, sizeof name, "noise-outliers.%s", param->name);
    ub_record_value(record, moment, name, UB_NOISE_OUTLIERS,
                    (double)ub_count_above(values, n, edge), NAN);
    ub_record_value(record, moment, name, UB_NOISE_EDGE, edge, NAN);
}

static void record_weight(const struct ub_param *param, const struct ub_call *call,
                          const struct ub_moment *moment, struct ub_record *record)
{
    char name[96];
    int64_t n;
    double *values = squares(param, moment->theta, &n);
    if (!values)
        return;
    const double longer = (double)(param->size / n);
    double *bounds = ub_calloc((size_t)n, sizeof *bounds);
    snprintf(name, sizeof name, "weight-spectrum.%s", param->name);
    for (int64_t i = 0; i < n; i++) {
        bounds[i] = 2 * longer * DBL_EPSILON * values[0];
        ub_record_value(record, moment, name, i, values[i], bounds[i]);
    }
    snprintf(name, sizeof name, "exponent.%s", param->name);
    ub_record_exponent(record, moment, call, name, values, bounds, n);
    ub_record_scalars(record, moment, param->name, values, n);
    record_tail(param, moment, record, values, n);
    record_noise(param, moment, record, values, n);
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
    .summary = "squared singular values of each weight matrix: decay, tail, ranks, outliers",
    .units = "weight squared; 1",
    .citation = "Martin and Mahoney 2018, arXiv:1810.01075",
    .options = options,
    .at = "0+end",
    .check = ub_check_fit,
    .bytes = bytes,
    .measure = measure,
};
