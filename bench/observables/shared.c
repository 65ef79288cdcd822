#include "bench/observables/shared.h"
#include "bench/observables/ball_maximum.h"

#include <math.h>
#include <string.h>

struct ub_shared {
    int64_t top, products; /* of the most demanding observable */
    double tolerance;
    struct ub_eigen_tracker *tracker;
    struct ub_eigen_result curvature;
    double *scale, *work; /* P^-1/2, NULL where P = I; room for scaled vectors */
    int64_t room;
    int64_t starts; /* of a search over a norm's ball */
    struct ub_ball_maximum *ball;
    struct ub_ball_result over_ball;
    double ball_value, ball_error; /* as the optimizer meets it */
    int64_t total_products, measurements, unconverged;

    struct ub_path path;

    bool has_curvature, has_edge_ratio; /* of this moment */
    struct {
        bool known;
        double loss, accuracy;
    } split[2];
};

struct ub_shared *ub_shared_new(void)
{
    struct ub_shared *s = ub_calloc(1, sizeof *s);
    s->tolerance = INFINITY;
    s->starts = 3;
    return s;
}

void ub_shared_free(struct ub_shared *s)
{
    if (!s)
        return;
    ub_eigen_tracker_free(s->tracker);
    ub_ball_maximum_free(s->ball);
    ub_path_clear(&s->path);
    ub_free(s->scale);
    ub_free(s->work);
    ub_free(s);
}

struct ub_path *ub_shared_path(struct ub_shared *s)
{
    return &s->path;
}

void ub_shared_renew(struct ub_shared *s)
{
    s->has_curvature = false;
    s->has_edge_ratio = false;
    memset(s->split, 0, sizeof s->split);
}

/* ---- curvature --------------------------------------------------------------------------------
 */

void ub_shared_ask_curvature(struct ub_shared *s, int64_t top, double tolerance, int64_t products)
{
    s->top = top > s->top ? top : s->top;
    s->tolerance = fmin(s->tolerance, tolerance);
    s->products = products > s->products ? products : s->products;
}

void ub_shared_ask_starts(struct ub_shared *s, int64_t starts)
{
    s->starts = starts > s->starts ? starts : s->starts;
}

static void apply_hessian(void *context, int64_t count, const double *V, double *HV)
{
    ub_problem_hvp(context, count, V, HV);
}

struct ub_operator ub_hessian_operator(const struct ub_moment *moment)
{
    ub_problem_linearize(moment->problem, moment->theta);
    return (struct ub_operator){
        .n = ub_problem_size(moment->problem), .context = moment->problem, .apply = apply_hessian};
}

struct regular { /* H + l2 I: the curvature of the objective with coupled weight decay */
    struct ub_operator hessian;
    double l2;
};

static void apply_regular(void *context, int64_t count, const double *V, double *out)
{
    const struct regular *a = context;
    ub_operator_apply(&a->hessian, count, V, out);
    for (int64_t i = 0; a->l2 != 0 && i < count * a->hessian.n; i++)
        out[i] += a->l2 * V[i];
}

struct scaled { /* P^-1/2 H P^-1/2: symmetric, with the eigenvalues of P^-1 H */
    struct ub_shared *shared;
    const struct ub_optimizer *optimizer;
    struct ub_operator hessian;
};

static void scale_rows(int64_t count, int64_t n, const double *scale, const double *V, double *out)
{
    for (int64_t r = 0; r < count; r++)
        for (int64_t i = 0; i < n; i++)
            out[r * n + i] = scale[i] * V[r * n + i];
}

static void apply_root(const struct scaled *a, int64_t count, const double *V, double *out)
{
    const struct ub_optimizer *o = a->optimizer;
    if (o->kind->apply_root)
        o->kind->apply_root(o, count, V, out);
    else
        scale_rows(count, a->hessian.n, a->shared->scale, V, out);
}

static void apply_scaled(void *context, int64_t count, const double *V, double *out)
{
    const struct scaled *a = context;
    const int64_t n = a->hessian.n;
    struct ub_shared *s = a->shared;
    if (2 * count > s->room) {
        ub_free(s->work);
        s->work = ub_calloc((size_t)(2 * count), (size_t)n * sizeof *s->work);
        s->room = 2 * count;
    }
    apply_root(a, count, V, s->work);
    ub_operator_apply(&a->hessian, count, s->work, s->work + count * n);
    apply_root(a, count, s->work + count * n, out);
}

