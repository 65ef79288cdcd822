/* Systems by name in tables. */
#include "report/sections/system_names.h"

#include "report/frame/factor.h"

struct system_names system_names_of(const struct study *study, const size_t *system, size_t count)
{
    static const char *const alone[] = {"model", "optimizer", "loss", "dataset", NULL};
    struct system_names n = {.count = count};
    struct ub_groups groups = {.count = count, .group = ub_calloc(count + 1, sizeof *groups.group)};
    struct ub_text head = {0};
    for (size_t i = 0; i < count; i++)
        groups.group[i] = study->systems.group[system[i]];
    n.name = ub_frame_group_names(study->frame, &groups, count == 1 ? alone : NULL);
    char *shared = ub_frame_shared_name(study->frame, &groups);
    ub_text_add(&head, "system");
    if (shared)
        ub_text_add(&head, " (all: %s)", shared);
    n.head = head.data;
    ub_free(shared);
    ub_free(groups.group);
    return n;
}

void system_names_clear(struct system_names *n)
{
    ub_names_free(n->name, n->count);
    ub_free(n->head);
    *n = (struct system_names){0};
}
