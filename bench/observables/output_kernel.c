#include "bench/observables/output_kernel.h"

#include <math.h>
#include <string.h>

enum { ROWS_AT_ONCE = 64 };
static const double alike_to = 1e-5; /* of f32's products, with room */

/* Ku = J J'u at theta. */
static void apply_kernel(struct ub_problem *p, const double *theta, const double *u, double *Ku)
{
    double *v = ub_calloc((size_t)ub_problem_size(p), sizeof *v);
    ub_problem_linearize(p, theta);
    ub_problem_vjp(p, 1, u, v);
    ub_problem_jvp(p, 1, v, Ku);
    ub_free(v);
}

static double *normals(int64_t n)
{
    struct ub_random r = ub_random_stream(0, "kernel.probe");
    double *u = ub_calloc((size_t)n, sizeof *u);
    for (int64_t i = 0; i < n; i++)
        u[i] = ub_random_normal(&r);
    return u;
}

/* Largest difference of a and b, of the largest entry of b. */
static double distance(int64_t n, const double *a, const double *b)
{
    double off = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        off = fmax(off, isfinite(a[i]) ? fabs(a[i] - b[i]) : INFINITY);
        size = fmax(size, fabs(b[i]));
    }
    return size > 0 ? off / size : off;
}

/* Rows first..first+count-1 of the first output's kernel: J (J'e), every `outputs`-th entry. */
static void fill_rows(struct ub_problem *p, int64_t first, int64_t count, double *work, double *K)
{
    const struct ub_dataset *data = ub_problem_data(p);
    const int64_t n = data->train.count, outputs = data->outputs, m = n * outputs;
    double *units = work, *rows = work + ROWS_AT_ONCE * m, *gradients = rows + ROWS_AT_ONCE * m;
    memset(units, 0, (size_t)(count * m) * sizeof *units);
    for (int64_t i = 0; i < count; i++)
        units[i * m + (first + i) * outputs] = 1;
    ub_problem_vjp(p, count, units, gradients);
    ub_problem_jvp(p, count, gradients, rows);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < n; j++)
            K[(first + i) * n + j] = rows[i * m + j * outputs];
}

/* (k (x) I) u. */
static void spread(const double *K, int64_t n, int64_t outputs, const double *u, double *out)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t o = 0; o < outputs; o++) {
            double sum = 0;
            for (int64_t j = 0; j < n; j++)
                sum += K[i * n + j] * u[j * outputs + o];
            out[i * outputs + o] = sum;
        }
}

double *ub_output_kernel_new(struct ub_problem *p, const double *theta, struct ub_error *err)
{
    const struct ub_dataset *data = ub_problem_data(p);
    const int64_t n = data->train.count, m = n * data->outputs;
    if (ub_positions(data) > 1) {
        ub_fail(err, UB_INPUT, "a kernel of targets at several positions; expected one a sample");
        return NULL;
    }
    double *K = ub_calloc((size_t)(n * n), sizeof *K);
    double *work = ub_calloc((size_t)(ROWS_AT_ONCE * (2 * m + ub_problem_size(p))), sizeof *work);
    ub_problem_linearize(p, theta);
    for (int64_t first = 0; first < n; first += ROWS_AT_ONCE)
        fill_rows(p, first, n - first < ROWS_AT_ONCE ? n - first : ROWS_AT_ONCE, work, K);
    ub_free(work);
    double *u = normals(m), *expected = ub_calloc((size_t)m, sizeof *u);
    double *found = ub_calloc((size_t)m, sizeof *u);
    spread(K, n, data->outputs, u, expected);
    apply_kernel(p, theta, u, found);
    const double off = distance(m, found, expected);
    ub_free(found);
    ub_free(expected);
    ub_free(u);
    if (off <= alike_to)
        return K;
    ub_free(K);
    ub_fail(err, UB_INPUT,
            "the model's outputs have kernels of their own, or depend on one another (off by "
            "%.2g); expected outputs that are alike and independent, or one output",
            off);
    return NULL;
}

double ub_linear_kernel_factor(struct ub_problem *p, const double *theta)
{
    const struct ub_dataset *data = ub_problem_data(p);
    const int64_t n = data->train.count, D = data->features, outputs = data->outputs;
    const int64_t m = n * outputs;
    if (ub_positions(data) > 1)
        return (double)NAN;
    double *u = normals(m), *found = ub_calloc((size_t)m, sizeof *u);
    double *linear = ub_calloc((size_t)m, sizeof *u);
    double *w = ub_calloc((size_t)(D * outputs), sizeof *w), square = 0, dot = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < D; k++)
            for (int64_t o = 0; o < outputs; o++)
                w[k * outputs + o] += data->train.inputs[i * D + k] * u[i * outputs + o];
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < D; k++)
            for (int64_t o = 0; o < outputs; o++)
                linear[i * outputs + o] += data->train.inputs[i * D + k] * w[k * outputs + o];
    apply_kernel(p, theta, u, found);
    for (int64_t i = 0; i < m; i++) {
        square += linear[i] * linear[i];
        dot += linear[i] * found[i];
    }
    const double factor = dot / square;
    for (int64_t i = 0; i < m; i++)
        linear[i] *= factor;
    const double off = distance(m, found, linear);
    ub_free(w);
    ub_free(linear);
    ub_free(found);
    ub_free(u);
    return off <= alike_to ? factor : (double)NAN;
}

int64_t ub_output_kernel_bytes(const struct ub_problem *p, int64_t samples)
{
    const double n = (double)samples, m = n * (double)ub_problem_data(p)->outputs;
    const double numbers = n * n + ROWS_AT_ONCE * (2 * m + (double)ub_problem_size(p));
    return (int64_t)(numbers * sizeof(double));
}
