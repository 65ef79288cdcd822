/* report.h - from a store to verdicts, tables, figures and pages; and from two stores to drift.
 *
 *     struct ub_store *s = ub_store_open("out", &err);
 *     ub_report_write(s, "out/report", &err);     // report.md, runs.csv, laws.csv, *.png, *.svg
 *     char *summary = ub_report_summary(s, &err); // the table `make bench` prints
 *
 * report knows stores and laws, never training. */
#ifndef UB_REPORT_H
#define UB_REPORT_H

#include "bench/store/store.h"

/* ---- tables, pages, terminal ------------------------------------------------------------ */

/* One row a run: axes, status, provenance, facts, and what its trace comes to (plateaus, last
 * values, exponents). Everything ub_report_compare needs of a store: a baseline. */
bool ub_report_runs_csv(const struct ub_store *store, const char *path, struct ub_error *err);

/* report.md, tables (series.csv.gz and results.db among them) and figures: each file whole or not
 * at all, report.md last. */
bool ub_report_write(const struct ub_store *store, const char *folder, struct ub_error *err);

/* The same for papers: figures/NAME-1col and NAME-2col (.png, .svg, .pdf; ub_figure_print),
 * tables/NAME (.csv, .md, .tex), runs.csv, references.bib, main.tex, and files.txt, which lists
 * them. The
 * folder is written whole or not at all; it must not be there, be empty or hold nothing but what an
 * earlier call wrote (and LaTeX made of its main.tex), which is replaced. */
bool ub_report_publish(const struct ub_store *store, const char *folder, struct ub_error *err);

/* Verdicts and the table of systems as aligned plain text, at most 100 columns. Caller frees. */
char *ub_report_summary(const struct ub_store *store, struct ub_error *err);

/* What every column of runs.csv, laws.csv, data.csv, spectra.csv, series.csv.gz and results.db and
 * every row of a trace is: file, column, type, units, index, meaning, source; as CSV or Markdown. A
 * word in capitals stands for what differs: a layer, a law. Clear with ub_text_free. */
struct ub_text ub_report_dictionary(bool markdown);

/* ---- comparison ------------------------------------------------------------------------- */

struct ub_comparing {
    FILE *out;                /* Markdown */
    const char *csv_path;     /* all comparisons as CSV; or NULL */
    const char *history_path; /* history of nightlies (report/history): this one is added, and told
                                 since when what drifts; or NULL */
    const char *times_path;   /* what times are held against, in place of BASE: a store's folder or
                                 a runs.csv made on this machine's kind; or NULL */
};
/* Drift of NEW against BASE, each a store's folder or a runs.csv. Returns the exit code: UB_OK no
 * drift, UB_DRIFT, UB_INPUT, UB_INCOMPARABLE (nothing compared, no baseline; `err` says which). */
int ub_report_compare(const char *base, const char *new_store, const struct ub_comparing *how,
                      struct ub_error *err);

#endif
