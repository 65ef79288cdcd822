/* Where stochastic gradient descent comes to rest: the excess of the loss over its minimum, beside
 * what it is on average once nothing but the noise of batches is left. Of a model linear in its
 * parameters with one output, f_i = a_i'w, squared loss, and batches of B samples drawn anew for
 * each step, e = w - w* has the exact recursion of second moments S = E[e e']
 *
 *     S <- S - lr (H S + S H) + lr^2 ((1 - 1/B) H S H + (1/B) mean_i (a_i'S a_i + r_i^2) a_i a_i'),
 *
 * H = mean a a', r_i = a_i'w* - y_i (E[e] = 0 at rest, so that no cross term is left). Its fixed
 * point is a linear system; the excess is tr(H S)/2. (Liu, Ziyin and Ueda 2021, arXiv:2012.03636,
 * whose H S + S H - lr H S H = lr C has the noise of the minimum alone; Mandt, Hoffman and Blei
 * 2017, arXiv:1704.04289, whose continuous H S + S H = lr C gives lr tr(C)/4; both are what this
 * comes to at small rates.)
 *
 * No rows for other systems or optimizers, nor where S has no fixed point or there are more
 * parameters than 40 or samples. */
#include "bench/observables/linear_model.h"
#include "bench/observables/shared.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

static const char *const formulas[] = {"discrete", "continuous", NULL};
static const struct ub_option options[] = {
    {"formula", UB_OPTION_NAME, "discrete", 0, 0, formulas,
     "discrete: the exact recursion; continuous: its limit of small rates, for controls"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

enum { MOST_PARAMETERS = 40 };

struct state {
    bool known; /* whether it applies has been found out */
    bool applies;
    double least, predicted;
};

/* Residuals of the least squares solution, f(theta0) + A e - y; false where A has no full rank. */
static bool residuals_of(const struct ub_moment *moment, const double *a, double *r)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const int n = (int)data->train.count, p = (int)ub_problem_size(moment->problem);
    double *factor = ub_calloc((size_t)n * (size_t)p, sizeof *factor);
    double *right = ub_calloc((size_t)n, sizeof *right);
    memcpy(factor, a, (size_t)n * (size_t)p * sizeof *a);
    ub_problem_outputs(moment->problem, moment->theta0, r);
    for (int i = 0; i < n; i++) {
        r[i] -= data->train.targets[i];
        right[i] = -r[i];
    }
    const bool good = LAPACKE_dgels(LAPACK_ROW_MAJOR, 'N', n, p, 1, factor, p, right, 1) == 0;
    if (good)
        cblas_dgemv(CblasRowMajor, CblasNoTrans, n, p, 1, a, p, right, 1, 1, r, 1);
    ub_free(factor);
    ub_free(right);
    return good;
}

/* ---- the fixed point --------------------------------------------------------------------------
 */

struct noise {
    int n, p;
    const double *a; /* n x p */
    const double *r; /* n */
    double lr, batch;
};

/* The linear operator on S, p^2 x p^2, that its fixed point meets with (lr^2/B) mean r^2 a a'. */
static double *operator_of(const struct noise *w, const double *H)
{
    const size_t p = (size_t)w->p, square = p * p, n = (size_t)w->n;
    double *products = ub_calloc(n * square, sizeof *products);
    double *T = ub_calloc(square * square, sizeof *T);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < square; j++)
            products[i * square + j] = w->a[i * p + j / p] * w->a[i * p + j % p];
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)square, (int)square, (int)n,
                -w->lr * w->lr / (w->batch * (double)n), products, (int)square, products,
                (int)square, 0, T, (int)square);
    for (size_t j = 0; j < square; j++)
        for (size_t l = 0; l < square; l++) {
            const size_t a = j / p, b = j % p, c = l / p, d = l % p;
            T[j * square + l] +=
                w->lr * ((b == d ? H[a * p + c] : 0) + (a == c ? H[d * p + b] : 0)) -
                w->lr * w->lr * (1 - 1 / w->batch) * H[a * p + c] * H[d * p + b];
        }
    ub_free(products);
    return T;
}

