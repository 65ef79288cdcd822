/* Learnability of each target on a finite domain, the training and test samples together: <f, f^> /
 * <f, f>, sums over all of them, f the target's values and f^ what the run predicts (Simon et al.
 * 2021, arXiv:2110.03922, section 3).
 *
 * Of as many targets as samples that are orthogonal and of one size, as of target=basis, also the
 * sum. A kernel predictor f^ = K(.,x) (K + ridge I)^-1 f(x) that starts at 0 is linear in f, so
 * that the sum is the trace of that map whatever the basis: sum_i k_i/(k_i + ridge) over the
 * eigenvalues of the training kernel K, which is the number of samples n without a ridge where K
 * has full rank (their "conservation law", theorem 3.2). With predict=true that is written, too, of
 * the kernel at the start, with the optimizer's ridge, or 0 where it is no kernel regression. */
#include "bench/observables/output_kernel.h"
#include "bench/observables/shared.h"

#include <lapacke.h>
#include <math.h>

static const struct ub_option options[] = {
    {"predict", UB_OPTION_FLAG, "true", 0, 0, NULL,
     "also the sum that the kernel at the start has"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static const double orthogonal_to = 1e-9, null_to = 1e-12;

/* Adds <f, f^> and <f, f> of each output over one set of samples. */
static void add_products(struct ub_problem *p, const double *theta, double *along, double *size)
{
    const struct ub_dataset *data = ub_problem_data(p);
    const int64_t m = data->train.count * data->outputs;
    double *f = ub_calloc((size_t)m, sizeof *f);
    ub_problem_outputs(p, theta, f);
    for (int64_t i = 0; i < m; i++) {
        along[i % data->outputs] += data->train.targets[i] * f[i];
        size[i % data->outputs] += data->train.targets[i] * data->train.targets[i];
    }
    ub_free(f);
}

/* Whether the targets on all samples are `count` orthogonal functions of one size. */
static bool is_basis(const struct ub_dataset *data)
{
    const int64_t n = data->outputs, splits = 2;
    const struct ub_split *split[] = {&data->train, &data->test};
    if (data->train.count + data->test.count != n)
        return false;
    double *gram = ub_calloc((size_t)(n * n), sizeof *gram), off = 0;
    for (int64_t s = 0; s < splits; s++)
        for (int64_t i = 0; i < split[s]->count; i++) {
            const double *f = split[s]->targets + i * n;
            for (int64_t a = 0; a < n; a++)
                for (int64_t b = 0; b < n; b++)
                    gram[a * n + b] += f[a] * f[b];
        }
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b < n; b++)
            off = fmax(off, fabs(gram[a * n + b] - (a == b ? gram[0] : 0)));
    const bool basis = gram[0] > 0 && off <= orthogonal_to * gram[0];
    ub_free(gram);
    return basis;
}

/* sum k_i/(k_i + ridge), the rank without a ridge; NAN where outputs have kernels of their own. */
static double predict(const struct ub_moment *moment)
{
    struct ub_error none = {0};
    const int64_t n = ub_problem_data(moment->problem)->train.count;
    const double asked = ub_optimizer_kernel_ridge(moment->optimizer);
    const double ridge = isfinite(asked) ? asked : 0;
    double *K = ub_output_kernel_new(moment->problem, moment->theta0, &none);
    if (!K)
        return (double)NAN;
    double *value = ub_calloc((size_t)n, sizeof *value), sum = 0;
    const lapack_int size = (lapack_int)n;
    const lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'N', 'U', size, K, size, value);
    for (int64_t i = 0; i < n; i++)
        sum += value[i] > null_to * value[n - 1] ? value[i] / (value[i] + ridge) : 0;
    ub_free(value);
    ub_free(K);
    return info == 0 ? sum : (double)NAN;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state;
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const int64_t n = data->outputs;
    if (ub_positions(data) > 1 || ub_problem_loss_kind(moment->problem)->softmax)
        return true;
    double *along = ub_calloc((size_t)n, sizeof *along), *size = ub_calloc((size_t)n, sizeof *size);
    double sum = 0;
    struct ub_problem *test = data->test.count ? ub_problem_test_new(moment->problem, err) : NULL;
    const bool good = test || data->test.count == 0;
    if (good)
        add_products(moment->problem, moment->theta, along, size);
    if (test)
        add_products(test, moment->theta, along, size);
    ub_problem_free(test);
    for (int64_t o = 0; good && o < n; o++) {
        ub_record_value(record, moment, "learnability", o, along[o] / size[o], NAN);
        sum += along[o] / size[o];
    }
    ub_free(along);
    ub_free(size);
    if (!good || !is_basis(data))
        return good;
    ub_record_value(record, moment, "learnability-sum", 0, sum, NAN);
    const double predicted = ub_call_flag(call, "predict") ? predict(moment) : (double)NAN;
    if (isfinite(predicted))
        ub_record_value(record, moment, "predicted-learnability-sum", 0, predicted, NAN);
    return true;
}

static const struct ub_quantity rows[] = {
    {.name = "learnability",
     .index = "output",
     .units = "1",
     .meaning = "<f, f^>/<f, f> of each target over training and test samples",
     .figure = UB_FIGURE_OVER_INDEX},
    {.name = "learnability-sum",
     .units = "samples",
     .meaning = "sum over a basis of all functions on the samples",
     .headline = true,
     .figure = UB_FIGURE_OVER_STEPS,
     .column = "",
     .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.02}},
    {.name = "predicted-learnability-sum",
     .units = "samples",
     .meaning = "sum that regression with the kernel at the start has"},
    {.name = NULL},
};

const struct ub_observable ub_observable_learnability = {
    .name = "learnability",
    .summary = "share of each target that a run predicts, over training and test samples",
    .units = "1",
    .citation = "Simon et al. 2021, arXiv:2110.03922",
    .rows = rows,
    .options = options,
    .at = "end",
    .measure = measure,
};
