/* Double descent: the excess risk of least squares (p < n) and of interpolation of least norm (p >
 * n) on isotropic Gaussian inputs, p features and n samples,
 *
 *     s^2 p/(n - p - 1) for p < n - 1,   r^2 (1 - n/p) + s^2 n/(p - n - 1) for p > n + 1,
 *
 * exact at any size and infinite between: a peak where a model first interpolates (Hastie et al.
 * 2019, arXiv:1903.08560; Belkin et al. 2019, arXiv:1903.07571). The observable excess-risk
 * evaluates it.
 *
 * A group is a sweep over p at one n. Its datum is the mean over p of measured over predicted; p
 * within a fifth of n are left out, as inverse Wishart matrices have no finite variance there and
 * means over seeds do not settle. Its error is over draws of the data: at one data-seed all p have
 * the same noise, so that only what they have together, their mean, is independent of other draws.
 * A sweep counts against the law when its largest risk is not within a step of its grid of p = n,
 * or when some p is off by more than a tenth past doubt (2.6 standard errors, 99%). Without noise
 * there is no peak to find. */
#include "report/laws/group.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_SIZES = 64 };
static const double near = 0.2, off = 0.1, doubt = 2.6;

static bool is_least_squares(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "excess-risk") &&
           ub_frame_number(frame, row, "dataset.alpha") == 0 &&
           ub_frame_number(frame, row, "dataset.noise") > 0 &&
           ub_frame_number(frame, row, "optimizer.ridge") == 0 &&
           ub_frame_number(frame, row, "optimizer.l2") == 0;
}

struct size {
    double p, n;
    double measured, ratio, se; /* means over seeds; NAN where nothing is predicted */
};

static int by_p(const void *a, const void *b)
{
    const struct size *x = a, *y = b;
    return (x->p > y->p) - (x->p < y->p);
}

static struct size size_of(const struct ub_frame *frame, const struct ub_rows *group, double p)
{
    double *risk = ub_calloc(group->count + 1, sizeof *risk);
    double *ratio = ub_calloc(group->count + 1, sizeof *ratio);
    struct size s = {.p = p, .n = ub_frame_number(frame, group->row[0], "samples")};
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        if (ub_frame_number(frame, row, "dataset.features") != p ||
            frame->store->runs[row].status != UB_RUN_OK)
            continue;
        risk[n] = ub_frame_last(frame, row, "excess-risk", 0);
        ratio[n] = risk[n] / ub_frame_last(frame, row, "isotropic-excess-risk", 0);
        n += isfinite(risk[n]) ? 1 : 0;
    }
    const struct ub_interval mean = ub_sample_mean(ratio, n);
    s.measured = ub_mean(risk, n);
    s.ratio = ub_mean(ratio, n);
    s.se = mean.se;
    ub_free(risk);
    ub_free(ratio);
    return s;
}

/* Different p in rising order. */
static size_t sizes_of(const struct ub_frame *frame, const struct ub_rows *group,
                       struct size out[MOST_SIZES])
{
    size_t count = 0;
    for (size_t i = 0; i < group->count && count < MOST_SIZES; i++) {
        const double p = ub_frame_number(frame, group->row[i], "dataset.features");
        size_t k = 0;
        while (k < count && out[k].p != p)
            k++;
        if (k == count)
            out[count++] = size_of(frame, group, p);
    }
    qsort(out, count, sizeof *out, by_p);
    return count;
}

static bool peaks_at_n(const struct size *s, size_t count)
{
    size_t top = 0, nearest = 0;
    for (size_t k = 1; k < count; k++) {
        if (s[k].measured > s[top].measured)
            top = k;
        if (fabs(s[k].p - s[k].n) < fabs(s[nearest].p - s[nearest].n))
            nearest = k;
    }
    return top + 1 >= nearest && top <= nearest + 1;
}

static bool is_off_peak(const struct size *s)
{
    return fabs(s->p - s->n) >= near * s->n && isfinite(s->ratio);
}

/* Mean of measured over predicted off the peak in one draw of the data, that of `like`. */
static double ratio_of_draw(const struct ub_frame *frame, const struct ub_rows *group,
                            const struct size *s, size_t count, size_t like)
{
    const struct ub_column *draw = ub_frame_column(frame, "data-seed");
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        for (size_t k = 0; k < count; k++)
            if (draw->level[row] == draw->level[like] && is_off_peak(&s[k]) &&
                ub_frame_number(frame, row, "dataset.features") == s[k].p &&
                frame->store->runs[row].status == UB_RUN_OK) {
                sum += ub_frame_last(frame, row, "excess-risk", 0) /
                       ub_frame_last(frame, row, "isotropic-excess-risk", 0);
                n++;
            }
    }
    return sum / (double)n;
}

static struct ub_interval over_draws(const struct ub_frame *frame, const struct ub_rows *group,
                                     const struct size *s, size_t count)
{
    const struct ub_column *draw = ub_frame_column(frame, "data-seed");
    double *mean = ub_calloc(group->count + 1, sizeof *mean);
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        size_t k = 0;
        while (k < i && draw->level[group->row[k]] != draw->level[group->row[i]])
            k++;
        if (k == i)
            mean[n++] = ratio_of_draw(frame, group, s, count, group->row[i]);
    }
    const struct ub_interval over = ub_sample_mean(mean, n);
    ub_free(mean);
    return over;
}

static struct ub_datum curve(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct size s[MOST_SIZES];
    const size_t count = sizes_of(frame, group, s);
    size_t used = 0;
    for (size_t k = 0; k < count; k++) {
        if (!is_off_peak(&s[k]))
            continue;
        if (fabs(s[k].ratio - 1) - off > doubt * s[k].se)
            return (struct ub_datum){.why = "the risk at some size is not as predicted",
                                     .against = true};
        used++;
    }
    if (used < 4)
        return (struct ub_datum){.why = "fewer than four sizes off the peak"};
    if (!peaks_at_n(s, count))
        return (struct ub_datum){.why = "no peak where features equal samples", .against = true};
    const struct ub_interval mean = over_draws(frame, group, s, count);
    return ub_datum_of(&mean, "fewer than two draws");
}

/* A ridge may go with the features, as the best one does: a control. */
static const char *const within[] = {"dataset.features", "optimizer.ridge", NULL};

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    (void)level;
    ub_plane_courses(points, frame, row, "isotropic-excess-risk", "excess-risk", 1);
}

const struct ub_law ub_law_double_descent = {
    .name = "double-descent",
    .strand = UB_SOLVABLE,
    .claim = "the risk of least squares on isotropic inputs is s^2 p/(n - p - 1) below p = n and "
             "r^2 (1 - n/p) + s^2 n/(p - n - 1) above, with a peak between",
    .formula =
        "risk = s^2 p/(n - p - 1) for p < n - 1, r^2 (1 - n/p) + s^2 n/(p - n - 1) for p > n + 1",
    .quantity = "measured over predicted excess risk, off the peak",
    .citation = "Hastie et al. 2019, arXiv:1903.08560",
    .who = "least squares and least-norm interpolation on isotropic Gaussian inputs with noise",
    .because = "a tenth, set before the suite was run: near the peak the risk changes tenfold",
    .within = within,
    .needs = {{.observable = "excess-risk"},
              {.axis = "dataset.features", .least = 6},
              {.axis = "data-seed", .least = 8}},
    .applies = is_least_squares,
    .datum = curve,
    .plane = plane,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};
