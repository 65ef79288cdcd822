/* digest.h - one row a run: a store without its traces, but with what they come to. It is what
 * runs.csv holds, so a published runs.csv can stand for the store it was made from.
 *
 *     struct digest *d = digest_open("results/quick/runs.csv", &err);     // or a store's folder
 *     double rho = ub_run_fact(&d->runs[0], "edge-of-stability.plateau");
 *
 * Added to a run's own facts are
 *     LAW.reached, LAW.plateau, LAW.plateau-se, LAW.first-step, LAW.last-step, LAW.peak
 *         of runs that a law about levels (laws/level.h) speaks of and that measured its series
 *     final-ROW            last finite value of each row whose declaration gives it that column
 *     exponent.LAYER, ...  the same of those whose column has their own name
 * and to its provenance "trace": a hash of the trace, equal only for bitwise equal traces. */
#ifndef UB_REPORT_DIGEST_H
#define UB_REPORT_DIGEST_H

#include "bench/observables/observables.h"
#include "report/laws/study.h"
#include "report/tables/table.h"

struct digest {
    char *path;   /* where from, for messages */
    char *notice; /* ub_store_notice of the store; NULL = nothing to say */
    size_t count;
    struct ub_run *runs;
    struct ub_store *store; /* that the runs belong to; NULL: they are the digest's own */
};

struct digest *digest_of(const struct study *study);
/* The same without a study: takes the store over and adds to its runs. */
struct digest *digest_of_store(struct ub_store *store, struct ub_error *err);
/* `path` is a store's folder or a CSV file that digest_csv's text was written to. */
struct digest *digest_open(const char *path, struct ub_error *err);
void digest_free(struct digest *digest);
/* Names and options of systems are those of the study that the digest is of; NULL: without. */
struct ub_text digest_csv(const struct digest *digest, const struct study *study);
/* The same as a file; false where a trace of the study could not be read, too. */
bool digest_write(const struct digest *digest, const struct study *study, const char *path,
                  struct ub_error *err);

/* The column that holds a row's last value; NULL: none does. Caller frees. */
char *digest_row_column(const char *row);
/* What a column of numbers is; NULL when nothing declares it. */
const struct ub_quantity *digest_quantity(const char *column);

/* What of each run is no number, and what laws about levels come to: runs.csv's other columns. End
 * with a NULL name. */
extern const struct column digest_spec_columns[];
extern const struct ub_quantity digest_law_facts[];

/* The value of a provenance key; "" when absent. */
const char *provenance_of(const struct ub_run *run, const char *name);
/* "unibench train ..." that makes this run again. Caller frees. */
char *train_command(const struct ub_run_spec *spec);

/* labels_add for a text that probably follows the one added before: *next is where it is looked for
 * first, 0 at the start of a run. */
void labels_add_next(struct labels *set, size_t *next, const char *text);
/* The names of all facts of all runs, in the order tables show them. Clear with labels_free. */
struct labels fact_names(const struct digest *digest);

#endif
