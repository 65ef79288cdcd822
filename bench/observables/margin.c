/* Margins of a classifier whose outputs are linear in its parameters (margin_rows.h): beside the
 * least of them over |theta| the largest that any direction has, and the norm that gradient flow on
 * the cross-entropy tends to, |v ln t + u| (hard_margin.h), at the time that the path so far takes.
 *
 * For margins that are large the cross-entropy of a sample is sum_k exp(-c_ik . theta). Times are
 * those of flow (path.h), so that steps of any length are compared, as long as they go along the
 * gradient. Parts of theta that no sample sees stay as they start, and belong to the norm: starts
 * at zero have none.
 *
 * No rows for other models and tasks, nor where samples x (classes - 1) exceed 1000. */
#include "bench/observables/hard_margin.h"
#include "bench/observables/margin_rows.h"
#include "bench/observables/shared.h"

#include <cblas.h>
#include <math.h>

struct state {
    bool known;
    struct ub_margin_rows rows;
    struct ub_hard_margin hard;
};

static bool find_out(struct state *s, const struct ub_moment *moment, struct ub_error *err)
{
    s->known = true;
    s->rows = ub_margin_rows_of(moment);
    if (!s->rows.c)
        return true;
    const int m = (int)s->rows.count, p = (int)s->rows.size;
    double *G = ub_calloc((size_t)m * (size_t)m, sizeof *G);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, m, p, 1, s->rows.c, p, s->rows.c, p, 0,
                G, m);
    const bool good =
        ub_hard_margin_solve(m, G, ub_problem_data(moment->problem)->train.count, &s->hard);
    ub_free(G);
    return good || ub_fail(err, UB_INTERNAL, "margin: the hard margin's support was not found");
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
    if (!s->rows.c)
        return true;
    const double norm = ub_norm(ub_problem_size(moment->problem), moment->theta);
    const double time = ub_shared_path(moment->shared)->flow.time;
    ub_record_value(record, moment, "hard-margin", 0, s->hard.margin, NAN);
    ub_record_value(record, moment, "parameter-norm", 0, norm, NAN);
    if (norm > 0)
        ub_record_value(record, moment, "normalized-margin", 0,
                        ub_margin_rows_least(&s->rows, moment->theta) / norm, NAN);
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
    ub_margin_rows_clear(&s->rows);
    ub_hard_margin_clear(&s->hard);
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    int64_t count;
    const int64_t rows = ub_margin_rows_bytes(problem, &count);
    return rows + 3 * (int64_t)sizeof(double) * count * count;
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
