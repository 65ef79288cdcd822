/* database.h - a report's tables as one SQLite file, results.db, for who asks in SQL.
 *
 *     SELECT r.system, d.value FROM data d JOIN runs r ON r.id = d."first-run" WHERE d.law =
 * 'catapult';
 *
 * A table for each CSV file that the report wrote, of its name: runs, laws, data, spectra,
 * dictionary. A column is INTEGER or REAL where all of its cells are such numbers, else TEXT; empty
 * cells are NULL, "inf" is SQLite's infinity. Views: verdicts (laws in few columns), exceptions
 * (groups of runs that contradict their law), controls, systems (runs of all seeds in one row). */
#ifndef UB_PAGES_DATABASE_H
#define UB_PAGES_DATABASE_H

#include "base/base.h"

/* Reads FOLDER/NAME.csv of the names, those that there are, and writes FOLDER/results.db, whole or
 * not at all. */
bool ub_database_write(const char *folder, const char *const *names, struct ub_error *err);

#endif
