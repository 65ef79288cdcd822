/* plane.h - what theories without a free parameter say of runs, beside what was measured: the
 * points of a report's diagonal. A law gives those of one run:
 *
 *     static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
 *                       struct ub_plane *points)
 *     {
 *         ub_plane_courses(points, frame, row, "predicted-risk", "test-loss", 2);
 *     }
 */
#ifndef UB_LAWS_PLANE_H
#define UB_LAWS_PLANE_H

#include "report/frame/frame.h"
#include "report/laws/level.h"

/* Zeroed before its first use. */
struct ub_plane {
    double *predicted, *measured; /* positive and finite both */
    size_t count, room;
};
/* Ignores a pair that has no place on logarithmic axes. */
void ub_plane_add(struct ub_plane *plane, double predicted, double measured);
/* Adds index 0 of two rows of an observable, at up to eight of the times at which both were
 * written, evenly spaced in their order; the measured one times `factor`. Nothing of a run that did
 * not end well. */
void ub_plane_courses(struct ub_plane *plane, const struct ub_frame *frame, size_t row,
                      const char *predicted, const char *measured, double factor);
void ub_plane_clear(struct ub_plane *plane);

/* What a law gives; `level`: of laws about levels what this run came to, else NULL. */
typedef void ub_law_plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                          struct ub_plane *plane);

#endif
