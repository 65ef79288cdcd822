/* list.h - what `unibench list` is made of: kinds of things that have names, each a registry and
 * how an entry of it is described (list_kinds.c, list_laws.c); how entries are shown
 * (list_entries.c); suites, which are files (list_suites.c); and the command (list.c). */
#ifndef UB_CLI_LIST_H
#define UB_CLI_LIST_H

#include "base/registry.h"
#include "bench/store/quantity.h"
#include "bench/store/store.h"

enum {
    LIST_WIDTH = 100,       /* of paragraphs */
    LIST_TABLE_WIDTH = 120, /* of one line each */
    LIST_DETAILS = 8
};

struct list_entry {
    const char *name, *summary;
    size_t n_details;
    struct ub_pair detail[LIST_DETAILS];
    const struct ub_quantity *rows; /* of a trace; NULL: none */
};

struct list_kind {
    const char *name; /* "models" */
    const struct ub_registry *registry;
    void (*describe)(const void *entry, struct list_entry *out); /* all but the name */
};
extern const struct list_kind list_kinds[]; /* ended by name NULL */

/* Copies `text`; nothing when it is NULL. */
void list_detail(struct list_entry *entry, const char *name, const char *text);
void list_describe_law(const void *law, struct list_entry *out);

/* One line each; whole with its options; every entry with its options at their defaults. */
void list_briefly(const struct list_kind *kind);
void list_whole(const struct list_kind *kind, const void *entry);
void list_all_of(const struct list_kind *kind);

bool list_suites(struct ub_error *err);
bool list_suite(const char *name, struct ub_error *err);

#endif
