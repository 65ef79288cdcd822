/* Excess risk of a run on data whose population is known, over the test samples: the mean of
 * |f(x) - E[y|x]|^2, so that the noise of test targets does not enter; and, of isotropic inputs,
 * what least squares and interpolation of least norm have in expectation (eigenlearning.h), their
 * signal being |coefficient|^2 variance. The error is half the 95% interval of a mean over test
 * samples.
 *
 * Data of other origin, or without a test set, have no such rows. */
#include "bench/observables/shared.h"
#include "bench/spectra/eigenlearning.h"

#include <math.h>

/* Mean over test samples and its standard error. */
static double excess_of(struct ub_problem *test, const struct ub_planted *p, const double *theta,
                        double *error)
{
    const struct ub_split *split = &ub_problem_data(test)->train;
    double *f = ub_calloc((size_t)(split->count * p->outputs), sizeof *f), mean = 0, squares = 0;
    ub_problem_outputs(test, theta, f);
    for (int64_t i = 0; i < split->count; i++) {
        double sum = 0;
        for (int64_t o = 0; o < p->outputs; o++) {
            double off = f[i * p->outputs + o];
            for (int64_t k = 0; k < p->features; k++)
                off -= p->coefficient[k * p->outputs + o] * split->inputs[i * p->features + k];
            sum += off * off;
        }
        const double before = sum - mean;
        mean += before / (double)(i + 1);
        squares += before * (sum - mean);
    }
    const double n = (double)split->count;
    *error = n > 1 ? 1.96 * sqrt(squares / (n - 1) / n) : (double)NAN;
    ub_free(f);
    return mean;
}

static bool is_isotropic(const struct ub_planted *p)
{
    for (int64_t k = 1; k < p->features; k++)
        if (fabs(p->variance[k] - p->variance[0]) > 1e-12 * p->variance[0])
            return false;
    return true;
}

static double isotropic_excess(const struct ub_dataset *data)
{
    const struct ub_planted *p = data->population;
    double signal = 0;
    for (int64_t i = 0; i < p->features * p->outputs; i++)
        signal += p->variance[0] * p->coefficient[i] * p->coefficient[i];
    return ub_isotropic_excess(data->train.count, p->features, signal,
                               data->noise * data->noise * (double)p->outputs);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)call;
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    if (!data->population || data->test.count == 0 ||
        ub_problem_loss_kind(moment->problem)->softmax)
        return true;
    struct ub_problem *test = ub_problem_test_new(moment->problem, err);
    if (!test)
        return false;
    double error;
    const double excess = excess_of(test, data->population, moment->theta, &error);
    ub_problem_free(test);
    ub_record_value(record, moment, "excess-risk", 0, excess, error);
    const double isotropic = is_isotropic(data->population) ? isotropic_excess(data) : (double)NAN;
    if (isfinite(isotropic))
        ub_record_value(record, moment, "isotropic-excess-risk", 0, isotropic, NAN);
    return true;
}

static const struct ub_quantity rows[] = {
    {.name = "excess-risk",
     .units = "output squared",
     .meaning = "mean square distance to the best predictor, over test samples",
     .headline = true,
     .figure = UB_FIGURE_OVER_STEPS,
     .column = "",
     .compared =
         {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-12}},
    {.name = "isotropic-excess-risk",
     .units = "output squared",
     .meaning = "what least squares on isotropic inputs has in expectation"},
    {.name = NULL},
};

const struct ub_observable ub_observable_excess_risk = {
    .name = "excess-risk",
    .summary = "test error above the best predictor's, on data of known population; of isotropic "
               "inputs also what least squares has in expectation",
    .units = "output squared",
    .citation = "Hastie et al. 2019, arXiv:1903.08560",
    .rows = rows,
    .at = "end",
    .measure = measure,
};
