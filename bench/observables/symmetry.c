/* What symmetries of the loss make of the weights (Kunin et al. 2021, arXiv:2012.04728). Two of
 * them, which no model states: they are found.
 *
 * Scale. A weight that a norm comes after may be multiplied by any number and the outputs stay as
 * they are, so that its gradient is orthogonal to it, <g, w> = 0, and falls as 1/|w|. Of a layer
 * the weight alone has that symmetry (before a batch norm), or the weight with its bias (before a
 * layer norm): whichever leaves the outputs alone when it is doubled at the first measurement, else
 * the weight alone is followed. Doubling rounds nothing; what it changes is the norm's epsilon, at
 * a unit's variance v by about (3/8) epsilon/v. A step of gradient descent with coupled decay, w' =
 * c w - eta g, c = 1 - eta l2, then has
 *
 *     |w'|^2 = c^2 |w|^2 + eta^2 |g|^2
 *
 * (2 c eta <g, w> less where <g, w> is not 0). Per weight (with its bias, where that belongs to
 * it), index i counting weights in the order of parameters:
 *
 *     scale-change          |f(2w) - f(w)| / |f(w)| of the training outputs at the first
 * measurement weight-norm           |w| weight-gradient-norm  |g|, of the whole training set's loss
 *     radial-gradient       <g, w> / (|g| |w|)
 *     weight-angle          between w and the iterate before, radians
 *     step-gradient         |c w - w'| |w| / eta, w the iterate before: norm of the gradient that a
 *                           step of (stochastic) gradient descent took, at the weight's direction
 *     norm-residual         ||w'|^2 - c^2 |w|^2 - eta^2 |g|^2| / |w|^2, of the step that led here;
 * g the whole set's gradient, of mini-batches that of the step, (c w - w')/eta
 *
 * Translation. A softmax's outputs may all be moved by the same number, so that the gradients of a
 * readout's weights and biases sum to 0 over classes, 1'G = 0, and 1'W' = c 1'W:
 *
 *     class-sum-residual    |1'W' - c 1'W| / |W|, biases included
 *
 * What needs the iterate before looks at the step before each measurement, too. The identities are
 * those of plain gradient descent, of any batches; other optimizers miss them.
 *
 * With `means` K only every K-th measurement is written, for those since the last one that was:
 * angles and step gradients as the root of their mean square, norms as the fourth root of the mean
 * of their fourth power, of residuals the largest. (Bursts of large steps are missed by looking now
 * and then, and rows of every step are many.) */
#include "bench/observables/shared.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    {"means", UB_OPTION_INT, "1", 1, 1e9, NULL, "measurements that a row is the mean of"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct sums { /* of the measurements since the last that was written */
    int64_t steps;
    double fourth, angle, gradient, miss;
};
struct group {
    const struct ub_param *weight;
    int64_t size; /* numbers from the weight's first one: with its bias, where that belongs to it */
    double change;
    struct sums sums;
};
struct state {
    bool open;
    int64_t count, measured; /* groups; measurements since the last that was written */
    struct group *group;
    const struct ub_param *readout, *bias; /* of classes; NULL: none */
    double sum_miss;                       /* NAN: none yet */
};

/* ---- which weights ------------------------------------------------------------------------ */

/* Far above what epsilon and rounding leave, far below what a layer without norm does (1). */
static const double invariant = 1e-2;

static const struct ub_param *bias_of(const struct ub_layout *layout, int64_t i)
{
    const struct ub_param *w = &layout->params[i], *b = i + 1 < layout->count ? w + 1 : NULL;
    const char *dot = strrchr(w->name, '.');
    const size_t stem = dot ? (size_t)(dot - w->name) : 0;
    const bool same = b && stem > 0 && strncmp(w->name, b->name, stem) == 0 &&
                      strcmp(b->name + stem, ".bias") == 0;
    return same && b->rank == 1 && b->shape[0] == w->shape[0] ? b : NULL;
}

struct doubling {
    int64_t outputs;
    double *theta, *before, *after;
};

static double change_of(const struct doubling *d, const struct ub_moment *moment, int64_t offset,
                        int64_t size)
{
    double change = 0;
    cblas_dscal((int)size, 2, d->theta + offset, 1);
    ub_problem_outputs(moment->problem, d->theta, d->after);
    cblas_dscal((int)size, 0.5, d->theta + offset, 1);
    for (int64_t i = 0; i < d->outputs; i++)
        change += (d->after[i] - d->before[i]) * (d->after[i] - d->before[i]);
    return sqrt(change) / ub_norm(d->outputs, d->before);
}

