/* Residuals along the modes of the neural tangent kernel at the start. With r = f - y the residuals
 * of all outputs on the n training samples, J = df/dtheta at the start, and mu_i, v_i the
 * eigenvalues and orthonormal eigenvectors of J J'/n, a model that stays linear in its parameters
 * has under gradient descent on squared loss, exactly,
 *
 *     v_i'r(t) = (1 - eta mu_i)^t v_i'r(0),
 *     L(t) = (1/2n) (sum_i (1 - eta mu_i)^(2t) (v_i'r(0))^2 + rest),
 *
 * rest the square of what no parameter moves (Jacot et al. 2018, arXiv:1806.07572; Bordelon,
 * Canatar and Pehlevan 2020, arXiv:2002.02561): modes of large mu are learned first, in time ln
 * 2/mu to a half (Rahaman et al. 2019, arXiv:1806.08734). eta is the rate before its schedule.
 *
 *     kernel-mode-rate        mu_i, at the first measurement (index: rank)
 *     kernel-mode-share       (v_i'r(0))^2/|r(0)|^2, with it
 *     kernel-mode-residual    |v_i'r(t)|/|r(0)|
 *     kernel-mode-half-life   time, rate x step, at which |v_i'r| first is half of its start,
 * between two measurements as if it decayed exponentially; once, where seen kernel-loss-prediction
 * L(t) as above, from all modes kernel-loss-error       |loss - prediction|/prediction, while that
 * is above 1e-12 of its start: below, the rounding of outputs is all there is
 *
 * Fact kernel-modes.step: eta mu_0. Eigenvectors are found on the smaller side, J'J/n of the
 * parameters or J J'/n of the outputs, dense. Left out where the loss is not mse, or targets have
 * several positions. */
#include "bench/observables/probe_kernel.h"
#include "bench/observables/shared.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    {"top", UB_OPTION_INT, "20", 1, 10000, NULL, "modes written, of the largest rates"},
    {"dense", UB_OPTION_INT, "2000", 1, 20000, NULL,
     "largest order of the matrix (parameters or outputs, the fewer) that is decomposed"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* Directions that move outputs by less than this, of the most, count as none. */
static const double least_rate = 1e-12, least_loss = 1e-12;

struct state {
    bool open, none;
    bool over_parameters; /* vectors: of J'J/n, rather than of J J'/n */
    int64_t order, rows, samples;
    int64_t modes;              /* of a rate above the least */
    double *rate, *vector;      /* descending; modes x order */
    double *start, *now, *last; /* modes: v_i'r */
    double *residual, *along;   /* rows; order */
    double rest, size;          /* squares: of what is in no mode, and of r(0) */
    bool *halved;
    int64_t step; /* of `last` */
};

/* ---- modes ---- */

static bool matrix_of(const struct state *s, const struct ub_moment *moment, double *a,
                      struct ub_error *err)
{
    const int64_t n = s->order;
    if (!s->over_parameters) {
        struct ub_probe probe = {0};
        if (!ub_probe_open(&probe, moment->problem, 0, err))
            return false;
        const bool finite = ub_probe_kernel(&probe, moment->theta0, a);
        ub_probe_close(&probe);
        cblas_dscal((int)(n * n), 1 / (double)s->samples, a, 1);
        return finite || ub_fail(err, UB_INTERNAL, "kernel-modes: the kernel is not finite");
    }
    double *unit = ub_calloc((size_t)(n * n), sizeof *unit);
    for (int64_t i = 0; i < n; i++)
        unit[i * n + i] = 1;
    ub_problem_linearize(moment->problem, moment->theta0);
    ub_problem_product(moment->problem, UB_GAUSS_NEWTON, n, unit, a);
    ub_free(unit);
    return true;
}

/* LAPACK's order is ascending, its eigenvectors are columns. */
static bool decompose(struct state *s, double *a, struct ub_error *err)
{
    const int64_t n = s->order;
    double *value = ub_calloc((size_t)n, sizeof *value);
    const lapack_int info =
        LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, a, (lapack_int)n, value);
    while (info == 0 && s->modes < n && value[n - 1 - s->modes] > least_rate * value[n - 1])
        s->modes++;
    s->rate = ub_calloc((size_t)s->modes + 1, sizeof *s->rate);
    s->vector = ub_calloc((size_t)(s->modes * n) + 1, sizeof *s->vector);
    for (int64_t k = 0; k < s->modes; k++) {
        s->rate[k] = value[n - 1 - k];
        cblas_dcopy((int)n, a + (n - 1 - k), (int)n, s->vector + k * n, 1);
    }
    ub_free(value);
    return info == 0 || ub_fail(err, UB_INTERNAL, "dsyevd failed with info %lld", (long long)info);
}

