/* The gradient among the Hessian's top eigenvectors. */
#include "bench/observables/gradient_along.h"

#include <cblas.h>
#include <math.h>

void ub_gradient_along_join(const struct ub_call *call, struct ub_shared *shared)
{
    ub_shared_ask_curvature(shared, ub_call_int(call, "top"), ub_call_real(call, "tolerance"),
                            ub_call_int(call, "max-products"));
}

bool ub_gradient_along_find(struct ub_gradient_along *s, const struct ub_moment *moment,
                            struct ub_record *record, bool *any, struct ub_error *err)
{
    double factor;
    const int64_t n = ub_problem_size(moment->problem);
    *any = false;
    if (ub_optimizer_ball(moment->optimizer, moment->theta, moment->grad, &factor))
        return true;
    if (!ub_shared_curvature(moment, record, &s->found, err))
        return false;
    if (!s->grad) {
        s->grad = ub_calloc((size_t)n, sizeof *s->grad);
        s->product = ub_calloc((size_t)n, sizeof *s->product);
    }
    if (!ub_shared_along(moment, s->grad, s->product, err))
        return false;
    s->square = cblas_ddot((int)n, s->grad, 1, s->grad, 1);
    *any = s->square > 0 && isfinite(s->square);
    return true;
}

double ub_gradient_along_part(const struct ub_gradient_along *s, const struct ub_moment *moment,
                              int64_t i)
{
    const int64_t n = ub_problem_size(moment->problem);
    return cblas_ddot((int)n, s->found.vectors + i * n, 1, s->grad, 1);
}

void ub_gradient_along_close(void *state)
{
    struct ub_gradient_along *s = state;
    ub_free(s->grad);
    ub_free(s->product);
}
