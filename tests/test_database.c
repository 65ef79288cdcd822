/* results.db has what the report's CSV files have, cell by cell, under types that SQL computes
 * with; and its views say what their names say. */
#include "cli_support.h"
#include "report/pages/database.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

static const char suite[] = "name: small\n"
                            "defaults:\n"
                            "  dataset: {digits: {size: 60}}\n"
                            "  model: linear\n"
                            "  loss: mse\n"
                            "  steps: 6\n"
                            "  measure: {loss: {every: 1}, catapult: {every: 2}}\n"
                            "runs:\n"
                            "  - optimizer: {gd: {lr: [{relative: 0.8}, 1e6]}}\n"
                            "    seed: 0..1\n";

static const char *const names[] = {"runs", "laws", "data", "spectra", "dictionary", NULL};

static struct ub_csv *read_csv(const char *folder, const char *name)
{
    struct ub_error err = {0};
    struct ub_text file = {0};
    ub_text_add(&file, "%s/%s.csv", folder, name);
    struct ub_csv *csv = ub_exists(file.data) ? ub_csv_read(file.data, true, &err) : NULL;
    if (ub_exists(file.data) && !csv)
        fail_msg("%s", err.text);
    ub_text_free(&file);
    return csv;
}

static sqlite3_stmt *ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *rows = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &rows, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    return rows;
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *rows = ask(db, sql);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    const int64_t value = sqlite3_column_int64(rows, 0);
    sqlite3_finalize(rows);
    return value;
}

/* Of one cell: NULL for empty, the same bits for numbers, the same text. */
static void check_cell(sqlite3_stmt *rows, int c, const char *cell)
{
    const int type = sqlite3_column_type(rows, c);
    double real = 0;
    int64_t whole = 0;
    if (!*cell)
        assert_int_equal(type, SQLITE_NULL);
    else if (type == SQLITE_INTEGER)
        assert_true(ub_read_int(cell, &whole) && whole == sqlite3_column_int64(rows, c));
    else if (type == SQLITE_FLOAT && strstr(cell, "inf"))
        assert_true(isinf(sqlite3_column_double(rows, c)));
    else if (type == SQLITE_FLOAT)
        assert_true(ub_read_real(cell, &real) && real == sqlite3_column_double(rows, c));
    else
        assert_string_equal((const char *)sqlite3_column_text(rows, c), cell);
}

/* Rows stand in the order of the file. Returns how many cells are numbers. */
static size_t check_table(sqlite3 *db, const char *name, const struct ub_csv *csv)
{
    struct ub_text sql = {0};
    size_t numbers = 0;
    ub_text_add(&sql, "SELECT * FROM \"%s\" ORDER BY rowid", name);
    sqlite3_stmt *rows = ask(db, sql.data);
    assert_int_equal(sqlite3_column_count(rows), csv->columns);
    for (size_t row = 0; row < csv->rows; row++) {
        assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
        for (int c = 0; c < (int)csv->columns; c++) {
            assert_string_equal(sqlite3_column_name(rows, c), csv->header[c]);
            check_cell(rows, c, ub_csv_cell(csv, row, (size_t)c));
            numbers += sqlite3_column_type(rows, c) == SQLITE_INTEGER ||
                       sqlite3_column_type(rows, c) == SQLITE_FLOAT;
        }
    }
    assert_int_equal(sqlite3_step(rows), SQLITE_DONE);
    sqlite3_finalize(rows);
    ub_text_free(&sql);
    return numbers;
}

/* A row a law, group and run: as many as groups count, each of a run that there is. */
static void check_members(sqlite3 *db)
{
    const int64_t members = number(db, "SELECT count(*) FROM members");
    assert_true(members > 0);
    assert_int_equal(members, number(db, "SELECT sum(runs) FROM data"));
    assert_int_equal(members, number(db, "SELECT count(*) FROM law_runs"));
    assert_int_equal(members, number(db, "SELECT count(*) FROM members JOIN runs USING (run)"));
}

/* Of every observable all rows at its last step, and no other. */
static void check_last_values(sqlite3 *db, const char *path)
{
    struct ub_error err = {0};
    struct ub_store *store = ub_store_open(path, &err);
    int64_t rows = 0;
    assert_non_null(store);
    for (size_t i = 0; i < store->count; i++) {
        struct ub_trace *t = ub_trace_read(store, &store->runs[i], &err);
        for (size_t k = 0; t && k < t->n_names; k++) {
            struct ub_series last = ub_trace_spectrum(t, t->names[k], -1);
            struct ub_text sql = {0};
            rows += (int64_t)last.count;
            ub_text_add(&sql,
                        "SELECT count(*) FROM finals WHERE run = '%s' AND observable = '%s' "
                        "AND (value = %.17g OR value IS NULL) AND \"index\" = %.0f",
                        store->runs[i].id, t->names[k], last.value[0], last.step[0]);
            if (isfinite(last.value[0]))
                assert_int_equal(number(db, sql.data), 1);
            ub_text_free(&sql);
            ub_series_clear(&last);
        }
        ub_trace_free(t);
    }
    ub_store_free(store);
    assert_true(rows > 0);
    assert_int_equal(number(db, "SELECT count(*) FROM last_values"), rows);
}

