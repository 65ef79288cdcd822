/* Matrices over the parameters that are sums over samples: the Hessian and its relatives. */
#include "bench/curvature/matrix.h"
#include "bench/curvature/outputs.h"

#include <string.h>

static struct ub_operator of_problem(struct ub_matrix *m,
                                     void (*apply)(void *, int64_t, const double *, double *))
{
    return (struct ub_operator){
        .n = ub_problem_size(m->at.problem), .context = m->at.problem, .apply = apply};
}

static void apply_gauss_newton(void *context, int64_t count, const double *V, double *out)
{
    ub_problem_product(context, UB_GAUSS_NEWTON, count, V, out);
}

static void apply_moment(void *context, int64_t count, const double *V, double *out)
{
    ub_problem_product(context, UB_GRADIENT_MOMENT, count, V, out);
}

bool ub_open_hessian(struct ub_matrix *m, struct ub_error *err)
{
    (void)err;
    const double l2 = m->at.optimizer ? m->at.optimizer->l2 : 0;
    ub_matrix_stage(m, ub_objective_hessian(m->at.problem, l2));
    return true;
}

bool ub_open_gauss_newton(struct ub_matrix *m, struct ub_error *err)
{
    (void)err;
    ub_matrix_stage(m, of_problem(m, apply_gauss_newton));
    return true;
}

bool ub_open_empirical_fisher(struct ub_matrix *m, struct ub_error *err)
{
    (void)err;
    ub_matrix_stage(m, of_problem(m, apply_moment));
    return true;
}

bool ub_open_residual(struct ub_matrix *m, struct ub_error *err)
{
    (void)err;
    const struct ub_operator *h = ub_matrix_stage(m, ub_objective_hessian(m->at.problem, 0));
    const struct ub_operator g = of_problem(m, apply_gauss_newton);
    ub_matrix_stage(m, ub_operator_sum(1, h, -1, &g));
    return true;
}

/* ---- covariance of gradients ---- */

/* gg', with g in array[0]. */
static void apply_mean(void *context, int64_t count, const double *V, double *out)
{
    const struct ub_matrix *m = context;
    const int64_t n = ub_problem_size(m->at.problem);
    const double *g = m->array[0];
    for (int64_t r = 0; r < count; r++) {
        double along = 0;
        for (int64_t i = 0; i < n; i++)
            along += g[i] * V[r * n + i];
        for (int64_t i = 0; i < n; i++)
            out[r * n + i] = along * g[i];
    }
}

bool ub_open_gradient_covariance(struct ub_matrix *m, struct ub_error *err)
{
    (void)err;
    const int64_t n = ub_problem_size(m->at.problem);
    double *g = ub_matrix_array(m, n);
    if (m->at.grad && !m->at.iterate)
        memcpy(g, m->at.grad, (size_t)n * sizeof *g);
    else
        ub_problem_gradient(m->at.problem, m->at.theta, g);
    const struct ub_operator moment = of_problem(m, apply_moment);
    const struct ub_operator mean = ub_matrix_leaf(m, n, apply_mean);
    ub_matrix_stage(m, ub_operator_sum(1, &moment, -1, &mean));
    return true;
}

/* ---- J'MJ, with M a product over the outputs ---- */

void ub_apply_between(struct ub_matrix *m, int64_t count, const double *V, double *out,
                      void (*middle)(const struct ub_matrix *m, double *t))
{
    const int64_t z = ub_matrix_outputs(m);
    double *t = ub_alloc((size_t)(count * z) * sizeof *t);
    ub_problem_jvp(m->at.problem, count, V, t);
    for (int64_t r = 0; r < count; r++)
        middle(m, t + r * z);
    ub_problem_vjp(m->at.problem, count, t, out);
    ub_free(t);
}

/* u (u't) share for each item, u the item's gradient of the loss with the target drawn for it, in
 * array[0]. */
static void sampled(const struct ub_matrix *m, double *t)
{
    const struct ub_outputs *o = m->outputs;
    for (int64_t i = 0; i < o->positions; i++) {
        const double *u = m->array[0] + i * o->width;
        double *row = t + i * o->width, along = 0;
        for (int64_t j = 0; j < o->width; j++)
            along += u[j] * row[j];
        for (int64_t j = 0; j < o->width; j++)
            row[j] = o->share[i] * along * u[j];
    }
}

static void apply_sampled(void *context, int64_t count, const double *V, double *out)
{
    ub_apply_between(context, count, V, out, sampled);
}

/* Softmax less the label drawn from it, or unit noise. */
static void draw(const struct ub_outputs *o, struct ub_random *r, int64_t item, double *u)
{
    if (!o->softmax) {
        for (int64_t j = 0; j < o->width; j++)
            u[j] = ub_random_normal(r);
        return;
    }
    const double *p = o->softmax + item * o->width;
    double left = ub_random_uniform(r);
    int64_t label = 0;
    while (label < o->width - 1 && left >= p[label])
        left -= p[label++];
    memcpy(u, p, (size_t)o->width * sizeof *u);
    u[label] -= 1;
}

bool ub_open_fisher_sampled(struct ub_matrix *m, struct ub_error *err)
{
    (void)err;
    struct ub_random r = ub_random_stream(m->choice.seed, "fisher-sampled");
    m->outputs = ub_outputs_new(&m->at);
    double *u = ub_matrix_array(m, ub_matrix_outputs(m));
    for (int64_t i = 0; i < m->outputs->positions; i++)
        draw(m->outputs, &r, i, u + i * m->outputs->width);
    ub_matrix_stage(m, ub_matrix_leaf(m, ub_problem_size(m->at.problem), apply_sampled));
    return true;
}
