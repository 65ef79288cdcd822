#include "bench/observables/flow.h"
#include "bench/observables/semidefinite.h"

#include "bench/curvature/curvature.h"
#include "systems/metric.h"

#include <math.h>
#include <string.h>

enum { MOST_PRODUCTS = 400 };
static const double eigen_tolerance = 1e-4;
/* Eigenvalues from this share of the threshold on take part: the others are not near it. */
static const double watched_share = 0.9;
/* An eigenvalue of X below this share of the largest is 0. */
static const double smallest_share = 1e-6;

struct ub_flow {
    struct ub_problem *problem;
    double lr, l2, gamma, epsilon, threshold;
    int64_t n, top, substeps;
    bool central;
    double *theta, *grad;
    int64_t n_nu; /* n, 1, or 0 where P = I */
    double *nu;
    struct ub_metric metric;               /* diagonal: values P, scale P^-1/2 */
    struct ub_operator hessian, curvature; /* of the objective; as the metric sees it */
    struct ub_eigen_tracker *tracker;
    /* At the edge, at the point now: directions U (rows of n, u'Pu = 1), D^3 L[u_i, u_j] for i <=
     * j, X and how nu answers. */
    int64_t k, capacity;
    double *U, *T, *values, *X;
    struct ub_flow_state state;
};

/* ---- the preconditioner ---- */

static double nu_of(const struct ub_flow *f, int64_t i)
{
    return f->nu[f->n_nu == 1 ? 0 : i];
}

static void set_metric(struct ub_flow *f)
{
    double *P = ub_metric_values(&f->metric, f->n);
    struct ub_error none = {0}; /* no value is negative */
    for (int64_t i = 0; i < f->n; i++)
        P[i] = f->n_nu == 0 ? 1 : sqrt(fmax(nu_of(f, i), 0)) + f->epsilon;
    ub_metric_ready(&f->metric, "flow", &none);
}

/* 1/P_i */
static double inverse(const struct ub_flow *f, int64_t i)
{
    return f->metric.scale[i] * f->metric.scale[i];
}

/* d nu_i/dt without oscillation. */
static double drift_of_nu(const struct ub_flow *f, int64_t i, double norm)
{
    const double square = f->n_nu == 1 ? norm : f->grad[i] * f->grad[i];
    return f->gamma * (square - nu_of(f, i));
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
    const double nu = nu_of(f, i);
    return nu > 0 ? 0.5 / sqrt(nu) : 0;
}

/* ---- eigenvectors at the edge ---- */

static struct ub_eigen_result find_top(struct ub_flow *f)
{
    ub_problem_linearize(f->problem, f->theta);
    const struct ub_eigen_result r =
        ub_eigen_track(f->tracker, &f->curvature, eigen_tolerance, MOST_PRODUCTS);
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
        ub_metric_apply(&f->metric, UB_INVERSE_ROOT, 1, r.vectors + e * n, f->U + e * n);
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
        const double P = f->metric.values[i], slope = slope_of_P(f, i), p2 = P * P;
        if (f->n_nu > 1) {
            sum += slope * p2 * ua[i] * ub[i] * uc[i] * ud[i];
        } else {
            left += slope * ua[i] * ub[i];
            right += p2 * uc[i] * ud[i];
        }
    }
    return f->n_nu > 1 ? sum : left * right;
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
        along += inverse(f, i) * p->t[i] * f->grad[i];
        if (f->n_nu > 0)
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
        sum += inverse(f, i) * p->t[i] * q->t[i];
    sum *= 0.5 * f->lr;
    if (f->n_nu > 0) /* H u = threshold P u at the edge */
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
    f->state.excess -= 0.5 * f->l2 * f->state.variance; /* of the loss, not the objective */
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
    return sum * f->metric.values[i] * f->metric.values[i];
}

static void move_nu(struct ub_flow *f, double tau)
{
    const double norm = square_norm(f);
    double total = 0;
    for (int64_t i = 0; i < f->n; i++) {
        const double more = f->k > 0 ? f->gamma * oscillating_square(f, i) : 0;
        if (f->n_nu > 1)
            f->nu[i] += tau * (drift_of_nu(f, i, norm) + more);
        else
            total += more;
    }
    if (f->n_nu == 1)
        f->nu[0] += tau * (drift_of_nu(f, 0, norm) + total);
}

static bool substep(struct ub_flow *f, double tau)
{
    bool finite = true;
    set_metric(f);
    ub_problem_gradient(f->problem, f->theta, f->grad);
    for (int64_t i = 0; i < f->n; i++)
        f->grad[i] += f->l2 * f->theta[i];
    f->state.gradients++;
    f->k = 0;
    if (f->central)
        find_directions(f);
    f->state.residual = 0;
    if (f->k > 0)
        find_oscillation(f, tau);
    record_oscillation(f);
    if (f->n_nu > 0)
        move_nu(f, tau);
    add_pull(f, f->grad);
    for (int64_t i = 0; i < f->n; i++) {
        f->theta[i] -= tau * f->lr * inverse(f, i) * f->grad[i];
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

static bool fail_unknown(const char *name, struct ub_error *err)
{
    struct ub_text known = {0};
    for (size_t i = 0; ub_optimizers[i]; i++)
        if (ub_optimizers[i]->flow)
            ub_text_add(&known, "%s%s", known.length ? ", " : "", ub_optimizers[i]->name);
    ub_fail(err, UB_INPUT, "no central flow of '%s' is known here; expected one of %s", name,
            known.data);
    ub_text_free(&known);
    return false;
}

static bool read_rule(struct ub_flow *f, const struct ub_optimizer *o, struct ub_error *err)
{
    struct ub_flow_rule rule;
    struct ub_optimizer at_base = *o;
    if (!o->kind->flow)
        return fail_unknown(o->kind->name, err);
    if (strcmp(ub_call_get(o->call, "schedule"), "constant") != 0)
        return ub_fail(err, UB_INPUT,
                       "central flow of %s with a schedule; expected schedule=constant",
                       o->kind->name);
    if (ub_optimizer_batch(o) > 0)
        return ub_fail(err, UB_INPUT, "central flow of %s on mini-batches; expected batch=0",
                       o->kind->name);
    if (!o->kind->flow(o, &rule, err))
        return false;
    at_base.lr = f->lr = o->base;
    f->threshold = ub_optimizer_threshold(&at_base);
    f->l2 = o->l2;
    f->gamma = rule.gamma;
    f->epsilon = rule.epsilon;
    f->n_nu = rule.count;
    f->nu = ub_calloc((size_t)rule.count + 1, sizeof *f->nu);
    memcpy(f->nu, rule.nu ? rule.nu : f->nu, (size_t)rule.count * sizeof *f->nu);
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
    f->U = ub_calloc(k * n, sizeof *f->U);
    f->T = ub_calloc(k * (k + 1) / 2 * n, sizeof *f->T);
    f->values = ub_calloc(k, sizeof *f->values);
    f->X = ub_calloc(k * k, sizeof *f->X);
    f->tracker = ub_eigen_tracker_new(f->n, f->top);
    memcpy(f->theta, theta, n * sizeof *f->theta);
    set_metric(f);
    f->hessian = ub_objective_hessian(problem, f->l2);
    f->curvature = ub_operator_in_metric(&f->hessian, &f->metric);
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
    ub_operator_free(&f->curvature);
    ub_operator_free(&f->hessian);
    ub_metric_clear(&f->metric);
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
    set_metric(f);
    const struct ub_eigen_result r = find_top(f);
    return r.count > 0 ? r.value[0] : (double)NAN;
}
