/* How far each weight matrix is from what training with weight decay comes to. Where the gradient
 * of the loss plus l2/2 |W|^2 vanishes, G + l2 W = 0 with G = mean_i delta_i h_i' the loss's
 * gradient in a matrix W that takes h_i to W h_i, and so
 *
 *     W'W = -(1/l2) W'G = -(1/(n l2)) sum_i (grad_h loss_i) h_i':
 *
 * what a layer looks for in its inputs is what the loss would change in them (Boix-Adsera,
 * Mallinar, Simon and Belkin 2025, arXiv:2507.05644). The row is |W'W + W'G/l2|_F / |W'W|_F. A
 * constant factor of the parametrization between the parameter and W scales both sides alike, so
 * the parameter is taken as it is. Without l2 there is nothing to compare with, and no row. */
#include "bench/observables/shared.h"

#include <cblas.h>
#include <math.h>

/* x'x over the shorter side that two matrices' product can be told from: |A'B|_F^2 is the inner
 * product of AA' and BB', rows x rows; or A'B itself, columns x columns, where that is smaller. */
static double square_of_product(int rows, int columns, const double *a, const double *b)
{
    const bool by_rows = rows <= columns;
    const int side = by_rows ? rows : columns;
    double *p = ub_calloc(2 * (size_t)side * (size_t)side, sizeof *p), sum = 0;
    double *q = p + (size_t)side * (size_t)side;
    if (by_rows) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, side, side, columns, 1, a, columns, a,
                    columns, 0, p, side);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, side, side, columns, 1, b, columns, b,
                    columns, 0, q, side);
        sum = cblas_ddot(side * side, p, 1, q, 1);
    } else {
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, side, side, rows, 1, a, columns, b,
                    columns, 0, p, side);
        sum = cblas_ddot(side * side, p, 1, p, 1);
    }
    ub_free(p);
    return sum;
}

static void record_weight(const struct ub_param *param, const struct ub_moment *moment,
                          struct ub_record *record)
{
    const double l2 = moment->optimizer->l2;
    const int rows = (int)param->shape[0], columns = (int)param->shape[1];
    const double *w = moment->theta + param->offset, *g = moment->grad + param->offset;
    double *rest = ub_calloc((size_t)param->size, sizeof *rest);
    for (int64_t i = 0; i < param->size; i++)
        rest[i] = w[i] + g[i] / l2;
    const double whole = square_of_product(rows, columns, w, w);
    const double left = square_of_product(rows, columns, w, rest);
    char name[96];
    snprintf(name, sizeof name, "feature-equation.%s", param->name);
    if (whole > 0)
        ub_record_value(record, moment, name, 0, sqrt(left / whole), NAN);
    ub_free(rest);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)call, (void)err;
    const struct ub_layout *layout = ub_problem_layout(moment->problem);
    for (int64_t i = 0; moment->optimizer->l2 > 0 && i < layout->count; i++)
        if (layout->params[i].rank == 2)
            record_weight(&layout->params[i], moment, record);
    return true;
}

static const struct ub_quantity rows[] = {
    {
        .name = "feature-equation.WEIGHT",
        .units = "1",
        .meaning = "relative distance of W'W from -(1/l2) W'G, G the loss's gradient in W",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-6},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_feature_equation = {
    .name = "feature-equation",
    .summary = "distance of each weight matrix from where training with weight decay ends",
    .units = "1",
    .citation = "Boix-Adsera, Mallinar, Simon and Belkin 2025, arXiv:2507.05644",
    .rows = rows,
    .at = "end",
    .measure = measure,
};
