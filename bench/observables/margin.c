/* Margins of a classifier whose outputs are linear in its parameters: of training sample i between
 * its class y and another k, c_ik . theta, c_ik the difference of the outputs' gradients. Beside
 * the least of them over |theta| the largest that any direction has, and the norm that gradient
 * flow on the cross-entropy tends to, |v ln t + u| (hard_margin.h), at the time that the path so
 * far takes.
 *
 * For margins that are large the cross-entropy of a sample is sum_k exp(-c_ik . theta). Times are
 * those of flow (path.h), so that steps of any length are compared, as long as they go along the
 * gradient. Parts of theta that no sample sees stay as they start, and belong to the norm: starts
 * at zero have none.
 *
 * No rows for other models and tasks, nor where samples x (classes - 1) exceed 1000. */
#include "bench/observables/hard_margin.h"
#include "bench/observables/linear_model.h"
#include "bench/observables/shared.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { MOST_ROWS = 1000 };

struct state {
    bool known, applies;
    int64_t rows;
    double *c; /* rows x parameters */
    struct ub_hard_margin hard;
};

static int64_t rows_of(const struct ub_dataset *data)
{
    return data->train.count * (data->outputs - 1);
}

/* c_ik from the outputs' Jacobian. */
static double *differences(const struct ub_dataset *data, const double *a, int64_t p)
{
    const int64_t classes = data->outputs;
    double *c = ub_calloc((size_t)(rows_of(data) * p), sizeof *c), *row = c;
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

static bool find_out(struct state *s, const struct ub_moment *moment, struct ub_error *err)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const int64_t p = ub_problem_size(moment->problem);
    s->known = true;
    if (data->task != UB_CLASSIFICATION || ub_positions(data) > 1 || rows_of(data) > MOST_ROWS)
        return true;
    double *a = ub_linear_features(moment);
    if (!a)
        return true;
    s->applies = true;
    s->rows = rows_of(data);
    s->c = differences(data, a, p);
    ub_free(a);
    double *G = ub_calloc((size_t)(s->rows * s->rows), sizeof *G);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)s->rows, (int)s->rows, (int)p, 1,
                s->c, (int)p, s->c, (int)p, 0, G, (int)s->rows);
    const bool good = ub_hard_margin_solve(s->rows, G, data->train.count, &s->hard);
    ub_free(G);
    return good || ub_fail(err, UB_INTERNAL, "margin: the hard margin's support was not found");
}

static double least_margin(const struct state *s, const struct ub_moment *moment, double norm)
{
    const int p = (int)ub_problem_size(moment->problem);
    double least = INFINITY;
    for (int64_t i = 0; i < s->rows; i++)
        least = fmin(least, cblas_ddot(p, s->c + i * p, 1, moment->theta, 1));
    return least / norm;
}

static void join(const struct ub_call *call, struct ub_shared *shared)
{
    (void)call;
    ub_path_ask_time(ub_shared_path(shared));
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)call;
    struct state *s = state;
    if (!s->known && !find_out(s, moment, err))
        return false;
    if (!s->applies)
        return true;
    const double norm = ub_norm(ub_problem_size(moment->problem), moment->theta);
    const double time = ub_shared_path(moment->shared)->flow.time;
    ub_record_value(record, moment, "hard-margin", 0, s->hard.margin, NAN);
    ub_record_value(record, moment, "parameter-norm", 0, norm, NAN);
    if (norm > 0)
        ub_record_value(record, moment, "normalized-margin", 0, least_margin(s, moment, norm), NAN);
    if (!isfinite(time))
        return true;
    ub_record_value(record, moment, "flow-time", 0, time, NAN);
    if (time > 1 && isfinite(ub_hard_margin_norm(&s->hard, time)))
        ub_record_value(record, moment, "predicted-parameter-norm", 0,
                        ub_hard_margin_norm(&s->hard, time), NAN);
    return true;
}

static void close_state(void *state)
{
    struct state *s = state;
    ub_free(s->c);
    ub_hard_margin_clear(&s->hard);
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    const struct ub_dataset *data = ub_problem_data(problem);
    if (data->task != UB_CLASSIFICATION || rows_of(data) > MOST_ROWS)
        return 0;
    return (int64_t)sizeof(double) * rows_of(data) *
               (3 * rows_of(data) + 2 * ub_problem_size(problem)) +
           ub_linear_features_bytes(problem);
}

static const struct ub_quantity rows[] = {
    {.name = "normalized-margin",
     .units = "units of an output a unit of parameters",
     .meaning = "least margin of the training samples over the parameters' norm",
     .headline = true,
     .figure = UB_FIGURE_OVER_STEPS,
     .column = "final-",
     .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.01}},
    {.name = "hard-margin",
     .units = "units of an output a unit of parameters",
     .meaning = "the largest that any direction has; 0: none separates the samples",
     .column = "",
     .compared = {.kind = UB_COMPARED_EXACT}},
    {.name = "parameter-norm",
     .units = "1",
     .meaning = "Euclidean norm of all parameters",
     .figure = UB_FIGURE_OVER_STEPS},
    {.name = "flow-time",
     .units = "learning rate x steps",
     .meaning = "time that gradient flow takes along the path so far"},
    {.name = "predicted-parameter-norm",
     .units = "1",
     .meaning = "what gradient flow on separable samples tends to at this time",
     .figure = UB_FIGURE_OVER_STEPS},
    {.name = NULL},
};

const struct ub_observable ub_observable_margin = {
    .name = "margin",
    .summary =
        "margin of a linear classifier, the largest there is, and the norm at which gradient "
        "flow on separable samples comes to it",
    .units = "units of an output a unit of parameters",
    .citation = "Soudry et al. 2018, arXiv:1710.10345",
    .rows = rows,
    .log_spaced = "40",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .join = join,
    .measure = measure,
    .close = close_state,
};
