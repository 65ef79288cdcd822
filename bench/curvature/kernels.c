/* Neural tangent kernels (Jacot et al. 2018, arXiv:1806.07572) of the items: products with J' and
 * then J, each row weighed by the root of its item's share of the loss. */
#include "bench/curvature/matrix.h"
#include "bench/curvature/outputs.h"

#include <math.h>
#include <string.h>

static int64_t width_of(const struct ub_matrix *m)
{
    return ub_problem_data(m->at.problem)->outputs;
}

/* Between all outputs, rows of positions x width, and those of items, weighed. */
static void gather(const struct ub_matrix *m, const double *all, double *out)
{
    const int64_t k = width_of(m);
    for (int64_t i = 0; i < m->items->count; i++) {
        const int64_t at = m->items->place[i];
        for (int64_t j = 0; j < k; j++)
            out[i * k + j] = sqrt(m->items->share[at]) * all[at * k + j];
    }
}

static void scatter(const struct ub_matrix *m, const double *items, double *all)
{
    const int64_t k = width_of(m);
    memset(all, 0, (size_t)ub_matrix_outputs(m) * sizeof *all);
    for (int64_t i = 0; i < m->items->count; i++) {
        const int64_t at = m->items->place[i];
        for (int64_t j = 0; j < k; j++)
            all[at * k + j] = sqrt(m->items->share[at]) * items[i * k + j];
    }
}

static void forward(void *context, int64_t count, const double *V, double *JV)
{
    const struct ub_matrix *m = context;
    const int64_t z = ub_matrix_outputs(m), rows = m->items->count * width_of(m);
    double *all = ub_alloc((size_t)(count * z) * sizeof *all);
    ub_problem_jvp(m->at.problem, count, V, all);
    for (int64_t r = 0; r < count; r++)
        gather(m, all + r * z, JV + r * rows);
    ub_free(all);
}

static void backward(void *context, int64_t count, const double *U, double *JU)
{
    const struct ub_matrix *m = context;
    const int64_t z = ub_matrix_outputs(m), rows = m->items->count * width_of(m);
    double *all = ub_alloc((size_t)(count * z) * sizeof *all);
    for (int64_t r = 0; r < count; r++)
        scatter(m, U + r * rows, all + r * z);
    ub_problem_vjp(m->at.problem, count, all, JU);
    ub_free(all);
}

bool ub_open_ntk(struct ub_matrix *m, struct ub_error *err)
{
    (void)err;
    m->items = ub_items_new(ub_problem_data(m->at.problem));
    const struct ub_map j = {.rows = m->items->count * width_of(m),
                             .columns = ub_problem_size(m->at.problem),
                             .context = m,
                             .apply = forward,
                             .apply_transpose = backward};
    ub_matrix_stage(m, ub_operator_outer(&j));
    return true;
}

/* Mean over outputs c of E_c' K E_c, where E_c puts an item's number at its output c; stage 0 is
 * K. */
static void apply_mean(void *context, int64_t count, const double *V, double *out)
{
    struct ub_matrix *m = context;
    const int64_t k = width_of(m), items = count * m->items->count, z = items * k;
    double *u = ub_calloc((size_t)z, sizeof *u), *ku = ub_alloc((size_t)z * sizeof *ku);
    memset(out, 0, (size_t)items * sizeof *out);
    for (int64_t c = 0; c < k; c++) {
        for (int64_t i = 0; i < items; i++)
            u[i * k + c] = V[i];
        ub_operator_apply(&m->stage[0], count, u, ku);
        for (int64_t i = 0; i < items; i++) {
            out[i] += ku[i * k + c] / (double)k;
            u[i * k + c] = 0;
        }
    }
    ub_free(u);
    ub_free(ku);
}

bool ub_open_ntk_mean(struct ub_matrix *m, struct ub_error *err)
{
    if (!ub_open_ntk(m, err))
        return false;
    ub_matrix_stage(m, ub_matrix_leaf(m, m->items->count, apply_mean));
    return true;
}
