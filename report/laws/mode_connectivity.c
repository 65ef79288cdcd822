/* Mode connectivity: two trainings that part at step k and see other batches from there end in one
 * valley, if k is beyond a small share of training (Frankle, Dziugaite, Roy and Carbin 2020,
 * arXiv:1912.05671). On the straight line between their weights
 *
 *     sup_t E((1 - t) w + t w') - (E(w) + E(w'))/2
 *
 * is the barrier of the (test) error, measured by fork-barrier (bench/observables/fork_barrier.c);
 * the two are linearly connected where it is below 2%. The datum is the barrier of the latest fork
 * in the first fifth of training.
 *
 * A barrier that was never there cannot fall: small networks on easy data are connected from step 0
 * on. So a group that also forks at step 0 speaks only if there the barrier is above the bound. And
 * the claim is about networks that fit their data: those that err on more than a tenth of the
 * training samples at the end have nothing to connect. */
#include "report/laws/group.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double bound = 0.02, share = 0.2, most_error = 0.1;

/* What the run was asked for: whether it forks at step 0, and the latest fork in the first fifth.
 */
struct forks {
    bool start;
    double latest; /* NAN: none */
};

static void add_fork(struct forks *f, double fork, double last)
{
    f->start = f->start || fork == 0;
    if (fork <= last)
        f->latest = fmax(f->latest, fork); /* fmax(NAN, x) is x */
}

static struct forks forks_of(const struct ub_frame *frame, size_t row)
{
    struct forks f = {.latest = (double)NAN};
    const double last = share * ub_frame_number(frame, row, "steps");
    char *asked = ub_frame_asked(frame, row, "fork-barrier", "forks");
    for (const char *at = asked ? asked : ""; *at; at += strcspn(at, "+"), at += *at == '+')
        add_fork(&f, strtod(at, NULL), last);
    ub_free(asked);
    return f;
}

/* Of the test split where there is one. */
static double barrier_at(const struct ub_frame *frame, size_t row, double fork)
{
    if (!isfinite(fork))
        return (double)NAN;
    const double tested = ub_frame_last(frame, row, "test-error-barrier", (int64_t)fork);
    return isfinite(tested) ? tested : ub_frame_last(frame, row, "error-barrier", (int64_t)fork);
}

static bool fits_its_data(const struct ub_frame *frame, size_t row, double fork)
{
    char line[64];
    snprintf(line, sizeof line, "line-error.%.0f", fork);
    return ub_frame_last(frame, row, line, 0) <= most_error;
}

static double late_barrier(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    const double fork = forks_of(frame, row).latest;
    return frame->store->runs[row].status == UB_RUN_OK && fits_its_data(frame, row, fork)
               ? barrier_at(frame, row, fork)
               : (double)NAN;
}

/* NAN without a later fork, too: then step 0 is what is judged. */
static double early_barrier(const struct ub_frame *frame, size_t row, const void *context)
{
    const struct forks f = forks_of(frame, row);
    return f.start && f.latest > 0 && isfinite(late_barrier(frame, row, context))
               ? barrier_at(frame, row, 0)
               : (double)NAN;
}

/* Forks at step 0 and after exactly a fifth. Controls need not. */
static bool is_forked(const struct ub_frame *frame, size_t row)
{
    const struct forks f = forks_of(frame, row);
    return f.start && f.latest == share * ub_frame_number(frame, row, "steps") &&
           !ub_run_on_all_samples(frame, row);
}

static struct ub_datum datum(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ub_datum early = ub_group_mean(frame, group, early_barrier, NULL, "");
    if (!early.why && early.value <= bound)
        return (struct ub_datum){.why = "no barrier even from step 0 on: none to fall"};
    struct ub_datum d = ub_group_mean(frame, group, late_barrier, NULL,
                                      "errs on more than a tenth of its training samples");
    d.against = false; /* of those that diverged, who fit nothing */
    return d;
}

const struct ub_law ub_law_mode_connectivity = {
    .name = "mode-connectivity",
    .strand = UB_UNIVERSAL,
    .claim = "trainings that part after a fifth of their steps end in one valley",
    .formula = "sup_t E((1 - t) w + t w') - (E(w) + E(w'))/2 <= 2% where w, w' part at step T/5",
    .quantity = "highest test error between run and twin, less the ends' mean",
    .citation = "Frankle et al. 2020, arXiv:1912.05671",
    .who = "classifiers trained on mini-batches that fit their data, and that end in another "
           "valley when they part at step 0",
    .because = "2% is the paper's own bound: what noise and curved paths of low loss come to",
    .needs = {{.observable = "fork-barrier"}},
    .applies = is_forked,
    .datum = datum,
    .is = {UB_AT_MOST, .target = 0.02},
};
