/* One axis of a figure or a table. */
#include "report/frame/factor.h"

#include "bench/store/axes.h"

#include <string.h>

/* Names always have the words of the run axes among `by`: what is trained, on what. */
static void set_names(const struct ub_frame *frame, const char *const *by, struct ub_factor *f)
{
    const char *always[UB_RUN_AXES + 1] = {NULL};
    for (size_t n = 0; *by && n < UB_RUN_AXES; by++)
        if (ub_run_axis_find(*by))
            always[n++] = *by;
    f->name = ub_frame_group_names(frame, &f->groups, always);
}

struct ub_factor ub_factor_new(const struct ub_frame *frame, const struct ub_rows *rows,
                               const char *const *const *rungs, size_t most)
{
    static const char *const all[] = {NULL};
    struct ub_factor f = {0};
    const char *const *by = all;
    for (;; f.rung++) {
        by = rungs[f.rung] ? rungs[f.rung] : all;
        f.groups = ub_frame_group_by(frame, rows, by);
        if (f.groups.count <= most || !rungs[f.rung])
            break;
        ub_groups_clear(&f.groups);
    }
    f.of = ub_calloc(frame->rows + 1, sizeof *f.of);
    for (size_t i = 0; i < frame->rows; i++)
        f.of[i] = SIZE_MAX;
    for (size_t g = 0; g < f.groups.count; g++)
        for (size_t i = 0; i < f.groups.group[g].count; i++)
            f.of[f.groups.group[g].row[i]] = g;
    set_names(frame, by, &f);
    return f;
}

void ub_factor_clear(struct ub_factor *f)
{
    ub_names_free(f->name, f->groups.count);
    ub_free(f->of);
    ub_groups_clear(&f->groups);
    *f = (struct ub_factor){0};
}
