#include "bench/observables/linear_model.h"

#include <math.h>

static int64_t outputs_of(const struct ub_problem *problem)
{
    const struct ub_dataset *data = ub_problem_data(problem);
    return data->train.count * data->outputs * ub_positions(data);
}

static double *features_at(struct ub_problem *problem, const double *theta)
{
    const int64_t n = outputs_of(problem), p = ub_problem_size(problem);
    double *unit = ub_calloc((size_t)(n * n), sizeof *unit);
    double *a = ub_calloc((size_t)(n * p), sizeof *a);
    for (int64_t i = 0; i < n; i++)
        unit[i * n + i] = 1;
    ub_problem_linearize(problem, theta);
    ub_problem_vjp(problem, n, unit, a);
    ub_free(unit);
    return a;
}

double *ub_linear_features(const struct ub_moment *moment)
{
    const int64_t n = outputs_of(moment->problem), p = ub_problem_size(moment->problem);
    double *away = ub_calloc((size_t)p, sizeof *away), worst = 0, most = 0;
    struct ub_random r = ub_random_stream(0, "linear-model");
    for (int64_t i = 0; i < p; i++)
        away[i] = moment->theta0[i] + ub_random_normal(&r);
    double *a = features_at(moment->problem, moment->theta0);
    double *b = features_at(moment->problem, away);
    for (int64_t i = 0; i < n * p; i++) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        most = fmax(most, fabs(a[i]));
    }
    ub_free(away);
    ub_free(b);
    if (worst <= 1e-9 * most)
        return a;
    ub_free(a);
    return NULL;
}

int64_t ub_linear_features_bytes(const struct ub_problem *problem)
{
    const int64_t n = outputs_of(problem), p = ub_problem_size(problem);
    return (int64_t)sizeof(double) * (n * n + 2 * n * p) + ub_problem_jacobian_bytes(problem);
}
