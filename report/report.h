/* report.h - from a store to verdicts, tables, figures and pages; and from two stores to drift.
 *
 *     struct ub_store *s = ub_store_open("out", &err);
 *     ub_report_write(s, "out/report", &err);     // report.md, runs.csv, laws.csv, *.png, *.svg
 *     char *summary = ub_report_summary(s, &err); // the table `make bench` prints
 *
 * report knows stores and laws, never training. */
#ifndef UB_REPORT_H
#define UB_REPORT_H

#include "bench/laws/laws.h"
#include "bench/store.h"
#include "report/statistics.h"

/* ---- verdicts --------------------------------------------------------------------------- */

/* Holds: the mean over systems is within the margin (two one-sided tests), and so are at least 90%
 * of systems (one-sided 95% bound). With exceptions: 75% of them. Violated: the mean's 95% interval
 * lies outside the margin, or fewer than half of the systems are within, past doubt. Undecided:
 * anything else, and always with fewer systems than the law asks for. */
enum ub_verdict { UB_HOLDS, UB_HOLDS_WITH_EXCEPTIONS, UB_VIOLATED, UB_UNDECIDED, UB_VERDICTS };
const char *ub_verdict_name(enum ub_verdict verdict);

struct ub_law_run { /* one run under one law */
    const struct ub_run *run;
    size_t system; /* index into systems */
    struct ub_window window;
    double first_step, last_step; /* of the window */
    double median;                /* over the window; NAN unless reached */
    double end;                   /* the same of one that still rises; NAN for others */
    struct ub_interval mean;      /* over the window, autocorrelation-aware */
    double peak;                  /* largest value of the whole series; NAN when not measured */
    double predicted;
    bool against; /* no level, and that contradicts the law: it fell, or rises beyond the margin */
};

/* A system: everything of a spec but its seeds and what was measured. Its runs are replicates. */
struct ub_law_system {
    const struct ub_run *first; /* stands for the axes */
    char *label;                /* for people, without the seed */
    size_t n_runs, n_reached, n_against;
    struct ub_interval plateau; /* mean of its runs' medians; NAN when none reached the regime */
    double plateau_df;          /* degrees of freedom behind its error */
    double predicted, peak;
    const char *why;    /* of its first run that did not reach the regime; NULL when all did */
    bool judged;        /* any run reached the regime or is against */
    bool agrees;        /* plateau within the margin, and no more runs against than with one */
    bool violates;      /* beyond the margin, past doubt: violation_q < 0.05; or mostly against */
    double violation_q; /* one-sided, adjusted over systems (Benjamini-Hochberg) */
};

struct ub_law_result {
    const struct ub_law *law;
    enum ub_verdict verdict;
    char *why;                /* one sentence */
    size_t n_runs, n_reached; /* runs to which the law applies; those that reached its regime */
    size_t n_systems, n_systems_reached, n_judged, n_within, n_violate;
    struct ub_law_run *runs;
    struct ub_law_system *systems; /* in order of first appearance in the store */
    double target;                 /* the common prediction; 0 when systems differ in it */
    struct ub_meta meta;           /* over systems that reached: measured - predicted + target */
    double equivalence_p;
    double share_low, share_high; /* one-sided 95% bounds on the share of systems within */
    /* The nearest factors by which all measured values could be off and the verdict be "violated":
     * how wrong a prediction this store finds out, by judging scaled copies of its levels. NAN
     * where none from 0.2 to 5 is; 1 where the verdict is that already. */
    double wrong_below, wrong_above;
    double share[5]; /* of the runs' variance: UB_SHARE_*; NAN when there is nothing to compare */
};
enum { UB_SHARE_MODEL, UB_SHARE_OPTIMIZER, UB_SHARE_DATASET, UB_SHARE_LOSS, UB_SHARE_SEED };
extern const char *const ub_share_names[5];

struct ub_law_result *ub_law_judge(const struct ub_law *law, const struct ub_store *store,
                                   struct ub_error *err);
void ub_law_result_free(struct ub_law_result *result);

/* ---- tables, pages, terminal ------------------------------------------------------------ */

/* One row a run: axes, status, provenance, facts, and what its trace comes to (plateaus, last
 * values, exponents). Everything ub_report_compare needs of a store: a baseline. */
bool ub_report_runs_csv(const struct ub_store *store, const char *path, struct ub_error *err);

/* report.md, tables and figures: each file whole or not at all, report.md last. */
bool ub_report_write(const struct ub_store *store, const char *folder, struct ub_error *err);

/* Verdicts and the table of systems as aligned plain text, at most 100 columns. Caller frees. */
char *ub_report_summary(const struct ub_store *store, struct ub_error *err);

/* ---- comparison ------------------------------------------------------------------------- */

/* Drift of NEW against BASE, each a store's folder or a runs.csv: Markdown to `out`, all comparisons
 * as CSV to `csv_path` when not NULL. Returns the exit code: UB_OK no drift, UB_DRIFT, UB_INPUT,
 * UB_INCOMPARABLE (nothing compared, no baseline; `err` says which). */
int ub_report_compare(const char *base, const char *new_store, FILE *out, const char *csv_path,
                      struct ub_error *err);

#endif
