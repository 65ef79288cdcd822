/* Points of trends. */
#include "report/laws/trend.h"

static void add(struct ub_axis_point **point, size_t *count, size_t *room, struct ub_axis_point p)
{
    if (*count == *room) {
        *room = *room ? 2 * *room : 32;
        *point = ub_realloc(*point, *room * sizeof **point);
    }
    (*point)[(*count)++] = p;
}

void ub_trend_add(struct ub_trend *t, struct ub_axis_point point)
{
    add(&t->point, &t->count, &t->room, point);
}

void ub_trend_predict(struct ub_trend *t, double x, double y)
{
    add(&t->predicted, &t->n_predicted, &t->predicted_room, (struct ub_axis_point){x, y, 0});
}

void ub_trend_axis(struct ub_trend *t, const struct ub_frame *frame, const struct ub_rows *group,
                   const char *axis,
                   double (*number)(const struct ub_frame *frame, size_t row, const void *context),
                   const void *context)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    for (size_t i = 0; i < group->count; i++)
        ub_trend_add(t, (struct ub_axis_point){ub_frame_number(frame, group->row[i], axis),
                                               number(frame, group->row[i], context),
                                               seed->level[group->row[i]]});
}

void ub_trend_clear(struct ub_trend *t)
{
    ub_free(t->point);
    ub_free(t->predicted);
    *t = (struct ub_trend){0};
}
