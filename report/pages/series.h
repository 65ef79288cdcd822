/* series.h - all traces of a store in one tidy table, series.csv.gz: run, system, and a trace's
 * columns. It is written run by run and packed in parts, by several threads: its size is no matter
 * of memory, and nothing else needs it.
 *
 *     pandas.read_csv("series.csv.gz").merge(pandas.read_csv("runs.csv"), on=["run", "system"]) */
#ifndef UB_PAGES_SERIES_H
#define UB_PAGES_SERIES_H

#include "report/laws/study.h"
#include "report/tables/table.h"

extern const struct column series_columns[];

/* Whole or not at all; no file where no run has a trace. */
bool series_write(const struct study *study, const char *folder, struct ub_error *err);

#endif
