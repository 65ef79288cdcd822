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

enum ub_verdict { UB_HOLDS, UB_VIOLATED, UB_UNDECIDED };

struct ub_law_system { /* one run under one law */
    const struct ub_run *run;
    struct ub_window window;
    struct ub_interval plateau; /* of measured value */
    double median, predicted;
    bool agrees; /* median within the margin of the prediction */
};
struct ub_law_result {
    const struct ub_law *law;
    enum ub_verdict verdict;
    char *why; /* one sentence */
    size_t n_applies, n_reached;
    size_t n_systems; /* entries of systems: all to which the law applies */
    struct ub_law_system *systems;
    struct ub_meta meta; /* over those that reached the regime, of measured - predicted + 1 ... */
    double equivalence_p;
    /* share of variance explained: model, optimizer, dataset, loss, seed */
    double share[5];
};
struct ub_law_result *ub_law_judge(const struct ub_law *law, const struct ub_store *store,
                                   struct ub_error *err);
void ub_law_result_free(struct ub_law_result *result);

bool ub_report_runs_csv(const struct ub_store *store, const char *path, struct ub_error *err);
bool ub_report_write(const struct ub_store *store, const char *folder, struct ub_error *err);
char *ub_report_summary(const struct ub_store *store, struct ub_error *err); /* caller frees */

/* Drift of NEW against BASE: Markdown to `out`, CSV to `csv_path` when not NULL. Returns the exit
 * code: UB_OK no drift, UB_DRIFT, UB_INPUT, UB_INCOMPARABLE. */
int ub_report_compare(const char *base, const char *new_store, FILE *out, const char *csv_path,
                      struct ub_error *err);

#endif
