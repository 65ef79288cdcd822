#include "bench/observables/flow.h"
#include "bench/observables/semidefinite.h"

#include <math.h>
#include <string.h>

enum { MOST_PRODUCTS = 400 };
static const double eigen_tolerance = 1e-4;
/* Eigenvalues from this share of the threshold on take part: the others are not near it. */
static const double watched_share = 0.9;
/* An eigenvalue of X below this share of the largest is 0. */
static const double smallest_share = 1e-6;

enum rule { RULE_GD, RULE_RMSPROP, RULE_SCALAR_RMSPROP };

struct ub_flow {
    struct ub_problem *problem;
    enum rule rule;
    double lr, gamma, epsilon, threshold;
    int64_t n, top, substeps;
    bool central;
    double *theta, *grad, *nu; /* nu: n, or 1; NULL for gd */
    double *P, *scale;         /* diagonal; P^-1/2 */
    double *work;              /* a block of scaled vectors */
    int64_t room;
    struct ub_eigen_tracker *tracker;
    /* At the edge, at the point now: directions U (rows of n, u'Pu = 1), D^3 L[u_i, u_j] for i <=
     * j, X and how nu answers. */
    int64_t k, capacity;
    double *U, *T, *values, *X;
    struct ub_flow_state state;
};

/* ---- the preconditioner ---- */

static void set_preconditioner(struct ub_flow *f)
{
    for (int64_t i = 0; i < f->n; i++) {
        f->P[i] = 1;
        if (f->rule == RULE_RMSPROP)
            f->P[i] = sqrt(fmax(f->nu[i], 0)) + f->epsilon;
        else if (f->rule == RULE_SCALAR_RMSPROP)
            f->P[i] = sqrt(f->nu[0]);
        f->scale[i] = f->P[i] > 0 ? 1 / sqrt(f->P[i]) : 0;
    }
}

/* d nu_i/dt without oscillation. */
static double drift_of_nu(const struct ub_flow *f, int64_t i, double norm)
{
    if (f->rule == RULE_SCALAR_RMSPROP)
        return f->gamma * (norm - f->nu[0]);
    return f->gamma * (f->grad[i] * f->grad[i] - f->nu[i]);
}

static double square_norm(const struct ub_flow *f)
{
    double sum = 0;
    for (int64_t i = 0; i < f->n; i++)
        sum += f->grad[i] * f->grad[i];
    return sum;
}

/* dP_i/dt over d nu/dt. */
static double slope_of_P(const struct ub_flow *f, int64_t i)
{
    const double nu = f->rule == RULE_SCALAR_RMSPROP ? f->nu[0] : f->nu[i];
    return nu > 0 ? 0.5 / sqrt(nu) : 0;
}

/* ---- eigenvectors at the edge ---- */

static void apply_scaled(void *context, int64_t count, const double *V, double *out)
{
    struct ub_flow *f = context;
    if (count > f->room) {
        f->work = ub_realloc(f->work, (size_t)(count * f->n) * sizeof *f->work);
        f->room = count;
    }
    for (int64_t r = 0; r < count; r++)
        for (int64_t i = 0; i < f->n; i++)
            f->work[r * f->n + i] = f->scale[i] * V[r * f->n + i];
    ub_problem_hvp(f->problem, count, f->work, out);
    for (int64_t r = 0; r < count; r++)
        for (int64_t i = 0; i < f->n; i++)
            out[r * f->n + i] *= f->scale[i];
}

static struct ub_eigen_result find_top(struct ub_flow *f)
{
    const struct ub_operator a = {.n = f->n, .context = f, .apply = apply_scaled};
    ub_problem_linearize(f->problem, f->theta);
    const struct ub_eigen_result r = ub_eigen_track(f->tracker, &a, eigen_tolerance, MOST_PRODUCTS);
    f->state.products += r.products;
    return r;
}

