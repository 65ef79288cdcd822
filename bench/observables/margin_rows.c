/* margin_rows.c - see margin_rows.h. */
#include "bench/observables/margin_rows.h"
#include "bench/observables/linear_model.h"

#include <cblas.h>
#include <math.h>

enum { MOST_ROWS = 1000 };

static int64_t count_of(const struct ub_dataset *data)
{
    const int64_t count = data->train.count * (data->outputs - 1);
    const bool classes = data->task == UB_CLASSIFICATION && ub_positions(data) == 1;
    return classes && count <= MOST_ROWS ? count : 0;
}

/* c_ik from the outputs' Jacobian. */
static double *differences(const struct ub_dataset *data, const double *a, int64_t p)
{
    const int64_t classes = data->outputs;
    double *c = ub_calloc((size_t)(count_of(data) * p), sizeof *c), *row = c;
    for (int64_t i = 0; i < data->train.count; i++)
        for (int64_t k = 0; k < classes; k++) {
            const int64_t y = data->train.labels[i];
            if (k == y)
                continue;
            for (int64_t j = 0; j < p; j++)
                row[j] = a[(i * classes + y) * p + j] - a[(i * classes + k) * p + j];
            row += p;
        }
    return c;
}

struct ub_margin_rows ub_margin_rows_of(const struct ub_moment *moment)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    struct ub_margin_rows rows = {count_of(data), ub_problem_size(moment->problem), NULL};
    double *a = rows.count > 0 ? ub_linear_features(moment) : NULL;
    if (a)
        rows.c = differences(data, a, rows.size);
    ub_free(a);
    return rows;
}

void ub_margin_rows_clear(struct ub_margin_rows *rows)
{
    ub_free(rows->c);
    *rows = (struct ub_margin_rows){0};
}

double ub_margin_rows_least(const struct ub_margin_rows *rows, const double *theta)
{
    const int p = (int)rows->size;
    double least = INFINITY;
    for (int64_t i = 0; i < rows->count; i++)
        least = fmin(least, cblas_ddot(p, rows->c + i * p, 1, theta, 1));
    return least;
}

int64_t ub_margin_rows_bytes(const struct ub_problem *problem, int64_t *count)
{
    *count = count_of(ub_problem_data(problem));
    if (*count == 0)
        return 0;
    return 2 * (int64_t)sizeof(double) * *count * ub_problem_size(problem) +
           ub_linear_features_bytes(problem);
}
