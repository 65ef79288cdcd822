/* One axis of a figure or a table. */
#include "report/frame/factor.h"

#include "bench/store/axes.h"

#include <string.h>

/* Names of groups that differ in nothing else may be the same: where they were cut at another axis
 * ("data"). They are told apart by number. */
static void tell_apart(struct ub_factor *f)
{
    for (size_t i = 1; i < f->groups.count; i++)
        for (size_t k = 0; k < i; k++) {
            struct ub_text other = {0};
            if (strcmp(f->name[i], f->name[k]) != 0)
                continue;
            ub_text_add(&other, "%s no. %zu", f->name[i], i + 1);
            ub_free(f->name[i]);
            f->name[i] = other.data;
            break;
        }
}

/* Names always have the words of the run axes among `by`: what is trained, on what. */
static void set_names(const struct ub_frame *frame, const char *const *by, struct ub_factor *f)
{
    const char *always[UB_RUN_AXES + 1] = {NULL};
    for (size_t n = 0; *by && n < UB_RUN_AXES; by++)
        if (ub_run_axis_find(*by))
            always[n++] = *by;
    f->name = ub_calloc(f->groups.count + 1, sizeof *f->name);
    for (size_t g = 0; g < f->groups.count; g++)
        f->name[g] = ub_frame_group_name_with(frame, &f->groups, g, always);
    tell_apart(f);
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
    for (size_t g = 0; g < f->groups.count; g++)
        ub_free(f->name[g]);
    ub_free(f->name);
    ub_free(f->of);
    ub_groups_clear(&f->groups);
    *f = (struct ub_factor){0};
}
