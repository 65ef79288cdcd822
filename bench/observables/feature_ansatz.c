/* How parallel a layer's W'W is to a power of the average gradient outer product of its inputs
 * (AGOP; Radhakrishnan, Beaglehole, Pandit and Belkin 2024, arXiv:2212.13881). With h_i the inputs
 * of the layer z = W h for sample i, f_ic its outputs, d_ic = df_ic/dz_i,
 *
 *     A = mean_i sum_c (df_ic/dh_i)(df_ic/dh_i)' = W' D W,   D = mean_i sum_c d_ic d_ic',
 *
 *     feature-ansatz.WEIGHT   <W'W, A^s> / (|W'W| |A^s|)   in Frobenius norms.
 *
 * d_ic is read from the derivative by the weights, df_ic/dW = d_ic h_i': d = (df/dW) h / |h|^2.
 *
 * The power s. The paper says A itself, and 1/2 works as well there. In a linear network with
 * balanced layers, W_{l+1}'W_{l+1} = W_l W_l', A_l = (W_l'W_l)^m, m the number of matrices from the
 * layer to the output: it must be 1/m. Index 0 is that, 1 and 2 are the powers 1 and 1/2.
 *
 * Chains of fully connected layers only, and not the readout: of a readout A = W'W, always. */
#include "bench/observables/probe_kernel.h"
#include "bench/observables/shared.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>

enum { BLOCK = 16 }; /* derivatives at once */

static const struct ub_option options[] = {
    {"samples", UB_OPTION_INT, "50", 1, 100000, NULL, "first training samples that are averaged"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct state {
    struct ub_probe probe;
    double *rows, *units; /* BLOCK derivatives by all parameters; unit vectors of outputs */
};

/* The matrices of a chain from inputs to outputs, its hidden layers between them; 0: it is none. */
static int chain_of(const struct ub_problem *p, const struct ub_param **weight, int most)
{
    const struct ub_layout *layout = ub_problem_layout(p);
    const struct ub_dataset *d = ub_problem_data(p);
    const int hidden = ub_problem_hidden_count(p);
    int n = 0;
    for (int64_t i = 0; i < layout->count; i++) {
        const struct ub_param *w = &layout->params[i];
        if (w->rank < 2)
            continue;
        const int64_t in = n == 0 ? d->features : ub_problem_hidden_width(p, n - 1);
        const int64_t out = n == hidden ? d->outputs : ub_problem_hidden_width(p, n);
        if (n > hidden || n == most || w->rank != 2 || w->shape[0] != out || w->shape[1] != in)
            return 0;
        weight[n++] = w;
    }
    return n == hidden + 1 ? n : 0;
}

/* D of all layers but the last: D[l] is rows x rows of weight l. */
static void add_outer(const struct state *s, const struct ub_param *w, const double *row,
                      const double *h, double *d, double *D)
{
    const int out = (int)w->shape[0], in = (int)w->shape[1];
    const double square = cblas_ddot(in, h, 1, h, 1), n = (double)s->probe.samples;
    if (!(square > 0))
        return; /* inputs of zeros say nothing of what lies behind */
    cblas_dgemv(CblasRowMajor, CblasNoTrans, out, in, 1 / square, row + w->offset, in, h, 1, 0, d,
                1);
    cblas_dger(CblasRowMajor, out, out, 1 / n, d, 1, d, 1, D, out);
}

static void outer_products(struct state *s, const struct ub_param *const *weight, int n,
                           const double *const *inputs, double *const *D, double *d)
{
    const int64_t size = ub_problem_size(s->probe.problem), all = s->probe.rows;
    const int64_t outputs = all / s->probe.samples;
    for (int64_t first = 0; first < all; first += BLOCK) {
        const int64_t count = all - first < BLOCK ? all - first : BLOCK;
        for (int64_t k = 0; k < count * all; k++)
            s->units[k] = k / all + first == k % all;
        ub_problem_vjp(s->probe.problem, count, s->units, s->rows);
        for (int64_t k = 0; k < count; k++)
            for (int l = 0; l + 1 < n; l++)
                add_outer(s, weight[l], s->rows + k * size,
                          inputs[l] + (first + k) / outputs * weight[l]->shape[1], d, D[l]);
    }
}

/* <M, A^power> / (|M| |A^power|), A = V diag(values) V', V's columns the rows of `vectors`. */
static double cosine(int n, const double *M, const double *values, const double *vectors,
                     double power)
{
    double both = 0, square = 0;
    double *image = ub_calloc((size_t)n, sizeof *image);
    for (int k = 0; k < n; k++) {
        const double *v = vectors + (size_t)k * (size_t)n, x = pow(fmax(values[k], 0), power);
        cblas_dgemv(CblasRowMajor, CblasNoTrans, n, n, 1, M, n, v, 1, 0, image, 1);
        both += x * cblas_ddot(n, v, 1, image, 1);
        square += x * x;
    }
    ub_free(image);
    return both / (cblas_dnrm2(n * n, M, 1) * sqrt(square));
}

static bool record_layer(const struct ub_param *w, const double *D, double to_output,
                         const struct ub_moment *moment, struct ub_record *record,
                         struct ub_error *err)
{
    const int out = (int)w->shape[0], in = (int)w->shape[1];
    const double *W = moment->theta + w->offset, power[] = {1 / to_output, 1, 0.5};
    double *M = ub_calloc((size_t)in * (size_t)in, sizeof *M),
           *A = ub_calloc((size_t)in, 8 * (size_t)in);
    double *DW = ub_calloc((size_t)w->size, sizeof *DW),
           *values = ub_calloc((size_t)in, sizeof *values);
    char name[96];
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, in, in, out, 1, W, in, W, in, 0, M, in);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, out, in, out, 1, D, out, W, in, 0, DW,
                in);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, in, in, out, 1, W, in, DW, in, 0, A, in);
    const bool good =
        !isfinite(cblas_dasum(in * in, A, 1)) || ub_eigen_dense(in, A, values, true, err);
    snprintf(name, sizeof name, "feature-ansatz.%s", w->name);
    for (int k = 0; good && values[in - 1] > 0 && k < 3; k++)
        ub_record_value(record, moment, name, k, cosine(in, M, values, A, power[k]), NAN);
    ub_free(M);
    ub_free(A);
    ub_free(DW);
    ub_free(values);
    return good;
}

