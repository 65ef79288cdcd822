/* What the last hidden layer makes of a few inputs, comparable across runs of any width: the Gram
 * matrix K_ij = h_i . h_j / width of its activations on a fixed probe set, entries above the
 * diagonal. Two runs' representations are compared by these alone (debiased linear CKA, which knows
 * them up to rotation and scale and leaves the diagonal out: report/statistics/alignment.h;
 * Kornblith et al. 2019, arXiv:1905.00414).
 *
 * The fact representation.probe tells probe sets apart: 48 bits of a hash of their inputs. Models
 * without a hidden layer have no rows. */
#include "bench/observables/shared.h"

#include <cblas.h>
#include <math.h>

static const char *const splits[] = {"train", "test", NULL};

static const struct ub_option options[] = {
    {"samples", UB_OPTION_INT, "50", 4, 1000, NULL, "first samples of the split that are probed"},
    {"split", UB_OPTION_NAME, "train", 0, 0, splits, "whose samples: train, test"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct state {
    struct ub_problem *probe;
    int64_t samples, width;
    int layer;
    double *hidden, *gram; /* samples x width, samples x samples */
};

static const struct ub_split *split_of(const struct ub_call *call, const struct ub_problem *problem)
{
    const struct ub_dataset *d = ub_problem_data(problem);
    return ub_call_get(call, "split")[1] == 'e' ? &d->test : &d->train;
}

static int64_t count_of(const struct ub_call *call, const struct ub_problem *problem)
{
    const int64_t asked = ub_call_int(call, "samples"), all = split_of(call, problem)->count;
    return asked < all ? asked : all;
}

static bool open_state(struct state *s, const struct ub_call *call, const struct ub_moment *moment,
                       struct ub_record *record, struct ub_error *err)
{
    const struct ub_split *split = split_of(call, moment->problem);
    const struct ub_dataset *d = ub_problem_data(moment->problem);
    s->samples = count_of(call, moment->problem);
    s->layer = ub_problem_hidden_count(moment->problem) - 1;
    s->width = ub_problem_hidden_width(moment->problem, s->layer);
    s->probe = ub_problem_on_inputs(moment->problem, s->samples, split->inputs, err);
    if (!s->probe)
        return false;
    s->hidden = ub_calloc((size_t)(s->samples * s->width), sizeof *s->hidden);
    s->gram = ub_calloc((size_t)(s->samples * s->samples), sizeof *s->gram);
    const size_t bytes = (size_t)(s->samples * d->features) * sizeof *split->inputs;
    record->fact(record->context, "representation.probe",
                 (double)(ub_hash(split->inputs, bytes) >> 16));
    return true;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    if (ub_problem_hidden_count(moment->problem) == 0 || count_of(call, moment->problem) < 4)
        return true;
    if (!s->probe && !open_state(s, call, moment, record, err))
        return false;
    const int n = (int)s->samples, width = (int)s->width;
    ub_problem_hidden(s->probe, s->layer, moment->theta, s->hidden);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, width, 1 / (double)width, s->hidden,
                width, s->hidden, width, 0, s->gram, n);
    for (int i = 0; i < n * n; i++)
        if (!isfinite(s->gram[i]))
            return true; /* the run diverges, and says so itself */
    int64_t place = 0;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            ub_record_value(record, moment, "representation-entry", place++, s->gram[i * n + j],
                            NAN);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_problem_free(s->probe);
    ub_free(s->hidden);
    ub_free(s->gram);
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    const int last = ub_problem_hidden_count(problem) - 1;
    const int64_t n = count_of(call, problem);
    return last < 0 ? 0
                    : n * (ub_problem_hidden_width(problem, last) + n) * (int64_t)sizeof(double);
}

static const char entry_index[] = "place above the diagonal, row by row, from 0";
static const struct ub_quantity rows[] = {
    {
        .name = "representation-entry",
        .index = entry_index,
        .units = "activation squared",
        .meaning = "product of the last hidden layer's activations on two probed inputs, mean over "
                   "units",
        .headline = true,
        .column = "",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-9},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_representation = {
    .name = "representation",
    .summary = "Gram matrix of the last hidden layer on a fixed probe set, to compare runs by",
    .units = "activation squared",
    .citation = "Kornblith et al. 2019, arXiv:1905.00414",
    .rows = rows,
    .options = options,
    .at = "0+end",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