/* Parameters that the optimizer does not move (P = 0) are held: no curvature along them. */
static bool read_preconditioner(struct ub_shared *s, const struct ub_moment *moment,
                                struct ub_error *err)
{
    const struct ub_optimizer *optimizer = moment->optimizer;
    if (optimizer->kind->ready_root) {
        ub_optimizer_ready_root(optimizer, moment->theta, moment->grad);
        return true;
    }
    if (!s->scale)
        s->scale = ub_calloc((size_t)optimizer->size, sizeof *s->scale);
    ub_optimizer_preconditioner(optimizer, moment->theta, moment->grad, s->scale);
    for (int64_t i = 0; i < optimizer->size; i++) {
        if (!(isfinite(s->scale[i]) && s->scale[i] >= 0))
            return ub_fail(err, UB_INTERNAL,
                           "optimizer '%s': entry %lld of its preconditioner is %g; expected no "
                           "negative number",
                           optimizer->kind->name, (long long)i, s->scale[i]);
        s->scale[i] = s->scale[i] > 0 ? 1 / sqrt(s->scale[i]) : 0;
    }
    return true;
}

static void record_cost(const struct ub_shared *s, struct ub_record *record)
{
    record->fact(record->context, "hvps.sharpness", (double)s->total_products);
    record->fact(record->context, "measurements.sharpness", (double)s->measurements);
    record->fact(record->context, "unconverged.sharpness", (double)s->unconverged);
}

static bool top_eigenpairs(const struct ub_moment *moment, struct ub_error *err)
{
    struct ub_shared *s = moment->shared;
    const struct ub_optimizer_kind *kind = moment->optimizer->kind;
    struct regular regular = {ub_hessian_operator(moment), moment->optimizer->l2};
    struct ub_operator a = {.n = regular.hessian.n, .context = &regular, .apply = apply_regular};
    struct scaled scaled = {.shared = s, .optimizer = moment->optimizer, .hessian = a};
    if (kind->preconditioner || kind->ready_root) {
        if (!read_preconditioner(s, moment, err))
            return false;
        a = (struct ub_operator){.n = a.n, .context = &scaled, .apply = apply_scaled};
    }
    if (!s->tracker)
        s->tracker = ub_eigen_tracker_new(a.n, s->top < a.n ? s->top : a.n);
    s->curvature = ub_eigen_track(s->tracker, &a, s->tolerance, s->products);
    return true;
}

/* Generalized sharpness in place of the top eigenvalue, scaled as the optimizer meets it. */
static void maximum_over_ball(const struct ub_moment *moment, const struct ub_ball *ball,
                              double factor)
{
    struct ub_shared *s = moment->shared;
    struct regular regular = {ub_hessian_operator(moment), moment->optimizer->l2};
    const struct ub_operator objective = {
        .n = regular.hessian.n, .context = &regular, .apply = apply_regular};
    const struct ub_ball_effort effort = {
        .starts = s->starts, .tolerance = s->tolerance, .products = s->products};
    if (!s->ball)
        s->ball = ub_ball_maximum_new(ball);
    s->over_ball = ub_ball_maximize(s->ball, &objective, &effort);
    s->ball_value = factor * s->over_ball.value;
    s->ball_error = factor * s->over_ball.error;
    s->curvature = (struct ub_eigen_result){
        .count = isfinite(s->ball_value),
        .value = &s->ball_value,
        .residual = &s->ball_error,
        .vectors = s->over_ball.direction,
        .products = s->over_ball.products,
        .converged = s->over_ball.converged,
    };
}

bool ub_shared_curvature(const struct ub_moment *moment, struct ub_record *record,
                         struct ub_eigen_result *result, struct ub_error *err)
{
    struct ub_shared *s = moment->shared;
    const struct ub_optimizer *o = moment->optimizer;
    if (!s->has_curvature) {
        double factor = 1;
        const struct ub_ball *ball = ub_optimizer_ball(o, moment->theta, moment->grad, &factor);
        if (ball)
            maximum_over_ball(moment, ball, factor);
        else if (!top_eigenpairs(moment, err))
            return false;
        s->has_curvature = true;
        s->total_products += s->curvature.products;
        s->measurements++;
        s->unconverged += !s->curvature.converged;
        record_cost(s, record);
    }
    *result = s->curvature;
    return true;
}

