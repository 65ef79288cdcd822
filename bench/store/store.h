/* store.h - the folder of results that runs fill and reports read: crash-safe, resumable,
 * mergeable by copying (of runs/ID folders: an id names the same spec in every store).
 *
 *     STORE/suite.yaml            what was asked (a copy of the suite file)
 *     STORE/manifest.csv          the expected runs: id, label, every axis, and what each is a
 *                                 control of
 *     STORE/runs/ID/run.yaml      spec, status, provenance, facts
 *     STORE/runs/ID/trace.csv.gz  step,observable,index,value,error
 *     STORE/runs/ID/weights.npz   when asked for
 *     STORE/runs/ID/checksums     SHA-256 of the three, as sha256sum -c reads them
 *     STORE/runs.csv              one row a run (rewritten when a suite ends)
 *     STORE/checksums             of suite.yaml, manifest.csv and runs.csv
 *     STORE/.lock                 flock: see ub_store_lock
 *
 * ID = 16 hex digits of the hash of the canonical spec, the contents of data files among it. A run
 * is written to runs/.tmp-ID-PID and renamed whole, so a reader sees all of a run or nothing of it.
 *
 * Every file that has a checksum is checked when a store is opened. A run that is damaged (a
 * checksum that differs, a file that is gone or cannot be read) is left out and named in
 * store->damaged; the others stand. Who writes sets it aside as runs/.damaged-ID-N, and makes it
 * again. Runs without checksums (schema 1, of earlier versions) are read in full when opened.
 *
 *     struct ub_store *s = ub_store_open("results/quick", &err);
 *     for (size_t i = 0; i < s->count; i++)
 *         if (s->runs[i].status == UB_RUN_OK) {
 *             struct ub_trace *t = ub_trace_read(s, &s->runs[i], &err);
 *             ...
 */
#ifndef UB_STORE_H
#define UB_STORE_H

#include "base/base.h"
#include "bench/store/axes.h"

struct ub_run_spec ub_run_spec_copy(const struct ub_run_spec *spec);
void ub_run_spec_clear(struct ub_run_spec *spec);
/* Canonical YAML, labels left out: equal specs have equal texts. Caller frees. */
char *ub_run_spec_text(const struct ub_run_spec *spec);
/* For people: "digits mlp:widths=64x64 mse gd:lr=0.05 steps=1000 measure=1a2b3c4d seed=0"; init,
 * precision, kept weights, data files and data seed are named where they are not the usual ones.
 * Different specs have different labels: measurements and data files, too long for people, stand
 * as the first digits of a hash. Caller frees. */
char *ub_run_spec_label(const struct ub_run_spec *spec);
/* Sets one field by its key in run.yaml ("dataset", "data-seed", "model", "loss", "init",
 * "optimizer", "steps", "seed", "precision": f32, f64 or bf16x3, "save-weights": true or false);
 * false when the text does not fit it. */
bool ub_run_spec_set(struct ub_run_spec *spec, const char *key, const char *text);
/* "data=1a2b3c4d": the contents of its files in short, "" when it reads none. */
enum { UB_DATA_MARK = 16 };
void ub_run_spec_data_mark(const struct ub_run_spec *spec, char mark[UB_DATA_MARK]);
bool ub_run_spec_same_files(const struct ub_run_spec *a, const struct ub_run_spec *b);
/* The contents of files, joined by ';', for tables; and back: false when a text is no SHA-256. */
char *ub_run_spec_files(const struct ub_run_spec *spec);
bool ub_run_spec_set_files(struct ub_run_spec *spec, const char *joined);
/* The spec in a map of YAML keys (as ub_run_spec_text writes them). */
bool ub_run_spec_from_yaml(const struct ub_yaml *map, struct ub_run_spec *spec,
                           struct ub_error *err);
/* Where data files are is not what they hold: with `files` known, the path in the dataset's option
 * `file` is no part of the id. */
void ub_run_spec_id(const struct ub_run_spec *spec, char id[17]);

