/* database.h - a report's tables as one SQLite file, results.db, for who asks in SQL.
 *
 *     SELECT system, "optimizer.lr", "final-loss" FROM runs WHERE "model.name" = 'mlp';
 *     SELECT * FROM law_runs WHERE law = 'catapult';
 *
 * A table for each CSV file that the report wrote, of its name: runs, laws, data, spectra,
 * dictionary. A column is INTEGER or REAL where all of its cells are such numbers, else TEXT; empty
 * cells are NULL, "inf" is SQLite's infinity. And last_values: of every observable of a run all
 * indices at its last step. (All steps are in series.csv.gz: here they would be most of the file.)
 * Views: verdicts (laws in few columns), exceptions (groups of runs that contradict their law),
 * controls, systems (runs of all seeds in one row), members (a row a law, group and run), law_runs
 * (the same with what law and run came to), finals (last values with seed and status). */
#ifndef UB_PAGES_DATABASE_H
#define UB_PAGES_DATABASE_H

#include "report/laws/study.h"
#include "report/tables/table.h"

/* Of last_values, and of views what no CSV file has. */
extern const struct column database_columns[];

/* Reads FOLDER/NAME.csv of the names, those that there are, and writes FOLDER/results.db, whole or
 * not at all. study: whose last values it has; NULL: none. */
bool ub_database_write(const char *folder, const char *const *names, const struct study *study,
                       struct ub_error *err);

#endif
