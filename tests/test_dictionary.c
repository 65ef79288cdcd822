/* The data dictionary has every column of the files that a small suite's report writes, and every
 * row of its traces; and no two entries for one. */
#include "bench/store/quantity.h"
#include "bench/store/store.h"
#include "cli_support.h"

#include <dirent.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>

static const char suite[] =
    "name: small\n"
    "defaults:\n"
    "  dataset: {digits: {size: 60, test: 0.2}}\n"
    "  model: {mlp: {widths: 12x12}}\n"
    "  loss: ce\n"
    "  steps: 6\n"
    "  measure:\n"
    "    loss: {every: 1}\n"
    "    accuracy: {at: [0, end]}\n"
    "    distance: {every: 2}\n"
    "    gradient-norm: {at: end}\n"
    "    sharpness: {every: 2, top: 2}\n"
    "    hessian-spectrum: {at: [0, end], top: 10}\n"
    "    covariance-spectrum: {at: end}\n"
    "    weight-spectrum: {at: end}\n"
    "    spectrum: {at: end, top: 8}\n"
    "    kernel-spectrum: {at: end, outputs: mean}\n"
    "    class-structure: {at: end}\n"
    "    density: {at: end, probes: 2, steps: 10, points: 5}\n"
    "    coordinates: {at: end}\n"
    "    catapult: {every: 2}\n"
    "runs:\n"
    "  - optimizer: [{gd: {lr: {relative: 0.8}}}, {sgd: {lr: 0.05, batch: 8}}]\n"
    "  - optimizer: {gd: {lr: {relative: 0.8}}}\n"
    "    loss: mse\n"
    "    seed: 0..1\n"
    "    measure: {loss: {every: 1}, edge-ratio: {every: 1}, central-flow: {every: 3}}\n";

static struct ub_csv *read_csv(const char *folder, const char *name)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, name);
    struct ub_csv *csv = ub_exists(path) ? ub_csv_read(path, true, &err) : NULL;
    if (ub_exists(path) && !csv)
        fail_msg("%s", err.text);
    ub_free(path);
    return csv;
}

/* The type of the file's column, by its name or one with a word that stands for it; NULL when the
 * dictionary does not have it. file NULL: of any. */
static const char *type_of(const struct ub_csv *dictionary, const char *file, const char *column)
{
    for (size_t i = 0; i < dictionary->rows; i++) {
        const struct ub_quantity q = {.name = ub_csv_cell(dictionary, i, 1)};
        if ((!file || strcmp(ub_csv_cell(dictionary, i, 0), file) == 0) &&
            ub_quantity_fits(&q, column, NULL, NULL))
            return ub_csv_cell(dictionary, i, 2);
    }
    return NULL;
}

static bool knows(const struct ub_csv *dictionary, const char *file, const char *column)
{
    return type_of(dictionary, file, column) != NULL;
}

static bool is_number(const char *cell)
{
    double value;
    return strcmp(cell, "inf") == 0 || strcmp(cell, "-inf") == 0 || ub_read_real(cell, &value);
}

/* Whether a cell is what the dictionary says of its column. */
static bool is_of_type(const char *cell, const char *type)
{
    int64_t whole;
    if (!*cell || strcmp(type, "text") == 0)
        return true;
    if (strcmp(type, "whole number") == 0)
        return ub_read_int(cell, &whole);
    if (strcmp(type, "true or false") == 0)
        return strcmp(cell, "true") == 0 || strcmp(cell, "false") == 0;
    assert_string_equal(type, "number");
    return is_number(cell);
}

