/* Ridge regression in closed form, for squared loss and models that are linear in their parameters:
 * f(theta) = f(start) + J (theta - start) on n training samples. A step of lr = 1 lands on the
 * minimum of
 *
 *     |f(theta) - y|^2 / (2n) + l2/2 |theta|^2 + ridge/(2n) |theta - start|^2,
 *
 * with ridge = l2 = 0 on the minimum of the loss that is nearest to the start: of minimum norm when
 * training starts at zero (init lecun:gain=0; zero-readout), the limit of gradient descent from
 * there. In function space this is kernel regression of y - f(start) with the kernel K = J J' and
 * K + ridge I in place of K. (Hoerl and Kennard 1970, Technometrics 12; Hastie et al. 2019,
 * arXiv:1903.08560, section 2.)
 *
 * With mu = l2 + ridge/n and e = theta - start + (l2/mu) start the objective is, but for a
 * constant,
 *
 *     |r + J e|^2 / (2n) + mu/2 |e|^2,   r = f(start) - y - (l2/mu) J start,
 *
 * least squares of [J; sqrt(n mu) I] or, of more parameters than numbers asked for, the shortest
 * solution (e, s) of J e + sqrt(n mu) s = -r: both by orthogonal factors, which do not square the
 * condition number. Without ridge the shortest solution comes from singular values, those below
 * max(rows, columns) 2^-52 of the largest taken for zero, as NumPy's lstsq does. Outputs must share
 * no parameters, and are solved one by one.
 *
 * That a model is such is tested where training starts: at a second point its outputs must be those
 * of f(start) + J (theta - start), and its products with J the same, to 1e-9; and no parameter may
 * move two outputs.
 *
 * There is no edge: it is no descent. */
#include "base/option_units.h"
#include "systems/objective.h"
#include "systems/problem.h"

#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, "1", 0, 0, NULL, "share of the way to the solution that a step goes"},
    {"ridge", UB_OPTION_REAL | UB_OPTION_OF_CURVATURE, "0", 0, 1e15, NULL,
     "added to the kernel's eigenvalues; 0 = the solution nearest to the start"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static const double linear_to = 1e-9;

enum { ROWS_AT_ONCE = 64 };

/* Samples, numbers asked for of each, parameters. */
struct sizes {
    int64_t n, outputs, parameters;
};

static struct sizes sizes_of(const struct ub_problem *p)
{
    const struct ub_dataset *data = ub_problem_data(p);
    return (struct sizes){data->train.count, data->outputs, ub_problem_size(p)};
}

/* ---- whether it applies -------------------------------------------------------------------- */

static double largest(int64_t n, const double *x)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, isfinite(x[i]) ? fabs(x[i]) : INFINITY);
    return most;
}

/* The largest difference of two vectors, of the largest entry of the second. */
static double distance(int64_t n, const double *a, const double *b)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(a[i] - b[i]));
    const double size = largest(n, b);
    return size > 0 ? most / size : most;
}

/* How far the model is from linear between theta and a point at random: `work` is 3 vectors of
 * parameters, `out` 4 of outputs. */
static double curvature_between(struct ub_problem *p, const double *theta, double *work,
                                double *out)
{
    const struct sizes s = sizes_of(p);
    const int64_t m = s.n * s.outputs, size = s.parameters;
    double *away = work, *there = work + size, *probe = work + 2 * size;
    struct ub_random r = ub_random_stream(0, "ridge.probe");
    for (int64_t i = 0; i < size; i++) {
        away[i] = (1 + fabs(theta[i])) * ub_random_normal(&r);
        there[i] = theta[i] + away[i];
        probe[i] = ub_random_normal(&r);
    }
    double *here = out, *moved = out + m, *first = out + 2 * m, *second = out + 3 * m;
    ub_problem_linearize(p, theta);
    ub_problem_outputs(p, theta, here);
    ub_problem_jvp(p, 1, away, moved);
    ub_problem_jvp(p, 1, probe, first);
    for (int64_t i = 0; i < m; i++)
        here[i] += moved[i];
    ub_problem_outputs(p, there, moved);
    ub_problem_linearize(p, there);
    ub_problem_jvp(p, 1, probe, second);
    return fmax(distance(m, moved, here), distance(m, second, first));
}

/* Which output each parameter belongs to, where the problem is linearised, -1 = none; false when
 * one belongs to several. Weights at random leave no entry of J'u zero by chance. */
