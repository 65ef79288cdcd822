/* store_private.h - what the store's own files share. */
#ifndef UB_STORE_PRIVATE_H
#define UB_STORE_PRIVATE_H

#include "bench/store/store.h"

/* Of run.yaml, trace.csv.gz and manifest.csv. 1: without checksums; read, never written. */
enum { UB_STORE_SCHEMA = 2, UB_STORE_UNCHECKED = 1 };

/* `folder` is STORE/runs/ID. Its files are checked against their checksums, or, where there are
 * none, read: fails when any of them is damaged. */
bool ub_run_read(const char *folder, const char *id, struct ub_run *run, struct ub_error *err);
/* The same, whatever the checksums say: its spec, and its trace where it must have one, are read.
 */
bool ub_run_read_unchecked(const char *folder, const char *id, struct ub_run *run,
                           struct ub_error *err);
/* It has no checksums, though all runs of its schema are written with them. */
bool ub_run_checksums_gone(const char *folder, const char *id);
/* A CSV field: empty for NaN; infinities are data, too. */
void ub_trace_add_value(struct ub_text *out, double value);
struct ub_trace *ub_trace_read_file(const char *path, struct ub_error *err);
/* A file of a store is a regular one, or a link to one: a pipe in its place would never end. True
 * also when it is absent, which reading says. */
bool ub_store_regular(const char *path, struct ub_error *err);
bool ub_is_run_id(const char *name); /* 16 lower-case hex digits */

/* ---- checksums (STORE/runs/ID/checksums, STORE/checksums) ---- */

struct ub_checksum {
    char *name; /* of a file in the folder */
    char sha256[UB_SHA256_TEXT];
};
struct ub_checksums {
    size_t count;
    struct ub_checksum *entry; /* each name once; written in order of names */
    size_t n_edits;
    char **edit; /* "DATE NAME": accepted by ub_store_seal, oldest first */
};
bool ub_checksums_present(const char *folder);
/* Fails when the file is not, byte for byte, as it was written. */
bool ub_checksums_read(const char *folder, struct ub_checksums *c, struct ub_error *err);
bool ub_checksums_write(const char *folder, struct ub_checksums *c, struct ub_error *err);
void ub_checksums_clear(struct ub_checksums *c);
const struct ub_checksum *ub_checksums_find(const struct ub_checksums *c, const char *name);
/* Takes over what the file is now. */
bool ub_checksums_set(struct ub_checksums *c, const char *folder, const char *name,
                      struct ub_error *err);
void ub_checksums_drop(struct ub_checksums *c, const char *name);
void ub_checksums_note(struct ub_checksums *c, const char *date, const char *name); /* an edit */
/* Sets the entries of all regular files in the folder. */
bool ub_checksums_of_folder(const char *folder, struct ub_checksums *c, struct ub_error *err);
/* Whether a file (true when it has no checksum), or all that have one, are as they were. */
bool ub_checksums_hold(const struct ub_checksums *c, const char *folder, const char *name,
                       struct ub_error *err);
bool ub_checksums_hold_all(const struct ub_checksums *c, const char *folder, struct ub_error *err);

void ub_spec_split_measures(struct ub_run_spec *spec, const char *joined); /* by ';' */

extern const char *const ub_store_files[]; /* manifest.csv, suite.yaml, runs.csv, NULL */
/* True also for a file, or in a store, that has no checksums. */
bool ub_store_file_holds(const char *store, const char *name, struct ub_error *err);
/* The store's own files have no checksums, though who wrote them writes these, too. */
bool ub_store_checksums_gone(const char *store);
/* The manifest is one of the versions that wrote no checksums. */
bool ub_manifest_is_old(const char *store);
bool ub_manifest_read_unchecked(const char *store, struct ub_expected **runs, size_t *count,
                                struct ub_error *err);

/* Folders of STORE/runs that are named by an id, sorted; none when there is no such folder. Free
 * ids->id. */
struct ub_ids {
    size_t count;
    char (*id)[17];
};
bool ub_list_runs(const char *store, struct ub_ids *ids, struct ub_error *err);

#endif