static void the_database_has_what_the_tables_have(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *path = ub_path(folder, "small.yaml");
    assert_true(ub_write_file(path, suite, strlen(suite), &err));
    ub_free(cli_expect(folder, "run small.yaml --out S --jobs 1", 0, ""));
    ub_free(cli_expect(folder, "report S --out R", 0, ""));
    char *path_of_store = ub_path(folder, "S");
    char *report = ub_path(folder, "R"), *file = ub_path(report, "results.db");
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (const char *const *name = names; *name; name++) {
        struct ub_csv *csv = read_csv(report, *name);
        if (csv)
            print_message("%s: %zu rows, %zu numbers\n", *name, csv->rows,
                          check_table(db, *name, csv));
        ub_csv_free(csv);
    }
    assert_int_equal(number(db, "SELECT count(*) FROM runs"), 4);
    assert_int_equal(number(db, "SELECT count(*) FROM systems"), 2);
    assert_int_equal(number(db, "SELECT sum(runs) FROM systems"), 4);
    assert_int_equal(number(db, "SELECT sum(diverged) FROM systems"),
                     number(db, "SELECT count(*) FROM runs WHERE status = 'diverged'"));
    assert_int_equal(number(db, "SELECT count(*) FROM verdicts"),
                     number(db, "SELECT count(*) FROM laws"));
    assert_int_equal(
        number(db, "SELECT count(*) FROM data d JOIN runs r ON r.run = d.\"first-run\""),
        number(db, "SELECT count(*) FROM data"));
    assert_int_equal(number(db, "SELECT count(*) FROM controls"), 0);
    check_members(db);
    check_last_values(db, path_of_store);
    assert_true(number(db, "SELECT count(*) FROM exceptions") >= 0);
    sqlite3_close(db);
    support_remove(folder);
    ub_free(path_of_store);
    ub_free(report);
    ub_free(file);
    ub_free(path);
}

/* A table that SQL has other words for: names and texts that must be quoted, cells of each kind. */
static void types_and_hostile_names(void **state)
{
    (void)state;
    static const char text[] = "id,\"a \"\"b\"\"\",select,mixed,empty,inf,status,law\n"
                               "x,1,'); DROP TABLE runs; --,1,,inf,ok,l\n"
                               "y,-9223372036854775808,2,1.5,,-1e-300,ok,l\n";
    static const char *const only[] = {"odd", NULL};
    struct ub_error err = {0};
    char *folder = support_folder(), *path = ub_path(folder, "odd.csv");
    assert_true(ub_write_file(path, text, strlen(text), &err));
    /* its views need the report's tables: without them nothing is left behind */
    assert_false(ub_database_write(folder, only, NULL, &err));
    assert_non_null(strstr(err.text, "no such table"));
    char *file = ub_path(folder, "results.db"), *partial = ub_path(folder, "results.db.partial");
    assert_false(ub_exists(file) || ub_exists(partial));
    static const char *const all[] = {"odd", "runs", "laws", "data", NULL};
    static const char runs[] = "run,status,system,dataset,model,loss,init,optimizer,steps,seed\n";
    static const char laws[] = "law,strand,verdict,mean,low,high,target,margin,within,spoke,"
                               "systems,controls-right,controls\n";
    static const char data[] = "law,exception,control,group,run-ids,value,prediction,meets\n"
                               "l,true,,g,a;b,1,1,yes\nl,true,must hold,h,c,1,1,yes\n"
                               "l,false,,i,d,1,1,yes\n";
    const struct {
        const char *name, *text;
    } files[] = {{"runs.csv", runs}, {"laws.csv", laws}, {"data.csv", data}};
    for (size_t i = 0; i < 3; i++) {
        char *at = ub_path(folder, files[i].name);
        assert_true(ub_write_file(at, files[i].text, strlen(files[i].text), &err));
        ub_free(at);
    }
    struct ub_error fresh = {0};
    assert_true(ub_database_write(folder, all, NULL, &fresh));
    assert_true(ub_database_write(folder, all, NULL, &fresh)); /* over an older one */
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    struct ub_csv *csv = read_csv(folder, "odd");
    assert_int_equal(check_table(db, "odd", csv), 2 + 2 + 2);
    assert_int_equal(number(db, "SELECT count(*) FROM exceptions"), 1);
    assert_int_equal(number(db, "SELECT count(*) FROM controls"), 1);
    assert_int_equal(number(db, "SELECT count(*) FROM odd WHERE inf > 1e308"), 1);
    ub_csv_free(csv);
    sqlite3_close(db);
    support_remove(folder);
    ub_free(file);
    ub_free(partial);
    ub_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_database_has_what_the_tables_have),
        cmocka_unit_test(types_and_hostile_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
