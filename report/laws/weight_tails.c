/* Spectra of weights, at the start and trained (Martin and Mahoney 2018, arXiv:1810.01075). Two
 * laws, about matrices of 20 singular values or more, which leaves out readouts of few classes:
 *
 * weight-noise: at the start they are noise. The datum is the Kolmogorov-Smirnov distance from the
 * Marchenko-Pastur law over what noise of that shape exceeds in 5%, which is simulated
 * (bench/observables/weight_noise.c); its mean over matrices, of noise about 0.7.
 *
 * weight-tails: trained, the density of squared singular values ends in a power law x^-alpha with
 * alpha from 2 to 6 (bench/spectra/tail.h), on average over matrices. Untrained matrices of some
 * tens of values are fitted with such an alpha, too (2.8 to 6.8 of 64 to 128): a run one of whose
 * matrices cannot be told from noise counts against the law, whatever its alpha. */
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

static const char prefix[] = "noise-distance.";
static const double least = 20;

static bool measures_noise(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "weight-noise");
}

static bool measures_tails(const struct ub_frame *frame, size_t row)
{
    return measures_noise(frame, row) && ub_run_measures(frame, row, "weight-spectrum");
}

/* At the start, or the last one. */
static double value_at(const struct ub_trace *t, const char *name, int64_t index, bool start)
{
    struct ub_series s = ub_trace_series(t, name, index);
    double value = (double)NAN;
    if (s.count > 0 && start && s.step[0] == 0)
        value = s.value[0];
    if (s.count > 0 && !start && s.step[s.count - 1] > 0)
        value = s.value[s.count - 1];
    ub_series_clear(&s);
    return value;
}

struct sums {
    double n, ratio, alpha;
    bool noise; /* some matrix is like noise */
};

static struct sums sums_of(const struct ub_frame *frame, size_t row, bool start)
{
    struct sums sums = {0};
    const struct ub_trace *t = ub_frame_trace(frame, row);
    if (!t || frame->store->runs[row].status != UB_RUN_OK)
        return sums;
    for (size_t k = 0; k < t->n_names; k++) {
        if (strncmp(t->names[k], prefix, sizeof prefix - 1) != 0)
            continue;
        char tail[128];
        snprintf(tail, sizeof tail, "tail.%s", t->names[k] + sizeof prefix - 1);
        const double distance = value_at(t, t->names[k], 0, start);
        if (!isfinite(distance) || !(value_at(t, t->names[k], 3, start) >= least))
            continue;
        sums.n++;
        sums.ratio += distance / value_at(t, t->names[k], 1, start);
        sums.alpha += value_at(t, tail, 0, start);
        sums.noise = sums.noise || value_at(t, t->names[k], 2, start) > 0.05;
    }
    return sums;
}

static double start_ratio(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    const struct sums s = sums_of(frame, row, true);
    return s.n > 0 ? s.ratio / s.n : (double)NAN;
}

static double end_alpha(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    const struct sums s = sums_of(frame, row, false);
    return s.n > 0 ? s.alpha / s.n : (double)NAN;
}

static struct ub_datum noise(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, start_ratio, NULL,
                         "no matrix of 20 singular values was measured at the start");
}

static struct ub_datum tails(const struct ub_frame *frame, const struct ub_rows *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (sums_of(frame, group->row[i], false).noise)
            return (struct ub_datum){.why = "a matrix cannot be told from noise", .against = true};
    return ub_group_mean(frame, group, end_alpha, NULL,
                         "no matrix of 20 singular values with a tail was measured");
}

const struct ub_law ub_law_weight_noise = {
    .name = "weight-noise",
    .strand = UB_UNIVERSAL,
    .claim = "at the start spectra of weights are Marchenko and Pastur's",
    .formula = "sup_x |F(x) - F_MP(x)| <= its 95% quantile of noise of that shape, at step 0",
    .quantity = "distance from Marchenko-Pastur over what noise exceeds in 5%",
    .citation = "Marchenko and Pastur 1967; Martin and Mahoney 2018, arXiv:1810.01075",
    .who = "weights of independent entries before training, 20 singular values or more",
    .because = "what noise of that shape exceeds in one of twenty",
    .needs = {{.observable = "weight-noise"}},
    .applies = measures_noise,
    .datum = noise,
    .is = {UB_AT_MOST, .target = 1},
};

const struct ub_law ub_law_weight_tails = {
    .name = "weight-tails",
    .strand = UB_UNIVERSAL,
    .claim = "spectra of trained weights end in a power law with alpha from 2 to 6",
    .formula = "density of eigenvalues of W'W ~ x^-alpha, 2 <= alpha <= 6, after training",
    .quantity = "alpha, mean over matrices of 20 singular values or more",
    .citation = "Martin and Mahoney 2018, arXiv:1810.01075",
    .who = "trained networks whose weights can be told from noise",
    .because = "2 to 6 is the paper's own range",
    .needs = {{.observable = "weight-noise"}, {.observable = "weight-spectrum"}},
    .applies = measures_tails,
    .datum = tails,
    .is = {UB_EQUAL, .target = 4, .margin = 2},
};
