#include "bench/suite/plan.h"

#include <math.h>
#include <string.h>

static const uint64_t largest_suite = (uint64_t)64 << 20;

/* ---- what is pending -------------------------------------------------------------------- */

/* More time than the `old` run had; a run that knows no timeout is given another chance. */
static bool has_more_time(const struct ub_run *old, double timeout)
{
    double before = ub_run_fact(old, "timeout");
    return isnan(before) || timeout <= 0 || timeout > before;
}

static bool is_pending(const struct ub_run *old, const struct ub_suite_cell *cell, bool again)
{
    switch (old->status) {
    case UB_RUN_OK:
    case UB_RUN_DIVERGED:
        return again;
    case UB_RUN_TIMEOUT:
        return again || has_more_time(old, cell->timeout);
    default:
        return true;
    }
}

static void read_entry(struct ub_plan_entry *entry, const char *store,
                       const struct ub_plan_wish *wish)
{
    ub_run_spec_id(&entry->cell->spec, entry->id);
    entry->label = ub_run_spec_label(&entry->cell->spec);
    entry->selected = ub_glob(wish->filter, entry->label) || ub_glob(wish->filter, entry->id);
    if (wish->has_timeout)
        entry->cell->timeout = wish->timeout;
    struct ub_run old;
    struct ub_error damage = {0};
    if (!ub_store_read_run(store, entry->id, &old, &damage))
        entry->damage = ub_strdup(damage.text);
    entry->status = old.status;
    entry->pending = entry->selected && is_pending(&old, entry->cell, wish->again);
    ub_run_clear(&old);
}

static bool read_entries(struct ub_plan *plan, struct ub_suite_cell *cells, const char *store,
                         const struct ub_plan_wish *wish, struct ub_error *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct ub_plan_entry *entry = &plan->entries[i];
        entry->cell = &cells[i];
        read_entry(entry, store, wish);
        plan->selected += entry->selected;
        if (entry->pending)
            plan->pending_cells[plan->n_pending++] = entry->cell;
    }
    if (plan->selected > 0)
        return true;
    return ub_fail(err, UB_INPUT,
                   "--filter '%s' selects none of the %zu runs; expected a glob of their labels, "
                   "as in '*mlp*gd*'",
                   wish->filter, plan->count);
}

struct ub_plan *ub_plan_new(struct ub_suite_cell *cells, size_t count, const char *store,
                            const struct ub_plan_wish *wish, struct ub_error *err)
{
    struct ub_plan *plan = ub_calloc(1, sizeof *plan);
    plan->count = count;
    plan->entries = ub_calloc(count + 1, sizeof *plan->entries);
    plan->pending_cells = ub_calloc(count + 1, sizeof *plan->pending_cells);
    if (read_entries(plan, cells, store, wish, err))
        return plan;
    ub_plan_free(plan);
    return NULL;
}

static void free_entry(struct ub_plan_entry *entry)
{
    ub_free(entry->label);
    ub_free(entry->damage);
}

void ub_plan_free(struct ub_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->count; i++)
        free_entry(&plan->entries[i]);
    ub_free(plan->entries);
    ub_free(plan->pending_cells);
    ub_free(plan);
}

/* ---- the store's account ---------------------------------------------------------------- */

static bool copy_suite(const char *store, const char *suite_path, struct ub_error *err)
{
    size_t length;
    unsigned char *text = ub_read_file(suite_path, largest_suite, &length, err);
    bool good = text && ub_store_write_file(store, "suite.yaml", text, length, err);
    ub_free(text);
    return good;
}

struct ids {
    size_t count;
    char (*id)[17];
};

/* False when the manifest is damaged. */
static bool read_expected(const char *store, struct ids *ids)
{
    struct ub_expected *before;
    struct ub_error ignored = {0};
    bool good = ub_manifest_read(store, &before, &ids->count, &ignored);
    ids->id = ub_calloc(ids->count + 1, sizeof *ids->id);
    for (size_t i = 0; i < ids->count; i++)
        ub_run_spec_id(&before[i].spec, ids->id[i]);
    ub_expected_free(before, ids->count);
    return good;
}

static bool is_among(const struct ids *ids, const char *id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (strcmp(ids->id[i], id) == 0)
            return true;
    return false;
}

bool ub_plan_write(const struct ub_plan *plan, const char *store, const char *suite_path,
                   struct ub_error *err)
{
    struct ids before = {0};
    size_t n = 0;
    bool filtered = plan->selected < plan->count;
    /* What a damaged manifest asked for was, at least, what has been made. */
    bool lost = filtered && !read_expected(store, &before);
    struct ub_expected *expected = ub_calloc(plan->count + 1, sizeof *expected); /* the cells' */
    for (size_t i = 0; i < plan->count; i++)
        if (plan->entries[i].selected || is_among(&before, plan->entries[i].id) ||
            (lost && plan->entries[i].status != UB_RUN_MISSING))
            expected[n++] =
                (struct ub_expected){plan->entries[i].cell->spec, plan->entries[i].cell->control};
    bool good = copy_suite(store, suite_path, err) && ub_manifest_write(store, expected, n, err);
    ub_free(before.id);
    ub_free(expected);
    return good;
}

/* ---- damaged runs ----------------------------------------------------------------------- */

bool ub_plan_set_aside(const struct ub_plan *plan, const char *store, struct ub_error *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct ub_plan_entry *entry = &plan->entries[i];
        char *to;
        if (!entry->damage || !entry->pending)
            continue;
        if (!ub_store_set_aside(store, entry->id, &to, err))
            return false;
        fprintf(stderr, "unibench: %s: set aside as %s, and made again\n", entry->damage, to);
        ub_free(to);
    }
    return true;
}
