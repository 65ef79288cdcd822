#include "report/pages/database.h"

#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct column database_columns[] = {
    {"run", COLUMN_TEXT, "", "as in runs.csv"},
    {"system", COLUMN_TEXT, "", "as in runs.csv"},
    {"observable", COLUMN_TEXT, "", "as in series.csv.gz"},
    {"index", COLUMN_WHOLE, "1", "as in series.csv.gz"},
    {"step", COLUMN_WHOLE, "steps", "the last at which the run measured the observable"},
    {"value", COLUMN_NUMBER, "the observable's", "the number then"},
    {"error", COLUMN_NUMBER, "the observable's", "its error bar, where it has one"},
    {"runs", COLUMN_WHOLE, "1", "of the view systems: runs of the system"},
    {"ok", COLUMN_WHOLE, "1", "of the view systems: runs that ended as they should"},
    {"diverged", COLUMN_WHOLE, "1", "of the view systems: runs that diverged"},
    {.name = NULL},
};

struct base {
    sqlite3 *db;
    const char *path;
    struct ub_error *err;
};

static bool failed(const struct base *b)
{
    return ub_fail(b->err, UB_INPUT, "%s: %s", b->path, sqlite3_errmsg(b->db));
}

static bool execute(const struct base *b, const char *sql)
{
    return sqlite3_exec(b->db, sql, NULL, NULL, NULL) == SQLITE_OK || failed(b);
}

/* ---- types ---------------------------------------------------------------------------------- */

enum type { WHOLE, REAL, TEXT };

static bool is_infinite(const char *cell)
{
    return strcmp(cell, "inf") == 0 || strcmp(cell, "-inf") == 0;
}

static enum type type_of_cell(const char *cell)
{
    int64_t whole;
    double real;
    if (ub_read_int(cell, &whole))
        return WHOLE;
    return is_infinite(cell) || ub_read_real(cell, &real) ? REAL : TEXT;
}

/* The narrowest that all cells fit; TEXT when all are empty. */
static enum type type_of_column(const struct ub_csv *csv, size_t column)
{
    enum type type = WHOLE;
    bool any = false;
    for (size_t row = 0; row < csv->rows; row++) {
        const char *cell = ub_csv_cell(csv, row, column);
        if (!*cell)
            continue;
        const enum type own = type_of_cell(cell);
        type = own > type ? own : type;
        any = true;
    }
    return any ? type : TEXT;
}

/* ---- tables --------------------------------------------------------------------------------- */

/* A name as SQL quotes it. */
static void add_name(struct ub_text *sql, const char *name)
{
    ub_text_add(sql, "\"");
    for (; *name; name++)
        ub_text_add(sql, *name == '"' ? "\"\"" : "%c", *name);
    ub_text_add(sql, "\"");
}

static bool create(const struct base *b, const char *table, const struct ub_csv *csv,
                   const enum type *types)
{
    static const char *const words[] = {"INTEGER", "REAL", "TEXT"};
    struct ub_text sql = {0};
    ub_text_add(&sql, "CREATE TABLE ");
    add_name(&sql, table);
    ub_text_add(&sql, " (");
    for (size_t c = 0; c < csv->columns; c++) {
        ub_text_add(&sql, "%s", c ? ", " : "");
        add_name(&sql, csv->header[c]);
        ub_text_add(&sql, " %s", words[types[c]]);
    }
    ub_text_add(&sql, ")");
    const bool good = execute(b, sql.data);
    ub_text_free(&sql);
    return good;
}

static int bind(sqlite3_stmt *insert, int at, enum type type, const char *cell)
{
    int64_t whole = 0;
    double real = 0;
    if (!*cell)
        return sqlite3_bind_null(insert, at);
    if (type == TEXT)
        return sqlite3_bind_text(insert, at, cell, -1, SQLITE_STATIC);
    if (type == WHOLE && ub_read_int(cell, &whole))
        return sqlite3_bind_int64(insert, at, whole);
    if (is_infinite(cell))
        real = *cell == '-' ? -HUGE_VAL : HUGE_VAL;
    else
        ub_read_real(cell, &real);
    return sqlite3_bind_double(insert, at, real);
}

