/* Margins over the maximum norm of a classifier whose outputs are linear in its parameters
 * (margin_rows.h): the least of them over |theta|_max beside the largest that any direction has
 * (box_margin.h), to which steepest descent in that norm comes, sign descent (Gunasekar et al.
 * 2018, arXiv:1802.08246, theorem 5), and Adam (Zhang, Zou and Cao 2024, arXiv:2406.10650).
 *
 * No rows for other models and tasks, nor where samples x (classes - 1) exceed 1000. */
#include "bench/observables/box_margin.h"
#include "bench/observables/margin_rows.h"
#include "bench/observables/shared.h"

#include <math.h>

struct state {
    bool known;
    struct ub_margin_rows rows;
    double hard;
};

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)call;
    struct state *s = state;
    if (!s->known) {
        s->known = true;
        s->rows = ub_margin_rows_of(moment);
        if (s->rows.c && !ub_box_margin(s->rows.count, s->rows.size, s->rows.c, &s->hard))
            return ub_fail(err, UB_INTERNAL, "max-norm-margin: the linear program did not end");
    }
    if (!s->rows.c)
        return true;
    double norm = 0;
    for (int64_t i = 0; i < s->rows.size; i++)
        norm = fmax(norm, fabs(moment->theta[i]));
    ub_record_value(record, moment, "max-norm-hard-margin", 0, s->hard, NAN);
    ub_record_value(record, moment, "max-norm", 0, norm, NAN);
    if (norm > 0)
        ub_record_value(record, moment, "max-norm-margin", 0,
                        ub_margin_rows_least(&s->rows, moment->theta) / norm, NAN);
    return true;
}

static void close_state(void *state)
{
    ub_margin_rows_clear(&((struct state *)state)->rows);
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    int64_t count;
    return 4 * ub_margin_rows_bytes(problem, &count); /* the program's own, with its factors */
}

static const struct ub_quantity rows[] = {
    {.name = "max-norm-margin",
     .units = "units of an output a unit of parameters",
     .meaning = "least margin of the training samples over the largest parameter's size",
     .headline = true,
     .figure = UB_FIGURE_OVER_STEPS,
     .column = "final-",
     .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.01}},
    {.name = "max-norm-hard-margin",
     .units = "units of an output a unit of parameters",
     .meaning = "the largest that any direction has; 0: none separates the samples",
     .column = "",
     .compared = {.kind = UB_COMPARED_EXACT}},
    {.name = "max-norm", .units = "1", .meaning = "the largest parameter's size"},
    {.name = NULL},
};

const struct ub_observable ub_observable_max_norm_margin = {
    .name = "max-norm-margin",
    .summary = "margin of a linear classifier over its largest parameter, and the largest there is",
    .units = "units of an output a unit of parameters",
    .citation = "Gunasekar et al. 2018, arXiv:1802.08246",
    .rows = rows,
    .log_spaced = "40",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close_state,
};
