/* Spectral bias: along an eigenvector of the neural tangent kernel at the start, of eigenvalue mu
 * of J J'/n, the residual decays at the rate mu, so that its half-life falls as 1/mu (Rahaman et
 * al. 2019, arXiv:1806.08734; Bordelon, Canatar and Pehlevan 2020, arXiv:2002.02561;
 * bench/observables/kernel_modes.c): exact for models linear in their parameters, and true of
 * networks as far as their kernel stays.
 *
 * Modes are chosen by the start alone: their predicted half-life ln 2/mu is four steps at least and
 * a quarter of the run at most, and they have 1e-4 of the squared residual. One that never halves
 * counts with the whole run's time, four times its prediction and more: against the claim. */
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

static const double least_share = 1e-4, least_steps = 4, largest_part = 0.25, least_stretch = 10;
enum { LEAST_MODES = 5 };

/* Without them the kernel stays as it is, and the claim is a theorem: no evidence. */
static bool has_hidden_layers(const struct ub_frame *frame, size_t row)
{
    return *ub_frame_word(frame, row, "model.width") &&
           !ub_run_is(frame, row, "model", "random-features");
}

static bool is_descent(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "kernel-modes") && has_hidden_layers(frame, row) &&
           ub_run_is(frame, row, "optimizer", "gd") && ub_run_on_all_samples(frame, row) &&
           ub_run_is_plain(frame, row) && ub_run_is(frame, row, "loss", "mse");
}

struct mode {
    double rate, share, half_life;
};

/* A run's modes by index; caller frees. */
static struct mode *modes_of(const struct ub_frame *frame, size_t row, size_t *count)
{
    const struct ub_trace *t = ub_frame_trace(frame, row);
    *count = 0;
    for (size_t i = 0; t && i < t->count; i++)
        if (strcmp(t->observable[i], "kernel-mode-rate") == 0 && (size_t)t->index[i] >= *count)
            *count = (size_t)t->index[i] + 1;
    struct mode *modes = ub_calloc(*count + 1, sizeof *modes);
    for (size_t i = 0; t && i < t->count; i++) {
        const bool known = t->index[i] >= 0 && (size_t)t->index[i] < *count;
        struct mode *m = known ? &modes[t->index[i]] : &modes[*count];
        if (strcmp(t->observable[i], "kernel-mode-rate") == 0)
            m->rate = t->value[i];
        else if (strcmp(t->observable[i], "kernel-mode-share") == 0)
            m->share = t->value[i];
        else if (strcmp(t->observable[i], "kernel-mode-half-life") == 0)
            m->half_life = t->value[i];
    }
    return modes;
}

/* Adds a run's points; how many. None where they are too few, or too alike. */
static size_t add_points(const struct ub_frame *frame, size_t row, int replicate,
                         struct ub_axis_point **points, size_t n)
{
    const double lr = ub_frame_number(frame, row, "optimizer.lr");
    const double end = lr * ub_frame_number(frame, row, "steps");
    size_t count, kept = 0;
    double least = INFINITY, most = 0;
    struct mode *modes = modes_of(frame, row, &count);
    *points = ub_realloc(*points, (n + count + 1) * sizeof **points);
    for (size_t k = 0; k < count && frame->store->runs[row].status == UB_RUN_OK; k++) {
        const double predicted = log(2) / modes[k].rate;
        if (!(predicted >= least_steps * lr && predicted <= largest_part * end &&
              modes[k].share >= least_share))
            continue;
        least = fmin(least, modes[k].rate);
        most = fmax(most, modes[k].rate);
        (*points)[n + kept++] = (struct ub_axis_point){
            modes[k].rate, modes[k].half_life > 0 ? modes[k].half_life : end, replicate};
    }
    ub_free(modes);
    return kept >= LEAST_MODES && most >= least_stretch * least ? kept : 0;
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    for (size_t i = 0; i < group->count; i++)
        trend->count += add_points(frame, group->row[i], (int)i, &trend->point, trend->count);
    trend->room = trend->count;
}

static const struct ub_law_trend trend = {
    .points = points, .x = "eigenvalue mu", .y = "half-life [rate x steps]", .is_slope = true};

static struct ub_datum slope(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct ub_trend t = {0};
    points(frame, group, &t);
    const struct ub_interval slope = ub_axis_slope(t.point, t.count);
    ub_trend_clear(&t);
    return ub_datum_of(&slope, "fewer than five modes over a decade of rates");
}

const struct ub_law ub_law_spectral_bias = {
    .name = "spectral-bias",
    .strand = UB_UNIVERSAL,
    .claim = "modes of the kernel at the start are learned in times inverse to their eigenvalues",
    .formula = "half-life of v_i'r(t) = ln 2/mu_i: ~ mu_i^-1",
    .quantity = "slope of log half-life on log eigenvalue",
    .citation = "Rahaman et al. 2019, arXiv:1806.08734; Bordelon et al. 2020, arXiv:2002.02561",
    .who = "networks whose hidden layers train, by gradient descent on squared loss",
    .because =
        "half-lives of four steps are 9% short of ln 2/mu, which over a decade tilts by 0.04",
    .needs = {{.observable = "kernel-modes"}},
    .applies = is_descent,
    .datum = slope,
    .trend = &trend,
    .is = {UB_EQUAL, .target = -1, .margin = 0.1},
};
