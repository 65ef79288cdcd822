/* Accepting what is there: the store's own files as they are written, a store as a hand edited it,
 * and damaged runs out of the way. */
#include "bench/store/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *const ub_store_files[] = {"manifest.csv", "suite.yaml", "runs.csv", NULL};

/* ---- the store's own files ----------------------------------------------------------------- */

/* Damaged checksums protect nothing: they are begun anew. */
static struct ub_checksums own_checksums(const char *store)
{
    struct ub_checksums c = {0};
    struct ub_error ignored = {0};
    if (ub_checksums_present(store) && !ub_checksums_read(store, &c, &ignored))
        c = (struct ub_checksums){0};
    return c;
}

/* There are checksums before there is a first file, so that a file without any has lost them. */
bool ub_store_forget(const char *store, const char *name, struct ub_error *err)
{
    struct ub_checksums c = own_checksums(store);
    bool good = true;
    if (ub_checksums_find(&c, name) || !ub_checksums_present(store)) {
        ub_checksums_drop(&c, name);
        good = ub_checksums_write(store, &c, err);
    }
    ub_checksums_clear(&c);
    return good;
}

bool ub_store_remember(const char *store, const char *name, struct ub_error *err)
{
    struct ub_checksums c = own_checksums(store);
    const bool good = ub_checksums_set(&c, store, name, err) && ub_checksums_write(store, &c, err);
    ub_checksums_clear(&c);
    return good;
}

bool ub_store_write_file(const char *store, const char *name, const void *data, size_t length,
                         struct ub_error *err)
{
    char *path = ub_path(store, name);
    const bool good = ub_store_forget(store, name, err) && ub_write_file(path, data, length, err) &&
                      ub_store_remember(store, name, err);
    ub_free(path);
    return good;
}

static bool has_own_files(const char *store)
{
    bool found = false;
    for (size_t i = 0; !found && ub_store_files[i]; i++) {
        char *path = ub_path(store, ub_store_files[i]);
        found = ub_exists(path);
        ub_free(path);
    }
    return found;
}

static bool has_checked_runs(const char *store)
{
    struct ub_ids ids = {0};
    struct ub_error ignored = {0};
    bool found = false;
    if (!ub_list_runs(store, &ids, &ignored))
        return false;
    for (size_t i = 0; !found && i < ids.count; i++) {
        char *folder = ub_store_run_folder(store, ids.id[i]);
        found = ub_checksums_present(folder) || ub_run_checksums_gone(folder, ids.id[i]);
        ub_free(folder);
    }
    ub_free(ids.id);
    return found;
}

/* A manifest of an earlier version has none, whatever runs were copied to it since. */
bool ub_store_checksums_gone(const char *store)
{
    return !ub_checksums_present(store) && has_own_files(store) && !ub_manifest_is_old(store) &&
           has_checked_runs(store);
}

static bool holds(const char *store, const char *name, struct ub_error *err)
{
    struct ub_checksums c = {0};
    if (!ub_checksums_present(store))
        return !ub_store_checksums_gone(store) ||
               ub_fail(err, UB_INPUT, "%s/checksums: gone", store);
    const bool good = ub_checksums_read(store, &c, err) && ub_checksums_hold(&c, store, name, err);
    ub_checksums_clear(&c);
    return good;
}

/* A second look, since a runner may have replaced the file between its checksum and itself. */
bool ub_store_file_holds(const char *store, const char *name, struct ub_error *err)
{
    struct ub_error first = {0};
    return holds(store, name, &first) || holds(store, name, err);
}

/* ---- out of the way ------------------------------------------------------------------------ */

