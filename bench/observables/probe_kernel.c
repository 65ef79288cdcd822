#include "bench/observables/probe_kernel.h"
#include "bench/spectra/operator.h"

static int64_t rows_of(const struct ub_dataset *data, int64_t samples)
{
    return samples * ub_positions(data) * data->outputs;
}

static int64_t count_of(const struct ub_problem *whole, int64_t samples)
{
    const int64_t all = ub_problem_data(whole)->train.count;
    return samples == 0 || samples > all ? all : samples;
}

bool ub_probe_open(struct ub_probe *probe, const struct ub_problem *whole, int64_t samples,
                   struct ub_error *err)
{
    probe->samples = count_of(whole, samples);
    probe->rows = rows_of(ub_problem_data(whole), probe->samples);
    probe->problem = ub_problem_batch_new(whole, probe->samples, err);
    return probe->problem != NULL;
}

void ub_probe_close(struct ub_probe *probe)
{
    ub_problem_free(probe->problem);
    *probe = (struct ub_probe){0};
}

static void forward(void *context, int64_t count, const double *V, double *JV)
{
    ub_problem_jvp(context, count, V, JV);
}

static void backward(void *context, int64_t count, const double *U, double *JU)
{
    ub_problem_vjp(context, count, U, JU);
}

bool ub_probe_kernel(struct ub_probe *probe, const double *theta, double *kernel)
{
    const struct ub_map j = {.rows = probe->rows,
                             .columns = ub_problem_size(probe->problem),
                             .context = probe->problem,
                             .apply = forward,
                             .apply_transpose = backward};
    ub_problem_linearize(probe->problem, theta);
    struct ub_operator k = ub_operator_outer(&j);
    const bool finite = ub_operator_matrix(&k, kernel);
    ub_operator_free(&k);
    return finite;
}

int64_t ub_probe_bytes(const struct ub_problem *whole, int64_t samples, int64_t kernels)
{
    enum { BLOCK = 16 }; /* vectors of parameters and of outputs at once, about */
    const int64_t rows = rows_of(ub_problem_data(whole), count_of(whole, samples));
    return ub_problem_jacobian_bytes(whole) +
           (BLOCK * (ub_problem_size(whole) + rows) + (kernels + 1) * rows * rows) *
               (int64_t)sizeof(double);
}

double ub_kernel_inner(int64_t rows, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < rows * rows; i++)
        sum += a[i] * b[i];
    return sum;
}
