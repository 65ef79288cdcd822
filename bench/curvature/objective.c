/* The Hessian of what is trained, and matrices as the optimizer's metric sees them. */
#include "bench/curvature/curvature.h"

/* ---- H + l2 I ---- */

struct objective {
    struct ub_problem *problem;
    double l2;
};

static void apply_hessian(void *context, int64_t count, const double *V, double *out)
{
    const struct objective *o = context;
    ub_problem_hvp(o->problem, count, V, out);
    const int64_t numbers = count * ub_problem_size(o->problem);
    for (int64_t i = 0; o->l2 != 0 && i < numbers; i++)
        out[i] += o->l2 * V[i];
}

struct ub_operator ub_objective_hessian(struct ub_problem *problem, double l2)
{
    struct objective *o = ub_alloc(sizeof *o);
    *o = (struct objective){problem, l2};
    return (struct ub_operator){
        .n = ub_problem_size(problem), .context = o, .apply = apply_hessian, .release = ub_free};
}

/* ---- P^-1/2 A P^-1/2 ---- */

struct seen {
    struct ub_operator a;
    const struct ub_metric *metric;
    double *work; /* a block of vectors */
    int64_t room;
};

static void apply_seen(void *context, int64_t count, const double *V, double *out)
{
    struct seen *s = context;
    if (count > s->room) {
        ub_free(s->work);
        s->work = ub_alloc((size_t)(count * s->a.n) * sizeof *s->work);
        s->room = count;
    }
    ub_metric_apply(s->metric, UB_INVERSE_ROOT, count, V, s->work);
    ub_operator_apply(&s->a, count, s->work, out);
    ub_metric_apply(s->metric, UB_INVERSE_ROOT, count, out, out);
}

static void release_seen(void *context)
{
    struct seen *s = context;
    ub_free(s->work);
    ub_free(s);
}

struct ub_operator ub_operator_in_metric(const struct ub_operator *a,
                                         const struct ub_metric *metric)
{
    struct seen *s = ub_alloc(sizeof *s);
    *s = (struct seen){.a = *a, .metric = metric};
    return (struct ub_operator){
        .n = a->n, .context = s, .apply = apply_seen, .release = release_seen};
}