bool ub_store_set_aside(const char *store, const char *id, char **to, struct ub_error *err)
{
    enum { MOST_TRIES = 10000 };
    char *from = ub_store_run_folder(store, id);
    *to = NULL;
    for (int n = 1; !*to && n <= MOST_TRIES; n++) {
        struct ub_text name = {0};
        ub_text_add(&name, ".damaged-%s-%d", id, n);
        char *path = ub_store_run_folder(store, name.data);
        ub_text_free(&name);
        if (!ub_exists(path) && rename(from, path) == 0)
            *to = path;
        else
            ub_free(path);
        if (!*to && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
            break;
    }
    if (!*to)
        ub_fail(err, UB_INPUT, "%s: damaged, and cannot be moved: %s", from, strerror(errno));
    ub_free(from);
    return *to != NULL;
}

/* ---- sealing ------------------------------------------------------------------------------- */

struct seal {
    struct ub_sealing *out;
    char date[32];
};

static void note_edit(struct seal *s, struct ub_checksums *c, const char *place, const char *name)
{
    ub_checksums_note(c, s->date, name);
    struct ub_text text = {0};
    ub_text_add(&text, "%s%s%s", place, *place ? "/" : "", name);
    s->out->edited = ub_realloc(s->out->edited, (s->out->n_edited + 1) * sizeof *s->out->edited);
    s->out->edited[s->out->n_edited++] = text.data;
}

/* Compares what was with what is, and keeps the edits noted before. False when all is as it was. */
static bool merge(struct seal *s, const struct ub_checksums *was, struct ub_checksums *is,
                  const char *place)
{
    bool changed = false;
    for (size_t i = 0; i < was->n_edits; i++) {
        is->edit = ub_realloc(is->edit, (is->n_edits + 1) * sizeof *is->edit);
        is->edit[is->n_edits++] = ub_strdup(was->edit[i]);
    }
    for (size_t i = 0; i < is->count; i++) {
        const struct ub_checksum *now = &is->entry[i], *before = ub_checksums_find(was, now->name);
        if (!before)
            s->out->n_added++;
        else if (strcmp(before->sha256, now->sha256) != 0)
            note_edit(s, is, place, now->name);
        changed = changed || !before || strcmp(before->sha256, now->sha256) != 0;
    }
    for (size_t i = 0; i < was->count; i++)
        if (!ub_checksums_find(is, was->entry[i].name)) {
            note_edit(s, is, place, was->entry[i].name);
            changed = true;
        }
    return changed;
}

/* `is` holds what the folder's files are now; `gone`: it should have checksums, and has none. */
static bool renew(struct seal *s, const char *folder, const char *place, bool gone,
                  struct ub_checksums *is, struct ub_error *err)
{
    struct ub_checksums was = {0};
    struct ub_error damage = {0};
    const bool present = ub_checksums_present(folder);
    const bool lost = gone || (present && !ub_checksums_read(folder, &was, &damage));
    bool changed = merge(s, &was, is, place);
    if (lost) /* what they said is not known: something was edited, or they were */
        note_edit(s, is, place, "checksums");
    const bool good = (!changed && !lost) || ub_checksums_write(folder, is, err);
    ub_checksums_clear(&was);
    return good;
}

static bool seal_run(struct seal *s, const char *store, const char *id, struct ub_error *err)
{
    struct ub_checksums is = {0};
    struct ub_text place = {0};
    ub_text_add(&place, "runs/%s", id);
    char *folder = ub_store_run_folder(store, id);
    const bool gone = ub_run_checksums_gone(folder, id);
    const bool good =
        ub_checksums_of_folder(folder, &is, err) && renew(s, folder, place.data, gone, &is, err);
    ub_checksums_clear(&is);
    ub_text_free(&place);
    ub_free(folder);
    return good;
}

static bool seal_own(struct seal *s, const char *store, struct ub_error *err)
{
    struct ub_checksums is = {0};
    bool good = true;
    const bool gone = ub_store_checksums_gone(store);
    for (size_t i = 0; good && ub_store_files[i]; i++) {
        char *path = ub_path(store, ub_store_files[i]);
        good = !ub_exists(path) || ub_checksums_set(&is, store, ub_store_files[i], err);
        ub_free(path);
    }
    good = good &&
           ((is.count == 0 && !ub_checksums_present(store)) || renew(s, store, "", gone, &is, err));
    ub_checksums_clear(&is);
    return good;
}

/* Whatever checksums say, the runs can be read, and the manifest. */
static bool check_readable(const char *store, const struct ub_ids *ids, struct ub_error *err)
{
    struct ub_expected *expected;
    size_t count;
    if (!ub_manifest_read_unchecked(store, &expected, &count, err))
        return false;
    ub_expected_free(expected, count);
    bool good = true;
    for (size_t i = 0; good && i < ids->count; i++) {
        struct ub_run run;
        char *folder = ub_store_run_folder(store, ids->id[i]);
        good = ub_run_read_unchecked(folder, ids->id[i], &run, err);
        if (good)
            ub_run_clear(&run);
        ub_free(folder);
    }
    return good;
}

bool ub_store_seal(const char *store, struct ub_sealing *sealing, struct ub_error *err)
{
    struct ub_ids ids = {0};
    struct seal s = {.out = sealing};
    struct tm utc;
    const time_t now = time(NULL);
    *sealing = (struct ub_sealing){0};
    if (!gmtime_r(&now, &utc) || !strftime(s.date, sizeof s.date, "%Y-%m-%dT%H:%M:%SZ", &utc))
        return ub_fail(err, UB_INTERNAL, "%s: no date", store);
    bool good = ub_list_runs(store, &ids, err) && check_readable(store, &ids, err);
    for (size_t i = 0; good && i < ids.count; i++)
        good = seal_run(&s, store, ids.id[i], err);
    good = good && seal_own(&s, store, err);
    ub_free(ids.id);
    return good;
}
