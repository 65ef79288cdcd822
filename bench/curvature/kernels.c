/* Neural tangent kernels (Jacot et al. 2018, arXiv:1806.07572): products with J' and then J. */
#include "bench/curvature/matrix.h"

#include <string.h>

static void forward(void *context, int64_t count, const double *V, double *JV)
{
    ub_problem_jvp(context, count, V, JV);
}

static void backward(void *context, int64_t count, const double *U, double *JU)
{
    ub_problem_vjp(context, count, U, JU);
}

static struct ub_map jacobian(const struct ub_matrix *m)
{
    return (struct ub_map){.rows = ub_matrix_outputs(m),
                           .columns = ub_problem_size(m->at.problem),
                           .context = m->at.problem,
                           .apply = forward,
                           .apply_transpose = backward};
}

static double samples_of(const struct ub_matrix *m)
{
    return (double)ub_problem_data(m->at.problem)->train.count;
}

bool ub_open_ntk(struct ub_matrix *m, struct ub_error *err)
{
    (void)err;
    const struct ub_map j = jacobian(m);
    const struct ub_operator *whole = ub_matrix_stage(m, ub_operator_outer(&j));
    ub_matrix_stage(m, ub_operator_shifted(1 / samples_of(m), whole, 0));
    return true;
}

/* Mean over outputs c of E_c' (JJ'/N) E_c, where E_c puts an item's number at its output c; stage 0
 * is JJ'. */
static void apply_mean(void *context, int64_t count, const double *V, double *out)
{
    struct ub_matrix *m = context;
    const int64_t z = ub_matrix_outputs(m), k = ub_problem_data(m->at.problem)->outputs;
    const int64_t items = count * (z / k);
    const double scale = 1 / (samples_of(m) * (double)k);
    double *u = ub_calloc((size_t)(count * z), sizeof *u), *ju = ub_alloc((size_t)(count * z) * 8);
    memset(out, 0, (size_t)items * sizeof *out);
    for (int64_t c = 0; c < k; c++) {
        for (int64_t i = 0; i < items; i++)
            u[i * k + c] = V[i];
        ub_operator_apply(&m->stage[0], count, u, ju);
        for (int64_t i = 0; i < items; i++) {
            out[i] += scale * ju[i * k + c];
            u[i * k + c] = 0;
        }
    }
    ub_free(u);
    ub_free(ju);
}

bool ub_open_ntk_mean(struct ub_matrix *m, struct ub_error *err)
{
    (void)err;
    const struct ub_map j = jacobian(m);
    ub_matrix_stage(m, ub_operator_outer(&j));
    const int64_t k = ub_problem_data(m->at.problem)->outputs;
    ub_matrix_stage(m, ub_matrix_leaf(m, ub_matrix_outputs(m) / k, apply_mean));
    return true;
}