static struct group group_of(const struct doubling *d, const struct ub_moment *moment, int64_t i)
{
    const struct ub_layout *layout = ub_problem_layout(moment->problem);
    const struct ub_param *w = &layout->params[i], *b = bias_of(layout, i);
    struct group g = {
        .weight = w, .size = w->size, .change = change_of(d, moment, w->offset, w->size)};
    if (!b || g.change < invariant)
        return g;
    const struct group joint = {.weight = w,
                                .size = w->size + b->size,
                                .change = change_of(d, moment, w->offset, w->size + b->size)};
    return joint.change < invariant ? joint : g;
}

/* The last matrix with a row an output. */
static void find_readout(struct state *s, const struct ub_moment *moment)
{
    const struct ub_layout *layout = ub_problem_layout(moment->problem);
    for (int64_t i = 0; i < layout->count; i++) {
        const struct ub_param *p = &layout->params[i];
        if (p->rank != 2 || p->shape[0] != ub_problem_data(moment->problem)->outputs ||
            (p->role != UB_ROLE_OUTPUT && p->role != UB_ROLE_FIXED))
            continue;
        s->readout = p;
        s->bias = bias_of(layout, i);
    }
}

static void open_state(struct state *s, const struct ub_moment *moment)
{
    const struct ub_layout *layout = ub_problem_layout(moment->problem);
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const int64_t n = data->train.count * ub_positions(data) * data->outputs;
    struct doubling d = {.outputs = n,
                         .theta = ub_calloc((size_t)layout->size + 1, sizeof(double)),
                         .before = ub_calloc((size_t)n + 1, sizeof(double)),
                         .after = ub_calloc((size_t)n + 1, sizeof(double))};
    memcpy(d.theta, moment->theta, (size_t)layout->size * sizeof *d.theta);
    ub_problem_outputs(moment->problem, d.theta, d.before);
    s->open = true;
    s->group = ub_calloc((size_t)layout->count + 1, sizeof *s->group);
    for (int64_t i = 0; i < layout->count; i++)
        if (layout->params[i].rank >= 2)
            s->group[s->count++] = group_of(&d, moment, i);
    find_readout(s, moment);
    s->sum_miss = NAN;
    ub_free(d.theta);
    ub_free(d.before);
    ub_free(d.after);
}

/* ---- what they do ------------------------------------------------------------------------- */

/* Between directions, exact for small angles, too. */
static double angle_of(int64_t n, const double *a, const double *b)
{
    const double of_a = ub_norm(n, a), of_b = ub_norm(n, b);
    double apart = 0;
    for (int64_t i = 0; i < n; i++) {
        const double d = a[i] / of_a - b[i] / of_b;
        apart += d * d;
    }
    return 2 * asin(fmin(1, sqrt(apart) / 2));
}

struct step { /* from w to w' */
    const struct ub_iterate *from;
    double kept; /* c */
    bool whole;  /* the gradient was the whole set's */
};

static void add_step(struct group *g, const struct step *step, const struct ub_moment *moment)
{
    const double *to = moment->theta + g->weight->offset,
                 *from = step->from->theta + g->weight->offset,
                 *grad = step->from->grad + g->weight->offset;
    const double before = ub_norm(g->size, from), after = ub_norm(g->size, to);
    double moved = 0;
    for (int64_t i = 0; i < g->size; i++) {
        const double d = step->kept * from[i] - to[i];
        moved += d * d;
    }
    const double second = step->whole ? pow(step->from->lr * ub_norm(g->size, grad), 2) : moved,
                 miss = after * after - pow(step->kept * before, 2) - second;
    struct sums *sums = &g->sums;
    sums->steps++;
    sums->angle += pow(angle_of(g->size, to, from), 2);
    sums->gradient += moved * pow(before / step->from->lr, 2);
    sums->miss = fmax(sums->miss, fabs(miss) / (before * before));
}

static void record_group(struct group *g, int64_t index, int64_t measured,
                         const struct ub_moment *moment, struct ub_record *record)
{
    const double *w = moment->theta + g->weight->offset, *grad = moment->grad + g->weight->offset;
    const double norm = ub_norm(g->size, w), slope = ub_norm(g->size, grad),
                 steps = (double)g->sums.steps;
    ub_record_value(record, moment, "weight-norm", index,
                    measured == 1 ? norm : pow(g->sums.fourth / (double)measured, 0.25), NAN);
    ub_record_value(record, moment, "weight-gradient-norm", index, slope, NAN);
    if (norm * slope > 0)
        ub_record_value(record, moment, "radial-gradient", index,
                        cblas_ddot((int)g->size, grad, 1, w, 1) / (norm * slope), NAN);
    if (steps > 0) {
        ub_record_value(record, moment, "weight-angle", index, sqrt(g->sums.angle / steps), NAN);
        ub_record_value(record, moment, "step-gradient", index, sqrt(g->sums.gradient / steps),
                        NAN);
        ub_record_value(record, moment, "norm-residual", index, g->sums.miss, NAN);
    }
    g->sums = (struct sums){0};
}

