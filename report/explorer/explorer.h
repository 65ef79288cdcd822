/* explorer.h - index.html: a store as one page to explore in a browser, with all it needs within.
 *
 *     explorer_write(study, digest, "out/report/index.html", &err);
 *
 * The page is page.html with style.css, the scripts of this folder, the libraries of vendor/ and
 * the study as JSON in it. It reads nothing from elsewhere. */
#ifndef UB_REPORT_EXPLORER_H
#define UB_REPORT_EXPLORER_H

#include "report/digest/digest.h"

bool explorer_write(const struct study *study, const struct digest *digest, const char *path,
                    struct ub_error *err);

/* The study and what its traces come to (its digest) as JSON that is also safe within a <script>
 * element: it has no '<'. In ASCII. Members:
 *
 *     store, unibench, commit, date    texts
 *     ids         one a run, in the frame's order, by which all below count them from 0
 *     systems     {names, of}: names of systems, and the index of each run's
 *     commands    {parts, of}: a run's command is its parts, by index, joined by " --"
 *     columns     {name, meaning, units, headline, axis; words, level; number}: each run's word by
 *                 index (-1: none; one number where all are the same), its number (null: none).
 *                 Columns with `rows` have numbers of these runs only
 *     laws        as report.md has them, with groups (group_json in laws.c)
 *     series      {limit, steps, of: {name, meaning, units, index, indexed, rows, steps, values}}:
 * index 0 of rows of traces against step, `steps` by index in the list of that name spectra {limit,
 * ranks, of: {name, meaning, units, index, rows, step, ranks, values}}: all indices of the first
 * and the last measurement of what is a spectrum (traces.c)
 *
 * Numbers have EXPLORER_DIGITS significant digits, series and spectra SERIES_DIGITS; whole ones are
 * exact; what is not finite is null. Of series longer than `limit` each of limit / 2 stretches of
 * equal length keeps its least and its greatest value, the series its first and last; of spectra
 * longer than theirs the first ranks are kept and then ever fewer. */
enum { EXPLORER_DIGITS = 7, SERIES_DIGITS = 4 };
struct ub_text explorer_json(const struct study *study, const struct digest *digest,
                             struct ub_error *err);

#endif
