/* Eigenvalues of the empirical neural tangent kernel J J'/N on the training samples (Jacot et al.
 * 2018, arXiv:1806.07572): all of them where the kernel is small, else the leading ones; and how
 * the kernel lies to the targets y, of which each output is one number of a vector:
 *
 *     alignment  y'Ky / (|y|^2 |K|_F)   (Cristianini et al. 2001, NIPS; Kornblith et al. 2019,
 *                arXiv:1905.00414: of kernels not centered)
 *
 * is written where all eigenvalues are known, as |K|_F is their root sum of squares. */
#include "bench/observables/operators.h"

#include <math.h>
#include <string.h>

static const char *const outputs[] = {"each", "mean", NULL};
static const struct ub_option options[] = {
    {"outputs", UB_OPTION_NAME, "each", 0, 0, outputs,
     "over samples and outputs, or over samples with the mean over outputs"},
    {"dense", UB_OPTION_INT, "2000", 0, 100000, NULL,
     "all are found where that takes no more products with J J'"},
    {"top", UB_OPTION_INT, "100", 1, 10000, NULL, "number of eigenvalues elsewhere"},
    {"tolerance", UB_OPTION_REAL, "0.0001", 1e-12, 0.5, NULL,
     "residual bound to reach, relative to the largest eigenvalue's size"},
    {"max-products", UB_OPTION_INT, "10000", 1, 1e9, NULL,
     "most products spent on one measurement"},
    UB_FIT_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static struct ub_matrix_choice choice_of(const struct ub_call *call)
{
    const bool mean = strcmp(ub_call_get(call, "outputs"), "mean") == 0;
    return (struct ub_matrix_choice){.kind = mean ? "ntk-mean" : "ntk"};
}

static void title(const struct ub_call *call, char out[UB_TITLE])
{
    snprintf(out, UB_TITLE, "%s", choice_of(call).kind);
}

/* The mean over outputs is as many products with J J' for each of its own: in all, one for each
 * number of the outputs either way. */
static int64_t count_of(const struct ub_call *call, const struct ub_problem *problem)
{
    const struct ub_matrix_choice each = {.kind = "ntk"}, choice = choice_of(call);
    return ub_matrix_size(&each, problem) <= ub_call_int(call, "dense")
               ? ub_matrix_size(&choice, problem)
               : ub_call_int(call, "top");
}

/* y'Ky/|y|^2 from the eigenpairs of the whole of K, targets of one position. */
static void record_alignment(struct ub_record *record, const struct ub_moment *moment,
                             const char *name, const struct ub_eigenpairs *all)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const double *y = data->train.targets;
    if (all->n != data->train.count * data->outputs || ub_positions(data) > 1)
        return;
    double along = 0, squares = 0, size = 0;
    for (int64_t k = 0; k < all->count; k++) {
        double dot = 0;
        for (int64_t i = 0; i < all->n; i++)
            dot += all->vectors[k * all->n + i] * y[i];
        along += all->value[k] * dot * dot;
        squares += all->value[k] * all->value[k];
    }
    for (int64_t i = 0; i < all->n; i++)
        size += y[i] * y[i];
    if (size > 0 && squares > 0)
        ub_record_value(record, moment, name, 0, along / (size * sqrt(squares)), NAN);
}

static void record_all(struct ub_record *record, const struct ub_moment *moment,
                       const struct ub_call *call, const struct ub_eigenpairs *found)
{
    char which[UB_TITLE], name[UB_TITLE + 32];
    title(call, which);
    snprintf(name, sizeof name, "kernel-spectrum.%s", which);
    for (int64_t i = 0; i < found->count; i++)
        ub_record_value(record, moment, name, i, found->value[i], found->residual[i]);
    snprintf(name, sizeof name, "exponent.kernel.%s", which); /* spectrum has exponent.ntk */
    ub_record_exponent(record, moment, call, name, found->value, found->residual, found->count);
    if (found->count < found->n)
        return;
    ub_record_scalars(record, moment, which, found->value, found->n);
    snprintf(name, sizeof name, "kernel-alignment.%s", which);
    record_alignment(record, moment, name, found);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct ub_leading *leading = state;
    const struct ub_matrix_choice choice = choice_of(call);
    char which[UB_TITLE], name[UB_TITLE + 32];
    const struct ub_lanczos_options wanted = {.count = count_of(call, moment->problem),
                                              .which = UB_LARGEST};
    bool known;
    if (!ub_leading_measure(leading, &choice, call, moment, wanted, &known, err))
        return false;
    if (!known)
        return true;
    record_all(record, moment, call, &leading->found);
    title(call, which);
    snprintf(name, sizeof name, "kernel-spectrum.%s", which);
    ub_leading_cost(leading, record, name);
    return true;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    const struct ub_matrix_choice choice = choice_of(call);
    return ub_leading_bytes(&choice, problem, count_of(call, problem));
}

static void close(void *state)
{
    ub_leading_clear(state);
}

static const struct ub_quantity rows[] = {
    {
        .name = "kernel-spectrum.OPERATOR",
        .index = ub_rank_index,
        .units = "output squared per unit of parameter squared",
        .meaning = "eigenvalues of the neural tangent kernel",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    UB_EXPONENT_ROW("exponent.kernel.OPERATOR", "of the neural tangent kernel", .headline = true),
    UB_SCALAR_ROWS("OPERATOR", "of the whole neural tangent kernel"),
    {
        .name = "kernel-alignment.OPERATOR",
        .units = "1",
        .meaning = "cosine of the whole kernel with the targets' outer product",
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_kernel_spectrum = {
    .name = "kernel-spectrum",
    .summary = "eigenvalues of the neural tangent kernel, their decay, alignment with targets",
    .units = "output squared per unit of parameter squared; 1",
    .citation = "Jacot et al. 2018, arXiv:1806.07572; Fan and Wang 2020, arXiv:2005.11879",
    .rows = rows,
    .options = options,
    .at = "0+end",
    .state_bytes = sizeof(struct ub_leading),
    .check = ub_check_fit,
    .title = title,
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
