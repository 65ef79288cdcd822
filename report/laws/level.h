/* level.h - laws about the level that a series of single runs settles at: a law gives the series
 * and where in it it speaks (windows.h), and this the rest.
 *
 *     const struct ub_level level = ub_level_of(&ub_law_edge_of_stability, frame, row);
 *     printf("%g from step %g on\n", level.median, level.first_step);
 *
 * A run's level is the median over the window; its error is that of the mean of the autocorrelated
 * series times sqrt(pi/2), the ratio for normal data. A group's datum is the mean over its runs
 * that settled, to be moderated (moderate.h): of two or three seeds the scatter is hardly known.
 *
 * Runs that diverged or failed, never sharpened, or cannot be told from noise say nothing, and the
 * group says why when no other of its runs has a level. Runs that fall from where they were, or
 * still rise beyond the margin, past doubt, contradict the law without a level; where they are more
 * than those that have one, the group counts against the law, with the p that at most half of its
 * runs do. */
#ifndef UB_LAWS_LEVEL_H
#define UB_LAWS_LEVEL_H

#include "report/laws/law.h"

/* Of a run that the law applies to. */
struct ub_level ub_level_of(const struct ub_law *law, const struct ub_frame *frame, size_t row);
/* `level`: one a row of the frame. */
struct ub_datum ub_level_datum(const struct ub_level *level, const struct ub_rows *group);

#endif
