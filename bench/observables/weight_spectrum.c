/* Squared singular values of every weight with two axes or more (a convolution's as output channels
 * x the rest), which are the eigenvalues of its Gram matrix; their decay; and the stable rank
 * |W|_F^2 / |W|_2^2 (Rudelson and Vershynin 2007, doi:10.1145/1255443.1255449). */
#include "bench/observables/shared.h"
#include "bench/spectra/weights.h"

#include <math.h>

static const struct ub_option options[] = {
    UB_FIT_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void record_tail(const struct ub_param *param, const struct ub_moment *moment,
                        struct ub_record *record, const struct ub_weight_spectrum *s)
{
    const struct ub_tail *t = &s->tail;
    char name[96];
    if (!t->valid)
        return;
    const double rows[UB_TAIL_ROWS] = {[UB_TAIL_ALPHA] = t->alpha,         [UB_TAIL_LOW] = t->low,
                                       [UB_TAIL_HIGH] = t->high,           [UB_TAIL_CUT] = t->xmin,
                                       [UB_TAIL_COUNT] = (double)t->count, [UB_TAIL_P] = t->p,
                                       [UB_TAIL_BEST] = (double)t->best};
    snprintf(name, sizeof name, "tail.%s", param->name);
    for (int i = 0; i < UB_TAIL_ROWS; i++)
        ub_record_value(record, moment, name, i, rows[i],
                        i == UB_TAIL_ALPHA ? (t->high - t->low) / 2 : (double)NAN);
    snprintf(name, sizeof name, "alpha-hat.%s", param->name);
    ub_record_value(record, moment, name, 0, s->alpha_hat, NAN);
}

static void record_noise(const struct ub_param *param, const struct ub_moment *moment,
                         struct ub_record *record, const struct ub_weight_spectrum *s)
{
    char name[96];
    if (s->outliers < 0)
        return;
    snprintf(name, sizeof name, "noise-outliers.%s", param->name);
    ub_record_value(record, moment, name, UB_NOISE_OUTLIERS, (double)s->outliers, NAN);
    ub_record_value(record, moment, name, UB_NOISE_EDGE, s->noise_edge, NAN);
}

static void record_weight(const struct ub_param *param, const struct ub_call *call,
                          const struct ub_moment *moment, struct ub_record *record)
{
    const struct ub_weight weight = {.rows = param->shape[0],
                                     .columns = param->size / param->shape[0],
                                     .slices = 1,
                                     .entries = moment->theta + param->offset};
    struct ub_weight_spectrum s;
    char name[96];
    if (!ub_weight_spectrum(&weight, &s))
        return;
    ub_weight_spectrum_unscale(&s);
    if (!isfinite(s.values[0])) {
        ub_weight_spectrum_free(&s);
        return;
    }
    double *bounds = ub_calloc((size_t)s.count, sizeof *bounds);
    snprintf(name, sizeof name, "weight-spectrum.%s", param->name);
    for (int64_t i = 0; i < s.count; i++) {
        bounds[i] = s.error;
        ub_record_value(record, moment, name, i, s.values[i], bounds[i]);
    }
    snprintf(name, sizeof name, "exponent.%s", param->name);
    ub_record_exponent(record, moment, call, name, s.values, bounds, s.count);
    ub_record_scalars(record, moment, param->name, s.values, s.count);
    record_tail(param, moment, record, &s);
    record_noise(param, moment, record, &s);
    ub_weight_spectrum_free(&s);
    ub_free(bounds);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)err;
    const struct ub_layout *layout = ub_problem_layout(moment->problem);
    for (int64_t i = 0; i < layout->count; i++)
        if (layout->params[i].rank >= 2)
            record_weight(&layout->params[i], call, moment, record);
    return true;
}

/* A copy of the largest weight, and LAPACK's work: a few times the shorter side squared. */
static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    const struct ub_layout *layout = ub_problem_layout(problem);
    int64_t most = 0;
    for (int64_t i = 0; i < layout->count; i++)
        most = layout->params[i].size > most ? layout->params[i].size : most;
    return 5 * most * (int64_t)sizeof(double);
}

static const struct ub_quantity rows[] = {
    {
        .name = "weight-spectrum.WEIGHT",
        .index = ub_rank_index,
        .units = "weight squared",
        .meaning = "squared singular values of the weight",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    UB_EXPONENT_ROW("exponent.WEIGHT", "of the weight's Gram matrix", .headline = true),
    UB_SCALAR_ROWS("WEIGHT", "of the weight's Gram matrix"),
    {
        .name = "tail.WEIGHT",
        .index =
            "0 alpha, 1 and 2 its 95% interval, 3 the cut, 4 how many are above, 5 p of the fit, 6 "
            "likeliest form: 0 power, 1 exponential, 2 stretched, 3 log-normal, 4 truncated",
        .units = "1; weight squared; samples",
        .meaning = "power law x^-alpha of the density of squared singular values above a cut",
    },
    {
        .name = "alpha-hat.WEIGHT",
        .units = "1",
        .meaning = "alpha times the decimal logarithm of the largest squared singular value",
    },
    {
        .name = "noise-outliers.WEIGHT",
        .index = "0 how many, 1 the edge",
        .units = "1; weight squared",
        .meaning = "squared singular values above the edge of noise",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_weight_spectrum = {
    .name = "weight-spectrum",
    .summary = "squared singular values of each weight matrix: decay, tail, ranks, outliers",
    .units = "weight squared; 1",
    .citation = "Martin and Mahoney 2018, arXiv:1810.01075",
    .rows = rows,
    .options = options,
    .at = "0+end",
    .check = ub_check_fit,
    .bytes = bytes,
    .measure = measure,
};
