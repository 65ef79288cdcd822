/* What symmetries conserve (Kunin et al. 2021, arXiv:2012.04728; formulas and how the weights are
 * found: bench/observables/symmetry.c). Two laws, exact at any rate, of gradient descent and of
 * stochastic gradient descent with coupled decay, c = 1 - eta l2:
 *
 *   noether          a weight that a norm comes after is orthogonal to its gradient, so that
 *                    |w(t+1)|^2 = c^2 |w(t)|^2 + eta^2 |g|^2. Of mini-batches g is that of the
 * step, (c w(t) - w(t+1))/eta: what is tested is that it is orthogonal to w noether-softmax
 * gradients of a softmax's readout sum to 0 over classes, so that 1'W(t+1) = c 1'W(t), biases
 * included
 *
 * Norms add an epsilon to the variance, which leaves <g, w> = mean of <dl/dy, y> epsilon/(variance
 * + epsilon) over samples, y what the norm puts out: with the usual 1e-5 the identity is missed by
 * 1e-6 to 1e-4 a step at half the edge of stability, so that the law speaks of smaller ones. */
#include "report/laws/group.h"
#include "report/laws/symmetry.h"

#include <math.h>
#include <string.h>

bool ub_is_plain_descent(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer", "gd") ||
           (ub_run_is(frame, row, "optimizer", "sgd") &&
            ub_frame_number(frame, row, "optimizer.beta") == 0);
}

static bool is_followed(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures_with(frame, row, "symmetry", "every", "1") &&
           ub_run_measures_with(frame, row, "symmetry", "means", "1") &&
           ub_is_plain_descent(frame, row) && ub_run_is(frame, row, "precision", "f64");
}

/* ---- norms ---- */

static bool is_scale_free(const struct ub_frame *frame, size_t row)
{
    return is_followed(frame, row) && ub_is_normed(frame, row);
}

static double norm_miss_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    const struct ub_trace *t = ub_frame_trace(frame, row);
    if (!t || frame->store->runs[row].status != UB_RUN_OK)
        return (double)NAN;
    size_t n;
    bool *is_free = ub_scale_free_weights(t, &n);
    double most = (double)NAN;
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->observable[i], "norm-residual") == 0 && (size_t)t->index[i] < n &&
            is_free[t->index[i]])
            most = fmax(most, t->value[i]);
    ub_free(is_free);
    return most;
}

static struct ub_datum norm_miss(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, norm_miss_of, NULL, "no two steps in a row were measured");
}

const struct ub_law ub_law_noether = {
    .name = "noether",
    .strand = UB_SOLVABLE,
    .claim = "the norm of a weight before a norm grows by the square of each step alone",
    .formula = "|w(t+1)|^2 = (1 - eta l2)^2 |w(t)|^2 + eta^2 |g|^2, as <g, w> = 0",
    .quantity = "largest miss of the identity over steps and weights, of the weight's square",
    .citation = "Kunin et al. 2021, arXiv:2012.04728",
    .who = "networks with norms of negligible epsilon, by (stochastic) gradient descent in f64",
    .because = "rounding and an epsilon of 1e-12 leave 1e-11; terms of first order are 1e-3",
    .needs = {{.observable = "symmetry"}},
    .applies = is_scale_free,
    .datum = norm_miss,
    .is = {UB_AT_MOST, .target = 1e-6},
};

/* ---- the softmax's readout ---- */

static bool has_softmax(const struct ub_frame *frame, size_t row)
{
    return is_followed(frame, row) && ub_run_is(frame, row, "loss", "ce") &&
           !ub_run_is(frame, row, "model.fixed-readout", "true");
}

static double sum_miss_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    struct ub_series s = ub_frame_series(frame, row, "class-sum-residual", 0);
    double most = (double)NAN;
    for (size_t i = 0; i < s.count && frame->store->runs[row].status == UB_RUN_OK; i++)
        most = fmax(most, s.value[i]);
    ub_series_clear(&s);
    return most;
}

static struct ub_datum sum_miss(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, sum_miss_of, NULL, "no readout was found");
}

const struct ub_law ub_law_noether_softmax = {
    .name = "noether-softmax",
    .strand = UB_SOLVABLE,
    .claim = "the sum of a softmax's readout over classes changes by decay alone",
    .formula = "1'W(t+1) = (1 - eta l2) 1'W(t), as 1'G = 0",
    .quantity = "largest miss of the identity over steps, of the readout's norm",
    .citation = "Kunin et al. 2021, arXiv:2012.04728",
    .who = "networks that train a readout under cross-entropy, by (stochastic) gradient descent in "
           "f64",
    .because =
        "rounding leaves 1e-14; under squared loss a step's own size, 1e-3 and more, is left",
    .needs = {{.observable = "symmetry"}},
    .applies = has_softmax,
    .datum = sum_miss,
    .is = {UB_AT_MOST, .target = 1e-6},
};
