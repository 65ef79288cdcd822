/* Modes of a deep linear network: W = W_L ... W_1 projected on the singular modes u_k, v_k of
 * strength s_k of the covariance of inputs and targets Y'X/n, a_k = u_k'W v_k, beside the strengths
 * that gradient flow of squared loss has on whitened inputs from a balanced start aligned with
 * those modes,
 *
 *     da/dt = L |a|^(2 - 2/L) (s - a);    L = 2, a > 0:  a = s/(1 + (s/a0 - 1) e^(-2st))
 *
 * (Saxe, McClelland and Ganguli 2013, arXiv:1312.6120, section 1, eq. 9 there; time is learning
 * rate x step, and the 2 belongs to two matrices: each moves). |a| because b, the L-th root of each
 * layer's share, keeps |a| = b^L and db/dt = b^(L-1)(s - a) up to a's sign. From the run's own
 * strengths at the start; the integration for L > 2 is by Runge-Kutta of order 4 in steps of a
 * hundredth of the fastest mode's time, 1/(L s^(2 - 2/L)).
 *
 *     mode-target      s_k (index: k), at the first measurement
 *     mode-strength    a_k
 *     mode-prediction  what theory has for it
 *     mode-error       largest |a_k - theory|/s_k over modes
 *     mode-mixing      largest |u_j'W v_k|, j != k, over s_0: 0 where modes learn by themselves
 *
 * Fact linear-modes.lag: what mode-error comes to by the length of steps alone. Explicit Euler on
 * b' = f(b), f = b^(L-1)(s - b^L), follows b' = f - (eta/2) f'f to first order: at b it is late by
 * int (eta/2) f'/f db = (eta/2) ln(f(b)/f(b0)), which is worth as much strength as a has slope,
 *
 *     lag = max over modes and a from a0 to s of (eta/2) (da/dt) |ln(f(a)/f(a0))|/s.
 *
 * Left out where the model is no chain of matrices, or the loss not mse; whatever stands between
 * the matrices is not looked at. */
#include "bench/observables/shared.h"
#include "datasets/modes.h"
#include "systems/weight_chain.h"

#include <cblas.h>
#include <math.h>

static const double fineness = 0.01;

struct state {
    bool open, none; /* none: nothing to measure here */
    struct ub_modes modes;
    struct ub_weight_chain chain;
    double *start, *theory;  /* count */
    double time;             /* of theory */
    double *product;         /* outputs x features */
    double *half, *strength; /* count x features; count x count: u_j'W v_k */
};

/* ---- theory ---- */

static double slope_of(double a, double s, double depth)
{
    return depth * pow(fabs(a), 2 - 2 / depth) * (s - a);
}

static double integrate(double a, double s, double depth, double time)
{
    const double rate = depth * pow(fmax(s, fabs(a)), 2 - 2 / depth);
    const int64_t steps = (int64_t)ceil(time * rate / fineness);
    const double h = steps > 0 ? time / (double)steps : 0;
    for (int64_t i = 0; i < steps; i++) {
        const double k1 = slope_of(a, s, depth), k2 = slope_of(a + h / 2 * k1, s, depth);
        const double k3 = slope_of(a + h / 2 * k2, s, depth), k4 = slope_of(a + h * k3, s, depth);
        a += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
    return a;
}

/* Brings the theory to `time`. */
static void advance(struct state *st, double time)
{
    for (int64_t k = 0; k < st->modes.count; k++) {
        const double s = st->modes.strength[k], a0 = st->start[k];
        if (st->chain.count == 2 && a0 > 0)
            st->theory[k] = s / (1 + (s / a0 - 1) * exp(-2 * s * time));
        else
            st->theory[k] = integrate(st->theory[k], s, (double)st->chain.count, time - st->time);
    }
    st->time = time;
}

/* Of one mode, over strengths evenly spaced between its start and its end. */
static double lag_of_mode(double a0, double s, double depth)
{
    enum { POINTS = 1000 };
    const double start = pow(a0, 1 - 1 / depth) * (s - a0);
    double most = 0;
    for (int i = 1; i < POINTS; i++) {
        const double a = a0 + (s - a0) * i / POINTS;
        const double late = log(pow(a, 1 - 1 / depth) * (s - a) / start) / 2;
        most = fmax(most, fabs(slope_of(a, s, depth) * late) / s);
    }
    return most;
}

static double lag_of(const struct state *st, double rate)
{
    double most = 0;
    for (int64_t k = 0; k < st->modes.count; k++)
        if (st->start[k] > 0)
            most = fmax(most,
                        lag_of_mode(st->start[k], st->modes.strength[k], (double)st->chain.count));
    return rate * most;
}

/* ---- measurement ---- */

/* u_j'W v_k for all j, k. */
static void project(struct state *st, const double *theta)
{
    const int modes = (int)st->modes.count, features = (int)st->modes.features;
    const int outputs = (int)st->modes.outputs;
    ub_weight_chain_product(&st->chain, theta, st->product);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, modes, features, outputs, 1,
                st->modes.left, outputs, st->product, features, 0, st->half, features);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, modes, modes, features, 1, st->half,
                features, st->modes.right, features, 0, st->strength, modes);
}

