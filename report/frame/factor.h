/* factor.h - one axis of a figure or a table: rows by what they have of some columns, by name.
 *
 *     static const char *const whole[] = {"model", "model.*", NULL}, *const names[] = {"model",
 * NULL}; static const char *const *const rungs[] = {whole, names, NULL}; struct ub_factor models =
 * ub_factor_new(frame, &rows, rungs, 12); for (size_t k = 0; k < models.groups.count; k++)
 *         puts(models.name[k]);                       // "mlp width=64", "mlp width=128", "cnn"
 *     ub_factor_clear(&models);
 *
 * Where there are too many to show, a coarser rung serves: what it does not tell apart is shown
 * together, none is left out. */
#ifndef UB_FRAME_FACTOR_H
#define UB_FRAME_FACTOR_H

#include "report/frame/frame.h"

/* The complement of ub_frame_group: rows are in one group when the axes of `by` (ends with NULL)
 * are equal, whatever the others are. "model" is its name, "model.*" all of its options. */
struct ub_groups ub_frame_group_by(const struct ub_frame *frame, const struct ub_rows *rows,
                                   const char *const *by);
/* As ub_frame_group_name, and the words of the columns `always` where all groups have the same,
 * too. */
char *ub_frame_group_name_with(const struct ub_frame *frame, const struct ub_groups *groups,
                               size_t group, const char *const *always);

/* "MSE, digits": what all groups have the same of model, optimizer, loss and dataset, which their
 * names leave out: for the head of a table. NULL where there is nothing, or one group. Caller
 * frees. */
char *ub_frame_shared_name(const struct ub_frame *frame, const struct ub_groups *groups);

struct ub_factor {
    struct ub_groups groups; /* in order of their first rows */
    char **name;             /* one a group, all different */
    size_t *of;              /* one a row of the frame: its group; SIZE_MAX: not among the rows */
    size_t rung;             /* of the rungs given */
};
/* `rungs`: lists as `by` above, from fine to coarse, ends with NULL: the first that makes at most
 * `most` groups serves, or else the last; after it all rows are one, "all". rows NULL: all. */
struct ub_factor ub_factor_new(const struct ub_frame *frame, const struct ub_rows *rows,
                               const char *const *const *rungs, size_t most);
void ub_factor_clear(struct ub_factor *factor);

#endif