bool ub_shared_ball(const struct ub_moment *moment, struct ub_record *record,
                    struct ub_ball_result *result, struct ub_error *err)
{
    struct ub_eigen_result found;
    if (!ub_shared_curvature(moment, record, &found, err))
        return false;
    *result = moment->shared->over_ball;
    return true;
}

bool ub_shared_along(const struct ub_moment *moment, const double *x, double *scaled_x,
                     double *product, struct ub_error *err)
{
    struct regular regular = {ub_hessian_operator(moment), moment->optimizer->l2};
    const struct ub_operator a = {
        .n = regular.hessian.n, .context = &regular, .apply = apply_regular};
    struct scaled scaled = {.shared = moment->shared, .optimizer = moment->optimizer, .hessian = a};
    const struct ub_optimizer_kind *kind = moment->optimizer->kind;
    if (!kind->preconditioner && !kind->ready_root) {
        memcpy(scaled_x, x, (size_t)a.n * sizeof *x);
        apply_regular(&regular, 1, x, product);
        return true;
    }
    if (!read_preconditioner(moment->shared, moment, err))
        return false;
    apply_root(&scaled, 1, x, scaled_x);
    apply_scaled(&scaled, 1, scaled_x, product);
    return true;
}

static void ignore_row(void *context, const struct ub_row *row)
{
    (void)context, (void)row;
}

static void ignore_fact(void *context, const char *name, double value)
{
    (void)context, (void)name, (void)value;
}

bool ub_top_curvature(const struct ub_moment *moment, double tolerance, int64_t products,
                      double *value, double *residual, struct ub_error *err)
{
    struct ub_moment alone = *moment;
    struct ub_record record = {.add = ignore_row, .fact = ignore_fact};
    struct ub_eigen_result found;
    alone.shared = ub_shared_new();
    ub_shared_ask_curvature(alone.shared, 1, tolerance, products);
    const bool good = ub_shared_curvature(&alone, &record, &found, err);
    *value = good && found.count > 0 ? found.value[0] : (double)NAN;
    *residual = good && found.count > 0 ? found.residual[0] : (double)NAN;
    ub_shared_free(alone.shared);
    return good;
}

bool ub_shared_write_edge_ratio(const struct ub_moment *moment, struct ub_record *record,
                                struct ub_error *err)
{
    struct ub_shared *s = moment->shared;
    const double threshold = ub_optimizer_threshold(moment->optimizer);
    if (s->has_edge_ratio || moment->optimizer->kind->edge_unmeasured ||
        !(isfinite(threshold) && threshold > 0))
        return true;
    struct ub_eigen_result found;
    if (!ub_shared_curvature(moment, record, &found, err))
        return false;
    s->has_edge_ratio = true;
    if (found.count > 0)
        ub_record_value(record, moment, "edge-ratio", 0, found.value[0] / threshold,
                        found.residual[0] / threshold);
    return true;
}

/* ---- passes over a split ------------------------------------------------------------------------
 */

void ub_shared_evaluate(const struct ub_moment *moment, bool test, double *loss, double *accuracy)
{
    struct ub_shared *s = moment->shared;
    if (!s->split[test].known)
        ub_problem_evaluate(moment->problem, test, moment->theta, &s->split[test].loss,
                            &s->split[test].accuracy);
    s->split[test].known = true;
    *loss = s->split[test].loss;
    *accuracy = s->split[test].accuracy;
}

/* ---- in common ----------------------------------------------------------------------------------
 */

void ub_record_value(struct ub_record *record, const struct ub_moment *moment, const char *name,
                     int64_t index, double value, double error)
{
    const struct ub_row row = {
        .step = moment->step, .observable = name, .index = index, .value = value, .error = error};
    record->add(record->context, &row);
}

/* Scaled by the largest entry, so that no square overflows or vanishes. */
double ub_norm(int64_t n, const double *x)
{
    double most = 0, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            return NAN;
        most = fmax(most, fabs(x[i]));
    }
    if (most == 0 || isinf(most))
        return most;
    for (int64_t i = 0; i < n; i++)
        sum += (x[i] / most) * (x[i] / most);
    return most * sqrt(sum);
}