/* mean weight_i a_i a_i' */
static double *second_moment(const struct noise *w, const double *weight)
{
    const size_t p = (size_t)w->p;
    double *out = ub_calloc(p * p, sizeof *out);
    for (size_t i = 0; i < (size_t)w->n; i++)
        cblas_dger(CblasRowMajor, w->p, w->p, (weight ? weight[i] * weight[i] : 1) / (double)w->n,
                   w->a + i * p, 1, w->a + i * p, 1, out, w->p);
    return out;
}

/* NAN where there is no fixed point: then S has a direction that is not positive. */
static double discrete(const struct noise *w)
{
    const int square = w->p * w->p;
    double *H = second_moment(w, NULL), *S = second_moment(w, w->r), *T = operator_of(w, H);
    int *pivots = ub_calloc((size_t)square, sizeof *pivots);
    cblas_dscal(square, w->lr * w->lr / w->batch, S, 1);
    const bool good = LAPACKE_dgesv(LAPACK_ROW_MAJOR, square, 1, T, square, pivots, S, 1) == 0;
    double excess = cblas_ddot(square, H, 1, S, 1) / 2;
    for (int k = 0; k < w->p; k++)
        if (!(S[k * w->p + k] >= 0))
            excess = (double)NAN;
    ub_free(H);
    ub_free(S);
    ub_free(T);
    ub_free(pivots);
    return good ? excess : (double)NAN;
}

static double continuous(const struct noise *w)
{
    double trace = 0;
    for (int i = 0; i < w->n; i++) {
        const double size = cblas_dnrm2(w->p, w->a + (size_t)i * (size_t)w->p, 1);
        trace += w->r[i] * w->r[i] * size * size / (double)w->n;
    }
    return w->lr * trace / (4 * w->batch);
}

/* ---- measuring --------------------------------------------------------------------------------
 */

static void find_out(struct state *s, const struct ub_call *call, const struct ub_moment *moment)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const struct ub_optimizer *o = moment->optimizer;
    const int64_t n = data->train.count, p = ub_problem_size(moment->problem);
    const int64_t batch = ub_optimizer_batch(o);
    s->known = true;
    if (!o->kind->momentum || o->kind->momentum(o) != 0)
        return;
    if (ub_problem_loss_kind(moment->problem)->softmax || data->outputs * ub_positions(data) != 1 ||
        p > MOST_PARAMETERS || p > n || batch == 0)
        return;
    double *a = ub_linear_features(moment), *r = ub_calloc((size_t)n, sizeof *r);
    if (a && residuals_of(moment, a, r)) {
        const struct noise w = {(int)n, (int)p, a, r, o->lr, (double)batch};
        s->least = cblas_ddot((int)n, r, 1, r, 1) / (2 * (double)n);
        s->predicted =
            strcmp(ub_call_get(call, "formula"), "discrete") == 0 ? discrete(&w) : continuous(&w);
        s->applies = isfinite(s->predicted);
    }
    ub_free(a);
    ub_free(r);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)err;
    struct state *s = state;
    if (!s->known)
        find_out(s, call, moment);
    if (!s->applies)
        return true;
    const double loss = ub_problem_loss(moment->problem, moment->theta);
    ub_record_value(record, moment, "excess-loss", 0, loss - s->least, NAN);
    ub_record_value(record, moment, "predicted-excess-loss", 0, s->predicted, NAN);
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    const int64_t n = ub_problem_data(problem)->train.count, p = ub_problem_size(problem);
    if (p > MOST_PARAMETERS || p > n)
        return 0;
    return (int64_t)sizeof(double) * (n * n + 3 * n * p + (n + p * p) * p * p) +
           ub_problem_jacobian_bytes(problem);
}

static const struct ub_quantity rows[] = {
    {
        .name = "excess-loss",
        .units = "units of the loss",
        .meaning = "training loss less its minimum, of a linear model",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "predicted-excess-loss",
        .units = "units of the loss",
        .meaning = "what the noise of batches leaves of it on average",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-12},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_stationary_noise = {
    .name = "stationary-noise",
    .summary = "excess loss of stochastic gradient descent, and what the noise of batches predicts",
    .units = "units of the loss",
    .citation = "Liu, Ziyin and Ueda 2021, arXiv:2012.03636; Mandt et al. 2017, arXiv:1704.04289",
    .rows = rows,
    .options = options,
    .every = "10",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
};
