/* The test error that theory predicts of kernel regression with the model's kernel at the start
 * (eigenlearning.h; Simon et al. 2021, arXiv:2110.03922), for the training set's size and the
 * optimizer's ridge (0 where it is no kernel regression: gradient descent from zero ends there).
 * The predictor starts at 0; else what it learns is the target less its outputs at the start.
 *
 * Eigenvalues and coefficients:
 *   planted  of the population that generated data state, for models whose kernel is c X X': l_k =
 *            c variance_k, v_k = coefficient_k sqrt(variance_k). Exact
 *   sampled  of the kernel over the test samples, of which there are N: l_i of K/N, v_i of the
 *            targets there. The largest of many are good to sqrt(2/N); those of rank near N are too
 *            small, so that predictions are: of 400 random features the measured risk was 1.6 times
 *            the predicted one with N = 3n, 1.15 times with N = 12n. Noise is part of the v
 *
 * There are no rows where these do not exist: of data whose population is not known, models with
 * another kernel, a start that is not zero on the training inputs (planted); without a test set, or
 * of outputs with kernels of their own (sampled); of a loss that is not squared.
 *
 * order=shuffled gives the coefficients to the eigenvalues in an order at random: a control. */
#include "bench/observables/output_kernel.h"
#include "bench/observables/shared.h"
#include "bench/spectra/eigenlearning.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

static const char *const sources[] = {"planted", "sampled", NULL};
static const char *const orders[] = {"true", "shuffled", NULL};
static const struct ub_option options[] = {
    {"eigenvalues", UB_OPTION_NAME, "planted", 0, 0, sources,
     "of the population that the data state, or of the kernel over the test samples"},
    {"order", UB_OPTION_NAME, "true", 0, 0, orders,
     "which eigenvalue each coefficient goes with; shuffled is a control"},
    {"modes", UB_OPTION_INT, "20", 0, 100000, NULL,
     "learnabilities written, of the largest eigenvalues"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static const double null_to = 1e-12; /* eigenvalues below this share of the largest are 0 */

struct modes {
    int64_t count;
    double *value, *square; /* largest first; sums over outputs */
    double noise;           /* variance, over outputs */
};

static struct modes modes_new(int64_t count)
{
    return (struct modes){count, ub_calloc((size_t)count, sizeof(double)),
                          ub_calloc((size_t)count, sizeof(double)), 0};
}

static void modes_clear(struct modes *m)
{
    ub_free(m->value);
    ub_free(m->square);
}

static double largest(int64_t n, const double *x)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

static bool starts_at_zero(const struct ub_moment *moment)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const int64_t m = data->train.count * data->outputs;
    double *f = ub_calloc((size_t)m, sizeof *f);
    ub_problem_outputs(moment->problem, moment->theta0, f);
    const bool zero = largest(m, f) <= 1e-6 * largest(m, data->train.targets);
    ub_free(f);
    return zero;
}

/* Here and below: false where there is none of these. */
static bool planted(const struct ub_moment *moment, struct modes *out)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const struct ub_planted *p = data->population;
    const double factor = p ? ub_linear_kernel_factor(moment->problem, moment->theta0) : 0;
    if (!p || !(factor > 0) || !starts_at_zero(moment))
        return false;
    *out = modes_new(p->features);
    for (int64_t k = 0; k < p->features; k++) {
        out->value[k] = factor * p->variance[k];
        for (int64_t o = 0; o < p->outputs; o++)
            out->square[k] += p->variance[k] * pow(p->coefficient[k * p->outputs + o], 2);
    }
    out->noise = data->noise * data->noise * (double)p->outputs;
    return true;
}

/* K (n x n) becomes its modes: eigenvalues of K/n and squared coefficients of y (n x outputs). */
static bool decompose(int64_t n, double *K, const double *y, int64_t outputs, struct modes *out)
{
    double *value = ub_calloc((size_t)n, sizeof *value);
    const lapack_int size = (lapack_int)n;
    const lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', size, K, size, value);
    if (info != 0) {
        ub_free(value);
        return false;
    }
    *out = modes_new(n);
    for (int64_t i = 0; i < n; i++) { /* ascending */
        const int64_t from = n - 1 - i;
        out->value[i] = value[from] > null_to * value[n - 1] ? value[from] / (double)n : 0;
        for (int64_t o = 0; o < outputs; o++) {
            double dot = 0;
            for (int64_t k = 0; k < n; k++)
                dot += K[from * n + k] * y[k * outputs + o];
            out->square[i] += dot * dot / (double)n;
        }
    }
    ub_free(value);
    return true;
}

