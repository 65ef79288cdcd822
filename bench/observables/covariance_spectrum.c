/* Eigenvalues of the centered covariance C = Xc' Xc / (N - 1) of the inputs and of each hidden
 * layer's activations on the training samples, and the power law of their decay (natural images and
 * cortical responses: Stringer et al. 2019, doi:10.1038/s41586-019-1346-5; networks: Bahri et al.
 * 2024, doi:10.1073/pnas.2311878121). C and the Gram matrix Xc Xc' / (N - 1) have the same positive
 * eigenvalues; the smaller of the two is diagonalized.
 *
 * Centering costs one rank, so there are min(N - 1, d) eigenvalues. The error of each is the
 * backward error of the dense solver, about m eps lambda_1 for an m x m matrix, plus that of
 * forming the matrix, no larger than eps times its trace times the number of terms summed, in
 * practice its square root. The inputs do not change, so they are measured once; tokens are not,
 * whose indices are names, not numbers. */
#include "bench/observables/shared.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    UB_FIT_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct state {
    bool inputs_done;
};

struct samples { /* count x width, row-major */
    int64_t count, width;
    double *x;
};

static void center(const struct samples *s)
{
    double *mean = ub_calloc((size_t)s->width, sizeof *mean);
    for (int64_t i = 0; i < s->count; i++)
        for (int64_t j = 0; j < s->width; j++)
            mean[j] += s->x[i * s->width + j];
    for (int64_t i = 0; i < s->count; i++)
        for (int64_t j = 0; j < s->width; j++)
            s->x[i * s->width + j] -= mean[j] / (double)s->count;
    ub_free(mean);
}

/* The smaller of covariance and Gram matrix, m x m, both halves. */
static double *second_moments(const struct samples *s, int64_t m)
{
    const int width = (int)s->width, count = (int)s->count, n = (int)m;
    double *a = ub_calloc((size_t)m, (size_t)m * sizeof *a);
    const double share = 1 / (double)(s->count - 1);
    if (s->width <= s->count)
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, n, count, share, s->x, width, 0, a, n);
    else
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, n, width, share, s->x, width, 0, a, n);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < i; j++)
            a[i * m + j] = a[j * m + i];
    return a;
}

/* Descending eigenvalues of the centered samples' covariance (at most `room`); NULL on failure. */
static double *spectrum(const struct samples *s, int64_t *n, double *bound, struct ub_error *err)
{
    const int64_t m = s->width <= s->count ? s->width : s->count;
    double *a = second_moments(s, m);
    double *values = ub_calloc((size_t)m, sizeof *values), trace = 0;
    for (int64_t i = 0; i < m; i++)
        trace += a[i * m + i];
    bool good = isfinite(trace) && ub_eigen_dense(m, a, values, false, err);
    ub_free(a);
    if (!good) {
        ub_free(values);
        return NULL;
    }
    for (int64_t i = 0; i < m / 2; i++) {
        const double low = values[i];
        values[i] = values[m - 1 - i];
        values[m - 1 - i] = low;
    }
    const int64_t summed = s->width <= s->count ? s->count : s->width;
    *bound = DBL_EPSILON * ((double)m * values[0] + sqrt((double)summed) * trace);
    *n = m < s->count - 1 ? m : s->count - 1;
    for (int64_t i = 0; i < *n; i++) /* rounding below zero, which no covariance has */
        values[i] = fmax(values[i], 0);
    return values;
}

/* Rows of one layer; its samples are centered in place. Activations that overflowed have none. */
static bool record_layer(struct samples *s, const char *layer, const struct ub_call *call,
                         const struct ub_moment *moment, struct ub_record *record,
                         struct ub_error *err)
{
    char name[96];
    double bound = 0;
    int64_t n = 0;
    center(s);
    double *values = spectrum(s, &n, &bound, err);
    if (!values)
        return err->code == UB_OK;
    double *bounds = ub_calloc((size_t)n + 1, sizeof *bounds);
    snprintf(name, sizeof name, "covariance-spectrum.%s", layer);
    for (int64_t i = 0; i < n; i++) {
        bounds[i] = bound;
        ub_record_value(record, moment, name, i, values[i], bound);
    }
    snprintf(name, sizeof name, "exponent.%s", layer);
    ub_record_exponent(record, moment, call, name, values, bounds, n);
    ub_record_scalars(record, moment, layer, values, n);
    ub_free(bounds);
    ub_free(values);
    return true;
}

static struct samples samples_new(int64_t count, int64_t width)
{
    return (struct samples){
        .count = count,
        .width = width,
        .x = ub_calloc((size_t)count, (size_t)width * sizeof(double)),
    };
}

static bool record_inputs(const struct ub_call *call, const struct ub_moment *moment,
                          struct ub_record *record, struct ub_error *err)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    if (data->tokens > 0)
        return true;
    struct samples s = samples_new(data->train.count, data->features);
    memcpy(s.x, data->train.inputs, (size_t)(s.count * s.width) * sizeof *s.x);
    const bool good = record_layer(&s, "inputs", call, moment, record, err);
    ub_free(s.x);
    return good;
}

static bool record_hidden(int layer, const struct ub_call *call, const struct ub_moment *moment,
                          struct ub_record *record, struct ub_error *err)
{
    struct ub_problem *p = moment->problem;
    struct samples s =
        samples_new(ub_problem_data(p)->train.count, ub_problem_hidden_width(p, layer));
    ub_problem_hidden(p, layer, moment->theta, s.x);
    const bool good = record_layer(&s, ub_problem_hidden_name(p, layer), call, moment, record, err);
    ub_free(s.x);
    return good;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    if (ub_problem_data(moment->problem)->train.count < 2)
        return true; /* one sample varies in nothing */
    bool good = s->inputs_done || record_inputs(call, moment, record, err);
    s->inputs_done = true;
    for (int i = 0; good && i < ub_problem_hidden_count(moment->problem); i++)
        good = record_hidden(i, call, moment, record, err);
    return good;
}

static const struct ub_quantity rows[] = {
    {
        .name = "covariance-spectrum.LAYER",
        .index = ub_rank_index,
        .units = "activation squared",
        .meaning = "eigenvalues of the covariance of inputs or activations",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    UB_EXPONENT_ROW("exponent.LAYER", "of the layer's covariance", .headline = true),
    UB_SCALAR_ROWS("LAYER", "of the layer's covariance"),
    {.name = NULL},
};

const struct ub_observable ub_observable_covariance_spectrum = {
    .name = "covariance-spectrum",
    .summary =
        "covariance eigenvalues of inputs and hidden layers, and the exponents of their decay",
    .units = "activation squared; 1",
    .citation = "Stringer et al. 2019, doi:10.1038/s41586-019-1346-5; Bahri et al. 2024, "
                "doi:10.1073/pnas.2311878121",
    .rows = rows,
    .options = options,
    .at = "0+end",
    .state_bytes = sizeof(struct state),
    .check = ub_check_fit,
    .measure = measure,
};