static bool open_state(struct state *st, const struct ub_moment *moment, struct ub_record *record,
                       struct ub_error *err)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    st->open = true;
    st->none = ub_problem_loss_kind(moment->problem)->softmax ||
               !ub_weight_chain_find(ub_problem_layout(moment->problem), data, &st->chain);
    if (st->none)
        return true;
    if (!ub_modes_of(data, &st->modes, err))
        return false;
    const size_t modes = (size_t)st->modes.count, features = (size_t)data->features;
    st->none = modes == 0;
    st->product = ub_calloc((size_t)data->outputs * features, sizeof *st->product);
    st->half = ub_calloc(modes * features + 1, sizeof *st->half);
    st->strength = ub_calloc(modes * modes + 1, sizeof *st->strength);
    st->start = ub_calloc(modes + 1, sizeof *st->start);
    st->theory = ub_calloc(modes + 1, sizeof *st->theory);
    project(st, moment->theta0);
    for (size_t k = 0; k < modes; k++) {
        st->start[k] = st->theory[k] = st->strength[k * modes + k];
        ub_record_value(record, moment, "mode-target", (int64_t)k, st->modes.strength[k], NAN);
    }
    if (!st->none)
        record->fact(record->context, "linear-modes.lag", lag_of(st, moment->optimizer->base));
    return true;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)call;
    struct state *st = state;
    if (!st->open && !open_state(st, moment, record, err))
        return false;
    if (st->none)
        return true;
    project(st, moment->theta);
    advance(st, moment->optimizer->base * (double)moment->step);
    const int64_t modes = st->modes.count;
    double error = 0, mixing = 0;
    for (int64_t k = 0; k < modes; k++) {
        const double a = st->strength[k * modes + k];
        ub_record_value(record, moment, "mode-strength", k, a, NAN);
        ub_record_value(record, moment, "mode-prediction", k, st->theory[k], NAN);
        error = fmax(error, fabs(a - st->theory[k]) / st->modes.strength[k]);
        for (int64_t j = 0; j < modes; j++)
            mixing = j == k ? mixing : fmax(mixing, fabs(st->strength[j * modes + k]));
    }
    ub_record_value(record, moment, "mode-error", 0, error, NAN);
    ub_record_value(record, moment, "mode-mixing", 0, mixing / st->modes.strength[0], NAN);
    return true;
}

static void close(void *state)
{
    struct state *st = state;
    ub_modes_clear(&st->modes);
    ub_free(st->start);
    ub_free(st->theory);
    ub_free(st->product);
    ub_free(st->half);
    ub_free(st->strength);
}

static const char mode_index[] = "mode, 0 the strongest";
static const struct ub_quantity rows[] = {
    {
        .name = "mode-target",
        .index = mode_index,
        .units = "target x input",
        .meaning = "singular value of the covariance of inputs and targets",
    },
    {
        .name = "mode-strength",
        .index = mode_index,
        .units = "target per input",
        .meaning = "strength of the network's map along that mode",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "mode-prediction",
        .index = mode_index,
        .units = "target per input",
        .meaning = "strength that theory has for it",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "mode-error",
        .units = "1",
        .meaning = "largest difference of strength and theory, of the mode's final strength",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.05, .zero = 1e-6},
    },
    {
        .name = "mode-mixing",
        .units = "1",
        .meaning = "largest part of the map between two modes, of the strongest mode",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_linear_modes = {
    .name = "linear-modes",
    .summary = "strengths of a linear network's modes, beside their exact course",
    .units = "target per unit of input; 1",
    .citation = "Saxe et al. 2013, arXiv:1312.6120",
    .rows = rows,
    .every = "10",
    .at = "end",
    .state_bytes = sizeof(struct state),
    .measure = measure,
    .close = close,
};