static size_t check_columns(const struct ub_csv *dictionary, const char *folder, const char *file)
{
    struct ub_csv *csv = read_csv(folder, file);
    const size_t n = csv ? csv->columns : 0;
    for (size_t c = 0; c < n; c++)
        if (!knows(dictionary, file, csv->header[c]))
            fail_msg("%s has a column '%s' that is not in the dictionary", file, csv->header[c]);
    for (size_t row = 0; row < (csv ? csv->rows : 0); row++)
        for (size_t c = 0; c < n; c++) {
            const char *type = type_of(dictionary, file, csv->header[c]);
            if (!is_of_type(ub_csv_cell(csv, row, c), type))
                fail_msg("%s, column %s: '%s' is no %s", file, csv->header[c],
                         ub_csv_cell(csv, row, c), type);
        }
    ub_csv_free(csv);
    return n;
}

/* All tables of the report, by whatever name; how many there are. */
static size_t check_files(const struct ub_csv *dictionary, const char *folder)
{
    size_t files = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        const char *dot = strrchr(e->d_name, '.');
        if (dot && strcmp(dot, ".csv") == 0) {
            print_message("%s: %zu columns\n", e->d_name,
                          check_columns(dictionary, folder, e->d_name));
            files++;
        }
    }
    closedir(d);
    return files;
}

/* Every row of every trace behind its run and system, in the store's order. */
static void check_series(const char *report, const char *path, const struct ub_csv *runs)
{
    struct ub_error err = {0};
    struct ub_store *store = ub_store_open(path, &err);
    struct ub_csv *series = read_csv(report, "series.csv.gz");
    size_t row = 0;
    assert_true(store && series);
    for (size_t i = 0; i < store->count; i++) {
        struct ub_trace *t = ub_trace_read(store, &store->runs[i], &err);
        for (size_t k = 0; t && k < t->count; k++, row++) {
            double value;
            int64_t step;
            assert_true(row < series->rows);
            assert_string_equal(ub_csv_cell(series, row, 0), store->runs[i].id);
            assert_string_equal(ub_csv_cell(series, row, 1), ub_csv_cell(runs, i, 1));
            assert_true(ub_read_int(ub_csv_cell(series, row, 2), &step) && step == t->step[k]);
            assert_string_equal(ub_csv_cell(series, row, 3), t->observable[k]);
            if (isfinite(t->value[k]))
                assert_true(ub_read_real(ub_csv_cell(series, row, 5), &value) &&
                            value == t->value[k]);
        }
        ub_trace_free(t);
    }
    assert_int_equal(row, series->rows);
    print_message("series.csv.gz: %zu rows\n", row);
    ub_csv_free(series);
    ub_store_free(store);
}

/* Columns of the database's tables are those of the files of their names, or its own; of its views
 * those of some table. */
static void check_database(const struct ub_csv *dictionary, const char *report)
{
    char *path = ub_path(report, "results.db");
    sqlite3 *db = NULL;
    sqlite3_stmt *columns = NULL;
    size_t n = 0;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    static const char sql[] = "SELECT m.type, m.name, c.name FROM sqlite_master m, "
                              "pragma_table_info(m.name) c WHERE m.type IN ('table', 'view')";
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &columns, NULL), SQLITE_OK);
    for (; sqlite3_step(columns) == SQLITE_ROW; n++) {
        const char *type = (const char *)sqlite3_column_text(columns, 0);
        const char *name = (const char *)sqlite3_column_text(columns, 1);
        const char *column = (const char *)sqlite3_column_text(columns, 2);
        struct ub_text file = {0};
        ub_text_add(&file, "%s.csv", name);
        const bool known = strcmp(type, "view") == 0 ? type_of(dictionary, NULL, column) != NULL
                                                     : knows(dictionary, file.data, column) ||
                                                           knows(dictionary, "results.db", column);
        if (!known)
            fail_msg("%s %s has a column '%s' that is not in the dictionary", type, name, column);
        ub_text_free(&file);
    }
    print_message("results.db: %zu columns of tables and views\n", n);
    assert_true(n > 200);
    sqlite3_finalize(columns);
    sqlite3_close(db);
    ub_free(path);
}

