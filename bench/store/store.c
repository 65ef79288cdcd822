/* A store in memory: the manifest's runs in its order, then all others by id. */
#include "base/team.h"
#include "bench/store/private.h"

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
    const bool good = !ub_exists(folder) || ub_run_read(folder, id, run, err);
    ub_free(folder);
    if (!good)
        *run = (struct ub_run){.status = UB_RUN_MISSING};
    return good;
}

/* ---- listing ---------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Temporary folders, damaged ones and foreign files have other names. */
bool ub_list_runs(const char *store, struct ub_ids *ids, struct ub_error *err)
{
    *ids = (struct ub_ids){0};
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
static size_t find_id(const struct ub_ids *ids, const char *id)
{
    const char(*found)[17] =
        ids->count ? bsearch(id, ids->id, ids->count, sizeof *ids->id, compare_ids) : NULL;
    return found ? (size_t)(found - (const char(*)[17])ids->id) : ids->count;
}

/* ---- opening ---------------------------------------------------------------------------- */

static void add_damage(struct ub_store *s, const char *folder, const char *name, const char *why)
{
    struct ub_text place = {0};
    ub_text_add(&place, "%s%s%s", folder, *folder ? "/" : "", name);
    s->damaged = ub_realloc(s->damaged, (s->n_damaged + 1) * sizeof *s->damaged);
    s->damaged[s->n_damaged++] = (struct ub_damage){.name = place.data, .why = ub_strdup(why)};
    s->n_damaged_runs += *folder != '\0';
}

/* Takes over what was expected. `why` is NULL unless the run is there, but damaged. */
static void add_missing(struct ub_store *s, const char *id, struct ub_expected *expected,
                        const char *why)
{
    struct ub_run *run = &s->runs[s->count++];
    *run = (struct ub_run){.spec = expected->spec,
                           .control = expected->control,
                           .status = UB_RUN_MISSING,
                           .damaged = why != NULL};
    memcpy(run->id, id, sizeof run->id);
    run->label = ub_run_spec_label(&run->spec);
    run->message = ub_strdup(why ? why : "");
    *expected = (struct ub_expected){0};
}

/* Its data may have been read from another place than they are asked for at now: the same run, by
 * its present name. */
static void take_dataset(struct ub_run *run, struct ub_run_spec *expected)
{
    if (strcmp(run->spec.dataset, expected->dataset) == 0)
        return;
    ub_free(run->spec.dataset);
    ub_free(run->spec.dataset_label);
    run->spec.dataset = expected->dataset;
    run->spec.dataset_label = expected->dataset_label;
    expected->dataset = expected->dataset_label = NULL;
    ub_free(run->label);
    run->label = ub_run_spec_label(&run->spec);
}

static void take_control(struct ub_run *run, struct ub_expected *expected)
{
    run->control = expected->control;
    expected->control = NULL;
}

/* A run that is to be read, in the order of the store's runs. */
struct reading {
    const char *id;               /* of its folder; NULL: there is none */
    struct ub_expected *expected; /* the manifest's, NULL when it has none */
    struct ub_run run;
    char *damage; /* NULL: it was read */
};

struct readings {
    const char *path; /* of the store */
    size_t count;
    struct reading *reading;
};

static void read_one(void *context, int64_t task, int member)
{
    const struct readings *all = context;
    struct reading *r = &all->reading[task];
    struct ub_error damage = {0};
    (void)member;
    if (!r->id)
        return;
    char *folder = ub_store_run_folder(all->path, r->id);
    if (!ub_run_read(folder, r->id, &r->run, &damage))
        r->damage = ub_strdup(damage.text);
    ub_free(folder);
}

/* Runs are read independently of each other: several threads, whichever they are, read the same. */
static void read_all(struct readings *all)
{
    struct ub_team *team = ub_team_for((int64_t)all->count);
    ub_team_run(team, (int64_t)all->count, read_one, all);
    ub_team_free(team);
}

/* Takes over what `expected` and the run have. */
static void add_reading(struct ub_store *s, struct reading *r)
{
    char id[17];
    if (!r->id) {
        ub_run_spec_id(&r->expected->spec, id);
        add_missing(s, id, r->expected, NULL);
        return;
    }
    if (r->damage) {
        add_damage(s, "runs", r->id, r->damage);
        if (r->expected)
            add_missing(s, r->id, r->expected, r->damage);
        ub_free(r->damage);
        return;
    }
    if (r->expected) {
        take_dataset(&r->run, &r->expected->spec);
        take_control(&r->run, r->expected);
    }
    s->runs[s->count++] = r->run;
}

static void fill(struct ub_store *s, const struct ub_ids *ids, struct ub_expected *expected,
                 size_t n_expected)
{
    const size_t room = ids->count + n_expected + 1;
    struct readings all = {.path = s->path, .reading = ub_calloc(room, sizeof *all.reading)};
    s->runs = ub_calloc(room, sizeof *s->runs);
    bool *taken = ub_calloc(ids->count + 1, sizeof *taken);
    for (size_t i = 0; i < n_expected; i++) {
        char id[17];
        ub_run_spec_id(&expected[i].spec, id);
        const size_t found = find_id(ids, id);
        const bool there = found < ids->count;
        if (!there || !taken[found])
            all.reading[all.count++] =
                (struct reading){.id = there ? ids->id[found] : NULL, .expected = &expected[i]};
        taken[found] = true;
    }
    for (size_t i = 0; i < ids->count; i++)
        if (!taken[i])
            all.reading[all.count++] = (struct reading){.id = ids->id[i]};
    read_all(&all);
    for (size_t i = 0; i < all.count; i++)
        add_reading(s, &all.reading[i]);
    ub_free(all.reading);
    ub_free(taken);
}

/* The store's own files: damage to them is said, and costs no run. False when there are no
 * checksums, or none that can be trusted. */
static bool check_own_files(struct ub_store *s)
{
    struct ub_checksums c = {0};
    struct ub_error damage = {0};
    if (ub_store_checksums_gone(s->path))
        add_damage(s, "", "checksums", "gone: damage to the others cannot be seen");
    if (!ub_checksums_present(s->path))
        return false;
    if (!ub_checksums_read(s->path, &c, &damage)) {
        add_damage(s, "", "checksums", damage.text);
        return false;
    }
    for (size_t i = 0; ub_store_files[i]; i++) {
        damage = (struct ub_error){0};
        if (strcmp(ub_store_files[i], "manifest.csv") != 0 && /* said where it is read */
            !ub_store_file_holds(s->path, ub_store_files[i], &damage))
            add_damage(s, "", ub_store_files[i], damage.text);
    }
    s->edits = c.edit;
    s->n_edits = c.n_edits;
    c.edit = NULL;
    c.n_edits = 0;
    ub_checksums_clear(&c);
    return true;
}

/* Without its manifest a store still has its runs. `checks`: there are checksums to hold it to. */
static bool read_expected(struct ub_store *s, bool checks, const struct ub_ids *ids,
                          struct ub_expected **expected, size_t *count, struct ub_error *err)
{
    struct ub_error damage = {0};
    if (checks ? ub_manifest_read(s->path, expected, count, &damage)
               : ub_manifest_read_unchecked(s->path, expected, count, &damage))
        return true;
    if (ids->count == 0)
        return ub_fail(err, UB_INPUT, "%s", damage.text);
    add_damage(s, "", "manifest.csv", damage.text);
    s->has_manifest = false;
    return true;
}

/* ---- labels ----------------------------------------------------------------------------- */

static int compare_labels(const void *a, const void *b)
{
    return strcmp((*(struct ub_run *const *)a)->label, (*(struct ub_run *const *)b)->label);
}

static void spell_out(struct ub_run *run)
{
    char **const labels[] = {&run->spec.dataset_label, &run->spec.model_label,
                             &run->spec.init_label, &run->spec.optimizer_label};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        ub_free(*labels[i]);
        *labels[i] = NULL;
    }
    ub_free(run->label);
    run->label = ub_run_spec_label(&run->spec);
}

