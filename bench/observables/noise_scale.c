/* Gradient noise: how much the gradients g_i of single samples differ from their mean G, by their
 * covariance Sigma = mean (g_i - G)(g_i - G)' (of n samples, divided by n),
 *
 *     noise-trace            tr(Sigma)
 *     noise-scale            tr(Sigma)/|G|^2
 *     noise-scale-hessian    tr(H Sigma)/(G'H G)
 *
 * G and H those of the objective, coupled decay included. A batch of B samples drawn anew has the
 * covariance Sigma/B, so that the two scales are the batch sizes at which its noise is as large as
 * the gradient: in length, and in what it does to the loss of a step, whose best rate lowers it by
 * (|G|^4/2)/(G'H G + tr(H Sigma)/B). (McCandlish et al. 2018, arXiv:1812.06162, section 2 and
 * equation 2.9 on.) Without replacement the covariance is (n - B)/(n - 1) of that.
 *
 * Exact over all samples; with samples=K over K of them, drawn anew for each measurement: means of
 * (g_i - G)'(g_i - G) and (g_i - G)'H (g_i - G), unbiased for G is of all samples, with Student's
 * interval, shorter by (1 - K/n)^(1/2). No hessian row where G'H G is not positive, nor any scale
 * where G is 0. */
#include "bench/curvature/curvature.h"
#include "bench/observables/shared.h"

#include <cblas.h>
#include <gsl/gsl_cdf.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    {"samples", UB_OPTION_INT, "0", 0, 1e12, NULL,
     "samples whose gradients are taken, at least 2; 0 = all"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

enum { ROWS_AT_ONCE = 16 };

struct state {
    struct ub_problem *one; /* over a single sample */
    int64_t count;          /* samples taken */
    double *rows, *products, *whole, *curved;
    double *square, *weighted; /* of each sample taken: d'd and d'Hd, d = g_i - G */
};

static bool start(struct state *s, const struct ub_call *call, const struct ub_moment *moment,
                  struct ub_error *err)
{
    const int64_t n = ub_problem_data(moment->problem)->train.count;
    const int64_t wanted = ub_call_int(call, "samples");
    if (s->one)
        return true;
    if (wanted == 1 || wanted > n)
        return ub_fail(err, UB_INPUT,
                       "noise-scale: samples=%" PRId64 "; expected 0 or 2 to %" PRId64
                       ", the training set",
                       wanted, n);
    s->one = ub_problem_batch_new(moment->problem, 1, err);
    if (!s->one)
        return false;
    const size_t p = (size_t)ub_problem_size(moment->problem);
    s->count = wanted > 0 ? wanted : n;
    s->rows = ub_calloc(ROWS_AT_ONCE * p, sizeof *s->rows);
    s->products = ub_calloc(ROWS_AT_ONCE * p, sizeof *s->products);
    s->whole = ub_calloc(p, sizeof *s->whole);
    s->curved = ub_calloc(p, sizeof *s->curved);
    s->square = ub_calloc((size_t)s->count, sizeof *s->square);
    s->weighted = ub_calloc((size_t)s->count, sizeof *s->weighted);
    return true;
}

/* The first `count` of a permutation, which is the identity when all are taken. */
static int64_t *samples_of(const struct state *s, const struct ub_moment *moment, int64_t n)
{
    int64_t *order = ub_calloc((size_t)n, sizeof *order);
    char stream[64];
    snprintf(stream, sizeof stream, "probes:noise-scale:%" PRId64, moment->step);
    struct ub_random r = ub_random_stream(moment->optimizer->training.seed, stream);
    if (s->count < n) {
        ub_random_permutation(&r, n, order);
        return order;
    }
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    return order;
}

/* d'd and d'Hd of `rows` samples from `first` on; G here is the loss's. */
static void take_rows(struct state *s, const struct ub_operator *hessian,
                      const struct ub_moment *moment, const int64_t *sample, int64_t first,
                      int64_t rows)
{
    const int p = (int)ub_problem_size(moment->problem);
    for (int64_t k = 0; k < rows; k++) {
        double *d = s->rows + k * p;
        ub_problem_take(s->one, &sample[first + k]);
        ub_problem_gradient(s->one, moment->theta, d);
        cblas_daxpy(p, -1, s->whole, 1, d, 1);
    }
    ub_operator_apply(hessian, rows, s->rows, s->products);
    for (int64_t k = 0; k < rows; k++) {
        const double *d = s->rows + k * p;
        s->square[first + k] = cblas_ddot(p, d, 1, d, 1);
        s->weighted[first + k] = cblas_ddot(p, d, 1, s->products + k * p, 1);
    }
}