enum ub_run_status {
    UB_RUN_OK,
    UB_RUN_DIVERGED, /* loss not finite or beyond the divergence limit; trace kept */
    UB_RUN_TIMEOUT,
    UB_RUN_FAILED, /* crash or error: message says why */
    UB_RUN_MISSING /* in the manifest, not (yet) in the store */
};
const char *ub_run_status_name(enum ub_run_status status);
bool ub_run_status_find(const char *name, enum ub_run_status *status);

/* A name and a text: provenance. What the optimizer's edge of stability is, where it has one, is
 * there too: "edge.quantity", "edge.threshold", "edge.citation". */
struct ub_pair {
    char *name, *text;
};
struct ub_fact { /* a name and a number: "threshold", "lr", "parameters", "seconds", ... */
    char *name;
    double value;
};
struct ub_run {
    char id[17];
    char *label;
    struct ub_run_spec spec;
    enum ub_run_status status;
    char *message;
    char *control; /* as its manifest says: see ub_expected; NULL: none */
    size_t n_facts, n_provenance;
    struct ub_fact *facts;
    struct ub_pair *provenance; /* with "edited" where a hand changed it: see ub_store_seal */
    bool checked;               /* its files have checksums, and these agree */
    bool damaged;               /* status is UB_RUN_MISSING; message says what is wrong with it */
};
double ub_run_fact(const struct ub_run *run, const char *name); /* NAN when absent */

struct ub_damage {
    char *name; /* within the store: "runs/ID", "manifest.csv" */
    char *why;  /* one line */
};
struct ub_store {
    char *path;
    size_t count;
    struct ub_run *runs; /* manifest order; runs not in the manifest after them, by id. Damaged
                            ones: as missing when the manifest has them, else left out */
    bool has_manifest;
    size_t n_damaged, n_damaged_runs;
    struct ub_damage *damaged;
    size_t n_edits;
    char **edits; /* of the store's own files, accepted by ub_store_seal: "DATE NAME" */
};
/* Reads every run.yaml and checks every file. Fails when there is no store; damage does not make
 * it fail. */
struct ub_store *ub_store_open(const char *path, struct ub_error *err);
void ub_store_free(struct ub_store *store);
/* All runs, each once: the store's, and damaged ones that no manifest names. */
size_t ub_store_run_count(const struct ub_store *store);
/* What a reader of this store has to know before its numbers: what is damaged, edited by hand, or
 * without checksums; sentences, one a line, NULL when there is nothing to say. Caller frees. */
char *ub_store_notice(const struct ub_store *store);
/* The one run whose id starts with the prefix; none or several is an error. */
const struct ub_run *ub_store_find(const struct ub_store *store, const char *id_prefix,
                                   struct ub_error *err);
char *ub_store_run_folder(const char *store, const char *id); /* STORE/runs/ID; caller frees */
/* One run without the rest of the store; its status is UB_RUN_MISSING when it is absent. False when
 * it is damaged. */
bool ub_store_read_run(const char *store, const char *id, struct ub_run *run, struct ub_error *err);
void ub_run_clear(struct ub_run *run); /* only what ub_store_read_run filled */

/* A trace in memory, sorted as written (by step). */
struct ub_trace {
    size_t count;
    int64_t *step;
    char **observable; /* interned */
    int64_t *index;
    double *value, *error;
    size_t n_names;
    char **names; /* the interned names */
};
struct ub_trace *ub_trace_read(const struct ub_store *store, const struct ub_run *run,
                               struct ub_error *err);
void ub_trace_free(struct ub_trace *trace);
/* The same as CSV, with its head ("step,observable,index,value,error") and one line a row, each
 * ended by a line feed. Caller frees. */
char *ub_trace_text(const struct ub_store *store, const struct ub_run *run, size_t *length,
                    struct ub_error *err);

/* The rows of one observable and index, in order of step. */
struct ub_series {
    size_t count;
    double *step, *value, *error; /* free with ub_series_clear */
};
struct ub_series ub_trace_series(const struct ub_trace *trace, const char *observable,
                                 int64_t index);