static bool sampled(const struct ub_moment *moment, struct modes *out)
{
    struct ub_error none = {0};
    struct ub_problem *test = ub_problem_test_new(moment->problem, &none);
    double *K = test ? ub_output_kernel_new(test, moment->theta0, &none) : NULL;
    if (!K) {
        ub_problem_free(test);
        return false;
    }
    const struct ub_dataset *data = ub_problem_data(test);
    const int64_t n = data->train.count, m = n * data->outputs;
    double *y = ub_calloc((size_t)m, sizeof *y);
    ub_problem_outputs(test, moment->theta0, y);
    for (int64_t i = 0; i < m; i++)
        y[i] = data->train.targets[i] - y[i];
    const bool good = decompose(n, K, y, data->outputs, out);
    ub_free(y);
    ub_free(K);
    ub_problem_free(test);
    return good;
}

static void shuffle(struct modes *m)
{
    struct ub_random r = ub_random_stream(0, "predicted-risk.order");
    int64_t *order = ub_calloc((size_t)m->count, sizeof *order);
    double *square = ub_calloc((size_t)m->count, sizeof *square);
    ub_random_permutation(&r, m->count, order);
    for (int64_t i = 0; i < m->count; i++)
        square[i] = m->square[order[i]];
    memcpy(m->square, square, (size_t)m->count * sizeof *square);
    ub_free(square);
    ub_free(order);
}

static void record(struct ub_record *record, const struct ub_moment *moment, const struct modes *m,
                   int64_t modes)
{
    const double n = (double)ub_problem_data(moment->problem)->train.count;
    const double asked = ub_optimizer_kernel_ridge(moment->optimizer);
    const double ridge = isfinite(asked) ? asked : 0;
    const struct ub_eigenlearning e =
        ub_eigenlearning(m->value, m->square, m->count, n, ridge, m->noise);
    if (!isfinite(e.test))
        return;
    ub_record_value(record, moment, "predicted-risk", 0, e.test, NAN);
    ub_record_value(record, moment, "predicted-train-risk", 0, e.train, NAN);
    ub_record_value(record, moment, "predicted-kappa", 0, e.kappa, NAN);
    ub_record_value(record, moment, "predicted-overfitting", 0, e.overfitting, NAN);
    for (int64_t i = 0; i < modes && i < m->count; i++)
        ub_record_value(record, moment, "predicted-learnability", i,
                        ub_learnability(m->value[i], e.kappa), NAN);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *to, struct ub_error *err)
{
    (void)state, (void)err;
    struct modes modes;
    const bool given = strcmp(ub_call_get(call, "eigenvalues"), "planted") == 0;
    if (ub_problem_loss_kind(moment->problem)->softmax ||
        !(given ? planted : sampled)(moment, &modes))
        return true;
    if (strcmp(ub_call_get(call, "order"), "shuffled") == 0)
        shuffle(&modes);
    record(to, moment, &modes, ub_call_int(call, "modes"));
    modes_clear(&modes);
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    const int64_t test = ub_problem_data(problem)->test.count;
    if (strcmp(ub_call_get(call, "eigenvalues"), "planted") == 0)
        return ub_problem_jacobian_bytes(problem);
    return ub_problem_jacobian_bytes(problem) + 3 * ub_output_kernel_bytes(problem, test);
}

static const struct ub_quantity rows[] = {
    {.name = "predicted-risk",
     .units = "output squared",
     .meaning = "test error that theory predicts of kernel regression: mean square, all outputs",
     .headline = true,
     .column = "",
     .compared =
         {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-12}},
    {.name = "predicted-train-risk",
     .units = "output squared",
     .meaning = "training error that goes with it"},
    {.name = "predicted-kappa",
     .units = "units of the kernel's eigenvalues",
     .meaning = "eigenvalue of which half is learned"},
    {.name = "predicted-overfitting",
     .units = "1",
     .meaning = "overfitting coefficient: test error over what modes and noise leave"},
    {.name = "predicted-learnability",
     .index = "mode, from 0 of the largest eigenvalue",
     .units = "1",
     .meaning = "share of a mode that is learned",
     .figure = UB_FIGURE_OVER_INDEX},
    {.name = NULL},
};

const struct ub_observable ub_observable_predicted_risk = {
    .name = "predicted-risk",
    .summary = "test error of kernel regression as theory predicts it from eigenvalues and "
               "coefficients",
    .units = "output squared",
    .citation = "Simon et al. 2021, arXiv:2110.03922; Bordelon et al. 2020, arXiv:2002.02561",
    .rows = rows,
    .options = options,
    .at = "end",
    .bytes = bytes,
    .measure = measure,
};