/* Fills U and values with the directions near the edge, and T with their third derivatives. */
static void find_directions(struct ub_flow *f)
{
    const struct ub_eigen_result r = find_top(f);
    const int64_t n = f->n;
    f->k = 0;
    while (f->k < r.count && r.value[f->k] > watched_share * f->threshold)
        f->k++;
    for (int64_t e = 0; e < f->k; e++) {
        f->values[e] = r.value[e];
        for (int64_t i = 0; i < n; i++)
            f->U[e * n + i] = f->scale[i] * r.vectors[e * n + i];
    }
    double *t = f->T;
    for (int64_t a = 0; a < f->k; a++)
        for (int64_t b = a; b < f->k; b++, t += n) {
            ub_problem_third(f->problem, f->U + a * n, f->U + b * n, t);
            f->state.thirds++;
        }
}

/* ---- the complementarity problem ---- */

/* How strongly two pairs of directions meet in P: sum_i P'_i weight_i u_ai u_bi u_ci u_di with the
 * change of nu that <S, H> brings (see flow.h). */
static double shared_change(const struct ub_flow *f, const double *ua, const double *ub,
                            const double *uc, const double *ud)
{
    double left = 0, right = 0, sum = 0;
    for (int64_t i = 0; i < f->n; i++) {
        const double slope = slope_of_P(f, i), p2 = f->P[i] * f->P[i];
        if (f->rule == RULE_RMSPROP) {
            sum += slope * p2 * ua[i] * ub[i] * uc[i] * ud[i];
        } else {
            left += slope * ua[i] * ub[i];
            right += p2 * uc[i] * ud[i];
        }
    }
    return f->rule == RULE_RMSPROP ? sum : left * right;
}

struct pair {
    int64_t a, b;
    double weight; /* 1, or sqrt(2) off the diagonal */
    const double *t;
};

static struct pair *pairs_of(const struct ub_flow *f)
{
    struct pair *pairs = ub_alloc((size_t)ub_semidefinite_size(f->k) * sizeof *pairs), *p = pairs;
    const double *t = f->T;
    for (int64_t a = 0; a < f->k; a++)
        for (int64_t b = a; b < f->k; b++, t += f->n)
            *p++ = (struct pair){a, b, a == b ? 1 : sqrt(2), t};
    return pairs;
}

/* dM/dt for one pair without oscillation. */
static double drift_of_pair(const struct ub_flow *f, const struct pair *p, double norm)
{
    const double *u = f->U + p->a * f->n, *v = f->U + p->b * f->n;
    double along = 0, change = 0;
    for (int64_t i = 0; i < f->n; i++) {
        along += f->scale[i] * f->scale[i] * p->t[i] * f->grad[i];
        if (f->rule != RULE_GD)
            change += slope_of_P(f, i) * drift_of_nu(f, i, norm) * u[i] * v[i];
    }
    return -f->lr * along - f->threshold * change;
}

/* -dM/dt of pair p for each unit of X's pair q. */
static double answer(const struct ub_flow *f, const struct pair *p, const struct pair *q)
{
    const int64_t n = f->n;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += f->scale[i] * f->scale[i] * p->t[i] * q->t[i];
    sum *= 0.5 * f->lr;
    if (f->rule != RULE_GD) /* H u = threshold P u at the edge */
        sum += f->threshold * f->gamma * f->threshold * f->threshold *
               shared_change(f, f->U + p->a * n, f->U + p->b * n, f->U + q->a * n, f->U + q->b * n);
    return sum;
}

/* Sets X for a step of `tau`: M + tau dM/dt <= 0 with equality where X > 0. */
static void find_oscillation(struct ub_flow *f, double tau)
{
    const int64_t m = ub_semidefinite_size(f->k);
    double *A = ub_calloc((size_t)(m * m), sizeof *A), *q = ub_calloc((size_t)m, sizeof *q);
    double *x = ub_calloc((size_t)m, sizeof *x), norm = square_norm(f);
    struct pair *pairs = pairs_of(f);
    for (int64_t i = 0; i < m; i++) {
        const struct pair *p = &pairs[i];
        q[i] = p->weight * drift_of_pair(f, p, norm);
        if (p->a == p->b)
            q[i] += (f->values[p->a] - f->threshold) / tau;
        for (int64_t j = 0; j < m; j++)
            A[i * m + j] = p->weight * pairs[j].weight * answer(f, p, &pairs[j]);
    }
    f->state.residual = ub_semidefinite_solve(f->k, A, q, x);
    ub_semidefinite_unpack(f->k, x, f->X);
    ub_free(pairs);
    ub_free(A);
    ub_free(q);
    ub_free(x);
}

