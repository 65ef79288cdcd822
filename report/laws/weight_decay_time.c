/* The time of weight decay: AdamW's weights are averages of its updates over the last
 * 1/(eta lambda) steps, and the best such time, counted in passes over the training set,
 *
 *     tau = B / (n eta lambda),
 *
 * is the same for all sizes n of it (Wang and Aitchison 2024, arXiv:2405.13698): best decays go as
 * 1/n at a fixed rate, batch and number of passes. Where it is so by theorem: a linear model with
 * l2, trained to its end, is ridge regression, whose best l2 is sigma^2/(n w^2) for isotropic
 * inputs, noise of variance sigma^2 and coefficients of variance w^2 (Dobriban and Wager 2018,
 * arXiv:1507.03003).
 *
 * A group is one system at all sizes and decays. Best is the decay of least test loss at the end,
 * of means over seeds: at each size the vertex of the parabola through the least and its neighbors,
 * log of the loss over log2 of tau (report/statistics/axis.h). The datum is the slope of log tau on
 * log n, its error the jackknife's over seeds: 0 as the law has it, -1 where one decay is best for
 * all n.
 *
 * Not blind: that the optimum is of means over seeds, and the margin, were settled after a pilot
 * whose slopes were -0.4 to -0.6, beyond any margin below half of the way to -1. */
#include "report/laws/decay_time.h"

#include <math.h>

enum { LEAST_DECAYS = 5, LEAST_SIZES = 3 };

/* ---- which runs ----------------------------------------------------------------------------- */

const char *const ub_decay_time_within[] = {"optimizer.decay", "optimizer.l2", "optimizer.batch",
                                            "dataset.size",    "steps",        NULL};

static double decay_of(const struct ub_frame *frame, size_t row)
{
    const double decoupled = ub_frame_number(frame, row, "optimizer.decay");
    return decoupled > 0 ? decoupled : ub_frame_number(frame, row, "optimizer.l2");
}

double ub_run_decay_epochs(const struct ub_frame *frame, size_t row)
{
    const double decay = decay_of(frame, row), n = ub_frame_number(frame, row, "dataset.size");
    const double batch = ub_frame_number(frame, row, "optimizer.batch");
    const double rate = ub_frame_number(frame, row, "optimizer.lr");
    return decay > 0 ? (batch > 0 ? batch : n) / (n * rate * decay) : (double)NAN;
}

static bool is_adamw(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer", "adamw") && ub_run_measures(frame, row, "loss") &&
           ub_frame_number(frame, row, "optimizer.decay") > 0;
}

static bool is_in(const struct ub_column *c, const struct ub_rows *group, size_t count, int level)
{
    for (size_t i = 0; i < count; i++)
        if (c->level[group->row[i]] == level)
            return true;
    return false;
}

static size_t words_of(const struct ub_frame *frame, const struct ub_rows *group, const char *axis)
{
    const struct ub_column *c = ub_frame_column(frame, axis);
    size_t n = 0;
    for (size_t i = 0; c && i < group->count; i++)
        n += !is_in(c, group, i, c->level[group->row[i]]);
    return n;
}

/* Other suites' runs have one decay, or one size. */
static bool has_sweep(const struct ub_frame *frame, const struct ub_rows *group)
{
    return words_of(frame, group, "dataset.size") >= LEAST_SIZES &&
           (words_of(frame, group, "optimizer.decay") >= LEAST_DECAYS ||
            words_of(frame, group, "optimizer.l2") >= LEAST_DECAYS);
}

/* ---- the best ------------------------------------------------------------------------------- */

/* Draws of weights, batches and of data count as one kind of replicate. */
static int draw_of(const struct ub_frame *frame, size_t row)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    const struct ub_column *data_seed = ub_frame_column(frame, "data-seed");
    return seed->level[row] * (int)data_seed->n_words + data_seed->level[row];
}

static bool is_of_size(const struct ub_frame *frame, size_t a, size_t b)
{
    const struct ub_column *size = ub_frame_column(frame, "dataset.size");
    return size->level[a] == size->level[b];
}

static bool is_first_size(const struct ub_frame *frame, const struct ub_rows *group, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (is_of_size(frame, group->row[k], group->row[i]))
            return false;
    return true;
}

/* tau of least mean test loss among runs of this one's size, but for one draw; NAN: at an end of
 * the decays. What diverged has no say: its neighbors are worse than the best, too. */
