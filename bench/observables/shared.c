#include "bench/observables/shared.h"
#include "bench/observables/ball_maximum.h"
#include "bench/observables/operators.h"

#include <math.h>
#include <string.h>

struct ub_shared {
    int64_t top, products;      /* of the most demanding observable */
    double tolerance, accuracy; /* INFINITY where none asked */
    struct ub_eigen_tracker *tracker;
    struct ub_eigen_result curvature;
    int64_t starts; /* of a search over a norm's ball */
    struct ub_ball_maximum *ball;
    struct ub_ball_result over_ball;
    double ball_value, ball_error; /* as the optimizer meets it */
    int64_t total_products, measurements, unconverged;

    struct ub_path path;

    double misstated; /* factor of the threshold that edge ratios are told: 1 but in controls */
    bool has_curvature, has_edge_ratio; /* of this moment */
    struct {
        bool known;
        double loss, accuracy;
    } split[2];
};

struct ub_shared *ub_shared_new(void)
{
    struct ub_shared *s = ub_calloc(1, sizeof *s);
    s->tolerance = s->accuracy = INFINITY;
    s->starts = 3;
    s->misstated = 1;
    return s;
}

void ub_shared_free(struct ub_shared *s)
{
    if (!s)
        return;
    ub_eigen_tracker_free(s->tracker);
    ub_ball_maximum_free(s->ball);
    ub_path_clear(&s->path);
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

void ub_shared_ask_values(struct ub_shared *s, int64_t top, double accuracy, int64_t products)
{
    ub_shared_ask_curvature(s, top, INFINITY, products);
    s->accuracy = fmin(s->accuracy, accuracy);
}

void ub_shared_ask_starts(struct ub_shared *s, int64_t starts)
{
    s->starts = starts > s->starts ? starts : s->starts;
}

void ub_shared_misstate_edge(struct ub_shared *s, double factor)
{
    s->misstated = factor;
}

struct ub_operator ub_moment_hessian(const struct ub_moment *moment)
{
    ub_problem_linearize(moment->problem, moment->theta);
    return ub_objective_hessian(moment->problem, moment->optimizer->l2);
}

/* The objective's Hessian at `theta`; as the optimizer's metric at the moment sees it, or plain. */
static struct ub_matrix *hessian_at(const struct ub_moment *moment, const double *theta,
                                    bool preconditioned, struct ub_error *err)
{
    const struct ub_matrix_choice choice = {.kind = "hessian", .preconditioned = preconditioned};
    struct ub_matrix_point at = ub_moment_point(moment);
    at.iterate = at.theta;
    at.theta = theta;
    return ub_matrix_new(&choice, &at, err);
}

static void record_cost(const struct ub_shared *s, struct ub_record *record)
{
    record->fact(record->context, "hvps.sharpness", (double)s->total_products);
    record->fact(record->context, "measurements.sharpness", (double)s->measurements);
    record->fact(record->context, "unconverged.sharpness", (double)s->unconverged);
}

static bool top_eigenpairs(const struct ub_moment *moment, const double *theta,
                           struct ub_error *err)
{
    struct ub_shared *s = moment->shared;
    struct ub_matrix *a = hessian_at(moment, theta, true, err);
    if (!a)
        return false;
    const int64_t n = a->operator.n;
    if (!s->tracker)
        s->tracker = ub_eigen_tracker_new(n, s->top < n ? s->top : n);
    const struct ub_eigen_goal goal = {
        .tolerance = isfinite(s->tolerance) ? s->tolerance : 0,
        .accuracy = isfinite(s->accuracy) ? s->accuracy : 0,
        .products = s->products,
    };
    s->curvature = ub_eigen_track_to(s->tracker, &a->operator, & goal);
    ub_matrix_free(a);
    return true;
}

/* Generalized sharpness in place of the top eigenvalue, scaled as the optimizer meets it. */
static bool maximum_over_ball(const struct ub_moment *moment, const double *theta,
                              const struct ub_ball *ball, double factor, struct ub_error *err)
{
    struct ub_shared *s = moment->shared;
    const struct ub_ball_effort effort = {
        .starts = s->starts,
        .tolerance = fmin(s->tolerance, s->accuracy),
        .products = s->products,
    };
    struct ub_matrix *a = hessian_at(moment, theta, false, err);
    if (!a)
        return false;
    if (!s->ball)
        s->ball = ub_ball_maximum_new(ball);
    s->over_ball = ub_ball_maximize(s->ball, &a->operator, & effort);
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
    ub_matrix_free(a);
    return true;
}

bool ub_shared_curvature_at(const struct ub_moment *moment, const double *theta,
                            struct ub_record *record, struct ub_eigen_result *result,
                            struct ub_error *err)
{
    struct ub_shared *s = moment->shared;
    const struct ub_optimizer *o = moment->optimizer;
    if (!s->has_curvature) {
        double factor = 1;
        const struct ub_ball *ball = ub_optimizer_ball(o, moment->theta, moment->grad, &factor);
        if (ball ? !maximum_over_ball(moment, theta, ball, factor, err)
                 : !top_eigenpairs(moment, theta, err))
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

bool ub_shared_curvature(const struct ub_moment *moment, struct ub_record *record,
                         struct ub_eigen_result *result, struct ub_error *err)
{
    return ub_shared_curvature_at(moment, moment->theta, record, result, err);
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

bool ub_shared_along(const struct ub_moment *moment, double *gradient, double *product,
                     struct ub_error *err)
{
    const double l2 = moment->optimizer->l2;
    struct ub_matrix *a = hessian_at(moment, moment->theta, true, err);
    if (!a)
        return false;
    for (int64_t i = 0; i < a->operator.n; i++)
        gradient[i] = moment->grad[i] + l2 * moment->theta[i];
    ub_metric_apply(&a->metric, UB_INVERSE_ROOT, 1, gradient, gradient);
    ub_operator_apply(&a->operator, 1, gradient, product);
    ub_matrix_free(a);
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
    const double threshold = s->misstated * ub_optimizer_threshold(moment->optimizer);
    if (s->has_edge_ratio || moment->optimizer->kind->geometry == UB_UNMEASURED ||
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

bool ub_moment_is_plain_descent(const struct ub_moment *moment)
{
    const struct ub_optimizer *o = moment->optimizer;
    struct ub_flow_rule rule; /* of a metric that is not the identity, or none */
    struct ub_error ignored = {0};
    return o->kind->flow && o->kind->flow(o, &rule, &ignored) && rule.count == 0 &&
           ub_optimizer_batch(o) == 0 && o->l2 == 0 &&
           strcmp(ub_call_get(o->call, "schedule"), "constant") == 0 &&
           ub_call_int(o->call, "warmup") == 0 && !ub_problem_loss_kind(moment->problem)->softmax &&
           ub_positions(ub_problem_data(moment->problem)) == 1;
}
