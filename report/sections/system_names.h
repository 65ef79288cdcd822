/* system_names.h - systems by name, as a table of some of them has them: what tells them apart, and
 * in the head of their column what all have the same, "system (all: MSE, digits)". */
#ifndef UB_SECTIONS_SYSTEM_NAMES_H
#define UB_SECTIONS_SYSTEM_NAMES_H

#include "report/laws/study.h"

struct system_names {
    char *head, **name; /* one a system of those given, indices of the study's */
    size_t count;
};
struct system_names system_names_of(const struct study *study, const size_t *system, size_t count);
void system_names_clear(struct system_names *names);

#endif
