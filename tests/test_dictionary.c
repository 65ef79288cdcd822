/* The data dictionary has every column of the files that a small suite's report writes, and every
 * row of its traces; and no two entries for one. */
#include "bench/store/quantity.h"
#include "bench/store/store.h"
#include "cli_support.h"

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

/* Whether the dictionary has the file's column: its name, or one with a word that stands for it. */
static bool knows(const struct ub_csv *dictionary, const char *file, const char *column)
{
    for (size_t i = 0; i < dictionary->rows; i++) {
        const struct ub_quantity q = {.name = ub_csv_cell(dictionary, i, 1)};
        if (strcmp(ub_csv_cell(dictionary, i, 0), file) == 0 &&
            ub_quantity_fits(&q, column, NULL, NULL))
            return true;
    }
    return false;
}

static size_t check_columns(const struct ub_csv *dictionary, const char *folder, const char *file)
{
    struct ub_csv *csv = read_csv(folder, file);
    const size_t n = csv ? csv->columns : 0;
    for (size_t c = 0; c < n; c++)
        if (!knows(dictionary, file, csv->header[c]))
            fail_msg("%s has a column '%s' that is not in the dictionary", file, csv->header[c]);
    ub_csv_free(csv);
    return n;
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
    const size_t columns = check_columns(dictionary, report, "runs.csv");
    print_message("runs.csv: %zu columns\n", columns);
    assert_true(columns > 100);
    assert_true(check_columns(dictionary, report, "spectra.csv") > 10);
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
