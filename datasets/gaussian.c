/* Gaussian inputs whose covariance decays as a power law, and a linear teacher that does too: the
 * setting of scaling theories of kernel and linear regression (Bordelon, Canatar and Pehlevan 2020,
 * arXiv:2002.02561; Bahri et al. 2021, arXiv:2102.06701).
 *
 *   x_k = k^(-alpha/2) z_k, z_k normal;  y = c sum_k s_k k^(-beta) x_k + noise,  k = 1..features
 *
 * s_k = +-1 at random; c makes the teacher's output have variance 1. */
#include "base/option_units.h"
#include "datasets/source.h"

#include <math.h>

static const struct ub_option options[] = {
    {.key = "samples",
     .kind = UB_OPTION_INT | UB_OPTION_OF_SAMPLES,
     .fallback = "1000",
     .min = 1,
     .max = 1e8,
     .help = "samples"},
    {.key = "features",
     .kind = UB_OPTION_INT,
     .fallback = "100",
     .min = 1,
     .max = 1e6,
     .help = "numbers in an input"},
    {.key = "outputs",
     .kind = UB_OPTION_INT,
     .fallback = "1",
     .min = 1,
     .max = 1e4,
     .help = "targets, each of a teacher with signs of its own"},
    {.key = "alpha",
     .kind = UB_OPTION_REAL,
     .fallback = "1.5",
     .min = 0,
     .max = 20,
     .help = "exponent of the covariance's eigenvalues k^-alpha"},
    {.key = "beta",
     .kind = UB_OPTION_REAL,
     .fallback = "0.5",
     .min = 0,
     .max = 20,
     .help = "exponent of the teacher's coefficients k^-beta"},
    {.key = "noise",
     .kind = UB_OPTION_REAL | UB_OPTION_OF_OUTPUT,
     .fallback = "0",
     .min = 0,
     .max = 1e6,
     .help = "standard deviation of noise on the targets"},
    UB_ONLINE(UB_OPTION_LATER),
    UB_TEST_SAMPLES_NONE,
    {.key = NULL},
};

/* features x outputs, scaled to output variance 1. */
static double *draw_teacher(const struct ub_dataset *d, double alpha, double beta, uint64_t seed)
{
    struct ub_random r = ub_random_stream(seed, "data.teacher");
    double *teacher = ub_calloc((size_t)(d->features * d->outputs), sizeof *teacher);
    double variance = 0;
    for (int64_t k = 0; k < d->features; k++)
        variance += pow((double)k + 1, -2 * beta - alpha);
    for (int64_t k = 0; k < d->features; k++)
        for (int64_t o = 0; o < d->outputs; o++) {
            const double sign = ub_random_below(&r, 2) ? 1 : -1;
            teacher[k * d->outputs + o] = sign * pow((double)k + 1, -beta) / sqrt(variance);
        }
    return teacher;
}

static struct ub_planted *plant(const struct ub_dataset *d, const struct ub_call *call,
                                uint64_t seed)
{
    const double alpha = ub_call_real(call, "alpha");
    struct ub_planted *p = ub_calloc(1, sizeof *p);
    *p = (struct ub_planted){
        .features = d->features,
        .outputs = d->outputs,
        .variance = ub_calloc((size_t)d->features, sizeof *p->variance),
        .coefficient = draw_teacher(d, alpha, ub_call_real(call, "beta"), seed),
        .deviation = ub_calloc((size_t)d->features, sizeof *p->deviation),
    };
    for (int64_t k = 0; k < d->features; k++) {
        p->variance[k] = pow((double)k + 1, -alpha);
        p->deviation[k] = pow((double)k + 1, -alpha / 2);
    }
    return p;
}

static void draw(const struct ub_dataset *d, struct ub_random *inputs, struct ub_random *noise,
                 struct ub_split *out)
{
    const struct ub_planted *p = d->population;
    for (int64_t i = 0; i < out->count; i++) {
        double *x = out->inputs + i * p->features, *y = out->targets + i * p->outputs;
        for (int64_t o = 0; o < p->outputs; o++)
            y[o] = 0;
        for (int64_t k = 0; k < p->features; k++) {
            x[k] = p->deviation[k] * ub_random_normal(inputs);
            for (int64_t o = 0; o < p->outputs; o++)
                y[o] += p->coefficient[k * p->outputs + o] * x[k];
        }
        for (int64_t o = 0; o < p->outputs; o++)
            y[o] += d->noise * ub_random_normal(noise);
    }
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)folder;
    d->task = UB_REGRESSION;
    d->rank = 1;
    d->shape[0] = d->features = ub_call_int(call, "features");
    d->outputs = ub_call_int(call, "outputs");
    d->theory_exponent = ub_call_real(call, "alpha");
    d->noise = ub_call_real(call, "noise");
    if (!ub_size_fits(d->features, d->outputs, sizeof(double), UB_DATA_BYTES))
        return ub_fail(err, UB_INPUT,
                       "%s: features=%lld x outputs=%lld are too many; expected a teacher of less "
                       "than %llu GiB",
                       call->name, (long long)d->features, (long long)d->outputs,
                       (unsigned long long)(UB_DATA_BYTES >> 30));
    if (!ub_split_new(d, ub_call_int(call, "samples"), call->name, &d->train, err) ||
        !ub_split_new_test(d, call, 0, err))
        return false;
    d->population = plant(d, call, seed);
    ub_split_draw(d, call, seed, draw);
    return true;
}

const struct ub_dataset_source ub_dataset_gaussian = {
    .name = "gaussian",
    .title = "Gaussian",
    .summary = "Gaussian inputs with power-law covariance and a power-law linear teacher",
    .citation = "Bordelon, Canatar and Pehlevan 2020, arXiv:2002.02561",
    .options = options,
    .load = load,
};
