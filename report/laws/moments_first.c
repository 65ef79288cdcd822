/* Moments first: early in training a network treats data and their Gaussian clone alike (Refinetti,
 * Ingrosso and Goldt 2023, arXiv:2211.11567; Belrose et al. 2024, arXiv:2402.04362). Trained on
 * either from one start, and tested on the data themselves,
 *
 *     L_clone(t) / L_data(t) = 1 +- 0.1
 *
 * at the first measured step by which the test loss of training on the data has fallen by half of
 * all that it falls. A linear model under squared loss sees means and covariances only, and never
 * parts; where the classes have the same means and covariances (a parity of three signs) the clone
 * has nothing to teach. */
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

static bool measured(const struct ub_frame *frame, size_t row)
{
    return *ub_frame_word(frame, row, "dataset.clone") && ub_run_measures(frame, row, "loss");
}

static bool has_both(const struct ub_frame *frame, const struct ub_rows *group)
{
    size_t clones = 0, plain = 0;
    for (size_t i = 0; i < group->count; i++) {
        clones += ub_run_is(frame, group->row[i], "dataset.clone", "gaussian");
        plain += ub_run_is(frame, group->row[i], "dataset.clone", "none");
    }
    return clones > 0 && plain > 0;
}

/* The place in `data` at which half of its fall is reached; its length: never falls. */
static size_t half_way(const struct ub_series *data)
{
    double least = (double)INFINITY;
    for (size_t i = 0; i < data->count; i++)
        least = fmin(least, data->value[i]);
    for (size_t i = 1; i < data->count; i++)
        if (least < data->value[0] && data->value[i] <= (data->value[0] + least) / 2)
            return i;
    return data->count;
}

static double ratio_of(const struct ub_frame *frame, size_t clone, size_t plain)
{
    double ratio = (double)NAN;
    struct ub_series c = ub_frame_series(frame, clone, "test-loss", 0);
    struct ub_series d = ub_frame_series(frame, plain, "test-loss", 0);
    const size_t at = half_way(&d);
    for (size_t i = 0; at < d.count && i < c.count; i++)
        if (c.step[i] == d.step[at])
            ratio = c.value[i] / d.value[at];
    ub_series_clear(&c);
    ub_series_clear(&d);
    return ratio;
}

static struct ub_datum ratio(const struct ub_frame *frame, const struct ub_rows *group)
{
    double *x = ub_calloc(group->count * group->count + 1, sizeof *x);
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++)
        for (size_t j = 0; j < group->count; j++) {
            const size_t clone = group->row[i], plain = group->row[j];
            if (!ub_run_is(frame, clone, "dataset.clone", "gaussian") ||
                !ub_run_is(frame, plain, "dataset.clone", "none") ||
                !ub_run_is(frame, clone, "seed", ub_frame_word(frame, plain, "seed")))
                continue;
            x[n] = ratio_of(frame, clone, plain);
            n += isfinite(x[n]) ? 1 : 0;
        }
    struct ub_interval mean = ub_sample_mean(x, n);
    ub_free(x);
    if (n < 2)
        mean.se = (double)NAN;
    struct ub_datum d = ub_datum_of(
        &mean, ub_group_why(frame, group, "no two runs of one seed whose test loss falls"));
    d.runs = d.why ? 0 : n;
    return d;
}

static const char *const within[] = {"dataset.clone", NULL};

const struct ub_law ub_law_moments_first = {
    .name = "moments-first",
    .strand = UB_UNIVERSAL,
    .claim = "early in training a network learns the same of data and of their Gaussian clone",
    .formula = "L_clone(t) / L_data(t) = 1 where half of the test loss's fall is over",
    .quantity = "test loss on the data, trained on the clone, over that trained on the data",
    .citation = "Refinetti, Ingrosso and Goldt 2023, arXiv:2211.11567",
    .who = "classifiers trained on data and on normal inputs of each class's mean and covariance",
    .because = "a tenth of the loss is what curves that lie on each other in the paper differ by",
    .within = within,
    .needs = {{.observable = "loss"}, {.axis = "dataset.clone", .least = 2}},
    .applies = measured,
    .concerns = has_both,
    .datum = ratio,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};
