/* A store in memory: the manifest's runs in its order, then all others by id. */
#include "bench/store_private.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double ub_run_fact(const struct ub_run *run, const char *name)
{
    for (size_t i = 0; i < run->n_facts; i++)
        if (strcmp(run->facts[i].name, name) == 0)
            return run->facts[i].value;
    return (double)NAN;
}

char *ub_store_run_folder(const char *store, const char *id)
{
    char *runs = ub_path(store, "runs");
    char *folder = ub_path(runs, id);
    ub_free(runs);
    return folder;
}

bool ub_store_read_run(const char *store, const char *id, struct ub_run *run, struct ub_error *err)
{
    *run = (struct ub_run){.status = UB_RUN_MISSING};
    char *folder = ub_store_run_folder(store, id);
    bool good = !ub_exists(folder) || ub_run_read(folder, id, run, err);
    ub_free(folder);
    return good;
}

/* ---- listing ---------------------------------------------------------------------------- */

struct ids {
    size_t count;
    char (*id)[17];
};

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Folders named by an id; temporary folders and foreign files are not runs. */
static bool list_ids(const char *store, struct ids *ids, struct ub_error *err)
{
    *ids = (struct ids){0};
    char *runs = ub_path(store, "runs");
    DIR *folder = opendir(runs);
    if (!folder) {
        bool absent = errno == ENOENT;
        if (!absent)
            ub_fail(err, UB_INPUT, "%s: %s; expected a readable folder of runs", runs,
                    strerror(errno));
        ub_free(runs);
        return absent;
    }
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (!ub_is_run_id(entry->d_name))
            continue;
        ids->id = ub_realloc(ids->id, (ids->count + 1) * sizeof *ids->id);
        memcpy(ids->id[ids->count++], entry->d_name, sizeof *ids->id);
    }
    closedir(folder);
    ub_free(runs);
    if (ids->count)
        qsort(ids->id, ids->count, sizeof *ids->id, compare_ids);
    return true;
}

/* Index of `id` in the sorted list, ids->count when absent. */
static size_t find_id(const struct ids *ids, const char *id)
{
    const char(*found)[17] =
        ids->count ? bsearch(id, ids->id, ids->count, sizeof *ids->id, compare_ids) : NULL;
    return found ? (size_t)(found - (const char(*)[17])ids->id) : ids->count;
}

/* ---- opening ---------------------------------------------------------------------------- */

static bool add_run(struct ub_store *s, const char *id, struct ub_error *err)
{
    char *folder = ub_store_run_folder(s->path, id);
    bool good = ub_run_read(folder, id, &s->runs[s->count], err);
    ub_free(folder);
    s->count += good;
    return good;
}

/* Takes over the spec. */
static void add_missing(struct ub_store *s, const char *id, struct ub_run_spec *spec)
{
    struct ub_run *run = &s->runs[s->count++];
    *run = (struct ub_run){.spec = *spec, .status = UB_RUN_MISSING};
    memcpy(run->id, id, sizeof run->id);
    run->label = ub_run_spec_label(spec);
    run->message = ub_strdup("");
    *spec = (struct ub_run_spec){0};
}

static bool fill(struct ub_store *s, const struct ids *ids, struct ub_run_spec *expected,
                 size_t n_expected, struct ub_error *err)
{
    s->runs = ub_calloc(ids->count + n_expected + 1, sizeof *s->runs);
    bool *taken = ub_calloc(ids->count + 1, sizeof *taken);
    bool good = true;
    for (size_t i = 0; good && i < n_expected; i++) {
        char id[17];
        ub_run_spec_id(&expected[i], id);
        size_t found = find_id(ids, id);
        if (found == ids->count)
            add_missing(s, id, &expected[i]);
        else if (!taken[found])
            good = add_run(s, id, err);
        taken[found] = true;
    }
    for (size_t i = 0; good && i < ids->count; i++)
        if (!taken[i])
            good = add_run(s, ids->id[i], err);
    ub_free(taken);
    return good;
}

static bool open_store(struct ub_store *s, struct ub_error *err)
{
    struct ids ids = {0};
    struct ub_run_spec *expected = NULL;
    size_t n_expected = 0;
    char *runs = ub_path(s->path, "runs"), *manifest = ub_path(s->path, "manifest.csv");
    s->has_manifest = ub_exists(manifest);
    bool good = s->has_manifest || ub_exists(runs);
    if (!good)
        ub_fail(err, UB_INPUT, "%s: %s; expected a store that 'unibench run' or 'train' wrote",
                s->path, ub_exists(s->path) ? "not a store" : "no such folder");
    good = good && list_ids(s->path, &ids, err) &&
           ub_manifest_read(s->path, &expected, &n_expected, err) &&
           fill(s, &ids, expected, n_expected, err);
    for (size_t i = 0; i < n_expected; i++)
        ub_run_spec_clear(&expected[i]);
    ub_free(expected);
    ub_free(ids.id);
    ub_free(runs);
    ub_free(manifest);
    return good;
}

struct ub_store *ub_store_open(const char *path, struct ub_error *err)
{
    struct ub_store *s = ub_calloc(1, sizeof *s);
    s->path = ub_strdup(path);
    if (open_store(s, err))
        return s;
    ub_store_free(s);
    return NULL;
}

void ub_store_free(struct ub_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->count; i++)
        ub_run_clear(&store->runs[i]);
    ub_free(store->runs);
    ub_free(store->path);
    ub_free(store);
}

const struct ub_run *ub_store_find(const struct ub_store *store, const char *id_prefix,
                                   struct ub_error *err)
{
    const struct ub_run *found = NULL;
    size_t matches = 0;
    for (size_t i = 0; i < store->count; i++)
        if (strncmp(store->runs[i].id, id_prefix, strlen(id_prefix)) == 0) {
            found = &store->runs[i];
            matches++;
        }
    if (matches == 1)
        return found;
    if (matches == 0)
        ub_fail(err, UB_INPUT, "%s: no run '%s'; expected the start of a run's id", store->path,
                id_prefix);
    else
        ub_fail(err, UB_INPUT, "%s: '%s' starts the ids of %zu runs; expected more digits",
                store->path, id_prefix, matches);
    return NULL;
}
