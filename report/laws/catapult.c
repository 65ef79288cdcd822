/* Catapult: gradient descent on squared loss converges up to eta lambda_0 = 4, lambda_0 being the
 * largest eigenvalue of the loss's Hessian at the start: lazily below 2, by a catapult to flatter
 * ground between 2 and 4 (Lewkowycz et al. 2020, arXiv:2003.02218, section 2; exact for wide
 * two-layer linear networks with one training sample).
 *
 * Groups hold one system at several rates. Each seed's rates are put in order of eta lambda_0; its
 * border lies between the largest that converged below the smallest that diverged, and that one:
 * the middle is its value. A grid's step h adds h/sqrt(12) to the error, as of a uniform draw. */
#include "report/laws/group.h"

#include <math.h>
#include <stdlib.h>

static bool is_descent_on_squares(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer", "gd") && ub_run_on_all_samples(frame, row) &&
           ub_run_is(frame, row, "loss", "mse") && ub_run_measures(frame, row, "catapult");
}

struct start {
    double at; /* eta lambda_0 */
    bool diverged;
};

static int compare_starts(const void *a, const void *b)
{
    const struct start *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static const double border_at = 4, margin = 0.2;

/* Of one seed's runs: where training first fails, and the grid's step there; NAN when all converge
 * or all diverge: `*beyond` then when that is so beyond the margin, too. */
static double border_of(struct start *s, size_t n, double *step, bool *beyond)
{
    size_t first = 0;
    qsort(s, n, sizeof *s, compare_starts);
    while (first < n && !s[first].diverged)
        first++;
    if (first == 0 || first == n) {
        *beyond =
            n > 0 && (first == 0 ? s[0].at < border_at - margin : s[n - 1].at > border_at + margin);
        return (double)NAN;
    }
    *step = s[first].at - s[first - 1].at;
    return s[first - 1].at + *step / 2;
}

/* lambda_0 from the run's own facts: sharpness at the start times the rate. */
static size_t starts_of(const struct ub_frame *frame, const struct ub_rows *group, int seed,
                        struct start *out)
{
    const struct ub_column *seeds = ub_frame_column(frame, "seed");
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        const struct ub_run *run = &frame->store->runs[row];
        const double at = ub_run_fact(run, "initial-sharpness") * ub_run_fact(run, "lr");
        if (seeds->level[row] != seed || !isfinite(at) ||
            (run->status != UB_RUN_OK && run->status != UB_RUN_DIVERGED))
            continue;
        out[n++] = (struct start){at, run->status == UB_RUN_DIVERGED};
    }
    return n;
}

static struct ub_datum border(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ub_column *seeds = ub_frame_column(frame, "seed");
    struct start *s = ub_calloc(group->count + 1, sizeof *s);
    double *at = ub_calloc(group->count + 1, sizeof *at), grid = 0;
    size_t n = 0;
    bool against = false;
    for (size_t seed = 0; seed < seeds->n_words && n < group->count; seed++) {
        double step = 0;
        bool beyond = false;
        at[n] = border_of(s, starts_of(frame, group, (int)seed, s), &step, &beyond);
        against = against || beyond;
        if (!isfinite(at[n]))
            continue;
        grid = fmax(grid, step);
        n++;
    }
    const struct ub_interval mean = ub_sample_mean(at, n);
    const double own = n > 1 ? mean.se : 0;
    ub_free(at);
    ub_free(s);
    if (n == 0)
        return (struct ub_datum){.why = "no rate at which some converge and above which some fail",
                                 .against = against};
    return (struct ub_datum){.value = mean.estimate,
                             .se = sqrt(own * own + grid * grid / 12),
                             .df = n > 1 ? (double)n - 1 : 0};
}

static const char *const within[] = {"optimizer.lr", NULL};

const struct ub_law ub_law_catapult = {
    .name = "catapult",
    .strand = UB_HYPERPARAMETERS,
    .claim = "training on squared loss fails from eta lambda_0 = 4 on",
    .formula = "gradient descent diverges from eta lambda_max(0) = 4 on",
    .quantity = "eta lambda_0 at which gradient descent first fails",
    .citation = "Lewkowycz et al. 2020, arXiv:2003.02218",
    .who = "gradient descent on squared loss; by theorem, wide two-layer linear networks",
    .because = "0.2 is a step of a grid of 5% of the border",
    .within = within,
    .needs = {{.observable = "catapult"}, {.axis = "optimizer.lr", .least = 4}},
    .applies = is_descent_on_squares,
    .datum = border,
    .is = {UB_EQUAL, .target = border_at, .margin = margin},
};