static bool insert_rows(const struct base *b, sqlite3_stmt *insert, const struct ub_csv *csv,
                        const enum type *types)
{
    for (size_t row = 0; row < csv->rows; row++) {
        for (size_t c = 0; c < csv->columns; c++)
            if (bind(insert, (int)c + 1, types[c], ub_csv_cell(csv, row, c)) != SQLITE_OK)
                return failed(b);
        if (sqlite3_step(insert) != SQLITE_DONE || sqlite3_reset(insert) != SQLITE_OK)
            return failed(b);
    }
    return true;
}

static bool fill(const struct base *b, const char *table, const struct ub_csv *csv,
                 const enum type *types)
{
    struct ub_text sql = {0};
    sqlite3_stmt *insert = NULL;
    ub_text_add(&sql, "INSERT INTO ");
    add_name(&sql, table);
    ub_text_add(&sql, " VALUES (");
    for (size_t c = 0; c < csv->columns; c++)
        ub_text_add(&sql, c ? ", ?" : "?");
    ub_text_add(&sql, ")");
    bool good = sqlite3_prepare_v2(b->db, sql.data, -1, &insert, NULL) == SQLITE_OK || failed(b);
    good = good && insert_rows(b, insert, csv, types);
    sqlite3_finalize(insert);
    ub_text_free(&sql);
    return good;
}

static bool add_table(const struct base *b, const char *folder, const char *name)
{
    struct ub_text file = {0};
    ub_text_add(&file, "%s.csv", name);
    char *path = ub_path(folder, file.data);
    ub_text_free(&file);
    const bool there = ub_exists(path);
    struct ub_csv *csv = there ? ub_csv_read(path, true, b->err) : NULL;
    ub_free(path);
    if (!csv)
        return !there;
    enum type *types = ub_calloc(csv->columns, sizeof *types);
    for (size_t c = 0; c < csv->columns; c++)
        types[c] = type_of_column(csv, c);
    const bool good = create(b, name, csv, types) && fill(b, name, csv, types);
    ub_free(types);
    ub_csv_free(csv);
    return good;
}

/* ---- last values ---------------------------------------------------------------------------- */

static const char last_values[] =
    "CREATE TABLE last_values (run TEXT, system TEXT, observable TEXT, \"index\" INTEGER, "
    "step INTEGER, value REAL, error REAL)";

/* The last step of each name of a trace: names are interned, and rows of one come together. */
static int64_t *last_steps(const struct ub_trace *trace)
{
    int64_t *last = ub_calloc(trace->n_names + 1, sizeof *last);
    for (size_t i = 0, k = 0; i < trace->count; i++) {
        while (trace->names[k] != trace->observable[i])
            k = (k + 1) % trace->n_names;
        last[k] = trace->step[i] > last[k] ? trace->step[i] : last[k];
    }
    return last;
}

static bool insert_value(const struct base *b, sqlite3_stmt *insert, const struct ub_trace *t,
                         size_t i)
{
    /* SQLite takes NaN for NULL */
    const bool good =
        sqlite3_bind_text(insert, 3, t->observable[i], -1, SQLITE_STATIC) ||
        sqlite3_bind_int64(insert, 4, t->index[i]) || sqlite3_bind_int64(insert, 5, t->step[i]) ||
        sqlite3_bind_double(insert, 6, t->value[i]) || sqlite3_bind_double(insert, 7, t->error[i]);
    return (!good && sqlite3_step(insert) == SQLITE_DONE && sqlite3_reset(insert) == SQLITE_OK) ||
           failed(b);
}