/* Short forms leave out defaults, and these may have changed between the versions that made the
 * runs of a store: runs that would look the same are told apart by their whole texts. */
static void tell_apart(struct ub_store *s)
{
    struct ub_run **by_label = ub_calloc(s->count + 1, sizeof(struct ub_run *));
    bool *same = ub_calloc(s->count + 1, sizeof *same);
    for (size_t i = 0; i < s->count; i++)
        by_label[i] = &s->runs[i];
    if (s->count)
        qsort(by_label, s->count, sizeof *by_label, compare_labels);
    for (size_t i = 1; i < s->count; i++)
        if (strcmp(by_label[i]->label, by_label[i - 1]->label) == 0)
            same[i] = same[i - 1] = true;
    for (size_t i = 0; i < s->count; i++)
        if (same[i])
            spell_out(by_label[i]);
    ub_free(by_label);
    ub_free(same);
}

static bool open_store(struct ub_store *s, struct ub_error *err)
{
    struct ub_ids ids = {0};
    struct ub_expected *expected = NULL;
    size_t n_expected = 0;
    char *runs = ub_path(s->path, "runs"), *manifest = ub_path(s->path, "manifest.csv");
    s->has_manifest = ub_exists(manifest);
    bool good = s->has_manifest || ub_exists(runs);
    if (!good)
        ub_fail(err, UB_INPUT, "%s: %s; expected a store that 'unibench run' or 'train' wrote",
                s->path, ub_exists(s->path) ? "not a store" : "no such folder");
    good = good && ub_list_runs(s->path, &ids, err) &&
           read_expected(s, check_own_files(s), &ids, &expected, &n_expected, err);
    if (good) {
        fill(s, &ids, expected, n_expected);
        tell_apart(s);
    }
    ub_expected_free(expected, n_expected);
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
    for (size_t i = 0; i < store->n_damaged; i++) {
        ub_free(store->damaged[i].name);
        ub_free(store->damaged[i].why);
    }
    for (size_t i = 0; i < store->n_edits; i++)
        ub_free(store->edits[i]);
    ub_free(store->edits);
    ub_free(store->damaged);
    ub_free(store->runs);
    ub_free(store->path);
    ub_free(store);
}