/* Numbers of options are what they come to. */
static void check_options(const struct ub_csv *runs)
{
    const int lr = ub_csv_column(runs, "optimizer.lr"), fact = ub_csv_column(runs, "lr"),
              asked = ub_csv_column(runs, "optimizer.lr.asked"),
              size = ub_csv_column(runs, "dataset.size"), samples = ub_csv_column(runs, "samples"),
              widths = ub_csv_column(runs, "model.widths"),
              model = ub_csv_column(runs, "model.name"),
              batch = ub_csv_column(runs, "optimizer.batch");
    assert_true(lr >= 0 && fact >= 0 && asked >= 0 && size >= 0 && samples >= 0 && widths >= 0 &&
                model >= 0 && batch >= 0);
    for (size_t i = 0; i < runs->rows; i++) {
        assert_string_equal(ub_csv_cell(runs, i, (size_t)lr), ub_csv_cell(runs, i, (size_t)fact));
        assert_string_equal(ub_csv_cell(runs, i, (size_t)size),
                            ub_csv_cell(runs, i, (size_t)samples));
        assert_string_equal(ub_csv_cell(runs, i, (size_t)widths), "12x12");
        assert_string_equal(ub_csv_cell(runs, i, (size_t)model), "mlp");
    }
    assert_string_equal(ub_csv_cell(runs, 0, (size_t)asked), "relative(0.8)");
    assert_string_equal(ub_csv_cell(runs, 1, (size_t)batch), "8");
}

static size_t row_of(const struct ub_csv *csv, const char *id, size_t length)
{
    size_t i = 0;
    while (i < csv->rows && (strncmp(ub_csv_cell(csv, i, 0), id, length) != 0))
        i++;
    return i;
}

/* Whether a group's cell is what each of its runs has in that column of runs.csv. */
static void check_key(const struct ub_csv *data, size_t row, const struct ub_csv *runs,
                      const char *column, size_t *empty)
{
    const int here = ub_csv_column(data, column), there = ub_csv_column(runs, column);
    assert_true(here >= 0 && there >= 0);
    const char *key = ub_csv_cell(data, row, (size_t)here);
    bool same = true;
    const char *first = NULL;
    for (const char *id = ub_csv_cell(data, row, 4); *id;) {
        const size_t length = strcspn(id, ";"), run = row_of(runs, id, length);
        assert_true(length == 16 && run < runs->rows);
        const char *text = ub_csv_cell(runs, run, (size_t)there);
        first = first ? first : text;
        same = same && strcmp(first, text) == 0;
        id += length + (id[length] == ';');
    }
    assert_string_equal(key, same ? first : "");
    *empty += !same;
}

