/* same_system.h - whether two specs are of one system, as frames group them. */
#ifndef UB_TEST_SAME_SYSTEM_H
#define UB_TEST_SAME_SYSTEM_H

#include "report/frame/frame.h"
#include "tests/support.h"

static inline bool same_system(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    struct ub_run runs[] = {{.spec = *a}, {.spec = *b}};
    const struct ub_store store = {.path = (char *)"", .count = 2, .runs = runs};
    struct ub_error err = {0};
    struct ub_frame *frame = ub_frame_new(&store, &err);
    if (!frame)
        fail_msg("%s", err.text);
    struct ub_groups groups = ub_frame_group(frame, NULL, NULL);
    const bool same = groups.count == 1;
    ub_groups_clear(&groups);
    ub_frame_free(frame);
    return same;
}

#endif
