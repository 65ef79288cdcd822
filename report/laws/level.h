/* level.h - laws about the level that a series of single runs settles at: a law gives the series
 * and where in it it speaks (windows.h), and this the rest.
 *
 *     const struct ub_level level = ub_level_of(law->series, law->window, &law->is, frame, row);
 *     printf("%g from step %g on\n", level.median, level.first_step);
 *
 * A run's level is the median over the window; its error is that of the mean of the autocorrelated
 * series times sqrt(pi/2), the ratio for normal data. A group's datum is the mean over its runs
 * that settled, to be moderated (moderate.h): of two or three seeds the scatter is hardly known.
 *
 * Runs that diverged, failed or ran out of time, never sharpened, or cannot be told from noise say
 * nothing, even where the whole group did; where no run of a group has a level, the group says why,
 * with the reason that most of its runs have. Runs that fall from where they were, or
 * still rise beyond the margin, past doubt, contradict the law without a level; where they are more
 * than those that have one, the group counts against the law, with the p that at most half of its
 * runs do. */
#ifndef UB_LAWS_LEVEL_H
#define UB_LAWS_LEVEL_H

#include "report/frame/frame.h"
#include "report/laws/judge.h"
#include "report/laws/windows.h"

/* Why a run has nothing to say however it was measured ("diverged", "failed", "ran out of time",
 * "damaged", "not run"); NULL when it may. */
const char *ub_run_lost(const struct ub_run *run);
/* Of reasons; of equally many the first. NULL of none. */
const char *ub_most_frequent(const char *const *text, size_t n);

/* Of a run that is not lost. `loss`: its training loss, an empty
 * series where it was not measured. Called by several threads: it reads columns, no traces. */
typedef struct ub_window ub_law_window(const struct ub_frame *frame, size_t row,
                                       const struct ub_series *series,
                                       const struct ub_series *loss);

/* What one run comes to under a law about levels. */
struct ub_level {
    struct ub_window window;
    double first_step, last_step; /* of the window; NAN unless it settled */
    /* Median over the window, NAN unless it settled: it shrugs off the spikes with which sharpness
     * leaves the edge and returns. */
    double median;
    double end; /* the same of one that still rises; NAN for others */
    /* Over the window, autocorrelation-aware; of one that still rises, about the line through it */
    struct ub_interval mean;
    double peak; /* largest value of the whole series; NAN when not measured */
    /* Without a level that contradicts the law: it falls, or rises beyond the margin; one-sided p
     * that it does not, 1 for all others, and whether that is below 5%. */
    double against_p;
    bool against;
};

/* Of a run that a law applies to, from what the law says: its series, window and claim. */
struct ub_level ub_level_of(const char *series, ub_law_window *window, const struct ub_claim *is,
                            const struct ub_frame *frame, size_t row);
/* The same of many rows, shared out among threads, to their places in `level` (one a row). */
void ub_levels_of(const char *series, ub_law_window *window, const struct ub_claim *is,
                  const struct ub_frame *frame, const struct ub_rows *rows, struct ub_level *level);
/* `level`: one a row of the frame. */
struct ub_datum ub_level_datum(const struct ub_level *level, const struct ub_rows *group);

#endif