/* ---- motion ---- */

/* Eigenvalues of X that are not 0. */
static int64_t rank_of(const struct ub_flow *f)
{
    const size_t k = (size_t)f->k;
    double *X = ub_calloc(k * k + 1, sizeof *X), *values = ub_calloc(k + 1, sizeof *values);
    struct ub_error err = {0};
    int64_t rank = 0;
    memcpy(X, f->X, k * k * sizeof *X);
    if (k > 0 && ub_eigen_dense(f->k, X, values, false, &err)) /* ascending */
        for (size_t e = 0; e < k; e++)
            rank += values[e] > smallest_share * values[k - 1];
    ub_free(X);
    ub_free(values);
    return rank;
}

static void record_oscillation(struct ub_flow *f)
{
    f->state.excess = f->state.variance = 0;
    f->state.rank = rank_of(f);
    for (int64_t a = 0; a < f->k; a++) {
        f->state.excess += 0.5 * f->values[a] * f->X[a * f->k + a];
        for (int64_t b = 0; b < f->k; b++)
            for (int64_t i = 0; i < f->n; i++)
                f->state.variance += f->X[a * f->k + b] * f->U[a * f->n + i] * f->U[b * f->n + i];
    }
}

/* Adds 1/2 grad <S, H> to the gradient. */
static void add_pull(const struct ub_flow *f, double *grad)
{
    const double *t = f->T;
    for (int64_t a = 0; a < f->k; a++)
        for (int64_t b = a; b < f->k; b++, t += f->n) {
            const double weight = (a == b ? 0.5 : 1) * f->X[a * f->k + b];
            for (int64_t i = 0; i < f->n; i++)
                grad[i] += weight * t[i];
        }
}

/* diag(H S H)_i, H u = value P u. */
static double oscillating_square(const struct ub_flow *f, int64_t i)
{
    double sum = 0;
    for (int64_t a = 0; a < f->k; a++)
        for (int64_t b = 0; b < f->k; b++)
            sum += f->X[a * f->k + b] * f->values[a] * f->values[b] * f->U[a * f->n + i] *
                   f->U[b * f->n + i];
    return sum * f->P[i] * f->P[i];
}

static void move_nu(struct ub_flow *f, double tau)
{
    const double norm = square_norm(f);
    double total = 0;
    for (int64_t i = 0; i < f->n; i++) {
        const double more = f->k > 0 ? f->gamma * oscillating_square(f, i) : 0;
        if (f->rule == RULE_RMSPROP)
            f->nu[i] += tau * (drift_of_nu(f, i, norm) + more);
        else
            total += more;
    }
    if (f->rule == RULE_SCALAR_RMSPROP)
        f->nu[0] += tau * (drift_of_nu(f, 0, norm) + total);
}

static bool substep(struct ub_flow *f, double tau)
{
    bool finite = true;
    set_preconditioner(f);
    ub_problem_gradient(f->problem, f->theta, f->grad);
    f->state.gradients++;
    f->k = 0;
    if (f->central)
        find_directions(f);
    f->state.residual = 0;
    if (f->k > 0)
        find_oscillation(f, tau);
    record_oscillation(f);
    if (f->rule != RULE_GD)
        move_nu(f, tau);
    add_pull(f, f->grad);
    for (int64_t i = 0; i < f->n; i++) {
        f->theta[i] -= tau * f->lr * f->scale[i] * f->scale[i] * f->grad[i];
        finite = finite && isfinite(f->theta[i]);
    }
    return finite;
}

bool ub_flow_advance(struct ub_flow *f, int64_t steps)
{
    for (int64_t t = 0; t < steps * f->substeps; t++)
        if (!substep(f, 1 / (double)f->substeps))
            return false;
    return true;
}

/* ---- making and asking ---- */