/* Square of |1'W' - c 1'W| of one matrix, classes by rows. */
static double missed_sum(const struct ub_param *p, const struct step *step, const double *theta)
{
    const int64_t classes = p->shape[0], each = p->size / classes;
    double square = 0;
    for (int64_t j = 0; j < each; j++) {
        double sum = 0;
        for (int64_t k = 0; k < classes; k++) {
            const int64_t at = p->offset + k * each + j;
            sum += theta[at] - step->kept * step->from->theta[at];
        }
        square += sum * sum;
    }
    return square;
}

static void add_readout(struct state *s, const struct step *step, const struct ub_moment *moment)
{
    double square = missed_sum(s->readout, step, moment->theta),
           scale = ub_norm(s->readout->size, moment->theta + s->readout->offset);
    if (s->bias) {
        square += missed_sum(s->bias, step, moment->theta);
        scale = hypot(scale, ub_norm(s->bias->size, moment->theta + s->bias->offset));
    }
    if (scale > 0)
        s->sum_miss = fmax(s->sum_miss, sqrt(square) / scale);
}

static void record_all(struct state *s, const struct ub_moment *moment, struct ub_record *record)
{
    for (int64_t i = 0; i < s->count; i++)
        record_group(&s->group[i], i, s->measured, moment, record);
    if (!isnan(s->sum_miss))
        ub_record_value(record, moment, "class-sum-residual", 0, s->sum_miss, NAN);
    s->measured = 0;
    s->sum_miss = NAN;
}

static void join(const struct ub_call *call, struct ub_shared *shared)
{
    (void)call;
    ub_path_ask_iterates(ub_shared_path(shared), 1);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)err;
    struct state *s = state;
    const bool first = !s->open;
    if (first)
        open_state(s, moment);
    struct step step = {.from = ub_path_iterate(ub_shared_path(moment->shared), moment, 1),
                        .whole = ub_optimizer_batch(moment->optimizer) == 0};
    if (step.from)
        step.kept = 1 - step.from->lr * moment->optimizer->l2;
    for (int64_t i = 0; i < s->count; i++) {
        struct group *g = &s->group[i];
        if (first && isfinite(g->change))
            ub_record_value(record, moment, "scale-change", i, g->change, NAN);
        g->sums.fourth += pow(ub_norm(g->size, moment->theta + g->weight->offset), 4);
        if (step.from)
            add_step(g, &step, moment);
    }
    if (s->readout && step.from)
        add_readout(s, &step, moment);
    if (++s->measured == ub_call_int(call, "means") || first)
        record_all(s, moment, record);
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    const struct ub_dataset *data = ub_problem_data(problem);
    return (3 * ub_problem_size(problem) +
            2 * data->train.count * ub_positions(data) * data->outputs) *
           (int64_t)sizeof(double);
}

static void close(void *state)
{
    struct state *s = state;
    ub_free(s->group);
}

static const char weight_index[] = "weight, in the order of parameters";
static const struct ub_quantity rows[] = {
    {
        .name = "weight-norm",
        .index = weight_index,
        .units = "units of parameter",
        .meaning = "norm of a weight, with its bias where only both together have a scale",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.01, .zero = 1e-9},
    },
    {
        .name = "scale-change",
        .index = weight_index,
        .units = "1",
        .meaning = "relative change of the outputs when a weight is doubled",
    },
    {
        .name = "weight-gradient-norm",
        .index = weight_index,
        .units = "loss per unit of parameter",
        .meaning = "norm of the gradient of a weight",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "radial-gradient",
        .index = weight_index,
        .units = "1",
        .meaning = "cosine of a weight and its gradient",
    },
    {
        .name = "weight-angle",
        .index = weight_index,
        .units = "radians",
        .meaning = "angle by which the last step turned a weight",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "step-gradient",
        .index = weight_index,
        .units = "loss",
        .meaning = "norm of the gradient that the last step took, times that of the weight",
    },
    {
        .name = "norm-residual",
        .index = weight_index,
        .units = "1",
        .meaning = "what the last step's identity of a scale-invariant weight's norm misses",
    },
    {
        .name = "class-sum-residual",
        .units = "1",
        .meaning = "what the last step's identity of a softmax readout's sum misses",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_symmetry = {
    .name = "symmetry",
    .summary = "weights without a scale and softmax readouts: norms, angles, what is conserved",
    .units = "various",
    .citation = "Kunin et al. 2021, arXiv:2012.04728; Wan et al. 2021, arXiv:2006.08419",
    .rows = rows,
    .options = options,
    .every = "1",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .join = join,
    .measure = measure,
    .close = close,
};
