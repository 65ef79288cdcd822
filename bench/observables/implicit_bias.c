/* Implicit bias of diagonal networks: among the weights w that fit the training samples, X w = y,
 * gradient flow on w = u^2 - v^2 from u = v = alpha goes to the minimizer w* of a potential between
 * l1 (alpha -> 0) and l2 (alpha -> infinity) (Woodworth et al. 2020, arXiv:2002.09277; the
 * potential and how it is minimized: interpolant.h). The flow of (1/2n)|X w - y|^2 is du/dt = -2 u
 * g, dv/dt = 2 v g with g = X'(X w - y)/n, so that u v stays alpha^2 and w = 2 alpha^2 sinh(-4 int
 * g): the paper's potential without another factor.
 *
 *     implicit-distance     |w - w*|/|w*|, over all outputs
 *     implicit-distance.l2  |w - w2|/|w2|, w2 the shortest solution
 *     implicit-residual     |X w - y|/|y|
 *
 * Left out unless the parameters are two matrices u and v (outputs, features) that start constant
 * and equal, the model's outputs are X (u^2 - v^2)', the loss is mse, and there are solutions. */
#include "bench/observables/interpolant.h"
#include "bench/observables/shared.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

struct state {
    bool open, none;
    int64_t samples, features, outputs;
    double *w, *best, *shortest; /* outputs x features */
    double *fit;                 /* samples x outputs */
};

static void weights_of(const struct state *s, const double *theta)
{
    const int64_t n = s->outputs * s->features;
    for (int64_t i = 0; i < n; i++)
        s->w[i] = theta[i] * theta[i] - theta[n + i] * theta[n + i];
}

static void fit_of(const struct state *s, const struct ub_dataset *data)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)s->samples, (int)s->outputs,
                (int)s->features, 1, data->train.inputs, (int)s->features, s->w, (int)s->features,
                0, s->fit, (int)s->outputs);
}

static double distance(int64_t n, const double *a, const double *b)
{
    double apart = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        apart += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(apart / size);
}

static bool has_form(const struct ub_layout *layout, const struct ub_dataset *data)
{
    if (layout->count != 2)
        return false;
    const struct ub_param *u = &layout->params[0], *v = &layout->params[1];
    return u->rank == 2 && v->rank == 2 && u->start == UB_START_CONSTANT &&
           v->start == UB_START_CONSTANT && u->value == v->value && u->value > 0 &&
           u->size == data->outputs * data->features && v->size == u->size;
}

/* Whether the model computes X (u^2 - v^2)': asked at parameters of no special form. */
static bool computes_squares(struct state *s, const struct ub_moment *moment)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const int64_t size = ub_problem_size(moment->problem), n = s->samples * s->outputs;
    struct ub_random r = ub_random_stream(0, "implicit-bias");
    double *probe = ub_calloc((size_t)size, sizeof *probe);
    double *outputs = ub_calloc((size_t)n, sizeof *outputs);
    for (int64_t i = 0; i < size; i++)
        probe[i] = ub_random_normal(&r);
    ub_problem_outputs(moment->problem, probe, outputs);
    weights_of(s, probe);
    fit_of(s, data);
    const bool same = distance(n, outputs, s->fit) < 1e-4;
    ub_free(probe);
    ub_free(outputs);
    return same;
}

/* Of each output by itself. */
static bool solve(struct state *s, const struct ub_dataset *data, double alpha)
{
    double *y = ub_calloc((size_t)s->samples, sizeof *y);
    bool good = true;
    for (int64_t o = 0; good && o < s->outputs; o++) {
        for (int64_t i = 0; i < s->samples; i++)
            y[i] = data->train.targets[i * s->outputs + o];
        good = ub_hyperbolic_interpolant(s->samples, s->features, data->train.inputs, y, alpha,
                                         s->best + o * s->features) &&
               ub_shortest_interpolant(s->samples, s->features, data->train.inputs, y,
                                       s->shortest + o * s->features);
    }
    ub_free(y);
    return good;
}

static void open_state(struct state *s, const struct ub_moment *moment)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const struct ub_layout *layout = ub_problem_layout(moment->problem);
    s->open = true;
    s->none = ub_problem_loss_kind(moment->problem)->softmax || ub_positions(data) > 1 ||
              !has_form(layout, data);
    if (s->none)
        return;
    s->samples = data->train.count;
    s->features = data->features;
    s->outputs = data->outputs;
    double **weights[] = {&s->w, &s->best, &s->shortest};
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        *weights[i] = ub_calloc((size_t)(s->outputs * s->features), sizeof **weights[i]);
    s->fit = ub_calloc((size_t)(s->samples * s->outputs), sizeof *s->fit);
    s->none = !computes_squares(s, moment) || !solve(s, data, layout->params[0].value);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)call, (void)err;
    struct state *s = state;
    if (!s->open)
        open_state(s, moment);
    if (s->none)
        return true;
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const int64_t n = s->outputs * s->features;
    weights_of(s, moment->theta);
    fit_of(s, data);
    ub_record_value(record, moment, "implicit-distance", 0, distance(n, s->w, s->best), NAN);
    ub_record_value(record, moment, "implicit-distance.l2", 0, distance(n, s->w, s->shortest), NAN);
    ub_record_value(record, moment, "implicit-residual", 0,
                    distance(s->samples * s->outputs, s->fit, data->train.targets), NAN);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_free(s->w);
    ub_free(s->best);
    ub_free(s->shortest);
    ub_free(s->fit);
}

static const struct ub_quantity rows[] = {
    {
        .name = "implicit-distance",
        .units = "1",
        .meaning = "distance of the weights to the minimizer of the start's potential",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.05, .zero = 1e-6},
    },
    {
        .name = "implicit-distance.l2",
        .units = "1",
        .meaning = "distance of the weights to the shortest solution",
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "",
    },
    {
        .name = "implicit-residual",
        .units = "1",
        .meaning = "distance of the outputs to the targets",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_implicit_bias = {
    .name = "implicit-bias",
    .summary = "distance of a diagonal network's weights to the solution it is biased to",
    .units = "1",
    .citation = "Woodworth et al. 2020, arXiv:2002.09277",
    .rows = rows,
    .log_spaced = "20",
    .state_bytes = sizeof(struct state),
    .measure = measure,
    .close = close,
};