/* All indices of one observable at one step (-1: its last): a spectrum, by index. */
struct ub_series ub_trace_spectrum(const struct ub_trace *trace, const char *observable,
                                   int64_t step);
void ub_series_clear(struct ub_series *series);

/* ---- writing (used by the runner only) ---- */

/* Takes the store's lock until the process (and every child forked after) ends; creates the
 * folders. An exclusive holder is the only writer, so it may clean up: it removes the temporary
 * folders that killed writers left. Waits up to two seconds for workers of a killed runner. */
bool ub_store_lock(const char *store, bool exclusive, struct ub_error *err);
/* Moves a damaged run out of the way, to runs/.damaged-ID-N, where no reader looks; *to (caller
 * frees) is where it went. */
bool ub_store_set_aside(const char *store, const char *id, char **to, struct ub_error *err);
/* Around the writing of STORE/NAME, one of the store's own files (suite.yaml, manifest.csv,
 * runs.csv): the first drops its checksum, the second takes the new one. Between the two it has
 * none, so that a process that is killed there leaves no file that looks damaged. The caller holds
 * the exclusive lock. */
bool ub_store_forget(const char *store, const char *name, struct ub_error *err);
bool ub_store_remember(const char *store, const char *name, struct ub_error *err);
bool ub_store_write_file(const char *store, const char *name, const void *data, size_t length,
                         struct ub_error *err); /* all three */
/* Takes what all files are now for what they should be: renews the checksums after an edit by hand,
 * which is noted in them and named in every report; adds them to runs that have none. Fails, with
 * nothing renewed, when a run cannot be read. The caller holds the exclusive lock. */
struct ub_sealing {
    size_t n_edited; /* files: they had a checksum, and it differed */
    char **edited;   /* their names within the store; free each, and the list */
    size_t n_added;  /* files that had none */
};
bool ub_store_seal(const char *store, struct ub_sealing *sealing, struct ub_error *err);
/* Removes what a writer process left unfinished (its temporary folders). */
void ub_store_clean(const char *store, int64_t pid);

/* A run that is expected, and what it is expected for. Of `control` nothing is in the run's own
 * files nor in its id: what a run is a control of is for who asks, not for who measures. */
struct ub_expected {
    struct ub_run_spec spec;
    char *control; /* "LAW=holds;LAW=fails": of which laws it is a control; NULL: of none */
};
void ub_expected_free(struct ub_expected *runs, size_t count);
/* The length of the entry that `at` starts with, of its law's name and whether the law must hold; 0
 * when it is none. */
size_t ub_control_entry(const char *at, size_t *law, bool *holds);
bool ub_control_reads(const char *text); /* one entry or more, and nothing else */

/* The manifest: every run that is expected, in order. */
bool ub_manifest_write(const char *store, const struct ub_expected *runs, size_t count,
                       struct ub_error *err);
/* NULL with *count = 0 and no error when there is none; fails when it is damaged. Free with
 * ub_expected_free. */
bool ub_manifest_read(const char *store, struct ub_expected **runs, size_t *count,
                      struct ub_error *err);

struct ub_run_writer;
struct ub_run_writer *ub_run_writer_new(const char *store, const struct ub_run_spec *spec,
                                        struct ub_error *err);
void ub_run_writer_add(struct ub_run_writer *w, int64_t step, const char *observable, int64_t index,
                       double value, double error);
void ub_run_writer_fact(struct ub_run_writer *w, const char *name, double value);
char *ub_run_writer_folder(struct ub_run_writer *w); /* for extra files, before commit */
/* Writes run.yaml, trace.csv.gz and the checksums of all files in its folder, fsyncs and renames
 * the folder into place, replacing an earlier attempt; frees w. On failure nothing of the run is
 * left.
 */
bool ub_run_writer_commit(struct ub_run_writer *w, enum ub_run_status status, const char *message,
                          const struct ub_pair *provenance, size_t n_provenance,
                          struct ub_error *err);
void ub_run_writer_abandon(struct ub_run_writer *w); /* removes the temporary folder; frees w */

#endif