/* v_i'r into `out`; |r|^2. Of an eigenvector w of J'J/n, v = J w/sqrt(n mu). */
static double project(struct state *s, const struct ub_moment *moment, const double *theta,
                      double *out)
{
    const double *y = ub_problem_data(moment->problem)->train.targets, *along = s->residual;
    ub_problem_outputs(moment->problem, theta, s->residual);
    for (int64_t i = 0; i < s->rows; i++)
        s->residual[i] -= y[i];
    if (s->over_parameters) {
        ub_problem_linearize(moment->problem, moment->theta0);
        ub_problem_vjp(moment->problem, 1, s->residual, s->along);
        along = s->along;
    }
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)s->modes, (int)s->order, 1, s->vector,
                (int)s->order, along, 1, 0, out, 1);
    for (int64_t k = 0; s->over_parameters && k < s->modes; k++)
        out[k] /= sqrt((double)s->samples * s->rate[k]);
    return cblas_ddot((int)s->rows, s->residual, 1, s->residual, 1);
}

/* |r(0) - sum_i v_i v_i'r(0)|^2, as a vector's: as a difference of squares it would be rounding.
 * r(0) is in `residual`. */
static double rest_of(const struct state *s, const struct ub_moment *moment)
{
    double *made = ub_calloc((size_t)s->rows, sizeof *made),
           *weight = ub_calloc((size_t)s->modes + 1, sizeof *weight);
    for (int64_t k = 0; k < s->modes; k++)
        weight[k] = s->start[k] / (s->over_parameters ? sqrt((double)s->samples * s->rate[k]) : 1);
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)s->modes, (int)s->order, 1, s->vector,
                (int)s->order, weight, 1, 0, s->over_parameters ? s->along : made, 1);
    if (s->over_parameters)
        ub_problem_jvp(moment->problem, 1, s->along, made);
    cblas_daxpy((int)s->rows, -1, s->residual, 1, made, 1);
    const double rest = cblas_ddot((int)s->rows, made, 1, made, 1);
    ub_free(made);
    ub_free(weight);
    return rest;
}

static bool choose_side(struct state *s, const struct ub_call *call, const struct ub_moment *moment,
                        struct ub_error *err)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const int64_t size = ub_problem_size(moment->problem), most = ub_call_int(call, "dense");
    s->samples = data->train.count;
    s->rows = s->samples * data->outputs;
    s->over_parameters = size <= s->rows;
    s->order = s->over_parameters ? size : s->rows;
    return s->order <= most ||
           ub_fail(err, UB_INPUT,
                   "kernel-modes: %lld parameters and %lld outputs; expected at most dense=%lld of "
                   "one of them",
                   (long long)size, (long long)s->rows, (long long)most);
}

static bool open_state(struct state *s, const struct ub_call *call, const struct ub_moment *moment,
                       struct ub_error *err)
{
    s->open = true;
    s->none = ub_problem_loss_kind(moment->problem)->softmax ||
              ub_positions(ub_problem_data(moment->problem)) > 1;
    if (s->none)
        return true;
    if (!choose_side(s, call, moment, err))
        return false;
    double *a = ub_calloc((size_t)(s->order * s->order), sizeof *a);
    const bool good = matrix_of(s, moment, a, err) && decompose(s, a, err);
    ub_free(a);
    if (!good)
        return false;
    double **of_modes[] = {&s->start, &s->now, &s->last};
    for (size_t i = 0; i < sizeof of_modes / sizeof *of_modes; i++)
        *of_modes[i] = ub_calloc((size_t)s->modes + 1, sizeof **of_modes[i]);
    s->halved = ub_calloc((size_t)s->modes + 1, sizeof *s->halved);
    s->residual = ub_calloc((size_t)s->rows, sizeof *s->residual);
    s->along = ub_calloc((size_t)s->order, sizeof *s->along);
    s->size = project(s, moment, moment->theta0, s->start);
    s->rest = rest_of(s, moment);
    memcpy(s->last, s->start, (size_t)s->modes * sizeof *s->last);
    return true;
}

/* ---- rows ---- */

static double predicted_loss(const struct state *s, double eta, int64_t step)
{
    double sum = s->rest;
    for (int64_t k = 0; k < s->modes; k++) {
        const double c = s->start[k] * pow(1 - eta * s->rate[k], (double)step);
        sum += c * c;
    }
    return sum / (2 * (double)s->samples);
}

