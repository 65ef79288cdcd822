/* plane.c - see plane.h. */
#include "report/laws/plane.h"

#include <math.h>

enum { TIMES = 8 };

void ub_plane_add(struct ub_plane *plane, double predicted, double measured)
{
    if (!(predicted > 0 && measured > 0 && isfinite(predicted) && isfinite(measured)))
        return;
    if (plane->count == plane->room) {
        plane->room = 2 * plane->room + 64;
        plane->predicted = ub_realloc(plane->predicted, plane->room * sizeof *plane->predicted);
        plane->measured = ub_realloc(plane->measured, plane->room * sizeof *plane->measured);
    }
    plane->predicted[plane->count] = predicted;
    plane->measured[plane->count++] = measured;
}

void ub_plane_courses(struct ub_plane *plane, const struct ub_frame *frame, size_t row,
                      const char *predicted, const char *measured, double factor)
{
    if (frame->store->runs[row].status != UB_RUN_OK)
        return;
    struct ub_series p = ub_frame_series(frame, row, predicted, 0);
    struct ub_series m = ub_frame_series(frame, row, measured, 0);
    size_t *at = ub_calloc(p.count + 1, sizeof *at), *partner = ub_calloc(p.count + 1, sizeof *at);
    size_t n = 0;
    for (size_t i = 0, k = 0; i < p.count; i++) {
        while (k < m.count && m.step[k] < p.step[i])
            k++;
        if (k == m.count || m.step[k] != p.step[i])
            continue;
        at[n] = i;
        partner[n++] = k;
    }
    const size_t points = n < TIMES ? n : TIMES;
    for (size_t t = 0; t < points; t++) { /* the last time always, the only one of those solved */
        const size_t i = n - 1 - t * (n - 1) / (points > 1 ? points - 1 : 1);
        ub_plane_add(plane, p.value[at[i]], factor * m.value[partner[i]]);
    }
    ub_free(at);
    ub_free(partner);
    ub_series_clear(&p);
    ub_series_clear(&m);
}

void ub_plane_clear(struct ub_plane *plane)
{
    ub_free(plane->predicted);
    ub_free(plane->measured);
    *plane = (struct ub_plane){0};
}