/* The mean of what was taken, and half of its 95% interval; NAN of all samples. */
static double mean_of(const struct state *s, const double *x, int64_t n, double *half)
{
    const int64_t k = s->count;
    double mean = 0, squares = 0;
    for (int64_t i = 0; i < k; i++)
        mean += x[i] / (double)k;
    for (int64_t i = 0; i < k; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    const double part = 1 - (double)k / (double)n;
    *half = k == n ? (double)NAN
                   : gsl_cdf_tdist_Pinv(0.975, (double)(k - 1)) *
                         sqrt(squares / (double)(k - 1) / (double)k * part);
    return mean;
}

static void record_rows(const struct state *s, const struct ub_moment *moment,
                        struct ub_record *record, double length, double curvature)
{
    const int64_t n = ub_problem_data(moment->problem)->train.count;
    double half;
    const double trace = mean_of(s, s->square, n, &half);
    ub_record_value(record, moment, "noise-trace", 0, trace, half);
    if (length > 0)
        ub_record_value(record, moment, "noise-scale", 0, trace / length, half / length);
    const double weighted = mean_of(s, s->weighted, n, &half);
    if (curvature > 0)
        ub_record_value(record, moment, "noise-scale-hessian", 0, weighted / curvature,
                        half / curvature);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    if (!start(s, call, moment, err))
        return false;
    const int64_t n = ub_problem_data(moment->problem)->train.count;
    const int p = (int)ub_problem_size(moment->problem);
    const double l2 = moment->optimizer->l2;
    int64_t *sample = samples_of(s, moment, n);
    struct ub_operator hessian = ub_objective_hessian(moment->problem, l2);
    ub_problem_linearize(moment->problem, moment->theta);
    memcpy(s->whole, moment->grad, (size_t)p * sizeof *s->whole);
    for (int64_t i = 0; i < s->count; i += ROWS_AT_ONCE)
        take_rows(s, &hessian, moment, sample, i,
                  s->count - i < ROWS_AT_ONCE ? s->count - i : ROWS_AT_ONCE);
    cblas_daxpy(p, l2, moment->theta, 1, s->whole, 1);
    ub_operator_apply(&hessian, 1, s->whole, s->curved);
    record_rows(s, moment, record, cblas_ddot(p, s->whole, 1, s->whole, 1),
                cblas_ddot(p, s->whole, 1, s->curved, 1));
    ub_operator_free(&hessian);
    ub_free(sample);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_problem_free(s->one);
    ub_free(s->rows);
    ub_free(s->products);
    ub_free(s->whole);
    ub_free(s->curved);
    ub_free(s->square);
    ub_free(s->weighted);
}

/* Beside a gradient and a product of the whole, whose programs are counted already. */
static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    const int64_t p = ub_problem_size(problem);
    return (int64_t)sizeof(double) *
           (INT64_C(2) * (ROWS_AT_ONCE + 1) * p + 3 * ub_problem_data(problem)->train.count);
}

static const struct ub_quantity rows[] = {
    {
        .name = "noise-scale",
        .units = "samples",
        .meaning = "batch size at which the gradient's noise is as large as the gradient",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    {
        .name = "noise-scale-hessian",
        .units = "samples",
        .meaning = "the same weighted by the Hessian: tr(H Sigma)/(G'H G)",
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
    },
    {
        .name = "noise-trace",
        .units = "(loss per unit of parameter) squared",
        .meaning = "trace of the covariance of the gradients of single samples",
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_noise_scale = {
    .name = "noise-scale",
    .summary = "noise of the gradients of single samples against the gradient",
    .units = "samples; (loss per unit of parameter) squared",
    .citation = "McCandlish et al. 2018, arXiv:1812.06162",
    .rows = rows,
    .options = options,
    .every = "100",
    .at = "end",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
