/* plan.h - which runs of a suite are wanted, which of them a store has already, and the store's
 * account of both: suite.yaml and manifest.csv.
 *
 * A run is pending, that is, still to be made, when it is selected and
 *   - the store does not have it, or has it as failed or damaged; or
 *   - it ran into its timeout, and is now given more time than it had. */
#ifndef UB_PLAN_H
#define UB_PLAN_H

#include "bench/suite/suite.h"

struct ub_plan_wish {
    const char *filter; /* glob of labels or ids; NULL = all */
    bool again;         /* make runs anew that the store has */
    bool has_timeout;   /* `timeout` replaces the suite's */
    double timeout;     /* seconds, 0 = none */
};

struct ub_plan_entry {
    struct ub_suite_cell *cell;
    char id[17];
    char *label;
    enum ub_run_status status; /* in the store */
    char *damage;              /* what is wrong with its files there; NULL = nothing */
    bool selected, pending;
};

struct ub_plan {
    size_t count, selected, n_pending;
    struct ub_plan_entry *entries;              /* one a cell, in its order */
    const struct ub_suite_cell **pending_cells; /* n_pending */
};

/* Keeps `cells`, and sets their timeouts. `store` need not exist. A filter that selects nothing
 * is an error. */
struct ub_plan *ub_plan_new(struct ub_suite_cell *cells, size_t count, const char *store,
                            const struct ub_plan_wish *wish, struct ub_error *err);
void ub_plan_free(struct ub_plan *plan);

/* Writes suite.yaml, a copy of the file, and the manifest: what is selected now and what was
 * expected of this suite before. The caller holds the store's lock. */
bool ub_plan_write(const struct ub_plan *plan, const char *store, const char *suite_path,
                   struct ub_error *err);

/* Moves damaged runs that are pending out of the way (ub_store_set_aside), and says so on standard
 * error. The caller holds the store's lock. */
bool ub_plan_set_aside(const struct ub_plan *plan, const char *store, struct ub_error *err);

#endif