static bool insert_last(const struct base *b, sqlite3_stmt *insert, const struct study *study,
                        size_t row)
{
    const struct ub_trace *t = ub_frame_trace(study->frame, row);
    const char *system = study->system_name[study->system_of[row]];
    int64_t *last = t ? last_steps(t) : NULL;
    bool good =
        sqlite3_bind_text(insert, 1, study->store->runs[row].id, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_bind_text(insert, 2, system, -1, SQLITE_STATIC) == SQLITE_OK;
    for (size_t i = 0, k = 0; t && good && i < t->count; i++) {
        while (t->names[k] != t->observable[i])
            k = (k + 1) % t->n_names;
        good = t->step[i] != last[k] || insert_value(b, insert, t, i);
    }
    ub_free(last);
    return good || failed(b);
}

static bool add_last_values(const struct base *b, const struct study *study)
{
    sqlite3_stmt *insert = NULL;
    bool good = execute(b, last_values);
    good =
        good && (sqlite3_prepare_v2(b->db, "INSERT INTO last_values VALUES (?, ?, ?, ?, ?, ?, ?)",
                                    -1, &insert, NULL) == SQLITE_OK ||
                 failed(b));
    for (size_t i = 0; good && study && i < study->store->count; i++)
        good = insert_last(b, insert, study, i);
    sqlite3_finalize(insert);
    return good;
}

/* ---- views ---------------------------------------------------------------------------------- */

static const char views[] =
    "CREATE UNIQUE INDEX run ON runs (run);"
    "CREATE INDEX last_observable ON last_values (observable, run);"
    "CREATE VIEW verdicts AS SELECT law, strand, verdict, mean, low, high, target, margin, within, "
    "spoke, systems, \"controls-right\", controls FROM laws;"
    "CREATE VIEW exceptions AS SELECT * FROM data WHERE exception = 'true' AND control IS NULL;"
    "CREATE VIEW controls AS SELECT * FROM data WHERE control IS NOT NULL;"
    "CREATE VIEW systems AS SELECT system, dataset, model, loss, init, optimizer, steps, "
    "count(*) AS runs, sum(status = 'ok') AS ok, sum(status = 'diverged') AS diverged, "
    "min(run) AS \"first-run\" FROM runs GROUP BY system;"
    "CREATE VIEW members AS SELECT law, \"group\", control, ids.value AS run "
    "FROM data, json_each('[\"' || replace(\"run-ids\", ';', '\",\"') || '\"]') AS ids;"
    "CREATE VIEW law_runs AS SELECT data.law, data.\"group\", data.control, data.value, "
    "data.prediction, data.meets, runs.run, runs.system, runs.seed, runs.status "
    "FROM data, json_each('[\"' || replace(data.\"run-ids\", ';', '\",\"') || '\"]') AS ids "
    "JOIN runs ON runs.run = ids.value;"
    "CREATE VIEW finals AS SELECT last_values.*, runs.seed, runs.status FROM last_values "
    "JOIN runs USING (run);";

/* ---- file ----------------------------------------------------------------------------------- */

static bool write_base(const struct base *b, const char *folder, const char *const *names,
                       const struct study *study)
{
    /* a file of its own name until it is whole: no journal, nothing to wait for */
    if (!execute(b, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN"))
        return false;
    for (const char *const *name = names; *name; name++)
        if (!add_table(b, folder, *name))
            return false;
    return add_last_values(b, study) && execute(b, views) && execute(b, "COMMIT");
}

bool ub_database_write(const char *folder, const char *const *names, const struct study *study,
                       struct ub_error *err)
{
    char *path = ub_path(folder, "results.db"), *partial = ub_path(folder, "results.db.partial");
    struct base b = {.path = partial, .err = err};
    unlink(partial);
    bool good = sqlite3_open(partial, &b.db) == SQLITE_OK || failed(&b);
    good = good && write_base(&b, folder, names, study);
    good = (sqlite3_close(b.db) == SQLITE_OK || failed(&b)) && good;
    if (good && rename(partial, path) != 0)
        good = ub_fail(err, UB_INPUT, "%s: cannot write: %s", path, strerror(errno));
    if (!good)
        unlink(partial);
    ub_free(path);
    ub_free(partial);
    return good;
}