static bool owners_of(struct ub_problem *p, int64_t *owner)
{
    const struct sizes s = sizes_of(p);
    const int64_t m = s.n * s.outputs;
    double *u = ub_calloc((size_t)m, sizeof *u);
    double *column = ub_calloc((size_t)s.parameters, sizeof *column);
    bool apart = true;
    for (int64_t i = 0; i < s.parameters; i++)
        owner[i] = -1;
    for (int64_t k = 0; k < s.outputs && apart; k++) {
        struct ub_random r = ub_random_stream((uint64_t)k, "ridge.owners");
        memset(u, 0, (size_t)m * sizeof *u);
        for (int64_t i = 0; i < s.n; i++)
            u[i * s.outputs + k] = ub_random_normal(&r);
        ub_problem_vjp(p, 1, u, column);
        for (int64_t i = 0; i < s.parameters; i++) {
            if (column[i] == 0)
                continue;
            apart = apart && owner[i] < 0;
            owner[i] = k;
        }
    }
    ub_free(column);
    ub_free(u);
    return apart;
}

/* At the start that training will have; frozen parameters stay as they were. */
static double curvature_at_start(struct ub_problem *p, uint64_t seed, bool *apart)
{
    const struct sizes s = sizes_of(p);
    const size_t frozen = (size_t)p->frozen.size * sizeof(double);
    double *theta = ub_calloc((size_t)(4 * s.parameters), sizeof *theta);
    double *out = ub_calloc((size_t)(4 * s.n * s.outputs), sizeof *out);
    double *kept = ub_alloc(frozen + sizeof *kept);
    if (frozen)
        memcpy(kept, p->frozen_values, frozen);
    ub_problem_init(p, seed, theta);
    const double curvature = curvature_between(p, theta, theta + s.parameters, out);
    int64_t *owner = ub_calloc((size_t)s.parameters, sizeof *owner);
    *apart = owners_of(p, owner);
    ub_free(owner);
    if (frozen)
        memcpy(p->frozen_values, kept, frozen);
    ub_problem_forget(p);
    ub_free(kept);
    ub_free(out);
    ub_free(theta);
    return curvature;
}

static bool attach(struct ub_optimizer *o, struct ub_error *err)
{
    struct ub_problem *p = o->training.problem;
    if (ub_optimizer_batch(o) > 0)
        return ub_fail(
            err, UB_INPUT,
            "optimizer 'ridge': mini-batches; expected batch=0, to solve for all samples");
    if (p->precision != UB_F64)
        return ub_fail(err, UB_INPUT, "optimizer 'ridge': precision %s; expected f64, to solve in",
                       ub_precision_name(p->precision));
    if (ub_problem_loss_kind(p)->softmax)
        return ub_fail(err, UB_INPUT, "optimizer 'ridge': loss '%s'; expected a squared loss",
                       ub_problem_loss_kind(p)->name);
    if (ub_positions(ub_problem_data(p)) > 1)
        return ub_fail(err, UB_INPUT,
                       "optimizer 'ridge': targets at several positions; expected one a sample");
    bool apart;
    const double curvature = curvature_at_start(p, o->training.seed, &apart);
    if (!(curvature <= linear_to))
        return ub_fail(err, UB_INPUT,
                       "optimizer 'ridge': model '%s' is not linear in its parameters (off by %.2g "
                       "at a second point); expected one that is",
                       p->model->name, curvature);
    return apart || ub_fail(err, UB_INPUT,
                            "optimizer 'ridge': outputs of model '%s' share parameters; expected "
                            "each to have its own",
                            p->model->name);
}

/* ---- solving ------------------------------------------------------------------------------- */

/* The sum over outputs of each sample's rows of J, which has the entries of all: outputs share
 * none. */
static double *jacobian_new(struct ub_problem *p)
{
    const struct sizes s = sizes_of(p);
    const int64_t m = s.n * s.outputs;
    double *J = ub_calloc((size_t)(s.n * s.parameters), sizeof *J);
    double *units = ub_calloc((size_t)(ROWS_AT_ONCE * m), sizeof *units);
    for (int64_t first = 0; first < s.n; first += ROWS_AT_ONCE) {
        const int64_t count = s.n - first < ROWS_AT_ONCE ? s.n - first : ROWS_AT_ONCE;
        memset(units, 0, (size_t)(count * m) * sizeof *units);
        for (int64_t i = 0; i < count; i++)
            for (int64_t k = 0; k < s.outputs; k++)
                units[i * m + (first + i) * s.outputs + k] = 1;
        ub_problem_vjp(p, count, units, J + first * s.parameters);
    }
    ub_free(units);
    return J;
}

