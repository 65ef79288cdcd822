/* How the length of activations scatters over draws of the weights: with h the last hidden layer's
 * activations on the first training sample, new weights drawn by the run's own init,
 *
 *     norm-kurtosis   log (E |h|^4 / (E |h|^2)^2)
 *
 * Given the layer below, Gaussian weights make pre-activations independent normals of one variance.
 * So |h_l|^2 is |h_{l-1}|^2 times a factor that does not depend on it, where phi is homogeneous,
 * with E factor^2 / (E factor)^2 = 1 + 2/N_l for the identity (a chi-square of N_l degrees of
 * freedom over its mean) and 1 + 5/N_l for relu (of squares of which half are zero: second moment
 * (3/2) N + N (N - 1)/4 over (N/2)^2). The fourth moment over the squared second one is therefore
 * the product over hidden layers of these, at any width (Hanin 2018, arXiv:1801.03744; Roberts,
 * Yaida and Hanin 2021, arXiv:2106.10165). Of the pre-activations of a layer of k units, or of one
 * neuron, it would be that of the layers below times 1 + 2/k, or 3. */
#include "bench/observables/shared.h"

#include <inttypes.h>
#include <math.h>

static const struct ub_option options[] = {
    {"draws", UB_OPTION_INT, "2000", 10, 1e7, NULL, "draws of the weights"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* |h|^2 at each draw. The problem is one of its own: the run's start stays as it is. Streams differ
 * between sizes of the model, else networks of one seed would have their first layers in common and
 * what is estimated from several would err alike. */
static void draw_squares(struct ub_problem *p, uint64_t seed, int64_t draws, double *square)
{
    const int last = ub_problem_hidden_count(p) - 1;
    const int64_t width = ub_problem_hidden_width(p, last);
    double *theta = ub_calloc((size_t)ub_problem_size(p), sizeof *theta);
    double *h = ub_calloc((size_t)width, sizeof *h);
    char stream[64];
    snprintf(stream, sizeof stream, "probes:norm-kurtosis:%" PRId64, ub_problem_size(p));
    struct ub_random seeds = ub_random_stream(seed, stream);
    for (int64_t d = 0; d < draws; d++) {
        ub_problem_init(p, ub_random_bits(&seeds), theta);
        ub_problem_hidden(p, last, theta, h);
        square[d] = 0;
        for (int64_t i = 0; i < width; i++)
            square[d] += h[i] * h[i];
    }
    ub_free(theta);
    ub_free(h);
}

/* log (m4/m2^2) and half its 95% interval, by the delta method: the variance of
 * q^2/m4 - 2 q/m2 over draws. */
static double log_kurtosis(const double *square, int64_t n, double *half_width)
{
    double m2 = 0, m4 = 0, variance = 0;
    for (int64_t i = 0; i < n; i++) {
        m2 += square[i] / (double)n;
        m4 += square[i] * square[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++)
        variance += pow(square[i] * square[i] / m4 - 2 * square[i] / m2 + 1, 2) / (double)(n - 1);
    *half_width = 1.96 * sqrt(variance / (double)n);
    return log(m4 / (m2 * m2));
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state;
    const int64_t draws = ub_call_int(call, "draws");
    if (ub_problem_hidden_count(moment->problem) == 0)
        return true;
    const double *first = ub_problem_data(moment->problem)->train.inputs;
    struct ub_problem *p = ub_problem_on_inputs(moment->problem, 1, first, err);
    if (!p)
        return false;
    double *square = ub_calloc((size_t)draws, sizeof *square), half_width;
    draw_squares(p, moment->optimizer->training.seed, draws, square);
    const double value = log_kurtosis(square, draws, &half_width);
    if (isfinite(value))
        ub_record_value(record, moment, "norm-kurtosis", 0, value, half_width);
    ub_free(square);
    ub_problem_free(p);
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    return ub_problem_bytes(problem, 1) + ub_call_int(call, "draws") * (int64_t)sizeof(double);
}

static const struct ub_quantity rows[] = {
    {
        .name = "norm-kurtosis",
        .units = "1",
        .meaning =
            "log of fourth over squared second moment of the last hidden layer's length, over "
            "draws of the weights",
        .headline = true,
        .column = "",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.01},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_norm_kurtosis = {
    .name = "norm-kurtosis",
    .summary = "scatter of the length of activations over draws of the weights",
    .units = "1",
    .citation = "Hanin 2018, arXiv:1801.03744; Roberts, Yaida and Hanin 2021, arXiv:2106.10165",
    .rows = rows,
    .options = options,
    .at = "0",
    .bytes = bytes,
    .measure = measure,
};
