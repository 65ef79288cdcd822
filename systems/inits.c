/* Initial distributions of parameters, as torch.nn.init defines them. Each tensor is drawn from
 * its own random stream (ub_problem_init), so adding a layer leaves the others as they were. */
#include "base/extensions.h"
#include "systems/orthogonal.h"
#include "systems/systems.h"

#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    {"gain", UB_OPTION_REAL, "1", 0, 1e6, NULL, "factor on the standard deviation of weights"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void fill_uniform(struct ub_random *r, double bound, int64_t n, double *values)
{
    for (int64_t i = 0; i < n; i++)
        values[i] = bound * (2 * ub_random_uniform(r) - 1);
}

static void fill_normal(struct ub_random *r, double deviation, int64_t n, double *values)
{
    for (int64_t i = 0; i < n; i++)
        values[i] = deviation * ub_random_normal(r);
}

static bool zeroed(const struct ub_param *param, double *values)
{
    if (param->start == UB_START_BIAS)
        memset(values, 0, (size_t)param->size * sizeof *values);
    return param->start == UB_START_BIAS;
}

/* nn.Linear's kaiming_uniform_(a = sqrt(5)): bound sqrt(6 / ((1 + a^2) fan_in)) = 1/sqrt(fan_in).
 * Biases have the same bound, with the fan_in of their weight; the gain is the weights' only. */
static void pytorch(const struct ub_call *call, const struct ub_param *param, struct ub_random *r,
                    double *values)
{
    const double gain = param->start == UB_START_BIAS ? 1 : ub_call_real(call, "gain");
    fill_uniform(r, gain / sqrt((double)param->fan_in), param->size, values);
}

/* Both have variance 2 / (fan_in + fan_out): the mean of what keeps the variance of activations
 * and of gradients from layer to layer. */
static double xavier_deviation(const struct ub_call *call, const struct ub_param *param)
{
    return ub_call_real(call, "gain") * sqrt(2.0 / (double)(param->fan_in + param->fan_out));
}

static void xavier_uniform(const struct ub_call *call, const struct ub_param *param,
                           struct ub_random *r, double *values)
{
    if (!zeroed(param, values))
        fill_uniform(r, sqrt(3) * xavier_deviation(call, param), param->size, values);
}

static void xavier_normal(const struct ub_call *call, const struct ub_param *param,
                          struct ub_random *r, double *values)
{
    if (!zeroed(param, values))
        fill_normal(r, xavier_deviation(call, param), param->size, values);
}

/* Variance 2 / fan_in: a relu passes half of the second moment. */
static void he(const struct ub_call *call, const struct ub_param *param, struct ub_random *r,
               double *values)
{
    const double deviation = ub_call_real(call, "gain") * sqrt(2.0 / (double)param->fan_in);
    if (!zeroed(param, values))
        fill_normal(r, deviation, param->size, values);
}

static void lecun(const struct ub_call *call, const struct ub_param *param, struct ub_random *r,
                  double *values)
{
    const double deviation = ub_call_real(call, "gain") / sqrt((double)param->fan_in);
    if (!zeroed(param, values))
        fill_normal(r, deviation, param->size, values);
}

/* As a matrix of shape[0] rows: orthonormal rows or columns, whichever are fewer, times gain. */
static void orthogonal(const struct ub_call *call, const struct ub_param *param,
                       struct ub_random *r, double *values)
{
    if (zeroed(param, values))
        return;
    const int64_t rows = param->rank > 0 ? param->shape[0] : 1;
    ub_random_orthogonal(r, rows, param->size / rows, values);
    const double gain = ub_call_real(call, "gain");
    for (int64_t i = 0; i < param->size; i++)
        values[i] *= gain;
}

/* ---- variances of entries ---- */

static double pytorch_variance(const struct ub_call *call, const struct ub_param *param)
{
    const double gain = param->start == UB_START_BIAS ? 1 : ub_call_real(call, "gain");
    return gain * gain / (3 * (double)param->fan_in);
}

static double xavier_variance(const struct ub_call *call, const struct ub_param *param)
{
    return param->start == UB_START_BIAS ? 0 : pow(xavier_deviation(call, param), 2);
}

static double lecun_variance(const struct ub_call *call, const struct ub_param *param)
{
    const double gain = ub_call_real(call, "gain");
    return param->start == UB_START_BIAS ? 0 : gain * gain / (double)param->fan_in;
}

static double he_variance(const struct ub_call *call, const struct ub_param *param)
{
    return 2 * lecun_variance(call, param);
}

/* The squares of the longer side's vectors sum to gain^2. */
static double orthogonal_variance(const struct ub_call *call, const struct ub_param *param)
{
    const int64_t rows = param->rank > 0 ? param->shape[0] : 1, columns = param->size / rows;
    const double gain = ub_call_real(call, "gain");
    return param->start == UB_START_BIAS ? 0
                                         : gain * gain / (double)(rows > columns ? rows : columns);
}

static const struct ub_init init_pytorch = {
    .name = "pytorch",
    .title = "PyTorch init",
    .summary = "U(-1/sqrt(fan_in), 1/sqrt(fan_in)), biases too: PyTorch's default for Linear",
    .citation = "Paszke et al. 2019, arXiv:1912.01703",
    .options = options,
    .fill = pytorch,
    .variance = pytorch_variance,
};
static const struct ub_init init_xavier_uniform = {
    .name = "xavier-uniform",
    .title = "Xavier uniform init",
    .summary = "uniform, variance 2/(fan_in + fan_out); biases 0",
    .citation = "Glorot and Bengio 2010, AISTATS",
    .options = options,
    .fill = xavier_uniform,
    .variance = xavier_variance,
};
static const struct ub_init init_xavier_normal = {
    .name = "xavier-normal",
    .title = "Xavier normal init",
    .summary = "normal, variance 2/(fan_in + fan_out); biases 0",
    .citation = "Glorot and Bengio 2010, AISTATS",
    .options = options,
    .fill = xavier_normal,
    .variance = xavier_variance,
};
static const struct ub_init init_he = {
    .name = "he",
    .title = "He init",
    .summary = "normal, variance 2/fan_in; biases 0",
    .citation = "He et al. 2015, arXiv:1502.01852",
    .options = options,
    .fill = he,
    .variance = he_variance,
};
static const struct ub_init init_lecun = {
    .name = "lecun",
    .title = "LeCun init",
    .summary = "normal, variance 1/fan_in; biases 0",
    .citation = "LeCun et al. 1998, Efficient BackProp",
    .options = options,
    .fill = lecun,
    .variance = lecun_variance,
};
static const struct ub_init init_orthogonal = {
    .name = "orthogonal",
    .title = "orthogonal init",
    .summary = "orthonormal rows or columns, uniform over all such matrices; biases 0",
    .citation = "Saxe et al. 2013, arXiv:1312.6120; Mezzadri 2007, math-ph/0609050",
    .options = options,
    .fill = orthogonal,
    .variance = orthogonal_variance,
};

extern const struct ub_init ub_init_aligned, ub_init_from_run;

const struct ub_init *const ub_inits[] = {
    &init_pytorch,    &init_xavier_uniform, &init_xavier_normal, &init_he,           &init_lecun,
    &init_orthogonal, &ub_init_aligned,     &ub_init_from_run,   UB_EXTRA_INIT NULL,
};