static void groups_join_with_runs(const char *report)
{
    static const char *const keys[] = {"dataset",   "data-seed", "model",     "loss", "init",
                                       "optimizer", "steps",     "precision", "seed"};
    struct ub_csv *data = read_csv(report, "data.csv"), *runs = read_csv(report, "runs.csv");
    size_t empty = 0;
    assert_true(data && runs && data->rows > 0);
    assert_string_equal(data->header[4], "run-ids");
    for (size_t i = 0; i < data->rows; i++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            check_key(data, i, runs, keys[k], &empty);
    assert_true(empty > 0); /* seeds differ in a group */
    const int width = ub_csv_column(data, "model.width"),
              batch = ub_csv_column(data, "optimizer.batch");
    assert_true(width >= 0 && batch >= 0);
    assert_string_equal(ub_csv_cell(data, 0, (size_t)width), "12");
    ub_csv_free(data);
    ub_csv_free(runs);
}

static size_t check_traces(const struct ub_csv *dictionary, const char *path)
{
    struct ub_error err = {0};
    struct ub_store *store = ub_store_open(path, &err);
    size_t names = 0;
    assert_non_null(store);
    for (size_t i = 0; i < store->count; i++) {
        struct ub_trace *t = ub_trace_read(store, &store->runs[i], &err);
        assert_non_null(t);
        for (size_t k = 0; k < t->n_names; k++, names++)
            if (!knows(dictionary, "trace.csv.gz", t->names[k]))
                fail_msg("rows '%s' are not in the dictionary", t->names[k]);
        ub_trace_free(t);
    }
    ub_store_free(store);
    return names;
}

static void check_entries(const struct ub_csv *d)
{
    assert_int_equal(d->columns, 7);
    for (size_t i = 0; i < d->rows; i++) {
        const char *file = ub_csv_cell(d, i, 0), *name = ub_csv_cell(d, i, 1);
        for (size_t k = 0; k < i; k++)
            if (strcmp(ub_csv_cell(d, k, 0), file) == 0 && strcmp(ub_csv_cell(d, k, 1), name) == 0)
                fail_msg("%s of %s is there twice", name, file);
        if (!*ub_csv_cell(d, i, 2) || !*ub_csv_cell(d, i, 5) || !*ub_csv_cell(d, i, 6))
            fail_msg("%s of %s lacks type, meaning or source", name, file);
    }
}

static const char *units_of(const struct ub_csv *d, const char *name)
{
    for (size_t i = 0; i < d->rows; i++)
        if (strcmp(ub_csv_cell(d, i, 1), name) == 0)
            return ub_csv_cell(d, i, 3);
    return "no such column";
}

/* Of each number that was asked for; words have none. */
static void check_units(const struct ub_csv *d)
{
    static const char *const known[][2] = {
        {"steps", "steps"},
        {"seed", "1"},
        {"optimizer.warmup", "steps"},
        {"optimizer.batch", "samples"},
        {"optimizer.lr", "the optimizer's"},
        {"optimizer.lr.asked", ""},
        {"optimizer.l2", "loss per unit of parameter squared"},
        {"optimizer.beta", "1"},
        {"optimizer.schedule", ""},
        {"dataset.noise", "output"},
        {"dataset.context", "tokens"},
        {"model.patch", "pixels"},
        {"model.width", "1"},
        {"model.activation", ""},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(units_of(d, known[i][0]), known[i][1]);
    for (size_t i = 0; i < d->rows; i++) {
        const char *type = ub_csv_cell(d, i, 2);
        const bool number = strcmp(type, "whole number") == 0 || strcmp(type, "number") == 0;
        if (strcmp(ub_csv_cell(d, i, 6), "spec") == 0 && number && !*ub_csv_cell(d, i, 3))
            fail_msg("%s is a number without units", ub_csv_cell(d, i, 1));
    }
}

static void all_columns_are_in_the_dictionary(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *path = ub_path(folder, "small.yaml");
    assert_true(ub_write_file(path, suite, strlen(suite), &err));
    ub_free(cli_expect(folder, "run small.yaml --out S --jobs 1", 0, ""));
    ub_free(cli_expect(folder, "report S", 0, ""));
    char *store = ub_path(folder, "S"), *report = ub_path(store, "report");
    struct ub_csv *dictionary = read_csv(report, "dictionary.csv");
    assert_non_null(dictionary);
    check_entries(dictionary);
    check_units(dictionary);
    const size_t columns = check_columns(dictionary, report, "runs.csv");
    print_message("runs.csv: %zu columns\n", columns);
    assert_true(columns > 100);
    assert_true(check_columns(dictionary, report, "spectra.csv") > 10);
    assert_int_equal(check_files(dictionary, report), 5);
    groups_join_with_runs(report);
    struct ub_csv *runs = read_csv(report, "runs.csv");
    check_options(runs);
    assert_int_equal(check_columns(dictionary, report, "series.csv.gz"), 7);
    check_series(report, store, runs);
    ub_csv_free(runs);
    check_database(dictionary, report);
    char *page = ub_path(report, "dictionary.md");
    assert_true(ub_exists(page));
    ub_free(page);
    const size_t rows = check_traces(dictionary, store);
    print_message("traces: %zu names of rows\n", rows);
    assert_true(rows > 100);
    ub_csv_free(dictionary);
    support_remove(folder);
    ub_free(store);
    ub_free(report);
    ub_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_columns_are_in_the_dictionary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