static const struct ub_damage *find_damaged(const struct ub_store *store, const char *id_prefix)
{
    for (size_t i = 0; i < store->n_damaged; i++) {
        const char *name = store->damaged[i].name;
        if (strncmp(name, "runs/", 5) == 0 && strncmp(name + 5, id_prefix, strlen(id_prefix)) == 0)
            return &store->damaged[i];
    }
    return NULL;
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
    const struct ub_damage *damaged = find_damaged(store, id_prefix);
    if (damaged && (matches == 0 || (matches == 1 && found->damaged))) {
        ub_fail(err, UB_INPUT, "%s", damaged->why);
        return NULL;
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

size_t ub_store_run_count(const struct ub_store *store)
{
    size_t all = store->count + store->n_damaged_runs;
    for (size_t i = 0; i < store->count; i++)
        all -= store->runs[i].damaged; /* in both */
    return all;
}

/* ---- what readers have to know ----------------------------------------------------------------
 */

static void add_names(struct ub_text *out, size_t shown, size_t count)
{
    if (count > shown)
        ub_text_add(out, "; and %zu more", count - shown);
    ub_text_add(out, ".\n");
}

enum { MOST_NAMED = 5 };

static void say_damaged(struct ub_text *out, const struct ub_store *store)
{
    size_t shown = 0;
    if (store->n_damaged_runs)
        ub_text_add(out, "Damaged: %zu of %zu runs left out of all that follows",
                    store->n_damaged_runs, ub_store_run_count(store));
    else
        ub_text_add(out, "Damaged: of the store's own files");
    for (; shown < store->n_damaged && shown < MOST_NAMED; shown++)
        ub_text_add(out, "%s %s (%s)", shown ? ";" : ":", store->damaged[shown].name,
                    store->damaged[shown].why);
    add_names(out, shown, store->n_damaged);
    if (store->n_damaged_runs)
        ub_text_add(out,
                    "'unibench run' sets damaged runs aside and makes them again; an edit that "
                    "is meant is accepted by 'unibench seal'.\n");
}

/* Marks of controls are the manifest's. */
static void say_without_manifest(struct ub_text *out, const struct ub_store *store)
{
    for (size_t i = 0; i < store->n_damaged; i++)
        if (strcmp(store->damaged[i].name, "manifest.csv") == 0)
            ub_text_add(out, "Without its manifest the store does not know which runs are controls "
                             "of laws, nor which are missing: controls are judged as any other "
                             "run. 'unibench run' of its suite writes the manifest anew.\n");
}

static const char *edits_of(const struct ub_run *run)
{
    for (size_t i = 0; i < run->n_provenance; i++)
        if (strcmp(run->provenance[i].name, "edited") == 0)
            return run->provenance[i].text;
    return NULL;
}

static void say_edited(struct ub_text *out, const struct ub_store *store)
{
    size_t edited = store->n_edits > 0, shown = 0;
    for (size_t i = 0; i < store->count; i++)
        edited += edits_of(&store->runs[i]) != NULL;
    if (edited == 0)
        return;
    ub_text_add(out, "Edited by hand, and sealed: ");
    if (store->n_edits)
        ub_text_add(out, "the store's own files (%s)", store->edits[store->n_edits - 1]);
    shown += store->n_edits > 0;
    for (size_t i = 0; i < store->count && shown < MOST_NAMED; i++) {
        const char *edits = edits_of(&store->runs[i]);
        if (edits)
            ub_text_add(out, "%sruns/%s (%s)", shown++ ? "; " : "", store->runs[i].id, edits);
    }
    add_names(out, shown, edited);
}

char *ub_store_notice(const struct ub_store *store)
{
    struct ub_text out = {0};
    size_t present = 0, unchecked = 0;
    if (store->n_damaged)
        say_damaged(&out, store);
    say_without_manifest(&out, store);
    say_edited(&out, store);
    for (size_t i = 0; i < store->count; i++) {
        present += store->runs[i].status != UB_RUN_MISSING;
        unchecked += store->runs[i].status != UB_RUN_MISSING && !store->runs[i].checked;
    }
    if (unchecked)
        ub_text_add(&out,
                    "Without checksums: %zu of %zu runs, which an earlier version made; damage "
                    "to their numbers cannot be seen ('unibench seal' adds checksums).\n",
                    unchecked, present);
    return out.data;
}
