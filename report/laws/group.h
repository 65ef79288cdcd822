/* group.h - what laws' data are made of: means over seeds, slopes along an axis. */
#ifndef UB_LAWS_GROUP_H
#define UB_LAWS_GROUP_H

#include "report/laws/law.h"
#include "report/statistics/axis.h"

/* One number of a run; NAN where it has none. */
typedef double ub_run_number(const struct ub_frame *frame, size_t row, const void *context);

/* Mean over the group's runs with its error over them (one run: no error known). Without any finite
 * value: `why`; a group that diverged whole says so, and counts against the law. */
struct ub_datum ub_group_mean(const struct ub_frame *frame, const struct ub_rows *group,
                              ub_run_number *number, const void *context, const char *why);
/* Slope of log number on log `axis`, seeds as replicates (ub_axis_slope). */
struct ub_datum ub_group_slope(const struct ub_frame *frame, const struct ub_rows *group,
                               const char *axis, ub_run_number *number, const void *context,
                               const char *why);
/* The same of the points that the law's trend has. A law whose datum is made of these points shows
 * in its figure what it judges. */
struct ub_datum ub_trend_slope(const struct ub_frame *frame, const struct ub_rows *group,
                               const struct ub_law_trend *trend, const char *why);
/* A datum from an estimate with its error. */
struct ub_datum ub_datum_of(const struct ub_interval *estimate, const char *why);

/* The step at which an observable's index 0 was last written; NAN: never (or not yet: a dry run).
 */
double ub_run_last_step(const struct ub_frame *frame, size_t row, const char *observable);
/* Whether the run has this word of a column. */
bool ub_run_is(const struct ub_frame *frame, size_t row, const char *column, const char *word);
/* Whether two runs are the same in all axes, seeds included, but those in `except` (ends with
 * NULL).
 */
bool ub_runs_alike(const struct ub_frame *frame, size_t a, size_t b, const char *const *except);
/* Whether its steps are along the gradient of all samples. */
bool ub_run_on_all_samples(const struct ub_frame *frame, size_t row);
/* Whether the rate stays what it is: no schedule, no warmup. */
bool ub_run_rate_is_constant(const struct ub_frame *frame, size_t row);
/* The same, and no weight decay that is part of the gradient: what theories of descent assume. */
bool ub_run_is_plain(const struct ub_frame *frame, size_t row);
/* A ub_run_number: the last value of the observable `name`, of a run that ended well. */
double ub_run_last(const struct ub_frame *frame, size_t row, const void *name);
bool ub_run_measures(const struct ub_frame *frame, size_t row, const char *observable);
/* The same, with an option of that value; NULL: with any. */
bool ub_run_measures_with(const struct ub_frame *frame, size_t row, const char *observable,
                          const char *option, const char *value);
/* "diverged" where all of the group's runs did; where none did and none ended well, what became of
 * most ("failed", "ran out of time", "not run", ...); else `why`. */
const char *ub_group_why(const struct ub_frame *frame, const struct ub_rows *group,
                         const char *why);

#endif