/* Inputs of each layer but the last, samples x its columns; D's of zeros. Caller frees both. */
static void prepare(struct state *s, const struct ub_param *const *weight, int n,
                    const double *theta, double **inputs, double **D)
{
    const struct ub_dataset *data = ub_problem_data(s->probe.problem);
    for (int l = 0; l + 1 < n; l++) {
        const size_t size = (size_t)(s->probe.samples * weight[l]->shape[1]);
        inputs[l] = ub_calloc(size, sizeof *inputs[l]);
        D[l] = ub_calloc((size_t)weight[l]->shape[0], 8 * (size_t)weight[l]->shape[0]);
        if (l > 0)
            ub_problem_hidden(s->probe.problem, l - 1, theta, inputs[l]);
        for (size_t i = 0; l == 0 && i < size; i++)
            inputs[l][i] = data->train.inputs[i];
    }
}

static bool open_state(struct state *s, const struct ub_call *call, const struct ub_moment *moment,
                       struct ub_error *err)
{
    if (!ub_probe_open(&s->probe, moment->problem, ub_call_int(call, "samples"), err))
        return false;
    s->rows = ub_calloc(BLOCK, (size_t)ub_problem_size(moment->problem) * sizeof *s->rows);
    s->units = ub_calloc(BLOCK, (size_t)s->probe.rows * sizeof *s->units);
    return true;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    enum { MOST = 64 };
    struct state *s = state;
    const struct ub_param *weight[MOST];
    double *inputs[MOST], *D[MOST], *d;
    const int n = chain_of(moment->problem, weight, MOST);
    bool good = true;
    if (n < 2 || ub_positions(ub_problem_data(moment->problem)) > 1)
        return true;
    if (!s->probe.problem && !open_state(s, call, moment, err))
        return false;
    int64_t widest = 0;
    for (int l = 0; l < n; l++)
        widest = weight[l]->shape[0] > widest ? weight[l]->shape[0] : widest;
    d = ub_calloc((size_t)widest, sizeof *d);
    prepare(s, weight, n, moment->theta, inputs, D);
    ub_problem_linearize(s->probe.problem, moment->theta);
    outer_products(s, weight, n, (const double *const *)inputs, D, d);
    for (int l = 0; l + 1 < n; l++) {
        good = good && record_layer(weight[l], D[l], (double)(n - l), moment, record, err);
        ub_free(inputs[l]);
        ub_free(D[l]);
    }
    ub_free(d);
    return good;
}

static void close(void *state)
{
    struct state *s = state;
    ub_probe_close(&s->probe);
    ub_free(s->rows);
    ub_free(s->units);
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    const struct ub_param *weight[64];
    const int n = chain_of(problem, weight, 64);
    int64_t squares = 0;
    for (int l = 0; l + 1 < n; l++)
        squares += weight[l]->shape[0] * weight[l]->shape[0] +
                   2 * weight[l]->shape[1] * weight[l]->shape[1];
    return ub_probe_bytes(problem, ub_call_int(call, "samples"), 0) +
           (squares + BLOCK * ub_problem_size(problem)) * (int64_t)sizeof(double);
}

static const struct ub_quantity rows[] = {
    {
        .name = "feature-ansatz.WEIGHT",
        .index = "power: 0 one over the number of matrices from here to the output, 1 one, 2 half",
        .units = "1",
        .meaning = "cosine of W'W with a power of the average gradient outer product",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.02},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_feature_ansatz = {
    .name = "feature-ansatz",
    .summary = "cosine of each layer's W'W with its average gradient outer product",
    .units = "1",
    .citation = "Radhakrishnan, Beaglehole, Pandit and Belkin 2024, arXiv:2212.13881",
    .rows = rows,
    .options = options,
    .at = "0+end",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