/* Of mode k, between the last measurement and this one. */
static double halving_time(const struct state *s, int64_t k, const struct ub_moment *moment)
{
    const double half = fabs(s->start[k]) / 2, before = fabs(s->last[k]), after = fabs(s->now[k]);
    const double part = after > 0 ? log(before / half) / log(before / after) : 1;
    return moment->optimizer->base * ((double)s->step + part * (double)(moment->step - s->step));
}

static void record_modes(struct state *s, const struct ub_moment *moment, int64_t top,
                         struct ub_record *record)
{
    for (int64_t k = 0; k < top && k < s->modes; k++) {
        ub_record_value(record, moment, "kernel-mode-residual", k, fabs(s->now[k]) / sqrt(s->size),
                        NAN);
        if (s->halved[k] || s->start[k] == 0 || !(fabs(s->now[k]) <= fabs(s->start[k]) / 2) ||
            moment->step == s->step)
            continue;
        s->halved[k] = true;
        ub_record_value(record, moment, "kernel-mode-half-life", k, halving_time(s, k, moment),
                        NAN);
    }
}

static void record_start(const struct state *s, const struct ub_moment *moment, int64_t top,
                         struct ub_record *record)
{
    for (int64_t k = 0; k < top && k < s->modes; k++) {
        ub_record_value(record, moment, "kernel-mode-rate", k, s->rate[k], NAN);
        ub_record_value(record, moment, "kernel-mode-share", k, s->start[k] * s->start[k] / s->size,
                        NAN);
    }
    record->fact(record->context, "kernel-modes.step",
                 s->modes > 0 ? moment->optimizer->base * s->rate[0] : 0);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    const int64_t top = ub_call_int(call, "top");
    const bool first = !s->open;
    if (first && !open_state(s, call, moment, err))
        return false;
    if (s->none || !(s->size > 0))
        return true;
    if (first)
        record_start(s, moment, top, record);
    project(s, moment, moment->theta, s->now);
    record_modes(s, moment, top, record);
    const double predicted = predicted_loss(s, moment->optimizer->base, moment->step);
    ub_record_value(record, moment, "kernel-loss-prediction", 0, predicted, NAN);
    if (predicted > least_loss * s->size / (2 * (double)s->samples))
        ub_record_value(record, moment, "kernel-loss-error", 0,
                        fabs(moment->loss - predicted) / predicted, NAN);
    memcpy(s->last, s->now, (size_t)s->modes * sizeof *s->last);
    s->step = moment->step;
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    const struct ub_dataset *data = ub_problem_data(problem);
    const int64_t rows = data->train.count * data->outputs, size = ub_problem_size(problem);
    const int64_t order = size < rows ? size : rows;
    if (order > ub_call_int(call, "dense"))
        return 0; /* refused */
    return ub_probe_bytes(problem, size <= rows ? 1 : 0, 0) +
           3 * order * order * (int64_t)sizeof(double);
}

static void close(void *state)
{
    struct state *s = state;
    ub_free(s->rate);
    ub_free(s->vector);
    ub_free(s->start);
    ub_free(s->now);
    ub_free(s->last);
    ub_free(s->residual);
    ub_free(s->along);
    ub_free(s->halved);
}

static const char mode_index[] = "mode, 0 of the largest rate";
static const struct ub_quantity rows[] = {
    {
        .name = "kernel-mode-rate",
        .index = mode_index,
        .units = "1 per time (rate x step)",
        .meaning = "eigenvalue of the kernel at the start, over samples",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    {
        .name = "kernel-mode-share",
        .index = mode_index,
        .units = "1",
        .meaning = "share of the squared residual at the start that is along this mode",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    {
        .name = "kernel-mode-residual",
        .index = mode_index,
        .units = "1",
        .meaning = "residual along this mode, of the whole one at the start",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "kernel-mode-half-life",
        .index = mode_index,
        .units = "time (rate x step)",
        .meaning = "time until the residual along this mode is half of its start",
    },
    {
        .name = "kernel-loss-prediction",
        .units = "units of the loss",
        .meaning = "training loss of the model that is linear in its parameters",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "kernel-loss-error",
        .units = "1",
        .meaning = "relative difference of the training loss from that",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.05, .zero = 1e-6},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_kernel_modes = {
    .name = "kernel-modes",
    .summary = "residuals along the kernel's modes, their half-lives, and the loss they predict",
    .units = "1",
    .citation = "Jacot et al. 2018, arXiv:1806.07572; Rahaman et al. 2019, arXiv:1806.08734",
    .rows = rows,
    .options = options,
    .log_spaced = "60",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
