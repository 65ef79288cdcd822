/* The leading eigenvalues of any matrix of the run at this point, from the top or from both ends,
 * each with its residual bound; the power law of their decay, and how many stand apart.
 *
 * Outliers: of the ranks k in the first half of those known (positive, and above ten times their
 * bound), the one with the largest ratio value_k / value_{k+1} ends them. Where the spectrum has
 * about as many outliers as classes and then a bulk (Sagun et al. 2017, arXiv:1706.04454; Papyan
 * 2020, arXiv:2008.11865), twice the number of classes are to be asked for. */
#include "bench/observables/operators.h"
#include "bench/spectra/random_matrix.h"

#include <math.h>
#include <string.h>

static const char *const ends[] = {"top", "both", NULL};
static const struct ub_option options[] = {
    UB_OPERATOR_OPTIONS,
    {"top", UB_OPTION_INT, "20", 1, 10000, NULL, "number of eigenvalues, at each end"},
    {"ends", UB_OPTION_NAME, "top", 0, 0, ends, "largest only, or smallest too (algebraically)"},
    {"tolerance", UB_OPTION_REAL, "0.0001", 1e-12, 0.5, NULL,
     "residual bound to reach, relative to the largest eigenvalue's size"},
    {"max-products", UB_OPTION_INT, "10000", 1, 1e9, NULL,
     "most products spent on one measurement"},
    UB_FIT_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool check(const struct ub_call *call, const char *where, struct ub_error *err)
{
    return ub_check_operator(call, where, err) && ub_check_fit(call, where, err);
}

static bool both_ends(const struct ub_call *call)
{
    return strcmp(ub_call_get(call, "ends"), "both") == 0;
}

static void record_outliers(struct ub_record *record, const struct ub_moment *moment,
                            const char *title, const double *values, const double *bounds,
                            int64_t n)
{
    char name[UB_TITLE + 16];
    int64_t known = 0;
    while (known < n && values[known] > 10 * bounds[known] && values[known] > 0)
        known++;
    const struct ub_gap gap = ub_largest_gap(values, known, known / 2);
    if (known < 2 || gap.count == 0)
        return;
    snprintf(name, sizeof name, "outliers.%s", title);
    ub_record_value(record, moment, name, UB_OUTLIERS, (double)gap.count, NAN);
    ub_record_value(record, moment, name, UB_OUTLIERS_GAP, gap.ratio, NAN);
}

static void record_pairs(struct ub_record *record, const struct ub_moment *moment,
                         const struct ub_call *call, const struct ub_eigenpairs *found)
{
    char title[UB_TITLE], name[UB_TITLE + 32];
    const int64_t n = found->count, upper = both_ends(call) ? (n + 1) / 2 : n;
    ub_operator_title(call, title);
    snprintf(name, sizeof name, "spectrum.%s", title);
    for (int64_t i = 0; i < upper; i++)
        ub_record_value(record, moment, name, i, found->value[i], found->residual[i]);
    snprintf(name, sizeof name, "spectrum-bottom.%s", title);
    for (int64_t i = 0; i < n - upper; i++)
        ub_record_value(record, moment, name, i, found->value[n - 1 - i],
                        found->residual[n - 1 - i]);
    record_outliers(record, moment, title, found->value, found->residual, upper);
    snprintf(name, sizeof name, "exponent.%s", title);
    ub_record_exponent(record, moment, call, name, found->value, found->residual, upper);
}

static int64_t pairs_of(const struct ub_call *call)
{
    return ub_call_int(call, "top") * (both_ends(call) ? 2 : 1);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct ub_leading *leading = state;
    const struct ub_matrix_choice choice = ub_call_choice(call);
    char title[UB_TITLE], name[UB_TITLE + 16];
    if (!ub_matrix_exists(ub_matrix_find(choice.kind), moment->problem))
        return true;
    const struct ub_lanczos_options wanted = {.count = pairs_of(call),
                                              .which = both_ends(call) ? UB_BOTH_ENDS : UB_LARGEST,
                                              .seed = choice.seed};
    bool known;
    if (!ub_leading_measure(leading, &choice, call, moment, wanted, &known, err))
        return false;
    if (!known)
        return true;
    record_pairs(record, moment, call, &leading->found);
    ub_operator_title(call, title);
    snprintf(name, sizeof name, "spectrum.%s", title);
    ub_leading_cost(leading, record, name);
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    const struct ub_matrix_choice choice = ub_call_choice(call);
    return ub_leading_bytes(&choice, problem, pairs_of(call));
}

static void close(void *state)
{
    ub_leading_clear(state);
}

static const struct ub_quantity rows[] = {
    {
        .name = "spectrum.OPERATOR",
        .index = ub_rank_index,
        .units = "the matrix's",
        .meaning = "largest eigenvalues of the matrix",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    {
        .name = "spectrum-bottom.OPERATOR",
        .index = "rank, 0 the smallest",
        .units = "the matrix's",
        .meaning = "smallest eigenvalues of the matrix",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    UB_EXPONENT_ROW("exponent.OPERATOR", "of the matrix", .headline = true),
    {
        .name = "outliers.OPERATOR",
        .index = "0 how many, 1 the gap: the last outlier over the first of the bulk",
        .units = "1",
        .meaning = "eigenvalues above the largest gap",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_spectrum = {
    .name = "spectrum",
    .summary = "leading eigenvalues of any matrix of the run, their decay and outliers",
    .units = "the matrix's; 1",
    .citation = "Sagun et al. 2017, arXiv:1706.04454; Papyan 2020, arXiv:2008.11865",
    .rows = rows,
    .options = options,
    .at = "0+end",
    .state_bytes = sizeof(struct ub_leading),
    .check = check,
    .title = ub_operator_title,
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
