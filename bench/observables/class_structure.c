/* Gauss-Newton by class (Papyan 2020, arXiv:2008.11865; formulas in bench/curvature/curvature.h):
 * eigenvalues of the parts that class means make, and which part makes up the leading eigenvalues
 * of the whole. */
#include "bench/observables/operators.h"

#include <math.h>

static const struct ub_option options[] = {
    {"top", UB_OPTION_INT, "20", 1, 10000, NULL,
     "eigenvalues of Gauss-Newton that are taken apart"},
    {"tolerance", UB_OPTION_REAL, "0.001", 1e-12, 0.5, NULL,
     "residual bound to reach, relative to the largest eigenvalue's size"},
    {"max-products", UB_OPTION_INT, "10000", 1, 1e9, NULL,
     "most products spent on one measurement"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static const char *const part_names[UB_PARTS] = {
    [UB_PART_CLASS] = "class",         [UB_PART_CROSS] = "cross-class",
    [UB_PART_WITHIN] = "within-class", [UB_PART_SAME] = "same-class",
    [UB_PART_SAME_MEAN] = "same-mean",
};

static bool record_parts(struct ub_record *record, const struct ub_moment *moment,
                         struct ub_error *err)
{
    const struct ub_matrix_point at = ub_moment_point(moment);
    struct ub_class_structure s;
    if (!ub_class_structure_find(&s, &at, err))
        return false;
    const int64_t k = s.classes;
    for (int64_t i = 0; i < k; i++)
        ub_record_value(record, moment, "class-structure.class", i, s.class_values[i], NAN);
    for (int64_t i = 0; i < k * (k - 1); i++)
        ub_record_value(record, moment, "class-structure.cross-class", i, s.cross_values[i], NAN);
    for (int64_t i = 0; i < k; i++)
        ub_record_value(record, moment, "class-structure.same-mean", i, s.same_values[i], NAN);
    ub_class_structure_clear(&s);
    return true;
}

static bool record_shares(struct ub_record *record, const struct ub_moment *moment,
                          const struct ub_eigenpairs *found, struct ub_error *err)
{
    const struct ub_matrix_point at = ub_moment_point(moment);
    double *shares = ub_calloc((size_t)found->count, UB_PARTS * sizeof *shares);
    const bool good = ub_class_shares(&at, found->count, found->vectors, shares, err);
    for (int64_t i = 0; good && i < found->count; i++) {
        ub_record_value(record, moment, "class-structure.gauss-newton", i, found->value[i],
                        found->residual[i]);
        const double *of = shares + i * UB_PARTS;
        const double whole =
            of[UB_PART_CLASS] + of[UB_PART_CROSS] + of[UB_PART_WITHIN] + of[UB_PART_SAME];
        for (int part = 0; whole > 0 && part < UB_PARTS; part++) {
            char name[64];
            snprintf(name, sizeof name, "class-share.%s", part_names[part]);
            ub_record_value(record, moment, name, i, of[part] / whole, NAN);
        }
    }
    ub_free(shares);
    return good;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct ub_leading *leading = state;
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    if (data->task != UB_CLASSIFICATION || data->outputs > UB_MOST_CLASSES)
        return true;
    const struct ub_lanczos_options wanted = {.count = ub_call_int(call, "top"),
                                              .which = UB_LARGEST};
    bool known;
    if (!ub_leading_measure(leading, &(struct ub_matrix_choice){.kind = "gauss-newton"}, call,
                            moment, wanted, &known, err))
        return false;
    if (!known)
        return true;
    record->fact(record->context, "classes", (double)data->outputs);
    ub_leading_cost(leading, record, "class-structure");
    return record_parts(record, moment, err) && record_shares(record, moment, &leading->found, err);
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    enum { BLOCK = 8 };
    const struct ub_dataset *data = ub_problem_data(problem);
    const int64_t k = data->outputs, z = data->train.count * ub_positions(data) * k;
    if (data->task != UB_CLASSIFICATION || k > UB_MOST_CLASSES)
        return 0;
    const int64_t doubles = k * k * k * k + BLOCK * (ub_problem_size(problem) + 3 * z);
    return ub_leading_bytes(&(struct ub_matrix_choice){.kind = "gauss-newton"}, problem,
                            ub_call_int(call, "top")) +
           doubles * (int64_t)sizeof(double) + ub_problem_jacobian_bytes(problem);
}

static void close(void *state)
{
    ub_leading_clear(state);
}

static const struct ub_quantity rows[] = {
    {
        .name = "class-structure.gauss-newton",
        .index = ub_rank_index,
        .units = "loss per unit of parameter squared",
        .meaning = "leading eigenvalues of Gauss-Newton's matrix",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    {
        .name = "class-structure.class",
        .index = ub_rank_index,
        .units = "loss per unit of parameter squared",
        .meaning = "eigenvalues of its part by class means",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    {
        .name = "class-structure.cross-class",
        .index = ub_rank_index,
        .units = "loss per unit of parameter squared",
        .meaning = "eigenvalues of its part by cross-class means",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    {
        .name = "class-structure.same-mean",
        .index = ub_rank_index,
        .units = "loss per unit of parameter squared",
        .meaning = "eigenvalues of its part by means of the labels' own outputs",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    {
        .name = "class-share.PART",
        .index = "rank of the eigenvalue of Gauss-Newton, 0 the largest",
        .units = "1",
        .meaning = "share of the eigenvalue that this part of Gauss-Newton makes up",
        .headline = true,
        .figure = UB_FIGURE_OVER_INDEX,
        .column = "final-",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.01},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_class_structure = {
    .name = "class-structure",
    .summary = "Gauss-Newton's leading eigenvalues taken apart by class; none for a regression",
    .units = "loss per unit of parameter squared; 1",
    .citation = "Papyan 2020, arXiv:2008.11865",
    .rows = rows,
    .options = options,
    .at = "0+end",
    .state_bytes = sizeof(struct ub_leading),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