static double best_beside(const struct ub_frame *frame, const struct ub_rows *group, size_t like,
                          int without)
{
    struct ub_axis_point *p = ub_calloc(group->count + 1, sizeof *p);
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        const double loss = ub_run_last(frame, row, "test-loss");
        if (is_of_size(frame, like, row) && isfinite(loss) && draw_of(frame, row) != without)
            p[n++] =
                (struct ub_axis_point){ub_run_decay_epochs(frame, row), loss, draw_of(frame, row)};
    }
    bool inside = false;
    const double best = n >= 3 ? ub_axis_minimum(p, n, &inside).estimate : (double)NAN;
    ub_free(p);
    return inside ? exp2(best) : (double)NAN;
}

/* Slope of log tau on log n of means over all draws but one; NAN: the best is at an end. */
static double slope_without(const struct ub_frame *frame, const struct ub_rows *group, int without)
{
    struct ub_axis_point *p = ub_calloc(group->count + 1, sizeof *p);
    size_t n = 0;
    bool inside = true;
    for (size_t i = 0; i < group->count; i++) {
        if (!is_first_size(frame, group, i))
            continue;
        const double best = best_beside(frame, group, group->row[i], without);
        inside = inside && isfinite(best);
        p[n++] =
            (struct ub_axis_point){ub_frame_number(frame, group->row[i], "dataset.size"), best, 0};
    }
    const double slope = inside ? ub_axis_slope(p, n).estimate : (double)NAN;
    ub_free(p);
    return slope;
}

/* The jackknife's error over draws; NAN with fewer than three, or where one decides whether the
 * best is inside. */
static double error_of(const struct ub_frame *frame, const struct ub_rows *group, double *df)
{
    double *x = ub_calloc(group->count + 1, sizeof *x);
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        bool is_new = true;
        for (size_t k = 0; k < i && is_new; k++)
            is_new = draw_of(frame, group->row[k]) != draw_of(frame, group->row[i]);
        if (is_new)
            x[n++] = slope_without(frame, group, draw_of(frame, group->row[i]));
    }
    *df = (double)n - 1;
    const double se = n >= 3 ? ub_deviation(x, n) * (double)(n - 1) / sqrt((double)n) : (double)NAN;
    ub_free(x);
    return se;
}

/* Whether all runs take as many passes, to a step. */
static bool same_epochs(const struct ub_frame *frame, const struct ub_rows *group)
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        const double n = ub_frame_number(frame, row, "dataset.size");
        const double batch = ub_frame_number(frame, row, "optimizer.batch");
        const double each = n / (batch > 0 ? batch : n);
        least = fmin(least, (ub_frame_number(frame, row, "steps") + 0.5) / each);
        most = fmax(most, (ub_frame_number(frame, row, "steps") - 0.5) / each);
    }
    return most <= least;
}

static struct ub_datum slope(const struct ub_frame *frame, const struct ub_rows *group)
{
    if (!same_epochs(frame, group))
        return (struct ub_datum){.why =
                                     ub_group_why(frame, group, "not as many passes at all sizes")};
    struct ub_datum d = {.value = slope_without(frame, group, -1)};
    if (!isfinite(d.value))
        return (struct ub_datum){
            .why = ub_group_why(frame, group,
                                "the best decay is the least or the largest at some size")};
    d.se = error_of(frame, group, &d.df);
    return d;
}

const struct ub_law ub_law_weight_decay_time = {
    .name = "weight-decay-time",
    .strand = UB_HYPERPARAMETERS,
    .claim =
        "the best time 1/(rate x decay) of AdamW, in passes, does not depend on the data's size",
    .formula = "argmin_lambda L(n; lambda) = B/(n eta tau), tau ~ n^0",
    .quantity = "slope of log best 1/(rate x decay), in passes, on log samples",
    .citation = "Wang and Aitchison 2024, arXiv:2405.13698",
    .who = "AdamW over five decays or more at each of three sizes or more, as many passes each",
    .because = "a quarter of the slope, -1, of a decay that is best at all sizes",
    .within = ub_decay_time_within,
    .needs = {{.observable = "loss"}, {.axis = "dataset.size", .least = LEAST_SIZES}},
    .applies = is_adamw,
    .concerns = has_sweep,
    .datum = slope,
    .is = {UB_EQUAL, .target = 0, .margin = 0.25},
};
