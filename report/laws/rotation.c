/* Rotation: a weight w that a norm comes after grows by each step's square and shrinks by decay;
 * where the two are in balance its direction turns at a speed that rate and decay alone set. Two
 * laws (Wan et al. 2021, arXiv:2006.08419; Kosson, Messmer and Jaggi 2023, arXiv:2305.17212):
 *
 *   rotation       the root mean square of the angle per step is sqrt(2 eta l2); with momentum in
 *                  the g-form, v <- beta v + g, sqrt(2 eta l2/(1 + beta)); of AdamW with its decay
 *                  sqrt(2 eta decay (1 - beta1)/(1 + beta1))
 *   rotation-norm  the mean of |w|^4 is eta <|g~|^2>/(2 l2), g~ = |w| g the gradient of a step at
 *                  unit norm; descent without momentum
 *
 * Published for gradients that are a random walk. All that descent asks is that they are orthogonal
 * to w, and a norm at rest, be the gradient noise or not, whole or of batches. With c = 1 - eta l2,
 * a the angle: without momentum |w'|^2 = c^2 |w|^2 (1 + tan^2 a), so that over any span the mean of
 * log cos a is log c less the mean change of log |w|. With it, v' = beta v + g + l2 w, w' = w - eta
 * v',
 *
 *     <v', w> = beta (<v, w_before> - eta |v|^2) + l2 |w|^2,   |w'|^2 = |w|^2 - 2 eta <v', w>
 *               + eta^2 |v'|^2;   at rest <v', w> = eta |v|^2/2, so eta^2 |v|^2/|w|^2 = 2 eta l2/(1
 * + beta).
 *
 * AdamW's m has <m', w> = beta1 (c <m, w_before> - eta <m, P^-1 m>) + (1 - beta1) <g, w>, to the
 * same end where its metric P is a number; else <P^-1 m, w> must vanish, as it does on average for
 * gradients without memory, and gradients of uneven entries that remember each other turn faster
 * (by a fifth in the test). It is the root mean square that is set: the mean angle is less by the
 * scatter of gradients, a tenth and more where their norms scatter by half. Where a network fits
 * its data gradients come in bursts, whose norm swings for longer than a run.
 *
 * The datum is that of the weight furthest from the prediction, from the second half of runs as
 * long as ten times 1/(eta l2) (times 1 - beta): the half is set by time alone. */
#include "report/laws/group.h"
#include "report/laws/symmetry.h"

#include <math.h>
#include <string.h>

/* ---- who ---- */

static double beta_of(const struct ub_frame *frame, size_t row)
{
    const double beta = ub_frame_number(frame, row, "optimizer.beta");
    return isfinite(beta) ? beta : 0;
}

static bool is_adamw(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer", "adamw");
}

double ub_turn_decay(const struct ub_frame *frame, size_t row)
{
    const double lr = ub_frame_number(frame, row, "optimizer.lr");
    return is_adamw(frame, row)
               ? lr * ub_frame_number(frame, row, "optimizer.decay")
               : lr * ub_frame_number(frame, row, "optimizer.l2") / (1 - beta_of(frame, row));
}

bool ub_run_turns(const struct ub_frame *frame, size_t row)
{
    const bool descends = ub_run_is(frame, row, "optimizer", "gd") ||
                          ub_run_is(frame, row, "optimizer", "heavy-ball") ||
                          (ub_run_is(frame, row, "optimizer", "sgd") &&
                           !ub_run_is(frame, row, "optimizer.nesterov", "true"));
    return ub_run_measures(frame, row, "symmetry") && ub_is_normed(frame, row) &&
           (descends || is_adamw(frame, row)) &&
           ub_run_is(frame, row, "optimizer.schedule", "constant") &&
           ub_turn_decay(frame, row) * ub_frame_number(frame, row, "steps") >= 10;
}

static bool rests(const struct ub_frame *frame, size_t row)
{
    return ub_run_turns(frame, row) && !is_adamw(frame, row) && beta_of(frame, row) == 0;
}

/* ---- what ---- */

double ub_turn_predicted(const struct ub_frame *frame, size_t row)
{
    const double lr = ub_frame_number(frame, row, "optimizer.lr"),
                 beta = is_adamw(frame, row) ? ub_frame_number(frame, row, "optimizer.beta1") : 0;
    if (is_adamw(frame, row))
        return sqrt(2 * ub_turn_decay(frame, row) * (1 - beta) / (1 + beta));
    return sqrt(2 * lr * ub_frame_number(frame, row, "optimizer.l2") / (1 + beta_of(frame, row)));
}

