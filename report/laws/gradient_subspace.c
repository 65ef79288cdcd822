/* The gradient lies in the Hessian's top eigenspace, and does not need it. Two laws:
 *
 * gradient-subspace: late in training most of the gradient, 0.7 of its square or more, is within
 * the eigenspace of as many top eigenvectors as there are classes (Gur-Ari, Roberts and Dyer 2018,
 * arXiv:1812.04754). The datum is the mean over measurements in the second half of training.
 *
 * bulk-descent: yet from a step on, training with that part of every gradient projected out lowers
 * the loss as well (Song, Ahn and Yun 2024, arXiv:2405.16002):
 *
 *     (L(t0) - L_bulk(end)) / (L(t0) - L(end)) = 1 +- 0.2,
 *
 * t0 the step from which on gradients are projected (systems/optimizers/gd.c); up to it both are
 * one training. */
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

/* ---- the share ------------------------------------------------------------------------------ */

static bool measured(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "gradient-subspace");
}

static double late_share(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    const double steps = ub_frame_number(frame, row, "steps");
    double sum = 0, n = 0;
    if (frame->store->runs[row].status != UB_RUN_OK)
        return (double)NAN;
    struct ub_series s = ub_frame_series(frame, row, "gradient-subspace", 0);
    for (size_t i = 0; i < s.count; i++)
        if (2 * s.step[i] >= steps) {
            sum += s.value[i];
            n++;
        }
    ub_series_clear(&s);
    return n > 0 ? sum / n : (double)NAN;
}

static struct ub_datum share(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, late_share, NULL, "not measured late");
}

const struct ub_law ub_law_gradient_subspace = {
    .name = "gradient-subspace",
    .strand = UB_UNIVERSAL,
    .claim = "late in training the gradient lies mostly in the Hessian's top eigenspace, one "
             "eigenvector a class",
    .formula = "sum_{i <= C} <g, u_i>^2 / |g|^2 >= 0.7 over the second half of training",
    .quantity = "share of the squared gradient in the top eigenspace",
    .citation = "Gur-Ari, Roberts and Dyer 2018, arXiv:1812.04754",
    .who = "classifiers whose gradient is measured against as many eigenvectors as classes",
    .because = "the bound is what the paper's figures show from the first epochs on",
    .needs = {{.observable = "gradient-subspace"}},
    .applies = measured,
    .datum = share,
    .is = {UB_AT_LEAST, .target = 0.7},
};

/* ---- without it ----------------------------------------------------------------------------- */

static bool projected(const struct ub_frame *frame, size_t row)
{
    return ub_frame_number(frame, row, "optimizer.project-from") > 0 &&
           !ub_run_is(frame, row, "optimizer.project", "dominant") &&
           ub_run_measures(frame, row, "loss");
}

/* L(t0) - L(end); NAN where either was not measured. */
static double decrease(const struct ub_frame *frame, size_t row)
{
    const double from = ub_frame_number(frame, row, "optimizer.project-from");
    double at = (double)NAN, end = (double)NAN;
    if (frame->store->runs[row].status != UB_RUN_OK)
        return end;
    struct ub_series s = ub_frame_series(frame, row, "loss", 0);
    for (size_t i = 0; i < s.count; i++) {
        at = s.step[i] == from ? s.value[i] : at;
        end = s.value[i];
    }
    ub_series_clear(&s);
    return at - end;
}

/* Ratios of runs with one seed; *fails: some training survived only with the part. */
static size_t ratios(const struct ub_frame *frame, const struct ub_rows *group, double *ratio,
                     bool *fails)
{
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++)
        for (size_t j = 0; j < group->count; j++) {
            const size_t bulk = group->row[i], whole = group->row[j];
            if (!ub_run_is(frame, bulk, "optimizer.project", "bulk") ||
                !ub_run_is(frame, whole, "optimizer.project", "none") ||
                !ub_run_is(frame, bulk, "seed", ub_frame_word(frame, whole, "seed")))
                continue;
            const double down = decrease(frame, whole);
            ratio[n] = decrease(frame, bulk) / down;
            *fails = *fails || (down > 0 && frame->store->runs[bulk].status == UB_RUN_DIVERGED);
            n += down > 0 && isfinite(ratio[n]) ? 1 : 0;
        }
    return n;
}

static struct ub_datum bulk_ratio(const struct ub_frame *frame, const struct ub_rows *group)
{
    double *ratio = ub_calloc(group->count * group->count + 1, sizeof *ratio);
    bool fails = false;
    const size_t n = ratios(frame, group, ratio, &fails);
    struct ub_interval mean = ub_sample_mean(ratio, n);
    ub_free(ratio);
    if (fails)
        return (struct ub_datum){.why = "without the dominant part it diverged", .against = true};
    if (n < 2)
        mean.se = (double)NAN;
    struct ub_datum d = ub_datum_of(
        &mean, ub_group_why(frame, group, "no two runs of one seed whose loss fell from there on"));
    d.runs = d.why ? 0 : n;
    return d;
}

static const char *const within[] = {"optimizer.project", NULL};

const struct ub_law ub_law_bulk_descent = {
    .name = "bulk-descent",
    .strand = UB_UNIVERSAL,
    .claim = "training with the gradient's part in the top eigenspace projected out lowers the "
             "loss as well",
    .formula = "(L(t0) - L_bulk(end)) / (L(t0) - L(end)) = 1",
    .quantity = "decrease of the loss without the dominant part, over that with it",
    .citation = "Song, Ahn and Yun 2024, arXiv:2405.16002",
    .who = "gradient descent, with and without its projection from one step on",
    .because = "a fifth of the decrease is what the paper's curves are apart",
    .within = within,
    .needs = {{.observable = "loss"}, {.axis = "optimizer.project", .least = 2}},
    .applies = projected,
    .datum = bulk_ratio,
    .is = {UB_EQUAL, .target = 1, .margin = 0.2},
};
