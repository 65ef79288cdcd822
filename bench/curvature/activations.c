/* Second moments of activations, and of weights: X'X or XX' of a matrix that is at hand. */
#include "bench/curvature/matrix.h"

#include <cblas.h>
#include <string.h>

/* ---- X, rows x columns, in array[0] ---- */

static void forward(void *context, int64_t count, const double *V, double *XV)
{
    const struct ub_matrix *m = context;
    const int rows = (int)m->rows, columns = (int)m->columns;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, rows, columns, 1, V, columns,
                m->array[0], columns, 0, XV, rows);
}

static void backward(void *context, int64_t count, const double *U, double *XU)
{
    const struct ub_matrix *m = context;
    const int rows = (int)m->rows, columns = (int)m->columns;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, columns, rows, 1, U, rows,
                m->array[0], columns, 0, XU, columns);
}

static double *new_matrix(struct ub_matrix *m, int64_t rows, int64_t columns)
{
    m->rows = rows;
    m->columns = columns;
    return ub_matrix_array(m, rows * columns);
}

/* X'X over columns, or XX' over rows, times scale. */
static bool finish(struct ub_matrix *m, bool over_columns, double scale)
{
    const struct ub_map x = {.rows = m->rows,
                             .columns = m->columns,
                             .context = m,
                             .apply = forward,
                             .apply_transpose = backward};
    const struct ub_operator *whole =
        ub_matrix_stage(m, over_columns ? ub_operator_inner(&x) : ub_operator_outer(&x));
    ub_matrix_stage(m, ub_operator_shifted(scale, whole, 0));
    return true;
}

/* ---- activations ---- */

static void take_inputs(struct ub_matrix *m)
{
    const struct ub_dataset *data = ub_problem_data(m->at.problem);
    double *x = new_matrix(m, data->train.count, data->features);
    memcpy(x, data->train.inputs, (size_t)(m->rows * m->columns) * sizeof *x);
}

static bool take_layer(struct ub_matrix *m, struct ub_error *err)
{
    struct ub_problem *p = m->at.problem;
    if (strcmp(m->choice.layer, "inputs") == 0)
        return take_inputs(m), true;
    struct ub_text known = {0};
    for (int i = 0; i < ub_problem_hidden_count(p); i++) {
        ub_text_add(&known, ", %s", ub_problem_hidden_name(p, i));
        if (strcmp(ub_problem_hidden_name(p, i), m->choice.layer) != 0)
            continue;
        double *x = new_matrix(m, ub_problem_data(p)->train.count, ub_problem_hidden_width(p, i));
        ub_problem_hidden(p, i, m->at.theta, x);
        ub_text_free(&known);
        return true;
    }
    ub_fail(err, UB_INPUT, "unknown layer '%s'; expected one of inputs%s", m->choice.layer,
            known.data ? known.data : "");
    ub_text_free(&known);
    return false;
}

static void center(const struct ub_matrix *m)
{
    double *x = m->array[0];
    for (int64_t j = 0; j < m->columns; j++) {
        double mean = 0;
        for (int64_t i = 0; i < m->rows; i++)
            mean += x[i * m->columns + j] / (double)m->rows;
        for (int64_t i = 0; i < m->rows; i++)
            x[i * m->columns + j] -= mean;
    }
}

static bool covariance(struct ub_matrix *m, struct ub_error *err)
{
    if (m->rows < 2)
        return ub_fail(err, UB_INPUT, "one sample has no covariance; expected two or more");
    center(m);
    return finish(m, true, 1 / (double)(m->rows - 1));
}

bool ub_open_data_covariance(struct ub_matrix *m, struct ub_error *err)
{
    take_inputs(m);
    return covariance(m, err);
}

bool ub_open_activation_covariance(struct ub_matrix *m, struct ub_error *err)
{
    return take_layer(m, err) && covariance(m, err);
}

bool ub_open_activation_gram(struct ub_matrix *m, struct ub_error *err)
{
    return take_layer(m, err) && finish(m, false, 1 / (double)m->rows);
}

/* ---- weights ---- */

bool ub_open_weight_gram(struct ub_matrix *m, struct ub_error *err)
{
    const struct ub_layout *layout = ub_problem_layout(m->at.problem);
    struct ub_text known = {0};
    for (int64_t i = 0; i < layout->count; i++) {
        const struct ub_param *param = &layout->params[i];
        if (param->rank < 2)
            continue;
        ub_text_add(&known, "%s%s", known.length ? ", " : "", param->name);
        if (strcmp(param->name, m->choice.layer) != 0)
            continue;
        const int64_t rows = param->shape[0];
        double *w = new_matrix(m, rows, param->size / rows);
        memcpy(w, m->at.theta + param->offset, (size_t)param->size * sizeof *w);
        ub_text_free(&known);
        return finish(m, m->columns <= m->rows, 1);
    }
    ub_fail(err, UB_INPUT, "unknown weight '%s'; expected one of %s", m->choice.layer,
            known.data ? known.data : "(none has two axes)");
    ub_text_free(&known);
    return false;
}