static bool read_rule(struct ub_flow *f, const struct ub_optimizer *o, struct ub_error *err)
{
    const char *name = o->kind->name;
    if (o->l2 != 0 || strcmp(ub_call_get(o->call, "schedule"), "constant") != 0)
        return ub_fail(err, UB_INPUT,
                       "central flow of %s with a schedule or coupled decay; expected "
                       "schedule=constant and l2=0",
                       name);
    f->lr = o->base;
    f->threshold = 2 / f->lr;
    if (strcmp(name, "gd") == 0)
        return true;
    f->rule = strcmp(name, "rmsprop") == 0 ? RULE_RMSPROP : RULE_SCALAR_RMSPROP;
    if (f->rule == RULE_SCALAR_RMSPROP && strcmp(name, "scalar-rmsprop") != 0)
        return ub_fail(err, UB_INPUT,
                       "no central flow of '%s' is known here; expected gd, rmsprop or "
                       "scalar-rmsprop",
                       name);
    if (f->rule == RULE_RMSPROP && ub_call_flag(o->call, "bias-correction"))
        return ub_fail(err, UB_INPUT,
                       "central flow of rmsprop with bias-correction=true; expected false");
    const double beta = ub_call_real(o->call, "beta");
    f->gamma = (1 - beta) / beta;
    f->epsilon = f->rule == RULE_RMSPROP ? ub_call_real(o->call, "epsilon") : 0;
    const int64_t count = f->rule == RULE_RMSPROP ? f->n : 1;
    f->nu = ub_calloc((size_t)count, sizeof *f->nu);
    memcpy(f->nu, o->state, (size_t)count * sizeof *f->nu);
    if (o->steps == 0)
        return ub_fail(err, UB_INPUT,
                       "central flow of %s from step 0, where its mean square is 0; expected a "
                       "later start",
                       name);
    return true;
}

struct ub_flow *ub_flow_new(struct ub_problem *problem, const struct ub_optimizer *optimizer,
                            const double *theta, int64_t top, int64_t substeps, bool central,
                            struct ub_error *err)
{
    struct ub_flow *f = ub_calloc(1, sizeof *f);
    const size_t n = (size_t)ub_problem_size(problem);
    *f = (struct ub_flow){.problem = problem,
                          .n = (int64_t)n,
                          .top = top < (int64_t)n ? top : (int64_t)n,
                          .substeps = substeps,
                          .central = central};
    if (!read_rule(f, optimizer, err)) {
        ub_flow_free(f);
        return NULL;
    }
    const size_t k = (size_t)f->top;
    f->theta = ub_calloc(n, sizeof *f->theta);
    f->grad = ub_calloc(n, sizeof *f->grad);
    f->P = ub_calloc(n, sizeof *f->P);
    f->scale = ub_calloc(n, sizeof *f->scale);
    f->U = ub_calloc(k * n, sizeof *f->U);
    f->T = ub_calloc(k * (k + 1) / 2 * n, sizeof *f->T);
    f->values = ub_calloc(k, sizeof *f->values);
    f->X = ub_calloc(k * k, sizeof *f->X);
    f->tracker = ub_eigen_tracker_new(f->n, f->top);
    memcpy(f->theta, theta, n * sizeof *f->theta);
    set_preconditioner(f);
    return f;
}

void ub_flow_free(struct ub_flow *f)
{
    if (!f)
        return;
    ub_eigen_tracker_free(f->tracker);
    ub_free(f->theta);
    ub_free(f->grad);
    ub_free(f->nu);
    ub_free(f->P);
    ub_free(f->scale);
    ub_free(f->work);
    ub_free(f->U);
    ub_free(f->T);
    ub_free(f->values);
    ub_free(f->X);
    ub_free(f);
}

const double *ub_flow_theta(const struct ub_flow *f)
{
    return f->theta;
}

struct ub_flow_state ub_flow_state(const struct ub_flow *f)
{
    return f->state;
}

double ub_flow_sharpness(struct ub_flow *f)
{
    set_preconditioner(f);
    const struct ub_eigen_result r = find_top(f);
    return r.count > 0 ? r.value[0] : (double)NAN;
}