/* Shortest e of least |A e + r|^2 + delta |e|^2 for each of `count` vectors r, of A rows x columns,
 * row-major. The vectors r and e are one after the other. */
static void solve(int64_t rows, int64_t columns, const double *A, double delta, int64_t count,
                  const double *r, double *e)
{
    const bool wide = columns > rows;
    const int64_t more = delta > 0 ? (wide ? rows : columns) : 0;
    const int64_t height = wide ? rows : rows + more, width = wide ? columns + more : columns;
    const int64_t longest = height > width ? height : width;
    const int64_t least = height < width ? height : width;
    double *a = ub_calloc((size_t)(height * width), sizeof *a); /* column-major */
    double *b = ub_calloc((size_t)(longest * count), sizeof *b);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            a[j * height + i] = A[i * columns + j];
    for (int64_t i = 0; i < more; i++)
        a[wide ? (columns + i) * height + i : i * height + rows + i] = sqrt(delta);
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < rows; i++)
            b[k * longest + i] = -r[k * rows + i];
    const lapack_int h = (lapack_int)height, w = (lapack_int)width, l = (lapack_int)longest;
    lapack_int info, rank = 0;
    if (delta > 0) {
        info = LAPACKE_dgels(LAPACK_COL_MAJOR, 'N', h, w, (lapack_int)count, a, h, b, l);
    } else {
        double *singular = ub_calloc((size_t)least, sizeof *singular);
        info = LAPACKE_dgelsd(LAPACK_COL_MAJOR, h, w, (lapack_int)count, a, h, b, l, singular,
                              (double)longest * DBL_EPSILON, &rank);
        ub_free(singular);
    }
    for (int64_t k = 0; k < count; k++)
        for (int64_t j = 0; j < columns; j++)
            e[k * columns + j] = info == 0 ? b[k * longest + j] : (double)NAN; /* J not finite */
    ub_free(b);
    ub_free(a);
}

/* The part of J that is one output's: rows x its parameters, `column` (room for all); how many. */
static int64_t take_part(const struct sizes *s, const double *J, const int64_t *owner,
                         int64_t output, int64_t *column, double **A)
{
    int64_t count = 0;
    for (int64_t i = 0; i < s->parameters; i++)
        if (owner[i] == output)
            column[count++] = i;
    *A = ub_calloc((size_t)(s->n * count) + 1, sizeof **A);
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t j = 0; j < count; j++)
            (*A)[i * count + j] = J[i * s->parameters + column[j]];
    return count;
}

/* Outputs from the first on that are not yet `done` and whose part of J is that of the first: they
 * are one system with many right-hand sides. */
struct alike {
    int64_t columns, count;
    double *A;
    int64_t *output, *column; /* outputs; outputs x parameters of each, `columns` used */
};

static struct alike alike_new(const struct sizes *s, const double *J, const int64_t *owner,
                              int64_t first, bool *done)
{
    struct alike g = {.output = ub_calloc((size_t)s->outputs, sizeof *g.output)};
    int64_t *column = ub_calloc((size_t)s->parameters, sizeof *column);
    g.columns = take_part(s, J, owner, first, column, &g.A);
    g.column = ub_calloc((size_t)(s->outputs * g.columns) + 1, sizeof *g.column);
    for (int64_t k = first; k < s->outputs; k++) {
        double *A;
        if (done[k])
            continue;
        const bool same = take_part(s, J, owner, k, column, &A) == g.columns &&
                          memcmp(A, g.A, (size_t)(s->n * g.columns) * sizeof *A) == 0;
        ub_free(A);
        if (!same)
            continue;
        memcpy(g.column + g.count * g.columns, column, (size_t)g.columns * sizeof *column);
        g.output[g.count++] = k;
        done[k] = true;
    }
    ub_free(column);
    return g;
}

static void alike_clear(struct alike *g)
{
    ub_free(g->A);
    ub_free(g->output);
    ub_free(g->column);
}