/* Mean of a row's power over the run's second half. */
static double late_mean(const struct ub_frame *frame, size_t row, const char *observable,
                        size_t index, double power)
{
    struct ub_series s = ub_frame_series(frame, row, observable, (int64_t)index);
    const double middle = ub_frame_number(frame, row, "steps") / 2;
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < s.count; i++) {
        if (s.step[i] <= middle)
            continue;
        sum += pow(s.value[i], power);
        n++;
    }
    ub_series_clear(&s);
    return n > 0 ? sum / (double)n : (double)NAN;
}

static double angle_ratio(const struct ub_frame *frame, size_t row, size_t weight)
{
    return sqrt(late_mean(frame, row, "weight-angle", weight, 2)) / ub_turn_predicted(frame, row);
}

static double norm_ratio(const struct ub_frame *frame, size_t row, size_t weight)
{
    const double eta = ub_frame_number(frame, row, "optimizer.lr"),
                 l2 = ub_frame_number(frame, row, "optimizer.l2");
    return late_mean(frame, row, "weight-norm", weight, 4) /
           (eta * late_mean(frame, row, "step-gradient", weight, 2) / (2 * l2));
}

struct ratio {
    double (*of)(const struct ub_frame *frame, size_t row, size_t weight);
};

static double furthest(const struct ub_frame *frame, size_t row, const void *context)
{
    const struct ratio *ratio = context;
    const struct ub_trace *t = ub_frame_trace(frame, row);
    if (!t || frame->store->runs[row].status != UB_RUN_OK)
        return (double)NAN;
    size_t n;
    double worst = (double)NAN;
    bool *is_free = ub_scale_free_weights(t, &n);
    for (size_t i = 0; i < n; i++) {
        const double value = is_free[i] ? ratio->of(frame, row, i) : (double)NAN;
        if (isfinite(value) && !(fabs(value - 1) <= fabs(worst - 1)))
            worst = value;
    }
    ub_free(is_free);
    return worst;
}

static struct ub_datum angle(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ratio ratio = {angle_ratio};
    return ub_group_mean(frame, group, furthest, &ratio, "no step of the second half was measured");
}

static struct ub_datum norm(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ratio ratio = {norm_ratio};
    return ub_group_mean(frame, group, furthest, &ratio, "no step of the second half was measured");
}

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    (void)level;
    const struct ratio ratio = {angle_ratio};
    const double predicted = ub_turn_predicted(frame, row);
    ub_plane_add(points, predicted, predicted * furthest(frame, row, &ratio));
}

const struct ub_law ub_law_rotation = {
    .name = "rotation",
    .strand = UB_HYPERPARAMETERS,
    .claim = "rate and decay alone set the angle by which weights before norms turn a step",
    .formula = "<angle^2>^1/2 = sqrt(2 eta l2/(1 + beta)); AdamW sqrt(2 eta decay (1 - beta1)/(1 + "
               "beta1))",
    .quantity = "root mean square angle a step at rest over its prediction, worst weight",
    .citation = "Wan et al. 2021, arXiv:2006.08419; Kosson et al. 2023, arXiv:2305.17212",
    .who = "networks with norms of negligible epsilon that train ten times 1/(rate x decay) steps "
           "at a constant rate, by gradient descent with or without momentum or AdamW",
    .because = "a tenth tells 1/(1 + beta) from 1 and is what the norm's slow swings leave",
    .needs = {{.observable = "symmetry"}},
    .applies = ub_run_turns,
    .datum = angle,
    .plane = plane,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};

const struct ub_law ub_law_rotation_norm = {
    .name = "rotation-norm",
    .strand = UB_HYPERPARAMETERS,
    .claim = "the fourth power of the norm of weights before norms comes to rest in proportion to "
             "rate over decay",
    .formula = "<|w|^4> = eta <|w|^2 |g|^2>/(2 l2)",
    .quantity = "mean |w|^4 over rate x <|g~|^2>/(2 decay), worst weight",
    .citation = "Wan et al. 2021, arXiv:2006.08419",
    .who = "networks with norms of negligible epsilon that train ten times 1/(rate x decay) steps "
           "at a constant rate, by gradient descent without momentum",
    .because = "the fourth power goes as the inverse square of the angle, whose margin is 0.1",
    .needs = {{.observable = "symmetry"}},
    .applies = rests,
    .datum = norm,
    .is = {UB_EQUAL, .target = 1, .margin = 0.2},
};