/* e of these outputs at their parameters. */
static void solve_alike(const struct sizes *s, const struct alike *g, double delta, const double *r,
                        double *e)
{
    double *part = ub_calloc((size_t)(s->n * g->count), sizeof *part);
    double *found = ub_calloc((size_t)(g->columns * g->count) + 1, sizeof *found);
    for (int64_t k = 0; k < g->count; k++)
        for (int64_t i = 0; i < s->n; i++)
            part[k * s->n + i] = r[i * s->outputs + g->output[k]];
    if (g->columns > 0)
        solve(s->n, g->columns, g->A, delta, g->count, part, found);
    for (int64_t j = 0; j < g->columns * g->count; j++)
        e[g->column[j]] = found[j];
    ub_free(found);
    ub_free(part);
}

/* e of the head of this file: 0 at parameters that no output reads. */
static void solve_all(struct ub_problem *p, double delta, const double *r, double *e)
{
    const struct sizes s = sizes_of(p);
    int64_t *owner = ub_calloc((size_t)s.parameters, sizeof *owner);
    bool *done = ub_calloc((size_t)s.outputs, sizeof *done);
    owners_of(p, owner);
    double *J = jacobian_new(p);
    memset(e, 0, (size_t)s.parameters * sizeof *e);
    for (int64_t k = 0; k < s.outputs; k++) {
        if (done[k])
            continue;
        struct alike group = alike_new(&s, J, owner, k, done);
        solve_alike(&s, &group, delta, r, e);
        alike_clear(&group);
    }
    ub_free(J);
    ub_free(done);
    ub_free(owner);
}

/* o->state <- the solution, seen from `start`. */
static void find(struct ub_optimizer *o, const double *start)
{
    struct ub_problem *p = o->training.problem;
    const struct sizes s = sizes_of(p);
    const int64_t m = s.n * s.outputs;
    const double delta = ub_call_real(o->call, "ridge") + (double)s.n * o->l2;
    const double pull = delta > 0 ? (double)s.n * o->l2 / delta : 0; /* l2/mu */
    double *solution = o->state, *r = ub_calloc((size_t)m, sizeof *r);
    double *shift = ub_calloc((size_t)m, sizeof *shift);
    ub_problem_linearize(p, start);
    ub_problem_outputs(p, start, r);
    ub_problem_jvp(p, 1, start, shift);
    for (int64_t i = 0; i < m; i++)
        r[i] -= ub_problem_data(p)->train.targets[i] + pull * shift[i];
    solve_all(p, delta, r, solution);
    for (int64_t i = 0; i < s.parameters; i++)
        solution[i] += (1 - pull) * start[i];
    ub_free(shift);
    ub_free(r);
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    (void)grad;
    if (o->steps == 0)
        find(o, theta);
    if (o->lr == 1) { /* to the last bit */
        memcpy(theta, o->state, (size_t)o->size * sizeof *theta);
        return;
    }
    for (int64_t i = 0; i < o->size; i++)
        theta[i] += o->lr * (o->state[i] - theta[i]);
}

static double kernel_ridge(const struct ub_optimizer *o)
{
    const struct ub_dataset *data = ub_problem_data(o->training.problem);
    return ub_call_real(o->call, "ridge") + (double)data->train.count * o->l2;
}

/* Rows of J, the copies of one output's part that are factored, and unit vectors; of outputs that
 * share no parameters, as all linear models here have them. */
static int64_t bytes(const struct ub_call *call, const struct ub_problem *p)
{
    const struct sizes s = sizes_of(p);
    const double n = (double)s.n, outputs = (double)s.outputs, size = (double)s.parameters;
    const bool regular = ub_call_real(call, "ridge") > 0 || ub_call_real(call, "l2") > 0;
    const double part = size / outputs, more = regular ? fmin(n, part) * fmax(n, part) : 0;
    const double numbers = n * size + 2 * n * part + more + (ROWS_AT_ONCE + 8) * n * outputs;
    return (int64_t)(numbers * sizeof(double));
}

const struct ub_optimizer_kind ub_optimizer_ridge = {
    .name = "ridge",
    .title = "ridge solution",
    .summary = "the solution in one step, of models linear in their parameters under squared loss: "
               "ridge regression, or the interpolation nearest to the start",
    .citation = "Hoerl and Kennard 1970, Technometrics 12; Hastie et al. 2019, arXiv:1903.08560",
    .options = options,
    .needs_problem = true,
    .state_vectors = 1,
    .bytes = bytes,
    .attach = attach,
    .step = step,
    .kernel_ridge = kernel_ridge,
    .geometry = UB_UNMEASURED,
};
